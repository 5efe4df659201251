"""Campaigns with the real strategies, recorder and judge; only the model is scripted."""

from __future__ import annotations

from typing import Any

import pytest

from solver import runs
from solver.campaigns import execution, lifecycle
from solver.campaigns.models import Campaign, CampaignRun, SlotState
from solver.campaigns.spec import CampaignSpec, read_data
from tests.factories import make_problem
from tests.runs.conftest import Scripted, engine
from trajectories.models import Problem


def sums(count: int, **changes: Any) -> list[Problem]:
    """Problems that the scripted engine solves, each its own question."""
    return [
        make_problem(
            id=f"test/sum-{i:02d}", title=f"Sum {i}", statement=f"Print the sum, variant {i}.", **changes
        )
        for i in range(count)
    ]


def spec(**changes: Any) -> CampaignSpec:
    base: dict[str, Any] = {
        "name": "Test",
        "problems": {"source": "test"},
        "strategies": [
            {"name": "direct", "params": {"retries": 0}},
            {"name": "mapcoder", "params": {"k": 1, "t": 1}},
        ],
        "models": [{"engine": "scripted"}],
    }
    return read_data({**base, **changes})


def start(**changes: Any) -> Campaign:
    return lifecycle.start(spec(**changes), publish_to_workers=False)


def work(campaign: Campaign, most: int = 1000) -> int:
    """Execute what the campaign has queued, as a worker would, until nothing is left or `most` runs were done."""
    done = 0
    while done < most and (waiting := execution.claimable(campaign.pk)):
        assert runs.execute(waiting[0], "test")
        execution.run_ended(waiting[0], publish_to_workers=False)
        done += 1
    campaign.refresh_from_db()
    return done


def states(campaign: Campaign) -> dict[str, int]:
    found: dict[str, int] = {}
    for state in CampaignRun.objects.filter(campaign=campaign).values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


@pytest.fixture
def problems(transactional_db: None) -> list[Problem]:
    return sums(3)


__all__ = ["Scripted", "SlotState", "engine", "problems", "spec", "start", "states", "sums", "work"]
