from starter.walkthrough import Attempt, Ending, Exemplar, Repair, Walkthrough

TITLE = "The Tangled Toolbox"
DIFFICULTY = "easy"
TAGS = ["data structures", "strings"]
KIND = "stdio"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 128.0

STATEMENT = """
A watchmaker keeps boxes inside boxes. While working she writes a log: `open NAME` when she opens a box that
lies directly in the innermost box that is open at the moment (or on the bench), and `close NAME` when she
closes the innermost open box. Her apprentice copies the log and makes mistakes.

A line is a mistake if it opens a box that is open already, or if it closes a box that is not the innermost
open box. Find the first mistake. If there is none, every box should be closed at the end.
"""
INPUT_SPEC = """
The first line holds N (1 <= N <= 3000). Each of the next N lines is `open NAME` or `close NAME`; a name
consists of 1 to 8 letters a-z. A box may be opened again after it was closed.
"""
OUTPUT_SPEC = """
Print `LINE i` if line i of the log (counted from 1) is the first mistake. Otherwise print `TIDY` if no box
is open at the end, and `LEFT NAME` with the innermost box that is still open if one is.
"""
NOTES = "In the second example the third line closes a box although none is open."

SAMPLES = [
    "4\nopen brass\nopen pins\nclose pins\nclose brass\n",
    "3\nopen a\nclose a\nclose a\n",
    "3\nopen springs\nopen tiny\nopen springs\n",
    "5\nopen x\nopen y\nclose y\nopen y\nopen z\n",
]


def generate(rng):
    tests = [
        "1\nopen a\n",
        "1\nclose a\n",
        "2\nopen a\nclose b\n",
        "2\nopen a\nopen a\n",
        "2\nopen a\nclose a\n",
        "4\nopen a\nopen b\nclose a\nclose b\n",
        "6\nopen a\nclose a\nopen a\nclose a\nopen a\nclose a\n",
        "5\nopen a\nopen b\nclose b\nclose a\nopen c\n",
        "3\nopen open\nopen close\nclose open\n",
        "4\nopen a\nopen b\nopen c\nclose c\n",
    ]
    for size, depth, spoil in [
        (8, 3, 0),
        (12, 4, 1),
        (20, 5, 0),
        (30, 4, 1),
        (60, 8, 1),
        (61, 9, 0),
        (200, 20, 1),
    ]:
        tests.append(_log(rng, size, depth, spoil))
    tests.append(_log(rng, 800, 26, 0))
    tests.append(_log(rng, 801, 300, 1))
    deep = [_name(i) for i in range(700)]
    tests.append(_text([f"open {n}" for n in deep] + [f"close {n}" for n in reversed(deep)]))
    tests.append(_text([f"open {n}" for n in deep] + ["close x"]))
    return tests


