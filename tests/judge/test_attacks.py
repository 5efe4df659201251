"""The whole suite at every level the machine offers; see solver/judge/attacks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from solver.judge import Level, SandboxUnavailable
from solver.judge.attack import besiege
from solver.judge.attacks import ALL

pytestmark = pytest.mark.attack
_ROOT = Path(__file__).parents[2]


def test_there_are_more_than_a_hundred_attacks_with_names_of_their_own() -> None:
    assert len(ALL) >= 250
    assert len({attack.name for attack in ALL}) == len(ALL)


@pytest.mark.parametrize("level", [Level.L2, Level.L1])
def test_every_attack_is_met(level: Level) -> None:
    try:
        siege = besiege(level)
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    assert [f"{trial.name}: {trial.problem}" for trial in siege.failures] == []
    assert siege.made >= 200


def test_every_attack_is_met_for_an_ordinary_user() -> None:
    """The same suite by another user, with the system's interpreter: the package needs nothing else."""
    setpriv, python = shutil.which("setpriv"), "/usr/bin/python3"
    if os.getuid() != 0 or setpriv is None or not os.access(python, os.X_OK):
        pytest.skip("needs root, setpriv and /usr/bin/python3 to become another user")
    become = [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", "env", "-i", "PATH=/usr/bin:/bin"]
    version = subprocess.run(
        [python, "-c", "import sys; print(sys.version_info >= (3, 11))"], capture_output=True, text=True
    )
    seen = subprocess.run([*become, "test", "-r", str(_ROOT / "solver" / "judge" / "judge.py")])
    if version.stdout.strip() != "True" or seen.returncode != 0:
        pytest.skip(f"another user cannot read {_ROOT}, or /usr/bin/python3 is older than 3.11")
    command = [
        *become,
        "PYTHONDONTWRITEBYTECODE=1",
        f"PYTHONPATH={_ROOT}",
        python,
        "-m",
        "solver.judge",
        "attack",
        "--level",
        "L2",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAIL" not in done.stdout, done.stdout
    assert "met" in done.stdout
    assert sys.version_info >= (3, 11)
