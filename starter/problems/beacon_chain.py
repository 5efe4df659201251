from starter.walkthrough import Attempt, Ending, Exemplar, Repair, Walkthrough

TITLE = "The Chain of Beacons"
DIFFICULTY = "hard"
TAGS = ["dp", "data structures"]
KIND = "stdio"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 256.0

STATEMENT = """
N old beacons stand in a row along a ridge, number i at height h_i and with brightness b_i. A message shall
run along some of them, from left to right. Each beacon of the chain must stand strictly higher than the one
before it in the chain, and two beacons that stand side by side (numbers i and i + 1) must not both be in
the chain, because their lights would blur.

How bright can a chain be in total?

The values come from formulas so that the input stays short: h_1 = X and h_(i+1) = (A * h_i + B) mod M; b_i
= 1 + (C * i + h_i) mod D.
"""
INPUT_SPEC = """
One line with N, X, A, B, M, C and D (1 <= N <= 30000, 0 <= X, A, B < M <= 10^9, 0 <= C <= 10^9, 1 <= D <=
10^6).
"""
OUTPUT_SPEC = "Print the largest total brightness of a chain."
NOTES = """
In the first example the heights are 3, 5, 9, 6, 0, 10, 8, 4 and the brightnesses 5, 1, 6, 4, 6, 3, 2, 6.
The beacons 1, 3 and 6 have the heights 3, 9 and 10 and give 5 + 6 + 3 = 14. Beacon 2 would fit by its
height, but stands beside 1 and 3.
"""

SAMPLES = ["8 3 2 10 11 1 7\n", "5 7 1 0 9 0 3\n", "7 2 5 1 13 3 10\n"]


def generate(rng):
    tests = [
        "1 0 0 0 1 0 1\n",
        "1 5 3 2 9 1000000000 1000000\n",
        "2 0 1 1 9 0 100\n",
        "3 0 1 1 9 0 100\n",
        "10 0 1 1 1000 0 1\n",
        "10 9 1 9 10 0 10\n",
        "9 4 1 0 10 5 7\n",
        "12 1 3 1 7 2 9\n",
        "30000 5 1 0 10 7 1000\n",
    ]
    for size, most, bright in [
        (5, 9, 5),
        (6, 9, 9),
        (7, 10, 9),
        (8, 13, 20),
        (10, 17, 9),
        (12, 20, 30),
        (50, 97, 10),
    ]:
        tests.append(_random(rng, size, most, bright))
    for size, most, bright in [(200, 211, 100), (1000, 30, 1000), (4000, 10**6, 10**6)]:
        tests.append(_random(rng, size, most, bright))
    tests.append("30000 0 1 1 1000000000 3 1000\n")
    tests.append("30000 1 48271 0 2147483 11 1000000\n")
    tests.append("30000 1 16807 12345 999999937 7 10\n")
    return tests


def _random(rng, size, most, bright):
    a, x, b = rng.randrange(2, most), rng.randrange(most), rng.randrange(most)
    return f"{size} {x} {a} {b} {most} {rng.randint(0, 20)} {bright}\n"


REFERENCE = r"""
from bisect import bisect_left

n, x, a, b, m, c, d = map(int, input().split())
heights = [x]
while len(heights) < n:
    heights.append((a * heights[-1] + b) % m)
levels = sorted(set(heights))
tree = [0] * (len(levels) + 1)
rank = [bisect_left(levels, height) for height in heights]
best = [0] * n
for i in range(n):
    if i >= 2:
        at = rank[i - 2] + 1
        while at < len(tree):
            if tree[at] >= best[i - 2]:
                break
            tree[at] = best[i - 2]
            at += at & -at
    below, at = 0, rank[i]
    while at:
        below = max(below, tree[at])
        at &= at - 1
    best[i] = below + 1 + (c * (i + 1) + heights[i]) % d
print(max(best))
"""

WRONG = {
    "lets neighbours blur": REFERENCE.replace("i >= 2", "i >= 1").replace("i - 2", "i - 1"),
    "allows equal heights": REFERENCE.replace("at = 0, rank[i]", "at = 0, rank[i] + 1"),
    "counts beacons instead of brightness": r"""
from bisect import bisect_left

n, x, a, b, m, c, d = map(int, input().split())
heights = [x]
while len(heights) < n:
    heights.append((a * heights[-1] + b) % m)
tails, longest = [], 0
for i, height in enumerate(heights):
    if i >= 2:
        at = bisect_left(tails, heights[i - 2])
        tails[at:at + 1] = [heights[i - 2]]
    longest = max(longest, bisect_left(tails, height) + 1)
print(longest)
""",
    "looks back at every beacon": r"""
n, x, a, b, m, c, d = map(int, input().split())
heights = [x]
while len(heights) < n:
    heights.append((a * heights[-1] + b) % m)
best = []
for i, height in enumerate(heights):
    below = 0
    for j in range(i - 1):
        if heights[j] < height and best[j] > below:
            below = best[j]
    best.append(below + 1 + (c * (i + 1) + height) % d)
print(max(best))
""",
}

_CODE = r"""
def main():
    n, x, a, b, m, c, d = map(int, input().split())
    h = [x]
    for _ in range(n - 1):
        h.append((a * h[-1] + b) % m)
    bright = [1 + (c * (i + 1) + h[i]) % d for i in range(n)]
    order = {value: i + 1 for i, value in enumerate(sorted(set(h)))}
    size = len(order)
    tree = [0] * (size + 1)

    def update(pos, value):
        while pos <= size:
            if tree[pos] < value:
                tree[pos] = value
            pos += pos & -pos

    def query(pos):
        best = 0
        while pos > 0:
            if tree[pos] > best:
                best = tree[pos]
            pos -= pos & -pos
        return best

    dp = [0] * n
    for i in range(n):
        if i >= 2:
            update(order[h[i - 2]], dp[i - 2])
        dp[i] = bright[i] + query(order[h[i]] - 1)
    print(max(dp))


main()
"""

