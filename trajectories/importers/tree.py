"""Files below one root, in a directory or in a zip archive, read where they lie: nothing is ever unpacked.

Names are POSIX paths relative to the root. A name that leaves the root, a symbolic link and an encrypted member are
refused; reading is bounded by what comes out, not by what an archive claims.
"""

from __future__ import annotations

import lzma
import os
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol, cast

from trajectories.importers.bounds import Bounds, size
from trajectories.importers.fault import Malformed

# What reading compressed data raises where it is broken, by the way in which it is compressed.
DAMAGED = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


class Tree(Protocol):
    def names(self) -> list[str]:
        """All regular files, sorted."""

    def has(self, name: str) -> bool: ...

    def open(self, name: str) -> BinaryIO:
        """Raises OSError when it cannot."""

    def close(self) -> None: ...


def read_bytes(tree: Tree, name: str, limit: int) -> bytes:
    """The whole file; raises `Malformed` when it is longer than `limit` bytes or damaged."""
    try:
        with tree.open(name) as stream:
            data = stream.read(limit + 1)
    except (OSError, *DAMAGED) as error:
        raise Malformed(
            "", f"cannot be read: {error}", "make the file or the archive anew", member=name
        ) from error
    if len(data) > limit:
        raise Malformed(
            "", f"is longer than {size(limit)}", "shorten it, or leave the problem out", member=name
        )
    return data


def read_text(tree: Tree, name: str, limit: int) -> str:
    try:
        return read_bytes(tree, name, limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed("", f"is not UTF-8 at byte {error.start}", "save it as UTF-8", member=name) from error


def children(names: list[str], folder: str) -> list[str]:
    """Of `names`, those directly or further below `folder`."""
    prefix = f"{folder}/" if folder else ""
    return [name for name in names if name.startswith(prefix)]


class DirectoryTree:
    def __init__(self, root: Path, bounds: Bounds) -> None:
        self._root = root
        self._bounds = bounds

    def names(self) -> list[str]:
        found: list[str] = []
        for folder, folders, files in os.walk(self._root):
            folders[:] = [name for name in folders if not name.startswith(".") and name != "__MACOSX"]
            for file in files:
                path = Path(folder) / file
                if not path.is_symlink() and path.is_file():
                    found.append(path.relative_to(self._root).as_posix())
            if len(found) > self._bounds.members:
                raise _too_many(self._bounds)
        return sorted(found)

    def has(self, name: str) -> bool:
        return (self._root / name).is_file()

    def open(self, name: str) -> BinaryIO:
        return (self._root / name).open("rb")

    def close(self) -> None:
        pass


class ZipTree:
    def __init__(self, path: Path, bounds: Bounds) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, ValueError) as error:
            raise Malformed("", f"is a damaged zip archive ({error})", "make the archive anew") from error
        self._members: dict[str, zipfile.ZipInfo] = {}
        try:
            self._index(bounds)
        except Malformed:
            self._zip.close()
            raise

    def _index(self, bounds: Bounds) -> None:
        infos = [info for info in self._zip.infolist() if not info.is_dir()]
        if len(infos) > bounds.members:
            raise _too_many(bounds)
        if (total := sum(info.file_size for info in infos)) > bounds.file:
            raise Malformed("", f"unpacks to {size(total)}", f"keep an archive below {size(bounds.file)}")
        for info in infos:
            name = _safe_name(info)
            if name.startswith("__MACOSX/") or any(part.startswith(".") for part in name.split("/")[:-1]):
                continue
            if name in self._members:
                raise Malformed("", "is in the archive twice", "make the archive anew", member=name)
            self._members[name] = info

    def names(self) -> list[str]:
        return sorted(self._members)

    def has(self, name: str) -> bool:
        return name in self._members

    def open(self, name: str) -> BinaryIO:
        try:
            return cast(BinaryIO, self._zip.open(self._members[name]))
        except (zipfile.BadZipFile, NotImplementedError) as error:
            raise OSError(str(error)) from error

    def close(self) -> None:
        self._zip.close()


def _safe_name(info: zipfile.ZipInfo) -> str:
    name = info.filename.replace("\\", "/")
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or ":" in name.split("/")[0] or not path.parts:
        raise Malformed(
            "", "has a name that leaves the archive", "make the archive anew", member=info.filename
        )
    if stat.S_ISLNK(info.external_attr >> 16):
        raise Malformed("", "is a symbolic link", "put the file itself into the archive", member=name)
    if info.flag_bits & 0x1:
        raise Malformed("", "is encrypted", "make the archive without a password", member=name)
    return path.as_posix()


def _too_many(bounds: Bounds) -> Malformed:
    return Malformed("", f"holds more than {bounds.members} files", "import it in parts")
