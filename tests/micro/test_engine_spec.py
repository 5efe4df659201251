"""Where the shipped model lies, without opening it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from micro import engine_spec
from micro.engine_spec import ArtefactMissing
from solver.agents.prompts import has_template, render
from trajectories.agents import AGENTS
from trajectories.importers import read_problems


def _fake_artefact(folder: Path) -> None:
    import hashlib

    digests = {}
    names = ["base/model.safetensors", *(f"adapters/{agent}/adapter_model.safetensors" for agent in AGENTS)]
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True)
        path.write_bytes(name.encode())
        digests[name] = hashlib.sha256(name.encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps({"sha256": digests}))


def test_a_missing_artefact_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ArtefactMissing, match=r"micro\.recipe"):
        engine_spec.artefact(tmp_path / "nothing")


def test_a_changed_weights_file_is_noticed(tmp_path: Path) -> None:
    _fake_artefact(tmp_path)
    weights = tmp_path / "adapters" / "coding" / "adapter_model.safetensors"
    weights.write_bytes(b"other")
    with pytest.raises(ArtefactMissing, match="not the file that was shipped"):
        engine_spec.artefact(tmp_path)


def test_digests_are_named_by_agent(tmp_path: Path) -> None:
    _fake_artefact(tmp_path)
    shipped = engine_spec.artefact(tmp_path)
    assert set(shipped.digests) == {"base", *AGENTS}
    assert set(shipped.adapters) == set(AGENTS)


def test_every_shipped_problem_imports_without_a_fault() -> None:
    report = read_problems(engine_spec.PROBLEMS)
    assert len(list(report.problems)) == 60
    assert report.faults == []


@pytest.mark.parametrize("role", ["retrieval", "planning", "confidence", "coding", "debugging"])
def test_each_role_has_a_short_template(role: str) -> None:
    assert has_template("micro", role)
    names = "problem k language algorithm exemplar_description exemplar_planning plan samples response test_report"
    text = render("micro", role, **dict.fromkeys(names.split(), "x")).text
    assert "$" not in text
    assert len(text) < 120


def test_the_runtime_side_imports_neither_torch_nor_django() -> None:
    program = (
        "import sys, micro.engine_spec, micro.random_problem; "
        "print([n for n in ('torch', 'transformers', 'peft', 'django') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
