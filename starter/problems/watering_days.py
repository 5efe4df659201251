from starter.walkthrough import Attempt, Ending, Exemplar, Walkthrough

TITLE = "Watering Days"
DIFFICULTY = "medium"
TAGS = ["greedy", "intervals", "sorting"]
KIND = "stdio"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 128.0

STATEMENT = """
The botanical garden has N new trees. Tree i must be watered at least once from day a_i to day b_i, both
included. The gardener waters all trees that are there whenever she comes, so one visit serves every tree
whose time includes that day. The garden is closed on every day whose number is divisible by 7, and she
cannot come then.

Choose as few visiting days as possible. Any smallest choice is accepted.
"""
INPUT_SPEC = """
The first line holds N (1 <= N <= 1500). Each of the next N lines holds a_i and b_i (1 <= a_i <= b_i <=
10^9). Every tree's time includes at least one day on which the garden is open.
"""
OUTPUT_SPEC = """
Print the smallest number of visits on the first line and the visiting days on the second, in increasing
order. If several choices are smallest, print any of them.
"""
NOTES = "In the first example day 4 serves trees one and two, and any of the days 8 to 10 the third."

SAMPLES = ["3\n2 4\n4 9\n8 10\n", "2\n5 7\n7 9\n"]

CHECKER = {
    "type": "program",
    "language": "python",
    "source": r"""
import sys


def reject(reason):
    print(reason)
    sys.exit(1)


def numbers(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        words = file.read().split()
    if not all(word.isascii() and word.isdigit() and len(word) <= 10 for word in words):
        reject("something that is not a whole number was printed")
    return [int(word) for word in words]


given, printed, answer = (numbers(path) for path in sys.argv[1:4])
if not printed:
    reject("nothing was printed")
count, days = printed[0], printed[1:]
if count != answer[0]:
    reject(f"{count} visits were announced")
if len(days) != count:
    reject(f"{count} visits were announced and {len(days)} days printed")
if any(later <= earlier for earlier, later in zip(days, days[1:])):
    reject("the days do not increase")
if any(day % 7 == 0 for day in days):
    reject("the garden is closed on one of the days")
trees = sorted(zip(given[1::2], given[2::2]))
position = 0
for first, last in trees:
    while position < len(days) and days[position] < first:
        position += 1
    if position == len(days) or days[position] > last:
        reject(f"no visit from day {first} to day {last}")
sys.exit(0)
""".strip()
    + "\n",
}


def generate(rng):
    tests = [
        "1\n1 1\n",
        "1\n999999999 1000000000\n",
        "1\n1 1000000000\n",
        "1\n7 8\n",
        "1\n6 7\n",
        "2\n1 6\n8 13\n",
        "2\n1 7\n6 6\n",
        "3\n1 14\n13 14\n14 15\n",
        "4\n1 100\n2 99\n3 98\n50 51\n",
        "3\n5 7\n6 8\n7 8\n",
        "5\n10 10\n10 10\n10 10\n9 11\n8 12\n",
    ]
    for size, horizon, longest in [
        (5, 30, 8),
        (8, 40, 9),
        (12, 60, 6),
        (20, 100, 20),
        (40, 200, 12),
        (100, 400, 10),
    ]:
        tests.append(_random(rng, size, horizon, longest))
        tests.append(_random(rng, size, 2 * horizon, longest))
    tests.append(_random(rng, 1500, 10**9, 5 * 10**6))
    tests.append(_random(rng, 1200, 5000, 9))
    return tests


def _random(rng, size, horizon, longest):
    rows = []
    for _ in range(size):
        first = rng.randint(1, horizon - 1)
        last = min(horizon, first + rng.randint(0, longest))
        if first == last and first % 7 == 0:
            last += 1
        rows.append(f"{first} {last}\n")
    return f"{size}\n" + "".join(rows)


REFERENCE = r"""
import sys

numbers = list(map(int, sys.stdin.read().split()))
trees = sorted(zip(numbers[1::2], numbers[2::2]), key=lambda tree: tree[1] - (tree[1] % 7 == 0))
days = []
for first, last in trees:
    if not days or days[-1] < first:
        days.append(last - (last % 7 == 0))
print(len(days))
print(*days)
"""

