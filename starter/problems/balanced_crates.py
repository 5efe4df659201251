from starter.walkthrough import Attempt, Ending, Exemplar, Walkthrough

TITLE = "Balanced Crates"
DIFFICULTY = "easy"
TAGS = ["hashing", "math"]
KIND = "stdio"
TIME_LIMIT_S = 0.5
MEMORY_LIMIT_MB = 128.0

STATEMENT = """
A cable car carries exactly two crates at a time, and its counterweight can be set only to whole multiples
of M kilograms. A pair of crates can ride without swinging when their weights add up to such a multiple.

How many different pairs of the N crates can ride?
"""
INPUT_SPEC = """
The first line holds N and M (1 <= N <= 20000, 1 <= M <= 10^9). The second line holds the N weights, whole
numbers from 1 to 10^9.
"""
OUTPUT_SPEC = "Print the number of pairs."
NOTES = """
In the first example the pairs are 3 + 7, 3 + 2, 8 + 7, 8 + 2 and 5 + 5. Crates of equal weight are
different crates.
"""

SAMPLES = ["6 5\n3 7 8 2 5 5\n", "3 10\n5 5 5\n", "1 1\n9\n"]


def generate(rng):
    tests = [
        "1 1000000000\n1000000000\n",
        "2 1\n1 1\n",
        "2 2\n1 2\n",
        "4 1000000000\n1000000000 1000000000 500000000 500000000\n",
        "4 7\n7 14 21 28\n",
        "4 7\n1 2 3 3\n",
        "5 6\n3 3 9 15 6\n",
        "2 1000000000\n999999999 1\n",
        "6 4\n2 2 2 6 6 10\n",
    ]
    for size, unit, most in [
        (8, 3, 9),
        (10, 4, 12),
        (12, 5, 30),
        (20, 7, 99),
        (40, 10, 99),
        (80, 6, 999),
        (200, 2, 10**9),
    ]:
        tests.append(_random(rng, size, unit, most))
        tests.append(_random(rng, size, unit + 1, most))
    tests.append(_random(rng, 20000, 3, 9))
    tests.append(_random(rng, 900, 10**9, 10**9))
    return tests


def _random(rng, size, unit, most):
    return f"{size} {unit}\n{' '.join(str(rng.randint(1, most)) for _ in range(size))}\n"


REFERENCE = r"""
n, unit = map(int, input().split())
seen = {}
pairs = 0
for weight in map(int, input().split()):
    rest = weight % unit
    pairs += seen.get(-rest % unit, 0)
    seen[rest] = seen.get(rest, 0) + 1
print(pairs)
"""

WRONG = {
    "looks for partners of remainder zero among those of remainder M": r"""
n, unit = map(int, input().split())
seen = {}
pairs = 0
for weight in map(int, input().split()):
    rest = weight % unit
    pairs += seen.get(unit - rest, 0)
    seen[rest] = seen.get(rest, 0) + 1
print(pairs)
""",
    "lets a crate ride with itself": r"""
from collections import Counter

n, unit = map(int, input().split())
rests = Counter(weight % unit for weight in map(int, input().split()))
print(sum(count * rests[-rest % unit] for rest, count in list(rests.items())) // 2)
""",
    "tries all pairs": r"""
n, unit = map(int, input().split())
weights = list(map(int, input().split()))
pairs = 0
for i in range(n):
    for j in range(i):
        if (weights[i] + weights[j]) % unit == 0:
            pairs += 1
print(pairs)
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.FIRST_TRY,
    exemplars=(
        Exemplar(
            description="Count the pairs of numbers in a list whose sum is exactly S.",
            code=r"""
            n, s = map(int, input().split())
            seen = {}
            pairs = 0
            for x in map(int, input().split()):
                pairs += seen.get(s - x, 0)
                seen[x] = seen.get(x, 0) + 1
            print(pairs)
            """,
            planning="""
            1. Go over the numbers and keep how often each value has occurred.
            2. A number x forms a pair with every earlier S - x.
            3. Add the number itself to the dictionary only afterwards.
            """,
        ),
        Exemplar(
            description="Count the consecutive blocks of a list whose sum is divisible by k.",
            code=r"""
            n, k = map(int, input().split())
            seen = {0: 1}
            prefix = blocks = 0
            for x in map(int, input().split()):
                prefix = (prefix + x) % k
                blocks += seen.get(prefix, 0)
                seen[prefix] = seen.get(prefix, 0) + 1
            print(blocks)
            """,
            planning="""
            1. A block has a sum divisible by k when the prefixes at both ends have the same remainder.
            2. Count equal remainders with a dictionary.
            """,
        ),
        Exemplar(
            description="""
            Pair up songs so that the total length of each pair is a number of full minutes; count the
            possible pairs.
            """,
            code=r"""
            n = int(input())
            rests = [0] * 60
            pairs = 0
            for length in map(int, input().split()):
                pairs += rests[-length % 60]
                rests[length % 60] += 1
            print(pairs)
            """,
            planning="""
            1. Only the remainder modulo 60 of a length matters.
            2. A remainder r needs the remainder (60 - r) mod 60.
            """,
        ),
    ),
    algorithm="""
    Hashing of remainders. A sum is divisible by M exactly when the remainders add up to 0 modulo M. Go over
    the items once; for an item with remainder r count the earlier items with remainder (M - r) mod M, then
    store r. The outer "mod M" matters for r = 0. Use a dictionary when M is large. O(N).
    """,
    attempts=(
        Attempt(
            plan="""
            1. Keep a dictionary of how many earlier crates have each remainder modulo M.
            2. For a crate with remainder r add the count of (M - r) % M to the answer.
            3. Then add the crate to the dictionary.
            4. Print the answer.
            """,
            confidence=96,
            explanation="""
            Each pair is counted once, at its second crate; r = 0 looks for 0. The dictionary has at most N
            entries.
            """,
            code=r"""
            def main():
                n, m = map(int, input().split())
                weights = list(map(int, input().split()))
                counts = {}
                answer = 0
                for w in weights:
                    r = w % m
                    answer += counts.get((m - r) % m, 0)
                    counts[r] = counts.get(r, 0) + 1
                print(answer)


            main()
            """,
        ),
        Attempt(
            plan="""
            1. Count all remainders.
            2. Remainders r and M - r with r < M - r give count[r] * count[M - r] pairs.
            3. Remainder 0, and M / 2 when M is even, pair with themselves: c * (c - 1) / 2 pairs.
            4. Print the sum.
            """,
            confidence=90,
            explanation="""
            Counting after the fact works when both remainders that are their own partners are treated
            separately.
            """,
            code=r"""
            from collections import Counter

            n, m = map(int, input().split())
            counts = Counter(int(w) % m for w in input().split())
            total = 0
            for r, c in counts.items():
                partner = (m - r) % m
                if partner == r:
                    total += c * (c - 1) // 2
                elif r < partner:
                    total += c * counts.get(partner, 0)
            print(total)
            """,
        ),
        Attempt(
            plan="""
            1. Make an array of length M with the number of crates of each remainder.
            2. For every pair of remainders (r, M - r) multiply the two counts.
            """,
            confidence=45,
            explanation="An array of length M does not fit when M is 10^9.",
            code=r"""
            n, m = map(int, input().split())
            counts = [0] * m
            for w in map(int, input().split()):
                counts[w % m] += 1
            total = counts[0] * (counts[0] - 1) // 2
            for r in range(1, m // 2 + 1):
                if 2 * r == m:
                    total += counts[r] * (counts[r] - 1) // 2
                else:
                    total += counts[r] * counts[m - r]
            print(total)
            """,
        ),
    ),
)
