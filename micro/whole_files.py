"""Results that stand under their names only when they are whole: whoever finds one need not ask whether it was cut off."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write(path: Path, text: str) -> None:
    unfinished = path.with_suffix(".part")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


@contextmanager
def folder(target: Path, last: str) -> Iterator[Path]:
    """A folder to write in. Its files come into `target` when the body has ended, `last` behind all others: where it stands,
    they stand."""
    unfinished = target / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    yield unfinished
    for file in sorted(unfinished.iterdir(), key=lambda file: (file.name == last, file.name)):
        file.replace(target / file.name)
    unfinished.rmdir()
