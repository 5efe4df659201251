"""A spec held against the lab: the problems, the cells, what it may cost, and everything a reader should know first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Avg, Count

from solver import engine_book, judge_pool
from solver.campaigns import cells as cell_plans
from solver.campaigns.cells import CellPlan
from solver.campaigns.selection import Selection, select
from solver.campaigns.spec import BadCampaign, CampaignSpec
from solver.runs import JUDGE_PROFILES
from trajectories.models import Problem, Run, RunStatus
from trajectories.problem_schema import TestKind
from trajectories.spec_text import Fault

MAX_RUNS = 200_000


@dataclass(frozen=True, slots=True)
class Forecast:
    """Per run of a cell, from earlier runs with the same strategy and engine. `runs` says how many those were."""

    runs: int
    calls: float
    tokens: float
    model_seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    spec: CampaignSpec
    selection: Selection
    cells: list[CellPlan]
    warnings: list[str]

    @property
    def runs_per_cell(self) -> int:
        return len(self.selection.chosen) * len(self.spec.seeds)

    @property
    def runs(self) -> int:
        return self.runs_per_cell * len(self.cells)

    @property
    def most_calls(self) -> int:
        return sum(cell.calls for cell in self.cells) * self.runs_per_cell

    @property
    def sources(self) -> list[tuple[str, int]]:
        return sorted(Counter(chosen.problem.source for chosen in self.selection.chosen).items())


def plan(spec: CampaignSpec) -> Plan:
    """Raises BadCampaign with every mistake found."""
    cells, faults = cell_plans.build(spec)
    if spec.judge_profile not in JUDGE_PROFILES:
        have = ", ".join(JUDGE_PROFILES)
        message = f"There is no judge profile {spec.judge_profile!r}; use one of {have}."
        faults.append(Fault("judge_profile", message))
    selection, missing = select(spec.problems)
    faults += missing
    problems = [chosen.problem for chosen in selection.chosen]
    faults += _unsuited(cells, problems)
    made = Plan(spec, selection, cells, [])
    if made.runs > MAX_RUNS:
        faults.append(Fault("", f"That would be {made.runs:,} runs; at most {MAX_RUNS:,} fit one campaign."))
    if faults:
        raise BadCampaign(faults)
    made.warnings.extend(_warnings(made, problems))
    return made


def _unsuited(cells: Sequence[CellPlan], problems: Sequence[Problem]) -> list[Fault]:
    functions = sum(problem.test_kind != TestKind.STDIO for problem in problems)
    if not functions or all(cell.language == "python" for cell in cells):
        return []
    message = (
        f"{functions} of the problems are solved by a Python function and cannot be judged in another language; "
        "add `test_kind: [stdio]` to problems, or use languages: [python]."
    )
    return [Fault("languages", message)]


def _warnings(made: Plan, problems: Sequence[Problem]) -> list[str]:
    engines = {cell.model.engine.name: cell.model.engine for cell in made.cells}
    found = []
    for engine in engines.values():
        if engine.simulated:
            found.append(
                f"Engine {engine.name!r} is simulated: it replays stored answers, no model is measured."
            )
        if len(made.spec.seeds) > 1 and engine.sampling.temperature == 0:
            found.append(
                f"Engine {engine.name!r} samples at temperature 0: its {len(made.spec.seeds)} seeds repeat one answer, "
                "so pass@k cannot rise above pass@1."
            )
        concerns = Counter(text for problem in problems for text in engine_book.concerns(problem, engine))
        found += [f"{count} of {len(problems)} problems: {text}" for text, count in concerns.items()]
    if made.selection.left_out:
        count = len(made.selection.left_out)
        found.append(f"{count} problem{'s' if count > 1 else ''} left out as copies of others in the set.")
    untested = sum(problem.sample_count == 0 for problem in problems)
    if untested:
        found.append(
            f"{untested} of {len(problems)} problems have no samples: repairs have nothing to go by there."
        )
    return found


def forecast(cell: CellPlan) -> Forecast:
    like = Run.objects.filter(
        status=RunStatus.FINISHED,
        strategy=cell.strategy.info.name,
        engine_name=cell.model.engine.name,
        params=cell.params,
    ).aggregate(
        runs=Count("pk"),
        calls=Avg("calls"),
        prompt=Avg("prompt_tokens"),
        completion=Avg("completion_tokens"),
        seconds=Avg("model_seconds"),
    )
    tokens = (like["prompt"] or 0.0) + (like["completion"] or 0.0)
    return Forecast(like["runs"], like["calls"] or 0.0, tokens, like["seconds"] or 0.0)


def warm_up() -> None:
    """Find the judge's languages before a transaction is opened: the first look runs compilers."""
    judge_pool.languages()
