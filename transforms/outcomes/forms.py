"""Filled-in forms as numbers: the source chosen, every answer checked, a column per item."""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from transforms.instruments import Instrument
from transforms.outcomes.given import given
from transforms.scoring import Flags, Forms, Words
from warehouse.study import Study

FIRST_SOURCE = "redcap"  # where two sources have a visit's form, this one; else the first by name


@dataclass(frozen=True)
class Filled:
    """The forms of an instrument, all in the same order.

    `keys` has participant_id, visit, instrument, repeat, answered_on, form_answered (answers in
    all) and foreign (blank, or the item that is not of the instrument); `answered` is forms x
    items, also true of a faulty answer; `faults` says of such a one, by form and item, what is
    wrong.
    """

    keys: pa.Table
    forms: Forms
    answered: Flags
    faults: dict[tuple[int, int], str]

    def rejected(self, place: list[int]) -> Words:
        """Of each form why a scale that rests on the items at `place` is rejected; else empty.

        An item that is not of the instrument rejects every scale: it may be another's form.
        """
        foreign = self.keys["foreign"].to_numpy(zero_copy_only=False).astype(object)
        why = np.where(
            foreign == "", "", "rejected: item " + foreign + " is not of this instrument"
        )
        for (form, item), fault in sorted(self.faults.items(), reverse=True):
            if item in place and not foreign[form]:
                why[form] = f"rejected: item {self.forms.items[item]} {fault}"
        return why


def check_answers(
    con: duckdb.DuckDBPyConnection, instruments: list[Instrument], study: Study
) -> None:
    """Make `checked_answer` and `scored_form`, temporary tables that `drop_answers` drops."""
    with given(con, instrument_item=_items(instruments, study)):
        con.execute(CHECKED, {"first_source": FIRST_SOURCE})
    con.execute(FORMS)


