"""`manage.py agreement DATA_DIR`: recorded programs judged again, against their recorded verdicts."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand

from solver.judge import agreement
from trajectories.terminal_files import require_writable


class Command(BaseCommand):
    help = "Judge recorded programs again and put every disagreement with the record down to a cause."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        agreement.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        require_writable(options["json"])
        sys.exit(agreement.run(options["data"], options["eval_set"], options["limit"], options["json"]))
