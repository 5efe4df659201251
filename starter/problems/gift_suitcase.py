from starter.walkthrough import Attempt, Ending, Exemplar, Walkthrough

TITLE = "A Suitcase of Gifts"
DIFFICULTY = "medium"
TAGS = ["dp"]
KIND = "call"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 128.0
ENTRY_POINT = "pack_gifts"
STARTER_CODE = '''
def pack_gifts(limit: int, people: list[list[list[int]]]) -> list[int]:
    """[largest total joy, least weight that gives it]; people[i] lists the [weight, joy] of i's possible gifts."""
'''

STATEMENT = """
Ines flies home and brings gifts. For every person on her list she has found a few things that would suit,
each with a weight in hundreds of grams and a joy. A person gets at most one thing, and may get nothing. The
suitcase holds things of at most `limit` in total.

Write `pack_gifts(limit, people)` that returns a list of two numbers: the largest total joy that fits, and
the least total weight with which this joy is reached. `people[i]` is the list of things for person i, each
given as [weight, joy].

Limits: 0 <= limit <= 3000, up to 30 people with up to 8 things each (possibly none), weights from 1 to
3000, joys from 1 to 10^6.
"""
INPUT_SPEC = ""
OUTPUT_SPEC = ""
NOTES = """
In the first example the things [4, 7] for the first person and [5, 6] for the second fill the suitcase.
Both things of the first person would give more joy, but nobody gets two.
"""

SAMPLES = [
    [9, [[[4, 7], [3, 5]], [[5, 6], [2, 1]]]],
    [10, [[[6, 9]], [[5, 5]], [[5, 5]]]],
    [3, [[[4, 100]], []]],
]


def generate(rng):
    tests = [
        [0, []],
        [0, [[[1, 1]]]],
        [1, [[[1, 1]]]],
        [5, [[], [], []]],
        [7, [[[7, 3], [6, 3]]]],
        [10, [[[5, 4], [5, 6]], [[5, 6], [5, 4]]]],
        [10, [[[9, 10], [1, 1]], [[9, 10], [2, 1]]]],
        [12, [[[3, 5], [6, 10]], [[3, 5], [6, 10]], [[6, 10]]]],
        [4, [[[1, 3], [1, 3], [1, 3], [1, 3]]]],
        [3000, [[[3000, 10**6]], [[1, 10**6]]]],
        [100, [[[30, 60], [20, 40], [50, 100]] for _ in range(4)]],
    ]
    for limit, people, things, heaviest, joy in [
        (10, 3, 3, 6, 9),
        (15, 4, 3, 8, 6),
        (20, 5, 4, 9, 20),
        (30, 6, 3, 12, 5),
        (60, 8, 4, 30, 50),
        (200, 12, 5, 60, 99),
        (1000, 20, 6, 300, 9),
        (3000, 30, 8, 600, 10**6),
        (3000, 30, 8, 3000, 99),
        (2999, 30, 8, 250, 10**6),
    ]:
        tests.append([limit, _people(rng, people, things, heaviest, joy)])
    return tests


def _people(rng, people, things, heaviest, joy):
    return [
        [[rng.randint(1, heaviest), rng.randint(1, joy)] for _ in range(rng.randint(0, things))]
        for _ in range(people)
    ]


REFERENCE = r"""
def pack_gifts(limit, people):
    best = [0] * (limit + 1)
    for things in people:
        before = best[:]
        for weight, joy in things:
            for filled in range(weight, limit + 1):
                if before[filled - weight] + joy > best[filled]:
                    best[filled] = before[filled - weight] + joy
    return [best[limit], best.index(best[limit])]
"""

