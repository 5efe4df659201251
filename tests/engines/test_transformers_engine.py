from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from solver.engines.base_model import MODEL_TYPES
from solver.engines.protocol import (
    Cancelled,
    ChatReply,
    ContextOverflow,
    EngineRefused,
    EngineUnreachable,
    FinishReason,
)
from solver.engines.transformers_engine import TransformersEngine
from tests.engines.asking import request
from tests.engines.conftest import tiny_spec
from tests.engines.tiny_model import Shape, save_adapter, save_base

MODELS = ("base", "retrieval", "planning", "coding", "debugging")
SHARED = "read the list and print the largest number of it, then the smallest, one line each. " * 2


def prompts() -> list[tuple[str, str, int]]:
    """Sixteen requests: model, prompt, tokens; some share a beginning longer than a block."""
    rng = random.Random(5)
    asked = []
    for index in range(16):
        words = " ".join(
            rng.choice(["sum", "max", "list", "print", "数字", "café"]) for _ in range(rng.randint(1, 30))
        )
        asked.append((MODELS[index % 5], (SHARED if index % 3 else "") + words, rng.randint(8, 40)))
    return asked


@cache
def peft_model(root: Path) -> Any:
    base = AutoModelForCausalLM.from_pretrained(root / "base", dtype=torch.float32)
    model = PeftModel.from_pretrained(base, str(root / "retrieval"), "retrieval")
    for name in MODELS[2:]:
        model.load_adapter(str(root / name), name)
    return model.eval()


def peft_tokens(root: Path, name: str, text: str, count: int) -> list[int]:
    """What plain peft generates greedily, one request at a time; the reference of every parity test."""
    tokenizer = AutoTokenizer.from_pretrained(root / "base")
    model = peft_model(root)
    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": text}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    settings = {"max_new_tokens": count, "do_sample": False, "pad_token_id": 0, "eos_token_id": 2}
    if name == "base":
        with model.disable_adapter():
            out = model.generate(**ids, **settings)
    else:
        model.set_adapter(name)
        out = model.generate(**ids, **settings)
    tokens: list[int] = out[0, ids["input_ids"].shape[1] :].tolist()
    return tokens


def text_of(root: Path, tokens: list[int]) -> str:
    text: str = AutoTokenizer.from_pretrained(root / "base").decode(tokens, skip_special_tokens=True)
    return text


def ask(engine: TransformersEngine, asked: tuple[str, str, int], **more: Any) -> ChatReply:
    model, text, count = asked
    return engine.chat(request(text, model=model, max_tokens=count), **more)


def endless(engine: TransformersEngine) -> tuple[str, str, int]:
    """A request whose greedy answer never comes to an end of its own."""
    for index in range(20):
        asked = ("base", f"sum {index}", 450)
        if ask(engine, asked).finish_reason is FinishReason.LENGTH:
            return asked
    raise AssertionError("every answer ends; change the prompts")


def test_mixed_adapters_with_staggered_arrivals_answer_exactly_as_plain_peft_one_by_one(tiny: Path) -> None:
    engine = TransformersEngine(tiny_spec(tiny, local={"max_batch": 6, "prefill_tokens": 32, "threads": 1}))
    asked = prompts()
    try:
        for repeat in range(2):  # the second time with prefix hits

            def late(index: int) -> ChatReply:
                time.sleep(index * 0.01)
                return ask(engine, asked[index])

            with ThreadPoolExecutor(16) as pool:
                replies = list(pool.map(late, range(16)))
            for (name, text, count), reply in zip(asked, replies, strict=True):
                expected = peft_tokens(tiny, name, text, count)
                assert reply.text == text_of(tiny, expected), (repeat, name, text)
                assert reply.usage.completion_tokens == len(expected)
        stats = engine.stats()
        assert stats["mean_batch"] > 2, "the requests must really have shared forwards"
        assert stats["reused_tokens"] > 300
    finally:
        engine.close()


@pytest.mark.parametrize("kind", MODEL_TYPES)
def test_every_supported_kind_of_model_answers_as_it_does_in_transformers(tmp_path: Path, kind: str) -> None:
    base = save_base(tmp_path / "base", Shape(kind=kind, layers=2))
    save_adapter(base, tmp_path / "coding", seed=5)
    adapters = {"coding": str(tmp_path / "coding")}
    engine = TransformersEngine(tiny_spec(tmp_path, adapters=adapters, models={}))
    tokenizer = AutoTokenizer.from_pretrained(base)
    plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    model = PeftModel.from_pretrained(plain, str(tmp_path / "coding")).eval()
    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": SHARED}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    out = model.generate(**ids, max_new_tokens=30, do_sample=False, pad_token_id=0, eos_token_id=2)
    try:
        reply = ask(engine, ("coding", SHARED, 30))
    finally:
        engine.close()
    assert reply.text == tokenizer.decode(out[0, ids["input_ids"].shape[1] :], skip_special_tokens=True)