WRONG = {
    "comes on closed days": r"""
n = int(input())
trees = sorted((tuple(map(int, input().split())) for _ in range(n)), key=lambda tree: tree[1])
days = []
for first, last in trees:
    if not days or days[-1] < first:
        days.append(last)
print(len(days))
print(*days)
""",
    "sorts by the first day": r"""
n = int(input())
trees = sorted(tuple(map(int, input().split())) for _ in range(n))
days = []
for first, last in trees:
    if not days or days[-1] < first:
        days.append(last - 1 if last % 7 == 0 else last)
print(len(days))
print(*days)
""",
    "comes on the first possible day": r"""
n = int(input())
trees = sorted(tuple(map(int, input().split())) for _ in range(n))
days = []
for first, last in trees:
    if not days or days[-1] < first:
        days.append(first + 1 if first % 7 == 0 else first)
print(len(days))
print(*days)
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.FIRST_TRY,
    exemplars=(
        Exemplar(
            description="""
            Given closed intervals on a line, choose the smallest number of points such that every interval
            contains one.
            """,
            code=r"""
            n = int(input())
            intervals = sorted((tuple(map(int, input().split())) for _ in range(n)), key=lambda x: x[1])
            points = []
            for left, right in intervals:
                if not points or points[-1] < left:
                    points.append(right)
            print(len(points))
            print(*points)
            """,
            planning="""
            1. Sort the intervals by right end.
            2. Take an interval that contains no chosen point yet and choose its right end.
            3. Intervals that contain the last chosen point need nothing more.
            """,
        ),
        Exemplar(
            description="""
            Choose the largest number of talks that do not overlap when each talk has a start and an end.
            """,
            code=r"""
            n = int(input())
            talks = sorted((tuple(map(int, input().split())) for _ in range(n)), key=lambda x: x[1])
            free_from = 0
            chosen = 0
            for start, end in talks:
                if start >= free_from:
                    chosen += 1
                    free_from = end
            print(chosen)
            """,
            planning="""
            1. Sort the talks by their end.
            2. Take a talk whenever it starts after the last chosen one has ended.
            """,
        ),
        Exemplar(
            description="""
            A bus may stop only at kilometres that are not multiples of 5. Each passenger accepts a range of
            kilometres. Find the latest allowed kilometre in a passenger's range.
            """,
            code=r"""
            low, high = map(int, input().split())
            stop = high
            while stop % 5 == 0:
                stop -= 1
            print(stop if stop >= low else -1)
            """,
            planning="""
            1. Start at the end of the range.
            2. Step back while the kilometre is forbidden.
            """,
        ),
    ),
    algorithm="""
    Greedy stabbing of intervals. Sort by right end; whenever an interval contains no chosen point, choose
    the latest allowed point of it. That point reaches furthest to the right among all that serve this
    interval, so an exchange argument shows that the number of points is smallest. O(N log N).
    """,
    attempts=(
        Attempt(
            plan="""
            1. The latest useful day of a tree is b, or b - 1 when b is divisible by 7; replace b by it.
            2. Sort the trees by this day.
            3. Go through the trees; when the last chosen day is before a, choose the tree's latest useful
               day.
            4. Print the number of chosen days and the days, which come out increasing.
            """,
            confidence=93,
            explanation="""
            Two neighbouring days are never both divisible by 7, so b - 1 is open, and it is not before a
            because every tree has an open day. The exchange argument of the greedy then applies.
            """,
            code=r"""
            import sys


            def main():
                data = list(map(int, sys.stdin.read().split()))
                n = data[0]
                trees = []
                for i in range(n):
                    a, b = data[1 + 2 * i], data[2 + 2 * i]
                    if b % 7 == 0:
                        b -= 1
                    trees.append((b, a))
                trees.sort()
                chosen = []
                for b, a in trees:
                    if not chosen or chosen[-1] < a:
                        chosen.append(b)
                print(len(chosen))
                print(*chosen)


            main()
            """,
        ),
        Attempt(
            plan="""
            1. Sort the trees by a.
            2. Keep the earliest end among the trees that wait. When the next tree starts after it, visit on
               that end.
            3. If the end is a closed day, visit one day earlier.
            """,
            confidence=70,
            explanation="""
            A sweep by start works too, but a tree that starts exactly on a closed end day needs care: the
            visit moves one day earlier and no longer serves it.
            """,
            code=r"""
            n = int(input())
            trees = sorted(tuple(map(int, input().split())) for _ in range(n))
            days = []
            end = None
            for a, b in trees:
                if b % 7 == 0:
                    b -= 1
                if end is None:
                    end = b
                elif a > end:
                    days.append(end)
                    end = b
                else:
                    end = min(end, b)
            days.append(end)
            print(len(days))
            print(*days)
            """,
        ),
        Attempt(
            plan="""
            1. Repeat: over all open days count the trees that are not served yet and could be served on
               this day.
            2. Visit on the day that serves most of them and remove these trees.
            """,
            confidence=25,
            explanation="Choosing the busiest day first is not optimal, and there are up to 10^9 days.",
            code=r"""
            n = int(input())
            trees = [tuple(map(int, input().split())) for _ in range(n)]
            days = []
            while trees:
                candidates = {b if b % 7 else b - 1 for a, b in trees}
                best = max(candidates, key=lambda d: sum(a <= d <= b for a, b in trees))
                days.append(best)
                trees = [(a, b) for a, b in trees if not a <= best <= b]
            print(len(days))
            print(*sorted(days))
            """,
        ),
    ),
)
