"""Programs that start, signal or inspect processes."""

from __future__ import annotations

from .attack import OWNER, RIGHT, attack

ATTACKS = (
    attack("fork bomb", "SV", "import os\nwhile True:\n    os.fork()"),
    attack("fork bomb that takes no for an answer", "SV", """
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
"""),
    attack("raw vfork", "SV WA RE", "import ctypes\nprint(ctypes.CDLL(None).vfork())"),
    attack("raw clone3", "WA SV RE", "import ctypes\nprint(ctypes.CDLL(None, use_errno=True).syscall(435, 0, 0))"),
    attack("a shell", "SV", "import os\nos.system('id')" + RIGHT),
    attack("a subprocess", "SV", "import subprocess\nsubprocess.run(['/bin/sh', '-c', 'id'])"),
    attack("posix_spawn", "SV", "import os\nos.posix_spawn('/bin/sh', ['sh', '-c', 'id'], {})"),
    attack("another program in its place", "SV", "import os\nos.execv('/bin/echo', ['echo', '6'])"),
    attack("a program from memory", "SV", "import os\nfd = os.memfd_create('x')\nos.execve(fd, ['x'], {})"),
    attack("multiprocessing", "SV", "import multiprocessing\nmultiprocessing.Process(target=print, args=(6,)).start()"),
    attack("a daemon", "SV", """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(99)
    os._exit(0)
""" + RIGHT),
    attack("a session of its own", "SV RE", "import os\nos.setsid()"),
    attack("its parent killed", "SV", "import os\nos.kill(os.getppid(), 9)" + RIGHT),
    attack("everybody killed", "SV", "import os\nos.kill(-1, 9)" + RIGHT),
    attack("its group killed", "SV", "import os\nos.killpg(0, 9)" + RIGHT),
    attack("the judge killed", "SV", f"import os\nos.kill({OWNER}, 9)" + RIGHT),
    attack("process 1 stopped", "SV RE WA TLE", "import os, signal\nos.kill(1, signal.SIGSTOP)\nprint(5)"),
    attack("a queued signal", "SV WA", f"import ctypes\nprint(ctypes.CDLL(None).sigqueue({OWNER}, 9, None))"),
    attack("a signal by pidfd", "SV RE", f"import os, signal\nsignal.pidfd_send_signal(os.pidfd_open({OWNER}), 9)"),
    attack("a signal on input", "RE SV WA", f"""
import fcntl, os
fcntl.fcntl(0, fcntl.F_SETOWN, {OWNER})
fcntl.fcntl(0, 10, 9)
print(5)
"""),
    attack("a tracer", "SV", "import ctypes, os\nprint(ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0))"),
    attack("memory of the parent by system call", "SV",
           "import ctypes, os\nprint(ctypes.CDLL(None).process_vm_readv(os.getppid(), 0, 0, 0, 0, 0))"),
    attack("memory of the parent by /proc", "WA", """
import os
for pid in (1, os.getppid(), @OWNER@):
    for name in ("mem", "environ", "maps", "auxv", "stack"):
        try:
            print(open(f"/proc/{pid}/{name}", "rb").read(64))
        except (OSError, ValueError):
            pass
print("nothing")
""".replace("(1, ", "("), must_print="nothing"),
    attack("a descriptor of the judge", "SV RE", f"""
import ctypes, os
fd = os.pidfd_open({OWNER})
print(ctypes.CDLL(None).syscall(438, fd, 1, 0))
"""),
    attack("limits of the judge", "RE SV WA", f"import resource\nresource.prlimit({OWNER}, resource.RLIMIT_CPU, (1, 1))"),
    attack("priority", "SV RE", "import os\nos.setpriority(os.PRIO_PROCESS, 0, -20)"),
    attack("processors", "SV", "import os\nos.sched_setaffinity(0, {0})" + RIGHT),
    attack("realtime", "SV RE", "import os\nos.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(99))"),
    attack("memory of its template", "WA", """
import os
reached = []
for pid in range(1, 64):
    if pid == os.getpid():
        continue
    for name, mode in (("mem", "r+b"), ("mem", "rb"), ("environ", "rb"), ("maps", "rb")):
        try:
            with open(f"/proc/{pid}/{name}", mode) as file:
                reached.append((pid, name, mode))
        except OSError:
            pass
print(reached)
""", must_print="[]", repeat=3),
    attack("its template killed", "SV", "import os\nos.kill(os.getppid(), 9)" + RIGHT, repeat=3),
    attack("its template stopped", "SV", "import os, signal\nos.kill(1, signal.SIGSTOP)" + RIGHT, repeat=3),
    attack("a fork beside its template", "SV", "import os\nos.fork()" + RIGHT, repeat=3),
    attack("descriptors of its template", "WA", """
import os
extra = []
for fd in range(3, 512):
    try:
        os.fstat(fd)
        extra.append(fd)
    except OSError:
        pass
print(extra)
""", must_print="[]", repeat=3),
    attack("marks left for the next test", "AC", """
import builtins, sys
assert not hasattr(builtins, "mark") and "mark" not in sys.modules
builtins.mark = sys.modules["mark"] = 1
""" + RIGHT, repeat=4),
    attack("a crash in every test", "RE", "import ctypes\nctypes.string_at(0)", repeat=3),
    attack("a busy loop in every test", "TLE", "while True:\n    pass", repeat=2),
)  # fmt: skip
