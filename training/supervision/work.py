"""The life of a case: ask the votes, blame, redo the blamed agent as a branch, keep what passes, or try the next agent.

`work` does what can be done now and returns; it may be called by anybody, twice at once or after a crash. Votes stand in
the run's log, a round's branch is found again by its request id, an example by its digest: so no kill loses or doubles
one. A round is one agent; `draws` of it are tried before the next agent's turn.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db.models import Q

from solver import branches, engine_book
from solver.campaigns.models import SlotState
from solver.campaigns.settlement import meaning
from solver.change import Change
from solver.engines.protocol import EngineError, EngineUnreachable, Role
from solver.engines.registry import open_engine
from solver.engines.spec import BadSpec
from training import blame, examples
from training.models import Way
from training.supervision import lifecycle, steps
from training.supervision.asking import Desk, Vote, votes
from training.supervision.models import CaseState, SupervisionCase, SupervisionStatus
from training.supervision.spec import SupervisionSpec
from trajectories import eventlog, review
from trajectories.agents import AGENTS
from trajectories.models import Run, RunStatus
from trajectories.row_leases import Hold, held

log = logging.getLogger(__name__)
REVISION_TEMPERATURE = 0.7
_BRANCH_ENDED = Q(state=CaseState.WAITING) | Q(
    state=CaseState.REVISING, branch__status__in=["finished", "cancelled", "failed"]
)


def work(case_id: int, worker: str, *, publish_to_workers: bool = True) -> bool:
    """Bring a case forward; False if there was nothing to do or somebody else is at it."""
    running = Q(supervision__status=SupervisionStatus.RUNNING)
    found = SupervisionCase.objects.filter(running & _BRANCH_ENDED, pk=case_id).first()
    if found is None:
        return False
    with held(SupervisionCase, case_id, Q(state=found.state, round=found.round), worker) as hold:
        if hold is None:
            return False
        case = SupervisionCase.objects.select_related("supervision", "run__problem__body", "branch").get(
            pk=case_id
        )
        try:
            _forward(case, hold, publish_to_workers)
        except EngineError as error:
            if isinstance(error, EngineUnreachable):
                lifecycle.pause(case.supervision_id, reason=error.code, message=str(error))
            else:
                _write(hold, case, state=CaseState.FAILED, message=str(error))
        except (BadSpec, LookupError, branches.BranchRefused) as error:
            _write(hold, case, state=CaseState.FAILED, message=str(error))
        except eventlog.StaleFence:
            log.warning("case %s was taken over by another worker", case_id)
            return False
    lifecycle.finish_if_done(case.supervision_id)
    return True


def _write(hold: Hold, case: SupervisionCase, **changes: Any) -> None:
    if not hold.mine().update(**changes):
        raise eventlog.StaleFence(f"case {case.pk} is no longer held under fence {hold.fence}")
    for name, value in changes.items():
        setattr(case, name, value)


def _forward(case: SupervisionCase, hold: Hold, publish: bool) -> None:
    spec = SupervisionSpec.model_validate(case.supervision.spec)
    if case.state == CaseState.REVISING:
        _read_branch(case, hold)
        if case.state != CaseState.WAITING:
            return
    if not case.ranking:
        _blame(case, spec, hold, publish)
    if case.state == CaseState.WAITING:
        _begin_round(case, spec, hold, publish)


# -- blame


def _blame(case: SupervisionCase, spec: SupervisionSpec, hold: Hold, publish: bool) -> None:
    problem = case.run.problem.spec()
    path = steps.Path(case.run)
    engine = engine_book.get(spec.supervisor)
    desk = Desk(case, case.run, problem, steps.shown(case.run, problem), path.attempt, spec)
    model = engine.model_for(Role.SUPERVISOR)
    given = votes(desk, open_engine(engine), model, engine.sampling.max_tokens, hold)
    ranking = rank(given)
    _write(hold, case, votes=[vote.to_json() for vote in given], ranking=ranking)
    if not ranking:
        why = "No vote of the supervisor could be used: " + (given[0].failure if given else "none was asked")
        _write(hold, case, state=CaseState.FAILED, message=why)
        return
    _record_blame(case, spec, given, ranking[0], path)
    blame.by_rule(case.run)
    if spec.replays:
        blame.start_replays(case.run, spec.replays, publish_to_workers=publish)


def rank(given: Sequence[Vote]) -> list[str]:
    """Agents by votes, most blamed first; among equals by the places they take in the voters' own rankings."""
    blamed: Counter[str] = Counter()
    places: Counter[str] = Counter()
    for vote in given:
        if vote.opinion:
            blamed[vote.opinion.agent] += 1
            for place, agent in enumerate(vote.opinion.ranking):
                places[agent] += len(AGENTS) - place
    order = {agent: at for at, agent in enumerate(AGENTS)}
    return sorted(places, key=lambda agent: (-blamed[agent], -places[agent], order[agent]))


def _record_blame(
    case: SupervisionCase, spec: SupervisionSpec, given: Sequence[Vote], agent: str, path: steps.Path
) -> None:
    usable = [vote for vote in given if vote.opinion]
    own = [vote for vote in usable if vote.opinion and vote.opinion.agent == agent]
    first = max(own, key=lambda vote: (vote.opinion and vote.opinion.confidence) or 0.0)
    assert first.opinion is not None
    review.blame(
        case.run,
        agent,
        actor=f"{spec.supervisor}, vote of {len(given)}" if len(given) > 1 else spec.supervisor,
        source="supervisor",
        step=path.step_of(agent, first.opinion.step),
        cause="vote",
        confidence=round(len(own) / len(usable), 3),
        reason=first.opinion.diagnosis,
        evidence=first.evidence,
        key=f"supervision-{case.pk}",
    )


