"""Limits are kept to the millisecond of CPU, whatever else the machine does; big and odd inputs are no exception."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from solver.judge import Judge, Limits, Program, StdioTest, Task, TestResult, Verdict, memfiles, steal
from solver.judge.errors import SlotLost
from solver.judge.jail.spec import Tag, Usage
from solver.judge.listener import Calls, Listener
from solver.judge.outcome import Bounds, Kill
from solver.judge.slot import Record
from solver.judge.watch import Run

Verdicts = Callable[..., list[Verdict]]


def _one(judge: Judge, source: str, given: str = "", wanted: str = "", **limits: float) -> TestResult:
    task = Task((StdioTest(given, (wanted,)),), limits=Limits(**limits))  # type: ignore[arg-type]
    return judge.judge(Program(source), task).results[0]


@pytest.mark.parametrize("cpu_s", [0.1, 0.5])
def test_a_busy_loop_gets_at_most_20_ms_more_than_its_limit(judge: Judge, cpu_s: float) -> None:
    """The best of some tries: the judge cannot look in time while it has no processor itself."""
    over: list[float] = []
    while not over or (min(over) > 0.020 and len(over) < 20):
        result = _one(judge, "while True:\n    pass", cpu_s=cpu_s)
        assert (result.verdict, result.reason) == (Verdict.TLE, "cpu")
        over.append(result.cpu_s - cpu_s)
    assert all(more > 0 for more in over)
    assert min(over) <= 0.020, over


def test_a_program_that_needs_less_than_its_limit_passes_beside_busy_processes(judge: Judge) -> None:
    """Wall time is several times the limit here; CPU time is not."""
    source = (
        "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end:\n    pass\nprint(1)"
    )
    busy = [subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"]) for _ in range(8)]
    try:
        result = _one(judge, source, wanted="1", cpu_s=0.6, idle_s=0.3)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    assert result.verdict is Verdict.AC
    assert 0.3 <= result.cpu_s < 0.6


class Child:
    """A process of the test's own and the run that watches it; the judge's part of a slot without its jail."""

    def __init__(self, source: str, *, idle_s: float) -> None:
        self.process = subprocess.Popen([sys.executable, "-S", "-c", source], stdin=subprocess.PIPE)
        self.run = Run(1, Bounds(cpu_s=60.0, idle_s=idle_s, memory=1 << 30, output=1 << 20), Calls())
        self.run.pid = self.process.pid
        self.run.pidfd = os.pidfd_open(self.process.pid)

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()
        self.run.close()

    def state(self) -> str:
        return Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0]

    def until(self, met: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not met():
            assert time.monotonic() < deadline
            time.sleep(0.005)


_BURN = "import time\nwhile time.process_time() < 0.3: pass\n"


@pytest.mark.parametrize("reaped", [False, True])
def test_a_program_that_has_ended_is_not_idle_while_its_end_is_not_yet_reported(reaped: bool) -> None:
    """It used more CPU time than it may idle; on a busy machine its parent comes late to report it."""
    with Child(_BURN, idle_s=0.1) as child:
        child.until(lambda: child.run.cpu_used() > 0.25)
        child.until(lambda: child.state() == "Z")
        if reaped:
            child.process.wait()
        for later in (0.0, 0.2, 5.0):
            child.run.check(time.monotonic() + later)
        assert child.run.outcome.killed is None
        assert child.run.cpu_used() > 0.25
        late = time.monotonic() + 60
        child.run.check(late)  # what came while the judge itself was late is read after this look
        with pytest.raises(SlotLost, match="nothing said how a run ended"):
            for _ in range(100):
                child.run.check(late)


def test_a_program_that_waits_for_a_processor_at_this_moment_is_not_idle() -> None:
    """The scheduler counts a wait only when it is over, so a long one is not in its books yet."""
    with Child("while True: pass", idle_s=0.1) as child:
        child.run.check(time.monotonic() + 5.0)
        assert child.run.outcome.killed is None
    with Child("input()", idle_s=0.1) as child:
        child.until(lambda: child.state() == "S")
        child.run.check(time.monotonic() + 5.0)
        assert child.run.outcome.killed is Kill.IDLE


def test_a_killed_run_has_its_last_record_read_before_it_is_given_up() -> None:
    with Child("input()", idle_s=0.1) as child:
        child.run.kill(Kill.CPU)
        late = time.monotonic() + 60
        assert 0 < child.run.check(late) <= 1.0
        child.run.take(Record(Tag.EXIT, 1, Usage(9, 61.0, 0.0, 1000, 0).pack(), [], 0))
        assert child.run.finished


def test_a_program_that_waits_for_the_judge_s_own_answer_is_not_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, asks = os.pipe()
    with Child("input()", idle_s=0.1) as child, memfiles.closing(asked, asks):
        child.until(lambda: child.state() == "S")
        child.run.asks.append(asked)
        os.write(asks, b"?")
        start = time.monotonic()
        child.run.asked_nothing(start)
        child.run.check(start + 5.0)
        assert child.run.outcome.killed is None
        os.read(asked, 1)
        with monkeypatch.context() as late:
            late.setattr("solver.judge.watch.time.monotonic", lambda: start + 5.0)
            child.run.was_answered()
        child.run.check(start + 5.05)
        assert child.run.outcome.killed is None
        child.run.check(start + 6.0)
        assert child.run.outcome.killed is Kill.IDLE


def test_a_judge_that_answers_late_makes_no_program_idle(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = Listener.answer

    def late(listener: Listener, run: Run, event: int) -> None:
        time.sleep(1.0)
        answer(listener, run, event)

    monkeypatch.setattr(Listener, "answer", late)
    source = "import os, time\nos.kill(os.getpid(), 0)\ntime.sleep(0.2)\nprint(1)"
    task = Task((StdioTest("", ("1",)),) * 2, limits=Limits(idle_s=0.6))
    for tests in (task, Task(task.tests[:1], limits=task.limits)):  # in a template's fork and alone
        report = judge.judge(Program(source), tests)
        assert [(r.verdict, r.reason) for r in report.results] == [(Verdict.AC, "")] * len(tests.tests)


def test_a_program_whose_partner_has_yet_to_start_is_not_idle() -> None:
    with Child("input()", idle_s=0.5) as child, Child("input()", idle_s=9.0) as other:
        for one in (child, other):
            one.until(lambda one=one: one.state() == "S")  # type: ignore[misc]
        partner = Run(2, other.run.bounds, Calls())
        child.run.partners.append(partner)
        partner.partners.append(child.run)
        child.run.check(time.monotonic() + 5.0)
        assert child.run.outcome.killed is None
        start = child.run._started = time.monotonic() - 5.0  # it has waited for the partner for so long
        child.run._idle_from = start
        partner.take(Record(Tag.HELLO, 2, b"", [os.pidfd_open(other.process.pid)], other.process.pid))
        child.run.check(time.monotonic())
        assert child.run.outcome.killed is None
        child.run.check(time.monotonic() + 5.0)
        partner.close()
        assert child.run.outcome.killed is Kill.IDLE


def test_a_compiler_is_idle_when_its_processes_do_nothing_at_a_stretch() -> None:
    """What its short processes waited for a processor is in nobody's books once they have ended."""
    with Child(f"{_BURN}input()", idle_s=0.5) as child:
        child.run.tree = True
        child.until(lambda: child.run.cpu_used() >= 0.2 and child.state() == "S")
        start = time.monotonic()
        child.run.check(start + 5.0)
        child.run.check(start + 5.1)
        assert child.run.outcome.killed is None
        child.run.check(start + 9.0)
        assert child.run.outcome.killed is Kill.IDLE


