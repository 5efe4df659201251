"""A failed run, a supervisor's blame, the blamed agent alone done again, and a pair kept because the hidden tests pass."""

from __future__ import annotations

from typing import Any

import pytest

from solver import judge_pool, runs
from solver.engines.protocol import ChatRequest, EngineUnreachable, Role
from solver.judge import JudgeError
from tests.runs.conftest import RIGHT, WRONG, Scripted
from tests.supervision.conftest import REVIEW, failed_run, go_on, opinion, start
from training import examples
from training.models import Example, ExampleState, Supervision, SupervisionCase
from training.spec_text import BadJob
from training.supervision import lifecycle, report, work
from training.supervision.models import CaseState
from trajectories import eventlog, review
from trajectories.models import Blame, Problem, Run, Step

pytestmark = pytest.mark.django_db(transaction=True)


def case_of(job: Supervision) -> SupervisionCase:
    return SupervisionCase.objects.get(supervision=job)


def prompts_of(run: Run) -> list[str]:
    return [
        row.payload["messages"][0]["content"]
        for row in eventlog.read_all(run.pk)
        if row.kind == "step.started"
    ]


def test_the_blamed_agent_alone_is_asked_again_and_the_pair_is_its_own_prompt_with_the_new_answer(
    listening: Scripted, problem: Problem
) -> None:
    run = failed_run(listening, problem)
    listening.asked.clear()
    job = start(run)
    go_on(job)
    case = case_of(job)
    assert (job.status, case.state, case.kept) == ("finished", CaseState.CORRECTED, 1)
    assert [request.role for request in listening.asked] == [Role.SUPERVISOR, Role.CODING]
    example = Example.objects.get()
    assert (example.role, example.way, example.state) == ("coding", "supervisor", ExampleState.CANDIDATE)
    assert (example.answer, example.refused) == (RIGHT, WRONG)
    assert (example.origin_run, example.origin_step, example.step) == (run, 4, 4)
    assert example.run is not None and example.run.branch_of == run and example.run.verdict == "AC"
    asked = next(step for step in examples.asked(run.pk) if step.number == 4)
    assert example.messages == asked.messages


def test_no_word_of_the_supervisor_is_in_a_pair(listening: Scripted, problem: Problem) -> None:
    job = start(failed_run(listening, problem))
    go_on(job)
    example = Example.objects.get()
    assert example.run is not None
    assert any(REVIEW in prompt for prompt in prompts_of(example.run))
    text = str(example.messages)
    assert REVIEW not in text and "not their difference" not in text


def test_no_hidden_test_enters_any_prompt(listening: Scripted, problem: Problem) -> None:
    run = failed_run(listening, problem)
    go_on(start(run))
    hidden = [str(2 * 10**12 + 1), f"{10**12} {10**12 + 1}"]
    for one in (run, *run.branches.all()):
        for prompt in prompts_of(one):
            assert not any(text in prompt for text in hidden)


@pytest.mark.parametrize(
    "feedback",
    [
        f"The last test wants {2 * 10**12 + 1}, you print something else.",
        "Write this:\n```python\nprint(sum(map(int, input().split())))\n```",
    ],
)
def test_feedback_that_tells_a_hidden_test_or_the_solution_is_not_passed_on(
    listening: Scripted, problem: Problem, feedback: str
) -> None:
    run = failed_run(listening, problem)
    listening.answers[Role.SUPERVISOR] = opinion(feedback=feedback, diagnosis=feedback)
    job = start(run, rounds=2)
    go_on(job)
    case = case_of(job)
    assert case.state == CaseState.UNRESOLVED and run.branches.count() == 0
    assert case.votes[0]["faults"] and case.tried[0]["why"]
    assert Example.objects.count() == 0


