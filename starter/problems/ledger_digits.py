from starter.walkthrough import Attempt, Ending, Exemplar, Repair, Walkthrough

TITLE = "Ledger Numbers"
DIFFICULTY = "hard"
TAGS = ["dp", "combinatorics", "recursion"]
KIND = "call"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 128.0
ENTRY_POINT = "count_ledger"
STARTER_CODE = '''
def count_ledger(low: int, high: int, k: int) -> int:
    """How many numbers from low to high the bank may use."""
'''

STATEMENT = """
A bank numbers its ledgers so that copying errors are noticed: a number may be used only if no two digits
that stand side by side are equal and the sum of its digits is divisible by k. Numbers are written without
leading zeros.

Write `count_ledger(low, high, k)` that returns how many numbers from `low` to `high`, both included, may be
used.

Limits: 1 <= low <= high <= 10^18, 1 <= k <= 40.
"""
INPUT_SPEC = ""
OUTPUT_SPEC = ""
NOTES = """
In the first example these are 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 36, 39, 42, 45 and 48; 33 has equal
neighbours.
"""

SAMPLES = [[1, 50, 3], [100, 1157, 4], [1, 10**15, 9]]


def generate(rng):
    tests = [
        [1, 1, 1],
        [1, 1, 2],
        [1, 9, 1],
        [10, 10, 1],
        [11, 11, 1],
        [1, 100, 1],
        [100, 110, 2],
        [99, 101, 1],
        [1, 999, 27],
        [1, 10**18, 1],
        [1, 10**18, 40],
        [10**18, 10**18, 1],
        [10**17, 10**18, 7],
        [121212121212121212, 121212121212121212, 27],
        [112233445566778899, 998877665544332211, 10],
        [90909090909090909, 989898989898989898, 9],
    ]
    for most, k in [
        (10**3, 4),
        (10**4, 5),
        (10**6, 6),
        (10**9, 8),
        (10**12, 11),
        (10**15, 13),
        (10**18, 17),
        (10**18, 3),
    ]:
        low, high = sorted(rng.randint(1, most) for _ in range(2))
        tests.append([low, high, k])
    return tests


REFERENCE = r"""
from functools import cache


def count_ledger(low, high, k):
    @cache
    def free(places, last, rest):
        if places == 0:
            return int(rest == 0)
        return sum(free(places - 1, digit, (rest + digit) % k) for digit in range(10) if digit != last)

    def below(limit):
        digits = list(map(int, str(limit)))
        count = sum(free(size - 1, first, first % k) for size in range(1, len(digits)) for first in range(1, 10))
        last, rest = None, 0
        for i, most in enumerate(digits):
            for digit in range(0 if i else 1, most):
                if digit != last:
                    count += free(len(digits) - i - 1, digit, (rest + digit) % k)
            if most == last:
                break
            last, rest = most, (rest + most) % k
        return count

    return below(high + 1) - below(low)
"""

WRONG = {
    "excludes the last number": REFERENCE.replace("below(high + 1)", "below(high)"),
    "goes on behind equal digits of the limit": REFERENCE.replace(
        "            if most == last:\n                break\n", ""
    ),
    "allows leading zeros to stand beside zeros": REFERENCE.replace(
        "for size in range(1, len(digits)) for", "for size in range(len(digits), len(digits)) for"
    ).replace("range(0 if i else 1, most)", "range(most)"),
    "looks at every number": r"""
def count_ledger(low, high, k):
    count = 0
    for number in range(low, high + 1):
        text = str(number)
        if sum(map(int, text)) % k == 0 and all(a != b for a, b in zip(text, text[1:])):
            count += 1
    return count
""",
}

_TABLE = r"""
from functools import lru_cache


def count_ledger(low, high, k):
    def up_to(limit):
        digits = [int(c) for c in str(limit)]

        @lru_cache(maxsize=None)
        def go(i, last, rest, tight):
            if i == len(digits):
                return 1 if rest == 0 else 0
            top = digits[i] if tight else 9
            count = 0
            for d in range(top + 1):
                if d == last:
                    continue
                count += go(i + 1, d, (rest + d) % k, tight and d == top)
            return count

        return go(0, 0, 0, True)

    return up_to(high) - up_to(low - 1)
"""

_LENGTHS = r"""
from functools import lru_cache


def count_ledger(low, high, k):
    @lru_cache(maxsize=None)
    def ways(places, last, rest):
        if places == 0:
            return 1 if rest == 0 else 0
        return sum(ways(places - 1, d, (rest + d) % k) for d in range(10) if d != last)

    def below(limit):
        digits = [int(c) for c in str(limit)]
        n = len(digits)
        count = 0
        for length in range(1, n):
            for d in range(1, 10):
                count += ways(length - 1, d, d % k)
        last = -1
        rest = 0
        for i in range(n):
            for d in range(1 if i == 0 else 0, digits[i]):
                if d != last:
                    count += ways(n - i - 1, d, (rest + d) % k)
            last = digits[i]
            rest = (rest + last) % k
        return count

    return below(high) - below(low)
"""

