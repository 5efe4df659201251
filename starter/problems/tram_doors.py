from starter.walkthrough import Attempt, Ending, Exemplar, Walkthrough

TITLE = "Tram Doors"
DIFFICULTY = "easy"
TAGS = ["simulation"]
KIND = "stdio"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 128.0

STATEMENT = """
A tram with C places leaves the depot empty and serves N stops in order. At every stop the doors open twice.
First they open to let people out: `off` passengers want to leave, and if fewer than that are on board,
everybody leaves. Then they open to let people in: `wait` people stand at the stop and board one by one
until the tram is full. Whoever finds no place walks home and does not try again.

How many people walk, and what is the largest number of passengers the tram ever carries between two stops?
"""
INPUT_SPEC = """
The first line holds N and C (1 <= N <= 1000, 1 <= C <= 10^9). Each of the next N lines holds `off` and
`wait` for one stop (0 <= off, wait <= 10^9).
"""
OUTPUT_SPEC = "Print two integers: the number of people who walk and the largest load after any stop."
NOTES = """
In the first example the tram holds 5. After stop one it carries 4. At stop two 1 leaves, 6 wait, 2 board
and 4 walk. At stop three everybody leaves, because only 5 of the 9 who want to are there, and 1 boards.
"""

SAMPLES = ["3 5\n0 4\n1 6\n9 1\n", "2 10\n3 3\n0 0\n"]


def generate(rng):
    tests = [
        "1 1\n0 0\n",
        "1 1\n1000000000 1000000000\n",
        "4 3\n0 3\n3 3\n3 3\n3 0\n",
        "3 7\n0 7\n0 7\n0 7\n",
        "2 1000000000\n0 1000000000\n0 1\n",
        "5 2\n0 1\n5 1\n5 1\n5 1\n5 1\n",
        "3 4\n2 4\n4 0\n1 9\n",
    ]
    for size, most, seats in [
        (5, 6, 8),
        (8, 10, 12),
        (10, 5, 3),
        (20, 50, 60),
        (30, 9, 9),
        (50, 100, 40),
    ] * 2:
        tests.append(_random(rng, size, most, seats))
    tests.append(_random(rng, 1000, 10**9, 10**9))
    tests.append(_random(rng, 1000, 10**9, 3 * 10**8))
    tests.append(_random(rng, 1000, 30, 100))
    return tests


def _random(rng, size, most, seats):
    rows = [f"{rng.randint(0, most)} {rng.randint(0, most)}" for _ in range(size)]
    return f"{size} {seats}\n" + "\n".join(rows) + "\n"


REFERENCE = r"""
n, seats = map(int, input().split())
load = walk = peak = 0
for _ in range(n):
    off, wait = map(int, input().split())
    load -= min(off, load)
    boarding = min(wait, seats - load)
    walk += wait - boarding
    load += boarding
    peak = max(peak, load)
print(walk, peak)
"""