def _name(number):
    return "".join("abcdefghijklmnopqrstuvwxyz"[(number // 26**i) % 26] for i in range(2))


def _text(lines):
    return f"{len(lines)}\n" + "\n".join(lines) + "\n"


def _log(rng, size, depth, spoil):
    lines, stack = [], []
    for _ in range(size):
        free = [name for name in map(_name, range(2 * depth)) if name not in stack]
        if stack and (len(stack) >= depth or rng.random() < 0.5):
            lines.append(f"close {stack.pop()}")
        else:
            stack.append(rng.choice(free))
            lines.append(f"open {stack[-1]}")
    if spoil:
        at = rng.randint(size // 2, size - 1)
        lines[at] = rng.choice(["open ", "close "]) + _name(rng.randint(0, 2 * depth))
    return _text(lines)


REFERENCE = r"""
def verdict(lines):
    stack, inside = [], set()
    for number, line in enumerate(lines, 1):
        what, name = line.split()
        if what == "open":
            if name in inside:
                return f"LINE {number}"
            stack.append(name)
            inside.add(name)
        else:
            if not stack or stack[-1] != name:
                return f"LINE {number}"
            inside.remove(stack.pop())
    return f"LEFT {stack[-1]}" if stack else "TIDY"


print(verdict([input() for _ in range(int(input()))]))
"""

WRONG = {
    "allows a box inside itself": r"""
def verdict(lines):
    stack = []
    for number, line in enumerate(lines, 1):
        what, name = line.split()
        if what == "open":
            stack.append(name)
        elif stack and stack[-1] == name:
            stack.pop()
        else:
            return f"LINE {number}"
    return f"LEFT {stack[-1]}" if stack else "TIDY"


print(verdict([input() for _ in range(int(input()))]))
""",
    "closes any open box": r"""
def verdict(lines):
    stack = []
    for number, line in enumerate(lines, 1):
        what, name = line.split()
        if (name in stack) == (what == "open"):
            return f"LINE {number}"
        if what == "open":
            stack.append(name)
        else:
            stack.remove(name)
    return f"LEFT {stack[-1]}" if stack else "TIDY"


print(verdict([input() for _ in range(int(input()))]))
""",
    "names the outermost box": r"""
def verdict(lines):
    stack = []
    for number, line in enumerate(lines, 1):
        what, name = line.split()
        if what == "open":
            if name in stack:
                return f"LINE {number}"
            stack.append(name)
        elif not stack or stack.pop() != name:
            return f"LINE {number}"
    return f"LEFT {stack[0]}" if stack else "TIDY"


print(verdict([input() for _ in range(int(input()))]))
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.REPAIRED,
    exemplars=(
        Exemplar(
            description="Decide whether a text of round, square and curly brackets is balanced.",
            code=r"""
            pairs = {")": "(", "]": "[", "}": "{"}
            stack = []
            good = True
            for c in input().strip():
                if c in "([{":
                    stack.append(c)
                elif not stack or stack.pop() != pairs[c]:
                    good = False
                    break
            print("YES" if good and not stack else "NO")
            """,
            planning="""
            1. Push every opening bracket on a stack.
            2. A closing bracket must match the bracket on top of the stack, which is removed.
            3. At the end the stack must be empty.
            """,
        ),
        Exemplar(
            description="""
            Find the position of the first wrong closing tag in a list of tags like <b> and </b>.
            """,
            code=r"""
            tags = input().split()
            stack = []
            answer = 0
            for i, tag in enumerate(tags, 1):
                if not tag.startswith("</"):
                    stack.append(tag[1:-1])
                elif not stack or stack.pop() != tag[2:-1]:
                    answer = i
                    break
            print(answer)
            """,
            planning="""
            1. Keep the open tags on a stack.
            2. A closing tag is wrong when the stack is empty or its top has another name.
            3. Stop at the first wrong tag.
            """,
        ),
        Exemplar(
            description="""
            Guests enter and leave a room. Report the first line of the log in which someone enters who is
            inside already.
            """,
            code=r"""
            inside = set()
            for number in range(1, int(input()) + 1):
                what, name = input().split()
                if what == "enter" and name in inside:
                    print(number)
                    break
                inside.add(name) if what == "enter" else inside.discard(name)
            """,
            planning="""
            1. Keep the set of guests inside.
            2. An entering guest who is in the set is the answer.
            """,
        ),
    ),
    algorithm="""
    Stack. Things that close in the reverse order of opening are kept on a stack: opening pushes, closing
    compares with the top and pops. Check that the stack is not empty before looking at its top. To ask
    whether an element is anywhere on the stack, keep a set beside it. Linear time.
    """,
    attempts=(
        Attempt(
            plan="""
            1. Keep a stack of open boxes and a set of their names.
            2. `open NAME`: if NAME is in the set, line i is the mistake; otherwise push it and add it to
               the set.
            3. `close NAME`: compare NAME with the top of the stack; if it differs, line i is the mistake,
               otherwise pop it.
            4. At the end print TIDY when the stack is empty, else LEFT and the top.
            """,
            confidence=93,
            explanation="A stack with a set follows the rules of the log line by line in O(N).",
            code=r"""
            def main():
                n = int(input())
                stack = []
                opened = set()
                for i in range(1, n + 1):
                    action, name = input().split()
                    if action == "open":
                        if name in opened:
                            print("LINE", i)
                            return
                        stack.append(name)
                        opened.add(name)
                    else:
                        if stack[-1] != name:
                            print("LINE", i)
                            return
                        stack.pop()
                        opened.discard(name)
                if stack:
                    print("LEFT", stack[-1])
                else:
                    print("TIDY")


            main()
            """,
            repairs=(
                Repair(
                    planning="""
                    The second sample closes a box when none is open. The program then reads stack[-1] of an
                    empty list, which raises IndexError instead of reporting the line.
                    1. In the `close` branch test first whether the stack is empty; this is a mistake too.
                    2. Everything else stays.
                    """,
                    code=r"""
                    def main():
                        n = int(input())
                        stack = []
                        opened = set()
                        for i in range(1, n + 1):
                            action, name = input().split()
                            if action == "open":
                                if name in opened:
                                    print("LINE", i)
                                    return
                                stack.append(name)
                                opened.add(name)
                            else:
                                if not stack or stack[-1] != name:
                                    print("LINE", i)
                                    return
                                stack.pop()
                                opened.discard(name)
                        if stack:
                            print("LEFT", stack[-1])
                        else:
                            print("TIDY")


                    main()
                    """,
                ),
            ),
        ),
        Attempt(
            plan="""
            1. Use a list as a stack.
            2. For `open` look whether the name is in the list; if so stop with this line.
            3. For `close` pop the last name if there is one and compare; if there is none or it differs
               stop with this line.
            4. Report what is left.
            """,
            confidence=91,
            explanation="Searching the list costs O(N) a line, 9 million steps in C at most, which is fine.",
            code=r"""
            import sys

            lines = sys.stdin.read().split("\n")
            stack = []
            result = None
            for i in range(1, int(lines[0]) + 1):
                action, name = lines[i].split()
                if action == "open":
                    if name in stack:
                        result = f"LINE {i}"
                        break
                    stack.append(name)
                elif not stack or stack.pop() != name:
                    result = f"LINE {i}"
                    break
            if result is None:
                result = f"LEFT {stack[-1]}" if stack else "TIDY"
            print(result)
            """,
        ),
        Attempt(
            plan="""
            1. Keep the set of open boxes.
            2. Opening a box in the set and closing a box outside the set are mistakes.
            3. At the end print any box of the set.
            """,
            confidence=30,
            explanation="""
            A set does not know which box is innermost, so wrong closings and the last box cannot be found.
            """,
            code=r"""
            n = int(input())
            opened = []
            answer = None
            for i in range(1, n + 1):
                action, name = input().split()
                if action == "open" and name in opened or action == "close" and name not in opened:
                    answer = f"LINE {i}"
                    break
                if action == "open":
                    opened.append(name)
                else:
                    opened.remove(name)
            print(answer or (f"LEFT {opened[-1]}" if opened else "TIDY"))
            """,
        ),
    ),
)
