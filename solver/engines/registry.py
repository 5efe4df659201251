"""One opened engine per description and process."""

from __future__ import annotations

import atexit
import os
import threading
from concurrent.futures import Future
from pathlib import Path

from solver.engines.protocol import ChatModel
from solver.engines.sockets import socket_of
from solver.engines.spec import EngineKind, EngineSpec

_lock = threading.Lock()
_opened: dict[tuple[int, str], Future[ChatModel]] = {}
_closing_at_exit: set[int] = set()  # processes that have arranged it


def open_engine(spec: EngineSpec) -> ChatModel:
    """The engine of `spec`, opened once per process however many threads ask. Raises EngineError.

    The cache is keyed by process as well: threads and event loops do not survive a fork, so a child opens its
    own. While one thread opens an engine (which may take seconds) only those who ask for the same one wait.
    """
    key = (os.getpid(), _shared_by(spec))
    with _lock:
        future = _opened.get(key)
        mine = future is None
        if future is None:
            future = _opened[key] = Future()
            _close_at_exit(key[0])
    if not mine:
        return _serving(future.result(), spec)
    try:
        engine = _open(spec)
    except BaseException as error:
        with _lock:
            _opened.pop(key, None)  # the next caller tries again
        future.set_exception(error)
        raise
    future.set_result(engine)
    return _serving(engine, spec)


def _in_process(spec: EngineSpec) -> bool:
    return spec.kind is EngineKind.TRANSFORMERS and socket_of(spec) is None


def _shared_by(spec: EngineSpec) -> str:
    """Weights in this process are opened once, whatever adapters are promoted meanwhile; clients are cheap."""
    return spec.home() if _in_process(spec) else spec.digest()


def _serving(engine: ChatModel, spec: EngineSpec) -> ChatModel:
    """Weights in this process load what `spec` names and they do not serve yet, while they answer others."""
    if not _in_process(spec):
        return engine
    from solver.engines.transformers_engine import TransformersEngine

    assert isinstance(engine, TransformersEngine)
    loaded = engine.adapters()
    for name, folder in spec.adapters.items():
        if name not in loaded:
            engine.load_adapter(name, Path(folder))
    return engine


def close_engine(spec: EngineSpec) -> bool:
    """Close the engine of `spec` when this process has it open."""
    with _lock:
        future = _opened.pop((os.getpid(), _shared_by(spec)), None)
    return future is not None and _close(future)


def close_all() -> None:
    """Close every engine this process opened."""
    with _lock:
        mine = [key for key in _opened if key[0] == os.getpid()]
        futures = [_opened.pop(key) for key in mine]
    for future in futures:
        _close(future)


def _close_at_exit(process: int) -> None:
    """A model thread still computing while the interpreter is taken down ends in a crash."""
    if process not in _closing_at_exit:
        _closing_at_exit.add(process)
        atexit.register(close_all)


def _close(future: Future[ChatModel]) -> bool:
    if future.exception() is not None:
        return False
    future.result().close()
    return True


def _open(spec: EngineSpec) -> ChatModel:
    """Each kind is imported when it is used: `openai` takes half a second, torch several."""
    if spec.kind is EngineKind.OPENAI:
        from solver.engines.openai_api import OpenAIEngine

        return OpenAIEngine(spec, socket_file=socket_of(spec))
    if spec.kind is EngineKind.RECORDED:
        from solver.engines.recorded import RecordedEngine

        return RecordedEngine(spec)
    if spec.kind is EngineKind.ROUTED:
        from solver.engines.routed import RoutedEngine

        return RoutedEngine(spec, open_engine)
    socket_file = socket_of(spec)
    if socket_file is not None:  # the lab runs it in a process of its own
        from solver.engines.served import ServedEngine

        return ServedEngine(spec, socket_file)
    # OpenMP's waiting threads otherwise spin, which on shared cores costs 8 to 20 times the run time. The library
    # reads this when torch is first imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from solver.engines.transformers_engine import TransformersEngine

    return TransformersEngine(spec)
