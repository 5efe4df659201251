"""A step as text for the clipboard: markdown for people and models, a curl command, chat messages as JSON.

The address and the key of the engine are left to the reader's shell: neither belongs into a clipboard.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Any

from trajectories.card import Card
from trajectories.wording import verdict_words

Prompt = dict[str, Any] | None


def _fenced(text: str, language: str = "") -> str:
    """A fence longer than any in the text, so that hostile text cannot close it."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"


def markdown(card: Card, prompt: Prompt) -> str:
    title = f"## Step {card.number}: {card.title}, {card.position or 'run'} (run {card.step.run_id})"
    parts = [title]
    if card.step.role == "judge":
        parts += [verdict_words(card.step), _fenced(card.code or "", card.language)]
        return "\n\n".join(parts) + "\n"
    for message in (prompt or {}).get("messages") or []:
        parts += [f"### Prompt, {message.get('role')}", _fenced(str(message.get("content", "")))]
    if card.end:
        parts += ["### Answer", _fenced(str(card.end.get("text", "")))]
    if card.failure:
        parts.append(f"No answer ({card.failure.get('code')}): {card.failure.get('message')}")
    return "\n\n".join(parts) + "\n"


def _request(prompt: Prompt) -> dict[str, Any]:
    prompt = prompt or {}
    sampling = prompt.get("sampling") or {}
    known = {"temperature": "temperature", "top_p": "top_p", "seed": "seed", "max_tokens": "max_tokens"}
    given = {name: sampling[key] for key, name in known.items() if sampling.get(key) is not None}
    return {"model": prompt.get("model", ""), "messages": prompt.get("messages") or [], **given}


def curl(card: Card, prompt: Prompt) -> str:
    body = json.dumps(_request(prompt), ensure_ascii=False)
    return (
        'curl "$BASE_URL/chat/completions" -H "authorization: Bearer $API_KEY" '
        f"-H 'content-type: application/json' --data {shlex.quote(body)}\n"
    )


def chat(card: Card, prompt: Prompt) -> str:
    """The exchange as one line of chat JSON, as trainers read it."""
    messages = list(_request(prompt)["messages"])
    if card.end:
        messages.append({"role": "assistant", "content": str(card.end.get("text", ""))})
    return json.dumps({"messages": messages}, ensure_ascii=False) + "\n"


def answer(card: Card, prompt: Prompt) -> str:
    """The answer as it was given: what an editor begins with."""
    return str((card.end or {}).get("text", ""))


FORMS: dict[str, Callable[[Card, Prompt], str]] = {
    "markdown": markdown,
    "curl": curl,
    "chat": chat,
    "answer": answer,
}
