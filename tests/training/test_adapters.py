"""The registry: import, evaluate, promote, roll back; runs in flight keep what they were started with; the exam."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from solver import engine_book, runs
from solver.campaigns.models import Campaign, CampaignStatus
from solver.engines.adapters import BadAdapter
from solver.engines.protocol import ChatReply, ChatRequest, EngineRefused, FinishReason, Usage
from solver.models import ServedAdapter
from tests.factories import make_run, problem_spec
from tests.training import micro_rows
from tests.training.versions import make_version, micro_version
from training import adapters, evaluation, exams, marking, model_card
from training.adapter_models import AdapterState, ExamState
from training.models import Adapter, AdapterEvaluation, ExamAnswer, Example, ExampleState, Promotion
from trajectories.models import Problem
from trajectories.problems import store

pytestmark = pytest.mark.django_db
SHIPPED = Path(settings.BASE_DIR) / "micro/artefact/adapters"
POINTS = {"together": ["a"], "n": 40, "won": 9, "lost": 1, "p": 0.02, "points": 20.0, "low": 6.0, "high": 33.0,
          "base": {}, "new": {}}  # fmt: skip


def imported(role: str = "coding", like: str = "") -> Adapter:
    """The shipped adapter of `like` (or of the role itself) as one of somebody's own."""
    return adapters.import_folder(SHIPPED / (like or role), role=role, engine="micro")


def micro_problem(name: str = "micro/x") -> Problem:
    return store(problem_spec(id=name, source="micro", statement=f"{name}: print the sum."))[0]


def evaluated(*chosen: Adapter, **changes: Any) -> None:
    campaign = Campaign.objects.create(
        name="x",
        spec={},
        spec_digest="0",
        request_id=str(len(Campaign.objects.all())),
        status=CampaignStatus.FINISHED,
    )
    made = AdapterEvaluation.objects.create(campaign=campaign, result={**POINTS, **changes})
    made.adapters.set(chosen)
    Adapter.objects.filter(pk__in=[one.pk for one in chosen]).move(AdapterState.EVALUATED)
    for one in chosen:
        one.refresh_from_db()


def roles(**changes: str) -> dict[str, str]:
    own = {
        "retrieval": "retrieval",
        "planning": "planning",
        "confidence": "planning",
        "coding": "coding",
        "debugging": "debugging",
    }
    return {**own, **changes}


def test_an_imported_adapter_is_named_by_its_weights_and_the_same_weights_are_one_adapter() -> None:
    made = imported()
    assert made.name == f"coding@{made.digest[:12]}" and made.folder.is_dir() and str(made) == "coding@1"
    assert made.base_fingerprint and (made.rank, made.modules[0]) == (16, "down_proj")
    assert imported().pk == made.pk and Adapter.objects.count() == 1
    assert ServedAdapter.objects.get().active is False


def test_the_next_runs_use_a_promoted_adapter_and_those_under_way_keep_theirs() -> None:
    problem, made = micro_problem(), imported(like="debugging")
    before = runs.start(problem, engine="micro", publish_to_workers=False)
    evaluated(made)
    adapters.promote(made, actor="anna")
    after = runs.start(problem, engine="micro", publish_to_workers=False)
    assert before.engine["roles"] == roles() and after.engine["roles"] == roles(coding=made.name)
    assert after.engine["adapters"][made.name] == made.digest and made.name not in before.engine["adapters"]
    for run in (before, after):
        spec = engine_book.get_unchanged("micro", run.engine)
        assert (made.name in spec.adapters) == (run is after)
    assert adapters.serving("micro", "coding") == made
    adapters.roll_back("micro", "coding", actor="anna")
    assert engine_book.roles_of(engine_book.get("micro")) == roles()
    assert engine_book.get_unchanged("micro", after.engine).adapters[made.name] == str(made.folder)
    assert [move.reason for move in Promotion.objects.order_by("pk")] == ["", "rolled back"]


def test_rolling_back_brings_the_adapter_before_back_and_planning_takes_its_confidence_call_along() -> None:
    first, second = imported("planning", "coding"), imported("planning")
    for one in (first, second):
        evaluated(one)
        adapters.promote(one)
    assert engine_book.roles_of(engine_book.get("micro")) == roles(
        planning=second.name, confidence=second.name
    )
    adapters.roll_back("micro", "planning")
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == (AdapterState.PROMOTED, AdapterState.RETIRED)
    assert engine_book.roles_of(engine_book.get("micro"))["planning"] == first.name
    adapters.retire(first)
    assert engine_book.roles_of(engine_book.get("micro")) == roles()
    with pytest.raises(adapters.Refused, match="nothing to roll back"):
        adapters.roll_back("micro", "planning")


