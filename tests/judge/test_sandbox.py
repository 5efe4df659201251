"""What must hold whatever a program does: nothing stays behind, nothing leaks, nobody else is disturbed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from solver.judge import (
    Judge,
    JudgeError,
    LanguageUnavailable,
    Level,
    Limits,
    Program,
    Report,
    SandboxUnavailable,
    StdioTest,
    Task,
    Verdict,
)
from solver.judge.attack import leftovers
from solver.judge.batch import Template
from solver.judge.languages import LANGUAGES, find_toolchain
from solver.judge.outcome import Kill, Outcome
from solver.judge.pool import SlotKind

_ROOT = Path(__file__).parents[2]
_SUM = "print(sum(map(int, input().split())))"
_TASK = Task((StdioTest("2 3\n", ("5\n",)),), limits=Limits(cpu_s=0.5, idle_s=0.5))
_MANY = Task(tuple(StdioTest(f"{i} 1\n", (f"{i + 1}\n",)) for i in range(20)), limits=_TASK.limits)


def _wait_until_gone(owner: int, seconds: float = 60.0) -> list[int]:
    deadline = time.monotonic() + seconds
    while (left := leftovers(owner)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


_OWNER = """
import sys
from solver.judge import *
judge = Judge(slots=2)
task = Task((StdioTest("", ("",)),), limits=Limits(cpu_s=600, idle_s=600))
import threading
for _ in range(2):
    threading.Thread(target=judge.judge, args=(Program({source!r}), task), daemon=True).start()
import time
from solver.judge.attack import leftovers
while len(leftovers()) < 2:
    time.sleep(0.02)
