from starter.walkthrough import Attempt, Ending, Exemplar, Walkthrough

TITLE = "Ferry Loads"
DIFFICULTY = "medium"
TAGS = ["binary search", "greedy"]
KIND = "stdio"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 128.0

STATEMENT = """
N vehicles queue for the river ferry and drive on in the order of the queue; overtaking is impossible. The
deck has room for at most P vehicles, and before dark the ferry can make at most T crossings. The harbour
master must announce one weight limit for the whole evening: on no crossing may the vehicles on deck weigh
more than the limit in total.

Find the smallest limit that still brings all vehicles over.
"""
INPUT_SPEC = """
The first line holds N, T and P (1 <= N <= 4000, 1 <= T, P <= N, T * P >= N). The second line holds the N
weights in queue order, whole numbers from 1 to 10^9.
"""
OUTPUT_SPEC = "Print the smallest possible limit."
NOTES = """
In the first example the crossings 4 4 | 3 5 | 8 need a limit of 8. Without the deck limit of 2 the
crossings could be chosen differently, but 8 is needed for the last vehicle anyway. In the second example P
= 2 forces two vehicles on every crossing.
"""

SAMPLES = ["5 3 2\n4 4 3 5 8\n", "6 3 2\n1 9 9 1 1 1\n", "4 1 4\n2 2 2 2\n"]


