"""Building a version: one pass over the pool, then near-duplicates, caps, quotas and the split, then one transaction.

What is in memory is a few numbers an example (its signature in a file); texts are streamed. The same spec over the same
pool gives the same rows in the same order and so the same digest. A build that was killed leaves no row and is begun
again; two at once write one version. An overlap with an evaluation set refuses the version: it is never just warned of.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Q
from numpy.typing import NDArray

from training.datasets import contamination, pool, shingles
from training.datasets.contamination import EvaluationSets
from training.datasets.own_problems import OwnProblems
from training.datasets.spec import DatasetSpec
from training.models import DatasetRow, DatasetVersion, VersionState
from trajectories.models import Problem, ProblemTag
from trajectories.row_leases import Hold, held

log = logging.getLogger(__name__)
NAMED = 20  # examples named for each reason of leaving out
_BATCH = 2000


class Overlap(Exception):
    """Training would see evaluation problems; `found` maps each of ours to the evaluation problem."""

    def __init__(self, found: dict[str, str], examples: int) -> None:
        self.found = found
        names = ", ".join(sorted(found)[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
        super().__init__(
            f"{examples} examples overlap with evaluation problems ({names}), so the version is not built. Leave these "
            "problems out, or take them out of the evaluation set."
        )


@dataclass(slots=True)
class LeftOut:
    """How many examples each reason left out, and the first few of them."""

    counts: Counter[str] = field(default_factory=Counter)
    named: dict[str, list[int]] = field(default_factory=dict)

    def add(self, reason: str, example: int) -> None:
        self.counts[reason] += 1
        if len(named := self.named.setdefault(reason, [])) < NAMED:
            named.append(example)

    def to_json(self) -> dict[str, Any]:
        return {name: {"count": n, "examples": self.named[name]} for name, n in self.counts.most_common()}


@dataclass(slots=True)
class Chosen:
    """Parallel arrays over the examples that the first pass let through."""

    ids: NDArray[np.int64]
    problems: NDArray[np.int64]  # 0: none
    keep: NDArray[np.bool_]
    digests: bytearray  # 32 bytes an example
    held_out: NDArray[np.bool_]


def build(version_id: int, worker: str) -> bool:
    """Build a version that waits for it; False if it does not, or somebody else is at it."""
    with held(DatasetVersion, version_id, Q(state=VersionState.BUILDING), worker) as hold:
        if hold is None:
            return False
        version = DatasetVersion.objects.get(pk=version_id)
        try:
            _build(version, DatasetSpec.model_validate(version.spec), hold)
        except Overlap as error:
            report = {"overlap": error.found}
            hold.mine().update(state=VersionState.FAILED, message=str(error), report=report)
    return True


def _build(version: DatasetVersion, spec: DatasetSpec, hold: Hold) -> None:
    left_out = LeftOut()
    sets = contamination.read(spec.against)
    with tempfile.TemporaryFile(prefix="mcl-signatures-") as file:
        chosen, signatures = _first_pass(spec, sets, left_out, file)
        if spec.near_duplicates and len(chosen.ids):
            for row in sorted(shingles.copies(signatures, spec.near_duplicates)):
                chosen.keep[row] = False
                left_out.add("near-duplicate of an earlier row", int(chosen.ids[row]))
        del signatures
    _cap(chosen, spec, left_out)
    _write(version, chosen, left_out, hold, len(sets.names))


def _first_pass(
    spec: DatasetSpec, sets: EvaluationSets, left_out: LeftOut, file: Any
) -> tuple[Chosen, NDArray[np.uint32]]:
    """Refuse overlaps, drop what is excluded, sign the rest."""
    common = shingles.Known(shingles.boilerplate(pool.sample_prompts(spec)))
    excluded = _problem_ids(spec.exclude_problems)
    ours = OwnProblems(sets, spec)
    ids, problems, aside = array("q"), array("q"), array("b")
    digests = bytearray()
    overlap: dict[str, str] = {}
    overlapping = 0
    for entry in pool.entries(spec):
        if entry.problem in excluded:
            left_out.add("its problem is excluded", entry.pk)
            continue
        asked = shingles.words(entry.prompt)
        whole = np.concatenate([asked, shingles.words(entry.answer)])
        if evaluated := ours.overlap(entry.problem) or sets.by_words(whole):
            overlap.setdefault(ours.name(entry.problem, entry.pk), evaluated)
            overlapping += 1
            continue
        grams = shingles.ngrams(whole, shingles.WINDOW)
        grams = np.delete(grams, common.among(grams)) if len(common) else grams
        file.write(shingles.signature(grams).tobytes())
        ids.append(entry.pk)
        problems.append(entry.problem or 0)
        digests += bytes.fromhex(entry.digest)
        aside.append(ours.is_held_out(entry.problem, entry.digest))
    if overlap:
        raise Overlap(overlap, overlapping)
    file.flush()
    shape = (len(ids), shingles.SIGNATURE)
    signed = np.memmap(file, np.uint32, "r", shape=shape) if ids else np.empty(shape, np.uint32)
    keep, held_out = np.ones(len(ids), np.bool_), np.array(aside, np.bool_)
    return Chosen(np.array(ids, np.int64), np.array(problems, np.int64), keep, digests, held_out), signed


def _problem_ids(names: tuple[str, ...]) -> set[int | None]:
    found: set[int | None] = set()
    for start in range(0, len(names), 500):
        part = Problem.objects.filter(external_id__in=names[start : start + 500])
        found.update(part.values_list("pk", flat=True))
    return found


def _cap(chosen: Chosen, spec: DatasetSpec, left_out: LeftOut) -> None:
    """Caps per problem, quotas and the limit, in the order of the pool: the first ones stay."""
    per_problem: Counter[int] = Counter()
    per_tag: Counter[str] = Counter()
    per_level: Counter[str] = Counter()
    kept = 0
    features = _Features(spec)
    for row in np.flatnonzero(chosen.keep).tolist():
        problem = int(chosen.problems[row])
        tags, level = features.of(problem)
        over = [tag for tag in tags if per_tag[tag] >= spec.quotas.tags.get(tag, kept + 1)]
        reason = ""
        if spec.per_problem and problem and per_problem[problem] >= spec.per_problem:
            reason = f"its problem has {spec.per_problem} rows already"
        elif over:
            reason = f"quota of tag {over[0]}"
        elif per_level[level] >= spec.quotas.difficulty.get(level, kept + 1):
            reason = f"quota of difficulty {level or 'not stated'}"
        elif spec.limit and kept >= spec.limit:
            reason = "limit of the version"
        if reason:
            chosen.keep[row] = False
            left_out.add(reason, int(chosen.ids[row]))
            continue
        kept += 1
        per_problem[problem] += 1
        per_tag.update(tags)
        per_level[level] += 1


class _Features:
    """Tags and difficulty of problems, where a quota asks for them."""

    def __init__(self, spec: DatasetSpec) -> None:
        self.tagged = bool(spec.quotas.tags)
        self.levelled = bool(spec.quotas.difficulty)
        self.last: tuple[int, tuple[list[str], str]] = (-1, ([], ""))

    def of(self, problem: int) -> tuple[list[str], str]:
        if not (self.tagged or self.levelled) or not problem:
            return [], ""
        if self.last[0] != problem:  # the pool is in order of problems
            tags = ProblemTag.objects.filter(problem=problem).values_list("name", flat=True)
            level = Problem.objects.values_list("difficulty", flat=True).get(pk=problem)
            self.last = (problem, (list(tags), level))
        return self.last[1]


def _write(
    version: DatasetVersion,
    chosen: Chosen,
    left_out: LeftOut,
    hold: Hold,
    evaluation: int,
) -> None:
    kept = np.flatnonzero(chosen.keep).tolist()
    held_out = chosen.held_out
    whole = hashlib.sha256()
    for row in kept:
        whole.update(bytes(chosen.digests[32 * row : 32 * row + 32]) + (b"e" if held_out[row] else b"t"))
    report = {
        "left_out": left_out.to_json(),
        "pool": len(chosen.ids) + left_out.counts["its problem is excluded"],
        "evaluation_problems": evaluation,
        "problems": len({int(chosen.problems[row]) for row in kept} - {0}),
    }
    ready: dict[str, Any] = {
        "state": VersionState.READY if kept else VersionState.FAILED,
        "message": "" if kept else "No example is left; the report says what left them out.",
        "digest": whole.hexdigest() if kept else "",
        "row_count": len(kept),
        "eval_count": int(held_out[kept].sum()) if kept else 0,
        "report": report,
    }
    with transaction.atomic():
        if not hold.mine().filter(state=VersionState.BUILDING).update(**ready):
            log.warning("version %s was taken over by another worker", version.pk)
            return
        for start in range(0, len(kept), _BATCH):
            DatasetRow.objects.bulk_create(
                DatasetRow(
                    version=version,
                    position=start + at,
                    example_id=int(chosen.ids[row]),
                    split="eval" if held_out[row] else "train",
                )
                for at, row in enumerate(kept[start : start + _BATCH])
            )
