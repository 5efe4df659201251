"""One agent replayed in all failed runs of a list: the step on the way to the program, what is missing, never twice."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from solver import replays, runs
from solver.change import Change
from solver.engines.protocol import Role
from solver.models import Engine
from tests.factories import make_run
from tests.pages.markup import dangers
from tests.runs.conftest import RIGHT, WRONG, Scripted
from training import blame, many_replays
from training.many_replays import Asked
from trajectories.models import Blame, Problem, Run

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "/runs/replay-an-agent/"


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker listens here; the tests run what is queued themselves."""
    monkeypatch.setattr("solver.runs.publish", lambda run_id: None)


def solved(engine: Scripted, problem: Problem, answer: str, *, t: int = 0) -> Run:
    engine.answers[Role.CODING] = engine.answers[Role.DEBUGGING] = answer
    run = runs.start(problem, engine="scripted", params={"k": 1, "t": t}, publish_to_workers=False)
    assert runs.execute(run.pk, "test")
    run.refresh_from_db()
    return run


def newest() -> int:
    return Run.objects.order_by("-pk").values_list("pk", flat=True)[0]


def execute(parent: Run) -> None:
    for branch in parent.branches.filter(status="queued"):
        assert runs.execute(branch.pk, "test")
        replays.run_ended(branch.pk)


def test_a_better_answer_of_another_engine_is_put_into_every_failed_run_and_filed_as_evidence(
    engine: Scripted, problem: Problem, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = [solved(engine, problem, WRONG) for _ in range(2)]
    good = solved(engine, problem, RIGHT)
    imported = make_run(problem, status="finished", verdict="WA", imported_from="mbpp")
    Engine.objects.create(
        name="teacher",
        spec={"name": "teacher", "kind": "recorded", "label": "Teacher", "recordings": ["n.jsonl"]},
    )
    teacher = Scripted()
    both = {"scripted": engine, "teacher": teacher}
    monkeypatch.setattr(runs, "open_engine", lambda spec: both[spec.name])
    listed = client.get("/runs/all/?q=is:failed").content.decode()
    page = client.get(f"{ADDRESS}?q=is:failed").content.decode()
    assert re.search(rf'href="{ADDRESS}\?q=is(:|%3A)failed" aria-keyshortcuts="r">Replay 3 ', listed)
    assert dangers(page) == [] and "Replay an agent in 3 runs" in page and "<code>is:failed</code>" in page
    form = {
        "q": "is:failed",
        "agent": "coding",
        "engine": "teacher",
        "times": "1",
        "newest": newest(),
    }
    told = client.post(ADDRESS, form, follow=True).content.decode()
    assert "2 replays of 2 runs queued" in told and "In 1 run coding has finished no step" in told
    answer = client.post(ADDRESS, form, follow=True).content.decode()
    assert "No replay was started." in answer and "2 runs had these replays already" in answer
    assert not good.branches.exists() and not imported.branches.exists()
    for run in failed:
        execute(run)
        assert Blame.objects.get(run=run, source="replay").agent == "coding"


def test_the_programs_own_plan_and_last_repair_are_replayed_and_not_any_other(
    engine: Scripted, problem: Problem
) -> None:
    run = solved(engine, problem, WRONG, t=2)
    numbers = dict.fromkeys(("planning", "debugging"), 0)
    for agent in numbers:
        many_replays.start({}, newest(), Asked(agent))
        branch = Run.objects.filter(branch_of=run).order_by("-pk")[0]
        numbers[agent] = branch.branch["at"]
    steps = {step.number: (step.role, step.attempt) for step in run.steps.all()}
    last = max(number for number, (role, _) in steps.items() if role == "debugging")
    assert steps[numbers["planning"]][0] == "planning" and numbers["debugging"] == last
    drawn = Change.of(Run.objects.filter(branch_of=run)[0])
    assert drawn is not None and drawn.temperature and drawn.draw == 1, "greedy decoding would repeat itself"


def test_only_what_is_missing_is_started_and_a_long_list_is_done_in_parts(
    engine: Scripted, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many_replays, "AT_ONCE", 4)
    parents = [solved(engine, problem, WRONG) for _ in range(3)]
    upto = newest()
    first = many_replays.start({}, upto, Asked("coding", times=2))
    assert (first.replays, first.runs, first.left) == (4, 2, 1)
    Run.objects.filter(branch_of=parents[0], branch__draw=2).update(status="failed")
    second = many_replays.start({}, upto, Asked("coding", times=2))
    assert (second.replays, second.runs, second.had, second.left) == (3, 2, 1, 0)
    assert [run.branches.count() for run in parents] == [3, 2, 2]
    more = many_replays.start({}, upto, Asked("coding", times=3))
    assert more.replays == 3 and sorted(run.branch["draw"] for run in parents[1].branches.all()) == [1, 2, 3]
    other = many_replays.start({}, upto, Asked("planning"))
    assert other.replays == 3 and many_replays.start({}, upto, Asked("debugging")).without == 3


def test_a_replay_that_fails_is_no_run_to_replay_and_another_agent_is_another_question(
    engine: Scripted, problem: Problem
) -> None:
    run = solved(engine, problem, WRONG)
    assert many_replays.start({}, newest(), Asked("planning")).replays == 1
    execute(run)
    assert run.branches.get().verdict == "WA"
    again = many_replays.start({}, newest(), Asked("planning"))
    assert (again.replays, again.had) == (0, 1)
    assert many_replays.start({}, newest(), Asked("coding")).replays == 1
    run.branches.filter(status="queued").update(status="finished", verdict="IE")
    assert many_replays.start({}, newest(), Asked("coding")).replays == 1, "the judge's failure says nothing"
    Run.objects.filter(pk=run.pk).update(verdict="IE")
    assert many_replays.start({}, newest(), Asked("retrieval")) == many_replays.Started()


def test_draws_that_the_supervisors_replays_have_made_are_not_made_again(
    engine: Scripted, problem: Problem
) -> None:
    run = solved(engine, problem, WRONG)
    blame.start_replays(run, 2)
    assert many_replays.start({}, newest(), Asked("coding", times=2)).had == 1
    assert many_replays.start({}, newest(), Asked("coding", times=3)).replays == 1


def test_draws_made_by_hand_on_the_page_of_a_step_are_not_made_again(
    engine: Scripted, problem: Problem
) -> None:
    run = solved(engine, problem, WRONG)
    at = run.steps.filter(role="coding").latest("number").number
    replays.start(run, Change(at, "again"), 2)
    assert many_replays.start({}, newest(), Asked("coding", times=2)).had == 1
    assert many_replays.start({}, newest(), Asked("coding", times=3)).replays == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"agent": "judge"}, "There is no agent &#x27;judge&#x27;"),
        ({"engine": "nobody"}, "there is no engine &#x27;nobody&#x27;"),
        ({"times": "0"}, "Replay it 1 to 20 times, not 0."),
        ({"times": "often"}, "How often should be a number"),
        ({"newest": ""}, "How often should be a number"),
    ],
)
def test_a_senseless_form_starts_nothing_and_keeps_what_was_chosen(
    engine: Scripted, problem: Problem, client: Client, change: dict[str, str], told: str
) -> None:
    solved(engine, problem, WRONG)
    form = {
        "agent": "coding",
        "engine": "",
        "times": "3",
        "newest": str(newest()),
        **change,
    }
    answer = client.post(ADDRESS, form)
    page = answer.content.decode()
    assert answer.status_code == 422 and told in page and dangers(page) == []
    assert Run.objects.count() == 1
    if form["agent"] == "coding":
        assert "<option selected>coding</option>" in page


