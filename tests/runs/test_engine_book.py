"""Which engine answers, with which models and parameters."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from solver import engine_book, runs
from solver.engines.spec import EngineSpec
from solver.models import Engine
from tests.factories import make_problem, problem_spec
from trajectories.problems import store

pytestmark = pytest.mark.django_db


def own_engine(**changes: Any) -> EngineSpec:
    data = {
        "name": "own",
        "kind": "openai",
        "base_url": "https://api.example.org/v1",
        "models": {"default": "m"},
    }
    Engine.objects.create(name="own", spec={**data, **changes})
    return engine_book.get("own")


def test_a_teams_own_engine_is_the_default_and_otherwise_the_one_that_can_answer() -> None:
    starter, _ = store(problem_spec(id="starter/x", source="starter"))
    micro, _ = store(problem_spec(id="micro/x", source="micro"))
    defaults = [engine_book.default_engine(problem) for problem in (starter, micro)]
    assert [spec.name for spec in defaults if spec] == ["recorded", "micro"]
    own_engine()
    assert [getattr(engine_book.default_engine(p), "name", None) for p in (starter, micro)] == ["own", "own"]


def test_the_micro_model_is_asked_for_what_it_was_trained_on_unless_somebody_says_otherwise() -> None:
    problem, _ = store(problem_spec(id="micro/x", source="micro"))
    quiet: dict[str, Any] = {"engine": "micro", "publish_to_workers": False}
    assert runs.start(problem, **quiet).params.items() >= {"k": 1, "t": 2}.items()
    assert runs.start(problem, params={"k": 3}, **quiet).params.items() >= {"k": 3, "t": 2}.items()


def test_the_solve_form_shows_the_parameters_that_suit_the_engine(client: Client) -> None:
    problem, _ = store(problem_spec(id="micro/x", source="micro"))
    page = client.get(f"/problems/{problem.pk}/").content.decode()
    assert 'name="mapcoder.k" value="1"' in page and 'name="mapcoder.t" value="2"' in page


def test_a_role_without_its_adapter_is_served_by_the_base_and_confidence_goes_with_planning() -> None:
    roles = engine_book.roles_of(engine_book.get("micro"), {"planning": False})
    assert roles == {
        "retrieval": "retrieval", "planning": "base", "confidence": "base", "coding": "coding", "debugging": "debugging",
    }  # fmt: skip


def test_free_text_gets_a_warning_before_the_micro_model_runs() -> None:
    problem = make_problem()
    assert engine_book.concerns(problem, engine_book.get("micro"))
    assert engine_book.concerns(problem, engine_book.get("recorded"))
    assert not engine_book.concerns(problem, own_engine())


def test_no_copy_of_an_engine_holds_a_key_or_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWN_API_KEY", "sk-very-secret")
    spec = own_engine(key_env="OWN_API_KEY")
    copies = [
        engine_book.copy_for_run(s, engine_book.roles_of(s)) for s in (spec, *engine_book.all_engines())
    ]
    assert "sk-very-secret" not in str(copies)
    assert not [copy for copy in copies if "/" in str(copy.get("base", ""))]
