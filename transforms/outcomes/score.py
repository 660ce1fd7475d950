"""Answers to scores, by the rules each instrument's record states."""

from collections.abc import Iterable, Mapping

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.instruments import Instrument, Scale, read_instruments
from transforms.outcomes.forms import FIRST_SOURCE as FIRST_SOURCE
from transforms.outcomes.forms import Filled, check_answers, drop_answers, read_forms
from transforms.outcomes.given import given
from transforms.outcomes.lookup import UserRows, assert_known_instruments, read_user_tables
from transforms.scoring import Numbers, Words
from warehouse.study import Study
from warehouse.tables import derived

WHY = r"^(?P<code>[^:]+): (?P<detail>.*)$"  # of Scored.why; no match where it is empty
KEY_COLUMNS = ("participant_id", "visit", "instrument", "repeat", "answered_on")


def derive_score(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill `score` from `response`: a row per participant, visit, scale and repeat.

    Answers to an instrument that has no record stay in `response` and get no score. StudyError
    when study.toml codes an unknown instrument or gives a table that does not fit.
    """
    instruments = read_instruments().values()
    assert_known_instruments(study, instruments)
    score_responses(con, instruments, study)


def score_responses(
    con: duckdb.DuckDBPyConnection, instruments: Iterable[Instrument], study: Study
) -> None:
    """Score the answers to these instruments into `score`.

    An answer that is none of its item's rejects each scale that rests on the item, with the reason,
    and no other: item 9 of the PHQ-9 is not in the PHQ-8. An item that is not the instrument's
    rejects them all. Nothing is coerced. Blank items are filled in within the scale's limit, the
    score is unrounded unless the record says otherwise. Where several sources hold a visit's form
    one is taken, a source with any answer before one with none, and never mixed with another.
    `answered_on` is the day of the last answer.
    """
    listed = list(instruments)
    tables = read_user_tables(study, listed)
    check_answers(con, listed, study)
    for instrument in listed:
        filled = read_forms(con, instrument)
        for scale in instrument.scales if filled.keys.num_rows else ():
            with given(con, scored=_score(instrument, scale, filled, tables)):
                con.execute("INSERT INTO score BY NAME FROM scored")
    drop_answers(con)


def _score(
    instrument: Instrument, scale: Scale, filled: Filled, tables: Mapping[str, UserRows]
) -> pa.Table:
    """The scale's rows of `score`, one per form."""
    found = scale.scoring(filled.forms, scale)
    score = np.ceil(found.score) if scale.rounding == "up" else found.score
    version, why = instrument.scoring_version, found.why
    if scale.table is not None:
        score, why, version = _looked_up(score, why, version, tables.get(instrument.code))
    place = [instrument.items.index(item) for item in scale.items]
    answered = filled.answered[:, place].sum(axis=1)
    why = _reasons(instrument, scale, filled, answered, why)
    scored = why == ""
    told = pc.extract_regex(pa.array(why, type=pa.string()), WHY)
    band = _band(scale, score) if found.band is None else found.band
    rows = {
        **{name: filled.keys[name] for name in KEY_COLUMNS},
        "scale": [scale.code] * len(score),
        "score": pa.array(score, mask=~scored),
        "band": pa.array(band, mask=~scored | (band == ""), type=pa.string()),
        "items_answered": pa.array(answered, type=pa.int32()),
        "prorated": found.prorated & scored,
        "not_scored": pc.struct_field(told, "code"),
        "not_scored_detail": pc.struct_field(told, "detail"),
        "scoring_version": [version] * len(score),
    }
    return pa.table(rows).select(derived.score.names)


def _looked_up(
    key: Numbers, why: Words, version: str, rows: UserRows | None
) -> tuple[Numbers, Words, str]:
    """What the study's table has for each key; without a table nothing is scored."""
    if rows is None:
        return key, np.where(why == "", "no table: none in study.toml", why), version
    place = np.searchsorted(rows.keys, np.where(np.isnan(key), rows.keys[0], key))
    return rows.values[place], why, f"{version}+{rows.digest}"


def _reasons(
    instrument: Instrument, scale: Scale, filled: Filled, answered: Numbers, why: Words
) -> Words:
    """Why a form has no score: rejected first, then what does not concern the participant."""
    if scale.blank_is_not_applicable:
        skipped = (answered == 0) & (filled.keys["form_answered"].to_numpy() > 0)
        why = np.where(skipped, "not applicable: left blank", why)
    needed = (*scale.items, *scale.needs_besides)
    rejected = filled.rejected([instrument.items.index(item) for item in needed])
    return np.where(rejected == "", why, rejected)


def _band(scale: Scale, score: Numbers) -> Words:
    """The band of each score; half is rounded up where bands are of the rounded score."""
    judged = np.floor(score + 0.5) if scale.bands_on == "rounded" else score
    found = np.full(len(score), "", dtype=object)
    for band in reversed(scale.bands):
        found[judged < band.edge if band.below is not None else judged <= band.edge] = band.label
    return found
