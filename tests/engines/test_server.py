"""The engine in a process of its own: its paths, its refusals, and what a killed process costs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from solver.engines.protocol import ChatReply, EngineRefused, EngineUnreachable
from solver.engines.registry import close_engine, open_engine
from solver.engines.served import Diverged, Replay, ServedEngine
from solver.engines.sockets import SOCKETS
from solver.engines.spec import EngineSpec
from solver.engines.transformers_engine import TransformersEngine
from tests.engines.asking import request
from tests.engines.conftest import tiny_spec
from tests.engines.served_engine import Server, serving_engine
from tests.engines.tiny_model import save_adapter

ASKED = {"model": "coding", "messages": [{"role": "user", "content": "print the sum"}], "max_tokens": 12}


def post(server: Server, body: Any, path: str = "/v1/chat/completions") -> tuple[int, Any]:
    response = server.http().post(path, json=body)
    return response.status_code, response.json() if "json" in response.headers[
        "content-type"
    ] else response.text


def until(true: Callable[[], object], within: float = 180) -> None:
    end = time.monotonic() + within
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_an_answer_is_the_one_that_the_same_weights_give_in_this_process(
    tiny_server: Server, tiny_engine: TransformersEngine
) -> None:
    """Text, usage, and all that a run records: adapter, template and seed."""
    client = tiny_server.client()
    try:
        for model in ("base", "coding", "planning"):
            asked = request("print the sum", model=model, temperature=0.9, seed=7, max_tokens=30)
            here, there = tiny_engine.chat(asked), client.chat(asked)
            assert (there.text, there.usage, there.finish_reason) == (
                here.text,
                here.usage,
                here.finish_reason,
            )
            assert there.adapter_digest == here.adapter_digest
            assert there.detail["template_digest"] == here.detail["template_digest"]
            assert there.detail["seed"] == 7
        drawn = client.chat(request("print the sum", model="base", temperature=0.9))
        again = request("print the sum", model="base", temperature=0.9, seed=drawn.detail["seed"])
        assert tiny_engine.chat(again).text == drawn.text
    finally:
        client.close()


def test_an_answer_comes_whole_or_in_events_with_usage_at_the_end(tiny_server: Server) -> None:
    status, whole = post(tiny_server, ASKED)
    assert status == 200
    body = {**ASKED, "stream": True, "stream_options": {"include_usage": True}}
    with tiny_server.http().stream("POST", "/v1/chat/completions", json=body) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = [line.removeprefix("data: ") for line in response.iter_lines() if line]
    assert lines[-1] == "[DONE]"
    chunks = [json.loads(line) for line in lines[:-1]]
    pieces = [chunk["choices"][0]["delta"].get("content", "") for chunk in chunks[:-1]]
    assert "".join(pieces) == whole["choices"][0]["message"]["content"]
    assert chunks[-2]["choices"][0]["finish_reason"] == whole["choices"][0]["finish_reason"]
    assert chunks[-1]["usage"]["completion_tokens"] == whole["usage"]["completion_tokens"]
    assert chunks[-2]["lab"]["adapter_digest"] == whole["lab"]["adapter_digest"]


@pytest.mark.parametrize(
    ("change", "status", "code", "said"),
    [
        ({"model": "nobody"}, 404, "model_not_found", "no adapter 'nobody' loaded; it serves base"),
        ({"max_tokens": 5000}, 400, "context_length_exceeded", "do not fit the 2048 tokens"),
        ({"n": 3}, 400, "engine_refused", "n is not supported"),
        ({"response_format": {"type": "json_object"}}, 400, "engine_refused", "response_format is not"),
        ({"structured_outputs": {"json": {}}}, 400, "engine_refused", "structured_outputs.json"),
        ({"structured_outputs": {"grammar": "start: ("}}, 400, "engine_refused", "grammar .* cannot be used"),
        ({"messages": []}, 400, "engine_refused", "messages cannot be used"),
        ({"messages": [{"role": "tool", "content": "x"}]}, 400, "engine_refused", "messages.0.role"),
        ({"temperature": -1}, 400, "engine_refused", "temperature cannot be used"),
        ({"messages": [{"role": "user", "content": "x" * 9_000_000}]}, 413, "request_too_large", "8 MB"),
    ],
)
def test_what_cannot_be_served_is_refused_in_a_sentence(
    tiny_server: Server, change: dict[str, Any], status: int, code: str, said: str
) -> None:
    import re

    got, body = post(tiny_server, {**ASKED, **change})
    assert (got, body["error"]["code"]) == (status, code)
    assert re.search(said, body["error"]["message"]), body
    assert body["error"]["message"].endswith(".")
    assert post(tiny_server, ASKED)[0] == 200


def test_a_path_that_is_not_there_and_a_body_that_is_no_json(tiny_server: Server) -> None:
    http = tiny_server.http()
    assert http.get("/v1/embeddings").status_code == 404
    assert http.post("/v1/chat/completions", content=b"{").status_code == 400
    assert http.post("/v1/chat/completions", content=b"[]").json()["error"]["code"] == "engine_refused"


def test_adapters_are_loaded_and_unloaded_while_others_answer(
    tiny_server: Server, tmp_path: Path, tiny: Path
) -> None:
    folder = save_adapter(tiny / "base", tmp_path / "late", seed=11)
    load, unload = "/v1/load_lora_adapter", "/v1/unload_lora_adapter"
    stop = threading.Event()
    failures: list[Any] = []

    def keep_asking() -> None:
        while not stop.is_set():
            status, body = post(tiny_server, ASKED)
            if status != 200:
                failures.append(body)

    with ThreadPoolExecutor(2) as pool:
        pool.submit(keep_asking)
        try:
            assert post(tiny_server, {"lora_name": "late", "lora_path": str(folder)}, load)[0] == 200
            assert post(tiny_server, {"lora_name": "late", "lora_path": str(folder)}, load)[0] == 200
            assert post(tiny_server, {**ASKED, "model": "late"})[0] == 200
            assert "late" in [item["id"] for item in tiny_server.http().get("/v1/models").json()["data"]]
            other = {"lora_name": "late", "lora_path": str(tiny / "coding")}
            status, body = post(tiny_server, other, load)
            assert (status, "already stands for other weights" in body["error"]["message"]) == (400, True)
            assert post(tiny_server, {"lora_name": "late"}, unload)[0] == 200
            assert post(tiny_server, {"lora_name": "late"}, unload)[0] == 404
            assert post(tiny_server, {**ASKED, "model": "late"})[0] == 404
        finally:
            stop.set()
    assert failures == []


def damaged(tmp_path: Path, tiny: Path) -> dict[str, Path]:
    """Adapters that cannot be served, by what is wrong with them."""
    made = {}
    changes: dict[str, dict[str, Any]] = {"dora": {"use_dora": True}, "rank": {"r": 128}}
    for name, settings in changes.items():
        made[name] = save_adapter(tiny / "base", tmp_path / name, seed=1, **settings)
    for name in ("saved", "garbage", "pickle", "base"):
        made[name] = Path(shutil.copytree(tiny / "coding", tmp_path / name))
    config = json.loads((made["saved"] / "adapter_config.json").read_text())
    (made["saved"] / "adapter_config.json").write_text(json.dumps({**config, "modules_to_save": ["lm_head"]}))
    (made["garbage"] / "adapter_model.safetensors").write_bytes(b"\xff" * 100)
    (made["pickle"] / "adapter_model.safetensors").rename(made["pickle"] / "adapter_model.bin")
    (made["base"] / "base.json").write_text(json.dumps({"fingerprint": "0" * 64}))
    return made


def test_every_adapter_that_cannot_be_served_has_its_sentence_and_the_others_answer_on(
    tiny_server: Server, tmp_path: Path, tiny: Path
) -> None:
    said = {
        "dora": "DoRA",
        "rank": "rank 128 is over the engine's maximum of 64",
        "saved": "modules_to_save",
        "garbage": "is cut off or is not a safetensors file",
        "pickle": "a pickle file, which can run code",
        "base": "trained on another base",
    }
    for name, folder in damaged(tmp_path, tiny).items():
        status, body = post(
            tiny_server, {"lora_name": name, "lora_path": str(folder)}, "/v1/load_lora_adapter"
        )
        assert status == 400, body
        assert body["error"]["code"] == "bad_adapter"
        assert said[name] in body["error"]["message"]
        assert post(tiny_server, ASKED)[0] == 200


def test_a_caller_that_hangs_up_frees_its_row(tiny_server: Server) -> None:
    before = tiny_server.stats()["ended"].get("cancelled", 0)
    body = {**ASKED, "model": "base", "max_tokens": 1900, "temperature": 1.0, "seed": 3, "stream": True}
    # The end token is never allowed by this grammar, so that the answer cannot end before the caller leaves.
    body["structured_outputs"] = {"grammar": "start: /a{1800,}/\n"}
    with tiny_server.http().stream("POST", "/v1/chat/completions", json=body) as response:
        next(response.iter_lines())
    until(lambda: tiny_server.stats()["ended"].get("cancelled", 0) == before + 1)
    until(lambda: tiny_server.stats()["running"] == 0)
    assert tiny_server.stats()["active"] == 0


@pytest.fixture(scope="module")
def rough(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that is killed and flooded, and whose description names an adapter that is not there."""
    gone = tmp_path_factory.mktemp("rough") / "gone"
    spec = tiny_spec(
        tiny,
        adapters={"coding": str(tiny / "coding"), "gone": str(gone)},
        models={},
        local={"threads": 1, "max_batch": 2},
    )
    with serving_engine(spec, "--max-queue", "1") as server:
        yield server
        assert server.stop() == 0, "a stop is an end without fault"
        assert not server.socket.exists()


