"""`python -m tests.get_browser`: make sure there is a Chromium for the browser tests, or say in one sentence why not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys


def main() -> int:
    if shutil.which("chromium") or shutil.which("chromium-browser"):
        return 0
    if os.geteuid() == 0 and shutil.which("apt-get"):
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], env=env, check=False)
        done = subprocess.run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-liberation"],
            env=env,
            check=False,
            stdout=subprocess.DEVNULL,
        )
        if done.returncode == 0:
            return 0
    download = subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if download.returncode == 0:
        return 0
    print(
        "No browser for the browser tests: install Chromium (Debian: apt-get install chromium) and run make test again.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
