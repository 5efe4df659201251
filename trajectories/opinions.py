"""What stands of the judgements of one run, step by step, and the branches that were made of it. Two queries.

A blame that names an agent and no step is shown on that agent's first step. A branch *flips* when the parent was not
accepted and the branch is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trajectories.models import Judgement, Run, RunStatus, Step
from trajectories.wilson import Share, share

ORDER = {"human": 0, "replay": 1, "supervisor": 2, "rule": 3}
KINDS = {
    "edit": "edited answer",
    "feedback": "feedback",
    "models": "other models",
    "engine": "another engine",
    "again": "drawn again",
}


@dataclass(frozen=True, slots=True)
class Opinion:
    """A standing blame. `confirmed`: a person said it, or a replay showed it; a supervisor's word is a guess."""

    source: str
    actor: str
    agent: str
    cause: str
    step: int | None
    confidence: float | None
    flips: int | None
    trials: int | None
    reason: str

    @property
    def confirmed(self) -> bool:
        return self.source == "human" or (self.source == "replay" and bool(self.flips))

    @property
    def share(self) -> Share | None:
        """How often the replays flipped the verdict, where that is what was said and it can be."""
        flips, trials = self.flips or 0, self.trials or 0
        return share(flips, trials) if 0 <= flips <= trials and trials else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A standing acceptance or rejection of a step's answer."""

    actor: str
    accepted: bool
    code: str
    reason: str


@dataclass(slots=True)
class Said:
    """Everything about one step. `history` is every judgement, taken back or not, oldest first."""

    opinions: list[Opinion] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    comments: list[Judgement] = field(default_factory=list)
    corrections: list[Judgement] = field(default_factory=list)
    history: list[Judgement] = field(default_factory=list)
    replays: list[Replays] = field(default_factory=list)

    @property
    def accused(self) -> list[Opinion]:
        return [opinion for opinion in self.opinions if opinion.agent != "none"]

    @property
    def accepted(self) -> bool:
        return any(verdict.accepted for verdict in self.verdicts)

    @property
    def rejected(self) -> bool:
        return bool(self.verdicts) and not self.accepted

    @property
    def marks(self) -> str:
        """Names of the outline's dots."""
        found = []
        if self.accused:
            found.append("blamed" if any(opinion.confirmed for opinion in self.accused) else "guessed")
        if self.accepted:
            found.append("accepted")
        elif self.rejected:
            found.append("rejected")
        if self.corrections:
            found.append("corrected")
        return " ".join(found)


Draw = tuple[float | None, int]  # temperature, None being the parent's own, and number


@dataclass(frozen=True, slots=True)
class Branch:
    """A run made of this one by one change at one step."""

    run: int
    at: int
    kind: str
    actor: str
    ended: bool
    solved: bool
    verdict: str
    status: str
    draw: Draw
    asked: bool  # a model, for the changed step or after it

    @property
    def trial(self) -> Draw | None:
        """What it shares with other branches of its change that can only say the same: their draw, or that nobody was asked."""
        return self.draw if self.asked else None

    @property
    def counts(self) -> bool:
        """Whether it says anything of the change: not where it was cancelled or broke, or its judge did."""
        return self.status == RunStatus.FINISHED and self.verdict != "IE"


@dataclass(frozen=True, slots=True)
class Replays:
    """The branches of one change: the same text, kind and models. `by`: who went on, where the parent was imported."""

    at: int
    kind: str
    branches: tuple[Branch, ...]
    flippable: bool  # the parent was judged and not accepted
    by: str = ""

    @property
    def title(self) -> str:
        return KINDS.get(self.kind, self.kind) + (f", gone on with by {self.by}" if self.by else "")

    @property
    def ended(self) -> tuple[Branch, ...]:
        """The trials: of branches that can only say the same the first."""
        first: dict[Draw | None, Branch] = {}
        for branch in self.branches:
            if branch.counts:
                first.setdefault(branch.trial, branch)
        return tuple(first.values())

    @property
    def repeated(self) -> int:
        """Branches that would count if they were no repetition of another."""
        return sum(branch.counts for branch in self.branches) - len(self.ended)

    @property
    def running(self) -> int:
        return sum(not branch.ended for branch in self.branches)

    @property
    def flips(self) -> int:
        return sum(branch.solved for branch in self.ended) if self.flippable else 0

    @property
    def share(self) -> Share | None:
        return share(self.flips, len(self.ended)) if self.ended else None

    @property
    def sentence(self) -> str:
        count = len(self.branches)
        words = f"{count} replay{'' if count == 1 else 's'}"
        if self.flippable and self.ended:
            words += f", {self.flips} flip{'s' if self.flips == 1 else ''}"
        return words + (f", {self.running} running" if self.running else "")


NOTHING = Said()


@dataclass(frozen=True, slots=True)
class Opinions:
    """By step number; what names neither a step nor an agent that took part stands under None."""

    by_step: dict[int | None, Said]

    def of(self, number: int) -> Said:
        return self.by_step.get(number, NOTHING)

    def elsewhere(self, number: int) -> list[tuple[int | None, Opinion]]:
        """The blames that stand at other steps than this one, each with its step."""
        found = [(place, one) for place, said in self.by_step.items() for one in said.opinions]
        return [(place, one) for place, one in found if place != number]

    @property
    def blamed(self) -> dict[int, str]:
        """Steps with a mark in the lanes, and what the mark says."""
        found = {}
        for number, said in self.by_step.items():
            if number is not None and said.accused:
                who = ", ".join(dict.fromkeys(opinion.source for opinion in said.accused))
                found[number] = f"s{number} blamed by {who}"
        return found

    @property
    def replays(self) -> list[Replays]:
        found = [replays for said in self.by_step.values() for replays in said.replays]
        return sorted(found, key=lambda one: (one.at, one.branches[0].run))


