"""Do the algorithm descriptions that retrieval writes name what the problem needs? (MapCoder-Lite, figure 4.)

Each description is compared with each ground-truth tag that occurs: the cosine of their vectors. *Own*: the mean over
the problem's own tags (the diagonal of the heat-map); *others*: the mean over all tags it does not have. A model that
says the same of every problem has own equal to others, however high both are: the contrast, own minus others, is what
says that descriptions fit their problems.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum

from solver.benchmarks.bootstrap import Difference, mean, paired_difference
from solver.benchmarks.embedding import Embedder
from solver.benchmarks.interval import Estimate

# What tags of programming contests abbreviate.
SPELLED_OUT = {
    "dp": "dynamic programming",
    "dsu": "disjoint set union",
    "dfs and similar": "depth-first search",
    "fft": "fast Fourier transform",
    "sortings": "sorting",
    "implementation": "implementation, simulation",
    "math": "mathematics",
    "2-sat": "2-satisfiability",
}


@dataclass(frozen=True, slots=True)
class Described:
    """A problem with its ground-truth tags and a description of its algorithm by each model, in one order."""

    problem: int
    tags: tuple[str, ...]
    descriptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """One model. `heat`: row tag -> column tag -> mean cosine of descriptions of problems with the row's tag."""

    own: Estimate
    others: Estimate
    contrast: Estimate
    heat: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Alignment:
    """`tags` with how many problems have each, most frequent first. The differences are second minus first."""

    embedder: str
    n: int
    tags: Mapping[str, int]
    sides: tuple[Side, ...]
    own_difference: Difference | None
    contrast_difference: Difference | None


def align(problems: Sequence[Described], embedder: Embedder) -> Alignment:
    """Problems without tags, or whose tags are all the tags there are, say nothing and must not be among these."""
    counts: dict[str, int] = {}
    for problem in problems:
        for tag in problem.tags:
            counts[tag] = counts.get(tag, 0) + 1
    tags = sorted(counts, key=lambda tag: (-counts[tag], tag))
    models = len(problems[0].descriptions) if problems else 0
    texts = [SPELLED_OUT.get(tag, tag) for tag in tags]
    texts += [text for problem in problems for text in problem.descriptions]
    vectors = embedder.embed(texts)
    near = vectors[len(tags) :] @ vectors[: len(tags)].T  # [problems x models, tags]
    sides, own, contrast = [], [], []
    for model in range(models):
        rows = [
            dict(zip(tags, map(float, near[at * models + model]), strict=True)) for at in range(len(problems))
        ]
        owns = [_mean([row[tag] for tag in p.tags]) for p, row in zip(problems, rows, strict=True)]
        others = [
            _mean([value for tag, value in row.items() if tag not in p.tags])
            for p, row in zip(problems, rows, strict=True)
        ]
        contrasts = [a - b for a, b in zip(owns, others, strict=True)]
        sides.append(Side(mean(owns), mean(others), mean(contrasts), _heat(problems, rows, tags)))
        own.append(owns)
        contrast.append(contrasts)
    paired = models == 2
    return Alignment(
        embedder=f"{embedder.name} ({embedder.title})",
        n=len(problems),
        tags={tag: counts[tag] for tag in tags},
        sides=tuple(sides),
        own_difference=paired_difference(own[0], own[1]) if paired else None,
        contrast_difference=paired_difference(contrast[0], contrast[1]) if paired else None,
    )


def _heat(
    problems: Sequence[Described], rows: Sequence[Mapping[str, float]], tags: Sequence[str]
) -> dict[str, dict[str, float]]:
    heat = {}
    for tag in tags:
        inside = [row for problem, row in zip(problems, rows, strict=True) if tag in problem.tags]
        heat[tag] = {other: _mean([row[other] for row in inside]) for other in tags}
    return heat


def _mean(values: Sequence[float]) -> float:
    return fsum(values) / len(values)