def test_a_bad_adapter_in_the_description_leaves_the_others_served(rough: Server) -> None:
    assert "'gone' cannot be served" in rough.log
    client = rough.client()
    assert client.chat(request("print", model="coding", max_tokens=4)).adapter_digest
    with pytest.raises(EngineRefused, match="'gone' cannot be served: its folder does not exist"):
        client.chat(request("print", model="gone", max_tokens=4))
    client.close()


def test_more_than_the_queue_holds_is_told_to_come_again_and_the_client_does(rough: Server) -> None:
    """Eight at once against two in the batch and one in the queue."""
    long = request("print", model="base", max_tokens=200, grammar="start: /a{150}/\n")
    client = rough.client()
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: client.chat(long), range(8)))
    client.close()
    assert {reply.text for reply in replies} == {"a" * 150}
    assert max(reply.detail["tries"] for reply in replies) > 1
    assert rough.stats()["ended"]["busy"] > 0


def test_a_killed_engine_costs_calls_only_time_and_shows_no_text_twice(
    rough: Server, tiny: Path, tmp_path: Path
) -> None:
    """Killed in the middle of an answer and between two; started again as the supervisor does it. An adapter that was
    loaded by hand, and that the server's own description lacks, is loaded again when it is asked for."""
    folder = save_adapter(tiny / "base", tmp_path / "fresh", seed=21)
    client = ServedEngine(tiny_spec(tiny, adapters={"fresh@1": str(folder)}, models={}), rough.socket)
    asked = request(
        "print", model="fresh@1", max_tokens=1600, temperature=1.0, grammar="start: /[a-z]{1500}/\n"
    )
    heard: list[str] = []

    def hear(piece: str) -> None:
        heard.append(piece)
        if len(heard) == 5:
            rough.kill()
            rough.start()

    reply = client.chat(asked, on_delta=hear)
    assert "".join(heard) == reply.text
    assert len(reply.text) == 1500
    rough.kill()
    with ThreadPoolExecutor(1) as pool:
        early = pool.submit(client.chat, asked)
        rough.start()
        assert len(early.result().text) == 1500
    with pytest.raises(EngineRefused, match="does not know the model 'fresh@2'"):
        client.chat(request("print", model="fresh@2", max_tokens=8))
    client.close()


