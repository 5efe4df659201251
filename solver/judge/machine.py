"""What this machine can promise: finds the strongest isolation that works, by using it."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import stat
from dataclasses import dataclass

from .cgroup import find_delegated
from .errors import LanguageUnavailable, SandboxUnavailable
from .jail import policy
from .jail.pyrun import pack_source
from .jail.spec import LAYERS, JailConfig
from .languages import LANGUAGES, find_toolchain
from .single import Python, run_python
from .slot import Slot
from .task import Limits
from .verdict import Level

VERSION = "1"
LAYERS_OF = {Level.L3: LAYERS, Level.L2: LAYERS, Level.L1: ("seccomp", "landlock")}
_GROUP_MEMORY = 8 << 30
_STAGES = ("/mnt", "/media", "/srv", "/opt", "/home", "/var", "/root")
_UID_FIRST, _UID_COUNT = 61184, 4000
_SELF_TEST = """
import os, socket
seen = []
def attempt(name, act):
    try:
        act()
    except OSError:
        return
    seen.append(name)
attempt('read', lambda: open('/etc/passwd').close())
attempt('write', lambda: open('/tmp/judge-self-test', 'w').close())
attempt('fork', os.fork)
attempt('socket', socket.socket)
print('breached', *seen)
"""


@dataclass(frozen=True, slots=True)
class Isolation:
    """`reasons`: why not a higher level, each with a way to mend it."""

    level: Level
    layers: tuple[str, ...]
    reasons: tuple[str, ...] = ()


def prefix_of(python: str) -> str:
    return os.path.dirname(os.path.dirname(python))


def jail_config(
    python: str, layers: tuple[str, ...], index: int, *, native: bool, packages: tuple[str, ...]
) -> JailConfig:
    roots = [prefix_of(python), *packages]
    if native:
        for key in LANGUAGES:
            if key != "python" and (toolchain := find_toolchain(key)):
                roots += toolchain.roots
    kept = tuple(
        dict.fromkeys(root for root in roots if not root.startswith(("/usr/", "/lib")) and root != "/usr")
    )
    uid = _UID_FIRST + (os.getpid() * 16 + index) % _UID_COUNT if os.getuid() == 0 else 0
    return JailConfig(
        layers=layers, roots=kept, uid=uid, stage=_stage(kept), packages=packages, owner=os.getpid()
    )


def _stage(roots: tuple[str, ...]) -> str:
    """Any directory will do to build the new root on: only the slot sees the mount. None that holds a root."""
    for path in _STAGES:
        if (
            os.path.isdir(path)
            and not os.path.islink(path)
            and not any(root.startswith(path) for root in roots)
        ):
            return path
    raise SandboxUnavailable(
        f"none of {', '.join(_STAGES)} is a free directory to build the sandbox's root on; make /mnt"
    )


def start_at(
    level: Level, python: str, packages: tuple[str, ...], index: int = 0, *, native: bool = False
) -> Slot:
    """A slot of the level; SandboxUnavailable says which step failed."""
    layers = LAYERS_OF[level]
    if "namespaces" not in layers and os.getuid() == 0 and (closed := closed_directory(python)):
        raise SandboxUnavailable(
            f"the interpreter {python} lies under {closed}, which only its owner can enter; "
            "give one that everybody can read, such as /usr/bin/python3"
        )
    delegated = find_delegated() if level is Level.L3 else None
    if isinstance(delegated, str):
        raise SandboxUnavailable(f"no delegated cgroup: {delegated}")
    config = jail_config(python, layers, index, native=native, packages=packages)
    group = delegated.make(f"judge-{os.getpid()}-{index}", _GROUP_MEMORY) if delegated else None
    return Slot(config, python, group)


def settle(python: str, wanted: Level | None, packages: tuple[str, ...]) -> tuple[Isolation, Slot]:
    """The strongest level at or below `wanted`, and a slot that has passed the self-test at it."""
    reasons: list[str] = []
    for level in (Level.L3, Level.L2, Level.L1):
        if wanted is not None and level > wanted:
            continue
        try:
            slot = start_at(level, python, packages)
        except SandboxUnavailable as error:
            if (
                level is not Level.L3 or wanted is Level.L3
            ):  # L2 is no lesser state; doctor tells what L3 takes
                reasons.append(f"{level.value}: {error}{_suffix(mend(level, str(error)))}")
            continue
        if breach := self_test(slot):
            slot.close()
            reasons.append(f"{level.value}: {breach}")
            continue
        return Isolation(level, slot.config.layers, tuple(reasons)), slot
    raise SandboxUnavailable(
        "no isolation this machine offers is strong enough: "
        + "; ".join(reasons)
        + ". `doctor` lists every probe"
    )


def _suffix(text: str) -> str:
    return f" ({text})" if text else ""


def self_test(slot: Slot) -> str:
    """What a hostile program could do that it must not; empty when the sandbox holds."""
    outcome = run_python(slot, pack_source(b"", _SELF_TEST.encode()), b"", Limits(), Python())
    if outcome.failed is not None:
        return f"the sandbox could not be set up for a run: {outcome.failed}"
    if outcome.stdout != b"breached\n":
        return f"the self-test got through: {outcome.stdout.decode(errors='replace').strip() or 'no answer'}"
    missing = {"clone", "socket"} - outcome.denied.keys()
    return f"refused calls were not reported: {', '.join(sorted(missing))}" if missing else ""


def closed_directory(path: str) -> str | None:
    """The first directory on the way to `path` that others cannot enter."""
    parts = os.path.realpath(path).split("/")[1:-1]
    current = ""
    for part in parts:
        current += f"/{part}"
        if not os.stat(current).st_mode & stat.S_IXOTH:
            return current
    return None


def require_language(key: str, isolation: Isolation) -> None:
    """Raise LanguageUnavailable unless programs of the language can be run at this level."""
    if key == "python":
        return
    language, toolchain = LANGUAGES[key], find_toolchain(key)
    if toolchain is None:
        raise LanguageUnavailable(
            f"{language.title} needs {' and '.join(language.tools)}, not found on this machine"
        )
    if "namespaces" not in isolation.layers and os.getuid() == 0:
        for tool in toolchain.tools:
            if closed := closed_directory(tool):
                raise LanguageUnavailable(
                    f"{language.title}: {tool} lies under {closed}, which only its owner can enter, and at "
                    f"{isolation.level.value} programs run as another user; install it where everybody can read it"
                )


def mend(level: Level, text: str) -> str:
    """What would make the failed step work."""
    if level is Level.L3:
        return ""
    if level is Level.L1:
        return "Linux >= 5.13 with Landlock; in a container, allow the seccomp and landlock calls"
    if "unshare" in text or "uid_map" in text:
        return (
            "user namespaces are denied: set kernel.apparmor_restrict_unprivileged_userns=0 or "
            "kernel.unprivileged_userns_clone=1, or start the container with --security-opt seccomp=unconfined "
            "--security-opt apparmor=unconfined"
        )
    if "mount" in text or "pivot_root" in text:
        return "mounting is denied inside the namespace, by AppArmor or the container's profile; run it unconfined"
    return ""


def kernel_name() -> str:
    return f"{platform.system()} {platform.release()} {platform.machine()}"


@functools.lru_cache(maxsize=8)
def digest_of(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


@functools.lru_cache(maxsize=1)
def policy_digest() -> str:
    return policy.digest()


def description() -> dict[str, str | int | float]:
    """The machine, as measurements name it."""
    model = ""
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return {
        "kernel": kernel_name(),
        "cpu": model,
        "cpus": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
        "uid": os.getuid(),
    }


def code_version() -> dict[str, str]:
    """The judge's own version and a digest of its source files."""
    here = os.path.dirname(os.path.abspath(__file__))
    digest = hashlib.sha256()
    for folder, folders, names in os.walk(here):
        folders.sort()
        for name in sorted(names):
            if name.endswith(".py"):
                with open(os.path.join(folder, name), "rb") as file:
                    digest.update(file.read())
    return {"judge": VERSION, "source": digest.hexdigest()[:16], "policy": policy_digest()}
