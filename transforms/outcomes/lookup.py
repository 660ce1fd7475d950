"""Tables that the study supplies (EQ-5D value sets, PROMIS T), held against their instrument."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from transforms.instruments import Instrument, Scale, UserTable
from transforms.scoring import Numbers
from warehouse.instrument_tables import InstrumentTable
from warehouse.study import Study, StudyError


@dataclass(frozen=True)
class UserRows:
    """A checked table: keys in order, a value for each, and the start of the file's hash."""

    keys: Numbers
    values: Numbers
    digest: str


def read_user_tables(study: Study, instruments: Iterable[Instrument]) -> dict[str, UserRows]:
    """The study's tables by instrument; StudyError names the file's line and what is allowed."""
    known = {
        instrument.code: scale
        for instrument in instruments
        for scale in instrument.scales
        if scale.table is not None
    }
    return {
        code: _checked(table, known[code])
        for code, table in study.instrument_tables.items()
        if code in known
    }


def assert_known_instruments(study: Study, instruments: Iterable[Instrument]) -> None:
    """Raise StudyError when study.toml codes, or gives a table for, an instrument without one."""
    listed = list(instruments)
    codes = {one.code for one in listed}
    with_table = {one.code for one in listed if any(scale.table for scale in one.scales)}
    for part, named, known in (
        ("instruments", study.instruments, codes),
        ("instrument_tables", study.instrument_tables, with_table),
    ):
        for code in named:
            if code not in known:
                raise StudyError(
                    f"study.toml: {part}: unknown instrument {code!r}; "
                    f"known: {', '.join(sorted(known))}"
                )


def _checked(table: InstrumentTable, scale: Scale) -> UserRows:
    wanted = scale.table
    assert wanted is not None
    if table.columns != wanted.columns:
        raise StudyError(
            f"{table.file}:1: its columns are {', '.join(table.columns)}; "
            f"they must be {', '.join(wanted.columns)}"
        )
    allowed = set(wanted.keys)
    for line, key, value in table.rows:
        if key not in allowed:
            raise StudyError(f"{table.file}:{line}: {wanted.columns[0]} {key}: {_range(wanted)}")
        if not scale.low <= value <= scale.high:
            raise StudyError(
                f"{table.file}:{line}: {wanted.columns[1]} {value:g} is not between "
                f"{scale.low:g} and {scale.high:g}"
            )
    found = {key: value for _, key, value in table.rows}
    if absent := [key for key in wanted.keys if key not in found]:
        raise StudyError(
            f"{table.file}: {len(absent)} of {len(allowed)} rows are missing, the first is "
            f"{wanted.columns[0]} {absent[0]}"
        )
    keys = np.array(sorted(found), dtype=np.float64)
    return UserRows(keys, np.array([found[key] for key in sorted(found)]), table.sha256[:12])


def _range(wanted: UserTable) -> str:
    return f"there are {len(wanted.keys)} from {min(wanted.keys)} to {max(wanted.keys)}"
