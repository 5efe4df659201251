"""Problem packages: what is in them, what is refused, and that a framed validator judges as the format says."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from solver.judge import checker_from_spec
from tests.importers.files import read_all, read_clean, read_one
from trajectories.importers import Bounds, ImportReport
from trajectories.problem_schema import ProblemSpec, StdioTest

PYTHON_VALIDATOR = """from __future__ import annotations
import sys
wanted = int(open(sys.argv[2]).read())
slack = int(sys.argv[4]) if len(sys.argv) > 4 else 0
try:
    got = int(sys.stdin.readline())
except ValueError:
    with open(sys.argv[3] + "judgemessage.txt", "w") as message:
        message.write("no number")
    sys.exit(43)
assert got < 1000, "the validator breaks down"
sys.exit(42 if abs(got - wanted) <= slack else 43)
"""
CPP_VALIDATOR = """#include "lib/answer.h"
#include <iostream>
int main(int argc, char **argv) {
    int got, wanted = answer(argv[2]), slack = argc > 4 ? atoi(argv[4]) : 0;
    if (!(std::cin >> got)) return 43;
    if (got >= 1000) return 0;
    return abs(got - wanted) <= slack ? 42 : 43;
}
"""
CPP_HEADER = """#pragma once
#include <cstdlib>
#include <fstream>
inline int answer(const char *name) { int n; std::ifstream(name) >> n; return n; }
"""
FILES = {
    "problem.yaml": "name: Sum\nlicense: cc by-sa\nrights_owner: A. Writer\nlimits:\n  memory: 512\n",
    "problem_statement/problem.en.tex": r"""%% plainproblemname: Sum
