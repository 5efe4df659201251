"""The same problems solved through three engines: the lab's own, a real vLLM, and an OpenAI-compatible endpoint.

One model, float32, greedy; so the trajectories must agree step by step, down to the text. `make test-vllm`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from micro.engine_spec import engine_entry, shipped_problems
from solver import runs
from solver.engines.registry import close_all
from solver.engines.sockets import SOCKETS
from solver.engines.spec import EngineSpec
from solver.models import Engine
from tests.engines.served_engine import serving_engine
from tests.serving.micro_vllm import asked_like_micro, micro_vllm, needs_micro_vllm
from tests.vllm import free_port
from trajectories import comparison
from trajectories.models import Problem, Run, Step
from trajectories.problem_schema import ProblemSpec
from trajectories.problems import store

pytestmark = [needs_micro_vllm, pytest.mark.django_db(transaction=True)]
OWN, VLLM, ENDPOINT = "micro", "micro-vllm", "micro-endpoint"
PROBLEMS = 8


@pytest.fixture(scope="module")
def endpoint() -> Iterator[dict[str, Any]]:
    """An OpenAI-compatible server on a port, as the lab is told of one that it does not run itself."""
    port = free_port()
    with serving_engine(EngineSpec.parse(engine_entry()), port=port):
        yield asked_like_micro(
            name=ENDPOINT, label="Micro model over HTTP", base_url=f"http://127.0.0.1:{port}/v1"
        )


@pytest.fixture(scope="module")
def own_socket() -> Iterator[dict[str, str]]:
    """The lab's own engine in its own process on a unix socket, as `manage.py up` starts it."""
    spec = EngineSpec.parse(engine_entry())
    with serving_engine(spec) as server:
        yield {spec.home(): str(server.socket)}


@pytest.fixture
def engines(
    endpoint: dict[str, Any], own_socket: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, ...]]:
    monkeypatch.setenv(SOCKETS, json.dumps(own_socket))
    Engine.objects.create(name=VLLM, spec=json.loads(micro_vllm().model_dump_json(exclude_defaults=True)))
    Engine.objects.create(name=ENDPOINT, spec=endpoint)
    close_all()
    yield (OWN, VLLM, ENDPOINT)
    close_all()


def micro_problem(number: int) -> Problem:
    record = shipped_problems()[number]
    tests = [{"kind": "stdio", **test} for test in record["tests"]]
    return store(ProblemSpec.model_validate({**record, "tests": tests}))[0]


def solved_by(engine: str, problem: Problem, **asked: Any) -> Run:
    run = runs.start(problem, engine=engine, publish_to_workers=False, **asked)
    assert runs.execute(run.pk, "test")
    run.refresh_from_db()
    assert run.status == "finished", (engine, run.message)
    return run


def course(run: Run) -> list[tuple[Any, ...]]:
    """What the page shows of each step, without names, times, tokens and texts."""
    return [
        (
            step.role,
            step.attempt,
            step.state,
            step.format_failure,
            step.suite,
            step.verdict,
        )
        for step in Step.objects.filter(run=run).order_by("number")
    ]


def spent(run: Run) -> list[int]:
    return [step.completion_tokens for step in Step.objects.filter(run=run).order_by("number")]


def outline_on_the_page(client: Client, run: Run) -> list[str]:
    """The agents of the run page's outline, in order."""
    answer = client.get(f"/runs/{run.pk}/")
    assert answer.status_code == 200
    return re.findall(r'<li id="o\d+"[^>]* data-agent="(\w+)"', answer.content.decode())


@pytest.mark.parametrize("constrained", [False, True], ids=["free", "constrained"])
def test_three_engines_give_the_same_trajectory(
    engines: tuple[str, ...], client: Client, constrained: bool
) -> None:
    verdicts, repaired = set(), 0
    for number in range(PROBLEMS):
        problem = micro_problem(number)
        own, *others = [solved_by(engine, problem, constrained=constrained) for engine in engines]
        verdicts.add(own.verdict)
        repaired += any(step[0] == "debugging" for step in course(own))
        for other in others:
            found = comparison.compare(comparison.side(own, None), comparison.side(other, None))
            assert course(other) == course(own)
            # vLLM counts the end token also where a grammar leaves nothing else; the lab's engine then ends without it.
            most = 1 if constrained else 0
            assert all(0 <= a - b <= most for a, b in zip(spent(other), spent(own), strict=True))
            assert (other.verdict, other.strip, other.calls) == (own.verdict, own.strip, own.calls)
            assert all(pair.left and pair.right and pair.same for pair in found.pairs)
            page = client.get(f"/compare/?a={own.pk}&b={other.pk}").content.decode()
            assert page.count("same-both") == len(found.pairs)
            assert outline_on_the_page(client, other) == outline_on_the_page(client, own) != []
    assert "AC" in verdicts
    assert repaired, "at least one of the problems must take the debugging agent"
