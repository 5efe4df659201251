"""`manage.py serve_engines`: run and tend the engines that are to be started on this machine (part of `manage.py up`)."""

from __future__ import annotations

import logging
import signal
import time
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand
from django.db import Error, close_old_connections

from mcl_web.engine_host import EngineHost

log = logging.getLogger(__name__)


class Stop(Exception):
    """SIGTERM or Ctrl-C."""


class Command(BaseCommand):
    help = "Start, watch and stop the vLLM servers that engines ask for, on this machine; one such process a lab."

    def handle(self, *args: Any, **options: Any) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _stop)
        host = EngineHost(settings.VAR_DIR / "log")
        try:
            while True:
                try:
                    host.round()
                except Error:  # psycopg's InterfaceError is no DatabaseError
                    log.exception("a round over the engines failed")
                    close_old_connections()
                time.sleep(1)
        except Stop:
            pass
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            host.stop()


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stop
