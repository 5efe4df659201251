"""A run leaves the lab as a file and comes back the same."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from solver import branches, runs
from solver.change import Change
from solver.trace_import import Imported, Options, Outcome, import_traces
from tests.pages.markup import dangers
from tests.runs.conftest import Scripted, engine, problem  # noqa: F401 - fixtures
from tests.traces.samples import write
from trajectories import review, run_page, story
from trajectories.exporters import lab_lines, markdown, otel
from trajectories.exporters import page as html_page
from trajectories.exporters.formats import FORMATS
from trajectories.models import Blame, Problem, Run, Step, StepEvent
from trajectories.traces import StepKind, Trajectory, read_traces
from trajectories.traces.lab_run import HTML_BLOCK, digest, line

pytestmark = pytest.mark.django_db(transaction=True)
HOSTILE = [
    "</script><script>document.title='owned'</script>",
    "<!--<script>",
    "]]><svg onload=\"document.title='owned'\">",
    "<img src=x onerror=\"document.title='owned'\">",
    "</pre></details></style><iframe srcdoc=\"<script>parent.document.title='owned'</script>\"></iframe>",
    "javascript:document.title='owned'",
    "{{ block }}{% load evil %}",
    "\u2028</script\u2029>",
    "```\n<script>document.title='owned'</script>\n````",
    '"><base href="https://example.org/"><meta http-equiv="refresh" content="0;url=data:text/html,owned">',
]


@pytest.fixture
def run(engine: Scripted, problem: Problem) -> Run:  # noqa: F811
    """A finished run of the real strategy whose model writes hostile text into every answer."""
    engine.answers = {role: text + "\n" + "\n".join(HOSTILE) for role, text in engine.answers.items()}
    started = runs.start(problem, engine="scripted", params={"k": 1, "t": 1}, publish_to_workers=False)
    assert runs.execute(started.pk, "test")
    return Run.objects.select_related("problem").get(pk=started.pk)


def bring(path: Path, **options: Any) -> Imported:
    read = read_traces(path)
    return import_traces(read.found, Options(**{"judge": False, **options}), read.faults)


def exported(run: Run) -> list[str]:
    """Its lines; `splitlines` would also cut at the exotic separators that models write."""
    return lab_lines.export(run).rstrip("\n").split("\n")


def told(run: Run) -> list[Any]:
    """The story in plain data, without what depends on the row's own number."""
    items: list[Any] = []
    found = story.tell(run)
    run_page.fill(run, list(found.cards.values()))
    for kind, item in found.items():
        if kind == "card":
            row = Step.objects.filter(pk=item.step.pk).values().get()
            step = {name: value for name, value in row.items() if name not in ("id", "run_id")}
            items.append((step, item.start, item.end, item.position, item.code, item.body and item.body.plan))
        elif kind == "marker":
            items.append((item.seq, item.kind, item.payload))
        else:
            items.append((kind, item.at))
    return items


COLUMNS = (
    "strategy",
    "params",
    "engine",
    "engine_name",
    "seed",
    "language",
    "status",
    "reason",
    "message",
    "verdict",
)
COUNTERS = (
    "strip",
    "passed",
    "total",
    "judge_level",
    "step_count",
    "calls",
    "prompt_tokens",
    "model_seconds",
    "fence",
)
TIMES = ("last_seq", "created_at", "started_at", "finished_at", "request_id", "created_by")


@pytest.mark.parametrize("format", ["jsonl", "html"])
def test_a_run_comes_back_the_same_event_by_event(run: Run, tmp_path: Path, format: str) -> None:
    path = tmp_path / "run"
    call_command("export_run", run.pk, "--format", format, "-o", path)
    lines, tale = list(lab_lines.event_lines(run.pk)), told(run)
    row = {name: getattr(run, name) for name in (*COLUMNS, *COUNTERS, *TIMES)}
    assert bring(path).counts[Outcome.KNOWN] == 1  # it is still here: nothing is stored twice
    run.delete()
    report = bring(path)
    assert (report.faults, report.counts[Outcome.NEW]) == ([], 1)
    back = Run.objects.select_related("problem").get(pk=report.runs[0])
    assert list(lab_lines.event_lines(back.pk)) == lines
    assert {name: getattr(back, name) for name in row} == row
    assert told(back) == tale
    assert back.imported_from == "lab"


