"""docker-compose.yml cannot be started in the tests; its commands, queues and variables can be held against the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

ROOT = Path(settings.BASE_DIR)
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
LAB = {name: service for name, service in COMPOSE["services"].items() if "build" in service}


def test_every_service_of_the_lab_is_there() -> None:
    assert set(COMPOSE["services"]) == {"web", "infer", "judge", "train", "beat", "vllm", "postgres", "redis"}


@pytest.mark.parametrize("name", LAB)
def test_every_variable_of_a_service_is_one_that_the_settings_read(name: str) -> None:
    readers = ("mcl_web/settings.py", "solver/engines/spec.py")
    read = "".join((ROOT / file).read_text(encoding="utf-8") for file in readers)
    for variable in LAB[name]["environment"]:
        if variable not in {"OMP_WAIT_POLICY", "TEACHER_API_KEY"}:
            assert f'"{variable}"' in read, variable


@pytest.mark.parametrize("name", LAB)
def test_every_management_command_and_module_of_a_service_exists(name: str) -> None:
    command = str(LAB[name]["command"])
    for verb in re.findall(r"manage\.py (\w+)", command):
        assert verb in get_commands()
    assert "mcl_web" in command


def test_every_queue_that_tasks_go_to_has_a_service_that_reads_it() -> None:
    served = set(re.findall(r"-Q (\w+)", " ".join(str(service["command"]) for service in LAB.values())))
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()} | {
        settings.CELERY_TASK_DEFAULT_QUEUE
    }
    assert routed <= served


def test_the_clock_runs_once_and_redis_never_evicts() -> None:
    assert [name for name, service in LAB.items() if " -B" in f"{service['command']} "] == ["beat"]
    assert "noeviction" in COMPOSE["services"]["redis"]["command"]


def test_the_example_environment_names_every_variable_that_compose_asks_for() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    asked = set(re.findall(r"\$\{(\w+)", text))
    named = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    assert asked == named


def test_the_filled_in_environment_stays_out_of_the_image() -> None:
    """`COPY . .` beside a filled-in .env would bake the database's password, the secret key and the teacher's key into a
    layer that every service has, the judge's among them, which runs programs of strangers."""
    assert "COPY . ." in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    kept_out = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {".env", ".git", "var"} <= set(kept_out)
