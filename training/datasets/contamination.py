"""Whether training would see what is measured: the evaluation sets by id, by copy, and by the words of their statements.

An n-gram test of this kind is usual (13-grams: Brown et al. 2020, arXiv:2005.14165, appendix C; share of matched n-grams:
Lambert et al. 2024, arXiv:2411.15124). Everything that the model reads or writes in training is searched, prompt and
answer: recalled exemplars may quote a problem too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from solver.campaigns.models import CampaignProblem
from solver.campaigns.selection import keys_of
from training.datasets import shingles
from training.datasets.shingles import Hashes, Known
from training.datasets.spec import Against
from trajectories.models import Problem, ProblemBody

_AT_ONCE = 50
STATEMENT = ("statement", "input_spec", "output_spec", "notes")


@dataclass(slots=True)
class EvaluationSets:
    """`names` are the external ids; `units` what copies of them share; `grams` is sorted, `owners` in its order."""

    names: set[str] = field(default_factory=set)
    units: dict[str, str] = field(default_factory=dict)
    titles: list[str] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)
    grams: Known = field(default_factory=lambda: Known(np.empty(0, np.uint64)))
    owners: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    share: float = 0.5
    ngram: int = 13

    def by_problem(self, problem: Problem, keys: Iterable[str]) -> str:
        """The evaluation problem that this one is, or is a copy of; "" if none."""
        if problem.external_id in self.names:
            return problem.external_id
        for key in keys:
            if key in self.units:
                return self.units[key]
        return ""

    def by_words(self, words: Hashes) -> str:
        """The evaluation problem whose statement stands in a text of these words; "" if none does."""
        if not len(self.grams) or not len(words):
            return ""
        grams = shingles.ngrams(words, self.ngram)
        hit = self.grams.among(grams)
        if not len(hit):
            return ""
        own = np.unique(grams[hit])
        left = np.searchsorted(self.grams.values, own, side="left")
        right = np.searchsorted(self.grams.values, own, side="right")
        pieces = [self.owners[a:b] for a, b in zip(left.tolist(), right.tolist(), strict=True)]
        owners = np.concatenate(pieces)
        ids, counts = np.unique(owners, return_counts=True)
        for owner, count in zip(ids.tolist(), counts.tolist(), strict=True):
            if count >= self.share * self.totals[owner]:
                return str(self.titles[int(owner)])
        return ""


def read(against: Against) -> EvaluationSets:
    """The evaluation sets as they are now. Statements are read a few at a time; their tests are not kept."""
    found = EvaluationSets(share=against.share, ngram=against.ngram)
    grams: list[Hashes] = []
    owners: list[NDArray[np.int64]] = []
    for problem, statement in _problems(against):
        found.names.add(problem.external_id)
        own = np.unique(shingles.ngrams(shingles.words(statement), against.ngram))
        owners.append(np.full(len(own), len(found.titles), np.int64))
        grams.append(own)
        found.titles.append(problem.external_id)
        found.totals.append(len(own))
    if grams:
        whole, whose = np.concatenate(grams), np.concatenate(owners)
        order = np.argsort(whole, kind="stable")
        found.grams, found.owners = Known(whole[order]), whose[order]
    problems = list(Problem.objects.filter(external_id__in=found.names))
    for problem, keys in keys_of(problems):
        found.units.update(dict.fromkeys(keys, problem.external_id))
    return found


def _problems(against: Against) -> Iterator[tuple[Problem, str]]:
    splits = Problem.objects.current().filter(split__in=against.splits)
    chosen = CampaignProblem.objects.filter(campaign__in=against.campaigns)
    ids = set(splits.values_list("pk", flat=True)) | set(chosen.values_list("problem", flat=True))
    for start in range(0, len(against.ids), 500):
        named = Problem.objects.current().filter(external_id__in=against.ids[start : start + 500])
        ids.update(named.values_list("pk", flat=True))
    ordered = sorted(ids)
    for start in range(0, len(ordered), _AT_ONCE):
        part = ordered[start : start + _AT_ONCE]
        problems = Problem.objects.in_bulk(part)
        fields = (f"spec__{name}" for name in STATEMENT)
        for pk, *texts in ProblemBody.objects.filter(pk__in=part).order_by("pk").values_list("pk", *fields):
            yield problems[pk], "\n".join(text for text in texts if text)
