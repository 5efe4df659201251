"""Reading the lab's own exports, JSON Lines and HTML."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser

from trajectories.importers.bounds import size
from trajectories.importers.fault import Malformed
from trajectories.importers.row import Row
from trajectories.traces.lab_run import HTML_BLOCK, NAME, EventLine, Head, LabRun, digest, line
from trajectories.traces.source import Found, Source, TraceFormat

_MEND = "export the run again"


def read(source: Source) -> Iterator[Found]:
    """One run: the head and its events. A file of several runs holds one after the other."""
    rows = iter(source.rows)
    for place, head in rows:
        if head.value("format") != NAME:
            source.log.complain(place, Malformed("format", "no run begins here", _MEND))
            return
        wanted = head.value("events")
        events = []
        for _, row in rows:
            events.append(row)
            if len(events) == wanted:
                break
        yield from source.attempt(place, run, head, events)


def run(head: Row, events: list[Row]) -> LabRun:
    """Raises Malformed where events are missing, out of order, or not those that were exported."""
    read = LabRun(
        head=Head.model_validate(_data(head)),
        events=tuple(EventLine.model_validate(_data(event)) for event in events),
    )
    if len(read.events) != read.head.events:
        raise Malformed("events", f"{read.head.events} are announced, {len(read.events)} follow", _MEND)
    wrong = next((place for place, event in enumerate(read.events, 1) if event.seq != place), None)
    if wrong is not None:
        raise Malformed("seq", f"event {wrong} has number {read.events[wrong - 1].seq}", _MEND)
    if digest([line(_data(event)) for event in events]) != read.head.digest:
        raise Malformed("digest", "the events are not those that were exported", _MEND)
    return read


def _data(row: Row) -> dict[str, object]:
    return {name: row.value(name) for name in row.fields()}


class _Block(HTMLParser):
    """The text of the data block. HTML's own rule: a script element ends at the first `</script`, wherever it is."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.inside = False
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag == "script" and dict(attrs).get("id") == HTML_BLOCK

    def handle_endtag(self, tag: str) -> None:
        self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.parts.append(data)


def html_rows(page: bytes, limit: int) -> list[Row]:
    """The lines in an exported page. Raises Malformed when it holds none."""
    if len(page) > limit:
        raise Malformed("", f"is longer than {size(limit)}", "import the JSON Lines export instead")
    block = _Block()
    block.feed(page.decode("utf-8", "replace"))
    text = "".join(block.parts)
    if not text.strip():
        raise Malformed(
            "", "is an HTML page without a run of the lab in it", "give a page that the lab exported"
        )
    try:
        lines = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Malformed("", f"its data block is not JSON: {error}", _MEND) from error
    if not isinstance(lines, list):
        raise Malformed("", "its data block is not a list of lines", _MEND)
    return [Row.of(value, f"line {number}") for number, value in enumerate(lines, start=1)]


FORMAT = TraceFormat(
    name="lab",
    title="a run of another lab",
    telling=f"a first line with format {NAME!r}, or an exported page",
    read=read,
    of_row=lambda row: row.value("format") == NAME,
)
