"""Answers and verdicts that are asked for once: greedy answers and the verdicts of programs do not change, and the arms of
the ablation and the supervisor's replays ask most of theirs again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from solver.engines.protocol import ChatModel, ChatReply, ChatRequest, EngineInfo
from solver.judge import Judge, Program, Report, Task


class Remembering:
    """A model that is asked each question once."""

    def __init__(self, engine: ChatModel) -> None:
        self._engine = engine
        self._replies: dict[tuple[str, str, str | None], ChatReply] = {}
        self._lock = threading.Lock()

    def chat(
        self,
        request: ChatRequest,
        *,
        on_delta: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ChatReply:
        key = (request.model, request.prompt_digest(), request.grammar)
        with self._lock:
            known = self._replies.get(key)
        if known is not None:
            return known
        reply = self._engine.chat(request, on_delta=on_delta, cancelled=cancelled)
        with self._lock:
            self._replies[key] = reply
        return reply

    def info(self) -> EngineInfo:
        return self._engine.info()

    def close(self) -> None:
        self._engine.close()


class RememberingJudge(Judge):
    """A judge that runs each program on each task once."""

    def __init__(self, *, slots: int) -> None:
        super().__init__(slots=slots)
        self._reports: dict[tuple[Any, ...], Report] = {}
        self._remembers = threading.Lock()

    def judge(self, program: Program, task: Task, **how: Any) -> Report:
        key = (program, task, *sorted(how.items()))
        with self._remembers:
            known = self._reports.get(key)
        if known is not None:
            return known
        report = super().judge(program, task, **how)
        with self._remembers:
            self._reports[key] = report
        return report
