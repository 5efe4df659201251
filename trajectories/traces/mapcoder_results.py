"""MapCoder's published result files: the data set's row with what one strategy wrote for it, one JSON object a line.

Only the last answer and program of each try are kept there, not who wrote what on the way: the tries are imported as
attempts of an unknown agent. Documented by the code that writes them: BaseStrategy.run of the MapCoder repository.
"""

from __future__ import annotations

import re
from typing import Any

from trajectories.importers.row import Row
from trajectories.traces.source import TraceFormat, count, leftover, row_by_row, truth
from trajectories.traces.trajectory import StepKind, Tokens, TraceStep, Trajectory

_ROW = {
    *("source_codes", "responses", "prompt_tokens", "completion_tokens", "no_of_try"),
    *("is_solved", "language", "task_id", "api_calls", "model", "strategy"),
}
# How the data sets' own names become names of problems in the lab.
_NAMES: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"HumanEval/(\d+)", re.IGNORECASE), ("humaneval/{}",)),
    (re.compile(r"mbpp_(\d+)(?:_\w*)?", re.IGNORECASE), ("mbpp-typed/{}", "mbpp/{}")),
    (re.compile(r"([0-9a-f]{32})"), ("xcodeeval/{}",)),
    (re.compile(r"(\d+_[A-Z]\d?)"), ("codecontests/{}",)),
    (re.compile(r"(\d+)"), ("apps/{}", "mbpp/{}")),
)


def convert(row: Row) -> Trajectory:
    codes, answers = row.texts("source_codes"), row.texts("responses")
    task = row.label("task_id") or row.label("name") or row.label("id")
    if not task:
        raise row.malformed("task_id", "is missing", "give the name of the data set's row")
    prompt, completion = _counts(row, "prompt_tokens"), _counts(row, "completion_tokens")
    tries = max(len(codes), len(answers))
    steps = tuple(
        TraceStep(
            kind=StepKind.ANSWER,
            stage="attempt",
            attempt=number + 1,
            text=answers[number] if number < len(answers) else None,
            code=codes[number] if number < len(codes) else None,
            tokens=Tokens(prompt=_at(prompt, number), completion=_at(completion, number)),
        )
        for number in range(tries)
    )
    return Trajectory(
        format="mapcoder-results",
        framework="MapCoder",
        problem=task,
        candidates=candidates(task),
        model=row.text("model", ""),
        strategy=row.text("strategy", ""),
        language=row.text("language", "") or None,
        solved=truth(row, "is_solved"),
        tokens=Tokens(prompt=_total(row, "prompt_tokens"), completion=_total(row, "completion_tokens")),
        agents_known=False,
        steps=steps,
        final_code=codes[-1] if codes else None,
        extra=leftover(row, _ROW) | _as_written(row, tries),
    )


def candidates(task: str) -> tuple[str, ...]:
    """Names under which a lab may hold the problem: the name itself, and what the data set is called here."""
    found = [task, task.lower()]
    for pattern, names in _NAMES:
        if match := pattern.fullmatch(task):
            found += [name.format(match[1]) for name in names]
            break
    return tuple(dict.fromkeys(found))


def _as_written(row: Row, tries: int) -> dict[str, Any]:
    """Fields whose length or form the steps do not tell."""
    kept = {name: row.value(name) for name in ("no_of_try", "api_calls") if row.has_key(name)}
    for name in ("source_codes", "responses", "prompt_tokens", "completion_tokens"):
        value = row.value(name)
        if row.has_key(name) and not (isinstance(value, list) and len(value) == tries):
            kept[name] = value
    return kept


def _counts(row: Row, name: str) -> list[int | None]:
    value = row.value(name)
    if not isinstance(value, list):
        return []
    for index, number in enumerate(value):
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise row.malformed(f"{name}[{index}]", "is not a whole number", "give counts of tokens")
    return list(value)


def _total(row: Row, name: str) -> int | None:
    """A single count for all tries, as some versions write; a list belongs to the steps."""
    return None if isinstance(row.value(name), list) else count(row, name)


def _at(counts: list[int | None], number: int) -> int | None:
    return counts[number] if number < len(counts) else None


FORMAT = TraceFormat(
    name="mapcoder-results",
    title="a MapCoder result file",
    telling="rows with source_codes, responses and is_solved",
    read=row_by_row(convert),
    of_row=lambda row: all(row.has_key(name) for name in ("source_codes", "responses", "is_solved")),
)
