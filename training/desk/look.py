"""One step as a reviewer reads it: the step, its correction, what was asked, how it was judged, and what others say."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from django.http import Http404
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from training.desk import rows
from trajectories import queries, run_page, story
from trajectories.card import Card
from trajectories.desk import presets, queues
from trajectories.desk.queues import Item, Queue
from trajectories.diffs import Diff, diff
from trajectories.models import Blame, Decision, Judgement, Run, RunStatus, Step, StepEvent
from trajectories.story import Story

_CITE = re.compile(r"\[(\w+)\s*:\s*(\d+)(?:\s*[–-]\s*(\d+))?\]")
_STEP_OF = {
    "retrieval": "retrieval",
    "plan": "planning",
    "planning": "planning",
    "code": "coding",
    "coding": "coding",
}
KEPT_BACK = "Somebody has corrected this answer. What others say is shown once you have judged; then it can be accepted."
ROLE_OF = {**_STEP_OF, "debug": "debugging", "debugging": "debugging"}


@dataclass(slots=True)
class Look:
    item: Item
    card: Card
    judge: Card | None
    prompt: dict[str, Any] | None
    text: dict[str, Any]
    original: Card | None  # of a branch's changed step: what the parent's step said
    changes: Diff | None
    corrected_by: str
    shown_by: Run | None  # the run that shows what the correction leads to
    rationale: SafeString
    opinion: Blame | None
    replays: tuple[int, int]  # (came out accepted, ended)
    stated: int | None
    faults: tuple[str, ...]
    mine: dict[str, Any]
    others: list[dict[str, str]]
    comments: list[Judgement]
    hidden: bool  # what others said is kept back until this reviewer has judged
    answer: str
    row: rows.Row | None = None
    why_no_row: str = ""
    tabs: list[tuple[str, str]] = field(default_factory=list)

    @property
    def unknown(self) -> int:
        """References of the supervisor that lead nowhere: a defect of its answer."""
        return sum(not one.get("known") for one in self.opinion.judgement.evidence) if self.opinion else 0


def look(run: Run, step: Step, queue: Queue, actor: str) -> Look:
    """Everything the middle of the desk shows. A fixed number of queries."""
    told = story.tell(run, _numbers(run, step))
    run_page.fill(run, list(told.cards.values()))
    card = told.cards.get(step.number)
    if card is None:
        raise Http404(f"step {step.number} of run {run.pk} has no events")
    about = queues.blamed_run(run)
    opinion = Blame.objects.filter(run=about, source="supervisor").select_related("judgement").first()
    mine = _mine(run, step.number, actor)
    hidden = queue.blind and not mine
    said = rows.correction(run, step.number)
    kept_back = hidden and said is not None and said.actor != actor
    original, changes, author, shown_by, answer = _correction(run, card, None if kept_back else said)
    made, why = (None, KEPT_BACK) if kept_back else _row(run, step)
    seen = Look(
        item=queues.one(run, step),
        card=card,
        judge=_judge(told, step.number),
        prompt=_prompt(run, step.number),
        text=queries.problem_text(run.problem_id),
        original=original,
        changes=changes,
        corrected_by=author,
        shown_by=shown_by,
        rationale=cited(opinion, told, about) if opinion and not hidden else SafeString(""),
        opinion=None if hidden else opinion,
        replays=(0, 0) if hidden else _replays(about, step.number),
        stated=_stated(card),
        faults=presets.FAULTS.get(step.role, ()),
        mine=mine,
        others=[] if hidden else _others(run, step.number, actor),
        comments=[] if hidden else list(_comments(run, step.number)),
        hidden=hidden,
        answer=answer,
        row=made,
        why_no_row=why,
    )
    seen.tabs = _tabs(seen)
    return seen


def _tabs(seen: Look) -> list[tuple[str, str]]:
    found = [("correction", "Correction")] if seen.changes else []
    found.append(("original", "Original" if seen.changes else "Output"))
    if seen.prompt:
        found.append(("prompt", "Prompt"))
    if seen.judge:
        found.append(("judge", "Judge"))
    return [*found, ("statement", "Statement")]


def _numbers(run: Run, step: Step) -> set[int]:
    """The step and the judging after it."""
    judged = Step.objects.filter(run=run, role="judge", number__gt=step.number).order_by("number")
    return {step.number, *judged.values_list("number", flat=True)[:1]}


def _judge(told: Story, number: int) -> Card | None:
    return next((card for card in told.cards.values() if card.number > number), None)


def _prompt(run: Run, number: int) -> dict[str, Any] | None:
    found = StepEvent.objects.filter(run=run, step=number, kind="step.started").order_by("-seq")
    return found.values_list("payload", flat=True).first()


def _correction(
    run: Run, card: Card, said: Judgement | None
) -> tuple[Card | None, Diff | None, str, Run | None, str]:
    """(the original's card, the diff, who corrected, the run that shows it, the text that stands)."""
    own = str((card.end or {}).get("text") or "")
    if said is not None:
        text = str(said.value["text"])
        branch = said.value.get("branch")
        # Of a run from another lab the number is that lab's.
        shown = Run.objects.filter(pk=branch, branch_of=run).first() if isinstance(branch, int) else None
        return card, diff(own, text, card.language), said.actor, shown, text
    parent = run.branch_of
    if parent is None or run.branch.get("at") != card.number:
        return None, None, "", None, own
    told = story.tell(parent, {card.number})
    before = told.cards.get(card.number)
    if before is None:
        return None, None, "", None, own
    run_page.fill(parent, [before])
    changes = diff(str((before.end or {}).get("text") or ""), own, card.language)
    return before, changes, str(run.branch.get("actor") or "somebody"), run, own


def _replays(run: int, number: int) -> tuple[int, int]:
    """Branches that changed this step: (accepted, ended)."""
    ended = Run.objects.filter(branch_of=run, branch__at=number, status=RunStatus.FINISHED)
    verdicts = list(ended.values_list("verdict", flat=True)[:200])
    return verdicts.count("AC"), len(verdicts)


def _stated(card: Card) -> int | None:
    return next((score.score for score in card.scores if score.exemplar == card.exemplar), None)


def _mine(run: Run, number: int, actor: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if blame := Blame.objects.filter(run=run, source="human", actor=actor).first():
        found["blame"] = blame.agent
    if decision := Decision.objects.filter(run=run, step=number, actor=actor).first():
        found["decision"] = "accepted" if decision.accepted else "rejected"
        found["code"] = decision.code
    return found


def _others(run: Run, number: int, actor: str) -> list[dict[str, str]]:
    blames = Blame.objects.filter(run=run, source="human").exclude(actor=actor)
    said = [
        {"actor": row.actor, "what": f"blames {row.agent if row.agent != 'none' else 'nobody'}"}
        for row in blames
    ]
    decisions = Decision.objects.filter(run=run, step=number).exclude(actor=actor)
    return said + [
        {"actor": row.actor, "what": "accepted" if row.accepted else f"rejected: {row.code}"}
        for row in decisions
    ]


def _comments(run: Run, number: int) -> Any:
    return Judgement.objects.standing().filter(run=run, step=number, verb="comment").order_by("seq")


def _row(run: Run, step: Step) -> tuple[rows.Row | None, str]:
    try:
        return rows.row(run, step), ""
    except rows.NoRow as error:
        return None, str(error)


# -- the supervisor's words, with their references


def cited(opinion: Blame, told: Story, about: int) -> SafeString:
    """The rationale; `[plan:3]` leads to line 3 of the plan, and a reference to nothing is struck out."""
    text = opinion.judgement.reason
    parts: list[tuple[SafeString]] = []
    at = 0
    for match in _CITE.finditer(text):
        parts.append((format_html("{}", text[at : match.start()]),))
        parts.append((_cite(match, told, opinion.step, about),))
        at = match.end()
    parts.append((format_html("{}", text[at:]),))
    return format_html_join("", "{}", parts)


def _lines(card: Card) -> int:
    """How many lines of the step can be referred to."""
    if card.body is None:
        return 0
    return (
        len(card.body.plan) or len(card.body.lines) or str((card.end or {}).get("text") or "").count("\n") + 1
    )


def _cite(match: re.Match[str], told: Story, blamed: int | None, about: int) -> SafeString:
    role = ROLE_OF.get(match[1].lower(), "")
    label = match[0][1:-1]
    steps = [step.number for step in told.steps if step.role == role]
    if not steps:
        return format_html('<span class="cite bad" title="There is no such step">{}</span>', label)
    number = blamed if blamed in steps else steps[-1]
    if (card := told.cards.get(number)) and int(match[2]) > _lines(card):
        return format_html('<span class="cite bad" title="It has no such line">{}</span>', label)
    address = reverse("run", args=[about]) + f"#s{number}-L{match[2]}"
    return format_html('<a class="cite" data-agent="{}" href="{}">{}</a>', role, address, label)
