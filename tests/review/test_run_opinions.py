"""What people say of a run is on its page, in every open tab, and comes from one set of rows."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests.pages.markup import by_id, words
from tests.pages.telling import FIRST, PLAN, Teller, prepare
from trajectories import eventlog, opinions, patches, review
from trajectories.models import Judgement, Run

pytestmark = pytest.mark.django_db


def failed() -> Run:
    teller = Teller()
    teller.begin()
    prepare(teller)
    teller.ask("coding", FIRST, f"```python\n{FIRST}\n```", attempt=1)
    teller.test(FIRST, ["WA"])
    teller.test(FIRST, ["WA", "AC"], suite="hidden")
    return teller.end(verdict="WA")


def page(run: Run) -> dict[str, Any]:
    return by_id(Client().get(f"/runs/{run.pk}/").content.decode())


def last_patches(run: Run) -> dict[str, str]:
    rows = eventlog.read_after(run.pk, 0)
    (message,) = patches.messages(run.pk, rows[-1:])
    return {patch["id"]: patch["html"] for patch in message["patches"]}


def test_a_blame_of_an_agent_is_shown_on_its_first_step_and_dashed_until_somebody_confirms() -> None:
    run = failed()
    review.blame(run, "planning", actor="super", source="supervisor", confidence=0.86)
    assert "Blamed 0.86" in words(page(run)["s2"])
    html = Client().get(f"/runs/{run.pk}/").content.decode()
    assert 'class="blame guess"' in html and "said-guessed" in html
    review.blame(run, "planning", actor="anna")
    assert "said-blamed" in Client().get(f"/runs/{run.pk}/").content.decode()


def test_a_judgement_of_an_ended_run_reaches_open_pages_as_a_patch_of_its_step() -> None:
    run = failed()
    review.accept(run, 1, actor="anna")
    found = last_patches(run)
    assert "accepted by anna" in found["s1"] and "said-accepted" in found["o1"]
    assert "s6" not in found


def test_a_blame_that_moves_takes_its_mark_away_from_the_step_where_it_stood() -> None:
    run = failed()
    review.blame(run, "planning", actor="anna")
    review.blame(run, "coding", actor="anna")
    found = last_patches(run)
    assert "Blamed" in found["s6"] and "Blamed" not in found["s2"]
    assert "said-blamed" in found["o6"] and "said-blamed" not in found["o2"]
    assert "s6 blamed by human" in found["lanes"] and "s2 blamed" not in found["lanes"]


def test_a_blame_that_stands_at_another_step_is_told_beside_this_one() -> None:
    run = failed()

    def panel(number: int) -> str:
        return Client().get(f"/runs/{run.pk}/steps/{number}/said/").content.decode()

    assert "Nobody has said who is to blame" in panel(3)
    review.blame(run, "planning", actor="anna")
    assert f'<a href="/runs/{run.pk}/#s2">s2</a>: <b>anna</b>' in panel(3)
    assert "Nobody blames this step" in panel(3)
    assert "<b>anna</b>" in panel(2) and "Nobody" not in panel(2).split("</section>")[0]


def test_an_undo_is_kept_in_the_history_and_its_mark_goes() -> None:
    run = failed()
    said = review.reject(run, 6, actor="anna", code="wrong")
    assert said is not None
    review.undo(said, actor="anna")
    assert "rejected" not in last_patches(run)["s6"]
    panel = Client().get(f"/runs/{run.pk}/steps/6/said/").content.decode()
    assert "taken back" in panel and "rejected, wrong" in panel


def test_opinions_take_two_queries_however_much_was_said(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    run = failed()
    for number in range(12):
        review.comment(run, 1 + number % 6, f"note {number}", actor=f"reader {number}")
        review.blame(run, "coding", actor=f"reader {number}")
    steps = list(run.steps.order_by("number"))
    with django_assert_num_queries(2):
        found = opinions.read(run, steps)
    assert len(found.of(6).opinions) == 12
    assert Judgement.objects.filter(run=run).count() == 24


def test_the_same_prompt_again_is_shown_by_what_is_new() -> None:
    run = failed()
    first = Client().get(f"/runs/{run.pk}/steps/2/?tab=prompt&fragment=1").content.decode()
    second = Client().get(f"/runs/{run.pk}/steps/4/?tab=prompt&fragment=1").content.decode()
    assert "Write the program." in first
    assert "Word for word the prompt of s2" in " ".join(
        second.replace("</a>", "").replace(">", "> ").split()
    ) or ("Word for word" in second)


def test_a_step_is_copied_as_markdown_curl_chat_and_answer() -> None:
    run = failed()
    copies = {
        form: Client().get(f"/runs/{run.pk}/steps/2/copy/{form}/").content.decode()
        for form in ("markdown", "curl", "chat", "answer")
    }
    assert PLAN in copies["markdown"] and copies["answer"] == PLAN
    assert copies["curl"].startswith('curl "$BASE_URL/chat/completions"') and "test-model" in copies["curl"]
    assert '"role": "assistant"' in copies["chat"]
    assert Client().get(f"/runs/{run.pk}/steps/2/copy/xml/").status_code == 404


def test_a_long_run_is_a_column_of_headers_whose_cards_come_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("trajectories.pages.FULL_STEPS", 4)
    run = failed()
    review.blame(run, "coding", actor="anna")
    found = page(run)
    assert found["s6"].attributes["class"] == "step bare" and "data-flag" not in found["s6"].attributes
    assert "data-flag" in found["s7"].attributes and words(found["s7"]).endswith("first failure at test 1")
    card = Client().get(f"/runs/{run.pk}/steps/6/?fragment=card").content.decode()
    assert by_id(card)["s6"].attributes["class"] == "step" and "return a - b" in " ".join(
        words(by_id(card)["s6"]).split()
    )