WALKTHROUGH = Walkthrough(
    ending=Ending.REPAIRED,
    exemplars=(
        Exemplar(
            description="Find the largest sum of a strictly increasing subsequence of n <= 10^5 numbers.",
            code=r"""
            n = int(input())
            a = list(map(int, input().split()))
            order = {v: i + 1 for i, v in enumerate(sorted(set(a)))}
            tree = [0] * (len(order) + 1)
            answer = 0
            for v in a:
                best, i = 0, order[v] - 1
                while i:
                    best = max(best, tree[i])
                    i -= i & -i
                best += v
                answer = max(answer, best)
                i = order[v]
                while i < len(tree):
                    tree[i] = max(tree[i], best)
                    i += i & -i
            print(answer)
            """,
            planning="""
            1. dp for a number is the number plus the best dp of smaller numbers to its left.
            2. A Fenwick tree over the sorted values answers "best among smaller" in O(log n).
            3. Ask first and insert afterwards.
            """,
        ),
        Exemplar(
            description="""
            Choose houses in a row with the largest total value so that no two chosen houses are neighbours.
            """,
            code=r"""
            n = int(input())
            take = skip = 0
            for value in map(int, input().split()):
                take, skip = skip + value, max(skip, take)
            print(max(take, skip))
            """,
            planning="""
            1. Keep the best sum with the last house taken and with it skipped.
            2. A house can be taken only after a skipped one.
            """,
        ),
        Exemplar(
            description="Find the length of the longest increasing subsequence of n <= 2000 numbers.",
            code=r"""
            n = int(input())
            a = list(map(int, input().split()))
            best = []
            for i in range(n):
                best.append(1 + max((best[j] for j in range(i) if a[j] < a[i]), default=0))
            print(max(best))
            """,
            planning="""
            1. For each number look at all earlier smaller ones.
            2. O(n^2), which is fine for 2000 numbers.
            """,
        ),
    ),
    algorithm="""
    Dynamic programming with a Fenwick tree for prefix maxima. dp[i] is the best chain that ends at i: its
    own value plus the maximum of dp[j] over all allowed j with a smaller height. Compress the heights to
    ranks; a Fenwick tree that stores maxima answers "largest dp among ranks below r" and takes new values,
    both in O(log n). Values may only be inserted when they become allowed as predecessors.
    """,
    attempts=(
        Attempt(
            plan="""
            1. Generate heights and brightnesses; compress the heights to ranks from 1.
            2. dp[i] = bright[i] + maximum of dp[j] for j < i with a smaller rank, from a Fenwick tree of
               maxima.
            3. After computing dp[i] insert it at the rank of h[i].
            4. Print the largest dp.
            """,
            confidence=90,
            explanation="Strictly increasing chains with a Fenwick tree: O(N log N).",
            code=_CODE.replace(
                "        if i >= 2:\n            update(order[h[i - 2]], dp[i - 2])\n", ""
            ).replace(
                "query(order[h[i]] - 1)\n", "query(order[h[i]] - 1)\n        update(order[h[i]], dp[i])\n"
            ),
            repairs=(
                Repair(
                    planning="""
                    The first sample gives a chain that is too bright: it uses the beacons 1 and 2, which
                    stand side by side. The plan forgot that neighbours must not both be in the chain, so i
                    - 1 must not be a predecessor of i.
                    1. Insert dp[i - 2] into the tree right before computing dp[i]; then exactly the beacons
                       up to i - 2 can be found.
                    2. The rest of the plan stays.
                    """,
                    code=_CODE,
                ),
            ),
        ),
        Attempt(
            plan="""
            1. Generate the values.
            2. For each beacon look at all beacons j <= i - 2 with a smaller height and take the best dp.
            3. Print the largest dp.
            """,
            confidence=60,
            explanation="Correct, but 30000^2 / 2 steps are too slow in Python.",
            code=r"""
            n, x, a, b, m, c, d = map(int, input().split())
            h = [x]
            for _ in range(n - 1):
                h.append((a * h[-1] + b) % m)
            dp = []
            for i in range(n):
                best = 0
                for j in range(i - 1):
                    if h[j] < h[i] and dp[j] > best:
                        best = dp[j]
                dp.append(best + 1 + (c * (i + 1) + h[i]) % d)
            print(max(dp))
            """,
        ),
        Attempt(
            plan="""
            1. Keep the best sum of a chain that ends with the last beacon and of one that does not.
            2. A beacon can be added when the last one was skipped and is lower.
            """,
            confidence=25,
            explanation="Two numbers do not know the heights of the chains behind them.",
            code=r"""
            n, x, a, b, m, c, d = map(int, input().split())
            h = [x]
            for _ in range(n - 1):
                h.append((a * h[-1] + b) % m)
            take = skip = 0
            take_height = skip_height = -1
            for i in range(n):
                bright = 1 + (c * (i + 1) + h[i]) % d
                base = skip if skip_height < h[i] else 0
                if take > skip:
                    skip, skip_height = take, take_height
                take, take_height = base + bright, h[i]
            print(max(take, skip))
            """,
        ),
    ),
)
