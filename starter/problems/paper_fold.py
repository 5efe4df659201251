from starter.walkthrough import Attempt, Ending, Exemplar, Repair, Walkthrough

TITLE = "The Folded Strip"
DIFFICULTY = "medium"
TAGS = ["recursion", "bit manipulation"]
KIND = "assert"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 128.0
ENTRY_POINT = "crease"
STARTER_CODE = '''
def crease(folds: str, position: int) -> str:
    """"V" or "M", the kind of the crease at `position`, counted from 1 at the left."""
'''

STATEMENT = """
A strip of paper lies on the table. It is folded in half again and again; each time the right half is
brought onto the left half, either over it (`o`) or under it (`u`). The string `folds` tells how, from the
first fold to the last. Then the strip is unfolded and laid down as it was. With n folds it now has 2^n - 1
creases, each a valley (`V`) or a mountain (`M`) seen from above.

Folding over makes a valley in every layer of paper that lies with its upper side up, and a mountain in
every layer that lies upside down. Folding under does the opposite.

Write `crease(folds, position)` that returns the kind of the crease at the given position, counted from 1 at
the left.

Limits: 1 <= len(folds) <= 60, 1 <= position < 2^len(folds).
"""
INPUT_SPEC = ""
OUTPUT_SPEC = ""
NOTES = """
`oo` gives the creases V V M: the first fold makes the middle one. The second goes through two layers, the
left half with its upper side up and the right half upside down.
"""

SAMPLES = [["oo", 3], ["ou", 1], ["ooo", 6], ["uuo", 5], ["ouu", 3]]


def generate(rng):
    tests = [
        ["o", 1],
        ["u", 1],
        ["oo", 1],
        ["oo", 2],
        ["uu", 3],
        ["o" * 60, 1],
        ["o" * 60, 2**60 - 1],
        ["u" * 60, 2**59],
        ["ou" * 30, 2**59 + 1],
        ["uo" * 30, 3 * 2**57],
    ]
    for length in (3, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 59, 60, 60):
        folds = "".join(rng.choice("ou") for _ in range(length))
        tests.append([folds, rng.randrange(1, 2**length)])
    return tests


def assert_code(args, expected):
    """One named crease, and for short strips all creases against folding step by step."""
    folds, position = args
    if len(folds) > 10:
        return f"assert crease({folds!r}, {position}) == {expected!r}"
    whole = _unfold(folds)
    if whole[position - 1] != expected:
        raise ValueError(
            f"the reference says {expected} for {folds!r} at {position}, folding step by step does not"
        )
    return f"assert [crease({folds!r}, i) for i in range(1, {len(whole) + 1})] == list({whole!r})"


def _unfold(folds):
    """The creases of the whole strip, by unfolding the inner folds first: a second way to the same answer."""
    turned = {"V": "M", "M": "V"}
    strip = ""
    for fold in reversed(folds):
        strip = strip + ("V" if fold == "o" else "M") + "".join(turned[c] for c in reversed(strip))
    return strip


REFERENCE = r"""
def crease(folds, position):
    upside_down = False
    for done, fold in enumerate(folds, 1):
        middle = 1 << (len(folds) - done)
        if position == middle:
            return "V" if (fold == "o") != upside_down else "M"
        if position > middle:
            position = 2 * middle - position
            upside_down = not upside_down
"""

