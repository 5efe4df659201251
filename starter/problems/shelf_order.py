from starter.walkthrough import Attempt, Ending, Exemplar, Repair, Walkthrough

TITLE = "Shelf Order"
DIFFICULTY = "easy"
TAGS = ["sorting", "strings"]
KIND = "assert"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 128.0
ENTRY_POINT = "shelf_order"
STARTER_CODE = '''
def shelf_order(labels: list[str]) -> list[str]:
    """The labels in the order in which the boxes stand on the shelf, as a new list."""
'''

STATEMENT = """
The boxes of an archive carry labels of small letters and digits, such as `tax9b12`. People expect `tax9` to
stand before `tax10`, so the archive does not sort plainly by character. A label is cut into pieces, each a
longest possible run of digits or a longest possible run of letters. Two labels are compared piece by piece
from the left:

- two pieces of digits by their value as numbers,
- two pieces of letters alphabetically, as in a dictionary,
- a piece of digits comes before a piece of letters.

The first pieces that differ decide. A label whose pieces are used up first comes first. Labels that are
still tied (they differ only in leading zeros) are ordered by length, shorter first, and then by plain text.

Write `shelf_order(labels)` that returns a new list in this order and leaves the argument as it was.

Limits: up to 500 labels of 1 to 40 characters.
"""
INPUT_SPEC = ""
OUTPUT_SPEC = ""
NOTES = "In the second example `a2b3c4` and `a2b3c10` agree in four pieces and differ in the fifth and sixth."

SAMPLES = [
    [["tax10", "tax9", "7up", "tax", "tax09"]],
    [["a2b10", "a2b3c10", "a10b1", "a2b3c4", "a2b3"]],
    [["x1y2z12", "x1y2b100"]],
]


def generate(rng):
    tests = [
        [[]],
        [["a"]],
        [["0", "00", "000"]],
        [["a1", "a01", "a001", "a1"]],
        [["a01b1", "a1b01", "a1b1", "a01b01"]],
        [["b", "a", "1", "10", "2"]],
        [["a1", "a", "ab", "a1b", "ab1"]],
        [["99999999999999999999999999", "100000000000000000000000000", "5"]],
        [["1a1", "1a", "1", "01a", "a"]],
        [["z", "zz", "z0", "z00", "zz0"]],
        [["k12m3", "k2m30", "k2m4", "k12m03"]],
        [["p1q1r1s10", "p1q1r1s9", "p1q1r2s1"]],
        [["same", "same", "same"]],
    ]
    for size, letters, digits in [
        (4, "a", "12"),
        (6, "ab", "01"),
        (8, "ab", "019"),
        (10, "abc", "0123"),
        (20, "xy", "09"),
    ]:
        tests.append([[_label(rng, letters, digits) for _ in range(size)]])
        tests.append([[_label(rng, letters, digits) for _ in range(2 * size)]])
    tests.append([[_label(rng, "abcdefgh", "0123456789") for _ in range(500)]])
    return tests


def _label(rng, letters, digits):
    pieces = []
    kinds = [letters, digits]
    first = rng.randint(0, 1)
    for piece in range(rng.randint(1, 6)):
        alphabet = kinds[(first + piece) % 2]
        pieces.append("".join(rng.choice(alphabet) for _ in range(rng.randint(1, 3))))
    return "".join(pieces)


def assert_code(args, expected):
    return (
        f"def check(candidate):\n    labels = {args[0]!r}\n    kept = list(labels)\n"
        f"    assert candidate(labels) == {expected!r}\n    assert labels == kept, 'the argument was changed'\n"
    )


REFERENCE = r"""
import re


def shelf_order(labels):
    def key(label):
        pieces = re.findall(r"\d+|[a-z]+", label)
        return [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in pieces], len(label), label

    return sorted(labels, key=key)
"""

