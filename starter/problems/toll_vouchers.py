from itertools import pairwise

from starter.walkthrough import Attempt, Ending, Exemplar, Walkthrough

TITLE = "Toll Vouchers"
DIFFICULTY = "hard"
TAGS = ["graphs", "shortest paths", "dp"]
KIND = "stdio"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 256.0

STATEMENT = """
A country has N towns and M roads, which can be used in both directions and cost a toll each time. Pia
drives from town 1 to town N. She has V vouchers. With a voucher she pays only half of the toll of one use
of a road, rounded down; at most one voucher is taken for one use.

What is the least she has to pay in total?
"""
INPUT_SPEC = """
The first line holds N, M and V (1 <= N <= 800, 0 <= M <= 3000, 0 <= V <= 10). Each of the next M lines
holds two different towns and the toll of a road between them (1 to 10^6). There may be several roads
between the same towns.
"""
OUTPUT_SPEC = "Print the least total toll, or `NO WAY` if town N cannot be reached."
NOTES = """
In the first example the way 1-2-4 costs 6 + 6, and 3 + 6 with the voucher; the way 1-3-4 costs 10 + 3, but
5 + 3 with the voucher.
"""

SAMPLES = [
    "4 4 1\n1 2 6\n2 4 6\n1 3 10\n3 4 3\n",
    "3 1 2\n1 2 5\n",
    "4 5 2\n1 2 9\n2 3 1\n3 4 9\n1 4 21\n2 4 15\n",
]


def generate(rng):
    tests = [
        "1 0 3\n",
        "2 0 10\n",
        "2 1 0\n1 2 1000000\n",
        "2 1 10\n2 1 1\n",
        "2 2 1\n1 2 9\n1 2 10\n",
        "3 3 1\n1 2 4\n2 3 4\n1 3 100\n",
        "3 3 1\n1 2 50\n2 3 50\n1 3 101\n",
        "4 4 2\n1 2 100\n2 4 100\n1 3 70\n3 4 140\n",
        "5 4 10\n1 2 7\n2 3 7\n3 4 7\n4 5 7\n",
        "6 5 3\n1 2 1\n2 3 1\n1 3 1\n4 5 1\n5 6 1\n",
    ]
    for towns, roads, vouchers, toll in [
        (4, 6, 1, 20),
        (5, 8, 2, 30),
        (6, 12, 1, 50),
        (8, 16, 3, 99),
        (10, 20, 2, 9),
    ]:
        tests.append(_random(rng, towns, roads, vouchers, toll))
        tests.append(_random(rng, towns, roads, vouchers + 1, 10 * toll))
    tests += [_rivals(rng, 3, 30, 1), _rivals(rng, 5, 200, 2), _rivals(rng, 20, 10**5, 3)]
    tests.append(_random(rng, 40, 100, 5, 1000))
    tests.append(_random(rng, 300, 500, 0, 10**5))
    tests.append(_random(rng, 800, 1200, 10, 999))
    chain = "".join(
        f"{i} {i + 1} {rng.randint(1, 99)}\n{i} {i + 1} {rng.randint(1, 99)}\n" for i in range(1, 500)
    )
    tests.append(f"500 998 10\n{chain}")
    return tests


def _random(rng, towns, roads, vouchers, toll):
    order = list(range(1, towns + 1))
    rng.shuffle(order)
    rows = list(pairwise(order))
    while len(rows) < roads:
        rows.append(tuple(rng.sample(range(1, towns + 1), 2)))
    text = "".join(f"{a} {b} {rng.randint(1, toll)}\n" for a, b in rows)
    return f"{towns} {len(rows)} {vouchers}\n{text}"


