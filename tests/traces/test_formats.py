"""Each published format, found by its content, read into steps, and nothing of it lost."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.traces import samples
from tests.traces.samples import otlp, read, read_one, span, write, write_eval
from trajectories.traces import StepKind
from trajectories.traces.mapcoder_results import candidates
from trajectories.traces.read import REMOVED


def test_a_normalised_trace_keeps_fields_nobody_knows(tmp_path: Path) -> None:
    trace = read_one(write(tmp_path / "t.jsonl", samples.NORMALISED))
    assert [(step.kind, step.role, step.attempt) for step in trace.steps] == [
        (StepKind.ANSWER, "planning", 0),
        (StepKind.NOTE, "agent", 0),
        (StepKind.ANSWER, "coding", 1),
        (StepKind.FEEDBACK, "agent", 1),
    ]
    assert trace.extra == {"mood": "confident"}
    assert trace.steps[3].text == "1 2: passed\n5 6: passed"
    assert samples.lost(samples.NORMALISED, trace) == set()


def test_a_mapcoder_result_is_tries_of_an_unknown_agent(tmp_path: Path) -> None:
    trace = read_one(write(tmp_path / "r.jsonl", samples.MAPCODER_RESULT))
    assert trace.format == "mapcoder-results" and not trace.agents_known
    assert [(s.attempt, s.role, s.tokens.prompt, s.code) for s in trace.steps] == [
        (1, "agent", 100, "def f(): return 0"),
        (2, "agent", 110, "def f(): return 1"),
    ]
    assert trace.final_code == "def f(): return 1" and trace.solved is True
    assert samples.lost(samples.MAPCODER_RESULT, trace) == set()


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("HumanEval/12", "humaneval/12"),
        ("mbpp_101_kth_element", "mbpp-typed/101"),
        ("0644605611a2cd10ab3a9f12f18d7ae4", "xcodeeval/0644605611a2cd10ab3a9f12f18d7ae4"),
        ("1575_B", "codecontests/1575_B"),
        ("3554", "apps/3554"),
    ],
)
def test_names_of_published_sets_become_names_of_the_lab(name: str, wanted: str) -> None:
    assert wanted in candidates(name)


@pytest.mark.parametrize("whole", [samples.SWE_AGENT_NEW, samples.SWE_AGENT_OLD], ids=["query", "messages"])
def test_both_generations_of_swe_agent_are_read(tmp_path: Path, whole: dict[str, object]) -> None:
    path = tmp_path / "repo__12.traj"
    path.write_text(json.dumps(whole, indent=2))
    trace = read_one(path)
    assert (trace.format, trace.problem) == ("swe-agent", "repo__12")
    answer, feedback = trace.steps
    assert [message.content for message in answer.messages] == ["You repair programs.", "Issue 12."]
    assert (feedback.text, feedback.seconds) == ("fields.py\n", 0.25)
    assert samples.lost(whole, trace) == set()


def test_mini_swe_agent_gives_each_answer_what_was_new_to_it(tmp_path: Path) -> None:
    trace = read_one(write(tmp_path / "repo__12.traj.json", samples.MINI))
    answer, feedback = trace.steps
    assert (trace.format, trace.model, trace.outcome) == ("mini-swe-agent", "some-model", "Submitted")
    assert [message.role for message in answer.messages] == ["system", "user"]
    assert (answer.tokens.prompt, answer.finish_reason) == (50, "stop")
    assert answer.ended == datetime(2026, 4, 10, 6, 26, 31, 500_000, tzinfo=UTC)
    assert feedback.text == "x\n"
    assert {value for _, value in samples.lost(samples.MINI, trace)} == {"sk-very-secret"}


def test_secrets_in_stored_configurations_are_not_imported(tmp_path: Path) -> None:
    trace = read_one(write(tmp_path / "a.traj.json", samples.MINI))
    assert trace.extra["info"]["config"]["model"]["model_kwargs"]["api_key"] == REMOVED


@pytest.mark.parametrize("kind", ["eval", "old eval", "json"])
def test_an_inspect_log_is_read_by_its_keys(tmp_path: Path, kind: str) -> None:
    head, sample = samples.INSPECT_HEAD, samples.INSPECT_SAMPLE
    if kind == "json":
        path = write(tmp_path / "log.json", {**head, "samples": [sample]})
    else:
        name = "header.json" if kind == "eval" else "start.json"
        path = write_eval(tmp_path / "log.eval", {name: head, "samples/1_epoch_1.json": sample})
    trace = read_one(path)
    answer, feedback = trace.steps
    assert (trace.problem, trace.solved, trace.outcome) == ("test/sum", True, "verify: C")
    assert (answer.role, answer.tokens.total, answer.seconds) == ("coding", 96, 1.9)
    assert [message.content for message in answer.messages] == ["Read two integers and add them."]
    assert (feedback.stage, feedback.text) == ("run", "3\n")
    assert {name for name, _ in samples.lost({**head, "samples": [sample]}, trace)} <= {
        "content"
    }  # the reference


def test_an_inspect_log_without_events_is_read_from_its_messages(tmp_path: Path) -> None:
    sample = {**samples.INSPECT_SAMPLE, "events": []}
    trace = read_one(write(tmp_path / "log.json", {**samples.INSPECT_HEAD, "samples": [sample]}))
    (answer,) = trace.steps
    assert (answer.text, [message.content for message in answer.messages]) == (samples.SUM, ["Add."])


@pytest.mark.parametrize("place", ["message_pool", "events_data"])
def test_messages_that_an_inspect_log_keeps_once_are_put_where_they_were_shown(
    tmp_path: Path, place: str
) -> None:
    pool = [{"role": role, "content": role.upper()} for role in ("system", "user", "assistant", "user")]
    model = {**samples.INSPECT_SAMPLE["events"][1], "input": [], "input_refs": [[0, 2], [3, 4]]}
    sample = {
        **samples.INSPECT_SAMPLE,
        "events": [model],
        place: pool if place == "message_pool" else {"messages": pool},
    }
    log = {**samples.INSPECT_HEAD, "samples": [sample]}
    (answer,) = read_one(write(tmp_path / "log.json", log)).steps
    assert [message.content for message in answer.messages] == ["SYSTEM", "USER", "USER"]
    model["input_refs"] = [[0, 9]]
    assert (
        "input_refs[0]: is no range of the sample's 4 messages"
        in read(write(tmp_path / "log.json", log))[1][0]
    )


def test_spans_of_one_trace_are_gathered_over_requests_and_keep_unknown_attributes(tmp_path: Path) -> None:
    said = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "Add them."}]}])
    asked = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Plan."}]}])
    root = span(1, "workflow", gen_ai__operation__name="invoke_workflow", shop__order=7)
    plan = span(2, "plan", 1, gen_ai__operation__name="plan", gen_ai__agent__name="Planner")
    call = span(
        3, "chat m", 2, gen_ai__operation__name="chat", gen_ai__request__model="m", gen_ai__usage__input_tokens=12,
        gen_ai__input__messages=asked, gen_ai__output__messages=said, acme__colour="red",
        gen_ai__response__finish_reasons=["stop"],
    )  # fmt: skip
    tool = span(4, "execute_tool", 1, gen_ai__operation__name="execute_tool", gen_ai__tool__name="run")
    path = write(tmp_path / "spans.jsonl", otlp(call, root), otlp(tool, plan))
    trace = read_one(path)
    answer, feedback = trace.steps
    assert (answer.role, answer.model, answer.text, answer.finish_reason) == (
        "planning",
        "m",
        "Add them.",
        "stop",
    )
    assert (answer.tokens.prompt, answer.seconds, feedback.stage) == (12, 0.5, "run")
    assert answer.extra["span"]["attributes"]["acme.colour"] == "red"
    outer = {span["name"]: span["attributes"] for span in trace.extra["spans"]}
    assert outer["workflow"]["shop.order"] == 7 and outer["plan"]["gen_ai.agent.name"] == "Planner"


def test_indexed_attributes_of_an_older_convention_are_read(tmp_path: Path) -> None:
    call = span(
        1, "openai.chat", gen_ai__prompt__0__role="user", gen_ai__prompt__0__content="Hi",
        gen_ai__completion__0__content="Hello", gen_ai__usage__prompt_tokens=3,
    )  # fmt: skip
    (answer,) = read_one(write(tmp_path / "spans.json", otlp(call))).steps
    assert (answer.messages[0].content, answer.text, answer.tokens.prompt) == ("Hi", "Hello", 3)


def test_an_agent_that_wraps_a_call_is_no_step_of_its_own(tmp_path: Path) -> None:
    agent = span(1, "invoke_agent", gen_ai__operation__name="invoke_agent", gen_ai__output__messages="[]")
    call = span(2, "chat", 1, gen_ai__operation__name="chat")
    assert [step.stage for step in read_one(write(tmp_path / "s.json", otlp(agent, call))).steps] == ["chat"]


def test_a_folder_of_several_formats_is_read_file_by_file(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", samples.NORMALISED)
    write(tmp_path / "b.traj.json", samples.MINI)
    write(tmp_path / "c.json", {"nothing": "known"})
    found, faults = read(tmp_path)
    assert len(found) == 2
    assert len(faults) == 1 and "c.json: no format is known" in faults[0] and "normalised" in faults[0]
