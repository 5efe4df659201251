"""Whatever a file holds, reading it ends in trajectories and faults, never in an exception."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solver import trace_events
from tests.traces import samples
from tests.traces.samples import otlp, span, write, write_eval
from trajectories.traces import Trajectory, read_traces

SPANS = otlp(
    span(1, "root", gen_ai__operation__name="invoke_workflow"),
    span(
        2,
        "chat",
        1,
        gen_ai__operation__name="chat",
        gen_ai__input__messages="[]",
        gen_ai__usage__input_tokens=2,
    ),
    span(3, "tool", 1, gen_ai__operation__name="execute_tool", gen_ai__tool__call__result="{}"),
)
WHOLE: dict[str, Any] = {
    "normalised": samples.NORMALISED,
    "mapcoder-results": samples.MAPCODER_RESULT,
    "swe-agent": samples.SWE_AGENT_NEW,
    "mini-swe-agent": samples.MINI,
    "inspect": {**samples.INSPECT_HEAD, "samples": [samples.INSPECT_SAMPLE]},
    "otel-genai": SPANS,
}
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        -1,
        2**80,
        1.5,
        "",
        "x",
        "\0",
        "\ud800",
        "[",
        "{}",
        [],
        [[]],
        [None],
        [1],
        {},
        {"a": {}},
        {"key": 1},
        "1e999",
    ]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


def changed(whole: Any, path: tuple[Any, ...], odd: Any) -> Any:
    twisted = copy.deepcopy(whole)
    at = twisted
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = odd
    return twisted


@pytest.mark.parametrize("format", WHOLE)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_one_field_may_be_anything(format: str, data: st.DataObject) -> None:
    whole = WHOLE[format]
    twisted = changed(whole, data.draw(st.sampled_from(list(places(whole)))), data.draw(ODD))
    with tempfile.TemporaryDirectory() as folder:
        report = read_traces(write(Path(folder) / "file.json", twisted), format)
        found = [one for _, one in report.found]
        if format == "inspect":
            parts = {
                "header.json": {**twisted, "samples": None},
                "samples/1.json": (twisted["samples"] or [{}]),
            }
            archive = read_traces(write_eval(Path(folder) / "log.eval", parts))
            found += [one for _, one in archive.found]
            assert found or report.faults or archive.faults or not twisted["samples"]
    for trace in found:
        assert isinstance(trace, Trajectory) and len(trace.digest()) == 64
        for event, at in trace_events.timed_events(trace, "python", None, datetime.now(UTC)):
            stored = json.dumps(event.model_dump(mode="json"), allow_nan=False, ensure_ascii=False)
            assert "\\u0000" not in stored.replace("\\\\", "") and stored.encode()
            assert at.tzinfo is not None
