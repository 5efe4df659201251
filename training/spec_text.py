"""Specs of this room's jobs as text: YAML in, one sentence a mistake out, the same reading as a campaign's."""

from __future__ import annotations

from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from solver.campaigns.spec import Fault
from trajectories.zero import REFUSED, holds_zero

LONGEST = 200_000
T = TypeVar("T", bound=BaseModel)


class BadJob(ValueError):
    """A job that cannot be started; every mistake is listed, not only the first."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


def read_yaml(kind: type[T], text: str) -> T:
    """Raises BadJob."""
    if len(text) > LONGEST:
        raise BadJob([Fault("", f"The text is {len(text):,} characters long; at most {LONGEST:,} are read.")])
    if "&" in text or "*" in text:
        raise BadJob([Fault("", "Anchors and aliases (&name, *name) are not used here.")])
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else ""
        raise BadJob(
            [Fault(where, "This is not YAML that can be read; check the indentation there.")]
        ) from None
    if not isinstance(data, dict):
        raise BadJob([Fault("", "The text must hold fields such as `name: My job`, one a line.")])
    return read_data(kind, data)


def read_data(kind: type[T], data: dict[str, Any]) -> T:
    """Raises BadJob."""
    if holds_zero(data):
        raise BadJob([Fault("", REFUSED)])
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise BadJob([_fault(kind, item) for item in error.errors(include_url=False)]) from None


def _fault(kind: type[BaseModel], item: Any) -> Fault:
    where = ".".join(str(step + 1) if isinstance(step, int) else str(step) for step in item["loc"])
    message = str(item["msg"]).removeprefix("Value error, ").rstrip(".")
    if item["type"] == "extra_forbidden":
        return Fault(where, "There is no such field; check the spelling.")
    if item["type"] == "missing":
        return Fault(where, "This field is missing; write it.")
    return Fault(where, f"{message[:1].upper()}{message[1:]}.")


def to_yaml(spec: BaseModel) -> str:
    """As a person would write it: defaults left out."""
    data = spec.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)
