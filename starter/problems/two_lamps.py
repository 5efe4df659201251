from starter.walkthrough import Attempt, Ending, Exemplar, Walkthrough

TITLE = "Two Lamps on the Square"
DIFFICULTY = "medium"
TAGS = ["geometry", "math"]
KIND = "stdio"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 128.0
CHECKER = {"type": "float", "abs": 1e-6, "rel": 1e-6}

STATEMENT = """
Two street lamps stand on a wide, flat square. Each lights a disc around its foot. The town pays for light
by the square metre, and ground that is lit by both lamps is paid only once.

Given the positions and the radii, compute the lit area.
"""
INPUT_SPEC = """
Two lines, one a lamp, each with three whole numbers x, y and r (-1000 <= x, y <= 1000, 1 <= r <= 1000), all
in metres.
"""
OUTPUT_SPEC = """
Print the area in square metres. It is accepted when its absolute or relative error is at most 10^-6. Print
at least nine digits after the decimal point.
"""
NOTES = "In the second example the small disc lies inside the large one, which alone gives 9 * pi."

SAMPLES = ["0 0 2\n3 0 2\n", "1 1 3\n1 2 1\n"]


def generate(rng):
    tests = [
        "0 0 1\n0 0 1\n",
        "0 0 1\n2 0 1\n",
        "0 0 1\n3 4 4\n",
        "0 0 5\n3 4 10\n",
        "0 0 10\n3 4 5\n",
        "0 0 10\n3 4 4\n",
        "-1000 -1000 1000\n1000 1000 1000\n",
        "-1000 0 1000\n999 0 1000\n",
        "0 0 1000\n1 0 999\n",
        "0 0 1000\n1 0 1000\n",
        "0 0 1000\n0 999 1\n",
        "0 0 1000\n0 1000 1\n",
        "0 -1 1000\n0 1000 1\n",
        "5 5 7\n-5 -5 8\n",
        "0 0 10\n7 0 4\n",
        "-13 2 9\n0 4 20\n",
        "100 100 400\n-90 20 600\n",
    ]
    for span, radius in [(3, 6), (5, 9), (10, 14), (20, 30), (100, 140), (1000, 1000)] * 2:
        rows = [
            f"{rng.randint(-span, span)} {rng.randint(-span, span)} {rng.randint(1, radius)}\n"
            for _ in range(2)
        ]
        tests.append("".join(rows))
    return tests


REFERENCE = r"""
from math import acos, pi, sqrt

x1, y1, r1 = map(int, input().split())
x2, y2, r2 = map(int, input().split())
square = (x1 - x2) ** 2 + (y1 - y2) ** 2
if square >= (r1 + r2) ** 2:
    both = 0.0
elif square <= (r1 - r2) ** 2:
    both = pi * min(r1, r2) ** 2
else:
    d = sqrt(square)
    half1 = acos(max(-1.0, min(1.0, (square + r1 * r1 - r2 * r2) / (2 * d * r1))))
    half2 = acos(max(-1.0, min(1.0, (square + r2 * r2 - r1 * r1) / (2 * d * r2))))
    heron = (r1 + r2 - d) * (d + r1 - r2) * (d - r1 + r2) * (d + r1 + r2)
    both = r1 * r1 * half1 + r2 * r2 * half2 - sqrt(max(0.0, heron)) / 2
print(f"{pi * (r1 * r1 + r2 * r2) - both:.9f}")
"""

