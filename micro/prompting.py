"""The prompts of the five calls, made by the agents themselves from the `micro` template set."""

from __future__ import annotations

from micro.problem import MicroProblem
from solver.agents import coding as coding_agent
from solver.agents import debugging as debugging_agent
from solver.agents import planning as planning_agent
from solver.agents import retrieval as retrieval_agent
from solver.agents.brief import Brief
from solver.agents.languages import language
from solver.agents.sample_report import sample_report
from solver.strategies.protocol import CaseResult, TestRun
from trajectories.problem_schema import ProblemSpec, Sample, StdioTest, TestKind

TEMPLATES = "micro"
EXEMPLARS = 1


def spec_of(problem: MicroProblem) -> ProblemSpec:
    """The problem as the agents get it; hidden tests stay out."""
    sample = problem.sample
    return ProblemSpec(
        id="micro",
        source="micro",
        title="micro",
        statement=problem.statement.text,
        samples=(Sample(input=sample.input, output=sample.output),),
        tests=(StdioTest(input=sample.input, outputs=(sample.output,)),),
        test_kind=TestKind.STDIO,
    )


class Prompter:
    """Writes the prompts of one problem as the pipeline does with k = 1."""

    def __init__(self, problem: MicroProblem) -> None:
        self._brief = Brief(spec_of(problem), language("python"), TEMPLATES, EXEMPLARS)
        self._sample = problem.sample

    def retrieval(self) -> str:
        return retrieval_agent.prompt(self._brief).text

    def planning(self, algorithm: str, description: str, example_plan: str) -> str:
        exemplar = retrieval_agent.Exemplar(description, example_plan)
        return planning_agent.plan_prompt(self._brief, algorithm, exemplar).text

    def confidence(self, plan: str) -> str:
        return planning_agent.confidence_prompt(self._brief, plan).text

    def coding(self, plan: str) -> str:
        return coding_agent.prompt(self._brief, "", plan).text

    def debugging(
        self, plan: str, code: str, verdict: str, got: str, reason: str = "", compiler_output: str = ""
    ) -> str:
        """The first round of repair after `code` failed the sample."""
        case = CaseResult(self._sample.input, self._sample.output, got, verdict, reason)
        run = TestRun(0, verdict, passed=0, total=1, cases=(case,), compiler_output=compiler_output)
        report = sample_report(run)
        response = debugging_agent.first_response(self._brief, plan, code)
        return debugging_agent.prompt(self._brief, "", plan, response, report).text
