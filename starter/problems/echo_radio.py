from starter.walkthrough import Attempt, Ending, Exemplar, Walkthrough

TITLE = "Echo Radio"
DIFFICULTY = "easy"
TAGS = ["strings", "two pointers"]
KIND = "stdio"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 128.0

STATEMENT = """
A shortwave station sends one line of words, and the mountains send some of them back: a word may arrive
several times in a row. The clerk writes the message down so that no echo is lost and nothing is written
twice. A word that arrived once is written as it is. A word that arrived k > 1 times in a row is written
once, followed by `*k`.

Small and capital letters differ (`Fox` is no echo of `fox`), and the same word may return later in the
message as a new run.
"""
INPUT_SPEC = """
One line with at least one and at most 5000 words of letters a-z and A-Z, each at most 12 letters long.
Words are separated by one or more spaces; there may be spaces at either end.
"""
OUTPUT_SPEC = "Print the clerk's line: the runs in order, separated by single spaces."
NOTES = "In the second example `no` appears as two runs, because `yes` stands between them."

SAMPLES = ["bravo bravo tango fox Fox Fox Fox\n", "  no no   no yes no \n"]


def generate(rng):
    tests = [
        "a\n",
        "a a\n",
        "a A a A\n",
        "   lone   \n",
        " ".join(["echo"] * 5000) + "\n",
        "x x y y x x y y\n",
        "z z z z z z z z z z z z\n",
        "one two three four five six\n",
        "aa a aa aaa aaa a a aa\n",
        "end end\n",
        "Fox fox FOX fox fox\n",
    ]
    for size, letters in [
        (10, "a"),
        (20, "ab"),
        (30, "abc"),
        (60, "aA"),
        (100, "abcd"),
        (500, "ab"),
        (900, "xyz"),
    ]:
        tests.append(_random(rng, size, letters, 1))
    return tests + [_random(rng, size, "pqPQ", 2) for size in (12, 80, 1500)]


def _random(rng, size, letters, longest):
    words = ["".join(rng.choice(letters) for _ in range(rng.randint(1, longest))) for _ in range(size)]
    runs = [word for word in words for _ in range(rng.choice([1, 1, 1, 2, 3]))][:5000]
    return "".join(word + " " * rng.randint(1, 2) for word in runs) + "\n"


REFERENCE = r"""
from itertools import groupby

runs = []
for word, group in groupby(input().split()):
    count = len(list(group))
    runs.append(word if count == 1 else f"{word}*{count}")
print(" ".join(runs))
"""

WRONG = {
    "counts a word over the whole message": r"""
words = input().split()
seen = []
for word in words:
    if word not in seen:
        seen.append(word)
print(" ".join(w if words.count(w) == 1 else f"{w}*{words.count(w)}" for w in seen))
""",
    "forgets the last run": r"""
words = input().split()
out = []
count = 1
for before, word in zip(words, words[1:]):
    if before == word:
        count += 1
    else:
        out.append(before if count == 1 else f"{before}*{count}")
        count = 1
print(" ".join(out))
""",
    "ignores letter case": r"""
words = input().split()
out = []
i = 0
while i < len(words):
    j = i
    while j < len(words) and words[j].lower() == words[i].lower():
        j += 1
    out.append(words[i] if j - i == 1 else f"{words[i]}*{j - i}")
    i = j
print(" ".join(out))
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.FIRST_TRY,
    before_root="Sure! Here are three relevant problems together with the algorithm they share.",
    after_root="I hope these exemplars help with the original problem.",
    exemplars=(
        Exemplar(
            description="""
            Compress a string of letters by run-length encoding: every maximal run of equal letters becomes
            the letter followed by the length of the run, and runs of length one stay as a single letter.
            """,
            code=r"""
            s = input().strip()
            out = []
            i = 0
            while i < len(s):
                j = i
                while j < len(s) and s[j] == s[i]:
                    j += 1
                out.append(s[i] if j - i == 1 else s[i] + str(j - i))
                i = j
            print("".join(out))
            """,
            planning="""
            1. Put i at the start of a run.
            2. Move j right while the letter at j equals the letter at i.
            3. Write the run of length j - i, set i to j and repeat until the end.
            """,
        ),
        Exemplar(
            description="""
            Given a list of daily moods, find the longest period of equal moods and the mood it had.
            """,
            code=r"""
            moods = input().split()
            best, best_mood, run = 0, "", 0
            for i, mood in enumerate(moods):
                run = run + 1 if i and moods[i - 1] == mood else 1
                if run > best:
                    best, best_mood = run, mood
            print(best_mood, best)
            """,
            planning="""
            1. Keep the length of the current run.
            2. It grows by one when the mood equals the one before, otherwise it restarts at one.
            3. Remember the longest run seen.
            """,
        ),
        Exemplar(
            description="""
            Remove consecutive duplicates from a list of log lines so that only the first line of each
            repeated block stays.
            """,
            code=r"""
            import sys

            previous = None
            for line in sys.stdin:
                line = line.rstrip("\n")
                if line != previous:
                    print(line)
                previous = line
            """,
            planning="""
            1. Remember the previous line.
            2. Print a line only when it differs from the previous one.
            """,
        ),
    ),
    algorithm="""
    Two pointers over runs (run-length encoding). Scan the sequence once. Let i be the first index of a run
    and advance j while the element at j is equal to the element at i; the run is [i, j). Emit it, continue
    with i = j, and stop when i reaches the end, so that the last run is emitted like the others. O(n) time.
    """,
    attempts=(
        Attempt(
            plan="""
            1. Read the line and split it on white space, which also drops spaces at the ends.
            2. Set i = 0. While i < number of words: advance j from i while words[j] == words[i].
            3. Append the word alone when j - i is 1, else the word + '*' + str(j - i). Set i = j.
            4. Print the parts joined by single spaces.
            """,
            confidence=97,
            explanation="""
            The plan handles repeated spaces, letter case, runs that return and the last run. It is linear.
            """,
            code=r"""
            words = input().split()
            parts = []
            i = 0
            while i < len(words):
                j = i
                while j < len(words) and words[j] == words[i]:
                    j += 1
                count = j - i
                parts.append(words[i] if count == 1 else words[i] + "*" + str(count))
                i = j
            print(" ".join(parts))
            """,
        ),
        Attempt(
            plan="""
            1. Split the line into words and keep a current word and its run length.
            2. For each next word: if it equals the current word add one, else write the current run and
               start a new one.
            3. After the loop write the run that is still open.
            4. Print the runs with single spaces.
            """,
            confidence=93,
            explanation="""
            Correct as long as the last open run is written after the loop, which the plan says.
            """,
            code=r"""
            words = input().split()


            def show(word, count):
                return word if count == 1 else f"{word}*{count}"


            out = []
            current, count = words[0], 1
            for word in words[1:]:
                if word == current:
                    count += 1
                else:
                    out.append(show(current, count))
                    current, count = word, 1
            out.append(show(current, count))
            print(" ".join(out))
            """,
        ),
        Attempt(
            plan="""
            1. Count every word of the message in a dictionary.
            2. Print the distinct words in order of appearance, with '*count' when the count is above one.
            """,
            confidence=30,
            explanation="Wrong when a word returns later as a new run, as in the second sample.",
            code=r"""
            from collections import Counter

            words = input().split()
            counts = Counter(words)
            print(" ".join(w if c == 1 else f"{w}*{c}" for w, c in counts.items()))
            """,
        ),
    ),
)
