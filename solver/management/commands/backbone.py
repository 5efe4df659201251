"""`manage.py backbone add FOLDER|NAME`: make a real model an engine, after checking and weighing it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from solver.backbones import book
from solver.backbones.estimate import GIB
from solver.backbones.host import this_host
from solver.engines.protocol import EngineError
from solver.engines.spec import BadSpec
from solver.models import Engine


class Command(BaseCommand):
    help = (
        "Check a model folder (or hub name), estimate its memory and speed here, and write an engine for it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        for verb, text in (
            ("add", "check, estimate, and add an engine"),
            ("check", "check and estimate only"),
        ):
            add = verbs.add_parser(verb, help=text)
            add.add_argument("model", help="folder, or a name of the hub such as Qwen/Qwen2.5-7B-Instruct")
            add.add_argument("--name", default="", help="name of the engine (default: from the model)")
            add.add_argument(
                "--adapter",
                action="append",
                default=[],
                metavar="ROLE=FOLDER",
                help="LoRA adapter of an agent",
            )
            add.add_argument(
                "--vllm", metavar="PYTHON", help="serve it by the vLLM of this environment's python"
            )
            add.add_argument("--port", type=int, default=8100, help="port of that vLLM on 127.0.0.1")
            add.add_argument("--tensor-parallel", type=int, default=1, help="GPUs that share one copy of it")
            add.add_argument("--context", type=int, help="longest prompt and answer, in tokens")
            add.add_argument("--cpu", action="store_true", help="on the CPU even where there is a GPU")
            add.add_argument(
                "--anyway", action="store_true", help="add it although it would be too slow here"
            )

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        adapters = dict(pair.partition("=")[::2] for pair in options["adapter"])
        wish = book.Wish(
            name=options["name"],
            adapters=adapters,
            vllm_python=options["vllm"],
            port=options["port"],
            tensor_parallel=options["tensor_parallel"],
            context_tokens=options["context"],
            cpu=options["cpu"],
        )
        try:
            found = book.prepare(options["model"], wish, this_host())
        except (EngineError, BadSpec) as error:
            raise CommandError(str(error)) from None
        self._tell(found)
        why = book.refusal(found)
        if verb == "check":
            return
        if why and not (found.verdict.fits and options["anyway"]):
            more = " --anyway adds it all the same." if found.verdict.fits else ""
            raise CommandError(f"{why}{more}")
        spec = found.spec
        data = spec.model_dump(mode="json", exclude_defaults=True)
        Engine.objects.update_or_create(name=spec.name, defaults={"spec": data})
        self.stdout.write(f"engine {spec.name} stored")

    def _tell(self, found: book.Backbone) -> None:
        needs, files = found.needs, found.files
        share = needs.adapters / needs.weights
        self.stdout.write(
            f"{files.folder.name}: {files.config['model_type']}, {needs.parameters / 1e9:.2f} B parameters"
        )
        self.stdout.write(f"fingerprint {files.fingerprint[:12]}, chat template {found.template_digest[:12]}")
        self.stdout.write(
            f"weights {needs.weights / GIB:.2f} GiB, four adapters of rank 32 {needs.adapters / GIB:.2f} GiB "
            f"({share:.1%}), {needs.kv_per_token / 1024:.0f} KiB of keys and values a token"
        )
        self.stdout.write(found.verdict.sentence)
        for warning in found.warnings:
            self.stdout.write(warning)