@pytest.mark.parametrize("shim", [False, True])
def test_a_run_that_could_not_be_forked_has_finished(shim: bool) -> None:
    run = Run(1, Bounds(cpu_s=1.0, idle_s=1.0, memory=1 << 30, output=1 << 20), Calls(), shim=shim)
    run.take(Record(Tag.FAILED, 1, b"fork: Resource temporarily unavailable", [], 0))
    assert run.finished and run.outcome.failed


def test_time_the_hypervisor_took_is_not_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    stolen = [(0, 0)]
    monkeypatch.setattr(steal, "read", lambda: stolen[0])
    monkeypatch.setattr(steal, "now", lambda: stolen[0])
    with Child("input()", idle_s=2.0) as child:
        child.until(lambda: child.state() == "S")
        stolen[0] = (100, 400)
        child.run.check(time.monotonic() + 5.0)
        assert child.run.outcome.killed is None
        child.run.check(time.monotonic() + 7.0)
        assert child.run.outcome.killed is Kill.IDLE


def test_the_kernel_tells_for_each_processor_what_the_hypervisor_took() -> None:
    assert len(steal.read()) == os.cpu_count()
    assert 0.0 <= steal.since(steal.now()) < 60.0
    assert steal.since(()) == 0.0


def test_sleep_counts_as_idle_and_not_as_cpu(judge: Judge) -> None:
    short = _one(judge, "import time\ntime.sleep(0.2)\nprint(1)", wanted="1", cpu_s=0.2, idle_s=2.0)
    assert short.verdict is Verdict.AC
    assert short.cpu_s < 0.1
    assert _one(judge, "import time\ntime.sleep(9)", idle_s=0.3).reason == "idle"


