"""Every strategy by name: what it does, what it can be told, how many calls it may make, which templates it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from solver.agents.prompts import has_template
from solver.strategies import (
    analogical,
    best_of_n,
    codesim,
    cot,
    direct,
    mapcoder,
    reflexion,
    self_planning,
    takeover,
)
from solver.strategies.parameters import BadParameter, Choice, Count, Parameter, Subset
from solver.strategies.profiles import PROFILES, Defect, defects_of
from solver.strategies.protocol import Outcome, Params, Strategy, Workbench
from trajectories.problem_schema import ProblemSpec

__all__ = ["STRATEGIES", "TAKEOVER", "BadParameter", "StrategyInfo", "of_run"]

RETRIES = Count(
    "retries",
    "Retries",
    "Further tries of one call whose answer cannot be used, with the error shown.",
    1,
    0,
    5,
)
MAX_CALLS = Count(
    "max_calls",
    "Call limit",
    "Model calls after which the run ends; empty: the strategy's own bound.",
    None,
    1,
    10_000,
)
PROFILE = Choice(
    "profile",
    "Profile",
    "lab mends what the published control flow loses; upstream reproduces it call by call.",
    "lab",
    tuple(PROFILES),
)
DEFECTS = Subset(
    "defects",
    "Published defects",
    "Exactly these published defects instead of the profile's.",
    {defect.value: defect.summary for defect in Defect},
)
SPECULATIVE = Choice(
    "speculative",
    "Ask ahead",
    "plans: all plans and confidences at once; programs: also every plan's first program (at temperature 0). The same "
    "result sooner; programs may pay for answers that nobody needs.",
    "off",
    ("off", "plans", "programs"),
)
_OWN_FIELDS = {f.name for f in fields(Params)} - {"extra"}


@dataclass(frozen=True)
class StrategyInfo:
    """`templates` are the prompt templates it renders; a set without one of them cannot serve it."""

    name: str
    title: str
    summary: str
    strategy: Strategy
    bound: Callable[[Params], int]
    templates: tuple[str, ...]
    parameters: tuple[Parameter, ...] = field(default=())

    def check(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All parameters with their values, defaults filled in, as plain JSON. Raises BadParameter.

        Values may be what a form or a command line sends: text is read as the parameter's kind.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in given:
            if name not in known:
                raise BadParameter(
                    name, f"{self.title} has no parameter {name!r}; it has: {', '.join(known)}."
                )
        checked = {name: parameter.read(given.get(name)) for name, parameter in known.items()}
        return {name: value for name, value in checked.items() if value is not None}

    def params(self, checked: Mapping[str, Any]) -> Params:
        """`Params` from what `check` gave, perhaps with `language` and `templates` added."""
        own = {name: value for name, value in checked.items() if name in _OWN_FIELDS}
        return Params(
            **own, extra={name: value for name, value in checked.items() if name not in _OWN_FIELDS}
        )

    def call_bound(self, params: Params) -> int:
        """The most model calls of a run, retries included where the profile retries."""
        retries = 0 if Defect.NO_RETRY in defects_of(params) else params.retries
        return self.bound(params) * (1 + retries)

    def missing_templates(self, template_set: str) -> list[str]:
        return [name for name in self.templates if not has_template(template_set, name)]

    def run(self, problem: ProblemSpec, bench: Workbench, params: Params) -> Outcome:
        return self.strategy(problem, bench, params)


def _k(label: str, default: int, most: int = 9) -> Count:
    return Count("k", label, f"{label}; the run's cost grows with it.", default, 1, most)


def _t(label: str, default: int) -> Count:
    return Count("t", label, f"{label}; 0 for none.", default, 0, 20)


_ALL = (
    StrategyInfo(
        "mapcoder",
        "MapCoder",
        "Recall k similar problems, plan after each, code the plans by confidence, repair each up to t times.",
        mapcoder.mapcoder,
        mapcoder.call_bound,
        ("retrieval", "planning", "confidence", "coding", "debugging"),
        (
            _k("Exemplars and plans", 3),
            _t("Repairs of each plan", 5),
            SPECULATIVE,
            PROFILE,
            RETRIES,
            DEFECTS,
            MAX_CALLS,
        ),
    ),
    StrategyInfo(
        "direct",
        "Direct",
        "Ask for the program in one call.",
        direct.direct,
        direct.call_bound,
        ("direct",),
        (RETRIES, MAX_CALLS),
    ),
    StrategyInfo(
        "cot",
        "Chain of thought",
        "Reason in steps before the program, in one call.",
        cot.cot,
        cot.call_bound,
        ("cot",),
        (RETRIES, MAX_CALLS),
    ),
    StrategyInfo(
        "self_planning",
        "Self-planning",
        "Write a plan after worked examples of plans, then the program from it.",
        self_planning.self_planning,
        self_planning.call_bound,
        ("self_planning", "coding"),
        (RETRIES, MAX_CALLS),
    ),
    StrategyInfo(
        "analogical",
        "Analogical prompting",
        "Recall k problems with solutions and solve, all in one answer.",
        analogical.analogical,
        analogical.call_bound,
        ("analogical",),
        (_k("Recalled problems", 3), RETRIES, MAX_CALLS),
    ),
    StrategyInfo(
        "reflexion",
        "Reflexion",
        "Write, test, reflect in words on what failed, write again; up to t times.",
        reflexion.reflexion,
        reflexion.call_bound,
        ("direct", "reflexion_reflection", "reflexion_coding"),
        (_t("Further programs", 5), RETRIES, MAX_CALLS),
    ),
    StrategyInfo(
        "codesim",
        "CodeSIM-like",
        "Plan, simulate the plan on the samples, mend it, code, debug by simulation; up to k plans.",
        codesim.codesim,
        codesim.call_bound,
        ("codesim_planning", "codesim_simulation", "codesim_refinement", "coding", "codesim_debugging"),
        (_k("Plans", 5), _t("Repairs of each plan", 5), RETRIES, MAX_CALLS),
    ),
    StrategyInfo(
        "best_of_n",
        "Best of n",
        "Sample n programs; submit the first that passes the samples, else the best. Needs a temperature above 0.",
        best_of_n.best_of_n,
        best_of_n.call_bound,
        ("direct",),
        (Count("n", "Programs", "Programs sampled.", best_of_n.DEFAULT_N, 1, 100), RETRIES, MAX_CALLS),
    ),
)
STRATEGIES: dict[str, StrategyInfo] = {info.name: info for info in _ALL}
TAKEOVER = StrategyInfo(
    takeover.NAME,
    "Takeover",
    "Go on from a changed step of an imported run, as MapCoder would.",
    takeover.takeover,
    takeover.call_bound,
    ("planning", "coding", "debugging"),
    (_t("Repairs", 2), RETRIES),
)


def of_run(name: str) -> StrategyInfo:
    """The strategy of a run, the one included that nobody can choose. Raises KeyError."""
    return TAKEOVER if name == takeover.NAME else STRATEGIES[name]
