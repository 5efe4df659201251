from starter.walkthrough import Attempt, Ending, Exemplar, Repair, Walkthrough

TITLE = "The Letter Wheel"
DIFFICULTY = "medium"
TAGS = ["strings"]
KIND = "assert"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 128.0
ENTRY_POINT = "fewest_clicks"
STARTER_CODE = '''
def fewest_clicks(wheel: str, target: str) -> int:
    """The least number of clicks, in either direction, after which the wheel shows the target; -1 if it never does."""
'''

STATEMENT = """
An old cipher wheel has n letters on its rim, read clockwise from a pointer. One click to the left moves the
first letter of what is read to the end; one click to the right moves the last letter to the front.

Write `fewest_clicks(wheel, target)` that returns the smallest number of clicks, all to the left or all to
the right, after which the wheel reads `target`. Return -1 if it cannot read `target`.

Limits: both strings have the same length n, 1 <= n <= 300000, and consist of letters a-z.
"""
INPUT_SPEC = ""
OUTPUT_SPEC = ""
NOTES = """
`abcabc` reads `cabcab` after 2 clicks to the left, but already after 1 click to the right.
"""

SAMPLES = [["rotor", "torro"], ["stone", "nests"], ["abcabc", "cabcab"], ["aabaab", "baabaa"]]


def generate(rng):
    tests = [
        ["a", "a"],
        ["a", "b"],
        ["ab", "ba"],
        ["ab", "ab"],
        ["aaaa", "aaaa"],
        ["abab", "baba"],
        ["abcd", "abdc"],
        ["abcde", "eabcd"],
        ["abcde", "deabc"],
        ["xyxyxz", "xzxyxy"],
        ["aab" * 4, "aba" * 4],
        ["abb" * 5, "bab" * 5],
        ["a" * 300000, "a" * 300000],
        ["a" * 299999 + "b", "a" * 150000 + "b" + "a" * 149999],
        ["a" * 150000 + "b" + "a" * 149999, "a" * 149999 + "c" + "a" * 150000],
        ["ab" * 150000, "ba" * 150000],
        [("a" * 999 + "b") * 300, "a" * 400 + ("b" + "a" * 999) * 299 + "b" + "a" * 599],
    ]
    for size, letters in [(5, "ab"), (6, "ab"), (8, "ab"), (9, "abc"), (12, "ab"), (30, "ab"), (200, "ab")]:
        wheel = "".join(rng.choice(letters) for _ in range(size))
        turn = rng.randrange(size)
        tests.append([wheel, wheel[turn:] + wheel[:turn]])
        other = list(tests[-1][1])
        rng.shuffle(other)
        tests.append([wheel, "".join(other)])
    unique = []
    for test in tests:
        if test not in unique:
            unique.append(test)
    return unique


def assert_code(args, expected):
    wheel, target = args
    return f"assert fewest_clicks({_short(wheel)}, {_short(target)}) == {expected}"


