"""What parsing an answer gives: the value, or a format failure with a code. An agent's failure is data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class FormatFailure(StrEnum):
    """Why an answer could not be used (the metric of MapCoder-Lite section 5.3, refined)."""

    EMPTY = "empty"
    NO_ROOT = "no_root"
    UNCLOSED = "unclosed"
    BAD_XML = "bad_xml"
    MISSING_ALGORITHM = "missing_algorithm"
    MISSING_FIELD = "missing_field"
    TOO_FEW_PROBLEMS = "too_few_problems"
    BAD_CONFIDENCE = "bad_confidence"
    NO_CODE = "no_code"
    UNCLOSED_FENCE = "unclosed_fence"
    TOO_LONG = "too_long"
    BAD_JSON = "bad_json"


@dataclass(frozen=True, slots=True)
class Parsed(Generic[T]):
    """`value` is None exactly when the answer is unusable.

    `failure` may be set beside a value: the tolerant parser rescued an answer that the strict one refuses,
    and the format failure is still counted against the model. `where` is a short excerpt for the page.
    """

    value: T | None
    failure: FormatFailure | None = None
    message: str = ""
    where: str = ""

    @property
    def usable(self) -> bool:
        return self.value is not None
