from starter.walkthrough import Attempt, Ending, Exemplar, Walkthrough

TITLE = "The Village Well"
DIFFICULTY = "hard"
TAGS = ["trees", "dp", "graphs"]
KIND = "stdio"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 256.0

STATEMENT = """
A village of N houses was built along paths. House 1 is the oldest; house i, for i from 2 to N, was joined
by one path to the older house

i - 1 - ((A * i + B) mod min(i - 1, W)).

In house i live 1 + (C * i) mod P people. A well is to be dug beside one of the houses. Every morning
everybody walks to the well; a walk is as long as the number of paths on the way.

At which house should the well be dug so that all people together walk as little as possible?
"""
INPUT_SPEC = """
One line with N, A, B, W, C and P (1 <= N <= 60000, 0 <= A, B, C <= 10^9, 1 <= W <= N, 1 <= P <= 1000).
"""
OUTPUT_SPEC = """
Print the number of the house and the total length of all walks to it. If several houses are equally good,
choose the smallest number.
"""
NOTES = """
In the first example W is 1, so the houses form the line 1-2-3-4-5, and with P = 1 one person lives in each.
In the second, the houses 2 to 7 are joined to 1, 2, 2, 4, 2 and 4.
"""

SAMPLES = ["5 0 0 1 0 1\n", "7 3 1 4 5 7\n", "1 9 9 1 3 2\n"]


def generate(rng):
    tests = [
        "1 0 0 1 0 1\n",
        "2 0 0 1 0 1\n",
        "2 0 0 2 1 10\n",
        "3 1 0 2 1 2\n",
        "4 0 0 1 0 1000\n",
        "6 1 0 6 7 5\n",
        "8 0 2 3 3 4\n",
        "60000 0 0 1 0 1\n",
        "60000 0 0 1 7 1000\n",
        "60000 1 0 60000 13 10\n",
    ]
    for houses, width in [
        (5, 2),
        (6, 3),
        (8, 8),
        (10, 4),
        (15, 15),
        (30, 5),
        (100, 10),
        (500, 500),
        (1500, 2),
    ]:
        tests.append(_random(rng, houses, width))
    tests.append(_random(rng, 60000, 3))
    tests.append(_random(rng, 60000, 60000))
    return tests


def _random(rng, houses, width):
    a, b, c = (rng.randint(0, 10**9) for _ in range(3))
    return f"{houses} {a} {b} {width} {c} {rng.randint(1, 1000)}\n"


REFERENCE = r"""
n, a, b, w, c, p = map(int, input().split())
older = [0, 0] + [i - 1 - (a * i + b) % min(i - 1, w) for i in range(2, n + 1)]
people = [0] + [1 + c * i % p for i in range(1, n + 1)]
depth = [0] * (n + 1)
for i in range(2, n + 1):
    depth[i] = depth[older[i]] + 1
behind = people[:]
for i in range(n, 1, -1):
    behind[older[i]] += behind[i]
everybody = behind[1]
walk = [0] * (n + 1)
walk[1] = sum(depth[i] * people[i] for i in range(1, n + 1))
best = 1
for i in range(2, n + 1):
    walk[i] = walk[older[i]] + everybody - 2 * behind[i]
    if walk[i] < walk[best]:
        best = i
print(best, walk[best])
"""

