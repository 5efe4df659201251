"""An example as the exact tokens that the model is trained on, with the loss mask.

The prompt is tokenized by itself, exactly as the lab's engines do when they ask, and the answer behind it; the mask
covers the answer and the token that ends the turn, or the model would never learn to stop. Only `tokenizers` and `jinja2`
are used, so previews in the web process and the trainer share this code and neither the web process needs torch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.nodes import CallBlock, Node
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from solver.engines.base_model import BaseFiles, read_base

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class CannotEncode(ValueError):
    """A base or an example that cannot become tokens; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """`ids` of prompt and answer; the loss counts from `start` on, which is at least 1."""

    ids: tuple[int, ...]
    start: int

    @property
    def trained(self) -> int:
        return max(0, len(self.ids) - self.start)

    def cut(self, length: int) -> Encoded:
        """The first `length` tokens: a cut answer has no end token, so it teaches no early stop."""
        return Encoded(self.ids[:length], min(self.start, length))


@dataclass(frozen=True, slots=True)
class Piece:
    """Neighbouring tokens that share mask and kind, as text: what a preview greys or marks."""

    text: str
    trained: bool
    special: bool


class _Generation(Extension):
    """Chat templates for training mark the answer with `{% generation %}`; here the mark is read over."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        call = self.call_method("_inside")
        return CallBlock(call, [], [], body).set_lineno(line)

    @staticmethod
    def _inside(caller: Any) -> str:
        return str(caller())


def _refuse(message: str) -> None:
    raise TemplateError(message)


def _environment() -> ImmutableSandboxedEnvironment:
    """As transformers renders chat templates: trimmed blocks, a sandbox, two functions."""
    made = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols]
    )
    made.filters["tojson"] = lambda value, indent=None: json.dumps(value, ensure_ascii=False, indent=indent)
    made.globals["raise_exception"] = _refuse
    made.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return made


class Encoder:
    """The tokenizer and chat template of one base model. One thread at a time."""

    def __init__(self, base: BaseFiles) -> None:
        from tokenizers import Tokenizer

        self.base = base
        self._settings = _json(base.folder / "tokenizer_config.json")
        template = _template(base.folder, self._settings)
        self.template_digest = hashlib.sha256(template.encode()).hexdigest()
        self._template = _environment().from_string(template)
        self._tokenizer: Tokenizer = Tokenizer.from_file(str(base.folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        added = self._tokenizer.get_added_tokens_decoder()
        self._special = {number for number, token in added.items() if token.special}
        self.stop_ids = self._stops()

    def _stops(self) -> frozenset[int]:
        ends: list[object] = [self._tokenizer.token_to_id(str(_word(self._settings.get("eos_token"))))]
        for source in (self.base.config.get("eos_token_id"), self.base.generation.get("eos_token_id")):
            ends.extend(source if isinstance(source, list) else [source])
        return frozenset(end for end in ends if isinstance(end, int))

    def encode(self, messages: Sequence[Mapping[str, str]], answer: str) -> Encoded:
        """Raises CannotEncode where the template does not render the pair, or ends no turn."""
        asked = [{"role": turn["role"], "content": turn["content"]} for turn in messages]
        prompt = self._render(asked, begin_answer=True)
        whole = self._render([*asked, {"role": "assistant", "content": answer}], begin_answer=False)
        if not whole.startswith(prompt):
            raise CannotEncode(
                "the chat template writes the prompt differently once an answer follows, so what is trained would not "
                "be what is asked; use a template whose generation prompt begins the assistant's turn"
            )
        before, told = self._ids(prompt), self._ids(whole[len(prompt) :])
        end = next((at for at in range(len(told) - 1, -1, -1) if told[at] in self.stop_ids), None)
        if end is None:
            raise CannotEncode(
                "the chat template does not end the answer with a token at which the model stops, so it would never "
                "learn to stop; correct eos_token_id or the template of the base"
            )
        return Encoded((*before, *told[: end + 1]), len(before))

    def _render(self, turns: list[dict[str, str]], *, begin_answer: bool) -> str:
        try:
            return self._template.render(
                messages=turns,
                add_generation_prompt=begin_answer,
                tools=None,
                documents=None,
                **{
                    f"{name}_token": _word(self._settings.get(f"{name}_token"))
                    for name in ("bos", "eos", "pad", "unk")
                },
            )
        except TemplateError as error:
            raise CannotEncode(f"the chat template refuses these messages: {error}") from None

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def prompt_ids(self, messages: Sequence[Mapping[str, str]]) -> list[int]:
        return self._ids(self._render([dict(turn) for turn in messages], begin_answer=True))

    def decode(self, ids: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(list(ids), skip_special_tokens=False)
        return text

    def pieces(self, encoded: Encoded, most: int = 600) -> list[Piece]:
        """What is shown of a row: runs of tokens; a long prompt is cut in its middle, with the count said."""
        marks = [(token, place >= encoded.start) for place, token in enumerate(encoded.ids)]
        if len(marks) > most:
            head = min(encoded.start, most // 3)
            skipped = len(marks) - most
            return [
                *self._runs(marks[:head]),
                Piece(f" … {skipped} tokens … ", False, True),
                *self._runs(marks[head + skipped :]),
            ]
        return self._runs(marks)

    def _runs(self, marks: Sequence[tuple[int, bool]]) -> list[Piece]:
        runs: list[tuple[list[int], bool, bool]] = []
        for token, trained in marks:
            special = token in self._special
            if runs and not special and runs[-1][1:] == (trained, False):
                runs[-1][0].append(token)
            else:
                runs.append(([token], trained, special))
        return [Piece(self.decode(ids), trained, special) for ids, trained, special in runs]


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _template(folder: Path, settings: Mapping[str, Any]) -> str:
    beside = folder / "chat_template.jinja"
    template = beside.read_text(encoding="utf-8") if beside.is_file() else settings.get("chat_template")
    if not isinstance(template, str):
        raise CannotEncode(
            f"the base {folder.name!r} has no chat template; add chat_template.jinja, the one it is asked with"
        )
    return template


def _word(token: object) -> str | None:
    """Special tokens are given as text or as an object with `content`."""
    if isinstance(token, dict):
        token = token.get("content")
    return token if isinstance(token, str) else None


def encoder(folder: Path) -> Encoder:
    """The encoder of the base in `folder`, made once while its files stay the same. Raises BadBase, CannotEncode."""
    stamps = tuple(
        (path.name, path.stat().st_mtime_ns, path.stat().st_size)
        for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "config.json")
        if (path := folder / name).is_file()
    )
    return _encoder(folder, stamps)


@lru_cache(maxsize=4)
def _encoder(folder: Path, _stamps: tuple[tuple[str, int, int], ...]) -> Encoder:
    return Encoder(read_base(folder))
