from starter.walkthrough import Attempt, Ending, Exemplar, Repair, Walkthrough

TITLE = "The Odd Badge"
DIFFICULTY = "easy"
TAGS = ["bit manipulation", "hashing"]
KIND = "assert"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 128.0
ENTRY_POINT = "odd_badge"
STARTER_CODE = '''
def odd_badge(scans: list[int], k: int) -> int:
    """The one badge number that was not scanned exactly k times."""
'''

STATEMENT = """
Every employee of the observatory passes k scanners on the way to the dome, so each badge number appears
exactly k times in the day's log. Yesterday one visitor turned back: that badge appears at least once, but
fewer than k times. All other badges appear exactly k times, in any order.

Write `odd_badge(scans, k)` that returns the visitor's badge number.

Limits: 2 <= k <= 20, 1 <= len(scans) <= 2000, badge numbers from 0 to 2^48 - 1. The list must not be
changed.
"""
INPUT_SPEC = ""
OUTPUT_SPEC = ""
NOTES = "In the first example badge 4 was scanned once and the badges 7 and 2 three times each."

SAMPLES = [[[7, 2, 7, 4, 2, 7, 2], 3], [[5, 9, 5, 5, 9], 3], [[0, 6, 6], 2]]


def generate(rng):
    tests = [
        [[0], 2],
        [[0, 0, 0], 4],
        [[1], 20],
        [[2**48 - 1], 2],
        [[2**48 - 1, 0, 0, 0], 3],
        [[2**40, 1, 1, 2**40, 1], 3],
        [[3, 3, 3, 3, 5, 5], 4],
        [[3, 3, 3, 3, 5, 5, 5], 4],
        [[1, 2, 3, 2, 1], 2],
        [[8, 8, 0, 8], 3],
    ]
    for badges, k, bits in [
        (1, 2, 4),
        (3, 3, 4),
        (4, 4, 6),
        (5, 5, 8),
        (8, 6, 33),
        (10, 7, 40),
        (20, 20, 48),
        (60, 9, 48),
    ]:
        tests.append(_random(rng, badges, k, bits, rng.randint(1, k - 1)))
    return tests + [_random(rng, 100, k, 20, k - 1) for k in (2, 3, 4, 6)]


def _random(rng, badges, k, bits, odd_scans):
    odd, *others = rng.sample(range(2**bits), badges + 1)
    scans = [badge for badge in others for _ in range(k)] + [odd] * odd_scans
    rng.shuffle(scans)
    return [scans, k]


def assert_code(args, expected):
    scans, k = args
    return (
        f"def check(candidate):\n    scans = {scans!r}\n    kept = list(scans)\n"
        f"    assert candidate(scans, {k}) == {expected}\n    assert scans == kept, 'the log was changed'\n"
    )


REFERENCE = r"""
from collections import Counter


def odd_badge(scans, k):
    for badge, times in Counter(scans).items():
        if times != k:
            return badge
"""

WRONG = {
    "takes the exclusive or of all scans": r"""
def odd_badge(scans, k):
    answer = 0
    for badge in scans:
        answer ^= badge
    return answer
""",
    "counts bits of 32-bit numbers only": r"""
def odd_badge(scans, k):
    answer = 0
    for bit in range(32):
        if sum(badge >> bit & 1 for badge in scans) % k:
            answer |= 1 << bit
    return answer
""",
    "sorts the log in place": r"""
def odd_badge(scans, k):
    scans.sort()
    for i in range(0, len(scans), k):
        if i + k > len(scans) or scans[i] != scans[i + k - 1]:
            return scans[i]
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.REPAIRED,
    exemplars=(
        Exemplar(
            description="""
            In a list of integers every value appears exactly twice except one that appears once. Find it
            without extra memory.
            """,
            code=r"""
            def single(values):
                result = 0
                for value in values:
                    result ^= value
                return result
            """,
            planning="""
            1. The exclusive or of equal numbers is zero.
            2. Combine all numbers with exclusive or; the pairs cancel and the single value remains.
            """,
        ),
        Exemplar(
            description="""
            Every value of a list appears three times except one that appears once. Find it by looking at
            single bits.
            """,
            code=r"""
            def single_of_three(values):
                result = 0
                for bit in range(64):
                    ones = sum(value >> bit & 1 for value in values)
                    if ones % 3:
                        result |= 1 << bit
                return result
            """,
            planning="""
            1. For every bit position count how many numbers have the bit set.
            2. Values that appear three times contribute a multiple of three.
            3. A remainder shows that the single value has this bit.
            """,
        ),
        Exemplar(
            description="""
            Given the votes of a ballot, return the first candidate whose number of votes differs from a
            given number.
            """,
            code=r"""
            from collections import Counter


            def first_off(votes, wanted):
                counts = Counter(votes)
                for name in votes:
                    if counts[name] != wanted:
                        return name
                return None
            """,
            planning="""
            1. Count all votes in a dictionary.
            2. Return the first candidate with a different count.
            """,
        ),
    ),
    algorithm="""
    Bit manipulation. Values that appear a known number of times cancel when a suitable operation is
    applied: exclusive or cancels pairs, counting each bit modulo k cancels groups of k. What does not
    cancel belongs to the exceptional value.
    """,
    attempts=(
        Attempt(
            plan="""
            1. Start with result = 0.
            2. Combine every scanned number into the result with exclusive or.
            3. The badges that were scanned regularly cancel out and the visitor's badge remains.
            4. Return the result.
            """,
            confidence=88,
            explanation="""
            Exclusive or cancels repeated numbers, needs no extra memory and does not change the list.
            """,
            code=r"""
            def odd_badge(scans, k):
                result = 0
                for badge in scans:
                    result ^= badge
                return result
            """,
            repairs=(
                Repair(
                    planning="""
                    In the first sample k is 3, and exclusive or cancels only even numbers of equal values,
                    so three scans of 7 leave a 7 behind. Groups of k have to cancel for any k.
                    1. For each of the 48 bits count the scans that have it set.
                    2. Badges scanned k times add a multiple of k. The visitor adds r with 0 < r < k for
                       each bit of the badge.
                    3. So the bit belongs to the visitor's badge iff the count is not divisible by k.
                    """,
                    code=r"""
                    def odd_badge(scans, k):
                        result = 0
                        for bit in range(48):
                            ones = sum((badge >> bit) & 1 for badge in scans)
                            if ones % k != 0:
                                result |= 1 << bit
                        return result
                    """,
                ),
            ),
        ),
        Attempt(
            plan="""
            1. For each bit position up to 48 count how many scans have this bit.
            2. If the count modulo k is not 0, set the bit in the answer.
            3. Return the answer.
            """,
            confidence=86,
            explanation="""
            The visitor contributes between 1 and k - 1 to each of its bits, so the remainder is never zero
            there.
            """,
            code=r"""
            def odd_badge(scans, k):
                answer = 0
                for bit in range(49):
                    mask = 1 << bit
                    if sum(1 for badge in scans if badge & mask) % k:
                        answer |= mask
                return answer
            """,
        ),
        Attempt(
            plan="""
            1. Count how often every badge occurs with a dictionary.
            2. Return the badge whose count is not k.
            """,
            confidence=85,
            explanation="""
            Simple and correct; it uses extra memory for the dictionary, which the limits allow.
            """,
            code=r"""
            def odd_badge(scans, k):
                counts = {}
                for badge in scans:
                    counts[badge] = counts.get(badge, 0) + 1
                for badge, times in counts.items():
                    if times != k:
                        return badge
                return -1
            """,
        ),
    ),
)
