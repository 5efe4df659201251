"""A server that has forgotten an adapter of the description is told of it again, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from solver.engines.openai_api import OpenAIEngine
from solver.engines.protocol import EngineError, EngineRefused
from tests.engines.asking import request
from tests.engines.loopback import Behaviour, Handler, Loopback, answer, serving, status

ADAPTERS = {"coding@77c1": "/srv/adapters/77c1"}


def forgetful(*, reply: Behaviour | None = None) -> Behaviour:
    """Knows an adapter only after it was loaded, as vLLM does after a restart. `reply` answers the loading."""
    loaded: set[str] = set()

    def behave(handler: Handler) -> None:
        body = handler.board.bodies[-1]
        if handler.path.endswith("/load_lora_adapter"):
            if reply is None:
                loaded.add(body["lora_name"])
                return handler.raw(200, b"Success: LoRA adapter added.", Content_Type="text/plain")
            return reply(handler)
        if body["model"] in loaded:
            return answer("here")(handler)
        return status(404, f"The model `{body['model']}` does not exist.")(handler)

    return behave


def paths(board: Loopback) -> list[str]:
    return ["load" if "lora_name" in body else "chat" for body in board.bodies]


def ask(board: Loopback, model: str = "coding@77c1") -> str:
    engine = OpenAIEngine(board.spec(adapters=ADAPTERS))
    try:
        return engine.chat(request(model=model)).text
    finally:
        engine.close()


def test_a_forgotten_adapter_is_loaded_from_its_folder_and_asked_for_again() -> None:
    with serving(forgetful()) as board:
        assert ask(board) == "here"
    assert paths(board) == ["chat", "load", "chat"]
    assert board.bodies[1] == {"lora_name": "coding@77c1", "lora_path": "/srv/adapters/77c1"}


def test_a_model_that_the_description_does_not_map_to_a_folder_is_refused_as_before() -> None:
    with serving(forgetful()) as board, pytest.raises(EngineRefused, match="does not know the model 'other'"):
        ask(board, "other")
    assert paths(board) == ["chat"]


def test_a_server_that_loads_nothing_at_run_time_is_named_with_the_mend() -> None:
    no_such_path = status(404, "Not Found")
    with (
        serving(forgetful(reply=no_such_path)) as board,
        pytest.raises(EngineRefused, match=r"loads none while it runs; .*VLLM_ALLOW_RUNTIME_LORA_UPDATING"),
    ):
        ask(board)


def test_what_the_server_says_against_the_adapter_reaches_the_user_and_nothing_is_tried_for_ever() -> None:
    refused = status(400, "LoRA rank 64 is greater than max_lora_rank 32")
    with (
        serving(forgetful(reply=refused)) as board,
        pytest.raises(EngineRefused, match="rank 64 is greater than max_lora_rank 32"),
    ):
        ask(board)
    assert paths(board) == ["chat", "load"]


def test_an_adapter_that_another_caller_loaded_in_the_meantime_is_simply_used() -> None:
    asked: list[str] = []

    def behave(handler: Handler) -> None:
        body = handler.board.bodies[-1]
        asked.append("load" if "lora_name" in body else "chat")
        if "lora_name" in body:
            status(400, "The lora adapter 'coding@77c1' has already been loaded.")(handler)
        elif asked.count("load"):
            answer("here")(handler)
        else:
            status(404, "no such model")(handler)

    with serving(behave) as board:
        assert ask(board) == "here"


def test_many_callers_at_once_all_get_their_answer() -> None:
    with serving(forgetful()) as board:
        engine = OpenAIEngine(board.spec(adapters=ADAPTERS))

        def one(_index: int) -> str | EngineError:
            try:
                return engine.chat(request(model="coding@77c1")).text
            except EngineError as error:
                return error

        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(one, range(8)))
        engine.close()
    assert found == ["here"] * 8
