"""Tokens and masks: what is trained is what is asked, and the model learns to stop."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from django.conf import settings

from tests.training.micro_rows import ROLES, pairs
from training.encoding import CannotEncode, Encoder, encoder
from training.rows_file import Row, tokenize

BASE = Path(settings.BASE_DIR) / "micro/artefact/base"
ASKED = [{"role": "user", "content": "Print the sum."}]


@pytest.fixture(scope="module")
def tokens() -> Encoder:
    return encoder(BASE)


def edited(folder: Path, template: str | None = None, **config: object) -> Encoder:
    """The micro base's tokenizer under another template or end token; weights are linked."""
    shutil.copytree(BASE, folder)
    if template is not None:
        (folder / "chat_template.jinja").write_text(template)
    for file in ("config.json", "generation_config.json", "tokenizer_config.json"):
        data = json.loads((folder / file).read_text())
        (folder / file).write_text(json.dumps({**data, **{k: v for k, v in config.items() if k in data}}))
    return encoder(folder)


@pytest.mark.parametrize("role", ROLES)
def test_masked_tokens_are_the_answer_and_the_token_that_ends_it(tokens: Encoder, role: str) -> None:
    for prompt, answer in pairs(role, 6):
        told = tokens.encode([{"role": "user", "content": prompt}], answer)
        assert tokens.decode(told.ids[told.start :]) == f"{answer}<|im_end|>"
        assert told.ids[-1] in tokens.stop_ids


def test_the_prompt_is_tokenized_as_the_engine_asks_it(tokens: Encoder) -> None:
    pytest.importorskip("torch")
    from solver.engines.protocol import Message
    from solver.engines.transformers_text import Codec

    codec = Codec(tokens.base)
    prompt, answer = pairs("coding", 1)[0]
    told = tokens.encode([{"role": "user", "content": prompt}], answer)
    assert list(told.ids[: told.start]) == codec.encode([Message("user", prompt)])
    assert (tokens.template_digest, tokens.stop_ids) == (codec.template_digest, codec.stop_ids)


def test_a_template_in_the_manner_of_qwen_gives_its_default_system_prompt_to_training_too(
    tmp_path: Path,
) -> None:
    template = (
        "{%- if messages[0].role != 'system' %}<|im_start|>system\nYou help.<|im_end|>\n{%- endif %}"
        "{%- for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}{%- endfor %}"
        "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{%- endif %}"
    )
    other = edited(tmp_path / "base", template)
    told = other.encode(ASKED, "print(1)")
    assert "You help." in other.decode(told.ids[: told.start])
    assert other.decode(told.ids[told.start :]) == "print(1)<|im_end|>"


def test_a_template_that_ends_no_turn_is_refused(tmp_path: Path) -> None:
    template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
    with pytest.raises(CannotEncode, match="never learn to stop"):
        edited(tmp_path / "base", template).encode(ASKED, "print(1)")


def test_a_template_that_writes_the_prompt_anew_is_refused(tmp_path: Path) -> None:
    template = "{{ messages | length }}{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}"
    with pytest.raises(CannotEncode, match="writes the prompt differently"):
        edited(tmp_path / "base", template).encode(ASKED, "print(1)")


def test_what_a_template_refuses_is_said(tmp_path: Path) -> None:
    template = "{{ raise_exception('no system prompts here') }}"
    with pytest.raises(CannotEncode, match="no system prompts here"):
        edited(tmp_path / "base", template).encode(ASKED, "print(1)")


def test_rows_over_the_length_are_left_out_or_cut_and_a_cut_answer_has_no_end(tokens: Encoder) -> None:
    whole = tokens.encode(ASKED, "1. Add the numbers.")
    row = Row(3, "train", ASKED, "1. Add the numbers.")
    length = len(whole.ids) - 2
    kept, left = tokenize(tokens, [row], length=length, over_length="drop", pairs=False)
    assert not kept and f"{len(whole.ids)} tokens, over {length}" in left[0].why
    kept, _ = tokenize(tokens, [row], length=length, over_length="cut", pairs=False)
    assert kept[0].encoded.ids == whole.ids[:length] and kept[0].encoded.ids[-1] not in tokens.stop_ids
    kept, left = tokenize(tokens, [row], length=whole.start, over_length="cut", pairs=False)
    assert not kept and "no token of the answer is left" in left[0].why


def test_a_preview_shows_every_token_once_and_says_what_it_skips(tokens: Encoder) -> None:
    told = tokens.encode(ASKED, "1. Add the numbers.")
    pieces = tokens.pieces(told)
    assert "".join(piece.text for piece in pieces) == tokens.decode(told.ids)
    assert "".join(piece.text for piece in pieces if piece.trained) == "1. Add the numbers.<|im_end|>"
    short = tokens.pieces(told, most=12)
    assert f"{len(told.ids) - 12} tokens" in "".join(piece.text for piece in short)
