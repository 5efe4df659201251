from starter.walkthrough import Attempt, Ending, Exemplar, Walkthrough

TITLE = "Seed Packets"
DIFFICULTY = "easy"
TAGS = ["number theory", "math"]
KIND = "call"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 128.0
ENTRY_POINT = "fewest_packets"
STARTER_CODE = '''
def fewest_packets(counts: list[int], most: int) -> int:
    """The least number of packets when every packet holds the same number of seeds, at most `most`."""
'''

STATEMENT = """
The seed library fills paper packets for its spring swap. It owns several kinds of seed, `counts[i]` seeds
of kind i. Seeds of different kinds are never mixed in a packet, every packet must hold exactly the same
number of seeds, no packet may hold more than `most` seeds, and no seed may be left over.

Write `fewest_packets(counts, most)` that returns the smallest number of packets with which this works.
(Packets of one seed always work.)

Limits: 1 <= len(counts) <= 50, 1 <= counts[i] <= 10^12, 1 <= most <= 10^12.
"""
INPUT_SPEC = ""
OUTPUT_SPEC = ""
NOTES = """
In the first example packets of 6 seeds would be best, but a packet holds at most 5, so packets of 3 are
used: 4 + 6 + 10 = 20 of them.
"""

SAMPLES = [[[12, 18, 30], 5], [[8], 100], [[7, 9], 4]]


def generate(rng):
    tests = [
        [[1], 1],
        [[1, 1, 1], 10**12],
        [[10**12], 10**12],
        [[10**12], 10**12 - 1],
        [[10**12, 10**12], 1],
        [[999999999989], 10**6],
        [[999999999989], 10**12],
        [[999999000001 - 1, 2 * 499999500000], 7 * 10**5],
        [[963761198400], 963761198399],
        [[963761198400, 481880599200], 1000003],
        [[36, 36, 36], 35],
        [[36, 60, 84], 11],
        [[36, 60, 84], 12],
        [[49, 98], 48],
        [[2**39, 2**38, 2**37], 2**30 + 1],
    ]
    for kinds, base in [(2, 12), (3, 60), (5, 840), (8, 5040), (50, 720720), (50, 36756720)]:
        counts = [base * rng.randint(1, 20) for _ in range(kinds)]
        tests.append([counts, rng.randint(2, base)])
    tests.append([[720720 * rng.randint(1, 10**6) for _ in range(50)], 700000])
    return tests


REFERENCE = r"""
from functools import reduce
from math import gcd


def fewest_packets(counts, most):
    common = reduce(gcd, counts)
    best = 1
    small = 1
    while small * small <= common:
        if common % small == 0:
            for size in (small, common // small):
                if best < size <= most:
                    best = size
        small += 1
    return sum(counts) // best
"""

