"""Every format written is read back as the same pairs, and hostile files cost one sentence a row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.datasets.conftest import built, example, problems, story
from training.datasets import files, formats
from training.datasets.formats import FORMATS, BadRow, Pair
from training.models import DatasetVersion, Example

TEXT = st.text(min_size=1, max_size=60).filter(str.strip)
TURNS = st.tuples(st.none() | TEXT, TEXT).map(
    lambda pair: [
        *([{"role": "system", "content": pair[0]}] if pair[0] else []),
        {"role": "user", "content": pair[1]},
    ]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(turns=TURNS, answer=TEXT, refused=TEXT)
def test_a_pair_survives_every_format(turns: list[dict[str, str]], answer: str, refused: str) -> None:
    for form in FORMATS.values():
        pair = Pair(turns, answer, refused if form.pairs_only and refused != answer else "")
        if form.pairs_only and not pair.refused:
            continue
        assert formats.read(json.loads(json.dumps(form.write(pair)))) == pair, form.key


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(
        st.none() | st.integers() | TEXT,
        lambda x: (
            st.lists(x, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "messages",
                        "role",
                        "content",
                        "conversations",
                        "from",
                        "value",
                        "instruction",
                        "output",
                        "prompt",
                        "chosen",
                        "rejected",
                    ]
                ),
                x,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_row_is_a_pair_or_a_sentence(row: Any) -> None:
    try:
        found = formats.read(row)
    except BadRow as error:
        assert str(error)
    else:
        assert found.answer.strip() and found.prompt


def _version(refused: str = "") -> DatasetVersion:
    for number, problem in enumerate(problems(8)):
        example(problem, story(100 + number), refused=refused and f"{refused} {number}")
    return built(eval_share=0.3)


@pytest.mark.django_db
@pytest.mark.parametrize("form", list(FORMATS))
def test_an_exported_version_is_imported_as_the_same_examples(tmp_path: Path, form: str) -> None:
    version = _version(refused="no")
    path = tmp_path / "file"
    if form == "parquet":
        path.write_bytes(files.parquet(version).read())
    else:
        path.write_text("".join(files.lines(version, FORMATS[form])), encoding="utf-8")
    found = files.import_file(path, "coding", author="x", licence="MIT")
    assert (found.new, found.known, found.bad) == (0, 8, 0)
    fresh = files.import_file(path, "debugging", author="x", licence="MIT")
    assert (fresh.new, fresh.bad) == (8, 0)
    again = files.import_file(path, "debugging", author="x", licence="MIT")
    assert (again.new, again.known) == (0, 8)
    assert Example.objects.filter(role="debugging", state="candidate", licence="MIT").count() == 8


@pytest.mark.django_db
def test_train_and_eval_files_are_the_whole_version_between_them() -> None:
    version = _version()
    whole = list(files.lines(version, FORMATS["chat"]))
    parts = [list(files.lines(version, FORMATS["chat"], split)) for split in ("train", "eval")]
    assert sorted(whole) == sorted(parts[0] + parts[1])
    assert len(parts[1]) == version.eval_count > 0
    told = [json.loads(line) for line in files.provenance(version)]
    assert [row["position"] for row in told] == list(range(8)) and {row["licence"] for row in told} == {"MIT"}


@pytest.mark.django_db
def test_bad_rows_are_told_one_sentence_each_and_the_others_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "mixed.jsonl"
    good = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
    lines = [
        "not json",
        "[1]",
        '{"text": "x"}',
        '{"messages": [{"role": "user", "content": "q"}]}',
        json.dumps(good),
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    found = files.import_file(path, "coding", author="x", licence="MIT")
    assert (found.new, found.bad) == (1, 4)
    assert [fault.where for fault in found.faults] == ["line 1", "row 2", "row 3", "row 4"]
