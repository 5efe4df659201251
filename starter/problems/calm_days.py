from starter.walkthrough import Attempt, Ending, Exemplar, Walkthrough

TITLE = "Calm Days"
DIFFICULTY = "easy"
TAGS = ["two pointers"]
KIND = "call"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 128.0
ENTRY_POINT = "calmest_stretch"
STARTER_CODE = '''
def calmest_stretch(temperatures: list[int], step: int) -> list[int]:
    """[first day, number of days] of the longest calm stretch; the earliest one when several are longest."""
'''

STATEMENT = """
A weather station notes one temperature a day. A stretch of consecutive days is calm when the temperature
never changes by more than `step` degrees from one day of the stretch to the next. A single day is always
calm.

Write `calmest_stretch(temperatures, step)` that returns a list of two numbers: the index of the first day
(counted from 0) and the number of days of the longest calm stretch. If several are longest, take the
earliest. For an empty list return [0, 0].

Limits: up to 3000 days, temperatures from -1000 to 1000, 0 <= step <= 2000.
"""
INPUT_SPEC = ""
OUTPUT_SPEC = ""
NOTES = """
In the first example days 2 to 5 read 9, 11, 10, 8: never more than 2 degrees between neighbours, though 3
overall.
"""

SAMPLES = [[[3, 5, 9, 11, 10, 8, 1], 2], [[7, 1, 7, 1], 5], [[4, 4, 4], 0]]


def generate(rng):
    tests = [
        [[], 0],
        [[], 7],
        [[-1000], 0],
        [[1, 1, 1, 2, 2, 2], 0],
        [[0, 10, 20, 30, 40], 10],
        [[0, 10, 20, 30, 40], 9],
        [[5, -5, 5, -5], 10],
        [[5, -5, 5, -5], 9],
        [[1, 2, 9, 8, 20, 21, 22], 1],
        [[1, 2, 3, 9, 8, 20, 21], 1],
        [[-3, -2, 5], 1],
        [[-1000, 1000, -1000], 2000],
        [list(range(500)) + list(range(499, -1, -1)), 1],
    ]
    for days, spread, step in [
        (6, 5, 2),
        (8, 5, 3),
        (10, 9, 4),
        (12, 9, 3),
        (20, 9, 4),
        (40, 20, 9),
        (200, 50, 20),
    ]:
        tests.append([[rng.randint(-spread, spread) for _ in range(days)], step])
    for step in (1, 2):
        walk = [0]
        while len(walk) < 3000:
            walk.append(max(-1000, min(1000, walk[-1] + rng.choice([-2, -1, -1, 0, 0, 1, 1, 3]))))
        tests.append([walk, step])
    return tests


REFERENCE = r"""
def calmest_stretch(temperatures, step):
    best = [0, 0]
    first = 0
    for day, degrees in enumerate(temperatures):
        if day and abs(degrees - temperatures[day - 1]) > step:
            first = day
        if day - first + 1 > best[1]:
            best = [first, day - first + 1]
    return best
"""

