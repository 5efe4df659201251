"""The documents name what is there: links lead somewhere, every setting, command, flag and endpoint is written down."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands, load_command_class
from django.urls import URLPattern, URLResolver, get_resolver

from solver.strategies.registry import STRATEGIES
from trajectories.events import KINDS

ROOT = Path(settings.BASE_DIR)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
OWN = ("mcl_web", "trajectories", "solver", "training")
COMMANDS = sorted(name for name, app in get_commands().items() if app in OWN)
USUAL = {
    "help",
    "version",
    "verbosity",
    "settings",
    "pythonpath",
    "traceback",
    "no-color",
    "force-color",
    "skip-checks",
}


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """As GitHub makes them: small letters, no punctuation, dashes for blanks."""
    without_code = re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    headings = re.findall(r"^#+ (.+)$", without_code, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if link.startswith("http"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_is_reached_from_another() -> None:
    found = [
        (page.parent / link.partition("#")[0]).resolve()
        for page in PAGES
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
        if not link.startswith("http")
    ]
    assert [str(page) for page in PAGES[1:] if page not in found] == []


def test_every_setting_is_in_the_reference() -> None:
    page = text("docs/reference/settings.md")
    read = re.findall(r'env\.\w+\(\s*"(\w+)"', text("mcl_web/settings.py"))
    assert len(read) > 10
    assert [name for name in read if f"| `{name}` |" not in page] == []


def test_every_variable_of_compose_is_in_the_reference() -> None:
    page = text("docs/reference/settings.md")
    asked = set(re.findall(r"\$\{(\w+)", text("docker-compose.yml")))
    assert [name for name in sorted(asked) if f"`{name}`" not in page] == []


def actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """The arguments of a command, those of its verbs included."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from actions(inner)
        else:
            yield action


def parser_of(name: str) -> argparse.ArgumentParser:
    return load_command_class(get_commands()[name], name).create_parser("manage.py", name)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_its_flags_are_in_the_reference(name: str) -> None:
    page = text("docs/reference/commands.md")
    told = " ".join(line for line in page.splitlines() if re.match(rf"\| `{name}\b", line))
    assert told, f"{name} is not in docs/reference/commands.md"
    for action in actions(parser_of(name)):
        if action.option_strings and max(action.option_strings, key=len).lstrip("-") not in USUAL:
            assert any(re.search(rf"`[^`]*{flag}\b", told) for flag in action.option_strings), action


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_its_flags_say_what_they_do(name: str) -> None:
    parser = parser_of(name)
    assert parser.description
    assert [action.dest for action in actions(parser) if not action.help] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_line_of_a_page_could_be_typed(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for name, rest in re.findall(r"manage\.py ([a-z_]+)([^\n`|#]*)", lines):
        assert name in get_commands(), name
        known = {option for action in actions(parser_of(name)) for option in action.option_strings}
        used = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", rest))
        assert used <= known, f"manage.py {name}{rest}"


def test_every_endpoint_is_in_the_reference() -> None:
    page = text("docs/reference/api.md")
    api = next(part for part in get_resolver().url_patterns if str(part.pattern) == "api/")
    assert isinstance(api, URLResolver)
    for part in api.url_patterns:
        assert isinstance(part, URLPattern)
        address = str(part.pattern).replace("<int:pk>", "<id>")
        last = address.rpartition("<id>")[2] if address.count("/") > 2 else f"/api/{address}"
        assert not address or last in page, address


def test_every_kind_of_event_is_in_the_reference() -> None:
    page = text("docs/reference/api.md")
    assert [kind for kind in KINDS if f"`{kind}`" not in page] == []


def test_every_strategy_is_in_the_reference() -> None:
    page = text("docs/reference/agents.md")
    assert [name for name in STRATEGIES if f"| `{name}` |" not in page] == []


def test_every_benchmark_is_in_the_reference() -> None:
    from benchmarks.__main__ import names

    page = text("docs/reference/benchmarks.md")
    assert [
        name
        for name in names()
        if f"benchmarks.{name}`" not in page
        and f"benchmarks.{name} " not in page
        and f"benchmarks/{name}.py" not in page
    ] == []
