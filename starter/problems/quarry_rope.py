from starter.walkthrough import Attempt, Ending, Exemplar, Repair, Walkthrough

TITLE = "Rope Around the Quarry"
DIFFICULTY = "hard"
TAGS = ["geometry", "sorting"]
KIND = "stdio"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 128.0
CHECKER = {"type": "float", "abs": 1e-6, "rel": 1e-6}

STATEMENT = """
N round posts of radius R stand upright in a disused quarry. To close it off, one rope is pulled tight
around all of them, so that every post is inside or touches the rope. Posts may overlap or even stand on the
same spot.

How long is the rope?
"""
INPUT_SPEC = """
The first line holds N and R (1 <= N <= 2000, 0 <= R <= 1000). Each of the next N lines holds the whole
coordinates x and y of the centre of a post (-10000 <= x, y <= 10000). All lengths are in metres.
"""
OUTPUT_SPEC = """
Print the length of the rope. It is accepted when its absolute or relative error is at most 10^-6. Print at
least nine digits after the decimal point.
"""
NOTES = """
In the first example the rope consists of four straight parts of length 4 and, at the corners, four quarters
of a circle of radius 1. The post in the middle does not touch it.
"""

SAMPLES = ["5 1\n0 0\n4 0\n4 4\n0 4\n2 2\n", "3 0\n0 0\n3 0\n0 4\n", "2 2\n1 1\n6 13\n"]


def generate(rng):
    tests = [
        "1 0\n5 5\n",
        "1 7\n-3 4\n",
        "2 0\n0 0\n0 0\n",
        "2 5\n0 0\n0 0\n",
        "3 1\n0 0\n1 1\n2 2\n",
        "5 3\n-10 5\n10 5\n0 5\n3 5\n-10 5\n",
        "4 0\n0 0\n0 10\n0 3\n0 7\n",
        "4 1000\n-10000 -10000\n10000 -10000\n10000 10000\n-10000 10000\n",
        "6 1\n0 0\n2 0\n4 0\n4 3\n2 3\n0 3\n",
        "5 2\n0 0\n10 0\n5 1\n10 10\n0 10\n",
        "7 0\n3 0\n0 3\n-3 0\n0 -3\n1 1\n-1 2\n0 0\n",
    ]
    for posts, span, radius in [
        (4, 3, 0),
        (5, 5, 1),
        (8, 5, 2),
        (10, 10, 0),
        (20, 100, 9),
        (50, 20, 3),
        (100, 1000, 50),
    ]:
        tests.append(_random(rng, posts, span, radius))
    circle = [(x, y) for x in range(-65, 66) for y in range(-65, 66) if 4100 <= x * x + y * y <= 4225]
    tests.append(f"{len(circle)} 1\n" + "".join(f"{x} {y}\n" for x, y in circle))
    tests.append(_random(rng, 2000, 10000, 1000))
    tests.append(_random(rng, 1500, 40, 0))
    return tests


def _random(rng, posts, span, radius):
    rows = "".join(f"{rng.randint(-span, span)} {rng.randint(-span, span)}\n" for _ in range(posts))
    return f"{posts} {radius}\n{rows}"


REFERENCE = r"""
import sys
from math import dist, pi

numbers = list(map(int, sys.stdin.read().split()))
radius = numbers[1]
posts = sorted(set(zip(numbers[2::2], numbers[3::2])))


def half(points):
    chain = []
    for p in points:
        while len(chain) > 1:
            (ax, ay), (bx, by) = chain[-2:]
            if (bx - ax) * (p[1] - ay) - (by - ay) * (p[0] - ax) > 0:
                break
            chain.pop()
        chain.append(p)
    return chain


around = half(posts)[:-1] + half(posts[::-1])[:-1]
straight = sum(dist(a, b) for a, b in zip(around, around[1:] + around[:1]))
print(f"{straight + 2 * pi * radius:.9f}")
"""

