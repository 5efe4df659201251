"""Programs that talk to the parts of the kernel no solution needs."""

from __future__ import annotations

from .attack import RIGHT, attack


def _call(numbers: str) -> str:
    return f"import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nprint([libc.syscall(n, 0, 0, 0, 0, 0) for n in ({numbers},)])\n"


ATTACKS = (
    attack("unshare a user namespace", "SV", "import ctypes\nprint(ctypes.CDLL(None).unshare(0x10000000))" + RIGHT),
    attack("clone into new namespaces", "SV", "import ctypes\nctypes.CDLL(None).syscall(56, 0x10000000 | 17, 0, 0, 0, 0)" + RIGHT),
    attack("setns", "SV", "import ctypes\nprint(ctypes.CDLL(None).setns(0, 0))" + RIGHT),
    attack("mount", "SV", "import ctypes\nprint(ctypes.CDLL(None).mount(b'none', b'/box', b'tmpfs', 0, None))"),
    attack("new mount calls", "SV", _call("428, 429, 430, 431, 432, 433, 442")),
    attack("pivot_root and chroot", "SV", "import os\nos.chroot('/')"),
    attack("bpf", "SV", _call("321")),
    attack("perf events", "SV", _call("298")),
    attack("keyring", "SV", _call("250")),
    attack("userfaultfd", "SV", _call("323")),
    attack("io_uring", "SV", _call("425")),
    attack("kernel modules", "SV", _call("175")),
    attack("kexec", "SV", _call("246")),
    attack("reboot", "SV", _call("169")),
    attack("file handles", "SV", _call("304")),
    attack("a seccomp filter of its own", "SV", _call("317")),
    attack("seccomp by prctl", "RE WA SV", "import ctypes\nprint(ctypes.CDLL(None).prctl(22, 1, 0, 0, 0))"),
    attack("dumpable again", "WA SV", "import ctypes\nprint(ctypes.CDLL(None).prctl(4, 1, 0, 0, 0))", must_print="-1"),
    attack("parent-death signal cleared", "WA SV", "import ctypes\nprint(ctypes.CDLL(None).prctl(1, 0, 0, 0, 0))",
           must_print="-1"),
    attack("the clock set", "SV", "import time\ntime.clock_settime(time.CLOCK_REALTIME, 0)"),
    attack("root again", "SV", "import os\nos.setuid(0)"),
    attack("capabilities again", "SV", _call("126")),
    attack("I/O ports", "SV", _call("172")),
    attack("segment descriptors", "SV", _call("154")),
    attack("the x32 interface", "SV", "import ctypes\nprint(ctypes.CDLL(None).syscall(0x40000000 + 39))" + RIGHT),
    attack("the 32-bit interface", "SV", """
import ctypes, mmap
code = mmap.mmap(-1, 4096, prot=7)
code.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")
print(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))())
"""),
    attack("a call number that does not exist", "WA", "import ctypes\nprint(ctypes.CDLL(None).syscall(9999))", must_print="-1"),
    attack("keystrokes for a terminal", "SV", "import fcntl\nfcntl.ioctl(0, 0x5412, b'x')" + RIGHT),
    attack("a memory file", "SV", """
import os
files = []
while True:
    fd = os.memfd_create("x")
    os.write(fd, bytes(1 << 20))
    files.append(fd)
"""),
    attack("System V shared memory", "SV", "import ctypes\nprint(ctypes.CDLL(None).shmget(1, 4096, 0o1666))"),
    attack("message queues", "SV", "import ctypes\nprint(ctypes.CDLL(None).mq_open(b'/q', 0o102, 0o666, None))"),
    attack("a lock on a shared file", "RE SV", "import fcntl\nfcntl.lockf(open('/dev/null', 'w'), fcntl.LOCK_EX)"),
    attack("flock on a shared file", "SV", "import fcntl, os\nfcntl.flock(open(os.__file__), fcntl.LOCK_EX)"),
    attack("watching shared files", "SV", "import ctypes\nprint(ctypes.CDLL(None).inotify_init())"),
    attack("TCP", "SV", "import socket\nsocket.create_connection(('127.0.0.1', 22), 1)"),
    attack("a TCP server", "SV", "import socket\nsocket.create_server(('127.0.0.1', 0))"),
    attack("UDP", "SV", "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))"),
    attack("names of hosts", "SV RE", "import socket\nprint(socket.gethostbyname('example.com'))"),
    attack("a Unix socket", "SV", "import socket\nsocket.socket(socket.AF_UNIX).connect('/var/run/docker.sock')"),
    attack("an abstract socket", "SV", "import socket\nsocket.socket(socket.AF_UNIX).bind('\\0judge')"),
    attack("a socket pair", "SV", "import socket\nsocket.socketpair()"),
    attack("a vsock", "SV", "import socket\nsocket.socket(40, socket.SOCK_STREAM)"),
    attack("netlink", "SV", "import socket\nsocket.socket(16, socket.SOCK_RAW, 0)"),
    attack("raw packets", "SV", "import socket\nsocket.socket(17, socket.SOCK_RAW, 0)"),
    attack("a denied call, then the right answer", "SV", """
import socket
try:
    socket.socket()
except OSError:
    pass
""" + RIGHT),
)  # fmt: skip