@pytest.mark.parametrize(
    "diagnosis",
    [
        f"It prints the difference where {2 * 10**12 + 1} is wanted.",
        "It should read:\n```python\nprint(sum(map(int, input().split())))\n```",
    ],
)
def test_a_diagnosis_that_tells_as_much_is_not_passed_on_to_an_agent_that_no_vote_blames(
    listening: Scripted, problem: Problem, diagnosis: str
) -> None:
    """Of such an agent there is no feedback of its own; another vote's diagnosis would stand for it."""
    run = failed_run(listening, problem)
    listening.answers[Role.SUPERVISOR] = opinion("planning", others=["coding"], diagnosis=diagnosis)
    job = start(run, rounds=2)
    go_on(job)
    case = case_of(job)
    assert [(one["agent"], one["why"]) for one in case.tried] == [
        ("planning", ""),
        ("coding", "no feedback may be passed on"),
    ]
    branch = run.branches.get()
    assert not any(diagnosis in prompt for prompt in prompts_of(branch))


def test_the_supervisor_is_a_step_of_the_supervised_run_and_costs_the_run_nothing(
    listening: Scripted, problem: Problem
) -> None:
    run = failed_run(listening, problem)
    calls, steps = run.calls, run.step_count
    go_on(start(run))
    run.refresh_from_db()
    step = Step.objects.get(run=run, role="supervisor")
    assert (step.number, step.state, step.gist) == (steps + 1, "done", "blames coding")
    assert (run.calls, run.verdict, run.status) == (calls, "WA", "finished")
    blame = Blame.objects.get(run=run, source="supervisor")
    assert (blame.source, blame.agent, blame.step, blame.confidence) == ("supervisor", "coding", 4, 1.0)


def test_the_next_most_blamed_agent_is_tried_when_the_first_does_not_help(
    listening: Scripted, problem: Problem
) -> None:
    run = failed_run(listening, problem)
    listening.answers[Role.SUPERVISOR] = opinion("planning", others=["coding"])
    job = start(run, rounds=2)
    go_on(job)
    case = case_of(job)
    assert [(tried["agent"], tried["verdict"]) for tried in case.tried] == [
        ("planning", "WA"),
        ("coding", "AC"),
    ]
    assert case.state == CaseState.CORRECTED
    assert [example.role for example in Example.objects.all()] == ["coding"]


def test_rounds_are_bounded(listening: Scripted, problem: Problem) -> None:
    run = failed_run(listening, problem)
    listening.answers[Role.SUPERVISOR] = opinion("planning", others=["retrieval", "coding"])
    job = start(run, rounds=2, draws=2)
    go_on(job)
    assert case_of(job).state == CaseState.UNRESOLVED
    assert [branch.branch["draw"] for branch in run.branches.order_by("pk")] == [0, 1, 0, 1]


def test_votes_are_counted_and_citations_of_nothing_are_defects(
    listening: Scripted, problem: Problem
) -> None:
    run = failed_run(listening, problem)
    said = iter(
        [opinion("planning", evidence=[{"step": 99, "quote": "x"}]), opinion("coding"), opinion("coding")]
    )
    heed = listening.before

    def one_by_one(request: ChatRequest) -> None:
        heed(request)
        if request.role is Role.SUPERVISOR:
            listening.answers[Role.SUPERVISOR] = next(said)

    listening.before = one_by_one
    job = start(run, votes=3)
    go_on(job)
    case = case_of(job)
    assert case.ranking[0] == "coding" and [vote["unknown"] for vote in case.votes] == [1, 0, 0]
    seeds = [r.sampling.seed for r in listening.asked if r.role is Role.SUPERVISOR]
    assert seeds == [0, 1, 2]
    assert Blame.objects.get(run=run, source="supervisor").confidence == pytest.approx(2 / 3, abs=0.001)


def test_answers_that_nobody_can_read_leave_the_case_undecided_and_it_can_be_tried_again(
    listening: Scripted, problem: Problem
) -> None:
    run = failed_run(listening, problem)
    listening.answers[Role.SUPERVISOR] = "I would rather not say."
    job = start(run)
    go_on(job)
    case = case_of(job)
    assert case.state == CaseState.FAILED and "JSON" in case.message
    assert Blame.objects.count() == 0