WRONG = {
    "digs in the middle of the longest way": r"""
n, a, b, w, c, p = map(int, input().split())
near = [[] for _ in range(n + 1)]
for i in range(2, n + 1):
    j = i - 1 - (a * i + b) % min(i - 1, w)
    near[i].append(j)
    near[j].append(i)


def distances(start):
    far = [-1] * (n + 1)
    far[start] = 0
    queue = [start]
    for house in queue:
        for other in near[house]:
            if far[other] < 0:
                far[other] = far[house] + 1
                queue.append(other)
    return far, queue


one = distances(1)[1][-1]
from_one, order = distances(one)
from_other, _ = distances(order[-1])
best = min(range(1, n + 1), key=lambda i: (max(from_one[i], from_other[i]), i))
print(best, sum(d * (1 + c * i % p) for i, d in enumerate(distances(best)[0]) if i))
""",
    "counts houses instead of people": REFERENCE.replace("1 + c * i % p for", "1 for"),
    "walks from every house": r"""
n, a, b, w, c, p = map(int, input().split())
near = [[] for _ in range(n + 1)]
for i in range(2, n + 1):
    j = i - 1 - (a * i + b) % min(i - 1, w)
    near[i].append(j)
    near[j].append(i)
best = None
for start in range(1, n + 1):
    far = {start: 0}
    queue = [start]
    for house in queue:
        for other in near[house]:
            if other not in far:
                far[other] = far[house] + 1
                queue.append(other)
    total = sum(d * (1 + c * i % p) for i, d in far.items())
    if best is None or total < best[0]:
        best = total, start
print(best[1], best[0])
""",
    "goes down by recursion": r"""
import sys

n, a, b, w, c, p = map(int, input().split())
younger = [[] for _ in range(n + 1)]
for i in range(2, n + 1):
    younger[i - 1 - (a * i + b) % min(i - 1, w)].append(i)
behind = [0] * (n + 1)


def add(house, depth):
    behind[house] = 1 + c * house % p
    total = depth * behind[house]
    for other in younger[house]:
        total += add(other, depth + 1)
        behind[house] += behind[other]
    return total


def find(house, walk):
    best = walk, house
    for other in younger[house]:
        best = min(best, find(other, walk + behind[1] - 2 * behind[other]))
    return best


walk, house = find(1, add(1, 0))
print(house, walk)
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.WRONG_ON_HIDDEN,
    exemplars=(
        Exemplar(
            description="""
            Find the vertex of a tree with n <= 1000 vertices whose total distance to all others is
            smallest.
            """,
            code=r"""
            n = int(input())
            near = [[] for _ in range(n)]
            for _ in range(n - 1):
                a, b = map(int, input().split())
                near[a].append(b)
                near[b].append(a)
            best = None
            for start in range(n):
                dist = {start: 0}
                queue = [start]
                for u in queue:
                    for v in near[u]:
                        if v not in dist:
                            dist[v] = dist[u] + 1
                            queue.append(v)
                total = sum(dist.values())
                if best is None or total < best[0]:
                    best = (total, start)
            print(best[1])
            """,
            planning="""
            1. Run a breadth-first search from every vertex and add up the distances.
            2. Keep the vertex with the smallest sum. O(n^2).
            """,
        ),
        Exemplar(
            description="For every vertex of a tree print the sum of the distances to all other vertices.",
            code=r"""
            import sys

            sys.setrecursionlimit(10**6)
            n = int(input())
            near = [[] for _ in range(n)]
            for _ in range(n - 1):
                a, b = map(int, input().split())
                near[a].append(b)
                near[b].append(a)
            size = [1] * n
            total = [0] * n


            def down(u, parent, depth):
                total[0] += depth
                for v in near[u]:
                    if v != parent:
                        down(v, u, depth + 1)
                        size[u] += size[v]


            def move(u, parent):
                for v in near[u]:
                    if v != parent:
                        total[v] = total[u] + n - 2 * size[v]
                        move(v, u)


            down(0, -1, 0)
            move(0, -1)
            print(*total)
            """,
            planning="""
            1. Compute the sizes of all subtrees and the sum for the root.
            2. Moving from a vertex to its child v brings size[v] vertices nearer and all others further
               away.
            """,
        ),
        Exemplar(
            description="""
            Vertices of a tree carry weights and are numbered so that each parent has a smaller number than
            its children. Compute the total weight of every subtree.
            """,
            code=r"""
            n = int(input())
            parent = list(map(int, input().split()))
            weight = list(map(int, input().split()))
            for v in range(n - 1, 0, -1):
                weight[parent[v]] += weight[v]
            print(*weight)
            """,
            planning="""
            1. Go through the vertices from the largest number to the smallest.
            2. Add the weight of each vertex to its parent; no recursion is needed.
            """,
        ),
    ),
    algorithm="""
    Trees: total distances. A breadth-first search from a vertex gives its distances to all others in O(N).
    To get the totals of all vertices at once use rerooting: compute the total for one root and the weight
    of every subtree; moving the root over an edge into a subtree of weight s changes the total by (whole
    weight - 2 * s). O(N) altogether. When parents have smaller numbers than children, plain loops replace
    recursion.
    """,
    attempts=(
        Attempt(
            plan="""
            1. Build the tree from the formula and the number of people in each house.
            2. For every house run a breadth-first search and add up distance times people.
            3. Print the house with the smallest total, the smallest number on ties.
            """,
            confidence=90,
            explanation="""
            Every possible place is evaluated exactly, so the best one is found. A search is linear in N.
            """,
            code=r"""
            def main():
                n, a, b, w, c, p = map(int, input().split())
                near = [[] for _ in range(n + 1)]
                for i in range(2, n + 1):
                    j = i - 1 - ((a * i + b) % min(i - 1, w))
                    near[i].append(j)
                    near[j].append(i)
                people = [0] + [1 + (c * i) % p for i in range(1, n + 1)]
                best_house, best_total = 0, None
                for start in range(1, n + 1):
                    dist = [-1] * (n + 1)
                    dist[start] = 0
                    queue = [start]
                    total = 0
                    for u in queue:
                        total += dist[u] * people[u]
                        for v in near[u]:
                            if dist[v] < 0:
                                dist[v] = dist[u] + 1
                                queue.append(v)
                    if best_total is None or total < best_total:
                        best_house, best_total = start, total
                print(best_house, best_total)


            main()
            """,
        ),
        Attempt(
            plan="""
            1. Build the tree with house 1 as root.
            2. A recursive function computes the people in each subtree and the total for house 1.
            3. A second recursion moves the well from a house to its children: total + everybody - 2 *
               people behind the child.
            4. Print the best house.
            """,
            confidence=82,
            explanation="""
            Rerooting is linear. The recursion can be as deep as the longest line of houses, so the
            recursion limit must be raised.
            """,
            code=r"""
            import sys

            sys.setrecursionlimit(200000)


            def main():
                n, a, b, w, c, p = map(int, input().split())
                children = [[] for _ in range(n + 1)]
                for i in range(2, n + 1):
                    children[i - 1 - ((a * i + b) % min(i - 1, w))].append(i)
                people = [0] + [1 + (c * i) % p for i in range(1, n + 1)]
                behind = people[:]

                def down(u, depth):
                    total = depth * people[u]
                    for v in children[u]:
                        total += down(v, depth + 1)
                        behind[u] += behind[v]
                    return total

                def move(u, total):
                    best = (total, u)
                    for v in children[u]:
                        best = min(best, move(v, total + behind[1] - 2 * behind[v]))
                    return best

                total, house = move(1, down(1, 0))
                print(house, total)


            main()
            """,
        ),
        Attempt(
            plan="""
            1. Store for each house the older house it is joined to; it always has a smaller number.
            2. From N down to 2 add the people behind a house to its older house. From 2 up to N compute the
               depths, and the total for house 1.
            3. From 2 up to N: total[i] = total[older[i]] + everybody - 2 * behind[i].
            4. Print the house with the smallest total.
            """,
            confidence=80,
            explanation="""
            Linear, without recursion. The formula for moving the well should be checked once more.
            """,
            code=r"""
            n, a, b, w, c, p = map(int, input().split())
            older = [0] * (n + 1)
            people = [0] * (n + 1)
            depth = [0] * (n + 1)
            for i in range(1, n + 1):
                people[i] = 1 + (c * i) % p
                if i > 1:
                    older[i] = i - 1 - ((a * i + b) % min(i - 1, w))
                    depth[i] = depth[older[i]] + 1
            behind = people[:]
            for i in range(n, 1, -1):
                behind[older[i]] += behind[i]
            total = [0] * (n + 1)
            total[1] = sum(depth[i] * people[i] for i in range(1, n + 1))
            for i in range(2, n + 1):
                total[i] = total[older[i]] + behind[1] - 2 * behind[i]
            house = min(range(1, n + 1), key=lambda i: (total[i], i))
            print(house, total[house])
            """,
        ),
    ),
)
