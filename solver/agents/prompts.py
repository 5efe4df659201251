"""Prompt templates: versioned text files, one a role, in named sets (`lab`, `upstream`, `micro`)."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template

from solver.agents.answer_forms import AnswerForm
from solver.engines.protocol import Message

TEMPLATES = Path(__file__).parent / "templates"
_NAME = re.compile(r"^(?P<role>[a-z_]+)\.v(?P<version>\d+)\.txt$")


class UnknownTemplate(LookupError):
    """No such template file; the message lists those there are."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Final text of one call, with the identity of the template that made it and the form its answer should have."""

    text: str
    template: str  # e.g. "lab/coding.v1"
    template_digest: str  # SHA-256 of the template file
    form: AnswerForm | None = None  # None: nothing is asked of its form
    turns: tuple[
        Message, ...
    ] = ()  # of a question that another system asked, as recorded; `text` is empty then

    def messages(self) -> tuple[Message, ...]:
        """Every agent of the lab is asked in a single user turn (MapCoder section 1.1, row 8)."""
        return self.turns or (Message("user", self.text),)


def _versions(set_name: str, role: str) -> dict[int, Path]:
    return {
        int(match["version"]): path
        for path in sorted((TEMPLATES / set_name).glob(f"{role}.v*.txt"))
        if (match := _NAME.match(path.name)) and match["role"] == role
    }


def template_sets() -> list[str]:
    return sorted(folder.name for folder in TEMPLATES.iterdir() if folder.is_dir())


@cache
def has_template(set_name: str, role: str) -> bool:
    return bool(_versions(set_name, role))


@cache
def _load(set_name: str, role: str) -> tuple[str, str, Template]:
    versions = _versions(set_name, role)
    if not versions:
        have = sorted(str(p.relative_to(TEMPLATES)) for p in TEMPLATES.glob("*/*.txt"))
        raise UnknownTemplate(f"no template {set_name}/{role}.v*.txt; there are: {', '.join(have)}")
    newest = max(versions)
    text = versions[newest].read_text(encoding="utf-8")
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{set_name}/{role}.v{newest}", digest, Template(text)


@cache
def uses_field(set_name: str, role: str, field: str) -> bool:
    """Whether the newest version of a template has this placeholder."""
    return field in _load(set_name, role)[2].get_identifiers()


def render(set_name: str, role: str, **fields: str) -> Prompt:
    """Fill the newest version of a template. Missing fields raise KeyError; values stay as they are."""
    name, digest, template = _load(set_name, role)
    return Prompt(template.substitute(fields).rstrip("\n"), name, digest)


def with_feedback(prompt: Prompt, feedback: str) -> Prompt:
    """The same question with a supervisor's feedback after it (MapCoder-Lite section 2.2).

    Only the re-run sees it: the training pair that comes of it is the original prompt and the revised answer.
    """
    name, digest, template = _load("lab", "feedback")
    *before, last = prompt.messages()
    text = template.substitute(prompt=last.content, feedback=feedback).rstrip("\n")
    both = hashlib.sha256(f"{prompt.template_digest}{digest}".encode()).hexdigest()
    turns = (*before, Message(last.role, text)) if prompt.turns else ()
    return Prompt("" if turns else text, f"{prompt.template}+{name}", both, prompt.form, turns)
