"""The table of the reproduction: every arm over one or more seeds, with intervals and paired tests, and what it bears out.

Several seeds answer the same problems. As in the lab's campaigns, scores are averaged over the seeds of a problem first,
so that n is the number of problems and Wilson's interval is never too narrow; tests are of each seed apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from micro.evaluation import paired, percentages
from solver.benchmarks.bootstrap import paired_difference
from solver.benchmarks.interval import wilson
from trajectories.agents import AGENTS

Arm = Mapping[str, Any]
BASE, FOUR, SHARED, UNSUPERVISED = "base", "all four", "one shared adapter", "all four, no supervisor"
CONSTRAINED = "base, constrained decoding"
ABLATION = (BASE, "+ retrieval", "R+D", "R+D+P", FOUR)
ORDER = (
    BASE,
    "+ retrieval",
    "+ planning",
    "+ coding",
    "+ debugging",
    "R+D",
    "R+D+P",
    FOUR,
    SHARED,
    UNSUPERVISED,
    CONSTRAINED,
)
MEASURES = (
    "pass_at_1",
    "strict_pass_at_1",
    "any_format_failure",
    *(f"{agent}_failure" for agent in AGENTS),
    "tags_right",
    "plan_right",
    "code_right_given_plan",
)
COLUMNS = (
    "adapters",
    "pass@1, 95 %",
    "strict pass@1, 95 %",
    "any format failure",
    "failures R / P / C / D",
    "tags right",
    "plan right",
    "code right given a right plan",
    "pass@1 against base: won / lost, p",
)
SMALL_P = 0.001
CHANCE = 0.05


def rows(seeds: Sequence[Sequence[Arm]]) -> list[dict[str, Any]]:
    """`seeds` holds the arms of each seed; arms that not every seed has are left out."""
    by_name = [{str(arm["arm"]): arm for arm in arms} for arms in seeds]
    names = [name for name in ORDER if all(name in arms for arms in by_name)]
    return [_row(name, by_name) for name in names]


def _row(name: str, seeds: Sequence[Mapping[str, Arm]]) -> dict[str, Any]:
    own = [arms[name] for arms in seeds]
    passed = [arm["bits"]["pass_at_1"] for arm in own]
    before = [arms[BASE]["bits"]["pass_at_1"] for arms in seeds]
    gain = paired_difference(_means(before), _means(passed))
    return {
        "arm": name,
        "seeds": len(seeds),
        **{measure: _share(own, measure) for measure in MEASURES},
        "gain": percentages(gain.estimate),
        "against_base": [paired(*pair) for pair in zip(before, passed, strict=True)],
        "four_against_it": [
            paired(bits, arms[FOUR]["bits"]["pass_at_1"])
            for bits, arms in zip(passed, seeds, strict=True)
            if FOUR in arms
        ],
    }


def _share(seeds: Sequence[Arm], measure: str) -> dict[str, float | int]:
    """From the bits of each seed. An arm of an earlier recording may have bits of passing alone; what it recorded of
    everything else can then be shown, but not averaged with other seeds."""
    if all(measure in arm["bits"] for arm in seeds):
        means = _means([arm["bits"][measure] for arm in seeds])
        return {"n": len(means), **percentages(wilson(means))}
    (arm,) = seeds
    agent = measure.removesuffix("_failure")
    share = arm["format_failures"][agent] if agent in AGENTS else arm[measure]
    return {name: share[name] for name in ("n", "percent", "low", "high")}


def _means(seeds: Sequence[str]) -> list[float]:
    """One mean a problem over the seeds in which its question arose; problems where it never did are left out."""
    found = []
    for column in zip(*seeds, strict=True):
        asked = [bit == "1" for bit in column if bit != "-"]
        if asked:
            found.append(sum(asked) / len(asked))
    return found


def cells(row: Mapping[str, Any]) -> list[str]:
    """A row in the order of `COLUMNS`; tests of several seeds stand side by side."""
    failures = " / ".join(str(row[f"{agent}_failure"]["percent"]) for agent in AGENTS)
    tests = "; ".join(f"{test['won']} / {test['lost']}, {test['p']:.1e}" for test in row["against_base"])
    return [
        str(row["arm"]),
        interval(row["pass_at_1"]),
        interval(row["strict_pass_at_1"]),
        str(row["any_format_failure"]["percent"]),
        failures,
        *(str(row[name]["percent"]) for name in ("tags_right", "plan_right", "code_right_given_plan")),
        "" if row["arm"] == BASE else tests,
    ]


def interval(share: Mapping[str, Any]) -> str:
    return f"{share['percent']} ({share['low']} to {share['high']})"


def markdown(found: Sequence[Mapping[str, Any]]) -> str:
    lines = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    return "\n".join(lines + [f"| {' | '.join(cells(row))} |" for row in found])


def findings(found: Sequence[Mapping[str, Any]]) -> list[tuple[str, bool]]:
    """What the method promises, and whether this table bears it out: a sentence with the numbers, and yes or no."""
    by_name = {str(row["arm"]): row for row in found}
    base, four = by_name[BASE], by_name[FOUR]
    before, after = base["pass_at_1"], four["pass_at_1"]
    ratio = after["percent"] / before["percent"] if before["percent"] else float("inf")
    worst = max(test["p"] for test in four["against_base"])
    broken = base["any_format_failure"]["percent"], four["any_format_failure"]["percent"]
    said = [
        (
            f"All four adapters at least double pass@1: {before['percent']} to {after['percent']} %, {ratio:.2f} times",
            ratio >= 2,
        ),
        (
            f"the intervals are apart: {interval(before)} and {interval(after)}",
            bool(after["low"] > before["high"]),
        ),
        (f"the paired test says so in every seed: p at most {worst:.1e}", worst < SMALL_P),
        (f"problems with a format failure fall from {broken[0]} % to none: {broken[1]} %", broken[1] == 0.0),
    ]
    return said + [(sentence, holds) for _, sentence, holds in rivals(found)]


def rivals(found: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, bool]]:
    """What all four adapters have to be better than, by this table: arm, sentence, yes or no."""
    by_name = {str(row["arm"]): row for row in found}
    named = (*ABLATION[:-1], SHARED, UNSUPERVISED, CONSTRAINED)
    after = by_name[FOUR]["pass_at_1"]
    return [(name, *_beats(name, by_name[name], after)) for name in named if name in by_name]


def _beats(name: str, row: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, bool]:
    """Against the shared adapter being as good is enough; against everything else all four must be better."""
    other = row["pass_at_1"]["percent"]
    p = "; ".join(f"{test['p']:.2g}" for test in row["four_against_it"])
    enough = after["percent"] >= other if name == SHARED else after["percent"] > other
    word = "at least as good as" if name == SHARED else "better than"
    doubt = any(test["p"] >= CHANCE for test in row["four_against_it"]) and name != SHARED
    beyond = ", which may be chance" if doubt and enough else ""
    return f"all four are {word} {name!r}: {after['percent']} and {other} %, p {p}{beyond}", bool(enough)


def not_measured(found: Sequence[Mapping[str, Any]]) -> list[str]:
    measured = {row["arm"] for row in found}
    return [name for name in ORDER if name not in measured]
