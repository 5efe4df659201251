"""A seccomp filter as data, and its translation to classic BPF.

A `Filter` maps calls to actions, with rules on arguments for some; everything unnamed gets the default
action. The translation is a binary search over call numbers, so a call costs about eight instructions
whatever its number.
"""

from __future__ import annotations

import ctypes
import errno
import struct
from dataclasses import dataclass, field

from .kernel import ARCH, NR, syscall

ALLOW = 0x7FFF0000
NOTIFY = 0x7FC00000
KILL = 0x80000000
_ERRNO = 0x00050000


def refuse(number: int = errno.EPERM) -> int:
    return _ERRNO | number


_LD, _JEQ, _JGE, _JA, _RET, _AND = 0x20, 0x15, 0x35, 0x05, 0x06, 0x54
_OFFSET_NR, _OFFSET_ARCH, _OFFSET_ARGS = 0, 4, 16
_X32_BIT = 0x40000000
_SET_MODE_FILTER, _NEW_LISTENER = 1, 8


@dataclass(frozen=True, slots=True)
class ArgumentRule:
    """`action` when the low 32 bits of argument `index`, masked, equal `value`; rules of a call are tried in
    order."""

    index: int
    mask: int
    value: int
    action: int


@dataclass(slots=True)
class Filter:
    default: int
    actions: dict[int, int] = field(default_factory=dict)
    rules: dict[int, list[ArgumentRule]] = field(default_factory=dict)

    def set(self, names: str, action: int) -> Filter:
        for name in names.split():
            if name in NR:
                self.actions[NR[name]] = action
        return self

    def rule(self, name: str, index: int, mask: int, value: int, action: int) -> Filter:
        if name in NR:
            self.rules.setdefault(NR[name], []).append(ArgumentRule(index, mask, value, action))
        return self

    def assemble(self) -> bytes:
        program = [
            _ins(_LD, _OFFSET_ARCH),
            _ins(_JEQ, ARCH.audit, 1, 0),
            _ins(_RET, KILL),
            _ins(_LD, _OFFSET_NR),
        ]
        if ARCH.has_x32:
            program += [_ins(_JGE, _X32_BIT, 0, 1), _ins(_RET, KILL)]
        return b"".join(program + self._search(self._segments()))

    def _segments(self) -> list[tuple[int, bytes]]:
        """Sorted (first number, code for this and the following numbers)."""
        segments: list[tuple[int, bytes]] = []
        default = _ins(_RET, self.default)
        next_number = 0

        def add(first: int, code: bytes) -> None:
            if not segments or segments[-1][1] != code:
                segments.append((first, code))

        for number in sorted(self.actions.keys() | self.rules.keys()):
            if number > next_number:
                add(next_number, default)
            add(number, self._code(number))
            next_number = number + 1
        add(next_number, default)
        return segments

    def _code(self, number: int) -> bytes:
        code = b""
        for rule in self.rules.get(number, ()):
            code += _ins(_LD, _OFFSET_ARGS + 8 * rule.index)
            if rule.mask != 0xFFFFFFFF:
                code += _ins(_AND, rule.mask)
            code += _ins(_JEQ, rule.value, 0, 1) + _ins(_RET, rule.action)
        return code + _ins(_RET, self.actions.get(number, self.default))

    def _search(self, segments: list[tuple[int, bytes]]) -> list[bytes]:
        if len(segments) == 1:
            code = segments[0][1]
            return [code[i : i + 8] for i in range(0, len(code), 8)]
        middle = len(segments) // 2
        low, high = self._search(segments[:middle]), self._search(segments[middle:])
        first = segments[middle][0]
        if len(low) <= 255:
            return [_ins(_JGE, first, len(low), 0), *low, *high]
        return [_ins(_JGE, first, 0, 1), _ins(_JA, len(low)), *low, *high]


def _ins(code: int, k: int, jt: int = 0, jf: int = 0) -> bytes:
    return struct.pack("HBBI", code, jt, jf, k & 0xFFFFFFFF)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def install(code: bytes, *, listen: bool) -> int:
    """Load the filter for good. With `listen`, returns the descriptor on which NOTIFY calls are answered.

    The caller has set no_new_privs.
    """
    program = _Program(len(code) // 8, code)
    buffer = ctypes.cast(ctypes.byref(program), ctypes.c_void_p).value or 0
    return syscall("seccomp", _SET_MODE_FILTER, _NEW_LISTENER if listen else 0, buffer)
