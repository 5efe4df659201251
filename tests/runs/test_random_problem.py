"""The random problem button."""

from __future__ import annotations

import pytest
from django.test import Client

from micro.engine_spec import is_in_family
from micro.random_problem import random_problem
from trajectories.models import Problem


@pytest.mark.django_db
def test_each_press_makes_one_more_problem_of_the_family_and_opens_it(client: Client) -> None:
    addresses = {client.post("/problems/random/").headers["Location"] for _ in range(3)}
    assert len(addresses) == Problem.objects.count() == 3
    problem = Problem.objects.first()
    assert problem is not None
    assert (problem.source, is_in_family(problem.spec().statement)) == ("micro", True)
    assert problem.test_count >= 40


def test_the_same_seed_makes_the_same_problem() -> None:
    assert random_problem(7) == random_problem(7) != random_problem(8)


@pytest.mark.django_db
def test_looking_at_the_address_makes_nothing(client: Client) -> None:
    assert client.get("/problems/random/").status_code == 405
    assert not Problem.objects.exists()