def test_adapters_change_the_answer(tiny_engine: TransformersEngine) -> None:
    texts = {ask(tiny_engine, (name, "print the sum", 24)).text for name in MODELS}
    assert len(texts) == 5


def test_streamed_pieces_are_the_answer_and_never_half_a_character(tiny_engine: TransformersEngine) -> None:
    for seed in range(8):
        heard: list[str] = []
        reply = tiny_engine.chat(
            request("数字", model="coding", max_tokens=40, temperature=1.5, seed=seed), on_delta=heard.append
        )
        assert "".join(heard) == reply.text
        assert len(heard) > 3


def test_a_seed_repeats_an_answer_whatever_else_is_in_the_batch(tiny_engine: TransformersEngine) -> None:
    def sampled(seed: int) -> str:
        wanted = request("list", model="planning", max_tokens=24, temperature=0.8, seed=seed)
        return tiny_engine.chat(wanted).text

    alone = [sampled(seed) for seed in range(6)]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(sampled, range(6)))
    assert together == alone
    assert len(set(alone)) == 6


def test_a_seed_nobody_gave_is_reported_and_repeats_the_answer(tiny_engine: TransformersEngine) -> None:
    first = tiny_engine.chat(request("list", model="base", max_tokens=24, temperature=1.0))
    again = tiny_engine.chat(
        request("list", model="base", max_tokens=24, temperature=1.0, seed=first.detail["seed"])
    )
    assert again.text == first.text


def test_a_stop_string_ends_the_answer_before_itself(tiny_engine: TransformersEngine) -> None:
    whole = ask(tiny_engine, ("retrieval", "print", 40)).text
    stop = whole[12:15]
    heard: list[str] = []
    reply = tiny_engine.chat(
        request("print", model="retrieval", max_tokens=40, stop=(stop,)), on_delta=heard.append
    )
    assert reply.text == "".join(heard) == whole[: whole.index(stop)]
    assert reply.finish_reason is FinishReason.STOP


def test_the_token_budget_ends_the_answer_as_length(tiny_engine: TransformersEngine) -> None:
    reply = ask(tiny_engine, ("coding", "sum", 5))
    assert reply.finish_reason is FinishReason.LENGTH
    assert reply.usage.completion_tokens == 5


def test_the_end_token_ends_the_answer_as_stop(tiny: Path, tiny_engine: TransformersEngine) -> None:
    for seed in range(60):  # one in 320 tokens is the end token; some seed draws it early
        reply = tiny_engine.chat(
            request("x", model="base", max_tokens=60, temperature=5.0, top_p=1.0, seed=seed)
        )
        if reply.finish_reason is FinishReason.STOP:
            assert reply.usage.completion_tokens < 60
            assert "<|im_end|>" not in reply.text
            return
    pytest.fail("no seed drew the end token")


def test_the_reply_names_the_adapters_content(tiny: Path, tiny_engine: TransformersEngine) -> None:
    reply = ask(tiny_engine, ("coding", "sum", 2))
    assert reply.adapter_digest == tiny_engine.adapters()["coding"]
    assert ask(tiny_engine, ("base", "sum", 2)).adapter_digest is None


def test_an_unknown_adapter_is_refused_with_the_names_there_are(tiny_engine: TransformersEngine) -> None:
    with pytest.raises(
        EngineRefused, match="no adapter 'poetry' loaded; it serves base, retrieval, planning"
    ):
        ask(tiny_engine, ("poetry", "sum", 2))


def test_a_prompt_that_does_not_fit_is_said_in_numbers(tiny_engine: TransformersEngine) -> None:
    with pytest.raises(
        ContextOverflow, match=r"prompt of \d+ tokens and max_tokens of 2040 do not fit the 2048"
    ):
        ask(tiny_engine, ("coding", "sum of the list", 2040))


