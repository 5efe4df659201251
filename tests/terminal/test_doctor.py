from __future__ import annotations

from collections.abc import Iterator

import pytest

from solver import doctor
from solver.doctor import Finding


def test_a_lab_without_tables_is_told_to_make_them_and_nothing_asks_for_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none() -> Iterator[Finding]:
        yield Finding("database", "migrations", False, "31 pending", "Run manage.py migrate.")

    def asks() -> Iterator[Finding]:
        raise AssertionError("there is no table to ask")

    monkeypatch.setattr(doctor, "_database", none)
    for probe in ("_workers", "_engines"):
        monkeypatch.setattr(doctor, probe, asks)
    for probe in ("_broker", "_judge", "_disk"):
        monkeypatch.setattr(doctor, probe, tuple)
    assert [found.mend for found in doctor.collect()] == ["Run manage.py migrate."]