def _short(text):
    """The string as an expression that is short also when the string is long."""
    if len(text) < 250:
        return repr(text)
    for period in (2, 1000):
        if text == text[:period] * (len(text) // period):
            return f"{_runs(text[:period])} * {len(text) // period}"
    return _runs(text)


def _runs(text):
    parts, start = [], 0
    for i in range(1, len(text) + 1):
        if i == len(text) or text[i] != text[start]:
            parts.append(f"{text[start]!r} * {i - start}" if i - start > 1 else repr(text[start]))
            start = i
    return "(" + " + ".join(parts) + ")"


REFERENCE = r"""
def fewest_clicks(wheel, target):
    n = len(wheel)
    fail = [0] * n
    length = 0
    for i in range(1, n):
        while length and target[i] != target[length]:
            length = fail[length - 1]
        length += target[i] == target[length]
        fail[i] = length
    best = -1
    length = 0
    for i, letter in enumerate(wheel + wheel[:-1]):
        while length == n or length and letter != target[length]:
            length = fail[length - 1]
        length += letter == target[length]
        if length == n:
            left = i - n + 1
            fewest = min(left, n - left)
            if best < 0 or fewest < best:
                best = fewest
    return best
"""

WRONG = {
    "clicks to the left only": r"""
def fewest_clicks(wheel, target):
    return (wheel + wheel[:-1]).find(target)
""",
    "looks at the first place only": r"""
def fewest_clicks(wheel, target):
    left = (wheel + wheel).find(target)
    return min(left, len(wheel) - left) if left >= 0 else -1
""",
    "compares every turn letter by letter": r"""
def fewest_clicks(wheel, target):
    n = len(wheel)
    for clicks in range(n // 2 + 1):
        for turn in (clicks, (n - clicks) % n):
            if all(wheel[(i + turn) % n] == target[i] for i in range(n)):
                return clicks
    return -1
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.LATER_PLAN,
    exemplars=(
        Exemplar(
            description="Decide whether one string is a rotation of another.",
            code=r"""
            def is_rotation(a, b):
                return len(a) == len(b) and b in a + a
            """,
            planning="""
            1. All rotations of a are substrings of a + a.
            2. So search b in a + a.
            """,
        ),
        Exemplar(
            description="Find all positions at which a pattern occurs in a long text, in linear time.",
            code=r"""
            def occurrences(text, pattern):
                fail = [0] * len(pattern)
                k = 0
                for i in range(1, len(pattern)):
                    while k and pattern[i] != pattern[k]:
                        k = fail[k - 1]
                    if pattern[i] == pattern[k]:
                        k += 1
                    fail[i] = k
                found = []
                k = 0
                for i, c in enumerate(text):
                    while k and (k == len(pattern) or c != pattern[k]):
                        k = fail[k - 1]
                    if c == pattern[k]:
                        k += 1
                    if k == len(pattern):
                        found.append(i - k + 1)
                return found
            """,
            planning="""
            1. Compute for every prefix of the pattern its longest border (Knuth, Morris, Pratt).
            2. Scan the text once; on a mismatch fall back to the border.
            """,
        ),
        Exemplar(
            description="""
            A combination dial has n positions in a circle. Find the least number of clicks from position a
            to position b.
            """,
            code=r"""
            def clicks(n, a, b):
                distance = (b - a) % n
                return min(distance, n - distance)
            """,
            planning="""
            1. Going one way takes (b - a) mod n clicks, the other way n minus that.
            2. Take the smaller number.
            """,
        ),
    ),
    algorithm="""
    String search in a doubled string. The rotations of a string w of length n are the substrings of length
    n of w + w; the one that begins at r is reached by r steps to the left or n - r steps to the right. A
    periodic string takes the same form for several r. Linear search algorithms (prefix function, Z
    function) find all occurrences in O(n) even when the strings are very repetitive.
    """,
    attempts=(
        Attempt(
            plan="""
            1. Search the target in wheel + wheel; the position r of the first occurrence is the number of
               clicks to the left.
            2. If there is none return -1.
            3. Return r.
            """,
            confidence=89,
            explanation="""
            The doubled string contains every rotation, and the first occurrence needs the fewest clicks.
            """,
            code=r"""
            def fewest_clicks(wheel, target):
                return (wheel + wheel).find(target)
            """,
            repairs=(
                Repair(
                    planning="""
                    The program turns only to the left. With r clicks to the left the same reading is
                    reached by n - r clicks to the right.
                    1. Find the first occurrence r in wheel + wheel, or return -1.
                    2. Return min(r, n - r).
                    """,
                    code=r"""
                    def fewest_clicks(wheel, target):
                        r = (wheel + wheel).find(target)
                        if r < 0:
                            return -1
                        return min(r, len(wheel) - r)
                    """,
                ),
                Repair(
                    planning="""
                    One sample still fails: `abcabc` to `cabcab` gives 2 instead of 1. To count the clicks
                    to the right, search the wheel in the doubled target instead of the target in the
                    doubled wheel, and take the smaller of both.
                    1. left = first occurrence of target in wheel + wheel.
                    2. right = first occurrence of wheel reversed in target + target.
                    3. Return the smaller of those that exist.
                    """,
                    code=r"""
                    def fewest_clicks(wheel, target):
                        left = (wheel + wheel).find(target)
                        if left < 0:
                            return -1
                        right = (target + target).find(wheel[::-1])
                        if right < 0:
                            return min(left, len(wheel) - left)
                        return min(left, right)
                    """,
                ),
            ),
        ),
        Attempt(
            plan="""
            1. Compute the prefix function of the target.
            2. Scan wheel + wheel without its last letter and find every r from 0 to n - 1 at which the
               target occurs.
            3. For each r the clicks are min(r, n - r); keep the least, because a periodic wheel reads the
               target at several r.
            4. Return -1 when nothing was found.
            """,
            confidence=86,
            explanation="""
            All occurrences are considered, in linear time also for strings like aaaa...; r = 0 gives 0
            clicks.
            """,
            code=r"""
            def fewest_clicks(wheel, target):
                n = len(target)
                fail = [0] * n
                k = 0
                for i in range(1, n):
                    while k and target[i] != target[k]:
                        k = fail[k - 1]
                    if target[i] == target[k]:
                        k += 1
                    fail[i] = k
                best = -1
                k = 0
                text = wheel + wheel[:-1]
                for i, c in enumerate(text):
                    while k and (k == n or c != target[k]):
                        k = fail[k - 1]
                    if c == target[k]:
                        k += 1
                    if k == n:
                        r = i - n + 1
                        clicks = min(r, n - r)
                        if best < 0 or clicks < best:
                            best = clicks
                return best
            """,
        ),
        Attempt(
            plan="""
            1. For clicks = 0, 1, 2, ... up to n / 2 build the wheel turned to the left and to the right by
               that many clicks.
            2. Return the first number for which one of the two equals the target, otherwise -1.
            """,
            confidence=64,
            explanation="""
            Right, and the comparison is fast, but n turns of a string of length n are 10^11 characters in
            the worst case.
            """,
            code=r"""
            def fewest_clicks(wheel, target):
                n = len(wheel)
                for clicks in range(n // 2 + 1):
                    if wheel[clicks:] + wheel[:clicks] == target:
                        return clicks
                    if wheel[n - clicks:] + wheel[:n - clicks] == target:
                        return clicks
                return -1
            """,
        ),
    ),
)
