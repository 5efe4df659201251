"""`manage.py evaluate`: starts, works without workers, goes on after being stopped, and says what it did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils.timezone import now

from solver.campaigns import execution, lifecycle
from solver.campaigns.models import Campaign, CampaignRun, CampaignStatus
from solver.engines.protocol import ChatRequest, EngineUnreachable
from tests.campaigns.conftest import Scripted, spec, states, work
from trajectories.models import Problem, Run, Worker

pytestmark = pytest.mark.django_db(transaction=True)


def evaluate(tmp_path: Path, *arguments: str, **changes: Any) -> int:
    file = tmp_path / "spec.yaml"
    file.write_text(spec(**changes).to_yaml(), encoding="utf-8")
    try:
        call_command("evaluate", str(file), *arguments)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_without_workers_it_does_the_work_itself(
    engine: Scripted, problems: list[Problem], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "report.json"
    assert evaluate(tmp_path, "--json", str(file)) == 0
    campaign = Campaign.objects.get()
    assert (campaign.status, states(campaign)) == (CampaignStatus.FINISHED, {"measured": 6})
    data = json.loads(file.read_text(encoding="utf-8"))
    assert [cell["pass_at"]["1"]["value"] for cell in data["cells"]] == [1.0, 1.0]
    assert data["spent"]["calls"] == 15 == len(engine.asked)
    assert "100.0 % [43.9, 100.0]" in " ".join(capsys.readouterr().out.split())


def test_a_database_that_was_away_for_a_moment_does_not_end_the_work(
    engine: Scripted, problems: list[Problem], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimable, looks = execution.claimable, []

    def cut_off_once(campaign_id: int) -> list[int]:
        looks.append(campaign_id)
        if len(looks) == 2:
            connection.connection.close()  # as after a restart of the server
        return claimable(campaign_id)

    monkeypatch.setattr(execution, "claimable", cut_off_once)
    assert evaluate(tmp_path, "--threads", "1") == 0
    assert states(Campaign.objects.get()) == {"measured": 6}


def test_a_dry_run_says_what_would_happen_and_starts_nothing(
    engine: Scripted, problems: list[Problem], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(tmp_path, "--dry-run") == 0
    said = capsys.readouterr().out
    assert "6 runs: 2 cells x 3 problems x 1 seeds" in said and "is simulated" in said
    assert not Campaign.objects.exists() and not Run.objects.exists()


def test_the_same_file_again_goes_on_with_the_unfinished_campaign(
    engine: Scripted, problems: list[Problem], tmp_path: Path
) -> None:
    campaign = lifecycle.start(spec(at_once=2), publish_to_workers=False)
    work(campaign, most=3)
    lifecycle.cancel(campaign.pk)
    assert evaluate(tmp_path, at_once=2) == 0
    assert Campaign.objects.count() == 1 and states(campaign) == {"measured": 6}
    assert evaluate(tmp_path, at_once=2) == 0
    assert Campaign.objects.count() == 2, "a finished campaign is measured anew"


def test_runs_that_could_not_be_measured_give_exit_status_1(
    engine: Scripted, problems: list[Problem], tmp_path: Path
) -> None:
    def unplugged(request: ChatRequest) -> None:
        raise EngineUnreachable("gone")

    engine.before = unplugged
    assert evaluate(tmp_path, engine_tries=1) == 1
    assert set(CampaignRun.objects.values_list("state", flat=True)) == {"not_measured"}


def test_a_spent_budget_stops_it_with_exit_status_1(
    engine: Scripted, problems: list[Problem], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(tmp_path, "--threads", "1", budget={"calls": 2}, at_once=1) == 1
    assert "model calls is used up" in capsys.readouterr().err
    assert Campaign.objects.get().status == CampaignStatus.PAUSED


def test_beside_living_workers_it_works_only_when_told_to(
    engine: Scripted, problems: list[Problem], tmp_path: Path
) -> None:
    Worker.objects.create(name="w", kind="infer", beat_at=now())
    assert evaluate(tmp_path, "--here") == 0
    assert Campaign.objects.get().status == CampaignStatus.FINISHED


def test_many_threads_share_the_work_without_doing_any_of_it_twice(
    engine: Scripted, problems: list[Problem], tmp_path: Path
) -> None:
    assert evaluate(tmp_path, "--threads", "6", seeds=[0, 1, 2]) == 0
    assert len(engine.asked) == 3 * 15 and Run.objects.count() == 18
    assert set(Run.objects.values_list("fence", flat=True)) == {1}


@pytest.mark.parametrize("text", ["name: x", "strategies: [", "just words"])
def test_a_file_that_is_no_spec_is_refused_with_every_reason(text: str, tmp_path: Path, db: None) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CommandError, match="cannot be run"):
        call_command("evaluate", str(file))
    with pytest.raises(CommandError, match="No such file"):
        call_command("evaluate", str(tmp_path / "none.yaml"))
