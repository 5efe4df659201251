"""A failed run as its supervisor reads it, and which step a blamed agent is to do again."""

from __future__ import annotations

from collections.abc import Sequence

from solver import judging
from solver.agents.sample_report import sample_report
from solver.agents.supervisor import ShownStep
from solver.judge import Report
from solver.strategies.protocol import TestRun
from trajectories import eventlog, events
from trajectories.agents import AGENTS
from trajectories.models import Run
from trajectories.problem_schema import ProblemSpec
from trajectories.verdicts import WORD

SHOWN_ROLES = (*AGENTS, "confidence", "judge")


def shown(run: Run, problem: ProblemSpec) -> list[ShownStep]:
    """Every finished step of an agent or the judge. Hidden tests appear as counts alone."""
    roles: dict[int, events.StepStarted] = {}
    told: list[ShownStep] = []
    for row in eventlog.read_all(run.pk):
        match event := events.parse(row.kind, row.payload):
            case events.StepStarted():
                roles[event.step] = event
            case events.StepFinished() if roles[event.step].role in SHOWN_ROLES:
                started = roles[event.step]
                title = event.gist or started.gist or f"attempt {started.attempt}"
                if event.parse.failure:
                    title += f" (format failure: {event.parse.failure})"
                told.append(ShownStep(event.step, started.role, title, event.text))
            case events.TestsFinished():
                told.append(_judged(event, problem))
            case _:
                pass
    return told


def _judged(event: events.TestsFinished, problem: ProblemSpec) -> ShownStep:
    word = WORD.get(event.verdict, event.verdict)
    title = f"{event.suite}, {word}, {event.passed} of {event.total} passed"
    if event.suite == "hidden":
        return ShownStep(event.step, "judge", title, title)
    report = Report.from_dict(event.report)
    cases = judging.cases(problem, report)
    run = TestRun(event.step, event.verdict, event.passed, event.total, cases, report.compiler_output)
    return ShownStep(event.step, "judge", title, sample_report(run))


class Path:
    """The steps that led to the submitted program: one recall, the chosen plan, its program, its last repair."""

    def __init__(self, run: Run) -> None:
        self.started: dict[int, events.StepStarted] = {}
        self.attempt, self.exemplar = 0, 1
        chosen: dict[int, int] = {}
        for row in eventlog.read_all(run.pk):
            match event := events.parse(row.kind, row.payload):
                case events.StepStarted():
                    self.started[event.step] = event
                case events.Note() if event.name == "plan_chosen":
                    chosen[int(event.detail.get("attempt", 0))] = int(event.detail.get("exemplar", 1))
                case events.RunFinished():
                    self.attempt = event.attempt or 0
                case _:
                    pass
        self.attempt = self.attempt or max(chosen, default=0)
        self.exemplar = chosen.get(self.attempt, 1)

    def step_of(self, agent: str, cited: int | None = None) -> int | None:
        """The step of `agent` to do again: the one cited if it is that agent's, else the one on the path."""
        own = [step for step in self._first_askings() if step.role == agent]
        if cited is not None and any(step.step == cited for step in own):
            return cited
        match agent:
            case "retrieval":
                found = own[:1]
            case "planning":
                found = [step for step in own if step.detail.get("exemplar", 1) == self.exemplar][:1]
            case "coding":
                found = [step for step in own if step.attempt == self.attempt][:1]
            case _:
                found = [step for step in own if step.attempt == self.attempt][-1:]
        return found[0].step if found else (own[-1].step if own else None)

    def _first_askings(self) -> Sequence[events.StepStarted]:
        """Not the retries of a call whose answer could not be read: redoing the call redoes them."""
        return [step for step in self.started.values() if "retry_of" not in step.detail]

    @property
    def agents(self) -> list[str]:
        """Agents that answered at all, in the order of the pipeline."""
        roles = {step.role for step in self.started.values()}
        return [agent for agent in AGENTS if agent in roles]
