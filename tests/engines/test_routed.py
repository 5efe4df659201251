"""One engine made of several: every role reaches the member that its route names."""

from __future__ import annotations

import pytest

from solver import engine_book
from solver.engines.protocol import ChatRequest, Message, Role
from solver.engines.registry import close_all, open_engine
from solver.engines.spec import BadSpec, EngineSpec
from solver.models import Engine
from tests.agents_server import agents_server


@pytest.mark.django_db
def test_each_role_is_answered_by_the_engine_of_its_route() -> None:
    with agents_server() as student, agents_server() as teacher:
        student.pause_s = teacher.pause_s = 0
        for name, board in (("student", student), ("teacher", teacher)):
            Engine.objects.create(name=name, spec=board.spec(name))
        spec = engine_book.route("student", {"debugging": "teacher"})
        assert engine_book.route("student", {"debugging": "teacher"}) == spec
        engine = open_engine(spec)
        for role in (Role.PLANNING, Role.CONFIDENCE, Role.DEBUGGING):
            engine.chat(ChatRequest(role, spec.model_for(role), (Message("user", "hello"),)))
        assert (student.asked, teacher.asked) == (["planning", "confidence"], ["debugging"])
        assert [member["name"] for member in spec.public()["members"]] == ["student", "teacher"]
        close_all()


@pytest.mark.django_db
def test_a_change_of_a_member_is_a_change_of_the_engine_and_a_member_that_is_gone_takes_it_along() -> None:
    with agents_server() as board:
        for name in ("student", "teacher"):
            Engine.objects.create(name=name, spec=board.spec(name))
        before = engine_book.route("student", {"debugging": "teacher"})
        Engine.objects.filter(name="teacher").update(spec={**board.spec("teacher"), "rpm": 5})
        assert engine_book.get(before.name).digest() != before.digest()
        Engine.objects.filter(name="teacher").delete()
        with pytest.raises(engine_book.UnknownEngine):
            engine_book.get(before.name)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"routes": {"debugging": "teacher"}}, "needs routes"),
        ({"routes": {"default": "a", "judge": "b"}}, "has no role 'judge'"),
        ({"routes": {"default": "a"}, "models": {"default": "m"}}, "means nothing"),
    ],
)
def test_a_route_that_makes_no_sense_is_refused(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadSpec, match=sentence):
        EngineSpec.parse({"name": "mixed", "kind": "routed", **changes})
