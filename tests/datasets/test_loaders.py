"""Each exported file read by its consumer's own loader. Needs requirements-loaders.txt; skipped where that is absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.datasets.conftest import built, example, problems, story
from training.datasets import files
from training.datasets.formats import FORMATS
from training.models import DatasetVersion

datasets = pytest.importorskip("datasets", reason="needs `pip install -r requirements-loaders.txt`")
trl = pytest.importorskip("trl", reason="needs `pip install -r requirements-loaders.txt`")
pytestmark = pytest.mark.django_db


@pytest.fixture
def version(db: None) -> DatasetVersion:
    for number, problem in enumerate(problems(6)):
        example(problem, story(100 + number), refused=f"no {number}")
    return built()


def load(version: DatasetVersion, form: str, folder: Path) -> object:
    path = folder / f"{form}.{FORMATS[form].suffix}"
    if form == "parquet":
        path.write_bytes(files.parquet(version).read())
        return datasets.load_dataset(
            "parquet", data_files=str(path), split="train", cache_dir=str(folder / "c")
        )
    path.write_text("".join(files.lines(version, FORMATS[form])), encoding="utf-8")
    return datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=str(folder / "c"))


@pytest.mark.parametrize("form", list(FORMATS))
def test_datasets_loads_the_file_with_every_row(version: DatasetVersion, tmp_path: Path, form: str) -> None:
    loaded = load(version, form, tmp_path)
    assert len(loaded) == version.row_count  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["chat", "parquet", "dpo"])
def test_trl_knows_the_rows_as_conversations(version: DatasetVersion, tmp_path: Path, form: str) -> None:
    loaded = load(version, form, tmp_path)
    assert all(trl.data_utils.is_conversational(row) for row in loaded)  # type: ignore[attr-defined]


def test_llama_factory_s_documented_columns_are_there(version: DatasetVersion, tmp_path: Path) -> None:
    """As its data/README.md describes them: alpaca, sharegpt with human and gpt, and preference pairs."""
    assert set(load(version, "alpaca", tmp_path).column_names) == {"instruction", "input", "output"}  # type: ignore[attr-defined]
    turns = load(version, "sharegpt", tmp_path)[0]["conversations"]  # type: ignore[index]
    assert [turn["from"] for turn in turns] == ["human", "gpt"]
    row = load(version, "sharegpt-dpo", tmp_path)[0]  # type: ignore[index]
    assert (
        row["conversations"][-1]["from"] == "human"
        and row["chosen"]["from"] == row["rejected"]["from"] == "gpt"
    )