def read(run: Run, steps: Sequence[Step]) -> Opinions:
    """Everything said of `run`."""
    rows = list(Judgement.objects.filter(run=run).order_by("seq"))
    by_step: dict[int | None, Said] = {}
    for row in rows:
        _file(by_step, row, steps)
    for opinion in _standing_blames(rows):
        place = home_of(opinion.step, opinion.agent, steps)
        by_step.setdefault(place, Said()).opinions.append(opinion)
    for number, verdict in _standing_decisions(rows):
        by_step.setdefault(number, Said()).verdicts.append(verdict)
    for replays in group(run, branches(run.pk)):
        by_step.setdefault(replays.at, Said()).replays.append(replays)
    return Opinions(by_step)


def home_of(step: int | None, agent: str, steps: Iterable[Step]) -> int | None:
    """The step on which a blame is shown."""
    if step is not None:
        return step
    return next((one.number for one in steps if one.role == agent), None)


def touched_by(run: Run, steps: Sequence[Step], events: Iterable[Any]) -> set[int]:
    """Steps whose cards may look different after these `judged` events: the one named, and wherever a blame stood."""
    numbers: set[int] = set()
    blamed = False
    for event in events:
        if event.step is not None:
            numbers.add(event.step)
        blamed = blamed or event.payload["verb"] in ("blame", "undo")
    if blamed:
        rows = Judgement.objects.filter(run=run, verb="blame").values_list("step", "value__agent")
        numbers |= {place for step, agent in rows if (place := home_of(step, agent, steps)) is not None}
    return numbers


def _file(by_step: dict[int | None, Said], row: Judgement, steps: Sequence[Step]) -> None:
    place = row.step
    if row.verb == "blame":
        place = home_of(row.step, str(row.value.get("agent")), steps)
    said = by_step.setdefault(place, Said())
    said.history.append(row)
    if row.undone:
        return
    if row.verb == "comment":
        said.comments.append(row)
    elif row.verb == "correct":
        said.corrections.append(row)


def _standing_blames(rows: Iterable[Judgement]) -> list[Opinion]:
    newest: dict[tuple[str, str], Judgement] = {}
    for row in rows:
        if row.verb == "blame" and not row.undone:
            newest[row.source, row.actor] = row
    found = [
        Opinion(
            row.source,
            row.actor,
            str(row.value.get("agent")),
            str(row.value.get("cause") or ""),
            row.step,
            row.value.get("confidence"),
            row.value.get("flips"),
            row.value.get("trials"),
            row.reason,
        )
        for row in newest.values()
    ]
    return sorted(found, key=lambda opinion: ORDER.get(opinion.source, 9))


def _standing_decisions(rows: Iterable[Judgement]) -> list[tuple[int, Verdict]]:
    newest: dict[tuple[int, str], Judgement] = {}
    for row in rows:
        if row.verb in ("accept", "reject") and not row.undone and row.step is not None:
            newest[row.step, row.actor] = row
    return [
        (
            step,
            Verdict(row.actor, row.verb == "accept", str(row.value.get("code") or ""), row.reason),
        )
        for (step, _), row in newest.items()
    ]


Identity = tuple[str, ...]


def identity(change: Mapping[str, Any], engine_name: str) -> Identity:
    """What tells one change of a run from others: all of it but the draw, and the engine that goes on."""
    return (
        str(change.get("at") or 0),
        str(change.get("kind") or ""),
        str(change.get("text") or ""),
        str(sorted((change.get("models") or {}).items())),
        str(change.get("engine") or ""),
        engine_name,
    )


def branches(run_id: int) -> list[tuple[Branch, Identity]]:
    """The branches of a run, oldest first, each with what tells its change from others."""
    names = ("pk", "branch", "status", "verdict", "created_by", "engine_name", "prompt_tokens")
    found: list[tuple[Branch, Identity]] = []
    for row in Run.objects.filter(branch_of=run_id).order_by("pk").values(*names):
        change = row["branch"] or {}
        status = RunStatus(row["status"])
        branch = Branch(
            run=row["pk"],
            at=int(change.get("at") or 0),
            kind=str(change.get("kind") or ""),
            actor=row["created_by"],
            ended=status in (RunStatus.FINISHED, RunStatus.CANCELLED, RunStatus.FAILED),
            solved=row["verdict"] == "AC",
            verdict=row["verdict"],
            status=status,
            draw=(change.get("temperature"), int(change.get("draw") or 0)),
            asked=bool(row["prompt_tokens"]),
        )
        found.append((branch, identity(change, row["engine_name"])))
    return found


def group(run: Run, found: Iterable[tuple[Branch, Identity]]) -> list[Replays]:
    together: dict[Identity, list[Branch]] = {}
    for branch, same in found:
        together.setdefault(same, []).append(branch)
    flippable = run.status == RunStatus.FINISHED and run.verdict != "AC" and not run.unjudged
    return [
        Replays(few[0].at, few[0].kind, tuple(few), flippable, same[-1] if run.imported_from else "")
        for same, few in together.items()
    ]
