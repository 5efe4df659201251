"""One sandbox per program, one fork per test.

The template is confined before it compiles the program and never runs it: each test starts from the same
untouched interpreter. Its forks are calls a program may not make; the judge answers them and lets only this
process have them.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import socket
import struct
from typing import NoReturn

from . import confine, pyrun
from .spec import Order, Tag, Usage, pack, receive, send

TEST = struct.Struct("=II")  # a test's number and its CPU limit in whole seconds


def serve(order: Order, source: int, private: socket.socket, channel: socket.socket) -> NoReturn:
    """Orders for tests come over `private`, with stdin, stdout, stderr and what the role's driver needs."""
    compiled = pyrun.compile_or_exit(order, source, channel)
    gc.collect()
    gc.freeze()
    send(private, pack(Tag.READY, order.number), [])
    while True:
        data, descriptors, _ = receive(private)
        if not data:
            os._exit(0)
        number, cpu = TEST.unpack(data)
        process = os.fork()
        if process == 0:
            _become_test(order, compiled, number, cpu, descriptors, private)
        for fd in descriptors:
            os.close(fd)
        _, status, usage = os.wait4(process, 0)
        record = Usage(status, usage.ru_utime, usage.ru_stime, usage.ru_maxrss, usage.ru_minflt)
        send(private, pack(Tag.EXIT, number, record.pack()), [])


def _become_test(
    order: Order,
    compiled: pyrun.Compiled,
    number: int,
    cpu: int,
    descriptors: list[int],
    private: socket.socket,
) -> NoReturn:
    try:
        for target in range(3):
            os.dup2(descriptors[target], target)
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
        own = os.pidfd_open(os.getpid())
        send(private, pack(Tag.HELLO, number), [own])
        extra = descriptors[3:]
        private.detach()
        confine.keep_only(extra)
        pyrun.execute(order, compiled, extra)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.write(2, repr(error).encode())
    finally:
        os._exit(125)