WRONG = {
    "forgets a disc inside the other": r"""
from math import acos, pi, sqrt

x1, y1, r1 = map(int, input().split())
x2, y2, r2 = map(int, input().split())
d = sqrt((x1 - x2) ** 2 + (y1 - y2) ** 2)
both = 0.0
if d < r1 + r2:
    a = acos((d * d + r1 * r1 - r2 * r2) / (2 * d * r1))
    b = acos((d * d + r2 * r2 - r1 * r1) / (2 * d * r2))
    heron = (r1 + r2 - d) * (d + r1 - r2) * (d - r1 + r2) * (d + r1 + r2)
    both = r1 * r1 * a + r2 * r2 * b - sqrt(heron) / 2
print(f"{pi * (r1 * r1 + r2 * r2) - both:.9f}")
""",
    "measures angles with the sine only": r"""
from math import asin, pi, sqrt

x1, y1, r1 = map(int, input().split())
x2, y2, r2 = map(int, input().split())
d2 = (x1 - x2) ** 2 + (y1 - y2) ** 2
if d2 >= (r1 + r2) ** 2:
    both = 0.0
elif d2 <= (r1 - r2) ** 2:
    both = pi * min(r1, r2) ** 2
else:
    d = sqrt(d2)
    heron = (r1 + r2 - d) * (d + r1 - r2) * (d - r1 + r2) * (d + r1 + r2)
    height = sqrt(max(0.0, heron)) / (2 * d)
    both = r1 * r1 * asin(min(1.0, height / r1)) + r2 * r2 * asin(min(1.0, height / r2)) - d * height
print(f"{pi * (r1 * r1 + r2 * r2) - both:.9f}")
""",
    "prints two decimals": r"""
from math import acos, pi, sqrt

x1, y1, r1 = map(int, input().split())
x2, y2, r2 = map(int, input().split())
d2 = (x1 - x2) ** 2 + (y1 - y2) ** 2
if d2 >= (r1 + r2) ** 2:
    both = 0.0
elif d2 <= (r1 - r2) ** 2:
    both = pi * min(r1, r2) ** 2
else:
    d = sqrt(d2)
    a = acos((d2 + r1 * r1 - r2 * r2) / (2 * d * r1))
    b = acos((d2 + r2 * r2 - r1 * r1) / (2 * d * r2))
    heron = (r1 + r2 - d) * (d + r1 - r2) * (d - r1 + r2) * (d + r1 + r2)
    both = r1 * r1 * a + r2 * r2 * b - sqrt(heron) / 2
print(f"{pi * (r1 * r1 + r2 * r2) - both:.2f}")
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.FIRST_TRY,
    exemplars=(
        Exemplar(
            description="""
            Compute the area of a circular segment that is cut off by a chord at distance h from the centre
            of a circle of radius r.
            """,
            code=r"""
            from math import acos, sqrt

            r, h = map(float, input().split())
            print(r * r * acos(h / r) - h * sqrt(r * r - h * h))
            """,
            planning="""
            1. Half the angle of the segment is acos(h / r).
            2. The sector has the area r^2 * acos(h / r); subtract the triangle h * sqrt(r^2 - h^2).
            """,
        ),
        Exemplar(
            description="""
            Decide for two circles with whole coordinates whether they are apart, touch, cross, or lie one
            inside the other.
            """,
            code=r"""
            x1, y1, r1 = map(int, input().split())
            x2, y2, r2 = map(int, input().split())
            d2 = (x1 - x2) ** 2 + (y1 - y2) ** 2
            if d2 > (r1 + r2) ** 2:
                print("apart")
            elif d2 < (r1 - r2) ** 2:
                print("inside")
            elif d2 in ((r1 + r2) ** 2, (r1 - r2) ** 2):
                print("touch")
            else:
                print("cross")
            """,
            planning="""
            1. Compare the squared distance with (r1 + r2)^2 and (r1 - r2)^2, all in whole numbers.
            2. Whole numbers avoid rounding errors at the borders of the cases.
            """,
        ),
        Exemplar(
            description="""
            Estimate the area covered by several discs by sampling points on a fine grid.
            """,
            code=r"""
            n = int(input())
            discs = [tuple(map(float, input().split())) for _ in range(n)]
            step = 0.01
            count = 0
            for i in range(-500, 500):
                for j in range(-500, 500):
                    if any((i * step - x) ** 2 + (j * step - y) ** 2 <= r * r for x, y, r in discs):
                        count += 1
            print(count * step * step)
            """,
            planning="""
            1. Lay a grid over the plane.
            2. Count the grid points that lie in at least one disc and multiply by the area of a grid cell.
            """,
        ),
    ),
    algorithm="""
    Plane geometry. The union of two discs is the sum of both areas minus the lens they share. The lens
    consists of two circular segments; the law of cosines gives the half angles at both centres: cos(alpha)
    = (d^2 + r1^2 - r2^2) / (2 d r1). Handle the special cases first (discs apart, one inside the other),
    compare squares of whole numbers, and clamp the argument of acos.
    """,
    attempts=(
        Attempt(
            plan="""
            1. Compute the squared distance d2 in whole numbers.
            2. If d2 >= (r1 + r2)^2 the discs share nothing. If d2 <= (r1 - r2)^2 they share the smaller
               disc.
            3. Otherwise alpha = acos((d2 + r1^2 - r2^2) / (2 d r1)) and beta likewise for the second lamp.
               The lens is r1^2 (alpha - sin(2 alpha) / 2) + r2^2 (beta - sin(2 beta) / 2).
            4. Print pi r1^2 + pi r2^2 - lens with nine decimals.
            """,
            confidence=92,
            explanation="""
            The formula of the lens by two segments is right also for angles above 90 degrees, because sin(2
            alpha) becomes negative there. The special cases are decided in whole numbers.
            """,
            code=r"""
            import math

            x1, y1, r1 = map(int, input().split())
            x2, y2, r2 = map(int, input().split())
            d2 = (x1 - x2) ** 2 + (y1 - y2) ** 2
            if d2 >= (r1 + r2) ** 2:
                lens = 0.0
            elif d2 <= (r1 - r2) ** 2:
                lens = math.pi * min(r1, r2) ** 2
            else:
                d = math.sqrt(d2)
                alpha = math.acos(max(-1.0, min(1.0, (d2 + r1 * r1 - r2 * r2) / (2 * d * r1))))
                beta = math.acos(max(-1.0, min(1.0, (d2 + r2 * r2 - r1 * r1) / (2 * d * r2))))
                lens = r1 * r1 * (alpha - math.sin(2 * alpha) / 2) + r2 * r2 * (beta - math.sin(2 * beta) / 2)
            print(f"{math.pi * (r1 * r1 + r2 * r2) - lens:.9f}")
            """,
        ),
        Attempt(
            plan="""
            1. Classify the position of the circles with squared whole numbers.
            2. For crossing circles put the first lamp at 0 and the second at d on a line; the common chord
               stands at t = (d^2 + r1^2 - r2^2) / (2 d).
            3. The lens is segment(r1, t) + segment(r2, d - t) with segment(r, h) = r^2 acos(h / r) - h
               sqrt(r^2 - h^2), where h may be negative.
            4. Print the sum of the discs minus the lens.
            """,
            confidence=90,
            explanation="""
            Correct: the segment formula stays valid for a negative h, when the segment is more than half a
            disc.
            """,
            code=r"""
            import math


            def segment(r, h):
                h = max(-r, min(r, h))
                return r * r * math.acos(h / r) - h * math.sqrt(r * r - h * h)


            x1, y1, r1 = map(int, input().split())
            x2, y2, r2 = map(int, input().split())
            d2 = (x1 - x2) ** 2 + (y1 - y2) ** 2
            total = math.pi * (r1 * r1 + r2 * r2)
            if d2 >= (r1 + r2) ** 2:
                shared = 0.0
            elif d2 <= (r1 - r2) ** 2:
                shared = math.pi * min(r1, r2) ** 2
            else:
                d = math.sqrt(d2)
                t = (d2 + r1 * r1 - r2 * r2) / (2 * d)
                shared = segment(r1, t) + segment(r2, d - t)
            print("%.9f" % (total - shared))
            """,
        ),
        Attempt(
            plan="""
            1. Take the bounding box of both discs and a fine grid over it.
            2. Count the grid points inside at least one disc and multiply by the cell area.
            """,
            confidence=15,
            explanation="A grid cannot reach a relative error of 10^-6 in time.",
            code=r"""
            x1, y1, r1 = map(int, input().split())
            x2, y2, r2 = map(int, input().split())
            left, right = min(x1 - r1, x2 - r2), max(x1 + r1, x2 + r2)
            low, high = min(y1 - r1, y2 - r2), max(y1 + r1, y2 + r2)
            cells = 600
            dx, dy = (right - left) / cells, (high - low) / cells
            count = 0
            for i in range(cells):
                x = left + (i + 0.5) * dx
                for j in range(cells):
                    y = low + (j + 0.5) * dy
                    if (x - x1) ** 2 + (y - y1) ** 2 <= r1 * r1 or (x - x2) ** 2 + (y - y2) ** 2 <= r2 * r2:
                        count += 1
            print(f"{count * dx * dy:.9f}")
            """,
        ),
    ),
)
