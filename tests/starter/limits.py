"""The limits that the statements promise, as predicates over one input of each problem.

A program may rely on every sentence of a statement, so an input that breaks one makes the problem unfair.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from math import lcm
from typing import Any

Predicate = Callable[[Any], bool]


def rows(text: str) -> list[list[int]]:
    return [[int(word) for word in line.split()] for line in text.removesuffix("\n").split("\n")]


def flat(table: list[list[int]]) -> list[int]:
    return [value for row in table for value in row]


def within(low: int, values: list[int], high: int) -> bool:
    return all(low <= value <= high for value in values)


def balanced_crates(text: str) -> bool:
    (n, m), weights = rows(text)
    return len(weights) == n <= 20000 and within(1, [n, m, *weights], 10**9)


def beacon_chain(text: str) -> bool:
    ((n, x, a, b, m, c, d),) = rows(text)
    return 1 <= n <= 30000 and within(0, [x, a, b], m - 1) and within(0, [m, c], 10**9) and 1 <= d <= 10**6


def calm_days(args: list[Any]) -> bool:
    temperatures, step = args
    return len(temperatures) <= 3000 and within(-1000, temperatures, 1000) and 0 <= step <= 2000


def choir_rows(text: str) -> bool:
    ((n, d, x, a, b, m),) = rows(text)
    return 1 <= n <= 200000 and within(0, [d, x, a, b], m - 1) and m <= 10**9


def clock_gears(text: str) -> bool:
    (k, s), *gears = rows(text)
    good = all(1 <= p <= 10**9 and 0 <= r < p for p, r in gears)
    return good and len(gears) == k <= 20 and 0 <= s <= 10**18 and lcm(*(p for p, _ in gears)) <= 10**18


def coin_drawer(text: str) -> bool:
    (k, amount), *coins = rows(text)
    worth = sorted(d for d, _ in coins)
    divides = all(small < large and large % small == 0 for small, large in pairwise(worth))
    return divides and len(coins) == k <= 20 and 0 <= amount <= 10**15 and within(0, flat(coins), 10**12)


def echo_radio(text: str) -> bool:
    words = text.split()
    letters = all(word.isascii() and word.isalpha() and len(word) <= 12 for word in words)
    return letters and 1 <= len(words) <= 5000 and text.index("\n") == len(text) - 1


def ferry_loads(text: str) -> bool:
    (n, t, p), weights = rows(text)
    return len(weights) == n <= 4000 and t * p >= n and within(1, [t, p], n) and within(1, weights, 10**9)


def flooded_cellar(text: str) -> bool:
    first, *grid = text.removesuffix("\n").split("\n")
    r, c = map(int, first.split())
    shape = len(grid) == r and all(len(line) == c for line in grid) and within(1, [r, c], 80)
    return shape and set("".join(grid)) <= set("#.D*") and "*" in "".join(grid)


def gift_suitcase(args: list[Any]) -> bool:
    limit, people = args
    things = [thing for found in people for thing in found]
    good = all(1 <= weight <= 3000 and 1 <= joy <= 10**6 for weight, joy in things)
    return good and 0 <= limit <= 3000 and len(people) <= 30 and all(len(found) <= 8 for found in people)


def lantern_stairs(text: str) -> bool:
    (n, m), *lanterns = rows(text)
    good = all(1 <= p <= n and 0 <= r <= 10**9 for p, r in lanterns)
    return good and len(lanterns) == m <= 2000 and 1 <= n <= 10**9


def ledger_digits(args: list[int]) -> bool:
    low, high, k = args
    return 1 <= low <= high <= 10**18 and 1 <= k <= 40


def letter_wheel(args: list[str]) -> bool:
    wheel, target = args
    letters = (wheel + target).isascii() and (wheel + target).isalpha() and (wheel + target).islower()
    return letters and 1 <= len(wheel) == len(target) <= 300000


def lost_mittens(text: str) -> bool:
    first, *lines = text.removesuffix("\n").split("\n")
    mittens = [line.split() for line in lines]
    good = all(side in "LR" and (name + colour).isalpha() for name, colour, side in mittens)
    return (
        good
        and len(mittens) == int(first) <= 2000
        and all(len(word) <= 8 for mitten in mittens for word in mitten)
    )


def night_shift(text: str) -> bool:
    (n,), *table = rows(text)
    square = len(table) == 2 * n and all(len(row) == n for row in table)
    return square and n <= 12 and within(0, flat(table), 10**6) and not any(table[n + i][i] for i in range(n))


def odd_badge(args: list[Any]) -> bool:
    scans, k = args
    odd = [times for times in Counter(scans).values() if times != k]
    return (
        2 <= k <= 20 and len(scans) <= 2000 and len(odd) == 1 and odd[0] < k and within(0, scans, 2**48 - 1)
    )


def paper_fold(args: list[Any]) -> bool:
    folds, position = args
    return 1 <= len(folds) <= 60 and set(folds) <= set("ou") and 1 <= position < 2 ** len(folds)


def quarry_rope(text: str) -> bool:
    (n, r), *posts = rows(text)
    return len(posts) == n <= 2000 and 0 <= r <= 1000 and within(-10000, flat(posts), 10000)


def ribbon_cuts(text: str) -> bool:
    (length, n), marks = rows(text)
    ordered = marks == sorted(set(marks)) and within(1, marks, length - 1)
    return ordered and len(marks) == n <= 120 and 2 <= length <= 10**6


def ring_codes(args: list[int]) -> bool:
    rings, symbols = args
    return 1 <= rings <= 10**18 and 1 <= symbols <= 10**9


def seed_packets(args: list[Any]) -> bool:
    counts, most = args
    return 1 <= len(counts) <= 50 and within(1, [*counts, most], 10**12)


def shelf_order(args: list[list[str]]) -> bool:
    good = all(label.isascii() and label.isalnum() and label == label.lower() for label in args[0])
    return good and len(args[0]) <= 500 and within(1, [len(label) for label in args[0]], 40)


def sluice_gates(text: str) -> bool:
    (n, m), *rules = rows(text)
    return len(rules) == m <= 5000 and n <= 3000 and all(a != b and within(1, [a, b], n) for a, b in rules)


def tangled_toolbox(text: str) -> bool:
    first, *lines = text.removesuffix("\n").split("\n")
    good = all(line.split()[0] in ("open", "close") and 1 <= len(line.split()[1]) <= 8 for line in lines)
    return good and len(lines) == int(first) <= 3000


def toll_vouchers(text: str) -> bool:
    (n, m, v), *roads = rows(text)
    good = all(a != b and within(1, [a, b], n) and 1 <= toll <= 10**6 for a, b, toll in roads)
    return good and len(roads) == m <= 3000 and n <= 800 and 0 <= v <= 10


def tram_doors(text: str) -> bool:
    (n, c), *stops = rows(text)
    return len(stops) == n <= 1000 and 1 <= c <= 10**9 and within(0, flat(stops), 10**9)


def two_lamps(text: str) -> bool:
    lamps = rows(text)
    return len(lamps) == 2 and all(within(-1000, [x, y], 1000) and 1 <= r <= 1000 for x, y, r in lamps)


def two_porters(args: list[list[int]]) -> bool:
    return len(args[0]) in range(2, 31, 2) and within(1, args[0], 10**12)


def village_well(text: str) -> bool:
    ((n, a, b, w, c, p),) = rows(text)
    return 1 <= w <= n <= 60000 and within(0, [a, b, c], 10**9) and 1 <= p <= 1000


def washed_bridges(text: str) -> bool:
    (n, m, k), *causeways, storm = rows(text)
    good = all(1 <= a < b <= n and s >= 1 and (b - a) % s == 0 for a, b, s in causeways)
    bridges = sum((b - a) // s for a, b, s in causeways)
    lost = len(set(storm)) == len(storm) == k <= 1500 and within(1, storm, bridges)
    return good and lost and len(causeways) == m <= 200 and 2 <= n <= 20000 and k <= bridges <= 40000


def watering_days(text: str) -> bool:
    (n,), *trees = rows(text)
    return len(trees) == n <= 1500 and all(1 <= a <= b <= 10**9 and (a < b or a % 7) for a, b in trees)


def wet_stones(text: str) -> bool:
    (n, w), *lines = rows(text)
    wet = flat(lines)
    return len(set(wet)) == len(wet) == w <= min(n, 1000) and n <= 100000 and within(1, wet, n)


KEEPS_LIMITS: dict[str, Predicate] = {
    name.replace("_", "-"): value
    for name, value in list(globals().items())
    if callable(value)
    and getattr(value, "__module__", None) == __name__
    and name not in ("rows", "flat", "within")
}
