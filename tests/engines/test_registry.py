from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from solver.engines.protocol import ChatModel
from solver.engines.recording import BadRecording
from solver.engines.registry import close_all, close_engine, open_engine
from solver.engines.spec import EngineSpec
from tests.engines.asking import request


@pytest.fixture
def spec(tmp_path: Path) -> Iterator[EngineSpec]:
    line = {"prompt_digest": request("q").prompt_digest(), "role": "coding", "text": "a", "model": "m"}
    (tmp_path / "demo.jsonl").write_text(json.dumps(line) + "\n")
    yield EngineSpec.parse({"name": "demo", "kind": "recorded", "recordings": [str(tmp_path / "demo.jsonl")]})
    close_all()


def test_many_threads_share_one_engine(spec: EngineSpec) -> None:
    with ThreadPoolExecutor(8) as pool:
        engines = list(pool.map(lambda _: open_engine(spec), range(32)))
    assert len({id(engine) for engine in engines}) == 1
    assert engines[0].chat(request("q")).text == "a"


def test_a_closed_engine_is_opened_anew(spec: EngineSpec) -> None:
    first = open_engine(spec)
    assert close_engine(spec)
    assert not close_engine(spec)
    assert open_engine(spec) is not first


def test_an_engine_that_failed_to_open_is_tried_again(spec: EngineSpec) -> None:
    file = Path(spec.recordings[0])
    text = file.read_text()
    file.unlink()
    with pytest.raises(BadRecording):
        open_engine(spec)
    file.write_text(text)
    assert open_engine(spec).chat(request("q")).text == "a"


def _identity(spec: EngineSpec, parent: int, results: multiprocessing.Queue[bool]) -> None:
    engine: ChatModel = open_engine(spec)
    results.put(id(engine) != parent and engine.chat(request("q")).text == "a")


def test_a_forked_child_opens_its_own(spec: EngineSpec) -> None:
    context = multiprocessing.get_context("fork")
    results: multiprocessing.Queue[bool] = context.Queue()
    child = context.Process(target=_identity, args=(spec, id(open_engine(spec)), results))
    child.start()
    assert results.get(timeout=180)
    child.join(180)


def test_describing_engines_imports_neither_openai_nor_torch_nor_django() -> None:
    code = (
        "import sys, solver.engines.spec, solver.engines.registry, solver.engines.recorded;"
        "print([m for m in ('openai', 'torch', 'transformers', 'django', 'httpx2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_process_that_ends_while_a_model_computes_ends_clean(tiny: Path) -> None:
    code = f"""
import threading
from solver.engines.protocol import ChatRequest, Message, Role, Sampling
from solver.engines.registry import open_engine
from solver.engines.spec import EngineSpec

engine = open_engine(EngineSpec.parse({{"name": "t", "kind": "transformers", "base": {str(tiny / "base")!r}}}))
request = ChatRequest(Role.CODING, "base", (Message("user", "x"),), Sampling(1.0, 1.0, 1900, 3))
begun = threading.Event()
thread = threading.Thread(target=lambda: engine.chat(request, on_delta=lambda _: begun.set()), daemon=True)
thread.start()
begun.wait(180)
print("leaving")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=400)
    assert done.stdout.strip() == "leaving"
    assert done.returncode == 0, done.stderr
