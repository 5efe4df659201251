from starter.walkthrough import Attempt, Ending, Exemplar, Walkthrough

TITLE = "Lost Mittens"
DIFFICULTY = "easy"
TAGS = ["hashing", "sorting"]
KIND = "stdio"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 128.0
CHECKER = {"type": "unordered_lines"}

STATEMENT = """
At the end of winter the caretaker empties the box of lost mittens. Every mitten has a name tag, a colour
and a side: left (`L`) or right (`R`). Mittens of the same child and the same colour make pairs, one left
and one right. A child may own several pairs of one colour.

For every child and colour with a different number of left and right mittens, tell which side is missing and
how many.
"""
INPUT_SPEC = """
The first line holds N (1 <= N <= 2000). Each of the next N lines holds a name and a colour (1 to 8 letters
a-z each) and a side, `L` or `R`.
"""
OUTPUT_SPEC = """
Print one line for every child and colour with missing mittens: name, colour, the side that is missing, and
how many of it are missing. The lines may come in any order. If nothing is missing print `ALL PAIRED`.
"""
NOTES = "In the first example Mia's blue mittens are two left and one right, so one right mitten is missing."

SAMPLES = [
    "5\nmia blue L\nmia blue L\nben blue R\nmia blue R\nmia red R\n",
    "4\nada grey R\nada grey L\nada pink L\nada pink R\n",
]


def generate(rng):
    tests = [
        "1\na b L\n",
        "2\na b L\na b R\n",
        "2\na b L\na c R\n",
        "2\na b L\nc b R\n",
        "4\na b R\na b R\na b R\na b R\n",
        "3\na b L\na b L\na b R\n",
        "4\na b L\na b R\na b L\na b R\n",
        "2\nab c L\na bc R\n",
        "4\nred blue L\nblue red R\nred red L\nblue blue R\n",
        "6\na x L\nb x L\nc x L\na x R\nb x R\nc x R\n",
    ]
    for size, names, colours in [
        (5, 2, 1),
        (8, 2, 2),
        (10, 3, 2),
        (20, 3, 3),
        (30, 4, 4),
        (60, 5, 5),
        (100, 9, 9),
    ]:
        tests.append(_random(rng, size, names, colours))
    tests.append(_random(rng, 1800, 20, 12))
    tests.append(_random(rng, 1200, 300, 5))
    paired = [f"k{'abc'[i % 3]} {'xyz'[i // 3 % 3]} {side}" for i in range(60) for side in "LR"]
    rng.shuffle(paired)
    tests.append(f"{len(paired)}\n" + "\n".join(line.replace("k", "kid") for line in paired) + "\n")
    return tests


def _random(rng, size, names, colours):
    letters = "abcdefghijklmnopqrst"
    people = ["".join(rng.choice(letters) for _ in range(rng.randint(1, 4))) for _ in range(names)]
    shades = ["".join(rng.choice(letters) for _ in range(rng.randint(1, 4))) for _ in range(colours)]
    rows = [f"{rng.choice(people)} {rng.choice(shades)} {rng.choice('LR')}\n" for _ in range(size)]
    return f"{size}\n" + "".join(rows)


REFERENCE = r"""
surplus = {}
for _ in range(int(input())):
    name, colour, side = input().split()
    surplus[name, colour] = surplus.get((name, colour), 0) + (1 if side == "L" else -1)
missing = [
    f"{name} {colour} {'R' if count > 0 else 'L'} {abs(count)}" for (name, colour), count in surplus.items() if count
]
print("\n".join(missing) or "ALL PAIRED")
"""