def test_weights_that_were_changed_behind_the_lab_end_the_run_instead_of_answering_it() -> None:
    made = imported(like="debugging")
    evaluated(made)
    adapters.promote(made)
    run = runs.start(micro_problem(), engine="micro", publish_to_workers=False)
    (made.folder / "adapter_model.safetensors").write_bytes(b"other")
    try:
        with pytest.raises(EngineRefused, match="is gone or is not what it was"):
            engine_book.get_unchanged("micro", run.engine)
    finally:
        shutil.rmtree(made.folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"low": -9.0, "high": -1.0, "points": -5.0}, "worse than the base"),
        ({"low": -2.0, "points": 3.0}, "No clear gain"),
    ],
)
def test_the_gate_refuses_what_is_worse_or_not_clearly_better_unless_somebody_insists(
    changes: dict[str, float], words: str
) -> None:
    made = imported()
    with pytest.raises(adapters.Refused, match="not been evaluated"):
        adapters.promote(made)
    evaluated(made, **changes)
    with pytest.raises(adapters.Refused, match=words):
        adapters.promote(made)
    assert adapters.promote(made, anyway=True, reason="I know").reason == "I know"


def test_an_adapter_whose_rows_were_withdrawn_is_named_as_such() -> None:
    made = imported()
    version = micro_version()
    Adapter.objects.filter(pk=made.pk).update(dataset=version)
    Example.objects.filter(rows__version=version, rows__position=1).update(state=ExampleState.WITHDRAWN)
    made.refresh_from_db()
    assert any("1 row it was trained on was withdrawn" in text for text in adapters.objections(made))


def test_what_cannot_be_served_is_refused_at_import(tmp_path: Path) -> None:
    with pytest.raises(BadAdapter, match=r"adapter_model.safetensors is missing"):
        adapters.import_folder(tmp_path, role="coding", engine="micro")
    other = tmp_path / "other"
    shutil.copytree(SHIPPED / "coding", other)
    (other / "base.json").write_text(json.dumps({"fingerprint": "1" * 64}))
    with pytest.raises(adapters.Refused, match="trained on another base"):
        adapters.import_folder(other, role="coding", engine="micro")
    with pytest.raises(adapters.Refused, match="There is no role"):
        adapters.import_folder(SHIPPED / "coding", role="poet", engine="micro")
    with pytest.raises(adapters.Refused, match=r"neither a folder|could not be fetched"):
        adapters.fetch("no/such-adapter")


def test_an_evaluation_is_a_campaign_of_the_base_and_the_adapters_on_problems_they_did_not_learn_from() -> (
    None
):
    learned, fresh = micro_problem("micro/learned"), [micro_problem(f"micro/{at}") for at in range(3)]
    made = imported()
    version = make_version("coding", micro_rows.rows("coding", 6, 2), problems=[learned])
    Adapter.objects.filter(pk=made.pk).update(dataset=version)
    made.refresh_from_db()
    chosen = [made, imported("debugging")]
    started = evaluation.start(chosen, problems=3, request_id="e", publish_to_workers=False)
    assert evaluation.start(chosen, request_id="e", publish_to_workers=False) == started
    base, new = started.campaign.cells.all()
    bare = dict.fromkeys(roles(), "base")
    assert base.engine["roles"] == bare
    assert new.engine["roles"] == {**bare, **{one.role: one.name for one in chosen}}
    assert {entry.problem_id for entry in started.campaign.entries.all()} == {problem.pk for problem in fresh}
    assert new.params["k"] == 1
    evaluation.settle()
    started.refresh_from_db()
    assert started.result is None and evaluation.latest(made) is None
    with pytest.raises(evaluation.CannotEvaluate, match="Two adapters of one role"):
        evaluation.start([made, imported("coding", "retrieval")])


class Parrot:
    """Answers every prompt with what `says` has for the model."""

    def __init__(self, says: dict[str, str]) -> None:
        self.says, self.asked = says, 0

    def chat(self, request: ChatRequest, **_: Any) -> ChatReply:
        self.asked += 1
        return ChatReply(self.says[request.model], FinishReason.STOP, Usage(1, 1), request.model, 0.1)


