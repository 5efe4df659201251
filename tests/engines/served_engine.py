"""The lab's own engine in a process of its own, started as the lab starts it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from solver.engines.served import ServedEngine
from solver.engines.spec import EngineSpec


@dataclass
class Server:
    """One server on a unix socket of its own, or on `port` of this machine. `options` go to its command line."""

    spec: EngineSpec
    folder: Path
    options: tuple[str, ...] = ()
    port: int | None = None
    process: subprocess.Popen[bytes] | None = None
    _http: httpx2.Client | None = None

    @property
    def socket(self) -> Path:
        return self.folder / "engine.sock"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")

    def start(self) -> None:
        described = self.folder / "engine.json"
        described.write_text(self.spec.model_dump_json(exclude_defaults=True), encoding="utf-8")
        place = ("--socket", str(self.socket)) if self.port is None else ("--port", str(self.port))
        argv = [sys.executable, "-m", "solver.engines.server", str(described), *place]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*argv, *self.options],
                stdout=log,
                stderr=log,
                env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},
            )

    def wait(self, within: float = 180) -> None:
        """Until it answers."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            assert self.process is not None and self.process.poll() is None, self.log
            with contextlib.suppress(httpx2.HTTPError):
                if self.http().get("/health").status_code == 200:
                    return
            time.sleep(0.1)
        raise AssertionError(f"the server did not answer: {self.log}")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        if self._http is not None:
            self._http.close()
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(180)

    def http(self) -> httpx2.Client:
        """A plain client, safe for many threads, closed with the server."""
        if self._http is None:
            uds = str(self.socket) if self.port is None else None
            root = "http://engine" if self.port is None else f"http://127.0.0.1:{self.port}"
            transport = httpx2.HTTPTransport(uds=uds, verify=False)
            self._http = httpx2.Client(transport=transport, base_url=root, timeout=180)
        return self._http

    def client(self) -> ServedEngine:
        return ServedEngine(self.spec, self.socket)

    def stats(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.http().get("/stats").text)
        return found


@contextlib.contextmanager
def serving_engine(spec: EngineSpec, *options: str, port: int | None = None) -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="mcl-e-") as folder:  # short: a socket's path has 108 bytes
        server = Server(spec, Path(folder), options, port)
        server.start()
        try:
            server.wait()
            yield server
        finally:
            if server.process is not None and server.process.poll() is None:
                server.stop()
