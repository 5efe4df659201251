"""`python -m tests.postgres [pytest options]`: run the database tests on a private PostgreSQL cluster, made for this and
thrown away.

Where the machine has no `initdb` it says so and succeeds: SQLite is the embedded default and is tested anyway.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOMS = [
    "tests/record",
    "tests/live",
    "tests/review",
    "tests/pages/test_filters.py",
    "tests/pages/test_home.py",
]


def binaries() -> Path | None:
    """The folder with initdb and pg_ctl: on PATH, or where Debian keeps its newest version."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return versions[-1].parent if versions else None


def as_server(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root; then its own user, or nobody, runs it."""
    if os.geteuid() != 0:
        return command
    names = {entry.pw_name for entry in pwd.getpwall()}
    return ["runuser", "-u", "postgres" if "postgres" in names else "nobody", "--", *command]


def main() -> int:
    bin_dir = binaries()
    if bin_dir is None:
        print("PostgreSQL lane skipped: no initdb on this machine (Debian: apt-get install postgresql).")
        return 0
    folder = Path(tempfile.mkdtemp(prefix="mcl-pg-"))
    folder.chmod(0o777)
    data, quiet = folder / "data", {"stdout": subprocess.DEVNULL, "cwd": "/"}
    try:
        subprocess.run(
            as_server(
                [str(bin_dir / "initdb"), "-D", str(data), "-A", "trust", "-U", "lab", "-E", "UTF8", "-N"]
            ),
            check=True,
            **quiet,
        )  # type: ignore[call-overload]
        options = (
            f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off -c max_connections=60"
        )
        control = [str(bin_dir / "pg_ctl"), "-D", str(data), "-w"]
        subprocess.run(
            as_server([*control, "-l", str(folder / "log"), "-o", options, "start"]), check=True, **quiet
        )  # type: ignore[call-overload]
        try:
            url = f"postgres://lab@{str(folder).replace('/', '%2F')}/postgres"
            env = {**os.environ, "MCL_TEST_DATABASE_URL": url}
            command = [sys.executable, "-m", "pytest", *ROOMS, *sys.argv[1:]]
            return subprocess.run(command, env=env, check=False).returncode
        finally:
            subprocess.run(as_server([*control, "-m", "immediate", "stop"]), check=True, **quiet)  # type: ignore[call-overload]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
