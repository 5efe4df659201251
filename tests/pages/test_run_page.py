"""The run page: everything the log says, in order; and what arrives live is what a reload shows."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests.factories import make_problem, make_run, problem_spec
from tests.pages.markup import by_id, words
from tests.pages.telling import FIRST, MENDED, RECALLED, Teller, prepare, whole_run
from trajectories import eventlog, events, leases, patches
from trajectories.exporters.formats import FORMATS
from trajectories.models import Run, Step, StepEvent

pytestmark = pytest.mark.django_db


def page(client: Client, run: Run) -> str:
    response = client.get(f"/runs/{run.pk}/")
    assert response.status_code == 200
    return response.content.decode()


def squeezed(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r'<input type="hidden" name="csrf[^>]*>', "", html)).strip()


def last_patches(run: Run, *, batch: int) -> dict[str, str]:
    """The newest patch of every element, the log read `batch` events at a time as a slow viewer would."""
    found: dict[str, str] = {}
    after = 0
    while rows := eventlog.read_after(run.pk, after, batch):
        for message in patches.messages(run.pk, rows):
            found |= {patch["id"]: patch["html"] for patch in message["patches"]}
        after = rows[-1].seq
    return found


def test_every_step_stands_on_the_page_in_order_with_its_agent(client: Client) -> None:
    html = page(client, whole_run())
    steps = re.findall(r'<article class="step" id="(s\d+)"[^>]* data-agent="(\w+)"', html)
    agents = ["retrieval", *["planning"] * 4, "coding", "judge", "debugging", "judge", "judge"]
    assert steps == [(f"s{number}", agent) for number, agent in enumerate(agents, start=1)]
    assert re.findall(r'id="(og?\d+)"', html) == [
        "og1",
        "o1",
        "o2",
        "o3",
        "o4",
        "o5",
        "og6",
        "o6",
        "o7",
        "o8",
        "o9",
        "o10",
    ]


def test_each_agent_has_its_own_view(client: Client) -> None:
    elements = by_id(page(client, whole_run()))
    assert "Count the apples of two baskets." in elements["s1-e1"].text
    assert words(elements["s2-L1"]) == "Read both numbers."
    assert "exemplar 2 90" in words(elements["s2"])  # all plans' confidences stand beside each plan
    assert "It is 90 % right." in elements["s5"].text
    assert words(elements["s6-L2"]) == "return a - b"
    assert "follows s4 , the plan after exemplar 2" in words(elements["s6"])
    assert "First difference: token 1. Expected 3, got -1." in words(elements["s7"])
    assert "1 2" in words(elements["s7"])  # the sample's input, from the problem
    assert "+1 −1" in words(elements["s8"]) and "It subtracts." in elements["s8"].text


def test_the_header_says_verdict_strategy_engine_and_seed(client: Client) -> None:
    head = words(by_id(page(client, whole_run(seed=7)))["run-head"])
    for expected in ("mapcoder", "accepted", "Test engine", "k 3, t 5", "seed 7", "simulated", "Ended"):
        assert expected in head


@pytest.mark.parametrize("batch", [1, 2, 3, 7])
def test_what_arrives_live_is_what_a_reload_shows(client: Client, batch: int) -> None:
    """A viewer who watches while the run is written, `batch` events at a time, ends with the reloaded page."""
    found: dict[str, str] = {}
    seen = 0

    def watch(last: int) -> None:
        nonlocal seen
        if last - seen >= batch:
            seen = last
            rows = eventlog.read_after(Run.objects.get().pk, last - batch)
            for message in patches.messages(rows[0].run_id, rows):
                found.update({patch["id"]: patch["html"] for patch in message["patches"]})

    run = whole_run(watch=watch)
    rest = eventlog.read_after(run.pk, seen)
    for message in patches.messages(run.pk, rest):
        found.update({patch["id"]: patch["html"] for patch in message["patches"]})
    html = squeezed(page(client, run))
    # t: a pause of seconds between two steps, which a busy machine may make.
    shown = set(re.findall(r'id="((?:s|o|g|og|m|t)\d+|run-head|lanes)"', html))
    assert shown == set(found)
    for name, patch in found.items():
        assert squeezed(patch) in html, name


def test_a_batch_read_from_the_middle_still_ends_in_the_newest_state(client: Client) -> None:
    run = whole_run()
    rows = eventlog.read_after(run.pk, 0)
    messages = patches.messages(run.pk, rows)
    late = {patch["id"]: patch["html"] for message in messages[12:] for patch in message["patches"]}
    html = squeezed(page(client, run))
    steps = {f"s{row.step}" for row in rows[12:] if row.step}
    assert steps <= set(late)
    assert all(squeezed(late[name]) in html for name in steps)


def test_patches_carry_their_place_so_that_order_of_arrival_does_not_matter() -> None:
    run = whole_run()
    places = {
        name: int(match[1])
        for name, html in last_patches(run, batch=500).items()
        if (match := re.search(r'data-at="(\d+)"', html))
    }
    assert places["g1"] < places["s1"] < places["s5"] < places["g6"] < places["s6"] < places["s10"]
    note = next(name for name in places if name.startswith("m"))
    assert places["s5"] < places[note] < places["s6"]


def test_the_number_of_queries_does_not_grow_with_the_batch(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    run = whole_run()
    rows = eventlog.read_after(run.pk, 0)
    with django_assert_max_num_queries(9):
        patches.messages(run.pk, rows[-1:])
    with django_assert_max_num_queries(9):
        patches.messages(run.pk, rows)


def test_a_decision_is_shown_without_a_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    teller = Teller()
    teller.begin()
    rows = eventlog.read_after(teller.run.pk, teller.note("fallback", why="x", instead="y") - 1)
    with django_assert_num_queries(0):
        (message,) = patches.messages(teller.run.pk, rows)
    assert [patch["id"] for patch in message["patches"]] == ["m2"]


def test_the_page_takes_at_most_twelve_queries(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    run = whole_run()
    with django_assert_max_num_queries(12):
        page(client, run)


def test_patches_are_served_after_a_cursor(client: Client) -> None:
    run = whole_run()
    answer = client.get(f"/runs/{run.pk}/patches/?after={run.last_seq - 2}").json()
    assert [event["seq"] for event in answer["events"]] == [run.last_seq - 1, run.last_seq]
    assert answer["last"] == run.last_seq
    frame = client.get(f"/runs/{run.pk}/patches/?frame=1").json()
    assert [patch["id"] for patch in frame["patches"]] == ["run-head", "lanes"]


@pytest.mark.parametrize("after", ["x", "-1", "1e3", "99999999999", "٣"])
def test_a_cursor_that_is_no_number_is_refused_in_words(client: Client, after: str) -> None:
    answer = client.get(f"/runs/{make_run().pk}/patches/", {"after": after})
    assert answer.status_code == 400 and "sequence number" in answer.json()["error"]


# -- things that go wrong are content


def test_an_answer_that_cannot_be_used_is_shown_with_its_code() -> None:
    teller = Teller()
    teller.begin()
    teller.ask(
        "retrieval",
        None,
        "I would rather not.",
        failure="no_root",
        message="there is no root",
        where="rather",
    )
    html = page(Client(), teller.run)
    step = words(by_id(html)["s1"])
    assert "no_root" in step and "Unusable answer" in step and "I would rather not." in step
    assert "data-flag" in html


def test_a_rescued_answer_is_used_and_marked() -> None:
    teller = Teller()
    teller.begin()
    teller.ask("retrieval", RECALLED, "...", failure="bad_xml", message="an & stands alone")
    step = words(by_id(page(Client(), teller.run))["s1"])
    assert (
        "bad_xml, rescued" in step
        and "Count the apples" in step
        and "still counts as a format failure" in step
    )


def test_a_dead_engine_is_a_failed_step_with_a_retry_button(client: Client) -> None:
    teller = Teller()
    teller.begin()
    teller.start("retrieval")
    teller.tell(events.StepFailed(step=1, code="engine_unreachable", message="Nobody answers at port 1."))
    run = teller.end(
        status="failed",
        reason="engine_unreachable",
        message="Nobody answers at port 1.",
        verdict="",
        code=None,
    )
    html = page(client, run)
    assert "Engine unreachable" in words(by_id(html)["run-head"])
    assert "Nobody answers at port 1." in words(by_id(html)["s1"])
    assert html.count(f'action="/runs/{run.pk}/retry/"') == 3  # header, step, ending


def test_a_retried_run_goes_on_and_its_old_ending_offers_no_retry(client: Client) -> None:
    teller = Teller()
    teller.begin()
    teller.start("retrieval")
    teller.tell(events.StepFailed(step=1, code="engine_unreachable", message="Nobody answers."))
    run = teller.end(
        status="failed", reason="engine_unreachable", message="Nobody answers.", verdict="", code=None
    )
    Run.objects.filter(pk=run.pk).update(status="queued")
    fence = leases.claim(run.pk, "infer-2")
    assert fence == 2
    eventlog.append(
        run.pk, [events.RunStarted(fence=2, worker="infer-2", code_version="t", resumed_steps=0)], fence=2
    )
    (message,) = patches.messages(run.pk, eventlog.read_after(run.pk, run.last_seq))
    changed = {patch["id"]: patch["html"] for patch in message["patches"]}
    assert f"m{run.last_seq}" in changed and "/retry/" not in changed[f"m{run.last_seq}"]
    assert "infer-2" in page(client, run) and "took the run over" in page(client, run)


def test_a_step_cut_off_by_a_crash_shows_its_second_try_only(client: Client) -> None:
    teller = Teller()
    teller.begin()
    teller.start("retrieval")
    teller.tell(
        events.StepStarted.model_validate(StepEvent.objects.get(run=teller.run, kind="step.started").payload)
    )
    teller.answer(RECALLED, "second answer")
    html = page(client, teller.run)
    assert html.count('<article class="step"') == 1
    assert "Count the apples" in html


def test_a_running_step_has_a_draft_to_write_into(client: Client) -> None:
    teller = Teller()
    teller.begin()
    teller.start("planning", gist="after exemplar 1")
    html = page(client, teller.run)
    draft = by_id(html)["s1-draft"]
    assert draft.attributes["data-offset"] == "0"
    assert "Cancel run" in html and 'data-status="running"' in html


def test_a_run_that_waits_for_a_worker_says_so(client: Client) -> None:
    assert "Waiting for a worker" in page(client, make_run())


def test_decisions_of_the_strategy_are_sentences(client: Client) -> None:
    teller = Teller()
    teller.begin()
    prepare(teller)
    teller.note(
        "fallback",
        why="no plan passed",
        instead="the best program",
        attempt=1,
        samples_passed=1,
        samples_total=2,
    )
    teller.note("something_new", colour="green")
    html = page(client, teller.run)
    assert "by stated confidence: exemplar 2 (90), exemplar 1 (40)." in html
    assert "No plan passed; instead: the best program, from attempt 1 (1 of 2 samples)." in html
    assert "Something new: colour green." in html


def test_a_reflection_is_read_as_words_and_never_compared_as_a_program(client: Client) -> None:
    teller = Teller(strategy="reflexion")
    teller.begin()
    teller.ask("coding", FIRST, attempt=1)
    teller.ask("debugging", "It subtracts where it should add.", attempt=1, gist="reflection")
    teller.ask("coding", MENDED, attempt=2)
    elements = by_id(page(client, teller.run))
    assert "It subtracts where it should add." in words(elements["s2"])
    assert "Diff to" not in words(elements["s2"])
    assert "Diff to s1" in words(elements["s3"])


def test_a_run_read_from_a_file_says_what_was_not_recorded(client: Client) -> None:
    teller = Teller(imported_from="normalised", recorded_solved=False)
    teller.begin()
    teller.ask("coding", FIRST, attempt=1)
    teller.ask("debugging", MENDED, attempt=1)
    teller.note("recorded_feedback", after_step=1, text="Tests failed: <b>all</b>")
    Step.objects.filter(run=teller.run).update(
        started_at=teller.run.created_at,
        finished_at=teller.run.created_at,
        prompt_tokens=0,
        completion_tokens=0,
    )
    StepEvent.objects.filter(run=teller.run, kind="step.finished").update(
        payload={**StepEvent.objects.get(run=teller.run, seq=3).payload, "estimated": True}
    )
    html = page(client, teller.run)
    elements = by_id(html)
    assert "imported" in words(elements["run-head"]) and "its source says not solved" in words(
        elements["run-head"]
    )
    assert "times were not recorded" in words(elements["lanes"])
    assert "tokens not recorded" in words(elements["s1"])
    assert "Tests failed: &lt;b&gt;all&lt;/b&gt;" in html and "recorded after s1" in html


def test_a_run_can_be_taken_home_in_every_format(client: Client) -> None:
    run = whole_run()
    links = re.findall(r'href="(/runs/\d+/export/\w+/)"', page(client, run))
    assert len(links) == len(FORMATS)
    assert {client.get(link).status_code for link in links} == {200}


# -- one step, one test


def test_prompts_stay_off_the_page_and_open_on_their_own(client: Client) -> None:
    run = whole_run()
    assert "Write the program." not in page(client, run)
    whole = client.get(f"/runs/{run.pk}/steps/6/?tab=prompt").content.decode()
    assert "Write the program." in whole and "lab/coding.v1" in whole and "<html" in whole
    fragment = client.get(f"/runs/{run.pk}/steps/6/?tab=prompt&fragment=1").content.decode()
    assert "Write the program." in fragment and "<html" not in fragment


def test_every_tab_of_every_step_opens_without_a_script(client: Client) -> None:
    run = whole_run()
    links = re.findall(r'href="(/runs/\d+/steps/\d+/\?tab=\w+)"', page(client, run))
    assert len(links) > 30
    assert {client.get(link).status_code for link in links} == {200}


def test_a_hidden_test_is_shown_to_people_with_its_input(client: Client) -> None:
    teller = Teller()
    teller.begin()
    teller.ask("coding", FIRST, attempt=1)
    teller.test(FIRST, ["AC", "WA", "AC"], suite="hidden")
    html = page(client, teller.run)
    assert "5 6" in words(by_id(html)["s2"])  # the second hidden test's input
    accepted = client.get(f"/runs/{teller.run.pk}/steps/2/cases/1/").content.decode()
    assert "0 1" in accepted and "accepted" in accepted and "Next failing" in accepted
    download = client.get(f"/runs/{teller.run.pk}/steps/2/cases/2/?download=input")
    assert download.content == b"5 6\n" and download["Content-Type"].startswith("text/plain")
    assert "attachment" in download["Content-Disposition"]


def test_what_is_not_there_is_a_404(client: Client) -> None:
    run = whole_run()
    base = f"/runs/{run.pk}"
    for path in (
        "/runs/999999/",
        f"{base}/steps/99/",
        f"{base}/steps/6/cases/1/",
        f"{base}/steps/7/cases/0/",
        f"{base}/steps/7/cases/2/",
    ):
        assert client.get(path).status_code == 404, path
    assert client.get(f"{base}/steps/7/cases/1/?download=secrets").status_code == 404


def test_huge_texts_are_cut_and_say_so(client: Client) -> None:
    problem = make_problem(tests=[{"kind": "stdio", "input": "9 " * 50_000, "outputs": ["3\n"]}])
    teller = Teller(problem)
    teller.begin()
    teller.ask("coding", None, "x" * 100_000, attempt=1, failure="no_code", message="there is no program")
    teller.test(MENDED, ["WA"], suite="hidden", stdout="7 " * 5_000)
    html = page(client, teller.run)
    assert len(html) < 120_000
    assert "80000 more characters" in html and "of 100000 characters cut" in html


def test_call_and_assert_tests_are_shown_as_calls_and_assertions(client: Client) -> None:
    call = make_problem(
        id="test/call",
        test_kind="call",
        entry_point="add",
        samples=[],
        tests=[{"kind": "call", "args": [1, "b"], "expected": [3]}],
    )
    told = make_problem(
        id="test/assert",
        test_kind="assert",
        entry_point="add",
        samples=[],
        tests=[{"kind": "assert", "code": "assert add(1, 2) == 3"}],
    )
    for problem, expected in ((call, "add(1, &quot;b&quot;)"), (told, "assert add(1, 2) == 3")):
        teller = Teller(problem)
        teller.begin()
        teller.test(MENDED, ["WA"], suite="hidden")
        assert expected in page(client, teller.run)


def test_an_older_version_of_a_problem_keeps_its_runs_readable(client: Client) -> None:
    run = whole_run()
    make_problem(statement="Now subtract them.")
    assert problem_spec().statement in page(client, run)
