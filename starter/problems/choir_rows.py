from starter.walkthrough import Attempt, Ending, Exemplar, Repair, Walkthrough

TITLE = "Choir Rows"
DIFFICULTY = "medium"
TAGS = ["two pointers", "data structures"]
KIND = "stdio"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 256.0

STATEMENT = """
N singers stand in a long line and must not change places. The photographer wants to take a picture of some
consecutive singers whose heights differ by at most D, from the smallest to the tallest in the picture, and
of as many of them as possible.

The heights come from a formula so that the input stays short: the first singer has height X, and if a
singer has height h, the next has height (A * h + B) mod M.
"""
INPUT_SPEC = """
One line with N, D, X, A, B and M (1 <= N <= 200000, 0 <= D < M, 0 <= X, A, B < M <= 10^9).
"""
OUTPUT_SPEC = """
Print the largest possible number of singers and the position of the first of them, counted from 1. If there
are several largest pictures, give the leftmost.
"""
NOTES = """
In the first example the heights are 4, 11, 1, 6, 10, 8, 9, 2. The four singers from the fourth on, 6, 10, 8
and 9, differ by 4; no five neighbours differ by at most 5.
"""

SAMPLES = ["8 5 4 6 0 13\n", "6 0 4 1 0 9\n", "7 3 1 1 2 8\n"]


def generate(rng):
    tests = [
        "1 0 0 0 0 1\n",
        "2 0 5 0 5 10\n",
        "2 9 0 0 9 10\n",
        "2 8 0 0 9 10\n",
        "10 1 0 1 1 1000\n",
        "10 3 9 1 9 10\n",
        "12 4 3 5 2 11\n",
        "200000 0 7 1 0 10\n",
        "200000 999999998 1 1 1 999999999\n",
        "200000 50000 0 1 1 1000000000\n",
    ]
    for size, most in [
        (6, 9),
        (8, 9),
        (10, 20),
        (12, 13),
        (20, 30),
        (50, 101),
        (100, 64),
        (1000, 997),
        (5000, 10007),
    ]:
        tests.append(_random(rng, size, most, 2))
    tests.append(_random(rng, 200000, 10**9, 3))
    tests.append(_random(rng, 200000, 999999937, 100))
    tests.append("200000 150000 0 1 1 1000000000\n")
    return tests


def _random(rng, size, most, part):
    return (
        f"{size} {most // part} {rng.randrange(most)} {rng.randrange(1, most)} {rng.randrange(most)} {most}\n"
    )


REFERENCE = r"""
from collections import deque

n, spread, height, a, b, m = map(int, input().split())
heights = []
for _ in range(n):
    heights.append(height)
    height = (a * height + b) % m
small, tall = deque(), deque()
first = best = where = 0
for i, height in enumerate(heights):
    while small and heights[small[-1]] >= height:
        small.pop()
    while tall and heights[tall[-1]] <= height:
        tall.pop()
    small.append(i)
    tall.append(i)
    while heights[tall[0]] - heights[small[0]] > spread:
        first += 1
        if small[0] < first:
            small.popleft()
        if tall[0] < first:
            tall.popleft()
    if i - first + 1 > best:
        best, where = i - first + 1, first + 1
print(best, where)
"""

_WINDOW = r"""
n, spread, height, a, b, m = map(int, input().split())
heights = []
for _ in range(n):
    heights.append(height)
    height = (a * height + b) % m
first = best = where = 0
for i in range(n):
    while SPREAD > spread:
        first += 1
    if i - first + 1 > best:
        best, where = i - first + 1, first + 1
print(best, where)
"""

WRONG = {
    "looks at both ends of the picture only": _WINDOW.replace("SPREAD", "abs(heights[i] - heights[first])"),
    "searches the window again and again": _WINDOW.replace(
        "SPREAD", "max(heights[first:i + 1]) - min(heights[first:i + 1])"
    ),
    "gives the rightmost picture": REFERENCE.replace("+ 1 > best", "+ 1 >= best"),
}

