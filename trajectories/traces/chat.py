"""Chat messages of other systems as text: strings, lists of parts, tool calls.

The lab's prompts are pairs of role and text. Parts that are no text become one line of JSON each; `plain` says whether
nothing but text was there, so that a reader knows when to keep the original beside it.
"""

from __future__ import annotations

import json
from typing import Any

from trajectories.traces.trajectory import Message

_TEXT = ("text", "content", "thinking", "reasoning")


def content(value: Any) -> str:
    """The text of a message's content, whatever shape it has."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(part for part in map(content, value) if part)
    if isinstance(value, dict):
        words = next((value[name] for name in _TEXT if isinstance(value.get(name), str)), None)
        if words is not None and value.get("type") in (
            None,
            "text",
            "input_text",
            "output_text",
            "reasoning",
            "thinking",
        ):
            return str(words)
    return compact(value)


def message(value: dict[str, Any]) -> Message:
    """OpenAI's, Inspect's and SWE-agent's messages (`content`), and OpenTelemetry's (`parts`)."""
    text = content(value["parts"] if "parts" in value else value.get("content"))
    calls = value.get("tool_calls")
    if calls:
        calls = calls if isinstance(calls, list) else [calls]
        text = "\n".join([text, *(compact(call) for call in calls)]).strip("\n")
    return Message(role=str(value.get("role") or "unknown"), content=text)


def plain(value: Any) -> bool:
    """Whether role and text are all that the message says."""
    if (
        not isinstance(value, dict)
        or set(value) - {"role", "content", "parts"}
        or ("parts" in value and "content" in value)
    ):
        return False
    body = value.get("parts", value.get("content"))
    if isinstance(body, list):
        return len(body) == 1 and isinstance(body[0], dict) and _is_text(body[0])
    return isinstance(body, str)


def _is_text(part: dict[str, Any]) -> bool:
    return part.get("type") == "text" and set(part) in ({"type", "text"}, {"type", "content"})


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
