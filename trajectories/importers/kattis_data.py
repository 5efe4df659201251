"""The test data of a problem package: samples, hidden tests by group, and the flags of the output validator."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trajectories.importers.kattis_package import Package, plain
from trajectories.importers.row import Row
from trajectories.problem_schema import Sample, StdioTest

SAMPLE, SECRET = "data/sample", "data/secret"
_GROUP_FILES = ("test_group.yaml", "testdata.yaml")
_FLAGS = ("output_validator_args", "output_validator_flags")


@dataclass(slots=True)
class Data:
    samples: tuple[Sample, ...]
    tests: tuple[StdioTest, ...]
    flags: list[str]
    extra: dict[str, Any] = field(default_factory=dict)


def read(package: Package, flags: list[str], interactive: bool) -> Data:
    """`flags` are those of problem.yaml, which groups of tests may replace."""
    groups = _groups(package)
    samples = [] if interactive else _cases(package, SAMPLE)
    secret = _cases(package, SECRET)
    if not secret:
        raise package.malformed(SECRET, "", "holds no test", "add at least one .in with its .ans")
    extra: dict[str, Any] = {}
    if groups:
        extra["groups"] = {folder: plain(found.rest(())) for folder, found in groups.items()}
    protocols = [name for name in package.below(SAMPLE) if name.endswith(".interaction")]
    if protocols:
        extra["interactions"] = [package.text(name) for name in protocols]
    return Data(
        samples=tuple(_sample(package, case) for case in samples),
        tests=tuple(_test(package, case) for case in secret),
        flags=_common_flags(package, secret, groups, flags),
        extra=extra,
    )


def _groups(package: Package) -> dict[str, Row]:
    """Settings by folder, from `data` downwards."""
    found: dict[str, Row] = {}
    for name in package.below("data"):
        folder, _, base = name.rpartition("/")
        if base in _GROUP_FILES:
            found[folder] = package.yaml(name)
    return found


def _cases(package: Package, folder: str) -> list[str]:
    """Names of test cases without their extension, in the order in which they are judged."""
    names = package.below(folder)
    cases = [name.removesuffix(".in") for name in names if name.endswith(".in")]
    for case in cases:
        if not package.has(f"{case}.ans"):
            raise package.malformed(f"{case}.in", "", "has no answer file", f"add {case}.ans")
        if package.below(f"{case}.files"):
            problem = "wants files beside its input, which the judge does not give"
            raise package.malformed(f"{case}.files", "", problem, "leave the problem out")
    for name in names:
        if name.endswith(".ans") and not package.has(f"{name.removesuffix('.ans')}.in"):
            raise package.malformed(name, "", "has no input file", "add the .in file")
    return cases


def _sample(package: Package, case: str) -> Sample:
    """What the statement shows, where that differs from what is judged."""
    given = _first(package, case, ".in.statement", ".in")
    return Sample(input=given, output=_first(package, case, ".ans.statement", ".out", ".ans"))


def _first(package: Package, case: str, *extensions: str) -> str:
    return package.text(next(case + one for one in extensions if package.has(case + one)))


def _test(package: Package, case: str) -> StdioTest:
    """Tests outside any folder are in the group `secret`."""
    inner = case.removeprefix(f"{SECRET}/").rpartition("/")[0]
    return StdioTest(
        input=package.text(f"{case}.in"), outputs=(package.text(f"{case}.ans"),), group=inner or "secret"
    )


def _common_flags(package: Package, cases: list[str], groups: dict[str, Row], flags: list[str]) -> list[str]:
    """A problem has one checker: groups that want other flags than the rest cannot be judged by it."""
    settings = {case: _settings(package, case) for case in cases}
    wanted = {case: _flags_of(package, case, settings[case], groups, flags) for case in cases}
    first = wanted[cases[0]]
    for case, found in wanted.items():
        if found != first:
            problem = f"has the validator flags {' '.join(found) or '(none)'}, {cases[0]} {' '.join(first) or '(none)'}"
            raise package.malformed(
                f"{case}.in", "", problem, "give all tests the same flags, or split the problem"
            )
        own = settings[case]
        if own is not None and own.value("args"):
            raise package.malformed(
                f"{case}.yaml", "args", "start the program with arguments", "leave the problem out"
            )
    return first


def _settings(package: Package, case: str) -> Row | None:
    return package.yaml(f"{case}.yaml") if package.has(f"{case}.yaml") else None


def _flags_of(
    package: Package, case: str, own: Row | None, groups: dict[str, Row], flags: list[str]
) -> list[str]:
    """The nearest of the case's own file, its folder, the folders above, and problem.yaml."""
    folder = case.rpartition("/")[0]
    places = [own] if own is not None else []
    while folder:
        if folder in groups:
            places.append(groups[folder])
        folder = folder.rpartition("/")[0]
    for place in places:
        for name in _FLAGS:
            if name in place:
                return _words(package, case, place, name)
    return flags


def _words(package: Package, case: str, place: Row, name: str) -> list[str]:
    """A list, or a text in legacy packages, where it may also stand under `flags` beside the validator's name."""
    value = place.value(name)
    if isinstance(value, dict):
        value = value.get("flags", "")
    if isinstance(value, str):
        return value.split()
    if isinstance(value, list):
        return [str(word) for word in value]
    raise package.malformed(
        f"{case}.in", name, "are neither a text nor a list", "give them as a list of words"
    )