# -- rounds


def _begin_round(case: SupervisionCase, spec: SupervisionSpec, hold: Hold, publish: bool) -> None:
    """Start the next branch; a round whose agent has no step or no feedback that may be passed on is skipped."""
    path = steps.Path(case.run)
    while case.round < spec.rounds * spec.draws:
        turn, draw = divmod(case.round, spec.draws)
        if turn >= len(case.ranking):
            break
        agent = case.ranking[turn]
        feedback, cited, why = _feedback(case.votes, agent)
        at = path.step_of(agent, cited)
        if at is None or not feedback:
            why = why if at is not None else "this agent has no step in the run"
            _skip(case, hold, agent, why, spec.draws - draw)
            continue
        change = _change(spec, at, feedback, draw)
        branch = branches.start(
            case.run,
            change,
            reason=f"supervision {case.supervision_id}: {agent} blamed",
            request_id=f"supervision-{case.pk}-{case.round}",
            publish_to_workers=publish,
        )
        _write(hold, case, state=CaseState.REVISING, branch=branch)
        return
    _write(hold, case, state=CaseState.UNRESOLVED, message="No revision passed the hidden tests.")


def _skip(case: SupervisionCase, hold: Hold, agent: str, why: str, rounds: int) -> None:
    told = {"round": case.round, "agent": agent, "step": None, "branch": None, "verdict": "", "why": why}
    _write(hold, case, tried=[*case.tried, told], round=case.round + rounds)


def _feedback(given: Sequence[dict[str, Any]], agent: str) -> tuple[str, int | None, str]:
    """Advice for the agent: of the votes that blame it the surest one's; else the first vote's diagnosis, which names
    no role. Neither is used where it leaks, or where nobody looked whether it does. Returns (feedback, cited step, why there
    is none)."""
    own = sorted(
        (vote for vote in given if vote["agent"] == agent), key=lambda vote: -(vote["confidence"] or 0.0)
    )
    for vote in own:
        if not vote["faults"]:
            return vote["feedback"], vote["blamed_step"], ""
    if own:
        return "", None, "; ".join(own[0]["faults"])
    clean = [
        vote
        for vote in given
        if vote["diagnosis"] and not vote["faults"] and vote.get("diagnosis_faults") == []
    ]
    return (clean[0]["diagnosis"], None, "") if clean else ("", None, "no feedback may be passed on")


def _change(spec: SupervisionSpec, at: int, feedback: str, draw: int) -> Change:
    by_teacher = spec.reviser == "teacher"
    return Change(
        at=at,
        kind="feedback",
        text=feedback,
        temperature=REVISION_TEMPERATURE if draw else None,
        draw=draw,
        actor=spec.supervisor,
        engine=spec.teacher if by_teacher else "",
    )


# -- what came of it


def _read_branch(case: SupervisionCase, hold: Hold) -> None:
    branch = case.branch
    assert branch is not None
    spec = SupervisionSpec.model_validate(case.supervision.spec)
    if branch.status == RunStatus.FAILED and branch.reason in lifecycle.AWAY:
        lifecycle.pause(case.supervision_id, reason=branch.reason, message=branch.message)
        return
    agent = case.ranking[case.round // spec.draws]
    told = {
        "round": case.round,
        "agent": agent,
        "step": branch.branch["at"],
        "branch": branch.pk,
        "verdict": branch.verdict,
        "why": "" if branch.verdict else branch.message,
        "measured": meaning(branch).state == SlotState.MEASURED,
    }
    if branch.solved:
        kept = keep_corrections(case.run, branch, downstream=spec.downstream)
        _write(hold, case, tried=[*case.tried, told], state=CaseState.CORRECTED, kept=kept)
        return
    _write(hold, case, tried=[*case.tried, told], state=CaseState.WAITING, branch=None, round=case.round + 1)


def keep_corrections(parent: Run, branch: Run, *, downstream: bool) -> int:
    """The blamed agent's pair: the parent's own prompt and the revised answer, the old answer as the refused one.

    `downstream`: where the plan was revised and its first program passed, also that program, with its own prompt: it is
    new, it follows a right plan, and no supervisor's word is in it. Returns how many examples there are of it.
    """
    at = branch.branch["at"]
    before = {step.number: step for step in examples.asked(parent.pk)}
    after = list(examples.asked(branch.pk))
    revised = next(step for step in after if step.number == at)
    way = Way.SUPERVISOR
    kept = examples.keep(way, branch, revised, origin=(parent, before[at]), refused=before[at].finished.text)
    found = [kept] if kept else []
    if downstream and revised.role == "planning":
        later = [step for step in after if step.number > at]
        coded = [step for step in later if step.role == "coding" and not step.is_retry]
        if len(coded) == 1 and not any(step.role == "debugging" for step in later):
            followed = examples.keep(way, branch, coded[0])
            found += [followed] if followed else []
    return len(found)


__all__ = ["keep_corrections", "rank", "work"]
