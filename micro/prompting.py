"""The prompts of the five calls, made by the agents themselves from the `micro` template set."""

from __future__ import annotations

from micro.problem import MicroProblem
from solver.agents import coding as coding_agent
from solver.agents import debugging as debugging_agent
from solver.agents import planning as planning_agent
from solver.agents import retrieval as retrieval_agent
from solver.agents.brief import Brief
from solver.agents.languages import language
from solver.agents.test_report import test_report
from solver.strategies.protocol import CaseResult, TestRun
from trajectories.problem_schema import ProblemSpec, Sample, StdioTest, TestKind

TEMPLATES = "micro"
EXEMPLARS = 1


class Prompter:
    """Writes the prompts of one problem as the pipeline does with k = 1."""

    def __init__(self, problem: MicroProblem) -> None:
        sample = problem.sample
        spec = ProblemSpec(
            id="micro",
            source="micro",
            title="micro",
            statement=problem.statement.text,
            samples=(Sample(input=sample.input, output=sample.output),),
            tests=(StdioTest(input=sample.input, outputs=(sample.output,)),),
            test_kind=TestKind.STDIO,
        )
        self._brief = Brief(spec, language("python"), TEMPLATES, EXEMPLARS)
        self._sample = sample

    def retrieval(self) -> str:
        return retrieval_agent.prompt(self._brief).text

    def planning(self, algorithm: str, description: str, example_plan: str) -> str:
        exemplar = retrieval_agent.Exemplar(description, example_plan)
        return planning_agent.plan_prompt(self._brief, algorithm, exemplar).text

    def confidence(self, plan: str) -> str:
        return planning_agent.confidence_prompt(self._brief, plan).text

    def coding(self, plan: str) -> str:
        return coding_agent.prompt(self._brief, "", plan).text

    def debugging(self, plan: str, code: str, verdict: str, got: str, reason: str = "") -> str:
        """The first round of repair after `code` failed the sample."""
        case = CaseResult(self._sample.input, self._sample.output, got, verdict, reason)
        report = test_report(TestRun(step=0, verdict=verdict, passed=0, total=1, cases=(case,)))
        response = debugging_agent.first_response(self._brief, plan, code)
        return debugging_agent.prompt(self._brief, "", plan, response, report).text
