"""One run as Markdown. What models and programs wrote stands in fences that it cannot close."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trajectories import bodies, lanes, run_page, story
from trajectories.card import Card
from trajectories.models import Run
from trajectories.story import Marker
from trajectories.wording import LANGUAGE_TITLES, gist, verdict_words, word

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&-])")


def export(run: Run) -> str:
    told = story.tell(run)
    run_page.fill(run, list(told.cards.values()))
    parts = [f"# Run {run.pk}: {plain(run.problem.title)}", "\n".join(_facts(run))]
    for kind, item in told.items():
        if kind == "group":
            parts.append(f"## {plain(item.title)}" + (f": {plain(item.subtitle)}" if item.subtitle else ""))
        elif kind == "card":
            parts += _card(item)
        elif kind == "torn":
            parts.append(f"*Nothing ran for {plain(item.label)}.*")
        else:
            parts += _marker(item)
    return "\n\n".join(parts) + "\n"


def plain(text: str) -> str:
    """Text as text: no character of it is Markdown or HTML."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def fenced(text: str, tag: str = "") -> str:
    """A block whose fence is longer than any run of backticks in it."""
    longest = max((len(ticks) for ticks in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{tag}\n{text.rstrip(chr(10))}\n{fence}"


def _facts(run: Run) -> Iterator[str]:
    yield f"- Problem: {plain(run.problem.external_id)}"
    yield f"- Strategy: {plain(run.strategy)}, {plain(LANGUAGE_TITLES.get(run.language, run.language))}, seed {run.seed}"
    yield f"- Engine: {plain(str(run.engine.get('label') or run.engine_name))}"
    if run.engine.get("simulated"):
        yield "- Simulated: no model answered in this run"
    tests = f", {run.passed} of {run.total} hidden tests" if run.total else ""
    yield f"- Verdict: {word(run.verdict)}{tests}"
    if run.recorded_solved is not None:
        yield f"- Recorded by the source as: {'solved' if run.recorded_solved else 'not solved'}"
    yield f"- {run.calls} calls, {run.prompt_tokens} prompt and {run.completion_tokens} completion tokens"
    if run.message:
        yield f"- {plain(run.message)}"


def _card(card: Card) -> Iterator[str]:
    step = card.step
    yield f"### s{card.number} {plain(card.title)}: {plain(gist(step))}"
    if step.role == "judge":
        yield f"{word(step.verdict)}: {verdict_words(step)}." if card.end else "Not finished."
        if card.code is not None:
            yield fenced(card.code, card.language)
        if card.body is not None and card.body.case is not None:
            case = card.body.case
            yield f"Test {case.number}: {word(case.verdict)}. {plain(case.difference or case.reason)}"
        return
    if card.failure is not None:
        yield f"No answer: {plain(str(card.failure.get('code')))}, {plain(str(card.failure.get('message')))}"
    if card.end is None:
        return
    if failure := card.parse.get("failure"):
        yield f"Format failure: {plain(str(failure))}. {plain(str(card.parse.get('message') or ''))}"
    yield _cost(card)
    yield fenced(str(card.end.get("text", "")))
    if card.code is not None and bodies.prose(str(card.end.get("text", ""))):
        yield "The program:"
        yield fenced(card.code, card.language)


def _cost(card: Card) -> str:
    step, estimated = card.step, bool((card.end or {}).get("estimated"))
    cost = f"{step.prompt_tokens} in, {step.completion_tokens} out{' (estimated)' if estimated else ''}"
    if estimated and not step.prompt_tokens and not step.completion_tokens:
        cost = "tokens not recorded"
    return f"{cost}, {lanes.duration(step.seconds)}" if step.seconds else cost


def _marker(marker: Marker) -> Iterator[str]:
    payload = marker.payload
    if marker.kind == "run.finished":
        yield f"## End: {word(payload.get('verdict', '')) if payload.get('verdict') else plain(str(payload.get('reason')))}"
        if payload.get("message"):
            yield plain(str(payload["message"]))
        if payload.get("code"):
            yield fenced(str(payload["code"]))
    elif marker.kind == "run.rejudged":
        yield f"Judged again: {word(payload['verdict'])}, {payload['passed']} of {payload['total']} tests."
    elif marker.kind == "note":
        yield fenced(marker.sentence)
    else:
        yield f"Worker {plain(str(payload.get('worker')))} took the run over."
