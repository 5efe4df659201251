"""A scripted workbench: answers and sample runs come from lists, and everything asked is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from solver.agents.formats import Parsed
from solver.agents.prompts import Prompt
from solver.engines.protocol import Role
from solver.strategies.protocol import Answer, BudgetExceeded, CaseResult, TestRun
from trajectories.problem_schema import ProblemSpec

T = TypeVar("T")


def exemplars(count: int) -> str:
    form = (
        "<problem><description>exemplar {n}</description><code>c</code><planning>how {n}</planning></problem>"
    )
    problems = "".join(form.format(n=n) for n in range(1, count + 1))
    return f"<root>{problems}<algorithm>greedy</algorithm></root>"


def confidence(score: object) -> str:
    return f"<root><explanation>because</explanation><confidence>{score}</confidence></root>"


def program(name: str) -> str:
    return f"```python\n# {name}\n```"


def sum_problem(**changes: Any) -> ProblemSpec:
    data: dict[str, Any] = {
        "id": "sum",
        "source": "test",
        "title": "Sum",
        "statement": "Add two integers.",
        "input_spec": "Two integers.",
        "output_spec": "Their sum.",
        "time_limit_s": 2,
        "samples": [{"input": "1 2\n", "output": "3\n"}],
        "tests": [{"kind": "stdio", "input": "1 2\n", "outputs": ["3\n"]}],
        "test_kind": "stdio",
    }
    return ProblemSpec.model_validate({**data, **changes})


class ScriptedBench:
    """`answers` by role, in order. Of `total` samples a program passes as many as `passes` says of it."""

    def __init__(
        self,
        answers: Mapping[Role, Iterable[str]],
        passes: Callable[[str], int] = lambda code: 0,
        total: int = 2,
        max_calls: int = 1000,
    ) -> None:
        self.answers = {role: iter(texts) for role, texts in answers.items()}
        self.passes, self.total, self.max_calls = passes, total, max_calls
        self.asked: list[tuple[Role, int, Prompt, dict[str, Any]]] = []
        self.tested: list[str] = []
        self.notes: list[tuple[str, dict[str, Any]]] = []
        self.log: list[str] = []

    def ask(
        self,
        role: Role,
        prompt: Prompt,
        parse: Callable[[str], Parsed[T]],
        *,
        attempt: int,
        gist: str = "",
        detail: dict[str, Any] | None = None,
    ) -> Answer[T]:
        if len(self.asked) >= self.max_calls:
            raise BudgetExceeded(f"{self.max_calls} calls")
        self.asked.append((role, attempt, prompt, detail or {}))
        self.log.append(f"{role}:{attempt}")
        text = next(self.answers[role])
        return Answer(len(self.log), text, parse(text))

    def run_samples(self, code: str, language: str, *, attempt: int) -> TestRun:
        self.tested.append(code.strip())
        self.log.append(f"test:{attempt}")
        passed = self.total if not self.total else self.passes(code)
        case = CaseResult("1 2\n", "3\n", "4\n", "WA")
        verdict = "AC" if passed == self.total else "WA"
        return TestRun(len(self.log), verdict, passed, self.total, () if verdict == "AC" else (case,))

    def note(self, kind: str, **detail: Any) -> None:
        self.notes.append((kind, detail))

    def roles(self) -> list[str]:
        return [role.value for role, *_ in self.asked]

    def noted(self, kind: str) -> list[dict[str, Any]]:
        return [detail for name, detail in self.notes if name == kind]
