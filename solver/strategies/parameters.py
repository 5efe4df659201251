"""What a strategy can be told: parameters with defaults and bounds, read from forms, files and command lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class BadParameter(ValueError):
    """A value that cannot be used; the message is a sentence, `name` the parameter it belongs to."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


@dataclass(frozen=True)
class Count:
    """A whole number from `least` to `most`; a `default` of None makes it optional."""

    name: str
    label: str
    help: str
    default: int | None
    least: int
    most: int
    kind: str = "count"

    def read(self, given: Any) -> int | None:
        if given is None or given == "":
            return self.default
        try:
            number = (
                given if isinstance(given, int) and not isinstance(given, bool) else int(str(given).strip())
            )
        except ValueError:
            raise BadParameter(
                self.name, f"{self.label} must be a whole number, not {given!r:.60}."
            ) from None
        if not self.least <= number <= self.most:
            raise BadParameter(
                self.name, f"{self.label} must be from {self.least} to {self.most}, not {str(number)[:20]}."
            )
        return number


@dataclass(frozen=True)
class Choice:
    name: str
    label: str
    help: str
    default: str
    choices: tuple[str, ...]
    kind: str = "choice"

    def read(self, given: Any) -> str:
        if given is None or given == "":
            return self.default
        if given not in self.choices:
            raise BadParameter(
                self.name, f"{self.label} must be one of {', '.join(self.choices)}, not {given!r:.60}."
            )
        return str(given)


@dataclass(frozen=True)
class Subset:
    """Any of `choices` (value -> what it means), as a list or comma-separated; nothing given means: not set.

    The word "none" stands for the empty subset, which a form cannot send otherwise.
    """

    name: str
    label: str
    help: str
    choices: dict[str, str]
    default: None = None
    kind: str = "subset"

    def read(self, given: Any) -> list[str] | None:
        if given is None or given == "":
            return None
        named = [word.strip() for word in given.split(",")] if isinstance(given, str) else given
        if not isinstance(named, list | tuple) or not all(isinstance(word, str) for word in named):
            raise BadParameter(self.name, f"{self.label} must be a list of names, not {given!r:.60}.")
        if list(named) == ["none"]:
            return []
        unknown = [word for word in named if word not in self.choices]
        if unknown:
            have = ", ".join(self.choices)
            raise BadParameter(self.name, f"{self.label} cannot hold {unknown[0]!r:.60}; there are: {have}.")
        return sorted(set(named))


Parameter = Count | Choice | Subset
