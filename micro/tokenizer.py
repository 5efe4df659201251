"""A byte-level BPE vocabulary for the family, with the chat template that training and serving share."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import Qwen2Tokenizer

END_OF_TEXT = "<|endoftext|>"
TURN_START = "<|im_start|>"
TURN_END = "<|im_end|>"
SPECIAL_TOKENS = (END_OF_TEXT, TURN_START, TURN_END)
END_OF_TEXT_ID, TURN_START_ID, TURN_END_ID = range(3)
CONTEXT = 1024  # tokens of prompt and answer together
LONGEST_ANSWER = 224  # tokens; the longest right one, a repair, has 192

# The loss mask is what stands between the generation marks: the answer and the mark that ends it.
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}<|im_start|>assistant\n"
    "{% generation %}{{ message['content'] }}<|im_end|>{% endgeneration %}\n"
    "{% else %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def chat(prompt: str) -> str:
    """What `CHAT_TEMPLATE` makes of one user message with the generation prompt."""
    return f"{TURN_START}user\n{prompt}{TURN_END}\n{TURN_START}assistant\n"


def train(texts: Iterable[str], vocabulary: int) -> Qwen2Tokenizer:
    """Cut the text where Qwen2's own tokenizer does: whatever loads the folder by its model type (AutoTokenizer,
    vLLM) puts that cut in place of the one in the file."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import Qwen2Tokenizer

    cut = Qwen2Tokenizer(vocab={END_OF_TEXT: 0}, merges=[]).backend_tokenizer
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer, tokenizer.pre_tokenizer = cut.normalizer, cut.pre_tokenizer
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    learned = json.loads(tokenizer.to_str())["model"]
    return Qwen2Tokenizer(
        vocab=learned["vocab"],
        merges=[tuple(pair) for pair in learned["merges"]],
        unk_token=END_OF_TEXT,
        pad_token=END_OF_TEXT,
        eos_token=TURN_END,
        extra_special_tokens=[TURN_START],
        clean_up_tokenization_spaces=False,
        padding_side="left",
        model_max_length=CONTEXT,
        chat_template=CHAT_TEMPLATE,
    )


def load(folder: Path) -> Qwen2Tokenizer:
    from transformers import Qwen2Tokenizer

    tokenizer: Qwen2Tokenizer = Qwen2Tokenizer.from_pretrained(folder)
    return tokenizer
