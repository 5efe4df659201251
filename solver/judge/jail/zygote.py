"""The pre-forked interpreter: waits for orders, forks one child per run, reports how it ended.

It never reads a program, an input or an output. Children inherit its heap, so whatever it had read for one
run would lie in the memory of the next.
"""

from __future__ import annotations

import abc
import array
import atexit
import bisect
import builtins
import cmath
import collections
import collections.abc
import contextlib
import copy
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import gc
import hashlib
import heapq
import io
import itertools
import json
import linecache
import math
import operator
import os
import pickle
import queue
import random
import re
import select
import signal
import socket
import statistics
import string
import struct
import sys
import textwrap
import threading
import time
import traceback
import types
import typing

from . import confine, kernel, landlock, native, policy, pyrun, root, template
from .spec import Order, Role, Tag, Usage, pack, receive, send

# Imported for the programs, which find them ready in sys.modules.
PRELOADED = (
    abc, array, atexit, bisect, builtins, cmath, collections, collections.abc, contextlib, copy, dataclasses,
    datetime, decimal, enum, fractions, functools, gc, hashlib, heapq, io, itertools, json, linecache, math, operator,
    pickle, queue, random, re, statistics, string, struct, textwrap, threading, time, traceback, types, typing,
)  # fmt: skip
THREAD_STACK = 16 << 20


def preload(packages: tuple[str, ...]) -> None:
    """Bring the interpreter into the state in which programs find it. Runs before the jail is built."""
    sys.path.extend(packages)
    threading.stack_size(THREAD_STACK)
    pyrun.prepare_builtins()


def address_space() -> int:
    """Bytes mapped by this process; every child starts with them."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGESIZE")
    except OSError:
        return 128 << 20


def serve(slot: confine.Slot, channel: socket.socket, owner: int) -> None:
    """Until the judge closes its end or dies. Process 1 of the namespace: when it goes, every run goes."""
    program = policy.build(policy.Kind.PYTHON).assemble()
    os.environ.clear()
    os.environ.update({"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/box"})
    poll = select.poll()
    poll.register(channel, select.POLLIN)
    poll.register(owner, select.POLLIN)
    running: dict[int, tuple[int, int]] = {}  # pidfd -> (process, run number)
    gc.collect()
    gc.freeze()
    # Inherited by every run: neither a test's template nor the holder of the asserts may be looked into by a run that
    # shares its user, even where Landlock does not already say so.
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    channel.send(pack(Tag.READY, 0, struct.pack("=Q?", slot.address_space, slot.has_proc)))
    while True:
        for fd, event in poll.poll():
            if fd in running:
                poll.unregister(fd)
                process, number = running.pop(fd)
                os.close(fd)
                _report(channel, process, number)
            elif fd == owner or event & ~select.POLLIN:
                _end(running)
            else:
                data, descriptors, _ = receive(channel)
                if not data:
                    _end(running)
                order = Order.load(data)
                process = _start(slot, order, descriptors, channel, owner, program)
                for descriptor in descriptors:
                    os.close(descriptor)
                if process:
                    pidfd = os.pidfd_open(process)
                    running[pidfd] = (process, order.number)
                    poll.register(pidfd, select.POLLIN)


def _end(running: dict[int, tuple[int, int]]) -> typing.NoReturn:
    for pidfd in running:
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    os._exit(0)


def _report(channel: socket.socket, process: int, number: int) -> None:
    _, status, usage = os.wait4(process, 0)
    record = Usage(status, usage.ru_utime, usage.ru_stime, usage.ru_maxrss, usage.ru_minflt)
    send(channel, pack(Tag.EXIT, number, record.pack()), [])


_first_namespace = [True]


def _start(
    slot: confine.Slot,
    order: Order,
    descriptors: list[int],
    channel: socket.socket,
    owner: int,
    program: bytes,
) -> int:
    """Fork the run's process into a PID namespace of its own: whatever it starts dies with it."""
    try:
        if slot.own_pid_fd >= 0:
            # A second unshare would nest a level deeper, so first return to the slot's own namespace.
            if not _first_namespace[0]:
                kernel.setns(slot.own_pid_fd, kernel.CLONE_NEWPID)
            kernel.unshare(kernel.CLONE_NEWPID)
            _first_namespace[0] = False
        process = os.fork()
    except OSError as error:
        channel.send(pack(Tag.FAILED, order.number, f"{error.filename or 'fork'}: {error.strerror}".encode()))
        return 0
    if process:
        return process
    try:
        _become_run(slot, order, descriptors, channel, program)
    except BaseException as error:
        with contextlib.suppress(OSError):
            send(channel, pack(Tag.FAILED, order.number, repr(error).encode()[:2000]), [])
    finally:
        os._exit(125)


def _become_run(
    slot: confine.Slot, order: Order, descriptors: list[int], channel: socket.socket, program: bytes
) -> None:
    os.setsid()
    if slot.own_pid_fd < 0:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    for target in range(3):
        os.dup2(descriptors[target], target)
    extra = descriptors[3:]
    if order.role in (Role.NATIVE, Role.COMPILE):
        native.run(slot, order, extra, channel)
    ruleset = _work_directory(slot, order)
    confine.limit(slot, order, processes=64, files=64)
    private = socket.socket(fileno=extra[1]) if order.role is Role.TEMPLATE else None
    own = os.pidfd_open(os.getpid())
    confine.keep_only([channel.fileno(), own, *extra, *([ruleset] if ruleset >= 0 else [])])
    listener = confine.seal(slot, ruleset, program, listen=True)
    if ruleset >= 0:
        os.close(ruleset)
    send(channel, pack(Tag.HELLO, order.number), [own, listener] if listener >= 0 else [own])
    os.close(own)
    if listener >= 0:
        os.close(listener)
    if private is not None:
        template.serve(order, extra[0], private, channel)
    else:
        pyrun.run(order, extra, channel)


def _work_directory(slot: confine.Slot, order: Order) -> int:
    """Go where the program works, an empty read-only directory or a fresh scratch one; returns its Landlock rules."""
    if not slot.has("namespaces"):
        os.chdir("/")
        return slot.ruleset
    if order.scratch:
        kernel.unshare(kernel.CLONE_NEWNS)
        native.mount_work(order.scratch)
    os.chdir(root.WORK)
    if not order.scratch or slot.ruleset < 0:
        return slot.ruleset
    rules = confine.ruleset_for(slot.config, slot.landlock_abi)
    rules.allow(root.WORK, landlock.SCRATCH)
    return rules.fd
