"""One engine made of several: each role is answered by the member that the routes name.

A student that plans and codes while a teacher debugs is such an engine (MapCoder-Lite section 3.1, figure 3b). Members
are opened once per process like any engine, however many routed ones share them.
"""

from __future__ import annotations

from collections.abc import Callable

from solver.engines.protocol import ChatModel, ChatReply, ChatRequest, EngineInfo
from solver.engines.spec import EngineSpec


class RoutedEngine:
    """`opened` gives the engine of a member; closing this one leaves the members open for their other users."""

    def __init__(self, spec: EngineSpec, opened: Callable[[EngineSpec], ChatModel]) -> None:
        self.spec = spec
        self._members = {member.name: opened(member) for member in spec.members}

    def chat(
        self,
        request: ChatRequest,
        *,
        on_delta: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ChatReply:
        member = self._members[self.spec.member_for(request.role).name]
        return member.chat(request, on_delta=on_delta, cancelled=cancelled)

    def info(self) -> EngineInfo:
        infos = [member.info() for member in self._members.values()]
        return EngineInfo(
            name=self.spec.name,
            kind=self.spec.kind.value,
            label=self.spec.title,
            simulated=any(info.simulated for info in infos),
            models=tuple(model for info in infos for model in info.models),
            streams=all(info.streams for info in infos),
            seeds=all(info.seeds for info in infos),
            grammars=all(info.grammars for info in infos),
            adapters=any(info.adapters for info in infos),
        )

    def close(self) -> None:
        """The members belong to the registry."""
