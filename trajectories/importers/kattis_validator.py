"""The checker of a problem package: the default validator with its flags, or the package's own program.

A package's validator is called `validator INPUT ANSWER FEEDBACK_DIR [flags] < OUTPUT` and exits with 42 or 43; the
lab's checkers are called `checker INPUT OUTPUT ANSWER`, its interactors `interactor INPUT ANSWER`. The package's
source is therefore framed by a few lines that make the one call out of the other, and turn every other exit code into
a failure of the checker (3), so that a validator that breaks down never decides anything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from trajectories.importers.kattis_package import METADATA, Package
from trajectories.importers.kattis_statement import substituted
from trajectories.problem_schema import CheckerType

_FOLDERS = ("output_validator", "output_validators")
_LANGUAGES = {
    ".py": "python",
    ".c": "c",
    **dict.fromkeys((".cc", ".cpp", ".cxx", ".c++", ".C"), "cpp"),
}
_HEADERS = (".h", ".hpp", ".hh", ".hxx")
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"(?P<name>[^"\n]+)".*$', re.MULTILINE)
_ONCE = re.compile(r"^[ \t]*#[ \t]*pragma[ \t]+once.*$", re.MULTILINE)
_MAIN = re.compile(r"\bmain\s*\(")
_WORDS = ("case_sensitive", "space_change_sensitive")
_TOLERANCES = ("float_tolerance", "float_absolute_tolerance", "float_relative_tolerance")


def checker(
    package: Package, flags: Sequence[str], constants: dict[str, Any], *, interactive: bool, custom: bool
) -> dict[str, Any]:
    """`custom` is what a legacy package says of itself; later versions only have the program or not."""
    folder = next((name for name in _FOLDERS if package.below(name)), None)
    wanted = custom or interactive or folder == _FOLDERS[0]
    if not wanted:
        return {"type": CheckerType.KATTIS.value, "flags": _default_flags(package, flags)}
    if folder is None:
        problem = "wants a validator of its own, and there is none"
        raise package.malformed(METADATA, "validation", problem, f"add it under {_FOLDERS[0]}/")
    files = _program(package, folder)
    language = _language(package, folder, files)
    sources = {name: substituted(package.text(name), constants) for name in files}
    if language == "python":
        source = _framed_python(next(iter(sources.values())), flags, interactive)
    else:
        source = _framed_c(_one_unit(package, folder, sources), flags, interactive)
    kind = CheckerType.INTERACTIVE if interactive else CheckerType.PROGRAM
    return {"type": kind.value, "language": language, "source": source}


def _default_flags(package: Package, flags: Sequence[str]) -> list[str]:
    rest = list(flags)
    while rest:
        flag = rest.pop(0)
        if flag in _WORDS:
            continue
        known = ", ".join((*_WORDS, *_TOLERANCES))
        if flag not in _TOLERANCES:
            problem = f"{flag[:40]!r} is none of the default validator"
            raise package.malformed(METADATA, "validator_flags", problem, f"give some of {known}")
        value = rest.pop(0) if rest else ""
        try:
            good = 0 <= float(value) < float("inf")
        except ValueError:
            good = False
        if not good:
            problem = f"{flag} is followed by {value[:40]!r}"
            raise package.malformed(METADATA, "validator_flags", problem, "give a number after it")
    return list(flags)


def _program(package: Package, folder: str) -> list[str]:
    """The files of the one validator: in the folder itself, or in a folder of its own."""
    names = [name for name in package.below(folder) if not name.endswith((".md", ".txt"))]
    parts = {name.removeprefix(f"{folder}/").split("/")[0] for name in names}
    if folder == _FOLDERS[1] and len(parts) > 1:
        problem = f"holds {len(parts)} validators, all of which would have to agree"
        raise package.malformed(folder, "", problem, "make one program of them")
    for name in names:
        if name.rpartition("/")[2] in ("build", "run"):
            problem = "is a script that builds or runs the validator; none is run on import"
            raise package.malformed(name, "", problem, "give the validator as C++, C or Python sources")
    return names


def _language(package: Package, folder: str, names: list[str]) -> str:
    found = {_LANGUAGES.get(_extension(name), "") for name in names if _extension(name) not in _HEADERS}
    if len(found) != 1 or "" in found:
        problem = f"is not in one language that checkers are run in ({', '.join(names[:5])})"
        raise package.malformed(folder, "", problem, "give the validator as C++, C or Python sources")
    language = found.pop()
    if language == "python" and len(names) != 1:
        raise package.malformed(folder, "", "is a Python program of several files", "put it into one file")
    return language


def _extension(name: str) -> str:
    dot = name.rpartition("/")[2].rfind(".")
    return name.rpartition("/")[2][dot:] if dot > 0 else ""


def _one_unit(package: Package, folder: str, sources: dict[str, str]) -> str:
    """All sources as one translation unit: the package's own headers put in where they are first included."""
    units = [name for name in sources if _extension(name) not in _HEADERS]
    with_main = [name for name in units if _MAIN.search(sources[name])]
    if len(with_main) != 1:
        raise package.malformed(folder, "", f"has {len(with_main)} functions main", "give it exactly one")
    units.sort(key=lambda name: name in with_main)
    seen: set[str] = set()
    return "\n".join(_with_headers(package, name, sources, seen) for name in units)


