"""The programming languages: their names in the wild, how a program is built and run, and what the machine
has.

A toolchain is found once per process by looking for its programs; nothing is assumed about where it lives.
What the jail must show of it (`roots`) is found by following links from the program found.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Language:
    """How one language is built and run inside the jail.

    `tools` are the programs needed, the first one the compiler or interpreter. In `compile` and `run`,
    `{tool}`, `{tool1}` are replaced by their paths and `{memory}` by the memory limit in MB. The source lies
    at `source` in the working directory; `artefacts` are the files a compilation leaves (`*` allowed), kept
    and laid out again for runs. `address_space` False: the runtime reserves far more than it uses, so only
    resident memory can be limited. `overhead_mb` is what the runtime itself needs and is not counted against
    the program. `quiet` system calls are tried by the runtime at its start and fail without a remark.
    """

    key: str
    title: str
    tools: tuple[str, ...]
    version: tuple[str, ...]
    source: str
    run: tuple[str, ...]
    compile: tuple[str, ...] = ()
    artefacts: tuple[str, ...] = ()
    address_space: bool = True
    environment: tuple[tuple[str, str], ...] = ()
    quiet: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    overhead_mb: int = 0
    check: tuple[str, ...] = field(default=())


_JVM_QUIET = ("sched_setaffinity", "flock", "socket")
_ALL = (
    Language(
        key="python",
        title="Python 3",
        tools=(),
        version=(),
        source="solution.py",
        run=(),
        names=("python", "python3", "py", "py3", "cpython", "pypy", "pypy3", "pypy 3", "python 3", "cython"),
    ),
    Language(
        key="c",
        title="C17",
        tools=("gcc",),
        version=("{tool}", "-dumpfullversion"),
        source="solution.c",
        compile=("{tool}", "-O2", "-std=gnu17", "-pipe", "-w", "-o", "solution", "solution.c", "-lm"),
        run=("./solution",),
        artefacts=("solution",),
        names=("c", "gnu c", "gcc", "c99", "c11", "c17", "gnu c11", "gnu c99"),
    ),
    Language(
        key="cpp",
        title="C++17",
        tools=("g++",),
        version=("{tool}", "-dumpfullversion"),
        source="solution.cpp",
        compile=("{tool}", "-O2", "-std=gnu++17", "-pipe", "-w", "-o", "solution", "solution.cpp"),
        run=("./solution",),
        artefacts=("solution",),
        names=("c++", "cpp", "g++", "gnu c++", "clang++", "ms c++", "cxx"),
    ),
    Language(
        key="java",
        title="Java",
        tools=("javac", "java"),
        version=("{tool}", "-version"),
        source="{main}.java",
        compile=(
            "{tool}",
            "-J-Xmx{memory}m",
            "-J-XX:+UseSerialGC",
            "-J-XX:TieredStopAtLevel=1",
            "-J-Xshare:auto",
            "-proc:none",
            "-nowarn",
            "-encoding",
            "UTF-8",
            "{main}.java",
        ),
        run=(
            "{tool1}",
            "-Xmx{memory}m",
            "-Xss64m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Xshare:auto",
            "-XX:-UsePerfData",
            "-XX:ActiveProcessorCount=1",
            "-Dfile.encoding=UTF-8",
            "{main}",
        ),
        artefacts=("*.class",),
        address_space=False,
        overhead_mb=128,
        quiet=_JVM_QUIET,
        names=("java", "openjdk"),
    ),
    Language(
        key="javascript",
        title="JavaScript (Node.js)",
        tools=("node",),
        version=("{tool}", "--version"),
        source="solution.js",
        check=("{tool}", "--check", "solution.js"),
        run=("{tool}", "--stack-size=60000", "--max-old-space-size={memory}", "solution.js"),
        address_space=False,
        overhead_mb=64,
        environment=(("UV_USE_IO_URING", "0"), ("UV_THREADPOOL_SIZE", "1"), ("OPENSSL_CONF", "/dev/null")),
        quiet=("io_uring_setup",),
        names=("javascript", "js", "node", "node.js", "nodejs", "v8"),
    ),
    Language(
        key="go",
        title="Go",
        tools=("go",),
        version=("{tool}", "version"),
        source="solution.go",
        compile=("{tool}", "build", "-o", "solution", "solution.go"),
        run=("./solution",),
        artefacts=("solution",),
        address_space=False,
        environment=(
            ("GOCACHE", "/box/.cache"),
            ("GOPATH", "/box/.go"),
            ("GOFLAGS", "-mod=mod"),
            ("GOTOOLCHAIN", "local"),
            ("GO111MODULE", "off"),
            ("CGO_ENABLED", "0"),
            ("GOMAXPROCS", "1"),
        ),
        names=("go", "golang"),
    ),
    Language(
        key="rust",
        title="Rust 2021",
        tools=("rustc", "cc"),
        version=("{tool}", "--version"),
        source="solution.rs",
        compile=(
            "{tool}",
            "--edition",
            "2021",
            "-O",
            "-A",
            "warnings",
            "-C",
            "linker={tool1}",
            "-o",
            "solution",
            "solution.rs",
        ),
        run=("./solution",),
        artefacts=("solution",),
        names=("rust", "rust 2021", "rust 2018"),
    ),
    Language(
        key="csharp",
        title="C# (Mono)",
        tools=("mcs", "mono"),
        version=("{tool1}", "--version"),
        source="solution.cs",
        compile=("{tool}", "-optimize+", "-out:solution.exe", "solution.cs"),
        run=("{tool1}", "solution.exe"),
        artefacts=("solution.exe",),
        address_space=False,
        overhead_mb=64,
        names=("c#", "csharp", "mono", "mono c#", ".net", "dotnet", "ms c#"),
    ),
    Language(
        key="kotlin",
        title="Kotlin",
        tools=("kotlinc", "java"),
        version=("{tool}", "-version"),
        source="solution.kt",
        compile=("{tool}", "-nowarn", "-include-runtime", "-d", "solution.jar", "solution.kt"),
        run=(
            "{tool1}",
            "-Xmx{memory}m",
            "-Xss64m",
            "-XX:+UseSerialGC",
            "-XX:-UsePerfData",
            "-jar",
            "solution.jar",
        ),
        artefacts=("solution.jar",),
        address_space=False,
        overhead_mb=128,
        quiet=_JVM_QUIET,
        names=("kotlin",),
    ),
    Language(
        key="php",
        title="PHP",
        tools=("php",),
        version=("{tool}", "-r", "echo PHP_VERSION;"),
        source="solution.php",
        check=("{tool}", "-n", "-l", "solution.php"),
        run=("{tool}", "-n", "-d", "memory_limit={memory}M", "-d", "display_errors=stderr", "solution.php"),
        names=("php",),
    ),
    Language(
        key="ruby",
        title="Ruby",
        tools=("ruby",),
        version=("{tool}", "--version"),
        source="solution.rb",
        check=("{tool}", "--disable-gems", "-c", "solution.rb"),
        run=("{tool}", "--disable-gems", "solution.rb"),
        address_space=False,
        names=("ruby",),
    ),
)
LANGUAGES: dict[str, Language] = {language.key: language for language in _ALL}
_BY_NAME = {name: language.key for language in _ALL for name in language.names}


def language_from_name(name: str) -> str:
    """The key for a name as data sets and people write it: "Python3", "GNU C++17", "PyPy 3-64", "Node.js 12".

    Raises ValueError for a name it does not know; Python 2 is one of them.
    """
    plain = re.sub(r"\s+", " ", name.strip().lower())
    if re.fullmatch(r"(python|pypy|py) ?-?2([. (-].*)?", plain):
        raise ValueError(f"unknown language {name!r}: Python 2 programs are not judged")
    tries = (
        plain,
        re.sub(r"\s*\(.*\)$", "", plain),
        re.sub(r"[\s-]*(\d[\d.x]*)([-\s].*)?$", "", plain),
        re.sub(r"(\s+|(?<=\+)|(?<=[a-z]))\d.*$", "", plain).strip(),
    )
    for text in tries:
        if key := _BY_NAME.get(text):
            return key
    raise ValueError(f"unknown language {name!r}: known are {', '.join(language.title for language in _ALL)}")


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A language's programs on this machine. `roots`: directories the jail must show, read-only."""

    language: Language
    tools: tuple[str, ...]
    version: str
    roots: tuple[str, ...]


