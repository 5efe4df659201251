"""Which problems a campaign is about: filter, drop copies, sample. The same spec picks the same problems again."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from solver.campaigns.spec import DifficultyRange, ProblemSet
from trajectories.models import Problem, ProblemBody, ProblemTag
from trajectories.problem_schema import TestKind
from trajectories.spec_text import Fault

# What a copy of a problem may change and still be the same question.
_CONTENT = ("statement", "input_spec", "output_spec", "samples", "tests", "test_kind", "entry_point")


_BODIES_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Chosen:
    """`unit` names what the problem is a copy of: problems of one unit count once."""

    problem: Problem
    unit: str


@dataclass(slots=True)
class Selection:
    chosen: list[Chosen] = field(default_factory=list)
    left_out: list[dict[str, str]] = field(default_factory=list)  # copies: {"id", "same_as"}
    candidates: int = 0


def select(wanted: ProblemSet) -> tuple[Selection, list[Fault]]:
    """The problems in the order of work. Without `sample_seed` that is the order of their ids.

    With it the order is a random one, so that the figures of an unfinished campaign are those of a random part.
    """
    faults = _unknown(wanted)
    found = _ordered(wanted)
    selection = Selection(candidates=len(found))
    if not found:
        return selection, faults or [Fault("problems", _nothing())]
    firsts: dict[str, str] = {}  # unit -> id of its first problem
    units: dict[str, str] = {}
    limit = wanted.limit or len(found)
    for problem, keys in _book.of(found):
        if len(selection.chosen) == limit:
            break
        unit = next((units[key] for key in keys if key in units), keys[0])
        units.update(dict.fromkeys(keys, unit))
        if unit in firsts and wanted.duplicates == "skip":
            selection.left_out.append({"id": problem.external_id, "same_as": firsts[unit]})
            continue
        firsts.setdefault(unit, problem.external_id)
        selection.chosen.append(Chosen(problem, unit))
    return selection, faults


def _nothing() -> str:
    have = ", ".join(sorted(set(Problem.objects.current().values_list("source", flat=True)))) or "none yet"
    return f"No problem fits these conditions; loosen them. Sources in this lab: {have}."


def _unknown(wanted: ProblemSet) -> list[Fault]:
    """Names that match nothing at all are mistakes, not empty conditions."""
    current = Problem.objects.current()
    known: dict[str, tuple[tuple[str, ...], set[str]]] = {
        "source": (wanted.source, set(current.values_list("source", flat=True).distinct())),
        "split": (wanted.split, set(current.values_list("split", flat=True).distinct())),
        "test_kind": (wanted.test_kind, {kind.value for kind in TestKind}),
        "tags": (wanted.tags, _known_tags(wanted.tags)),
        "ids": (wanted.ids, _known_ids(wanted.ids)),
    }
    faults = []
    for name, (asked, have) in known.items():
        missing = [value for value in asked if value not in have]
        if missing:
            there = (
                "" if name in {"tags", "ids"} else f" There are: {', '.join(sorted(have - {''})) or 'none'}."
            )
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            faults.append(
                Fault(
                    f"problems.{name}", f"The lab has no problem with {', '.join(missing[:5])}{more}.{there}"
                )
            )
    return faults


def _known_tags(asked: tuple[str, ...]) -> set[str]:
    return set(ProblemTag.objects.filter(name__in=asked).values_list("name", flat=True).distinct())


def _known_ids(asked: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(asked), 500):
        part = Problem.objects.current().filter(external_id__in=asked[start : start + 500])
        found.update(part.values_list("external_id", flat=True))
    return found


def _ordered(wanted: ProblemSet) -> list[Problem]:
    found = Problem.objects.current()
    if wanted.source:
        found = found.filter(source__in=wanted.source)
    if wanted.split:
        found = found.filter(split__in=wanted.split)
    if wanted.test_kind:
        found = found.filter(test_kind__in=wanted.test_kind)
    if wanted.tags:
        found = found.filter(pk__in=ProblemTag.objects.filter(name__in=wanted.tags).values("problem"))
    ids = set(wanted.ids)
    problems = [
        problem
        for problem in found.order_by("external_id")
        if (not ids or problem.external_id in ids) and _is_as_hard(problem.difficulty, wanted.difficulty)
    ]
    if wanted.sample_seed is not None:
        random.Random(wanted.sample_seed).shuffle(problems)
    return problems


def _is_as_hard(difficulty: str, wanted: DifficultyRange | tuple[str, ...]) -> bool:
    if not isinstance(wanted, DifficultyRange):
        return not wanted or difficulty in wanted
    if wanted.least is None and wanted.most is None:
        return True
    try:
        number = float(difficulty)
    except ValueError:
        return False
    return (wanted.least is None or number >= wanted.least) and (wanted.most is None or number <= wanted.most)


class _KeyBook:
    """What each problem version is known by: its content and, where its source names one, its group.

    Bodies hold megabytes of tests, so they are read few at a time, and once a process: versions never change.
    """

    def __init__(self) -> None:
        self._keys: dict[str, list[str]] = {}  # digest of the version -> keys

    def of(self, problems: list[Problem]) -> Iterator[tuple[Problem, list[str]]]:
        for start in range(0, len(problems), _BODIES_AT_ONCE):
            part = problems[start : start + _BODIES_AT_ONCE]
            unread = {problem.pk: problem.digest for problem in part if problem.digest not in self._keys}
            for body in ProblemBody.objects.filter(problem__in=unread):
                self._keys[unread[body.problem_id]] = _keys(body.spec)
            for problem in part:
                yield problem, self._keys[problem.digest]


def _keys(spec: dict[str, Any]) -> list[str]:
    content = f"content:{content_digest(spec)}"
    return [f"group:{spec['group'][:180]}", content] if spec.get("group") else [content]


def content_digest(spec: dict[str, Any]) -> str:
    """SHA-256 of the question and its tests; id, title, tags and source do not count."""
    content = [spec.get(name) for name in _CONTENT]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


_book = _KeyBook()


def keys_of(problems: list[Problem]) -> Iterator[tuple[Problem, list[str]]]:
    """Each problem with what it is known by: problems that share a key are copies of one another."""
    return _book.of(problems)
