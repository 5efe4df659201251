from starter.walkthrough import Attempt, Ending, Exemplar, Walkthrough

TITLE = "Ring Lock Codes"
DIFFICULTY = "medium"
TAGS = ["combinatorics", "math", "dp"]
KIND = "call"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 128.0
ENTRY_POINT = "ring_codes"
STARTER_CODE = '''
def ring_codes(rings: int, symbols: int) -> int:
    """The number of codes of the ring lock, modulo 1000000007."""
'''

STATEMENT = """
A lock consists of n windows that are placed in a circle around a dial, numbered from 1 to n. A code puts
one of s symbols into each window. The maker forbids codes in which two windows that stand side by side show
the same symbol; windows n and 1 stand side by side too. (With a single window there are no two windows, so
nothing is forbidden.)

Write `ring_codes(rings, symbols)` that returns the number of allowed codes for n = `rings` windows and s =
`symbols` symbols, modulo 1000000007.

Limits: 1 <= rings <= 10^18, 1 <= symbols <= 10^9.
"""
INPUT_SPEC = ""
OUTPUT_SPEC = ""
NOTES = "With 4 windows and 2 symbols only the two codes in which the symbols alternate are allowed."

SAMPLES = [[4, 2], [3, 3], [4, 3]]


def generate(rng):
    tests = [
        [1, 1],
        [1, 7],
        [1, 10**9],
        [2, 1],
        [2, 2],
        [2, 10**9],
        [3, 1],
        [3, 2],
        [5, 2],
        [6, 4],
        [7, 3],
        [10, 10],
        [1000, 1],
        [10**18, 1],
        [10**18, 2],
        [10**18 - 1, 2],
        [10**18, 10**9],
        [10**18 - 1, 10**9],
        [10**6, 26],
        [999999937, 12345],
    ]
    return tests + [[rng.randint(10**8, 10**18), rng.randint(3, 10**9)] for _ in range(5)]


REFERENCE = r"""
def ring_codes(rings, symbols):
    prime = 1000000007
    if rings == 1:
        return symbols % prime
    sign = 1 if rings % 2 == 0 else -1
    return (pow(symbols - 1, rings, prime) + sign * (symbols - 1)) % prime
"""

WRONG = {
    "forgets that the windows form a circle": r"""
def ring_codes(rings, symbols):
    prime = 1000000007
    return symbols * pow(symbols - 1, rings - 1, prime) % prime
""",
    "uses the formula for a single window": r"""
def ring_codes(rings, symbols):
    prime = 1000000007
    sign = 1 if rings % 2 == 0 else -1
    return (pow(symbols - 1, rings, prime) + sign * (symbols - 1)) % prime
""",
    "goes around window by window": r"""
def ring_codes(rings, symbols):
    prime = 1000000007
    if rings == 1:
        return symbols % prime
    same, other = 1, 0
    for _ in range(rings - 1):
        same, other = other, (same * (symbols - 1) + other * (symbols - 2)) % prime
    return symbols * other % prime
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.FIRST_TRY,
    exemplars=(
        Exemplar(
            description="Count the ways to paint n fence posts with k colours so that neighbours differ.",
            code=r"""
            def fence(n, k, mod):
                return k * pow(k - 1, n - 1, mod) % mod
            """,
            planning="""
            1. The first post can have any of k colours, every other one any but the colour before it.
            2. Compute k * (k - 1)^(n - 1) with fast powers.
            """,
        ),
        Exemplar(
            description="Count closed walks of length n in a complete graph of k vertices, modulo a prime.",
            code=r"""
            def closed_walks(n, k, mod):
                sign = 1 if n % 2 == 0 else -1
                return (pow(k - 1, n, mod) + sign * (k - 1)) % mod
            """,
            planning="""
            1. Let c(n) be the walks from a vertex back to itself. A walk of n - 1 steps ends at the start
               or it does not.
            2. k * c(n) = (k - 1)^n + (-1)^n * (k - 1).
            """,
        ),
        Exemplar(
            description="Compute the n-th Fibonacci number modulo m for n up to 10^18.",
            code=r"""
            def fibonacci(n, m):
                def pair(n):
                    if n == 0:
                        return 0, 1
                    a, b = pair(n // 2)
                    c, d = a * (2 * b - a) % m, (a * a + b * b) % m
                    return (d, (c + d) % m) if n % 2 else (c, d)

                return pair(n)[0]
            """,
            planning="""
            1. A linear recurrence is a power of a matrix.
            2. Square repeatedly: O(log n) steps.
            """,
        ),
    ),
    algorithm="""
    Combinatorics with a linear recurrence. Let f(n) be the number of proper colourings of a circle of n
    places. A row of n places can be coloured in s * (s - 1)^(n - 1) ways; in such a row the ends differ (a
    circle of n) or are equal (glue them together: a circle of n - 1). Hence f(n) = s * (s - 1)^(n - 1) -
    f(n - 1), which solves to (s - 1)^n + (-1)^n * (s - 1) for n >= 2. Powers modulo a prime by repeated
    squaring; small n by hand.
    """,
    attempts=(
        Attempt(
            plan="""
            1. One window is a special case: return symbols modulo the prime.
            2. For n >= 2 the number of codes is (s - 1)^n + (s - 1) if n is even and (s - 1)^n - (s - 1) if
               n is odd.
            3. Compute the power with pow(s - 1, n, prime) and reduce the result into 0..prime-1.
            """,
            confidence=94,
            explanation="""
            Check: n = 3, s = 3 gives 8 - 2 = 6 and n = 4, s = 2 gives 1 + 1 = 2, as in the samples.
            """,
            code=r"""
            def ring_codes(rings, symbols):
                mod = 1000000007
                if rings == 1:
                    return symbols % mod
                result = pow(symbols - 1, rings, mod)
                if rings % 2 == 0:
                    result += symbols - 1
                else:
                    result -= symbols - 1
                return result % mod
            """,
        ),
        Attempt(
            plan="""
            1. Walk around the circle with two numbers: codes in which the current window equals window 1,
               and codes in which it does not.
            2. One step makes (same, other) into (other, (s - 1) * same + (s - 2) * other), which is a 2 x 2
               matrix.
            3. Raise the matrix to the power n - 1 by repeated squaring and take s * other.
            4. One window gives s.
            """,
            confidence=91,
            explanation="""
            The matrix power needs 60 squarings; the last window must differ from window 1, which is
            `other`.
            """,
            code=r"""
            def ring_codes(rings, symbols):
                mod = 1000000007
                if rings == 1:
                    return symbols % mod

                def times(p, q):
                    return [[sum(p[i][k] * q[k][j] for k in range(2)) % mod for j in range(2)] for i in range(2)]

                step = [[0, symbols - 1], [1, symbols - 2]]
                power = [[1, 0], [0, 1]]
                exponent = rings - 1
                while exponent:
                    if exponent % 2:
                        power = times(power, step)
                    step = times(step, step)
                    exponent //= 2
                return symbols * power[0][1] % mod
            """,
        ),
        Attempt(
            plan="""
            1. The first window has s choices and every other one s - 1.
            2. The last one must differ from two windows, so it has s - 2 choices.
            3. Multiply.
            """,
            confidence=33,
            explanation="""
            The last window has s - 2 choices only when its two neighbours differ; if they are equal it has
            s - 1.
            """,
            code=r"""
            def ring_codes(rings, symbols):
                mod = 1000000007
                if rings == 1:
                    return symbols % mod
                if rings == 2:
                    return symbols * (symbols - 1) % mod
                return symbols * pow(symbols - 1, rings - 2, mod) * (symbols - 2) % mod
            """,
        ),
    ),
)
