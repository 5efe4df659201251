"""Invented runs by the hundred thousand, written in bulk: what lists and pages are measured on.

Their events and steps are copies of one run's; only problem, verdict and figures differ. Rows go in without the event
log's own writer, which is made for one event at a time; what it would have projected is written beside them, so that
every list and page reads them as it reads real ones. All of them name the engine `scale`.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from django.db import connection, transaction
from django.utils.timezone import now

from trajectories.agents import AGENTS
from trajectories.models import Blame, Judgement, Problem, Run, Step, StepEvent
from trajectories.problem_schema import ProblemSpec
from trajectories.problems import store
from trajectories.verdicts import strip

ENGINE = "scale"
LEAST_EVENTS = 4
STEP_FIELDS = (
    *("number", "role", "attempt", "state", "gist", "suite", "verdict", "strip", "passed", "total"),
    *("format_failure", "prompt_tokens", "completion_tokens", "seconds", "started_seq", "finished_seq"),
)
BATCH = 2_000  # runs in one transaction
ROLES = ("retrieval", "planning", "coding", "judge", "debugging", "judge")
TAGS = (
    "dp",
    "greedy",
    "graphs",
    "intervals",
    "strings",
    "number theory",
    "geometry",
    "trees",
    "bits",
    "sorting",
)
VERDICTS = ("AC", "AC", "WA", "WA", "WA", "TLE", "RE", "")
PROGRAM = "def solve(values):\n" + "".join(
    f"    total_{n} = sum(values[{n}:]) + {n}  # part {n}\n" for n in range(38)
)
PLAN = "1. Read the values.\n2. Sort them.\n3. Sweep once and keep the best.\n4. Print it."


Row = TypeVar("Row", StepEvent, Step)


@dataclass(frozen=True, slots=True)
class Made:
    runs: int
    events: int
    steps: int
    seconds: float


def problems(count: int = 200) -> list[Problem]:
    return [
        store(
            ProblemSpec.model_validate(
                {
                    "id": f"scale/{n}",
                    "source": "scale",
                    "title": f"Invented problem {n}",
                    "statement": "Read some numbers and print their best sum. " * 8,
                    "tags": [TAGS[n % len(TAGS)], TAGS[(n // 3 + 1) % len(TAGS)]],
                    "difficulty": ("easy", "medium", "hard")[n % 3],
                    "samples": [{"input": "1 2\n", "output": "3\n"}],
                    "tests": [{"kind": "stdio", "input": "5 6\n", "outputs": ["11\n"]}],
                    "test_kind": "stdio",
                }
            )
        )[0]
        for n in range(count)
    ]


def fill(runs: int, events_each: int, tell: Callable[[str], object] = lambda line: None) -> Made:
    """`runs` ended runs with `events_each` events each."""
    begun = time.perf_counter()
    draw = random.Random(7)
    known = problems()
    pattern = _run(draw, known, 0, events_each)
    pattern_events = list(_events(pattern, events_each))
    pattern_steps = list(_steps(pattern, events_each))
    steps = events = done = 0
    while done < runs:
        count = min(BATCH, runs - done)
        with transaction.atomic():
            made = Run.objects.bulk_create(_run(draw, known, done + n, events_each) for n in range(count))
            events += _copies(StepEvent, made, pattern_events, ("kind", "step", "payload", "seq"))
            steps += _copies(Step, made, pattern_steps, STEP_FIELDS)
            _blame(draw, made)
        done += count
        tell(f"{done} of {runs} runs")
    return Made(runs, events, steps, time.perf_counter() - begun)


def _copies(
    model: type[StepEvent] | type[Step],
    made: list[Run],
    pattern: Sequence[StepEvent | Step],
    names: tuple[str, ...],
) -> int:
    """The rows of one run for every run of `made`, by the driver's own executemany: a model instance a row costs minutes."""
    fields = [field for field in model._meta.concrete_fields if field.name in names]
    values: list[list[Any]] = [
        [field.get_db_prep_save(field.value_from_object(row), connection) for field in fields]
        for row in pattern
    ]
    times = [name for name in ("created_at", "started_at", "finished_at") if hasattr(pattern[0], name)]
    columns = [*(str(field.column) for field in fields), "run_id", *times]
    names_sql = ", ".join(connection.ops.quote_name(column) for column in columns)
    sql = f"INSERT INTO {model._meta.db_table} ({names_sql}) VALUES ({', '.join(['%s'] * len(columns))})"
    rows: list[list[Any]] = []
    for run in made:
        begun = run.started_at or now()
        after = [
            connection.ops.adapt_datetimefield_value(begun + timedelta(seconds=4 * place))
            for place in range(len(pattern) + 1)
        ]
        rows += [[*known, run.pk, *after[place : place + len(times)]] for place, known in enumerate(values)]
    with connection.cursor() as cursor:
        cursor.executemany(sql, rows)
    return len(rows)


def _bulk(model: type[Row], rows: Iterator[Row]) -> int:
    total = 0
    while batch := list(islice(rows, 10_000)):
        model._default_manager.bulk_create(batch)
        total += len(batch)
    return total


