"""The recipe's runs: the real strategy and the real judge, with staff that is right or wrong on purpose."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from micro import distillation, oracle
from micro.chain import Split
from micro.distillation import Pairs, blame
from micro.evaluation import Arm, paired, share, summary
from micro.habits import MISREADINGS
from micro.oracle_server import MODEL, reply_to
from micro.problem import MicroProblem, complete
from micro.prompting import Prompter, spec_of
from micro.remembering import Remembering
from micro.staff import MixedStaff, students, supervisor
from micro.trajectory import Trajectory
from micro.workbench import solve, solve_all
from solver.agents import retrieval
from solver.agents.brief import Brief
from solver.agents.languages import language
from solver.agents.prompts import Prompt
from solver.engines.protocol import (
    ChatReply,
    ChatRequest,
    ContextOverflow,
    EngineInfo,
    FinishReason,
    Message,
    Role,
    Usage,
)
from solver.judge import Judge


class Oracle:
    """Right in every role."""

    def answer(self, role: Role, prompt: Prompt) -> tuple[str, bool]:
        return reply_to(prompt.text), False


class Misreader(Oracle):
    """Right, except that the coder reads the input wrongly."""

    def answer(self, role: Role, prompt: Prompt) -> tuple[str, bool]:
        text, cut = super().answer(role, prompt)
        if role is Role.CODING:
            for source_code, wrong in _READERS:
                text = text.replace(source_code, wrong)
        return text, cut


class OracleEngine:
    """A served oracle without a server; counts what it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def chat(self, request: ChatRequest, **_: object) -> ChatReply:
        self.asked += 1
        text = reply_to(request.messages[-1].content)
        return ChatReply(text, FinishReason.STOP, Usage(1, 1), request.model, 0.0)

    def info(self) -> EngineInfo:
        return EngineInfo("oracle", "test", "oracle", True, (MODEL,))

    def close(self) -> None:
        pass


_READERS = [("n = int(input())\na = list", "a = list"), ("s = input().strip()", MISREADINGS["word"])]


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with Judge(slots=1) as judge:
        yield judge


@pytest.fixture(scope="module")
def problems() -> list[MicroProblem]:
    rng = random.Random(11)
    found: list[MicroProblem] = []
    while len(found) < 6:
        problem = complete(rng, 2, Split.TRAIN, 8)
        if problem.chain.source_name in ("list", "word") and "length" not in str(problem.chain):
            found.append(problem)
    return found


def test_a_right_team_needs_four_calls_and_passes_without_a_format_failure(
    judge: Judge, problems: list[MicroProblem]
) -> None:
    runs = solve_all(problems, lambda _: Oracle(), judge)
    for index, run in enumerate(runs):
        assert run.index == index
        assert [call.role for call in run.calls] == ["retrieval", "planning", "confidence", "coding"]
        assert run.passed
        assert run.first_passed
        assert run.strictly_passed


def test_a_repair_that_passes_is_told_from_a_first_program_that_passed(
    judge: Judge, problems: list[MicroProblem]
) -> None:
    run = solve(0, problems[0], Misreader(), judge)
    assert [call.role for call in run.calls][-1] == "debugging"
    assert run.passed
    assert not run.first_passed


def test_an_error_of_the_staff_reaches_the_caller(judge: Judge, problems: list[MicroProblem]) -> None:
    class Broken:
        def answer(self, role: Role, prompt: Prompt) -> tuple[str, bool]:
            raise OSError("the engine is gone")

    with pytest.raises(OSError, match="gone"):
        solve_all(problems, lambda _: Broken(), judge)


def test_the_teachers_passing_runs_become_pairs_for_three_agents(
    judge: Judge, problems: list[MicroProblem]
) -> None:
    pairs = distillation.teacher_trajectories(problems, OracleEngine(), judge, lambda *_: None)
    assert {agent: len(kept) for agent, kept in pairs.of.items()} == {
        "retrieval": 6,
        "planning": 12,
        "coding": 6,
        "debugging": 0,
    }
    prompt, answer = pairs.of["coding"][0]
    assert answer == oracle.coding(problems[0].chain)
    assert problems[0].statement.text in prompt


def test_drafts_hold_the_judges_own_report_and_the_right_repair(
    judge: Judge, problems: list[MicroProblem]
) -> None:
    pairs = distillation.drafts(problems, judge, "test", lambda *_: None)
    assert pairs.of["debugging"]
    for prompt, answer in pairs.of["debugging"]:
        assert "0 of 1 sample tests passed." in prompt or "does not compile" in prompt
        assert answer in {oracle.debugging(problem.chain) for problem in problems}


def test_the_first_agent_whose_answer_is_off_is_blamed(judge: Judge, problems: list[MicroProblem]) -> None:
    class BadPlanner(Oracle):
        def answer(self, role: Role, prompt: Prompt) -> tuple[str, bool]:
            return ("1. guess", False) if role is Role.PLANNING else super().answer(role, prompt)

    assert blame(problems[0], solve(0, problems[0], BadPlanner(), judge)) is Role.PLANNING
    assert blame(problems[0], solve(0, problems[0], Misreader(), judge)) is Role.CODING
    assert blame(problems[0], Trajectory(0)) is Role.PLANNING


