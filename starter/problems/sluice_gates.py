from starter.walkthrough import Attempt, Ending, Exemplar, Walkthrough

TITLE = "Sluice Gates"
DIFFICULTY = "medium"
TAGS = ["graphs", "data structures", "greedy"]
KIND = "stdio"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 128.0

STATEMENT = """
A canal has N sluice gates with the numbers 1 to N, and today each is to be opened once. For safety M rules
say that gate a must be open before gate b may be opened. The keeper opens one gate after another and always
prefers small numbers: at every moment he opens the smallest gate that no rule forbids.

In which order does he open the gates? If at some moment gates are left but all of them are forbidden, he
has to give up.
"""
INPUT_SPEC = """
The first line holds N and M (1 <= N <= 3000, 0 <= M <= 5000). Each of the next M lines holds a and b,
different gates. The same rule may be given more than once.
"""
OUTPUT_SPEC = """
If all gates can be opened, print their numbers in the order of opening. Otherwise print `LOCKED` and the
number of gates that stay closed.
"""
NOTES = """
In the second example gates 2 and 3 wait for each other and gate 4 waits for 3; only gate 1 can be opened.
"""

SAMPLES = ["4 3\n4 1\n2 1\n4 3\n", "4 3\n2 3\n3 2\n3 4\n", "3 0\n"]


def generate(rng):
    tests = [
        "1 0\n",
        "2 1\n2 1\n",
        "2 2\n1 2\n2 1\n",
        "3 3\n3 1\n3 1\n3 1\n",
        "5 4\n5 4\n4 3\n3 2\n2 1\n",
        "5 5\n5 4\n4 3\n3 2\n2 1\n1 5\n",
        "4 2\n1 3\n4 2\n",
        "6 6\n1 2\n2 3\n3 1\n4 5\n6 4\n5 1\n",
        "5 4\n5 1\n1 2\n4 2\n3 4\n",
    ]
    for gates, rules in [(5, 4), (6, 7), (8, 8), (10, 12), (12, 20), (30, 40), (60, 90), (200, 300)]:
        tests.append(_rules(rng, gates, rules, cycle=False))
    for gates, rules in [(6, 8), (20, 30), (200, 400)]:
        tests.append(_rules(rng, gates, rules, cycle=True))
    tests.append("1500 1499\n" + "".join(f"{gate + 1} {gate}\n" for gate in range(1, 1500)))
    tests.append("1000 0\n")
    return tests


