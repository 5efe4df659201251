"""The file formats that trainers read, each a row at a time in both directions.

chat: OpenAI messages (TRL `SFTTrainer`); sharegpt: conversations of human and gpt (LLaMA-Factory, Axolotl); alpaca:
instruction, input, output; dpo: TRL's conversational preference pairs; sharegpt-dpo: LLaMA-Factory's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Turns = list[dict[str, str]]
_TO_SHAREGPT = {"user": "human", "assistant": "gpt", "system": "system"}
_FROM_SHAREGPT = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "system": "system",
}


@dataclass(frozen=True, slots=True)
class Pair:
    """A training pair as every format means it. `refused` is empty where there is no preference."""

    prompt: Turns
    answer: str
    refused: str = ""


class BadRow(ValueError):
    """A row that is no training pair; the message says what and how to mend it."""


@dataclass(frozen=True, slots=True)
class Format:
    """`pairs_only`: rows without a refused answer are left out of such a file."""

    key: str
    title: str
    suffix: str
    write: Callable[[Pair], dict[str, Any]]
    pairs_only: bool = False


def _chat(pair: Pair) -> dict[str, Any]:
    return {"messages": [*pair.prompt, {"role": "assistant", "content": pair.answer}]}


def _turn(role: str, text: str) -> dict[str, str]:
    return {"from": _TO_SHAREGPT[role], "value": text}


def _sharegpt(pair: Pair) -> dict[str, Any]:
    asked = [_turn(turn["role"], turn["content"]) for turn in pair.prompt if turn["role"] != "system"]
    system = next((turn["content"] for turn in pair.prompt if turn["role"] == "system"), "")
    return {
        "conversations": [*asked, _turn("assistant", pair.answer)],
        **({"system": system} if system else {}),
    }


def _alpaca(pair: Pair) -> dict[str, Any]:
    system = "".join(turn["content"] for turn in pair.prompt if turn["role"] == "system")
    asked = "\n\n".join(turn["content"] for turn in pair.prompt if turn["role"] != "system")
    row = {"instruction": asked, "input": "", "output": pair.answer}
    return row | ({"system": system} if system else {})


def _dpo(pair: Pair) -> dict[str, Any]:
    return {
        "prompt": pair.prompt,
        "chosen": [{"role": "assistant", "content": pair.answer}],
        "rejected": [{"role": "assistant", "content": pair.refused}],
    }


def _sharegpt_dpo(pair: Pair) -> dict[str, Any]:
    row = _sharegpt(pair)
    return {
        **row,
        "conversations": row["conversations"][:-1],
        "chosen": _turn("assistant", pair.answer),
        "rejected": _turn("assistant", pair.refused),
    }


FORMATS = {
    one.key: one
    for one in (
        Format("chat", "Chat JSONL (TRL, OpenAI)", "jsonl", _chat),
        Format("sharegpt", "ShareGPT (LLaMA-Factory)", "json", _sharegpt),
        Format("alpaca", "Alpaca", "json", _alpaca),
        Format("parquet", "Parquet of chat messages", "parquet", _chat),
        Format("dpo", "Preference pairs, JSONL (TRL DPO)", "jsonl", _dpo, pairs_only=True),
        Format(
            "sharegpt-dpo",
            "Preference pairs, ShareGPT (LLaMA-Factory)",
            "json",
            _sharegpt_dpo,
            pairs_only=True,
        ),
    )
}


# -- reading


def read(row: Any) -> Pair:
    """A row of any of the formats, told by its fields. Raises BadRow."""
    if not isinstance(row, Mapping):
        raise BadRow("a row must be an object with fields such as `messages`")
    if "messages" in row:
        return _answered(_turns(row["messages"], "role", "content"))
    if "chosen" in row and "rejected" in row:
        return _preference(row)
    if "conversations" in row:
        return _answered([*_system(row), *_turns(row["conversations"], "from", "value")])
    if "instruction" in row and "output" in row:
        asked = "\n\n".join(str(row[name]) for name in ("instruction", "input") if row.get(name))
        turns = [
            *_system(row),
            {"role": "user", "content": asked},
            {"role": "assistant", "content": str(row["output"])},
        ]
        return _answered(turns)
    raise BadRow(
        "no fields of a known format; give messages, conversations, instruction and output, or prompt, chosen and rejected"
    )


def _preference(row: Mapping[str, Any]) -> Pair:
    asked = row.get("prompt") if "prompt" in row else row.get("conversations")
    turns = [{"role": "user", "content": asked}] if isinstance(asked, str) else _either(asked)
    chosen, rejected = (_text(row[name], name) for name in ("chosen", "rejected"))
    whole = _answered([*_system(row), *turns, {"role": "assistant", "content": chosen}])
    return Pair(whole.prompt, whole.answer, "" if rejected == chosen else rejected)


def _either(value: Any) -> Turns:
    first = value[0] if isinstance(value, list) and value else {}
    names = ("from", "value") if isinstance(first, Mapping) and "from" in first else ("role", "content")
    return _turns(value, *names)


def _text(value: Any, name: str) -> str:
    """An answer as text, as one turn, or as a list that ends in it."""
    if isinstance(value, list):
        value = value[-1] if value else {}
    if isinstance(value, Mapping):
        value = value.get("content", value.get("value"))
    if not isinstance(value, str):
        raise BadRow(f"{name} holds no text")
    return value


def _system(row: Mapping[str, Any]) -> Turns:
    system = row.get("system")
    return [{"role": "system", "content": system}] if isinstance(system, str) and system else []


def _turns(value: Any, who: str, what: str) -> Turns:
    if not isinstance(value, list):
        raise BadRow("the conversation must be a list of turns")
    turns = []
    for number, turn in enumerate(value, 1):
        said = turn.get(what) if isinstance(turn, Mapping) else None
        role = _FROM_SHAREGPT.get(str(turn.get(who))) if isinstance(turn, Mapping) else None
        if role is None or not isinstance(said, str):
            raise BadRow(f"turn {number} needs {who} (user, assistant or system) and {what}, a text")
        turns.append({"role": role, "content": said})
    return turns


def _answered(turns: Iterable[dict[str, str]]) -> Pair:
    listed = list(turns)
    if len(listed) < 2 or listed[-1]["role"] != "assistant":
        raise BadRow("a row needs a question and must end with the assistant's answer")
    if not listed[-1]["content"].strip():
        raise BadRow("the answer is empty")
    if not any(turn["content"].strip() for turn in listed[:-1]):
        raise BadRow("the question is empty")
    return Pair(listed[:-1], listed[-1]["content"])
