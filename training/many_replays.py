"""Counterfactual replays of one agent in every failed run of a list: its answer anew, and whatever follows.

What is asked for is a state, not an act: each run shall have `times` replays of this change. Which replay is which stands in
its request id, so sending it again, at once or later, starts only what is missing, and a list of more than fits in one
request is done in parts. A draw that was made on the page of the step's replays is not made again. A replay that was not measured (cancelled, broken off, its engine or judge away) is missing again.
What the ended ones show is filed as evidence by `solver.replays`.

Of an imported run the lab has no engine: the one that is named asks the agent's recorded question, and goes on from there.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import Q

from solver import branches, engine_book, replays
from solver.campaigns.models import SlotState
from solver.campaigns.settlement import meaning
from solver.change import Change
from solver.engines.protocol import EngineRefused
from training import blame
from training.supervision.steps import Path
from trajectories import queries
from trajectories.agents import AGENTS
from trajectories.filters import REPLAYABLE
from trajectories.models import Run, RunQuerySet, Step, StepState

AT_ONCE = 300  # replays in one request: some seconds
PREFIX = "every-"


@dataclass(frozen=True, slots=True)
class Asked:
    """`engine` gives the agent's answer, and goes on where the run was imported; "": the run's own, drawn again."""

    agent: str
    engine: str = ""
    times: int = 1

    def check(self) -> None:
        """Raises branches.BranchRefused."""
        if self.agent not in AGENTS:
            known = ", ".join(AGENTS)
            raise branches.BranchRefused(f"There is no agent {self.agent[:20]!r}; choose one of {known}.")
        if not 1 <= self.times <= replays.MOST:
            raise branches.BranchRefused(f"Replay it 1 to {replays.MOST} times, not {self.times}.")
        if self.engine:
            try:
                engine_book.get(self.engine)
            except LookupError as error:
                raise branches.BranchRefused(f"{error}.") from None

    @property
    def draws(self) -> range:
        """Another engine is asked as the run decodes first. The run's own would repeat itself, so it begins with a draw, the
        same ones that the supervisor's replays of every agent make."""
        first = 0 if self.engine else 1
        return range(first, first + self.times)

    def change(self, parent: Run, at: int, draw: int, actor: str) -> Change:
        guest = bool(self.engine) and not branches.needs_engine(parent)
        return Change(
            at=at,
            kind="engine" if guest else "again",
            engine=self.engine if guest else "",
            temperature=blame.TEMPERATURE if draw else None,
            draw=draw,
            actor=actor,
        )

    def request_id(self, run: int, draw: int, broken: int) -> str:
        """`broken` replays of this draw said nothing."""
        engine = hashlib.sha256(self.engine.encode()).hexdigest()[:12] if self.engine else "own"
        return f"{PREFIX}{run}-{self.agent}-{draw}-{engine}-{broken}"


@dataclass(slots=True)
class Started:
    """`had`: runs that have all their replays; `without`: runs in which the agent has finished no step; `imported`: runs that no
    engine was named for; `left`: runs that did not fit in this request; `refused`: why, of each run that could not be replayed."""

    replays: int = 0
    runs: int = 0
    had: int = 0
    without: int = 0
    imported: int = 0
    left: int = 0
    refused: list[str] = field(default_factory=list)


def suited(filters: Mapping[str, str]) -> RunQuerySet:
    """Raises BadExpression."""
    found: RunQuerySet = queries.matching_runs(filters).order_by()
    return found.filter(REPLAYABLE)


def start(filters: Mapping[str, str], newest: int, asked: Asked, *, actor: str = "") -> Started:
    """Oldest run first, those up to the run `newest`. Raises BadExpression, and BranchRefused where what is asked for makes
    no sense for any run."""
    asked.check()
    every = suited(filters).filter(pk__lte=newest)
    found = every if asked.engine else every.filter(imported_from="")
    steps = Step.objects.filter(run__in=found.values("pk"), role=asked.agent, state=StepState.DONE)
    runs = list(steps.order_by("run").values_list("run", flat=True).distinct())
    known = _known(found)
    count = found.count()
    done = Started(without=count - len(runs), imported=every.count() - count)
    for run in runs:
        missing = [key for draw in asked.draws if (key := _missing(asked, run, draw, known[run]))]
        if not missing:
            done.had += 1
        elif done.replays + len(missing) > AT_ONCE:
            done.left += 1  # those refused take no room, or they would bar the ones after them
        else:
            _start(Run.objects.get(pk=run), asked, missing, actor, done)
    return done


def _start(parent: Run, asked: Asked, missing: list[tuple[int, str]], actor: str, done: Started) -> None:
    at = Path(parent).step_of(asked.agent)
    assert at is not None  # the agent has finished a step
    goes_on = asked.engine if branches.needs_engine(parent) else ""
    there = branches.taken(parent, asked.change(parent, at, 0, actor), goes_on)
    drawn = [(asked.change(parent, at, draw, actor), key) for draw, key in missing]
    fresh = [(change, key) for change, key in drawn if change.drawn not in there]
    if not fresh:
        done.had += 1
        return
    try:
        for change, key in fresh:
            branches.start(parent, change, reason="replay", request_id=key, goes_on=goes_on)
            done.replays += 1
    except (branches.BranchRefused, EngineRefused) as refused:
        done.refused.append(str(refused))
    else:
        done.runs += 1


def _missing(asked: Asked, run: int, draw: int, known: dict[str, bool]) -> tuple[int, str] | None:
    """The draw and the request id of the replay that is to be started; None where there is one that counts, or will."""
    if not asked.engine and known.get(blame.request_id(run, asked.agent, draw)):
        return None
    broken = 0
    while (counts := known.get(key := asked.request_id(run, draw, broken))) is not None:
        if counts:
            return None
        broken += 1
    return draw, key


def _known(found: RunQuerySet) -> dict[int, dict[str, bool]]:
    """By run its replays of this kind, by request id, and whether each counts: it is under way, or was measured."""
    known: dict[int, dict[str, bool]] = defaultdict(dict)
    named = Q(request_id__startswith=PREFIX) | Q(request_id__startswith=blame.PREFIX)
    children = Run.objects.filter(named, branch_of__in=found.values("pk")).order_by()
    for run in children.only("branch_of", "request_id", "status", "reason", "verdict").iterator():
        assert run.branch_of_id is not None
        known[run.branch_of_id][run.request_id] = not run.ended or meaning(run).state == SlotState.MEASURED
    return known