def generate(rng):
    tests = [
        "1 1 1\n1\n",
        "1 1 1\n1000000000\n",
        "3 3 1\n5 6 7\n",
        "3 3 3\n5 6 7\n",
        "4 2 2\n1 1 1 100\n",
        "5 2 3\n1 1 1 1 9\n",
        "5 2 3\n9 1 1 1 1\n",
        "6 2 3\n10 1 1 1 1 10\n",
        "7 7 2\n3 1 4 1 5 9 2\n",
    ]
    for size in (6, 8, 10, 10, 12, 30, 60, 100):
        trips = rng.randint(2, size - 1)
        deck = rng.randint(-(-size // trips), max(-(-size // trips), size // 2))
        tests.append(_test([rng.randint(1, 30) for _ in range(size)], trips, deck))
    tests.append(_test([10**9] * 300, 30, 10))
    tests.append(_test([rng.randint(1, 10**9) for _ in range(1500)], 150, 12))
    tests.append(_test([rng.randint(1, 99) for _ in range(4000)], 60, 4000))
    tests.append(_test([rng.randint(1, 9) for _ in range(4000)], 4000, 1))
    tests.append(_test([rng.randint(1, 9) for _ in range(2000)], 1, 2000))
    return tests


def _test(weights, trips, deck):
    return f"{len(weights)} {trips} {deck}\n{' '.join(map(str, weights))}\n"


REFERENCE = r"""
n, trips, deck = map(int, input().split())
weights = list(map(int, input().split()))


def crossings(limit):
    used, load, cars = 1, 0, 0
    for weight in weights:
        if load + weight > limit or cars == deck:
            used, load, cars = used + 1, 0, 0
        load += weight
        cars += 1
    return used


low, high = max(weights), sum(weights)
while low < high:
    middle = (low + high) // 2
    if crossings(middle) <= trips:
        high = middle
    else:
        low = middle + 1
print(low)
"""

WRONG = {
    "forgets the room on deck": r"""
n, trips, deck = map(int, input().split())
weights = list(map(int, input().split()))


def crossings(limit):
    used, load = 1, 0
    for weight in weights:
        if load + weight > limit:
            used, load = used + 1, 0
        load += weight
    return used


low, high = max(weights), sum(weights)
while low < high:
    middle = (low + high) // 2
    if crossings(middle) <= trips:
        high = middle
    else:
        low = middle + 1
print(low)
""",
    "fills every crossing evenly": r"""
n, trips, deck = map(int, input().split())
weights = list(map(int, input().split()))
each = -(-n // trips)
print(max(sum(weights[i:i + each]) for i in range(0, n, each)))
""",
    "raises the limit one by one": r"""
n, trips, deck = map(int, input().split())
weights = list(map(int, input().split()))
limit = max(weights)
while True:
    used, load, cars = 1, 0, 0
    for weight in weights:
        if load + weight > limit or cars == deck:
            used, load, cars = used + 1, 0, 0
        load += weight
        cars += 1
    if used <= trips:
        break
    limit += 1
print(limit)
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.FIRST_TRY,
    exemplars=(
        Exemplar(
            description="""
            Split a list of chapter lengths into at most d consecutive parts so that the longest part is as
            short as possible.
            """,
            code=r"""
            n, d = map(int, input().split())
            chapters = list(map(int, input().split()))


            def parts(limit):
                count, pages = 1, 0
                for length in chapters:
                    if pages + length > limit:
                        count, pages = count + 1, 0
                    pages += length
                return count


            low, high = max(chapters), sum(chapters)
            while low < high:
                mid = (low + high) // 2
                if parts(mid) <= d:
                    high = mid
                else:
                    low = mid + 1
            print(low)
            """,
            planning="""
            1. If a limit works, every larger one works too, so search for the smallest one by bisection.
            2. To test a limit, fill each part as far as possible and count the parts.
            3. Search between the largest chapter and the sum of all.
            """,
        ),
        Exemplar(
            description="""
            A belt must carry parcels in order within D days, loading each day at most a fixed weight and at
            most q parcels. Count the days for a given weight.
            """,
            code=r"""
            n, weight_limit, q = map(int, input().split())
            parcels = list(map(int, input().split()))
            days, load, count = 1, 0, 0
            for parcel in parcels:
                if load + parcel > weight_limit or count == q:
                    days, load, count = days + 1, 0, 0
                load += parcel
                count += 1
            print(days)
            """,
            planning="""
            1. Load parcels in order while both limits allow it.
            2. When one of the limits would be broken, start a new day.
            """,
        ),
        Exemplar(
            description="""
            Find the smallest integer x in a range for which a monotone yes/no question is answered yes.
            """,
            code=r"""
            def first_true(low, high, question):
                while low < high:
                    mid = (low + high) // 2
                    if question(mid):
                        high = mid
                    else:
                        low = mid + 1
                return low
            """,
            planning="""
            1. Keep the invariant that the answer lies in [low, high].
            2. Ask the question in the middle and drop the half that cannot hold the answer.
            """,
        ),
    ),
    algorithm="""
    Binary search on the answer with a greedy test. When a property is monotone in the answer, bisect
    between a value that is certainly too small (or just possible) and one that is certainly enough. The
    test is greedy: put as many consecutive items as possible into the current group before starting the
    next. O(n log S) with S the sum of all items.
    """,
    attempts=(
        Attempt(
            plan="""
            1. A limit works if the greedy filling needs at most T crossings, where a crossing ends when the
               next vehicle would exceed the limit or P vehicles are already on deck.
            2. Larger limits never need more crossings, so bisect the limit between max(weights) and
               sum(weights).
            3. The smallest limit that works is the answer. T * P >= N guarantees that sum(weights) works.
            """,
            confidence=94,
            explanation="""
            The question is monotone, the greedy test respects both limits, and 42 tests of 4000 steps are
            fast.
            """,
            code=r"""
            def main():
                n, t, p = map(int, input().split())
                weights = list(map(int, input().split()))

                def possible(limit):
                    trips = 1
                    load = 0
                    cars = 0
                    for w in weights:
                        if cars == p or load + w > limit:
                            trips += 1
                            load = 0
                            cars = 0
                            if trips > t:
                                return False
                        load += w
                        cars += 1
                    return True

                low, high = max(weights), sum(weights)
                while low < high:
                    mid = (low + high) // 2
                    if possible(mid):
                        high = mid
                    else:
                        low = mid + 1
                print(low)


            main()
            """,
        ),
        Attempt(
            plan="""
            1. Write a function days(limit) that loads vehicles in order and starts a new crossing when the
               weight limit or the deck room P would be exceeded.
            2. Search the smallest limit with days(limit) <= T by bisection, starting at the heaviest
               vehicle.
            """,
            confidence="85%",
            explanation="Same idea as counting days for parcels; the bounds of the search are right.",
            code=r"""
            n, t, p = map(int, input().split())
            weights = list(map(int, input().split()))


            def days(limit):
                used, load, count = 1, 0, 0
                for w in weights:
                    if load + w > limit or count == p:
                        used, load, count = used + 1, 0, 0
                    load += w
                    count += 1
                return used


            low = max(weights) - 1
            high = sum(weights)
            while high - low > 1:
                mid = (low + high) // 2
                if days(mid) <= t:
                    high = mid
                else:
                    low = mid
            print(high)
            """,
        ),
        Attempt(
            plan="""
            1. Let best[i][j] be the smallest limit for the first i vehicles with j crossings.
            2. best[i][j] = min over the last P starts s of max(best[s][j - 1], weight of vehicles s..i).
            3. The answer is the minimum of best[N][j] over j <= T.
            """,
            confidence=55,
            explanation="""
            The recurrence is right, but it has N * T * P steps, which is too slow for N = 4000.
            """,
            code=r"""
            n, t, p = map(int, input().split())
            weights = list(map(int, input().split()))
            prefix = [0]
            for w in weights:
                prefix.append(prefix[-1] + w)
            infinity = float("inf")
            best = [0] + [infinity] * n
            answer = infinity
            for _ in range(t):
                following = [infinity] * (n + 1)
                for i in range(1, n + 1):
                    for s in range(max(0, i - p), i):
                        if best[s] < infinity:
                            following[i] = min(following[i], max(best[s], prefix[i] - prefix[s]))
                best = following
                answer = min(answer, best[n])
            print(answer)
            """,
        ),
    ),
)
