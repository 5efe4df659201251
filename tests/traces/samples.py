"""Small files in the shapes that other systems write."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from trajectories.traces import LabRun, Trajectory, read_traces

SUM = "a, b = map(int, input().split())\nprint(a + b)\n"
NORMALISED: dict[str, Any] = {
    "id": "t1",
    "problem_id": "test/sum",
    "model": "some-model",
    "strategy": "MapCoder",
    "agent_framework": "MapCoder (reproduction)",
    "solved_recorded": True,
    "prompt_tokens": 900,
    "completion_tokens": 90,
    "n_calls": 2,
    "steps": [
        {
            "stage": "planning",
            "messages": [{"role": "system", "content": "Write <plan> and <test_cases>."}],
            "messages_raw": None,
            "response": "```xml\n<response><plan>Add them.</plan><test_cases>1 2 -> 3</test_cases></response>\n```",
        },
        {"stage": "note", "text": "Plan Verification Correct"},
        {
            "stage": "coding",
            "messages": [{"role": "user", "content": "Write the program."}],
            "response": f"Here:\n```python\n{SUM}```",
        },
        {"stage": "execution_feedback", "text": ["1 2: passed", "5 6: passed"]},
    ],
    "final_code": SUM,
    "provenance": {"repo": "some/repository", "path": "log.txt"},
    "mood": "confident",
}
MAPCODER_RESULT: dict[str, Any] = {
    "task_id": "HumanEval/0",
    "prompt": "def f(): ...",
    "entry_point": "f",
    "source_codes": ["def f(): return 0", "def f(): return 1"],
    "responses": ["```python\ndef f(): return 0\n```", "```python\ndef f(): return 1\n```"],
    "prompt_tokens": [100, 110],
    "completion_tokens": [10, 11],
    "api_calls": [7, 9],
    "no_of_try": 2,
    "is_solved": True,
    "language": "Python3",
}
SWE_TURN: dict[str, Any] = {
    "action": "ls -F\n",
    "observation": "fields.py\n",
    "response": "We list the files.\n```\nls -F\n```",
    "thought": "We list the files.",
    "execution_time": 0.25,
    "state": {"working_dir": "/repo"},
    "extra_info": {},
}
_SEEN = [{"role": "system", "content": "You repair programs."}, {"role": "user", "content": "Issue 12."}]
SWE_AGENT_NEW: dict[str, Any] = {
    "environment": "swe_main",
    "trajectory": [{**SWE_TURN, "query": [{**_SEEN[0], "agent": "main"}, _SEEN[1]]}],
    "history": [{**_SEEN[0], "message_type": "system_prompt"}],
    "info": {
        "exit_status": "submitted",
        "submission": "--- a/fields.py\n",
        "model_stats": {"instance_cost": 0.07, "tokens_sent": 4000, "tokens_received": 200, "api_calls": 1},
    },
    "replay_config": json.dumps({"agent": {"model": {"name": "some-model", "api_key": "sk-very-secret"}}}),
}
SWE_AGENT_OLD: dict[str, Any] = {
    "environment": "swe_main",
    "trajectory": [{**SWE_TURN, "messages": _SEEN}],
    "info": {"exit_status": None, "submission": None},
}
MINI: dict[str, Any] = {
    "trajectory_format": "mini-swe-agent-1.1",
    "instance_id": "repo__12",
    "info": {
        "model_stats": {"instance_cost": 0.03, "api_calls": 1},
        "config": {"model": {"model_name": "some-model", "model_kwargs": {"api_key": "sk-very-secret"}}},
        "mini_version": "2.2.7",
        "exit_status": "Submitted",
        "submission": "diff --git a/x b/x\n",
    },
    "messages": [
        *_SEEN,
        {
            "role": "assistant",
            "content": "I look.",
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "bash", "arguments": '{"command": "ls"}'},
                }
            ],
            "extra": {
                "actions": [{"command": "ls", "tool_call_id": "c1"}],
                "response": {
                    "usage": {"prompt_tokens": 50, "completion_tokens": 5},
                    "choices": [{"finish_reason": "stop"}],
                },
                "cost": 0.01,
                "timestamp": 1775802391.5,
            },
        },
        {
            "role": "tool",
            "tool_call_id": "c1",
            "content": "x\n",
            "extra": {"returncode": 0, "timestamp": 1775802393.0},
        },
    ],
}
INSPECT_HEAD: dict[str, Any] = {
    "version": 2,
    "status": "success",
    "eval": {"task": "sums", "model": "some/model", "run_id": "r1", "created": "2025-07-05T09:59:40-04:00"},
    "results": {"total_samples": 1},
}
_ATTACHED = "0123456789abcdef0123456789abcdef"
INSPECT_SAMPLE: dict[str, Any] = {
    "id": "test/sum",
    "epoch": 1,
    "input": "Add.",
    "target": "3",
    "messages": [
        {"role": "user", "content": "Add.", "id": "m1"},
        {"role": "assistant", "content": SUM, "id": "m2"},
    ],
    "output": {
        "model": "model",
        "choices": [{"message": {"role": "assistant", "content": SUM}, "stop_reason": "stop"}],
    },
    "scores": {"verify": {"value": "C", "answer": "3", "explanation": "right"}},
    "metadata": {"origin": "nowhere"},
    "attachments": {_ATTACHED: "Read two integers and add them."},
    "events": [
        {
            "event": "span_begin",
            "id": "s1",
            "type": "solver",
            "name": "coding",
            "timestamp": "2025-07-05T09:59:40-04:00",
        },
        {
            "event": "model",
            "span_id": "s1",
            "timestamp": "2025-07-05T09:59:41-04:00",
            "completed": "2025-07-05T09:59:43-04:00",
            "model": "some/model",
            "input": [{"role": "user", "content": f"attachment://{_ATTACHED}", "id": "m1"}],
            "output": {
                "choices": [
                    {
                        "message": {"role": "assistant", "content": f"```python\n{SUM}```"},
                        "stop_reason": "stop",
                    }
                ],
                "usage": {"input_tokens": 66, "output_tokens": 30, "total_tokens": 96},
                "time": 1.9,
            },
        },
        {
            "event": "tool",
            "function": "run",
            "arguments": {"x": 1},
            "result": "3\n",
            "timestamp": "2025-07-05T09:59:44-04:00",
        },
    ],
}


def otlp(*spans: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
                "scopeSpans": [{"scope": {"name": "tracer"}, "spans": list(spans)}],
            }
        ]
    }


def span(number: int, name: str, parent: int | None = None, **attributes: Any) -> dict[str, Any]:
    """`gen_ai__x` is the attribute `gen_ai.x`."""

    def value(given: Any) -> dict[str, Any]:
        if isinstance(given, list):
            return {"arrayValue": {"values": [value(item) for item in given]}}
        return {"intValue": str(given)} if isinstance(given, int) else {"stringValue": given}

    return {
        "traceId": "ab" * 16,
        "spanId": f"{number:016x}",
        **({"parentSpanId": f"{parent:016x}"} if parent else {}),
        "name": name,
        "kind": 1,
        "startTimeUnixNano": str(1_775_802_391_000_000_000 + number * 1_000_000_000),
        "endTimeUnixNano": str(1_775_802_391_500_000_000 + number * 1_000_000_000),
        "attributes": [
            {"key": key.replace("__", "."), "value": value(given)} for key, given in attributes.items()
        ],
    }


def write(path: Path, *rows: Any) -> Path:
    path.write_text(
        "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows), encoding="utf-8"
    )
    return path


def write_eval(path: Path, members: dict[str, Any]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            text = data if isinstance(data, str) else json.dumps(data)
            archive.writestr(name, text.encode("utf-8", "surrogatepass"))
    return path


def read(path: Path, format: str | None = None) -> tuple[list[Trajectory | LabRun], list[str]]:
    """What is in a file, and the complaints."""
    report = read_traces(path, format)
    found = [one for _, one in report.found]
    return found, [str(fault) for fault in report.faults]


def read_one(path: Path) -> Trajectory:
    found, faults = read(path)
    assert faults == []
    (trace,) = found
    assert isinstance(trace, Trajectory)
    return trace


def scalars(value: Any, name: str = "") -> set[tuple[str, Any]]:
    """Every field's name with its value, wherever it stands: what must be found again."""
    if isinstance(value, dict):
        return {pair for key, item in value.items() for pair in scalars(item, key)}
    if isinstance(value, list | tuple):
        return {pair for item in value for pair in scalars(item, name)}
    return {(name, value)}


def lost(source: Any, trace: Trajectory) -> set[tuple[str, Any]]:
    """Values of the source that stand nowhere in the trajectory."""
    kept = {value for _, value in scalars(trace.model_dump(mode="json"))}
    texts = "\n".join(str(value) for value in kept)
    return {
        (name, value)
        for name, value in scalars(source)
        if value is not None and value not in kept and str(value) not in texts
    }
