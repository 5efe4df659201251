"""What people want of the engines that the lab runs: start, drain, stop."""

from __future__ import annotations

from solver import engine_book
from solver.engines.spec import EngineSpec
from solver.serving.models import EngineService, ServiceState, Wanted
from trajectories.models import Run, RunStatus


def managed() -> list[EngineSpec]:
    return [spec for spec in engine_book.all_engines() if spec.vllm is not None]


def want(name: str, wanted: Wanted) -> bool:
    """False if the lab does not run this engine."""
    if name not in {spec.name for spec in managed()}:
        return False
    EngineService.objects.get_or_create(name=name)
    changed = {"wanted": wanted}
    EngineService.objects.filter(name=name).update(**changed)
    if wanted == Wanted.RUNNING:  # a failed one gets another chance
        EngineService.objects.filter(name=name, state=ServiceState.FAILED).update(
            state=ServiceState.STOPPED, message=""
        )
        waiting = Run.objects.filter(status=RunStatus.QUEUED, engine_name__in=led_to(name))
        waiting.update(published_at=None)  # ring again
    return True


def led_to(name: str) -> list[str]:
    """The engine, and the routed ones that lead a role to it: whose runs it answers."""
    routed = (spec for spec in engine_book.all_engines() if any(one.name == name for one in spec.members))
    return [name, *(spec.name for spec in routed)]


def closed_to_runs() -> list[str]:
    """Engines that take no new runs now: somebody stopped or is draining them, or one that they lead to."""
    unwanted = EngineService.objects.exclude(wanted=Wanted.RUNNING).values_list("name", flat=True)
    run_here = {spec.name for spec in managed()}
    closed = [engine for name in unwanted if name in run_here for engine in led_to(name)]
    return list(dict.fromkeys(closed))
