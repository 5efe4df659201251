"""A lab in which every page has something to show, and the addresses that together reach every page."""

from __future__ import annotations

from dataclasses import dataclass

from solver import engine_book
from solver.campaigns.models import Campaign, CampaignCell
from solver.engines.protocol import Role
from solver.models import Engine
from solver.rejudging import jobs as rejudging
from tests.campaigns.test_report import mixed
from tests.datasets.conftest import built, example, problems, story
from tests.pages.telling import FIRST, MENDED, Teller, prepare
from tests.runs.conftest import WRONG, Scripted
from tests.supervision.conftest import failed_run as scripted_failure
from tests.supervision.conftest import go_on
from tests.supervision.conftest import start as supervise
from tests.training.test_adapters import POINTS, imported
from tests.training.versions import micro_version, quick_spec
from training import adapters, exams, training_leases, training_log, training_runs
from training.distillation import lifecycle as distillation
from training.distillation.spec import DistillationSpec
from training.models import (
    AdapterEvaluation,
    DatasetRow,
    DatasetVersion,
    Exam,
    ExamAnswer,
    Example,
    Supervision,
)
from training.run_models import TrainingRun
from training.spec_text import read_data
from trajectories import review
from trajectories.desk import pairs
from trajectories.desk.models import Choice
from trajectories.desk.pairs import Pair
from trajectories.exporters import bulk
from trajectories.models import Run, Step

# Routes that answer with a file, JSON, a fragment of a page or a redirect, or that only take what a form posts.
NO_PAGE = {
    "adapter-act", "adapter-export", "adapters-evaluate", "adapters-promote", "adapter-import", "campaign-act",
    "campaign-csv", "campaign-draft", "campaign-json", "campaign-progress", "campaign-tex", "compare-take", "complete",
    "dataset-act", "dataset-export", "dataset-progress", "distillation-practice", "distillation-progress", "engine-act",
    "engine-test", "example-act", "examples-decide", "export-act", "export-download", "export-start", "go", "keys", "logout", "places", "random-problem", "review-delete-queue", "review-hold",
    "review-item", "review-maps", "review-say", "review-save-queue", "run-cancel", "run-copy", "run-export", "run-find", "run-headers", "run-patches",
    "run-judge-again", "run-retry", "run-said", "rejudging-start", "rejudging-cancel", "runs-act", "solve", "star", "supervision-act", "supervision-progress", "training-act", "training-draft",
    "training-live", "unstar",
}  # fmt: skip

HOSTED = {
    "name": "hosted",
    "kind": "openai",
    "label": "A hosted API",
    "base_url": "https://api.example.org/v1",
    "models": {"default": "some-model"},
    "key_env": "TEACHER_API_KEY",
}


@dataclass(frozen=True, slots=True)
class Furnished:
    run: Run
    other: Run
    campaign: Campaign
    version: DatasetVersion
    older: DatasetVersion
    example: Example
    supervision: Supervision
    distillation: int
    rejudging: int
    training: TrainingRun
    exam: Exam

    def addresses(self) -> dict[str, str]:
        """Route name -> an address of it."""
        run, step = f"/runs/{self.run.pk}/", f"/runs/{self.run.pk}/steps"
        first, second = CampaignCell.objects.filter(campaign=self.campaign)[:2]
        version = f"/datasets/{self.version.role}/v{self.version.number}/"
        return {
            "home": "/",
            "problems": "/problems/",
            "problem": f"/problems/{self.run.problem_id}/",
            "import-problems": "/problems/import/",
            "runs": "/runs/",
            "exports": "/exports/",
            "rejudgings": "/judged-again/",
            "rejudging": f"/judged-again/{self.rejudging}/",
            "runs-acts": "/runs/all/?q=is%3Ajudged",
            "runs-replay": "/runs/replay-an-agent/?q=is%3Ajudged",
            "run": f"{run}#s6",
            "run-step": f"{step}/6/?tab=whole",
            "run-replays": f"{step}/6/replays/",
            "run-case": f"{step}/7/cases/1/",
            "compare": f"/compare/?a={self.run.pk}&b={self.other.pk}",
            "views": "/views/",
            "review": "/review/",
            "review-agreement": "/review/agreement/",
            "review-preferences": "/review/preferences/",
            "campaigns": "/campaigns/",
            "campaign-new": "/campaigns/new/",
            "campaign": f"/campaigns/{self.campaign.pk}/",
            "campaign-compare": f"/campaigns/compare/?a={first.pk}&b={second.pk}",
            "campaign-alignment": f"/campaigns/alignment/?a={first.pk}&b={second.pk}",
            "engines": "/engines/",
            "engine-new": "/engines/new/",
            "engine-edit": "/engines/hosted/edit/",
            "system": "/system/",
            "login": "/login/",
            "examples": "/examples/",
            "examples-import": "/examples/import/",
            "example": f"/examples/{self.example.pk}/",
            "datasets": "/datasets/",
            "dataset-new": "/datasets/new/",
            "dataset": version,
            "dataset-diff": f"/datasets/diff/?a={self.older.pk}&b={self.version.pk}",
            "dataset-tokens": f"{version}tokens/?base=micro&length=40",
            "distillation": "/distillation/",
            "distillation-new": "/distillation/new/",
            "distillation-job": f"/distillation/{self.distillation}/",
            "supervision-new": f"/supervision/new/?run={self.run.pk}",
            "supervision": f"/supervision/{self.supervision.pk}/",
            "training": "/training/",
            "training-new": "/training/new/?preset=micro",
            "training-run": f"/training/runs/{self.training.pk}/",
            "adapter": f"/training/adapters/{self.exam.adapter_id}/",
            "exam": f"/training/exams/{self.exam.pk}/",
        }


