from starter.walkthrough import Attempt, Ending, Exemplar, Repair, Walkthrough

TITLE = "The Gears of the Tower Clock"
DIFFICULTY = "hard"
TAGS = ["number theory", "math"]
KIND = "stdio"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 128.0

STATEMENT = """
K gears turn in a tower clock, one tooth a second each. Gear i has p_i teeth, one of them painted red. At
second t = r_i, and then every p_i seconds, its red tooth stands at the top. The clockmaker arrives at
second S and wants to photograph the moment at which the red teeth of all gears are at the top.

What is the first second, not before S, at which he can take the picture?
"""
INPUT_SPEC = """
The first line holds K and S (1 <= K <= 20, 0 <= S <= 10^18). Each of the next K lines holds p_i and r_i (1
<= p_i <= 10^9, 0 <= r_i < p_i). The least common multiple of all p_i is at most 10^18.
"""
OUTPUT_SPEC = "Print the second of the picture, or `NEVER` if no such moment exists."
NOTES = """
In the first example the gears with 4 and 6 teeth are both at the top at second 10 for the first time, and
then every 12 seconds. In the second one gear is up at even seconds and the other at odd ones.
"""

SAMPLES = ["2 11\n4 2\n6 4\n", "2 0\n4 2\n6 3\n", "3 0\n3 2\n5 3\n7 2\n"]


def generate(rng):
    tests = [
        "1 0\n1 0\n",
        "1 1000000000000000000\n1 0\n",
        "1 5\n7 3\n",
        "1 3\n7 3\n",
        "1 4\n7 3\n",
        "2 0\n6 5\n6 5\n",
        "2 0\n6 5\n6 4\n",
        "2 23\n12 11\n8 3\n",
        "2 35\n12 11\n8 3\n",
        "3 0\n4 1\n6 3\n10 7\n",
        "2 0\n1000000000 999999999\n999999999 999999998\n",
        "2 1000000000000000000\n1000000000 1\n999999999 2\n",
        "20 7\n" + "".join(f"{p} {6 % p}\n" for p in range(1, 21)),
        "20 7\n" + "".join(f"{p} {6 % p if p != 18 else 9}\n" for p in range(1, 21)),
    ]
    for gears, most in [
        (2, 10),
        (3, 12),
        (3, 30),
        (4, 20),
        (5, 30),
        (2, 10**9),
        (3, 10**6),
        (6, 1000),
        (9, 100),
    ]:
        tests.append(_random(rng, gears, most, agree=True))
    tests += [_random(rng, gears, most, agree=False) for gears, most in [(2, 12), (3, 30)]]
    return tests


def _random(rng, gears, most, agree):
    moment = rng.randint(0, 10**18)
    rows, common = [], 1
    for _ in range(gears):
        teeth = rng.randint(2, most)
        if common * teeth > 10**18:
            break
        common *= teeth
        rows.append(f"{teeth} {moment % teeth if agree else rng.randrange(teeth)}\n")
    return f"{len(rows)} {rng.choice([0, 100, moment // 2])}\n" + "".join(rows)


REFERENCE = r"""
from math import gcd


def picture():
    gears, start = map(int, input().split())
    moment, period = 0, 1
    for _ in range(gears):
        teeth, top = map(int, input().split())
        common = gcd(period, teeth)
        if (top - moment) % common:
            return "NEVER"
        turns = (top - moment) // common * pow(period // common, -1, teeth // common) % (teeth // common)
        moment += period * turns
        period *= teeth // common
        moment %= period
    if moment < start:
        moment += -(-(start - moment) // period) * period
    return moment


print(picture())
"""

