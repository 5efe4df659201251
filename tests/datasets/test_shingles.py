"""MinHash estimates likeness, finds copies and does not depend on the process."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.datasets.conftest import story
from training.datasets import shingles


def signed(text: str) -> np.ndarray:
    return shingles.signature(np.unique(shingles.ngrams(shingles.words(text), shingles.WINDOW)))


def jaccard(one: str, other: str) -> float:
    a, b = (set(shingles.ngrams(shingles.words(text), 5).tolist()) for text in (one, other))
    return len(a & b) / len(a | b) if a | b else 1.0


def test_the_share_of_equal_values_estimates_the_jaccard_likeness() -> None:
    wrong = []
    for number in range(60):
        one, tail = story(number, 100), story(900 + number, number)
        other = f"{one} {tail}"
        wrong.append(float((signed(one) == signed(other)).mean()) - jaccard(one, other))
    assert abs(float(np.mean(wrong))) < 0.03
    assert max(map(abs, wrong)) < 0.25


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=400))
def test_a_text_is_like_itself_and_any_text_has_a_signature(text: str) -> None:
    assert (signed(text) == signed(text)).all()


def test_copies_are_found_and_strangers_are_not() -> None:
    texts = [story(number, 150) for number in range(200)]
    texts += [f"{texts[number]} more" for number in range(0, 200, 4)]
    found = shingles.copies(np.array([signed(text) for text in texts]), 0.85)
    expected = {200 + at: number for at, number in enumerate(range(0, 200, 4))}
    assert found == expected


def test_the_template_does_not_make_prompts_alike() -> None:
    template = story(5000, 300)
    prompts = [f"{template} {story(number, 30)}" for number in range(20)]
    common = shingles.boilerplate(prompts)
    left = [np.setdiff1d(shingles.ngrams(shingles.words(text), 5), common) for text in prompts]
    signatures = np.array([shingles.signature(grams) for grams in left])
    assert shingles.copies(signatures, 0.5) == {}
    assert len(shingles.copies(np.array([signed(text) for text in prompts]), 0.5)) > 10


def test_signatures_are_the_same_in_every_process() -> None:
    program = (
        "from training.datasets import shingles as s; import numpy as np;"
        "print(s.signature(np.unique(s.ngrams(s.words('one two three four five six'), 5))).tolist())"
    )
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == str(signed("one two three four five six").tolist())
