"""Two imports of the same problems at one moment, which only a server's database allows: SQLite lets one writer in."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from tests.factories import problem_spec
from trajectories.models import Problem
from trajectories.problems import Outcome, Stored, store_all


@pytest.mark.django_db(transaction=True)
def test_a_problem_that_another_import_stores_at_the_same_moment_is_there_once_and_fails_neither() -> None:
    if connection.vendor != "postgresql":
        pytest.skip(
            "SQLite lets one writer in at a time, so two imports cannot meet; make postgres runs this"
        )
    specs = [problem_spec(id=f"race/{n}") for n in range(3)]
    stored, go_on, told = threading.Event(), threading.Event(), list[Stored]()

    def first() -> None:
        with transaction.atomic():
            store_all(specs, [])
            stored.set()
            go_on.wait(60)
        connection.close()

    def second() -> None:
        told.append(store_all(specs, []))
        connection.close()

    threads = [threading.Thread(target=work) for work in (first, second)]
    threads[0].start()
    assert stored.wait(60)
    threads[1].start()
    threads[1].join(0.5)
    assert threads[1].is_alive(), "it waits for the first one's rows"
    go_on.set()
    for thread in threads:
        thread.join(60)
    assert told[0].counts[Outcome.UNCHANGED] == 3 and Problem.objects.count() == 3
