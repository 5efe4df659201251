"""What works on this machine, what does not, and how to mend it. Every line is a probe that was really made."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.timezone import now

from solver import connection_test, engine_book
from solver.judge import Level
from solver.judge import doctor as judge_doctor
from trajectories.models import Problem, Worker

LOW_DISK_GB = 2.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One probe. `needed` False: the lab works without it, with less (a missing language, an engine that is down)."""

    area: str
    name: str
    ok: bool
    detail: str
    mend: str = ""
    needed: bool = True

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def collect(*, engines: bool = True) -> list[Finding]:
    """Every finding; `engines=False` leaves out those that talk to other machines. Without tables neither workers nor
    engines can be asked for: the database's own finding says what to do."""
    database = list(_database())
    tables = all(finding.ok for finding in database if finding.needed)
    found = [*database, *_broker(), *(_workers() if tables else ()), *_judge(), *_disk()]
    return [*found, *(_engines() if engines and tables else ())]


def _database() -> Iterator[Finding]:
    try:
        connection.ensure_connection()
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
        problems = 0 if pending else Problem.objects.current().count()
    except DatabaseError as error:
        yield Finding(
            "database",
            connection.vendor,
            False,
            str(error).strip(),
            "Check DATABASE_URL, or unset it to use SQLite.",
        )
        return
    yield Finding("database", connection.vendor, True, str(connection.settings_dict["NAME"]))
    yield Finding(
        "database",
        "migrations",
        not pending,
        f"{len(pending)} pending" if pending else "up to date",
        "Run manage.py migrate.",
    )
    if not pending:
        yield Finding(
            "database", "problems", problems > 0, f"{problems} stored", "Run manage.py prepare.", needed=False
        )


def _broker() -> Iterator[Finding]:
    try:
        client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
        server: dict[str, Any] = client.info("server")  # type: ignore[assignment]  # typed for both clients
        config: dict[str, str] = client.config_get("maxmemory-policy")  # type: ignore[assignment]
    except (redis.RedisError, OSError) as error:
        mend = (
            "Start the lab with manage.py up, or set REDIS_URL."
            if settings.EMBEDDED_BROKER
            else "Check REDIS_URL."
        )
        yield Finding("broker", "connection", False, f"no answer: {error}", mend)
        return
    policy = config.get("maxmemory-policy", "unknown")
    name = server.get("server_name", "redis")
    yield Finding(
        "broker", "connection", True, f"{name} {server.get('valkey_version') or server['redis_version']}"
    )
    yield Finding(
        "broker",
        "eviction",
        policy == "noeviction",
        f"maxmemory-policy {policy}",
        "Set maxmemory-policy noeviction: any other policy may drop queued messages.",
    )


def _workers() -> Iterator[Finding]:
    since = now() - timedelta(seconds=30)
    alive = list(Worker.objects.filter(beat_at__gt=since))
    for kind, needed_for in (("infer", "runs"), ("default", "the reaper that rescues orphaned runs")):
        names = [worker.name for worker in alive if worker.kind == kind]
        yield Finding(
            "workers",
            kind,
            bool(names),
            ", ".join(names) or f"none alive, needed for {needed_for}",
            "Start the lab with manage.py up.",
        )


def _judge() -> Iterator[Finding]:
    report = judge_doctor()
    floor = Level(settings.JUDGE_MIN_LEVEL)
    reasons = "; ".join(report.reasons)
    enough = report.level.value >= floor.value
    detail = f"level {report.level.value} ({report.level.label}), required {floor.value}" + (
        f": {reasons}" if reasons else ""
    )
    mend = "; ".join(probe.mend for probe in report.probes if not probe.ok and probe.mend)
    yield Finding("judge", "isolation", enough, detail, mend)
    for probe in report.probes:
        yield Finding("judge", probe.name, probe.ok, probe.detail, probe.mend, needed=False)
    for found in report.languages:
        yield Finding("languages", found.title, True, found.version, needed=False)
    for missing in report.missing:
        title, _, needs = missing.partition(": ")
        yield Finding(
            "languages",
            title,
            False,
            f"not installed, {needs}",
            f"Install it to judge programs in {title}.",
            needed=False,
        )


def _disk() -> Iterator[Finding]:
    free = shutil.disk_usage(settings.VAR_DIR).free / 1e9
    yield Finding(
        "disk",
        str(settings.VAR_DIR),
        free > LOW_DISK_GB,
        f"{free:.1f} GB free",
        "Free some space, or set MCL_VAR to another disk.",
    )


def _engines() -> Iterator[Finding]:
    specs = engine_book.all_engines()
    if not specs:
        yield Finding(
            "engines", "configured", False, "none", "Add one: manage.py engine add --help", needed=False
        )
    for spec in specs:
        for check in connection_test.glance(spec):
            yield Finding(
                "engines",
                f"{spec.name}: {check.name}",
                check.ok is True,
                check.detail,
                check.mend,
                needed=False,
            )