WRONG = {
    "takes the gcd without looking at the limit": r"""
from functools import reduce
from math import gcd


def fewest_packets(counts, most):
    size = min(reduce(gcd, counts), most)
    return sum(counts) // size
""",
    "looks only at small divisors": r"""
from functools import reduce
from math import gcd


def fewest_packets(counts, most):
    common = reduce(gcd, counts)
    best = 1
    size = 1
    while size * size <= common and size <= most:
        if common % size == 0:
            best = size
        size += 1
    return sum(counts) // best
""",
    "tries every size down from the limit": r"""
from functools import reduce
from math import gcd


def fewest_packets(counts, most):
    common = reduce(gcd, counts)
    size = min(most, common)
    while common % size:
        size -= 1
    return sum(counts) // size
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.FIRST_TRY,
    exemplars=(
        Exemplar(
            description="""
            Given a number n and a limit m, find the largest divisor of n that is not larger than m.
            """,
            code=r"""
            n, m = map(int, input().split())
            best = 1
            i = 1
            while i * i <= n:
                if n % i == 0:
                    if i <= m:
                        best = max(best, i)
                    if n // i <= m:
                        best = max(best, n // i)
                i += 1
            print(best)
            """,
            planning="""
            1. Divisors come in pairs (i, n / i) with i <= sqrt(n).
            2. Try every i up to sqrt(n) and test both members of the pair against the limit.
            3. Keep the largest that fits.
            """,
        ),
        Exemplar(
            description="""
            Several planks must be sawn into pieces of one common whole length without waste. Find the
            longest such length.
            """,
            code=r"""
            from math import gcd

            planks = list(map(int, input().split()))
            length = 0
            for plank in planks:
                length = gcd(length, plank)
            print(length)
            """,
            planning="""
            1. A length works exactly when it divides every plank.
            2. So the longest length is the greatest common divisor of all planks.
            """,
        ),
        Exemplar(
            description="""
            List all divisors of an integer up to 10^12 in increasing order.
            """,
            code=r"""
            n = int(input())
            small, large = [], []
            i = 1
            while i * i <= n:
                if n % i == 0:
                    small.append(i)
                    if i != n // i:
                        large.append(n // i)
                i += 1
            print(*small, *reversed(large))
            """,
            planning="""
            1. Trial division up to the square root gives the small divisor of each pair.
            2. The other half is n divided by the small ones, in reverse order.
            """,
        ),
    ),
    algorithm="""
    Number theory: common divisors. A size divides all numbers exactly when it divides their greatest common
    divisor g. All divisors of g are found by trial division up to sqrt(g): every divisor i below the root
    comes with its partner g / i. For g up to 10^12 this takes 10^6 steps.
    """,
    attempts=(
        Attempt(
            plan="""
            1. A packet size works iff it divides every count, i.e. iff it divides g = gcd of the counts.
            2. Fewest packets means the largest size, so find the largest divisor of g that is <= most.
            3. Enumerate i from 1 to sqrt(g); for i and g // i keep the largest one within the limit.
            4. Return sum(counts) // size.
            """,
            confidence=95,
            explanation="""
            Reducing to the divisors of the gcd is right, both partners of each pair are considered, and
            10^6 steps fit the time limit.
            """,
            code=r"""
            from functools import reduce
            from math import gcd


            def fewest_packets(counts, most):
                g = reduce(gcd, counts)
                size = 1
                i = 1
                while i * i <= g:
                    if g % i == 0:
                        if i <= most and i > size:
                            size = i
                        partner = g // i
                        if partner <= most and partner > size:
                            size = partner
                    i += 1
                return sum(counts) // size
            """,
        ),
        Attempt(
            plan="""
            1. Compute g = gcd of all counts.
            2. If g <= most, packets of g seeds are best.
            3. Otherwise use packets of `most` seeds.
            4. Return sum(counts) // size.
            """,
            confidence=45,
            explanation="""
            Step 3 is wrong: a size of `most` need not divide the counts, so seeds would be left over.
            """,
            code=r"""
            from functools import reduce
            from math import gcd


            def fewest_packets(counts, most):
                g = reduce(gcd, counts)
                size = g if g <= most else most
                return sum(counts) // size
            """,
        ),
        Attempt(
            plan="""
            1. Compute g = gcd of all counts.
            2. List the divisors of g in increasing order by trial division up to the square root.
            3. Walk over the list from the end and stop at the first divisor that is <= most.
            4. Return sum(counts) // divisor.
            """,
            confidence=90,
            explanation="The same idea with an explicit list; correct, and fast enough.",
            code=r"""
            from math import gcd


            def divisors(n):
                small, large = [], []
                i = 1
                while i * i <= n:
                    if n % i == 0:
                        small.append(i)
                        if i != n // i:
                            large.append(n // i)
                    i += 1
                return small + large[::-1]


            def fewest_packets(counts, most):
                g = 0
                for count in counts:
                    g = gcd(g, count)
                for size in reversed(divisors(g)):
                    if size <= most:
                        return sum(counts) // size
            """,
        ),
    ),
)
