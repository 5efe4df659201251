"""The code version that is stored with every run."""

from __future__ import annotations

import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@cache
def code_version() -> str:
    """`<commit>` of the checkout, with `+` where files differ from it; outside a checkout the package's version."""
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        return commit + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        pass  # no git, or not a checkout
    try:
        return version("mapcoder-lite-lab")
    except PackageNotFoundError:
        return "0.1.0"


def _git(*args: str) -> str:
    done = subprocess.run(["git", *args], cwd=ROOT, capture_output=True, text=True, check=True, timeout=5)
    return done.stdout.strip()
