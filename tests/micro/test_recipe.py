"""The recipe's command line: stages by name, and no stage done twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from micro import pretraining
from micro.recipe import Recipe, main, write_json
from micro.scale import CI, FULL, SCALES


def test_an_unknown_stage_is_refused_with_the_names_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--stage", "nonsense", "--out", str(tmp_path)])
    told = capsys.readouterr().err
    assert "nonsense" in told
    assert "pretraining" not in told
    assert "evaluation" in told


def test_a_finished_stage_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Recipe(CI, tmp_path)
    done = ["tokenizer/tokenizer.json", "corpus.npz", "base/model.safetensors"]
    done += ["pairs-teacher.json", "pairs-student.json", "pairs-supervisor.json"]
    for name in done:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()

    def never(*_: object) -> None:
        raise AssertionError("this stage is finished")

    for name in ("make_tokenizer", "encode_corpus", "pretrain"):
        monkeypatch.setattr(pretraining, name, never)
    for stage in ("tokenizer", "corpus", "base", "teacher", "student"):
        recipe.stages[stage]()


def test_a_result_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_json(tmp_path / "arm.json", {"bad": object()})
    assert not (tmp_path / "arm.json").exists()
    write_json(tmp_path / "arm.json", {"good": 1})
    assert [path.name for path in tmp_path.iterdir()] == ["arm.json"]


def test_both_scales_use_a_corpus_that_their_steps_do_not_exhaust() -> None:
    assert set(SCALES) == {"full", "ci", "smoke"}
    for scale in (FULL, CI):
        tokens = scale.pretraining.steps * scale.pretraining.tokens_a_step
        assert tokens < scale.pretraining_documents * 131  # tokens a document, measured
        assert scale.evaluation_problems >= 60


def test_another_seed_shares_the_base_and_draws_the_rest_anew(tmp_path: Path) -> None:
    first, second = Recipe(CI, tmp_path), Recipe(CI.with_seed(2), tmp_path)
    assert first.base == second.base
    assert first.scale.pretraining == second.scale.pretraining
    assert {first.adapters, first.results}.isdisjoint({second.adapters, second.results})
    assert first.scale.adapters.seed != second.scale.adapters.seed
    assert first.scale.series("teacher") != second.scale.series("teacher")
