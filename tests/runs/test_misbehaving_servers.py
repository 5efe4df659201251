"""A run whose server misbehaves ends with the failure in its log, whatever the way."""

from __future__ import annotations

import pytest

from solver import runs
from solver.engines.registry import close_engine
from solver.models import Engine
from tests.engines.loopback import serving
from tests.engines.test_misbehaving_servers import KEY, PATIENT, WAYS
from trajectories.models import Problem, RunStatus, StepEvent

FEW = (
    "a storm of 429",
    "half a stream",
    "no UTF-8",
    "a token of 10 MB",
    "an echo of the key",
    "too long a prompt",
)


@pytest.mark.parametrize("name", FEW)
def test_the_failure_is_recorded_at_its_step_and_ends_the_run(
    name: str, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_API_KEY", KEY)
    way = WAYS[name]
    with serving(way.behave) as board:
        spec = board.spec(timeouts=PATIENT, tries=1, key_env="TEST_API_KEY")
        Engine.objects.create(name=spec.name, spec=spec.model_dump(mode="json", exclude_defaults=True))
        run = runs.start(problem, strategy="direct", engine=spec.name, publish_to_workers=False)
        assert runs.execute(run.pk, "test")
        close_engine(spec)
    run.refresh_from_db()
    failed = StepEvent.objects.get(run=run, kind="step.failed").payload
    assert (run.status, run.reason) == (RunStatus.FAILED, way.error.code)
    assert failed["code"] == way.error.code
    assert failed["message"].endswith(".")
    assert KEY not in str(list(StepEvent.objects.filter(run=run).values_list("payload", flat=True)))