def _with_headers(package: Package, name: str, sources: dict[str, str], seen: set[str]) -> str:
    if name in seen:
        return ""
    seen.add(name)

    def replaced(match: re.Match[str]) -> str:
        wanted = match["name"]
        for found in sources:
            if found == f"{name.rpartition('/')[0]}/{wanted}" or found.endswith(f"/{wanted}"):
                return _with_headers(package, found, sources, seen)
        raise package.malformed(name, "", f"includes {wanted[:80]!r}, which is not there", "add the file")

    return _INCLUDE.sub(replaced, _ONCE.sub("", sources[name]))


def _framed_python(source: str, flags: Sequence[str], interactive: bool) -> str:
    answer = "sys.argv[2]" if interactive else "sys.argv[3]"
    stdin = "" if interactive else "os.dup2(os.open(sys.argv[2], os.O_RDONLY), 0)\n"
    return f"""\
import os, sys, traceback
{stdin}try:
    os.makedirs("feedback", exist_ok=True)
    feedback = "feedback/"
except OSError:
    feedback = "./"
sys.argv = ["validator", sys.argv[1], {answer}, feedback, *{list(flags)!r}]
code = 3
try:
    exec(compile({source!r}, "validator.py", "exec"), {{"__name__": "__main__"}})
except SystemExit as end:
    code = end.code
except BrokenPipeError:
    code = 43
except BaseException:
    traceback.print_exc()
try:
    with open(feedback + "judgemessage.txt") as message:
        sys.stderr.write(message.read(2000))
except OSError:
    pass
sys.stderr.flush()
try:
    sys.stdout.flush()
except OSError:
    pass
os._exit(code if code in (42, 43) else 3)
"""


def _framed_c(source: str, flags: Sequence[str], interactive: bool) -> str:
    answer = "argv[2]" if interactive else "argv[3]"
    # A program that ends early closes its pipe; that is its failure, not the validator's.
    opening = "signal(SIGPIPE, SIG_IGN);" if interactive else 'if (!freopen(argv[2], "r", stdin)) _exit(3);'
    words = "".join(f"{_quoted(flag)}, " for flag in flags)
    return f"""\
#define main validator_main
{source}
#undef main
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
static void only_verdicts(int code, void *unused) {{
    (void) unused;
    FILE *message = fopen("feedback/judgemessage.txt", "r");
    char text[2000];
    size_t length = message ? fread(text, 1, sizeof text, message) : 0;
    fwrite(text, 1, length, stderr);
    fflush(0);
    if (code != 42 && code != 43) _exit(3);
}}
int main(int argc, char **argv) {{
    {opening}
    on_exit(only_verdicts, 0);
    mkdir("feedback", 0777);
    const char *args[] = {{"validator", argv[1], {answer}, "feedback/", {words}0}};
    return validator_main({4 + len(flags)}, (char **) args);
}}
"""


def _quoted(text: str) -> str:
    escaped = "".join(
        char if char.isalnum() or char in "_.-+=:/, " else f"\\{ord(char):03o}" for char in text
    )
    return f'"{escaped}"'