WRONG = {
    "sorts by character": r"""
def shelf_order(labels):
    return sorted(labels)
""",
    "forgets the leading zeros": r"""
import re


def shelf_order(labels):
    def key(label):
        return [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in re.findall(r"\d+|[a-z]+", label)]

    return sorted(labels, key=key)
""",
    "looks at two pieces only": r"""
import re


def shelf_order(labels):
    def key(label):
        letters, digits = re.match(r"([a-z]*)(\d*)", label).groups()
        return letters, int(digits or -1), len(label), label

    return sorted(labels, key=key)
""",
    "sorts the argument": r"""
import re


def shelf_order(labels):
    def key(label):
        pieces = re.findall(r"\d+|[a-z]+", label)
        return [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in pieces], len(label), label

    labels.sort(key=key)
    return labels
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.LATER_PLAN,
    exemplars=(
        Exemplar(
            description="Sort file names of the form `name<number>.txt` by name and then by number.",
            code=r"""
            import re


            def by_number(names):
                def key(name):
                    word, number = re.match(r"([a-z]+)(\d+)", name).groups()
                    return word, int(number)

                return sorted(names, key=key)
            """,
            planning="""
            1. Cut each name into its word and its number with a regular expression.
            2. Sort by the pair (word, number as an integer).
            """,
        ),
        Exemplar(
            description="""
            Sort version strings such as 1.10.2 and 1.9 so that each field is compared as a number.
            """,
            code=r"""
            def by_version(versions):
                return sorted(versions, key=lambda version: [int(field) for field in version.split(".")])
            """,
            planning="""
            1. Split the version at the dots and turn every field into an integer.
            2. Lists of integers compare field by field, and a shorter list that agrees so far comes first.
            """,
        ),
        Exemplar(
            description="""
            Sort a mixed list of words and numbers: numbers first, in order of value, then words
            alphabetically.
            """,
            code=r"""
            def mixed(items):
                return sorted(items, key=lambda item: (0, int(item), "") if item.isdigit() else (1, 0, item))
            """,
            planning="""
            1. Numbers and words cannot be compared directly, so put a rank in front: 0 for numbers and 1
               for words.
            2. Sort by (rank, value, word).
            """,
        ),
    ),
    algorithm="""
    Sorting with a computed key. Turn every element into a key whose natural order is the order asked for.
    Tuples and lists compare element by element, so rules that apply one after another become positions of a
    tuple. When values of different types meet at one position, put a rank before them. Sorting with a key
    computes each key once: O(n log n) comparisons.
    """,
    attempts=(
        Attempt(
            plan=r"""
            1. Every label is a word followed by a number; cut it with the expression ([a-z]*)(\d*).
            2. The key of a label is (word, number as an integer, length, label), with -1 for a missing
               number.
            3. Return sorted(labels, key=key), which is a new list.
            """,
            confidence=90,
            explanation="""
            The key compares the word alphabetically and the number by value, and breaks ties by length and
            text.
            """,
            code=r"""
            import re


            def shelf_order(labels):
                def key(label):
                    word, number = re.match(r"([a-z]*)(\d*)", label).groups()
                    return word, int(number) if number else -1, len(label), label

                return sorted(labels, key=key)
            """,
            repairs=(
                Repair(
                    planning=r"""
                    The second sample has labels with several words and numbers, such as a2b10, and the key
                    only looks at the first pair.
                    1. Match two pairs: ([a-z]*)(\d*)([a-z]*)(\d*).
                    2. The key is (word1, number1, word2, number2, length, label), with -1 for missing
                       numbers.
                    """,
                    code=r"""
                    import re


                    def shelf_order(labels):
                        def number(text):
                            return int(text) if text else -1

                        def key(label):
                            w1, n1, w2, n2 = re.match(r"([a-z]*)(\d*)([a-z]*)(\d*)", label).groups()
                            return w1, number(n1), w2, number(n2), len(label), label

                        return sorted(labels, key=key)
                    """,
                ),
                Repair(
                    planning="""
                    Some labels still stand in the wrong place because they have more than two pairs.
                    1. Match three pairs of words and numbers.
                    2. Extend the key in the same way; with so many parts the length is not needed to break
                       ties any more.
                    """,
                    code=r"""
                    import re


                    def shelf_order(labels):
                        def number(text):
                            return int(text) if text else -1

                        def key(label):
                            groups = re.match(r"([a-z]*)(\d*)([a-z]*)(\d*)([a-z]*)(\d*)", label).groups()
                            w1, n1, w2, n2, w3, n3 = groups
                            return w1, number(n1), w2, number(n2), w3, number(n3), label

                        return sorted(labels, key=key)
                    """,
                ),
            ),
        ),
        Attempt(
            plan=r"""
            1. Cut a label into all its pieces with re.findall(r"\d+|[a-z]+", label).
            2. Turn a piece of digits into (0, value, "") and a piece of letters into (1, 0, piece), so that
               digits come first and values of different types never meet.
            3. The key is (list of pieces, length, label). Lists compare piece by piece, and a list that
               ends first is smaller.
            4. Return sorted(labels, key=key).
            """,
            confidence=87,
            explanation="""
            Works for any number of pieces and follows all rules, including the ties by leading zeros.
            """,
            code=r"""
            import re


            def shelf_order(labels):
                def key(label):
                    pieces = []
                    for piece in re.findall(r"\d+|[a-z]+", label):
                        if piece.isdigit():
                            pieces.append((0, int(piece), ""))
                        else:
                            pieces.append((1, 0, piece))
                    return pieces, len(label), label

                return sorted(labels, key=key)
            """,
        ),
        Attempt(
            plan="""
            1. Replace every number in a label by the number padded with zeros to 40 digits.
            2. Sort by the padded text; digits have smaller codes than letters.
            3. Break ties by length and by the label.
            """,
            confidence=82,
            explanation="""
            Padding makes text order and number order agree, because numbers have at most 40 digits.
            """,
            code=r"""
            import re


            def shelf_order(labels):
                def padded(label):
                    return re.sub(r"\d+", lambda match: match.group().lstrip("0").zfill(40), label)

                return sorted(labels, key=lambda label: (padded(label), len(label), label))
            """,
        ),
    ),
)
