"""`manage.py attack`: the judge's attack suite at every level this machine offers."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand

from solver.judge import attack
from trajectories.terminal_files import require_writable


class Command(BaseCommand):
    help = "Run hostile programs in the sandbox and say what got through. Exit status 1 if no sandbox is to be had."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        attack.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        require_writable(options["json"])
        sys.exit(attack.run(options["level"], options["json"]))
