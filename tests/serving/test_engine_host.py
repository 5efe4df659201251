"""An engine the lab runs: started as wanted, its adapters named by content, started again when killed, drained."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mcl_web.engine_host import EngineHost
from solver.engines.adapters import BadAdapter
from solver.engines.spec import BadSpec, EngineSpec
from solver.models import Engine
from solver.serving import metrics, vllm, wishes
from solver.serving.models import EngineService, ServiceState, Wanted
from solver.serving.server import VllmServer
from tests.factories import make_problem
from tests.lab import free_port
from trajectories.models import Run, RunStatus

pytestmark = pytest.mark.django_db(transaction=True)
FAKE = Path(__file__).parent / "fake_vllm.py"


@pytest.fixture
def described(tiny: Path, tmp_path: Path) -> dict[str, Any]:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nshift 2\nexec {sys.executable} {FAKE} "$@"\n')
    python.chmod(0o755)
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    return {
        "name": "lite",
        "kind": "openai",
        "base_url": f"http://127.0.0.1:{free_port()}/v1",
        "allow_loopback": True,
        "models": {"default": "base", "coding": "coding", "planning": "planning"},
        "adapters": {"coding": str(tiny / "coding"), "planning": str(tiny / "planning")},
        "vllm": {"python": str(python), "model": str(model)},
    }


def configure(described: dict[str, Any]) -> EngineSpec:
    spec = vllm.named_by_content(EngineSpec.parse(described))
    data = spec.model_dump(mode="json", exclude_defaults=True)
    Engine.objects.update_or_create(name=spec.name, defaults={"spec": data})
    return spec


@pytest.fixture
def host(tmp_path: Path) -> Iterator[EngineHost]:
    found = EngineHost(tmp_path / "log")
    yield found
    found.stop()


def service() -> EngineService:
    return EngineService.objects.get(name="lite")


def until(host: EngineHost, ready: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        host.round()
        if ready():
            return
        time.sleep(0.05)
    raise AssertionError(f"it is {service().state}: {service().message}")


def is_ready() -> bool:
    return service().state == ServiceState.READY


def listed(spec: EngineSpec) -> set[str]:
    with urllib.request.urlopen(f"{spec.base_url}/models") as answer:
        return {item["id"] for item in json.load(answer)["data"]}


def test_it_is_started_told_of_its_adapters_and_its_numbers_are_read(
    host: EngineHost, described: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEACHER_API_KEY", "secret")
    spec = configure(described)
    until(host, is_ready)
    names = sorted(spec.adapters)
    assert [name.partition("@")[0] for name in names] == ["coding", "planning"]
    assert all(len(name.partition("@")[2]) == 12 for name in names)
    assert listed(spec) == {"base", *names}
    row = service()
    assert row.adapters == dict.fromkeys(names, "") and row.message == ""
    told = {
        name: row.numbers[name] for name in ("running", "waiting", "kv_used", "prefix_asked", "prefix_hit")
    }
    assert told == {"running": 2, "waiting": 1, "kv_used": 0.25, "prefix_asked": 300, "prefix_hit": 75}
    with urllib.request.urlopen(f"{(spec.base_url or '').removesuffix('/v1')}/environment") as answer:
        seen = json.load(answer)
    assert "TEACHER_API_KEY" not in seen and "VLLM_ALLOW_RUNTIME_LORA_UPDATING" in seen


def test_a_killed_one_is_started_again_and_told_of_its_adapters_again(
    host: EngineHost, described: dict[str, Any]
) -> None:
    spec = configure(described)
    until(host, is_ready)
    killed = service().pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    until(host, lambda: is_ready() and service().pid != killed)
    assert set(spec.adapters) < listed(spec)


def test_one_that_keeps_dying_is_given_up_with_the_end_of_its_log_and_start_tries_again(
    host: EngineHost, described: dict[str, Any]
) -> None:
    configure(described)
    dies = Path(described["vllm"]["model"]) / "dies"
    dies.touch()
    until(host, lambda: service().state == ServiceState.FAILED)
    assert "ended with code 3, 3 times in a row" in service().message
    assert "RuntimeError: no GPU was found" in service().message
    dies.unlink()
    assert wishes.want("lite", Wanted.RUNNING)
    until(host, is_ready)


def test_one_that_never_answers_is_ended(host: EngineHost, described: dict[str, Any]) -> None:
    described["vllm"]["start_within_s"] = 0.5
    (Path(described["vllm"]["model"]) / "slow").touch()
    configure(described)
    until(host, lambda: service().state == ServiceState.FAILED)
    assert "did not answer within 0.5 s" in service().message


@pytest.mark.parametrize("of", ["lite", "team"])
def test_draining_waits_for_its_runs_and_then_stops_it(
    host: EngineHost, described: dict[str, Any], monkeypatch: pytest.MonkeyPatch, of: str
) -> None:
    """`team` is a routed engine that leads to it: its runs are answered here too."""
    configure(described)
    Engine.objects.create(name="team", spec={"name": "team", "kind": "routed", "routes": {"default": "lite"}})
    until(host, is_ready)
    run = Run.objects.create(problem=make_problem(), engine_name=of, status=RunStatus.RUNNING, request_id="r")
    assert wishes.want("lite", Wanted.DRAINED) and wishes.closed_to_runs() == ["lite", "team"]
    until(host, lambda: service().state == ServiceState.DRAINING)
    monkeypatch.setattr(VllmServer, "numbers", lambda self: metrics.Numbers())
    host.round()
    assert service().pid is not None
    Run.objects.filter(pk=run.pk).update(status=RunStatus.QUEUED)
    until(host, lambda: service().state == ServiceState.STOPPED and service().pid is None)


def test_stop_and_removal_end_it_at_once(host: EngineHost, described: dict[str, Any]) -> None:
    configure(described)
    until(host, is_ready)
    wishes.want("lite", Wanted.STOPPED)
    until(host, lambda: service().state == ServiceState.STOPPED)
    wishes.want("lite", Wanted.RUNNING)
    until(host, is_ready)
    pid = service().pid
    Engine.objects.all().delete()
    host.round()
    assert pid is not None and not Path(f"/proc/{pid}").exists()
    assert not wishes.want("lite", Wanted.RUNNING)


def test_a_new_adapter_is_loaded_and_an_old_one_forgotten_while_it_runs(
    host: EngineHost, described: dict[str, Any], tiny: Path
) -> None:
    old = configure(described)
    until(host, is_ready)
    pid = service().pid
    described["adapters"] = {"coding": str(tiny / "debugging"), "planning": str(tiny / "planning")}
    new = configure(described)
    until(host, lambda: listed(new) == {"base", *new.adapters})
    assert service().pid == pid and set(old.adapters) - set(new.adapters)


def test_an_adapter_it_refuses_is_named_and_the_others_are_served(
    host: EngineHost, described: dict[str, Any], tiny: Path
) -> None:
    described["adapters"]["refused"] = str(tiny / "debugging")
    spec = configure(described)
    until(host, lambda: "rank is not what I like" in service().message)
    assert is_ready() and {name for name in spec.adapters if "refused" not in name} < listed(spec)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"base_url": "http://10.0.0.1:8000/v1", "allow_private": True},
            "a base_url on this machine with a port",
        ),
        ({"base_url": "http://127.0.0.1/v1"}, "a base_url on this machine with a port"),
        ({"key_env": "SOME_API_KEY"}, "key_env means nothing to a vLLM that the lab starts"),
        ({"vllm": {"python": "/x", "model": "/y", "max_lora_rank": 24}}, r"vllm\.max_lora_rank"),
        ({"vllm": {"python": "/x", "model": "/y", "remote_code": True}}, "there is no such field"),
    ],
)
def test_a_description_it_cannot_start_is_refused(
    described: dict[str, Any], change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(BadSpec, match=sentence):
        EngineSpec.parse({**described, **change})


def test_a_missing_program_folder_or_adapter_is_a_sentence_before_anything_is_started(
    host: EngineHost, described: dict[str, Any], tiny: Path, tmp_path: Path
) -> None:
    described["vllm"]["python"] = str(tmp_path / "nothing")
    configure(described)
    host.round()
    assert service().state == ServiceState.FAILED and "is not a program on this machine" in service().message
    with pytest.raises(BadAdapter, match="there are no weights"):
        configure({**described, "adapters": {"coding": str(tmp_path)}})
    described["vllm"].update(python=sys.executable, max_lora_rank=1)
    with pytest.raises(BadAdapter, match=r"rank"):
        vllm.check(vllm.named_by_content(EngineSpec.parse(described)))
