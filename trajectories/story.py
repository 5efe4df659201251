"""A run as it is read: attempts, step cards, decisions, idle gaps and the ending, from the event log.

The page, the step page and the live patches are made from the same cards. Prompts are never loaded here (they are the
bulk of the log); the step page reads them one at a time. Every item has a stable element id and a place `at`, derived
from the sequence number of its first event, so that items may arrive in any order and still stand in the right one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from threading import Lock
from typing import Any

from django.db.models import Q

from trajectories import decisions, opinions
from trajectories.card import PROGRAMS, Card, Score, writes_program
from trajectories.lanes import GAP_S, duration
from trajectories.models import Run, RunStatus, Step, StepEvent, StepState
from trajectories.opinions import Opinions

STARTED = ("step.started", "tests.started")
ENDED = ("step.finished", "step.failed", "tests.finished")
MARKERS = ("note", "run.started", "run.finished", "run.rejudged", "run.branched")
KEPT_FROM = 1000  # steps; reading fewer costs less than it would to keep them
MOST_KEPT = 4  # runs
PLANNERS = ("planning", "confidence")
SMALL = ("detail", "model", "template", "gist")  # of a step.started


@dataclass(slots=True)
class Group:
    """Consecutive steps of one attempt. Attempt 0 holds what comes before the first program: recall and plans."""

    attempt: int
    steps: list[Step]
    chosen: dict[str, Any] = field(default_factory=dict)
    began: float | None = None  # seconds after the first step; None where times were not recorded

    @property
    def first(self) -> int:
        return self.steps[0].number

    @property
    def at(self) -> int:
        return self.steps[0].started_seq * 4 - 1

    @property
    def title(self) -> str:
        return f"Attempt {self.attempt}" if self.attempt else "Preparation"

    @property
    def subtitle(self) -> str:
        if not self.attempt:
            return "recall and plans"
        if not self.chosen:
            return ""
        return f"plan after exemplar {self.chosen.get('exemplar')}, stated confidence {self.chosen.get('confidence')}"

    @property
    def last_judged(self) -> Step | None:
        judged = [step for step in self.steps if step.role == "judge" and step.state == StepState.DONE]
        return judged[-1] if judged else None


@dataclass(frozen=True, slots=True)
class Marker:
    """A decision, a takeover or an ending between the steps. `retryable`: this ending is the run's present state."""

    run_id: int
    seq: int
    kind: str
    payload: dict[str, Any]
    retryable: bool = False

    @property
    def id(self) -> str:
        return f"m{self.seq}"

    @property
    def at(self) -> int:
        return self.seq * 4

    @property
    def sentence(self) -> str:
        return decisions.sentence(str(self.payload.get("name", "")), self.payload.get("detail") or {})

    @property
    def text(self) -> str:
        """What somebody wrote at length, for instance the feedback that an imported trajectory recorded."""
        detail = self.payload.get("detail")
        return str(detail.get("text") or "") if isinstance(detail, dict) else ""


@dataclass(frozen=True, slots=True)
class Torn:
    """Nothing ran before step `number` for `seconds`."""

    number: int
    at: int
    seconds: float

    @property
    def label(self) -> str:
        return duration(self.seconds)


@dataclass(slots=True)
class Story:
    """Everything known of a run; `cards` holds only the steps that were asked for."""

    run: Run
    steps: list[Step]
    groups: list[Group]
    torn: list[Torn]
    markers: list[Marker]
    cards: dict[int, Card]
    opinions: Opinions

    @property
    def branched_at(self) -> int:
        """The step at which this run differs from its parent; 0 where it is nobody's branch."""
        return int((self.run.branch or {}).get("at") or 0)

    def items(self) -> list[tuple[str, Any]]:
        """What stands in the column of steps, in order, as (kind, item)."""
        rows: list[tuple[int, str, Any]] = [(group.at, "group", group) for group in self.groups]
        rows += [(card.at, "card", card) for card in self.cards.values()]
        rows += [(torn.at, "torn", torn) for torn in self.torn]
        rows += [(marker.at, "marker", marker) for marker in self.markers if shown(marker)]
        return [(kind, item) for _, kind, item in sorted(rows, key=lambda row: row[0])]


def shown(marker: Marker) -> bool:
    """A first start, a branching and the choice of a plan need no line: the header and the attempt's title say them."""
    if marker.kind == "run.branched":
        return False
    if marker.kind == "run.started":
        return int(marker.payload.get("fence", 1)) > 1
    return not (marker.kind == "note" and marker.payload.get("name") == "plan_chosen")


def tell(run: Run, numbers: Iterable[int] | None = None) -> Story:
    """The story of `run`, with cards for the steps `numbers` (None: all). Five queries, whatever the length."""
    steps = _steps(run)
    wanted = {step.number for step in steps} if numbers is None else set(numbers)
    events = _events(run, _related(steps, wanted), everything=numbers is None)
    markers = _markers(run, events)
    groups = _groups(steps, markers)
    cards = _cards(steps, events, groups)
    shown = {n: cards[n] for n in sorted(wanted & cards.keys())}
    told = Story(run, steps, groups, _torn(steps), markers, shown, opinions.read(run, steps))
    for number, card in shown.items():
        card.said = told.opinions.of(number)
        card.frozen = number < told.branched_at
    return told


_kept: OrderedDict[tuple[object, ...], list[Step]] = OrderedDict()
_keeping = Lock()


