"""Long runs in stretches: an index of all steps, the headers of some, the rest on demand."""

from __future__ import annotations

import json
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.pages.markup import by_id
from tests.pages.telling import Teller
from trajectories import scale, skeleton, story
from trajectories.models import Run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trajectories.pages.FULL_STEPS", 10)
    monkeypatch.setattr("trajectories.skeleton.STRETCH", 10)
    monkeypatch.setattr("trajectories.skeleton.MOST", 20)


def told() -> Run:
    teller = Teller()
    teller.begin()
    for number in range(1, 46):
        teller.ask(
            "planning" if number % 3 == 1 else "coding", f"value_{number} = 'ärger'\n", attempt=number // 20
        )
        if number == 25:
            teller.note("kept_waiting", seconds=3)
    return teller.end()


def ids(html: str) -> list[str]:
    return re.findall(r'<article class="step bare" id="(s\d+)"', html)


def headers(run: Run, begin: int, end: int) -> dict[str, object]:
    answer: dict[str, object] = Client().get(f"/runs/{run.pk}/headers/?begin={begin}&end={end}").json()
    return answer


def marks(html: str) -> list[tuple[int, int]]:
    return [
        (int(a), int(b))
        for a, b in re.findall(r'<div class="stretch"[^>]* data-begin="(\d+)" data-end="(\d+)"', html)
    ]


def test_the_page_and_its_stretches_together_hold_every_step_once_and_in_order() -> None:
    run = told()
    html = Client().get(f"/runs/{run.pk}/").content.decode()
    assert ids(html) == [f"s{n}" for n in [*range(1, 11), *range(41, 46)]]
    between = [name for begin, end in marks(html) for name in ids(str(headers(run, begin, end)["column"]))]
    assert between == [f"s{n}" for n in range(11, 41)]


def test_a_stretch_brings_what_stands_between_its_steps_and_its_lines_of_the_outline() -> None:
    run = told()
    html = Client().get(f"/runs/{run.pk}/").content.decode()
    parts = [headers(run, begin, end) for begin, end in marks(html)]
    whole = html + "".join(str(part["column"]) for part in parts)
    shown = [item.id for item in story.tell(run, ()).markers if story.shown(item)]
    assert shown and all(whole.count(f'id="{one}"') == 1 for one in shown)
    assert all(whole.count(f'id="g{first}"') == 1 for first in (1, 20, 40))
    rows = by_id("<ol>" + "".join(str(part["outline"]) for part in parts) + "</ol>")
    assert {f"o{n}" for n in range(11, 41)} <= set(rows)
    assert by_id(str(parts[0]["column"]))["s12"].attributes["data-where"] == "preparation · step 12 · coding"
    assert all(part["last"] == run.last_seq for part in parts)


def test_the_index_names_every_step_with_its_agent_and_what_is_flagged() -> None:
    run = scale.long_run(45)
    index = json.loads(skeleton.index(story.tell(run, ())))
    assert index["n"] == [[1, 45]] and index["g"] == [39, 6]
    assert index["a"][:12] == "rpcJdJrpcJdJ" and len(index["a"]) == 45


def test_a_link_without_scripts_opens_the_stretch_of_its_step() -> None:
    run = told()
    html = Client().get(f"/runs/{run.pk}/?from=31").content.decode()
    assert ids(html) == [f"s{n}" for n in [*range(1, 11), *range(31, 46)]]
    assert 'href="?from=11#s11"' in html
    assert ids(Client().get(f"/runs/{run.pk}/?from=junk").content.decode())[0] == "s1"


@pytest.mark.parametrize("asked", ["", "?begin=1", "?begin=9&end=9", "?begin=-1&end=5", "?begin=x&end=5"])
def test_a_stretch_that_is_none_is_refused_in_one_sentence(asked: str) -> None:
    response = Client().get(f"/runs/{told().pk}/headers/{asked}")
    assert response.status_code == 400 and "begin and end" in response.json()["error"]


def test_one_request_brings_at_most_so_many_headers() -> None:
    answer = headers(run := told(), 0, 10**9)
    assert ids(str(answer["column"])) == [f"s{n}" for n in range(1, 21)]
    assert ids(str(headers(run, int(str(answer["end"])), 10**9)["column"]))[0] == "s21"


def test_words_are_found_in_answers_programs_and_lines_whatever_their_case() -> None:
    run = told()

    def found(words: str) -> list[int]:
        return list(Client().get(f"/runs/{run.pk}/find/", {"q": words}).json()["steps"])

    assert found("value_17 =") == [17] and found("VALUE_17 =") == [17]
    assert found("= 'ärger'") == list(range(1, 46)) and found("planning") == list(range(1, 46, 3))
    assert found("100%") == [] and found("value_4_") == [] and found(" \0 ") == []


def test_a_long_page_and_its_stretch_ask_the_database_as_often_whatever_the_length() -> None:
    counts = []
    for length in (45, 400):
        run = scale.long_run(length)
        for path in (
            f"/runs/{run.pk}/",
            f"/runs/{run.pk}/headers/?begin=40&end=60",
            f"/runs/{run.pk}/find/?q=part",
        ):
            with CaptureQueriesContext(connection) as queries:
                assert Client().get(path).status_code == 200
            counts.append(len(queries))
    assert counts[:3] == counts[3:] and max(counts) <= 14
