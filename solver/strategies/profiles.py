"""How faithful a run is: the published system's defects by name, and the profiles that are sets of them."""

from __future__ import annotations

from enum import StrEnum

from solver.strategies.protocol import Params


class Defect(StrEnum):
    """A behaviour of the published code that costs solves; the value names it in `extra["defects"]`."""

    STRICT_PARSER = "strict_parser"
    NO_RETRY = "no_retry"
    ABORT_ON_BAD_FORMAT = "abort_on_bad_format"
    K_NOT_ENFORCED = "k_not_enforced"
    UNTESTED_LAST_REPAIR = "untested_last_repair"
    LAST_CODE_FALLBACK = "last_code_fallback"
    PYTHON_NOTE = "python_note"

    @property
    def summary(self) -> str:
        return _SUMMARIES[self]


_SUMMARIES = {
    Defect.STRICT_PARSER: "answers are read as the published parser reads them",
    Defect.NO_RETRY: "an unusable answer is never asked for again",
    Defect.ABORT_ON_BAD_FORMAT: "one unusable answer ends the whole run",
    Defect.K_NOT_ENFORCED: "as many plans are made as exemplars came back",
    Defect.UNTESTED_LAST_REPAIR: "samples run before each repair and never after the last",
    Defect.LAST_CODE_FALLBACK: "when no plan passes, the last program written is submitted",
    Defect.PYTHON_NOTE: "the note on standard input is worded for Python in every language",
}

PROFILES: dict[str, frozenset[Defect]] = {"lab": frozenset(), "upstream": frozenset(Defect)}


def defects_of(params: Params) -> frozenset[Defect]:
    """The profile's defects, or exactly those in `extra["defects"]`. ValueError on unknown names."""
    if params.profile not in PROFILES:
        raise ValueError(f"no profile {params.profile!r}; there are: {', '.join(PROFILES)}")
    named = params.extra.get("defects")
    if named is None:
        return PROFILES[params.profile]
    unknown = sorted(set(named) - set(Defect))
    if unknown:
        raise ValueError(f"no defects named {', '.join(unknown)}; there are: {', '.join(Defect)}")
    return frozenset(Defect(name) for name in named)