\problemname{Sum$^1$}
Add two numbers. % not three
\section*{Input}
Two integers.
\section*{Output}
Their sum, in \% of one hundredth.
\section*{Scoring}
None.
""",
    "data/sample/1.in": "1 2\n",
    "data/sample/1.ans": "3\n",
    "data/secret/b.in": "4 5\n",
    "data/secret/b.ans": "9\n",
    "data/secret/a.in": "2 2\n",
    "data/secret/a.ans": "4\n",
    "submissions/accepted/sum.py": "print(sum(map(int, input().split())))\n",
}


def package(root: Path, **changes: str | None) -> Path:
    """`FILES` with changes; None leaves a file out."""
    for name, text in (FILES | changes).items():
        if text is not None:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return root


def only_fault(path: Path) -> tuple[str, str]:
    specs, report = read_all(path)
    assert specs == [] and len(report.faults) == 1, report.faults
    fault = report.faults[0]
    return fault.member or "", f"{fault.field} {fault.problem}"


def test_a_legacy_package_is_a_problem(tmp_path: Path) -> None:
    spec = read_one(package(tmp_path / "sum"))
    assert (spec.id, spec.title, spec.licence) == ("kattis/sum", "Sum", "CC-BY-SA-4.0, A. Writer")
    assert spec.statement == "Add two numbers. \n\\section*{Scoring}\nNone."
    assert (spec.input_spec, spec.output_spec) == ("Two integers.", r"Their sum, in \% of one hundredth.")
    assert [(one.input, one.output) for one in spec.samples] == [("1 2\n", "3\n")]
    assert spec.tests == (
        StdioTest(input="2 2\n", outputs=("4\n",), group="secret"),
        StdioTest(input="4 5\n", outputs=("9\n",), group="secret"),
    )
    assert (spec.checker, spec.memory_limit_mb) == ({"type": "kattis", "flags": []}, 512)
    assert spec.reference_solution == FILES["submissions/accepted/sum.py"]


def test_a_package_of_the_newer_format_is_a_problem(tmp_path: Path) -> None:
    new = {
        "problem.yaml": "problem_format_version: 2025-09\nname: {sv: Summa, en: Sum}\nuuid: 1-2\n"
        "type: [pass-fail]\nkeywords: [math, easy]\nlimits: {time_limit: 1.5}\nconstants: {most: 90}\n",
        "problem_statement/problem.en.tex": None,
        "statement/problem.sv.md": "Addera.",
        "statement/problem.en.md": "Add up to {{most}} and {{other}}.\n\n## Input\n\nNumbers.\n",
        "data/secret/test_group.yaml": "output_validator_args: [float_tolerance, 1e-6]\n",
    }
    spec = read_one(package(tmp_path / "sum", **new))
    assert (spec.title, spec.statement, spec.input_spec) == ("Sum", "Add up to 90 and {{other}}.", "Numbers.")
    assert (spec.tags, spec.time_limit_s) == (("math", "easy"), 1.5)
    assert spec.checker == {"type": "kattis", "flags": ["float_tolerance", "1e-6"]}
    assert spec.extra["constants"] == {"most": 90}
    assert spec.extra["groups"]["data/secret"] == {"output_validator_args": ["float_tolerance", "1e-6"]}


def test_tests_in_folders_belong_to_groups(tmp_path: Path) -> None:
    grouped = {
        "problem.yaml": FILES["problem.yaml"] + "type: scoring\n",
        "data/secret/one/1.in": "1 1\n",
        "data/secret/one/1.ans": "2\n",
        "data/secret/one/testdata.yaml": "accept_score: 30\n",
    }
    spec = read_one(package(tmp_path / "sum", **grouped))
    assert [test.group for test in spec.tests if isinstance(test, StdioTest)] == ["secret", "secret", "one"]
    assert spec.extra["groups"] == {"data/secret/one": {"accept_score": 30}}
    assert spec.quirks == ("scoring",)


def test_a_statement_shows_its_own_samples_where_it_has_them(tmp_path: Path) -> None:
    shown = {"data/sample/1.in.statement": "1 2 ...\n", "data/sample/1.out": "3 or so\n"}
    (sample,) = read_one(package(tmp_path / "sum", **shown)).samples
    assert (sample.input, sample.output) == ("1 2 ...\n", "3 or so\n")


@pytest.mark.parametrize(
    ("name", "text", "seconds"),
    [(".timelimit", "3\n", 3.0), ("domjudge-problem.ini", "timelimit='2.5'\n", 2.5)],
)
def test_time_limits_beside_the_format_are_read(tmp_path: Path, name: str, text: str, seconds: float) -> None:
    assert read_one(package(tmp_path / "sum", **{name: text})).time_limit_s == seconds


def test_many_packages_are_read_from_one_directory(tmp_path: Path) -> None:
    package(tmp_path / "contest" / "a")
    package(tmp_path / "contest" / "b", **{"data/secret/a.ans": None})
    specs, report = read_all(tmp_path)
    assert [spec.id for spec in specs] == ["kattis/a"]
    assert [fault.member for fault in report.faults] == ["contest/b/data/secret/a.in"]


def zipped(target: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return target


@pytest.mark.parametrize("folder", ["", "sum/"])
def test_a_zip_archive_is_read_where_it_lies(tmp_path: Path, folder: str) -> None:
    path = zipped(tmp_path / "sum.zip", {folder + name: text for name, text in FILES.items()})
    assert read_one(path) == read_one(package(tmp_path / "sum"))


@pytest.mark.parametrize("name", ["../../evil.in", "/etc/evil", "C:/evil", "a/../../../evil", "..\\evil"])
def test_an_archive_that_leaves_its_root_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    path = zipped(tmp_path / "in" / "sum.zip", FILES | {name: "x"})
    assert "leaves the archive" in only_fault(path)[1]
    assert [entry.name for entry in tmp_path.rglob("*evil*")] == []


def test_links_and_secrets_in_an_archive_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("data/secret/link.in")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = zipped(tmp_path / "link.zip", FILES)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "symbolic link" in only_fault(path)[1]


def test_links_in_a_directory_are_not_followed(tmp_path: Path) -> None:
    root = package(tmp_path / "sum")
    (tmp_path / "outside.ans").write_text("secret of the machine")
    (root / "data/secret/b.ans").unlink()
    (root / "data/secret/b.ans").symlink_to(tmp_path / "outside.ans")
    assert only_fault(root) == ("data/secret/b.in", " has no answer file")


def test_a_member_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "sum.zip", FILES | {"data/secret/a.in": "0" * 5_000_000})
    report: ImportReport
    specs, report = read_all(path, bounds=Bounds(text=1_000_000))
    assert specs == []
    assert report.faults[0].member == "data/secret/a.in"
    assert "longer than" in report.faults[0].problem
    _, report = read_all(path, bounds=Bounds(file=1_000_000))
    assert "unpacks to" in report.faults[0].problem
    _, report = read_all(path, bounds=Bounds(members=3))
    assert "more than 3 files" in report.faults[0].problem


ALIASES = "a: &a [x, x, x]\nb: &b [*a, *a, *a]\nname: [*b, *b]\n"


@pytest.mark.parametrize(
    ("changes", "member", "problem"),
    [
        ({"problem.yaml": "name: [unclosed\n"}, "problem.yaml", "is not YAML in line 2"),
        ({"problem.yaml": "- a list\n"}, "problem.yaml", "is not a mapping"),
        ({"problem.yaml": ALIASES}, "problem.yaml", "YAML aliases"),
        ({"problem.yaml": "name: !!python/object/apply:os.system [id]\n"}, "problem.yaml", "is not YAML"),
        ({"problem.yaml": "type: multi-pass\n"}, "", "type is multi-pass"),
        ({"problem.yaml": "limits: {time_limit: soon}\n"}, "", "limits.time_limit is 'soon'"),
        ({"problem.yaml": "validator_flags: loosely\n"}, "problem.yaml", "'loosely' is none of"),
        ({"problem.yaml": "validator_flags: float_tolerance x\n"}, "problem.yaml", "followed by 'x'"),
        ({"problem.yaml": "validation: custom\n"}, "problem.yaml", "there is none"),
        ({"problem_statement/problem.en.tex": None}, "statement", "holds no statement"),
        (
            {"problem_statement/problem.en.tex": "% only a comment\n"},
            "problem_statement/problem.en.tex",
            "is empty",
        ),
        ({"data/secret/a.ans": None}, "data/secret/a.in", "has no answer file"),
        ({"data/secret/a.in": None}, "data/secret/a.ans", "has no input file"),
        ({"data/secret/a.files/x": "y"}, "data/secret/a.files", "wants files"),
        ({"data/secret/a.yaml": "args: [fast]\n"}, "data/secret/a.yaml", "start the program with arguments"),
        ({"data/secret/a.yaml": "output_validator_args: [case_sensitive]\n"}, "data/secret/b.in", "(none)"),
        ({".timelimit": "soon"}, ".timelimit", "'soon'"),
        ({"include/python3/x.py": ""}, "include", "adds files to every program"),
    ],
)
def test_a_bad_package_names_its_file(
    tmp_path: Path, changes: dict[str, str | None], member: str, problem: str
) -> None:
    found_member, found = only_fault(package(tmp_path / "sum", **changes))
    assert found_member == member
    assert problem in found


def test_a_package_with_only_a_pdf_asks_for_its_text(tmp_path: Path) -> None:
    root = package(tmp_path / "sum", **{"problem_statement/problem.en.tex": None})
    (root / "problem_statement").mkdir(exist_ok=True)
    (root / "problem_statement/problem.en.pdf").write_bytes(b"%PDF-1.5 \xff")
    member, problem = only_fault(root)
    assert member == "problem_statement/problem.en.pdf" and "cannot be read" in problem


def test_a_test_that_is_no_text_is_a_fault(tmp_path: Path) -> None:
    root = package(tmp_path / "sum")
    (root / "data/secret/a.in").write_bytes(b"1 \xff\n")
    assert only_fault(root) == ("data/secret/a.in", " is not UTF-8 at byte 2")


CUSTOM = FILES["problem.yaml"] + "validation: custom\nvalidator_flags: '1'\n"
PYTHON = {"problem.yaml": CUSTOM, "output_validators/check.py": PYTHON_VALIDATOR}
CPP = {
    "problem.yaml": CUSTOM,
    "output_validators/check/main.cpp": CPP_VALIDATOR,
    "output_validators/check/lib/answer.h": CPP_HEADER,
}


def build(spec: ProblemSpec, folder: Path) -> list[str]:
    """The command of the problem's checker."""
    checker_from_spec(spec.checker)
    source = spec.checker["source"]
    if spec.checker["language"] == "python":
        (folder / "checker.py").write_text(source)
        return [sys.executable, "checker.py"]
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("g++ is not installed")
    (folder / "checker.cpp").write_text(source)
    subprocess.run([compiler, "-O1", "-o", "checker", "checker.cpp"], cwd=folder, check=True)
    return ["./checker"]


