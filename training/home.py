"""The home page: the loop with a live count at every arrow, where it is narrowest, and the next useful action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Value
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from solver.campaigns.models import CampaignStatus
from training.adapter_models import Adapter, AdapterEvaluation, AdapterState
from training.desk.people import actor_of
from training.models import DatasetVersion, Example, ExampleState, VersionState
from training.run_models import TrainingRun, TrainingStatus
from trajectories import filters, queries
from trajectories.desk import history
from trajectories.models import Blame, Decision, Run, RunStatus
from trajectories.templatetags.lab import short
from trajectories.wilson import share

TRAINING_NOW = (TrainingStatus.QUEUED, TrainingStatus.RUNNING)
ENOUGH_ROWS = 20  # accepted rows of one agent from which a dataset version is proposed
SECONDS_A_STEP = 30.0  # assumed of a reviewer who has no median yet


@dataclass(frozen=True, slots=True)
class Stage:
    """One station. `narrow`: what the next action is about."""

    key: str
    name: str
    count: int
    detail: str
    href: str
    narrow: bool = False

    @property
    def shown(self) -> str:
        return short(self.count)


@dataclass(frozen=True, slots=True)
class Next:
    """The next useful action. `stage` is the station it widens; `other` a second way to go on."""

    stage: str
    title: str
    why: str
    href: str = ""
    label: str = ""
    command: str = ""
    other: tuple[str, str] = ("", "")


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """At most eight queries, those of the session and the frame included."""
    counts, made = queries.loop(), _made()
    running, last = queries.at_hand() if counts.runs else ([], [])
    problems = queries.recent_problems() if counts.problems else []
    action = _next(counts, made, last, running, problems, actor_of(request))
    context = {
        "counts": counts,
        "running": running,
        "last": last,
        "problems": problems,
        "next": action,
        "stages": _stages(counts, made, action),
    }
    return render(request, "lab/home.html", context)


def _made() -> dict[str, int]:
    """How much of everything there is that the loop makes of failures. One query."""
    undecided = ~Exists(Decision.objects.filter(run=OuterRef("pk")))
    corrected = Run.objects.filter(filters.correction(), verdict="AC")
    people = Blame.objects.filter(run=OuterRef("run"), source="human")
    supervised = Blame.objects.filter(source="supervisor")
    agree = Exists(people.filter(agent=OuterRef("agent")))
    accepted = Example.objects.filter(state=ExampleState.ACCEPTED)
    ready = DatasetVersion.objects.filter(state=VersionState.READY)
    evaluations = AdapterEvaluation.objects.filter(adapters=OuterRef("pk"), result__isnull=True)
    measured_now = evaluations.filter(campaign__status__in=(CampaignStatus.RUNNING, CampaignStatus.PAUSED))
    parts: dict[str, Any] = {
        "blamed": (filters.blaming().filter(run__in=Run.objects.filter(filters.FAILED)), "run"),
        "supervised": (supervised, "run"),
        "confirmed": (supervised.filter(Exists(people)), "run"),
        "agree": (supervised.filter(agree), "run"),
        "corrected": (corrected, "pk"),
        "waiting": (corrected.filter(undecided), "pk"),
        "rows": (accepted, "pk"),
        "candidates": (Example.objects.filter(state=ExampleState.CANDIDATE), "pk"),
        "versions": (ready, "pk"),
        "in_versions": (accepted.filter(rows__isnull=False), "pk"),
        "untrained": (ready.filter(training_runs__isnull=True), "pk"),
        "trainings": (TrainingRun.objects.all(), "pk"),
        "training_now": (TrainingRun.objects.filter(status__in=TRAINING_NOW), "pk"),
        "adapters": (Adapter.objects.all(), "pk"),
        "unmeasured": (
            Adapter.objects.filter(state=AdapterState.REGISTERED).exclude(Exists(measured_now)),
            "pk",
        ),
        "serving": (Adapter.objects.filter(state=AdapterState.PROMOTED), "pk"),
    }
    every = [
        found.order_by()
        .annotate(k=Value(key))
        .values("k")
        .annotate(n=Count(column, distinct=True))
        .values_list("k", "n")
        for key, (found, column) in parts.items()
    ]
    return {**dict.fromkeys(parts, 0), **dict(every[0].union(*every[1:], all=True))}


def _stages(counts: queries.Loop, made: dict[str, int], action: Next) -> list[Stage]:
    failed = share(counts.failures, counts.judged)
    runs, failures = reverse("runs"), f"{reverse('runs')}?{urlencode({'q': 'is:failed'})}"
    rate = (
        f"{failed.rate * 100:.0f} % [{failed.low * 100:.0f}, {failed.high * 100:.0f}] of {failed.n} judged"
        if counts.judged
        else "of no run"
    )
    found = [
        ("problems", "Problems", counts.problems, f"+{counts.problems_today} today" if counts.problems_today else "none new today", reverse("problems")),
        ("runs", "Runs", counts.runs, f"{counts.running} now", runs),
        ("failures", "Failures", counts.failures, rate, failures),
        ("blamed", "Blamed", made["blamed"], _agreement(made), f"{runs}?{urlencode({'q': 'is:failed is:blamed'})}"),
        ("corrected", "Corrected", made["corrected"], "pass when re-run", f"{runs}?{urlencode({'q': 'is:correction is:solved'})}"),
        ("review", "To review", made["waiting"], "that pass", f"{reverse('review')}?queue=corrections"),
        ("rows", "Accepted", made["rows"], f"{made['candidates']} candidates", f"{reverse('examples')}"),
        ("versions", "Versions", made["versions"], f"{made['untrained']} not trained on", reverse("datasets")),
        ("training", "Training", made["trainings"], f"{made['training_now']} now", reverse("training")),
        ("adapters", "Adapters", made["adapters"], f"{made['serving']} promoted", reverse("training") + "#registry"),
    ]  # fmt: skip
    return [Stage(*row, narrow=row[0] == action.stage) for row in found]


def _agreement(made: dict[str, int]) -> str:
    """How far a supervisor's blames agree with people's, where both have spoken of a run."""
    agreed = share(made["agree"], made["confirmed"])
    if agreed.n:
        return (
            f"{agreed.rate * 100:.0f} % [{agreed.low * 100:.0f}, {agreed.high * 100:.0f}] of {agreed.n} agree"
        )
    if made["supervised"]:
        return "none confirmed"
    return "by people or replays" if made["blamed"] else "none yet"


def _next(
    counts: queries.Loop,
    made: dict[str, int],
    last: list[Run],
    running: list[Run],
    problems: list[Any],
    actor: str,
) -> Next:
    if not counts.problems:
        why = (
            "The lab holds none yet. The starter set ships with it; your own files are imported the same way."
        )
        return Next("problems", "Load some problems", why, command="manage.py prepare")
    if running:
        run = running[0]
        why = "Its steps appear as they happen; nothing is lost if you close the page."
        return Next(
            "runs", f"Watch run {run.pk}, {run.problem.title}", why, reverse("run", args=[run.pk]), "Watch"
        )
    if not counts.runs:
        problem = next((p for p in problems if p.difficulty == "easy"), problems[0])
        why = "Press Solve and watch four agents recall, plan, code and repair until the judge has its say."
        href = reverse("problem", args=[problem.pk]) + "#solve"
        return Next("runs", f"Solve {problem.title}", why, href, "Open the problem")
    return _learn(made, actor) or _fail(counts, made, last)


def _learn(made: dict[str, int], actor: str) -> Next | None:
    """What the corrections that exist are waiting for."""
    if waiting := made["waiting"]:
        pace = history.median_seconds(actor)
        minutes = max(1, round(waiting * (pace or SECONDS_A_STEP) / 60))
        unit = f"About {minutes} minute{'s' if minutes > 1 else ''} at {'your median of' if pace else 'a usual'} {pace or SECONDS_A_STEP:.0f} s."
        return Next(
            "review",
            f"Review {waiting} correction{'s' if waiting > 1 else ''} that pass{'' if waiting > 1 else 'es'}",
            f"Each one that you accept becomes a training row. {unit}",
            f"{reverse('review')}?queue=corrections",
            "Start reviewing",
            other=("See what fails", reverse("review-maps")),
        )
    unfrozen = made["rows"] - made["in_versions"]
    if made["candidates"] >= ENOUGH_ROWS > unfrozen:
        return Next(
            "rows",
            f"Decide about {made['candidates']} candidates",
            "Their programs passed all hidden tests. Read some, accept what should be learnt; a version holds what was accepted.",
            f"{reverse('examples')}?state=candidate",
            "Read the candidates",
            other=("Build without deciding", reverse("dataset-new")),
        )
    if unfrozen >= ENOUGH_ROWS:
        return Next(
            "versions",
            f"Freeze {unfrozen} accepted rows into a dataset version",
            "A version never changes, so that an adapter trained on it can be traced to every row.",
            reverse("dataset-new"),
            "New version",
            other=("See the rows", reverse("examples")),
        )
    if now := made["training_now"]:
        return Next(
            "training",
            f"Watch {now} training run{'s' if now > 1 else ''}",
            "Curves and held-out rows appear as they are made. Adapters of one recipe are measured together, by themselves.",
            reverse("training"),
            "Watch",
        )
    if made["unmeasured"]:
        return Next(
            "adapters",
            f"Measure {made['unmeasured']} new adapter{'s' if made['unmeasured'] > 1 else ''} against the base",
            "A loss curve is not a solve rate: the same problems, with and without it, say what it is worth.",
            reverse("training"),
            "Open the registry",
        )
    if made["untrained"]:
        return Next(
            "training",
            f"Train on {made['untrained']} dataset version{'s' if made['untrained'] > 1 else ''} that no adapter has seen",
            "The form says what it needs and how long it takes before anything starts.",
            reverse("training-new"),
            "New training run",
            other=("See the versions", reverse("datasets")),
        )
    return None


def _fail(counts: queries.Loop, made: dict[str, int], last: list[Run]) -> Next:
    """Failures are what the loop learns from: read one, or get one."""
    unconfirmed = made["supervised"] - made["confirmed"]
    if unconfirmed > 0:
        return Next(
            "blamed",
            f"Confirm whom the supervisor blames in {unconfirmed} run{'s' if unconfirmed > 1 else ''}",
            "One key says that it is right, another who really erred; agreement tells how far to trust it.",
            f"{reverse('review')}?queue=unconfirmed",
            "Start reviewing",
            other=("See what fails", reverse("review-maps")),
        )
    failed = next(
        (run for run in last if not (run.solved or run.unjudged or run.status == RunStatus.CANCELLED)), None
    )
    if failed is not None:
        why = f"{counts.failures} of {counts.judged} judged runs are not accepted; this is the newest."
        if failed.status != RunStatus.FINISHED:
            why = f"It ended before it was judged. {failed.message}"
        return Next(
            "failures",
            f"Find out why run {failed.pk} failed on {failed.problem.title}",
            why,
            reverse("run", args=[failed.pk]),
            "Read it",
            other=("Blame by queue", f"{reverse('review')}?queue=failed"),
        )
    why = "Every recent run was accepted. Problems that fail teach more."
    return Next(
        "failures", "Solve something harder", why, reverse("problems") + "?difficulty=hard", "Hard problems"
    )
