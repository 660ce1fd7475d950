"""FIT files wherever they lie in what somebody gave us, cut down to what is read of them.

Garmin's "export your data" is a zip that holds zips of FIT files, most of them activities, under
names that begin with the person's e-mail address. So a file is named by its content; of a
monitoring file the messages on monitoring are kept, and of the device's serial number its hash.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import SpooledTemporaryFile

import fitdecode
from fitdecode.utils import compute_crc

from ingestion.archives import Archive, open_archive
from ingestion.errors import BadInput

FILE_ID, EVENT, MONITORING, MONITORING_INFO = 0, 21, 55, 103  # numbers of messages in the profile
KEPT = (FILE_ID, EVENT, MONITORING, MONITORING_INFO)
TYPE, SERIAL = 0, 3  # fields of file_id
MONITORING_TYPES = {"monitoring_a", "monitoring_daily", "monitoring_b"}
MOST_BYTES = 64 << 20  # a day of monitoring is some kilobytes
_HEADER, _CRC = 12, 2
_EMAIL = re.compile(r"[^/\s]+@[^/\s_]+")
# What fitdecode raises where a definition is not what the profile says, beside its own errors.
_BROKEN = (
    fitdecode.FitError,
    AssertionError,
    AttributeError,
    LookupError,
    OverflowError,
    TypeError,
    ValueError,
    struct.error,
)


@dataclass(frozen=True)
class FitFile:
    """A sound FIT file: what kind it is, and, of monitoring, the messages that are read."""

    kind: str
    body: bytes = b""

    @property
    def is_monitoring(self) -> bool:
        return self.kind in MONITORING_TYPES


def fit_files(path: Path, whose: str) -> Iterator[FitFile]:
    """Every FIT file at `path`: a file, a folder with all below it, a zip, zips in a zip.

    Raises BadInput, naming the file, where one is damaged. `whose` begins each name.
    """
    for one in sorted(path.rglob("*")) if path.is_dir() else [path]:
        inside = one.relative_to(path).as_posix() if path.is_dir() else one.name
        label = f"{whose}: {shown(inside)}"
        if one.suffix.lower() == ".fit" and one.is_file():
            _check_size(one.stat().st_size, label)
            yield fit_file(one.read_bytes(), label)
        elif one.suffix.lower() == ".zip" and one.is_file():
            with open_archive(one, label) as archive:
                yield from _packed(archive, label, nested=True)


def fit_file(content: bytes, label: str) -> FitFile:
    """What a FIT file holds; BadInput where it is none, is cut short or fails its checksum."""
    frames = read_frames(content, label)
    kinds = {
        str(frame.get_value("type", fallback="unknown"))
        for frame in frames
        if isinstance(frame, fitdecode.FitDataMessage) and frame.global_mesg_num == FILE_ID
    }
    kind = next(iter(sorted(kinds & MONITORING_TYPES) or sorted(kinds)), "unknown")
    return FitFile(kind, _reduced(frames) if kind in MONITORING_TYPES else b"")


def read_frames(content: bytes, label: str) -> list[object]:
    """The frames of a FIT file whose checksum was checked; raises BadInput."""
    if content[8:12] != b".FIT":
        raise BadInput(f"{label}: not a FIT file")
    try:
        with fitdecode.FitReader(
            content,
            processor=None,
            check_crc=fitdecode.CrcCheck.RAISE,
            error_handling=fitdecode.ErrorHandling.IGNORE,
            keep_raw_chunks=True,
        ) as reader:
            return list(reader)
    except fitdecode.FitCRCError:
        raise BadInput(f"{label}: its checksum does not fit its content; export it again") from None
    except fitdecode.FitEOFError:
        raise BadInput(f"{label}: the file is cut short; export it again") from None
    except _BROKEN:
        raise BadInput(f"{label}: a damaged FIT file; export it again") from None


def shown(name: str) -> str:
    """A file's name without an e-mail address.

    >>> shown("UploadedFiles/somebody@example.org_4711.fit")
    'UploadedFiles/***_4711.fit'
    """
    return _EMAIL.sub("***", name)


def _check_size(size: int, label: str) -> None:
    if size > MOST_BYTES:
        raise BadInput(f"{label}: larger than {MOST_BYTES >> 20} MB, which no FIT file is")


def _packed(archive: Archive, label: str, nested: bool) -> Iterator[FitFile]:
    for member in archive.members:
        name = f"{label}: {shown(member.name)}"
        if member.name.lower().endswith(".fit"):
            _check_size(member.size, name)
            with archive.open(member.name) as stream:
                content = stream.read()
            yield fit_file(content, name)
        elif nested and member.name.lower().endswith(".zip"):
            with SpooledTemporaryFile(MOST_BYTES) as copy:
                with archive.open(member.name, packed=True) as stream:
                    while chunk := stream.read(1 << 20):
                        copy.write(chunk)
                with open_archive(copy, name) as inner:  # type: ignore[arg-type]
                    yield from _packed(inner, name, nested=False)


def _reduced(frames: list[object]) -> bytes:
    """A FIT file of the kept messages alone, the serial number replaced by its hash."""
    chunks = [
        _without_serial(frame)
        for frame in frames
        if isinstance(frame, (fitdecode.FitDefinitionMessage, fitdecode.FitDataMessage))
        and frame.global_mesg_num in KEPT
    ]
    body = b"".join(chunks)
    file = struct.pack("<2BHI4s", _HEADER, 0x20, 2000, len(body), b".FIT") + body
    return file + struct.pack("<H", compute_crc(file))


def _without_serial(frame: fitdecode.FitDefinitionMessage | fitdecode.FitDataMessage) -> bytes:
    content = bytes(frame.chunk.bytes)
    if not isinstance(frame, fitdecode.FitDataMessage) or frame.global_mesg_num != FILE_ID:
        return content
    at = 1  # after the header
    for field in frame.def_mesg.field_defs:
        if field.def_num == SERIAL:
            serial = content[at : at + field.size]
            digest = hashlib.sha256(serial).digest()[: field.size].ljust(field.size, b"\x01")
            content = content[:at] + digest + content[at + field.size :]
        at += field.size
    return content
