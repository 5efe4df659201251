"""Specs of this room's jobs as text: YAML in, one sentence a mistake out, the same reading as a campaign's."""

from __future__ import annotations

from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from trajectories.spec_text import Fault, Faulty, read_fields
from trajectories.zero import REFUSED, holds_zero

LONGEST = 200_000
T = TypeVar("T", bound=BaseModel)


class BadJob(Faulty):
    """A job that cannot be started."""


def read_yaml(kind: type[T], text: str) -> T:
    """Raises BadJob."""
    return read_data(kind, read_fields(text, BadJob, longest=LONGEST, example="name: My job"))


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
