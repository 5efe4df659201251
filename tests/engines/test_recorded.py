from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solver.engines.protocol import (
    Cancelled,
    ChatReply,
    ChatRequest,
    EngineInfo,
    FinishReason,
    NoRecording,
    Role,
    Usage,
)
from solver.engines.recorded import RecordedEngine, pieces
from solver.engines.recorder import Recorder
from solver.engines.recording import BadRecording
from solver.engines.spec import EngineSpec
from tests.engines.asking import request


class Echo:
    """Answers with the prompt in capitals."""

    def __init__(self) -> None:
        self.calls = 0

    def chat(
        self,
        request: ChatRequest,
        *,
        on_delta: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ChatReply:
        self.calls += 1
        text = request.messages[0].content.upper()
        return ChatReply(text, FinishReason.LENGTH, Usage(4, 2), "echo-1", 0.1)

    def info(self) -> EngineInfo:
        return EngineInfo("echo", "echo", "Echo", True, ("echo-1",))

    def close(self) -> None:
        pass


def recorded(*files: Path, **fields: object) -> RecordedEngine:
    data = {"name": "demo", "kind": "recorded", "label": "micro demo", "recordings": [str(f) for f in files]}
    return RecordedEngine(EngineSpec.parse({**data, **fields}))


def test_what_was_recorded_is_replayed_word_by_word(tmp_path: Path) -> None:
    file = tmp_path / "demo.jsonl"
    Recorder(Echo(), file, "by hand").chat(request("one two\nthree"))
    engine = recorded(file)
    heard: list[str] = []
    reply = engine.chat(request("one two\nthree", temperature=1.0, seed=9), on_delta=heard.append)
    assert heard == ["ONE", " TWO", "\nTHREE"]
    assert reply.text == "ONE TWO\nTHREE"
    assert (reply.usage, reply.model) == (Usage(4, 2, estimated=False), "echo-1")
    assert reply.finish_reason is FinishReason.LENGTH
    assert reply.detail["note"] == "by hand"


def test_a_recording_says_plainly_that_it_is_one(tmp_path: Path) -> None:
    file = tmp_path / "demo.jsonl"
    Recorder(Echo(), file).chat(request())
    info = recorded(file).info()
    assert info.simulated
    assert info.label == "Recording of micro demo: stored answers are replayed, no model runs"
    assert info.models == ("echo-1",)
    assert recorded(file, label="Recorded answers of echo-1").info().label == "Recorded answers of echo-1"


def test_an_unrecorded_prompt_names_role_and_templates_and_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "demo.jsonl"
    Recorder(Echo(), file).chat(request("known"))
    with pytest.raises(NoRecording, match=r"this planning prompt \(template set 'micro', .*choose an engine"):
        recorded(file, templates="micro").chat(request("known?", role=Role.PLANNING))


def test_the_same_prompt_is_recorded_once_whoever_asks(tmp_path: Path) -> None:
    file = tmp_path / "demo.jsonl"
    inner = Echo()
    recorders = [Recorder(inner, file) for _ in range(3)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda i: recorders[i % 3].chat(request(f"prompt {i % 7}")), range(84)))
    lines = file.read_text().splitlines()
    assert inner.calls == 84
    assert len(lines) == 7
    assert len({json.loads(line)["prompt_digest"] for line in lines}) == 7


def test_the_pace_makes_the_answer_arrive_slowly_and_a_cancel_ends_it(tmp_path: Path) -> None:
    file = tmp_path / "demo.jsonl"
    Recorder(Echo(), file).chat(request("word " * 20))
    reply = recorded(file, tokens_per_second=100).chat(request("word " * 20), on_delta=lambda _text: None)
    # 100 characters at 3.6 a token and 100 tokens a second, and the first piece is not kept back for the others
    assert reply.first_token_s is not None and reply.seconds - reply.first_token_s > 0.2
    heard: list[str] = []
    with pytest.raises(Cancelled):
        recorded(file, tokens_per_second=100).chat(
            request("word " * 20), on_delta=heard.append, cancelled=lambda: len(heard) >= 2
        )
    assert len(heard) == 2


def test_usage_that_was_not_recorded_is_estimated(tmp_path: Path) -> None:
    file = tmp_path / "demo.jsonl"
    line = {"prompt_digest": request("q").prompt_digest(), "role": "coding", "text": "x" * 36, "model": "m"}
    file.write_text(json.dumps(line) + "\n")
    usage = recorded(file).chat(request("q")).usage
    assert usage.estimated
    assert usage.completion_tokens == 10


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{half", "Line 2 of the recording .* is not a stored answer"),
        ('{"prompt_digest": "xyz", "role": "coding", "text": "", "model": "m"}', "Line 2 .*prompt_digest"),
        ('{"role": "poet"}', "Line 2"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, expected: str) -> None:
    file = tmp_path / "demo.jsonl"
    Recorder(Echo(), file).chat(request())
    file.write_text(file.read_text() + line + "\n")
    with pytest.raises(BadRecording, match=expected):
        recorded(file)


def test_an_answer_whose_shown_prompt_is_another_one_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "demo.jsonl"
    Recorder(Echo(), file).chat(request("true question"))
    file.write_text(file.read_text().replace("true question", "other question"))
    with pytest.raises(BadRecording, match="prompt_digest is not the digest of messages"):
        recorded(file)


def test_two_different_answers_to_one_prompt_are_refused(tmp_path: Path) -> None:
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    Recorder(Echo(), one).chat(request("hello"))
    two.write_text(one.read_text().replace("HELLO", "BYE"))
    with pytest.raises(BadRecording, match=r"two\.jsonl holds a second, different answer"):
        recorded(one, two)


def test_a_missing_file_and_a_torn_line_are_said_before_anything_is_asked(tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match="does not exist"):
        recorded(tmp_path / "none.jsonl")
    file = tmp_path / "demo.jsonl"
    file.write_text('{"prompt_digest": "ab')
    with pytest.raises(BadRecording, match=r"last line .* is incomplete"):
        Recorder(Echo(), file)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_the_pieces_of_a_text_are_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text