def test_where_nothing_failed_the_page_says_so_and_a_bad_filter_goes_back_to_the_list(client: Client) -> None:
    assert "None of them was judged and failed" in client.get(ADDRESS).content.decode()
    assert client.get(f"{ADDRESS}?q=nonsense:").headers["Location"] == "/runs/?q=nonsense%3A"
    sent = {"q": "nonsense:", "agent": "coding", "times": "often", "newest": "1"}
    assert client.post(ADDRESS, sent).headers["Location"] == "/runs/?q=nonsense%3A"


def test_an_imported_run_is_gone_on_from_by_the_engine_that_is_named(
    engine: Scripted, recorded: Run, client: Client
) -> None:
    form = {"agent": "coding", "engine": "", "times": "2", "newest": recorded.pk}
    answer = client.post(ADDRESS, form, follow=True).content.decode()
    assert "1 imported run left out: choose an engine" in answer and not recorded.branches.exists()
    answer = client.post(ADDRESS, form | {"engine": "scripted"}, follow=True).content.decode()
    assert "2 replays of 1 run queued" in answer
    execute(recorded)
    assert [request.role for request in engine.asked] == [Role.CODING] * 2
    assert set(recorded.branches.values_list("verdict", "strategy", "engine_name")) == {
        ("AC", "takeover", "scripted")
    }
    stands = Blame.objects.get(run=recorded)
    assert (stands.agent, stands.flips, stands.trials) == ("coding", 2, 2)
    again = many_replays.start({}, recorded.pk, Asked("coding", "scripted", 2))
    assert (again.replays, again.had) == (0, 1)


def test_of_an_imported_run_a_step_without_its_question_is_named(engine: Scripted, recorded: Run) -> None:
    event = recorded.events.get(kind="step.started", step=3)
    recorded.events.filter(pk=event.pk).update(payload=event.payload | {"messages": []})
    done = many_replays.start({}, recorded.pk, Asked("coding", "scripted"))
    assert done.replays == 0 and "recorded question" in done.refused[0]