def furnish(engine: Scripted) -> Furnished:
    """`engine` answers for everybody, its supervisor included; judge, strategies and campaigns are the real ones."""
    Engine.objects.create(name="hosted", spec=HOSTED)
    campaign = mixed(engine)
    engine.before = lambda request: None
    supervised = _supervised(engine)
    run, other = told(FIRST, "WA"), told(MENDED, "AC")
    bulk.start({"verdict": "WA"}, "jsonl", request_id="furnished", actor="anna")
    review.blame(run, "planning", actor="super", source="supervisor", confidence=0.8)
    review.comment(run, 6, "Look.", actor="anna", lines=(1, 1))
    review.reject(run, 6, actor="anna", code="wrong")
    newer, older_step = (
        Step.objects.select_related("run__problem").get(run=one, number=6) for one in (other, run)
    )
    pairs.prefer(Pair(newer, older_step), Choice.THIS, actor="anna")
    older, version, row = _versions()
    return Furnished(
        run=run,
        other=other,
        campaign=campaign,
        version=version,
        older=older,
        example=row,
        supervision=supervised,
        distillation=_distillation(),
        rejudging=_rejudging(),
        training=training_under_way(),
        exam=_exam(campaign),
    )


def told(code: str, verdict: str) -> Run:
    """Recall, two plans, a program, its samples (step 7)."""
    teller = Teller(None)
    teller.begin()
    prepare(teller)
    teller.ask("coding", code, f"```python\n{code}\n```", attempt=1)
    teller.test(code, [verdict, "AC"])
    return teller.end(verdict=verdict, code=code)


def _supervised(engine: Scripted) -> Supervision:
    from tests.factories import make_problem

    engine.answers[Role.CODING] = engine.answers[Role.DEBUGGING] = WRONG
    failed = scripted_failure(engine, make_problem(id="test/supervised", title="Supervised"))
    job = supervise(failed)
    go_on(job)
    return job


def _versions() -> tuple[DatasetVersion, DatasetVersion, Example]:
    rows = [example(problem, story(100 + number)) for number, problem in enumerate(problems(4))]
    older = built()
    example(None, story(200), refused=story(201))
    return older, built(), rows[0]


def _rejudging() -> int:
    """The lab's own runs judged again; one that was told only has another verdict, hence there is something to see."""
    job = rejudging.start({}, Run.objects.order_by("-pk").values_list("pk", flat=True)[0])
    rejudging.work(job.pk, "furnished")
    return job.pk


def _distillation() -> int:
    spec = {"name": "Easy sums", "teacher": "scripted", "problems": {"source": "test"}, "k": 1, "t": 1}
    return distillation.start(read_data(DistillationSpec, spec), publish_to_workers=False).pk


def training_under_way() -> TrainingRun:
    """Under way at step 3 of 4; its report as the trainer writes it."""
    run = training_runs.start(quick_spec(micro_version("debugging")), publish_to_workers=False)
    fence = training_leases.claim(run.pk, "test")
    sizes = {
        "rows": 9,
        "bins": 3,
        "tokens": 2700,
        "trained_tokens": 300,
        "parameters": 10_000,
        "trainable": 1000,
    }
    pieces = [
        ["<user>", False, True],
        ["Mend it.", False, False],
        ["print(1)", True, False],
        ["<end>", True, True],
    ]
    batch = {"row": 0, "title": "A micro problem", "tokens": 4, "trained": 2, "pieces": pieces}
    loss = [{"loss": 1.9, "row": 9}, {"loss": 2.1, "row": 10}]
    facts: list[training_log.Fact] = [
        ("attempt", {"fence": fence}),
        (
            "started",
            {"steps": 4, "held_out": 3, "device": "cpu", "precision": "fp32", "resumed_from": 0, **sizes},
        ),
        ("batch", {"rows": [batch], "of": 1, "template": "0" * 64}),
        *(("metrics", _metrics(step)) for step in (1, 2, 3)),
        ("alert", {"code": "loss", "step": 3, "message": "The loss rose over three evaluations."}),
        ("eval", {"step": 2, "loss": 2.0, "tokens": 80, "n": 2, "best": loss, "worst": loss[::-1]}),
    ]
    training_log.append(run.pk, facts, fence=fence, step=3, steps=4)
    run.refresh_from_db()
    return run


def _metrics(step: int) -> dict[str, object]:
    speed = {"epoch": step / 3, "tokens": 900, "tokens_per_s": 512.0, "eta_s": 2.0, "memory_mb": 640.0}
    return {"step": step, "loss": 2.5 - step / 10, "lr": 1e-4, "grad_norm": 0.8, "rows": [step], **speed}


def _exam(campaign: Campaign) -> Exam:
    """A served adapter that was evaluated and has answered half of its exam."""
    made = imported("coding")
    measured = {"value": 0.5, "low": 0.3, "high": 0.7, "hits": 20, "n": 40}
    told = {"solved": measured, "first_try": measured, "roles": {"coding": {"affected": measured}}}
    evaluation = AdapterEvaluation.objects.create(
        campaign=campaign,
        result={
            "together": [made.name],
            **POINTS,
            "base": told,
            "new": told,
            "served": {
                "roles": engine_book.adapted_roles(engine_book.get("micro")),
                **POINTS,
                "base": told,
                "new": told,
            },
        },
    )
    evaluation.adapters.set([made])
    adapters.promote(made, actor="anna")
    exam = exams.start(imported("planning", "planning"), micro_version("planning"), publish_to_workers=False)
    for row in DatasetRow.objects.filter(version=exam.dataset, split="eval")[:2]:
        for column, right in (("base", False), ("new", True)):
            ExamAnswer.objects.create(
                exam=exam, row=row, column=column, text="1. Read.\n2. Print.", right=right
            )
    return exam
