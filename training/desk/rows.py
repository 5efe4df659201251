"""The training row that accepting a step would make, with everything that speaks against it.

The prompt is the agent's own: of a corrected step it is the one the original was asked with, never the supervisor's
feedback (prompt erasure, MapCoder-Lite section 3.2), through however many branches of branches. The answer is the correction where there is one; then what the
agent had said is kept as the refused half of a preference pair, unless blind preferences say otherwise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from training.desk.likeness import nearest
from training.desk.refused import refused
from training.examples import digest
from training.models import Example, ExampleState, Way
from trajectories import wording
from trajectories.agents import AGENTS
from trajectories.models import Judgement, Run, Step, StepEvent

NEAR = 0.9  # likeness from which a row counts as a near-duplicate
COMPARED = 300  # newest accepted rows of the role that a new one is compared with
CHARACTERS_PER_TOKEN = 3.6
_FORBIDS = re.compile(
    r"\bNC\b|non-?commercial|\bND\b|no[- ]?deriv|no[- ]?(?:ml|machine learning|training)", re.I
)


@dataclass(frozen=True, slots=True)
class Flag:
    """Something that speaks against the row; it holds the accept open until it is asked for again."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Row:
    """One (prompt, answer) pair as it would be stored. `tokens` (prompt, answer); `counted`: by the model's tokenizer."""

    role: str
    way: Way
    messages: list[dict[str, str]]
    answer: str
    refused: str
    author: str
    run: Run
    step: int
    origin_run: Run | None
    origin_step: int | None
    tokens: tuple[int, int]
    counted: bool
    flags: tuple[Flag, ...] = ()

    @property
    def digest(self) -> str:
        return digest(self.role, self.messages, self.answer)

    @property
    def chat(self) -> list[dict[str, str]]:
        return [*self.messages, {"role": "assistant", "content": self.answer}]


class NoRow(ValueError):
    """Nothing can be learnt from this step; the message is a sentence for people."""


def correction(run: Run, step: int) -> Judgement | None:
    """The newest standing correction of a step."""
    said = Judgement.objects.standing().filter(run=run, step=step, verb="correct")
    return said.order_by("-seq").first()


def row(run: Run, step: Step) -> Row:
    """The row of one step, with its flags. Raises NoRow."""
    if step.role not in AGENTS:
        raise NoRow(f"{step.role.capitalize()} steps are not trained on.")
    number = step.number
    answered_in, asked_in = _origins(run, number)
    started = _payload(asked_in, number, "step.started")
    if started is None:
        raise NoRow(
            f"Step {number} of run {run.pk} has no recorded prompt, so nothing can be learnt from it."
        )
    original = _finished(asked_in, number)
    own = _finished(run, number) if asked_in.pk != run.pk else original
    said = correction(run, number)
    answer = str(said.value["text"]) if said else str((own or {}).get("text") or "")
    if not answer.strip():
        raise NoRow(f"Step {number} of run {run.pk} has no answer.")
    before = str((original or {}).get("text") or "")
    changed = before != answer
    worse = before if changed else ""
    if said is None:  # a correction that nobody has run is not what people compared
        worse = refused(answered_in, number, original=worse)
    made = Row(
        role=step.role,
        way=_way(answered_in, said, changed),
        messages=[{"role": str(m["role"]), "content": str(m["content"])} for m in started["messages"]],
        answer=answer,
        refused=worse if worse != answer else "",
        author=said.actor if said else str((own or {}).get("model") or ""),
        run=run,
        step=number,
        origin_run=asked_in if asked_in.pk != run.pk else None,
        origin_step=number if asked_in.pk != run.pk else None,
        tokens=_tokens(started, original, own, said),
        counted=said is None and own is not None and not own.get("estimated"),
    )
    return _with_flags(made, said)