def _run(draw: random.Random, known: list[Problem], number: int, events_each: int) -> Run:
    verdict = draw.choice(VERDICTS)
    total = 20
    passed = total if verdict == "AC" else draw.randrange(total)
    moment = now() - timedelta(seconds=number * 40)
    letters = ["AC"] * passed + [verdict or "WA"] * (total - passed)
    return Run(
        problem=draw.choice(known),
        strategy=draw.choice(("mapcoder", "mapcoder", "direct", "cot", "codesim")),
        params={"k": 3, "t": 5},
        engine={"name": ENGINE, "label": "Invented for measurements", "simulated": True, "roles": {}},
        engine_name=ENGINE,
        seed=number,
        request_id=uuid.uuid4().hex,
        status="finished" if verdict else "failed",
        reason="judged" if verdict else "engine_unreachable",
        verdict=verdict,
        strip=strip(letters),
        passed=passed,
        total=total,
        step_count=_step_count(events_each),
        calls=_step_count(events_each),
        prompt_tokens=draw.randrange(2_000, 30_000),
        completion_tokens=draw.randrange(300, 6_000),
        model_seconds=draw.random() * 90,
        last_seq=events_each,
        started_at=moment,
        finished_at=moment + timedelta(seconds=60),
    )


def _step_count(events_each: int) -> int:
    return (events_each - 2) // 2


def _events(run: Run, events_each: int) -> Iterator[StepEvent]:
    moment = run.started_at or now()

    def event(seq: int, kind: str, step: int | None, payload: dict[str, Any]) -> StepEvent:
        at = moment + timedelta(seconds=seq * 2)
        return StepEvent(run=run, seq=seq, kind=kind, step=step, payload=payload, created_at=at)

    yield event(
        1, "run.started", None, {"fence": 1, "worker": "scale", "code_version": "", "resumed_steps": 0}
    )
    seq = 1
    for number in range(1, run.step_count + 1):
        role = ROLES[(number - 1) % len(ROLES)]
        for kind, payload in (_judged if role == "judge" else _asked)(number, role):
            seq += 1
            yield event(seq, kind, number, payload)
    ending = {
        "status": run.status,
        "reason": run.reason,
        "message": "",
        "verdict": run.verdict,
        "code": None,
        "attempt": 1,
    }
    while seq < events_each - 1:
        seq += 1
        yield event(seq, "note", None, {"name": "kept_waiting", "detail": {"place": seq}})
    yield event(seq + 1, "run.finished", None, ending)


def _asked(number: int, role: str) -> list[tuple[str, dict[str, object]]]:
    value: object = PLAN if role in ("planning", "retrieval") else f"{PROGRAM}    return {number}\n"
    started: dict[str, object] = {
        "step": number,
        "role": role,
        "attempt": 1 + number // 40,
        "gist": "",
        "detail": {},
        "messages": [{"role": "user", "content": "Solve it."}],
        "template": f"lab/{role}.v1",
        "template_digest": "0" * 64,
        "request_digest": f"{number:064d}",
        "model": "invented",
        "sampling": {"temperature": 0.0},
    }
    finished: dict[str, object] = {
        "step": number,
        "text": str(value),
        "finish_reason": "stop",
        "prompt_tokens": 900,
        "completion_tokens": 300,
        "estimated": False,
        "seconds": 1.5,
        "first_token_s": None,
        "model": "invented",
        "adapter_digest": None,
        "parse": {"usable": True, "value": value, "failure": "", "message": "", "where": ""},
        "gist": "",
        "detail": {},
    }
    return [("step.started", started), ("step.finished", finished)]


def _judged(number: int, role: str) -> list[tuple[str, dict[str, object]]]:
    about: dict[str, object] = {"step": number, "suite": "samples", "total": 10}
    program = f"{PROGRAM}    return {number - 1}\n"
    started = {
        **about,
        "attempt": 1 + number // 40,
        "language": "python",
        "code": program,
        "code_digest": "0" * 64,
    }
    report: dict[str, object] = {
        "verdict": "WA",
        "results": [],
        "environment": {"level": "L2", "reasons": []},
    }
    finished = {
        **about,
        "verdict": "WA",
        "passed": 9,
        "strip": "aaaaaaaaaw",
        "seconds": 0.4,
        "report": report,
    }
    return [("tests.started", started), ("tests.finished", finished)]


def _steps(run: Run, events_each: int) -> Iterator[Step]:
    for number in range(1, run.step_count + 1):
        yield _step(run, number, run.started_at or now())


def _step(run: Run, number: int, moment: datetime) -> Step:
    role = ROLES[(number - 1) % len(ROLES)]
    judged = {"suite": "samples", "verdict": "WA", "strip": "aaaaaaaaaw", "passed": 9, "total": 10}
    asked = {"prompt_tokens": 900, "completion_tokens": 300}
    return Step(
        run=run,
        number=number,
        role=role,
        attempt=1 + number // 40,
        state="done",
        seconds=1.5,
        started_seq=number * 2,
        finished_seq=number * 2 + 1,
        started_at=moment + timedelta(seconds=number * 4),
        finished_at=moment + timedelta(seconds=number * 4 + 2),
        **(judged if role == "judge" else asked),
    )


def _blame(draw: random.Random, made: list[Run]) -> None:
    """Every tenth failed run has been blamed."""
    failed = [run for run in made if run.status == "finished" and run.verdict != "AC"][::10]
    agents = [draw.choice(AGENTS) for _ in failed]
    said = Judgement.objects.bulk_create(
        Judgement(
            run=run,
            seq=run.last_seq,
            key=uuid.uuid4().hex,
            verb="blame",
            source="supervisor",
            actor="scale",
            value={"agent": agent},
            created_at=now(),
        )
        for run, agent in zip(failed, agents, strict=True)
    )
    Blame.objects.bulk_create(
        Blame(run=row.run, source="supervisor", actor="scale", agent=row.value["agent"], judgement=row)
        for row in said
    )


def long_run(steps: int) -> Run:
    """One run of `steps` full steps."""
    draw = random.Random(steps)
    with transaction.atomic():
        run = _run(draw, problems(1), 0, 2 * steps + 2)
        run.save()
        _bulk(StepEvent, _events(run, 2 * steps + 2))
        _bulk(Step, _steps(run, 2 * steps + 2))
    return run
