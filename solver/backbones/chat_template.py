"""Does the model's chat template say what is put into it? Rendered in a sandbox, without loading the model."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from solver.engines.base_model import BadBase

SYSTEM, USER = "You are the coding agent.", "Print the sum of two numbers."


def digest(folder: Path) -> str:
    return hashlib.sha256(source(folder).encode()).hexdigest()


def check(folder: Path) -> list[str]:
    """What a person should know, as sentences; empty when all is well. Raises BadBase where no prompt can be made."""
    template = source(folder)

    def refuse(why: str) -> BadBase:
        return BadBase(
            f"The base model in {folder.name!r} cannot be used: its chat template {why}; take an instruct model, "
            "or put a chat_template.jinja into its folder."
        )

    try:
        whole = _render(template, [{"role": "system", "content": SYSTEM}, {"role": "user", "content": USER}])
        bare = _render(template, [{"role": "user", "content": USER}])
    except (TemplateError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise refuse(f"cannot be rendered ({str(error)[:120]})") from None
    if SYSTEM not in whole or USER not in whole:
        raise refuse("drops the system prompt or the question")
    if whole.index(SYSTEM) > whole.index(USER):
        raise refuse("puts the system prompt after the question")
    if "system" in bare.lower():
        return ["It puts in a system prompt of its own where none is given; the lab always gives one."]
    return []


def source(folder: Path) -> str:
    """`chat_template.jinja`, or the one inside `tokenizer_config.json`. Raises BadBase."""
    try:
        return (folder / "chat_template.jinja").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        pass
    try:
        found = json.loads((folder / "tokenizer_config.json").read_bytes()).get("chat_template")
    except (OSError, ValueError, AttributeError):
        found = None
    if not isinstance(found, str):
        raise BadBase(
            f"The base model in {folder.name!r} cannot be used: it has no chat template; take an instruct model, or put "
            "a chat_template.jinja into its folder."
        )
    return found


def _render(template: str, messages: list[dict[str, str]]) -> str:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals.update(
        raise_exception=_complain, strftime_now=lambda form: datetime.now().strftime(form)
    )
    environment.filters["tojson"] = lambda value, **_: json.dumps(value, ensure_ascii=False)
    given: dict[str, Any] = {"bos_token": "<s>", "eos_token": "</s>", "tools": None}
    return environment.from_string(template).render(messages=messages, add_generation_prompt=True, **given)


def _complain(message: str) -> NoReturn:
    raise TemplateError(message)
