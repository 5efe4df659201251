"""What a reviewer sends from the desk, checked, and what it leads to."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from django.db import transaction

from solver import branches
from solver.change import Change
from training import examples
from training.desk import acceptance
from training.desk.rows import NoRow, Row, correction
from trajectories import review, wording
from trajectories.desk import hands, history, pairs, presets, queues
from trajectories.models import Blame, Decision, Judgement, Preference, Run, Step

Verb = Literal["accept", "reject", "blame", "correct", "comment", "prefer", "rerun", "undo", "redo"]
VERBS = get_args(Verb)
SAID_OF_TWO = {"left": "Left preferred", "right": "Right preferred", "equal": "Equal", "skip": "Skipped"}
CODES = {code for code, _ in presets.REASONS}


class BadSaying(ValueError):
    """It cannot be stored; the message is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Saying:
    """`key` is the client's: the same one again changes nothing."""

    verb: Verb
    key: str
    run: int = 0
    step: int = 0
    agent: str = ""
    code: str = ""
    side: str = ""
    other: tuple[int, int] = (0, 0)
    text: str = ""
    cause: str = ""
    lines: tuple[int, int] | None = None
    confirmed: bool = False
    queue: str = ""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Saying:
        """From JSON or a form, where `say` holds `blame:planning` or `reject:wrong`. Raises BadSaying."""
        verb, _, value = str(data.get("say") or data.get("verb") or "").partition(":")
        if verb not in VERBS:
            raise BadSaying(f"{verb[:30]!r} is no verb of the desk; there are {', '.join(VERBS)}.")
        return cls(
            verb=cast(Verb, verb),
            key=str(data.get("key") or uuid.uuid4().hex)[:64],
            run=_number(data, "run"),
            step=_number(data, "step"),
            agent=value if verb == "blame" else "",
            code=value if verb == "reject" else "",
            side=value if verb == "prefer" else "",
            other=_other(data.get("other")),
            text=str(data.get("text") or "").replace("\0", ""),
            cause=str(data.get("cause") or "")[:64],
            lines=_lines(data.get("lines")),
            confirmed=data.get("confirmed") in (True, "true", "1", "on"),
            queue=str(data.get("queue") or ""),
        )


def _number(data: Mapping[str, Any], name: str) -> int:
    text = str(data.get(name) or "0")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadSaying(f"{name} should be a number, not {text[:20]!r}.")
    return int(text)


def _other(value: Any) -> tuple[int, int]:
    """The step that the one of the item is compared with, as `run-step`."""
    run, _, step = str(value or "0-0").partition("-")
    return _number({"other": run}, "other"), _number({"other": step}, "other")


def _lines(value: Any) -> tuple[int, int] | None:
    if not value:
        return None
    if (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(n, int) and 0 < n < 10**6 for n in value)
    ):
        return min(value), max(value)
    raise BadSaying("lines should be the first and the last line, as [3, 5].")


@dataclass(frozen=True, slots=True)
class Outcome:
    """`item` is the step it was about, as `run-step`; `met` tells of somebody else at the same step."""

    sentence: str
    item: str = ""
    held: bool = False
    row: Row | None = None
    met: str = ""


def say(given: Saying, actor: str) -> Outcome:
    """Store it. Raises BadSaying, and stores nothing then."""
    if given.verb in ("undo", "redo"):
        return _turn(given, actor)
    step = (
        Step.objects.filter(run=given.run, number=given.step)
        .select_related("run__problem", "run__branch_of")
        .first()
    )
    if step is None:
        raise BadSaying(f"Run {given.run} has no step {given.step}.")
    try:
        outcome = _SAY[given.verb](given, step, actor)
    except (review.Refused, NoRow, branches.BranchRefused) as error:
        raise BadSaying(str(error)) from error
    met = _met(step, actor, blind=given.verb == "prefer")
    if given.verb in ("accept", "reject", "prefer") and not outcome.held:
        hands.release(step.run_id, step.number, actor)
    item = outcome.item or f"{step.run_id}-{step.number}"
    return Outcome(outcome.sentence, item, outcome.held, outcome.row, met)


def _accept(given: Saying, step: Step, actor: str) -> Outcome:
    done = acceptance.accept(step.run, step, actor=actor, confirmed=given.confirmed, key=given.key)
    if done.held:
        return Outcome(
            "Held: " + "; ".join(flag.sentence for flag in done.row.flags), held=True, row=done.row
        )
    assert done.example is not None
    return Outcome(f"Accepted, row {done.example.pk}", row=done.row)


def _reject(given: Saying, step: Step, actor: str) -> Outcome:
    if given.code not in CODES:
        raise BadSaying(f"A rejection needs a reason: one of {', '.join(sorted(CODES))}.")
    acceptance.reject(step.run, step, actor=actor, code=given.code, reason=given.text, key=given.key)
    return Outcome(f"Rejected: {dict(presets.REASONS)[given.code].lower()}")


