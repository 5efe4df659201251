"""Every walkthrough ends as it says, told by the real strategy, parsers and judge."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import pytest

from solver import judging
from solver.agents import planning, retrieval
from solver.agents.coding import parse_tolerant
from solver.agents.formats import FormatFailure, Parsed
from solver.agents.languages import language
from solver.agents.prompts import TEMPLATES
from solver.engines.protocol import ChatRequest, Message, NoRecording, Role
from solver.judge import Judge, Verdict
from solver.strategies.protocol import Params
from starter.record import Bench
from starter.scripted import RETRY, ScriptedModel
from starter.source import load, slugs
from starter.walkthrough import Ending, Walkthrough
from tests.starter.conftest import HiddenReport
from trajectories.problem_schema import ProblemSpec

PYTHON = language("python")


def seen_ending(bench: Bench, on_hidden: HiddenReport) -> Ending:
    outcome = bench.play(Params(k=3, t=5))
    if outcome.samples_passed < outcome.samples_total or outcome.code is None:
        return Ending.NO_PLAN_PASSES
    if on_hidden(bench.problem, outcome.code).verdict is not Verdict.AC:
        return Ending.WRONG_ON_HIDDEN
    if outcome.attempt != 1:
        return Ending.LATER_PLAN
    repaired = any(recording.role is Role.DEBUGGING for recording in bench.recordings.values())
    return Ending.REPAIRED if repaired else Ending.FIRST_TRY


@pytest.mark.parametrize("slug", slugs())
def test_the_run_ends_as_the_walkthrough_says(
    slug: str, problems: dict[str, ProblemSpec], judge: Judge, on_hidden: HiddenReport
) -> None:
    source = load(slug)
    bench = Bench(problems[slug], ScriptedModel([source]), judge)
    assert seen_ending(bench, on_hidden) is source.walkthrough.ending


def test_the_set_shows_every_ending_about_as_often_as_runs_end_so() -> None:
    endings = Counter(load(slug).walkthrough.ending for slug in slugs())
    assert endings[Ending.FIRST_TRY] >= len(slugs()) * 2 // 5
    assert endings[Ending.REPAIRED] >= len(slugs()) // 5
    assert endings[Ending.LATER_PLAN] >= 3
    assert endings[Ending.WRONG_ON_HIDDEN] == endings[Ending.NO_PLAN_PASSES] == 1


def parses(walkthrough: Walkthrough) -> list[Parsed[Any]]:
    read = partial(retrieval.parse_tolerant, k=3)
    found: list[Parsed[Any]] = [read(walkthrough.wire_retrieval(3))]
    for attempt in walkthrough.attempts:
        found.append(planning.parse_plan_tolerant(attempt.wire_plan()))
        found.append(planning.parse_confidence_tolerant(attempt.wire_confidence()))
        found.append(parse_tolerant(attempt.wire_code(), PYTHON))
        found += [parse_tolerant(repair.wire(), PYTHON) for repair in attempt.repairs]
    return found


def test_three_format_failures_are_rescued_and_one_answer_has_to_be_asked_for_again() -> None:
    walkthroughs = [load(slug).walkthrough for slug in slugs()]
    answers = [answer for walkthrough in walkthroughs for answer in parses(walkthrough)]
    assert all(answer.usable for answer in answers)
    failures = sorted(answer.failure for answer in answers if answer.failure)
    assert failures == [FormatFailure.BAD_CONFIDENCE, FormatFailure.NO_ROOT, FormatFailure.UNCLOSED_FENCE]
    unusable = [w.unusable_retrieval for w in walkthroughs if w.unusable_retrieval]
    assert [retrieval.parse_tolerant(text, 3).usable for text in unusable] == [False]


def test_what_the_parser_reads_is_what_the_author_wrote() -> None:
    for slug in slugs():
        walkthrough = load(slug).walkthrough
        recalled = retrieval.parse_tolerant(walkthrough.wire_retrieval(3), 3).value
        assert recalled is not None
        for exemplar, author in zip(recalled.exemplars, walkthrough.exemplars, strict=True):
            assert exemplar.code.strip() in author.wire()
        for attempt in walkthrough.attempts:
            texts = [attempt.wire_code(), *(repair.wire() for repair in attempt.repairs)]
            for text, program in zip(texts, attempt.programs(), strict=True):
                assert (parse_tolerant(text, PYTHON).value or "").strip() == program, slug


def test_no_two_plans_and_no_two_programs_of_a_walkthrough_are_alike() -> None:
    """A prompt is answered by the text it holds, so equal texts could not be told apart."""
    for slug in slugs():
        attempts = load(slug).walkthrough.attempts
        plans = [attempt.wire_plan() for attempt in attempts]
        assert not [p for p in plans for q in plans if p is not q and p in q], slug
        programs = [program for attempt in attempts for program in attempt.programs()]
        assert len(set(programs)) == len(programs), slug


def test_the_best_ranked_plan_is_one_plan() -> None:
    for slug in slugs():
        scores = [
            planning.parse_confidence_tolerant(attempt.wire_confidence()).value
            for attempt in load(slug).walkthrough.attempts
        ]
        numbers = sorted(score.score for score in scores if score is not None)
        assert len(numbers) == 3 and numbers[1] < numbers[2], slug


def test_no_hidden_test_stands_in_an_answer(problems: dict[str, ProblemSpec]) -> None:
    for slug, problem in problems.items():
        walkthrough = load(slug).walkthrough
        texts = [attempt.wire_confidence() + attempt.wire_code() for attempt in walkthrough.attempts]
        texts += [repair.wire() for attempt in walkthrough.attempts for repair in attempt.repairs]
        for test in problem.tests:
            shown = getattr(test, "input", None) or getattr(test, "code", None)
            if shown and len(shown) > 12:
                assert not [text for text in texts if shown.strip() in text], slug


def test_the_retry_template_still_carries_the_heading_by_which_it_is_known() -> None:
    assert RETRY in (TEMPLATES / "lab" / "retry.v1.txt").read_text(encoding="utf-8")


def test_a_prompt_about_another_problem_is_refused() -> None:
    model = ScriptedModel([load("tram-doors")])
    request = ChatRequest(Role.CODING, "", (Message("user", "Print the sum of two numbers."),))
    with pytest.raises(NoRecording, match="starter problem"):
        model.chat(request)


def test_when_the_repairs_run_out_the_last_answer_is_given_again(
    judge: Judge, problems: dict[str, ProblemSpec]
) -> None:
    source = load("ledger-digits")
    bench = Bench(problems["ledger-digits"], ScriptedModel([source]), judge)
    bench.play(Params(k=1, t=2))
    different = len(bench.recordings)
    bench.play(Params(k=1, t=3))
    assert (
        len(bench.recordings) == different + 1
    )  # the last repair as the last attempt; now everything repeats
    outcome = bench.play(Params(k=1, t=9))
    assert len(bench.recordings) == different + 1
    assert outcome.code is not None and outcome.samples_passed < outcome.samples_total


def test_samples_are_judged_with_the_limits_of_the_problem(problems: dict[str, ProblemSpec]) -> None:
    problem = problems["balanced-crates"]
    assert judging.task(problem, judging.sample_tests(problem), "python").limits.cpu_s == 1.5
