"""Problem packages of Kattis and the ICPC: a directory or a zip archive with problem.yaml.

Source: the Problem Package Format, versions `legacy`, `legacy-icpc`, `2023-07-draft` and `2025-09`
(https://www.kattis.com/problem-package-format). A path may hold one package or many.

Groups of tests become `group`; how a scoring problem adds up their points is kept in `extra`, the verdict is over all
tests. Time limits of legacy packages are measured on the judge's machine from the jury's programs; where the package
states none (limits.time_limit, .timelimit, domjudge-problem.ini), the problem has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trajectories.importers import kattis_data, kattis_statement, kattis_validator, titles
from trajectories.importers.fault import Malformed
from trajectories.importers.kattis_package import METADATA, Package, packages, plain
from trajectories.importers.row import Row
from trajectories.importers.source import Format, Found, Source
from trajectories.problem_schema import CheckerType, ProblemSpec, TestKind

_TYPES = {"pass-fail", "scoring", "interactive"}
_LICENCES = {
    "cc0": "CC0-1.0",
    "cc by": "CC-BY-4.0",
    "cc by-sa": "CC-BY-SA-4.0",
    "public domain": "public domain",
}
_CREDITS = ("uuid", "source", "source_url", "author", "credits")
_KNOWN = {
    *_CREDITS,
    "name",
    "type",
    "limits",
    "keywords",
    "license",
    "validation",
    "validator_flags",
    "problem_format_version",
}


def read(source: Source) -> Iterator[Found]:
    for package in packages(source.files(), source.bounds, source.place.file):
        place = source.place.inside(package.root) if package.root else source.place
        yield from source.problem(place, convert, package)


def convert(package: Package) -> ProblemSpec:
    metadata = package.yaml(METADATA)
    types = _types(metadata)
    if package.below("include"):
        problem = "adds files to every program, which the judge does not"
        raise package.malformed("include", "", problem, "leave the problem out")
    validation = metadata.text("validation", "default").split()
    interactive = "interactive" in types or "interactive" in validation
    constants = metadata.row("constants").rest(()) if "constants" in metadata else {}
    title = _name(metadata)
    statement = kattis_statement.read(package, constants)
    data = kattis_data.read(package, metadata.text("validator_flags", "").split(), interactive)
    checker = kattis_validator.checker(
        package, data.flags, constants, interactive=interactive, custom=validation[0] == "custom"
    )
    return ProblemSpec(
        id=f"kattis/{package.name}",
        group=f"kattis/{package.name}",
        source="kattis",
        title=titles.clipped(title or statement.title or package.name),
        statement=statement.text,
        input_spec=statement.input_spec,
        output_spec=statement.output_spec,
        notes=statement.notes,
        time_limit_s=_time_limit(package, metadata),
        memory_limit_mb=_limits(metadata).number("memory"),
        tags=tuple(_words(metadata, "keywords")),
        samples=data.samples,
        tests=data.tests,
        test_kind=TestKind.STDIO,
        checker=checker,
        reference_solution=_reference(package),
        licence=_licence(metadata),
        provenance=_provenance(metadata),
        extra={name: plain(value) for name, value in metadata.rest(_KNOWN).items()} | data.extra,
        quirks=tuple(_quirks(types, interactive, bool(data.samples), checker)),
    )


def _types(metadata: Row) -> set[str]:
    types = set(_words(metadata, "type")) or {"pass-fail"}
    if unknown := types - _TYPES:
        problem = f"is {', '.join(sorted(unknown))}, which the judge does not do"
        raise metadata.malformed(
            "type", problem, f"leave the problem out; known are {', '.join(sorted(_TYPES))}"
        )
    return types


def _words(metadata: Row, field: str) -> list[str]:
    """A text of words, as in legacy packages, or a list."""
    value = metadata.value(field)
    return value.split() if isinstance(value, str) else metadata.texts(field)


def _name(metadata: Row) -> str:
    """The English name, or the one of the first language."""
    value = metadata.value("name")
    if not isinstance(value, dict):
        return metadata.label("name")
    names = metadata.row("name")
    return next((names.text(language) for language in ("en", *names.fields()) if language in names), "")


def _limits(metadata: Row) -> Row:
    return metadata.row("limits") if "limits" in metadata else Row({}, "limits")


def _time_limit(package: Package, metadata: Row) -> float | None:
    limits = _limits(metadata)
    if "time_limit" in limits:
        return limits.number("time_limit")
    if package.has(".timelimit"):
        return _seconds(".timelimit", package.text(".timelimit"))
    if package.has("domjudge-problem.ini"):
        for line in package.text("domjudge-problem.ini").splitlines():
            key, _, value = line.partition("=")
            if key.strip() == "timelimit":
                return _seconds("domjudge-problem.ini", value.strip().strip("'\""))
    return None


def _seconds(member: str, text: str) -> float:
    try:
        return float(text.strip())
    except ValueError as error:
        raise Malformed(
            "timelimit", f"is {text.strip()[:40]!r}", "give it in seconds", member=member
        ) from error


def _reference(package: Package) -> str | None:
    """The first accepted submission that is one Python file."""
    for name in package.below("submissions/accepted"):
        if name.endswith(".py") and name.count("/") == 2:
            return package.text(name)
    return None


def _licence(metadata: Row) -> str:
    name = metadata.text("license", "unknown")
    owner = metadata.value("rights_owner")
    shown = _LICENCES.get(name.lower(), name)
    return f"{shown}, {owner}" if isinstance(owner, str) else shown


def _provenance(metadata: Row) -> dict[str, Any]:
    return {name: plain(metadata.value(name)) for name in _CREDITS if name in metadata}


def _quirks(types: set[str], interactive: bool, samples: bool, checker: dict[str, Any]) -> Iterator[str]:
    if interactive:
        yield "interactive"
    if "scoring" in types:
        yield "scoring"
    if checker["type"] == CheckerType.PROGRAM:
        yield "custom_validator"
    if not samples:
        yield "no_samples"


FORMAT = Format(
    name="kattis",
    about="Kattis/ICPC problem packages, one or many, in a directory or a zip archive",
    telling=f"folders with {METADATA} and data/secret",
    read=read,
    of_tree=lambda names: any(name.rpartition("/")[2] == METADATA for name in names),
)