def _steps(run: Run) -> list[Step]:
    """All steps in order. Those of a long run are kept in this process as of its last event: a reader asks for card
    after card, and steps change with an event alone."""
    key = (run.pk, run.created_at, run.last_seq)
    with _keeping:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    steps = list(Step.objects.filter(run=run).order_by("number"))
    for step in steps:
        step.run = run
    if len(steps) >= KEPT_FROM:
        with _keeping:
            _kept[key] = steps
            while len(_kept) > MOST_KEPT:
                _kept.popitem(last=False)
    return steps


def _related(steps: Sequence[Step], wanted: set[int]) -> set[int]:
    """The wanted steps and those whose content their cards show too."""
    needed = set(wanted)
    for place, step in enumerate(steps):
        if step.number not in wanted:
            continue
        if step.role in PROGRAMS and (before := _previous_program(steps, place)):
            needed.add(before.number)
        if step.role in PLANNERS:
            needed |= {other.number for other in steps if other.role in PLANNERS}
        if step.role == "coding":
            needed |= {other.number for other in steps if other.role == "planning"}
    return needed


def _previous_program(steps: Sequence[Step], place: int) -> Step | None:
    """What a program is compared with: the last usable one before it."""
    for step in reversed(steps[:place]):
        if writes_program(step) and step.state == StepState.DONE:
            return step
    return None


def _events(run: Run, numbers: set[int], *, everything: bool) -> list[dict[str, Any]]:
    """Payloads without prompts: of a `step.started` only the small fields leave the database."""
    rows = StepEvent.objects.filter(run=run)
    if not everything:
        rows = rows.filter(Q(step__in=numbers) | Q(kind__in=MARKERS))
    started = rows.filter(kind="step.started").values(
        "seq", "kind", "step", *(f"payload__{name}" for name in SMALL)
    )
    found: list[dict[str, Any]] = [
        {
            **{name: row[name] for name in ("seq", "kind", "step")},
            "payload": {name: row[f"payload__{name}"] for name in SMALL},
        }
        for row in started
    ]
    found.extend(
        dict(row) for row in rows.exclude(kind="step.started").values("seq", "kind", "step", "payload")
    )
    return sorted(found, key=lambda row: int(row["seq"]))


def _cards(steps: Sequence[Step], events: list[dict[str, Any]], groups: Sequence[Group]) -> dict[int, Card]:
    """Cards of all steps whose events were loaded. Events before a step's latest start belong to a cut-off try."""
    by_number = {step.number: step for step in steps}
    cards: dict[int, Card] = {}
    for event in events:
        step = by_number.get(event["step"])
        if step is None or event["seq"] < step.started_seq:
            continue
        card = cards.setdefault(step.number, Card(step, at=step.started_seq * 4))
        if event["kind"] in STARTED:
            card.start = event["payload"]
        elif event["kind"] == "step.failed":
            card.failure = event["payload"]
        elif event["kind"] in ENDED:
            card.end = event["payload"]
    for group in groups:
        for place, step in enumerate(group.steps, start=1):
            if found := cards.get(step.number):
                found.position = f"{group.title.lower()} · step {place} · {step.role}"
    _relate(steps, cards, groups)
    return cards


def _relate(steps: Sequence[Step], cards: dict[int, Card], groups: Sequence[Group]) -> None:
    stated = {
        card.exemplar: int(card.value["score"])  # of an answer and its retry the later counts
        for card in cards.values()
        if card.step.role == "confidence"
        and card.exemplar
        and isinstance(card.value, dict)
        and isinstance(card.value.get("score"), int)
    }
    scores = tuple(Score(exemplar, score) for exemplar, score in stated.items())
    plans = {card.exemplar: card for card in cards.values() if card.step.role == "planning" and card.value}
    chosen = {step.number: group.chosen.get("exemplar") for group in groups for step in group.steps}
    for place, step in enumerate(steps):
        if not (card := cards.get(step.number)):
            continue
        if step.role in PROGRAMS and (before := _previous_program(steps, place)):
            card.previous = cards.get(before.number)
        if step.role in PLANNERS:
            card.scores = scores
        if step.role == "coding" and chosen[step.number]:
            card.plan = plans.get(chosen[step.number])


def _groups(steps: Sequence[Step], markers: Sequence[Marker]) -> list[Group]:
    chosen = {
        marker.payload["detail"].get("attempt"): marker.payload["detail"]
        for marker in markers
        if marker.kind == "note" and marker.payload.get("name") == "plan_chosen"
    }
    groups: list[Group] = []
    for step in steps:
        if not groups or groups[-1].attempt != step.attempt:
            began = (step.started_at - steps[0].started_at).total_seconds()
            timed = began > 0 or not groups
            groups.append(Group(step.attempt, [], chosen.get(step.attempt, {}), began if timed else None))
        groups[-1].steps.append(step)
    return groups


def _torn(steps: Sequence[Step]) -> list[Torn]:
    gaps = []
    for before, step in pairwise(steps):
        idle = (step.started_at - (before.finished_at or step.started_at)).total_seconds()
        if idle > GAP_S:
            gaps.append(Torn(step.number, step.started_seq * 4 - 2, idle))
    return gaps


def _markers(run: Run, events: list[dict[str, Any]]) -> list[Marker]:
    rows = [event for event in events if event["kind"] in MARKERS]
    ending = max((row["seq"] for row in rows if row["kind"] == "run.finished"), default=0)
    open_again = run.status in (RunStatus.FAILED, RunStatus.CANCELLED)
    return [
        Marker(run.pk, row["seq"], row["kind"], row["payload"], open_again and row["seq"] == ending)
        for row in rows
    ]
