"""Training problems of the micro family on demand."""

from __future__ import annotations

import pytest
from django.test import Client

from micro.chain import Split
from micro.statement import parse
from training import practice
from trajectories.models import Problem

pytestmark = pytest.mark.django_db


def test_more_training_problems_go_on_where_the_last_ones_stopped_and_none_is_held_out() -> None:
    assert practice.more(2) == 2
    assert practice.more(3) == 5
    statements = [problem.spec().statement for problem in Problem.objects.all()]
    chains = [parse(statement) for statement in statements]
    assert len(set(statements)) == 5
    assert all(chain is not None and chain.split is Split.TRAIN for chain in chains)


def test_the_form_says_how_many_there_are_and_its_button_makes_more(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(practice, "AT_ONCE", 2)
    assert "0 for training here" in client.get("/distillation/new/").content.decode()
    page = client.post("/distillation/practice/", follow=True).content.decode()
    assert "the lab now holds" in page and "2 for training here" in page
