"""What the judge raises. A verdict is never an exception and an exception is never a verdict."""

from __future__ import annotations


class JudgeError(Exception):
    """The judge could not do its work; says nothing about the program."""


class SandboxUnavailable(JudgeError):
    """This machine cannot isolate programs well enough; the message names the failed probe and how to mend
    it."""


class SlotLost(JudgeError):
    """A sandbox process died or answered nonsense while it held a run; the run may be tried again elsewhere."""


class LanguageUnavailable(JudgeError):
    """The language has no working toolchain on this machine."""