def test_an_engine_that_is_away_pauses_the_job_and_resuming_goes_on(
    listening: Scripted, problem: Problem
) -> None:
    run = failed_run(listening, problem)
    heed = listening.before

    def away(request: ChatRequest) -> None:
        raise EngineUnreachable("nobody answers")

    listening.before = away
    job = start(run)
    go_on(job)
    assert (job.status, job.reason, case_of(job).state) == ("paused", "engine_unreachable", CaseState.WAITING)
    listening.before = heed
    assert lifecycle.resume(job.pk)
    go_on(job)
    assert case_of(job).state == CaseState.CORRECTED
    assert Step.objects.filter(run=run, role="supervisor").count() == 1


def test_an_engine_that_goes_away_while_an_agent_revises_is_asked_again_when_the_job_goes_on(
    listening: Scripted, problem: Problem
) -> None:
    run = failed_run(listening, problem)
    heed = listening.before

    def away_for_the_student(request: ChatRequest) -> None:
        if request.role is not Role.SUPERVISOR:
            raise EngineUnreachable("nobody answers")

    listening.before = away_for_the_student
    job = start(run)
    go_on(job)
    assert (job.status, job.reason, case_of(job).state) == (
        "paused",
        "engine_unreachable",
        CaseState.REVISING,
    )
    listening.before = heed
    assert lifecycle.resume(job.pk)
    go_on(job)
    case = case_of(job)
    assert (job.status, case.state) == ("finished", CaseState.CORRECTED)
    assert run.branches.count() == 1 and len(case.tried) == 1


def test_a_judge_that_is_away_uses_up_no_revision(
    listening: Scripted, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def judge(self, *_: Any, **__: Any) -> Any:
            raise JudgeError("the sandbox does not start")

    run = failed_run(listening, problem)
    job = start(run, rounds=1)
    with monkeypatch.context() as patched:
        patched.setattr(judge_pool, "judge", Broken)
        go_on(job)
    assert (job.status, job.reason, case_of(job).tried) == ("paused", "judge_unavailable", [])
    assert lifecycle.resume(job.pk)
    go_on(job)
    assert case_of(job).state == CaseState.CORRECTED


def test_a_revision_that_somebody_cancelled_counts_neither_for_nor_against_its_agent(
    listening: Scripted, problem: Problem
) -> None:
    run = failed_run(listening, problem)
    job = start(run, rounds=1)
    assert work.work(case_of(job).pk, "test", publish_to_workers=False)
    assert runs.cancel(run.branches.get().pk)
    go_on(job)
    case = case_of(job)
    assert case.state == CaseState.UNRESOLVED and [one["measured"] for one in case.tried] == [False]
    found = report.build(job)
    coding = next(row for row in found.agents if row.agent == "coding")
    assert (coding.blamed, coding.tried, coding.passed) == (1, 0, 0) and found.calibration is None
    assert sum(found.skipped.values()) == 1


class Killed(BaseException):
    """As good as kill -9: nothing after it runs."""


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5, 7])
def test_a_kill_at_any_write_loses_no_example_doubles_none_and_asks_no_vote_twice(
    listening: Scripted, problem: Problem, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    run = failed_run(listening, problem)
    listening.answers[Role.SUPERVISOR] = opinion("planning", others=["coding"])
    job = start(run, votes=2, rounds=2)
    writes = 0
    real = {name: getattr(eventlog, name) for name in ("append_afterword", "append_unowned")}

    def counted(name: str) -> Any:
        def write(*args: Any, **kwargs: Any) -> Any:
            nonlocal writes
            done = real[name](*args, **kwargs)
            writes += 1
            if writes == at:
                raise Killed
            return done

        return write

    for name in real:
        monkeypatch.setattr(eventlog, name, counted(name))
    keep = examples.keep

    def kept(*args: Any, **kwargs: Any) -> Any:
        nonlocal writes
        done = keep(*args, **kwargs)
        writes += 1
        if writes == at:
            raise Killed
        return done

    monkeypatch.setattr(examples, "keep", kept)
    try:
        go_on(job)
    except Killed:
        SupervisionCase.objects.update(lease_expires_at=None)  # as the lease of a dead worker runs out
        go_on(job)
    case = case_of(job)
    assert case.state == CaseState.CORRECTED and Example.objects.count() == 1
    votes = [r for r in listening.asked if r.role is Role.SUPERVISOR]
    started = Step.objects.filter(run=run, role="supervisor").count()
    assert started == 2 and len(votes) == 2
    assert run.branches.count() == 2


def test_two_workers_at_once_do_a_case_once(listening: Scripted, problem: Problem) -> None:
    run = failed_run(listening, problem)
    job = start(run)
    case = case_of(job)
    taken: list[bool] = []
    heed = listening.before

    def meanwhile(request: ChatRequest) -> None:
        if request.role is Role.SUPERVISOR:
            taken.append(work.work(case.pk, "another", publish_to_workers=False))
        heed(request)

    listening.before = meanwhile
    go_on(job)
    assert taken == [False] and Example.objects.count() == 1


def test_a_worker_that_was_replaced_writes_nothing_into_the_run(
    listening: Scripted, problem: Problem
) -> None:
    run = failed_run(listening, problem)
    job = start(run)
    heed = listening.before

    def replaced(request: ChatRequest) -> None:
        if request.role is Role.SUPERVISOR:
            SupervisionCase.objects.update(fence=99)
        heed(request)

    listening.before = replaced
    assert not work.work(case_of(job).pk, "slow", publish_to_workers=False)
    kinds = [row.kind for row in eventlog.read_all(run.pk)]
    assert kinds[-1] == "step.started" and Blame.objects.count() == 0


def test_a_teacher_may_revise_in_the_students_place_and_the_branch_says_so(
    listening: Scripted, problem: Problem
) -> None:
    run = failed_run(listening, problem)
    job = start(run, reviser="teacher", teacher="scripted")
    go_on(job)
    branch = run.branches.get()
    assert branch.branch["engine"] == "scripted" and branch.engine["guest"]["name"] == "scripted"
    assert case_of(job).state == CaseState.CORRECTED


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"supervisor": "nobody"}, "there is no engine 'nobody'"),
        ({"runs": {"campaign": 99}}, "There is no campaign 99"),
        ({"runs": {"ids": [999]}}, "Run 999: not there"),
        ({"runs": {}}, "name a campaign"),
        ({"reviser": "teacher"}, "name the teacher"),
        ({"votes": 3, "temperature": 0}, "every vote is the same"),
    ],
)
def test_a_job_that_cannot_be_started_says_why(
    listening: Scripted, problem: Problem, changes: dict[str, Any], sentence: str
) -> None:
    run = failed_run(listening, problem)
    with pytest.raises(BadJob, match=r"(?i)" + sentence):
        start(run, **changes)
    assert Supervision.objects.count() == 0