WRONG = {
    "forgets the posts' radius": REFERENCE.replace("2 * pi * radius", "0"),
    "gives every corner a whole circle": REFERENCE.replace(
        "2 * pi * radius", "2 * pi * radius * len(around)"
    ),
    "ropes the upper side only": REFERENCE.replace(
        "half(posts)[:-1] + half(posts[::-1])[:-1]", "half(posts[::-1]) or posts"
    ).replace("zip(around, around[1:] + around[:1])", "zip(around, around[1:])"),
    "walks around all posts by angle": r"""
import sys
from math import atan2, dist, pi

numbers = list(map(int, sys.stdin.read().split()))
radius = numbers[1]
posts = list(zip(numbers[2::2], numbers[3::2]))
x = sum(p[0] for p in posts) / len(posts)
y = sum(p[1] for p in posts) / len(posts)
posts.sort(key=lambda p: atan2(p[1] - y, p[0] - x))
straight = sum(dist(a, b) for a, b in zip(posts, posts[1:] + posts[:1]))
print(f"{straight + 2 * pi * radius:.9f}")
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.REPAIRED,
    exemplars=(
        Exemplar(
            description="The corners of a convex polygon are given in any order. Compute its perimeter.",
            code=r"""
            from math import atan2, dist

            n = int(input())
            points = [tuple(map(int, input().split())) for _ in range(n)]
            cx = sum(x for x, y in points) / n
            cy = sum(y for x, y in points) / n
            points.sort(key=lambda p: atan2(p[1] - cy, p[0] - cx))
            print(sum(dist(a, b) for a, b in zip(points, points[1:] + points[:1])))
            """,
            planning="""
            1. The centre of gravity lies inside a convex polygon.
            2. Sort the corners by their angle around it and add up the sides.
            """,
        ),
        Exemplar(
            description="Find the smallest convex polygon that contains a set of points.",
            code=r"""
            n = int(input())
            points = sorted({tuple(map(int, input().split())) for _ in range(n)})


            def cross(o, a, b):
                return (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])


            def half(points):
                chain = []
                for p in points:
                    while len(chain) >= 2 and cross(chain[-2], chain[-1], p) <= 0:
                        chain.pop()
                    chain.append(p)
                return chain[:-1]


            print(half(points) + half(points[::-1]))
            """,
            planning="""
            1. Sort the points and build the lower and the upper chain.
            2. Remove the last point of a chain while it does not turn left.
            """,
        ),
        Exemplar(
            description="A belt runs around two wheels of equal radius. Compute its length.",
            code=r"""
            from math import dist, pi

            x1, y1, x2, y2, r = map(float, input().split())
            print(2 * dist((x1, y1), (x2, y2)) + 2 * pi * r)
            """,
            planning="""
            1. The two straight parts are as long as the distance of the centres.
            2. The curved parts together make one full circle.
            """,
        ),
    ),
    algorithm="""
    Convex hull. A rope pulled tight around points follows their convex hull. Andrew's monotone chain sorts
    the points and builds the lower and the upper chain with cross products in whole numbers, O(N log N);
    duplicates are removed first, and fewer than three points need no special case if each chain drops its
    last point. Around discs of equal radius the straight parts are parallel to the sides of the hull of the
    centres, and the curved parts turn by 360 degrees in all, which adds one circle.
    """,
    attempts=(
        Attempt(
            plan="""
            1. Compute the centre of all posts.
            2. Sort the posts by their angle around it.
            3. Add up the distances of neighbours in this order, including the last to the first.
            4. Print the sum.
            """,
            confidence=86,
            explanation="Going around by angle visits the posts in the order in which the rope touches them.",
            code=r"""
            import math

            n, r = map(int, input().split())
            posts = [tuple(map(int, input().split())) for _ in range(n)]
            cx = sum(p[0] for p in posts) / n
            cy = sum(p[1] for p in posts) / n
            posts.sort(key=lambda p: math.atan2(p[1] - cy, p[0] - cx))
            length = 0.0
            for i in range(n):
                length += math.dist(posts[i], posts[(i + 1) % n])
            print(f"{length:.9f}")
            """,
            repairs=(
                Repair(
                    planning="""
                    The third sample has two posts with radius 2: 26 is the distance there and back, and the
                    expected value is larger by 4 * pi, the circumference of one post. The rope bends around
                    the posts, and all bends together make one full circle.
                    1. Add 2 * pi * r to the sum.
                    """,
                    code=r"""
                    import math

                    n, r = map(int, input().split())
                    posts = [tuple(map(int, input().split())) for _ in range(n)]
                    cx = sum(p[0] for p in posts) / n
                    cy = sum(p[1] for p in posts) / n
                    posts.sort(key=lambda p: math.atan2(p[1] - cy, p[0] - cx))
                    length = 2 * math.pi * r
                    for i in range(n):
                        length += math.dist(posts[i], posts[(i + 1) % n])
                    print(f"{length:.9f}")
                    """,
                ),
                Repair(
                    planning="""
                    The first sample is still too long, because the path goes through the post in the
                    middle, which the tight rope does not touch. Only the corners of the convex hull count.
                    1. Remove duplicates and sort the posts.
                    2. Build the lower and the upper chain with cross products; drop points that do not turn
                       left.
                    3. Add up the sides of the hull and the circle 2 * pi * r. One post gives the circle
                       alone.
                    """,
                    code=r"""
                    import math


                    def cross(o, a, b):
                        return (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])


                    def main():
                        n, r = map(int, input().split())
                        posts = sorted({tuple(map(int, input().split())) for _ in range(n)})
                        length = 2 * math.pi * r
                        if len(posts) > 1:
                            hull = []
                            for points in (posts, posts[::-1]):
                                chain = []
                                for p in points:
                                    while len(chain) >= 2 and cross(chain[-2], chain[-1], p) <= 0:
                                        chain.pop()
                                    chain.append(p)
                                hull += chain[:-1]
                            for i in range(len(hull)):
                                length += math.dist(hull[i], hull[(i + 1) % len(hull)])
                        print(f"{length:.9f}")


                    main()
                    """,
                ),
            ),
        ),
        Attempt(
            plan="""
            1. Sort the distinct centres and build the convex hull with the monotone chain.
            2. Add up the distances of neighbouring corners.
            3. Add one circle of radius R.
            """,
            confidence=84,
            explanation="The rope is parallel to the hull of the centres; its bends add one circle.",
            code=r"""
            import sys
            from math import hypot, pi

            data = list(map(int, sys.stdin.read().split()))
            n, r = data[0], data[1]
            points = sorted(set(zip(data[2::2], data[3::2])))


            def chain(points):
                result = []
                for x, y in points:
                    while len(result) >= 2:
                        (ax, ay), (bx, by) = result[-2], result[-1]
                        if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                            break
                        result.pop()
                    result.append((x, y))
                return result


            lower, upper = chain(points), chain(points[::-1])
            total = 2 * pi * r
            for part in (lower, upper):
                for (ax, ay), (bx, by) in zip(part, part[1:]):
                    total += hypot(bx - ax, by - ay)
            print("%.9f" % total)
            """,
        ),
        Attempt(
            plan="""
            1. For every pair of posts test whether all others lie on one side of the line through them.
            2. Add up the lengths of these pairs and one circle.
            """,
            confidence=50,
            explanation="""
            Two million pairs times 2000 posts is too slow, and three posts on one line are counted
            repeatedly.
            """,
            code=r"""
            from math import dist, pi

            n, r = map(int, input().split())
            posts = sorted({tuple(map(int, input().split())) for _ in range(n)})
            total = 2 * pi * r
            for i, a in enumerate(posts):
                for b in posts[:i]:
                    sides = [(b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]) for p in posts]
                    if min(sides) >= 0 or max(sides) <= 0:
                        total += dist(a, b)
            print(f"{total:.9f}")
            """,
        ),
    ),
)
