"""What stands in a queue: runs that match its filter and still want a judgement, each with the step to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce
from django.http import QueryDict

from trajectories import filters
from trajectories.agents import AGENTS
from trajectories.desk import pairs
from trajectories.desk.models import Order, Pick, ReviewQueue
from trajectories.expressions import BadExpression, Expression, parse
from trajectories.filters import RUN_FIELDS
from trajectories.models import Blame, Decision, Run, Step, StepState

SHOWN = 50
WINDOW = 500  # runs among which the next items are looked for first
COUNTED = 1000  # a queue is counted up to here; more is "1,000 and more"
PROGRAMS = ("coding", "debugging")


@dataclass(frozen=True, slots=True)
class Queue:
    """A stored queue, or one that an address describes (`slug` empty)."""

    title: str
    filter: str
    pick: Pick = Pick.FAILURE
    order: Order = Order.NEWEST
    agent: str = ""
    rubric: str = ""
    blind: bool = False
    reviewers: int = 1
    slug: str = ""

    @property
    def query(self) -> str:
        """What an address says to name this queue."""
        query = QueryDict(mutable=True)
        if self.slug:
            query["queue"] = self.slug
        else:
            query.update({"filter": self.filter, "pick": self.pick.value})
            if self.agent:
                query["agent"] = self.agent
        return query.urlencode()

    def expression(self) -> Expression:
        """Raises BadExpression."""
        return parse(self.filter, RUN_FIELDS)


@dataclass(frozen=True, slots=True)
class Item:
    """One step to judge with what the list says of it."""

    run: Run
    step: Step
    agent: str = ""  # whom the supervisor blames
    cause: str = ""
    confidence: float | None = None
    flips: int | None = None
    trials: int | None = None

    @property
    def key(self) -> str:
        return f"{self.run.pk}-{self.step.number}"


def stored(row: ReviewQueue) -> Queue:
    return Queue(
        row.title,
        row.filter,
        Pick(row.pick),
        Order(row.order),
        row.agent,
        row.rubric,
        row.blind,
        row.reviewers,
        row.slug,
    )


def described(given: QueryDict) -> Queue | None:
    """The queue that an address's `filter`, `pick` and `agent` describe; None where it describes none."""
    if "filter" not in given:
        return None
    text, pick, agent = (str(given.get(name, "")).replace("\0", "") for name in ("filter", "pick", "agent"))
    return Queue(
        text or "every run",
        text,
        Pick(pick) if pick in Pick.values else Pick.FAILURE,
        agent=agent if agent in AGENTS else "",
    )


def left(queue: Queue, actor: str) -> int:
    """How many items wait, counted up to COUNTED."""
    matching = filters.runs(Run.objects.all(), queue.expression())
    found = (_every if queue.pick == Pick.EVERY else _runs)(queue, actor, matching)
    return int(found.order_by()[:COUNTED].count())


def items(queue: Queue, actor: str, limit: int = SHOWN, offset: int = 0) -> list[Item]:
    """The next items. Four queries, one more where few of many runs want a judgement."""
    if queue.pick == Pick.EVERY:
        steps = _first(queue, lambda runs: _every(queue, actor, runs), offset, limit)
        return _told([(step.run, step) for step in steps])
    # Numbers first: sorting and filtering whole rows of a hundred thousand runs would be felt.
    numbers = _first(
        queue, lambda runs: _runs(queue, actor, runs).values_list("pk", flat=True), offset, limit
    )
    found = {
        run.pk: run
        for run in _picked(
            queue.pick, Run.objects.filter(pk__in=numbers).select_related("problem"), queue.agent
        )
    }
    runs = [found[pk] for pk in numbers]
    wanted = Q(pk__in=[])
    for run in runs:
        wanted |= Q(run=run, number=run.pick)
    steps_of = {step.run_id: step for step in Step.objects.filter(wanted)} if runs else {}
    shown = [(run, steps_of[run.pk]) for run in runs if run.pk in steps_of]
    if queue.pick.paired:  # what others say of a run would tell which side it is
        return [Item(run, step) for run, step in shown]
    return _told(shown)


def _first(queue: Queue, of: Callable[[Any], Any], offset: int, limit: int) -> list[Any]:
    """Rows `offset` to `offset + limit` of what `of` finds. What is ordered by the run is looked for among the first
    runs that match before it is among all: otherwise every one is asked about its steps."""
    if queue.order in (Order.NEWEST, Order.OLDEST):
        matching = filters.runs(Run.objects.all(), queue.expression())
        first = matching.order_by("-pk" if queue.order == Order.NEWEST else "pk").values("pk")[:WINDOW]
        found = list(of(Run.objects.filter(pk__in=first))[offset : offset + limit])
        if len(found) == limit:
            return found
    return list(of(filters.runs(Run.objects.all(), queue.expression()))[offset : offset + limit])


def blamed_run(run: Run) -> int:
    """The run that blame is about: of a correction it is the failed run that was corrected."""
    return run.branch_of_id or run.pk


def one(run: Run, step: Step) -> Item:
    return _told([(run, step)])[0]