time.sleep(0.5)
print("ready", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("source", ["while True:\n    pass", "import time\ntime.sleep(60)"])
@pytest.mark.parametrize("forks", [False, True])
def test_nothing_is_left_running_after_kill_9_of_the_owner(source: str, forks: bool) -> None:
    """`forks`: a child of the owner holds copies of its descriptors, as a prefork worker's would."""
    code = _OWNER.format(source=source)
    if forks:
        code = code.replace(
            'print("ready"',
            'import os\nif os.fork() == 0:\n    time.sleep(600)\n    os._exit(0)\nprint("ready"',
        )
    owner = subprocess.Popen(
        [sys.executable, "-c", code], cwd=_ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "ready\n"
    assert leftovers(owner.pid)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    assert _wait_until_gone(owner.pid) == []
    if forks:
        os.killpg(owner.pid, signal.SIGKILL)


def test_closing_a_judge_leaves_nothing_behind() -> None:
    before = set(leftovers())
    with Judge(slots=2) as judge:
        assert judge.judge(Program(_SUM), _TASK).verdict is Verdict.AC
        running = set(leftovers()) - before
    assert running
    deadline = time.monotonic() + 60
    while running & set(leftovers()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not running & set(leftovers())


def test_closing_a_judge_whose_sandbox_its_user_has_just_closed_is_no_error() -> None:
    with Judge(slots=1) as own:
        pool = own._ready()
        with pool.slot(SlotKind.PYTHON) as slot:
            slot.close()
            pool.close()


def test_a_test_judged_again_after_a_fault_of_the_judge_is_told_once_and_as_it_was_decided(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One starved run of the first attempt, in the middle; then one in both attempts."""

    def told(faults: set[int]) -> list[Verdict]:
        seen: list[Verdict] = []
        runs = iter(range(100))
        run_test = Template.run

        def starved(template: Template, stdin: int, extra: tuple[int, ...] = ()) -> Outcome:
            outcome = run_test(template, stdin, extra)
            if next(runs) in faults:
                outcome.killed = Kill.STARVED
            return outcome

        with monkeypatch.context() as patch:
            patch.setattr(Template, "run", starved)
            task = Task(_MANY.tests[:3], limits=_TASK.limits)
            report = judge.judge(Program(_SUM), task, on_result=lambda result: seen.append(result.verdict))
        assert seen == [result.verdict for result in report.results]
        return seen

    assert told({1}) == [Verdict.AC] * 3
    assert told({1, 4}) == [Verdict.AC, Verdict.IE, Verdict.AC]


def test_a_killed_sandbox_is_replaced_and_the_program_judged_again() -> None:
    before = set(leftovers())
    with Judge(slots=1) as own:
        assert own.judge(Program(_SUM), _TASK).verdict is Verdict.AC
        for pid in set(leftovers()) - before:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert own.judge(Program(_SUM), _TASK).verdict is Verdict.AC


def test_two_judges_at_once_do_not_meet() -> None:
    with Judge(slots=1) as one, Judge(slots=1) as other:
        for _ in range(3):
            assert one.judge(Program(_SUM), _TASK).verdict is Verdict.AC
            assert other.judge(Program(_SUM), _TASK).verdict is Verdict.AC


def test_two_runs_at_once_cannot_see_each_other(judge: Judge) -> None:
    """Both look for other processes and for files of the other for a while; each sees itself alone."""
    look = """
import os, time
seen = set()
for _ in range(20):
    try:
        seen |= {name for name in os.listdir("/proc") if name.isdigit()}
    except OSError:
        pass
    time.sleep(0.01)
print(len(seen) <= 1, os.listdir("."))
"""
    task = Task((StdioTest("", ("True []\n",)),), limits=Limits(cpu_s=2, idle_s=2, scratch_mb=1))
    if judge.isolation.level < Level.L2:
        pytest.skip("needs namespaces")
    assert [report.verdict for report in judge.judge_many([(Program(look), task)] * 4)] == [Verdict.AC] * 4


def test_threads_share_a_judge(judge: Judge) -> None:
    reports = list(judge.judge_many([(Program(_SUM), _MANY), (Program("print(1)"), _MANY)] * 6))
    assert [report.verdict for report in reports] == [Verdict.AC, Verdict.WA] * 6
    assert [report.passed for report in reports] == [20, 1] * 6


async def test_a_coroutine_may_judge(judge: Judge) -> None:
    reports = await asyncio.gather(*(judge.ajudge(Program(_SUM), _TASK) for _ in range(4)))
    assert {report.verdict for report in reports} == {Verdict.AC}


def test_a_forked_child_must_make_its_own_judge(judge: Judge) -> None:
    judge.judge(Program(_SUM), _TASK)
    pid = os.fork()
    if pid == 0:
        try:
            judge.judge(Program(_SUM), _TASK)
        except JudgeError:
            os._exit(7)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert judge.judge(Program(_SUM), _TASK).verdict is Verdict.AC


def test_secrets_of_the_owner_do_not_reach_the_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_API_KEY", "sk-not-for-programs")
    with Judge(slots=1) as own:
        own.judge(Program(_SUM), _TASK)
        for pid in leftovers():
            assert b"sk-not-for-programs" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_a_level_below_the_floor_is_refused() -> None:
    python = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else None
    with (
        pytest.raises(SandboxUnavailable, match=r"L2 is the floor|no isolation"),
        Judge(min_level=Level.L2, level=Level.L1, python=python) as weak,
    ):
        weak.judge(Program(_SUM), _TASK)


def test_a_language_without_a_toolchain_is_named(judge: Judge) -> None:
    missing = [key for key in LANGUAGES if key != "python" and find_toolchain(key) is None]
    if not missing:
        pytest.skip("every language is installed here")
    with pytest.raises(LanguageUnavailable, match="not found on this machine"):
        judge.judge(Program("x", missing[0]), _TASK)


def test_a_report_survives_json(judge: Judge) -> None:
    report = judge.judge(Program("print('\\udcff', end='')\nprint(3)"), _MANY)
    again = Report.from_dict(report.to_dict())
    assert again.to_dict() == report.to_dict()
    assert again.environment.level is judge.isolation.level


def test_the_environment_of_a_verdict_is_recorded(judge: Judge) -> None:
    environment = judge.judge(Program(_SUM), _TASK).environment
    assert environment.level is judge.isolation.level
    assert environment.profile == "strict"
    assert len(environment.policy) == len(environment.interpreter_hash) == 16
    assert environment.kernel.startswith("Linux")
