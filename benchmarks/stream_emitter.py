"""The writing side of `benchmarks.stream`: `python -m benchmarks.stream_emitter COUNT RATE hub|push`.

Prints the run's id, waits for a line on stdin, then appends one event every 1/RATE seconds and prints, at the end,
`seq unix-time` for each: the time just before the write began.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

WARM_UP = 20  # events before the measured ones: first connections, first imports


def main(count: int, rate: float, mode: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mcl_web.settings")
    import django

    django.setup()
    from tests.factories import claimed_run
    from trajectories import eventlog, events, patches
    from trajectories.models import Run

    run, fence = claimed_run()
    Run.objects.filter(pk=run.pk).update(lease_expires_at="2100-01-01T00:00:00Z")
    print(run.pk, flush=True)
    sys.stdin.readline()
    began, written = time.monotonic(), []
    for number in range(1, WARM_UP + count + 1):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        at = time.time()
        event = events.Note(name="benchmark", detail={"text": "x" * 400})
        seq = eventlog.append(run.pk, [event], fence=fence)
        if mode == "push":
            _push(run.pk, patches.messages(run.pk, eventlog.read_after(run.pk, seq - 1)))
        if number > WARM_UP:
            written.append((seq, at))
    print("\n".join(f"{seq} {at}" for seq, at in written))


def _push(run_id: int, messages: list[dict[str, Any]]) -> None:
    from asgiref.sync import async_to_sync
    from channels.layers import get_channel_layer

    layer = get_channel_layer()
    assert layer is not None
    for message in messages:
        async_to_sync(layer.group_send)(f"push.{run_id}", {"type": "payload", "message": message})


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3])
