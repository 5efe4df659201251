from starter.walkthrough import Attempt, Ending, Exemplar, Walkthrough

TITLE = "The Coin Drawer"
DIFFICULTY = "easy"
TAGS = ["greedy", "math"]
KIND = "stdio"
TIME_LIMIT_S = 1.0
MEMORY_LIMIT_MB = 128.0

STATEMENT = """
In the island kingdom every coin is worth a whole multiple of the next smaller one. A ticket seller has to
pay out an amount of exactly A from her drawer, in which she finds c_i coins worth d_i each. She wants to
hand over as few coins as possible.

How many coins of each kind does she take? Or is the drawer unable to give the amount?
"""
INPUT_SPEC = """
The first line holds K and A (1 <= K <= 20, 0 <= A <= 10^15). Each of the next K lines holds d_i and c_i (1
<= d_i <= 10^12, 0 <= c_i <= 10^12). All d_i differ, and when they are sorted each divides the next. The
lines are in no particular order, and there need not be a coin worth 1.
"""
OUTPUT_SPEC = """
Print K numbers, how many coins of each kind are taken, in the order of the input. Print SHORT if the amount
cannot be paid.
"""
NOTES = "In the second example two fives are too much, and 5 + 1 + 1 + 1 is one less than the amount."

SAMPLES = ["4 87\n10 3\n1 4\n50 1\n5 2\n", "2 9\n5 2\n1 3\n", "3 60\n100 5\n20 2\n10 9\n"]


def generate(rng):
    tests = [
        "1 0\n7 0\n",
        "1 7\n7 1\n",
        "1 8\n7 5\n",
        "1 14\n7 1\n",
        "2 1000000000000000\n1 1000000000000\n1000 1000000000000\n",
        "2 1000000000000000\n1000000000000 999\n1 1000000000000\n",
        "2 999999999999\n1 1000000000000\n1000000000000 5\n",
        "3 30\n20 1\n10 0\n5 2\n",
        "3 30\n20 1\n10 0\n5 1\n",
        "4 6\n2 2\n4 1\n8 9\n1 1\n",
        "20 1048575\n" + "".join(f"{2**i} 1\n" for i in range(20)),
        "20 1048576\n" + "".join(f"{2**i} 1\n" for i in range(20)),
        "3 8\n6 1\n2 1\n1 9\n",
    ]
    return tests + [_random(rng, kinds, most) for kinds in (2, 3, 4, 6, 8, 12) for most in (2, 6, 10**4)]


def _random(rng, kinds, most):
    worth = [rng.choice([1, 1, 2, 3])]
    while len(worth) < kinds:
        worth.append(worth[-1] * rng.choice([2, 2, 3, 5, 10]))
    coins = [(d, rng.randint(0, most)) for d in worth if d <= 10**12]
    amount = sum(d * rng.randint(0, c) for d, c in coins) + rng.choice([0, 0, 0, 0, 1])
    rng.shuffle(coins)
    return f"{len(coins)} {min(amount, 10**15)}\n" + "".join(f"{d} {c}\n" for d, c in coins)


REFERENCE = r"""
kinds, amount = map(int, input().split())
coins = [tuple(map(int, input().split())) for _ in range(kinds)]
taken = [0] * kinds
for i in sorted(range(kinds), key=lambda i: -coins[i][0]):
    worth, have = coins[i]
    taken[i] = min(have, amount // worth)
    amount -= taken[i] * worth
print("SHORT" if amount else " ".join(map(str, taken)))
"""

WRONG = {
    "takes the coins in the order of the drawer": r"""
kinds, amount = map(int, input().split())
taken = []
for _ in range(kinds):
    worth, have = map(int, input().split())
    taken.append(min(have, amount // worth))
    amount -= taken[-1] * worth
print("SHORT" if amount else " ".join(map(str, taken)))
""",
    "believes that there are always enough coins": r"""
kinds, amount = map(int, input().split())
coins = [tuple(map(int, input().split())) for _ in range(kinds)]
taken = [0] * kinds
for i in sorted(range(kinds), key=lambda i: -coins[i][0]):
    taken[i], amount = divmod(amount, coins[i][0])
print("SHORT" if amount else " ".join(map(str, taken)))
""",
    "hands over one coin at a time": r"""
kinds, amount = map(int, input().split())
coins = [tuple(map(int, input().split())) for _ in range(kinds)]
taken = [0] * kinds
for i in sorted(range(kinds), key=lambda i: -coins[i][0]):
    worth, have = coins[i]
    while have > 0 and amount >= worth:
        have -= 1
        amount -= worth
        taken[i] += 1
print("SHORT" if amount else " ".join(map(str, taken)))
""",
}

