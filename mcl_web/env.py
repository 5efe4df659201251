"""Typed reading of environment variables. A bad value stops the start with one sentence."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, default).strip()


def flag(name: str, default: bool) -> bool:
    value = text(name, "1" if default else "0").lower()
    if value in TRUE | FALSE:
        return value in TRUE
    raise ImproperlyConfigured(f"{name}={value!r} is neither yes nor no; use 1 or 0.")


def integer(name: str, default: int, low: int, high: int) -> int:
    value = text(name, str(default))
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number.") from None
    if not low <= number <= high:
        raise ImproperlyConfigured(f"{name}={number} is outside {low} to {high}.")
    return number


def seconds(name: str, default: float, low: float, high: float) -> float:
    value = text(name, str(default))
    try:
        number = float(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={value!r} is not a number of seconds.") from None
    if not low <= number <= high:
        raise ImproperlyConfigured(f"{name}={number:g} is outside {low:g} to {high:g} seconds.")
    return number


def words(name: str, default: str) -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def path(name: str, default: Path) -> Path:
    return Path(text(name) or default).expanduser().resolve()


def database(name: str, default_sqlite: Path) -> dict[str, object]:
    """`postgres://user:password@host:port/name`, `sqlite:///path`, or empty for SQLite at `default_sqlite`."""
    url = text(name)
    if not url:
        return _sqlite(default_sqlite)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # its own words, and a traceback, would show a piece of the password
        raise ImproperlyConfigured(
            f"{name} cannot be read as postgres://user:password@host:port/name. In a password write / as %2F, "
            "# as %23, ? as %3F, @ as %40, : as %3A, [ as %5B, ] as %5D and % as %25."
        ) from None
    if parts.scheme == "sqlite":
        return _sqlite(Path(parts.path))
    if parts.scheme in {"postgres", "postgresql"}:
        if not parts.path.strip("/"):
            raise ImproperlyConfigured(f"{name} names no database; write postgres://user@host/NAME.")
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(port or ""),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
        }
    raise ImproperlyConfigured(f"{name} starts with {parts.scheme!r}; use postgres:// or sqlite:///.")


def _sqlite(file: Path) -> dict[str, object]:
    """WAL with immediate transactions: many readers beside one writer, no writer ever fails at once with 'locked'."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(file),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=134217728; "
                "PRAGMA cache_size=-20000; PRAGMA temp_store=MEMORY;"
            ),
        },
        # An in-memory test database has no busy timeout: writers in two threads would fail at once.
        "TEST": {"NAME": str(file.with_name(f"test-{os.getpid()}.sqlite3"))},
    }
