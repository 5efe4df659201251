from starter.walkthrough import Attempt, Ending, Exemplar, Walkthrough

TITLE = "Wet Stones"
DIFFICULTY = "easy"
TAGS = ["dp", "combinatorics"]
KIND = "stdio"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 128.0

STATEMENT = """
A row of N stones leads across a brook. Nora stands on the near bank, which counts as position 0; the stones
are positions 1 to N and the far bank is position N + 1. She only moves forward, by one, two or three
positions at a time. A move by three is a leap, and she never leaps twice in a row. Some stones are wet, and
she does not step on these.

In how many ways can she cross? Two ways differ if they use different stones. Give the number modulo 10^9 +
7.
"""
INPUT_SPEC = """
The first line holds N and W (1 <= N <= 100000, 0 <= W <= min(N, 1000)). If W > 0, the second line holds the
W different positions of the wet stones.
"""
OUTPUT_SPEC = "Print the number of ways modulo 10^9 + 7."
NOTES = """
In the first example the five ways use the stones 1-3-4, 1-3, 1-4, 3-4 and 3. In the second only stone 3 is
dry, and reaching the far bank from it would be a second leap in a row.
"""

SAMPLES = ["4 1\n2\n", "5 4\n1 2 4 5\n", "2 0\n"]


def generate(rng):
    tests = [
        "1 0\n",
        "1 1\n1\n",
        "2 2\n1 2\n",
        "3 3\n3 1 2\n",
        "3 2\n1 2\n",
        "5 0\n",
        "6 3\n1 3 5\n",
        "8 5\n1 2 4 5 7\n",
        "9 1\n9\n",
        "11 7\n1 2 4 6 7 9 10\n",
        "60 0\n",
    ]
    for stones, wet in [(7, 2), (8, 2), (10, 3), (12, 4), (15, 4), (20, 5), (40, 8), (100, 20), (1000, 150)]:
        tests.append(_random(rng, stones, wet))
    tests.append("100000 0\n")
    tests.append(_random(rng, 100000, 1000))
    return tests


def _random(rng, stones, wet):
    return f"{stones} {wet}\n{' '.join(map(str, rng.sample(range(1, stones + 1), wet)))}\n"


REFERENCE = r"""
import sys

numbers = list(map(int, sys.stdin.read().split()))
n, wet = numbers[0], set(numbers[2:])
prime = 10**9 + 7
step = [0] * (n + 2)
leap = [0] * (n + 2)
step[0] = 1
for here in range(1, n + 2):
    if here in wet:
        continue
    step[here] = (step[here - 1] + leap[here - 1]) % prime
    if here >= 2:
        step[here] = (step[here] + step[here - 2] + leap[here - 2]) % prime
    if here >= 3:
        leap[here] = step[here - 3]
print((step[n + 1] + leap[n + 1]) % prime)
"""

