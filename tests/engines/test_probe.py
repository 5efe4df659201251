from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

from solver.engines.check import Check
from solver.engines.openai_api import OpenAIEngine
from solver.engines.probe import probe
from tests.engines.loopback import Handler, answer, serving, status


def model(*, seeds: bool, grammars: bool, usage: bool) -> Callable[[Handler], None]:
    """A server with exactly these capabilities."""
    counter = itertools.count()

    def behave(handler: Handler) -> None:
        body = handler.board.bodies[-1]
        count = (5, 2) if usage else None
        if "structured_outputs" in body and grammars:
            answer(json.dumps({"answer": 4}), usage=count)(handler)
        elif body["temperature"] > 0:
            words = f"seeded {body['seed']}" if seeds else f"random {next(counter)}"
            answer(*words.split(), usage=count)(handler)
        else:
            answer("1 ", "2 ", "3", usage=count)(handler)

    return behave


def checks(behave: Callable[[Handler], None], **fields: Any) -> dict[str, Check]:
    with serving(behave) as board:
        engine = OpenAIEngine(board.spec(**fields))
        found = probe(engine)
        engine.close()
    return {check.name: check for check in found}


def test_a_capable_server_passes_every_check_it_declares() -> None:
    found = checks(model(seeds=True, grammars=True, usage=True), capabilities={"structured_output": True})
    assert {name: check.ok for name, check in found.items()} == {
        "models": True,
        "answers": True,
        "streaming": True,
        "usage": True,
        "seed": True,
        "structured output": True,
    }
    assert not any(check.mend for check in found.values())


def test_a_plain_server_is_told_what_to_declare() -> None:
    found = checks(model(seeds=False, grammars=False, usage=False))
    assert [found[name].ok for name in ("answers", "usage", "seed", "structured output")] == [
        True,
        False,
        False,
        False,
    ]
    assert "capabilities.seed to false" in found["seed"].mend
    assert "estimates" in found["usage"].mend
    assert found["structured output"].mend == ""


def test_an_undeclared_capability_is_offered() -> None:
    found = checks(model(seeds=True, grammars=True, usage=True))
    assert found["structured output"].mend == "Set capabilities.structured_output to true."


def test_a_model_that_is_not_served_is_named() -> None:
    found = checks(
        model(seeds=True, grammars=True, usage=True), models={"default": "small", "coding": "coder"}
    )
    assert found["models"].ok is False
    assert "not coder" in found["models"].detail


def test_a_dead_server_is_one_failed_check_and_no_further_calls() -> None:
    found = checks(status(500))
    assert found["answers"].ok is False
    assert "HTTP 500" in found["answers"].detail
    assert "seed" not in found
