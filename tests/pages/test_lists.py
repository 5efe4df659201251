"""Lists: every row on exactly one page, facets that count what they would show, few queries, honest rates."""

from __future__ import annotations

import re
from itertools import chain
from urllib.parse import parse_qs

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests.factories import make_problem, make_run
from tests.pages.telling import Teller, whole_run
from trajectories import queries
from trajectories.models import Problem, Run, RunStatus

pytestmark = pytest.mark.django_db


def problems(count: int, **changes: object) -> list[Problem]:
    return [
        make_problem(id=f"test/{n:03}", title=f"Problem {n:03}", statement=f"Print {n}.", **changes)
        for n in range(count)
    ]


def walk(client: Client, start: str, pattern: str, rel: str = "next") -> list[list[str]]:
    """Rows of every page from `start` on, following its links."""
    pages, path = [], start
    while path:
        html = client.get(path).content.decode()
        pages.append(re.findall(pattern, html))
        link = re.search(rf'rel="{rel}" href="([^"]+)"', html)
        path = start.partition("?")[0] + link[1].replace("&amp;", "&") if link else ""
    return pages


def test_every_problem_is_on_exactly_one_page_both_ways(client: Client) -> None:
    problems(queries.PROBLEMS_PAGE * 2 + 3)
    pages = walk(client, "/problems/", r"<b>(Problem \d+)</b>")
    assert [len(page) for page in pages] == [queries.PROBLEMS_PAGE, queries.PROBLEMS_PAGE, 3]
    assert list(chain.from_iterable(pages)) == [
        f"Problem {n:03}" for n in range(queries.PROBLEMS_PAGE * 2 + 3)
    ]
    back = walk(client, "/problems/?after=test|test/052", r"<b>(Problem \d+)</b>", rel="prev")
    assert back == [[]]
    last = client.get("/problems/?after=test|test/049").content.decode()
    earlier = re.search(r'rel="prev" href="\?([^"]+)"', last)
    assert earlier and parse_qs(earlier[1]) == {"before": ["test|test/050"]}
    assert (
        re.findall(r"<b>(Problem \d+)</b>", client.get(f"/problems/?{earlier[1]}").content.decode())
        == pages[1]
    )


def test_every_run_is_on_exactly_one_page(client: Client) -> None:
    problem = make_problem()
    made = [make_run(problem).pk for _ in range(queries.RUNS_PAGE + 5)]
    pages = walk(client, "/runs/", r'href="/runs/(\d+)/"><b>')
    assert [int(pk) for pk in chain.from_iterable(pages)] == made[::-1]


def test_facets_count_what_choosing_them_would_show(client: Client) -> None:
    problems(3, difficulty="easy", tags=["dp", "graphs"])
    make_problem(
        id="other/1", source="other", title="Else", statement="Else.", difficulty="hard", tags=["dp"]
    )
    page = queries.problems({"difficulty": "easy"})
    counts = {facet.name: {choice.value: choice.count for choice in facet.choices} for facet in page.facets}
    assert counts == {
        "source": {"test": 3},
        "difficulty": {"easy": 3, "hard": 1},
        "test_kind": {"stdio": 3},
        "tag": {"dp": 3, "graphs": 3},
    }
    for facet in queries.problems({}).facets:
        for choice in facet.choices:
            assert queries.problems({facet.name: choice.value}).total == choice.count, (
                facet.name,
                choice.value,
            )


@pytest.mark.parametrize(
    ("words", "found"), [("ferry", 1), ("FER", 1), ("test/f", 1), ("grap", 1), ("%", 0), ("_", 0)]
)
def test_problems_are_found_by_title_id_and_tag(words: str, found: int) -> None:
    make_problem(id="test/f", title="Night Ferry", statement="Sail.", tags=["graphs"])
    make_problem(id="test/z", title="Zebra", statement="Run.", tags=["math"])
    assert queries.problems({"q": words}).total == found


def test_superseded_versions_are_not_listed() -> None:
    make_problem()
    make_problem(statement="A better statement.")
    assert Problem.objects.count() == 2
    assert queries.problems({}).total == 1


def test_a_solve_rate_counts_judged_runs_only(client: Client) -> None:
    problem = make_problem()
    whole_run(problem)
    loser = Teller(problem)
    loser.end(verdict="WA")
    make_run(problem)
    (row,) = queries.problems({}).rows
    assert (row.solved, row.judged) == (1, 2)
    html = client.get("/problems/").content.decode()
    assert "1 of 2" in html and "50 % (95 % interval 9 to 91)" in html


@pytest.mark.parametrize("path", ["/", "/problems/", "/runs/", "/problems/?tag=math&q=sum"])
def test_lists_take_at_most_eight_queries(
    client: Client, path: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for problem in problems(30, tags=["math", "dp"]):
        make_run(problem, status=RunStatus.FINISHED, verdict="AC", strip="aaa", total=3, passed=3)
    make_run(Problem.objects.all()[0])
    with django_assert_max_num_queries(8):
        assert client.get(path).status_code == 200


def test_the_loop_counts_what_is_there_and_points_at_what_to_do(client: Client) -> None:
    assert "Load some problems" in client.get("/").content.decode()
    problem = make_problem()
    assert f"Solve {problem.title}" in client.get("/").content.decode()
    run = make_run(problem)
    assert f"Watch run {run.pk}" in client.get("/").content.decode()
    Run.objects.filter(pk=run.pk).update(
        status=RunStatus.FINISHED, verdict="WA", total=3, passed=1, strip="aww"
    )
    html = client.get("/").content.decode()
    assert (
        f"Find out why run {run.pk} failed" in html
        and "1 of 1 judged runs are not accepted; this is the newest" in html
    )


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ("{run}", "/runs/{run}/"),
        ("run {run}", "/runs/{run}/"),
        ("{run} s2", "/runs/{run}/#s2"),
        ("test/sum", "/problems/{problem}/"),
    ],
)
def test_the_box_in_the_top_bar_goes_there(client: Client, typed: str, path: str) -> None:
    run = whole_run()
    names = {"run": run.pk, "problem": run.problem_id}
    assert client.get("/go/", {"q": typed.format(**names)}).headers["Location"] == path.format(**names)


def test_the_box_searches_for_what_it_does_not_know(client: Client) -> None:
    assert client.get("/go/", {"q": "ferry & co"}).headers["Location"] == "/problems/?q=ferry+%26+co"


@pytest.mark.parametrize(
    "query", ["after=zzz", "before=|", "after=a|b|c", "q=%00", "source=%F0%9F%9A%83", "tag=" + "x" * 5000]
)
def test_odd_addresses_are_answered(client: Client, query: str) -> None:
    make_problem()
    assert client.get(f"/problems/?{query}").status_code == 200
    assert client.get(f"/runs/?{query}&problem=x").status_code == 200


@pytest.mark.parametrize("number", ["9" * 20, "-1", "x", "\u0663"])
def test_a_problem_that_cannot_be_shows_no_run(client: Client, number: str) -> None:
    run = make_run()
    assert f'href="/runs/{run.pk}/"' in client.get("/runs/", {"problem": run.problem_id}).content.decode()
    answer = client.get("/runs/", {"problem": number})
    assert answer.status_code == 200 and f'href="/runs/{run.pk}/"' not in answer.content.decode()
