"""Runs as verbs: start, execute, cancel, retry.

`execute` is the whole life of a run in a worker: 1. claim the row; 2. keep the lease from a thread; 3. let the
strategy work on the recorder; 4. judge what it submits on the hidden tests; 5. write the final event. Any way out of
3 and 4 is one of the endings below, and every ending is an event.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.utils.timezone import now

from solver import engine_book, judge_pool, queue
from solver.answers.desk import accounted
from solver.change import Change
from solver.engines.protocol import EngineError, Sampling
from solver.engines.registry import open_engine
from solver.engines.spec import EngineSpec
from solver.judge import LANGUAGES, JudgeError, language_from_name
from solver.memo import Diverged, Memo
from solver.recorder import Budget, Guest, LeaseLost, Recorder, RunCancelled
from solver.strategies.protocol import BudgetExceeded
from solver.strategies.registry import STRATEGIES, BadParameter, StrategyInfo, of_run
from trajectories import eventlog, leases
from trajectories.events import RunFinished, RunStarted
from trajectories.models import Problem, Run, RunStatus
from trajectories.problem_schema import TestKind
from trajectories.version import code_version

log = logging.getLogger(__name__)
MOST_CLAIMS = 10  # of a run that the database breaks off each time, then it is no matter of waiting
JUDGE_PROFILES = ("strict", "execeval", "humaneval", "evalplus", "livecodebench")


class StartRefused(ValueError):
    """A run that cannot be started: which field, and a sentence that says how to mend it."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


def start(
    problem: Problem,
    *,
    engine: str,
    strategy: str = "mapcoder",
    params: dict[str, Any] | None = None,
    seed: int = 0,
    language: str = "python",
    judge_profile: str = "strict",
    adapters: Mapping[str, bool | str] | None = None,
    models: dict[str, str] | None = None,
    ask_anew: bool = False,
    constrained: bool = False,
    request_id: str = "",
    created_by: str = "",
    publish_to_workers: bool = True,
) -> Run:
    """Queue a run and tell the workers. The same `request_id` again returns the run it started the first time.

    `adapters`: role to off, or to the adapter that answers it; `models`: the exact model of every role instead, for a run
    that must be like an earlier one. `ask_anew` asks the engine even where an answer to the same request is stored. `constrained`: every answer is held to
    the grammar of its form. `publish_to_workers` False is for a caller that executes the run itself. Raises StartRefused.
    """
    request_id = request_id or uuid.uuid4().hex
    if known := Run.objects.filter(request_id=request_id).first():
        return known
    info = _strategy(strategy)
    language = _language(problem, language)
    if judge_profile not in JUDGE_PROFILES:
        raise StartRefused(
            "judge_profile",
            f"There is no judge profile {judge_profile!r}; use one of {', '.join(JUDGE_PROFILES)}.",
        )
    if not -(2**31) <= seed < 2**31:
        raise StartRefused("seed", "The seed must be a whole number of at most 31 bits.")
    try:
        spec = engine_book.get(engine)
    except LookupError as error:
        raise StartRefused("engine", f"{error}.") from None
    if strange := sorted(set(adapters or {}) - set(engine_book.ROLES_WITH_ADAPTERS)):
        roles = ", ".join(engine_book.ROLES_WITH_ADAPTERS)
        raise StartRefused("adapters", f"There is no role {strange[0][:40]!r}; use {roles}.")
    if unknown := engine_book.unknown_adapters(spec, adapters or {}):
        raise StartRefused(
            "engine", f"The engine {spec.name!r} has no adapter {unknown[0]!r}; register it first."
        )
    if constrained and (why := engine_book.cannot_constrain(spec)):
        raise StartRefused("constrained", why)
    checked = _params(info, {**_usual(info, spec), **(params or {})}, language)
    if missing := info.missing_templates(spec.templates):
        raise StartRefused(
            "strategy",
            f"{info.title} needs the prompt templates {', '.join(missing)}, which the set {spec.templates!r} of "
            f"engine {spec.name!r} does not have; choose another strategy or engine.",
        )
    try:
        with transaction.atomic():
            run = Run.objects.create(
                problem=problem,
                strategy=strategy,
                params=checked,
                engine=engine_book.copy_for_run(
                    spec,
                    models or engine_book.roles_of(spec, adapters),
                    ask_anew=ask_anew,
                    constrained=constrained,
                ),
                engine_name=spec.name,
                seed=seed,
                language=language,
                judge_profile=judge_profile,
                code_version=code_version(),
                request_id=request_id,
                created_by=created_by,
                published_at=None if publish_to_workers else now(),
            )
    except IntegrityError:  # the same request arrived twice at once
        return Run.objects.get(request_id=request_id)
    if publish_to_workers:
        transaction.on_commit(lambda: publish(run.pk))
    return run