WRONG = {
    "believes that the numbers of teeth have no common divisor": r"""
from math import prod

gears, start = map(int, input().split())
rows = [tuple(map(int, input().split())) for _ in range(gears)]
period = prod(p for p, r in rows)
try:
    moment = sum(r * (period // p) * pow(period // p, -1, p) for p, r in rows) % period
    if moment < start:
        moment += -(-(start - moment) // period) * period
    print(moment)
except ValueError:
    print("NEVER")
""",
    "forgets when the clockmaker arrives": REFERENCE.replace("if moment < start:", "if False:"),
    "waits one period too long": REFERENCE.replace(
        "-(-(start - moment) // period)", "((start - moment) // period + 1)"
    ),
    "steps from top to top": r"""
from math import lcm

gears, start = map(int, input().split())
rows = sorted((tuple(map(int, input().split())) for _ in range(gears)), reverse=True)
big, top = rows[0]
period = lcm(*(p for p, r in rows))
moment = start + (top - start) % big
end = moment + period
while moment < end and any(moment % p != r for p, r in rows):
    moment += big
print(moment if moment < end else "NEVER")
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.LATER_PLAN,
    exemplars=(
        Exemplar(
            description="""
            Find the smallest number that leaves given remainders when it is divided by given pairwise
            coprime numbers.
            """,
            code=r"""
            from math import prod

            n = int(input())
            rows = [tuple(map(int, input().split())) for _ in range(n)]
            product = prod(m for m, r in rows)
            x = 0
            for m, r in rows:
                other = product // m
                x += r * other * pow(other, -1, m)
            print(x % product)
            """,
            planning="""
            1. Let P be the product of the moduli. For each modulus take P / m and its inverse modulo m.
            2. The sum of r * (P / m) * inverse, modulo P, is the answer (Chinese remainder theorem).
            """,
        ),
        Exemplar(
            description="""
            Two buses leave every a and every b minutes, the first ones at minutes x and y. When do they
            leave together for the first time?
            """,
            code=r"""
            def egcd(a, b):
                if b == 0:
                    return a, 1, 0
                g, x, y = egcd(b, a % b)
                return g, y, x - a // b * y


            a, x, b, y = map(int, input().split())
            g, u, _ = egcd(a, b)
            if (y - x) % g:
                print(-1)
            else:
                lcm = a // g * b
                t = (x + a * ((y - x) // g * u % (b // g))) % lcm
                while t < max(x, y):
                    t += lcm
                print(t)
            """,
            planning="""
            1. Write t = x + a * k = y + b * l; this has a solution iff gcd(a, b) divides y - x.
            2. The extended Euclidean algorithm gives k.
            3. Solutions repeat every lcm(a, b).
            """,
        ),
        Exemplar(
            description="""
            Find the first time at which several traffic lights with short periods are green together.
            """,
            code=r"""
            n = int(input())
            lights = [tuple(map(int, input().split())) for _ in range(n)]
            for t in range(10**6):
                if all(t % period == start for period, start in lights):
                    print(t)
                    break
            else:
                print(-1)
            """,
            planning="""
            1. Try all times one after another.
            2. Stop when all lights are green.
            """,
        ),
    ),
    algorithm="""
    Number theory: systems of congruences. Two congruences t = a (mod m) and t = b (mod n) have a common
    solution exactly when gcd(m, n) divides b - a; then they are equivalent to one congruence modulo lcm(m,
    n). Merge the congruences one after another. With pairwise coprime moduli this is the Chinese remainder
    theorem, for which an explicit formula exists. The first solution that is not before S is found by
    adding whole periods, computed by a division.
    """,
    attempts=(
        Attempt(
            plan="""
            1. Compute the product P of all p_i.
            2. By the Chinese remainder theorem t = sum of r_i * (P / p_i) * inverse(P / p_i mod p_i),
               modulo P.
            3. If t < S add P as often as needed.
            4. Print t.
            """,
            confidence=91,
            explanation="""
            The theorem gives the unique solution modulo P, and the division finds the first one from S on.
            """,
            code=r"""
            k, s = map(int, input().split())
            gears = [tuple(map(int, input().split())) for _ in range(k)]
            product = 1
            for p, r in gears:
                product *= p
            t = 0
            for p, r in gears:
                other = product // p
                t += r * other * pow(other, -1, p)
            t %= product
            if t < s:
                t += (s - t + product - 1) // product * product
            print(t)
            """,
            repairs=(
                Repair(
                    planning="""
                    pow raises ValueError "base is not invertible for the given modulus" in the first two
                    samples: the inverse does not exist when the numbers of teeth have a common divisor. In
                    this case the gears cannot meet, as in the second sample.
                    1. Catch the error and print NEVER.
                    """,
                    code=r"""
                    k, s = map(int, input().split())
                    gears = [tuple(map(int, input().split())) for _ in range(k)]
                    product = 1
                    for p, r in gears:
                        product *= p
                    t = 0
                    possible = True
                    for p, r in gears:
                        other = product // p
                        try:
                            t += r * other * pow(other, -1, p)
                        except ValueError:
                            possible = False
                    if not possible:
                        print("NEVER")
                    else:
                        t %= product
                        if t < s:
                            t += (s - t + product - 1) // product * product
                        print(t)
                    """,
                ),
                Repair(
                    planning="""
                    The first sample has a solution although 4 and 6 share the divisor 2. Divide the numbers
                    of teeth by their common divisor first, so that the inverse exists.
                    1. g = gcd of all p_i; replace p_i by p_i / g and r_i by r_i % (p_i / g).
                    2. Use the formula; when an inverse still does not exist print NEVER.
                    """,
                    code=r"""
                    from functools import reduce
                    from math import gcd

                    k, s = map(int, input().split())
                    gears = [tuple(map(int, input().split())) for _ in range(k)]
                    g = reduce(gcd, [p for p, r in gears])
                    gears = [(p // g, r % (p // g)) for p, r in gears]
                    product = 1
                    for p, r in gears:
                        product *= p
                    t = 0
                    possible = True
                    for p, r in gears:
                        other = product // p
                        try:
                            t += r * other * pow(other, -1, p)
                        except ValueError:
                            possible = False
                    if not possible:
                        print("NEVER")
                    else:
                        t %= product
                        if t < s:
                            t += (s - t + product - 1) // product * product
                        print(t)
                    """,
                ),
            ),
        ),
        Attempt(
            plan="""
            1. Keep a time t and a period m, at first 0 and 1, such that all gears so far are up exactly at
               t, t + m, t + 2m, ...
            2. For a gear (p, r) let g = gcd(m, p). If g does not divide r - t, print NEVER.
            3. Otherwise t += m * k with k = (r - t) / g * inverse(m / g modulo p / g) modulo p / g, and m
               becomes lcm(m, p).
            4. At the end add whole periods until t >= S, with one division.
            """,
            confidence=88,
            explanation="""
            m / g and p / g are coprime, so the inverse exists. Merging works for any numbers of teeth.
            """,
            code=r"""
            from math import gcd


            def main():
                k, s = map(int, input().split())
                t, m = 0, 1
                possible = True
                for _ in range(k):
                    p, r = map(int, input().split())
                    g = gcd(m, p)
                    if (r - t) % g != 0:
                        possible = False
                        break
                    q = p // g
                    steps = (r - t) // g * pow(m // g, -1, q) % q if q > 1 else 0
                    t += m * steps
                    m *= q
                    t %= m
                if not possible:
                    print("NEVER")
                    return
                if t < s:
                    t += (s - t + m - 1) // m * m
                print(t)


            main()
            """,
        ),
        Attempt(
            plan="""
            1. Start at the first second from S on at which the gear with the most teeth is up.
            2. Go on by its number of teeth until all gears are up.
            3. Stop after one common period and print NEVER.
            """,
            confidence=44,
            explanation="""
            The common period is up to 10^18 and the steps at most 10^9 long, so there can be a billion
            steps.
            """,
            code=r"""
            from math import lcm

            k, s = map(int, input().split())
            gears = sorted((tuple(map(int, input().split())) for _ in range(k)), reverse=True)
            period = lcm(*(p for p, r in gears))
            p, r = gears[0]
            t = s + (r - s) % p
            last = t + period
            while t < last:
                if all(t % p == r for p, r in gears):
                    print(t)
                    break
                t += p
            else:
                print("NEVER")
            """,
        ),
    ),
)
