"""Typed access to a JSON object that somebody else wrote; every complaint names the field."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from typing import Any

from trajectories.importers.fault import Malformed


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


class Row:
    """`path` is what comes before a field's name in complaints, such as `tests[3]`. Null counts as absent."""

    __slots__ = ("_data", "path")

    def __init__(self, data: Mapping[str, Any], path: str = "") -> None:
        self._data = data
        self.path = path

    @classmethod
    def of(cls, value: object, path: str) -> Row:
        if not isinstance(value, dict):
            raise Malformed(path, f"is {_kind(value)}, not an object", 'write it as {"field": value, ...}')
        return cls(value, path)

    def at(self, name: str) -> str:
        """The full path of a field."""
        return f"{self.path}.{name}" if self.path else name

    def malformed(self, name: str, problem: str, mend: str) -> Malformed:
        return Malformed(self.at(name), problem, mend)

    def __contains__(self, name: str) -> bool:
        return self._data.get(name) is not None

    def value(self, name: str) -> Any:
        return self._data.get(name)

    def has_key(self, name: str) -> bool:
        """Whether the field is written at all, be it as null."""
        return name in self._data

    def fields(self) -> Collection[str]:
        return self._data.keys()

    def need(self, name: str, what: str) -> Any:
        value = self._data.get(name)
        if value is None:
            raise self.malformed(name, "is missing", f"give {what}")
        return value

    def text(self, name: str, default: str | None = None) -> str:
        """The text of a field; without a default the field must be there and not blank."""
        if default is not None and name not in self:
            return default
        value = self.need(name, "a text")
        if not isinstance(value, str):
            raise self.malformed(name, f"is {_kind(value)}, not text", "put it in quotes")
        if default is None and not value.strip():
            raise self.malformed(name, "is empty", "give a text")
        return value

    def label(self, name: str, default: str = "") -> str:
        """A short text that some files write as a number."""
        value = self.value(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return f"{value:g}" if isinstance(value, float) else str(value)
        return self.text(name, default)

    def number(self, name: str) -> float | None:
        value = self.value(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.malformed(
                name, f"is {_shown(value)}, not a number", "give a plain number or leave it out"
            )
        return float(value)

    def items(self, name: str) -> list[Any]:
        """A list; an absent one is empty."""
        value = self.value(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.malformed(name, f"is {_kind(value)}, not a list", "write it as [ ... ]")
        return value

    def texts(self, name: str) -> list[str]:
        values = self.items(name)
        for index, value in enumerate(values):
            if not isinstance(value, str):
                raise self.malformed(f"{name}[{index}]", f"is {_kind(value)}, not text", "put it in quotes")
        return values

    def row(self, name: str) -> Row:
        return Row.of(self.need(name, "an object"), self.at(name))

    def rows(self, name: str) -> list[Row]:
        return [Row.of(value, self.at(f"{name}[{index}]")) for index, value in enumerate(self.items(name))]

    def json_text(self, name: str, what: str) -> Any:
        """A field that holds JSON written as text, as dataset exports do; a value already decoded is taken as it is."""
        value = self.need(name, what)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except (ValueError, RecursionError) as error:
            raise self.malformed(
                name, f"holds text that is not JSON ({error})", f"give {what} as JSON"
            ) from error

    def rest(self, known: Collection[str]) -> dict[str, Any]:
        """Every non-null field that is not among the known ones."""
        return {name: value for name, value in self._data.items() if name not in known and value is not None}


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
