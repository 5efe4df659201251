"""An engine that asks each question once.

`chat`: 1. claim the question's row: insert it, or take over one whose asker died. 2. The winner asks, renewing its
lease while it waits, and writes the answer. 3. Everybody else waits for that answer. The row is the claim, so this
holds between threads, workers and machines; an asker that is killed delays the others by `LEASE` at most.
"""

from __future__ import annotations

import dataclasses
import json
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Sum
from django.utils.timezone import now

from solver.answers.key import KEPT, is_kept, key
from solver.answers.models import StoredAnswer
from solver.engines.protocol import (
    Cancelled,
    ChatModel,
    ChatReply,
    ChatRequest,
    EngineInfo,
    FinishReason,
    Usage,
)
from solver.engines.spec import EngineSpec

LEASE = timedelta(seconds=20)
RENEW_S = 5.0
LOOK_S = 0.1
EVICTED_AT_ONCE = 200


class StoredAnswers:
    """Wraps an engine. A kept answer arrives whole: `on_delta` gets its text in one piece."""

    def __init__(self, inner: ChatModel, spec: EngineSpec) -> None:
        self._inner, self._spec = inner, spec

    def chat(
        self,
        request: ChatRequest,
        *,
        on_delta: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ChatReply:
        if not is_kept(self._spec, request):
            return self._inner.chat(request, on_delta=on_delta, cancelled=cancelled)
        began = time.monotonic()
        name, token = key(self._spec, request), uuid.uuid4().hex
        while not self._claim(name, token, request):
            if row := _use(name):
                reply = _read(row, time.monotonic() - began)
                if on_delta is not None and reply.text:
                    on_delta(reply.text)
                return reply
            if cancelled is not None and cancelled():
                raise Cancelled(f"The call to {self._spec.name!r} was cancelled.")
            time.sleep(LOOK_S)
        return self._ask(name, token, request, on_delta, cancelled)

    def _claim(self, name: str, token: str, request: ChatRequest) -> bool:
        """True if the question is this caller's to ask; False if it is answered or being asked."""
        until = now() + LEASE
        dead = StoredAnswer.objects.filter(key=name, answered_at=None, asking_until__lt=now())
        if dead.update(asked_by=token, asking_until=until):
            return True
        if StoredAnswer.objects.filter(key=name).exists():
            return False
        try:
            with transaction.atomic():
                StoredAnswer.objects.create(
                    key=name,
                    engine=self._spec.name,
                    model=request.model[:200],
                    asked_by=token,
                    asking_until=until,
                )
        except IntegrityError:  # somebody was faster
            return False
        return True

    def _ask(
        self,
        name: str,
        token: str,
        request: ChatRequest,
        on_delta: Callable[[str], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> ChatReply:
        mine = StoredAnswer.objects.filter(key=name, asked_by=token, answered_at=None)
        try:
            reply = self._inner.chat(request, on_delta=on_delta, cancelled=_renewing(mine, cancelled))
        except BaseException:
            mine.delete()
            raise
        if reply.finish_reason in KEPT:
            written = _write(reply)
            size = len(json.dumps(written))
            moment = now()
            mine.update(reply=written, size=size, answered_at=moment, used_at=moment)
        else:
            mine.delete()
        return reply

    def info(self) -> EngineInfo:
        return self._inner.info()

    def close(self) -> None:
        self._inner.close()


def _renewing(mine: Any, cancelled: Callable[[], bool] | None) -> Callable[[], bool]:
    """Engines ask many times a second whether to cancel, in the caller's thread: the moment to renew the lease."""
    due = time.monotonic() + RENEW_S

    def asked() -> bool:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + RENEW_S
            mine.update(asking_until=now() + LEASE)
        return cancelled is not None and cancelled()

    return asked


def _use(name: str) -> StoredAnswer | None:
    row = StoredAnswer.objects.filter(key=name).exclude(answered_at=None).first()
    if row is not None:
        StoredAnswer.objects.filter(key=name).update(hits=F("hits") + 1, used_at=now())
    return row


def _write(reply: ChatReply) -> dict[str, Any]:
    return dataclasses.asdict(reply)


def _read(row: StoredAnswer, seconds: float) -> ChatReply:
    """`seconds` is what finding it took; what producing it took stands in `detail["stored"]`."""
    assert row.answered_at is not None and row.reply is not None
    kept: dict[str, Any] = row.reply
    told = {
        "asked_at": row.answered_at.isoformat(timespec="seconds"),
        "seconds": round(kept["seconds"], 4),
        "first_token_s": kept["first_token_s"],
    }
    return ChatReply(
        text=kept["text"],
        finish_reason=FinishReason(kept["finish_reason"]),
        usage=Usage(**kept["usage"]),
        model=kept["model"],
        seconds=seconds,
        first_token_s=None,
        adapter_digest=kept["adapter_digest"],
        detail={**kept["detail"], "stored": told},
    )


def evict() -> int:
    """Remove the answers not used for longest while the store is over its size; returns how many.

    The reaper calls it every few seconds, so the store may pass its bound by what arrives in between.
    """
    limit = settings.ANSWERS_MB * 1_000_000
    held = StoredAnswer.objects.exclude(answered_at=None)
    over = (held.aggregate(total=Sum("size"))["total"] or 0) - limit
    if over <= 0:
        return 0
    chosen = []
    for name, size in held.order_by("used_at").values_list("key", "size")[:EVICTED_AT_ONCE]:
        chosen.append(name)
        over -= size
        if over <= 0:
            break
    removed, _ = StoredAnswer.objects.filter(key__in=chosen).delete()
    return removed
