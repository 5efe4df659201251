"""Costs are exact sums of dated prices, recorded with each call and never recomputed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from solver.answers.desk import accounted
from solver.campaigns.measures import RoleMeasures
from solver.campaigns.results import cost
from solver.campaigns.scoring import Cost
from solver.engines.prices import BadPrice, Price, PriceTable, parse_prices
from solver.engines.protocol import Usage
from solver.models import Engine
from solver.prices import book
from tests.answers.test_store import HOSTED, Counting, spec
from tests.engines.asking import request
from tests.factories import claimed_run, step_finished, step_started
from tests.runs.conftest import Scripted, engine, problem
from tests.runs.test_runs import solve
from trajectories import eventlog, money
from trajectories.decisions import UNUSED
from trajectories.events import Note, RunFinished
from trajectories.models import Problem, Run

__all__ = ["engine", "problem"]


def price(**fields: Any) -> Price:
    return Price.parse({"input": "0.15", "output": "0.60", **fields})


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.integers(0, 10**7))
def test_a_cost_is_exact_and_cached_tokens_are_never_counted_twice(
    prompt: int, cached: int, out: int
) -> None:
    usage = Usage(prompt, out, cached_tokens=cached)
    used = min(prompt, cached)
    expected = (prompt - used) * Decimal("0.15") + used * Decimal("0.075") + out * Decimal("0.60")
    assert price(cached_input="0.075").cost(usage) * 1_000_000 == pytest.approx(
        expected, abs=Decimal("0.001")
    )


def test_the_newest_valid_price_counts_and_a_models_own_comes_first() -> None:
    table = PriceTable(
        (
            price(),
            price(input="9", valid_from=date(2026, 3, 1)),
            price(model="big", input="20", valid_from=date(2026, 2, 1)),
        )
    )

    def at(model: str, day: date) -> Decimal | None:
        found = table.at(model, day)
        return found.input if found else None

    assert at("small", date(2026, 1, 1)) == Decimal("0.15")
    assert at("small", date(2026, 3, 1)) == 9
    assert at("big", date(2026, 1, 31)) == Decimal("0.15")
    assert at("big", date(2026, 4, 1)) == 20
    assert PriceTable().at("big", date(2026, 4, 1)) is None


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ([{"input": -1, "output": 1}], r"Price 1, input: Input should be greater than or equal to 0\."),
        ([{"input": 1}], r"Price 1, output: Field required\."),
        (
            [{"input": 1, "output": 1, "out": 1}],
            r"Price 1, out: there is no such field; the fields are model, input",
        ),
        ([{"input": 1, "output": 1, "currency": "dollars"}], r"three capital letters such as USD"),
        ([{"input": "cheap", "output": 1}], r"Price 1, input: Input should be a valid decimal\."),
        ([{"input": "NaN", "output": 1}], r"finite number"),
        ([{"input": 1, "output": 1, "valid_from": "tomorrow"}], r"Price 1, valid_from: "),
        (["0.15"], r"Price 1 must be a mapping"),
        (
            [{"input": 1, "output": 1}, {"input": 1, "output": 1, "currency": "EUR"}],
            r"One table has one currency",
        ),
        (
            [{"input": 1, "output": 1}, {"input": 2, "output": 1}],
            r"There are two prices of every model from 1970",
        ),
    ],
)
def test_a_price_that_cannot_be_used_gets_one_sentence(entries: list[Any], sentence: str) -> None:
    with pytest.raises(BadPrice, match=sentence):
        parse_prices(entries)


@pytest.mark.django_db
def test_a_table_is_read_from_a_file_and_a_bad_file_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Engine.objects.create(name="hosted", spec=HOSTED)
    file = tmp_path / "prices.yaml"
    file.write_text(
        "- {input: 0.15, cached_input: 0.075, output: 0.6, valid_from: 2026-01-01}\n- {model: big, input: 2, output: 8}\n"
    )
    call_command("engine", "prices", "hosted", "--file", str(file))
    call_command("engine", "prices", "hosted")
    told = capsys.readouterr().out
    assert "cached input 0.075" in told and "big" in told and "from 2026-01-01  every model" in told
    file.write_text("- {input: 0.15, output: 0.6, currency: EUR}\n- {input: 1, output: 1}\n")
    with pytest.raises(CommandError, match="one currency"):
        call_command("engine", "prices", "hosted", "--file", str(file))
    assert len(book.table(spec()).prices) == 2


@pytest.mark.django_db(transaction=True)
def test_a_run_adds_up_what_its_calls_cost(engine: Scripted, problem: Problem) -> None:
    book.add(spec(name="scripted"), price(input="1", output="2"))
    run = solve(problem)
    assert (run.cost, run.saved, run.currency) == (4 * Decimal("0.00002"), Decimal(0), "USD")
    finished = [row.payload for row in run.events.all() if row.kind == "step.finished"]
    assert [step["detail"]["cost"]["amount"] for step in finished] == ["0.000020000"] * 4
    assert {step["detail"]["cost"]["price_from"] for step in finished} == {"1970-01-01"}


@pytest.mark.django_db(transaction=True)
def test_without_a_price_a_run_has_no_cost_rather_than_a_cost_of_zero(
    engine: Scripted, problem: Problem
) -> None:
    assert solve(problem).currency == ""


@pytest.mark.django_db(transaction=True)
def test_a_run_of_which_only_some_calls_had_a_price_says_of_how_many_its_cost_is(client: Client) -> None:
    run, fence = claimed_run()
    paid = {"cost": {"amount": "0.000012", "currency": "USD"}}
    waste = {"calls": 3, "priced_calls": 2, "prompt_tokens": 5, "completion_tokens": 5, **paid}
    for number, detail in enumerate([paid, {}], start=1):
        eventlog.append(run.pk, [step_started(number), step_finished(number, detail=detail)], fence=fence)
    ended = RunFinished(status="finished", reason="judged", verdict="WA")
    eventlog.append(run.pk, [Note(name=UNUSED, detail=waste), ended], fence=fence)
    supervised = [step_started(3, role="supervisor"), step_finished(3, detail=paid)]
    eventlog.append_afterword(run.pk, lambda _: supervised, still_mine=lambda: True)
    run.refresh_from_db()
    assert (run.calls, run.priced_calls, run.cost) == (5, 3, Decimal("0.000024")), (
        "its supervisor is not its cost"
    )
    assert "0.000024 USD for 3 of them" in client.get(f"/runs/{run.pk}/").content.decode()
    assert client.get(f"/api/runs/{run.pk}/").json()["cost"]["calls"] == 3
    money_of = (run.cost, run.saved, run.currency, run.calls)
    assert cost(RoleMeasures(), None, *money_of, 3) is None, "a part is no sum"
    assert cost(RoleMeasures(), None, *money_of, 5) == Cost(run.cost, "USD")
    Run.objects.update(priced_calls=0)
    import_module("trajectories.migrations.0012_priced_calls").count(apps, None)
    run.refresh_from_db()
    assert run.priced_calls == 4, "what was recorded before says of no note how many of its calls had a price"


@pytest.mark.parametrize(
    "told",
    [
        "0.1",
        {"amount": "1e9999", "currency": "USD"},
        {"amount": "NaN", "currency": "USD"},
        {"amount": "-1", "currency": "USD"},
        {"amount": 1, "currency": "USD"},
        {"amount": "1", "currency": "<b>"},
        {"amount": "1" * 40, "currency": "USD"},
        {"amount": "1", "currency": "USD", "saved": None},
    ],
)
def test_a_file_that_names_nonsense_as_its_cost_has_none(told: Any) -> None:
    assert money.spent({"cost": told}) is None


@pytest.mark.django_db
def test_a_price_of_today_does_not_change_what_earlier_calls_cost() -> None:
    book.add(spec(), price(input="1", output="1"))
    first = accounted(spec(), lambda _: Counting()).chat(request("Hello"))
    book.add(spec(), price(input="5", output="5", valid_from=date(2026, 1, 1)))
    second = accounted(spec(), lambda _: Counting()).chat(request("Hello again"))
    assert first.detail["cost"]["amount"] == "0.001500000"
    assert second.detail["cost"]["amount"] == "0.007500000"


@pytest.mark.django_db(transaction=True)
def test_the_page_shows_what_a_step_and_the_run_cost_and_which_answers_were_stored(
    engine: Scripted, problem: Problem, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.add(spec(name="hosted"), price(input="1", output="2"))
    Engine.objects.create(name="hosted", spec=HOSTED)
    first = solve(problem, engine="hosted")
    page = client.get(f"/runs/{first.pk}/").content.decode()
    assert "0.000080 USD" in page and "0.000020 USD" in page and "stored answer</span>" not in page
    again = solve(problem, engine="hosted")
    page = client.get(f"/runs/{again.pk}/").content.decode()
    assert (again.cost, again.saved) == (Decimal(0), first.cost) and len(engine.asked) == 4
    assert page.count("stored answer</span>") == 4
    assert "0.000080 saved by stored answers" in page
    anew = solve(problem, engine="hosted", ask_anew=True)
    assert (anew.cost, anew.saved) == (first.cost, Decimal(0)) and len(engine.asked) == 8
