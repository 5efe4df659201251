"""Specs that people write as YAML: fields out, or one sentence a mistake. What the fields mean is the spec's to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake: the field, and a sentence that says how to mend it."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class Faulty(ValueError):
    """Something that cannot be started; every mistake is listed, not only the first."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


class _NoAliases(yaml.SafeLoader):
    """Aliases could make a small text expand without bound; nothing here needs them."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not used here", mark)
        return super().compose_node(parent, index)


def read_fields(text: str, refuse: type[Faulty], *, longest: int, example: str) -> dict[str, Any]:
    """The fields of a text of at most `longest` characters, not yet checked. Raises `refuse`."""
    if len(text) > longest:
        raise refuse([Fault("", f"The text is {len(text):,} characters long; at most {longest:,} are read.")])
    try:
        data = yaml.load(text, _NoAliases)  # a SafeLoader with less
    except yaml.YAMLError as error:
        raise refuse([_not_yaml(error)]) from None
    except (ValueError, RecursionError) as error:  # e.g. a date that is none, or nesting without end
        raise refuse([Fault("", f"This is not YAML that can be read ({error}).")]) from None
    if not isinstance(data, dict):
        raise refuse([Fault("", f"The text must hold fields such as `{example}`, one a line.")])
    return {str(name): value for name, value in data.items()}


def _not_yaml(error: yaml.YAMLError) -> Fault:
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    problem = getattr(error, "problem", None) or "it cannot be read"
    return Fault(where, f"This is not YAML: {problem}. Check the indentation and the quotes there.")
