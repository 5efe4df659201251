"""What a supervision has come to: its cases counted, its yield by agent, and what it cost. No list opens an event."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from django.db.models import Count, Sum

from training.models import Example
from training.supervision.calibration import Calibration, calibration
from training.supervision.models import CaseState, Supervision, SupervisionCase
from trajectories.agents import AGENTS
from trajectories.models import Run, Step
from trajectories.wilson import Share, share


@dataclass(slots=True)
class AgentYield:
    """`blamed` counts cases whose votes put the agent first; `tried` revisions of it, `passed` those that passed."""

    agent: str
    blamed: int = 0
    tried: int = 0
    passed: int = 0
    examples: int = 0

    @property
    def rate(self) -> Share:
        return share(self.passed, self.tried)


@dataclass(slots=True)
class Report:
    counts: dict[str, int]
    agents: list[AgentYield]
    votes: int = 0
    unusable: int = 0
    leaking: int = 0
    citations: int = 0
    unknown: int = 0
    supervisor_tokens: int = 0
    revision_tokens: int = 0
    revision_calls: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    calibration: Calibration | None = None

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def settled(self) -> int:
        return sum(self.counts.get(state, 0) for state in ("corrected", "unresolved", "failed"))

    @property
    def corrected(self) -> Share:
        decided = self.counts.get(CaseState.CORRECTED, 0) + self.counts.get(CaseState.UNRESOLVED, 0)
        return share(self.counts.get(CaseState.CORRECTED, 0), decided)

    @property
    def kept(self) -> int:
        return sum(agent.examples for agent in self.agents)


def build(job: Supervision) -> Report:
    cases = list(
        SupervisionCase.objects.filter(supervision=job).only("state", "votes", "ranking", "tried", "run_id")
    )
    agents = {name: AgentYield(name) for name in AGENTS}
    found = Report(dict(Counter(case.state for case in cases)), list(agents.values()))
    for case in cases:
        if case.ranking:
            agents[case.ranking[0]].blamed += 1
        for vote in case.votes:
            found.votes += 1
            found.unusable += not vote["agent"]
            found.leaking += bool(vote["faults"])
            found.citations += vote["citations"]
            found.unknown += vote["unknown"]
        for tried in case.tried:
            if tried["branch"] is None:
                found.skipped[tried["why"]] += 1
                continue
            if not tried.get("measured", True):
                found.skipped[tried["why"] or "not judged"] += 1
                continue
            agents[tried["agent"]].tried += 1
            agents[tried["agent"]].passed += tried["verdict"] == "AC"
    _count_examples(cases, agents)
    _count_tokens(cases, found)
    found.calibration = calibration(cases)
    return found


def _branches(cases: list[SupervisionCase]) -> list[int]:
    started = [tried["branch"] for case in cases for tried in case.tried if tried["branch"] is not None]
    return started + [case.branch_id for case in cases if case.branch_id is not None]


def _count_examples(cases: list[SupervisionCase], agents: dict[str, AgentYield]) -> None:
    rows = Example.objects.filter(run__in=set(_branches(cases)), way="supervisor")
    for row in rows.values("role").annotate(n=Count("pk")).order_by():
        agents[row["role"]].examples = row["n"]


def _count_tokens(cases: list[SupervisionCase], found: Report) -> None:
    mine = {(case.run_id, vote["step"]) for case in cases for vote in case.votes}
    steps = Step.objects.filter(run__in=[case.run_id for case in cases], role="supervisor")
    for run, number, asked, answered in steps.values_list(
        "run", "number", "prompt_tokens", "completion_tokens"
    ):
        if (run, number) in mine:
            found.supervisor_tokens += asked + answered
    sums = Run.objects.filter(pk__in=set(_branches(cases))).aggregate(
        calls=Sum("calls"), asked=Sum("prompt_tokens"), answered=Sum("completion_tokens")
    )
    found.revision_calls = sums["calls"] or 0
    found.revision_tokens = (sums["asked"] or 0) + (sums["answered"] or 0)
