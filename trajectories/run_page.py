"""What the run page's templates are given: header, lanes, outline and cards, for the page and for its live patches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.timezone import now

from trajectories import bodies, cases, lanes, wording
from trajectories.card import Card
from trajectories.models import ProblemBody, Run, Step
from trajectories.opinions import KINDS, Opinions
from trajectories.story import Group, Story

DEGRADED = {
    "L0": "Judged with resource limits only: a hostile program could have harmed this machine or the verdict.",
    "L1": "Judged behind kernel filters, without namespaces of its own: see System for what this machine lacks.",
}
REASONS = {
    "engine_unreachable": "Engine unreachable",
    "engine_refused": "Engine refused",
    "context_overflow": "Context overflow",
    "no_recording": "No recording",
    "judge_unavailable": "Judge unavailable",
    "cancelled": "Cancelled",
    "budget": "Out of budget",
    "diverged": "Cannot be resumed",
    "internal_error": "Defect of the lab",
}
SMALLEST_SCALE = 256
VERDICTS_SHOWN = 2
STATEMENT = ("statement", "input_spec", "output_spec")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the outline."""

    step: Step
    at: int
    agent: str
    cost_label: str
    marks: str = ""  # names of what people and supervisors say of the step


def head(run: Run, told: Story, tags: list[str]) -> dict[str, Any]:
    roles = run.engine.get("roles") or {}
    return {
        "run": run,
        "tags": tags,
        "verdicts": _verdicts(told.groups),
        "roles": _roles(roles, run.engine_name),
        "tokens": run.prompt_tokens + run.completion_tokens,
        "judge_line": f"{wording.LANGUAGE_TITLES.get(run.language, run.language)}, {run.judge_profile}",
        "degraded": DEGRADED.get(run.judge_level, ""),
        "params_line": ", ".join(
            f"{name} {value}" for name, value in run.params.items() if name in ("k", "t", "profile")
        ),
        "reason": REASONS.get(run.reason, ""),
        "change": _change(run),
        "replays": told.opinions.replays,
    }


def _change(run: Run) -> dict[str, Any] | None:
    """Of a branch: what was changed, at which step, and how its parent came out."""
    if run.branch_of is None:
        return None
    at, kind = int(run.branch.get("at") or 0), str(run.branch.get("kind") or "")
    flips = run.solved and run.branch_of.status == "finished" and not run.branch_of.solved
    return {"at": at, "title": KINDS.get(kind, kind), "parent": run.branch_of, "flips": flips}


def _verdicts(groups: list[Group]) -> list[dict[str, str]]:
    """What the samples said of each attempt; the run's own pill stands after them."""
    judged = [(group, group.last_judged) for group in groups if group.attempt]
    return [
        {"verdict": step.verdict, "label": f"Attempt {group.attempt} {wording.word(step.verdict)}"}
        for group, step in judged[-VERDICTS_SHOWN:]
        if step and step.suite == "samples"
    ]


def _roles(models: Mapping[str, str], engine_name: str) -> list[tuple[str, str]]:
    """(role, model or adapter); one entry without a role where every agent is served by the same model."""
    shown = {role: model for role, model in models.items() if role != "confidence"}
    if len(set(shown.values())) == 1:
        model = next(iter(shown.values()))
        return [] if model == engine_name else [("", model)]
    return list(shown.items())


def neighbours(run: Run) -> dict[str, int | None]:
    """The runs before and after this one: one query each, by primary key."""
    older = Run.objects.filter(pk__lt=run.pk).order_by("-pk").values_list("pk", flat=True).first()
    newer = Run.objects.filter(pk__gt=run.pk).order_by("pk").values_list("pk", flat=True).first()
    return {"older": older, "newer": newer}


def axis(run: Run, told: Story) -> dict[str, Any]:
    drawn = lanes.timeline(run, told.steps, now(), told.opinions.blamed)
    here = ""
    if told.groups:
        first = told.groups[0]
        here = f"{first.title.lower()} · step 1 · {first.steps[0].role}"
    return {"axis": drawn, "here": here, "tear": lanes.tear(drawn.height) if drawn else ""}


def outline(told: Story) -> list[tuple[str, Any]]:
    rows: list[tuple[int, str, Any]] = [(group.at, "group", group) for group in told.groups]
    rows += [(step.started_seq * 4, "row", row(step, told.opinions)) for step in told.steps]
    return [(kind, item) for _, kind, item in sorted(rows, key=lambda entry: entry[0])]


def row(step: Step, said: Opinions) -> Row:
    label = f"{step.completion_tokens} tokens"
    return Row(step, step.started_seq * 4, lanes.agent_of(step.role), label, said.of(step.number).marks)


def scale(steps: list[Step]) -> int:
    """What a full token bar means: a power of two, so that bars already drawn seldom have to change."""
    size = SMALLEST_SCALE
    most = max((step.completion_tokens for step in steps), default=0)
    while size < most:
        size *= 2
    return size


def fill(run: Run, cards: list[Card]) -> None:
    """Give each card its body. One query, for the texts of failed tests."""
    wanted = [key for card in cards for key in bodies.wanted_questions(card)]
    found = cases.questions(run.problem_id, wanted)
    for card in cards:
        card.body = bodies.body(card, found)


def statement(problem_id: int) -> dict[str, str]:
    """The problem's text without its tests."""
    rows = ProblemBody.objects.filter(pk=problem_id).values_list(*(f"spec__{name}" for name in STATEMENT))
    return dict(zip(STATEMENT, rows.first() or [""] * len(STATEMENT), strict=True))
