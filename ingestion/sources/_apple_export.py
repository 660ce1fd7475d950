"""An Apple Health export.xml, distilled: its step and heart-rate records, as the phone wrote them.

The rest never enters the study: an export holds a birth date, names of people's devices, routes
and every other thing the phone knows. What is kept is a table of tab-separated text, one line a
record, in the file's order:

what     export (start is ExportDate), steps or heart_rate
start, end, value, unit     the attributes, verbatim
source   a number for each sourceName, in order of appearance: the name may be a person's
kind     Apple Watch, iPhone or other
by_hand  1 where a person typed it in (HKWasUserEntered)
zone     HKTimeZone of the record, where it has one

The XML is parsed as a stream by expat from its root element on. What stands before the root is
looked at and never parsed: exports of iOS 16 have a document type that is not well-formed
(jameno/Simple-Apple-Health-XML-to-CSV #2), and without it no entity can be declared. A document
with entity declarations or an external subset is refused at once. Control characters, which iOS
writes into some attributes (the same repository, #3), are read as blanks.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.parsers import expat

from ingestion.errors import BadInput

COLUMNS = ("what", "start", "end", "value", "unit", "source", "kind", "by_hand", "zone")
WHAT = {
    "HKQuantityTypeIdentifierStepCount": "steps",
    "HKQuantityTypeIdentifierHeartRate": "heart_rate",
}
WATCH, PHONE, OTHER = KINDS = ("Apple Watch", "iPhone", "other")
CHUNK = 1 << 20
_HEAD = 1 << 20  # the document type of the newest exports has some 12,000 bytes
_MOST_SOURCES = 10_000
_ROOT = re.compile(rb"<HealthData[\s>/]")
_IS_HEALTH = re.compile(rb"<!DOCTYPE\s+HealthData\b|<HealthData[\s>/]")
_ENTITY = re.compile(rb"<!ENTITY|<!DOCTYPE\s+[^\s\[>]+\s+(SYSTEM|PUBLIC)\b")
_ENCODING = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([^\"']+)")
# XML forbids these even where they are written out; tab, line feed and return are left.
_BLANKS = bytes(32 if n < 32 and n not in (9, 10, 13) else n for n in range(256))
_WATCH = re.compile(r"apple watch|model:\s*watch\b|hardware:\s*watch\d")
_PHONE = re.compile(r"iphone|ipod|ipad")


def is_export(head: bytes, label: str) -> bool:
    """Whether a file that begins so is a health export; BadInput where it declares entities."""
    _check_entities(head, label)
    return bool(_IS_HEALTH.search(head))


def distil(
    content: BinaryIO, size: int, label: str, sink: BinaryIO, progress: Callable[[str], object]
) -> None:
    """Write the step and heart-rate records of an export of `size` bytes to `sink`.

    Memory does not grow with the file. `progress` is told each tenth of a large one. Raises
    BadInput, which names the line, where it is not well-formed or is cut short.
    """
    prolog, begun = _prolog(content, label)
    lines = prolog.count(b"\n")
    records = _Records(sink)
    parser = expat.ParserCreate("UTF-8")
    parser.StartElementHandler = records.start
    done, told = len(prolog) + len(begun), 0
    try:
        chunk = begun
        while chunk:
            parser.Parse(chunk.translate(_BLANKS), False)
            tenth = 10 * done // max(size, 1)
            if size > 50 * CHUNK and tenth > told:
                told = tenth
                progress(f"{label}: {min(tenth * 10, 100)} % of {size >> 20:,} MB read")
            chunk = content.read(CHUNK)
            done += len(chunk)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise _malformed(error, lines, label) from None
    records.end()


@dataclass
class _Records:
    """Writes a record as soon as the element after it, or after its metadata, begins."""

    sink: BinaryIO
    pending: list[str] | None = None
    lines: list[str] = field(default_factory=lambda: ["\t".join(COLUMNS)])
    numbers: dict[str, int] = field(default_factory=dict)
    kinds: dict[tuple[str, str], str] = field(default_factory=dict)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "MetadataEntry":
            if self.pending:
                self._annotate(attributes)
            return
        if self.pending:
            self._write()
        if name == "Record":
            what = WHAT.get(attributes.get("type", ""))
            if what:
                self.pending = self._record(what, attributes)
        elif name == "ExportDate":
            self.pending = ["export", attributes.get("value", ""), *[""] * (len(COLUMNS) - 2)]

    def end(self) -> None:
        if self.pending:
            self._write()
        self._flush()

    def _record(self, what: str, attributes: dict[str, str]) -> list[str]:
        name, device = attributes.get("sourceName", ""), attributes.get("device", "")
        device = device.partition(", ")[2]  # without its address, which is another each time
        kind = self.kinds.get((name, device)) or self._kind(name, device)
        given = (attributes.get(one, "") for one in ("startDate", "endDate", "value", "unit"))
        number = self.numbers.setdefault(name, len(self.numbers))
        return [what, *given, str(number), kind, "", ""]

    def _kind(self, name: str, device: str) -> str:
        if len(self.kinds) >= _MOST_SOURCES:
            raise BadInput(f"the export names more than {_MOST_SOURCES:,} sources: refused")
        kind = self.kinds[name, device] = kind_of(name, device)
        return kind

    def _annotate(self, attributes: dict[str, str]) -> None:
        assert self.pending
        key, value = attributes.get("key"), attributes.get("value", "")
        if key == "HKWasUserEntered":
            self.pending[-2] = value
        elif key == "HKTimeZone":
            self.pending[-1] = value

    def _write(self) -> None:
        assert self.pending
        line = "\t".join(self.pending)
        if line.count("\t") != len(COLUMNS) - 1 or "\n" in line or "\r" in line:
            line = "\t".join(" ".join(cell.split()) for cell in self.pending)
        self.lines.append(line)
        self.pending = None
        if len(self.lines) >= 10_000:
            self._flush()

    def _flush(self) -> None:
        self.sink.write("".join(f"{line}\n" for line in self.lines).encode())
        self.lines.clear()


def kind_of(name: str, device: str) -> str:
    """The kind of device that a sourceName and a device attribute speak of.

    >>> kind_of("Annas Apple\\xa0Watch", ""), kind_of("Health", "name:iPhone, model:iPhone")
    ('Apple Watch', 'iPhone')
    """
    for text in (device, name):
        plain = text.replace("\xa0", " ").casefold()
        if _WATCH.search(plain):
            return WATCH
        if _PHONE.search(plain):
            return PHONE
    return OTHER


def _prolog(content: BinaryIO, label: str) -> tuple[bytes, bytes]:
    """What stands before the root element, and what was read of the rest."""
    head = b""
    while not (found := _ROOT.search(head)):
        more = content.read(CHUNK)
        _check_entities(head + more, label)
        if not more or len(head) > _HEAD:
            raise BadInput(f"{label}: not an Apple Health export: it has no element HealthData")
        head += more
    prolog = head[: found.start()]
    _check_entities(prolog, label)
    encoding = _ENCODING.search(prolog)
    if encoding and encoding[1].lower() not in (b"utf-8", b"us-ascii"):
        raise BadInput(f"{label}: its text is not UTF-8, as Apple writes it; export it again")
    return prolog, head[found.start() :]


def _check_entities(head: bytes, label: str) -> None:
    if _ENTITY.search(head):
        raise BadInput(
            f"{label}: it declares XML entities or an external document type, which no export of "
            f"Apple Health does: refused"
        )


def _malformed(error: expat.ExpatError, lines_before: int, label: str) -> BadInput:
    cut = expat.errors.codes
    codes = (cut[expat.errors.XML_ERROR_NO_ELEMENTS], cut[expat.errors.XML_ERROR_UNCLOSED_TOKEN])
    why = "it is cut short" if error.code in codes else expat.ErrorString(error.code)
    return BadInput(
        f"{label}: line {lines_before + error.lineno} is not well-formed XML ({why}); "
        f"export it from the phone again"
    )
