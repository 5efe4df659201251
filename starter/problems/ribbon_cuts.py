from starter.walkthrough import Attempt, Ending, Exemplar, Repair, Walkthrough

TITLE = "Ribbon Cuts"
DIFFICULTY = "medium"
TAGS = ["dp", "recursion"]
KIND = "stdio"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 128.0

STATEMENT = """
A ribbon of L centimetres must be cut at N marked places. The tailor cuts one piece at a time, always at one
mark of it. While a piece is cut, her assistant has to hold the longer of the two parts straight, and every
centimetre of it costs him one drop of sweat. (If both parts are equally long he holds one of them.)

In which order should the cuts be made so that he sweats least? Find the smallest total number of drops.
"""
INPUT_SPEC = """
The first line holds L and N (2 <= L <= 10^6, 1 <= N <= 120, N < L). The second line holds the N different
marks in increasing order, each the distance from the left end (1 to L - 1).
"""
OUTPUT_SPEC = "Print the smallest total number of drops."
NOTES = """
In the first example it is best to cut at 6 first (6 drops), then the left piece at 3 (3 drops) and its left
part at 2 (2 drops): 11 drops.
"""

SAMPLES = ["10 3\n2 3 6\n", "20 5\n4 8 10 12 13\n", "9 1\n1\n"]


def generate(rng):
    tests = [
        "2 1\n1\n",
        "1000000 1\n999999\n",
        "3 2\n1 2\n",
        "100 2\n50 51\n",
        "100 3\n97 98 99\n",
        "100 4\n1 2 3 4\n",
        "16 15\n" + " ".join(map(str, range(1, 16))) + "\n",
        "121 120\n" + " ".join(map(str, range(1, 121))) + "\n",
        "1000000 6\n10 20 30 999970 999980 999990\n",
    ]
    for length, marks in [
        (12, 4),
        (15, 5),
        (20, 6),
        (30, 6),
        (40, 8),
        (60, 10),
        (100, 12),
        (500, 20),
        (10**6, 30),
    ]:
        tests.append(_random(rng, length, marks))
    tests.append(_random(rng, 10**6, 100))
    tests.append(_random(rng, 10**6, 120))
    tests.append(_random(rng, 140, 120))
    return tests


def _random(rng, length, marks):
    places = sorted(rng.sample(range(1, length), marks))
    return f"{length} {marks}\n{' '.join(map(str, places))}\n"


REFERENCE = r"""
length, n = map(int, input().split())
ends = [0, *map(int, input().split()), length]
best = [[0] * (n + 2) for _ in range(n + 2)]
for width in range(2, n + 2):
    for i in range(n + 2 - width):
        j = i + width
        best[i][j] = min(
            best[i][k] + best[k][j] + max(ends[k] - ends[i], ends[j] - ends[k]) for k in range(i + 1, j)
        )
print(best[0][n + 1])
"""

