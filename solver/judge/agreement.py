"""Judges recorded programs again and says how often we agree with the recorded verdict, and why not.

Each record is judged by the rules of the harness that recorded it where those are a profile of ours, else by the
strict ones. A disagreement is put down to a cause that was looked for; see `causes`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from . import machine
from .causes import Cause, Neighbours, cause_of
from .errors import LanguageUnavailable, SandboxUnavailable
from .judge import Judge
from .recorded import Recorded, Unusable, eval_sets, read_problems, read_programs
from .report import Report
from .verdict import Level, Verdict

GOAL = 99.5


@dataclass(frozen=True, slots=True)
class Disagreement:
    id: str
    problem_id: str
    harness: str
    recorded: bool
    verdict: str
    reason: str
    cause: Cause


@dataclass(slots=True)
class Tally:
    """One eval set under one harness."""

    eval_set: str
    harness: str
    judged: int = 0
    agreed: int = 0
    disagreements: list[Disagreement] = field(default_factory=list)

    @property
    def faults(self) -> int:
        return sum(item.cause.is_harness_fault for item in self.disagreements)

    @property
    def sound(self) -> float:
        """Agreement in per cent over the records in which the harness was not shown to be at fault."""
        judged = self.judged - self.faults
        return 100.0 * self.agreed / judged if judged else 100.0

    @property
    def raw(self) -> float:
        return 100.0 * self.agreed / self.judged if self.judged else 100.0


@dataclass(slots=True)
class Agreement:
    tallies: list[Tally]
    unusable: Counter[str]
    seconds: float
    level: Level


def measure(
    folder: Path, sets: Sequence[str] | None = None, limit: int | None = None, *, judge: Judge | None = None
) -> Agreement:
    """`limit`: at most so many records of each set, spread evenly over it."""
    started = time.monotonic()
    own = judge or Judge()
    try:
        problems = read_problems(folder)
        tallies: dict[tuple[str, str], Tally] = {}
        unusable: Counter[str] = Counter()
        neighbours = Neighbours(folder, problems)
        for eval_set in sets or eval_sets(folder):
            rows = list(read_programs(folder, eval_set, problems))
            records = [row for row in rows if isinstance(row, Recorded)]
            unusable.update(row.reason for row in rows if isinstance(row, Unusable))
            chosen = list(_judgeable(_spread(records, limit), own, unusable))
            for record, report in zip(chosen, _judged(chosen, own), strict=True):
                key = (record.eval_set, record.harness.value)
                _count(tallies.setdefault(key, Tally(*key)), record, report, own, neighbours)
        return Agreement(list(tallies.values()), unusable, time.monotonic() - started, own.isolation.level)
    finally:
        if judge is None:
            own.close()


def _spread(records: list[Recorded], limit: int | None) -> list[Recorded]:
    if limit is None or len(records) <= limit:
        return records
    return [records[i * len(records) // limit] for i in range(limit)]


def _judgeable(records: Iterable[Recorded], judge: Judge, unusable: Counter[str]) -> Iterator[Recorded]:
    for record in records:
        try:
            machine.require_language(record.program.language, judge.isolation)
        except LanguageUnavailable as error:
            unusable[str(error)] += 1
        else:
            yield record


def _judged(records: list[Recorded], judge: Judge) -> Iterator[Report]:
    """The same program on the same problem by the same rules is judged once."""
    reports: dict[str, Report] = {}
    keys = [_key(record) for record in records]
    first = dict(zip(reversed(keys), reversed(records), strict=True))
    for profile in sorted({record.profile for record in records}):
        todo = [(key, record) for key, record in first.items() if record.profile == profile]
        jobs = [(record.program, record.task) for _, record in todo]
        for (key, _), report in zip(
            todo, judge.judge_many(jobs, profile=profile, stop_on_first_failure=True), strict=True
        ):
            reports[key] = report
    for key in keys:
        yield reports[key]


def _key(record: Recorded) -> str:
    text = "\0".join((record.problem_id, record.profile, record.program.language, record.program.source))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _count(tally: Tally, record: Recorded, report: Report, judge: Judge, neighbours: Neighbours) -> None:
    tally.judged += 1
    if (report.verdict is Verdict.AC) == record.passed:
        tally.agreed += 1
        return
    cause = cause_of(record, report, judge, neighbours)
    tally.disagreements.append(
        Disagreement(
            record.id,
            record.problem_id,
            record.harness.value,
            record.passed,
            report.verdict.value,
            report.reason,
            cause,
        )
    )


def document(agreement: Agreement) -> dict[str, Any]:
    return {
        "name": "agreement",
        "bars": _bars(agreement.tallies),
        "rows": [_row(tally) for tally in agreement.tallies],
        "unusable": dict(agreement.unusable),
        "level": agreement.level.value,
        "seconds": round(agreement.seconds, 1),
        "machine": machine.description(),
        "code_version": machine.code_version(),
    }


def _bars(tallies: Sequence[Tally]) -> list[dict[str, Any]]:
    judged = sum(tally.judged - tally.faults for tally in tallies)
    agreed = sum(tally.agreed for tally in tallies)
    unexplained = sum(item.cause is Cause.UNEXPLAINED for tally in tallies for item in tally.disagreements)
    return [
        _sound_bar(
            "agreement where the harness was sound", 100.0 * agreed / judged if judged else 0.0, judged
        ),
        {
            "name": "unexplained disagreements",
            "value": unexplained,
            "unit": "",
            "goal": 0,
            "direction": "max",
            "n": judged,
        },
        *(
            _sound_bar(
                f"agreement where the harness was sound: {tally.eval_set}, {tally.harness}",
                tally.sound,
                tally.judged - tally.faults,
            )
            for tally in tallies
        ),
    ]


def _sound_bar(name: str, value: float, n: int) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": "%", "goal": GOAL, "direction": "min", "n": n}


def _row(tally: Tally) -> dict[str, Any]:
    return {
        "eval_set": tally.eval_set,
        "harness": tally.harness,
        "judged": tally.judged,
        "agreed": tally.agreed,
        "raw_percent": round(tally.raw, 3),
        "sound_percent": round(tally.sound, 3),
        "causes": dict(Counter(item.cause.value for item in tally.disagreements)),
        "disagreements": [{**asdict(item), "cause": item.cause.value} for item in tally.disagreements],
    }


def print_table(agreement: Agreement) -> None:
    print(f"{'set':16} {'harness':24} {'judged':>7} {'agree':>8} {'sound':>8}  disagreements")
    for tally in sorted(agreement.tallies, key=lambda tally: (tally.eval_set, tally.harness)):
        print(f"{tally.eval_set:16} {tally.harness:24} {tally.judged:7} {tally.raw:7.2f}% {tally.sound:7.2f}%"
              f"  {len(tally.disagreements)}")  # fmt: skip
        for cause, count in Counter(item.cause for item in tally.disagreements).most_common():
            print(f"{'':50} {count:6}  {cause.value}")
    for reason, count in agreement.unusable.most_common():
        print(f"not judged: {count:6}  {reason}")
    print(
        f"{sum(t.judged for t in agreement.tallies)} records in {agreement.seconds:.0f} s at {agreement.level.value}"
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", metavar="DATA_DIR", type=Path, help="folder with problems/ and programs/")
    parser.add_argument("--eval-set", action="append", help="only this set; may be repeated")
    parser.add_argument("--limit", type=int, help="at most so many records of each set")
    parser.add_argument("--json", metavar="OUT", help="write the result as JSON")


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="agreement", description=__doc__)
    add_arguments(parser)
    options = parser.parse_args(argv)
    return run(options.data, options.eval_set, options.limit, options.json)


def run(data: Path, sets: Sequence[str] | None, limit: int | None, out: str | None) -> int:
    """Exit code 0 when it measured."""
    try:
        agreement = measure(data, sets, limit)
    except (ValueError, SandboxUnavailable) as error:
        print(f"agreement: {error}")
        return 1
    print_table(agreement)
    if out:
        Path(out).write_text(json.dumps(document(agreement), indent=2) + "\n")
    return 0
