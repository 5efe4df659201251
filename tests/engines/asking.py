"""Short ways to ask an engine in tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from solver.engines.protocol import ChatRequest, Message, Role, Sampling


def request(
    text: str = "Hello",
    *,
    role: Role = Role.CODING,
    model: str = "small",
    grammar: str | None = None,
    **sampling: Any,
) -> ChatRequest:
    settings = replace(Sampling(max_tokens=64), **sampling)
    return ChatRequest(role, model, (Message("user", text),), settings, grammar)