WRONG = {
    "does not turn the right half around": r"""
def crease(folds, position):
    upside_down = False
    for done, fold in enumerate(folds, 1):
        middle = 1 << (len(folds) - done)
        if position == middle:
            return "V" if (fold == "o") != upside_down else "M"
        if position > middle:
            position -= middle
            upside_down = not upside_down
""",
    "does not turn the right half upside down": r"""
def crease(folds, position):
    for done, fold in enumerate(folds, 1):
        middle = 1 << (len(folds) - done)
        if position == middle:
            return "V" if fold == "o" else "M"
        if position > middle:
            position = 2 * middle - position
""",
    "writes down the whole strip": r"""
def crease(folds, position):
    turned = {"V": "M", "M": "V"}
    strip = ""
    for fold in reversed(folds):
        strip = strip + ("V" if fold == "o" else "M") + "".join(turned[c] for c in reversed(strip))
    return strip[position - 1]
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.REPAIRED,
    exemplars=(
        Exemplar(
            description="""
            A string starts as `a`. In each round it becomes itself, followed by `b`, followed by itself.
            Find the character at a position after n rounds.
            """,
            code=r"""
            def letter(n, position):
                if n == 0:
                    return "a"
                middle = 2**n
                if position == middle:
                    return "b"
                return letter(n - 1, position if position < middle else position - middle)
            """,
            planning="""
            1. The string of round n consists of two copies of round n - 1 around a middle character.
            2. Find out in which part the position lies and continue there.
            3. Every round halves the length, so n steps are enough.
            """,
        ),
        Exemplar(
            description="""
            In each round a row of symbols is followed by its complement. Find the symbol at a given
            position.
            """,
            code=r"""
            def symbol(position):
                return bin(position).count("1") % 2
            """,
            planning="""
            1. The second half is the complement of the first, so every set bit of the position flips the
               symbol.
            2. The answer is the parity of the number of set bits.
            """,
        ),
        Exemplar(
            description="Print the sequence of right and left turns of a dragon curve of order n.",
            code=r"""
            def dragon(n):
                turns = ""
                for _ in range(n):
                    turns += "R" + "".join("L" if t == "R" else "R" for t in reversed(turns))
                return turns
            """,
            planning="""
            1. The curve of order n is the one of order n - 1, a right turn, and the same curve walked
               backwards.
            2. Walking backwards reverses the sequence and swaps the turns.
            """,
        ),
    ),
    algorithm="""
    Recursion by halving. An object of size 2^n - 1 consists of a middle element and two halves that are
    equal up to a simple change (a mirror image, a complement). To find one element go down: if it is the
    middle, answer; otherwise translate its position into the first half, remember the change, and continue.
    n steps are enough, the object itself is never built.
    """,
    attempts=(
        Attempt(
            plan="""
            1. With n folds the middle crease at 2^(n-1) comes from the first fold: V for o and M for u.
            2. A position left of the middle is found in the left half with the remaining folds.
            3. A position right of the middle is found in the right half: subtract the middle, and turn the
               answer around because the right half lies upside down.
            4. Recurse until the middle is hit.
            """,
            confidence=87,
            explanation="The structure is recursive and the right half is the turned one. At most 60 steps.",
            code=r"""
            def crease(folds, position):
                middle = 2 ** (len(folds) - 1)
                if position == middle:
                    return "V" if folds[0] == "o" else "M"
                if position < middle:
                    return crease(folds[1:], position)
                inner = crease(folds[1:], position - middle)
                return "M" if inner == "V" else "V"
            """,
            repairs=(
                Repair(
                    planning="""
                    For `uuo` and position 5 the program answers M instead of V. It reads position 5 as the
                    first one of the right half. But the right half is brought over to the left, so it runs
                    from right to left there: position 5 lies on position 3, and in general p lies on 2 *
                    middle - p.
                    1. Keep steps 1 and 2.
                    2. For positions right of the middle continue with 2 * middle - position and swap V and
                       M.
                    """,
                    code=r"""
                    def crease(folds, position):
                        middle = 2 ** (len(folds) - 1)
                        if position == middle:
                            return "V" if folds[0] == "o" else "M"
                        if position < middle:
                            return crease(folds[1:], position)
                        inner = crease(folds[1:], 2 * middle - position)
                        return "M" if inner == "V" else "V"
                    """,
                ),
            ),
        ),
        Attempt(
            plan="""
            1. Write position = odd * 2^z. The crease was made by fold number n - z.
            2. The layers alternate between upper side up and upside down: odd % 4 == 1 means up, 3 means
               upside down.
            3. Up and o gives V, up and u gives M, and the opposite for upside down.
            """,
            confidence=84,
            explanation="A closed form: the z trailing zeros tell the fold, the next bit the side.",
            code=r"""
            def crease(folds, position):
                zeros = 0
                while position % 2 == 0:
                    position //= 2
                    zeros += 1
                fold = folds[len(folds) - 1 - zeros]
                up = position % 4 == 1
                return "V" if (fold == "o") == up else "M"
            """,
        ),
        Attempt(
            plan="""
            1. Build the sequence of all creases from the last fold to the first: strip + middle + reversed
               and swapped strip.
            2. Return the character at the position.
            """,
            confidence=42,
            explanation="Right for short strips; with 60 folds the sequence has 10^18 characters.",
            code=r"""
            def crease(folds, position):
                strip = []
                for fold in reversed(folds):
                    middle = "V" if fold == "o" else "M"
                    strip = strip + [middle] + ["M" if c == "V" else "V" for c in reversed(strip)]
                return strip[position - 1]
            """,
        ),
    ),
)