def test_a_program_that_keeps_asking_for_what_it_may_not_do_is_idle_in_between(judge: Judge) -> None:
    source = """import os, time
while True:
    time.sleep(0.008)
    try:
        os.fork()
    except OSError:
        pass
"""
    result = _one(judge, source, cpu_s=2.0, idle_s=0.3)
    assert (result.verdict, result.reason) == (Verdict.TLE, "idle")


def test_a_64_mb_input_is_read_in_bounded_memory(judge: Judge) -> None:
    rows = "1234567\n" * (8 << 20)
    result = _one(
        judge,
        "import sys\nprint(sum(1 for _ in sys.stdin.buffer))",
        rows,
        str(8 << 20),
        cpu_s=10.0,
        memory_mb=64,
    )
    assert result.verdict is Verdict.AC
    assert result.memory_mb < 40


def test_ten_megabytes_of_source_get_a_verdict(judge: Judge) -> None:
    result = _one(judge, "x = '" + "y" * (10 << 20) + "'\nprint(len(x))", wanted=str(10 << 20), cpu_s=10.0)
    assert result.verdict is Verdict.AC


def test_the_empty_program_prints_nothing(judge: Judge) -> None:
    assert _one(judge, "").verdict is Verdict.AC
    assert _one(judge, "", wanted="1").verdict is Verdict.WA


@pytest.mark.parametrize("wanted", [Verdict.AC])
def test_inputs_with_crlf_marks_and_text_of_all_planes_arrive(verdicts: Verdicts, wanted: Verdict) -> None:
    echo = "import sys\nprint(ascii(sys.stdin.read()))"
    assert verdicts(echo, ("a\r\nb\rc\n", ascii("a\nb\nc\n"))) == [wanted]
    assert verdicts(echo, ("\ufeffé\u4e2d\U0001f600\n", ascii("\ufeffé\u4e2d\U0001f600\n"))) == [wanted]
    assert verdicts("print('é\u4e2d\U0001f600')", ("", "é\u4e2d\U0001f600")) == [wanted]


def test_bytes_that_are_no_text_pass_through(judge: Judge) -> None:
    result = _one(
        judge, "import sys\nsys.stdout.write(sys.stdin.read())", "\udcff\udc80x\n", "\udcff\udc80x", cpu_s=1.0
    )
    assert result.verdict is Verdict.AC


