"""Builds `starter/problems.jsonl` from the problem modules; `--check` compares it with the committed one."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from starter.reference import ReferenceFailed, run_reference
from starter.source import BadSource, Input, ProblemSource, load, slugs
from trajectories.problem_schema import AssertTest, CallTest, ProblemSpec, Sample, StdioTest, Test, TestKind

BUILT = Path(__file__).parent / "problems.jsonl"
LICENCE = "MIT"
PROVENANCE = {"written_for": "MapCoder-Lite Lab"}


def build(source: ProblemSource) -> ProblemSpec:
    """The problem with every expected output, as its reference gives them."""
    try:
        answers = run_reference(
            source.reference, source.kind, source.entry_point, [*source.samples, *source.hidden]
        )
    except ReferenceFailed as failed:
        raise BadSource(f"starter problem {source.slug}: REFERENCE failed: {failed}") from failed
    cut = len(source.samples)
    samples = (
        _sample(source, one, answer) for one, answer in zip(source.samples, answers[:cut], strict=True)
    )
    tests = (_test(source, one, answer) for one, answer in zip(source.hidden, answers[cut:], strict=True))
    return ProblemSpec(
        id=source.id,
        source="starter",
        title=source.title,
        statement=source.statement,
        input_spec=source.input_spec,
        output_spec=source.output_spec,
        notes=source.notes,
        time_limit_s=source.time_limit_s,
        memory_limit_mb=source.memory_limit_mb,
        tags=source.tags,
        difficulty=source.difficulty.value,
        samples=tuple(samples),
        tests=tuple(tests),
        test_kind=source.kind,
        checker=source.checker,
        entry_point=source.entry_point,
        starter_code=source.starter_code,
        reference_solution=source.reference,
        licence=LICENCE,
        provenance=dict(PROVENANCE),
        group=source.id,
    )


def _call(source: ProblemSource, args: list[Any]) -> str:
    return f"{source.entry_point}({', '.join(map(repr, args))})"


def _assertion(source: ProblemSource, args: list[Any], expected: Any) -> str:
    if source.assert_code is not None:
        return source.assert_code(args, expected)
    return f"assert {_call(source, args)} == {expected!r}"


def _sample(source: ProblemSource, one: Input, answer: Any) -> Sample:
    """A call sample holds one argument a line as JSON, which is how the judge reads it; the assert is for people."""
    if isinstance(one, str):
        return Sample(input=one, output=answer)
    call = _call(source, one)
    given = "\n".join(map(json.dumps, one)) if source.kind is TestKind.CALL else call
    shown = f"assert {call} == {answer!r}"
    return Sample.model_validate({"input": given, "output": _text(source, answer), "assert": shown})


def _text(source: ProblemSource, answer: Any) -> str:
    return str(answer) if source.kind is TestKind.CALL else repr(answer)


def _test(source: ProblemSource, one: Input, answer: Any) -> Test:
    if isinstance(one, str):
        return StdioTest(input=one, outputs=(answer,))
    if source.kind is TestKind.CALL:
        return CallTest(args=tuple(one), expected=answer)
    return AssertTest(code=_assertion(source, one, answer))


def line(spec: ProblemSpec) -> str:
    """One line of the file; absent values are left out, so that a diff shows what an author changed."""
    data = spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    return json.dumps(data, ensure_ascii=False, sort_keys=True) + "\n"


def committed() -> list[ProblemSpec]:
    """The problems of the built file."""
    with BUILT.open(encoding="utf-8") as lines:
        return [ProblemSpec.model_validate_json(text) for text in lines]


def _report(spec: ProblemSpec, text: str) -> str:
    size = f"{len(text.encode()) / 1000:.1f} kB"
    kind = f"{spec.test_kind:8}{spec.difficulty:8}"
    return f"{spec.id:32}{kind}{len(spec.tests):4} tests{size:>10}  {spec.digest()[:12]}"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m starter.build", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the file differs")
    check = parser.parse_args(argv).check
    lines: list[str] = []
    try:
        for slug in slugs():
            spec = build(load(slug))
            lines.append(line(spec))
            sys.stdout.write(_report(spec, lines[-1]) + "\n")
    except BadSource as bad:
        sys.stderr.write(f"{bad}\n")
        return 2
    if check:
        return _compare(lines)
    BUILT.write_text("".join(lines), encoding="utf-8")
    sys.stdout.write(f"{len(lines)} problems written to {BUILT.name}\n")
    return 0


def _compare(lines: list[str]) -> int:
    have = BUILT.read_text(encoding="utf-8").splitlines(keepends=True) if BUILT.exists() else []
    if have == lines:
        sys.stdout.write(f"{BUILT.name} is up to date\n")
        return 0
    stale = sorted({json.loads(one)["id"] for one in set(have) ^ set(lines)})
    sys.stderr.write(
        f"{BUILT.name} is not what the modules give: {', '.join(stale)}; run python -m starter.build\n"
    )
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