WRONG = {
    "names the side that is there": r"""
surplus = {}
for _ in range(int(input())):
    name, colour, side = input().split()
    surplus[name, colour] = surplus.get((name, colour), 0) + (1 if side == "L" else -1)
lines = [f"{n} {c} {'L' if count > 0 else 'R'} {abs(count)}" for (n, c), count in surplus.items() if count]
print("\n".join(lines) or "ALL PAIRED")
""",
    "looks only whether the number of mittens is odd": r"""
mittens = {}
for _ in range(int(input())):
    name, colour, side = input().split()
    mittens.setdefault((name, colour), []).append(side)
lines = []
for (name, colour), sides in mittens.items():
    if len(sides) % 2:
        side = "R" if sides.count("L") > sides.count("R") else "L"
        lines.append(f"{name} {colour} {side} {abs(sides.count('L') - sides.count('R'))}")
print("\n".join(lines) or "ALL PAIRED")
""",
    "glues name and colour together": r"""
surplus = {}
shown = {}
for _ in range(int(input())):
    name, colour, side = input().split()
    shown.setdefault(name + colour, f"{name} {colour}")
    surplus[name + colour] = surplus.get(name + colour, 0) + (1 if side == "L" else -1)
lines = [f"{shown[key]} {'R' if count > 0 else 'L'} {abs(count)}" for key, count in surplus.items() if count]
print("\n".join(lines) or "ALL PAIRED")
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.FIRST_TRY,
    exemplars=(
        Exemplar(
            description="""
            A drawer holds single socks of several colours. Report each colour with an odd number of socks.
            """,
            code=r"""
            from collections import Counter

            counts = Counter(input().split())
            for colour, count in counts.items():
                if count % 2:
                    print(colour)
            """,
            planning="""
            1. Count the socks of each colour in a dictionary.
            2. Print the colours with an odd count.
            """,
        ),
        Exemplar(
            description="""
            Every member of a club pays and receives money. Print each member whose payments and receipts do
            not cancel, with the balance.
            """,
            code=r"""
            balance = {}
            for _ in range(int(input())):
                member, amount = input().split()
                balance[member] = balance.get(member, 0) + int(amount)
            for member, total in balance.items():
                if total != 0:
                    print(member, total)
            """,
            planning="""
            1. Keep a signed balance for every member.
            2. Print the members whose balance is not zero.
            """,
        ),
        Exemplar(
            description="""
            Match nuts and bolts of equal size and brand and report how many bolts of each kind lack a nut.
            """,
            code=r"""
            from collections import Counter

            nuts, bolts = Counter(), Counter()
            for _ in range(int(input())):
                size, brand, part = input().split()
                (nuts if part == "nut" else bolts)[size, brand] += 1
            for kind, count in bolts.items():
                if count > nuts[kind]:
                    print(*kind, count - nuts[kind])
            """,
            planning="""
            1. Count both parts by the pair (size, brand).
            2. Subtract the counts of equal kinds.
            """,
        ),
    ),
    algorithm="""
    Counting in a hash table with a composite key. Use a tuple of the fields that identify a group as the
    key (never their plain concatenation, which can make different groups equal). Add +1 for one side and -1
    for the other; the sign of the sum tells which side prevails and the absolute value by how much. Linear
    time.
    """,
    attempts=(
        Attempt(
            plan="""
            1. Keep a dictionary from (name, colour) to the number of left minus right mittens.
            2. Add 1 for L and subtract 1 for R.
            3. For every key with a positive value print R as missing, with a negative value L, and the
               absolute value.
            4. If nothing was printed print ALL PAIRED.
            """,
            confidence=96,
            explanation="""
            More left mittens means that right ones are missing. The order of the lines is free.
            """,
            code=r"""
            n = int(input())
            balance = {}
            for _ in range(n):
                name, colour, side = input().split()
                key = (name, colour)
                balance[key] = balance.get(key, 0) + (1 if side == "L" else -1)
            complete = True
            for (name, colour), value in balance.items():
                if value > 0:
                    print(name, colour, "R", value)
                    complete = False
                elif value < 0:
                    print(name, colour, "L", -value)
                    complete = False
            if complete:
                print("ALL PAIRED")
            """,
        ),
        Attempt(
            plan="""
            1. Count the lines (name, colour, side) with a Counter.
            2. For every distinct (name, colour) compare the counts of L and R.
            3. Print the side with fewer mittens and the difference, sorted by name and colour.
            """,
            confidence=93,
            explanation="Correct; sorting is not needed but allowed.",
            code=r"""
            import sys
            from collections import Counter

            lines = sys.stdin.read().strip().split("\n")[1:]
            counts = Counter(tuple(line.split()) for line in lines)
            output = []
            for name, colour in sorted({key[:2] for key in counts}):
                left, right = counts[name, colour, "L"], counts[name, colour, "R"]
                if left != right:
                    output.append(f"{name} {colour} {'L' if left < right else 'R'} {abs(left - right)}")
            print("\n".join(output) if output else "ALL PAIRED")
            """,
        ),
        Attempt(
            plan="""
            1. Sort all mittens by name, colour and side.
            2. Go over them with a stack: a right mitten removes a left one of the same child and colour
               from the top.
            3. Count and print what remains.
            """,
            confidence=75,
            explanation="""
            Works, because a sorted group is a block of L before a block of R. Counting the rest again is
            slow but fits the limits.
            """,
            code=r"""
            n = int(input())
            mittens = sorted(tuple(input().split()) for _ in range(n))
            rest = []
            for mitten in mittens:
                if rest and rest[-1][:2] == mitten[:2] and rest[-1][2] == "L" and mitten[2] == "R":
                    rest.pop()
                else:
                    rest.append(mitten)
            if not rest:
                print("ALL PAIRED")
            done = set()
            for name, colour, side in rest:
                if (name, colour) not in done:
                    done.add((name, colour))
                    count = sum(m == (name, colour, side) for m in rest)
                    print(name, colour, "R" if side == "L" else "L", count)
            """,
        ),
    ),
)