WALKTHROUGH = Walkthrough(
    ending=Ending.FIRST_TRY,
    exemplars=(
        Exemplar(
            description="""
            Pay an amount with as few coins as possible when coins are worth 1, 5, 10, 50 and 100 and there
            are as many as you like.
            """,
            code=r"""
            amount = int(input())
            count = 0
            for worth in (100, 50, 10, 5, 1):
                count += amount // worth
                amount %= worth
            print(count)
            """,
            planning="""
            1. Each coin divides the next larger one, so a large coin always replaces several small ones.
            2. Take as many of the largest coin as fit, go on with the rest.
            """,
        ),
        Exemplar(
            description="""
            Crates of 1, 2, 4, 8, ... kilos are in stock, a limited number of each. Decide whether a load of
            exactly W kilos can be put together.
            """,
            code=r"""
            n, load = map(int, input().split())
            stock = list(map(int, input().split()))
            for i in range(n - 1, -1, -1):
                load -= min(stock[i], load >> i) << i
            print("YES" if load == 0 else "NO")
            """,
            planning="""
            1. Go from the heaviest crates to the lightest.
            2. Take min(stock, load // weight) of each.
            3. The load is possible when nothing remains.
            """,
        ),
        Exemplar(
            description="""
            Pay an amount from a drawer with a limited number of arbitrary coins, using as few coins as
            possible. Amounts are at most 10^4.
            """,
            code=r"""
            n, amount = map(int, input().split())
            best = [0] + [10**9] * amount
            for _ in range(n):
                worth, have = map(int, input().split())
                for _ in range(have):
                    for a in range(amount, worth - 1, -1):
                        best[a] = min(best[a], best[a - worth] + 1)
            print(best[amount] if best[amount] < 10**9 else -1)
            """,
            planning="""
            1. best[a] is the least number of coins that gives a.
            2. Add the coins one by one as in a 0/1 knapsack.
            """,
        ),
    ),
    algorithm="""
    Greedy with an exchange argument. When every denomination divides the next larger one, small coins that
    together are worth at least one large coin contain a group worth exactly one large coin. Swapping the
    group for the large coin saves coins, so taking as many large coins as possible, from the largest down,
    is both best and never leads into a dead end. One division a kind is enough.
    """,
    attempts=(
        Attempt(
            plan="""
            1. Read the kinds and remember the input position of each.
            2. Sort the positions by worth, largest first.
            3. For each kind take min(c, A // d) coins and subtract their worth from A.
            4. If A is 0 at the end print the counts in input order, otherwise SHORT.
            """,
            confidence=94,
            explanation="""
            The chain of divisors makes the greedy choice safe even with limited coins; divisions avoid long
            loops.
            """,
            code=r"""
            k, a = map(int, input().split())
            kinds = []
            for position in range(k):
                d, c = map(int, input().split())
                kinds.append((d, c, position))
            kinds.sort(reverse=True)
            taken = [0] * k
            for d, c, position in kinds:
                use = min(c, a // d)
                taken[position] = use
                a -= use * d
            if a == 0:
                print(*taken)
            else:
                print("SHORT")
            """,
        ),
        Attempt(
            plan="""
            1. Sort the coins from the most to the least valuable one.
            2. For each kind compute how many still fit, limited by the drawer.
            3. Recurse on the rest; when a branch ends with a rest, take one coin less and try again.
            4. Print the first solution found or SHORT.
            """,
            confidence=80,
            explanation="""
            Backtracking is not needed because of the divisor chain, but it does no harm when the first
            branch decides.
            """,
            code=r"""
            k, a = map(int, input().split())
            coins = [tuple(map(int, input().split())) for _ in range(k)]
            order = sorted(range(k), key=lambda i: coins[i][0], reverse=True)
            taken = [0] * k
            rest = a
            for i in order:
                d, c = coins[i]
                taken[i] = min(c, rest // d)
                rest -= taken[i] * d
            print("SHORT" if rest else " ".join(map(str, taken)))
            """,
        ),
        Attempt(
            plan="""
            1. Let best[a] be the least number of coins for amount a and fill it coin by coin.
            2. Remember the last coin used to read the counts back.
            """,
            confidence=20,
            explanation="The amount goes up to 10^15, so a table over amounts is impossible.",
            code=r"""
            k, a = map(int, input().split())
            coins = [tuple(map(int, input().split())) for _ in range(k)]
            best = {0: (0,) * k}
            for i, (d, c) in enumerate(coins):
                for amount, counts in list(best.items()):
                    for use in range(1, min(c, (a - amount) // d) + 1):
                        new = counts[:i] + (use,) + counts[i + 1:]
                        total = amount + use * d
                        if total not in best or sum(new) < sum(best[total]):
                            best[total] = new
            print(*best[a]) if a in best else print("SHORT")
            """,
        ),
    ),
)
