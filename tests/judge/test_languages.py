"""The compiled and interpreted languages this machine has."""

from __future__ import annotations

from pathlib import Path

import pytest

import solver.judge.compiled
import solver.judge.watch
from solver.judge import Judge, Limits, Program, StdioTest, Task, Verdict, doctor
from solver.judge.cgroup import Delegated, find_delegated
from solver.judge.compiled import Build, BuildCache
from solver.judge.jail.bpf import ALLOW, Filter, refuse
from solver.judge.jail.kernel import ARCH, NR
from solver.judge.jail.native import unpack_archive
from solver.judge.languages import LANGUAGES, find_toolchain, main_class
from solver.judge.outcome import Kill
from solver.judge.slot import Slot
from solver.judge.watch import Run

_SUM = {
    "c": '#include <stdio.h>\nint main(void) { int a, b; scanf("%d %d", &a, &b); printf("%d\\n", a + b); }',
    "cpp": "#include <iostream>\nint main() { int a, b; std::cin >> a >> b; std::cout << a + b << std::endl; }",
    "java": "import java.util.*;\nclass Adder { public static void main(String[] x) { Scanner s = new Scanner(System.in);"
    " System.out.println(s.nextInt() + s.nextInt()); } }",
    "javascript": "const [a, b] = require('fs').readFileSync('/dev/stdin', 'utf8').split(' ').map(Number);\nconsole.log(a + b)",
    "go": 'package main\nimport "fmt"\nfunc main() { var a, b int; fmt.Scan(&a, &b); fmt.Println(a + b) }',
    "rust": "use std::io;\nfn main() { let mut s = String::new(); io::stdin().read_line(&mut s).unwrap();"
    ' println!("{}", s.split_whitespace().map(|x| x.parse::<i32>().unwrap()).sum::<i32>()); }',
    "csharp": "using System;\nclass P { static void Main() { var p = Console.ReadLine().Split(' ');"
    " Console.WriteLine(int.Parse(p[0]) + int.Parse(p[1])); } }",
    "kotlin": "fun main() { println(readLine()!!.split(' ').map { it.toInt() }.sum()) }",
    "php": '<?php [$a, $b] = explode(" ", trim(fgets(STDIN))); echo $a + $b, "\\n";',
    "ruby": "puts gets.split.map(&:to_i).sum",
}
_TASK = Task(
    (StdioTest("2 3\n", ("5\n",)), StdioTest("40 2\n", ("42\n",))),
    limits=Limits(cpu_s=3.0, idle_s=3.0, compile_s=60.0),
)


def test_there_is_a_program_for_every_language() -> None:
    assert _SUM.keys() | {"python"} == LANGUAGES.keys()


@pytest.mark.parametrize("language", _SUM)
def test_a_right_and_a_wrong_program_are_told_apart(judge: Judge, language: str) -> None:
    if find_toolchain(language) is None:
        pytest.skip(f"no toolchain for {language}")
    assert judge.judge(Program(_SUM[language], language), _TASK).verdict is Verdict.AC
    wrong = _SUM[language].replace("+ b", "- b").replace(".sum", ".max").replace("nextInt() +", "nextInt() -")
    wrong = wrong.replace("p[0]) +", "p[0]) -").replace("sum::<i32>()", "max().unwrap()")
    assert judge.judge(Program(wrong, language), _TASK).results[0].verdict in (
        Verdict.WA,
        Verdict.RE,
        Verdict.CE,
    )


def test_a_program_is_compiled_once_for_all_its_tests_and_again_only_when_it_changes(judge: Judge) -> None:
    if find_toolchain("c") is None:
        pytest.skip("no C compiler")
    cache = BuildCache(limit=10)
    cache.put("a", Build((("x", b"12345678"),)))
    cache.put("b", Build((("x", b"12345678"),)))
    assert cache.get("a") is None
    assert cache.get("b") is not None


def test_a_compile_error_carries_what_the_compiler_said(judge: Judge) -> None:
    if find_toolchain("c") is None:
        pytest.skip("no C compiler")
    report = judge.judge(Program("int main(void) { return x; }", "c"), _TASK)
    assert report.verdict is Verdict.CE
    assert "undeclared" in report.reason
    assert "undeclared" in report.compiler_output
    assert len(report.results) == 1


