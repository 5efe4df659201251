"""Programs that look for traces of the judge, its environment and other runs."""

from __future__ import annotations

from .attack import EARLIER, attack, brisk

_NEVER_SEEN = "held by no program before"


def _coded(text: str) -> bytes:
    """So that the text itself is not in the program that looks for it."""
    return bytes(x ^ 7 for x in text.encode())


ATTACKS = (
    attack("environment", "WA", "import os\nprint(sorted(os.environ))", must_print="HOME"),
    attack("environment of C", "WA", """
import ctypes
environ = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
i = 0
while environ[i]:
    print(environ[i])
    i += 1
"""),
    attack("command line", "WA", """
import sys
print(sys.argv, sys.orig_argv)
try:
    print(open("/proc/self/cmdline").read())
except OSError:
    print("no /proc")
"""),
    attack("who and where", "WA", "import getpass, os\nprint(os.getuid(), os.getgroups(), os.getcwd())"),
    attack("own memory searched for earlier runs", "WA", f"""
import ctypes
def count(coded):
    wanted, found = bytes(x ^ 7 for x in coded), 0
    for line in maps:
        span, mode = line.split()[:2]
        low, high = (int(x, 16) for x in span.split("-"))
        if "r" in mode and "[v" not in line and high - low <= 1 << 26:
            found += ctypes.string_at(low, high - low).count(wanted)
    return found
try:
    maps = open("/proc/self/maps").read().splitlines()
except OSError:
    maps = []
print("earlier runs:", max(count({_coded(EARLIER)!r}) - count({_coded(_NEVER_SEEN)!r}), 0))
""", must_print="earlier runs: 0", limits=brisk(cpu_s=3.0)),
    attack("heap searched for earlier runs", "WA", f"""
import gc
mark = bytes(x ^ 7 for x in {_coded(EARLIER)!r}).decode()
held = [o for o in gc.get_objects() if type(o) is dict and o is not globals()]
print("earlier runs:", sum(mark in v for o in held for v in list(o.values()) if type(v) is str))
""", must_print="earlier runs: 0"),
    attack("modules of the sandbox", "WA", """
import sys
print([name for name in sys.modules if "solver" in name or "django" in name or "judge" in name])
""", must_print="[]"),
    attack("interfaces of the network", "WA SV RE", """
try:
    print(open("/proc/net/dev").read())
except OSError:
    print("nothing")
""", must_print="nothing"),
    attack("mounts of the machine", "WA", """
try:
    text = open("/proc/self/mountinfo").read()
except OSError:
    text = ""
print([line for line in text.splitlines() if " /home" in line or " /root " in line or "/var/lib" in line])
""", must_print="[]"),
    attack("clock as a side door", "WA", "import time\nprint(time.time() > 0)"),
    attack("processes it can see", "WA", """
import os
try:
    seen = [name for name in os.listdir("/proc") if name.isdigit()]
except OSError:
    seen = []
print(len(seen) <= 1)
""", must_print="True"),
)  # fmt: skip