def test_output_at_the_limit_is_over_it_even_when_the_program_then_loops(judge: Judge) -> None:
    result = _one(
        judge,
        "import sys\nsys.stdout.write('x' * 5000)\nsys.stdout.flush()\nwhile True:\n    pass",
        output_kb=4,
        cpu_s=0.3,
    )
    assert result.verdict is Verdict.OLE


def test_memory_is_the_peak_and_not_the_end(judge: Judge) -> None:
    result = _one(judge, "x = b'x' * (100 << 20)\ndel x\nprint(1)", wanted="1", memory_mb=64)
    assert result.verdict is Verdict.MLE
    small = _one(judge, "x = b'x' * (40 << 20)\nprint(1)", wanted="1", memory_mb=64)
    assert small.verdict is Verdict.AC
    assert 50 <= small.memory_mb <= 64


def test_a_test_finds_no_trace_of_the_one_before(judge: Judge) -> None:
    source = "import builtins\nbuiltins.seen = getattr(builtins, 'seen', 0) + 1\nprint(builtins.seen)"
    task = Task(tuple(StdioTest("", ("1",)) for _ in range(5)))
    assert judge.judge(Program(source), task).passed == 5


def test_early_stop_leaves_the_rest_out(judge: Judge) -> None:
    task = Task(tuple(StdioTest(f"{i}", (f"{min(i, 1)}",)) for i in range(5)))
    told: list[int] = []
    report = judge.judge(
        Program("print(input())"), task, stop_on_first_failure=True, on_result=lambda r: told.append(r.index)
    )
    assert [result.verdict for result in report.results] == [Verdict.AC, Verdict.AC, Verdict.WA]
    assert told == [0, 1, 2]
    assert (report.passed, report.total) == (2, 5)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cpu_s", 0),
        ("cpu_s", float("nan")),
        ("idle_s", -1),
        ("memory_mb", 3),
        ("output_kb", 0),
        ("scratch_mb", -1),
    ],
)
def test_an_impossible_limit_is_refused_with_its_name(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"Limits.{field}"):
        Limits(**{field: value})  # type: ignore[arg-type]


def test_profiles_differ_where_the_harnesses_do(judge: Judge) -> None:
    def verdict(source: str, wanted: str, profile: str) -> Verdict:
        return judge.judge(Program(source), Task((StdioTest("1", (wanted,)),)), profile=profile).verdict

    assert verdict("assert False\nprint(1)", "1", "execeval") is Verdict.AC
    assert verdict("assert False\nprint(1)", "1", "strict") is Verdict.RE
    assert verdict("print('nan')", "3", "execeval") is Verdict.AC
    assert verdict("print('nan')", "3", "strict") is Verdict.WA
    assert verdict("print(1)\nexit()", "1", "execeval") is Verdict.RE
    assert verdict("print(1)\nexit()", "1", "strict") is Verdict.AC
    with pytest.raises(ValueError, match="unknown profile"):
        verdict("", "", "lenient")


@pytest.mark.slow
def test_a_thousand_judgements_under_load_change_no_verdict() -> None:
    from benchmarks.judge import _changes_under_load

    with Judge() as own:
        changes, _ = _changes_under_load(own, 1000, 10)
    assert changes == 0


def test_a_suite_of_time_outs_is_given_up_after_a_few_with_the_same_verdict(judge: Judge) -> None:
    source = "n = input()\nwhile n != '0':\n    pass\nprint(0)"
    tests = [StdioTest(given, ("0",)) for given in ("0", "1", "2", "0", "3", "4")]
    task = Task(tuple(tests), limits=Limits(cpu_s=0.1))
    report = judge.judge(Program(source), task, most_time_outs=2)
    assert (report.verdict, report.passed, report.total) == (Verdict.TLE, 1, 6)
    assert [result.verdict.value for result in report.results] == ["AC", "TLE", "TLE"]
    assert report.flags == ("stopped_at_time_outs=3 tests not run",)
    whole = judge.judge(Program(source), task)
    assert (whole.verdict, len(whole.results), whole.flags) == (report.verdict, 6, ())
