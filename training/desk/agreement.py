"""Do the judges agree? People with people, people with the supervisor, people with replay; overall and for each agent."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations

from django.http import QueryDict

from solver.benchmarks.kappa import Agreement, confusion, kappa, one_against_rest
from trajectories import filters
from trajectories.agents import AGENTS

BLAMED = (*AGENTS, "none")


@dataclass(frozen=True, slots=True)
class Square:
    """How many runs the row's judge puts down to `first` and the column's to `second`; the runs themselves by `query`."""

    first: str
    second: str
    count: int
    query: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """`people`: how many different people judged. Each pair is one run judged by both sides."""

    key: str
    title: str
    rows: str
    columns: str
    whole: Agreement
    agents: tuple[tuple[str, Agreement], ...]
    matrix: tuple[tuple[str, tuple[Square, ...]], ...]
    people: int

    @property
    def n(self) -> int:
        return self.whole.observed.n


def comparisons() -> list[Comparison]:
    """One query."""
    said: dict[int, dict[tuple[str, str], str]] = defaultdict(dict)
    rows = filters.blaming().filter(source__in=["human", "supervisor", "replay"])
    for run, source, actor, agent in rows.values_list("run", "source", "actor", "agent").order_by(
        "run", "pk"
    ):
        said[run][source, actor] = agent
    return [
        _comparison(
            "people", "People and people", "one", "another", _among_people(said), ("human", "human"), said
        ),
        _comparison(
            "supervisor",
            "People and the supervisor",
            "people",
            "supervisor",
            _with(said, "supervisor"),
            ("human", "supervisor"),
            said,
        ),
        _comparison(
            "replay",
            "People and replay",
            "people",
            "replay",
            _with(said, "replay"),
            ("human", "replay"),
            said,
        ),
    ]


Said = dict[int, dict[tuple[str, str], str]]


def _among_people(said: Said) -> list[tuple[str, str]]:
    """Every two people who judged one run, in the order of their names: who is first carries no meaning."""
    pairs = []
    for by in said.values():
        people = sorted((actor, agent) for (source, actor), agent in by.items() if source == "human")
        pairs += [(one, other) for (_, one), (_, other) in combinations(people, 2)]
    return pairs


def _with(said: Said, source: str) -> list[tuple[str, str]]:
    """Each person's blame of a run with that of the source; a source of several voices gives its newest."""
    pairs = []
    for by in said.values():
        theirs = [agent for (kind, _), agent in by.items() if kind == source]
        if theirs:
            pairs += [(agent, theirs[-1]) for (kind, _), agent in by.items() if kind == "human"]
    return pairs


def _comparison(
    key: str,
    title: str,
    rows: str,
    columns: str,
    pairs: list[tuple[str, str]],
    fields: tuple[str, str],
    said: Said,
) -> Comparison:
    counts = confusion(pairs, BLAMED)
    matrix = tuple(
        (
            first,
            tuple(
                Square(first, second, counts[i][j], _query(fields, first, second))
                for j, second in enumerate(BLAMED)
            ),
        )
        for i, first in enumerate(BLAMED)
    )
    people = {actor for by in said.values() for source, actor in by if source == "human"}
    return Comparison(
        key,
        title,
        rows,
        columns,
        kappa(pairs),
        tuple((agent, one_against_rest(pairs, agent)) for agent in BLAMED),
        matrix,
        len(people),
    )


def _query(fields: tuple[str, str], first: str, second: str) -> str:
    query = QueryDict(mutable=True)
    query["q"] = f"{fields[0]}:{first} {fields[1]}:{second}"
    return query.urlencode()
