"""What a person types at the terminal that cannot be right: one sentence, no traceback, and nothing done before it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from trajectories.models import Run

pytestmark = pytest.mark.django_db
READERS = [
    ("evaluate",),
    ("distill",),
    ("supervise",),
    ("train",),
    ("engine", "add", "--file"),
]
WRITERS = [
    ("solve", "1"),
    ("evaluate", "spec.yaml"),
    ("doctor",),
    ("attack",),
    ("agreement", "data"),
    ("import_problems", "file"),
    ("import_traces", "file"),
    ("reproduce",),
]


@pytest.mark.parametrize("command", READERS, ids=lambda command: command[0])
def test_a_file_that_is_no_text_is_refused_in_one_sentence(command: tuple[str, ...], tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\x00")
    for path, said in (
        (picture, "is not UTF-8 text (byte 1)"),
        (tmp_path, "cannot be read: Is a directory"),
        (tmp_path / "none.yaml", "cannot be read: No such file or directory"),
    ):
        with pytest.raises(CommandError) as refused:
            call_command(*command, str(path))
        assert str(refused.value).startswith(f"{path} {said}"), command
        assert "codec" not in str(refused.value) and "Errno" not in str(refused.value)


def test_an_engine_file_that_is_no_yaml_says_where_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "engines.yaml"
    file.write_text("- name: one\n- [two\n", encoding="utf-8")
    with pytest.raises(CommandError) as refused:
        call_command("engine", "add", "--file", str(file))
    assert str(refused.value) == f"{file}, line 3: this is not YAML that can be read."


@pytest.mark.parametrize("command", WRITERS, ids=lambda command: command[0])
def test_a_result_that_could_not_be_written_is_refused_before_the_work(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    for target, why in (
        (tmp_path / "nowhere" / "out.json", f"there is no folder {tmp_path / 'nowhere'}"),
        (tmp_path, "it is a folder"),
    ):
        with pytest.raises(CommandError) as refused:
            call_command(*command, "--json", str(target))
        assert str(refused.value) == f"{target} cannot be written: {why}; give another file."
    assert not Run.objects.exists() and list(tmp_path.iterdir()) == []


def test_a_problem_that_is_not_there_points_to_a_place_that_is() -> None:
    with pytest.raises(CommandError, match="The Problems page lists them"):
        call_command("solve", "nope/nope")
