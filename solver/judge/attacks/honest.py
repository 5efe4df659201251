"""Correct programs written in ways that harnesses have been known to reject. All must pass."""

from __future__ import annotations

from .attack import RIGHT, attack, brisk

ATTACKS = (
    attack("plain", "AC", RIGHT),
    attack("binary streams", "AC", """
import sys
numbers = sys.stdin.buffer.read().split()
sys.stdout.buffer.write(b"%d\\n" % sum(map(int, numbers[1:])))
"""),
    attack("binary readline", "AC", """
from sys import stdin
count = int(stdin.buffer.readline())
print(sum(int(stdin.buffer.readline()) for _ in range(count)))
"""),
    attack("binary readlines", "AC", """
import sys
rows = sys.stdin.buffer.readlines()
print(sum(int(row) for row in rows[1:]))
"""),
    attack("lines, a global counter and a guard that is not last", "AC", """
import sys
total = 0
def main():
    global total
    next(sys.stdin)
    for line in sys.stdin:
        total += int(line)
    print(total)
if __name__ == "__main__":
    main()
finished = True
"""),
    attack("input rebound to readline", "AC", """
import sys
input = sys.stdin.readline
print(sum(int(input()) for _ in range(int(input()))))
"""),
    attack("descriptor 0 opened", "AC", "rows = open(0).read().split()\nprint(sum(map(int, rows[1:])))"),
    attack("/dev/stdin opened", "AC", "rows = open('/dev/stdin').read().split()\nprint(sum(map(int, rows[1:])))"),
    attack("os.read and os.write", "AC", """
import os
numbers = os.read(0, 1 << 16).split()
os.write(1, str(sum(map(int, numbers[1:]))).encode())
"""),
    attack("stdout replaced by a buffer of its own", "AC", """
import io, os, sys
out = io.StringIO()
sys.stdout = out
numbers = sys.stdin.read().split()
print(sum(map(int, numbers[1:])))
os.write(1, out.getvalue().encode())
"""),
    attack("a file on descriptor 1, never closed", "AC", """
out = open(1, "w", closefd=False)
numbers = open(0).read().split()
out.write(str(sum(map(int, numbers[1:]))))
"""),
    attack("quit at the end", "AC", RIGHT + "quit()"),
    attack("exit(0) inside a function", "AC", "def main():" + RIGHT.replace("\n", "\n    ") + "\n    exit(0)\nmain()"),
    attack("sys.exit without a code", "AC", RIGHT + "import sys\nsys.exit()"),
    attack("flush, then os._exit", "AC", RIGHT + "import os, sys\nsys.stdout.flush()\nos._exit(0)"),
    attack("answer printed at exit", "AC", """
import atexit
total = sum(int(input()) for _ in range(int(input())))
atexit.register(lambda: print(total))
"""),
    attack("answer printed by a thread", "AC", """
import sys, threading
sys.setrecursionlimit(1 << 20)
threading.stack_size(64 << 20)
def deep(n):
    return 0 if n == 0 else 1 + deep(n - 1)
def main():
    deep(40000)
    print(sum(int(input()) for _ in range(int(input()))))
thread = threading.Thread(target=main)
thread.start()
thread.join()
"""),
    attack("a thread nobody joins", "AC", "import threading\ndef main():" + RIGHT.replace("\n", "\n    ")
           + "\nthreading.Thread(target=main).start()"),
    attack("deep recursion in the main thread", "AC", "import sys\nsys.setrecursionlimit(200000)\n"
           "def deep(n):\n    return 0 if n == 0 else 1 + deep(n - 1)\ndeep(50000)" + RIGHT),
    attack("stack limit raised, as contest programs do", "AC", """
import resource
soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
resource.setrlimit(resource.RLIMIT_STACK, (soft, hard))
""" + RIGHT),
    attack("CRLF source with a byte order mark", "AC", "\ufeff" + RIGHT.replace("\n", "\r\n")),
    attack("CRLF input", "AC", RIGHT, stdin="3\r\n1\r\n2\r\n3\r\n"),
    attack("trailing blanks and no last newline", "AC", RIGHT.replace("print(", "print(' ', end='')\nprint(", 1)
           .strip().removesuffix(")") + ", end='  ')"),
    attack("names beyond ASCII", "AC", "étendue = int(input())\nprint(sum(int(input()) for _ in range(étendue)))"),
    attack("dataclasses, enums and types of __main__", "AC", """
import dataclasses, enum, pickle, typing
class Kind(enum.Enum):
    A = 1
@dataclasses.dataclass
class Item:
    value: int
    kind: "Kind" = Kind.A
assert typing.get_type_hints(Item)["kind"] is Kind
assert pickle.loads(pickle.dumps(Item(3))) == Item(3)
""" + RIGHT),
    attack("the allowance of memory used", "AC", "block = bytearray(80 << 20)\nblock[::4096] = b'x' * len(block[::4096])"
           + RIGHT),
    attack("a scratch file", "AC", "open('note', 'w').write('6')\nprint(open('note').read())",
           limits=brisk(scratch_mb=4), needs_namespaces=True),
)  # fmt: skip
