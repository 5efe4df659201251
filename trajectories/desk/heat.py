"""Who fails where: failures by algorithm tag and blamed agent, for each source of blame, and where two sources differ.

A run with several tags counts under each of them. A share is of the failures of the tag that the source has judged; the
difference is over the runs that both the supervisor and a person have judged, so it is paired.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from trajectories import filters
from trajectories.agents import AGENTS
from trajectories.expressions import quoted
from trajectories.models import ProblemTag, Run
from trajectories.wilson import Share, share

ORDER = (*AGENTS, "none")
WHO = ("supervisor", "replay", "human", "difference")
LAST = 5000  # newest blamed failures that the map is of
TAGS = 12
UNTAGGED = "no tag"


@dataclass(frozen=True, slots=True)
class Cell:
    """`share` of the tag's failures; `confirmed` of its cases a person blames the same agent. `gap` in points, of a
    difference: human minus supervisor."""

    tag: str
    agent: str
    share: Share
    confirmed: int = 0
    gap: float | None = None
    filter: str = ""

    @property
    def query(self) -> str:
        """What an address of the list of runs says to show the cell's."""
        query = QueryDict(mutable=True)
        query["q"] = self.filter
        return query.urlencode()

    @property
    def level(self) -> int:
        """0 to 5: how dark the cell is."""
        if self.gap is not None:
            return 0 if not self.share.n else min(5, round(abs(self.gap) * 10))
        return 0 if not self.share.hits else min(5, 1 + int(self.share.rate * 6.0))

    @property
    def quarter(self) -> int:
        """How much of the dot is filled: confirmed cases in quarters."""
        return round(4 * self.confirmed / self.share.hits) if self.share.hits else 0


@dataclass(frozen=True, slots=True)
class Heat:
    who: str
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    runs: int  # failures that the map is of
    more_tags: int


def heat(who: str) -> Heat:
    """Two queries."""
    said = _said()
    tags = _tags({run for run, _ in said})
    by_run = _by_run(said, tags)
    counts: dict[str, int] = defaultdict(int)
    kept = {run: seen for run, seen in by_run.items() if _counts(who, seen)}
    for run in kept:
        for tag in tags.get(run, [UNTAGGED]):
            counts[tag] += 1
    shown = sorted(counts, key=lambda tag: (-counts[tag], tag))
    rows = tuple((tag, _row(who, tag, kept, tags)) for tag in shown[:TAGS])
    return Heat(who, rows, len(kept), max(0, len(shown) - TAGS))


Seen = dict[str, list[str]]  # source -> agents blamed; people may differ


def _said() -> list[tuple[int, tuple[str, str]]]:
    newest = Run.objects.filter(filters.FAILED, blames__isnull=False).order_by("-pk").values("pk").distinct()
    rows = filters.blaming().filter(run__in=list(newest.values_list("pk", flat=True)[:LAST]))
    columns = rows.values_list("run", "source", "agent", "flips", "trials")
    told = [(run, (source, agent)) for run, source, agent, _, _ in columns if source != "replay"]
    return told + _flipped_most(
        [(run, agent, flips, trials) for run, source, agent, flips, trials in columns if source == "replay"]
    )


def _flipped_most(rows: list[tuple[int, str, int | None, int | None]]) -> list[tuple[int, tuple[str, str]]]:
    """One agent a run: the one whose repair flips the largest share; of equal shares the one tried more often, then the
    earlier of the pipeline."""
    best: dict[int, tuple[float, int, int, str]] = {}
    for run, agent, flips, trials in rows:
        rank = (flips or 0) / max(1, trials or 0), trials or 0, -ORDER.index(agent), agent
        best[run] = max(best.get(run, rank), rank)
    return [(run, ("replay", agent)) for run, (*_, agent) in best.items()]


def _tags(runs: set[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    rows = ProblemTag.objects.filter(problem__runs__in=runs).values_list("problem__runs", "name").distinct()
    for run, name in rows:
        if run in runs:
            found[run].append(name)
    return found


def _by_run(said: Iterable[tuple[int, tuple[str, str]]], tags: Any) -> dict[int, Seen]:
    found: dict[int, Seen] = defaultdict(lambda: defaultdict(list))
    for run, (source, agent) in said:
        found[run][source].append(agent)
    return found


def _counts(who: str, seen: Seen) -> bool:
    return bool(seen.get("supervisor") and seen.get("human")) if who == "difference" else bool(seen.get(who))


def _row(who: str, tag: str, kept: dict[int, Seen], tags: dict[int, list[str]]) -> tuple[Cell, ...]:
    here = [seen for run, seen in kept.items() if tag in tags.get(run, [UNTAGGED])]
    return tuple(_cell(who, tag, agent, here) for agent in AGENTS)


def _cell(who: str, tag: str, agent: str, here: list[Seen]) -> Cell:
    said = _filter(who, tag, agent)
    if who == "difference":
        people = sum(_majority(seen["human"]) == agent for seen in here)
        machine = sum(_majority(seen["supervisor"]) == agent for seen in here)
        gap = (people - machine) / len(here) if here else 0.0
        return Cell(tag, agent, share(people, len(here)), gap=gap, filter=said)
    hits = [seen for seen in here if _majority(seen[who]) == agent]
    confirmed = sum(agent in seen.get("human", ()) for seen in hits)
    return Cell(tag, agent, share(len(hits), len(here)), confirmed, filter=said)


def _majority(agents: list[str]) -> str:
    """What most say; a tie goes to the earlier agent of the pipeline, whose repair would come first."""
    return max(agents, key=lambda agent: (agents.count(agent), -ORDER.index(agent)))


def _filter(who: str, tag: str, agent: str) -> str:
    """The runs of a cell, in the filter language."""
    source = {"difference": "human"}.get(who, who)
    terms = ["is:failed", f"{source}:{agent}"]
    if tag != UNTAGGED:
        terms.insert(1, f"tag:{quoted(tag)}")
    return " ".join(terms)
