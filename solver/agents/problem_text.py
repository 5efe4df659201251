"""A problem as every agent reads it: the one place where it becomes text."""

from __future__ import annotations

from solver.agents.languages import LANGUAGES, PromptLanguage
from trajectories.problem_schema import ProblemSpec, Sample, TestKind

SAMPLE_CHARS = 2000  # of one input or output; contest samples are short, generated ones need not be

_COUNTS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def clip(text: str, limit: int) -> str:
    """The beginning of a long text, saying how much is missing."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}\n[{len(text) - limit} more characters]"


def count_in_words(k: int) -> str:
    """A count spelled and in two digits, e.g. "three (03)": small models lose single digits less often so."""
    return f"{_COUNTS[k]} ({k:02d})" if k < len(_COUNTS) else str(k)


def problem_text(problem: ProblemSpec) -> str:
    """Statement, input and output format, notes, limits, starter code. Samples are a field of their own."""
    parts = [problem.statement.strip()]
    for heading, text in (
        ("Input", problem.input_spec),
        ("Output", problem.output_spec),
        ("Notes", problem.notes),
        ("Limits", limits_text(problem)),
    ):
        if text.strip():
            parts.append(f"### {heading}\n{text.strip()}")
    if problem.starter_code.strip():
        parts.append(f"### Starter code\n```\n{problem.starter_code.rstrip()}\n```")
    return "\n\n".join(parts)


def limits_text(problem: ProblemSpec) -> str:
    limits = []
    if problem.time_limit_s is not None:
        limits.append(f"{problem.time_limit_s:g} seconds for each test")
    if problem.memory_limit_mb is not None:
        limits.append(f"{problem.memory_limit_mb:g} MB of memory")
    return ", ".join(limits)


def samples_text(problem: ProblemSpec) -> str:
    if not problem.samples:
        return "(the problem gives none)"
    return "\n".join(_sample_text(sample) for sample in problem.samples)


def _sample_text(sample: Sample) -> str:
    if sample.assert_code is not None:
        return clip(sample.assert_code.strip(), SAMPLE_CHARS)
    given, wanted = (
        clip(sample.input.rstrip("\n"), SAMPLE_CHARS),
        clip(sample.output.rstrip("\n"), SAMPLE_CHARS),
    )
    return f"Input:\n{given}\nExpected output:\n{wanted}"


def stdin_note(problem: ProblemSpec, language: PromptLanguage, *, in_python_words: bool = False) -> str:
    """How the program is reached: over standard input, or by calling the function that the problem names.

    `in_python_words` gives every language the note written for Python, as the published system does.
    """
    if problem.test_kind is not TestKind.STDIO:
        note = (
            f"Define the function `{problem.entry_point}`: it is called directly with the arguments and its "
            "result is compared. Do not read input, do not print, add no example calls."
        )
        if problem.starter_code.strip():
            note += " Keep the name and the parameters of the starter code."
        return note
    reads = (LANGUAGES["python"] if in_python_words else language).reads
    return (
        f"The program is run as a whole. Read from standard input {reads}. Print exactly what the output "
        "format asks for and nothing else: no prompts, no debugging text. A function that you define must "
        "also be called."
    )
