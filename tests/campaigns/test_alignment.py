"""The alignment page: descriptions from the event logs of a campaign, one cell or two, and what it says when there is none."""

from __future__ import annotations

import pytest
from django.test import Client

from solver.campaigns import alignment
from solver.engines.protocol import ChatRequest, Role
from tests.campaigns.conftest import Scripted, start, work
from tests.factories import make_problem
from tests.runs.conftest import RECALLED
from trajectories.models import Problem

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tagged(transactional_db: None) -> list[Problem]:
    tags = (["greedy", "split:test"], ["graphs"], ["dp", "graphs"], ["split:test"])
    return [
        make_problem(id=f"test/tagged-{at}", statement=f"Print the sum, {tag[0]} {at}.", tags=tag)
        for at, tag in enumerate(tags)
    ]


def _say_the_tag(engine: Scripted) -> None:
    """Retrieval names the algorithm that the statement names."""

    def before(request: ChatRequest) -> None:
        words = ("greedy", "graphs", "dp")
        asked = request.messages[0].content
        said = next((word for word in words if f"{word} " in asked), "nothing")
        named = {"dp": "dynamic programming on graphs"}.get(said, said)
        engine.answers[Role.RETRIEVAL] = RECALLED.replace("arithmetic", named)

    engine.before = before


def test_the_page_holds_descriptions_against_tags_and_pairs_two_cells(
    engine: Scripted, tagged: list[Problem], client: Client
) -> None:
    _say_the_tag(engine)
    labels = ({"label": "one", "params": {"k": 1, "t": 1}}, {"label": "two", "params": {"k": 1, "t": 2}})
    campaign = start(strategies=[{"name": "mapcoder", **label} for label in labels])
    work(campaign)
    one, two = campaign.cells.all()
    found = alignment.read([one, two], "lexical")
    assert found.alignment is not None
    assert found.alignment.tags == {"graphs": 2, "dp": 1, "greedy": 1}, "a split is no algorithm"
    assert (found.alignment.n, found.left_out) == (3, 1)
    side = found.alignment.sides[0]
    assert side.own.value > 0.5 > 0.2 > side.others.value
    assert found.alignment.own_difference is not None
    assert found.alignment.own_difference.estimate.value == pytest.approx(0.0)
    address = f"/campaigns/alignment/?a={one.pk}&b={two.pk}&embedder=lexical"
    text = client.get(address).content.decode()
    assert text.count('class="chart heat"') == 4, "two heat-maps, two scales"
    assert "n 3 problems, 3 tags" in text and "character n-grams" in text and "1 problem left out" in text
    data = client.get(f"{address}&as=json").json()
    assert data["alignment"]["n"] == 3 and data["alignment"]["sides"][0]["heat"]["dp"]["dp"] > 0


def test_a_cell_without_retrieval_or_tags_says_what_to_do(
    engine: Scripted, problems: list[Problem], client: Client
) -> None:
    campaign = start(strategies=[{"name": "direct"}])
    work(campaign)
    cell = campaign.cells.get()
    text = client.get(f"/campaigns/alignment/?a={cell.pk}&embedder=lexical").content.decode()
    assert "Run a campaign with MapCoder on problems that have tags" in text


@pytest.mark.parametrize("query", ["", "a=0", "a=x", "a=1&embedder=none"])
def test_what_is_not_there_is_not_found(transactional_db: None, client: Client, query: str) -> None:
    assert client.get(f"/campaigns/alignment/?{query}").status_code == 404
