from starter.walkthrough import Attempt, Ending, Exemplar, Repair, Walkthrough

TITLE = "Washed-out Bridges"
DIFFICULTY = "medium"
TAGS = ["graphs", "data structures"]
KIND = "stdio"
TIME_LIMIT_S = 0.5
MEMORY_LIMIT_MB = 128.0

STATEMENT = """
N islands are joined by causeways. The causeway `a b s` is a row of bridges: from island a to island a + s,
from there to a + 2s, and so on until island b. The bridges of all causeways are numbered from 1, causeway
by causeway, each from a to b.

In a long storm K of the bridges are washed away, one after another. Islands belong to the same group if one
can walk from one to the other over bridges that still stand; an island without bridges is a group of its
own. Tell after each loss how many groups there are.
"""
INPUT_SPEC = """
The first line holds N, M and K (2 <= N <= 20000, 1 <= M <= 200, 1 <= K <= 1500). Each of the next M lines
holds a, b and s of a causeway (1 <= a < b <= N, s >= 1, and b - a is a multiple of s). There are at least K
and at most 40000 bridges in all; several may join the same islands. The last line holds the numbers of the
K lost bridges in the order of their loss, all different.
"""
OUTPUT_SPEC = "Print K numbers: the number of groups after each loss."
NOTES = """
In the first example the bridges are 1-2, 2-3, 3-4 and 1-3. The loss of bridge 2 still leaves the way 2-1-3;
the next two losses cut off an island each.
"""

SAMPLES = ["4 2 3\n1 4 1\n1 3 2\n2 3 1\n", "3 2 1\n1 2 1\n1 2 1\n1\n", "6 2 3\n1 5 2\n4 6 2\n3 1 2\n"]


def generate(rng):
    tests = [
        "2 1 1\n1 2 1\n1\n",
        "5 1 1\n2 4 2\n1\n",
        "2 3 3\n1 2 1\n1 2 1\n1 2 1\n3 1 2\n",
        "4 1 1\n1 4 1\n2\n",
        "4 2 4\n1 4 1\n1 4 3\n4 3 2 1\n",
        "6 4 2\n1 3 1\n1 3 2\n4 6 1\n4 6 2\n1 4\n",
        "20000 1 1\n1 20000 19999\n1\n",
    ]
    for islands, causeways, lost in [
        (4, 3, 3),
        (5, 4, 5),
        (6, 4, 4),
        (8, 6, 9),
        (10, 6, 12),
        (20, 9, 25),
    ] * 2:
        tests.append(_random(rng, islands, causeways, lost))
    tests.append(_random(rng, 100, 20, 280))
    tests.append(_random(rng, 1000, 200, 400))
    tests.append(_random(rng, 20000, 3, 1500, step=2))
    tests.append(_test(rng, 20000, [(1, 20000, 1)], 1400))
    tests.append(_test(rng, 1300, [(1, 1300, 1), (1, 1300, 1299)], 1300))
    return tests


def _random(rng, islands, causeways, lost, step=0):
    rows = []
    for _ in range(causeways):
        a = rng.randint(1, step or islands)
        s = step or rng.choice([1, 1, 2, 3, rng.randint(1, islands)])
        most = (islands - a) // s
        if most > 0:
            rows.append((a, a + s * (most if step else rng.randint(1, most)), s))
    rows.append((1, islands, islands - 1))
    return _test(rng, islands, rows, lost)


