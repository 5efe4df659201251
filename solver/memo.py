"""What a resumed run already knows: finished steps, in order, with the digest of what was asked."""

from __future__ import annotations

from dataclasses import dataclass

from trajectories import eventlog, events


class Diverged(Exception):
    """The strategy asks something else than the log holds at this step: prompts or code changed since."""


@dataclass(frozen=True, slots=True)
class Finished:
    digest: str
    event: events.StepFinished | events.TestsFinished


class Memo:
    """Finished steps by number. Steps that were cut short or failed are not in it and are done again."""

    def __init__(self, run_id: int) -> None:
        self._done: dict[int, Finished] = {}
        self._texts: dict[str, str] = {}
        digests: dict[int, str] = {}
        self._notes: set[str] = set()
        for row in eventlog.read_all(run_id):
            event = events.parse(row.kind, row.payload)
            match event:
                case events.StepStarted():
                    digests[event.step] = event.request_digest
                case events.TestsStarted():
                    digests[event.step] = event.code_digest
                case events.StepFinished() | events.TestsFinished():
                    self._done[event.step] = Finished(digests[event.step], event)
                    if isinstance(event, events.StepFinished):
                        self._texts.setdefault(digests[event.step], event.text)
                case events.Note():
                    self._notes.add(event.model_dump_json())

    def __len__(self) -> int:
        return len(self._done)

    def take(self, step: int, digest: str) -> events.StepFinished | events.TestsFinished | None:
        """The finished event of this step, or None if it has to be done. Raises Diverged."""
        found = self._done.get(step)
        if found is None:
            return None
        if found.digest != digest:
            raise Diverged(
                f"step {step} was recorded with another prompt or program than this version of the lab produces; "
                "start a new run to use the present one"
            )
        return found.event

    def answer(self, digest: str) -> str | None:
        """The recorded answer to exactly this request, whatever its step."""
        return self._texts.get(digest)

    def has_note(self, note: events.Note) -> bool:
        """Notes are facts about earlier steps: the same one is not written again on resume."""
        return note.model_dump_json() in self._notes
