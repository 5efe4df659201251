"""Who answers in a run of the recipe: the student's model, the teacher's server, or the supervisor's corrections."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from micro.generation import BASE, Generator, Lockstep
from micro.oracle_server import MODEL, reply_to
from micro.workbench import ModelStaff, Staff
from solver.agents.prompts import Prompt
from solver.engines.protocol import ChatModel, Role

AGENTS = ("retrieval", "planning", "coding", "debugging")


class TaughtStaff:
    """A student whose calls in some roles go to somebody else."""

    def __init__(
        self, student: Staff, others: Mapping[Role, Callable[[Role, Prompt], tuple[str, bool]]]
    ) -> None:
        self._student, self._others = student, others

    def answer(self, role: Role, prompt: Prompt) -> tuple[str, bool]:
        return self._others.get(role, self._student.answer)(role, prompt)

    def leave(self) -> None:
        self._student.leave()


def students(
    generator: Generator, adapted: Mapping[str, str] | None = None
) -> Callable[[Sequence[int]], dict[int, Staff]]:
    """The small model in every role; `adapted` names the adapter of an agent, the base where it names none."""
    models = {agent: (adapted or {}).get(agent, BASE) for agent in AGENTS}

    def of_wave(wave: Sequence[int]) -> dict[int, Staff]:
        engine = Lockstep(generator, len(wave))
        return {index: ModelStaff(engine, models, engine.leave) for index in wave}

    return of_wave


def teachers(engine: ChatModel) -> Callable[[Sequence[int]], dict[int, Staff]]:
    """A served teacher in every role."""
    models = dict.fromkeys(AGENTS, MODEL)
    return lambda wave: {index: ModelStaff(engine, models) for index in wave}


def taught(
    generator: Generator, teacher: ChatModel, roles: Sequence[Role], adapted: Mapping[str, str] | None = None
) -> Callable[[Sequence[int]], dict[int, Staff]]:
    """Students with the served teacher in `roles`."""
    served = ModelStaff(teacher, dict.fromkeys(AGENTS, MODEL))
    others = dict.fromkeys(roles, served.answer)
    alone = students(generator, adapted)
    return lambda wave: {index: TaughtStaff(staff, others) for index, staff in alone(wave).items()}


def corrected(
    generator: Generator, roles_of: Mapping[int, frozenset[Role]]
) -> Callable[[Sequence[int]], dict[int, Staff]]:
    """Students whose blamed roles answer as the supervisor wants; `roles_of` goes by the index in the run."""
    alone = students(generator)

    def revised(role: Role, prompt: Prompt) -> tuple[str, bool]:
        return reply_to(prompt.text), False

    return lambda wave: {
        index: TaughtStaff(staff, dict.fromkeys(roles_of[index], revised))
        for index, staff in alone(wave).items()
    }
