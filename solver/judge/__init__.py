"""The judge: runs model-written programs in a sandbox and says whether they are right.

Standard library only. Start with `Judge`; `doctor()` tells what this machine can promise.
"""

from .checkers import Checker, checker_from_spec
from .compare import Comparison
from .diagnosis import Doctor, doctor
from .errors import JudgeError, LanguageUnavailable, SandboxUnavailable
from .judge import Judge
from .languages import LANGUAGES, language_from_name
from .report import Environment, FirstDiff, Report, TestResult
from .task import JSON, AssertTest, CallTest, Limits, Program, StdioTest, Task
from .verdict import Level, Verdict

__all__ = [
    "JSON",
    "LANGUAGES",
    "AssertTest",
    "CallTest",
    "Checker",
    "Comparison",
    "Doctor",
    "Environment",
    "FirstDiff",
    "Judge",
    "JudgeError",
    "LanguageUnavailable",
    "Level",
    "Limits",
    "Program",
    "Report",
    "SandboxUnavailable",
    "StdioTest",
    "Task",
    "TestResult",
    "Verdict",
    "checker_from_spec",
    "doctor",
    "language_from_name",
]