def test_a_compiler_that_got_no_processor_is_run_again_and_not_remembered(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    if find_toolchain("c") is None:
        pytest.skip("no C compiler")
    compiled: list[Run] = []

    def watch(slot: Slot, runs: list[Run]) -> None:
        really_watch(slot, runs)
        if runs[0].tree:
            compiled.append(runs[0])
            runs[0].outcome.killed = Kill.STARVED if len(compiled) == 1 else None

    really_watch = solver.judge.watch.watch
    monkeypatch.setattr(solver.judge.compiled, "watch", watch)
    source = _SUM["c"] + "/* once starved */"
    assert judge.judge(Program(source, "c"), _TASK).verdict is Verdict.AC
    assert len(compiled) == 2


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (b"public class Foo { }", "Foo"),
        (b"class A {} class B { public static void main(String[] x) {} }", "B"),
        (b"public final class Bar {}", "Bar"),
        (b"// nothing", "Main"),
    ],
)
def test_a_java_file_is_named_after_its_class(source: bytes, name: str) -> None:
    assert main_class(source) == name


@pytest.mark.parametrize(
    "data",
    [
        b"\x05",
        b"\x01\x00" + b"\xff" * 12 + b"a",
        b"\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00..",
    ],
)
def test_a_forged_archive_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="archive"):
        unpack_archive(data)


def test_the_doctor_lists_every_language_as_found_or_missing() -> None:
    found = doctor()
    assert len(found.languages) + len(found.missing) == len(LANGUAGES)
    assert found.to_dict()["level"] == found.level.value
    for probe in found.probes:
        assert probe.ok or probe.detail


def test_a_cgroup_is_used_where_it_is_delegated(tmp_path: Path) -> None:
    service = tmp_path / "service"
    (service / "main").mkdir(parents=True)
    (tmp_path / "cgroup.controllers").write_text("memory pids")
    (service / "cgroup.procs").write_text("")
    (service / "cgroup.subtree_control").write_text("memory pids\n")
    own = tmp_path / "own"
    own.write_text("0::/service/main\n")
    found = find_delegated((str(tmp_path),), str(own))
    assert found == Delegated(str(service))
    group = found.make("judge-1", 1 << 20)
    assert (Path(group.path) / "memory.max").read_text() == str(1 << 20)
    (Path(group.path) / "memory.events").write_text("low 0\noom_kill 2\n")
    assert group.kills() == 2


def test_a_cgroup_that_is_not_delegated_is_told_with_the_reason(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("0::/service/main\n")
    assert find_delegated((str(tmp_path),), str(own)) == "no cgroup version 2 is mounted"
    (tmp_path / "cgroup.controllers").write_text("")
    (tmp_path / "service").mkdir()
    (tmp_path / "service" / "cgroup.subtree_control").write_text("pids\n")
    reason = find_delegated((str(tmp_path),), str(own))
    assert isinstance(reason, str)
    assert "does not hand memory" in reason


def _run_filter(code: bytes, number: int, arguments: tuple[int, ...] = (), arch: int = ARCH.audit) -> int:
    """A classic-BPF machine with the four instructions a seccomp filter of ours has."""
    data = number.to_bytes(4, "little") + arch.to_bytes(4, "little") + bytes(8)
    data += b"".join(value.to_bytes(8, "little") for value in (*arguments, *[0] * 6)[:6])
    accumulator = at = 0
    while True:
        operation, jt, jf = int.from_bytes(code[at : at + 2], "little"), code[at + 2], code[at + 3]
        k = int.from_bytes(code[at + 4 : at + 8], "little")
        at += 8
        match operation:
            case 0x20:
                accumulator = int.from_bytes(data[k : k + 4], "little")
            case 0x54:
                accumulator &= k
            case 0x15:
                at += 8 * (jt if accumulator == k else jf)
            case 0x35:
                at += 8 * (jt if accumulator >= k else jf)
            case 0x05:
                at += 8 * k
            case 0x06:
                return k


def test_a_filter_does_to_every_call_what_its_table_says() -> None:
    built = Filter(refuse(38)).set("read write openat kill exit_group", ALLOW).set("mount", refuse(1))
    built.rule("clone", 0, 0x10000, 0x10000, ALLOW)
    code = built.assemble()
    allowed = {NR[name] for name in ("read", "write", "openat", "kill", "exit_group")}
    for number in range(600):
        wanted = ALLOW if number in allowed else refuse(1) if number == NR["mount"] else refuse(38)
        assert _run_filter(code, number) == wanted
    assert _run_filter(code, NR["clone"], (0x50000,)) == ALLOW
    assert _run_filter(code, NR["clone"], (17,)) == refuse(38)
    assert _run_filter(code, NR["read"], arch=0x40000003) == 0x80000000
    if ARCH.has_x32:
        assert _run_filter(code, 0x40000000 + NR["read"]) == 0x80000000
