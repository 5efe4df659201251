"""The upstream profile against an independent statement of the published loop (method, section 1.1), call by call."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import deque
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from solver.engines.protocol import Role
from solver.strategies.mapcoder import mapcoder
from solver.strategies.protocol import Params
from tests.strategies.bench import ScriptedBench, exemplars, sum_problem


@dataclass(frozen=True)
class Script:
    """All that a world of models and tests decides: the answers by role, and whether a program passes."""

    k: int
    t: int
    retrieval: str
    confidences: list[str]
    programs: list[str]
    passes: frozenset[int]


@dataclass
class Published:
    """The published loop, straight from the pseudo-code; any exception in it ends the pass."""

    script: Script
    log: list[str] = field(default_factory=list)

    def run(self) -> str | None:
        answers = deque(self.script.programs)
        try:
            self.log.append("retrieval")
            root = ET.fromstring(self.script.retrieval)
            problems = root.findall("problem")
            if root.find("algorithm") is None or len(problems) < 2:
                return None
            plans = []
            for n in range(len(problems)):
                self.log += ["planning", "confidence"]
                plans.append((n, int(self.script.confidences[n])))
            plans.sort(key=lambda plan: plan[1], reverse=True)
            code = ""
            for _ in plans:
                self.log.append("coding")
                code = fenced(answers.popleft())
                passed = False
                for _ in range(self.script.t):
                    self.log.append("test")
                    passed = number_of(code) in self.script.passes
                    if passed:
                        break
                    self.log.append("debugging")
                    code = fenced(answers.popleft())
                if passed:
                    break
        except (ValueError, IndexError):
            return None
        return code


def fenced(text: str) -> str:
    if "```" not in text:
        return text
    tag = "python" if "```python" in text else ""
    return "\n".join(re.findall(rf"```{tag}((.|\n)*?)```", text, re.DOTALL)[-1])


def number_of(code: str) -> int:
    return int((re.findall(r"program (\d+)", code) or ["-1"])[0])


def answer_number(n: int) -> st.SearchStrategy[str]:
    good = f"```python\n# program {n}\n```"
    forms = [good] * 6 + [f"Plan.\n```\n# program {n}\n```", f"# program {n}", f"```python\n# program {n}"]
    return st.sampled_from(forms)


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    k, t = draw(st.integers(1, 5)), draw(st.integers(0, 4))
    count = draw(st.sampled_from([k, k, k, k + 1, max(0, k - 1)]))
    retrieval = exemplars(count)
    if draw(st.integers(0, 9)) == 0:
        retrieval = retrieval.replace("algorithm>", "algo>")
    scores = st.sampled_from(["0", "50", "90", "90", " 90 ", "100"] * 3 + ["90%"])
    return Script(
        k,
        t,
        retrieval,
        draw(st.lists(scores, min_size=count, max_size=count)),
        [draw(answer_number(n)) for n in range(count * (t + 1))],
        draw(st.frozensets(st.integers(0, 30), max_size=3)),
    )


@settings(max_examples=400, deadline=None)
@given(script=scripts())
def test_upstream_makes_the_published_calls_and_submits_the_published_program(script: Script) -> None:
    published = Published(script)
    expected = published.run()
    programs = iter(script.programs)
    bench = ScriptedBench(
        {
            Role.RETRIEVAL: [script.retrieval],
            Role.PLANNING: (f"plan {n}" for n in range(10)),
            Role.CONFIDENCE: [
                f"<root><explanation>x</explanation><confidence>{score}</confidence></root>"
                for score in script.confidences
            ],
            Role.CODING: programs,
            Role.DEBUGGING: programs,
        },
        passes=lambda code: 2 * (number_of(code) in script.passes),
    )
    outcome = mapcoder(sum_problem(), bench, Params(k=script.k, t=script.t, profile="upstream"))
    assert [entry.split(":")[0] for entry in bench.log] == published.log
    assert outcome.code == expected
