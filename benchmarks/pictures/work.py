"""`python -m benchmarks.pictures.work FILE [CORPUS]`: a day's work in the lab of MCL_VAR, and into FILE what it made.

The order is the loop's: a campaign, a distillation and its rows, a supervision of what failed, people who judge, replays,
dataset versions, a training run.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import django

from trajectories.agents import AGENTS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mcl_web.settings")
django.setup()

from django.core.management import call_command  # noqa: E402  (after setup, as everything below)

from micro.engine_spec import TEACHER  # noqa: E402
from solver import replays, runs  # noqa: E402
from solver.campaigns import lifecycle as campaigns  # noqa: E402
from solver.campaigns.models import Campaign, CampaignCell, CampaignRun  # noqa: E402
from solver.campaigns.spec import read_data  # noqa: E402
from solver.change import Change  # noqa: E402
from training import decisions, practice, training_runs  # noqa: E402
from training import spec_text as jobs  # noqa: E402
from training.datasets import lifecycle as datasets  # noqa: E402
from training.datasets.spec import DatasetSpec  # noqa: E402
from training.distillation import lifecycle as distillation  # noqa: E402
from training.distillation.models import Distillation  # noqa: E402
from training.distillation.spec import DistillationSpec  # noqa: E402
from training.lora_spec import PRESETS, read_spec  # noqa: E402
from training.models import DatasetVersion, Example, ExampleState, Supervision  # noqa: E402
from training.supervision import lifecycle as supervision  # noqa: E402
from training.supervision.spec import SupervisionSpec  # noqa: E402
from trajectories import review  # noqa: E402
from trajectories.models import Blame, Problem, Run  # noqa: E402

PATIENCE_S = 900.0
TRAIN, HELD_OUT = 30, 30


def main(file: Path, corpus: Path | None) -> None:
    """Each station once: what a call that was stopped had made is not made again."""
    partly = file.with_suffix(".partly.json")
    made: dict[str, Any] = json.loads(partly.read_text()) if partly.exists() else {}

    def once(name: str, work: Callable[[], Any]) -> None:
        if name not in made:
            made[name] = work()
            partly.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")

    once("problems", lambda: practice.more(TRAIN))
    once("campaign", _campaign)
    once("distillation", _distillation)
    once("supervision", lambda: _supervision(made["campaign"]))
    once("run", _shown_run)
    if corpus is not None:
        once("imported", lambda: _imported(corpus, file.parent))
    once("people", lambda: _people(made["run"]))
    once("replayed", lambda: _replayed(made["campaign"]))
    once("versions", _versions)
    once("training", _training)
    made["problem"] = Run.objects.get(pk=made["run"]).problem_id
    made["cells"] = [cell.pk for cell in CampaignCell.objects.filter(campaign=made["campaign"])]
    file.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


def until(what: str, ready: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not ready():
        if time.monotonic() - began > PATIENCE_S:
            raise SystemExit(f"{what} did not end within {PATIENCE_S:.0f} s")
        time.sleep(0.5)
    print(f"{what}: {time.monotonic() - began:.0f} s", flush=True)


def _campaign() -> int:
    spec = {
        "name": "The base alone against its four adapters",
        "problems": {"source": ["micro"], "split": ["test"], "limit": HELD_OUT},
        "strategies": [{"name": "mapcoder", "params": {"k": 1, "t": 2}}],
        "models": [
            {"engine": "micro", "adapters": "none", "label": "base"},
            {"engine": "micro", "label": "with adapters"},
        ],
    }
    campaign = campaigns.start(read_data(spec), created_by="anna")
    until("the campaign", lambda: Campaign.objects.get(pk=campaign.pk).status == "finished")
    return campaign.pk


def _distillation() -> int:
    spec = {
        "name": "The oracle teaches all four",
        "teacher": TEACHER,
        "student": "micro",
        "teacher_roles": ["retrieval", "planning", "coding"],
        "problems": {"source": ["micro"], "split": ["train"]},
        "k": 1,
        "t": 2,
    }
    job = distillation.start(jobs.read_data(DistillationSpec, spec), created_by="anna")

    def ended() -> bool:
        found = Distillation.objects.select_related("campaign").get(pk=job.pk)
        return found.campaign is not None and found.campaign.status == "finished" and _harvested(found)

    until("the distillation", ended)
    return job.pk


def _harvested(job: Distillation) -> bool:
    return (
        job.harvests.count() == CampaignRun.objects.filter(campaign=job.campaign, run__isnull=False).count()
    )


def _supervision(campaign: int) -> int:
    spec = {
        "name": "Why the base fails",
        "runs": {"campaign": campaign, "limit": 16},
        "supervisor": TEACHER,
        "reviser": "teacher",
        "teacher": TEACHER,
        "votes": 3,
    }
    job = supervision.start(jobs.read_data(SupervisionSpec, spec), created_by="anna")
    until("the supervision", lambda: Supervision.objects.get(pk=job.pk).status == "finished")
    return job.pk


def _shown_run() -> int:
    """A recorded walkthrough of a starter problem in which a program fails first and is repaired."""
    problem = Problem.objects.current().filter(source="starter", title__icontains="ferry").first()
    problem = problem or Problem.objects.current().filter(source="starter").order_by("pk").first()
    assert problem is not None
    run = runs.start(problem, engine="recorded", created_by="anna")
    until("the walkthrough", lambda: Run.objects.get(pk=run.pk).ended)
    return run.pk


def _imported(corpus: Path, folder: Path) -> int:
    """A recorded trajectory of MapCoder that fails on a HumanEval problem (MIT), with its problem."""
    problems = {row["id"]: row for row in _lines(corpus / "problems" / "humaneval.jsonl.gz")}
    for row in _lines(corpus / "traces" / "mapcoder.jsonl.gz"):
        if row["solved_recorded"] or row["problem_id"] not in problems:
            continue
        for name, content in (("problem", problems[row["problem_id"]]), ("trace", row)):
            (folder / f"{name}.jsonl").write_text(json.dumps(content) + "\n", encoding="utf-8")
        call_command("import_problems", str(folder / "problem.jsonl"))
        call_command("import_traces", str(folder / "trace.jsonl"))
        run = Run.objects.exclude(imported_from="").order_by("-pk").first()
        if run is not None and run.verdict not in ("", "AC"):
            return run.pk
    raise SystemExit("no recorded failure fails here")


def _lines(file: Path) -> Any:
    with gzip.open(file, "rt", encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def _people(run: int) -> int:
    """Anna confirms what the supervisor said of most runs, ben looks at some of the same; both accept rows."""
    said = Blame.objects.filter(source="supervisor").order_by("run_id")
    for place, blame in enumerate(said[:16]):
        agent = blame.agent if place % 5 else "planning"
        review.blame(blame.run, agent, actor="anna", step=blame.step)
        if place % 2:
            review.blame(blame.run, blame.agent if place % 4 > 1 else agent, actor="ben", step=blame.step)
    for example in Example.objects.filter(state=ExampleState.CANDIDATE).order_by("pk"):
        decisions.accept(example, actor="anna")
    review.comment(
        Run.objects.get(pk=run),
        2,
        "Name the bound that makes this fast enough.",
        actor="ben",
        lines=(1, 1),
    )
    return said.count()


def _replayed(campaign: int) -> dict[str, int]:
    """The plan of a run that fails with its adapters, drawn again ten times."""
    slots = CampaignRun.objects.filter(campaign=campaign, cell__position=1).exclude(run__verdict="AC")
    run = Run.objects.filter(pk__in=slots.values("run"), steps__role="planning").order_by("pk")[0]
    step = run.steps.filter(role="planning").order_by("number")[0]
    started = replays.start(run, Change(step.number, "again", actor="anna"), 10)
    until("the replays", lambda: all(one.ended for one in Run.objects.filter(pk__in=[r.pk for r in started])))
    return {"run": run.pk, "step": step.number, "branch": started[0].pk}


def _versions() -> dict[str, list[int]]:
    """Two versions of each agent: the second without two rows that were taken back meanwhile."""
    found: dict[str, list[int]] = {role: [] for role in AGENTS}
    for turn in range(2):
        for role in AGENTS:
            data = {"role": role, "eval_share": 0.15, "ways": ["teacher", "repair"]}
            version = datasets.start(jobs.read_data(DatasetSpec, data), created_by="anna")
            until(f"dataset {role}", partial(_built, version.pk))
            found[role].append(version.pk)
        if not turn:
            for role in AGENTS:
                for example in Example.objects.filter(role=role, state=ExampleState.ACCEPTED).order_by("-pk")[
                    :2
                ]:
                    decisions.withdraw(example, actor="ben")
    return found


def _built(version: int) -> bool:
    state = DatasetVersion.objects.get(pk=version).state
    if state == "failed":
        raise SystemExit(DatasetVersion.objects.get(pk=version).message)
    return state == "ready"


def _training() -> dict[str, int | None]:
    """One run to its end, and its evaluation against the base."""
    data = {**PRESETS["micro"][1], "role": "coding", "max_steps": 80, "evaluate": 30}
    run = training_runs.start(read_spec({**data, "dataset": "coding@v2"}), created_by="anna")
    until("the training run", lambda: type(run).objects.get(pk=run.pk).ended)
    until(
        "its evaluation",
        lambda: not Run.objects.exclude(status__in=["finished", "failed", "cancelled"]).exists(),
    )
    adapter = type(run).objects.get(pk=run.pk).adapter_id
    return {"run": run.pk, "adapter": adapter}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
