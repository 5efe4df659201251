"""The four agents of MapCoder, in the order in which a run asks them."""

from __future__ import annotations

from typing import Literal, get_args

AgentName = Literal["retrieval", "planning", "coding", "debugging"]
AGENTS: tuple[str, ...] = get_args(AgentName)
