"""Read models of the list pages: filters, facets with counts, keyset paging. No list loads a body, a prompt or a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, JSONObject
from django.utils.timezone import now

from trajectories import filters
from trajectories.expressions import BadExpression, Expression, Term, parse
from trajectories.models import (
    Problem,
    ProblemBody,
    ProblemQuerySet,
    ProblemTag,
    Run,
    RunQuerySet,
    RunStatus,
    Step,
)

PROBLEMS_PAGE = 25
RUNS_PAGE = 50
TAGS_SHOWN = 30
LONGEST_QUERY = 200
MOST_IDS = 500  # problems named one by one in a condition; beyond, all are read
LIVE = (RunStatus.QUEUED, RunStatus.RUNNING)
NONE = "none"  # how an address names an empty value: no verdict yet, no difficulty stated


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """One filter with the counts it would give, the other filters staying as they are."""

    name: str
    title: str
    choices: tuple[Choice, ...]

    @property
    def chosen(self) -> str:
        return next((choice.value for choice in self.choices if choice.chosen), "")


@dataclass(frozen=True, slots=True)
class Page:
    """`before` and `after` are cursors of the neighbouring pages, empty where there is none."""

    rows: list[Any]
    total: int
    facets: tuple[Facet, ...]
    newer: str = ""
    older: str = ""
    refused: BadExpression | None = None  # what is wrong with the filter; then no row is shown

    @property
    def busy(self) -> bool:
        """Some run of this page is still going on."""
        return any(isinstance(row, Run) and not row.ended for row in self.rows)


Filters = Mapping[str, str]


def _facets(
    cube: Iterable[Mapping[str, Any]], titles: Mapping[str, str], chosen: Filters
) -> tuple[int, tuple[Facet, ...]]:
    """Facet counts from one GROUP BY over all facet columns; also how many rows pass every filter."""
    rows = list(cube)

    def passes(row: Mapping[str, Any], but: str = "") -> bool:
        return all(
            name == but or not chosen.get(name) or (row[name] or NONE) == chosen[name] for name in titles
        )

    total = sum(row["n"] for row in rows if passes(row))
    facets = []
    for name, title in titles.items():
        counts: Counter[str] = Counter()
        for row in rows:
            if passes(row, but=name):
                counts[row[name] or NONE] += row["n"]
        own = chosen.get(name, "")
        if own and own not in counts:
            counts[own] = 0
        choices = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        facets.append(Facet(name, title, tuple(Choice(value, n, value == own) for value, n in choices)))
    return total, tuple(facets)


# -- problems

PROBLEM_FACETS = {"source": "Source", "difficulty": "Difficulty", "test_kind": "Tests"}


def problems(chosen: Filters) -> Page:
    """A page of current problems with their last run and solve rate. Four queries."""
    try:
        found = _matching(chosen)
    except BadExpression as error:
        return Page([], 0, (), refused=error)
    cube = found.values(*PROBLEM_FACETS).annotate(n=Count("pk")).order_by()
    total, facets = _facets(cube, PROBLEM_FACETS, chosen)
    facets = (*facets, _tag_facet(_matching(chosen, but="tag"), chosen))
    rows, newer, older = _problem_rows(_narrowed(found, chosen, PROBLEM_FACETS), chosen)
    return Page(rows, total, facets, newer, older)


def _matching(chosen: Filters, but: str = "") -> ProblemQuerySet:
    found = Problem.objects.current()
    if text := chosen.get("q", "").strip():
        found = filters.problems(found, parse(text, filters.PROBLEM_FIELDS))
    if (tag := chosen.get("tag")) and but != "tag":
        found = found.filter(tags__name=tag)
    return found


def _narrowed(found: Any, chosen: Filters, names: Iterable[str]) -> Any:
    given = {name: chosen[name] for name in names if chosen.get(name)}
    return found.filter(**{name: "" if value == NONE else value for name, value in given.items()})


def _tag_facet(found: ProblemQuerySet, chosen: Filters) -> Facet:
    here = _narrowed(found, chosen, PROBLEM_FACETS).values("pk").order_by()
    tags = (
        ProblemTag.objects.filter(problem__in=here)
        .values("name")
        .annotate(n=Count("pk"))
        .order_by("-n", "name")
    )
    own = chosen.get("tag", "")
    choices = [Choice(row["name"], row["n"], row["name"] == own) for row in tags[:TAGS_SHOWN]]
    if own and not any(choice.chosen for choice in choices):
        choices.insert(0, Choice(own, 0, True))
    return Facet("tag", "Tag", tuple(choices))


def _with_runs(chosen: Any) -> Any:
    """The chosen few, unordered, with `judged`, `solved` and `last` (the newest run, as a dict) added.

    Chosen in a query inside the query: a database that sorts the whole list with these would work them out for
    problems that nobody sees.
    """
    found = Problem.objects.filter(pk__in=chosen.values("pk"))
    of_problem = Run.objects.filter(problem=OuterRef("pk"))
    judged = of_problem.filter(filters.JUDGED).order_by().values("problem")
    last = JSONObject(
        **{name: name for name in ("id", "status", "verdict", "strip", "total", "cancel_requested")}
    )
    return found.annotate(
        judged=Coalesce(Subquery(judged.annotate(n=Count("pk")).values("n")), 0),
        solved=Coalesce(Subquery(judged.filter(verdict="AC").annotate(n=Count("pk")).values("n")), 0),
        last=Subquery(of_problem.order_by("-id").values(json=last)[:1]),
        last_at=Subquery(of_problem.order_by("-id").values("created_at")[:1]),
    ).prefetch_related("tags")


def _problem_rows(found: Any, chosen: Filters) -> tuple[list[Problem], str, str]:
    """Keyset paging over (source, external_id), which are unique together among current problems."""
    forward = not chosen.get("before")
    cursor = chosen.get("after") or chosen.get("before")
    if cursor:
        source, _, key = cursor.partition("|")
        side = "gt" if forward else "lt"
        found = found.filter(
            Q(**{f"source__{side}": source}) | Q(source=source, **{f"external_id__{side}": key})
        )
    order = ("source", "external_id") if forward else ("-source", "-external_id")
    rows = list(_with_runs(found.order_by(*order)[: PROBLEMS_PAGE + 1]).order_by(*order))
    more, rows = len(rows) > PROBLEMS_PAGE, rows[:PROBLEMS_PAGE]
    if not forward:
        rows.reverse()
    earlier, later = (bool(cursor), more) if forward else (more, True)
    return (
        rows,
        _key(rows[0]) if earlier and rows else "",
        _key(rows[-1]) if later and rows else "",
    )


def _key(problem: Problem) -> str:
    return f"{problem.source}|{problem.external_id}"


def problem_runs(problem: Problem, limit: int = 20) -> QuerySet[Run]:
    """The newest runs of all versions of a problem."""
    return (
        Run.objects.filter(problem__external_id=problem.external_id)
        .select_related("problem")
        .order_by("-id")[:limit]
    )


# -- runs

RUN_FACETS = {"status": "Status", "verdict": "Verdict", "strategy": "Strategy", "engine_name": "Engine"}


def runs(chosen: Filters) -> Page:
    """A page of runs, newest first. Five queries."""
    try:
        found = _asked(chosen)
    except BadExpression as error:
        return Page([], 0, (), refused=error)
    total, facets = _facets(found.values(*RUN_FACETS).annotate(n=Count("pk")).order_by(), RUN_FACETS, chosen)
    found = _narrowed(found, chosen, RUN_FACETS)
    facets = (*facets, _blame_facet(chosen), _run_tag_facet(chosen))
    forward = not chosen.get("before")
    cursor = chosen.get("after") or chosen.get("before") or ""
    if cursor.isascii() and cursor.isdigit() and len(cursor) < 19:
        found = found.filter(pk__lt=int(cursor)) if forward else found.filter(pk__gt=int(cursor))
    else:
        cursor = ""
    # Numbers first, from the index alone: sorting whole rows of a hundred thousand runs would be felt.
    order = "-pk" if forward else "pk"
    chosen_runs = found.order_by(order).values("pk")[: RUNS_PAGE + 1]
    rows = list(Run.objects.filter(pk__in=chosen_runs).select_related("problem").order_by(order))
    more, rows = len(rows) > RUNS_PAGE, rows[:RUNS_PAGE]
    if not forward:
        rows.reverse()
    earlier, later = (bool(cursor), more) if forward else (more, True)
    newer, older = str(rows[0].pk) if rows and earlier else "", str(rows[-1].pk) if rows and later else ""
    return Page(rows, total, facets, newer, older)


def matching_runs(chosen: Filters) -> RunQuerySet:
    """Every run that the filters of the list leave, on whatever page. Raises BadExpression."""
    found: RunQuerySet = _narrowed(_asked(chosen), chosen, RUN_FACETS)
    return found


def _asked(chosen: Filters, but: str = "") -> RunQuerySet:
    """The runs of the expression, tag, blame and problem, whose facets are counted. `but`: that filter left out, for the
    facet that would replace it. Raises BadExpression."""
    found: RunQuerySet = Run.objects.all()
    if text := chosen.get("q", "").strip():
        found = filters.runs(found, parse(text, filters.RUN_FIELDS))
    if (tag := chosen.get("tag", "")) and but != "tag":
        found = filters.runs(found, Expression((Term("tag", ":", (tag,)),)))
    if (agent := chosen.get("blame", "")) and but != "blame":
        found = filters.runs(found, Expression((Term("blame", ":", (agent,)),)))
    if problem := chosen.get("problem", ""):
        number = problem.isascii() and problem.isdigit() and len(problem) < 19  # what a column can hold
        found = found.filter(problem_id=int(problem)) if number else found.none()
    return found


def _blame_facet(chosen: Filters) -> Facet:
    """Whom anybody blames; a run that two sources put down to different agents counts under both."""
    found, said = _narrowed(_asked(chosen, but="blame"), chosen, RUN_FACETS), filters.blaming()
    if any(value for name, value in chosen.items() if name not in ("before", "after", "blame")):
        said = said.filter(run__in=found.order_by().values("pk"))
    rows = said.order_by().values("agent").annotate(n=Count("run", distinct=True))
    return _facet("blame", "Blame", {row["agent"]: row["n"] for row in rows}, chosen)


def _run_tag_facet(chosen: Filters) -> Facet:
    """Counts by problem first: far fewer rows meet the tags than there are runs."""
    found = _narrowed(_asked(chosen, but="tag"), chosen, RUN_FACETS)
    by_problem = dict(found.order_by().values_list("problem").annotate(n=Count("pk")))
    rows = ProblemTag.objects.values_list("problem", "name")
    if len(by_problem) < MOST_IDS:
        rows = rows.filter(problem__in=list(by_problem))
    tags: Counter[str] = Counter()
    for problem, name in rows:
        tags[name] += by_problem.get(problem, 0)
    return _facet("tag", "Tag", {name: n for name, n in tags.most_common(TAGS_SHOWN) if n}, chosen)


def _facet(name: str, title: str, counts: Mapping[str, int], chosen: Filters) -> Facet:
    own = chosen.get(name, "")
    whole = {**({own: 0} if own else {}), **counts}
    ordered = sorted(whole.items(), key=lambda pair: (-pair[1], pair[0]))
    return Facet(name, title, tuple(Choice(value, n, value == own) for value, n in ordered))


# -- the loop


@dataclass(frozen=True, slots=True)
class Stage:
    """One station of the loop that exists, with a live count and what it is made of."""

    name: str
    count: int
    detail: str
    href: str


@dataclass(frozen=True, slots=True)
class Loop:
    problems: int
    problems_today: int
    runs: int
    running: int
    judged: int
    solved: int
    failures: int


def loop() -> Loop:
    """Counts of every stage. One query: problems and, by status, runs."""
    day = now() - timedelta(days=1)
    runs = Run.objects.order_by().values(k=F("status"))
    problems = Problem.objects.current().order_by().annotate(k=Value("problem")).values("k")
    solved = Count("pk", filter=Q(verdict="AC"))
    unjudged = Run.objects.filter(filters.UNJUDGED).order_by().annotate(k=Value("unjudged")).values("k")
    counted = runs.annotate(n=Count("pk"), of=solved).union(
        unjudged.annotate(n=Count("pk"), of=solved),
        problems.annotate(n=Count("pk"), of=Count("pk", filter=Q(created_at__gte=day))),
        all=True,
    )
    found = {key: (n, of) for key, n, of in counted.values_list("k", "n", "of")}
    known, today = found.pop("problem", (0, 0))
    elsewhere, _ = found.pop("unjudged", (0, 0))
    finished, accepted = found.get(RunStatus.FINISHED, (0, 0))
    judged = finished - elsewhere
    running = sum(found.get(status, (0, 0))[0] for status in LIVE)
    every = sum(n for n, _ in found.values())
    return Loop(known, today, every, running, judged, accepted, judged - accepted)


def at_hand(running: int = 8, ended: int = 7) -> tuple[list[Run], list[Run]]:
    """Queued and running runs with `step`, the newest step of each, and those that ended last. One query."""
    newest = Step.objects.filter(run=OuterRef("pk")).order_by("-number")
    step = JSONObject(number="number", role="role", total="total", strip="strip", suite="suite")
    live = Run.objects.filter(status__in=LIVE).order_by(F("started_at").asc(nulls_last=True), "id")
    last = Run.objects.exclude(status__in=LIVE).order_by("-id")
    chosen = Q(pk__in=live.values("pk")[:running]) | Q(pk__in=last.values("pk")[:ended])
    rows = Run.objects.filter(chosen).select_related("problem")
    found = list(rows.annotate(step=Subquery(newest.values(json=step)[:1])).order_by("-id"))
    going = [run for run in found if run.status in LIVE]
    going.sort(key=lambda run: (run.started_at is None, run.started_at or run.created_at, run.pk))
    return going, [run for run in found if run.status not in LIVE]


def recent_problems(limit: int = 12) -> list[Problem]:
    """Problems by their newest run, those that were never run after them. Two queries with their tags."""
    newest = Run.objects.filter(problem=OuterRef("pk")).order_by("-id").values("id")[:1]
    found = Problem.objects.current().annotate(last_run=Subquery(newest))
    chosen = found.order_by(F("last_run").desc(nulls_last=True), "id")[:limit]
    return list(_with_runs(chosen).order_by(F("last_at").desc(nulls_last=True), "id"))


# -- one problem

TEXT = (
    "statement",
    "input_spec",
    "output_spec",
    "notes",
    "time_limit_s",
    "memory_limit_mb",
    "samples",
    "checker",
)
MORE_TEXT = ("entry_point", "starter_code", "provenance", "quirks")


def problem_text(pk: int) -> dict[str, Any]:
    """Everything of a problem's body that a person reads first; its tests stay in the database."""
    names = (*TEXT, *MORE_TEXT)
    row = ProblemBody.objects.filter(pk=pk).values_list(*(f"spec__{name}" for name in names)).first()
    return dict(zip(names, row or [None] * len(names), strict=True))


def versions(problem: Problem) -> list[Problem]:
    return list(Problem.objects.filter(external_id=problem.external_id).order_by("-version"))