@pytest.mark.parametrize("format", ["jsonl", "html"])
def test_a_branch_and_what_people_said_come_back_with_their_parent(
    run: Run, tmp_path: Path, format: str
) -> None:
    """Hostile reasons and comments too; in a lab without the parent the branch stands alone until the parent comes."""
    said = "\n".join(HOSTILE)
    review.blame(run, "coding", actor="anna", reason=said, step=4)
    review.comment(run, 4, said, actor="ben", lines=(1, 1))
    branch = branches.start(run, Change(4, "edit", said, actor="anna"), publish_to_workers=False)
    review.correct(run, 4, said, actor="anna", branch=branch.pk)
    assert runs.execute(branch.pk, "test")
    branch.refresh_from_db()
    files = {}
    for one in (run, branch):
        files[one.pk] = tmp_path / f"run-{one.pk}"
        call_command("export_run", one.pk, "--format", format, "-o", files[one.pk])
    lines = {one.pk: list(lab_lines.event_lines(one.pk)) for one in (run, branch)}
    parent, child = run.pk, branch.pk
    branch.delete(), run.delete()
    [alone] = Run.objects.filter(pk__in=bring(files[child]).runs)
    assert alone.branch_of is None and list(lab_lines.event_lines(alone.pk)) == lines[child]
    assert lab_lines.head(alone, [])["run"]["branch_of"] == alone.awaits != ""
    assert dangers(Client().get(f"/runs/{alone.pk}/").content.decode()) == []
    [back] = Run.objects.filter(pk__in=bring(files[parent]).runs)
    linked = Run.objects.get(pk=alone.pk)
    assert (linked.branch_of, linked.awaits, linked.branch["text"]) == (back, "", said)
    linked.delete()
    [copy] = Run.objects.filter(pk__in=bring(files[child]).runs)
    assert copy.branch_of == back and copy.branch["text"] == said
    assert list(lab_lines.event_lines(back.pk)) == lines[parent]
    assert list(lab_lines.event_lines(copy.pk)) == lines[child]
    assert Blame.objects.get(run=back).agent == "coding" and back.judgements.count() == 3
    page = Client().get(f"/runs/{copy.pk}/").content.decode()
    assert f'A replay of <a href="/runs/{back.pk}/">' in page and dangers(page) == []
    broken = files[child].read_text().replace('"at":4', '"when":4', 1)
    assert format == "html" or "is no change of a step" in _complaint(tmp_path, broken, copy)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"at": "soon"}, "at: Input should be a valid integer"),
        ({"at": 0}, "at: no step has this number"),
        ({"models": ["coding"]}, "models: Input should be"),
        ({"models": None}, "models: Input should be"),
        ({"text": 7}, "text: Input should be a valid string"),
        ({"kind": "magic"}, "kind: Input should be"),
    ],
)
def test_a_branch_whose_change_is_of_another_form_is_refused_before_it_can_break_its_parents_page(
    run: Run, tmp_path: Path, change: dict[str, Any], complaint: str
) -> None:
    branch = branches.start(run, Change(4, "edit", "x", actor="anna"), publish_to_workers=False)
    assert runs.execute(branch.pk, "test")
    branch.refresh_from_db()
    head, *lines = exported(branch)
    data = json.loads(head)
    data["run"]["branch"] |= change
    told = _complaint(tmp_path, "\n".join([json.dumps(data), *lines]) + "\n", branch)
    assert "is no change of a step" in told and complaint in told
    assert Client().get(f"/runs/{run.pk}/").status_code == 200


def _complaint(folder: Path, text: str, here: Run) -> str:
    here.delete()
    (folder / "broken").write_text(text)
    [fault] = bring(folder / "broken").faults
    return str(fault.problem)


def test_the_same_run_is_exported_to_the_same_bytes(run: Run) -> None:
    for known in FORMATS.values():
        assert known.export(run) == known.export(run)