WRONG = {
    "cuts nearest to the middle": r"""
length, n = map(int, input().split())
marks = list(map(int, input().split()))


def sweat(low, high, inside):
    if not inside:
        return 0
    cut = min(inside, key=lambda mark: max(mark - low, high - mark))
    left = [mark for mark in inside if mark < cut]
    right = [mark for mark in inside if mark > cut]
    return max(cut - low, high - cut) + sweat(low, cut, left) + sweat(cut, high, right)


print(sweat(0, length, marks))
""",
    "counts the whole piece": r"""
length, n = map(int, input().split())
ends = [0, *map(int, input().split()), length]
best = [[0] * (n + 2) for _ in range(n + 2)]
for width in range(2, n + 2):
    for i in range(n + 2 - width):
        j = i + width
        best[i][j] = ends[j] - ends[i] + min(best[i][k] + best[k][j] for k in range(i + 1, j))
print(best[0][n + 1])
""",
    "tries all orders": r"""
length, n = map(int, input().split())
ends = [0, *map(int, input().split()), length]


def sweat(i, j):
    if j - i < 2:
        return 0
    return min(sweat(i, k) + sweat(k, j) + max(ends[k] - ends[i], ends[j] - ends[k]) for k in range(i + 1, j))


print(sweat(0, n + 1))
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.LATER_PLAN,
    exemplars=(
        Exemplar(
            description="""
            Two piles of stones can be merged at a cost equal to their total size. Merge all piles, which
            stand in no order, at the smallest cost.
            """,
            code=r"""
            import heapq

            piles = list(map(int, input().split()))
            heapq.heapify(piles)
            cost = 0
            while len(piles) > 1:
                merged = heapq.heappop(piles) + heapq.heappop(piles)
                cost += merged
                heapq.heappush(piles, merged)
            print(cost)
            """,
            planning="""
            1. Always merge the two smallest piles; the local choice leads to the global optimum.
            2. A heap gives the two smallest in O(log n).
            """,
        ),
        Exemplar(
            description="""
            Matrices stand in a row. Find the order of multiplications that needs the fewest scalar
            products.
            """,
            code=r"""
            n = int(input())
            d = list(map(int, input().split()))
            best = [[0] * n for _ in range(n)]
            for width in range(1, n):
                for i in range(n - width):
                    j = i + width
                    best[i][j] = min(
                        best[i][k] + best[k + 1][j] + d[i] * d[k + 1] * d[j + 1] for k in range(i, j)
                    )
            print(best[0][n - 1])
            """,
            planning="""
            1. best[i][j] is the least cost for the matrices i..j.
            2. The last multiplication splits the range at some k; try all of them.
            3. Fill the table by increasing width.
            """,
        ),
        Exemplar(
            description="""
            Burst balloons in a row so that the sum of the products of each balloon with its neighbours is
            largest.
            """,
            code=r"""
            from functools import lru_cache

            a = [1, *map(int, input().split()), 1]


            @lru_cache(None)
            def best(i, j):
                return max((best(i, k) + best(k, j) + a[i] * a[k] * a[j] for k in range(i + 1, j)), default=0)


            print(best(0, len(a) - 1))
            """,
            planning="""
            1. Think of the last balloon k that bursts between i and j; both sides are independent then.
            2. Recursion over intervals with memory.
            """,
        ),
    ),
    algorithm="""
    Choosing an order of operations on a line. Two techniques compete. A greedy rule (always the locally
    best operation) is right only if an exchange argument proves it. Otherwise use dynamic programming over
    intervals: the first (or last) operation in an interval splits it into two independent intervals, so
    best[i][j] is the minimum over all split points of both parts plus the cost of the operation. There are
    O(n^2) intervals and O(n) splits each, O(n^3) in total.
    """,
    attempts=(
        Attempt(
            plan="""
            1. A cut in the middle of a piece costs least, because the longer part is then shortest.
            2. For a piece choose the mark that makes the longer part as short as possible and pay for it.
            3. Do the same with both parts until no marks are left.
            4. Print the sum.
            """,
            confidence=88,
            explanation="""
            Every step makes the cheapest possible cut, and pieces become short quickly, so the total is
            smallest.
            """,
            code=r"""
            import sys

            sys.setrecursionlimit(10000)
            length, n = map(int, input().split())
            marks = list(map(int, input().split()))


            def cut(low, high, inside):
                if not inside:
                    return 0
                place = min(inside, key=lambda m: max(m - low, high - m))
                left = [m for m in inside if m < place]
                right = [m for m in inside if m > place]
                return max(place - low, high - place) + cut(low, place, left) + cut(place, high, right)


            print(cut(0, length, marks))
            """,
            repairs=(
                Repair(
                    planning="""
                    The first cut in the middle of the piece does not look at the marks that remain. Use the
                    middle mark instead of the middle of the piece, so that both parts have equally many
                    cuts left.
                    1. For a piece with m marks cut at the mark number m // 2.
                    2. Pay for the longer part and continue with both parts.
                    """,
                    code=r"""
                    length, n = map(int, input().split())
                    marks = [0] + list(map(int, input().split())) + [length]


                    def cut(i, j):
                        if j - i < 2:
                            return 0
                        k = (i + j) // 2
                        return max(marks[k] - marks[i], marks[j] - marks[k]) + cut(i, k) + cut(k, j)


                    print(cut(0, n + 1))
                    """,
                ),
                Repair(
                    planning="""
                    Neither middle is always best. Take for every piece the cheaper of the two rules: the
                    mark nearest to the middle of the piece, or the middle mark.
                    1. For a piece compute both candidate cuts.
                    2. Choose the one whose longer part is shorter; on a tie take the middle mark.
                    """,
                    code=r"""
                    length, n = map(int, input().split())
                    marks = [0] + list(map(int, input().split())) + [length]


                    def longer(i, k, j):
                        return max(marks[k] - marks[i], marks[j] - marks[k])


                    def cut(i, j):
                        if j - i < 2:
                            return 0
                        nearest = min(range(i + 1, j), key=lambda k: longer(i, k, j))
                        middle = (i + j) // 2
                        k = middle if longer(i, middle, j) <= longer(i, nearest, j) else nearest
                        return longer(i, k, j) + cut(i, k) + cut(k, j)


                    print(cut(0, n + 1))
                    """,
                ),
            ),
        ),
        Attempt(
            plan="""
            1. Put 0 and L around the marks: p[0], ..., p[N+1].
            2. best[i][j] is the least sweat for the piece from p[i] to p[j]; it is 0 when j = i + 1.
            3. best[i][j] = min over i < k < j of best[i][k] + best[k][j] + max(p[k] - p[i], p[j] - p[k]).
            4. Fill by increasing j - i and print best[0][N+1].
            """,
            confidence=84,
            explanation="""
            The first cut of a piece makes two independent pieces, so the recurrence is right. 122^3 / 6 is
            about 300000 steps.
            """,
            code=r"""
            def main():
                length, n = map(int, input().split())
                p = [0] + list(map(int, input().split())) + [length]
                m = n + 2
                best = [[0] * m for _ in range(m)]
                for width in range(2, m):
                    for i in range(m - width):
                        j = i + width
                        low, high = p[i], p[j]
                        value = None
                        for k in range(i + 1, j):
                            longer = max(p[k] - low, high - p[k])
                            total = best[i][k] + best[k][j] + longer
                            if value is None or total < value:
                                value = total
                        best[i][j] = value
                print(best[0][m - 1])


            main()
            """,
        ),
        Attempt(
            plan="""
            1. Write a recursive function best(i, j) for the piece between two marks that tries every first
               cut k.
            2. Remember the results so that every piece is computed once.
            3. The answer is best(0, N + 1).
            """,
            confidence=82,
            explanation="The same recurrence top down; the recursion depth is at most N.",
            code=r"""
            from functools import lru_cache

            length, n = map(int, input().split())
            p = [0] + list(map(int, input().split())) + [length]


            @lru_cache(maxsize=None)
            def best(i, j):
                if j - i < 2:
                    return 0
                return min(best(i, k) + best(k, j) + max(p[k] - p[i], p[j] - p[k]) for k in range(i + 1, j))


            print(best(0, n + 1))
            """,
        ),
    ),
)
