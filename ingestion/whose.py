"""Whose export is it? One person's own export says no participant: we must be told.

Either `--participant` says whose the whole path is, or the path is a folder with one entry (file
or subfolder) or more per participant, each named by an id: `P-014.zip`, `P-014/`,
`P-014-takeout-001.zip`. The id is a participant's on the roster; with `--ids`, one of that
mapping. Nobody is ever made up of a file's name, which may be a person's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ingestion.errors import BadInput
from ingestion.source import Ask

_SUFFIX = re.compile(r"\.(zip|gz|tgz|tar|xml|json|csv|fit)$", re.IGNORECASE)
_PASSED_OVER = ("__MACOSX", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class Export:
    """All that was given of one participant: files and folders, by name."""

    participant_id: str
    paths: tuple[Path, ...]


def exports_in(path: Path, ask: Ask) -> list[Export]:
    """Whose exports lie at `path`, by participant; BadInput where an entry is nobody's.

    Uses ask.participant_id, else ask.ids, else ask.participants (the roster).
    """
    if not path.exists():
        raise BadInput(f"{path}: there is no such file or folder")
    if ask.participant_id is not None:
        return [Export(ask.participant_id, (path,))]
    if ask.ids is None and not path.is_dir():
        raise BadInput(
            f"{path.name}: whose export is it? Say so with --participant, or give a folder of "
            f"exports named by participant, e.g. P-014.zip"
        )
    known = dict(ask.ids) if ask.ids is not None else {one: one for one in ask.participants}
    entries = sorted(path.iterdir()) if path.is_dir() else [path]
    return _grouped([one for one in entries if not _is_litter(one)], known, path)


def _grouped(entries: list[Path], known: Mapping[str, str], path: Path) -> list[Export]:
    found: dict[str, list[Path]] = {}
    strangers = []
    for entry in entries:
        participant = _participant_of(entry.name, known)
        if participant is None:
            strangers.append(entry.name)
        else:
            found.setdefault(participant, []).append(entry)
    if strangers or not found:
        raise BadInput(
            f"{path}: {len(strangers)} of {len(entries)} entries are nobody's"
            f"{f' ({strangers[0]})' if strangers else ''}; name each by a participant on the "
            f"roster or an id of --ids, or say whose the export is with --participant"
        )
    return [Export(participant, tuple(paths)) for participant, paths in sorted(found.items())]


def _participant_of(name: str, known: Mapping[str, str]) -> str | None:
    """The participant whose id the name is, or begins with; the longest id that fits.

    >>> _participant_of("p-01-2-takeout.zip", {"P-01": "P-01", "P-01-2": "P-01-2"})
    'P-01-2'
    >>> _participant_of("P-014.zip", {"P-01": "P-01"}) is None
    True
    """
    stem = name
    while _SUFFIX.search(stem):
        stem = _SUFFIX.sub("", stem)
    stem = stem.casefold()
    fits = [
        one
        for one in known
        if stem == one.casefold() or re.match(rf"{re.escape(one.casefold())}[-_. (]", stem)
    ]
    return known[max(fits, key=len)] if fits else None


def _is_litter(entry: Path) -> bool:
    """Files that systems leave in folders."""
    return entry.name.startswith(".") or entry.name in _PASSED_OVER
