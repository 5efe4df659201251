"""Blame that no model's opinion is needed for: counterfactual replay of every agent, and a rule.

Replay. For each agent X of the pipeline the run is done again from X's step on, everything before it frozen, some times
with draws of their own. Let f(X) be the share that passes. Redoing X also redoes whatever follows it, so f alone says
too much for the early agents; what X itself adds is f(X) - f(next agent): the agent with the largest gain is blamed. A
run that fails from a frozen wrong plan on, and passes once the plan is drawn again, is the planner's; one that passes
once the program alone is drawn again is the coder's. Nobody is blamed where no replay passes.

The rule is a cheap prior: an answer that could not be used, a program that ignores its plan, and else the plan where
the samples passed and the hidden tests did not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.db.models import Q

from solver import branches
from solver.campaigns.models import SlotState
from solver.campaigns.settlement import meaning
from solver.change import Change
from solver.engines.protocol import ContextOverflow
from training import examples
from training.supervision.steps import Path
from trajectories import eventlog, events, review
from trajectories.models import Judgement, Run, RunStatus
from trajectories.wilson import Share, share

PREFIX = "redo-"
TEMPERATURE = branches.REPLAY_TEMPERATURE
ACTOR = "replay of every agent"


@dataclass(frozen=True, slots=True)
class Redone:
    """`passed` of `trials` runs that were done again from this agent's step on. One that says nothing about the agents, whose
    engine or judge was away, or that was cancelled, is no trial."""

    agent: str
    step: int
    passed: int
    trials: int

    @property
    def share(self) -> Share:
        return share(self.passed, self.trials)


def start_replays(run: Run, draws: int, *, publish_to_workers: bool = True) -> list[Run]:
    """Queue `draws` replays of each agent; the same again returns those that there are. Raises BranchRefused.

    The first draw is not the greedy one: greedy decoding would repeat the very answer that is under suspicion.
    """
    path = Path(run)
    started = []
    for agent in path.agents:
        at = path.step_of(agent)
        for draw in range(1, draws + 1):
            assert at is not None
            change = Change(at, "again", temperature=TEMPERATURE, draw=draw, actor=ACTOR)
            started.append(
                branches.start(
                    run,
                    change,
                    reason=f"redone from {agent} on",
                    request_id=request_id(run.pk, agent, draw),
                    publish_to_workers=publish_to_workers,
                )
            )
    return started


def request_id(run: int, agent: str, draw: int) -> str:
    return f"{PREFIX}{run}-{agent}-{draw}"


def redone(run: Run) -> list[Redone] | None:
    """What the replays say, in the order of the pipeline; None while one of them is under way, or none was measured."""
    path = Path(run)
    found = list(Run.objects.filter(branch_of=run, request_id__startswith=f"{PREFIX}{run.pk}-"))
    measured = [one for one in found if one.ended and meaning(one).state == SlotState.MEASURED]
    if not measured or not all(one.ended for one in found):
        return None
    told = []
    for agent in path.agents:
        mine = [one.verdict for one in measured if one.request_id.split("-")[2] == agent]
        step = path.step_of(agent)
        if mine and step is not None:
            told.append(Redone(agent, step, sum(verdict == "AC" for verdict in mine), len(mine)))
    return told


def most_gained(told: list[Redone]) -> Redone | None:
    """The agent whose own redoing adds most; of equals the later one, for less of the run had to change. None where no
    replay passed."""
    best: tuple[float, Redone] | None = None
    after = 0.0
    for one in reversed(told):
        gain = one.share.rate - after
        if one.passed and (best is None or gain > best[0]):
            best = (gain, one)
        after = max(after, one.share.rate)
    return best[1] if best else None


def by_replay(run: Run) -> Judgement | None:
    """Blame what the ended replays show. None where they have not ended, or that is said already."""
    told = redone(run)
    if told is None:
        return None
    blamed = most_gained(told)
    return review.blame(
        run,
        blamed.agent if blamed else review.NOBODY,
        actor=ACTOR,
        source="replay",
        step=blamed.step if blamed else None,
        cause="redone",
        flips=blamed.passed if blamed else 0,
        trials=blamed.trials if blamed else sum(one.trials for one in told),
        reason="; ".join(f"redone from {one.agent} on: {one.passed} of {one.trials} pass" for one in told),
        key=f"{PREFIX}{run.pk}-{sum(one.trials for one in told)}",
    )


def settle_replays(limit: int = 20) -> int:
    """Blame for every run whose replays have all ended and that was not blamed by them yet."""
    said = Q(status=RunStatus.FINISHED) | Q(status=RunStatus.FAILED, reason=ContextOverflow.code)
    replayed = Run.objects.filter(said, request_id__startswith=PREFIX).exclude(branch_of=None)
    waiting = replayed.exclude(
        branch_of__in=Judgement.objects.filter(source="replay", actor=ACTOR).values("run")
    )
    done = 0
    for pk in waiting.order_by("branch_of").values_list("branch_of", flat=True).distinct()[:limit]:
        assert pk is not None
        done += by_replay(Run.objects.get(pk=pk)) is not None
    return done


# -- the rule


@dataclass(frozen=True, slots=True)
class Ruled:
    agent: str
    step: int | None
    cause: str
    reason: str


def rule(run: Run) -> Ruled:
    """Whom the rule suspects. It always names somebody: a prior, not evidence."""
    path = Path(run)
    on_path = {path.step_of(agent) for agent in path.agents}
    steps = [step for step in examples.asked(run.pk) if step.number in on_path]
    for step in steps:
        if not step.finished.parse.usable:
            return Ruled(step.agent, step.number, "format_failure", step.finished.parse.message)
        if step.finished.finish_reason == "length":
            return Ruled(step.agent, step.number, "cut_off", "The answer was cut at its token limit.")
    answer = {step.role: step for step in steps}
    plan, code = answer.get("planning"), answer.get("debugging") or answer.get("coding")
    if plan and code and (missing := unplanned(plan.finished.text, code.finished.text)):
        why = f"The plan says {', '.join(missing)}; the program does not."
        return Ruled(code.agent, code.number, "plan_and_code_disagree", why)
    suspect = plan or code
    if suspect is None:
        return Ruled(review.NOBODY, None, "nothing_recorded", "No plan and no program is recorded.")
    passed = _samples_passed(run)
    cause = "samples_pass_hidden_fail" if passed else "program_follows_a_wrong_plan"
    why = "The samples pass and a hidden test fails." if passed else "The program does what the plan says."
    return Ruled(suspect.agent, suspect.number, cause, why)


def by_rule(run: Run) -> Judgement | None:
    found = rule(run)
    return review.blame(
        run, found.agent, actor="rule", source="rule", step=found.step, cause=found.cause, reason=found.reason
    )


def _samples_passed(run: Run) -> bool:
    verdict = ""
    for row in eventlog.read_all(run.pk):
        event = events.parse(row.kind, row.payload)
        if isinstance(event, events.TestsFinished) and event.suite == "samples":
            verdict = event.verdict
    return verdict == "AC"


# Words of a plan, and what a program that follows it has somewhere.
_TRACES = (
    (r"\bsort|\border(?:ed)? by\b|\bascending\b|\bdescending\b", r"sort"),
    (r"\brevers", r"\[::-1\]|revers"),
    (r"\bmax(?:imum)?\b|\blargest\b|\bgreatest\b", r"max|sort|>"),
    (r"\bmin(?:imum)?\b|\bsmallest\b|\bleast\b", r"min|sort|<"),
    (r"\bsum\b|\btotal\b", r"sum|\+="),
    (r"\bcount\b|\bhow many\b|\bnumber of\b", r"len|count|sum|\+= ?1"),
    (r"\bsquare", r"\*\* ?2|\bpow\b|(\w+) ?\* ?\1"),
    (r"\bdistinct\b|\bunique\b|\bduplicate", r"set|dict|fromkeys|not in|Counter"),
    (r"\babsolute", r"abs"),
    (r"\beven\b|\bodd\b|\bremainder\b|\bmodulo\b|\bdivisible\b", r"%|&"),
)


def unplanned(plan: str, program: str) -> list[str]:
    """Operations and constants of the plan of which the program shows no trace."""
    text = re.sub(r"^\s*\d+[.)]", "", plan.lower(), flags=re.MULTILINE)
    code = program.rpartition("```")[0].rpartition("```")[2] or program
    missing = [
        match[0]
        for words, trace in _TRACES
        if (match := re.search(words, text)) and not re.search(trace, code)
    ]
    numbers = {
        number for number in re.findall(r"(?<![\w.])\d+(?![\w.])", text) if number not in ("0", "1", "2")
    }
    there = set(re.findall(r"\d+", code))
    return missing + sorted(numbers - there)
