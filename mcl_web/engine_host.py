"""Tends the engines that the lab runs on this machine: starts, watches, starts again, drains, stops.

The row says what is wanted, this process makes it so and says what is. Called once a second, `round` does for each
engine: 1. stop it if it is not wanted, or wanted otherwise than it runs; 2. start it if it is wanted; 3. look after the
process: dead, answering, late; 4. once it answers, see to its adapters and read its numbers; 5. write the row.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils.timezone import now

from mcl_web.process_tree import ProcessTree, tail
from solver.engines.protocol import EngineError
from solver.engines.spec import EngineSpec
from solver.serving import vllm, wishes
from solver.serving.metrics import Numbers
from solver.serving.models import EngineService, ServiceState, Wanted
from solver.serving.server import VllmServer
from trajectories.models import Run, RunStatus

DEATHS_IN_A_ROW = 3
GRACE_S = 20.0
RATE_WINDOW_S = 10.0


@dataclass
class Tended:
    """One engine's process and what is known of it."""

    spec: EngineSpec
    process: subprocess.Popen[bytes]
    server: VllmServer
    began: float
    ready: bool = False
    reconciled: EngineSpec | None = None  # the description whose adapters it was told of
    adapters: dict[str, str] = field(default_factory=dict)
    marks: deque[tuple[float, int]] = field(default_factory=deque)

    def rate(self, numbers: Numbers) -> float:
        """New tokens a second over the last ten seconds."""
        self.marks.append((time.monotonic(), numbers.new_tokens))
        while len(self.marks) > 2 and self.marks[1][0] <= self.marks[-1][0] - RATE_WINDOW_S:
            self.marks.popleft()
        (first, before), (last, after) = self.marks[0], self.marks[-1]
        return round((after - before) / (last - first), 1) if last > first else 0.0


class EngineHost:
    """Used from the main thread: the kernel ties the children's death signal to the thread that forked them."""

    def __init__(self, log_dir: Path) -> None:
        self.log_dir = log_dir
        self._tended: dict[str, Tended] = {}
        self._deaths: dict[str, int] = {}  # in a row, without having answered in between

    def round(self) -> None:
        specs = {spec.name: spec for spec in wishes.managed()}
        for name in list(self._tended):
            if name not in specs:
                self._stop(name)
        for name, spec in specs.items():
            row, _ = EngineService.objects.get_or_create(name=name)
            self._one(spec, row)

    def _one(self, spec: EngineSpec, row: EngineService) -> None:
        tended = self._tended.get(spec.name)
        if tended and (row.wanted == Wanted.STOPPED or _restarts(tended.spec, spec)):
            self._stop(spec.name)
            tended = None
        if tended and row.wanted == Wanted.DRAINED and self._is_idle(tended):
            self._stop(spec.name)
            tended = None
        if tended is None:
            if row.wanted == Wanted.RUNNING and row.state != ServiceState.FAILED:
                self._start(spec)
            elif row.state != ServiceState.FAILED:
                self._say(spec.name, ServiceState.STOPPED, pid=None, numbers={}, adapters={})
            return
        tended.spec = tended.server.spec = spec
        self._look_after(tended, draining=row.wanted == Wanted.DRAINED)

    def _start(self, spec: EngineSpec) -> None:
        try:
            vllm.check(spec)
        except EngineError as error:
            self._say(spec.name, ServiceState.FAILED, message=str(error), pid=None)
            return
        self.log_dir.mkdir(parents=True, exist_ok=True)
        process = ProcessTree.spawn(vllm.command(spec), vllm.environment(spec), self.log(spec.name))
        self._tended[spec.name] = Tended(spec, process, VllmServer(spec), time.monotonic())
        self._say(
            spec.name, ServiceState.STARTING, message="", pid=process.pid, started_at=now(), ready_at=None
        )

    def _look_after(self, tended: Tended, *, draining: bool) -> None:
        name, code = tended.spec.name, tended.process.poll()
        if code is not None:
            self._died(tended, f"It ended with code {code}")
        elif tended.server.healthy():
            self._answers(tended, draining=draining)
        elif not tended.ready and time.monotonic() - tended.began > _patience(tended.spec):
            self._stop(name)
            self._failed(name, f"It did not answer within {_patience(tended.spec):g} s")
        else:
            self._say(
                name,
                ServiceState.STARTING if not tended.ready else ServiceState.DRAINING if draining else None,
            )

    def _answers(self, tended: Tended, *, draining: bool) -> None:
        name = tended.spec.name
        told: dict[str, Any] = {}
        if not tended.ready:
            tended.ready, self._deaths[name] = True, 0
            told["ready_at"] = now()
        if tended.reconciled != tended.spec or any(tended.adapters.values()):
            tended.adapters, tended.reconciled = tended.server.reconcile(), tended.spec
        numbers = tended.server.numbers()
        if numbers is not None:
            told["numbers"] = {**numbers.to_dict(), "tokens_per_s": tended.rate(numbers)}
        lacking = [sentence for sentence in tended.adapters.values() if sentence]
        state = ServiceState.DRAINING if draining else ServiceState.READY
        self._say(name, state, message=" ".join(lacking), adapters=tended.adapters, **told)

    def _died(self, tended: Tended, what: str) -> None:
        name = tended.spec.name
        tended.server.close()
        del self._tended[name]
        self._deaths[name] = self._deaths.get(name, 0) + 1
        if self._deaths[name] >= DEATHS_IN_A_ROW:
            self._failed(name, f"{what}, {DEATHS_IN_A_ROW} times in a row")
        else:
            self._say(name, ServiceState.STARTING, message=f"{what} and is started again.", pid=None)

    def _failed(self, name: str, what: str) -> None:
        self._deaths[name] = 0
        last = tail(self.log(name), 6)
        message = f"{what}; mend it and press Start. The last lines of its log:\n{last}"
        self._say(name, ServiceState.FAILED, message=message[:4000], pid=None, numbers={}, adapters={})

    def _is_idle(self, tended: Tended) -> bool:
        answered = wishes.led_to(tended.spec.name)
        if Run.objects.filter(engine_name__in=answered, status=RunStatus.RUNNING).exists():
            return False
        numbers = tended.server.numbers()
        return numbers is None or not (numbers.running or numbers.waiting)

    def _stop(self, name: str) -> None:
        tended = self._tended.pop(name)
        tended.server.close()
        if tended.process.poll() is None:
            tended.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            tended.process.wait(GRACE_S)
        _end_group(tended.process)
        self._say(name, ServiceState.STOPPED, pid=None, numbers={}, adapters={})

    def stop(self) -> None:
        for name in list(self._tended):
            self._stop(name)

    def log(self, name: str) -> Path:
        return self.log_dir / f"vllm-{name}.log"

    @staticmethod
    def _say(name: str, state: ServiceState | None, **told: Any) -> None:
        more: dict[str, Any] = {} if state is None else {"state": state}
        EngineService.objects.filter(name=name).update(beat_at=now(), **more, **told)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """vLLM has children of its own; the group is the session that it was started in."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def _restarts(old: EngineSpec, new: EngineSpec) -> bool:
    """New adapters are loaded while it runs; anything else of its command line needs a start."""
    return vllm.command(old) != vllm.command(new) or vllm.environment(old) != vllm.environment(new)


def _patience(spec: EngineSpec) -> float:
    assert spec.vllm is not None
    return spec.vllm.start_within_s
