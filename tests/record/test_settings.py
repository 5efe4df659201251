"""Settings: a bad value stops the start with a sentence that gives no secret away, a served lab guards its cookies."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from mcl_web import env

ROOT = Path(settings.BASE_DIR)


@pytest.mark.parametrize("password", ["hunter2/secret", "hunter2#secret", "hunter2?secret", "[hunter2"])
def test_a_password_that_breaks_its_address_is_told_how_to_mend_it_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgres://lab:{password}@postgres:5432/lab")
    with pytest.raises(ImproperlyConfigured, match=r"cannot be read as postgres://.*%2F") as refused:
        env.database("DATABASE_URL", Path("unused"))
    assert "hunter2" not in str(refused.value) and refused.value.__suppress_context__


def test_an_escaped_password_is_the_one_that_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://lab:a%2Fb%23c%40d@postgres/lab")
    found = env.database("DATABASE_URL", Path("unused"))
    assert (found["PASSWORD"], found["HOST"], found["PORT"]) == ("a/b#c@d", "postgres", "")


@pytest.mark.parametrize(
    ("origins", "secure"),
    [
        ("", False),
        ("https://lab.example.org", True),
        ("https://lab.example.org,http://lab.internal:8000", False),
    ],
)
def test_a_lab_that_is_reached_by_tls_alone_sends_its_cookies_by_tls_alone(
    tmp_path: Path, origins: str, secure: bool
) -> None:
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "from mcl_web import settings as s; print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE)",
        ],
        env={**os.environ, "MCL_VAR": str(tmp_path), "MCL_ORIGINS": origins},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == [str(secure)] * 2
