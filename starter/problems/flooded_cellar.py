from starter.walkthrough import Attempt, Ending, Exemplar, Walkthrough

TITLE = "The Flooded Cellar"
DIFFICULTY = "medium"
TAGS = ["graphs", "shortest paths"]
KIND = "stdio"
TIME_LIMIT_S = 0.5
MEMORY_LIMIT_MB = 128.0

STATEMENT = """
The cellar of the town hall is a grid of R rows and C columns. `#` is a wall, `.` is floor, `D` is a closed
door and `*` is a burst pipe. At minute 0 all cells with a pipe are wet. Water moves up, down, left and
right. A floor cell becomes wet one minute after the first of its neighbours. A door holds the water back
for a while: its cell becomes wet four minutes after the first of its neighbours. Walls stay dry.

At which minute does the last cell that gets wet become wet, and how many floor and door cells stay dry
forever?
"""
INPUT_SPEC = """
The first line holds R and C (1 <= R, C <= 80). Each of the next R lines holds C characters of `#`, `.`, `D`
and `*`. There is at least one pipe.
"""
OUTPUT_SPEC = "Print the two numbers."
NOTES = """
In the first example the cell behind the door becomes wet at minute 5; the way around would take 6. Its
right neighbour follows at minute 6. Five cells behind the wall stay dry.
"""

SAMPLES = [
    "3 7\n*D..#..\n.#.#.##\n....#..\n",
    "1 3\n***\n",
    "2 5\n*DD.*\n##.##\n",
]


def generate(rng):
    tests = [
        "1 1\n*\n",
        "1 2\n*#\n",
        "1 2\n*D\n",
        "1 6\n*DDDD.\n",
        "1 7\n*..D..*\n",
        "3 3\n###\n#*#\n###\n",
        "3 3\n.#.\n#*#\n.#D\n",
        "3 5\n*D.D.\n.###.\n.....\n",
        "2 6\n*DD...\n......\n",
        "4 4\n*DDD\nD##D\nD##D\nDDD.\n",
        "5 5\n*....\n####.\n.....\n.####\n.....\n",
    ]
    for size, walls, doors in [
        (4, 3, 2),
        (5, 3, 3),
        (6, 3, 5),
        (8, 3, 3),
        (10, 2, 6),
        (15, 3, 2),
        (20, 3, 4),
    ]:
        tests.append(_random(rng, size, size + rng.randint(-2, 3), walls, doors, 1))
    tests.append(_random(rng, 40, 30, 2, 3, 4))
    tests.append(_random(rng, 80, 80, 1, 2, 2))
    tests.append(_random(rng, 80, 80, 3, 1, 1))
    spiral = [
        "." * 79 if row % 2 == 0 else "#" * 78 + "." if row % 4 == 1 else "." + "#" * 78 for row in range(79)
    ]
    tests.append("79 79\n*" + "\n".join(spiral)[1:] + "\n")
    return tests


def _random(rng, rows, columns, walls, doors, pipes):
    cells = [
        rng.choice("#" * walls + "D" * doors + "." * (10 - walls - doors)) for _ in range(rows * columns)
    ]
    for _ in range(pipes):
        cells[rng.randrange(rows * columns)] = "*"
    lines = ["".join(cells[r * columns : (r + 1) * columns]) for r in range(rows)]
    return f"{rows} {columns}\n" + "\n".join(lines) + "\n"


REFERENCE = r"""
import heapq

rows, columns = map(int, input().split())
grid = [input().strip() for _ in range(rows)]
wet = {(r, c): 0 for r in range(rows) for c in range(columns) if grid[r][c] == "*"}
heap = [(0, r, c) for r, c in wet]
done = set()
last = 0
while heap:
    minute, r, c = heapq.heappop(heap)
    if (r, c) in done:
        continue
    done.add((r, c))
    last = minute
    for y, x in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
        if 0 <= y < rows and 0 <= x < columns and grid[y][x] != "#":
            then = minute + (4 if grid[y][x] == "D" else 1)
            if then < wet.get((y, x), 10**9):
                wet[y, x] = then
                heapq.heappush(heap, (then, y, x))
print(last, sum(line.count(".") + line.count("D") + line.count("*") for line in grid) - len(done))
"""

