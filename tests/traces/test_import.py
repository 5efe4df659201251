"""Imported trajectories become runs like any other, and say that they did not happen here."""

from __future__ import annotations

import json
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from solver.trace_import import Imported, Options, Outcome, import_traces
from tests.factories import make_problem, make_run, problem_spec
from tests.traces import samples
from tests.traces.samples import otlp, span, write
from trajectories import eventlog, events, queries, story
from trajectories.models import Problem, Run, Step
from trajectories.problems import store
from trajectories.traces import read_traces

pytestmark = pytest.mark.django_db(transaction=True)
WRONG = "print(0)\n"


@pytest.fixture
def problem() -> Problem:
    return make_problem()


def bring(path: Path, **options: Any) -> Imported:
    read = read_traces(path)
    return import_traces(read.found, Options(**{"judge": False, **options}), read.faults)


def trace(**changes: Any) -> dict[str, Any]:
    return {**samples.NORMALISED, **changes}


def log(run: Run) -> list[events.Event]:
    return [events.parse(event.kind, event.payload) for event in eventlog.read_all(run.pk)]


def test_a_trace_becomes_a_run_with_messages_answers_and_readings(problem: Problem, tmp_path: Path) -> None:
    report = bring(write(tmp_path / "t.jsonl", trace()), created_by="ada")
    (pk,) = report.runs
    run = Run.objects.get(pk=pk)
    assert (run.problem, run.strategy, run.status, run.created_by) == (problem, "mapcoder", "finished", "ada")
    assert (run.imported_from, run.recorded_solved, run.verdict) == ("normalised", True, "")
    assert (run.prompt_tokens, run.completion_tokens, run.calls, run.format_failures) == (900, 90, 2, 0)
    assert run.engine["label"] == "some-model, imported from normalised traces, not run here"
    assert run.engine["simulated"] is False and run.engine["roles"]["coding"] == "some-model"
    first, planning, plan, note, _, coded, feedback, end = log(run)
    assert isinstance(first, events.RunImported) and first.extra["mood"] == "confident"
    assert isinstance(planning, events.StepStarted) and "<test_cases>" in planning.messages[0]["content"]
    assert isinstance(plan, events.StepFinished) and plan.parse.value == "Add them."
    assert isinstance(note, events.Note) and note.name == "recorded_note"
    assert isinstance(coded, events.StepFinished) and coded.parse.value == samples.SUM
    assert isinstance(feedback, events.Note) and feedback.detail["text"] == "1 2: passed\n5 6: passed"
    assert isinstance(end, events.RunFinished) and end.code == samples.SUM
    assert end.message == "Imported from normalised traces, not run here. Recorded there as solved."


def test_the_program_is_judged_here_and_both_verdicts_stand(problem: Problem, tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.jsonl", trace(), trace(id="t2", final_code=WRONG), trace(id="t3", final_code=None)
    )
    report = bring(path, judge=True)
    assert report.verdicts == Counter({(True, "AC"): 1, (True, "WA"): 1})
    assert report.agreements == (1, 2)
    assert report.unjudged == Counter({"no program was recorded": 1})
    right, wrong, none = Run.objects.order_by("pk")
    assert (right.verdict, right.passed, right.total, right.judge_level != "") == ("AC", 3, 3, True)
    assert right.message.endswith("Our judge: accepted, 3 of 3 tests. The two agree.")
    assert (wrong.verdict, wrong.recorded_solved) == ("WA", True)
    assert wrong.message.endswith("The two disagree.")
    assert (none.verdict, none.message.endswith("No program was recorded.")) == ("", True)
    judge = Step.objects.get(run=wrong, role="judge")
    assert (judge.suite, judge.verdict, judge.strip[0]) == ("hidden", "WA", "w")
    told = story.tell(wrong)
    assert [card.code for card in told.cards.values()][-1] == WRONG


