"""A kill while a stage's result is written: the stage is not taken for done."""

from __future__ import annotations

from pathlib import Path

import pytest

from micro import whole_files
from micro.distillation import Pairs


def test_a_folder_that_was_not_finished_leaves_no_file_and_the_next_one_leaves_all(tmp_path: Path) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        whole_files.folder(tmp_path, "model.safetensors") as unfinished,
    ):
        (unfinished / "model.safetensors").write_text("half of i")
        raise KeyboardInterrupt
    assert not (tmp_path / "model.safetensors").exists()
    with whole_files.folder(tmp_path, "model.safetensors") as unfinished:
        assert list(unfinished.iterdir()) == []
        for name in ("model.safetensors", "config.json", "tokenizer.json"):
            (unfinished / name).write_text(name)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "config.json", "model.safetensors", "tokenizer.json",
    ]  # fmt: skip


def test_what_a_stage_is_known_by_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = Path.replace
    moved: list[str] = []

    def killed_at_the_second(self: Path, target: Path) -> Path:
        if moved:
            raise KeyboardInterrupt
        moved.append(self.name)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", killed_at_the_second)
    with (
        pytest.raises(KeyboardInterrupt),
        whole_files.folder(tmp_path, "adapter_model.safetensors") as unfinished,
    ):
        for name in ("adapter_model.safetensors", "base.json"):
            (unfinished / name).write_text(name)
    assert moved == ["base.json"] and not (tmp_path / "adapter_model.safetensors").exists()


def test_pairs_that_were_being_saved_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, write = tmp_path / "pairs-teacher.json", Path.write_text

    def half(self: Path, data: str, **how: str) -> int:
        write(self, data[: len(data) // 2], **how)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Path, "write_text", half)
        Pairs().save(path)
    assert not path.exists()
    Pairs().save(path)
    assert Pairs.load(path).counts == {}