def drop_answers(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("DROP TABLE scored_form; DROP TABLE checked_answer")


def read_forms(con: duckdb.DuckDBPyConnection, instrument: Instrument) -> Filled:
    """The checked forms of an instrument; a faulty answer is NaN among the numbers, as a blank."""
    chosen = {"instrument": instrument.code}
    keys = con.sql(KEYS, params=chosen).to_arrow_table()
    values = np.full((keys.num_rows, len(instrument.items)), np.nan)
    answered = np.zeros(values.shape, dtype=bool)
    faults: dict[tuple[int, int], str] = {}
    if keys.num_rows:
        cells = con.sql(CELLS, params=chosen).fetchnumpy()
        place = (cells["place"], cells["position"])
        values[place] = np.ma.filled(cells["number"], np.nan)
        answered[place] = True
        faulty = np.flatnonzero(~np.ma.getmaskarray(cells["fault"]))
        faults = {(int(place[0][n]), int(place[1][n])): str(cells["fault"][n]) for n in faulty}
    answers = [instrument.answer(item) for item in instrument.items]
    low = np.array([one.low for one in answers], dtype=np.float64)
    high = np.array([one.high for one in answers], dtype=np.float64)
    return Filled(keys, Forms(instrument.items, values, low, high), answered, faults)


CHECKED = r"""
CREATE TEMP TABLE checked_answer AS
WITH answer AS (
    SELECT participant_id, source, visit, instrument, repeat, item, answered_on,
        nullif(trim(value), '') AS given
    FROM response
),
chosen_source AS (
    SELECT participant_id, visit, instrument,
        arg_min(source, (given_count = 0, source <> $first_source, source)) AS source
    FROM (
        SELECT participant_id, visit, instrument, source, count(given) AS given_count
        FROM answer GROUP BY ALL
    )
    GROUP BY participant_id, visit, instrument
),
marked AS (
    SELECT answer.*, i.* EXCLUDE (instrument, item), i.item IS NULL AS foreign_item,
        CASE WHEN i.takes_higher AND regexp_matches(given, '[;,|\s]')
            THEN regexp_split_to_array(given, '[;,|\s]+') END AS marks
    FROM answer
    JOIN chosen_source USING (participant_id, source, visit, instrument)
    LEFT JOIN instrument_item AS i USING (instrument, item)
),
numbered AS (
    SELECT *,
        CASE
            WHEN duration AND regexp_full_match(given, '\d{1,2}:[0-5]\d')
                THEN 60 * CAST(split_part(given, ':', 1) AS DOUBLE)
                    + CAST(split_part(given, ':', 2) AS DOUBLE)
            WHEN marks IS NULL THEN TRY_CAST(given AS DOUBLE) - shift
            WHEN len(marks) = len(list_filter(marks, lambda m: TRY_CAST(m AS DOUBLE) IS NOT NULL))
                THEN list_max(list_transform(marks, lambda m: TRY_CAST(m AS DOUBLE))) - shift
        END AS number,
        list_min(list_transform(marks, lambda m: TRY_CAST(m AS DOUBLE))) - shift AS other_mark
    FROM marked
)
SELECT participant_id, visit, instrument, repeat, item, position, answered_on, given, number,
    foreign_item AND given IS NOT NULL AS is_foreign,
    CASE
        WHEN given IS NULL THEN NULL
        WHEN foreign_item THEN NULL
        WHEN number IS NULL THEN 'is not a number'
        WHEN NOT number BETWEEN low AND high OR other_mark < low THEN 'is out of range'
        WHEN number <> round(number, CAST(decimals AS INTEGER))
            OR other_mark <> round(other_mark, CAST(decimals AS INTEGER))
            THEN 'has too many decimals'
        WHEN len(allowed) > 0 AND NOT list_contains(allowed, number)
            THEN 'is not one of its answers'
    END AS fault
FROM numbered
"""

FORMS = """
CREATE TEMP TABLE scored_form AS
SELECT participant_id, visit, instrument, repeat,
    max(answered_on) AS answered_on,
    count(given) AS form_answered,
    min(item) FILTER (WHERE is_foreign) AS foreign_item
FROM checked_answer
GROUP BY participant_id, visit, instrument, repeat
"""

KEYS = """
SELECT participant_id, visit, instrument, repeat, answered_on, form_answered,
    coalesce(foreign_item, '') AS foreign
FROM scored_form WHERE instrument = $instrument
ORDER BY participant_id, visit, repeat
"""

CELLS = """
WITH form AS (
    SELECT participant_id, visit, repeat,
        row_number() OVER (ORDER BY participant_id, visit, repeat) - 1 AS place
    FROM scored_form WHERE instrument = $instrument
)
SELECT place, CAST(position AS BIGINT) AS position,
    CASE WHEN fault IS NULL THEN number END AS number, fault
FROM checked_answer
JOIN form USING (participant_id, visit, repeat)
WHERE instrument = $instrument AND given IS NOT NULL AND position IS NOT NULL
"""


def _items(instruments: list[Instrument], study: Study) -> pa.Table:
    return pa.Table.from_pylist(list(_item_rows(instruments, study)), schema=ITEMS)


def _item_rows(instruments: list[Instrument], study: Study) -> Iterator[dict[str, object]]:
    for instrument in instruments:
        coding = study.instruments.get(instrument.code)
        for position, item in enumerate(instrument.items):
            answer = instrument.answer(item)
            usual = item in answer.items and answer.items == instrument.items
            yield {
                "instrument": instrument.code,
                "item": item,
                "position": position,
                "low": float(answer.low),
                "high": float(answer.high),
                "decimals": answer.decimals,
                "allowed": list(answer.allowed),
                "duration": answer.duration,
                "takes_higher": instrument.marked_twice == "higher",
                "shift": float(coding.coded_from - answer.low) if coding and usual else 0.0,
            }


ITEMS = pa.schema(
    {
        "instrument": pa.string(),
        "item": pa.string(),
        "position": pa.int32(),
        "low": pa.float64(),
        "high": pa.float64(),
        "decimals": pa.int32(),
        "allowed": pa.list_(pa.float64()),
        "duration": pa.bool_(),
        "takes_higher": pa.bool_(),
        "shift": pa.float64(),
    }
)
