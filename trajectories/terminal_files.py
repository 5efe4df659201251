"""Files that commands are given: what cannot be read or written is one sentence, and is said before any work is done."""

from __future__ import annotations

import os
from pathlib import Path

from django.core.management import CommandError

REFUSED = 2  # exit status of a command that could not begin


def read_text(path: Path) -> str:
    """Raises CommandError."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        sentence = f"{path} is not UTF-8 text (byte {error.start + 1:,}); give a text file."
        raise CommandError(sentence, returncode=REFUSED) from None
    except OSError as error:
        sentence = f"{path} cannot be read: {error.strerror}; check the path and its permissions."
        raise CommandError(sentence, returncode=REFUSED) from None


def require_writable(path: Path | str | None) -> None:
    """Raises CommandError where a result could not be written to `path` later: work that is paid for must not be lost to a
    mistyped folder. Nothing is made or emptied here; None and "-" (standard output) are always right."""
    if path is None or str(path) == "-":
        return
    file = Path(path)
    folder = file.parent
    if file.is_dir():
        why = "it is a folder"
    elif file.exists():
        why = "" if os.access(file, os.W_OK) else "you may not write to it"
    elif not folder.is_dir():
        why = f"there is no folder {folder}"
    else:
        why = "" if os.access(folder, os.W_OK | os.X_OK) else f"you may not write into {folder}"
    if why:
        raise CommandError(f"{path} cannot be written: {why}; give another file.", returncode=REFUSED)
