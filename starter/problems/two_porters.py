from starter.walkthrough import Attempt, Ending, Exemplar, Repair, Walkthrough

TITLE = "Two Porters"
DIFFICULTY = "hard"
TAGS = ["meet in the middle", "binary search", "bit manipulation"]
KIND = "call"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 256.0
ENTRY_POINT = "fairest_split"
STARTER_CODE = '''
def fairest_split(weights: list[int]) -> int:
    """The least possible difference between the loads of two porters who carry equally many parcels."""
'''

STATEMENT = """
An expedition has an even number n of parcels and two porters. Each porter carries exactly n / 2 parcels,
and all parcels are carried.

Write `fairest_split(weights)` that returns the smallest possible difference between the total weights of
the two loads, in grams.

Limits: n is even, 2 <= n <= 30; each weight is a whole number from 1 to 10^12.
"""
INPUT_SPEC = ""
OUTPUT_SPEC = ""
NOTES = """
In the second example one porter takes 9, 7 and 4 and the other 8, 6 and 5, which makes 20 and 19 grams. In
the third the heavy parcel makes all splits bad; it goes with the lightest of the others.
"""

SAMPLES = [[[3, 5]], [[9, 8, 7, 6, 5, 4]], [[100, 1, 2, 3]], [[34, 21, 1, 8, 29, 29, 23, 20]]]


def generate(rng):
    tests = [
        [[1, 1]],
        [[10**12, 1]],
        [[5, 5, 5, 5]],
        [[1, 2, 3, 4]],
        [[1, 1, 1, 1, 1, 1, 1, 8]],
        [[1, 1, 1, 10, 10, 10]],
        [[20, 17, 16, 13, 10, 2, 2, 1]],
        [[2**i for i in range(30)]],
        [[3**i for i in range(24)]],
        [[10**12] * 15 + [10**12 - 1] * 15],
        [[10**12 - i * i for i in range(30)]],
    ]
    for size, most in [
        (6, 30),
        (8, 40),
        (8, 500),
        (10, 100),
        (12, 1000),
        (16, 10**5),
        (20, 10**6),
        (24, 10**9),
    ]:
        tests.append([[rng.randint(1, most) for _ in range(size)]])
    return tests + [[[rng.randint(1, most) for _ in range(30)]] for most in (10**12, 10**12, 10**9, 100)]


REFERENCE = r"""
from bisect import bisect_left


def fairest_split(weights):
    n = len(weights)
    total = sum(weights)

    def loads(parcels):
        by_count = [[0]] + [[] for _ in parcels]
        for i, weight in enumerate(parcels):
            for count in range(i, -1, -1):
                by_count[count + 1] += [load + weight for load in by_count[count]]
        return [sorted(found) for found in by_count]

    left, right = loads(weights[:n // 2]), loads(weights[n // 2:])
    best = total
    for count, found in enumerate(left):
        others = right[n // 2 - count]
        for load in found:
            at = bisect_left(others, (total + 1) // 2 - load)
            for other in others[max(0, at - 1):at + 1]:
                best = min(best, abs(total - 2 * (load + other)))
    return best
"""

