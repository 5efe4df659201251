from starter.walkthrough import Attempt, Ending, Exemplar, Repair, Walkthrough

TITLE = "Lantern Stairs"
DIFFICULTY = "easy"
TAGS = ["intervals", "sorting"]
KIND = "stdio"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 128.0

STATEMENT = """
The stairs to the hill chapel have N steps, numbered from 1 at the bottom. M lanterns hang above them. The
lantern at step p with reach r lights its own step and the r steps before and after it, as far as there are
steps.

The sexton wants to know how many steps are dark, and how many steps the longest unbroken dark stretch has.
"""
INPUT_SPEC = """
The first line holds N and M (1 <= N <= 10^9, 0 <= M <= 2000). Each of the next M lines holds p and r of one
lantern (1 <= p <= N, 0 <= r <= 10^9).
"""
OUTPUT_SPEC = (
    "Print the number of dark steps and the length of the longest dark stretch (0 when no step is dark)."
)
NOTES = "In the first example steps 1, 5, 6, 7, 11 and 12 are dark."

SAMPLES = ["12 3\n9 1\n3 1\n10 0\n", "5 2\n1 9\n2 1\n"]


def generate(rng):
    tests = [
        "1 0\n",
        "1 1\n1 0\n",
        "1000000000 0\n",
        "1000000000 1\n500000000 0\n",
        "1000000000 2\n1 0\n1000000000 0\n",
        "1000000000 1\n1 1000000000\n",
        "10 2\n5 4\n5 0\n",
        "20 3\n2 1\n4 0\n15 5\n",
        "9 9\n" + "".join(f"{p} 0\n" for p in range(9, 0, -1)),
        "30 3\n10 8\n5 1\n20 1\n",
        "7 1\n7 2\n",
    ]
    for steps, lanterns, reach in [(20, 3, 3), (30, 4, 4), (100, 10, 5), (200, 12, 6), (1000, 40, 10)] * 2:
        tests.append(_random(rng, steps, lanterns, reach))
    tests.append(_random(rng, 10**9, 2000, 3 * 10**5))
    tests.append(_random(rng, 10**9, 500, 10**6))
    return tests


def _random(rng, steps, lanterns, reach):
    rows = "".join(f"{rng.randint(1, steps)} {rng.randint(0, reach)}\n" for _ in range(lanterns))
    return f"{steps} {lanterns}\n{rows}"


REFERENCE = r"""
import sys

numbers = list(map(int, sys.stdin.read().split()))
n, m = numbers[0], numbers[1]
lit = sorted((p - r, p + r) for p, r in zip(numbers[2::2], numbers[3::2]))
lit.append((n + 1, n + 1))
dark = longest = 0
reached = 0
for low, high in lit:
    gap = low - reached - 1
    if gap > 0:
        dark += gap
        longest = max(longest, gap)
    reached = max(reached, high)
print(dark, longest)
"""

