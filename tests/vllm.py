"""`make test-vllm`: a real vLLM on the CPU, in an environment of its own, asked what the lab relies on.

1. Makes the environment (3.4 GB) unless MCL_VLLM_PYTHON names the python of one. 2. Two rounds, one server after the
other: a small random model with two adapters is asked what every engine promises; the micro model with its four is asked
to solve problems, to obey every role's grammar and to serve an adapter that the lab's trainer has just made. Each round
starts vLLM exactly as the lab does, waits for it, loads the adapters, runs its tests and stops it. Exit status 0 if
everything passed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from solver.engines.spec import EngineSpec
from solver.serving import vllm
from solver.serving.server import VllmServer
from tests.engines.tiny_model import Shape, save_adapter, save_base
from tests.serving import micro_vllm

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv-vllm"
REQUIREMENTS = ROOT / "requirements-vllm-cpu.txt"
RANDOM_TESTS = ("tests/engines/test_contract.py", "tests/serving/test_real_vllm.py", "-k", "vllm")
MICRO_TESTS = (
    "tests/serving/test_same_trajectory.py",
    "tests/serving/test_vllm_grammars.py",
    "tests/serving/test_trained_adapter.py",
)
START_WITHIN_S = 600


def main() -> int:
    python = os.environ.get("MCL_VLLM_PYTHON") or str(install())
    with tempfile.TemporaryDirectory(prefix="mcl-vllm-") as folder:
        spec = random_model(Path(folder), python)
        env = {
            "MCL_TEST_VLLM_URL": spec.base_url or "",
            "MCL_TEST_VLLM_MODEL": "base",
            "MCL_TEST_VLLM_ADAPTER": sorted(spec.adapters)[0],
            "MCL_TEST_VLLM_SPEC": spec.model_dump_json(exclude_defaults=True),
        }
        log = Path(folder) / "vllm.log"
        failed = ask(spec, log, RANDOM_TESTS, env)
        spec = micro_vllm.describe(python, free_port())
        env = {"MCL_TEST_VLLM_MICRO": spec.model_dump_json(exclude_defaults=True)}
        return ask(spec, log, MICRO_TESTS, env) or failed


def ask(spec: EngineSpec, log: Path, tests: Sequence[str], env: Mapping[str, str]) -> int:
    """Serve `spec` and run these tests against it; their exit status."""
    with log.open("wb") as sink:
        began = time.monotonic()
        process = subprocess.Popen(
            vllm.command(spec),
            env=vllm.environment(spec),
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
    try:
        server = wait(spec, process, log)
        print(f"vLLM serves {spec.label or spec.name} after {time.monotonic() - began:.0f} s", flush=True)
        refused = {name: why for name, why in server.reconcile().items() if why}
        if refused:
            print(f"adapters refused: {refused}")
            return 1
        argv = [sys.executable, "-m", "pytest", *tests, "-v"]
        status = subprocess.run(argv, env={**os.environ, **env}, cwd=ROOT).returncode
        if process.poll() is not None:
            print(f"vLLM ended with code {process.poll()}; the end of its log:\n{tail(log)}")
        return status
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """It and its children, which are of its session."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(20)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def tail(log: Path) -> str:
    return log.read_text(errors="replace")[-6000:]


def install() -> Path:
    python = VENV / "bin" / "python"
    stamp = VENV / ".ready"
    if stamp.exists() and stamp.stat().st_mtime >= REQUIREMENTS.stat().st_mtime:
        return python
    print("Installing vLLM's CPU build into .venv-vllm (3.4 GB; a few minutes) ...", flush=True)
    subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    pinned = ["install", "--quiet", "--no-deps", "--require-hashes", "-r", str(REQUIREMENTS)]
    subprocess.run([python, "-m", "pip", *pinned], check=True)
    stamp.touch()
    return python


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def random_model(folder: Path, python: str) -> EngineSpec:
    """The tests' tiny model, with two adapters of different ranks."""
    # vLLM's attention on the CPU takes heads of 32, 64, ... numbers; the tests' usual tiny model has 16.
    base = save_base(folder / "base", Shape(hidden=128, feed_forward=256, heads=4))
    for seed, (name, rank) in enumerate((("coding", 8), ("planning", 32)), start=1):
        save_adapter(base, folder / name, seed=seed, r=rank)
    given = {
        "name": "vllm",
        "kind": "openai",
        "label": "a small random model",
        "base_url": f"http://127.0.0.1:{free_port()}/v1",
        "allow_loopback": True,
        "models": {"default": "base", "coding": "coding"},
        "adapters": {name: str(folder / name) for name in ("coding", "planning")},
        "vllm": {
            "python": python,
            "model": str(base),
            "cpu": True,
            "cpu_kv_gigabytes": 1,
            "dtype": "float32",
        },
    }
    return vllm.named_by_content(EngineSpec.parse(given))


def wait(spec: EngineSpec, process: subprocess.Popen[bytes], log: Path) -> VllmServer:
    server, end = VllmServer(spec), time.monotonic() + START_WITHIN_S
    while not server.healthy():
        if process.poll() is not None or time.monotonic() > end:
            print(tail(log))
            raise SystemExit("vLLM did not come up; the end of its log is above")
        time.sleep(1)
    return server


if __name__ == "__main__":
    raise SystemExit(main())
