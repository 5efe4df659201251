"""Algorithm alignment of one cell or of two: the descriptions from the event logs, held against the problems' tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solver.agents import retrieval
from solver.benchmarks.alignment import Alignment, Described, align
from solver.benchmarks.embedding import EMBEDDERS
from solver.campaigns.models import CampaignCell, CampaignRun, SlotState
from trajectories.models import Problem, Step, StepEvent

MAX_PROBLEMS = 500
_NOT_ALGORITHMS = (
    "split:",
    "code jam",
    "kick start",
    "coding competitions",
)  # tags that say where it comes from


@dataclass(frozen=True, slots=True)
class Found:
    """`left_out`: problems of the campaign without a description by every cell, or without a usable tag."""

    cells: tuple[CampaignCell, ...]
    alignment: Alignment | None
    left_out: int


def read(cells: Sequence[CampaignCell], embedder: str) -> Found:
    """On the problems that all cells described. Of several seeds the first run counts. Raises EmbedderMissing."""
    said = [descriptions(cell) for cell in cells]
    common = [pk for pk in said[0] if all(pk in one for one in said)][:MAX_PROBLEMS]
    wanted = {
        problem.pk: problem for problem in Problem.objects.filter(pk__in=common).prefetch_related("tags")
    }
    tags = {pk: algorithms(wanted[pk].tag_names) for pk in common}
    every = {tag for found in tags.values() for tag in found}
    described = [
        Described(pk, tags[pk], tuple(one[pk] for one in said))
        for pk in common
        if tags[pk] and len(tags[pk]) < len(every)
    ]
    problems = {pk for one in said for pk in one}
    found = align(described, EMBEDDERS[embedder]) if described else None
    return Found(tuple(cells), found, len(problems) - len(described))


def algorithms(names: Sequence[str]) -> tuple[str, ...]:
    """The tags that name algorithms; those that name a split or a contest are no ground truth."""
    return tuple(name for name in names if not name.lower().startswith(_NOT_ALGORITHMS))


def descriptions(cell: CampaignCell) -> dict[int, str]:
    """Problem -> what retrieval said of the algorithm. An answer without the element counts whole: it is what was said."""
    slots = CampaignRun.objects.filter(cell=cell, state=SlotState.MEASURED, run__isnull=False)
    runs: dict[int, int] = {}
    for run, problem in slots.order_by("position").values_list("run", "entry__problem"):
        if run is not None and problem not in runs.values():
            runs[run] = problem
    answered: dict[int, int] = {}  # run -> the event of its first finished retrieval
    steps = Step.objects.filter(run__in=list(runs), role="retrieval", finished_seq__isnull=False)
    for run, seq in steps.order_by("run_id", "number").values_list("run", "finished_seq"):
        if seq is not None:
            answered.setdefault(run, seq)
    events = StepEvent.objects.filter(run__in=list(answered), kind="step.finished")
    found = {}
    for run, seq, payload in events.values_list("run", "seq", "payload").iterator():
        if answered.get(run) == seq:
            text = payload["text"]
            parsed = retrieval.parse_tolerant(text).value
            found[runs[run]] = (parsed.algorithm if parsed and parsed.algorithm else text)[:20_000]
    return {problem: found[problem] for problem in runs.values() if problem in found}
