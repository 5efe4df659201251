"""The steps that work on a list of integers `a`."""

from __future__ import annotations

from micro.operation import Kind, Operation


def _filter(
    name: str,
    level: int,
    tag: str,
    traits: tuple[tuple[str, str], ...],
    condition: str,
    constants: tuple[int, ...] = (),
    needs_k: bool = False,
) -> Operation:
    """`traits` are (plural, singular) predicates that mean the same."""
    return Operation(
        name=name,
        kind=Kind.FILTER,
        level=level,
        tag=tag,
        commands=tuple(
            phrase
            for plural, singular in traits
            for phrase in (
                f"keep only the {{things}} that {plural}",
                f"throw away each of the {{things}} unless it {singular}",
            )
        ),
        nouns=tuple(f"those that {plural} among" for plural, _ in traits),
        plan=f"keep elements that {traits[0][0]}",
        code=f"a = [x for x in a if {condition}]",
        constants=constants,
        needs_k=needs_k,
    )


def _map(
    name: str,
    level: int,
    tag: str,
    images: tuple[str, ...],
    noun: str,
    expression: str,
    constants: tuple[int, ...] = (),
    needs_k: bool = False,
) -> Operation:
    return Operation(
        name=name,
        kind=Kind.MAP,
        level=level,
        tag=tag,
        commands=tuple(
            phrase
            for image in images
            for phrase in (f"replace each of the {{things}} by {image}", f"change every element to {image}")
        ),
        nouns=(noun,),
        plan=f"replace each element by {images[0]}",
        code=f"a = [{expression} for x in a]",
        constants=constants,
        needs_k=needs_k,
    )


def _order(
    name: str,
    level: int,
    tag: str,
    commands: tuple[str, ...],
    nouns: tuple[str, ...],
    plan: str,
    code: str,
    needs_k: bool = False,
) -> Operation:
    return Operation(name, Kind.ORDER, level, tag, commands, nouns, plan, code, needs_k=needs_k)


def _reduce(
    name: str, level: int, tag: str, nouns: tuple[str, ...], plan: str, code: str, needs_k: bool = False
) -> Operation:
    return Operation(name, Kind.REDUCE, level, tag, (), nouns, plan, code, needs_k=needs_k)


_PRIME = "x > 1 and all(x % d for d in range(2, int(x ** 0.5) + 1))"

FILTERS = (
    _filter(
        "even",
        1,
        "filter",
        (("are even", "is even"), ("are divisible by two", "is divisible by two")),
        "x % 2 == 0",
    ),
    _filter("odd", 1, "filter", (("are odd", "is odd"), ("are not even", "is not even")), "x % 2 != 0"),
    _filter(
        "positive",
        1,
        "filter",
        (("are positive", "is positive"), ("are above zero", "is above zero")),
        "x > 0",
    ),
    _filter(
        "negative",
        1,
        "filter",
        (("are negative", "is negative"), ("are below zero", "is below zero")),
        "x < 0",
    ),
    _filter(
        "greater",
        1,
        "comparison",
        (("are greater than {c}", "is greater than {c}"), ("exceed {c}", "exceeds {c}")),
        "x > {c}",
        (3, 5, 7, 10),
    ),
    _filter(
        "multiple",
        1,
        "divisibility",
        (("are multiples of {c}", "is a multiple of {c}"), ("are divisible by {c}", "is divisible by {c}")),
        "x % {c} == 0",
        (3, 4, 5, 7),
    ),
    _filter(
        "prime", 3, "primes", (("are prime", "is prime"), ("are prime numbers", "is a prime number")), _PRIME
    ),
    _filter(
        "greater_k",
        1,
        "comparison",
        (("are greater than k", "is greater than k"), ("exceed k", "exceeds k")),
        "x > k",
        needs_k=True,
    ),
)

MAPS = (
    _map("square", 1, "powers", ("its square", "the product with itself"), "the squares of", "x * x"),
    _map(
        "absolute",
        1,
        "absolute value",
        ("its absolute value", "its distance from zero"),
        "the absolute values of",
        "abs(x)",
    ),
    _map(
        "digit_sum",
        2,
        "digit sums",
        ("its digit sum", "the sum of its digits"),
        "the digit sums of",
        "sum(map(int, str(abs(x))))",
    ),
    _map(
        "add",
        1,
        "arithmetic",
        ("itself plus {c}", "the value {c} larger"),
        "the results of adding {c} to each of",
        "x + {c}",
        (2, 3, 5, 10),
    ),
    _map(
        "times",
        1,
        "arithmetic",
        ("itself times {c}", "the value {c} times as large"),
        "the results of multiplying by {c} each of",
        "x * {c}",
        (2, 3, 5),
    ),
    _map(
        "remainder",
        1,
        "modulo",
        ("its remainder modulo {c}", "the remainder of dividing it by {c}"),
        "the remainders modulo {c} of",
        "x % {c}",
        (3, 5, 7, 10),
    ),
)

