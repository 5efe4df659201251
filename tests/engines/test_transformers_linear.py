"""Packed products are the plain ones, and a row's does not depend on the rows beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from solver.engines import transformers_linear
from solver.engines.transformers_engine import TransformersEngine
from solver.engines.transformers_linear import Factor, FastLinear, can_pack, quicken
from tests.engines.asking import request
from tests.engines.conftest import tiny_spec

DTYPES = (torch.float32, torch.bfloat16)


@pytest.fixture(params=["packed", "plain"])
def packing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "plain":
        monkeypatch.setattr(transformers_linear, "can_pack", lambda weight: False)
    elif not can_pack(torch.zeros(4, 4)):
        pytest.skip("this build of torch has no packed products")
    return str(request.param)


def error_of(found: torch.Tensor, exact: torch.Tensor) -> float:
    return float((found.float() - exact).abs().max() / exact.abs().max())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows", [1, 3, 16, 200])
def test_products_and_sums_are_the_plain_ones(packing: str, dtype: torch.dtype, rows: int) -> None:
    torch.manual_seed(rows)
    weight, bias = torch.randn(96, 64, dtype=dtype), torch.randn(96, dtype=dtype)
    x, y = torch.randn(2, rows, 64, dtype=dtype), torch.randn(2, rows, 96, dtype=dtype)
    most = 1e-5 if dtype is torch.float32 else 0.02
    factor = Factor(weight)
    exact = functional.linear(x.float(), weight.float())
    assert error_of(factor.product(x), exact) < most
    assert error_of(factor.product(x, bias), exact + bias.float()) < most
    assert error_of(factor.added(x, y.clone()), exact + y.float()) < most


def test_a_row_comes_out_the_same_alone_and_beside_fifteen_others(packing: str) -> None:
    torch.manual_seed(0)
    factor, x = Factor(torch.randn(96, 64)), torch.randn(16, 64)
    together = factor.product(x)
    for count in (1, 2, 7):
        assert error_of(factor.product(x[:count]), together[:count]) < 1e-5


def test_every_linear_layer_is_replaced_and_nothing_else() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 2, bias=False)))
    x = torch.randn(3, 4)
    with torch.inference_mode():
        before = model(x)
        quicken(model)
        assert error_of(model(x), before) < 1e-5
    kinds = [type(layer) for layer in model.modules()]
    assert (kinds.count(FastLinear), kinds.count(nn.Linear), kinds.count(nn.LayerNorm)) == (2, 0, 1)


def test_without_packed_products_the_engine_gives_the_same_answers(
    tiny: Path, tiny_engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [request("print the sum", model=name, max_tokens=24) for name in ("base", "coding", "planning")]
    expected = [tiny_engine.chat(one).text for one in asked]
    monkeypatch.setattr(transformers_linear, "can_pack", lambda weight: False)
    plain = TransformersEngine(tiny_spec(tiny))
    try:
        assert [plain.chat(one).text for one in asked] == expected
    finally:
        plain.close()