def _rules(rng, gates, rules, cycle):
    rank = list(range(1, gates + 1))
    rng.shuffle(rank)
    rows = []
    for _ in range(rules):
        i, j = sorted(rng.sample(range(gates), 2))
        rows.append((rank[i], rank[j]))
    if cycle:
        i, j = sorted(rng.sample(range(gates // 2, gates), 2))
        rows += [(rank[i], rank[j]), (rank[j], rank[i])]
        rng.shuffle(rows)
    return f"{gates} {len(rows)}\n" + "".join(f"{a} {b}\n" for a, b in rows)


REFERENCE = r"""
import heapq
import sys

numbers = list(map(int, sys.stdin.read().split()))
n, m = numbers[0], numbers[1]
after = [[] for _ in range(n + 1)]
waits = [0] * (n + 1)
for a, b in zip(numbers[2::2], numbers[3::2]):
    after[a].append(b)
    waits[b] += 1
free = [gate for gate in range(1, n + 1) if not waits[gate]]
order = []
while free:
    gate = heapq.heappop(free)
    order.append(gate)
    for other in after[gate]:
        waits[other] -= 1
        if not waits[other]:
            heapq.heappush(free, other)
print(*order) if len(order) == n else print("LOCKED", n - len(order))
"""

WRONG = {
    "opens in the order in which gates become free": r"""
import sys
from collections import deque

numbers = list(map(int, sys.stdin.read().split()))
n, m = numbers[0], numbers[1]
after = [[] for _ in range(n + 1)]
waits = [0] * (n + 1)
for a, b in zip(numbers[2::2], numbers[3::2]):
    after[a].append(b)
    waits[b] += 1
free = deque(gate for gate in range(1, n + 1) if not waits[gate])
order = []
while free:
    gate = free.popleft()
    order.append(gate)
    for other in sorted(after[gate]):
        waits[other] -= 1
        if not waits[other]:
            free.append(other)
print(*order) if len(order) == n else print("LOCKED", n - len(order))
""",
    "counts a repeated rule once on one side": r"""
import heapq
import sys

numbers = list(map(int, sys.stdin.read().split()))
n, m = numbers[0], numbers[1]
after = [set() for _ in range(n + 1)]
waits = [0] * (n + 1)
for a, b in zip(numbers[2::2], numbers[3::2]):
    after[a].add(b)
    waits[b] += 1
free = [gate for gate in range(1, n + 1) if not waits[gate]]
order = []
while free:
    gate = heapq.heappop(free)
    order.append(gate)
    for other in after[gate]:
        waits[other] -= 1
        if not waits[other]:
            heapq.heappush(free, other)
print(*order) if len(order) == n else print("LOCKED", n - len(order))
""",
    "goes back from every gate in turn": r"""
import sys

sys.setrecursionlimit(10000)
numbers = list(map(int, sys.stdin.read().split()))
n, m = numbers[0], numbers[1]
before = [[] for _ in range(n + 1)]
for a, b in zip(numbers[2::2], numbers[3::2]):
    before[b].append(a)
state = [0] * (n + 1)
order = []


def visit(gate):
    if state[gate]:
        return state[gate] == 2
    state[gate] = 1
    if all([visit(other) for other in sorted(before[gate])]):
        state[gate] = 2
        order.append(gate)
    return state[gate] == 2


for gate in range(1, n + 1):
    visit(gate)
print(*order) if len(order) == n else print("LOCKED", n - len(order))
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.FIRST_TRY,
    exemplars=(
        Exemplar(
            description="""
            Find the lexicographically smallest order of courses such that all prerequisites of a course
            come before it.
            """,
            code=r"""
            import heapq

            n, m = map(int, input().split())
            after = [[] for _ in range(n + 1)]
            degree = [0] * (n + 1)
            for _ in range(m):
                a, b = map(int, input().split())
                after[a].append(b)
                degree[b] += 1
            heap = [v for v in range(1, n + 1) if degree[v] == 0]
            order = []
            while heap:
                v = heapq.heappop(heap)
                order.append(v)
                for w in after[v]:
                    degree[w] -= 1
                    if degree[w] == 0:
                        heapq.heappush(heap, w)
            print(*order)
            """,
            planning="""
            1. Count the prerequisites that are still missing for every course.
            2. Keep the courses without missing ones in a heap and always take the smallest.
            3. Taking a course lowers the counters of the courses that need it.
            """,
        ),
        Exemplar(
            description="Decide whether a directed graph has a cycle.",
            code=r"""
            from collections import deque

            n, m = map(int, input().split())
            after = [[] for _ in range(n)]
            degree = [0] * n
            for _ in range(m):
                a, b = map(int, input().split())
                after[a].append(b)
                degree[b] += 1
            queue = deque(v for v in range(n) if degree[v] == 0)
            removed = 0
            while queue:
                removed += 1
                for w in after[queue.popleft()]:
                    degree[w] -= 1
                    if degree[w] == 0:
                        queue.append(w)
            print("NO" if removed == n else "YES")
            """,
            planning="""
            1. Remove vertices without incoming edges as long as there are any.
            2. If vertices remain, there is a cycle.
            """,
        ),
        Exemplar(
            description="""
            Tasks depend on each other; find the least number of days if independent tasks are done on the
            same day.
            """,
            code=r"""
            n, m = map(int, input().split())
            needs = [[] for _ in range(n)]
            for _ in range(m):
                a, b = map(int, input().split())
                needs[b].append(a)
            day = [0] * n


            def finish(task):
                if day[task] == 0:
                    day[task] = 1 + max((finish(other) for other in needs[task]), default=0)
                return day[task]


            print(max(finish(task) for task in range(n)))
            """,
            planning="""
            1. A task is finished one day after the last task it needs.
            2. Compute the days by recursion with memory.
            """,
        ),
    ),
    algorithm="""
    Topological order by removing free vertices (Kahn's algorithm). Count the incoming edges of every
    vertex; vertices with count 0 are free. Take a free vertex, append it to the order and lower the counts
    of its successors. With a heap for the free vertices the smallest is always taken. If fewer than N
    vertices are taken, the others lie on or behind a cycle. O((N + M) log N).
    """,
    attempts=(
        Attempt(
            plan="""
            1. Build the lists of gates that wait for each gate, and the number of rules each gate waits
               for. Repeated rules may be counted repeatedly, as long as they are also removed repeatedly.
            2. Push all gates with number 0 onto a heap.
            3. Pop the smallest gate, open it, lower the numbers of the gates that wait for it and push
               those that reach 0.
            4. If all N gates were opened print the order, otherwise LOCKED and the number of the others.
            """,
            confidence=95,
            explanation="""
            Kahn's algorithm with a heap makes exactly the keeper's choices; the remaining gates are those
            that stay closed.
            """,
            fence_closed=False,
            code=r"""
            import heapq
            import sys


            def main():
                data = list(map(int, sys.stdin.read().split()))
                n, m = data[0], data[1]
                waiting = [[] for _ in range(n + 1)]
                missing = [0] * (n + 1)
                for i in range(m):
                    a, b = data[2 + 2 * i], data[3 + 2 * i]
                    waiting[a].append(b)
                    missing[b] += 1
                heap = [g for g in range(1, n + 1) if missing[g] == 0]
                heapq.heapify(heap)
                order = []
                while heap:
                    gate = heapq.heappop(heap)
                    order.append(gate)
                    for other in waiting[gate]:
                        missing[other] -= 1
                        if missing[other] == 0:
                            heapq.heappush(heap, other)
                if len(order) == n:
                    print(*order)
                else:
                    print("LOCKED", n - len(order))


            main()
            """,
        ),
        Attempt(
            plan="""
            1. Remove gates without open rules with a queue, as in the test for a cycle.
            2. Sort the gates that become free at the same time.
            3. Print the order, or LOCKED and the number of gates left.
            """,
            confidence=58,
            explanation="""
            A queue opens gates in waves. The keeper, however, opens a small gate at once when it becomes
            free.
            """,
            code=r"""
            n, m = map(int, input().split())
            waiting = [[] for _ in range(n + 1)]
            missing = [0] * (n + 1)
            for _ in range(m):
                a, b = map(int, input().split())
                waiting[a].append(b)
                missing[b] += 1
            wave = [g for g in range(1, n + 1) if missing[g] == 0]
            order = []
            while wave:
                order += wave
                following = []
                for gate in wave:
                    for other in waiting[gate]:
                        missing[other] -= 1
                        if missing[other] == 0:
                            following.append(other)
                wave = sorted(following)
            if len(order) == n:
                print(*order)
            else:
                print("LOCKED", n - len(order))
            """,
        ),
        Attempt(
            plan="""
            1. Compute for each gate by recursion the longest chain of rules before it.
            2. Sort the gates by this length and then by number.
            """,
            confidence=30,
            explanation="""
            Sorting by chain length is not the keeper's order, and the recursion does not end on a cycle.
            """,
            code=r"""
            import sys

            sys.setrecursionlimit(10000)
            n, m = map(int, input().split())
            before = [[] for _ in range(n + 1)]
            for _ in range(m):
                a, b = map(int, input().split())
                before[b].append(a)
            depth = [0] * (n + 1)


            def chain(gate):
                if depth[gate] == 0:
                    depth[gate] = 1 + max((chain(other) for other in before[gate]), default=0)
                return depth[gate]


            print(*sorted(range(1, n + 1), key=lambda gate: (chain(gate), gate)))
            """,
        ),
    ),
)
