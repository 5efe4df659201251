"""Imported trajectories go through the same filter: by our verdict, by the answer that wrote the program which passed."""

from __future__ import annotations

from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from solver import judge_pool, judging, recorded_answers
from solver.trace_import import Options, import_traces
from tests.factories import make_problem
from tests.traces import samples
from training.datasets import lifecycle as datasets
from training.datasets.build import build
from training.datasets.spec import DatasetSpec
from training.distillation import lifecycle
from training.distillation.models import Distillation, Harvest
from training.distillation.spec import DistillationSpec
from training.models import DatasetRow, Example
from training.spec_text import BadJob, read_data
from trajectories.importers import read_problems
from trajectories.models import StepEvent
from trajectories.problems import store_all
from trajectories.traces import Trajectory, read_traces

pytestmark = pytest.mark.django_db(transaction=True)
ROLES = ("retrieval", "planning", "coding", "debugging")
WRONG = "a, b = map(int, input().split())\nprint(a - b)\n"
ASKED = [{"role": "user", "content": "Write the program."}]


def program(stage: str, code: str, **more: Any) -> dict[str, Any]:
    return {"stage": stage, "messages": ASKED, "response": f"```python\n{code}```", **more}


def bring(folder: Path, *programs: dict[str, Any], final: str = samples.SUM, judge: bool = True) -> None:
    """A trajectory with a plan, these programs, and the last one submitted."""
    steps = [samples.NORMALISED["steps"][0], *programs]
    changed = {**samples.NORMALISED, "steps": steps, "final_code": final, "solved_recorded": None}
    make_problem()
    read = read_traces(samples.write(folder / "trace.jsonl", changed))
    assert not import_traces(read.found, Options(judge=judge), read.faults).faults


def distil(**imported: Any) -> Distillation:
    job = lifecycle.start(read_data(DistillationSpec, {"name": "Traces", "imported": imported}))
    lifecycle.keep_going()
    return job


def kept() -> Counter[str]:
    return Counter(Example.objects.values_list("role", flat=True))


def test_a_recorded_plan_and_program_that_pass_here_are_kept(tmp_path: Path) -> None:
    bring(tmp_path, program("coding", samples.SUM))
    distil()
    assert kept() == {"planning": 1, "coding": 1}


def test_of_recorded_repairs_the_one_that_wrote_the_passing_program_is_kept_and_not_a_later_echo(
    tmp_path: Path,
) -> None:
    echo = program("debugging", samples.SUM)
    bring(tmp_path, program("coding", WRONG), program("debugging", samples.SUM), echo)
    distil()
    assert kept() == {"debugging": 1} and Example.objects.get().step == 3
    assert Harvest.objects.get().why.keys() == {"planning", "coding"}


def test_repairs_of_a_program_that_was_right_already_teach_nothing(tmp_path: Path) -> None:
    bring(tmp_path, program("coding", samples.SUM), program("debugging", samples.SUM))
    distil()
    assert kept() == {"planning": 1, "coding": 1}
    assert Harvest.objects.get().why == {"debugging": "the program that passed is older than any repair"}


def test_nothing_is_kept_of_a_run_that_fails_here_whatever_was_recorded(tmp_path: Path) -> None:
    bring(tmp_path, program("coding", WRONG), final=WRONG)
    distil()
    assert not kept() and not Harvest.objects.get().passed


def test_an_answer_without_its_prompt_or_cut_short_is_left_out_with_the_reason(tmp_path: Path) -> None:
    bring(tmp_path, {**program("coding", samples.SUM), "messages": []})
    distil()
    assert kept() == {"planning": 1}
    assert Harvest.objects.get().why == {"coding": "no prompt was recorded"}
    for row in StepEvent.objects.filter(kind="step.finished", step=1):
        payload = {**row.payload, "finish_reason": "max_tokens"}
        StepEvent.objects.filter(pk=row.pk).update(payload=payload)
    Example.objects.all().delete()
    distil()
    assert Harvest.objects.order_by("pk").last().why["planning"] == "cut off"  # type: ignore[union-attr]


def test_trajectories_that_were_never_judged_here_are_named_as_the_reason(tmp_path: Path) -> None:
    bring(tmp_path, program("coding", samples.SUM), judge=False)
    with pytest.raises(BadJob, match="has a verdict of our judge"):
        distil()


def test_the_command_and_the_page_distil_what_was_imported(tmp_path: Path, client: Client) -> None:
    bring(tmp_path, program("coding", samples.SUM))
    assert "mapcoder" in client.get("/distillation/new/").content.decode()
    data = {"do": "imported", "name": "By hand", "strategy": ["mapcoder"], "request_id": "x"}
    address = client.post("/distillation/new/", data).headers["Location"]
    lifecycle.keep_going()
    assert "1 of 1 passed all hidden tests" in client.get(address).content.decode()
    spec, out = tmp_path / "spec.yaml", StringIO()
    spec.write_text("name: By command\nimported: {strategies: [mapcoder]}\n", encoding="utf-8")
    call_command("distill", str(spec), "--dry-run", stdout=out)
    assert "1 imported trajectories, 1 of which pass" in out.getvalue()
    for _ in range(2):
        call_command("distill", str(spec), "--here", stdout=out)
    assert Distillation.objects.count() == 2 and "Going on with distillation" in out.getvalue()
    assert kept() == {"planning": 1, "coding": 1}


@pytest.mark.slow
def test_every_row_of_the_four_versions_made_from_real_traces_parses_and_passes_again(corpus: Path) -> None:
    """HumanEval and APPS, where a verdict takes milliseconds; the solved four-agent conversations with a repair, and some without."""
    for source in ("humaneval", "apps"):
        read = read_problems(corpus / "problems" / f"{source}.jsonl.gz")
        store_all(read.problems, read.faults)
    traces = read_traces(corpus / "traces" / "mapcoder.jsonl.gz")
    solved = [
        (place, trace)
        for place, trace in traces.found
        if isinstance(trace, Trajectory)
        and trace.solved
        and trace.problem.startswith(("humaneval/", "apps/"))
    ]
    repaired = [one for one in solved if "debugging" in {step.stage for step in one[1].steps}]
    import_traces([*repaired, *solved[::5]], Options(), traces.faults)
    distil(strategies=["mapcoder"])
    for role in ROLES:
        version = datasets.start(DatasetSpec(role=role, reviewed=False))
        build(version.pk, "test")
        rows = list(DatasetRow.objects.filter(version=version).select_related("example__run__problem"))
        assert rows, role
        assert not [row.pk for row in rows if not reads(row.example)]
        assert {passes(row.example) for row in rows[:8]} == {"AC"}


def reads(example: Example) -> bool:
    step = StepEvent.objects.get(run=example.run, step=example.step, kind="step.started").payload
    asked = [turn["content"] for turn in example.messages]
    strict = recorded_answers.read(step["role"], example.answer, asked, "python").strict
    return strict.usable and not strict.failure


def passes(example: Example) -> str:
    """The verdict on the program that the row stands for: its own where it is one, else the one of its run."""
    assert example.run is not None
    if example.role in ("coding", "debugging"):
        asked = [turn["content"] for turn in example.messages]
        code = str(recorded_answers.read(example.role, example.answer, asked, "python").used.value)
    else:
        code = StepEvent.objects.get(run=example.run, kind="tests.started").payload["code"]
    spec = example.run.problem.spec()
    report = judge_pool.judge().judge(
        judging.program(code, "python"), judging.task(spec, spec.tests, "python")
    )
    return report.verdict.value
