"""The training loop: resumable to the bit, loss on answers alone, text cut as every loader cuts it."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("transformers", reason="training needs transformers")

import torch

from micro import network, pretraining, tokenizer
from micro.corpus import Document, documents
from micro.learning import Plan, learn
from micro.network import Shape
from micro.optimiser import Rates, rate_factor
from micro.scale import CI, Scale
from micro.sequences import Sequences

TINY = Shape(hidden=32, layers=1, heads=2, kv_heads=1, feed_forward=64, vocabulary=400)


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    texts = [d.prompt + d.completion for d in itertools.islice(documents("test"), 200)]
    for special in tokenizer.SPECIAL_TOKENS:
        texts = [text.replace(special, "") for text in texts]
    tokenizer.train(texts, TINY.vocabulary).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def sequences(tokens: Path) -> Sequences:
    return Sequences.encode(tokenizer.load(tokens), itertools.islice(documents("test"), 60), 640)


def _run(sequences: Sequences, folder: Path, steps: int, stop_after: int | None = None) -> list[torch.Tensor]:
    torch.set_num_threads(1)
    model = network.build(TINY, seed=3)
    network.ready_to_train(model, "cpu")
    plan = Plan(steps, 1024, Rates(3e-3, 6e-3), warm_up=2, cool_down=steps, seed=5, save_every=2)
    taken = 0

    def loss(ids: torch.Tensor, weighed: torch.Tensor) -> torch.Tensor:
        nonlocal taken
        taken += 1
        if stop_after is not None and taken > stop_after:
            raise KeyboardInterrupt
        return network.answer_loss(model, ids, weighed)

    if stop_after is None:
        learn(dict(model.named_parameters()), loss, sequences, plan, folder)
    else:
        with pytest.raises(KeyboardInterrupt):
            learn(dict(model.named_parameters()), loss, sequences, plan, folder)
    return [p.detach().clone() for p in model.parameters()]


@pytest.mark.parametrize("able", [True, False])
def test_a_killed_run_resumes_to_the_very_same_weights(
    sequences: Sequences, tmp_path: Path, able: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a processor that multiplies bf16 and on one that computes with the same weights in fp32."""
    monkeypatch.setattr(network, "multiplies_bf16", lambda device: able)
    whole = _run(sequences, tmp_path / "whole", steps=6)
    _run(sequences, tmp_path / "killed", steps=6, stop_after=5)
    resumed = _run(sequences, tmp_path / "killed", steps=6)
    assert all(torch.equal(a, b) for a, b in zip(whole, resumed, strict=True))
    assert {p.dtype for p in whole} == {torch.bfloat16 if able else torch.float32}
    assert all(torch.equal(p, p.bfloat16().to(p.dtype)) for p in whole)


def test_training_lowers_the_loss_and_logs_its_progress(sequences: Sequences, tmp_path: Path) -> None:
    _run(sequences, tmp_path, steps=30)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [25, 30]
    assert lines[-1]["loss"] < lines[0]["loss"] - 0.3


def test_the_loss_falls_on_the_answer_and_its_end_alone(tokens: Path) -> None:
    cut = tokenizer.load(tokens)
    one = Sequences.encode(
        cut, [Document(tokenizer.chat("sum of n"), f"print the sum{tokenizer.TURN_END}")], 640
    )
    batch = one.collate(next(one.batches(0, 640)), pad=0)
    assert cut.decode(batch.ids[batch.weighed]) == f"print the sum{tokenizer.TURN_END}"
    assert batch.ids.shape[1] % 32 == 0


def test_a_document_that_is_too_long_is_left_out_and_not_cut(tokens: Path) -> None:
    given = [Document("a", "b " * 2000), Document("a", "b")]
    assert len(Sequences.encode(tokenizer.load(tokens), given, 640)) == 1


def test_every_row_comes_once_an_epoch_in_an_order_that_the_seed_decides(sequences: Sequences) -> None:
    def epoch(seed: int) -> list[int]:
        rows: list[int] = []
        for batch in sequences.batches(seed, 1024):
            rows += batch.tolist()
            if len(rows) == len(sequences):
                return rows
        raise AssertionError("batches never end")

    assert epoch(1) == epoch(1) != epoch(2)
    assert sorted(epoch(1)) == list(range(len(sequences)))


def test_whatever_loads_the_tokenizer_cuts_text_alike(tokens: Path) -> None:
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    (tokens / "config.json").write_text('{"model_type": "qwen2"}')
    loaders = [tokenizer.load(tokens), AutoTokenizer.from_pretrained(tokens)]
    loaders.append(PreTrainedTokenizerFast.from_pretrained(tokens))
    texts = [d.prompt + d.completion for d in itertools.islice(documents("cut"), 50)]
    texts.append("Ünïcode 漢字\tx  \n\n </root>```python\n    y = 10")
    for text in texts:
        first, *others = [loader(text, add_special_tokens=False).input_ids for loader in loaders]
        assert all(other == first for other in others)
        assert loaders[0].decode(first) == text


def test_the_chat_template_marks_the_answer_and_its_end(tokens: Path) -> None:
    cut = tokenizer.load(tokens)
    turns = [{"role": "user", "content": "ask"}, {"role": "assistant", "content": "tell"}]
    whole = cut.apply_chat_template(turns, return_dict=True, return_assistant_tokens_mask=True)
    marked = [i for i, mark in zip(whole["input_ids"], whole["assistant_masks"], strict=True) if mark]
    assert cut.decode(marked) == f"tell{tokenizer.TURN_END}"
    asked = cut.apply_chat_template(turns[:1], tokenize=False, add_generation_prompt=True)
    assert asked == tokenizer.chat("ask")


def test_the_rate_warms_up_stays_and_cools_down_to_a_fiftieth() -> None:
    factors = [rate_factor(step, 100, 10, 50) for step in range(100)]
    assert factors[0] == 0.1
    assert factors[9:51] == [1.0] * 42
    assert factors[50:] == sorted(factors[50:], reverse=True)
    assert factors[-1] == pytest.approx(0.02)


def test_before_it_cools_down_a_run_does_not_depend_on_how_long_it_will_be() -> None:
    assert [rate_factor(step, 100, 10, 30) for step in range(70)] == [
        rate_factor(step, 1000, 10, 30) for step in range(70)
    ]


def test_a_plan_of_four_times_the_steps_cools_down_in_the_same_proportion() -> None:
    plan = Plan(100, 1024, Rates(3e-3), warm_up=5, cool_down=40, seed=1).times(4)
    assert (plan.steps, plan.cool_down, plan.warm_up) == (400, 160, 5)


def test_a_tokenizer_that_does_not_fill_the_network_is_refused(tmp_path: Path) -> None:
    from dataclasses import replace

    scale: Scale = replace(CI, tokenizer_documents=3, shape=replace(CI.shape, vocabulary=5000))
    with pytest.raises(RuntimeError, match="entries"):
        pretraining.make_tokenizer(scale, tmp_path)
