"""The base model: tokenizer, encoded corpus and the pretraining run, each kept in its folder once made."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from micro import network, tokenizer, whole_files
from micro.corpus import documents
from micro.learning import learn
from micro.scale import Scale
from micro.sequences import Sequences

if TYPE_CHECKING:
    from transformers import Qwen2ForCausalLM


def make_tokenizer(scale: Scale, folder: Path) -> None:
    texts = (
        d.prompt + d.completion
        for d in itertools.islice(documents("tokenizer", scale.longest_chain), scale.tokenizer_documents)
    )
    trained = tokenizer.train(_without_special_tokens(texts), scale.shape.vocabulary)
    if len(trained) != scale.shape.vocabulary:
        raise RuntimeError(f"the tokenizer has {len(trained)} entries, the network {scale.shape.vocabulary}")
    with whole_files.folder(folder, "tokenizer.json") as unfinished:
        trained.save_pretrained(unfinished)


def _without_special_tokens(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        for special in tokenizer.SPECIAL_TOKENS:
            text = text.replace(special, "")
        yield text


def encode_corpus(scale: Scale, tokenizer_folder: Path, path: Path) -> None:
    corpus = itertools.islice(documents("pretraining", scale.longest_chain), scale.pretraining_documents)
    Sequences.encode(tokenizer.load(tokenizer_folder), corpus, scale.longest_sequence).save(path)


def pretrain(
    scale: Scale,
    corpus: Path,
    tokenizer_folder: Path,
    folder: Path,
    device: str = "cpu",
    tell: Callable[[int, int], None] = lambda done, of: None,
) -> None:
    """Leaves the bf16 base model with its tokenizer in `folder`, ready for `from_pretrained`."""
    model = network.build(scale.shape, scale.pretraining.seed)
    network.ready_to_train(model, device)
    model.set_attn_implementation("eager")  # at these lengths faster on a CPU than the fused kernel
    learn(
        dict(model.named_parameters()),
        lambda ids, weighed: network.answer_loss(model, ids, weighed),
        Sequences.load(corpus),
        scale.pretraining,
        folder / "training",
        tell,
    )
    with whole_files.folder(folder, "model.safetensors") as unfinished:
        tokenizer.load(tokenizer_folder).save_pretrained(unfinished)
        model.bfloat16().save_pretrained(unfinished)


def load_base(folder: Path) -> Qwen2ForCausalLM:
    import torch
    from transformers import Qwen2ForCausalLM

    model: Qwen2ForCausalLM = Qwen2ForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    return model