@pytest.mark.parametrize("files", [PYTHON, CPP], ids=["python", "cpp"])
def test_a_framed_validator_is_called_as_checkers_are(tmp_path: Path, files: dict[str, str]) -> None:
    spec = read_one(package(tmp_path / "sum", **files))
    assert (spec.checker["type"], spec.quirks) == ("program", ("custom_validator",))
    work = tmp_path / "work"
    work.mkdir()
    command = build(spec, work)
    (work / "input").write_text("4 5\n")
    (work / "answer").write_text("9\n")
    # Off by one is allowed by the flags; the last output breaks the validator, which must decide nothing.
    for output, code in (("9\n", 42), ("8\n", 42), ("7\n", 43), ("", 43), ("x\n", 43), ("1000\n", 3)):
        (work / "output").write_text(output)
        done = subprocess.run(
            [*command, "input", "output", "answer"],
            cwd=work,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == code, (output, done.stderr)
    assert "breaks down" in done.stderr or files is CPP


def test_what_a_validator_tells_the_judge_is_shown(tmp_path: Path) -> None:
    command = build(read_one(package(tmp_path / "sum", **PYTHON)), tmp_path)
    for name in ("input", "output", "answer"):
        (tmp_path / name).write_text("9" if name == "answer" else "")
    done = subprocess.run(
        [*command, "input", "output", "answer"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (43, "no number")


INTERACTOR = """import sys
secret = int(open(sys.argv[1]).read())
for turn in range(10):
    guess = int(input())
    if guess == secret:
        print("right", flush=True)
        sys.exit(42)
    print("more" if guess < secret else "less", flush=True)
sys.exit(43)
"""


def test_an_interactive_package_has_an_interactor_and_no_samples(tmp_path: Path) -> None:
    files = {
        "problem.yaml": "problem_format_version: 2023-07-draft\nname: Guess\ntype: interactive\n",
        "output_validator/guess.py": INTERACTOR,
        "data/sample/1.interaction": ">3\n<right\n",
    }
    spec = read_one(package(tmp_path / "sum", **files))
    assert (spec.checker["type"], spec.samples) == ("interactive", ())
    assert spec.quirks == ("interactive", "no_samples")
    assert spec.extra["interactions"] == [">3\n<right\n"]
    command = build(spec, tmp_path)
    (tmp_path / "input").write_text("3")
    (tmp_path / "answer").write_text("")
    talk = {"1\n2\n3\n": (42, "more\nmore\nright\n"), "9\n" * 10: (43, "less\n" * 10), "nonsense\n": (3, "")}
    for said, (code, heard) in talk.items():
        done = subprocess.run(
            [*command, "input", "answer"], cwd=tmp_path, input=said, capture_output=True, text=True
        )
        assert (done.returncode, done.stdout) == (code, heard)


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"output_validators/a.py": "", "output_validators/b.py": ""}, "holds 2 validators"),
        ({"output_validators/a/build": "", "output_validators/a/a.cpp": ""}, "is a script"),
        ({"output_validators/a/A.java": ""}, "is not in one language"),
        ({"output_validators/a/a.py": "", "output_validators/a/b.py": ""}, "of several files"),
        ({"output_validators/a/a.cpp": "int x;"}, "has 0 functions main"),
        ({"output_validators/a/a.cpp": '#include "gone.h"\nint main() {}'}, "includes 'gone.h'"),
    ],
)
def test_a_validator_that_cannot_be_run_is_refused(
    tmp_path: Path, files: dict[str, str], problem: str
) -> None:
    _, found = only_fault(package(tmp_path / "sum", **{"problem.yaml": CUSTOM}, **files))
    assert problem in found


def test_nothing_of_a_package_is_run_while_it_is_read(tmp_path: Path) -> None:
    trap = f"open({str(tmp_path / 'sprung')!r}, 'w')"
    read_clean(
        package(
            tmp_path / "sum",
            **PYTHON | {"output_validators/check.py": trap, "submissions/accepted/s.py": trap},
        )
    )
    assert not os.path.lexists(tmp_path / "sprung")