def publish(run_id: int) -> None:
    if queue.publish_run(run_id):
        Run.objects.filter(pk=run_id, status=RunStatus.QUEUED).update(published_at=now())


def _strategy(name: str) -> StrategyInfo:
    try:
        return STRATEGIES[name]
    except KeyError:
        raise StartRefused(
            "strategy", f"There is no strategy {name!r}; use one of {', '.join(STRATEGIES)}."
        ) from None


def _language(problem: Problem, name: str) -> str:
    try:
        language = language_from_name(name)
    except ValueError as error:
        raise StartRefused("language", str(error)) from None
    if problem.test_kind != TestKind.STDIO and language != "python":
        raise StartRefused(
            "language", f"This problem is solved by a Python function; it cannot be judged in {language}."
        )
    if language not in judge_pool.languages():
        have = ", ".join(judge_pool.languages())
        title = LANGUAGES[language].title if language in LANGUAGES else language
        raise StartRefused("language", f"{title} is not installed on this machine; the judge found: {have}.")
    return language


def _usual(info: StrategyInfo, spec: EngineSpec) -> dict[str, Any]:
    names = {parameter.name for parameter in info.parameters}
    return {name: value for name, value in engine_book.usual_params(spec).items() if name in names}


def _params(info: StrategyInfo, given: dict[str, Any], language: str) -> dict[str, Any]:
    try:
        return {**info.check(given), "language": language}
    except BadParameter as error:
        raise StartRefused(error.name, str(error)) from None


# -- in the worker

_active: set[leases.Held] = set()
_active_lock = threading.Lock()
_stopping = threading.Event()


@contextlib.contextmanager
def _listed(hold: leases.Held) -> Iterator[None]:
    with _active_lock:
        _active.add(hold)
        late = _stopping.is_set()
    if late:  # claimed while the others were given back
        _give_back(hold)
    try:
        yield
    finally:
        with _active_lock:
            _active.discard(hold)


def stopping() -> bool:
    return _stopping.is_set()


def shut_down() -> None:
    """The worker is stopping: give its runs back to the queue at once instead of letting their leases run out."""
    _stopping.set()
    with _active_lock:
        held = list(_active)
    for hold in held:
        _give_back(hold)


def _give_back(hold: leases.Held) -> None:
    hold.lost.set()
    leases.release(hold.run_id, hold.fence)


def execute(run_id: int, worker: str) -> bool:
    """Work on a run until it ends; False if it was not this worker's to take, or was taken away."""
    if _stopping.is_set() or (fence := leases.claim(run_id, worker)) is None:
        return False
    run = Run.objects.select_related("problem__body").get(pk=run_id)
    with leases.held(run_id, fence) as hold, _listed(hold):
        if run.cancel_requested:  # of the worker before, who died: this one must not ask anybody first
            hold.cancel.set()
        try:
            ending = _ending(run, hold, worker)
            eventlog.append(run_id, [ending], fence=fence)
        except (LeaseLost, eventlog.StaleFence):
            log.warning("run %s was taken over by another worker", run_id)
            return False
    return True


