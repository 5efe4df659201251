"""What must hold for any text, since all of it is written by models and programs."""

from __future__ import annotations

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from trajectories.exporters import markdown
from trajectories.exporters.page import block
from trajectories.importers.bounds import MB
from trajectories.traces import chat, otlp_values
from trajectories.traces.lab_export import html_rows
from trajectories.traces.lab_run import HTML_BLOCK, digest, line

NASTY = st.sampled_from(
    ["</script>", "<!--", "<script>", "]]>", "&lt;", "\u2028", "\\u003c", "\\", '"', "`" * 4, "\r"]
)
TEXT = st.lists(NASTY | st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=6).map(
    "".join
)
JSON = st.recursive(
    st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(TEXT, TEXT, max_size=3), min_size=1, max_size=4))
def test_any_lines_survive_the_data_block_of_a_page(rows: list[dict[str, str]]) -> None:
    lines = [line(row) for row in rows]
    written = block(lines)
    assert not re.search("[<>&\u2028\u2029]", written)
    page = f'<!doctype html><p>x</p><script type="application/json" id="{HTML_BLOCK}">{written}</script>'
    read = html_rows(page.encode(), MB)
    assert [line({name: row.value(name) for name in row.fields()}) for row in read] == lines
    assert digest(lines) == digest([line(row) for row in rows])


@given(TEXT)
def test_no_text_closes_its_own_fence(text: str) -> None:
    written = markdown.fenced(text)
    fence = re.match("`+", written)
    assert fence is not None
    body = written[len(fence[0]) + 1 : -len(fence[0]) - 1]
    assert written.endswith(f"\n{fence[0]}") and fence[0] not in body


@given(TEXT)
def test_plain_text_in_markdown_has_no_bare_markup(text: str) -> None:
    assert re.search(r"(?<!\\)(?:\\\\)*[<*_`\[]", markdown.plain(text)) is None
    assert "\n" not in markdown.plain(text)


@given(JSON)
def test_attribute_values_survive_otlp(value: object) -> None:
    encoded = json.loads(json.dumps(otlp_values.encode(value)))
    assert otlp_values.decode(encoded, "value") == value


@given(TEXT, TEXT)
def test_a_message_called_plain_loses_nothing_as_role_and_text(role: str, content: str) -> None:
    for shape in (
        {"role": role, "content": content},
        {"role": role, "content": [{"type": "text", "text": content}]},
        {"role": role, "parts": [{"type": "text", "content": content}]},
    ):
        if chat.plain(shape):
            read = chat.message(shape)
            assert read.content == content and read.role == (role or "unknown")