def _origins(run: Run, number: int) -> tuple[Run, Run]:
    """The run that gave the step's answer, and the one that first asked its question.

    Steps before the one that a branch changes are copies of its parent's, feedback in their prompts included; the changed step
    answers its parent's question.
    """
    answered_in = run
    while answered_in.branch_of is not None and number < _changed(answered_in):
        answered_in = answered_in.branch_of
    asked_in = answered_in
    while asked_in.branch_of is not None and number <= _changed(asked_in):
        asked_in = asked_in.branch_of
    return answered_in, asked_in


def _changed(branch: Run) -> int:
    return int(branch.branch.get("at") or 0)


def _finished(run: Run, number: int) -> dict[str, Any] | None:
    return _payload(run, number, "step.finished")


def _payload(run: Run, number: int, kind: str) -> dict[str, Any] | None:
    found = StepEvent.objects.filter(run=run, step=number, kind=kind).order_by("-seq")
    return found.values_list("payload", flat=True).first()


def _way(run: Run, said: Judgement | None, changed: bool) -> Way:
    if said is not None:
        return Way.HUMAN if said.source == "human" else Way.SUPERVISOR
    if changed and run.branch.get("kind") == "edit":
        return Way.HUMAN
    return Way.SUPERVISOR if changed else Way.TEACHER


def _tokens(
    started: dict[str, Any],
    original: dict[str, Any] | None,
    own: dict[str, Any] | None,
    said: Judgement | None,
) -> tuple[int, int]:
    asked = int((original or {}).get("prompt_tokens") or 0)
    if not asked:
        asked = round(sum(len(str(m["content"])) for m in started["messages"]) / CHARACTERS_PER_TOKEN)
    if said is not None:
        return asked, round(len(str(said.value["text"])) / CHARACTERS_PER_TOKEN)
    text = str((own or {}).get("text") or "")
    return asked, int((own or {}).get("completion_tokens") or 0) or round(len(text) / CHARACTERS_PER_TOKEN)


# -- what speaks against a row


def _with_flags(made: Row, said: Judgement | None) -> Row:
    found = [*_problem_flags(made), *_outcome_flags(made, said), *_duplicate_flags(made)]
    return Row(**{**{name: getattr(made, name) for name in made.__slots__}, "flags": tuple(found)})


def _problem_flags(made: Row) -> list[Flag]:
    problem = made.run.problem
    found = []
    if problem.split.lower().startswith(("test", "valid", "dev", "eval")):
        found.append(
            Flag(
                "split", f"The problem is in the {problem.split} split: it is for measuring, not for training"
            )
        )
    if _FORBIDS.search(problem.licence):
        found.append(Flag("licence", f"The problem's licence may forbid it: {problem.licence}"))
    return found


def _outcome_flags(made: Row, said: Judgement | None) -> list[Flag]:
    if said is None:
        if made.run.verdict == "AC":
            return []
        said_of_it = (
            wording.word(made.run.verdict) if made.run.ended else made.run.get_status_display().lower()
        )
        return [Flag("fails", f"The run it is from does not pass: {said_of_it}")]
    branch = said.value.get("branch")
    # Of a run from another lab the number is that lab's.
    shown = Run.objects.filter(pk=branch, branch_of=made.run).first() if isinstance(branch, int) else None
    if shown is None:
        return [Flag("unproved", "Nobody has run this correction: re-run from here to see what it leads to")]
    if not shown.ended:
        return [Flag("unproved", f"Run {shown.pk}, which shows the correction, has not ended yet")]
    if shown.verdict != "AC":
        return [Flag("fails", f"Run {shown.pk}, which shows the correction, does not pass")]
    return []


def _duplicate_flags(made: Row) -> list[Flag]:
    accepted = Example.objects.filter(role=made.role, state=ExampleState.ACCEPTED)
    same = accepted.filter(digest=made.digest).exclude(run=made.run, step=made.step).first()
    if same:
        return [Flag("duplicate", f"Word for word row {same.pk}, accepted before")]
    others = accepted.exclude(digest=made.digest).order_by("-pk").values_list("pk", "answer")[:COMPARED]
    near = nearest(made.answer, others)
    if near and near[1] >= NEAR:
        return [Flag("duplicate", f"{near[1]:.2f} like row {near[0]}")]
    return []
