"""Two trajectories beside each other, and lines of one taken as a correction of the other."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests.factories import make_problem, make_run
from tests.pages.markup import dangers
from tests.pages.telling import FIRST, MENDED, Teller, prepare, whole_run
from tests.pages.test_hostile import CORPUS, hostile_run
from trajectories.models import Judgement, Problem, Run

pytestmark = pytest.mark.django_db


def run_with(program: str, verdicts: list[str], problem: Problem | None = None) -> Run:
    teller = Teller(problem or make_problem())
    teller.begin()
    prepare(teller)
    teller.ask("coding", program, f"Here it is.\n```python\n{program}\n```", attempt=1)
    teller.test(program, verdicts, suite="hidden")
    return teller.end(verdict=next((v for v in verdicts if v != "AC"), "AC"), code=program)


def html(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    text = answer.content.decode()
    assert dangers(text) == []
    return " ".join(text.split())


def test_equal_steps_are_one_line_and_changed_ones_stand_beside_each_other(client: Client) -> None:
    bad, good = run_with(FIRST, ["AC", "WA"]), run_with(MENDED, ["AC", "AC"])
    text = html(client, f"/compare/?a={bad.pk}&b={good.pk}")
    assert text.count("same-both") == 5
    assert "<b>2</b> steps changed" in text and "flips to accepted" in text
    assert "1 repaired" in text and "0 broken" in text
    assert "return a <mark>-</mark> b" in text and "return a <mark>+</mark> b" in text


def test_steps_without_counterpart_are_gaps(client: Client) -> None:
    short, long = run_with(FIRST, ["WA"]), whole_run()
    text = html(client, f"/compare/?a={short.pk}&b={long.pk}")
    assert "no counterpart of s" in text and "only on the right" in text
    only = html(client, f"/compare/?a={short.pk}&b={long.pk}&show=differences")
    assert "same-both" not in only


def test_two_attempts_of_one_run_stand_beside_each_other(client: Client) -> None:
    teller = Teller()
    teller.begin()
    prepare(teller)
    for attempt, program in ((1, FIRST), (2, MENDED)):
        teller.ask("coding", program, f"```python\n{program}\n```", attempt=attempt)
        teller.test(program, ["WA" if attempt == 1 else "AC"], attempt=attempt)
    run = teller.end()
    text = html(client, f"/compare/?a={run.pk}&b={run.pk}&attempt_a=1&attempt_b=2")
    assert "return a <mark>-</mark> b" in text and "only on the" not in text


def test_a_run_is_offered_its_branches_and_its_parent_before_the_many_others(client: Client) -> None:
    problem = make_problem()
    parent = make_run(problem)
    run = make_run(problem, branch_of=parent, branch={"at": 1, "kind": "again"})
    branches = [make_run(problem, branch_of=run, branch={"at": 2, "kind": "again"}) for _ in range(2)]
    others = [make_run(problem) for _ in range(40)]
    text = html(client, f"/compare/?a={run.pk}")
    offered = [int(pk) for pk in re.findall(rf"\?a={run.pk}&amp;b=(\d+)", text)]
    expected = [*branches[::-1], parent, *others[::-1]]
    assert offered == [one.pk for one in expected[:30]]


def test_taken_parts_become_a_correction_with_its_source(client: Client) -> None:
    bad, good = run_with(FIRST, ["WA"]), run_with(MENDED, ["AC"])
    form = {"a": bad.pk, "b": good.pk, "left": 6, "right": 6, "hunk": ["1"], "key": "k1"}
    for _ in range(2):
        client.post("/compare/take/", {**form, "back": f"/compare/?a={bad.pk}&b={good.pk}"})
    said = Judgement.objects.get()
    assert (said.verb, said.run_id, said.step) == ("correct", bad.pk, 6)
    assert said.value["text"] == f"Here it is.\n```python\n{MENDED}\n```"
    assert said.reason == f"1 part of run {good.pk}, step 6"


def test_a_script_is_told_that_its_parts_were_taken_instead_of_being_sent_elsewhere(client: Client) -> None:
    """A redirect would look like the one to the sign-in, behind which nothing was taken."""
    bad, good = run_with(FIRST, ["WA"]), run_with(MENDED, ["AC"])
    form = {"a": bad.pk, "b": good.pk, "left": 6, "right": 6, "hunk": ["1"], "key": "k1"}
    answer = client.post("/compare/take/", form, headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()) == (200, {"done": True}) and Judgement.objects.exists()


def test_taking_nothing_says_so_and_stores_nothing(client: Client) -> None:
    bad, good = run_with(FIRST, ["WA"]), run_with(MENDED, ["AC"])
    answer = client.post(
        "/compare/take/",
        {"a": bad.pk, "b": good.pk, "left": 6, "right": 6, "back": "https://evil.example/"},
        follow=True,
    )
    assert "Choose at least one part" in answer.content.decode()
    assert answer.redirect_chain[0][0] == "/compare/" and not Judgement.objects.exists()
    assert client.post("/compare/take/", {"a": "x", "b": 1}).status_code == 404


def test_a_run_alone_offers_what_it_can_be_compared_with(client: Client) -> None:
    problem = make_problem()
    one, other = run_with(FIRST, ["WA"], problem), run_with(MENDED, ["AC"], problem)
    assert f"?a={one.pk}&amp;b={other.pk}" in html(client, f"/compare/?a={one.pk}")
    html(client, "/compare/")
    missing = client.get(f"/compare/?a={one.pk}&b=99999999")
    assert missing.status_code == 404 and "There is no run 99999999" in missing.content.decode()


def test_the_page_takes_as_many_queries_as_two_run_pages(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    bad, good = run_with(FIRST, ["WA"]), whole_run()
    with django_assert_max_num_queries(18):
        client.get(f"/compare/?a={bad.pk}&b={good.pk}")


@pytest.mark.parametrize("text", CORPUS[:6])
def test_hostile_trajectories_are_compared_as_text(client: Client, text: str) -> None:
    one, other = hostile_run(text), hostile_run(text + " x")
    html(client, f"/compare/?a={one.pk}&b={other.pk}")
    html(client, f"/compare/?a={one.pk}&b={other.pk}&view=unified")
