"""Which examples a spec may take from, and what of each is looked at. Streamed: no list of texts is ever held."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from training.datasets.spec import DatasetSpec
from training.models import Example, ExampleState, Way
from trajectories.models import Judgement, Run

CHUNK = 500
_FIELDS = ("pk", "digest", "problem_id", "messages", "answer", "run_id", "step", "way", "run__verdict")


@dataclass(frozen=True, slots=True)
class Entry:
    """An example as the builder sees it, once."""

    pk: int
    digest: str
    problem: int | None
    prompt: str
    answer: str


def query(spec: DatasetSpec) -> QuerySet[Example]:
    states = [ExampleState.ACCEPTED] if spec.reviewed else [ExampleState.ACCEPTED, ExampleState.CANDIDATE]
    found = Example.objects.filter(role=spec.role, way__in=spec.ways, state__in=states)
    if spec.passed:
        # A person's correction is a judgement on the failed run; whether it passed its branch says.
        found = found.filter(Q(run__verdict="AC") | Q(run=None) | Q(way=Way.HUMAN))
    return found.exclude(pk__in=spec.exclude_examples) if spec.exclude_examples else found


def problem_ids(spec: DatasetSpec) -> list[int]:
    """In order."""
    found = query(spec).exclude(problem=None).order_by("problem_id").values_list("problem_id", flat=True)
    return [pk for pk in found.distinct().iterator(chunk_size=5000) if pk is not None]


def entries(spec: DatasetSpec) -> Iterator[Entry]:
    """In order of problem and id. Ids are sorted first and texts fetched by them: a database that sorts whole rows holds
    every text at once (SQLite: two kilobytes an example), a sorted list of ids eight bytes."""
    ids = array("q", query(spec).order_by("problem_id", "pk").values_list("pk", flat=True).iterator(5000))
    for start in range(0, len(ids), CHUNK):
        yield from _block(spec, ids[start : start + CHUNK].tolist())


def _block(spec: DatasetSpec, ids: list[int]) -> Iterator[Entry]:
    """`query` again: what was withdrawn since the ids were read is not among them."""
    rows = query(spec).filter(pk__in=ids).order_by("problem_id", "pk").values_list(*_FIELDS)
    for pk, digest, problem, messages, answer, run, step, way, verdict in rows:
        failed = spec.passed and way == Way.HUMAN and run is not None and verdict != "AC"
        if failed and not _correction_passed(run, step, answer):
            continue
        prompt = "\n".join(str(turn["content"]) for turn in messages)
        yield Entry(pk, digest, problem, prompt, answer)


def _correction_passed(run: int, step: int | None, answer: str) -> bool:
    """Whether a branch of this run with this very answer passed. Of a run from another lab the numbers of branches are that
    lab's, and stand for nothing here."""
    said = Judgement.objects.standing().filter(run=run, step=step, verb="correct")
    values = [judgement.value for judgement in said if judgement.value["text"] == answer]
    branches = [value["branch"] for value in values if isinstance(value.get("branch"), int)]
    return Run.objects.filter(pk__in=branches, branch_of=run, verdict="AC").exists()


def sample_prompts(spec: DatasetSpec, count: int = 200) -> list[str]:
    """Prompts spread over the pool, one a problem: what they share is their template."""
    found = query(spec).order_by("problem_id", "pk").values_list("problem_id", "pk")
    firsts: dict[int | None, int] = {}
    for problem, pk in found.iterator(chunk_size=5000):
        firsts.setdefault(problem, pk)
    ids = list(firsts.values())
    step = max(1, len(ids) // count)
    chosen = ids[::step][:count]
    rows = Example.objects.filter(pk__in=chosen).values_list("messages", flat=True)
    return ["\n".join(str(turn["content"]) for turn in messages) for messages in rows]
