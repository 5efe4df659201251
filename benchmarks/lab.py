"""A lab of a benchmark's own: an empty database in a folder that goes with it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def empty_lab(log_level: str = "ERROR") -> Iterator[Path]:
    """Sets Django up in this process, so once a process; on SQLite, whatever the environment says. Its state folder."""
    with tempfile.TemporaryDirectory(prefix="mcl-bench-") as folder:
        os.environ.pop("DATABASE_URL", None)
        os.environ.update(MCL_VAR=folder, MCL_LOG_LEVEL=log_level, DJANGO_SETTINGS_MODULE="mcl_web.settings")
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        yield Path(folder)
