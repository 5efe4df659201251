"""What the filter language can say of runs and of problems, as conditions of the database.

Conditions on other tables are IN, never joins: rows are neither doubled nor need DISTINCT, and the few are looked up
rather than every run asked.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import and_
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from trajectories.agents import AGENTS
from trajectories.expressions import Expression, Field, Term, Vocabulary
from trajectories.models import (
    IMPORTED,
    Blame,
    Decision,
    Problem,
    ProblemQuerySet,
    ProblemTag,
    Run,
    RunQuerySet,
    RunStatus,
)
from trajectories.verdicts import WORD

NONE = "none"
BLAMED = (*AGENTS, NONE)
VERDICTS = (*(verdict for verdict in WORD if verdict), NONE)
STATES = ("failed", "solved", "judged", "live", "branch", "imported", "correction", "blamed", "confirmed")
BLAME_SOURCES = ("supervisor", "human", "replay", "rule")

RUN_FIELDS: Vocabulary = {
    "tag": Field("name", "Tag of the problem"),
    "verdict": Field("name", "Verdict", VERDICTS),
    "status": Field("name", "Status", tuple(RunStatus.values)),
    "strategy": Field("name", "Strategy"),
    "engine": Field("name", "Engine"),
    "blame": Field("name", "Agent that anybody blames", BLAMED),
    "supervisor": Field("name", "Agent that the supervisor blames", BLAMED),
    "human": Field("name", "Agent that a person blames", BLAMED),
    "replay": Field("name", "Agent whose repair flips the verdict", BLAMED),
    "rule": Field("name", "Agent that a rule blames", BLAMED),
    "cause": Field("name", "Stated cause of the failure"),
    "is": Field("flag", "State", STATES),
    "problem": Field("name", "Id of the problem"),
    "source": Field("name", "Source of the problem"),
    "level": Field("name", "Difficulty of the problem"),
    "split": Field("name", "Split of the problem"),
    "language": Field("name", "Language"),
    "by": Field("name", "Who started it"),
    "accepted": Field("name", "Agent of which a step was accepted", AGENTS),
    "run": Field("number", "Number of the run"),
    "calls": Field("number", "Model calls"),
    "steps": Field("number", "Steps"),
    "tokens": Field("number", "Tokens written"),
    "seconds": Field("number", "Seconds of the model"),
    "formats": Field("number", "Format failures"),
    "passed": Field("number", "Hidden tests passed"),
    "tests": Field("number", "Hidden tests"),
}
PROBLEM_FIELDS: Vocabulary = {
    "tag": Field("name", "Tag"),
    "source": Field("name", "Source"),
    "level": Field("name", "Difficulty"),
    "kind": Field("name", "Kind of tests", ("stdio", "call", "assert")),
    "split": Field("name", "Split"),
    "licence": Field("name", "Licence"),
    "id": Field("name", "Id"),
    "tests": Field("number", "Hidden tests"),
    "samples": Field("number", "Samples"),
    "runs": Field("number", "Runs of it"),
    "solved": Field("number", "Runs of it that were accepted"),
}
_RUN_COLUMNS = {
    "strategy": "strategy",
    "engine": "engine_name",
    "status": "status",
    "language": "language",
    "by": "created_by",
}
_RUN_PROBLEM = {"problem": "external_id", "source": "source", "level": "difficulty", "split": "split"}
_RUN_NUMBERS = {
    "run": "pk",
    "calls": "calls",
    "steps": "step_count",
    "tokens": "completion_tokens",
    "seconds": "model_seconds",
    "formats": "format_failures",
    "passed": "passed",
    "tests": "total",
}
_PROBLEM_COLUMNS = {
    "source": "source",
    "level": "difficulty",
    "kind": "test_kind",
    "split": "split",
    "licence": "licence",
    "id": "external_id",
}
_PROBLEM_NUMBERS = {"tests": "test_count", "samples": "sample_count", "runs": "_runs", "solved": "_solved"}
_COMPARE = {":": "", ">": "__gt", ">=": "__gte", "<": "__lt", "<=": "__lte"}

# Models answered elsewhere and no judge of ours has spoken: neither solved nor failed. (A run of this lab without a
# verdict wrote no program, which is a failure.) Told by names that the indexes of the facets hold.
UNJUDGED = Q(status=RunStatus.FINISHED, verdict="", engine_name__startswith=IMPORTED)
JUDGED = Q(status=RunStatus.FINISHED) & ~UNJUDGED
FAILED = JUDGED & ~Q(verdict="AC")
# Judged and not accepted: the judge's own failure says nothing of an agent, and a branch is a replay itself.
REPLAYABLE = FAILED & ~Q(verdict__in=["", "IE"]) & Q(branch_of=None)


def runs(found: RunQuerySet, expression: Expression) -> RunQuerySet:
    plain = [term.values[0] for term in expression.terms if not term.field and not term.negated]
    if plain:
        # All words in one query of the problems: a database joins the runs with each of several.
        found = found.filter(_of(reduce(and_, (_worded(text) for text in plain))))
    for term in expression.terms:
        if term.field or term.negated:
            condition = _run_condition(term)
            found = found.filter(~condition if term.negated else condition)
    return found


def _worded(text: str) -> Q:
    return Q(title__icontains=text) | Q(external_id__icontains=text)


def problems(found: ProblemQuerySet, expression: Expression) -> ProblemQuerySet:
    if any(term.field in ("runs", "solved") for term in expression.terms):
        mine = Run.objects.filter(problem=OuterRef("pk")).order_by().values("problem")
        found = found.annotate(
            _runs=Coalesce(Subquery(mine.annotate(n=Count("pk")).values("n")), 0),
            _solved=Coalesce(Subquery(mine.filter(verdict="AC").annotate(n=Count("pk")).values("n")), 0),
        )
    for term in expression.terms:
        condition = _problem_condition(term)
        found = found.filter(~condition if term.negated else condition)
    return found


def _run_condition(term: Term) -> Q:
    name, values = term.field, term.values
    if not name:
        return _of(_worded(values[0]))
    if name in _RUN_NUMBERS:
        return _number(_RUN_NUMBERS[name], term)
    if name in _RUN_COLUMNS:
        return _column(_RUN_COLUMNS[name], values)
    if name in _RUN_PROBLEM:
        return _of(_column(_RUN_PROBLEM[name], values))
    if name == "verdict":
        return _column("verdict", values)
    if name == "is":
        return _any(_STATE[value]() for value in values)
    if name == "tag":
        return Q(problem__in=ProblemTag.objects.filter(name__in=values).values("problem"))
    if name == "accepted":
        return Q(pk__in=Decision.objects.filter(accepted=True, role__in=values).values("run"))
    return _blamed(name, values)


def _of(problems: Q) -> Q:
    return Q(problem__in=Problem.objects.filter(problems).order_by().values("pk"))


def _blamed(name: str, values: tuple[str, ...]) -> Q:
    if name == "cause":
        return Q(pk__in=Blame.objects.filter(cause__in=values).values("run"))
    said = blaming().filter(agent__in=values)
    return Q(pk__in=(said.filter(source=name) if name in BLAME_SOURCES else said).values("run"))


def blaming() -> QuerySet[Blame]:
    """The blames that hold somebody responsible: a replay that flipped nothing blames nobody."""
    return Blame.objects.exclude(source="replay", flips=0)


def correction() -> Q:
    """A branch in which a step was changed: it shows what the change leads to."""
    branches = Run.objects.filter(branch_of__gt=0, branch__kind__in=["edit", "feedback"])
    return Q(
        pk__in=branches.order_by().values("pk")
    )  # by themselves, and by a range that an index answers: few runs are branches


_STATE: dict[str, Callable[[], Q]] = {
    "failed": lambda: FAILED,
    "solved": lambda: Q(verdict="AC"),
    "judged": lambda: JUDGED,
    "live": lambda: Q(status__in=[RunStatus.QUEUED, RunStatus.RUNNING]),
    "branch": lambda: Q(branch_of__isnull=False),
    "imported": lambda: ~Q(imported_from=""),
    "correction": correction,
    "blamed": lambda: Q(pk__in=blaming().values("run")),
    "confirmed": lambda: Q(pk__in=Blame.objects.filter(source="human").values("run")),
}


def _problem_condition(term: Term) -> Q:
    name, values = term.field, term.values
    if not name:
        text = values[0]
        tagged = ProblemTag.objects.filter(name__icontains=text).values("problem")
        return _worded(text) | Q(pk__in=tagged)
    if name in _PROBLEM_NUMBERS:
        return _number(_PROBLEM_NUMBERS[name], term)
    if name == "tag":
        return Q(pk__in=ProblemTag.objects.filter(name__in=values).values("problem"))
    return _column(_PROBLEM_COLUMNS[name], values)


def _number(column: str, term: Term) -> Q:
    values = [float(value) for value in term.values]
    if (
        term.op == ":" and column != "model_seconds"
    ):  # what is counted is never 2.5, and 2.5 is not rounded to 2
        return Q(**{f"{column}__in": [int(value) for value in values if value.is_integer()]})
    return _any(Q(**{column + _COMPARE[term.op]: value}) for value in values)


def _column(column: str, values: tuple[str, ...]) -> Q:
    return Q(**{f"{column}__in": ["" if value == NONE else value for value in values]})


def _any(conditions: Any) -> Q:
    whole = Q()
    for condition in conditions:
        whole |= condition
    return whole
