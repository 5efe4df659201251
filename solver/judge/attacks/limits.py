"""Programs that use more time, memory, output or patience than they may."""

from __future__ import annotations

from .attack import RIGHT, attack, brisk

ATTACKS = (
    attack("busy loop", "TLE", "while True:\n    pass"),
    attack("busy loop after the answer", "TLE", RIGHT + "while True:\n    pass"),
    attack("loop that swallows everything", "TLE", """
import signal
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
"""),
    attack("timer that resets itself", "TLE", """
import signal
signal.signal(signal.SIGXCPU, lambda *_: None)
signal.setitimer(signal.ITIMER_PROF, 0.01, 0.01)
signal.signal(signal.SIGPROF, lambda *_: None)
while True:
    pass
"""),
    attack("sleep", "TLE", "import time\ntime.sleep(60)"),
    attack("naps that add up", "TLE", "import time\nwhile True:\n    time.sleep(0.01)"),
    attack("wait on a lock", "TLE", "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()"),
    attack("poll on nothing", "TLE", "import select\nselect.poll().poll()"),
    attack("wait for a pipe that stays empty", "TLE", "import os\nr, w = os.pipe()\nos.read(r, 1)"),
    attack("stopped by its own hand", "TLE", "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)" + RIGHT),
    attack("catastrophic expression", "TLE", "import re\nre.match(r'(a+)+$', 'a' * 40 + 'b')"),
    attack("a power without end", "TLE MLE", "print(len(str(10 ** (10 ** 9))))"),
    attack("eight threads in C code", "TLE", """
import hashlib, threading
def spin():
    while True:
        hashlib.pbkdf2_hmac("sha256", b"a", b"b", 100000)
for _ in range(8):
    threading.Thread(target=spin).start()
"""),
    attack("four gigabytes at once", "MLE", "block = bytearray(4 << 30)"),
    attack("megabyte after megabyte", "MLE", "blocks = []\nwhile True:\n    blocks.append(b'x' * (1 << 20))"),
    attack("shared memory", "MLE RE", """
import mmap
maps = []
while True:
    area = mmap.mmap(-1, 32 << 20)
    area.write(b"x" * (32 << 20))
    maps.append(area)
"""),
    attack("memory error caught, then a guess", "MLE WA", """
blocks = []
try:
    while True:
        blocks.append(b"x" * (1 << 20))
except MemoryError:
    pass
print(0)
"""),
    attack("over the limit for an instant", "MLE", "block = b'x' * (200 << 20)\ndel block" + RIGHT),
    attack("a bomb that unpacks", "MLE TLE", """
import zlib
packer = zlib.compressobj(1)
small = b"".join([packer.compress(bytes(1 << 20)) for _ in range(700)] + [packer.flush()])
print(len(zlib.decompress(small)))
""", limits=brisk(cpu_s=4.0)),
    attack("threads without number", "RE MLE TLE SV", """
import threading, time
while True:
    threading.Thread(target=time.sleep, args=(99,)).start()
"""),
    attack("descriptors without number", "RE", "files = []\nwhile True:\n    files.append(open('/dev/null'))"),
    attack("pipes filled to the brim", "RE TLE", """
import os
while True:
    r, w = os.pipe()
    os.set_blocking(w, False)
    try:
        while True:
            os.write(w, b"x" * 65536)
    except BlockingIOError:
        pass
"""),
    attack("endless output", "OLE", "while True:\n    print('x' * 1000)"),
    attack("endless raw output", "OLE", "import os\nwhile True:\n    os.write(1, b'x' * 65536)"),
    attack("endless errors", "OLE", "import sys\nwhile True:\n    sys.stderr.write('x' * 1000)"),
    attack("a gigabyte of holes as output", "OLE RE", "import os\nos.lseek(1, 1 << 30, 0)\nos.write(1, b'6')"),
    attack("recursion without end", "RE", "def f():\n    return f()\nf()"),
    attack("native stack overflow", "RE MLE", """
import sys
sys.setrecursionlimit(1 << 30)
class Endless:
    def __getattr__(self, name):
        return getattr(self, name + "x")
Endless().x
"""),
    attack("a jump to nowhere", "RE", "import ctypes\nctypes.string_at(0)"),
    attack("abort", "RE", "import os\nos.abort()"),
    attack("killed by its own hand", "RE", "import os\nos.kill(os.getpid(), 9)" + RIGHT),
    attack("terminated by its own hand", "RE", "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)" + RIGHT),
    attack("a signal it handles", "AC", """
import os, signal
seen = []
signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))
os.kill(os.getpid(), signal.SIGUSR1)
assert seen
""" + RIGHT),
    attack("limits raised again", "RE SV", """
import resource
for kind in (resource.RLIMIT_CPU, resource.RLIMIT_AS, resource.RLIMIT_FSIZE):
    resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
"""),
)  # fmt: skip
