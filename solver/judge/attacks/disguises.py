"""Wrong programs that pretend: to have finished well, to have answered, or to be somebody else."""

from __future__ import annotations

from .attack import RIGHT, attack

ATTACKS = (
    attack("a wrong number", "WA", "print(5)"),
    attack("no output", "WA", ""),
    attack("a comment only", "WA", "# nothing to see"),
    attack("sys.exit(0) first", "WA", "import sys\nsys.exit(0)"),
    attack("os._exit(0) first", "WA", "import os\nos._exit(0)"),
    attack("stdout closed", "WA RE", "import os\nos.close(1)" + RIGHT),
    attack("right answer, then exit code 3", "RE", RIGHT + "import sys\nsys.exit(3)"),
    attack("right answer, then an exception", "RE", RIGHT + "raise KeyError('late')"),
    attack("right answer, then an exception at exit", "RE AC", RIGHT
           + "import atexit\natexit.register(lambda: 1 / 0)"),
    attack("right answer, then a text as exit code", "RE", RIGHT + "import sys\nsys.exit('done')"),
    attack("excepthook that stays silent", "RE", "import sys\nsys.excepthook = lambda *_: None\nraise KeyError"),
    attack("harness functions patched", "WA RE", """
import atexit, builtins, io, os, sys, threading
os._exit = lambda code: None
threading._shutdown = lambda: 1 / 0
atexit._run_exitfuncs = lambda: 1 / 0
builtins.exit = builtins.quit = lambda *_: None
print(5)
"""),
    attack("frames of the harness rewritten", "WA RE", """
import sys
frame = sys._getframe()
while frame is not None:
    for name in list(frame.f_globals):
        if name in ("_exit", "_leave"):
            frame.f_globals[name] = lambda *_: None
    frame = frame.f_back
print(5)
"""),
    attack("result records written to every descriptor", "WA", """
import os
for fd in range(3, 256):
    for record in (b"X" + bytes(43), b"H" + bytes(4), b"R", b'{"end": 0, "how": "passed"}\\n'):
        try:
            os.write(fd, record)
        except OSError:
            pass
print(5)
"""),
    attack("any open descriptor but the three", "WA", """
import os
extra = []
for fd in range(3, 4096):
    try:
        os.fstat(fd)
        extra.append(fd)
    except OSError:
        pass
print(extra)
""", must_print="[]"),
    attack("expected output looked for in frames", "WA", """
import sys
found, frame = [], sys._getframe()
while frame is not None:
    found += [k for k in (*frame.f_locals, *frame.f_globals) if "expect" in k.lower() or "answer" in k.lower()]
    frame = frame.f_back
print(sorted(set(found)))
"""),
    attack("expected output looked for in the heap", "WA", """
import gc
texts = [o for o in gc.get_objects() if isinstance(o, (list, tuple, dict)) and "6\\n" in str(o)[:2000]]
print(len(texts) if texts else "none")
"""),
    attack("a profiler left behind", "WA", "import sys\nsys.setprofile(lambda *_: None)\nprint(5)"),
    attack("a thread that outlives the answer", "TLE", RIGHT
           + "import threading, time\nthreading.Thread(target=time.sleep, args=(99,)).start()"),
    attack("an object whose output compares equal", "WA", """
class Same(str):
    def __eq__(self, other):
        return True
    __hash__ = str.__hash__
print(Same("5"))
"""),
    attack("NaN for a number", "WA", "print('nan')"),
    attack("a no-break space in the answer", "WA", "print('6\\u00a0')"),
    attack("every possible answer", "WA", "print(*range(10))"),
    attack("a lone surrogate", "RE", "print('\\ud800')"),
    attack("bytes that are no text", "WA", "import os\nos.write(1, bytes(range(128, 256)))"),
    attack("NUL bytes around the answer", "WA", "import os\nos.write(1, b'\\x006\\x00')"),
    attack("stdin written to", "RE", "import os\nos.write(0, b'6')"),
    attack("stdin resized", "RE SV", "import os\nos.ftruncate(0, 0)"),
)  # fmt: skip
