"""The slab, the prefix cache, the sampler and the text stream on their own."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from solver.engines.transformers_prefix import BLOCK, PrefixCache, storable
from solver.engines.transformers_sampling import Sampler, pick
from solver.engines.transformers_slab import KvShape, Slab
from solver.engines.transformers_text import TextStream

SHAPE = KvShape(layers=2, heads=1, size=2, dtype=torch.float32, device=torch.device("cpu"))


def staged(values: Sequence[Sequence[int]], most: int) -> Slab:
    """A slab holding these rows, one number a token."""
    longest = max(len(row) for row in values)
    slab = Slab(SHAPE, most, len(values), longest)
    slab.starts = [longest - len(row) for row in values]
    slab.end = longest
    for place, row in enumerate(values):
        slab.put(
            place, torch.tensor(row, dtype=torch.float32)[None, None, None, :, None].expand(2, 2, 1, -1, 2)
        )
    return slab


def contents(slab: Slab) -> list[list[int]]:
    return [
        slab.copy(row, slab.end - slab.starts[row])[1, 1, 0, :, 0].int().tolist() for row in range(slab.rows)
    ]


def append(slab: Slab, values: Sequence[int], room: int) -> None:
    slab.reserve(room)
    new = torch.tensor(values, dtype=torch.float32)[:, None, None, None].expand(-1, 1, 1, 2)
    for layer in range(2):
        keys, _ = slab.update(new, new, layer)
        assert keys.shape[2] == slab.end - slab.begin + 1
    slab.advance(1)


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 400))
def test_rows_keep_their_tokens_through_every_join_step_and_departure(rng: random.Random, most: int) -> None:
    slab, counter = Slab(SHAPE, most), 0
    model: list[list[int]] = []
    for _ in range(40):
        act = rng.choice(["join", "step", "step", "step", "drop", "trim"])
        if act == "join" and len(model) < 6:
            rows = [
                [counter + 100 * i + j for j in range(rng.randint(1, 30))] for i in range(rng.randint(1, 3))
            ]
            counter += 1000
            other = staged(rows, most)
            keep = [i for i in range(len(rows)) if rng.random() < 0.8]
            slab.add(other, keep, room=1)
            model.extend(rows[i] for i in keep)
        elif act == "step" and model:
            new = [counter + i for i in range(len(model))]
            counter += 1000
            append(slab, new, rng.randint(1, 8))
            for row, value in zip(model, new, strict=True):
                row.append(value)
        elif act == "drop" and model:
            place = rng.randrange(len(model))
            slab.drop(place)
            last = model.pop()
            if place < len(model):
                model[place] = last
        elif act == "trim":
            slab.trim()
        assert contents(slab) == model


def test_a_short_row_neither_sees_the_columns_before_it_nor_the_future() -> None:
    slab = staged([[1, 2, 3, 4], [5]], 100)
    seen = slab.mask(2) == 0
    assert seen[0, 0].tolist() == [[True] * 5 + [False], [True] * 6]
    assert seen[1, 0].tolist() == [[False] * 3 + [True] * 2 + [False], [False] * 3 + [True] * 3]
    assert slab.positions(2).tolist() == [[4, 5], [1, 2]]


def test_a_column_before_its_rows_start_sees_only_itself_so_that_no_row_is_nan() -> None:
    slab = Slab(SHAPE, 100, 2, 4)
    slab.starts, slab.end = [0, 3], 0
    seen = slab.mask(4) == 0
    assert seen[1, 0].tolist() == [
        [True, False, False, False],
        [False, True, False, False],
        [False, False, True, False],
        [False, False, False, True],
    ]
    assert slab.positions(4).tolist() == [[0, 1, 2, 3], [0, 0, 0, 0]]


def kv(tokens: int, mark: float = 0.0) -> torch.Tensor:
    return torch.full((1, 2, 1, tokens, 1), mark)


def test_the_longest_shared_beginning_is_found_but_never_the_whole_prompt() -> None:
    cache = PrefixCache(10**6)
    ids = list(range(100))
    cache.add("coding", ids, kv(storable(ids)))
    found = cache.find("coding", ids[:80] + [7] * 40)
    assert found is not None and found.shape[3] == 64
    exact = cache.find("coding", ids[:64])
    assert exact is not None and exact.shape[3] == 32, "the last token must be computed for its logits"
    assert cache.find("coding", [5] * 100) is None


def test_another_adapters_keys_are_never_reused() -> None:
    cache = PrefixCache(10**6)
    ids = list(range(64))
    cache.add("coding", ids, kv(64))
    assert cache.find("planning", [*ids, 1]) is None
    assert cache.find(None, [*ids, 1]) is None
    cache.forget("coding")
    assert cache.find("coding", [*ids, 1]) is None
    assert cache.nbytes == 0


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=5), max_size=30))
def test_the_cache_stays_within_its_bytes_and_finds_only_true_beginnings(prompts: list[list[int]]) -> None:
    cache = PrefixCache(kv(1).nbytes * BLOCK * 6)
    for number, blocks in enumerate(prompts):
        ids = [token for block in blocks for token in [block] * BLOCK] + [9]
        found = cache.find("a", ids)
        if found is not None:
            whole = prompts[int(found[0, 0, 0, 0, 0])]
            assert whole[: found.shape[3] // BLOCK] == blocks[: found.shape[3] // BLOCK]
        if not cache.knows("a", ids):
            cache.add("a", ids, kv(storable(ids), float(number)))
            assert cache.knows("a", ids) or len(blocks) > 6
        assert cache.nbytes <= kv(1).nbytes * BLOCK * 6


def test_the_nucleus_is_the_fewest_tokens_that_reach_top_p() -> None:
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()
    drawn = {Sampler(1.0, 0.75, seed).pick(logits) for seed in range(300)}
    assert drawn == {0, 1}
    assert {Sampler(1.0, 1.0, seed).pick(logits) for seed in range(300)} == {0, 1, 2, 3}
    assert {Sampler(1.0, 0.1, seed).pick(logits) for seed in range(300)} == {0}


def test_draws_follow_the_probabilities() -> None:
    weights = torch.tensor([0.5, 0.3, 0.15, 0.05])
    sampler = Sampler(1.0, 1.0, 7)
    counts = torch.zeros(4)
    for _ in range(4000):
        counts[sampler.pick(weights.log())] += 1
    assert torch.allclose(counts / 4000, weights, atol=0.03)


def test_a_large_flat_vocabulary_is_sampled_beyond_the_short_list() -> None:
    flat = torch.zeros(5000)
    assert max(Sampler(1.0, 0.99, seed).pick(flat) for seed in range(20)) >= 1024 or (
        len({Sampler(1.0, 0.99, seed).pick(flat) for seed in range(20)}) > 10
    )


def test_greedy_rows_and_sampled_rows_share_a_step() -> None:
    logits = torch.tensor([[0.0, 9.0, 0.0], [0.0, 0.0, 9.0]])
    assert pick(logits, [Sampler(0.0, 1.0, 1), Sampler(0.1, 1.0, 1)]) == [1, 2]


class Bytes:
    """A codec whose tokens are the bytes of UTF-8."""

    def decode(self, ids: Sequence[int]) -> str:
        return bytes(ids).decode("utf-8", errors="replace")


@given(st.text(max_size=40), st.lists(st.text(min_size=1, max_size=3), max_size=3))
def test_the_streamed_text_is_the_text_up_to_the_first_stop_string(text: str, stops: list[str]) -> None:
    text = text.encode(errors="ignore").decode().replace("\ufffd", "")
    stops = [stop.encode(errors="ignore").decode() for stop in stops]
    stream = TextStream(Bytes(), [stop for stop in stops if stop])  # type: ignore[arg-type]
    heard = ""
    for token in text.encode():
        heard += stream.take(token)
        assert text.startswith(heard)
        if stream.stopped:
            break
    else:
        heard += stream.finish()
    ends = [at for stop in stops if stop and (at := text.find(stop)) >= 0]
    if not ends:
        assert heard == stream.text == text
    else:
        assert heard == stream.text
        assert stream.stopped
        assert not any(stop in heard for stop in stops if stop)
        assert text.startswith(heard) and len(heard) <= max(ends)


def test_a_cut_off_character_is_shown_when_nothing_follows() -> None:
    stream = TextStream(Bytes(), ())  # type: ignore[arg-type]
    pieces = [stream.take(token) for token in "é".encode()[:1]]
    assert [*pieces, stream.finish()] == ["", "\ufffd"]
