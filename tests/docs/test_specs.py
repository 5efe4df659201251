"""Every YAML of the documents is one that the lab would read."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from solver.campaigns import spec as campaigns
from solver.engines.prices import parse_prices
from solver.engines.spec import parse_specs
from training import lora_spec
from training.distillation.spec import DistillationSpec
from training.spec_text import read_yaml
from training.supervision.spec import SupervisionSpec
from trajectories.agents import AGENTS

DOCS = Path(settings.BASE_DIR, "docs")
FENCED = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)
INDENTED = re.compile(
    r"^( {4,})# \w+\.yaml\n((?:\1.*\n|\n)+)", re.MULTILINE
)  # begins with a comment that names the file


def blocks(page: str) -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    indented = [textwrap.dedent(found[1]) for found in INDENTED.findall(text)]
    found = [*FENCED.findall(text), *(block.partition("\n\n")[0] for block in indented)]
    assert found, page
    return found


def test_the_campaigns_are_campaigns() -> None:
    for block in blocks("how-to/campaigns.md"):
        campaigns.read_yaml(block)


def test_the_jobs_that_make_training_data_are_jobs() -> None:
    kinds = []
    for block in blocks("how-to/distil.md"):
        if block.startswith("- "):
            parse_specs(yaml.safe_load(block))
            continue
        kind = SupervisionSpec if "\nsupervisor:" in block else DistillationSpec
        read_yaml(kind, block)
        kinds.append(kind)
    assert set(kinds) == {SupervisionSpec, DistillationSpec}


def test_the_recipes_are_recipes() -> None:
    for block in blocks("how-to/train.md"):
        data = lora_spec.read_yaml(block)
        assert data.pop("recipe") is True
        datasets = data.pop("datasets", None) or {role: f"{role}@v1" for role in AGENTS}
        assert [spec.role for spec in lora_spec.recipe(data, datasets)] == list(AGENTS)


@pytest.mark.parametrize(
    "page", ["reference/engines.md", "how-to/engines.md", "how-to/gpu-server.md"], ids=lambda page: page
)
def test_the_engines_are_engines_and_the_prices_prices(page: str) -> None:
    for block in blocks(page):
        data = yaml.safe_load(block)
        entries = data if isinstance(data, list) else [data]
        if "valid_from" in entries[0]:
            parse_prices(entries)
        else:
            assert parse_specs(entries)
