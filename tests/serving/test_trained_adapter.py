"""An adapter from the lab's trainer gives the same greedy answers in plain peft, in the lab's engine and in a real vLLM.

All three in float32 (`make test-vllm`). In bfloat16 rounding decides near-ties differently.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from micro.engine_spec import engine_entry
from solver.engines.adapters import base_fingerprint
from solver.engines.openai_api import OpenAIEngine
from solver.engines.protocol import ChatModel, ChatRequest, Message, Role, Sampling
from solver.engines.spec import EngineSpec
from solver.serving import vllm
from solver.serving.server import VllmServer
from tests.serving.micro_vllm import micro_vllm, needs_micro_vllm
from tests.training.micro_rows import pairs

pytestmark = needs_micro_vllm
PROMPTS, TOKENS = 12, 96


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen steps on the micro base: enough that it answers otherwise than the base, too few to answer well."""
    from tests.training.test_trainer import job, train

    made = job(tmp_path_factory.mktemp("trained"), max_steps=16, save_every=16, eval_every=16)
    made = replace(made, card={"fingerprint": base_fingerprint(Path(made.base)), "base": "micro"})
    train(made)
    return Path(made.adapter)


def answers(engine: ChatModel, model: str) -> list[str]:
    sampling = Sampling(temperature=0.0, max_tokens=TOKENS)
    return [
        engine.chat(ChatRequest(Role.CODING, model, (Message("user", prompt),), sampling)).text
        for prompt, _ in pairs("coding", PROMPTS)
    ]


def with_plain_peft(base: str, adapter: Path) -> list[str]:
    """As its documentation loads and generates."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    plain: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    model: Any = PeftModel.from_pretrained(plain, str(adapter)).eval()
    found = []
    for prompt, _ in pairs("coding", PROMPTS):
        ids = tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )
        with torch.inference_mode():
            out = model.generate(**ids, do_sample=False, max_new_tokens=TOKENS)
        found.append(tokenizer.decode(out[0, ids["input_ids"].shape[1] :], skip_special_tokens=True))
    return found


def test_the_same_greedy_answers_in_peft_in_the_lab_and_in_vllm(trained: Path) -> None:
    from solver.engines.transformers_engine import TransformersEngine

    described = EngineSpec.parse(engine_entry())
    assert described.base is not None
    own = TransformersEngine(described)
    try:
        own.load_adapter("trained", trained)
        lab, untrained = answers(own, "trained"), answers(own, "base")
    finally:
        own.close()
    assert with_plain_peft(described.base, trained) == lab
    assert sum(a != b for a, b in zip(lab, untrained, strict=True)) >= PROMPTS // 2

    served = micro_vllm()
    more = vllm.named_by_content(
        served.model_copy(update={"adapters": {**served.adapters, "trained": str(trained)}})
    )
    name = next(name for name in more.adapters if name.startswith("trained@"))
    server, client = VllmServer(more), OpenAIEngine(more)
    try:
        assert server.reconcile()[name] == ""
        assert answers(client, name) == lab
    finally:
        server.close()
        client.close()
