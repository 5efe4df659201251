from starter.walkthrough import Attempt, Ending, Exemplar, Repair, Walkthrough

TITLE = "Night Shift"
DIFFICULTY = "hard"
TAGS = ["dp", "bit manipulation"]
KIND = "stdio"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 256.0

STATEMENT = """
N guards watch a lighthouse for N nights, each guard exactly one night. Guard i asks w(i, j) crowns for
night j, depending on what else he could do then. In the morning the guard of the night hands over to the
guard of the next night. If guard a hands over to guard b, they drink h(a, b) crowns' worth of coffee at the
expense of the harbour; who hands over to whom matters. After the last night nobody hands over.

Plan the nights so that wages and coffee cost as little as possible together.
"""
INPUT_SPEC = """
The first line holds N (1 <= N <= 12). Then come N lines with N numbers each, w(i, 1) to w(i, N) for guard
i, and N lines with N numbers each, h(a, 1) to h(a, N) for guard a. All numbers are from 0 to 10^6, and h(a,
a) is 0.
"""
OUTPUT_SPEC = "Print the smallest total cost in crowns."
NOTES = """
In the first example guard 2 takes the first night and guard 1 the second: 4 + 3 for the nights and 1 for
the coffee. The other way round the wages would be 2 + 2, but the coffee 9.
"""

SAMPLES = [
    "2\n2 3\n4 2\n0 9\n1 0\n",
    "3\n1 5 9\n1 5 9\n1 5 9\n0 1 7\n7 0 1\n1 7 0\n",
    "1\n5\n0\n",
]


def generate(rng):
    tests = [
        "1\n0\n0\n",
        "1\n1000000\n0\n",
        "2\n0 0\n0 0\n0 5\n5 0\n",
        "2\n7 1\n1 7\n0 0\n1000000 0\n",
        "3\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n",
        "3\n9 1 9\n1 9 9\n9 9 1\n0 50 50\n0 0 50\n0 0 0\n",
    ]
    for size, wage, coffee in [
        (3, 9, 9),
        (4, 9, 30),
        (4, 50, 5),
        (5, 20, 40),
        (6, 99, 99),
        (7, 9, 99),
        (8, 1000, 10),
    ]:
        tests.append(_random(rng, size, wage, coffee))
        tests.append(_random(rng, size, coffee, wage))
    for wage, coffee in ((10**6, 10**6), (100, 10**6), (10**6, 100), (9, 9)):
        tests.append(_random(rng, 12, wage, coffee))
    return tests


def _random(rng, size, wage, coffee):
    rows = [[rng.randint(0, wage) for _ in range(size)] for _ in range(size)]
    rows += [[rng.randint(0, coffee) if a != b else 0 for b in range(size)] for a in range(size)]
    return f"{size}\n" + "".join(" ".join(map(str, row)) + "\n" for row in rows)


REFERENCE = r"""
n = int(input())
wage = [list(map(int, input().split())) for _ in range(n)]
coffee = [list(map(int, input().split())) for _ in range(n)]
infinity = float("inf")
best = [[infinity] * n for _ in range(1 << n)]
for guard in range(n):
    best[1 << guard][guard] = wage[guard][0]
for done in range(1, 1 << n):
    night = done.bit_count()
    if night == n:
        break
    for last in range(n):
        cost = best[done][last]
        if cost == infinity:
            continue
        for guard in range(n):
            if not done >> guard & 1:
                total = cost + coffee[last][guard] + wage[guard][night]
                if total < best[done | 1 << guard][guard]:
                    best[done | 1 << guard][guard] = total
print(min(best[-1]))
"""

WRONG = {
    "hands over in the wrong direction": REFERENCE.replace("coffee[last][guard]", "coffee[guard][last]"),
    "takes the cheapest guard every night": r"""
n = int(input())
wage = [list(map(int, input().split())) for _ in range(n)]
coffee = [list(map(int, input().split())) for _ in range(n)]
free = set(range(n))
total, last = 0, None
for night in range(n):
    cost, last = min((wage[g][night] + (coffee[last][g] if last is not None else 0), g) for g in free)
    total += cost
    free.remove(last)
print(total)
""",
    "forgets who was on duty last": r"""
n = int(input())
wage = [list(map(int, input().split())) for _ in range(n)]
coffee = [list(map(int, input().split())) for _ in range(n)]
best = {0: (0, None)}
for night in range(n):
    following = {}
    for done, (cost, last) in best.items():
        for g in range(n):
            if not done >> g & 1:
                total = cost + wage[g][night] + (coffee[last][g] if last is not None else 0)
                if done | 1 << g not in following or total < following[done | 1 << g][0]:
                    following[done | 1 << g] = (total, g)
    best = following
print(best[(1 << n) - 1][0])
""",
    "tries all orders": r"""
from itertools import permutations

n = int(input())
wage = [list(map(int, input().split())) for _ in range(n)]
coffee = [list(map(int, input().split())) for _ in range(n)]
print(
    min(
        sum(wage[g][night] for night, g in enumerate(order)) + sum(coffee[a][b] for a, b in zip(order, order[1:]))
        for order in permutations(range(n))
    )
)
""",
}

_CODE = r"""
def main():
    n = int(input())
    w = [list(map(int, input().split())) for _ in range(n)]
    h = [list(map(int, input().split())) for _ in range(n)]
    inf = 10**18
    full = (1 << n) - 1
    dp = [[inf] * n for _ in range(full + 1)]
    for i in range(n):
        dp[1 << i][i] = w[i][0]
    for mask in range(1, full + 1):
        night = bin(mask).count("1")
        for last in range(n):
            cost = dp[mask][last]
            if cost == inf:
                continue
            for nxt in range(n):
                if mask & (1 << nxt):
                    continue
                new = mask | (1 << nxt)
                value = cost + w[nxt][night] + h[last][nxt]
                if value < dp[new][nxt]:
                    dp[new][nxt] = value
    print(min(dp[full]))


main()
"""

