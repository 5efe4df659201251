"""Deciding about many examples of the pool at once, and taking it back."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from tests.runs.conftest import Scripted
from tests.supervision.conftest import failed_run
from training.models import Example, ExampleState
from trajectories.models import Judgement, Problem, Run

pytestmark = pytest.mark.django_db(transaction=True)
STEPS = ((1, "retrieval"), (2, "planning"), (4, "coding"))


def candidate(run: Run, step: int, role: str) -> Example:
    return Example.objects.create(
        role=role, way="teacher", problem=run.problem, run=run, step=step, answer=f"{role} {step}",
        messages=[{"role": "user", "content": "?"}], digest=uuid.uuid4().hex,
    )  # fmt: skip


@pytest.fixture
def pool(listening: Scripted, problem: Problem) -> list[Example]:
    run = failed_run(listening, problem)
    return [candidate(run, step, role) for step, role in STEPS]


def states() -> list[str]:
    return list(Example.objects.order_by("pk").values_list("state", flat=True))


def say(client: Client, what: str, batch: str, **more: object) -> str:
    answer = client.post("/examples/decide/", {"say": what, "batch": batch, **more}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_all_candidates_of_the_filters_are_accepted_once_and_taken_back(
    pool: list[Example], client: Client
) -> None:
    batch = uuid.uuid4().hex
    page = client.get("/examples/").content.decode()
    assert "Accept all 3 candidates" in page and "Undo the last decision" not in page
    page = say(client, "accept all", batch, role="coding")
    assert states() == ["candidate", "candidate", "accepted"]
    assert "1 accepted." in page and "Undo the last decision" in page
    say(client, "accept ticked", batch, example=[one.pk for one in pool])
    assert states() == ["accepted"] * 3
    assert Judgement.objects.filter(verb="accept").count() == 3, (
        "the one that was decided is not decided again"
    )
    assert "3 decisions taken back" in say(client, "undo", batch)
    assert states() == [ExampleState.WITHDRAWN] * 3
    say(client, "accept ticked", uuid.uuid4().hex, example=[one.pk for one in pool])
    assert states() == ["accepted"] * 3


def test_of_two_answers_of_one_step_the_one_that_was_chosen_is_accepted(
    pool: list[Example], client: Client
) -> None:
    first = pool[2]
    assert first.run is not None
    newer = candidate(first.run, 4, "coding")
    say(client, "accept ticked", uuid.uuid4().hex, example=[first.pk])
    assert states()[2:] == ["accepted", "candidate"]
    client.post(f"/examples/{newer.pk}/accept/")
    assert states()[2:] == ["withdrawn", "accepted"]


def test_ticked_ones_are_rejected_and_nothing_ticked_decides_nothing(
    pool: list[Example], client: Client
) -> None:
    assert "Nothing was ticked" in say(client, "reject ticked", uuid.uuid4().hex)
    say(client, "reject ticked", uuid.uuid4().hex, example=[pool[0].pk, "x", "99999999999999999999"])
    assert states() == ["rejected", "candidate", "candidate"]


def test_a_batch_of_somebody_else_is_not_taken_back(pool: list[Example], client: Client) -> None:
    batch = uuid.uuid4().hex
    say(client, "accept all", batch)
    Judgement.objects.update(actor="another")
    assert "0 decisions taken back" in say(client, "undo", batch)
    assert states() == ["accepted"] * 3


def test_a_page_without_its_batch_decides_nothing(pool: list[Example], client: Client) -> None:
    assert "nothing was decided" in say(client, "accept all", "%")
    assert (
        client.post("/examples/decide/", {"say": "erase all", "batch": uuid.uuid4().hex}).status_code == 404
    )
    assert states() == ["candidate"] * 3
