"""The files of a Takeout: where they lie, which are read, and their data points as arrays.

An export is a folder or a zip, or several zips that Google split it into
(`takeout-20260326T081400Z-001.zip`, `-002.zip`): all of them are one export. Files are known by
their name, at any depth: `steps-…json`, `heart_rate-…json` (old) and `steps_…csv`,
`heart_rate_…csv` (new). The date in a name is where its period begins, and is not used.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from ingestion.archives import open_archive
from ingestion.errors import BadInput

LARGE = 1 << 20  # bytes; a larger file stays on disk
_DATED = r"\d{4}-\d{2}-\d{2}.*\."
KINDS = {  # what a file's name looks like -> data type, and whether it is the new CSV
    re.compile(rf"steps-{_DATED}json", re.I): ("minute_steps", False),
    re.compile(rf"steps_{_DATED}csv", re.I): ("minute_steps", True),
    re.compile(rf"heart_rate-{_DATED}json", re.I): ("heart_rate", False),
    re.compile(rf"heart_rate_{_DATED}csv", re.I): ("heart_rate", True),
}
NEEDED = (
    "needed are steps-YYYY-MM-DD.json or steps_YYYY-MM-DD.csv; heart_rate files are read where "
    "present"
)
_PART = re.compile(r"(?P<stem>.*)[-_ ](?P<number>\d{3})")
_TARRED = (".tgz", ".tar.gz", ".tar")
_MOST_NAMED = 12


@dataclass(frozen=True)
class Found:
    """A file of an export: its own name, how large it is, and how to open it."""

    name: str
    size: int
    open: Callable[[], BinaryIO]
    path: Path | None = None  # where it lies by itself on disk


def kind_of(name: str) -> tuple[str, bool] | None:
    """The data type of a file and whether it is CSV, by its own name; None: it is not read."""
    return next((kind for named, kind in KINDS.items() if named.fullmatch(name)), None)


def period_of(name: str) -> int:
    """Where a file's period begins by its name, in seconds UTC; far back for no date."""
    stated = re.search(r"\d{4}-\d{2}-\d{2}", name)
    try:
        begins = datetime.fromisoformat(f"{stated[0] if stated else ''}T00:00:00Z")
    except ValueError:
        return 0
    return int(begins.timestamp())


def exports_of(participant: str, paths: Sequence[Path], opened: ExitStack) -> list[list[Found]]:
    """Every export at the paths given of one participant, each with its files.

    Archives stay open until `opened` closes. Raises BadInput for a part that is missing.
    """
    exports: dict[str, list[Found]] = {}
    zips: dict[str, set[Path]] = {}
    for base in paths:
        for file in _files_at(base, participant):
            if file.name.lower().endswith(_TARRED):
                raise BadInput(
                    f"{participant}: {file.name}: tar files are not read; unpack it, or export as "
                    "zip"
                )
            if file.suffix.lower() == ".zip":
                place = _export_of(file.with_suffix(""), participant)
                zips.setdefault(place, set()).add(file)
            else:
                place = _export_of(_root(file, base), participant)
                exports.setdefault(place, []).append(_loose(file))
    for place, parts in zips.items():
        _check_parts(sorted(parts), participant)
        exports.setdefault(place, []).extend(
            found for part in sorted(parts) for found in _members(part, participant, opened)
        )
    return [sorted(exports[place], key=lambda one: one.name) for place in sorted(exports)]


def not_read(names: Sequence[str]) -> bytes:
    """What was passed over, as JSON: kinds of files and how many of each.

    Dates and numbers in names stand as #, so that a year of files is one line.
    """
    kinds = Counter(re.sub(r"\d+", "#", re.sub(r"\d[\d\-_T.Z() ]*\d", "#", name)) for name in names)
    return json.dumps(dict(sorted(kinds.items()))).encode()


def listed(body: bytes) -> str:
    """The sentence for what `not_read` wrote."""
    kinds: dict[str, int] = json.loads(body)
    named = [f"{name} ({count})" for name, count in list(kinds.items())[:_MOST_NAMED]]
    more = len(kinds) - len(named)
    return ", ".join(named) + (f" and {more} other kinds" if more > 0 else "")


def _files_at(path: Path, participant: str) -> Iterator[Path]:
    if path.is_dir():
        yield from (one for one in sorted(path.rglob("*")) if one.is_file())
        return
    yield path
    if "takeout" in path.stem.casefold() and _part_of(path.stem, participant):
        # One part stands for all that lie beside it. A name of one's own might be another's.
        place = _export_of(path.with_suffix(""), participant)
        beside = (one for one in sorted(path.parent.iterdir()) if one.suffix == path.suffix)
        for one in beside:
            same = _export_of(one.with_suffix(""), participant) == place
            if one != path and same and _part_of(one.stem, participant):
                yield one


def _root(file: Path, base: Path) -> Path:
    """The folder that an export was unpacked into: above Takeout, or the vendor's own folder."""
    within = file.relative_to(base).parts[:-1]
    for depth, name in enumerate(within):
        if name.casefold() in ("takeout", "fitbit", "google health"):
            return base.joinpath(*within[:depth])
    return base


def _part_of(stem: str, participant: str) -> re.Match[str] | None:
    """The part that a name without its suffix says it is; a participant's id is no number of it."""
    if stem.casefold().startswith(participant.casefold()):
        stem = stem[len(participant) :]
    return _PART.fullmatch(stem)


def _export_of(path: Path, participant: str) -> str:
    """One name for all parts of an export."""
    part = _part_of(path.name, participant)
    return str(path.parent / (part["stem"] if part else path.name))


def _check_parts(parts: Sequence[Path], participant: str) -> None:
    found = (_part_of(one.stem, participant) for one in parts)
    numbers = {int(part["number"]) for part in found if part}
    missing = set(range(1, max(numbers, default=0) + 1)) - numbers
    if missing and (1 in numbers or "takeout" in parts[0].name.casefold()):
        raise BadInput(
            f"{participant}: {parts[0].name}: part {min(missing):03} of this export is not beside "
            f"it; put all its parts in one folder"
        )


def _loose(file: Path) -> Found:
    return Found(file.name, file.stat().st_size, lambda: file.open("rb"), file)


def _members(file: Path, participant: str, opened: ExitStack) -> Iterator[Found]:
    archive = opened.enter_context(open_archive(file, f"{participant}: {file.name}"))
    for member in archive.members:
        name = PurePosixPath(member.name).name
        yield Found(name, member.size, lambda one=member.name: archive.open(one))  # type: ignore[misc]
