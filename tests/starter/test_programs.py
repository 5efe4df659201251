"""The tests tell right from wrong: references pass, plausible mistakes do not."""

from __future__ import annotations

import pytest

from solver import judging
from solver.judge import Judge, Verdict
from starter.source import load, slugs
from tests.starter.conftest import HiddenReport
from trajectories.problem_schema import ProblemSpec

SAMPLED = ("echo-radio", "shelf-order", "calm-days", "watering-days", "two-lamps", "lost-mittens")
NO_VERDICT_ON_THE_PROGRAM = {Verdict.IE, Verdict.SV, Verdict.CE}


def check_reference(problem: ProblemSpec, judge: Judge, on_hidden: HiddenReport) -> None:
    assert problem.reference_solution is not None
    report = on_hidden(problem, problem.reference_solution)
    assert report.verdict is Verdict.AC, report.results[-1]
    # A margin of four, so that a slower machine still accepts it.
    assert problem.time_limit_s is not None
    limit = problem.time_limit_s * judging.TIME_FACTOR["python"]
    assert max(result.cpu_s for result in report.results) < limit / 4
    task = judging.task(problem, judging.sample_tests(problem), "python")
    assert judge.judge(judging.program(problem.reference_solution, "python"), task).verdict is Verdict.AC


def check_wrong_programs(problem: ProblemSpec, slug: str, on_hidden: HiddenReport) -> None:
    wrong = load(slug).wrong
    assert len(wrong) >= 2
    for name, code in wrong.items():
        verdict = on_hidden(problem, code).verdict
        assert verdict is not Verdict.AC, f"{slug}: {name} passes all hidden tests"
        assert verdict not in NO_VERDICT_ON_THE_PROGRAM, f"{slug}: {name} gives {verdict}"


@pytest.mark.parametrize("slug", SAMPLED)
def test_a_reference_passes_samples_and_hidden_tests_with_time_to_spare(
    slug: str, problems: dict[str, ProblemSpec], judge: Judge, on_hidden: HiddenReport
) -> None:
    check_reference(problems[slug], judge, on_hidden)


@pytest.mark.parametrize("slug", SAMPLED)
def test_every_plausible_mistake_fails_a_hidden_test(
    slug: str, problems: dict[str, ProblemSpec], on_hidden: HiddenReport
) -> None:
    check_wrong_programs(problems[slug], slug, on_hidden)


@pytest.mark.slow
@pytest.mark.parametrize("slug", sorted(set(slugs()) - set(SAMPLED)))
def test_every_other_problem_tells_its_reference_from_its_mistakes(
    slug: str, problems: dict[str, ProblemSpec], judge: Judge, on_hidden: HiddenReport
) -> None:
    check_reference(problems[slug], judge, on_hidden)
    check_wrong_programs(problems[slug], slug, on_hidden)


@pytest.mark.parametrize(
    ("printed", "accepted"),
    [
        ("2\n4 10\n", True),
        ("2\n2 8\n", True),
        ("2\n4\n8\n", True),
        ("2\n4 14\n", False),  # nobody comes for the third tree
        ("2\n7 8\n", False),  # the garden is closed on day 7
        ("3\n2 4 8\n", False),  # one visit too many
        ("2\n8 4\n", False),  # not in order
        ("2\n4\n", False),
        ("two\n4 8\n", False),
        ("", False),
    ],
)
def test_the_checker_of_watering_days_accepts_every_smallest_choice_and_no_other(
    printed: str, accepted: bool, problems: dict[str, ProblemSpec], judge: Judge
) -> None:
    problem = problems["watering-days"]
    task = judging.task(problem, judging.sample_tests(problem)[:1], "python")
    report = judge.judge(judging.program(f"print({printed!r}, end='')", "python"), task)
    assert report.verdict is (Verdict.AC if accepted else Verdict.WA)