def _rivals(rng, roads, toll, vouchers):
    """Many cheap roads against few dear ones that cost a little more without vouchers."""
    cheap = [rng.randint(toll // 2, toll) for _ in range(roads)]
    towns = roads + vouchers
    stops = [1, *range(2, roads + 1), towns]
    dear = [1, *range(roads + 1, towns), towns]
    rows = [(a, b, t) for (a, b), t in zip(pairwise(stops), cheap, strict=True)]
    rows += [(b, a, sum(cheap) // (len(dear) - 1) + 3) for a, b in pairwise(dear)]
    rng.shuffle(rows)
    return f"{towns} {len(rows)} {vouchers}\n" + "".join(f"{a} {b} {t}\n" for a, b, t in rows)


REFERENCE = r"""
import heapq
import sys

numbers = list(map(int, sys.stdin.read().split()))
n, m, v = numbers[:3]
near = [[] for _ in range(n + 1)]
for a, b, toll in zip(numbers[3::3], numbers[4::3], numbers[5::3]):
    near[a].append((b, toll))
    near[b].append((a, toll))
paid = {(1, 0): 0}
heap = [(0, 1, 0)]
answer = None
while heap:
    cost, town, used = heapq.heappop(heap)
    if town == n:
        answer = cost
        break
    if cost > paid[town, used]:
        continue
    for other, toll in near[town]:
        for extra, price in ((0, toll), (1, toll // 2)):
            key = other, used + extra
            if used + extra <= v and cost + price < paid.get(key, float("inf")):
                paid[key] = cost + price
                heapq.heappush(heap, (cost + price, other, used + extra))
print("NO WAY" if answer is None else answer)
"""

WRONG = {
    "finds the cheapest way first and halves its dearest roads": r"""
import heapq
import sys

numbers = list(map(int, sys.stdin.read().split()))
n, m, v = numbers[:3]
near = [[] for _ in range(n + 1)]
for a, b, toll in zip(numbers[3::3], numbers[4::3], numbers[5::3]):
    near[a].append((b, toll))
    near[b].append((a, toll))
paid = {1: 0}
heap = [(0, 1, ())]
answer = None
while heap:
    cost, town, way = heapq.heappop(heap)
    if town == n:
        tolls = sorted(way, reverse=True)
        answer = sum(toll // 2 for toll in tolls[:v]) + sum(tolls[v:])
        break
    for other, toll in near[town]:
        if cost + toll < paid.get(other, float("inf")):
            paid[other] = cost + toll
            heapq.heappush(heap, (cost + toll, other, way + (toll,)))
print("NO WAY" if answer is None else answer)
""",
    "rounds the half up": REFERENCE.replace("toll // 2", "(toll + 1) // 2"),
    "forgets that a road goes both ways": REFERENCE.replace("    near[b].append((a, toll))\n", ""),
    "remembers one number for each town": REFERENCE.replace(
        "key = other, used + extra", "key = other, 0"
    ).replace("paid[town, used]", "paid[town, 0]"),
}

WALKTHROUGH = Walkthrough(
    ending=Ending.FIRST_TRY,
    exemplars=(
        Exemplar(
            description="""
            Fly from one city to another as cheaply as possible when at most k flights may be free of
            charge.
            """,
            code=r"""
            import heapq

            n, m, k = map(int, input().split())
            near = [[] for _ in range(n)]
            for _ in range(m):
                a, b, price = map(int, input().split())
                near[a].append((b, price))
                near[b].append((a, price))
            inf = float("inf")
            dist = [[inf] * (k + 1) for _ in range(n)]
            dist[0][0] = 0
            heap = [(0, 0, 0)]
            while heap:
                d, u, used = heapq.heappop(heap)
                if d > dist[u][used]:
                    continue
                for w, price in near[u]:
                    if d + price < dist[w][used]:
                        dist[w][used] = d + price
                        heapq.heappush(heap, (d + price, w, used))
                    if used < k and d < dist[w][used + 1]:
                        dist[w][used + 1] = d
                        heapq.heappush(heap, (d, w, used + 1))
            print(min(dist[n - 1]))
            """,
            planning="""
            1. A state is (city, number of free flights used): k + 1 copies of the graph.
            2. A flight leads to the same copy at full price or to the next copy for nothing.
            3. Run Dijkstra's algorithm on the states.
            """,
        ),
        Exemplar(
            description="""
            Find the length of the shortest path between two vertices of a graph with positive weights.
            """,
            code=r"""
            import heapq

            n, m = map(int, input().split())
            near = [[] for _ in range(n + 1)]
            for _ in range(m):
                a, b, w = map(int, input().split())
                near[a].append((b, w))
                near[b].append((a, w))
            dist = {1: 0}
            heap = [(0, 1)]
            while heap:
                d, u = heapq.heappop(heap)
                if d > dist[u]:
                    continue
                for v, w in near[u]:
                    if d + w < dist.get(v, float("inf")):
                        dist[v] = d + w
                        heapq.heappush(heap, (d + w, v))
            print(dist.get(n, -1))
            """,
            planning="""
            1. Dijkstra's algorithm with a heap of (distance, vertex).
            2. Skip entries that are out of date.
            """,
        ),
        Exemplar(
            description="""
            A path is given with the price of each edge; halve the prices of at most k edges so that the sum
            is smallest.
            """,
            code=r"""
            n, k = map(int, input().split())
            prices = sorted(map(int, input().split()), reverse=True)
            print(sum(p // 2 for p in prices[:k]) + sum(prices[k:]))
            """,
            planning="""
            1. On a fixed path the vouchers are best spent on the dearest edges.
            2. Sort the prices and halve the first k.
            """,
        ),
    ),
    algorithm="""
    Shortest paths in a layered graph. A limited resource (free rides, vouchers) becomes part of the state:
    a state is the pair of vertex and amount used. Every edge leads to the same layer at the normal price
    and to the next layer at the reduced price. Dijkstra's algorithm on (k + 1) * N states gives the
    optimum, because all prices are non-negative. O(k * M * log).
    """,
    attempts=(
        Attempt(
            plan="""
            1. State (town, used vouchers) with the least toll paid; start with (1, 0) at 0.
            2. From a state every road leads to (other, used) for its toll and, if used < V, to (other, used
               + 1) for toll // 2.
            3. Dijkstra's algorithm with a heap over the states.
            4. The answer is the minimum over all states of town N, or NO WAY if there is none. N = 1 gives
               0.
            """,
            confidence=95,
            explanation="""
            The layered graph has at most 8800 states and 66000 edges in each direction; all prices are
            non-negative.
            """,
            code=r"""
            import heapq
            import sys


            def main():
                data = list(map(int, sys.stdin.read().split()))
                n, m, v = data[0], data[1], data[2]
                graph = [[] for _ in range(n + 1)]
                pos = 3
                for _ in range(m):
                    a, b, t = data[pos], data[pos + 1], data[pos + 2]
                    pos += 3
                    graph[a].append((b, t))
                    graph[b].append((a, t))
                inf = float("inf")
                dist = [[inf] * (v + 1) for _ in range(n + 1)]
                dist[1][0] = 0
                heap = [(0, 1, 0)]
                while heap:
                    d, town, used = heapq.heappop(heap)
                    if d > dist[town][used]:
                        continue
                    for other, t in graph[town]:
                        if d + t < dist[other][used]:
                            dist[other][used] = d + t
                            heapq.heappush(heap, (d + t, other, used))
                        if used < v and d + t // 2 < dist[other][used + 1]:
                            dist[other][used + 1] = d + t // 2
                            heapq.heappush(heap, (d + t // 2, other, used + 1))
                best = min(dist[n])
                print("NO WAY" if best == inf else best)


            main()
            """,
        ),
        Attempt(
            plan="""
            1. dist[j][town] is the least toll with at most j vouchers. For j = 0 run Dijkstra's algorithm.
            2. For the next j start with dist[j][b] = dist[j - 1][a] + toll // 2 over all roads a-b (and
               dist[j - 1][b]) and run Dijkstra's algorithm from all towns at once.
            3. Print dist[V][N].
            """,
            confidence=85,
            explanation="Layer by layer instead of all at once; correct as well.",
            code=r"""
            import heapq
            import sys

            data = list(map(int, sys.stdin.read().split()))
            n, m, v = data[:3]
            roads = [tuple(data[i:i + 3]) for i in range(3, 3 + 3 * m, 3)]
            near = [[] for _ in range(n + 1)]
            for a, b, t in roads:
                near[a].append((b, t))
                near[b].append((a, t))
            inf = float("inf")


            def spread(dist):
                heap = [(d, town) for town, d in enumerate(dist) if d < inf]
                heapq.heapify(heap)
                while heap:
                    d, town = heapq.heappop(heap)
                    if d > dist[town]:
                        continue
                    for other, t in near[town]:
                        if d + t < dist[other]:
                            dist[other] = d + t
                            heapq.heappush(heap, (d + t, other))
                return dist


            dist = [inf] * (n + 1)
            dist[1] = 0
            spread(dist)
            for _ in range(v):
                layer = dist[:]
                for a, b, t in roads:
                    layer[b] = min(layer[b], dist[a] + t // 2)
                    layer[a] = min(layer[a], dist[b] + t // 2)
                dist = spread(layer)
            print("NO WAY" if dist[n] == inf else dist[n])
            """,
        ),
        Attempt(
            plan="""
            1. Find the cheapest way without vouchers by Dijkstra's algorithm and keep its roads.
            2. Halve the V dearest roads of it.
            """,
            confidence=32,
            explanation="With vouchers another way can be cheaper, as the first sample shows.",
            code=r"""
            import heapq

            n, m, v = map(int, input().split())
            near = [[] for _ in range(n + 1)]
            for _ in range(m):
                a, b, t = map(int, input().split())
                near[a].append((b, t))
                near[b].append((a, t))
            dist = {1: 0}
            heap = [(0, 1, [])]
            found = None
            while heap and found is None:
                d, town, way = heapq.heappop(heap)
                if town == n:
                    found = way
                    break
                for other, t in near[town]:
                    if d + t < dist.get(other, float("inf")):
                        dist[other] = d + t
                        heapq.heappush(heap, (d + t, other, way + [t]))
            if found is None:
                print("NO WAY")
            else:
                found.sort(reverse=True)
                print(sum(t // 2 for t in found[:v]) + sum(found[v:]))
            """,
        ),
    ),
)
