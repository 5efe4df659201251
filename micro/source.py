"""Where the data of a micro problem comes from: how the input is announced, read and drawn at random."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from micro.operation import Shape

NAMES = ("Ana", "Bob", "Mira", "Leo", "Kim", "Omar", "Zoe", "Ivan", "Nina", "Raj")
THINGS = (
    "numbers",
    "values",
    "scores",
    "prices",
    "heights",
    "weights",
    "points",
    "readings",
    "integers",
    "ages",
)
SITES = 5


@dataclass(frozen=True)
class Source:
    """One kind of input.

    `openings` holds one first sentence for each of the `SITES`; the site is what the pretraining corpus ties
    habits of style to (see `micro.habits`). `{name}` and `{things}` are free choices of the writer. `base` is how
    the body of the statement calls the data; `things` is None where the writer chooses.
    """

    name: str
    shape: Shape
    openings: tuple[str, ...]
    base: str
    things: str | None
    plan: str
    code: str
    draw: Callable[[random.Random], str]
    weight: int
    gives_k: bool = False


def _integers(rng: random.Random, n: int) -> list[int]:
    low, high = rng.choice(((-9, 12), (-9, 30), (-40, 120)))
    a = [rng.randint(low, high) for _ in range(n)]
    if rng.random() < 0.5:
        for i in range(1, n):
            if rng.random() < 0.3:
                a[i] = a[rng.randrange(i)]
    return a


def _draw_list(rng: random.Random) -> str:
    a = _integers(rng, rng.randint(4, 12))
    return f"{len(a)}\n{' '.join(map(str, a))}\n"


def _draw_list_k(rng: random.Random) -> str:
    a = _integers(rng, rng.randint(4, 12))
    k = rng.randint(1, 10)
    if rng.random() < 0.3:
        k = max(1, sum(rng.sample(a, 2)))
    return f"{len(a)} {k}\n{' '.join(map(str, a))}\n"


def _draw_digits(rng: random.Random) -> str:
    n = rng.randint(4, 12)
    return f"{rng.randint(10 ** (n - 1), 10**n - 1)}\n"


def _draw_divisors(rng: random.Random) -> str:
    return f"{rng.choice((12, 24, 36, 60, 64, 96, 97, 100, 120, 360, rng.randint(6, 400)))}\n"


def _draw_word(rng: random.Random) -> str:
    n = rng.randint(4, 12)
    word = ""
    while len(word) < n:
        word += rng.choice("abcdeinorstuxyz") * rng.choice((1, 1, 1, 2, 3))
    if rng.random() < 0.25:
        half = word[: n // 2]
        word = half + half[::-1]
    return word + "\n"


SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        Source(
            "list",
            Shape.LIST,
            (
                "Read n and then n {things}.",
                "The first line has n and the second line has n {things}.",
                "There are n {things} on the second line after the count n.",
                "{name} wrote down n and below it n {things}.",
                "You are given the count n and a line of n {things}.",
            ),
            "the {things}",
            None,
            "read n and the list a",
            "n = int(input())\na = list(map(int, input().split()))",
            _draw_list,
            4,
        ),
        Source(
            "list_k",
            Shape.LIST,
            (
                "Read n and k and then n {things}.",
                "The first line has n and k and the second line has n {things}.",
                "There are n {things} on the second line after n and k.",
                "{name} wrote down n and k and below them n {things}.",
                "You are given n and k and a line of n {things}.",
            ),
            "the {things}",
            None,
            "read n, k and the list a",
            "n, k = map(int, input().split())\na = list(map(int, input().split()))",
            _draw_list_k,
            3,
            gives_k=True,
        ),
        Source(
            "digits",
            Shape.LIST,
            (
                "Read a big number and look at its digits.",
                "The first line has a big number that is split into digits.",
                "There are digits in the big number on the only line.",
                "{name} splits a big number into digits.",
                "You are given a big number and take its digits.",
            ),
            "the digits",
            "elements",
            "read the digits of the number into a",
            "a = [int(c) for c in input().strip()]",
            _draw_digits,
            1,
        ),
        Source(
            "divisors",
            Shape.LIST,
            (
                "Read n and list its positive divisors.",
                "The first line has n and we look at its positive divisors.",
                "There are positive divisors of the number n on the only line.",
                "{name} lists the positive divisors of n.",
                "You are given n and take all its positive divisors.",
            ),
            "the divisors",
            "elements",
            "read n and list its divisors in a",
            "n = int(input())\na = [d for d in range(1, n + 1) if n % d == 0]",
            _draw_divisors,
            1,
        ),
        Source(
            "word",
            Shape.TEXT,
            (
                "Read a word of small letters.",
                "The first line has a word of small letters.",
                "There are small letters in the word on the only line.",
                "{name} wrote down a word of small letters.",
                "You are given a word of small letters.",
            ),
            "the word",
            "elements",
            "read the word s",
            "s = input().strip()",
            _draw_word,
            3,
        ),
    )
}
