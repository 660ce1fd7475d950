"""Taking one participant out of the raw replies that are kept.

Replies of their own go. From a reply that tells of many people their rows are taken out, and the
rest stays under the hash it came with. Where a file of many people does not say by our pseudonyms
whose each row is (Fitabase, FHIR), the whole file goes: what was read from it stays landed, and the
file can be imported again without them.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

import msgspec

from ingestion.delimited import normal
from ingestion.errors import NOT_JSON
from ingestion.landing import BROKEN, Kept, whose
from ingestion.sources._redcap_mapping import read_mapping
from warehouse.lake import Lake
from warehouse.study import Study

Redact = Callable[[Kept, str], Kept | None]
EVERYBODY = "all"
_DECODER = msgspec.msgpack.Decoder(list[Kept])


def count_own(lake: Lake, source: str, participant_id: str) -> int:
    """How many bundles of raw replies are the participant's own."""
    paths = (file.path for file in lake.files(f"raw/source={source}"))
    return sum(whose(path) == participant_id for path in paths)


def erase_raw(
    lake: Lake, study: Study, source: str, participant_id: str, imported_at: Collection[datetime]
) -> int:
    """Erase a participant from the raw replies of a source; how many bundles of many people held
    them. `imported_at` are the instants of imports that had rows of theirs."""
    _erase_own(lake, source, participant_id)
    redact = _redactor(study, source, imported_at)
    shared = 0
    for path, content in lake.raw(source, lambda path: whose(path) == EVERYBODY):
        kept = _DECODER.decode(content)
        if path.removesuffix(".zst").endswith(BROKEN):  # it is never read: nothing to cut out
            left = [one for one in kept if not _names(one, participant_id)]
        else:
            left = [one for item in kept if (one := redact(item, participant_id))]
        if left != kept:
            _put(lake, path, left)
            shared += 1
    return shared


def records_in(body: bytes, record_id: str) -> set[str]:
    """The records that a JSON reply of REDCap tells of; none where it is no list of rows."""
    try:
        rows = msgspec.json.decode(body, type=list[dict[str, object]])
    except NOT_JSON:
        return set()
    return {record for row in rows for record in _records_of(row, record_id)}


def without_records(body: bytes, gone: Collection[str], record_id: str) -> bytes:
    """A JSON reply of REDCap without the rows of some records; as it was where it has none."""
    if not records_in(body, record_id) & set(gone):
        return body
    rows = msgspec.json.decode(body, type=list[dict[str, object]])
    return msgspec.json.encode([r for r in rows if not _records_of(r, record_id) & set(gone)])


def _redactor(study: Study, source: str, imported_at: Collection[datetime]) -> Redact:
    """How a source's replies of many people lose one of them."""
    if source == "table_export":
        return lambda item, who: _without_lines(item, who, ("participantid",))
    if source in ("redcap", "redcap_export"):
        record_id = read_mapping(study).record_id if "redcap" in study.sources else "record_id"
        columns = (normal(record_id), "record")
        return lambda item, who: (
            _without_lines(item, who, columns)
            if "csv" in item.content_type
            else _without_record(item, who, record_id)
        )
    return lambda item, who: None if item.fetched_at in imported_at else item


def _without_record(item: Kept, participant_id: str, record_id: str) -> Kept:
    """A reply without one record: its rows, and its name among those asked for."""
    body = without_records(item.body, {participant_id}, record_id)
    return _changed(item, body, _request_without(item.request, participant_id))


def _without_lines(item: Kept, participant_id: str, columns: Collection[str]) -> Kept:
    """A kept CSV with the participant's lines left empty, so that the others keep their numbers."""
    rows = list(csv.reader(io.StringIO(item.body.decode(), newline="")))
    header = next((row for row in rows if any(row)), [])
    at = [n for n, name in enumerate(header) if normal(name) in columns]
    left = [
        [] if any(row[n].strip() == participant_id for n in at if n < len(row)) else row
        for row in rows
    ]
    if left == rows:
        return item
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(left)
    return _changed(item, out.getvalue().encode(), item.request)


def _changed(item: Kept, body: bytes, request: str) -> Kept:
    if (body, request) == (item.body, item.request):
        return item
    sha256 = hashlib.sha256(body).hexdigest()
    came_as = item.came_as or item.sha256
    return msgspec.structs.replace(item, body=body, request=request, sha256=sha256, came_as=came_as)


def _records_of(row: Mapping[str, object], record_id: str) -> set[str]:
    return {str(row[name]).strip() for name in (record_id, "record") if name in row}


def _request_without(request: str, participant_id: str) -> str:
    method, _, form = request.partition(" ")
    told = parse_qsl(form, keep_blank_values=True)
    left = [
        pair for pair in told if not (pair[0].startswith("records[") and pair[1] == participant_id)
    ]
    return request if left == told else f"{method} {urlencode(left)}"


def _names(item: Kept, participant_id: str) -> bool:
    return participant_id.encode() in item.body or participant_id in item.request


def _erase_own(lake: Lake, source: str, participant_id: str) -> None:
    """Their own bundles, each after the large files that it alone tells of."""
    bundles = {
        path: _DECODER.decode(content)
        for path, content in lake.raw(source, lambda path: whose(path) == participant_id)
    }
    large = {item.file for kept in bundles.values() for item in kept if item.file}
    if large:
        others = lake.raw(source, lambda path: path not in bundles)
        large -= {item.file for _, content in others for item in _DECODER.decode(content)}
    for path in [*filter(None, large), *bundles]:
        with suppress(FileNotFoundError):  # an erasure that was killed had got further
            lake.delete(path)


def _put(lake: Lake, path: str, kept: list[Kept]) -> None:
    if not kept:
        lake.delete(path)
        return
    name = path.rpartition("/")[2].removesuffix(".zst")
    body = msgspec.msgpack.encode(kept)
    lake.keep_raw(kept[0].source, kept[0].fetched_at, name, body, anew=True)