def step_to_blame(run: int) -> int | None:
    """The step that a queue of failures shows of a run."""
    found: int | None = (
        _picked(Pick.FAILURE, Run.objects.filter(pk=run)).values_list("pick", flat=True).first()
    )
    return found


def _picked(pick: Pick, found: Any, agent: str = "") -> Any:
    """With `pick`, the step to look at."""
    if pick.paired:
        return pairs.picked(found, pick, agent)
    if pick == Pick.CORRECTION:
        return found.annotate(pick=Cast(KeyTextTransform("at", "branch"), IntegerField()))
    return found.annotate(pick=Coalesce(_blamed_step(), _last_step(PROGRAMS), _last_step(AGENTS)))


def _runs(queue: Queue, actor: str, found: Any) -> Any:
    if queue.pick.paired:
        return _ordered(pairs.waiting(found, queue.pick, queue.agent, queue.reviewers, actor), queue.order)
    if queue.pick == Pick.CORRECTION:
        found = _picked(queue.pick, found.filter(filters.correction()))
        found = _unfinished(found, queue, actor, decided_step="pick")
    else:
        answered = Step.objects.filter(run=OuterRef("pk"), role__in=AGENTS, state=StepState.DONE)
        found = _unfinished(found.filter(Exists(answered)), queue, actor)
    if queue.agent:
        of_agent = Step.objects.filter(run=OuterRef("pk"), number=OuterRef("pick"), role=queue.agent)
        found = (found if queue.pick == Pick.CORRECTION else _picked(queue.pick, found)).filter(
            Exists(of_agent)
        )
    return _ordered(found, queue.order)


def _unfinished(found: Any, queue: Queue, actor: str, decided_step: str = "") -> Any:
    """Without what this reviewer has judged, and what enough others have."""
    decided = Decision.objects.filter(run=OuterRef("pk"))
    if decided_step:
        decided = decided.filter(step=OuterRef(decided_step))
    blamed = Blame.objects.filter(run=OuterRef("pk"), source="human")
    if queue.reviewers == 1:
        if decided_step:
            return found.exclude(Exists(decided))
        human = Blame.objects.filter(source="human").values("run")
        return found.exclude(pk__in=Decision.objects.values("run")).exclude(pk__in=human)
    found = found.exclude(Exists(decided.filter(actor=actor)))
    if decided_step:
        return found
    found = found.exclude(Exists(blamed.filter(actor=actor)))
    people = blamed.order_by().values("run").annotate(n=Count("actor", distinct=True)).values("n")
    return found.annotate(people=Coalesce(Subquery(people), 0)).filter(people__lt=queue.reviewers)


def _every(queue: Queue, actor: str, runs: Any) -> Any:
    roles = [queue.agent] if queue.agent else list(AGENTS)
    decided = Decision.objects.filter(run=OuterRef("run"), step=OuterRef("number"))
    if queue.reviewers > 1:
        decided = decided.filter(actor=actor)
    found = Step.objects.filter(run__in=runs.order_by().values("pk"), role__in=roles, state=StepState.DONE)
    newest = queue.order != Order.OLDEST
    found = found.exclude(Exists(decided)).select_related("run__problem")
    return found.order_by("-run_id" if newest else "run_id", "number")


def _blamed_step() -> Subquery:
    said = Blame.objects.filter(run=OuterRef("pk"), source="supervisor", step__isnull=False)
    return Subquery(said.values("step")[:1])


def _last_step(roles: Sequence[str]) -> Subquery:
    steps = Step.objects.filter(run=OuterRef("pk"), role__in=roles, state=StepState.DONE)
    return Subquery(steps.order_by("-number").values("number")[:1])


def _ordered(found: Any, order: Order) -> Any:
    if order in (Order.NEWEST, Order.OLDEST):
        return found.order_by("-pk" if order == Order.NEWEST else "pk")
    said = Blame.objects.filter(run=OuterRef("pk"), source="supervisor")
    found = found.annotate(sure=Subquery(said.values("confidence")[:1]))
    by = F("sure").asc(nulls_last=True) if order == Order.UNSURE else F("sure").desc(nulls_last=True)
    return found.order_by(by, "-pk")


def _told(pairs: list[tuple[Run, Step]]) -> list[Item]:
    said = Blame.objects.filter(
        run__in={blamed_run(run) for run, _ in pairs}, source__in=["supervisor", "replay"]
    )
    said = said.order_by(F("flips").asc(nulls_first=True), "pk")  # of several replays the one that flips most
    by_run: dict[tuple[int, str], Blame] = {(row.run_id, row.source): row for row in said}
    made = []
    for run, step in pairs:
        item = Item(run, step)
        if opinion := by_run.get((blamed_run(run), "supervisor")):
            item = replace(item, agent=opinion.agent, cause=opinion.cause, confidence=opinion.confidence)
        if replayed := by_run.get((blamed_run(run), "replay")):
            item = replace(item, flips=replayed.flips, trials=replayed.trials)
        made.append(item)
    return made


def refused(queue: Queue) -> BadExpression | None:
    """What is wrong with the queue's filter, if anything."""
    try:
        queue.expression()
    except BadExpression as error:
        return error
    return None