WRONG = {
    "compares with the first day of the stretch": r"""
def calmest_stretch(temperatures, step):
    best = [0, 0]
    first = 0
    for day, degrees in enumerate(temperatures):
        if abs(degrees - temperatures[first]) > step:
            first = day
        if day - first + 1 > best[1]:
            best = [first, day - first + 1]
    return best
""",
    "takes the latest of the longest": r"""
def calmest_stretch(temperatures, step):
    best = [0, 0]
    first = 0
    for day, degrees in enumerate(temperatures):
        if day and abs(degrees - temperatures[day - 1]) > step:
            first = day
        if day - first + 1 >= best[1]:
            best = [first, day - first + 1]
    return best
""",
    "forgets a stretch that lasts to the end": r"""
def calmest_stretch(temperatures, step):
    if not temperatures:
        return [0, 0]
    best = [0, 1]
    first = 0
    for day in range(1, len(temperatures)):
        if abs(temperatures[day] - temperatures[day - 1]) > step:
            if day - first > best[1]:
                best = [first, day - first]
            first = day
    return best
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.FIRST_TRY,
    exemplars=(
        Exemplar(
            description="""
            Find the length of the longest strictly increasing run of consecutive elements in a list.
            """,
            code=r"""
            def longest_rise(values):
                best = run = 0
                for i, value in enumerate(values):
                    run = run + 1 if i and values[i - 1] < value else 1
                    best = max(best, run)
                return best
            """,
            planning="""
            1. Keep the length of the run that ends at the current element.
            2. Extend it when the condition between neighbours holds, otherwise restart at one.
            3. Keep the maximum.
            """,
        ),
        Exemplar(
            description="""
            Report where the longest block of equal characters in a text begins, the first one if there are
            several.
            """,
            code=r"""
            def longest_block(text):
                start, best_start, best = 0, 0, 0
                for i in range(len(text)):
                    if text[i] != text[start]:
                        start = i
                    if i - start + 1 > best:
                        best, best_start = i - start + 1, start
                return best_start
            """,
            planning="""
            1. Remember where the current block began.
            2. A different character begins a new block.
            3. Update the best block only when the new one is strictly longer, so the first wins ties.
            """,
        ),
        Exemplar(
            description="Count the maximal runs of readings in which neighbours differ by at most d.",
            code=r"""
            def runs(readings, d):
                if not readings:
                    return 0
                return 1 + sum(abs(a - b) > d for a, b in zip(readings, readings[1:]))
            """,
            planning="""
            1. A new run begins at each pair of neighbours that differs by more than d.
            2. The number of runs is one more than the number of such pairs.
            """,
        ),
    ),
    algorithm="""
    Two pointers / running run. One pointer marks the start of the current run and the other walks over the
    list. When the condition between two neighbours breaks, the start jumps to the current position. The
    best run is updated at every step with a strict comparison, so that the earliest longest run is kept.
    O(n) time, O(1) memory.
    """,
    attempts=(
        Attempt(
            plan="""
            1. If the list is empty return [0, 0].
            2. Keep start = 0 and best = [0, 1].
            3. For each day from 1: if abs(t[day] - t[day - 1]) > step set start = day.
            4. If day - start + 1 is strictly longer than best[1], store [start, day - start + 1].
            5. Return best.
            """,
            confidence=96,
            explanation="""
            Linear scan with a strict comparison for ties; the empty list is treated separately.
            """,
            code=r"""
            def calmest_stretch(temperatures, step):
                if not temperatures:
                    return [0, 0]
                start = 0
                best = [0, 1]
                for day in range(1, len(temperatures)):
                    if abs(temperatures[day] - temperatures[day - 1]) > step:
                        start = day
                    length = day - start + 1
                    if length > best[1]:
                        best = [start, length]
                return best
            """,
        ),
        Attempt(
            plan="""
            1. Compute the list of days on which a new stretch begins: day 0 and every day that differs by
               more than step from the day before.
            2. The stretches are the gaps between neighbouring beginnings; the last one ends with the list.
            3. Return the first longest.
            """,
            confidence=91,
            explanation="The same stretches from their borders. max() keeps the first of equal elements.",
            code=r"""
            def calmest_stretch(temperatures, step):
                n = len(temperatures)
                if n == 0:
                    return [0, 0]
                begins = [0] + [i for i in range(1, n) if abs(temperatures[i] - temperatures[i - 1]) > step] + [n]
                stretches = [[a, b - a] for a, b in zip(begins, begins[1:])]
                return max(stretches, key=lambda stretch: stretch[1])
            """,
        ),
        Attempt(
            plan="""
            1. Slide a window and keep its smallest and largest temperature.
            2. Shrink the window from the left while the largest minus the smallest exceeds step.
            3. Return the longest window.
            """,
            confidence=35,
            explanation="""
            This limits the difference over the whole window, but only neighbouring days have to be close.
            """,
            code=r"""
            def calmest_stretch(temperatures, step):
                best = [0, 0]
                left = 0
                for right in range(len(temperatures)):
                    while max(temperatures[left:right + 1]) - min(temperatures[left:right + 1]) > step:
                        left += 1
                    if right - left + 1 > best[1]:
                        best = [left, right - left + 1]
                return best
            """,
        ),
    ),
)