def test_a_correction_keeps_the_agents_own_prompt_and_the_revised_answer_on_pass(
    judge: Judge, problems: list[MicroProblem], monkeypatch: pytest.MonkeyPatch
) -> None:
    misreader = Misreader()
    monkeypatch.setattr(distillation, "students", lambda engine, adapted: misreader)
    runs = solve_all(problems, lambda _: misreader, judge)
    pairs = distillation.corrections(problems, runs, OracleEngine(), judge, lambda *_: None)
    assert len(pairs.of["coding"]) == len(problems)
    assert pairs.counts["supervisor: replays passed"] == len(problems)
    for prompt, answer in pairs.of["coding"]:
        assert prompt.startswith("Write the Python 3 program.")
        assert answer == reply_to(prompt)


def test_only_the_roles_of_others_are_answered_by_them() -> None:
    staff = MixedStaff(Misreader(), {Role.DEBUGGING: supervisor})
    problem = complete(random.Random(2), 1, Split.TRAIN, 8)
    text = Prompter(problem).debugging("1. read", "x", "WA", "1")
    assert staff.answer(Role.DEBUGGING, Prompt(text, "", ""))[0] == oracle.debugging(problem.chain)


def test_a_question_is_asked_once_and_another_model_is_another_question() -> None:
    engine = OracleEngine()
    remembering = Remembering(engine)
    problem = complete(random.Random(2), 1, Split.TRAIN, 8)
    message = (Message("user", Prompter(problem).retrieval()),)
    for model in ("base", "base", "retrieval"):
        remembering.chat(ChatRequest(Role.RETRIEVAL, model, message))
    assert engine.asked == 2


def test_a_prompt_that_leaves_no_room_gets_an_empty_answer_that_counts_as_cut_off() -> None:
    class Full(OracleEngine):
        def chat(self, request: ChatRequest, **_: object) -> ChatReply:
            raise ContextOverflow("no room")

    prompt = Prompt("text", "", "")
    assert students(Full(), {}).answer(Role.DEBUGGING, prompt) == ("", True)


def test_a_constrained_staff_holds_answers_to_the_forms_of_their_prompts() -> None:
    class Listening(OracleEngine):
        def __init__(self) -> None:
            super().__init__()
            self.grammars: list[str | None] = []

        def chat(self, request: ChatRequest, **_: object) -> ChatReply:
            self.grammars.append(request.grammar)
            return super().chat(request)

    engine = Listening()
    problem = complete(random.Random(2), 1, Split.TRAIN, 8)
    prompt = retrieval.prompt(Brief(spec_of(problem), language("python"), "micro", 1))
    for constrained in (False, True):
        students(engine, {}, constrained).answer(Role.RETRIEVAL, prompt)
    assert engine.grammars[0] is None
    assert engine.grammars[1] is not None
    assert "algorithm" in engine.grammars[1]


def test_pairs_survive_the_disk(tmp_path: Path) -> None:
    pairs = Pairs()
    pairs.keep("coding", "teacher", "prompt", "answer")
    pairs.save(tmp_path / "pairs.json")
    again = Pairs.load(tmp_path / "pairs.json")
    again.extend(pairs)
    assert again.of["coding"] == [("prompt", "answer")] * 2
    assert again.counts == {"teacher: coding pairs": 2}


def test_the_summary_counts_what_the_runs_did(judge: Judge, problems: list[MicroProblem]) -> None:
    runs = solve_all(problems, lambda _: Misreader(), judge)
    told = summary(Arm("test", {}), problems, runs)
    assert told["pass_at_1"]["percent"] == 100.0
    assert told["before_repair"]["percent"] == 0.0
    assert told["plan_right"]["percent"] == told["tags_right"]["percent"] == 100.0
    assert told["code_right_given_plan"]["percent"] == 0.0
    assert told["bits"]["pass_at_1"] == "1" * len(problems)
    assert told["bits"]["code_right_given_plan"] == "0" * len(problems)


def test_a_share_has_wilsons_interval() -> None:
    assert share([True] * 14 + [False] * 92) == {"k": 14, "n": 106, "percent": 13.2, "low": 8.0, "high": 21.0}
    assert share([True, False]) == {"k": 1, "n": 2, "percent": 50.0, "low": 9.5, "high": 90.5}
    assert share([]) == {"k": 0, "n": 0, "percent": 0.0, "low": 0.0, "high": 100.0}


def test_the_paired_test_counts_the_problems_that_changed() -> None:
    assert paired("0011", "1101") == {"won": 2, "lost": 1, "p": 1.0}
    assert paired("0000000000", "1111111111")["p"] == pytest.approx(2 / 2**10)
    assert paired("01", "01") == {"won": 0, "lost": 0, "p": 1.0}
