"""Solutions of function problems that try to pass hidden asserts without being right."""

from __future__ import annotations

from .attack import attack

_HONEST = "def f(a, b):\n    return a + b\n"


ATTACKS = tuple(
    attack(f"function: {name}", right, source, function=True)
    for name, right, source in (
        ("right", "AC", _HONEST),
        ("right, printing on the way", "AC", "print('hello')\n" + _HONEST.replace("return", "print(a); return")),
        ("equal to everything", "WA", """
class Equal:
    def __eq__(self, other):
        return True
    def __ne__(self, other):
        return False
    __hash__ = object.__hash__
    __add__ = __sub__ = __lt__ = __le__ = lambda self, other: self
def f(a, b):
    return Equal()
"""),
        ("an int that lies", "WA", """
class Liar(int):
    def __eq__(self, other):
        return True
    def __add__(self, other):
        return 0
    __sub__ = __add__
    __hash__ = int.__hash__
def f(a, b):
    return Liar(7)
"""),
        ("a float that reduces to what is asked", "WA", """
class Chameleon(float):
    def __reduce_ex__(self, protocol):
        return (eval, ("3",))
    def __eq__(self, other):
        return True
    __hash__ = float.__hash__
def f(a, b):
    return Chameleon(0)
"""),
        ("frames searched for asserts", "WA RE", """
import sys
def f(a, b):
    frame = sys._getframe()
    while frame is not None:
        for value in (*frame.f_locals.values(), *frame.f_globals.values()):
            if isinstance(value, str) and "assert f(" in value:
                return eval(value.split("==")[1])
        frame = frame.f_back
    return 0
"""),
        ("abs patched", "WA", "import builtins\nbuiltins.abs = lambda x: 0\ndef f(a, b):\n    return 3 if a == 1 else 4"),
        ("abs defined", "WA", "abs = lambda x: 0\ndef f(a, b):\n    return 3 if a == 1 else 4"),
        ("AssertionError replaced", "WA", "import builtins\nbuiltins.AssertionError = ValueError\ndef f(a, b):\n    return 0"),
        ("AssertionError raised", "RE", "def f(a, b):\n    raise AssertionError"),
        ("SystemExit raised", "RE", "def f(a, b):\n    raise SystemExit(0)"),
        ("KeyboardInterrupt raised", "RE", "def f(a, b):\n    raise KeyboardInterrupt"),
        ("EOFError raised", "RE", "def f(a, b):\n    return input()"),
        ("os._exit(0)", "RE", "import os\ndef f(a, b):\n    os._exit(0)"),
        ("sys.exit(0) at import", "RE", "import sys\nsys.exit(0)"),
        ("garbage on every descriptor", "WA RE", """
import os
def f(a, b):
    for fd in range(3, 64):
        try:
            os.write(fd, b"\\xff" * 64)
        except OSError:
            pass
    return 0
"""),
        ("a forged answer on every descriptor", "WA RE", """
import os, pickle, struct
def f(a, b):
    data = pickle.dumps(("ok", True, None), 5)
    for fd in range(3, 64):
        try:
            os.write(fd, struct.pack("=Q", len(data)) + data)
        except OSError:
            pass
    return 0
"""),
        ("events of the tests forged", "WA RE", """
import os
def f(a, b):
    for fd in range(3, 64):
        try:
            os.write(fd, b'{"end": 0, "how": "passed", "detail": ""}\\n' * 3)
        except OSError:
            pass
    return 0
"""),
        ("a pickle that runs code", "WA RE", """
import os, pickle, struct
class Run:
    def __reduce__(self):
        return (os._exit, (0,))
def f(a, b):
    data = pickle.dumps(("ok", Run(), None), 5)
    for fd in range(3, 64):
        try:
            os.write(fd, struct.pack("=Q", len(data)) + data)
        except OSError:
            pass
    return 0
"""),
        ("a message of two gigabytes announced", "WA RE TLE", """
import os, struct, time
def f(a, b):
    for fd in range(3, 64):
        try:
            os.write(fd, struct.pack("=Q", 2 << 30))
        except OSError:
            pass
    time.sleep(99)
"""),
        ("a pickle that gives a class another equality", "WA RE", """
import sys
FORGED = (
    b"\\x80\\x04ccollections\\nCounter\\nN}\\x8c\\x06__eq__cbuiltins\\nslice\\ns"
    b"\\x8c\\x07__add__(\\x8c\\x06handleK\\x07\\x89\\x89NtQs\\x86b0"
    b"(\\x8c\\x02okccollections\\nCounter\\n)RNt."
)
def f(a, b):
    frame = sys._getframe()
    while frame is not None:
        server, scope = frame.f_locals.get("self"), frame.f_globals
        if hasattr(server, "_objects") and "honest" not in scope:
            server._objects[7] = lambda other: 0
            scope["honest"] = scope["dump"]
            scope["dump"] = lambda value, name: FORGED if value[1] is None else scope["honest"](value, name)
            return
        frame = frame.f_back
"""),
        ("pickle patched", "WA RE", """
import pickle
pickle.Pickler.dump = pickle.dumps = lambda *a, **k: b""
def f(a, b):
    return 0
"""),
        ("the server's own objects patched", "WA RE", """
import sys
def f(a, b):
    frame = sys._getframe()
    while frame is not None:
        if "self" in frame.f_locals:
            frame.f_locals["self"]._reply = lambda *_: None
        frame = frame.f_back
    return 0
"""),
        ("an endless generator", "WA TLE", "def f(a, b):\n    while True:\n        yield a + b"),
        ("a result that nests without end", "WA RE", "def f(a, b):\n    x = []\n    x.append(x)\n    return x"),
        ("a result of a gigabyte", "MLE WA RE TLE", "def f(a, b):\n    return bytes(1 << 30)"),
        ("arguments changed in place", "AC", "def f(a, b):\n    a += b\n    return a"),
        ("busy loop", "TLE", "def f(a, b):\n    while True:\n        pass"),
        ("sleep", "TLE", "import time\ndef f(a, b):\n    time.sleep(99)"),
        ("sleep after a right answer", "AC TLE", _HONEST + "import atexit, time\natexit.register(time.sleep, 99)"),
        ("a daemon", "SV", "import os\ndef f(a, b):\n    os.fork()\n    return a + b"),
        ("a hostile call and the right answer", "SV", "import ctypes\nctypes.CDLL(None).unshare(0x10000000)\n" + _HONEST),
        ("nothing defined", "RE", "g = 1"),
        ("a name that is no function", "WA RE", "f = 3"),
        ("a text where a number is due", "WA", "def f(a, b):\n    return str(a + b)"),
        ("None", "WA", "def f(a, b):\n    pass"),
        ("does not compile", "CE", "def f(a, b:\n    return a"),
        ("fails at import", "RE", "1 / 0\n" + _HONEST),
    )
)  # fmt: skip
