"""Zip and gzip files that somebody gave us, opened without trusting them.

Nothing is ever unpacked onto a disk by the names an archive gives: members are read as streams.
Refused at once, before a byte is unpacked: names that leave the archive (`..`, absolute, a drive),
links, passwords, members that share bytes, too many members, and a content larger than its packed
size can honestly be (a zip bomb). Streams count what they really yield, whatever a header says. An
archive within an archive is never opened.

Every trouble is a BadInput of one line that names the archive by its `label`.
"""

from __future__ import annotations

import gzip
import io
import itertools
import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from ingestion.errors import BadInput

CHUNK = 1 << 20
ZIP, GZIP = b"PK", b"\x1f\x8b"
_PACKED = (".zip", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz", ".tar")
_ENCRYPTED = 0x1
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
    ValueError,
)


@dataclass(frozen=True)
class Limits:
    """What an archive may be: bytes unpacked in all, how often its packed size, members.

    A health export in XML or CSV packs 10 to 40 times; a bomb of zeros a thousand times. Below
    `small` bytes the ratio is nothing to fear.
    """

    bytes_in_all: int = 32 << 30
    ratio: int = 200
    members: int = 200_000
    small: int = 10 << 20

    def check(self, label: str, packed: int, unpacked: int) -> None:
        """Raise BadInput where so many bytes cannot honestly come of so few."""
        if unpacked > self.bytes_in_all:
            raise BadInput(f"{label}: unpacks to more than {self.bytes_in_all >> 20:,} MB: refused")
        if unpacked > self.small and unpacked > self.ratio * max(packed, 1):
            raise BadInput(
                f"{label}: unpacks to more than {self.ratio} times its size, as a zip bomb does: "
                f"refused"
            )


LIMITS = Limits()


@dataclass(frozen=True)
class Member:
    """A file in an archive: its path with forward slashes, and its size unpacked."""

    name: str
    size: int


class Archive:
    """A zip file whose directory was checked; `open` reads one member as a stream."""

    def __init__(self, file: zipfile.ZipFile, label: str, limits: Limits) -> None:
        self._file, self._label, self._limits = file, label, limits
        self._infos = {info.filename: info for info in _checked(file, label, limits)}
        self._unpacked = 0

    @property
    def members(self) -> list[Member]:
        """Every file, by name; folders and the doubles that macOS adds are left out."""
        return [
            Member(name, info.file_size)
            for name, info in sorted(self._infos.items())
            if not info.is_dir() and not name.startswith("__MACOSX/")
        ]

    def open(self, name: str, *, packed: bool = False) -> BinaryIO:
        """The content of a member as a stream, which raises BadInput where it is damaged.

        Raises KeyError for a name that is no member, BadInput for an archive within the archive;
        `packed` gives one that is there by the vendor's own design, still packed.
        """
        info = self._infos[name]
        label = f"{self._label}: {name}"
        if name.lower().endswith(_PACKED) and not packed:
            raise BadInput(f"{label}: an archive within an archive is not opened; unpack it first")
        self._unpacked += info.file_size  # zipfile never yields more than the directory says
        self._limits.check(self._label, self._unpacked, self._unpacked)
        self._limits.check(label, info.compress_size, info.file_size)
        try:
            content = self._file.open(info)
        except _BROKEN as error:
            raise _damaged(label, error) from None
        return guarded(content, label, info.compress_size, self._limits)


@contextmanager
def open_archive(
    content: Path | BinaryIO, label: str, limits: Limits = LIMITS
) -> Iterator[Archive]:
    """The zip file at a path or in a seekable stream; BadInput where it is none or not sound."""
    try:
        file = zipfile.ZipFile(content)
    except _BROKEN as error:
        raise _damaged(label, error) from None
    with file:
        yield Archive(file, label, limits)


def open_gzip(content: BinaryIO, label: str, packed: int, limits: Limits = LIMITS) -> BinaryIO:
    """What a gzip stream of `packed` bytes holds, as a stream that stops a bomb while it reads."""
    return guarded(cast(IO[bytes], gzip.GzipFile(fileobj=content)), label, packed, limits)


def guarded(content: IO[bytes], label: str, packed: int, limits: Limits = LIMITS) -> BinaryIO:
    """`content`, unpacked of `packed` bytes, as a stream that raises BadInput past the limits."""
    return cast(BinaryIO, io.BufferedReader(_Guarded(content, label, packed, limits), CHUNK))


class _Guarded(io.RawIOBase):
    def __init__(self, content: IO[bytes], label: str, packed: int, limits: Limits) -> None:
        self._content, self._label = content, label
        self._packed, self._limits, self._read = packed, limits, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._content.read(len(buffer))
        except _BROKEN as error:
            raise _damaged(self._label, error) from None
        self._read += len(data)
        self._limits.check(self._label, self._packed, self._read)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._content.close()
        super().close()


def _checked(file: zipfile.ZipFile, label: str, limits: Limits) -> list[zipfile.ZipInfo]:
    infos = file.infolist()
    if len(infos) > limits.members:
        raise BadInput(f"{label}: more than {limits.members:,} members: refused")
    for info in infos:
        _check_member(info, label)
    if len({info.filename for info in infos}) < len(infos):
        raise BadInput(f"{label}: two members have one name; pack it again")
    _check_overlap(infos, label)
    packed, unpacked = sum(i.compress_size for i in infos), sum(i.file_size for i in infos)
    # The total is counted as members are opened: of a large archive most never are.
    limits.check(label, packed, min(unpacked, limits.bytes_in_all))
    return infos


def _check_member(info: zipfile.ZipInfo, label: str) -> None:
    name = info.filename
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or "\\" in name or parts[0].endswith(":"):
        raise BadInput(f"{label}: a member's name leads out of the archive: refused")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise BadInput(f"{label}: a member is a link: refused")
    if info.flag_bits & _ENCRYPTED:
        raise BadInput(f"{label}: it has a password; pack it again without one")


def _check_overlap(infos: list[zipfile.ZipInfo], label: str) -> None:
    """Members that share packed bytes are how a small file claims an endless content."""
    spans = sorted((info.header_offset, info.compress_size) for info in infos)
    for (start, size), (following, _) in itertools.pairwise(spans):
        if start + size > following:
            raise BadInput(f"{label}: its members share bytes, as a zip bomb's do: refused")


def _damaged(label: str, error: BaseException) -> BadInput:
    what = "not a zip file, or a damaged one" if _no_zip(error) else "damaged or cut short"
    return BadInput(f"{label}: {what}; copy or export it again")


def _no_zip(error: BaseException) -> bool:
    return isinstance(error, zipfile.BadZipFile) and "not a zip" in str(error).lower()
