from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from solver.engines.spec import EngineSpec
from tests.engines.served_engine import Server, serving_engine

if TYPE_CHECKING:
    from solver.engines.transformers_engine import TransformersEngine


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `base` and four adapters of different ranks, targets and scaling."""
    from tests.engines.tiny_model import save_adapter, save_base

    root = tmp_path_factory.mktemp("tiny")
    base = save_base(root / "base")
    save_adapter(base, root / "retrieval", seed=1)
    save_adapter(base, root / "planning", seed=2, r=4, lora_alpha=4, target_modules=["q_proj", "v_proj"])
    save_adapter(base, root / "coding", seed=3, use_rslora=True, lora_alpha=8)
    save_adapter(
        base,
        root / "debugging",
        seed=4,
        rank_pattern={"down_proj": 3},
        alpha_pattern={"model.layers.0.self_attn.q_proj": 32},
    )
    return root


def tiny_spec(root: Path, **fields: object) -> EngineSpec:
    adapters = {name: str(root / name) for name in ("retrieval", "planning", "coding", "debugging")}
    given = {
        "name": "tiny",
        "kind": "transformers",
        "base": str(root / "base"),
        "adapters": adapters,
        "models": {name: name for name in adapters},
        **fields,
    }
    return EngineSpec.parse(given)


@pytest.fixture(scope="session")
def tiny_server(tiny: Path) -> Iterator[Server]:
    """The tiny model in a process of its own; tests leave it as they found it."""
    with serving_engine(tiny_spec(tiny, local={"threads": 1})) as server:
        yield server


@pytest.fixture(scope="session")
def tiny_engine(tiny: Path) -> Iterator[TransformersEngine]:
    from solver.engines.transformers_engine import TransformersEngine

    engine = TransformersEngine(tiny_spec(tiny))
    yield engine
    engine.close()