def test_importing_again_stores_nothing_and_judges_only_what_was_not(
    problem: Problem, tmp_path: Path
) -> None:
    path = write(tmp_path / "t.jsonl", trace(), trace(), trace(id="t2"))
    first = bring(path)
    assert first.counts == Counter({Outcome.NEW: 2, Outcome.KNOWN: 1})
    before = [log(run) for run in Run.objects.order_by("pk")]
    again = bring(path, judge=True)
    assert (again.counts[Outcome.NEW], Run.objects.count()) == (0, 2)
    assert again.verdicts == Counter({(True, "AC"): 2})
    for run, earlier in zip(Run.objects.order_by("pk"), before, strict=True):
        assert log(run)[: len(earlier)] == earlier  # what was recorded stands
        assert (run.verdict, run.passed) == ("AC", 3)
    assert bring(path, judge=True).verdicts == Counter()


def test_a_dry_run_says_what_would_happen_and_stores_nothing(problem: Problem, tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", trace(), trace(id="t2", problem_id="test/other"))
    report = bring(path, judge=True, dry_run=True)
    assert report.counts == Counter({Outcome.NEW: 1, Outcome.NO_PROBLEM: 1})
    assert report.missing == Counter({"test/other": 1})
    assert not Run.objects.exists()


def test_a_problem_is_found_by_its_group_when_its_id_is_another(tmp_path: Path) -> None:
    store(problem_spec(id="test/twin", group="test/sum"))
    (pk,) = bring(write(tmp_path / "t.jsonl", trace())).runs
    assert Run.objects.get(pk=pk).problem.external_id == "test/twin"


def test_an_unnamed_problem_is_a_fault_until_it_is_named(problem: Problem, tmp_path: Path) -> None:
    call = span(1, "chat", gen_ai__operation__name="chat", gen_ai__request__model="m")
    path = write(tmp_path / "s.json", otlp(call))
    refused = bring(path)
    assert [str(fault) for fault in refused.faults] == [
        "s.json, line 1, problem: the trajectory does not name its problem; name it with --problem ID"
    ]
    (pk,) = bring(path, problem="test/sum").runs
    run = Run.objects.get(pk=pk)
    step = Step.objects.get(run=run)
    assert run.started_at is not None and run.started_at.year == step.started_at.year == 2026
    assert (
        step.started_at.month,
        step.finished_at and (step.finished_at - step.started_at).total_seconds(),
    ) == (4, 0.5)


def test_a_language_this_judge_does_not_know_is_kept_and_not_judged(problem: Problem, tmp_path: Path) -> None:
    report = bring(write(tmp_path / "t.jsonl", trace(language="Common Lisp")), judge=True)
    assert report.unjudged == Counter({"this machine cannot run common lisp": 1})
    assert Run.objects.get().language == "common lisp"


def test_what_nobody_judged_is_neither_solved_nor_failed(
    problem: Problem, tmp_path: Path, client: Client
) -> None:
    (pk,) = bring(write(tmp_path / "t.jsonl", trace())).runs
    for question, found in (("failed", 0), ("solved", 0), ("judged", 0), ("imported", 1)):
        assert queries.runs({"q": f"is:{question}"}).total == found, question
    counts = queries.loop()
    assert (counts.runs, counts.judged, counts.failures) == (1, 0, 0)
    assert [vars(row)["judged"] for row in queries.recent_problems()] == [0]
    assert "failed on" not in client.get("/").text
    for address in ("/runs/", f"/runs/{pk}/"):
        page = client.get(address).text
        assert "not judged" in page and "no program" not in page, address
    make_run(problem, status="finished")  # of this lab, without a program: that is a failure
    assert (queries.runs({"q": "is:failed"}).total, queries.loop().failures) == (1, 1)


def test_words_that_no_database_takes_are_escaped(problem: Problem, tmp_path: Path) -> None:
    steps = [{"stage": "coding", "response": "a\0b \ud800", "x": float("nan")}]
    path = tmp_path / "t.jsonl"
    path.write_text(json.dumps(trace(steps=steps, final_code="\0")))
    run = Run.objects.get(pk=bring(path).runs[0])
    _, _, finished, _ = log(run)
    assert isinstance(finished, events.StepFinished) and finished.text == "a\\x00b \\udcud800".replace(
        "udcu", "u"
    )


def test_format_failures_count_only_against_what_the_prompt_asked_for(
    problem: Problem, tmp_path: Path
) -> None:
    ours = [{"role": "user", "content": "Answer with <root>, <problem> and <algorithm>."}]
    other = [{"role": "user", "content": "Answer in YAML."}]
    broken = "<root><problem><description>a</description>"
    steps = [
        {"stage": "retrieval", "messages": ours, "response": broken},
        {"stage": "retrieval", "messages": other, "response": broken},
        {"stage": "coding", "response": "```python\nprint(1)"},
    ]
    (pk,) = bring(write(tmp_path / "t.jsonl", trace(steps=steps))).runs
    failures = Step.objects.filter(run=pk).order_by("number").values_list("format_failure", flat=True)
    assert list(failures) == ["unclosed", "", "unclosed_fence"]
    finished = [event for event in log(Run.objects.get(pk=pk)) if isinstance(event, events.StepFinished)]
    assert finished[2].parse.usable and finished[2].detail["reading"]["strict"]["usable"] is False


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("normalised.jsonl", samples.NORMALISED),
        ("results.jsonl", samples.MAPCODER_RESULT),
        ("new.traj", samples.SWE_AGENT_NEW),
        ("mini.traj.json", samples.MINI),
        ("log.json", {**samples.INSPECT_HEAD, "samples": [samples.INSPECT_SAMPLE]}),
        ("spans.json", otlp(span(1, "chat", gen_ai__operation__name="chat"))),
    ],
)
def test_an_imported_run_is_read_on_the_same_pages_as_any_other(
    problem: Problem, tmp_path: Path, client: Client, name: str, content: Any
) -> None:
    path = tmp_path / name
    path.write_text(json.dumps(content))
    (pk,) = bring(path, problem="test/sum").runs
    page = client.get(f"/runs/{pk}/")
    assert page.status_code == 200 and "not run here" in page.content.decode()
    for step in Step.objects.filter(run=pk):
        for tab in ("output", "prompt", "raw"):
            assert client.get(f"/runs/{pk}/steps/{step.number}/?tab={tab}&fragment=1").status_code == 200
    assert client.get(f"/runs/{pk}/patches/?after=0").status_code == 200
    assert client.get("/runs/").status_code == 200
    assert client.get(f"/problems/{problem.pk}/?from={pk}").status_code == 200  # "Run again"