def _blame(given: Saying, step: Step, actor: str) -> Outcome:
    about = _nearest(step, given.agent)
    review.blame(
        step.run, given.agent, actor=actor, step=about, cause=given.cause, reason=given.text, key=given.key
    )
    who = "nobody" if given.agent == review.NOBODY else wording.TITLES.get(given.agent, given.agent).lower()
    return Outcome(f"Blamed {who}")


def _nearest(step: Step, agent: str) -> int | None:
    """The agent's last step up to the one being read, else its first after it: the one that the blame is about."""
    steps = Step.objects.filter(run=step.run_id, role=agent).values_list("number", flat=True)
    before = steps.filter(number__lte=step.number).order_by("-number").first()
    return before or steps.order_by("number").first()


def _correct(given: Saying, step: Step, actor: str) -> Outcome:
    if not given.text.strip():
        raise BadSaying("A correction needs some text.")
    review.correct(step.run, step.number, given.text, actor=actor, key=given.key)
    return Outcome("Corrected")


def _comment(given: Saying, step: Step, actor: str) -> Outcome:
    review.comment(step.run, step.number, given.text, actor=actor, lines=given.lines, key=given.key)
    return Outcome("Commented")


def _prefer(given: Saying, step: Step, actor: str) -> Outcome:
    if given.side not in SAID_OF_TWO:
        raise BadSaying(f"A preference is one of {', '.join(SAID_OF_TWO)}, not {given.side[:20]!r}.")
    run, number = given.other
    other = Step.objects.filter(run=run, number=number).select_related("run__problem").first()
    if other is None:
        raise BadSaying(f"Run {run} has no step {number} to compare with.")
    pair = pairs.Pair(step, other)
    pairs.prefer(pair, pair.choice(given.side), actor=actor, key=given.key)
    return Outcome(SAID_OF_TWO[given.side])


def _rerun(given: Saying, step: Step, actor: str) -> Outcome:
    """Run what follows the correction, and note the run that shows it."""
    said = correction(step.run, step.number)
    if said is None:
        raise BadSaying("There is no correction to run: edit the step first.")
    change = Change(at=step.number, kind="edit", text=str(said.value["text"]), actor=actor)
    with transaction.atomic():
        branch = branches.start(
            step.run, change, reason="correction from the review desk", request_id=given.key
        )
        review.correct(step.run, step.number, change.text, actor=actor, branch=branch.pk, key=given.key)
    return Outcome(f"Run {branch.pk} shows what it leads to")


_SAY = {
    "accept": _accept,
    "reject": _reject,
    "blame": _blame,
    "correct": _correct,
    "comment": _comment,
    "prefer": _prefer,
    "rerun": _rerun,
}


def _turn(given: Saying, actor: str) -> Outcome:
    with transaction.atomic():
        about = (history.undo if given.verb == "undo" else history.redo)(actor, given.key)
        if about is None:
            return Outcome(f"Nothing to {given.verb}")
        if about.verb in ("accept", "reject") and about.step is not None:
            examples.settle_step(about.run_id, about.step)
    words = "Took back" if given.verb == "undo" else "Brought back"
    # A blame is of the run: the desk goes back to the step from which it was said.
    number = queues.step_to_blame(about.run_id) if about.verb == "blame" else about.step
    return Outcome(f"{words} {_named(about)}", f"{about.run_id}-{number}" if number else "")


def _named(about: Judgement) -> str:
    nouns = {
        "accept": "the acceptance",
        "reject": "the rejection",
        "correct": "the correction",
        "comment": "the comment",
        "prefer": "the preference",
    }
    noun = nouns.get(about.verb) or f"the blame of {about.value.get('agent')}"
    return f"{noun}, run {about.run_id}" + (f" step {about.step}" if about.step else "")


def _met(step: Step, actor: str, *, blind: bool = False) -> str:
    """Somebody else judged the same step, or has it in hand: both stand, and both are told. `blind`: not what they said."""
    run: Run = step.run
    if blind:
        also = Preference.objects.filter(run=run, step=step.number).exclude(actor=actor).first()
        return f"{also.actor} has judged this pair too: both stand" if also else _held(step, actor)
    decided = Decision.objects.filter(run=run, step=step.number).exclude(actor=actor).first()
    if decided:
        return f"{decided.actor} {'accepted' if decided.accepted else 'rejected'} this step too: both stand"
    blamed = Blame.objects.filter(run=run, source="human").exclude(actor=actor).first()
    if blamed:
        return (
            f"{blamed.actor} blames {blamed.agent if blamed.agent != 'none' else 'nobody'} here: both stand"
        )
    return _held(step, actor)


def _held(step: Step, actor: str) -> str:
    lease = hands.held([(step.run_id, step.number)]).get((step.run_id, step.number))
    if lease and lease.actor != actor:
        return f"{lease.actor} has this step in hand"
    return ""
