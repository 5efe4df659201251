from __future__ import annotations

import re
from pathlib import Path
from string import Template
from typing import Any

import pytest

from solver.agents import coding, debugging, planning, retrieval
from solver.agents.answer_shapes import EXEMPLARS, VERDICT_ON_PLAN, format_block
from solver.agents.brief import Brief
from solver.agents.languages import LANGUAGES, UnknownLanguage, language
from solver.agents.problem_text import clip, count_in_words, problem_text, samples_text, stdin_note
from solver.agents.prompts import TEMPLATES, Prompt, UnknownTemplate, has_template, render, template_sets
from solver.agents.retrieval import Exemplar
from solver.agents.sample_report import sample_report
from solver.strategies.protocol import CaseResult, TestRun
from tests.strategies.bench import sum_problem

EXEMPLAR = Exemplar("the exemplar's text", "the exemplar's plan")
RUN = TestRun(1, "WA", 1, 2, (CaseResult("1\n", "2\n", "3\n", "WA"), CaseResult("4\n", "5\n", "5\n", "AC")))
FUNCTION: dict[str, Any] = {
    "test_kind": "call",
    "entry_point": "add",
    "starter_code": "def add(a, b):\n    ...",
    "tests": [{"kind": "call", "args": [1, 2], "expected": 3}],
}


def prompts(brief: Brief) -> dict[str, Prompt]:
    return {
        "retrieval": retrieval.prompt(brief),
        "planning": planning.plan_prompt(brief, "greedy", EXEMPLAR),
        "confidence": planning.confidence_prompt(brief, "the plan"),
        "coding": coding.prompt(brief, "greedy", "the plan"),
        "debugging": debugging.prompt(brief, "greedy", "the plan", "the response", sample_report(RUN)),
    }


def brief(templates: str = "lab", key: str = "python", **changes: Any) -> Brief:
    return Brief(sum_problem(**changes), language(key), templates)


@pytest.mark.parametrize("templates", template_sets())
def test_every_set_has_every_role_and_leaves_no_placeholder(templates: str) -> None:
    for role, prompt in prompts(brief(templates)).items():
        assert prompt.template.startswith(f"{templates}/{role}.v")
        assert not re.search(r"\$[a-z_]", prompt.text), prompt.template
        assert "Add two integers." in prompt.text


@pytest.mark.parametrize("templates", ["lab", "upstream"])
def test_every_role_reads_what_it_needs(templates: str) -> None:
    texts = {role: prompt.text for role, prompt in prompts(brief(templates)).items()}
    assert format_block(EXEMPLARS) in texts["retrieval"]
    assert "three (03)" in texts["retrieval"]
    assert "the exemplar's text" in texts["planning"] and "the exemplar's plan" in texts["planning"]
    assert format_block(VERDICT_ON_PLAN) in texts["confidence"] and "the plan" in texts["confidence"]
    assert (
        "the plan" in texts["coding"] and "greedy" in texts["coding"] and "standard input" in texts["coding"]
    )
    assert "the response" in texts["debugging"] and "1 of 2 sample tests passed" in texts["debugging"]


@pytest.mark.parametrize(
    "path", sorted(TEMPLATES.glob("*/*.txt")), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_every_template_is_well_formed_text(path: Path) -> None:
    assert Template(path.read_text(encoding="utf-8")).is_valid()


def test_a_dollar_sign_in_a_problem_stays_as_it_is() -> None:
    text = coding.prompt(brief(statement="Pay $plan and ${k} in $$."), "a", "b").text
    assert "Pay $plan and ${k} in $$." in text


def test_the_newest_version_of_a_template_is_used_and_named() -> None:
    prompt = render("lab", "retry", prompt="p", message="m", where="w")
    assert prompt.template == "lab/retry.v1"
    assert len(prompt.template_digest) == 64


def test_an_unknown_template_lists_those_there_are() -> None:
    with pytest.raises(UnknownTemplate, match=r"lab/coding\.v1\.txt"):
        render("lab", "singing")
    assert not has_template("nowhere", "retry")


@pytest.mark.parametrize("key", LANGUAGES)
def test_the_note_on_input_is_worded_for_the_language(key: str) -> None:
    note = stdin_note(sum_problem(), language(key))
    assert LANGUAGES[key].reads in note
    assert ("input()" in note) == (key == "python")
    assert stdin_note(sum_problem(), language(key), in_python_words=True).count("`input()`") == 1


def test_a_language_without_words_is_refused_with_a_list() -> None:
    with pytest.raises(UnknownLanguage, match="'cobol'; there are: python, c, cpp"):
        language("cobol")


def test_a_function_problem_asks_for_the_function_and_not_for_input() -> None:
    problem = sum_problem(**FUNCTION)
    text = coding.prompt(brief(**FUNCTION), "a", "b").text
    assert "Define the function `add`" in text
    assert "starter code" in stdin_note(problem, LANGUAGES["python"])
    assert "standard input" not in text
    assert "```\ndef add(a, b):\n    ...\n```" in problem_text(problem)


def test_a_problem_is_shown_whole_and_without_empty_headings() -> None:
    problem = sum_problem(notes="Mind the sign.", memory_limit_mb=256)
    assert problem_text(problem) == (
        "Add two integers.\n\n### Input\nTwo integers.\n\n### Output\nTheir sum.\n\n"
        "### Notes\nMind the sign.\n\n### Limits\n2 seconds for each test, 256 MB of memory"
    )
    assert problem_text(sum_problem(input_spec="", output_spec=" ", time_limit_s=None)) == "Add two integers."


def test_samples_are_shown_as_cases_or_as_assertions() -> None:
    assert samples_text(sum_problem()) == "Input:\n1 2\nExpected output:\n3"
    asserts = sum_problem(samples=[{"input": "", "output": "", "assert": "assert add(1, 2) == 3"}])
    assert samples_text(asserts) == "assert add(1, 2) == 3"
    assert "none" in samples_text(sum_problem(samples=[]))


def test_a_hidden_test_is_in_no_prompt() -> None:
    tests = [{"kind": "stdio", "input": "777 111\n", "outputs": ["888\n"]}]
    for prompt in prompts(brief(tests=tests, reference_solution="print(888)")).values():
        assert "777" not in prompt.text and "888" not in prompt.text


def test_a_long_sample_is_cut_and_says_so() -> None:
    problem = sum_problem(samples=[{"input": "9" * 5000, "output": "1"}])
    assert "[3000 more characters]" in samples_text(problem)
    assert clip("abc", 3) == "abc"


def test_counts_are_spelled_and_in_two_digits() -> None:
    assert (count_in_words(3), count_in_words(12)) == ("three (03)", "12")


def test_a_report_shows_failures_first_and_why() -> None:
    cases = (
        CaseResult("1\n", "2\n", "2\n", "AC"),
        CaseResult("3\n", "4\n", "", "RE", "ZeroDivisionError: division by zero"),
        CaseResult("5\n", "6\n", "7" * 600, "WA"),
    )
    report = sample_report(TestRun(1, "RE", 1, 3, cases))
    assert report.startswith(
        "1 of 3 sample tests passed.\n\nFailed: run-time error\nInput:\n3\nExpected output:\n4"
    )
    assert "Reason: ZeroDivisionError: division by zero" in report
    assert "[100 more characters]" in report
    assert report.index("Failed") < report.index("Passed:")


def test_a_compile_error_is_the_whole_report() -> None:
    report = sample_report(TestRun(1, "CE", 0, 2, (), "error: expected ';'"))
    assert report == "The program does not compile:\nerror: expected ';'"
