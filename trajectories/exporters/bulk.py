"""Exporting every run that a list's filters leave, as one ZIP file, by a worker.

The file is written beside its place and moved there whole, so what can be downloaded is complete. A worker that dies leaves
its lease to run out; the next one begins anew, and an export that is cancelled or deleted meanwhile is not finished.
"""

from __future__ import annotations

import contextlib
import logging
import time
import uuid
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import Error
from django.db.models import Q, QuerySet
from django.utils.timezone import now

from trajectories import queries
from trajectories.exporters.formats import FORMATS, ExportFormat
from trajectories.models import BulkExport, BulkExportStatus, Run

log = logging.getLogger(__name__)
MOST_RUNS = 100_000
AT_ONCE = 20  # runs that are read in one query
TOLD_EVERY_S = 2.0  # between two signs of life
LEASE = timedelta(seconds=120)
FILTERS = (*queries.RUN_FACETS, "q", "tag", "blame", "problem")


class NothingToExport(ValueError):
    """The export cannot be started; the message is a sentence for people."""


class Unwritable(Exception):
    """One run has no text in this format; the message is a sentence for people."""


def start(chosen: queries.Filters, format: str, *, request_id: str, actor: str) -> BulkExport:
    """A waiting export of the runs that there are now. The same `request_id` again is the same export.

    Raises NothingToExport, and BadExpression where the filter cannot be read.
    """
    if format not in FORMATS:
        raise NothingToExport(f"There is no export format {format[:20]!r}; use one of {', '.join(FORMATS)}.")
    kept = {name: chosen[name] for name in FILTERS if chosen.get(name)}
    found = queries.matching_runs(kept).order_by()
    total = found.count()
    if not total:
        raise NothingToExport("No run matches these filters, so there is nothing to export.")
    if total > MOST_RUNS:
        raise NothingToExport(f"{total:,} runs match and one export holds {MOST_RUNS:,}. Filter for fewer.")
    newest = found.order_by("-pk").values_list("pk", flat=True)[0]
    export, _ = BulkExport.objects.get_or_create(
        request_id=request_id,
        defaults={
            "format": format,
            "filters": kept,
            "newest": newest,
            "total": total,
            "created_by": actor,
        },
    )
    return export


def waiting() -> list[int]:
    """Those that nobody is at: not begun, or begun by a worker that has died."""
    lost = Q(status=BulkExportStatus.RUNNING, held_until__lt=now())
    found = BulkExport.objects.filter(Q(status=BulkExportStatus.WAITING) | lost)
    return list(found.order_by("pk").values_list("pk", flat=True))


def work(pk: int, holder: str) -> bool:
    """Write the file, if nobody else is at it. True where it was finished here."""
    holder = f"{holder[:90]} {uuid.uuid4().hex}"  # two threads of one worker are two
    free = Q(status=BulkExportStatus.WAITING) | Q(status=BulkExportStatus.RUNNING, held_until__lt=now())
    taken = BulkExport.objects.filter(free, pk=pk).update(
        status=BulkExportStatus.RUNNING, holder=holder, held_until=now() + LEASE, done=0, message=""
    )
    if not taken:
        return False
    export = BulkExport.objects.get(pk=pk)
    place = path(pk)
    draft = place.with_suffix(f".{holder[-32:]}.part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in place.parent.glob(f"{place.stem}.*.part"):  # of a worker that died
            left.unlink(missing_ok=True)
        if not _write(export, draft, holder):
            return False
        size = draft.stat().st_size
        draft.replace(place)
        if _mine(pk, holder).update(status=BulkExportStatus.READY, size=size):
            return True
        if not BulkExport.objects.filter(pk=pk).exists():  # deleted while the file was moved
            place.unlink(missing_ok=True)
        return False
    except OSError as error:
        log.exception("export %s", pk)
        told = f"The file could not be written: {error.strerror or error}. Free some disk and start it again."
        _mine(pk, holder).update(status=BulkExportStatus.FAILED, message=told)
        return False
    except Unwritable as error:
        log.exception("export %s", pk)
        _mine(pk, holder).update(status=BulkExportStatus.FAILED, message=str(error))
        return False
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def _write(export: BulkExport, draft: Path, holder: str) -> bool:
    """False where the export was taken away meanwhile."""
    known = FORMATS[export.format]
    done, told = 0, time.monotonic()
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        for run in _runs(export):
            archive.writestr(known.filename(run), _text(known, run))
            done += 1
            if time.monotonic() - told > TOLD_EVERY_S:
                told = time.monotonic()
                if not _tell(export.pk, holder, done):
                    return False
    return _tell(export.pk, holder, done)


def _text(known: ExportFormat, run: Run) -> str:
    """Raises Unwritable, and the database's error where that is away, which says nothing of the run."""
    try:
        return known.export(run)
    except Error:
        raise
    except Exception as error:
        raise Unwritable(
            f"Run {run.pk} cannot be written as {known.name} ({type(error).__name__}: {error}); leave it out by the filter "
            f"-run:{run.pk} and start the export again."
        ) from error


def _runs(export: BulkExport) -> Iterator[Run]:
    found = queries.matching_runs(export.filters).filter(pk__lte=export.newest)
    keys = list(found.order_by("pk").values_list("pk", flat=True))
    for at in range(0, len(keys), AT_ONCE):
        rows = Run.objects.filter(pk__in=keys[at : at + AT_ONCE])
        yield from rows.select_related("problem", "branch_of").order_by("pk")


def _tell(pk: int, holder: str, done: int) -> bool:
    return _mine(pk, holder).update(done=done, held_until=now() + LEASE) == 1


def _mine(pk: int, holder: str) -> QuerySet[BulkExport]:
    return BulkExport.objects.filter(pk=pk, holder=holder, status=BulkExportStatus.RUNNING)


def cancel(pk: int) -> bool:
    going = BulkExport.objects.filter(pk=pk, status__in=[BulkExportStatus.WAITING, BulkExportStatus.RUNNING])
    return going.update(status=BulkExportStatus.CANCELLED) == 1


def delete(pk: int) -> None:
    """The row and its file; a worker that is at it finds its row gone and stops."""
    BulkExport.objects.filter(pk=pk).delete()
    path(pk).unlink(missing_ok=True)


def path(pk: int) -> Path:
    folder: Path = settings.VAR_DIR / "exports"
    return folder / f"runs-{pk}.zip"