WALKTHROUGH = Walkthrough(
    ending=Ending.REPAIRED,
    exemplars=(
        Exemplar(
            description="""
            A salesman starts in any of n <= 15 towns and wants to see all of them once on the shortest
            path.
            """,
            code=r"""
            n = int(input())
            d = [list(map(int, input().split())) for _ in range(n)]
            inf = 10**18
            dp = [[inf] * n for _ in range(1 << n)]
            for i in range(n):
                dp[1 << i][i] = 0
            for mask in range(1 << n):
                for last in range(n):
                    if dp[mask][last] < inf:
                        for nxt in range(n):
                            if not mask >> nxt & 1:
                                new = mask | 1 << nxt
                                dp[new][nxt] = min(dp[new][nxt], dp[mask][last] + d[last][nxt])
            print(min(dp[-1]))
            """,
            planning="""
            1. The state is the set of towns seen, as a bit mask, and the last town.
            2. Extend every state by a town that is not in the set.
            3. The answer is the smallest value of the full set.
            """,
        ),
        Exemplar(
            description="Assign n <= 16 workers to n jobs, one each, at the least total cost.",
            code=r"""
            n = int(input())
            cost = [list(map(int, input().split())) for _ in range(n)]
            dp = [0] + [10**18] * ((1 << n) - 1)
            for mask in range(1 << n):
                job = bin(mask).count("1")
                for worker in range(n):
                    if not mask >> worker & 1:
                        new = mask | 1 << worker
                        dp[new] = min(dp[new], dp[mask] + cost[worker][job])
            print(dp[-1])
            """,
            planning="""
            1. dp[mask] is the least cost when the workers of mask have taken the first jobs.
            2. The number of bits tells which job is next.
            """,
        ),
        Exemplar(
            description="Order n <= 8 songs so that the sum of the jumps in loudness is smallest.",
            code=r"""
            from itertools import permutations

            loud = list(map(int, input().split()))
            print(min(sum(abs(a - b) for a, b in zip(p, p[1:])) for p in permutations(loud)))
            """,
            planning="""
            1. With at most eight songs all orders can be tried.
            2. Compute the sum for each and keep the smallest.
            """,
        ),
    ),
    algorithm="""
    Dynamic programming over subsets. When things are ordered one after another and the cost of the next one
    depends only on its position and on its predecessor, the state (set of things used, last thing) is
    enough. The set is stored as the bits of an integer and its size is the position. Values are computed
    from small to large masks: there are 2^n * n states with n extensions each.
    """,
    attempts=(
        Attempt(
            plan="""
            1. dp[mask][last] is the least cost when the guards of mask have done the first nights and last
               did the latest.
            2. dp[1 << i][i] = w[i][0]. The night of the next guard is the number of bits of mask.
            3. From (mask, last) go to each guard g outside of mask: add w[g][night] and the coffee between
               the two guards.
            4. The answer is the minimum over dp[full].
            """,
            confidence=92,
            explanation="The state holds all that later costs depend on; 4096 * 12 * 12 steps are fast.",
            code=_CODE.replace("h[last][nxt]", "h[nxt][last]"),
            repairs=(
                Repair(
                    planning="""
                    In the first sample the program finds 5 = 2 + 2 + 1: guard 1 and then guard 2, with
                    coffee for 1. But guard 1 hands over to guard 2, which costs h(1, 2) = 9. The first
                    index of h is the guard who hands over, so it must be the last one, and the second is
                    the next one.
                    1. Use h[last][next] instead of h[next][last].
                    2. Everything else stays.
                    """,
                    code=_CODE,
                ),
            ),
        ),
        Attempt(
            plan="""
            1. dp[mask] is the least cost when the guards of mask have done the first nights, with the last
               guard remembered beside it.
            2. Extend every mask by each guard that is free.
            3. Print dp[full].
            """,
            confidence=65,
            explanation="""
            Keeping only one last guard for each mask can throw away the order that turns out better later.
            """,
            code=r"""
            n = int(input())
            w = [list(map(int, input().split())) for _ in range(n)]
            h = [list(map(int, input().split())) for _ in range(n)]
            inf = 10**18
            dp = [(inf, -1)] * (1 << n)
            dp[0] = (0, -1)
            for mask in range(1 << n):
                cost, last = dp[mask]
                night = bin(mask).count("1")
                for g in range(n):
                    if not mask >> g & 1:
                        value = cost + w[g][night] + (h[last][g] if last >= 0 else 0)
                        new = mask | 1 << g
                        dp[new] = min(dp[new], (value, g))
            print(dp[-1][0])
            """,
        ),
        Attempt(
            plan="""
            1. Try all orders of the guards.
            2. Add the wages and the coffee of each order and keep the smallest sum.
            """,
            confidence=28,
            explanation="12! is 479 million orders, far too many.",
            code=r"""
            from itertools import permutations

            n = int(input())
            w = [list(map(int, input().split())) for _ in range(n)]
            h = [list(map(int, input().split())) for _ in range(n)]
            best = None
            for order in permutations(range(n)):
                cost = sum(w[g][night] for night, g in enumerate(order))
                cost += sum(h[a][b] for a, b in zip(order, order[1:]))
                if best is None or cost < best:
                    best = cost
            print(best)
            """,
        ),
    ),
)
