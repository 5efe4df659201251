"""python -m solver.engines.server SPEC (--socket PATH | --port N [--host ADDRESS]) [--max-queue N]

SPEC is a file with one engine of kind `transformers`, YAML or JSON (docs/reference/engines.md); its folders are
relative to the file. A unix socket is readable by its owner only; a port is for a private network, there is no key.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: waiting threads must not spin

from solver.engines.adapters import BadAdapter
from solver.engines.protocol import EngineError
from solver.engines.spec import BadSpec, EngineKind, EngineSpec

if TYPE_CHECKING:
    from solver.engines.server.app import EngineApp

log = logging.getLogger("solver.engines.server")
_GRACE_S = 2  # for answers in flight when the server is asked to stop


def main(argv: list[str] | None = None) -> int:
    options = _options(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    try:
        spec = read_spec(options.spec)
        return asyncio.run(_serve(spec, options))
    except (BadSpec, EngineError) as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"Cannot listen on {options.socket or options.port}: {error.strerror}.", file=sys.stderr)
        return 2


def read_spec(file: Path) -> EngineSpec:
    """The engine described in `file`. Raises BadSpec."""
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadSpec([f"{file} cannot be read ({error.strerror}); give a file with one engine."]) from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise BadSpec([f"{file} is neither YAML nor JSON; correct it."]) from None
    if not isinstance(data, dict):
        raise BadSpec([f"{file} holds no engine; write its fields, name and kind among them."])
    spec = EngineSpec.parse(data, file.resolve().parent)
    if spec.kind is not EngineKind.TRANSFORMERS:
        raise BadSpec(
            [f"Engine {spec.name!r} is of kind {spec.kind.value}; only transformers is served here."]
        )
    return spec


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m solver.engines.server",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("spec", type=Path)
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--socket", type=Path)
    place.add_argument("--port", type=int)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--max-queue", type=int, default=256, help="requests that may wait; more get 429")
    options = parser.parse_args(argv)
    if options.max_queue < 0:
        parser.error("--max-queue must not be negative")
    return options


async def _serve(spec: EngineSpec, options: argparse.Namespace) -> int:
    from solver.engines.server.app import EngineApp
    from solver.engines.transformers_engine import TransformersEngine

    engine = TransformersEngine(spec.model_copy(update={"adapters": {}}))
    try:
        for name, folder in spec.adapters.items():
            try:
                engine.load_adapter(name, Path(folder))
            except BadAdapter as error:  # the others are served; whoever asks for this one is told
                log.warning("%s", error)
        listening = _listen(options)
        served = ", ".join(("base", *engine.adapters()))
        log.info("%s serves %s at %s", spec.name, served, listening.getsockname())
        await _answer(EngineApp(engine, max_queue=options.max_queue), listening)
    finally:
        engine.close()
        if options.socket is not None:
            options.socket.unlink(missing_ok=True)
    return 0


async def _answer(app: EngineApp, listening: socket.socket) -> None:
    """Until SIGTERM or SIGINT."""
    import uvicorn

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            """uvicorn's own raises the signal again at the end, which would skip the closing of the engine."""
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self.handle_exit, number, None)
            yield

    config = uvicorn.Config(
        app,
        loop="asyncio",
        lifespan="off",
        log_level="warning",
        access_log=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_GRACE_S,
    )
    marking = asyncio.create_task(app.tally.keep_marking())
    try:
        await Server(config).serve(sockets=[listening])
    finally:
        marking.cancel()


def _listen(options: argparse.Namespace) -> socket.socket:
    """Opened after the weights are loaded, so that whoever connects is answered. Raises OSError."""
    if options.socket is None:
        return socket.create_server((options.host, options.port), backlog=512)
    options.socket.unlink(missing_ok=True)  # a killed server leaves its socket behind
    mask = os.umask(0o177)
    try:
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(str(options.socket))
    finally:
        os.umask(mask)
    listening.listen(512)
    return listening


if __name__ == "__main__":
    sys.exit(main())