_CODE = r"""
from collections import deque


def main():
    n, d, x, a, b, m = map(int, input().split())
    heights = [x]
    for _ in range(n - 1):
        heights.append((a * heights[-1] + b) % m)
    lows = deque()
    highs = deque()
    left = 0
    best = 0
    start = 0
    for right in range(n):
        h = heights[right]
        while lows and heights[lows[-1]] > h:
            lows.pop()
        lows.append(right)
        while highs and heights[highs[-1]] < h:
            highs.pop()
        highs.append(right)
        while heights[highs[0]] - heights[lows[0]] > d:
            left += 1
            if lows[0] < left:
                lows.popleft()
            if highs[0] < left:
                highs.popleft()
        if right - left + 1 > best:
            best = right - left + 1
            start = left
    print(best, start + 1)


main()
"""

WALKTHROUGH = Walkthrough(
    ending=Ending.REPAIRED,
    exemplars=(
        Exemplar(
            description="""
            Find the longest block of a list in which the largest and the smallest number differ by at most
            a limit.
            """,
            code=r"""
            from collections import deque

            n, limit = map(int, input().split())
            a = list(map(int, input().split()))
            low, high = deque(), deque()
            left = best = 0
            for right, x in enumerate(a):
                while low and a[low[-1]] >= x:
                    low.pop()
                while high and a[high[-1]] <= x:
                    high.pop()
                low.append(right)
                high.append(right)
                while a[high[0]] - a[low[0]] > limit:
                    left += 1
                    if low[0] < left:
                        low.popleft()
                    if high[0] < left:
                        high.popleft()
                best = max(best, right - left + 1)
            print(best)
            """,
            planning="""
            1. Move a window over the list with two pointers.
            2. Two monotone queues hold the candidates for the minimum and the maximum of the window.
            3. Shrink the window from the left while the difference is too large.
            """,
        ),
        Exemplar(
            description="For every window of k consecutive numbers print the largest.",
            code=r"""
            from collections import deque

            n, k = map(int, input().split())
            a = list(map(int, input().split()))
            queue = deque()
            for i, x in enumerate(a):
                while queue and a[queue[-1]] <= x:
                    queue.pop()
                queue.append(i)
                if queue[0] == i - k:
                    queue.popleft()
                if i >= k - 1:
                    print(a[queue[0]])
            """,
            planning="""
            1. Keep positions whose values decrease in a queue; the front is the maximum.
            2. Remove the front when it leaves the window.
            """,
        ),
        Exemplar(
            description="""
            Keep a multiset of numbers in a window that slides over a list, and report whether its spread
            ever exceeds a limit.
            """,
            code=r"""
            from bisect import bisect_left, insort

            n, k, limit = map(int, input().split())
            a = list(map(int, input().split()))
            window = []
            good = True
            for i, x in enumerate(a):
                insort(window, x)
                if i >= k:
                    window.pop(bisect_left(window, a[i - k]))
                good = good and window[-1] - window[0] <= limit
            print("YES" if good else "NO")
            """,
            planning="""
            1. Keep the window as a sorted list.
            2. Insert and delete by bisection; the ends give minimum and maximum.
            """,
        ),
    ),
    algorithm="""
    Two pointers with monotone queues. The longest allowed window that ends at i begins no earlier than the
    one that ends at i - 1, so the left border only moves right. A queue of positions with increasing values
    has the minimum of the window at its front, one with decreasing values the maximum. When the left border
    moves, both queues must drop a front that has left the window. Every position enters and leaves each
    queue once: O(N).
    """,
    attempts=(
        Attempt(
            plan="""
            1. Generate the heights with the formula, beginning with X.
            2. Slide a window; keep positions of increasing heights in one deque and of decreasing heights
               in another.
            3. After adding the right singer, move left forward while max - min > D and drop fronts that are
               outside.
            4. Remember the first window that is strictly longer than all before; print its length and its
               start.
            """,
            confidence=91,
            explanation="""
            The monotone deques give minimum and maximum in constant time, so the whole scan is O(N).
            """,
            code=r"""
            from collections import deque


            def main():
                n, d, x, a, b, m = map(int, input().split())
                heights = []
                h = x
                for _ in range(n):
                    h = (a * h + b) % m
                    heights.append(h)
                lows = deque()
                highs = deque()
                left = 0
                best = 0
                start = 0
                for right in range(n):
                    h = heights[right]
                    while lows and heights[lows[-1]] > h:
                        lows.pop()
                    lows.append(right)
                    while highs and heights[highs[-1]] < h:
                        highs.pop()
                    highs.append(right)
                    while heights[highs[0]] - heights[lows[0]] > d:
                        left += 1
                        if lows[0] < left:
                            lows.popleft()
                        if highs[0] < left:
                            highs.popleft()
                    if right - left + 1 > best:
                        best = right - left + 1
                        start = left
                print(best, start)


            main()
            """,
            repairs=(
                Repair(
                    planning="""
                    The length is right everywhere, but the start is too small: 0 instead of 1 in the last
                    two samples. The program counts positions from 0 and the problem counts from 1. Print
                    start + 1.
                    """,
                    code=_CODE.replace("    heights = [x]\n", "    heights = []\n    h = x\n").replace(
                        "    for _ in range(n - 1):\n        heights.append((a * heights[-1] + b) % m)\n",
                        "    for _ in range(n):\n        h = (a * h + b) % m\n        heights.append(h)\n",
                    ),
                ),
                Repair(
                    planning="""
                    The last two samples pass now, the first still gives 4 3 where 4 4 is expected. The
                    heights that the program generates for it are 11, 1, 6, 10, ...: the first singer, of
                    height X = 4, is missing, because the formula is applied before the first height is
                    stored.
                    1. Begin the list with X.
                    2. Apply the formula N - 1 times to the last height.
                    3. The window stays as it is.
                    """,
                    code=_CODE,
                ),
            ),
        ),
        Attempt(
            plan="""
            1. Build the list of heights, starting with X itself.
            2. Keep two heaps of (height, position), one for the minimum and one for the maximum, and a left
               border.
            3. While the difference of the tops is above D, move left behind the position that is further
               left of the two tops, and drop outdated tops.
            4. Print the longest window and its start from 1.
            """,
            confidence=83,
            explanation="Heaps with lazy deletion cost O(N log N), which is fine for 200000 singers.",
            code=r"""
            import heapq

            n, d, x, a, b, m = map(int, input().split())
            heights = [x]
            for _ in range(n - 1):
                heights.append((a * heights[-1] + b) % m)
            lows, highs = [], []
            left = best = start = 0
            for right, h in enumerate(heights):
                heapq.heappush(lows, (h, right))
                heapq.heappush(highs, (-h, right))
                while -highs[0][0] - lows[0][0] > d:
                    left = min(highs[0][1], lows[0][1]) + 1
                    while lows[0][1] < left:
                        heapq.heappop(lows)
                    while highs[0][1] < left:
                        heapq.heappop(highs)
                if right - left + 1 > best:
                    best, start = right - left + 1, left
            print(best, start + 1)
            """,
        ),
        Attempt(
            plan="""
            1. Generate the heights.
            2. Keep the heights of the window in a sorted list; insert the new height by bisection.
            3. While last - first > D remove the height at the left border and move the border.
            4. Keep the longest window.
            """,
            confidence=72,
            explanation="""
            Inserting into a sorted list moves many elements, but the moves are fast copies; it may be slow
            for long windows.
            """,
            code=r"""
            from bisect import bisect_left, insort

            n, d, x, a, b, m = map(int, input().split())
            heights = [x]
            for _ in range(n - 1):
                heights.append((a * heights[-1] + b) % m)
            window = []
            left = best = start = 0
            for right, h in enumerate(heights):
                insort(window, h)
                while window[-1] - window[0] > d:
                    window.pop(bisect_left(window, heights[left]))
                    left += 1
                if right - left + 1 > best:
                    best, start = right - left + 1, left
            print(best, start + 1)
            """,
        ),
    ),
)