WRONG = {
    "lets people in before it lets people out": r"""
n, seats = map(int, input().split())
load = walk = peak = 0
for _ in range(n):
    off, wait = map(int, input().split())
    boarding = min(wait, seats - load)
    walk += wait - boarding
    load += boarding
    load -= min(off, load)
    peak = max(peak, load)
print(walk, peak)
""",
    "carries a negative number of passengers": r"""
n, seats = map(int, input().split())
load = walk = peak = 0
for _ in range(n):
    off, wait = map(int, input().split())
    load -= off
    boarding = min(wait, seats - load)
    walk += wait - boarding
    load += boarding
    peak = max(peak, load)
print(walk, peak)
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.FIRST_TRY,
    exemplars=(
        Exemplar(
            description="""
            An elevator starts empty on the ground floor. On each floor some people step out and then some
            people want to step in, but the elevator holds at most K people. Find the number of people left
            behind.
            """,
            code=r"""
            n, k = map(int, input().split())
            inside = left_behind = 0
            for _ in range(n):
                out, want = map(int, input().split())
                inside = max(0, inside - out)
                enter = min(want, k - inside)
                inside += enter
                left_behind += want - enter
            print(left_behind)
            """,
            planning="""
            1. Keep the number of people inside.
            2. On every floor subtract those who leave, never below zero.
            3. Let in min(want, k - inside) people and count the rest as left behind.
            4. Print the count.
            """,
        ),
        Exemplar(
            description="""
            A rain barrel holds V litres. Every day some water is used (or all that is left) and then some
            rain falls; what does not fit overflows. Report the total overflow and the highest level.
            """,
            code=r"""
            days, volume = map(int, input().split())
            level = spilled = highest = 0
            for _ in range(days):
                used, rain = map(int, input().split())
                level = max(0, level - used) + rain
                if level > volume:
                    spilled += level - volume
                    level = volume
                highest = max(highest, level)
            print(spilled, highest)
            """,
            planning="""
            1. Lower the level by what is used, stopping at zero.
            2. Add the rain; everything above the volume is spilled.
            3. Track the highest level after each day.
            """,
        ),
        Exemplar(
            description="""
            Cars enter and leave a car park with P spaces in a given order of events. Count how many cars
            were turned away because the car park was full.
            """,
            code=r"""
            events, spaces = map(int, input().split())
            parked = refused = 0
            for _ in range(events):
                kind = input().strip()
                if kind == "in":
                    if parked < spaces:
                        parked += 1
                    else:
                        refused += 1
                elif parked > 0:
                    parked -= 1
            print(refused)
            """,
            planning="""
            1. Walk over the events in order with a counter of parked cars.
            2. An arriving car parks when there is space, otherwise it is refused.
            3. A leaving car frees a space.
            """,
        ),
    ),
    algorithm="""
    Simulation. Keep the state that the story describes in a few variables and apply the events one after
    another in exactly the order the statement gives. At every step clamp quantities to what is physically
    possible: nobody leaves an empty vehicle and nobody boards a full one. Update running answers (sums,
    maxima) right after the step to which the statement ties them. The cost is linear in the number of
    events.
    """,
    attempts=(
        Attempt(
            plan="""
            1. Read N and C and set load, walkers and peak to 0.
            2. For each stop read off and wait.
            3. Let people out first: load -= min(off, load).
            4. Let people in: boarding = min(wait, C - load); load += boarding; walkers += wait - boarding.
            5. After boarding set peak = max(peak, load).
            6. Print walkers and peak.
            """,
            confidence=96,
            explanation="""
            The plan follows the order of the statement (out before in), clamps both quantities and measures
            the load after boarding, which is the load between two stops. It is O(N).
            """,
            code=r"""
            def main():
                n, capacity = map(int, input().split())
                load = 0
                walkers = 0
                peak = 0
                for _ in range(n):
                    off, wait = map(int, input().split())
                    load -= min(off, load)
                    boarding = min(wait, capacity - load)
                    load += boarding
                    walkers += wait - boarding
                    peak = max(peak, load)
                print(walkers, peak)


            main()
            """,
        ),
        Attempt(
            plan="""
            1. Treat the tram as a barrel: at each stop subtract off from the level, not going below 0.
            2. Add wait to the level.
            3. If the level is above C, the surplus walks and the level becomes C.
            4. Remember the highest level and print surplus and highest level.
            """,
            confidence=92,
            explanation="""
            Adding everybody and cutting the surplus gives the same result as boarding only those who fit,
            so the plan is correct and linear.
            """,
            code=r"""
            import sys

            data = list(map(int, sys.stdin.read().split()))
            n, capacity = data[0], data[1]
            level = surplus = highest = 0
            for i in range(n):
                off, wait = data[2 + 2 * i], data[3 + 2 * i]
                level = max(0, level - off) + wait
                if level > capacity:
                    surplus += level - capacity
                    level = capacity
                highest = max(highest, level)
            print(surplus, highest)
            """,
        ),
        Attempt(
            plan="""
            1. Expand every stop into single events: `off` leaving people and then `wait` arriving people.
            2. Process the events one person at a time with a counter of passengers.
            3. Count every arriving person who finds the tram full.
            """,
            confidence=40,
            explanation="""
            The logic is right, but off and wait go up to 10^9, so handling one person at a time is far too
            slow.
            """,
            code=r"""
            n, capacity = map(int, input().split())
            load = walkers = peak = 0
            for _ in range(n):
                off, wait = map(int, input().split())
                for _ in range(off):
                    if load > 0:
                        load -= 1
                for _ in range(wait):
                    if load < capacity:
                        load += 1
                    else:
                        walkers += 1
                peak = max(peak, load)
            print(walkers, peak)
            """,
        ),
    ),
)
