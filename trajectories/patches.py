"""Live patches: the same templates as the page, rendered once a batch of events for every viewer of the run.

A step's card is sent with the last of its events in the batch only, in its newest state; header and lanes with the
batch's last event. Every patch replaces the element of its id, so repeating one does no harm, and carries its own place
(`data-at`), so order of arrival does not matter. The number of queries does not depend on the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.template.loader import render_to_string

from trajectories import opinions, run_page, story
from trajectories.models import Run, Step, StepEvent
from trajectories.story import Marker, Story

Patch = dict[str, str]
STEPS, OUTLINE = "steps", "outline"
LANES_STEPS = 25  # a drawing has one bar a step, so its cost grows with the run
QUIET = frozenset({"note"})  # kinds that change neither steps nor header nor lanes


def messages(run_id: int, events: Sequence[StepEvent]) -> list[dict[str, Any]]:
    """One message an event, in order, as WebSocket frames and `GET /runs/<id>/patches/` carry them."""
    if all(event.kind in QUIET for event in events):
        return [_message(event, _decision(event)) for event in events]
    run = Run.objects.select_related("problem", "branch_of").get(pk=run_id)
    batch = _Batch(run, events)
    return [_message(event, batch.patches(event)) for event in events]


def _message(event: StepEvent, found: list[Patch]) -> dict[str, Any]:
    return {"t": "event", "seq": event.seq, "kind": event.kind, "step": event.step, "patches": found}


def _decision(event: StepEvent) -> list[Patch]:
    """A note changes nothing but the column of steps, where it appears: no query is needed."""
    marker = Marker(event.run_id, event.seq, event.kind, event.payload)
    return [_patch(marker.id, STEPS, "run/_marker.html", marker=marker)] if story.shown(marker) else []


def frame(run: Run) -> list[Patch]:
    """Header and lanes alone: what changes with time and not with events."""
    told = story.tell(run, ())
    return [_head(run, told), _lanes(run, told)]


class _Batch:
    """Everything rendered for one batch of events."""

    def __init__(self, run: Run, events: Sequence[StepEvent]) -> None:
        self.run, self.events = run, events
        self.newest = {event.step: event.seq for event in events if event.step is not None}
        self.told = story.tell(run, self._touched())
        run_page.fill(run, list(self.told.cards.values()))
        self.scale = run_page.scale(self.told.steps)
        self.markers = {marker.seq: marker for marker in self.told.markers}

    def _touched(self) -> set[int]:
        """Steps whose cards change. A stated confidence stands beside every plan, so those change too."""
        numbers = {step for step in self.newest if step is not None}
        if said := [event for event in self.events if event.kind == "judged"]:
            steps = list(self.run.steps.only("number", "role").order_by("number"))
            numbers |= opinions.touched_by(self.run, steps, said)
        if any(_states_confidence(event) for event in self.events):
            planners = self.run.steps.filter(role__in=story.PLANNERS).values_list("number", flat=True)
            numbers |= set(planners)
        return numbers

    def patches(self, event: StepEvent) -> list[Patch]:
        found: list[Patch] = []
        if event.seq == self.events[0].seq:
            found += self._siblings()
        if event.step is not None and self.newest[event.step] == event.seq:
            found += self._step(event.step)
        if (marker := self.markers.get(event.seq)) and story.shown(marker):
            found.append(_patch(marker.id, STEPS, "run/_marker.html", marker=marker))
        if event.kind == "run.started":
            found += self._earlier_endings(event.seq)
        if event.seq == self.events[-1].seq:
            found += self._frame()
        return found

    def _step(self, number: int) -> list[Patch]:
        card = self.told.cards.get(number)
        if card is None:
            return []
        found = [
            _patch(f"s{number}", STEPS, "run/_step.html", card=card),
            self._row(card.step),
        ]
        group = next(group for group in self.told.groups if card.step in group.steps)
        found.append(_patch(f"g{group.first}", STEPS, "run/_group.html", group=group))
        found.append(_patch(f"og{group.first}", OUTLINE, "run/_outline_group.html", group=group))
        found += [
            _patch(f"t{number}", STEPS, "run/_torn.html", torn=gap)
            for gap in self.told.torn
            if gap.number == number
        ]
        return found

    def _siblings(self) -> list[Patch]:
        """Cards that no event of the batch names, and every outline row if the token bars' scale has changed."""
        found = []
        for number, card in self.told.cards.items():
            if number not in self.newest:
                found += [_patch(f"s{number}", STEPS, "run/_step.html", card=card), self._row(card.step)]
        before = run_page.scale([step for step in self.told.steps if step.number not in self.newest])
        if before != self.scale:
            found += [self._row(step) for step in self.told.steps if step.number not in self.newest]
        return found

    def _row(self, step: Step) -> Patch:
        row = run_page.row(step, self.told.opinions)
        return _patch(f"o{step.number}", OUTLINE, "run/_outline_row.html", row=row, scale=self.scale)

    def _earlier_endings(self, seq: int) -> list[Patch]:
        """A retried run is open again: its last ending loses its Retry button."""
        endings = [
            marker for marker in self.told.markers if marker.kind == "run.finished" and marker.seq < seq
        ]
        return [_patch(marker.id, STEPS, "run/_marker.html", marker=marker) for marker in endings]

    def _frame(self) -> list[Patch]:
        """Header, and the lanes unless the run is long: then they are drawn anew every so many events."""
        found = [_head(self.run, self.told)]
        every = 1 + len(self.told.steps) // LANES_STEPS
        if self.run.ended or any(event.seq % every == 0 for event in self.events):
            found.append(_lanes(self.run, self.told))
        return found


def _states_confidence(event: StepEvent) -> bool:
    value = event.payload["parse"].get("value") if event.kind == "step.finished" else None
    return isinstance(value, dict) and "score" in value


def _head(run: Run, told: Story) -> Patch:
    return _patch("run-head", "", "run/_head.html", **run_page.head(run, told, run.problem.tag_names))


def _lanes(run: Run, told: Story) -> Patch:
    return _patch("lanes", "", "run/_lanes.html", **run_page.axis(run, told))


def _patch(element: str, into: str, template: str, **context: Any) -> Patch:
    return {"id": element, "into": into, "html": render_to_string(template, context).strip()}