def _test(rng, islands, rows, lost):
    bridges = sum((b - a) // s for a, b, s in rows)
    storm = rng.sample(range(1, bridges + 1), min(lost, bridges))
    text = "".join(f"{a} {b} {s}\n" for a, b, s in rows)
    return f"{islands} {len(rows)} {len(storm)}\n{text}{' '.join(map(str, storm))}\n"


REFERENCE = r"""
import sys

numbers = list(map(int, sys.stdin.read().split()))
n, m, k = numbers[:3]
bridges = []
for i in range(3, 3 + 3 * m, 3):
    a, b, s = numbers[i:i + 3]
    bridges += [(x, x + s) for x in range(a, b, s)]
storm = [number - 1 for number in numbers[3 + 3 * m:]]
lost = set(storm)
head = list(range(n + 1))


def find(island):
    while head[island] != island:
        head[island] = head[head[island]]
        island = head[island]
    return island


def join(number):
    a, b = map(find, bridges[number])
    head[a] = b
    return a != b


groups = n - sum(join(number) for number in range(len(bridges)) if number not in lost)
answers = []
for number in reversed(storm):
    answers.append(groups)
    groups -= join(number)
print(*reversed(answers))
"""

_WALK = r"""
import sys

data = list(map(int, sys.stdin.read().split()))
n, m, k = data[:3]
edges = []
for i in range(m):
    a, b, s = data[3 + 3 * i:6 + 3 * i]
    edges += [(x, x + s) for x in range(a, b, s)]
standing = [True] * len(edges)
near = [[] for _ in range(n + 1)]
for i, (a, b) in enumerate(edges):
    near[a].append((b, i))
    near[b].append((a, i))
result = []
for x in data[3 + 3 * m:]:
    standing[x - 1] = False
    seen = [False] * (n + 1)
    count = 0
    for start in range(1, n + 1):
        if not seen[start]:
            count += 1
            seen[start] = True
            stack = [start]
            while stack:
                for other, i in near[stack.pop()]:
                    if standing[i] and not seen[other]:
                        seen[other] = True
                        stack.append(other)
    result.append(count)
print(*result)
"""

WRONG = {
    "prints the groups in the order of rebuilding": REFERENCE.replace("*reversed(answers)", "*answers"),
    "believes that every loss cuts something off": r"""
import sys

numbers = list(map(int, sys.stdin.read().split()))
n, m, k = numbers[:3]
head = list(range(n + 1))


def find(island):
    while head[island] != island:
        island = head[island]
    return island


groups = n
for i in range(3, 3 + 3 * m, 3):
    low, high, step = numbers[i:i + 3]
    for x in range(low, high, step):
        a, b = find(x), find(x + step)
        if a != b:
            head[a] = b
            groups -= 1
print(*[min(n, groups + i) for i in range(1, k + 1)])
""",
    "walks over all islands after every loss": _WALK,
}

_CODE = r"""
import sys


def main():
    data = list(map(int, sys.stdin.read().split()))
    n, m, k = data[0], data[1], data[2]
    edges = []
    for i in range(m):
        a, b, s = data[3 + 3 * i:6 + 3 * i]
        edges += [(x, x + s) for x in range(a, b, s)]
    lost = [x - 1 for x in data[3 + 3 * m:]]
    parent = list(range(n + 1))

    def find(x):
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        return x

    def join(i):
        a, b = find(edges[i][0]), find(edges[i][1])
        if a == b:
            return 0
        parent[a] = b
        return 1

    gone = set(lost)
    groups = n - sum(join(i) for i in range(len(edges)) if i not in gone)
    answer = []
    for i in reversed(lost):
        groups -= join(i)
        answer.append(groups)
    print(*reversed(answer))


main()
"""

WALKTHROUGH = Walkthrough(
    ending=Ending.REPAIRED,
    exemplars=(
        Exemplar(
            description="""
            Roads are built one after another between towns. Print after each road how many connected
            regions there are.
            """,
            code=r"""
            n, m = map(int, input().split())
            parent = list(range(n + 1))


            def find(x):
                while parent[x] != x:
                    parent[x] = parent[parent[x]]
                    x = parent[x]
                return x


            regions = n
            for _ in range(m):
                a, b = map(int, input().split())
                a, b = find(a), find(b)
                if a != b:
                    parent[a] = b
                    regions -= 1
                print(regions)
            """,
            planning="""
            1. Keep a disjoint-set forest; at first every town is its own region.
            2. A road between two regions joins them and lowers the number by one.
            """,
        ),
        Exemplar(
            description="""
            Edges are deleted from a graph in a given order. Find the deletion that first disconnects two
            given vertices.
            """,
            code=r"""
            n, m, s, t = map(int, input().split())
            edges = [tuple(map(int, input().split())) for _ in range(m)]
            parent = list(range(n + 1))


            def find(x):
                while parent[x] != x:
                    parent[x] = parent[parent[x]]
                    x = parent[x]
                return x


            for i in range(m - 1, -1, -1):
                a, b = edges[i]
                parent[find(a)] = find(b)
                if find(s) == find(t):
                    print(i + 1)
                    break
            """,
            planning="""
            1. Read the deletions backwards: they become insertions.
            2. Join the ends of the edges until the two vertices are connected; that edge is the answer.
            """,
        ),
        Exemplar(
            description="Count the connected components of an undirected graph.",
            code=r"""
            n, m = map(int, input().split())
            near = [[] for _ in range(n)]
            for _ in range(m):
                a, b = map(int, input().split())
                near[a].append(b)
                near[b].append(a)
            seen = [False] * n
            components = 0
            for start in range(n):
                if not seen[start]:
                    components += 1
                    stack = [start]
                    seen[start] = True
                    while stack:
                        for w in near[stack.pop()]:
                            if not seen[w]:
                                seen[w] = True
                                stack.append(w)
            print(components)
            """,
            planning="""
            1. Start a search from every vertex that has not been seen.
            2. The number of searches is the number of components.
            """,
        ),
    ),
    algorithm="""
    Disjoint sets, offline and backwards. A disjoint-set forest can join groups quickly but cannot split
    them. When all deletions are known, process them in reverse: begin with the graph after the last
    deletion and add the edges back. The number of groups falls by one whenever an added edge joins two
    different groups. Record the number before adding each edge back, and print the records in reverse.
    """,
    attempts=(
        Attempt(
            plan="""
            1. Expand the causeways into a list of numbered bridges and mark those that are lost.
            2. Join the islands of all bridges that survive the storm and count the groups.
            3. Go through the lost bridges from the last to the first: add the bridge, lower the count if it
               joins two groups, and store the count.
            4. Print the stored counts in reverse order.
            """,
            confidence=90,
            explanation="""
            Reversing the losses turns them into insertions, which a disjoint-set forest handles in almost
            constant time.
            """,
            code=_CODE,
            repairs=(
                Repair(
                    planning="""
                    In the first sample the numbers are 1 1 2 instead of 1 2 3: every answer is the one of
                    the moment before the loss. Going backwards, the count has to be stored before the
                    bridge is put back, because the question is about the state without it.
                    1. For each lost bridge, last to first: store the number of groups, then join.
                    2. Print the stored numbers in reverse.
                    """,
                    code=_CODE.replace(
                        "groups -= join(i)\n        answer.append(groups)",
                        "answer.append(groups)\n        groups -= join(i)",
                    ),
                ),
            ),
        ),
        Attempt(
            plan="""
            1. Put the surviving bridges first and then the lost ones from last to first into one list.
            2. Join them one by one with a disjoint-set forest and write down the number of groups after
               each.
            3. The answer after loss j is the number that was written after the surviving bridges and the
               losses behind j.
            """,
            confidence=85,
            explanation="The same reversed process with one list; the index has to be chosen carefully.",
            code=r"""
            import sys

            data = list(map(int, sys.stdin.read().split()))
            n, m, k = data[:3]
            edges = []
            for i in range(m):
                a, b, s = data[3 + 3 * i:6 + 3 * i]
                edges += [(x, x + s) for x in range(a, b, s)]
            lost = [x - 1 for x in data[3 + 3 * m:]]
            gone = set(lost)
            order = [i for i in range(len(edges)) if i not in gone] + lost[::-1]
            parent = list(range(n + 1))


            def find(x):
                while parent[x] != x:
                    parent[x] = parent[parent[x]]
                    x = parent[x]
                return x


            counts = [n]
            for i in order:
                a, b = find(edges[i][0]), find(edges[i][1])
                parent[a] = b
                counts.append(counts[-1] - (a != b))
            print(*[counts[len(edges) - j] for j in range(1, k + 1)])
            """,
        ),
        Attempt(
            plan="""
            1. Expand the causeways and keep for every island the bridges that stand.
            2. After each loss remove the bridge and count the components by a search over all islands.
            3. Print the counts.
            """,
            confidence=46,
            explanation="""
            A search costs up to 60000 steps and is done up to 1500 times, which is too slow in Python.
            """,
            code=_WALK,
        ),
    ),
)