@pytest.mark.django_db(transaction=True)
def test_the_exam_asks_each_column_once_and_shows_four_columns(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, version = imported("retrieval", "coding"), micro_version("retrieval", 6, 2)
    right = version.rows.get(position=4).example.answer
    parrot = Parrot({"base": "no idea", "retrieval": "<root><problem>", made.name: right})
    monkeypatch.setattr(exams, "open_engine", lambda spec: parrot)
    exam = exams.start(made, version, request_id="x", publish_to_workers=False)
    assert exams.start(made, version, request_id="x", publish_to_workers=False) == exam
    assert exam.columns == {"base": "base", "previous": "retrieval", "new": made.name}
    assert exams.execute(exam.pk) and not exams.execute(exam.pk) and parrot.asked == 6
    exam.refresh_from_db()
    assert exam.state == ExamState.DONE and ExamAnswer.objects.filter(exam=exam).count() == 6
    first = ExamAnswer.objects.get(exam=exam, row__position=4, column="new")
    assert first.right is True and not ExamAnswer.objects.filter(column="base", right=True).exists()
    page = client.get(f"/training/exams/{exam.pk}/").content.decode()
    for column in ("base", "previous", "new", "teacher"):
        assert f"<h3>{column}" in page
    ExamAnswer.objects.filter(exam=exam, column="base").delete()  # a worker was killed in between
    exam.__class__.objects.filter(pk=exam.pk).update(state=ExamState.WAITING)
    assert exams.execute(exam.pk) and parrot.asked == 8


def test_marks_are_the_roles_own_measure() -> None:
    def example(role: str, answer: str, problem: Problem | None = None) -> Example:
        return Example(role=role, answer=answer, problem=problem, messages=[])

    plan = "1. read\n2. print"
    assert marking.mark("planning", example("planning", plan), "1. read\n\n2. print").right is True
    sure = "<root>\n<explanation>x</explanation>\n<confidence>96</confidence>\n</root>"
    assert marking.mark("planning", example("planning", sure), sure.replace("96", "70")).right is True
    assert marking.mark("planning", example("planning", sure), "<confidence>low").failure
    summed = "```python\na, b = map(int, input().split())\nprint(a + b)\n```"
    problem = micro_problem()
    assert marking.mark("coding", example("coding", summed, problem), summed).right is True
    assert (
        marking.mark("debugging", example("debugging", summed, problem), summed.replace("+", "-")).right
        is False
    )
    assert marking.mark("coding", example("coding", summed), summed).right is None


def test_the_export_is_a_peft_folder_with_a_card_that_says_where_it_came_from(client: Client) -> None:
    import io
    import zipfile

    made = imported()
    evaluated(made)
    answer = client.get(f"/training/adapters/{made.pk}/export.zip")
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert sorted(Path(name).name for name in names) == [
        "README.md", "adapter_config.json", "adapter_model.safetensors", "base.json",
    ]  # fmt: skip
    card = model_card.text(made)
    assert made.digest in card and "+20.0 points [6.0, 33.0]" in card and "40 problems" in card


@pytest.mark.parametrize("number", ["9" * 20, "²", "-1", "0000209" + "9" * 5000])
def test_numbers_that_cannot_be_are_no_adapter_and_no_count(client: Client, number: str) -> None:
    for address in ("/training/adapters/evaluate/", "/training/adapters/promote/"):
        assert client.post(address, {"adapter": number, "problems": number}).status_code == 302, address
    assert client.post(f"/training/adapters/{imported().pk}/exam/", {"dataset": number}).status_code == 302


def test_a_folder_whose_name_is_too_long_is_refused_in_a_sentence(client: Client) -> None:
    wrong = {"folder": "x" * 5000, "role": "coding", "engine": "micro"}
    page = client.post("/training/adapters/import/", wrong, follow=True).content.decode()
    assert "cannot be a folder: File name too long" in page


def test_every_share_of_an_evaluation_stands_with_its_interval_and_its_number(client: Client) -> None:
    made = imported()
    share = {"value": 0.5, "low": 0.3, "high": 0.7, "n": 40}
    told = {"solved": share, "first_try": share, "roles": {"coding": {"affected": share}}}
    evaluated(made, base=told, new=told)
    page = client.get(f"/training/adapters/{made.pk}/").content.decode()
    assert page.count("[30 %, 70 %] of 40") == 6 and page.count("50 %") == 6


def test_home_asks_nobody_to_measure_what_is_being_measured(client: Client) -> None:
    make_run(status="finished", verdict="WA")
    chosen = imported()
    assert "Next: Measure 1 new adapter against" in client.get("/").content.decode()
    evaluated(chosen)
    going = AdapterEvaluation.objects.filter(adapters=chosen)
    going.update(result=None)
    Adapter.objects.update(state=AdapterState.REGISTERED)
    Campaign.objects.update(status="running")
    assert "Next: Measure" not in client.get("/").content.decode()
    Campaign.objects.update(status="cancelled")
    assert "Next: Measure 1 new adapter against" in client.get("/").content.decode()


def test_pages_say_what_to_do_when_there_is_nothing_and_show_what_there_is(client: Client) -> None:
    empty = client.get("/training/").content.decode()
    assert "Build a dataset version" in empty and "No adapter yet" in empty
    assert (
        "No dataset version is ready" in client.get("/training/new/").content.decode()
        or "ready dataset version" in client.get("/training/new/").content.decode()
    )
    made = imported()
    page = client.get(f"/training/adapters/{made.pk}/").content.decode()
    assert "has not been evaluated" in page and "Promote anyway" in page
    client.post(f"/training/adapters/{made.pk}/promote/", {"anyway": "1"})
    assert "Roll back" in client.get(f"/training/adapters/{made.pk}/").content.decode()
    assert "serving" in client.get("/training/").content.decode()
    refused = client.post(
        "/training/adapters/import/",
        {"folder": "/nowhere/at-all", "role": "coding", "engine": "micro"},
        follow=True,
    )
    assert "neither a folder" in refused.content.decode()
