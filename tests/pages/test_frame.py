"""What all pages share: the frame, the doors, the error pages, and how much they weigh."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.test import Client

from tests.factories import make_problem
from tests.pages.markup import dangers, elements
from tests.pages.telling import whole_run

pytestmark = pytest.mark.django_db
STATIC = Path(settings.BASE_DIR) / "static"
SCRIPT_BUDGET, STYLE_BUDGET = 60 * 1024, 15 * 1024


def weight(names: set[str]) -> int:
    """Bytes of files as they travel."""
    return sum(len(gzip.compress((STATIC / name).read_bytes(), 9)) for name in names)


def scripts(html: str) -> set[str]:
    """The scripts of a page with everything they import."""
    wanted = [name.removeprefix("/static/") for name in re.findall(r'<script[^>]* src="([^"]+)"', html)]
    found: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        found.add(name)
        for imported in re.findall(
            r'(?:import|from) "(\.[^"]+)"', (STATIC / name).read_text(encoding="utf-8")
        ):
            target = (STATIC / name).parent / imported
            wanted.append(str(target.resolve().relative_to(STATIC.resolve())))
    return found


def paths() -> list[str]:
    run = whole_run()
    return [
        "/",
        "/problems/",
        f"/problems/{run.problem_id}/",
        "/runs/",
        f"/runs/{run.pk}/",
        "/engines/",
        "/login/",
    ]


def test_no_page_weighs_more_than_its_budget(client: Client) -> None:
    for path in paths():
        html = client.get(path).content.decode()
        styles = {
            name.removeprefix("/static/") for name in re.findall(r'rel="stylesheet" href="([^"]+)"', html)
        }
        assert scripts(html), path
        assert weight(scripts(html)) <= SCRIPT_BUDGET, path
        assert weight(styles) <= STYLE_BUDGET, path


def test_every_page_has_one_main_one_heading_and_no_double_id(client: Client) -> None:
    for path in paths():
        found = elements(client.get(path).content.decode())
        assert [e.tag for e in found].count("main") == 1, path
        assert [e.tag for e in found].count("h1") == 1, path
        ids = [e.attributes["id"] for e in found if "id" in e.attributes]
        assert len(ids) == len(set(ids)), path


def test_every_link_of_the_frame_leads_somewhere(client: Client) -> None:
    make_problem()
    html = client.get("/").content.decode()
    for link in set(re.findall(r'href="(/[^"]*)"', html)):
        assert client.get(link).status_code == 200, link


@pytest.mark.parametrize("path", ["/nowhere/", "/runs/1/nothing/", "/problems/0/"])
def test_what_does_not_exist_is_said_in_the_frame(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404 and "nothing at this address" in answer.content.decode()


TOO_LARGE = 2**63
WITH_NUMBERS = [
    "/runs/{n}/",
    "/runs/{run}/steps/{n}/",
    "/runs/{run}/steps/{n}/said/",
    "/runs/{run}/steps/{n}/copy/markdown/",
    "/runs/{run}/steps/{n}/cases/1/",
    "/runs/{run}/steps/{n}/replays/",
    "/review/items/{n}/1/",
    "/api/runs/{n}/",
    "/api/runs/{n}/events/",
]


@pytest.mark.parametrize("path", WITH_NUMBERS)
def test_a_number_that_no_column_holds_names_nothing(client: Client, path: str) -> None:
    answer = client.get(path.format(n=TOO_LARGE, run=whole_run().pk))
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("application/json" if "/api/" in path else "text/html")


ZERO = [
    ("get", "/api/runs/", {"status": "\0"}, {}),
    ("post", "/distillation/new/", {"do": "form", "name": "a\0"}, {}),
    ("post", "/login/", {"username": "a\0", "password": "b"}, {}),
    ("post", "/review/say/", {"say": "comment", "text": "a\0"}, {"content_type": "application/json"}),
    ("post", "/distillation/new/", {"yaml": 'name: "a\\0"'}, {}),
    ("post", "/datasets/new/", {"yaml": 'role: "coding\\0"'}, {}),
    ("post", "/campaigns/new/", {"do": "start", "yaml": 'name: "a\\0"'}, {}),
]


@pytest.mark.parametrize(("method", "path", "data", "how"), ZERO, ids=[f"{m} {p}" for m, p, *_ in ZERO])
def test_a_zero_character_is_refused_in_a_sentence_on_every_database(
    client: Client, method: str, path: str, data: dict[str, str], how: dict[str, str]
) -> None:
    answer = getattr(client, method)(path, data, **how)
    assert answer.status_code in (400, 422) and "zero character (U+0000)" in answer.content.decode()


def test_what_cannot_be_read_has_a_page_that_needs_nothing() -> None:
    html = render_to_string("400.html")
    assert "cannot be read" in html and "damaged, or larger" in html and dangers(html) == []


def test_a_defect_has_a_page_that_needs_nothing() -> None:
    html = render_to_string("500.html")
    assert "defect of the lab" in html and dangers(html) == []


def test_people_sign_in_and_out(client: Client) -> None:
    User.objects.create_user("anna", password="a long one")
    wrong = client.post(
        "/login/", {"username": "anna", "password": "guess", "next": "/runs/"}
    ).content.decode()
    assert "do not match" in wrong and 'value="anna"' in wrong and 'name="next" value="/runs/"' in wrong
    right = client.post("/login/", {"username": "anna", "password": "a long one", "next": "/runs/"})
    assert right.headers["Location"] == "/runs/"
    assert "Sign out anna" in client.get("/").content.decode()
    assert "You are signed out" in client.post("/logout/").content.decode()


def test_a_theme_is_taken_from_the_cookie_and_from_nothing_else(client: Client) -> None:
    for value, expected in (
        ("dark", ' data-theme="dark"'),
        ("light", ' data-theme="light"'),
        ('"><script>', ""),
    ):
        client.cookies["theme"] = value
        html = client.get("/").content.decode()
        assert html.startswith(f'<!doctype html>\n<html lang="en"{expected}>'), value