WALKTHROUGH = Walkthrough(
    ending=Ending.NO_PLAN_PASSES,
    exemplars=(
        Exemplar(
            description="Count the numbers from 0 to N whose digit sum is divisible by k.",
            code=r"""
            from functools import lru_cache


            def count(n, k):
                digits = [int(c) for c in str(n)]

                @lru_cache(None)
                def go(i, rest, tight):
                    if i == len(digits):
                        return int(rest == 0)
                    top = digits[i] if tight else 9
                    return sum(go(i + 1, (rest + d) % k, tight and d == top) for d in range(top + 1))

                return go(0, 0, True)
            """,
            planning="""
            1. Go through the digits of N from the left. The state is the position, the digit sum modulo k
               and whether the number still equals N so far.
            2. Add up the results of all allowed next digits, with memory.
            """,
        ),
        Exemplar(
            description="Count the strings of n digits in which neighbouring digits differ.",
            code=r"""
            def strings(n):
                return 10 * 9 ** (n - 1)
            """,
            planning="""
            1. The first digit has ten choices, every other one nine.
            2. Multiply.
            """,
        ),
        Exemplar(
            description="Count the numbers below N that contain no digit 4, by going along the digits of N.",
            code=r"""
            def without_four(n):
                digits = [int(c) for c in str(n)]
                count = 0
                for i, top in enumerate(digits):
                    smaller = sum(1 for d in range(top) if d != 4)
                    count += smaller * 9 ** (len(digits) - i - 1)
                    if top == 4:
                        break
                return count
            """,
            planning="""
            1. A smaller number agrees with N up to some place and has a smaller digit there; the places
               behind are free.
            2. Add up over all places.
            """,
        ),
    ),
    algorithm="""
    Digit dynamic programming. Count numbers up to a limit by building them from the left. The state holds
    what later digits depend on: the last digit, the digit sum modulo k, whether the number is still equal
    to the limit so far, and whether it has started yet, because leading zeros are no digits of the number.
    The count of a range is f(high) - f(low - 1). The number of states is small: 19 * 11 * k * 2 * 2.
    """,
    attempts=(
        Attempt(
            plan="""
            1. f(N) counts the allowed numbers from 0 to N by digit dynamic programming over the digits of
               N.
            2. The state is (position, last digit, sum modulo k, tight). A next digit equal to the last one
               is skipped.
            3. The answer is f(high) - f(low - 1).
            """,
            confidence=89,
            explanation="""
            The state holds the last digit and the remainder, which are the two rules. About 15000 states.
            """,
            code=_TABLE,
            repairs=(
                Repair(
                    planning="""
                    The counts are too small: with last = 0 at the beginning a first digit 0 is forbidden,
                    so shorter numbers are never counted.
                    1. Start with last = -1, which differs from every digit.
                    """,
                    code=_TABLE.replace("go(0, 0, 0, True)", "go(0, -1, 0, True)"),
                ),
                Repair(
                    planning="""
                    Still too small: numbers that are shorter by two or more digits begin with several
                    leading zeros, and the second zero is skipped as equal to the first.
                    1. Never treat a zero as equal to the digit before it.
                    """,
                    code=_TABLE.replace("go(0, 0, 0, True)", "go(0, -1, 0, True)").replace(
                        "if d == last:", "if d == last and d != 0:"
                    ),
                ),
            ),
        ),
        Attempt(
            plan="""
            1. There are 9^n numbers of n digits without equal neighbours: nine choices for every digit.
            2. Digit sums are spread evenly, so one k-th of them is divisible by k.
            3. Count the lengths below that of the limit this way, go along the digits of the limit for the
               last length, and divide by k.
            """,
            confidence=58,
            explanation="""
            The count of numbers without equal neighbours is right, but the even spread of digit sums is
            only approximate.
            """,
            code=r"""
            def count_ledger(low, high, k):
                def below(limit):
                    digits = [int(c) for c in str(limit)]
                    n = len(digits)
                    count = sum(9**length for length in range(1, n))
                    last = -1
                    for i, top in enumerate(digits):
                        smaller = sum(1 for d in range(1 if i == 0 else 0, top) if d != last)
                        count += smaller * 9 ** (n - i - 1)
                        if top == last:
                            break
                        last = top
                    return count

                return (below(high + 1) - below(low)) // k
            """,
            repairs=(
                Repair(
                    planning="""
                    The results are close, but not exact. Rounding down loses a part; round to the nearest
                    number instead.
                    1. Return (2 * count + k) // (2 * k).
                    """,
                    code=r"""
                    def count_ledger(low, high, k):
                        def below(limit):
                            digits = [int(c) for c in str(limit)]
                            n = len(digits)
                            count = sum(9**length for length in range(1, n))
                            last = -1
                            for i, top in enumerate(digits):
                                smaller = sum(1 for d in range(1 if i == 0 else 0, top) if d != last)
                                count += smaller * 9 ** (n - i - 1)
                                if top == last:
                                    break
                                last = top
                            return count

                        count = below(high + 1) - below(low)
                        return (2 * count + k) // (2 * k)
                    """,
                ),
            ),
        ),
        Attempt(
            plan="""
            1. ways(places, last, rest) is the number of ways to append that many digits after the digit
               last so that the sum becomes divisible by k.
            2. below(N): all shorter lengths, then for each place of N the smaller digits that differ from
               the one before.
            3. The answer is below(high) - below(low).
            """,
            confidence=74,
            explanation="""
            Lengths are handled separately, so leading zeros cause no trouble. The ends of the range need
            care.
            """,
            code=_LENGTHS,
            repairs=(
                Repair(
                    planning="""
                    below(N) counts the numbers smaller than N, so the number high itself is missing.
                    1. Return below(high + 1) - below(low).
                    """,
                    code=_LENGTHS.replace("below(high) -", "below(high + 1) -"),
                ),
            ),
        ),
    ),
)