def _ending(run: Run, hold: leases.Held, worker: str) -> RunFinished:
    try:
        return _work(run, hold, worker)
    except RunCancelled:
        return RunFinished(status="cancelled", reason="cancelled", message="Cancelled.")
    except EngineError as error:
        return RunFinished(status="failed", reason=error.code, message=str(error))
    except JudgeError as error:
        return RunFinished(status="failed", reason="judge_unavailable", message=str(error))
    except Diverged as error:
        return RunFinished(status="failed", reason="diverged", message=str(error))
    except BudgetExceeded as error:
        return RunFinished(status="finished", reason="budget", message=str(error))
    except (LeaseLost, eventlog.StaleFence):
        raise
    except Exception as error:
        if isinstance(error, OperationalError | InterfaceError) and hold.fence < MOST_CLAIMS:
            raise  # the database was away or locked: the lease runs out, and the next worker goes on from the log
        log.exception("run %s ended by a defect of the lab", run.pk)
        message = (
            f"A defect of the lab ended this run ({type(error).__name__}); the worker's log has the details."
        )
        return RunFinished(status="failed", reason="internal_error", message=message)


def _work(run: Run, hold: leases.Held, worker: str) -> RunFinished:
    problem = run.problem.spec()
    memo = Memo(run.pk)
    begun = RunStarted(fence=hold.fence, worker=worker, code_version=code_version(), resumed_steps=len(memo))
    eventlog.append(run.pk, [begun], fence=hold.fence)
    change = Change.of(run)
    spec = engine_book.get_unchanged(run.engine_name, run.engine, change.models.values() if change else ())
    info = of_run(run.strategy)
    params = replace(info.params(run.params), templates=spec.templates)
    recorder = Recorder(
        problem,
        accounted(spec, open_engine, ask_anew=bool(run.engine.get("ask_anew"))),
        judge_pool.judge(),
        hold,
        memo,
        model_for=lambda role: str(run.engine["roles"][role.value]),
        sampling=_sampling(spec, run.seed),
        budget=Budget(calls=params.max_calls or info.call_bound(params)),
        judge_profile=run.judge_profile,
        change=change,
        guest=_guest(run),
        constrained=bool(run.engine.get("constrained")),
        frozen=int(run.params.get("frozen", 0)),
    )
    try:
        outcome = info.run(problem, recorder, params)
    finally:
        recorder.close()
    if outcome.code is None:
        return RunFinished(status="finished", reason="no_program", message=outcome.reason)
    attempt = outcome.attempt or 0
    hidden = recorder.run_hidden(outcome.code, run.language, attempt=attempt)
    return RunFinished(
        status="finished",
        reason="judged",
        message=outcome.reason,
        verdict=hidden.verdict,
        code=outcome.code,
        attempt=attempt,
    )


def _sampling(spec: EngineSpec, seed: int) -> Sampling:
    usual = spec.sampling
    return Sampling(usual.temperature, usual.top_p, usual.max_tokens, seed)


def _guest(run: Run) -> Guest | None:
    """The engine that answers one step of this branch, as it was when the branch was made."""
    copy = run.engine.get("guest")
    if not copy:
        return None
    spec = engine_book.get_unchanged(copy["name"], copy)
    return Guest(
        accounted(spec, open_engine),
        lambda role: str(copy["roles"][role.value]),
        _sampling(spec, run.seed),
        constrained=bool(copy.get("constrained")),
    )


# -- from the pages, the API and the terminal


def cancel(run_id: int) -> bool:
    """Ask a run to stop. A queued run ends at once, a running one at its next step or token; False if it had ended."""
    asked = RunFinished(status="cancelled", reason="cancelled", message="Cancelled before it started.")
    if eventlog.append_unowned(run_id, asked, when=[RunStatus.QUEUED]) is not None:
        return True
    # An orphan may have come back to the queue in between: whoever takes it up finds the request.
    under_way = Run.objects.filter(pk=run_id, status__in=[RunStatus.QUEUED, RunStatus.RUNNING])
    return under_way.update(cancel_requested=True) == 1


def retry(run_id: int) -> bool:
    """Queue a failed or cancelled run again; it goes on after its last finished step. False if it had not failed."""
    ended = Run.objects.filter(pk=run_id, status__in=[RunStatus.FAILED, RunStatus.CANCELLED])
    fresh = {
        "cancel_requested": False,
        "reason": "",
        "message": "",
        "finished_at": None,
        "published_at": None,
    }
    if not ended.move(RunStatus.QUEUED, **fresh):
        return False
    transaction.on_commit(lambda: publish(run_id))
    return True
