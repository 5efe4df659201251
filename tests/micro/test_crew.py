"""Processes that share the recipe's work: every piece done, errors told, nobody left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from micro.crew import Crew, shares


def nothing() -> None:
    pass


def write_own(folder: Path, name: str) -> None:
    (folder / name).write_text(str(os.getpid()))


def fail_on(name: str) -> None:
    if name == "bad":
        raise ValueError("this piece is bad")


def sleep_long(folder: Path, name: str) -> None:
    write_own(folder, name)
    time.sleep(120)


def test_every_piece_is_done_in_a_process_that_is_not_ours(tmp_path: Path) -> None:
    with Crew(2, nothing) as crew:
        crew.each(write_own, [(tmp_path, name) for name in "abc"])
    pids = {int((tmp_path / name).read_text()) for name in "abc"}
    assert os.getpid() not in pids
    assert not any(_alive(pid) for pid in pids)


def test_an_error_of_a_piece_is_raised_here() -> None:
    with pytest.raises(ValueError, match="this piece is bad"), Crew(1, nothing) as crew:
        crew.each(fail_on, [("good",), ("bad",)])


def test_an_error_beside_a_long_piece_ends_it(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Crew(1, nothing) as crew:
        crew.start(sleep_long, tmp_path, "long")
        _until(lambda: _written(tmp_path / "long"))
        raise KeyboardInterrupt
    assert not _alive(int((tmp_path / "long").read_text()))


LEADER = """
import sys
from pathlib import Path
from tests.micro.test_crew import nothing, sleep_long
from micro.crew import Crew

if __name__ == "__main__":
    with Crew(1, nothing) as crew:
        crew.start(sleep_long, Path(sys.argv[1]), "left").result()
"""


def test_a_leader_that_is_killed_leaves_nobody_behind(tmp_path: Path) -> None:
    (tmp_path / "leader.py").write_text(LEADER)
    root = Path(__file__).parents[2]
    env = {**os.environ, "PYTHONPATH": str(root)}
    leader = subprocess.Popen([sys.executable, str(tmp_path / "leader.py"), str(tmp_path)], env=env, cwd=root)
    _until(lambda: _written(tmp_path / "left"))
    leader.send_signal(signal.SIGKILL)
    leader.wait(60)
    pid = int((tmp_path / "left").read_text())
    _until(lambda: not _alive(pid))


def test_shares_keep_neighbours_together_and_lose_nothing() -> None:
    assert shares(list("abcde"), 2) == [["a", "b"], ["c", "d", "e"]]
    assert shares(["a"], 4) == [["a"]]
    assert shares([], 4) == []


def _alive(pid: int) -> bool:
    """A zombie, which nobody has waited for yet, is dead."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _written(file: Path) -> bool:
    """A file is there before anything is in it."""
    return file.exists() and bool(file.read_text())


def _until(done: object, seconds: float = 60) -> None:
    assert callable(done)
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)
