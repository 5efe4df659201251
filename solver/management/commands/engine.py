"""`manage.py engine add|list|test|remove|answers|prices`: configure the engines of this lab."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import yaml
from django.core.management import BaseCommand, CommandError

from solver import connection_test, engine_book
from solver.answers import tally
from solver.engines.adapters import BadAdapter
from solver.engines.prices import BadPrice, parse_prices
from solver.engines.spec import BadSpec, EngineSpec
from solver.models import Engine
from solver.prices import book
from solver.serving import vllm
from trajectories.terminal_files import read_text


class Command(BaseCommand):
    help = "Configure engines. Keys stay in environment variables; only their names are stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="every engine the lab knows")
        add = verbs.add_parser(
            "add", help="add or replace an OpenAI-compatible engine, or those of a YAML file"
        )
        add.add_argument("name", nargs="?", help="of the engine; the file says it where --file is given")
        add.add_argument(
            "--file", type=Path, help="YAML: a list of engine descriptions (docs/reference/engines.md)"
        )
        add.add_argument("--base-url", help="such as http://127.0.0.1:8000/v1")
        add.add_argument("--key-env", help="NAME of the environment variable that holds the key")
        add.add_argument("--model", help="model of every role that has none of its own")
        add.add_argument(
            "--role", action="append", default=[], metavar="ROLE=MODEL", help="model or adapter of one role"
        )
        add.add_argument("--allow-loopback", action="store_true", help="the server runs on this machine")
        add.add_argument("--allow-private", action="store_true", help="the server is on a private network")
        for verb, text in (("test", "probe what an engine can do"), ("remove", "forget a configured engine")):
            verbs.add_parser(verb, help=text).add_argument("name", help="of the engine")
        answers = verbs.add_parser("answers", help="what is stored of engines' answers, and what it saved")
        answers.add_argument("name", nargs="?", help="of one engine; all without")
        answers.add_argument("--clear", action="store_true", help="forget the stored answers of this engine")
        prices = verbs.add_parser("prices", help="the price table of an engine")
        prices.add_argument("name", help="of the engine")
        prices.add_argument(
            "--file",
            type=Path,
            help="YAML: a list of prices that replaces the table (docs/reference/engines.md)",
        )

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        getattr(self, f"_{verb}")(options)

    def _list(self, options: dict[str, Any]) -> None:
        for spec in engine_book.all_engines():
            kind = f"{spec.kind.value}{', simulated' if spec.simulated else ''}"
            self.stdout.write(f"{spec.name:<20} {kind:<24} {spec.title}")

    def _add(self, options: dict[str, Any]) -> None:
        for entry in self._entries(options):
            try:
                spec = EngineSpec.parse(entry, Path.cwd())
                spec = vllm.named_by_content(spec) if spec.vllm else spec
            except (BadSpec, BadAdapter) as error:
                raise CommandError(str(error)) from None
            if spec.key_objection:
                raise CommandError(spec.key_objection)
            data = spec.model_dump(mode="json", exclude_defaults=True)
            Engine.objects.update_or_create(name=spec.name, defaults={"spec": data})
            self.stdout.write(f"engine {spec.name} stored")

    def _entries(self, options: dict[str, Any]) -> list[dict[str, Any]]:
        if options["file"]:
            return self._listed(options["file"], "engine descriptions")
        if not (options["name"] and options["base_url"]):
            raise CommandError("Give a name and --base-url, or --file FILE.")
        models = dict(pair.partition("=")[::2] for pair in options["role"])
        if options["model"]:
            models["default"] = options["model"]
        entry = {
            "name": options["name"],
            "kind": "openai",
            "base_url": options["base_url"],
            "key_env": options["key_env"],
            "models": models,
            "allow_loopback": options["allow_loopback"],
            "allow_private": options["allow_private"],
        }
        return [entry]

    def _test(self, options: dict[str, Any]) -> None:
        spec = self._spec(options["name"])
        for check in connection_test.thorough(spec):
            mark = {True: "ok", False: "no", None: "?"}[check.ok]
            self.stdout.write(f"{mark:<3} {check.name:<18} {check.detail}")
            if not check.ok and check.mend:
                self.stdout.write(f"{'':<22} {check.mend}")

    def _remove(self, options: dict[str, Any]) -> None:
        removed, _ = Engine.objects.filter(name=options["name"]).delete()
        if not removed:
            raise CommandError(
                f"no configured engine is called {options['name']!r}; shipped engines cannot be removed"
            )
        self.stdout.write(
            f"engine {options['name']} removed; runs that used it keep their copy of its settings"
        )

    def _answers(self, options: dict[str, Any]) -> None:
        name = options["name"]
        if options["clear"]:
            if not name:
                raise CommandError(
                    "Say which engine's answers to forget: manage.py engine answers NAME --clear"
                )
            self.stdout.write(f"{tally.clear(name)} stored answers of {name} forgotten")
            return
        found = [stock for engine, stock in sorted(tally.stocks().items()) if name in (None, engine)]
        if not found:
            self.stdout.write(f"no answers of {name} are stored" if name else "no answers are stored")
        for stock in found:
            self.stdout.write(
                f"{stock.engine:<20} {stock.answers:>8} answers {stock.size / 1e6:>9.2f} MB "
                f"{stock.hits:>8} times used, {stock.tokens} tokens and {stock.saved:.6f} saved"
            )

    def _prices(self, options: dict[str, Any]) -> None:
        spec = self._spec(options["name"])
        if options["file"]:
            try:
                prices = parse_prices(self._listed(options["file"], "prices"))
            except BadPrice as error:
                raise CommandError(f"{options['file']}: {error}") from None
            book.replace(spec, prices)
            self.stdout.write(f"{len(prices)} prices stored in table {book.table_name(spec)}")
            return
        found = book.table(spec).prices
        if not found:
            self.stdout.write(f"engine {spec.name} has no prices, so its calls show no cost")
        for price in found:
            cached = "" if price.cached_input is None else f", cached input {price.cached_input:f}"
            self.stdout.write(
                f"from {price.valid_from}  {price.model or 'every model':<32} input {price.input:f}{cached}, "
                f"output {price.output:f} {price.currency} a million tokens"
            )

    def _spec(self, name: str) -> EngineSpec:
        try:
            return engine_book.get(name)
        except LookupError as error:
            raise CommandError(str(error)) from None

    def _listed(self, file: Path, what: str) -> list[dict[str, Any]]:
        try:
            entries = yaml.safe_load(read_text(file))
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            mark = getattr(error, "problem_mark", None)
            where = f", line {mark.line + 1}" if mark else ""
            raise CommandError(f"{file}{where}: this is not YAML that can be read.") from None
        if not (isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)):
            raise CommandError(f"{file} must hold a list of {what}.")
        return entries