WRONG = {
    "forgets the steps above the last lantern": r"""
import sys

numbers = list(map(int, sys.stdin.read().split()))
n, m = numbers[0], numbers[1]
lit = sorted((p - r, p + r) for p, r in zip(numbers[2::2], numbers[3::2]))
dark = longest = reached = 0
for low, high in lit:
    gap = low - reached - 1
    if gap > 0:
        dark += gap
        longest = max(longest, gap)
    reached = max(reached, high)
print(dark, longest)
""",
    "lets a short lantern hide a long one": r"""
import sys

numbers = list(map(int, sys.stdin.read().split()))
n, m = numbers[0], numbers[1]
lit = sorted((p - r, p + r) for p, r in zip(numbers[2::2], numbers[3::2]))
lit.append((n + 1, n + 1))
dark = longest = reached = 0
for low, high in lit:
    gap = low - reached - 1
    if gap > 0:
        dark += gap
        longest = max(longest, gap)
    reached = high
print(dark, longest)
""",
    "marks every step in a list": r"""
n, m = map(int, input().split())
lit = [False] * (n + 2)
for _ in range(m):
    p, r = map(int, input().split())
    for step in range(max(1, p - r), min(n, p + r) + 1):
        lit[step] = True
dark = longest = run = 0
for step in range(1, n + 1):
    run = 0 if lit[step] else run + 1
    dark += run > 0
    longest = max(longest, run)
print(dark, longest)
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.REPAIRED,
    exemplars=(
        Exemplar(
            description="""
            Given a set of closed intervals of whole numbers, compute how many numbers are covered by at
            least one of them.
            """,
            code=r"""
            n = int(input())
            intervals = sorted(tuple(map(int, input().split())) for _ in range(n))
            covered = 0
            end = None
            for low, high in intervals:
                if end is None or low > end:
                    covered += high - low + 1
                    end = high
                elif high > end:
                    covered += high - end
                    end = high
            print(covered)
            """,
            planning="""
            1. Sort the intervals by their left end.
            2. Keep the furthest right end reached so far.
            3. A new interval adds only the part beyond that end.
            """,
        ),
        Exemplar(
            description="""
            A shop is visited by guests, each from one minute to another. Find the longest time in which
            nobody was there between the first arrival and the last departure.
            """,
            code=r"""
            n = int(input())
            visits = sorted(tuple(map(int, input().split())) for _ in range(n))
            reached = visits[0][1]
            empty = 0
            for start, stop in visits[1:]:
                empty = max(empty, start - reached)
                reached = max(reached, stop)
            print(empty)
            """,
            planning="""
            1. Sort the visits by arrival.
            2. Keep the latest departure so far; a later arrival leaves a gap.
            3. The answer is the largest gap.
            """,
        ),
        Exemplar(
            description="""
            Sprinklers water parts of a strip of grass of small length L. Count the dry cells using a
            difference array.
            """,
            code=r"""
            length, m = map(int, input().split())
            diff = [0] * (length + 2)
            for _ in range(m):
                p, r = map(int, input().split())
                diff[max(1, p - r)] += 1
                diff[min(length, p + r) + 1] -= 1
            dry = level = 0
            for cell in range(1, length + 1):
                level += diff[cell]
                if level == 0:
                    dry += 1
            print(dry)
            """,
            planning="""
            1. Add one at the left end of every interval and subtract one behind its right end.
            2. Prefix sums give the number of sprinklers over each cell.
            3. Count the zeros.
            """,
        ),
    ),
    algorithm="""
    Sorting and sweeping over intervals. Sort intervals by left end and sweep once while keeping the
    furthest right end reached. A gap between that end and the next left end is uncovered. Do not forget the
    part before the first and after the last interval. O(M log M), independent of the length of the line.
    """,
    attempts=(
        Attempt(
            plan="""
            1. Turn each lantern into the interval [p - r, p + r] and sort the intervals.
            2. Sweep with reached = 0. For each interval the gap is low - reached - 1; if it is positive,
               add it to the dark steps and update the longest stretch.
            3. Set reached = max(reached, high).
            4. Print the dark steps and the longest stretch.
            """,
            confidence=91,
            explanation="Sorting and sweeping solves it in O(M log M), which does not depend on N.",
            code=r"""
            n, m = map(int, input().split())
            intervals = []
            for _ in range(m):
                p, r = map(int, input().split())
                intervals.append((p - r, p + r))
            intervals.sort()
            dark = 0
            longest = 0
            reached = 0
            for low, high in intervals:
                gap = low - reached - 1
                if gap > 0:
                    dark += gap
                    longest = max(longest, gap)
                reached = max(reached, high)
            print(dark, longest)
            """,
            repairs=(
                Repair(
                    planning="""
                    The first sample expects 6 dark steps, the program counts 4: steps 11 and 12 behind the
                    last lantern are missing. The sweep stops at the last interval and never looks at the
                    steps up to N.
                    1. Keep the sweep as it is.
                    2. After the loop handle the rest: gap = n - reached; if it is positive, count it like
                       any other gap.
                    """,
                    code=r"""
                    n, m = map(int, input().split())
                    intervals = []
                    for _ in range(m):
                        p, r = map(int, input().split())
                        intervals.append((p - r, p + r))
                    intervals.sort()
                    dark = 0
                    longest = 0
                    reached = 0
                    for low, high in intervals:
                        gap = low - reached - 1
                        if gap > 0:
                            dark += gap
                            longest = max(longest, gap)
                        reached = max(reached, high)
                    tail = n - reached
                    if tail > 0:
                        dark += tail
                        longest = max(longest, tail)
                    print(dark, longest)
                    """,
                ),
            ),
        ),
        Attempt(
            plan="""
            1. Clamp every lantern to [max(1, p - r), min(N, p + r)].
            2. Sort, merge overlapping or touching intervals into disjoint ones.
            3. Add guards (0, 0) and (N + 1, N + 1) and look at the gaps between neighbours.
            4. The sum and the maximum of the gaps are the answer.
            """,
            confidence=89,
            explanation="Merging with guards at both ends covers all cases.",
            code=r"""
            import sys

            data = list(map(int, sys.stdin.read().split()))
            n, m = data[0], data[1]
            spans = []
            for i in range(m):
                p, r = data[2 + 2 * i], data[3 + 2 * i]
                spans.append([max(1, p - r), min(n, p + r)])
            spans.sort()
            merged = [[0, 0]]
            for low, high in spans:
                if low <= merged[-1][1] + 1:
                    merged[-1][1] = max(merged[-1][1], high)
                else:
                    merged.append([low, high])
            merged.append([n + 1, n + 1])
            gaps = [b[0] - a[1] - 1 for a, b in zip(merged, merged[1:])]
            gaps = [gap for gap in gaps if gap > 0]
            print(sum(gaps), max(gaps, default=0))
            """,
        ),
        Attempt(
            plan="""
            1. Build a difference array over the N steps.
            2. Take prefix sums and count zeros and the longest run of zeros.
            """,
            confidence=35,
            explanation="""
            N goes up to 10^9, an array of that size neither fits the memory nor the time limit.
            """,
            code=r"""
            n, m = map(int, input().split())
            diff = [0] * (n + 2)
            for _ in range(m):
                p, r = map(int, input().split())
                diff[max(1, p - r)] += 1
                diff[min(n, p + r) + 1] -= 1
            level = dark = longest = run = 0
            for step in range(1, n + 1):
                level += diff[step]
                run = run + 1 if level == 0 else 0
                dark += level == 0
                longest = max(longest, run)
            print(dark, longest)
            """,
        ),
    ),
)