def test_a_cancel_frees_the_row_within_two_steps(tiny: Path) -> None:
    engine = TransformersEngine(tiny_spec(tiny, context_tokens=512))
    try:
        stop = threading.Event()
        steps_at_cancel: list[int] = []

        def hear(_text: str) -> None:
            if not stop.is_set():
                stop.set()
                steps_at_cancel.append(engine.stats()["steps"])

        with pytest.raises(Cancelled):
            ask(engine, endless(engine), on_delta=hear, cancelled=stop.is_set)
        left = engine.stats()["steps"]
        deadline = time.monotonic() + 60
        while engine.stats()["running"] and time.monotonic() < deadline:
            time.sleep(0.001)
        stats = engine.stats()
        assert stats["running"] == 0
        assert stats["steps"] - left <= 2
        assert ask(engine, ("coding", "sum", 4)).usage.completion_tokens == 4
    finally:
        engine.close()


def test_an_adapter_is_loaded_and_unloaded_while_others_answer(tiny: Path, tmp_path: Path) -> None:
    engine = TransformersEngine(tiny_spec(tiny))
    save_adapter(tiny / "base", tmp_path / "new", seed=9, r=16)
    try:
        expected = {name: ask(engine, (name, SHARED, 60)).text for name in MODELS}
        with ThreadPoolExecutor(5) as pool:
            calls = {name: pool.submit(ask, engine, (name, SHARED, 60)) for name in MODELS}
            engine.load_adapter("new", tmp_path / "new")
            fresh = ask(engine, ("new", SHARED, 8))
            assert engine.unload_adapter("planning")
            texts = {name: call.result().text for name, call in calls.items()}
        assert texts == expected
        assert fresh.text not in {text[: len(fresh.text)] for text in texts.values()}
        with pytest.raises(EngineRefused, match="no adapter 'planning'"):
            ask(engine, ("planning", "sum", 2))
        assert not engine.unload_adapter("planning")
        engine.load_adapter("planning", tiny / "planning")
        assert ask(engine, ("planning", SHARED, 60)).text == expected["planning"]
    finally:
        engine.close()


def test_fifty_streams_at_once_all_end_and_memory_stays_within_its_cap(tiny: Path) -> None:
    # One token is 2 * 3 layers * 2 heads * 16 numbers * 4 bytes = 768 bytes, so 1 MB is 1,302 tokens.
    engine = TransformersEngine(tiny_spec(tiny, local={"max_batch": 32, "kv_megabytes": 1}))
    most = 0

    def watch(_text: str) -> None:
        nonlocal most
        stats = engine.stats()
        most = max(most, stats["kv_bytes"])

    try:
        with ThreadPoolExecutor(50) as pool:
            replies = list(
                pool.map(
                    lambda i: ask(engine, (MODELS[i % 5], f"list {i} " * (i % 9), 20), on_delta=watch),
                    range(50),
                )
            )
        assert all(reply.usage.completion_tokens > 0 for reply in replies)
        assert 0 < most <= 1_000_000
        with pytest.raises(ContextOverflow, match="kv_megabytes"):
            ask(engine, ("base", "sum", 1300))
    finally:
        engine.close()


def test_closing_ends_calls_in_flight_with_a_sentence(tiny: Path) -> None:
    engine = TransformersEngine(tiny_spec(tiny))
    begun = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(ask, engine, endless(engine), on_delta=lambda _text: begun.set())
        assert begun.wait(60)
        engine.close()
        with pytest.raises(EngineUnreachable, match="was closed"):
            call.result(timeout=60)
    with pytest.raises(EngineUnreachable, match="is closed"):
        ask(engine, ("coding", "sum", 4))


def test_a_failed_step_fails_its_rows_and_the_engine_serves_on(tiny: Path) -> None:
    engine = TransformersEngine(tiny_spec(tiny))
    forward = engine._batch._model.model.forward
    try:

        def broken(*_args: object, **_kwargs: object) -> None:
            engine._batch._model.model.forward = forward
            raise RuntimeError("out of memory")

        engine._batch._model.model.forward = broken
        with pytest.raises(EngineUnreachable, match="failed while computing"):
            ask(engine, ("coding", "sum", 4))
        assert ask(engine, ("coding", "sum", 4)).usage.completion_tokens == 4
    finally:
        engine.close()


def test_waiting_too_long_is_an_error(tiny: Path) -> None:
    brief = {"connect_s": 1, "first_token_s": 1, "between_tokens_s": 1, "total_s": 0.15}
    patient = TransformersEngine(tiny_spec(tiny, adapters={}, models={}))
    asked = endless(patient)
    patient.close()
    engine = TransformersEngine(tiny_spec(tiny, timeouts=brief, adapters={}, models={}))
    try:
        with pytest.raises(EngineUnreachable, match=r"did not finish within 0\.15 s"):
            ask(engine, asked)
    finally:
        engine.close()