def test_the_command_says_what_it_did_and_fails_when_nothing_was_readable(
    problem: Problem, tmp_path: Path
) -> None:
    out = StringIO()
    path = write(tmp_path / "t.jsonl", trace(), trace(id="t2", problem_id="test/other"), "{")
    call_command("import_traces", path, "--json", tmp_path / "report.json", stdout=out)
    said = out.getvalue()
    assert "imported 1 new, 1 without a problem; 1 refused" in said
    assert "judged here: 1, of which 1 agree" in said
    assert "test/other" in said and "import_problems" in said and "line 3" in said
    (report,) = json.loads((tmp_path / "report.json").read_text()).values()
    assert report["agree"] == report["compared"] == 1
    with pytest.raises(CommandError, match="Nothing could be imported"):
        call_command("import_traces", write(tmp_path / "bad.jsonl", "{"), stdout=StringIO())


def test_what_our_judge_says_is_told_also_where_nothing_was_recorded(
    problem: Problem, tmp_path: Path
) -> None:
    def told(*rows: dict[str, Any]) -> str:
        out = StringIO()
        call_command("import_traces", write(tmp_path / "t.jsonl", *rows), stdout=out)
        return out.getvalue()

    silent = told(trace(id="a", solved_recorded=None), trace(id="b", solved_recorded=None, final_code=WRONG))
    assert "judged here: 2\n" in silent
    assert silent.count("recorded no verdict here") == 2
    mixed = told(trace(id="c", solved_recorded=None), trace(id="d"))
    assert "judged here: 2; 1 of them with a recorded verdict, of which 1 agree\n" in mixed
