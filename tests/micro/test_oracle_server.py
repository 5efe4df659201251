"""The teacher: it understands the agents' real prompts and speaks the protocol of a real endpoint."""

from __future__ import annotations

import json
import random
import stat
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micro import oracle
from micro.chain import Split
from micro.engine_spec import teacher_entry
from micro.oracle_server import MODEL, NotUnderstood, read_prompt, reply_to, serve
from micro.problem import MicroProblem, sketch
from micro.prompting import Prompter
from micro.recipe import served_teacher
from solver import connection_test
from solver.engines.protocol import ChatRequest, EngineRefused, Message, Role
from solver.engines.registry import close_engine, open_engine
from solver.engines.sockets import SOCKETS
from solver.engines.spec import EngineSpec

PROBLEMS = st.builds(
    lambda seed, transforms: sketch(random.Random(seed), transforms, Split.TRAIN),
    st.integers(min_value=0, max_value=10**6),
    st.integers(min_value=0, max_value=3),
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = serve()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def _post(url: str, body: Any) -> tuple[int, dict[str, Any]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/v1/chat/completions", data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@given(problem=PROBLEMS)
def test_it_answers_every_role_from_the_prompt_alone(problem: MicroProblem) -> None:
    chain, ask = problem.chain, Prompter(problem)
    plan = oracle.planning(chain)
    assert reply_to(ask.retrieval()) == oracle.retrieval(chain)
    assert reply_to(ask.planning("sum", "print the sum", "1. read\n2. print")) == plan
    assert reply_to(ask.confidence(plan)) == oracle.confidence(chain, plan)
    assert reply_to(ask.confidence("1. guess")) == oracle.confidence(chain, "1. guess")
    assert reply_to(ask.coding(plan)) == oracle.coding(chain)
    assert reply_to(ask.debugging(plan, "print(0)", "WA", "0")) == oracle.debugging(chain)


@given(problem=PROBLEMS, plan=st.text(max_size=60), code=st.text(max_size=60), got=st.text(max_size=30))
def test_whatever_a_student_wrote_the_role_is_read_right(
    problem: MicroProblem, plan: str, code: str, got: str
) -> None:
    ask = Prompter(problem)
    assert read_prompt(ask.debugging(plan, code, "RE", got, "NameError"))[0] == "debugging"
    assert read_prompt(ask.coding(plan))[0] == "coding"
    role, fields = read_prompt(ask.confidence(plan))
    assert role == "confidence"
    assert fields["problem"] == problem.statement.text


def test_its_mistakes_are_as_many_as_asked_for_and_always_the_same() -> None:
    rng = random.Random(4)
    problems = [sketch(rng, 2, Split.TRAIN) for _ in range(300)]
    prompts = [Prompter(problem).coding("1. read") for problem in problems]
    first = [reply_to(prompt, 0.2) for prompt in prompts]
    assert first == [reply_to(prompt, 0.2) for prompt in prompts]
    wrong = sum(text != oracle.coding(p.chain) for text, p in zip(first, problems, strict=True))
    assert 30 < wrong < 90


def test_a_statement_outside_the_family_is_refused() -> None:
    with pytest.raises(NotUnderstood, match="outside"):
        reply_to("Write the Python 3 program.\n\nReverse a linked list.\n\nPlan:\n1. reverse")
    with pytest.raises(NotUnderstood, match="templates"):
        reply_to("What is the weather like?")


def test_the_server_lists_its_model_and_answers_a_completion(url: str) -> None:
    with urllib.request.urlopen(f"{url}/v1/models", timeout=60) as reply:
        assert [model["id"] for model in json.load(reply)["data"]] == [MODEL]
    problem = sketch(random.Random(1), 1, Split.TRAIN)
    prompt = Prompter(problem).coding("1. read")
    status, reply = _post(url, {"model": MODEL, "messages": [{"role": "user", "content": prompt}]})
    assert status == 200
    assert reply["choices"][0]["message"]["content"] == oracle.coding(problem.chain)
    assert reply["usage"]["completion_tokens"] > 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        {"messages": []},
        {"messages": [{"content": 3}]},
        {"messages": [{"content": "hi"}]},
    ],
)
def test_a_request_that_it_cannot_read_gets_a_400_with_a_reason(url: str, body: Any) -> None:
    status, reply = _post(url, body)
    assert status == 400
    assert reply["error"]["message"]


def test_the_labs_own_client_reads_its_stream_and_its_refusals() -> None:
    problem = sketch(random.Random(2), 2, Split.TRAIN)
    with served_teacher() as teacher:
        pieces: list[str] = []
        prompt = Prompter(problem).retrieval()
        reply = teacher.chat(
            ChatRequest(Role.RETRIEVAL, MODEL, (Message("user", prompt),)), on_delta=pieces.append
        )
        assert "".join(pieces) == reply.text
        assert len(pieces) > 1
        with pytest.raises(EngineRefused):
            teacher.chat(ChatRequest(Role.CODING, MODEL, (Message("user", "hello"),)))


def test_the_lab_asks_it_over_a_socket_that_only_its_owner_may_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = EngineSpec.parse(teacher_entry())
    where = tmp_path / "teacher.sock"
    server = serve(socket_file=where)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv(SOCKETS, json.dumps({spec.home(): str(where)}))
    try:
        assert stat.S_IMODE(where.stat().st_mode) == 0o600
        problem = sketch(random.Random(7), 2, Split.TRAIN)
        prompt = Prompter(problem).retrieval()
        reply = open_engine(spec).chat(spec.request(Role.RETRIEVAL, (Message("user", prompt),)))
        assert reply.text == reply_to(prompt)
        assert [check.ok for check in connection_test.thorough(spec)] == [True]
    finally:
        close_engine(spec)
        server.shutdown()
        server.server_close()


def test_without_a_lab_its_mend_is_to_start_the_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SOCKETS, raising=False)
    spec = EngineSpec.parse({**teacher_entry(), "base_url": "http://127.0.0.1:9/v1"})
    try:
        (found,) = connection_test.glance(spec)
    finally:
        close_engine(spec)
    assert not found.ok and found.mend == "Start the lab with manage.py up, which runs this engine."
