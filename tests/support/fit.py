"""FIT files typed by hand: messages of raw values, with definitions, header and checksum."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime

from fitdecode.utils import compute_crc

FIT_EPOCH = 631_065_600
MONITORING_B, ACTIVITY, WEIGHT = 32, 4, 9
WALKING, RUNNING, CYCLING, SEDENTARY = 6, 1, 2, 8
# Field -> number in its message, base type, struct code; the FIT profile of the messages read.
FIELDS: Mapping[int, Mapping[str, tuple[int, int, str]]] = {
    0: {"type": (0, 0x00, "B"), "manufacturer": (1, 0x84, "H"), "product": (2, 0x84, "H"),
        "serial_number": (3, 0x8C, "I"), "time_created": (4, 0x86, "I")},
    3: {"weight": (4, 0x84, "H")},
    55: {"timestamp": (253, 0x86, "I"), "cycles": (3, 0x86, "I"), "cycles_16": (9, 0x84, "H"),
         "activity_type": (5, 0x00, "B"), "active_time": (4, 0x86, "I"), "packed": (24, 0x0D, "B"),
         "timestamp_16": (26, 0x84, "H"), "heart_rate": (27, 0x02, "B"),
         "duration_min": (29, 0x84, "H")},
    103: {"timestamp": (253, 0x86, "I"), "local_timestamp": (0, 0x86, "I")},
}  # fmt: skip


def fit_time(at: datetime) -> int:
    """An instant in seconds as FIT counts them; a naive one is taken as it stands."""
    return int(at.replace(tzinfo=at.tzinfo or UTC).timestamp()) - FIT_EPOCH


def file_id(kind: int = MONITORING_B, serial: int = 4711, product: int = 1837) -> bytes:
    return message(0, type=kind, manufacturer=1, product=product, serial_number=serial)


def info(at: datetime, hours: float) -> bytes:
    """monitoring_info: the instant, and the local clock so many hours ahead of UTC."""
    local = fit_time(at) + int(hours * 3600)
    return message(103, timestamp=fit_time(at), local_timestamp=local)


def steps(at: datetime, count: int, kind: int = WALKING) -> bytes:
    """A counter's word with its whole time."""
    return message(55, timestamp=fit_time(at), cycles=count, activity_type=kind)


def stretch(at: datetime, kind: int, count: int | None = None) -> bytes:
    """Field 24 and 16-bit time: so long since the message before lasted the activity."""
    low = {"timestamp_16": fit_time(at) % 65_536, "packed": kind}
    return message(55, **low) if count is None else message(55, cycles=count, **low)


def beat(at: datetime, rate: int) -> bytes:
    return message(55, timestamp_16=fit_time(at) % 65_536, heart_rate=rate)


def summary(at: datetime, count: int, kind: int = WALKING, minutes: int = 1440) -> bytes:
    """The sum of a day, stamped at the midnight that ends it."""
    return message(
        55, timestamp=fit_time(at), cycles=count, duration_min=minutes, activity_type=kind
    )


def message(number: int, **values: int) -> bytes:
    """A definition and its data."""
    fields = [FIELDS[number][name] for name in values]
    defined = struct.pack("<BBBHB", 0x40, 0, 0, number, len(fields))
    defined += b"".join(bytes((n, struct.calcsize(code), base)) for n, base, code in fields)
    layout = "<B" + "".join(code for _, _, code in fields)
    return defined + struct.pack(layout, 0, *values.values())


def fit(*messages: bytes) -> bytes:
    """A whole file."""
    body = b"".join(messages)
    head = struct.pack("<2BHI4s", 14, 0x20, 2000, len(body), b".FIT")
    content = head + struct.pack("<H", compute_crc(head)) + body
    return content + struct.pack("<H", compute_crc(content))


def packed(**members: bytes) -> bytes:
    """A zip of members; `__` in a name is its dot, and `___` a slash."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, body in members.items():
            archive.writestr(name.replace("___", "/").replace("__", "."), body)
    return content.getvalue()