WRONG = {
    "never looks at a cell again": r"""
from collections import deque

rows, columns = map(int, input().split())
grid = [input().strip() for _ in range(rows)]
wet = {(r, c): 0 for r in range(rows) for c in range(columns) if grid[r][c] == "*"}
queue = deque(wet)
while queue:
    r, c = queue.popleft()
    for y, x in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
        if 0 <= y < rows and 0 <= x < columns and grid[y][x] != "#" and (y, x) not in wet:
            wet[y, x] = wet[r, c] + (4 if grid[y][x] == "D" else 1)
            queue.append((y, x))
free = sum(cell != "#" for line in grid for cell in line)
print(max(wet.values()), free - len(wet))
""",
    "treats doors as floor": r"""
from collections import deque

rows, columns = map(int, input().split())
grid = [input().strip() for _ in range(rows)]
wet = {(r, c): 0 for r in range(rows) for c in range(columns) if grid[r][c] == "*"}
queue = deque(wet)
while queue:
    r, c = queue.popleft()
    for y, x in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
        if 0 <= y < rows and 0 <= x < columns and grid[y][x] != "#" and (y, x) not in wet:
            wet[y, x] = wet[r, c] + 1
            queue.append((y, x))
free = sum(cell != "#" for line in grid for cell in line)
print(max(wet.values()), free - len(wet))
""",
    "looks at the whole grid every minute": r"""
rows, columns = map(int, input().split())
grid = [input().strip() for _ in range(rows)]
wet = {(r, c): 0 for r in range(rows) for c in range(columns) if grid[r][c] == "*"}
minute = quiet = 0
while quiet < 4:
    minute += 1
    quiet += 1
    for r in range(rows):
        for c in range(columns):
            if grid[r][c] != "#" and (r, c) not in wet:
                wait = 4 if grid[r][c] == "D" else 1
                near = ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1))
                if any(wet.get(cell, minute) + wait <= minute for cell in near):
                    wet[r, c] = minute
                    quiet = 0
free = sum(cell != "#" for line in grid for cell in line)
print(max(wet.values()), free - len(wet))
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.FIRST_TRY,
    unusable_retrieval="""
    Here are three problems that are similar to the given one:

    1. Fire in a grid: several fires spread at the same time and the task is to find when the last cell
       burns. It is solved by a breadth-first search that starts from all fires at once.

    2. Shortest path in a grid with expensive cells: solved by Dijkstra's algorithm.

    3. Counting the cells that cannot be reached: solved by flood fill.

    The algorithm to use is Dijkstra's algorithm from several sources.
    """,
    exemplars=(
        Exemplar(
            description="""
            Several fires burn in a forest grid and spread to neighbouring trees every hour. Find the hour
            at which the last tree that burns catches fire.
            """,
            code=r"""
            from collections import deque

            rows, columns = map(int, input().split())
            grid = [input() for _ in range(rows)]
            hour = {(r, c): 0 for r in range(rows) for c in range(columns) if grid[r][c] == "F"}
            queue = deque(hour)
            while queue:
                r, c = queue.popleft()
                for y, x in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
                    if 0 <= y < rows and 0 <= x < columns and grid[y][x] == "T" and (y, x) not in hour:
                        hour[y, x] = hour[r, c] + 1
                        queue.append((y, x))
            print(max(hour.values()))
            """,
            planning="""
            1. Put all fires into a queue with hour 0.
            2. Breadth-first search gives every tree the hour at which it catches fire.
            3. The answer is the largest hour.
            """,
        ),
        Exemplar(
            description="""
            Walk from the upper left to the lower right cell of a grid in which each cell costs a number of
            minutes to enter. Find the least total.
            """,
            code=r"""
            import heapq

            rows, columns = map(int, input().split())
            cost = [list(map(int, input().split())) for _ in range(rows)]
            best = {(0, 0): 0}
            heap = [(0, 0, 0)]
            while heap:
                total, r, c = heapq.heappop(heap)
                if total > best[r, c]:
                    continue
                for y, x in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
                    if 0 <= y < rows and 0 <= x < columns:
                        new = total + cost[y][x]
                        if new < best.get((y, x), float("inf")):
                            best[y, x] = new
                            heapq.heappush(heap, (new, y, x))
            print(best[rows - 1, columns - 1])
            """,
            planning="""
            1. Costs differ, so use Dijkstra's algorithm with a heap.
            2. Take the cell with the smallest total, update its neighbours, skip outdated heap entries.
            """,
        ),
        Exemplar(
            description="""
            Count the cells of a grid that water from a given cell can never reach because of walls.
            """,
            code=r"""
            rows, columns = map(int, input().split())
            grid = [input() for _ in range(rows)]
            stack = [tuple(map(int, input().split()))]
            seen = set(stack)
            while stack:
                r, c = stack.pop()
                for y, x in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
                    if 0 <= y < rows and 0 <= x < columns and grid[y][x] == "." and (y, x) not in seen:
                        seen.add((y, x))
                        stack.append((y, x))
            print(sum(line.count(".") for line in grid) - len(seen))
            """,
            planning="""
            1. Flood fill from the source.
            2. Subtract the number of cells reached from the number of free cells.
            """,
        ),
    ),
    algorithm="""
    Shortest paths from several sources. When entering a cell takes different times, breadth-first search
    visits cells in the wrong order; Dijkstra's algorithm always continues from the cell that is reached
    earliest. Put all sources into the heap with distance 0, relax neighbours with the cost of the entered
    cell, and ignore heap entries that are out of date. The last distance taken is the largest; cells never
    taken are unreachable. O(cells * log cells).
    """,
    attempts=(
        Attempt(
            plan="""
            1. Start with all pipes in a queue and minute 0.
            2. Breadth-first search: floor costs 1, a door costs 4. To keep the order right use a list of
               cells for every minute instead of one queue.
            3. For minute = 0, 1, 2, ... take the cells of that minute; skip a cell that is wet already;
               push each dry neighbour into the list of minute + cost.
            4. The last minute with a new wet cell is the first answer; free cells minus wet cells is the
               second.
            """,
            confidence=90,
            explanation="""
            Lists by minute process cells in the order of time, so every cell gets its earliest minute. O(R
            * C).
            """,
            code=r"""
            def main():
                rows, columns = map(int, input().split())
                grid = [input().strip() for _ in range(rows)]
                by_minute = {0: []}
                free = 0
                for r in range(rows):
                    for c in range(columns):
                        if grid[r][c] != "#":
                            free += 1
                        if grid[r][c] == "*":
                            by_minute[0].append((r, c))
                wet = set()
                last = 0
                minute = 0
                pending = len(by_minute[0])
                while pending:
                    cells = by_minute.pop(minute, [])
                    pending -= len(cells)
                    for r, c in cells:
                        if (r, c) in wet:
                            continue
                        wet.add((r, c))
                        last = minute
                        for y, x in ((r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)):
                            if 0 <= y < rows and 0 <= x < columns and grid[y][x] != "#" and (y, x) not in wet:
                                cost = 4 if grid[y][x] == "D" else 1
                                by_minute.setdefault(minute + cost, []).append((y, x))
                                pending += 1
                    minute += 1
                print(last, free - len(wet))


            main()
            """,
        ),
        Attempt(
            plan="""
            1. Run Dijkstra's algorithm from all pipes with cost 1 for floor and 4 for doors.
            2. Cells are taken from the heap in order of their minute; remember the last one.
            3. Print the last minute and the number of free cells that were never taken.
            """,
            confidence=89,
            explanation="Dijkstra handles the two costs directly; 6400 cells are few.",
            code=r"""
            import heapq

            rows, columns = map(int, input().split())
            grid = [input().strip() for _ in range(rows)]
            heap = [(0, r, c) for r in range(rows) for c in range(columns) if grid[r][c] == "*"]
            heapq.heapify(heap)
            taken = set()
            last = 0
            while heap:
                minute, r, c = heapq.heappop(heap)
                if (r, c) in taken:
                    continue
                taken.add((r, c))
                last = minute
                for y, x in ((r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)):
                    if 0 <= y < rows and 0 <= x < columns and grid[y][x] != "#" and (y, x) not in taken:
                        heapq.heappush(heap, (minute + (4 if grid[y][x] == "D" else 1), y, x))
            free = sum(cell != "#" for row in grid for cell in row)
            print(last, free - len(taken))
            """,
        ),
        Attempt(
            plan="""
            1. Flood fill from the pipes to find all cells that get wet.
            2. Run a plain breadth-first search and add 4 instead of 1 when a door is entered.
            3. The largest value is the answer.
            """,
            confidence=52,
            explanation="""
            A plain queue can reach a cell first through a door although the way around is faster, and never
            corrects it.
            """,
            code=r"""
            from collections import deque

            rows, columns = map(int, input().split())
            grid = [input().strip() for _ in range(rows)]
            wet = {(r, c): 0 for r in range(rows) for c in range(columns) if grid[r][c] == "*"}
            queue = deque(wet)
            while queue:
                r, c = queue.popleft()
                for y, x in ((r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)):
                    if 0 <= y < rows and 0 <= x < columns and grid[y][x] != "#" and (y, x) not in wet:
                        wet[y, x] = wet[r, c] + (4 if grid[y][x] == "D" else 1)
                        queue.append((y, x))
            free = sum(cell != "#" for row in grid for cell in row)
            print(max(wet.values()), free - len(wet))
            """,
        ),
    ),
)