WRONG = {
    "leaps twice in a row": r"""
import sys

numbers = list(map(int, sys.stdin.read().split()))
n, wet = numbers[0], set(numbers[2:])
ways = [1] + [0] * (n + 1)
for here in range(1, n + 2):
    if here not in wet:
        ways[here] = sum(ways[max(0, here - 3):here]) % (10**9 + 7)
print(ways[n + 1])
""",
    "goes down by recursion": r"""
import sys
from functools import lru_cache

numbers = list(map(int, sys.stdin.read().split()))
n, wet = numbers[0], set(numbers[2:])


@lru_cache(maxsize=None)
def ways(here, leapt):
    if here in wet or here > n + 1:
        return 0
    if here == n + 1:
        return 1
    total = ways(here + 1, False) + ways(here + 2, False)
    if not leapt:
        total += ways(here + 3, True)
    return total % (10**9 + 7)


print(ways(0, False))
""",
    "stops on the last stone": r"""
import sys

numbers = list(map(int, sys.stdin.read().split()))
n, wet = numbers[0], set(numbers[2:])
step, leap = [1] + [0] * n, [0] * (n + 1)
for here in range(1, n + 1):
    if here not in wet:
        step[here] = step[here - 1] + leap[here - 1]
        if here >= 2:
            step[here] += step[here - 2] + leap[here - 2]
        if here >= 3:
            leap[here] = step[here - 3]
        step[here] %= 10**9 + 7
print((step[n] + leap[n]) % (10**9 + 7))
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.FIRST_TRY,
    exemplars=(
        Exemplar(
            description="""
            Count the ways to climb n stairs with steps of one or two when some stairs are broken.
            """,
            code=r"""
            n, m = map(int, input().split())
            broken = set(map(int, input().split()))
            ways = [0] * (n + 1)
            ways[0] = 1
            for i in range(1, n + 1):
                if i not in broken:
                    ways[i] = (ways[i - 1] + (ways[i - 2] if i > 1 else 0)) % (10**9 + 7)
            print(ways[n])
            """,
            planning="""
            1. ways[i] is the number of ways to reach stair i, 0 for a broken stair.
            2. A stair is reached from one or two stairs below.
            3. Take everything modulo 10^9 + 7.
            """,
        ),
        Exemplar(
            description="Count binary strings of length n without two ones in a row.",
            code=r"""
            n = int(input())
            zero, one = 1, 0
            for _ in range(n):
                zero, one = zero + one, zero
            print(zero + one)
            """,
            planning="""
            1. Keep two numbers: strings that end with 0 and strings that end with 1.
            2. A 0 may follow anything, a 1 only a 0.
            """,
        ),
        Exemplar(
            description="""
            A frog jumps to the right by 1 to k cells and must not land on marked cells. Count its ways to
            the last cell.
            """,
            code=r"""
            n, k = map(int, input().split())
            marked = input().strip()
            ways = [1] + [0] * (n - 1)
            for i in range(1, n):
                if marked[i] == ".":
                    ways[i] = sum(ways[max(0, i - k):i]) % (10**9 + 7)
            print(ways[-1])
            """,
            planning="""
            1. The ways to a cell are the sum of the ways to the k cells before it.
            2. Marked cells have no ways.
            """,
        ),
    ),
    algorithm="""
    Dynamic programming over positions. Let ways[i] count the ways to stand on position i; it is the sum
    over the positions from which i is reached in one move. When the last move restricts the next one, split
    the state by the kind of the last move. Positions that are forbidden keep 0. Fill the table from left to
    right with a loop, not by deep recursion, and reduce modulo the given prime.
    """,
    attempts=(
        Attempt(
            plan="""
            1. a[i] counts ways to reach i with a last move of 1 or 2 (or the start), b[i] with a leap as
               last move.
            2. a[0] = 1, b[0] = 0. Wet stones keep 0 in both.
            3. a[i] = a[i-1] + b[i-1] + a[i-2] + b[i-2]; b[i] = a[i-3]; indices below 0 count 0.
            4. Print (a[N+1] + b[N+1]) mod 10^9 + 7. When W is 0 there is no second line, so read all input
               at once.
            """,
            confidence=95,
            explanation="""
            The state remembers whether the last move was a leap, which is all the rule needs. O(N).
            """,
            code=r"""
            import sys


            def main():
                data = sys.stdin.read().split()
                n, w = int(data[0]), int(data[1])
                wet = [False] * (n + 2)
                for position in data[2:2 + w]:
                    wet[int(position)] = True
                mod = 10**9 + 7
                a = [0] * (n + 2)
                b = [0] * (n + 2)
                a[0] = 1
                for i in range(1, n + 2):
                    if wet[i]:
                        continue
                    total = a[i - 1] + b[i - 1]
                    if i >= 2:
                        total += a[i - 2] + b[i - 2]
                    a[i] = total % mod
                    if i >= 3:
                        b[i] = a[i - 3]
                print((a[n + 1] + b[n + 1]) % mod)


            main()
            """,
        ),
        Attempt(
            plan="""
            1. Go from left to right and keep two lists as in counting strings: the last move was a leap or
               it was not.
            2. Push the ways forward: from i to i + 1 and i + 2 without a leap, and to i + 3 with a leap if
               the last move was none.
            3. Skip wet stones. The answer stands at N + 1.
            """,
            confidence=92,
            explanation="Forward pushes give the same recurrence; the arrays need three more entries.",
            code=r"""
            import sys

            data = list(map(int, sys.stdin.read().split()))
            n, wet = data[0], set(data[2:])
            mod = 10**9 + 7
            plain = [0] * (n + 5)
            leapt = [0] * (n + 5)
            plain[0] = 1
            for i in range(n + 1):
                if i in wet:
                    continue
                total = (plain[i] + leapt[i]) % mod
                plain[i + 1] += total
                plain[i + 2] += total
                leapt[i + 3] += plain[i] % mod
            print((plain[n + 1] + leapt[n + 1]) % mod)
            """,
        ),
        Attempt(
            plan="""
            1. ways[i] = ways[i-1] + ways[i-2] + ways[i-3], 0 for wet stones.
            2. Subtract ways[i-6], which stand for two leaps in a row.
            """,
            confidence=38,
            explanation="""
            Subtracting ways[i-6] does not remove exactly the forbidden sequences: it counts wrongly when
            the stone between is wet or more leaps follow.
            """,
            code=r"""
            import sys

            data = list(map(int, sys.stdin.read().split()))
            n, wet = data[0], set(data[2:])
            mod = 10**9 + 7
            ways = [1] + [0] * (n + 1)
            for i in range(1, n + 2):
                if i not in wet:
                    ways[i] = sum(ways[max(0, i - 3):i]) % mod
                    if i >= 6:
                        ways[i] = (ways[i] - ways[i - 6]) % mod
            print(ways[n + 1])
            """,
        ),
    ),
)
