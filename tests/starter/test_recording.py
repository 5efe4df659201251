"""The shipped recording: it is what templates and walkthroughs give, and it replays every setting it promises."""

from __future__ import annotations

import pytest

from solver.engines.protocol import NoRecording
from solver.engines.recorded import RecordedEngine
from solver.engines.recording import read_recordings
from solver.engines.spec import EngineKind, EngineSpec
from solver.judge import Judge
from solver.strategies.protocol import Params
from starter.record import ANSWERS, NOTE, Bench, recorded_lines
from starter.scripted import MODEL, ScriptedModel
from starter.source import load
from trajectories.problem_schema import ProblemSpec


@pytest.fixture(scope="module")
def engine() -> RecordedEngine:
    spec = {
        "name": "recorded",
        "kind": EngineKind.RECORDED,
        "label": "Authored",
        "recordings": ["answers.jsonl"],
    }
    return RecordedEngine(EngineSpec.parse(spec, ANSWERS.parent))


def test_the_recording_is_what_templates_and_walkthroughs_give(judge: Judge) -> None:
    stored = ANSWERS.read_text(encoding="utf-8").splitlines(keepends=True)
    given = []
    for problem, lines in recorded_lines(judge):
        assert set(lines) <= set(stored), f"{problem.id} has changed; run python -m starter.record"
        given += lines
    assert given == stored


def test_every_recorded_answer_says_that_it_was_written_by_hand() -> None:
    answers = read_recordings([ANSWERS]).values()
    assert {(answer.model, answer.note) for answer in answers} == {(MODEL, NOTE)}


@pytest.mark.parametrize(
    "params",
    [Params(k=1, t=0), Params(k=2, t=7), Params(k=3, t=1), Params(k=3, t=5, profile="upstream")],
    ids=["one plan, no repair", "two plans, many repairs", "one repair", "as published"],
)
@pytest.mark.parametrize("slug", ["tram-doors", "clock-gears", "flooded-cellar", "ledger-digits"])
def test_a_replayed_run_ends_like_the_scripted_one(
    slug: str, params: Params, engine: RecordedEngine, problems: dict[str, ProblemSpec], judge: Judge
) -> None:
    scripted = Bench(problems[slug], ScriptedModel([load(slug)]), judge)
    replayed = Bench(problems[slug], engine, judge)
    assert replayed.play(params) == scripted.play(params)
    assert replayed.notes == scripted.notes


def test_a_setting_that_was_not_recorded_is_refused_with_what_to_do(
    engine: RecordedEngine, problems: dict[str, ProblemSpec], judge: Judge
) -> None:
    with pytest.raises(NoRecording, match="recorded settings"):
        Bench(problems["tram-doors"], engine, judge).play(Params(k=4))
