"""Writes a recording while another engine answers."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from solver.engines.protocol import ChatModel, ChatReply, ChatRequest, EngineInfo
from solver.engines.recording import BadRecording, Recording, parse_lines


class Recorder:
    """Wraps an engine and appends each finished answer to a file, once per prompt.

    A line is written whole under an exclusive lock of the file, after reading what others appended meanwhile;
    so any number of threads and processes may record into one file, and the first answer to a prompt stays.
    """

    def __init__(self, inner: ChatModel, path: Path, note: str = "") -> None:
        self._inner = inner
        self._path = path
        self._note = note
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._read_to = 0  # bytes of the file already looked at
        if path.exists():  # a bad file is refused before the first answer is paid for
            self._with_file(self._catch_up)

    def chat(
        self,
        request: ChatRequest,
        *,
        on_delta: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ChatReply:
        reply = self._inner.chat(request, on_delta=on_delta, cancelled=cancelled)
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        self._append(Recording.of(request, reply, moment, self._note))
        return reply

    def _append(self, recording: Recording) -> None:
        line = (recording.model_dump_json(exclude_defaults=True) + "\n").encode()
        with self._lock:
            self._with_file(lambda file: self._append_new(file, recording.prompt_digest, line))

    def _append_new(self, file: int, digest: str, line: bytes) -> None:
        self._catch_up(file)
        if digest not in self._known:
            self._write(file, line)
            self._known.add(digest)

    def _with_file(self, act: Callable[[int], None]) -> None:
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            act(file)
        finally:
            os.close(file)

    def _catch_up(self, file: int) -> None:
        """Learn the prompts that are in the file and not yet known."""
        size = os.fstat(file).st_size
        if size <= self._read_to:
            return
        new = os.pread(file, size - self._read_to, self._read_to)
        if not new.endswith(b"\n"):
            raise BadRecording(f"The last line of {self._path} is incomplete; complete or delete it.")
        recordings = parse_lines(new.decode("utf-8").split("\n"), str(self._path))
        self._known.update(recording.prompt_digest for recording in recordings)
        self._read_to = size

    def _write(self, file: int, line: bytes) -> None:
        """All of the line or nothing: a full disk must not leave half an answer behind."""
        before = os.fstat(file).st_size
        try:
            if os.write(file, line) != len(line):
                raise OSError("short write")
        except OSError as error:
            os.ftruncate(file, before)
            raise BadRecording(f"The answer could not be recorded in {self._path}: {error}.") from error
        self._read_to = before + len(line)

    def info(self) -> EngineInfo:
        return self._inner.info()

    def close(self) -> None:
        self._inner.close()