WRONG = {
    "gives several things to one person": r"""
def pack_gifts(limit, people):
    best = [0] * (limit + 1)
    for things in people:
        for weight, joy in things:
            for filled in range(limit, weight - 1, -1):
                best[filled] = max(best[filled], best[filled - weight] + joy)
    return [best[limit], best.index(best[limit])]
""",
    "takes the most joy for each kilo first": r"""
def pack_gifts(limit, people):
    things = [(joy / weight, weight, joy, i) for i, found in enumerate(people) for weight, joy in found]
    served, filled, total = set(), 0, 0
    for _, weight, joy, i in sorted(things, reverse=True):
        if i not in served and filled + weight <= limit:
            served.add(i)
            filled += weight
            total += joy
    return [total, filled]
""",
    "reports the whole limit as weight": r"""
def pack_gifts(limit, people):
    best = [0] * (limit + 1)
    for things in people:
        before = best[:]
        for weight, joy in things:
            for filled in range(weight, limit + 1):
                best[filled] = max(best[filled], before[filled - weight] + joy)
    return [best[limit], limit]
""",
    "tries all choices": r"""
def pack_gifts(limit, people):
    def best(i, room):
        if i == len(people):
            return 0, 0
        answer = best(i + 1, room)
        for weight, joy in people[i]:
            if weight <= room:
                more, less = best(i + 1, room - weight)
                answer = max(answer, (more + joy, less - weight))
        return answer

    joy, weight = best(0, limit)
    return [joy, -weight]
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.FIRST_TRY,
    exemplars=(
        Exemplar(
            description="""
            Choose at most one upgrade for each machine so that the total price stays within the budget and
            the total gain is largest.
            """,
            code=r"""
            def best_gain(budget, machines):
                best = [0] * (budget + 1)
                for upgrades in machines:
                    for money in range(budget, -1, -1):
                        for price, gain in upgrades:
                            if price <= money:
                                best[money] = max(best[money], best[money - price] + gain)
                return best[budget]
            """,
            planning="""
            1. best[m] is the largest gain with m units of money.
            2. For every machine go through the amounts from large to small and try each upgrade, so that a
               machine is upgraded at most once.
            """,
        ),
        Exemplar(
            description="""
            Fill a bag of limited weight with things, each at most once, so that the value is largest;
            report the value.
            """,
            code=r"""
            def knapsack(limit, things):
                best = [0] * (limit + 1)
                for weight, value in things:
                    for w in range(limit, weight - 1, -1):
                        best[w] = max(best[w], best[w - weight] + value)
                return best[limit]
            """,
            planning="""
            1. best[w] is the largest value for weight at most w.
            2. Go through the weights downwards so that a thing is not used twice.
            """,
        ),
        Exemplar(
            description="Find the smallest budget with which a given total gain can be reached.",
            code=r"""
            def least_budget(best, wanted):
                for money, gain in enumerate(best):
                    if gain >= wanted:
                        return money
                return None
            """,
            planning="""
            1. The table of the largest gain for every budget does not decrease.
            2. The first budget that reaches the gain is the smallest.
            """,
        ),
    ),
    algorithm="""
    Dynamic programming: the grouped knapsack. best[w] is the largest value with total weight at most w.
    Process the groups one after another. Within a group every new entry must be built from the table before
    the group, either from a copy or by going through the weights downwards in the outer loop and over the
    things in the inner loop; then at most one thing of the group is used. The table does not decrease in w,
    so the first entry that equals the last one gives the least weight. O(limit * things).
    """,
    attempts=(
        Attempt(
            plan="""
            1. best = [0] * (limit + 1): largest joy with total weight at most w.
            2. For each person: for w from limit down to 0, for each thing of the person that is not heavier
               than w, best[w] = max(best[w], best[w - weight] + joy).
            3. Weights are at least 1 and w decreases, so best[w - weight] still belongs to the people
               before; nobody gets two things.
            4. Return [best[limit], first w with best[w] == best[limit]].
            """,
            confidence=93,
            explanation="""
            The loops are in the right order for groups, and the first maximal entry is the least weight.
            720000 steps.
            """,
            code=r"""
            def pack_gifts(limit, people):
                best = [0] * (limit + 1)
                for things in people:
                    for w in range(limit, -1, -1):
                        top = best[w]
                        for weight, joy in things:
                            if weight <= w:
                                value = best[w - weight] + joy
                                if value > top:
                                    top = value
                        best[w] = top
                for w in range(limit + 1):
                    if best[w] == best[limit]:
                        return [best[limit], w]
            """,
        ),
        Attempt(
            plan="""
            1. Treat every thing as a thing of its own and use the knapsack with descending weights.
            2. Return the largest joy and the first weight that reaches it.
            """,
            confidence=41,
            explanation="This allows several things for the same person, which the problem forbids.",
            code=r"""
            def pack_gifts(limit, people):
                best = [0] * (limit + 1)
                for things in people:
                    for weight, joy in things:
                        for w in range(limit, weight - 1, -1):
                            best[w] = max(best[w], best[w - weight] + joy)
                return [best[limit], best.index(best[limit])]
            """,
        ),
        Attempt(
            plan="""
            1. Keep a dictionary from total weight to the largest joy with exactly this weight, at first {0:
               0}.
            2. For each person build a new dictionary: the old entries, and for each thing the old entries
               plus the thing if the limit allows.
            3. The answer is the largest joy; among the weights that reach it, take the least.
            """,
            confidence=88,
            explanation="""
            Building the new dictionary from the old one gives each person at most one thing. At most 3001
            entries.
            """,
            code=r"""
            def pack_gifts(limit, people):
                reach = {0: 0}
                for things in people:
                    new = dict(reach)
                    for total, value in reach.items():
                        for weight, joy in things:
                            w = total + weight
                            if w <= limit and value + joy > new.get(w, -1):
                                new[w] = value + joy
                    reach = new
                most = max(reach.values())
                return [most, min(w for w, value in reach.items() if value == most)]
            """,
        ),
    ),
)