WRONG = {
    "deals the sorted parcels out in turns": r"""
def fairest_split(weights):
    ordered = sorted(weights, reverse=True)
    first = second = 0
    for i in range(0, len(ordered), 2):
        if first <= second:
            first, second = first + ordered[i], second + ordered[i + 1]
        else:
            first, second = first + ordered[i + 1], second + ordered[i]
    return abs(first - second)
""",
    "does not count the parcels": r"""
from bisect import bisect_left


def fairest_split(weights):
    total = sum(weights)

    def loads(parcels):
        found = [0]
        for weight in parcels:
            found += [load + weight for load in found]
        return sorted(found)

    half = len(weights) // 2
    left, right = loads(weights[:half]), loads(weights[half:])
    best = total
    for load in left:
        at = bisect_left(right, total // 2 - load)
        for other in right[max(0, at - 1):at + 2]:
            best = min(best, abs(total - 2 * (load + other)))
    return best
""",
    "tries all halves": r"""
from itertools import combinations


def fairest_split(weights):
    total = sum(weights)
    return min(abs(total - 2 * sum(half)) for half in combinations(weights, len(weights) // 2))
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.LATER_PLAN,
    exemplars=(
        Exemplar(
            description="""
            Two teams of equal size are chosen by two captains who pick in turns; make the strengths as
            equal as possible with a simple rule.
            """,
            code=r"""
            def teams(strengths):
                ordered = sorted(strengths, reverse=True)
                a = b = 0
                for i in range(0, len(ordered), 2):
                    strong, weak = ordered[i], ordered[i + 1]
                    if a <= b:
                        a, b = a + strong, b + weak
                    else:
                        a, b = a + weak, b + strong
                return abs(a - b)
            """,
            planning="""
            1. Sort the players and take them in pairs.
            2. The weaker team gets the stronger player of each pair.
            """,
        ),
        Exemplar(
            description="""
            Given up to 36 numbers, find a subset whose sum is as close as possible to a target.
            """,
            code=r"""
            from bisect import bisect_left


            def closest(numbers, target):
                def sums(part):
                    found = [0]
                    for x in part:
                        found += [s + x for s in found]
                    return found

                half = len(numbers) // 2
                right = sorted(sums(numbers[half:]))
                best = abs(target)
                for s in sums(numbers[:half]):
                    i = bisect_left(right, target - s)
                    for t in right[max(0, i - 1):i + 1]:
                        best = min(best, abs(target - s - t))
                return best
            """,
            planning="""
            1. Split the numbers into two halves and list all subset sums of each.
            2. Sort one list; for each sum of the other search the best partner by bisection.
            """,
        ),
        Exemplar(
            description="""
            Divide n things with small whole weights into two groups of equal size with the least
            difference.
            """,
            code=r"""
            def split(weights):
                half = len(weights) // 2
                reach = [set() for _ in range(half + 1)]
                reach[0].add(0)
                for w in weights:
                    for c in range(half, 0, -1):
                        reach[c] |= {s + w for s in reach[c - 1]}
                total = sum(weights)
                return min(abs(total - 2 * s) for s in reach[half])
            """,
            planning="""
            1. reach[c] is the set of sums of c things.
            2. Add the things one after another, from large to small c.
            3. Choose the best sum of n / 2 things.
            """,
        ),
    ),
    algorithm="""
    Balanced partition. A greedy rule gives good but not always best splits. Exact answers for about 30
    items with large weights come from meeting in the middle: list the subset sums of each half of the items
    (2^15 each), grouped by how many items they use, and for each sum of one half find by bisection the best
    partner with the missing number of items in the other half. O(2^(n/2) * n) instead of 2^n.
    """,
    attempts=(
        Attempt(
            plan="""
            1. Sort the parcels from heavy to light and go through them in pairs.
            2. The porter with the smaller load gets the heavier parcel of the pair, the other one the
               lighter.
            3. Both get n / 2 parcels. Return the difference.
            """,
            confidence=88,
            explanation="""
            The rule keeps the loads balanced at every step and gives both porters equally many parcels.
            """,
            code=r"""
            def fairest_split(weights):
                ordered = sorted(weights, reverse=True)
                a = b = 0
                for i in range(0, len(ordered), 2):
                    heavy, light = ordered[i], ordered[i + 1]
                    if a <= b:
                        a += heavy
                        b += light
                    else:
                        a += light
                        b += heavy
                return abs(a - b)
            """,
            repairs=(
                Repair(
                    planning="""
                    The last sample gives 7, but a split with a smaller difference exists. The greedy split
                    can be improved by exchanging parcels.
                    1. Start with the greedy split into two lists.
                    2. While exchanging one parcel of one porter with one of the other makes the difference
                       smaller, do it.
                    3. Return the final difference.
                    """,
                    code=r"""
                    def fairest_split(weights):
                        ordered = sorted(weights, reverse=True)
                        a, b = [], []
                        for i in range(0, len(ordered), 2):
                            heavy, light = ordered[i], ordered[i + 1]
                            if sum(a) <= sum(b):
                                a.append(heavy)
                                b.append(light)
                            else:
                                a.append(light)
                                b.append(heavy)
                        improved = True
                        while improved:
                            improved = False
                            difference = sum(a) - sum(b)
                            for i in range(len(a)):
                                for j in range(len(b)):
                                    new = difference - 2 * (a[i] - b[j])
                                    if abs(new) < abs(difference):
                                        a[i], b[j] = b[j], a[i]
                                        difference = new
                                        improved = True
                        return abs(sum(a) - sum(b))
                    """,
                ),
            ),
        ),
        Attempt(
            plan="""
            1. Split the parcels into two groups of n / 2. For each group list the sums of all subsets,
               separately for every number of parcels used.
            2. If the first porter takes c parcels of the first group he takes n / 2 - c of the second.
            3. For each sum s with c parcels search by bisection the sum of n / 2 - c parcels closest to
               total / 2 - s.
            4. Return the least abs(total - 2 * (s + t)).
            """,
            confidence=83,
            explanation="""
            32768 sums on each side with a bisection each is fast, and the counts are respected.
            """,
            code=r"""
            from bisect import bisect_left


            def fairest_split(weights):
                n = len(weights)
                half = n // 2
                total = sum(weights)

                def sums(part):
                    lists = [[] for _ in range(len(part) + 1)]
                    lists[0].append(0)
                    for w in part:
                        for c in range(len(part) - 1, -1, -1):
                            lists[c + 1].extend([s + w for s in lists[c]])
                    return lists

                first = sums(weights[:half])
                second = [sorted(found) for found in sums(weights[half:])]
                best = total
                for c in range(half + 1):
                    others = second[half - c]
                    for s in first[c]:
                        i = bisect_left(others, total / 2 - s)
                        if i < len(others):
                            best = min(best, abs(total - 2 * (s + others[i])))
                        if i > 0:
                            best = min(best, abs(total - 2 * (s + others[i - 1])))
                return best
            """,
        ),
        Attempt(
            plan="""
            1. reach[c] is the set of total weights possible with c parcels; start with reach[0] = {0}.
            2. Add the parcels one after another, for c from n / 2 down to 1.
            3. Return the least abs(total - 2 * s) for s in reach[n / 2].
            """,
            confidence=57,
            explanation="""
            The sets can hold up to 155 million different sums when the weights are large, which is too
            much.
            """,
            code=r"""
            def fairest_split(weights):
                half = len(weights) // 2
                reach = [set() for _ in range(half + 1)]
                reach[0].add(0)
                for w in weights:
                    for c in range(half, 0, -1):
                        reach[c] |= {s + w for s in reach[c - 1]}
                total = sum(weights)
                return min(abs(total - 2 * s) for s in reach[half])
            """,
        ),
    ),
)
