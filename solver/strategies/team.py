"""The four agents at one workbench: which parser reads them, what happens when an answer cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from solver.agents import coding, debugging, planning, retrieval
from solver.agents.answer_forms import FencedProgram
from solver.agents.brief import Brief
from solver.agents.formats import Parsed
from solver.agents.languages import language
from solver.agents.planning import Confidence
from solver.agents.prompts import Prompt
from solver.agents.retrieval import Exemplar, Retrieval
from solver.agents.retry import again, worth_another_try
from solver.agents.sample_report import sample_report
from solver.engines.protocol import Role
from solver.strategies.candidates import AgentFailed
from solver.strategies.profiles import Defect, defects_of
from solver.strategies.protocol import Answer, AsksAhead, Params, TestRun, Workbench
from trajectories.problem_schema import ProblemSpec

T = TypeVar("T")

NONE = "(none)"


@dataclass(frozen=True, slots=True)
class Team:
    """Questions to the agents of one run. Methods give the parsed value, or None when it cannot be used."""

    bench: Workbench
    brief: Brief
    defects: frozenset[Defect]
    retries: int

    @classmethod
    def of(cls, problem: ProblemSpec, bench: Workbench, params: Params) -> Team:
        defects = defects_of(params)
        brief = Brief(
            problem,
            language(params.language),
            params.templates,
            params.k,
            python_note=Defect.PYTHON_NOTE in defects,
        )
        return cls(bench, brief, defects, 0 if Defect.NO_RETRY in defects else params.retries)

    @property
    def strict(self) -> bool:
        return Defect.STRICT_PARSER in self.defects

    def recall(self) -> Retrieval | None:
        limit = None if Defect.K_NOT_ENFORCED in self.defects else self.brief.k
        parse = retrieval.parse_strict if self.strict else partial(retrieval.parse_tolerant, k=limit)
        found = self.ask(Role.RETRIEVAL, retrieval.prompt(self.brief), parse, attempt=0).parsed.value
        if found is None or limit is None:
            return found
        return Retrieval(found.exemplars[:limit], found.algorithm)

    def plan(self, algorithm: str, exemplar: Exemplar, number: int) -> str | None:
        parse = planning.parse_plan_strict if self.strict else planning.parse_plan_tolerant
        prompt = planning.plan_prompt(self.brief, algorithm or NONE, exemplar)
        gist = f"after exemplar {number}"
        return self.ask(Role.PLANNING, prompt, parse, attempt=0, gist=gist, exemplar=number).parsed.value

    def confidence(self, plan: str, number: int) -> Confidence | None:
        parse = planning.parse_confidence_strict if self.strict else planning.parse_confidence_tolerant
        prompt = planning.confidence_prompt(self.brief, plan)
        gist = f"plan after exemplar {number}"
        return self.ask(Role.CONFIDENCE, prompt, parse, attempt=0, gist=gist, exemplar=number).parsed.value

    def write(self, algorithm: str, plan: str, attempt: int) -> str | None:
        prompt = coding.prompt(self.brief, algorithm or NONE, plan)
        return self.ask(Role.CODING, prompt, self.program, attempt=attempt).parsed.value

    def repair(self, algorithm: str, plan: str, response: str, run: TestRun, attempt: int) -> Answer[str]:
        """The debugger's answer; its whole text is the next round's `response`."""
        prompt = debugging.prompt(self.brief, algorithm or NONE, plan, response, sample_report(run))
        return self.ask(Role.DEBUGGING, prompt, self.program, attempt=attempt)

    def program(self, text: str) -> Parsed[str]:
        """The program in a coder's or debugger's answer."""
        return coding.parse_strict(text) if self.strict else coding.parse_tolerant(text, self.brief.language)

    def form(self, *, prose: bool = False) -> FencedProgram:
        """How a program is to be answered in this run's language; `prose`: words may come before it."""
        return FencedProgram(self.brief.language.key, prose)

    def test(self, code: str, attempt: int) -> TestRun:
        return self.bench.run_samples(code, self.brief.language.key, attempt=attempt)

    def ahead(self, branches: Sequence[Callable[[Team], object]], steps: int | None) -> None:
        """Send what the branches ask, each by a team of its own, where the workbench can."""
        if isinstance(self.bench, AsksAhead):
            self.bench.ahead([partial(_at, branch, self) for branch in branches], steps)

    def ask(
        self,
        role: Role,
        prompt: Prompt,
        parse: Callable[[str], Parsed[T]],
        *,
        attempt: int,
        gist: str = "",
        **detail: Any,
    ) -> Answer[T]:
        """Ask, and ask again with the error shown while the answer is unusable and tries are left.

        Of two usable answers the complete one counts, else the first. Raises `AgentFailed` where the
        profile aborts.
        """
        answer = self.bench.ask(role, prompt, parse, attempt=attempt, gist=gist, detail=detail or None)
        for retry in range(1, self.retries + 1):
            if not worth_another_try(answer.parsed):
                break
            question = again(self.brief, prompt, answer.parsed)
            if question is None:
                self.bench.note(
                    "not_retried", step=answer.step, why=f"{self.brief.templates} has no retry template"
                )
                break
            told = {**detail, "retry": retry, "retry_of": answer.step}
            second = self.bench.ask(
                role, question, parse, attempt=attempt, gist=f"retry {retry}", detail=told
            )
            if not answer.parsed.usable or (second.parsed.usable and not worth_another_try(second.parsed)):
                answer = second
        if not answer.parsed.usable and Defect.ABORT_ON_BAD_FORMAT in self.defects:
            raise AgentFailed(role, answer.parsed.failure, answer.parsed.message)
        return answer


def _at(branch: Callable[[Team], object], team: Team, bench: Workbench) -> object:
    return branch(replace(team, bench=bench))