def test_the_numbers_are_there_for_a_page_and_for_prometheus(tiny_server: Server) -> None:
    post(tiny_server, ASKED)
    stats = tiny_server.stats()
    assert stats["kv_most_bytes"] > stats["kv_bytes"] >= 0
    assert stats["models"]["coding"]["requests"] >= 1
    assert stats["tokens_per_s"] > 0
    assert len(stats["adapters"]["coding"]) == 64
    text = tiny_server.http().get("/metrics").text
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(values['lab_engine_new_tokens{engine="tiny"}']) >= 12
    assert 'lab_engine_model_tokens{engine="tiny",model="coding"}' in values


def test_the_registry_opens_the_client_where_the_supervisor_names_a_socket(
    tiny_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tiny_server.spec
    monkeypatch.setenv(SOCKETS, json.dumps({spec.home(): str(tiny_server.socket)}))
    engine = open_engine(spec)
    try:
        assert isinstance(engine, ServedEngine)
        assert engine.info().kind == "transformers"
        assert engine.healthy()
        assert (engine.stats() or {})["name"] == "tiny"
        assert tiny_server.socket.stat().st_mode & 0o777 == 0o600
    finally:
        close_engine(spec)


def test_what_is_no_description_ends_the_start_with_a_sentence(tmp_path: Path, tiny: Path) -> None:
    def start(text: str) -> str:
        file = tmp_path / "engine.yaml"
        file.write_text(text)
        argv = [sys.executable, "-m", "solver.engines.server", str(file), "--socket", str(tmp_path / "s")]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        return done.stderr

    assert "only transformers is served here" in start("{name: x, kind: recorded, recordings: [a]}")
    assert "there is no such field" in start(
        f"{{name: x, kind: transformers, base: {tiny}/base, colour: red}}"
    )


def test_a_repeated_answer_passes_on_only_what_is_new() -> None:
    heard: list[str] = []
    replay = Replay("abc", heard.append)
    for piece in ("a", "bcd", "e"):
        replay.take(piece)
    assert (heard, replay.said) == (["d", "e"], "abcde")
    with pytest.raises(Diverged):
        Replay("abc", heard.append).take("abx")


def test_an_answer_that_comes_back_different_after_a_restart_is_an_error_not_a_mixture(
    monkeypatch: pytest.MonkeyPatch, tiny: Path, tmp_path: Path
) -> None:
    from solver.engines.openai_errors import BrokeOff

    client = ServedEngine(tiny_spec(tiny), tmp_path / "nobody.sock")
    answers = iter(["abc", "abX"])

    def chat(asked: Any, *, on_delta: Callable[[str], None], cancelled: Any) -> ChatReply:
        on_delta(next(answers))
        raise BrokeOff("lost")

    monkeypatch.setattr(client._client, "chat", chat)
    monkeypatch.setattr(client, "healthy", lambda: True)
    heard: list[str] = []
    with pytest.raises(EngineUnreachable, match="now gives another one; retry the run"):
        client.chat(request("x"), on_delta=heard.append)
    assert heard == ["abc"]
    client.close()


def test_no_part_of_the_web_process_needs_torch_to_use_the_served_engine(tiny_server: Server) -> None:
    spec = tiny_server.spec.model_dump_json(exclude_defaults=True)
    code = (
        "import sys, json; from pathlib import Path; from solver.engines.spec import EngineSpec;"
        "from solver.engines.served import ServedEngine; from tests.engines.asking import request;"
        f"engine = ServedEngine(EngineSpec.parse(json.loads({spec!r})), Path({str(tiny_server.socket)!r}));"
        "engine.chat(request('print', model='coding', max_tokens=4)); engine.close();"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "False", done.stderr


def test_a_spec_survives_the_way_through_its_file(tiny: Path) -> None:
    spec = tiny_spec(tiny, local={"threads": 1})
    again = EngineSpec.parse(json.loads(spec.model_dump_json(exclude_defaults=True)))
    assert again.digest() == spec.digest()
