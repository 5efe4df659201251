"""Loaded before Django's settings: the tests get a state folder of their own and see no variable of the user's lab."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

STATE = tempfile.mkdtemp(prefix="mcl-")
atexit.register(shutil.rmtree, STATE, ignore_errors=True)
for name in [name for name in os.environ if name.startswith("MCL_") and not name.startswith("MCL_TEST_")]:
    del os.environ[name]
os.environ.pop("REDIS_URL", None)
os.environ.pop("DATABASE_URL", None)
os.environ["MCL_VAR"] = STATE
os.environ["MCL_LEASE_SECONDS"] = "6"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
if url := os.environ.get("MCL_TEST_DATABASE_URL"):
    os.environ["DATABASE_URL"] = url