def test_a_file_that_was_changed_is_refused(run: Run, tmp_path: Path) -> None:
    head, *lines = exported(run)
    run.delete()
    cut = json.loads(head)
    for name, changed, complaint in (
        ("an event is missing", [head, *lines[:-1]], f"{len(lines)} are announced"),
        ("two are swapped", [head, lines[1], lines[0], *lines[2:]], "seq: event 1 has number 2"),
        (
            "a word is changed",
            [head, *lines[:-1], lines[-1].replace("AC", "WA")],
            "not those that were exported",
        ),
        ("a field is unknown", [json.dumps({**cut, "more": 1}), *lines], "more"),
        ("a version is newer", [json.dumps({**cut, "version": 2}), *lines], "version"),
    ):
        report = bring(write(tmp_path / "run.jsonl", *changed))
        assert len(report.faults) == 1 and complaint in str(report.faults[0]), name
    assert not Run.objects.exists()


def test_a_copy_with_a_senseless_value_is_taken_in_and_shown_without_it(
    run: Run, tmp_path: Path, client: Client
) -> None:
    head, *lines = map(json.loads, exported(run))
    run.delete()
    scored = next(
        event for event in lines if "score" in ((event["payload"].get("parse") or {}).get("value") or {})
    )
    scored["payload"]["parse"]["value"]["score"] = {"<b>broken</b>": 1}
    again = [line(event) for event in lines]
    report = bring(write(tmp_path / "run.jsonl", line({**head, "digest": digest(again)}), *again))
    assert not report.faults
    page = client.get(f"/runs/{Run.objects.get().pk}/")
    assert page.status_code == 200
    assert b"<b>broken</b>" not in page.content


