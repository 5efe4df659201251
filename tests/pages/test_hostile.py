"""Problem text, prompts, answers, program output and error messages are hostile: nothing of them may become markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from tests.factories import make_problem
from tests.pages.markup import dangers
from tests.pages.telling import Teller
from trajectories import eventlog, events, patches
from trajectories.models import Run

pytestmark = pytest.mark.django_db

CORPUS = [
    "<script>window.pwned=1</script>",
    "</script><script>window.pwned=1</script>",
    '"><img src=x onerror="window.pwned=1">',
    "'><svg onload=window.pwned=1>",
    '" onmouseover="window.pwned=1" x="',
    "</pre></article><iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
    "</li></ol><style>*{display:none}</style>",
    "javascript:window.pwned=1",
    "[x](javascript:window.pwned=1) `</code><script>window.pwned=1</script>`",
    "{{ 7|add:7 }}{% load lab %}{% csrf_token %}",
    "<!--><script>window.pwned=1</script>-->",
    "<![CDATA[<script>window.pwned=1</script>]]>",
    "<math><mi xlink:href='javascript:window.pwned=1'>x</mi></math>",
    "<base href='//evil.example/'><form action='//evil.example'>",
    "<a href='javascript:window.pwned=1' id='run-head'>x</a>",
    "\u202e\u2066evil\u2069 \ufeff \x1b[31m \x7f \u2028 end",
    "＜script＞window.pwned=1＜/script＞",
    "<template><script>window.pwned=1</script></template>",
    "```\n<script>window.pwned=1</script>\n```",
]


def hostile_run(text: str) -> Run:
    """A run in which everybody who can write says `text`."""
    one_line = text.replace("\n", " ")[:180]
    problem = make_problem(
        id=f"x/{abs(hash(text))}",
        source="x",
        title=one_line,
        statement=text,
        input_spec=text,
        output_spec=text,
        notes=text,
        tags=[one_line[:60]],
        difficulty=one_line[:60],
        licence=text,
        provenance={one_line: text},
        quirks=[text],
        starter_code=text,
        samples=[{"input": text, "output": text}],
        tests=[{"kind": "stdio", "input": text, "outputs": [text]}],
    )
    engine = {"name": text, "label": text, "simulated": True, "roles": {"coding": text, "planning": "p"}}
    teller = Teller(problem, engine=engine, params={"k": text, "t": 1})
    teller.begin()
    exemplar = {"description": text, "planning": text, "code": text}
    detail = {"exemplar": 1, "retry_of": text}
    teller.ask("retrieval", {"algorithm": text, "exemplars": [exemplar]}, text, gist=one_line, detail=detail)
    teller.ask("planning", text, text, gist=one_line, detail=detail)
    teller.ask("confidence", {"score": 5, "explanation": text}, text, gist=one_line, detail=detail)
    teller.ask("retrieval", None, text, failure="bad_xml", message=text, where=text)
    teller.ask(one_line[:16], {"strange": text}, text)
    teller.note("plan_chosen", attempt=1, exemplar=text, confidence=text)
    teller.note("fallback", why=text, instead=text)
    teller.note(text, **{one_line: text})
    teller.ask("coding", text, text, attempt=1, gist=one_line)
    difference = {"index": 0, "got": text, "want": text}
    teller.test(
        text,
        ["WA"],
        suite="hidden",
        stdout=text,
        stderr=text,
        expected=text,
        reason=text,
        first_diff=difference,
        flags=[text],
    )
    teller.ask("debugging", f"{text}\nx = 1", f"{text}\n```\n{text}\n```", attempt=1)
    teller.start("coding", attempt=1, gist=one_line)
    teller.tell(events.StepFailed(step=teller.step, code=one_line[:30], message=text))
    return teller.end(status="failed", reason=one_line[:60], message=text, verdict="", code=text)


def addresses(run: Run) -> Iterator[str]:
    yield from ("/", "/problems/", "/runs/", f"/problems/{run.problem_id}/", f"/runs/{run.pk}/")
    for step in run.steps.all():
        for tab in ("output", "diff", "prompt", "raw", "program"):
            yield f"/runs/{run.pk}/steps/{step.number}/?tab={tab}"
            yield f"/runs/{run.pk}/steps/{step.number}/?tab={tab}&fragment=1"
        if step.role == "judge":
            yield f"/runs/{run.pk}/steps/{step.number}/cases/1/"
            yield f"/runs/{run.pk}/steps/{step.number}/cases/1/?fragment=1"


@pytest.mark.parametrize("text", CORPUS)
def test_nothing_that_was_written_by_a_model_becomes_markup(client: Client, text: str) -> None:
    run = hostile_run(text)
    for address in addresses(run):
        response = client.get(address)
        assert response.status_code == 200, address
        assert dangers(response.content.decode()) == [], address
    frames: list[dict[str, Any]] = patches.messages(run.pk, eventlog.read_after(run.pk, 0))
    for frame in frames:
        for patch in frame["patches"]:
            assert dangers(patch["html"]) == [], patch["id"]


def test_addresses_with_hostile_parameters_are_escaped(client: Client) -> None:
    make_problem()
    for text in CORPUS:
        for path in ("/problems/", "/runs/"):
            query = dict.fromkeys(
                ("q", "tag", "source", "status", "verdict", "engine_name", "after", 'x"><b>'), text
            )
            assert dangers(client.get(path, query).content.decode()) == [], text


def test_every_page_forbids_inline_code_by_policy(client: Client) -> None:
    for path in ("/", "/problems/", "/login/", "/nowhere/"):
        policy = client.get(path).headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy


def test_the_corpus_would_be_noticed_if_it_were_not_escaped() -> None:
    noticed = [text for text in CORPUS if dangers(f"<pre>{text}</pre>")]
    assert len(noticed) >= 11, [text for text in CORPUS if text not in noticed]
    assert not re.search("pwned", " ".join(dangers("<pre>window.pwned=1</pre>")))
