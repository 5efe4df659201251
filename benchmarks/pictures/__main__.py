"""`python -m benchmarks.pictures`: the pictures of docs/images, from a lab that is started, worked in and stopped for them.

    python -m benchmarks.pictures                      # everything, about ten minutes on two cores
    python -m benchmarks.pictures --keep /tmp/lab      # keep the lab's folder; a second call takes the pictures alone
    python -m benchmarks.pictures --only review run    # these pictures, from a folder that was kept

Nothing in them is made up: the micro model answers, the judge judges, the trainer trains. `--corpus` names a folder with
`problems/humaneval.jsonl.gz` and `traces/mapcoder.jsonl.gz`; with it a recorded trajectory is imported as well.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
DONE = "pictures.json"


def main() -> None:
    given = _arguments()
    folder = given.keep or Path(tempfile.mkdtemp(prefix="lab-pictures-"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = {**os.environ, "MCL_VAR": str(folder)}
    command = [sys.executable, "manage.py", "up", "--port", str(port)]
    lab = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    assert lab.stdout is not None
    try:
        print(lab.stdout.readline().strip(), flush=True)
        if not (folder / DONE).exists():
            work = [sys.executable, "-m", "benchmarks.pictures.work", str(folder / DONE)]
            subprocess.run([*work, *filter(None, [given.corpus])], cwd=ROOT, env=env, check=True)
        shots = [sys.executable, "-m", "benchmarks.pictures.shots", f"http://127.0.0.1:{port}"]
        subprocess.run(
            [*shots, str(folder / DONE), str(given.to), *given.only], cwd=ROOT, env=env, check=True
        )
    finally:
        lab.send_signal(signal.SIGINT)
        lab.wait(60)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="the lab's folder, kept")
    parser.add_argument("--corpus", metavar="DIR", help="a folder of real problems and traces")
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "images", metavar="DIR")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="these pictures alone")
    return parser.parse_args()


if __name__ == "__main__":
    main()