def test_a_copy_that_would_break_its_own_page_is_refused(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = exported(run)
    run.delete()

    def broken(*args: object, **more: object) -> str:
        raise TypeError("no page")

    monkeypatch.setattr(run_page, "fill", broken)
    report = bring(write(tmp_path / "run.jsonl", *lines))
    assert "the run cannot be shown" in str(report.faults[0])
    assert not Run.objects.exists()


def test_a_run_of_an_unknown_problem_or_version_names_what_to_import(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "run.jsonl", *exported(run))
    run.delete()
    Problem.objects.update(digest="0" * 64)
    assert "test/sum is here in another version" in str(bring(path).faults[0])
    Problem.objects.all().delete()
    assert "test/sum (Sum of two) is not in this lab" in str(bring(path).faults[0])


def test_a_run_with_the_same_id_and_another_history_is_left_alone(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "run.jsonl", *exported(run))
    StepEvent.objects.filter(run=run, seq=2).update(payload={"kind": "other"})
    (fault,) = bring(path).faults
    assert f"run {run.pk} has the same id and another history" in str(fault)


def test_spans_tell_the_same_steps_when_they_come_back(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "run.otlp.json"
    path.write_text(otel.export(run), encoding="utf-8")
    ((_, trace),) = read_traces(path).found
    assert isinstance(trace, Trajectory)
    assert (trace.problem, trace.strategy, trace.solved, trace.language) == (
        "test/sum",
        "mapcoder",
        True,
        "python",
    )
    mine = Step.objects.filter(run=run).exclude(role="judge").order_by("number")
    answers = [step for step in trace.steps if step.kind is StepKind.ANSWER]
    assert [(s.role, s.attempt, s.tokens.prompt, s.tokens.completion) for s in answers] == [
        (s.role, s.attempt, s.prompt_tokens, s.completion_tokens) for s in mine
    ]
    feedback = [step.text for step in trace.steps if step.kind is StepKind.FEEDBACK]
    assert feedback == ["samples: AC, 1 of 1 tests passed", "hidden: AC, 3 of 3 tests passed"]
    back = Run.objects.get(pk=bring(path).runs[0])
    finished = StepEvent.objects.filter(kind="step.finished").order_by("seq")
    for name in ("text", "parse", "model"):
        of_mine = [event.payload[name] for event in finished.filter(run=run)]
        assert [event.payload[name] for event in finished.filter(run=back)] == of_mine
    started = StepEvent.objects.filter(kind="step.started").order_by("seq")
    prompts = [[event.payload["messages"] for event in started.filter(run=one)] for one in (run, back)]
    assert prompts[0] == prompts[1]
    assert back.recorded_solved is True and back.imported_from == "otel-genai"


def test_spans_form_one_tree_with_the_pinned_operations(run: Run) -> None:
    (group,) = otel.document(run)["resourceSpans"]
    spans = group["scopeSpans"][0]["spans"]
    assert group["schemaUrl"].endswith("/1.41.0")
    ids = {span["spanId"] for span in spans}
    assert len(ids) == len(spans)
    assert [span["name"] for span in spans if span.get("parentSpanId") not in ids] == [
        "invoke_workflow mapcoder"
    ]
    names = {span["name"] for span in spans}
    assert {
        "retrieval retrieval",
        "plan planning",
        "plan confidence",
        "invoke_agent coding",
        "execute_tool judge",
    } <= names
    for span in spans:
        assert re.fullmatch(r"[0-9a-f]{32}", span["traceId"]) and re.fullmatch(
            r"[0-9a-f]{16}", span["spanId"]
        )
        assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_page_holds_no_element_that_a_model_wrote(run: Run) -> None:
    tags = Tags()
    tags.feed(html_page.export(run))
    scripts = [attributes for tag, attributes in tags.found if tag == "script"]
    assert scripts == [{"type": "application/json", "id": HTML_BLOCK}]
    assert {tag for tag, _ in tags.found} & {
        "iframe",
        "svg",
        "img",
        "base",
        "link",
        "form",
        "object",
    } == set()
    written = [
        name
        for _, attributes in tags.found
        for name in attributes
        if name.startswith("on") or name in ("src", "href", "style")
    ]
    assert written == []
    policies = [a["content"] for tag, a in tags.found if tag == "meta" and a.get("http-equiv")]
    assert (
        len(policies) == 1
        and policies[0] is not None
        and policies[0].startswith("default-src 'none'; style-src 'sha256-")
    )


@pytest.mark.browser
def test_the_page_opens_from_disk_and_executes_nothing(run: Run, tmp_path: Path, page: Any) -> None:
    path = tmp_path / "run.html"
    call_command("export_run", run.pk, "--format", "html", "-o", path)
    dialogs: list[str] = []
    errors: list[str] = []
    asked: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_timeout(300)
    assert page.title() == f"Run {run.pk}, Sum of two"
    assert (dialogs, errors, asked) == ([], [], [path.as_uri()])
    ground = page.evaluate("getComputedStyle(document.querySelector('article')).borderTopWidth")
    assert ground == "1px"  # the one style sheet that the policy allows is in force
    page.locator("summary", has_text="Prompt").first.click()
    page.locator("details[open] pre").first.wait_for()


def test_markdown_keeps_hostile_text_inside_its_fences(run: Run) -> None:
    text = markdown.export(run)
    fence, outside = "", []
    for row in text.splitlines():
        ticks = re.match(r"`{3,}", row)
        if not fence and ticks:
            fence = ticks[0]
        elif fence and row == fence:
            fence = ""
        elif not fence:
            outside.append(row)
    assert fence == ""
    assert not [row for row in outside if re.search(r"(?<!\\)<", row)]
    assert "accepted, 3 of 3 hidden tests" in text


def test_a_download_is_never_shown_inside_the_lab(run: Run, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.traces.urls"
    client = Client()
    for name, known in FORMATS.items():
        answer = client.get(f"/runs/{run.pk}/export/{name}/")
        assert answer.status_code == 200 and answer.content.decode() == known.export(run)
        assert answer["Content-Disposition"] == f'attachment; filename="run-{run.pk}-test-sum{known.suffix}"'
        assert (answer["X-Content-Type-Options"], answer["Content-Security-Policy"]) == ("nosniff", "sandbox")
    assert client.get(f"/runs/{run.pk}/export/pdf/").status_code == 404
    assert client.get("/runs/999999/export/md/").status_code == 404
    assert client.post(f"/runs/{run.pk}/export/md/").status_code == 405


def test_the_command_names_what_it_cannot_do(run: Run, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no run 999"):
        call_command("export_run", 999)
    with pytest.raises(CommandError, match="No such file"):
        call_command("export_run", run.pk, "-o", tmp_path / "none" / "run.jsonl")