ORDERS = (
    _order(
        "ascending",
        1,
        "sorting",
        ("sort the {things} in increasing order", "arrange the {things} from smallest to largest"),
        ("the ascending order of",),
        "sort ascending",
        "a = sorted(a)",
    ),
    _order(
        "descending",
        1,
        "sorting",
        ("sort the {things} in decreasing order", "arrange the {things} from largest to smallest"),
        ("the descending order of",),
        "sort descending",
        "a = sorted(a, reverse=True)",
    ),
    _order(
        "reverse",
        1,
        "reversal",
        ("reverse the order of the {things}", "read the {things} from right to left"),
        ("the reversal of",),
        "reverse the list",
        "a = a[::-1]",
    ),
    _order(
        "unique",
        2,
        "deduplication",
        ("drop repeated values keeping the first of each", "remove duplicates from the {things}"),
        ("the distinct values of",),
        "remove duplicates keeping the first",
        "a = list(dict.fromkeys(a))",
    ),
    _order(
        "prefix_sums",
        2,
        "prefix sums",
        ("build the prefix sums of the {things}", "replace the {things} by their running totals"),
        ("the prefix sums of", "the running totals of"),
        "build prefix sums",
        "a = [sum(a[:i + 1]) for i in range(len(a))]",
    ),
    _order(
        "differences",
        2,
        "differences",
        ("take the difference of each element and the one before", "replace the {things} by their steps"),
        ("the consecutive differences of",),
        "take consecutive differences",
        "a = [y - x for x, y in zip(a, a[1:])]",
    ),
    _order(
        "pair_sums",
        2,
        "adjacent pairs",
        ("add up every two neighbours", "replace the {things} by the sums of adjacent pairs"),
        ("the sums of adjacent pairs of",),
        "take sums of adjacent pairs",
        "a = [x + y for x, y in zip(a, a[1:])]",
    ),
    _order(
        "every_second",
        1,
        "indexing",
        (
            "take every second one of the {things} starting with the first",
            "keep the positions with even index counting from zero",
        ),
        ("every second one of",),
        "take every second element",
        "a = a[::2]",
    ),
    _order(
        "first_k",
        1,
        "slicing",
        ("keep the first k of the {things}", "cut the list after k elements"),
        ("the first k of",),
        "take the first k elements",
        "a = a[:k]",
        needs_k=True,
    ),
)

REDUCTIONS = (
    _reduce("sum", 1, "sum", ("the sum of {of}", "the total of {of}"), "print the sum", "print(sum(a))"),
    _reduce(
        "maximum",
        1,
        "maximum",
        ("the maximum of {of}", "the largest of {of}"),
        "print the maximum",
        "print(max(a))",
    ),
    _reduce(
        "minimum",
        1,
        "minimum",
        ("the minimum of {of}", "the smallest of {of}"),
        "print the minimum",
        "print(min(a))",
    ),
    _reduce(
        "count",
        1,
        "counting",
        ("the count of {of}", "the number of {of}"),
        "print the count",
        "print(len(a))",
    ),
    _reduce("all", 1, "output", ("the list of {of}", "all of {of}"), "print all elements", "print(*a)"),
    _reduce(
        "gcd",
        2,
        "gcd",
        ("the greatest common divisor of {of}", "the gcd of {of}"),
        "print the gcd",
        "from math import gcd\nprint(gcd(*a))",
    ),
    _reduce(
        "xor",
        2,
        "xor",
        ("the bitwise xor of {of}", "the xor of {of}"),
        "print the xor",
        "t = 0\nfor x in a:\n    t ^= x\nprint(t)",
    ),
    _reduce(
        "best_segment",
        3,
        "kadane",
        ("the best sum of a contiguous segment of {of}", "the maximum subarray sum of {of}"),
        "print the best segment sum",
        "best = cur = a[0]\nfor x in a[1:]:\n    cur = max(x, cur + x)\n    best = max(best, cur)\nprint(best)",
    ),
    _reduce(
        "increasing_subsequence",
        3,
        "lis",
        (
            "the length of the longest increasing subsequence of {of}",
            "the size of the longest strictly growing subsequence of {of}",
        ),
        "print the lis length",
        "from bisect import bisect_left\nt = []\nfor x in a:\n    i = bisect_left(t, x)\n"
        "    t[i:i + 1] = [x]\nprint(len(t))",
    ),
    _reduce(
        "different",
        1,
        "sets",
        ("the number of distinct values of {of}", "how many different values occur in {of}"),
        "print the number of distinct values",
        "print(len(set(a)))",
    ),
    _reduce(
        "pair_k",
        3,
        "two sum",
        (
            "YES if two of {of} add up to k and NO if not",
            "YES or NO depending on whether some pair of {of} has sum k",
        ),
        "print YES if some pair sums to k",
        's = set()\nok = False\nfor x in a:\n    ok = ok or k - x in s\n    s.add(x)\nprint("YES" if ok else "NO")',
        needs_k=True,
    ),
    _reduce(
        "spread",
        1,
        "range",
        ("the difference between the maximum and the minimum of {of}", "the spread of {of}"),
        "print maximum minus minimum",
        "print(max(a) - min(a))",
    ),
    _reduce(
        "second",
        2,
        "selection",
        ("the second largest distinct value of {of}", "the runner up among the different values of {of}"),
        "print the second largest distinct value",
        "print(sorted(set(a))[-2])",
    ),
)

LIST_OPERATIONS = FILTERS + MAPS + ORDERS + REDUCTIONS