@cache
def find_toolchain(key: str) -> Toolchain | None:
    """None where a program of the language is missing or does not tell its version."""
    language = LANGUAGES[key]
    found = [_find_tool(name) for name in language.tools]
    tools = tuple(path for path in found if path)
    if not tools or len(tools) < len(language.tools):
        return None
    command = [_fill(word, tools, 0) for word in language.version]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if answer.returncode != 0:
        return None
    lines = (answer.stdout + answer.stderr).strip().splitlines()
    return Toolchain(language, tools, lines[0][:120] if lines else "", _roots(tools))


def command_for(words: tuple[str, ...], toolchain: Toolchain, memory_mb: int, main: str = "") -> list[str]:
    return [_fill(word, toolchain.tools, memory_mb).replace("{main}", main) for word in words]


_PUBLIC_CLASS = re.compile(
    rb"^[ \t]*public\s+(?:(?:final|abstract|strictfp)\s+)*(?:class|record|enum)\s+(\w+)", re.MULTILINE
)
_CLASS = re.compile(rb"\b(?:class|record|enum)\s+(\w+)")
_MAIN = re.compile(rb"\bpublic\s+static\s+(?:final\s+)?void\s+main\b")


def main_class(source: bytes) -> str:
    """The class whose name a Java file must bear and whose `main` is run; `Main` where the text leaves it open."""
    if match := _PUBLIC_CLASS.search(source):
        return match[1].decode("ascii", "replace")
    if main := _MAIN.search(source):
        before = _CLASS.findall(source, 0, main.start())
        if before:
            return str(before[-1].decode("ascii", "replace"))
    return "Main"