def test_taking_an_acceptance_back_withdraws_the_example_and_bringing_it_back_restores_it(
    listening: Scripted, problem: Problem
) -> None:
    go_on(start(failed_run(listening, problem)))
    example = Example.objects.get()
    assert example.run is not None and example.step is not None
    said = review.accept(example.run, example.step, actor="anna")
    assert said is not None
    states = []
    for act in (lambda: None, lambda: review.undo(said, actor="anna")):
        act()
        examples.settle()
        example.refresh_from_db()
        states.append(example.state)
    assert states == [ExampleState.ACCEPTED, ExampleState.WITHDRAWN]
    assert examples.settle() == 0


def test_runs_that_are_queued_are_not_touched_by_a_cancelled_job(
    listening: Scripted, problem: Problem
) -> None:
    job = start(failed_run(listening, problem))
    assert lifecycle.cancel(job.pk)
    assert lifecycle.workable(job.pk) == []
    assert not work.work(case_of(job).pk, "test")
    assert lifecycle.resume(job.pk)
    go_on(job)
    assert case_of(job).state == CaseState.CORRECTED
    assert runs.cancel(case_of(job).run_id) is False


def test_the_case_of_the_older_job_comes_first(listening: Scripted, problem: Problem) -> None:
    first, second = (start(failed_run(listening, problem)) for _ in range(2))
    assert lifecycle.workable() == [case_of(first).pk, case_of(second).pk]
