"""Which answers are kept: those that led to a pass of all hidden tests, whole and in their format, each once."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from solver.engines.protocol import Role
from tests.campaigns.conftest import sums
from tests.distillation.conftest import Pair, start, work
from tests.runs.conftest import RIGHT, WRONG
from training import examples
from training.distillation import harvest as module
from training.distillation import lifecycle, report
from training.distillation.models import Distillation, Harvest
from training.models import Example
from training.spec_text import BadJob

pytestmark = pytest.mark.django_db(transaction=True)


def kept() -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for role, way in Example.objects.values_list("role", "way"):
        found[role, way] = found.get((role, way), 0) + 1
    return found


def test_the_teacher_recalls_and_repairs_what_the_student_wrote(pair: Pair) -> None:
    sums(3)
    job = start()
    work(job)
    assert kept() == {("retrieval", "teacher"): 3, ("debugging", "repair"): 3}
    repair = Example.objects.filter(role="debugging").first()
    assert repair is not None
    asked = str(repair.messages)
    assert "a - b" in asked and "a + b" in repair.answer and repair.author == "scripted"
    assert Role.DEBUGGING in {request.role for request in pair.teacher.asked}
    assert Role.DEBUGGING not in {request.role for request in pair.student.asked}


def test_nothing_is_kept_of_a_run_that_fails_a_hidden_test(pair: Pair) -> None:
    sums(2)
    passes_the_sample_alone = "```python\ninput()\nprint(3)\n```"
    pair.teacher.answers[Role.CODING] = pair.teacher.answers[Role.DEBUGGING] = passes_the_sample_alone
    job = start()
    work(job)
    assert Example.objects.count() == 0 and Harvest.objects.filter(passed=False).count() == 4


def test_planning_and_coding_are_kept_where_the_first_program_passed_alone(pair: Pair) -> None:
    sums(2)
    job = start(student="", teacher_roles=["retrieval", "planning", "coding"])
    work(job)
    # A plan and the verdict on it: two rows of the planner a problem.
    assert kept() == {("retrieval", "teacher"): 2, ("planning", "teacher"): 4, ("coding", "teacher"): 2}
    Example.objects.all().delete()
    pair.teacher.answers[Role.CODING] = WRONG
    work(start(student="", teacher_roles=["retrieval", "planning", "coding"], seeds=[1]))
    assert set(kept()) == {("retrieval", "teacher")}


def test_a_verdict_on_a_plan_that_came_out_wrong_is_no_example(pair: Pair) -> None:
    sums(1)
    pair.teacher.answers[Role.CONFIDENCE] = (
        "<root><explanation>No.</explanation><confidence>10</confidence></root>"
    )
    work(start(student="", teacher_roles=["planning"]))
    assert Example.objects.filter(role="planning").count() == 1


@pytest.mark.parametrize("broken", ["<root><problem>", f"Here:\n{RIGHT}\n{RIGHT}"])
def test_an_answer_that_breaks_its_format_is_left_out_with_the_reason(pair: Pair, broken: str) -> None:
    sums(1)
    pair.teacher.answers[Role.RETRIEVAL] = broken
    job = start(student="")
    work(job)
    assert Example.objects.count() == 0
    assert list(Harvest.objects.get().why) == ["retrieval"]


class Killed(BaseException):
    """As good as kill -9."""


@pytest.mark.parametrize("at", [1, 2, 4])
def test_a_kill_during_the_harvest_loses_no_example_and_doubles_none(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    sums(2)
    job = start()
    real, writes = examples.keep, 0

    def cut(*args: Any, **kwargs: Any) -> Any:
        nonlocal writes
        made = real(*args, **kwargs)
        writes += 1
        if writes == at:
            raise Killed
        return made

    monkeypatch.setattr(examples, "keep", cut)
    monkeypatch.setattr(module, "CHUNK", 1)
    try:
        work(job)
    except Killed:
        work(job)
    asked = len(pair.teacher.asked)
    assert kept() == {("retrieval", "teacher"): 2, ("debugging", "repair"): 2}
    assert Harvest.objects.count() == 4
    work(job)
    assert len(pair.teacher.asked) == asked == len({(r.role, r.prompt_digest()) for r in pair.teacher.asked})


def test_the_yield_is_told_by_role_with_its_interval_and_its_price(pair: Pair, client: Client) -> None:
    sums(2)
    job = start()
    work(job)
    found = report.build(job)
    assert [(role.role, role.runs, role.looked) for role in found.roles] == [
        ("retrieval", 2, 2),
        ("debugging", 2, 2),
    ]
    assert found.spent["tokens"] > 0 and found.tokens_a_pair
    page = client.get(f"/distillation/{job.pk}/").content.decode()
    assert "2 of 2 passed all hidden tests" in page and "4 pairs" in page
    part = client.get(f"/distillation/{job.pk}/progress/").content.decode()
    assert "4 of 4 judged runs looked at" in part
    for run in Harvest.objects.values_list("run_id", flat=True):
        assert f'href="/runs/{run}/"' in part, "the list of runs follows with the figures"
    assert "Test" in client.get("/distillation/").content.decode()


def test_one_press_starts_one_job_and_mistakes_are_told(pair: Pair, client: Client) -> None:
    sums(1)
    data = {
        "do": "form",
        "name": "By hand",
        "teacher": "teacher",
        "student": "student",
        "source": ["test"],
        "k": "1",
        "t": "1",
        "request_id": "x",
    }
    addresses = {client.post("/distillation/new/", data).headers["Location"] for _ in range(2)}
    job = Distillation.objects.get()
    assert addresses == {f"/distillation/{job.pk}/"}
    another = client.post("/distillation/new/", {**data, "name": "Changed after Back"}).headers["Location"]
    assert another == f"/distillation/{Distillation.objects.latest('pk').pk}/" and another not in addresses
    assert "2 runs" in client.post("/distillation/new/", {**data, "look": "1"}).content.decode()
    wrong = client.post("/distillation/new/", {**data, "teacher": "nobody", "request_id": "y"})
    assert wrong.status_code == 422 and "there is no engine" in wrong.content.decode()
    assert client.get("/distillation/new/").status_code == 200


def test_a_form_that_is_refused_or_looked_at_keeps_what_was_ticked(pair: Pair, client: Client) -> None:
    sums(1)
    data = {"do": "form", "name": "Mine", "source": ["test"], "keep-coding": "1", "k": "1", "request_id": "z"}
    for more in ({"teacher": "nobody"}, {"teacher": "teacher", "look": "1"}):
        html = client.post("/distillation/new/", {**data, **more}).content.decode()
        assert 'name="keep-coding" value="1" checked' in html
        assert 'name="keep-planning" value="1">' in html and 'value="test" checked' in html
    assert not Distillation.objects.exists()


def test_a_job_without_a_source_of_answers_is_refused(pair: Pair) -> None:
    with pytest.raises(BadJob, match="Name a teacher, or"):
        start(teacher="", student="")
    with pytest.raises(BadJob, match="no imported trajectory"):
        start(teacher="", student="", imported={})
    assert lifecycle.keep_going() == 0