def _fill(word: str, tools: tuple[str, ...], memory_mb: int) -> str:
    text = word.replace("{memory}", str(memory_mb))
    for index, tool in reversed(list(enumerate(tools))):
        text = text.replace("{tool}" if index == 0 else f"{{tool{index}}}", tool)
    return text


_SYSTEM = ("/usr", "/bin", "/lib", "/lib64", "/sbin")


def _find_tool(name: str) -> str | None:
    home = Path.home()
    path = os.pathsep.join(
        (os.environ.get("PATH", ""), "/usr/local/bin", "/usr/bin", "/bin", str(home / ".cargo/bin"))
    )
    found = shutil.which(name, path=path)
    if found is None:
        return None
    finder = _FINDERS.get(name)
    return finder(found) if finder else found


def _real_rustc(found: str) -> str | None:
    """rustup's `rustc` is a proxy that reads the caller's home; the jail needs the compiler behind it."""
    if not os.path.realpath(found).endswith("rustup"):
        return os.path.realpath(found)
    try:
        answer = subprocess.run(
            [found, "--print", "sysroot"], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    real = os.path.join(answer.stdout.strip(), "bin", "rustc")
    return real if answer.returncode == 0 and os.access(real, os.X_OK) else None


_FINDERS: dict[str, Callable[[str], str | None]] = {
    "rustc": _real_rustc,
    "java": os.path.realpath,
    "javac": os.path.realpath,
    "node": os.path.realpath,
    "go": os.path.realpath,
    "kotlinc": os.path.realpath,
}


def _roots(tools: tuple[str, ...]) -> tuple[str, ...]:
    """Toolchain directories outside the system's own: the parent of each program's `bin`."""
    roots: list[str] = []
    for tool in tools:
        real = os.path.realpath(tool)
        root = (
            os.path.dirname(os.path.dirname(real))
            if os.path.basename(os.path.dirname(real)) == "bin"
            else os.path.dirname(real)
        )
        if root not in roots and not root.startswith(_SYSTEM):
            roots.append(root)
    # A system JDK keeps its configuration under /etc, linked from its own directory.
    for root in [os.path.dirname(os.path.dirname(os.path.realpath(tool))) for tool in tools]:
        conf = os.path.join(root, "conf")
        if os.path.isdir(conf):
            for folder, _, files in os.walk(conf):
                for name in files:
                    real = os.path.realpath(os.path.join(folder, name))
                    if real.startswith("/etc/") and (top := "/etc/" + real.split("/")[2]) not in roots:
                        roots.append(top)
    return tuple(roots)
