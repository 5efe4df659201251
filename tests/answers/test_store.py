"""Each question is asked once: the same request again, in another run, thread or process, gets the stored answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings
from django.utils.timezone import now

from solver.answers import store, tally
from solver.answers.desk import accounted
from solver.answers.key import key
from solver.answers.models import StoredAnswer
from solver.answers.store import StoredAnswers
from solver.engines.prices import Price
from solver.engines.protocol import (
    Cancelled,
    ChatReply,
    ChatRequest,
    EngineInfo,
    EngineUnreachable,
    FinishReason,
    Usage,
)
from solver.engines.spec import EngineSpec
from solver.prices import book
from tests.engines.asking import request

pytestmark = pytest.mark.django_db(transaction=True)
HOSTED = {
    "name": "hosted",
    "kind": "openai",
    "base_url": "https://api.example.org/v1",
    "models": {"default": "small"},
}


class Counting:
    """A ChatModel that says how often it was asked, and waits where a test wants it to."""

    def __init__(self) -> None:
        self.asked: list[ChatRequest] = []
        self.meanwhile: Callable[[Callable[[], bool] | None], None] = lambda cancelled: None
        self.finish = FinishReason.STOP

    def chat(
        self,
        request: ChatRequest,
        *,
        on_delta: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ChatReply:
        self.asked.append(request)
        number = len(self.asked)
        self.meanwhile(cancelled)
        usage = Usage(1000, 500, cached_tokens=200)
        return ChatReply(f"answer {number}", self.finish, usage, request.model, 1.5, 0.2, detail={"seed": 7})

    def info(self) -> EngineInfo:
        return EngineInfo("hosted", "openai", "hosted", False, ("small",))

    def close(self) -> None: ...


def spec(**changes: Any) -> EngineSpec:
    return EngineSpec.parse({**HOSTED, **changes})


def test_the_same_request_is_answered_from_the_store_and_says_so() -> None:
    inner, heard = Counting(), list[str]()
    first = StoredAnswers(inner, spec()).chat(request("Hello"))
    again = StoredAnswers(inner, spec()).chat(request("Hello"), on_delta=heard.append)
    assert len(inner.asked) == 1
    assert (again.text, again.usage, again.finish_reason) == (first.text, first.usage, first.finish_reason)
    assert heard == [first.text]
    assert not first.stored and again.stored and again.detail["stored"]["seconds"] == 1.5
    assert again.detail["seed"] == 7 and again.first_token_s is None


@pytest.mark.parametrize(
    "other",
    [
        request("Hello!"),
        request("Hello", model="large"),
        request("Hello", seed=2),
        request("Hello", max_tokens=9),
    ],
    ids=["text", "model", "seed", "budget"],
)
def test_another_request_is_asked(other: ChatRequest) -> None:
    inner = Counting()
    kept = StoredAnswers(inner, spec())
    kept.chat(request("Hello"))
    kept.chat(other)
    assert len(inner.asked) == 2


@pytest.mark.parametrize(
    "changes",
    [{"base_url": "https://other.example.org/v1"}, {"extra_body": {"top_k": 1}}],
    ids=["place", "body"],
)
def test_the_same_request_elsewhere_is_another_question(changes: dict[str, Any]) -> None:
    inner = Counting()
    StoredAnswers(inner, spec()).chat(request("Hello"))
    StoredAnswers(inner, spec(**changes)).chat(request("Hello"))
    assert len(inner.asked) == 2


def test_renaming_or_pricing_an_engine_keeps_its_answers() -> None:
    inner = Counting()
    StoredAnswers(inner, spec()).chat(request("Hello"))
    assert StoredAnswers(inner, spec(label="Other", price_table="shared")).chat(request("Hello")).stored


@pytest.mark.parametrize(
    ("changes", "sampling", "kept"),
    [
        ({}, {"temperature": 0.0}, True),
        ({}, {"temperature": 1.0, "seed": 5}, True),
        ({}, {"temperature": 1.0, "seed": None}, False),
        ({"stored_answers": "always"}, {"temperature": 1.0, "seed": None}, True),
        ({"stored_answers": "never"}, {"temperature": 0.0}, False),
    ],
    ids=["greedy", "seeded draw", "free draw", "free draw on demand", "switched off"],
)
def test_what_is_kept(changes: dict[str, Any], sampling: dict[str, Any], kept: bool) -> None:
    inner = Counting()
    for _ in range(2):
        StoredAnswers(inner, spec(**changes)).chat(request("Hello", **sampling))
    assert len(inner.asked) == (1 if kept else 2)


def test_a_run_that_asks_anew_neither_reads_nor_keeps() -> None:
    inner = Counting()
    accounted(spec(), lambda _: inner, ask_anew=True).chat(request("Hello"))
    accounted(spec(), lambda _: inner).chat(request("Hello"))
    accounted(spec(), lambda _: inner, ask_anew=True).chat(request("Hello"))
    assert len(inner.asked) == 3 and StoredAnswer.objects.count() == 1


def test_a_filtered_answer_and_a_failed_call_are_not_kept() -> None:
    inner = Counting()
    inner.finish = FinishReason.CONTENT_FILTER
    StoredAnswers(inner, spec()).chat(request("Hello"))

    def fail(_: object) -> None:
        raise EngineUnreachable("gone")

    inner.meanwhile = fail
    with pytest.raises(EngineUnreachable):
        StoredAnswers(inner, spec()).chat(request("Hello"))
    assert not StoredAnswer.objects.exists()


def test_many_who_ask_the_same_at_once_ask_once() -> None:
    inner, together = Counting(), threading.Barrier(6, timeout=60)

    def slowly(_: object) -> None:
        time.sleep(0.3)

    inner.meanwhile = slowly

    def ask(_: int) -> ChatReply:
        together.wait()
        try:
            return StoredAnswers(inner, spec()).chat(request("Hello"))
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(ask, range(6)))
    assert len(inner.asked) == 1
    assert {reply.text for reply in replies} == {"answer 1"}
    assert sum(reply.stored for reply in replies) == 5


def test_a_question_whose_asker_was_killed_is_asked_by_the_next() -> None:
    inner = Counting()
    StoredAnswer.objects.create(
        key=key(spec(), request("Hello")),
        engine="hosted",
        model="small",
        asked_by="dead",
        asking_until=now() - timedelta(seconds=1),
    )
    assert StoredAnswers(inner, spec()).chat(request("Hello")).text == "answer 1"
    assert StoredAnswers(inner, spec()).chat(request("Hello")).stored


def test_a_slow_answer_keeps_its_lease_while_it_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "RENEW_S", 0.0)
    monkeypatch.setattr(store, "LEASE", timedelta(seconds=60))
    inner, seen = Counting(), []

    def wait(cancelled: Callable[[], bool] | None) -> None:
        StoredAnswer.objects.update(asking_until=now() - timedelta(seconds=1))
        assert cancelled is not None and not cancelled()
        seen.append(StoredAnswer.objects.get().asking_until > now())

    inner.meanwhile = wait
    StoredAnswers(inner, spec()).chat(request("Hello"))
    assert seen == [True]


def test_a_waiting_caller_can_be_cancelled() -> None:
    StoredAnswer.objects.create(
        key=key(spec(), request("Hello")),
        engine="hosted",
        model="small",
        asked_by="another",
        asking_until=now() + timedelta(seconds=60),
    )
    with pytest.raises(Cancelled, match="was cancelled"):
        StoredAnswers(Counting(), spec()).chat(request("Hello"), cancelled=lambda: True)


def test_the_store_is_bounded_and_the_longest_unused_go_first() -> None:
    kept = StoredAnswers(Counting(), spec())
    for text in "abc":
        kept.chat(request(text))
    kept.chat(request("a"))
    size = StoredAnswer.objects.order_by("-size").values_list("size", flat=True)[0]
    StoredAnswer.objects.update(size=1_000_000)
    with override_settings(ANSWERS_MB=2):
        assert store.evict() == 1
        assert store.evict() == 0
    assert size > 100
    assert kept.chat(request("a")).stored and not kept.chat(request("b")).stored


def test_it_tells_what_it_holds_and_saved_and_forgets_one_engine_on_demand(
    capsys: pytest.CaptureFixture[str],
) -> None:
    book.add(spec(), Price.parse({"input": "2", "cached_input": "1", "output": "4"}))
    desk = accounted(spec(), lambda _: Counting())
    desk.chat(request("Hello"))
    for _ in range(2):
        desk.chat(request("Hello"))
    accounted(spec(name="other"), lambda _: Counting()).chat(request("Bye"))
    stock = tally.stocks()["hosted"]
    assert (stock.answers, stock.hits, stock.tokens) == (1, 2, 3000)
    assert stock.saved == 2 * Decimal("0.0038") and stock.size > 100
    call_command("engine", "answers")
    assert (
        "hosted" in (told := capsys.readouterr().out) and "2 times used" in told and "0.007600 saved" in told
    )
    call_command("engine", "answers", "hosted", "--clear")
    assert "1 stored answers of hosted forgotten" in capsys.readouterr().out
    assert "hosted" not in tally.stocks() and tally.stocks()["other"].answers == 1
    with pytest.raises(CommandError, match="Say which engine's answers"):
        call_command("engine", "answers", "--clear")
