"""The roster's newest word is one of each column, whatever the order in which sources come."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.landing import land_roster
from ingestion.roster_words import sources_of
from warehouse import register as reg

AT = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
FULL = {"site": "haifa", "enrolled_on": date(2026, 1, 12), "starts_on": date(2026, 1, 20)}


def told(days: int, **columns: Any) -> dict[str, Any]:
    return {"participant_id": "P1", "fetched_at": AT + days * DAY, **columns}


def landed(store) -> dict[str, Any]:
    [row] = store.register.rows(sa.select(reg.participant))
    return row


def test_each_source_keeps_its_columns_whichever_comes_last(store):
    land_roster(store, [told(5, **FULL, sex="female")], "redcap")
    land_roster(store, [told(3, paused_from=date(2026, 2, 2), sex="male")], "study_team")
    row = landed(store)
    assert (row["paused_from"], row["sex"]) == (date(2026, 2, 2), "female")
    assert row["fetched_at"] == AT + 5 * DAY
    assert sources_of(store.register, "P1") == dict.fromkeys(
        ("site", "enrolled_on", "starts_on", "sex"), "redcap"
    ) | {"paused_from": "study_team"}


def test_a_register_from_before_words_takes_its_row_for_one_word(store):
    land_roster(store, [told(5, **FULL, sex="female")], "redcap")
    with store.register.begin() as con:
        con.execute(sa.delete(reg.roster_word))
    land_roster(store, [told(4, sex="male", age_years=40)], "study_team")
    assert (landed(store)["sex"], landed(store)["age_years"]) == ("female", None)
    land_roster(store, [told(6, sex="male")], "redcap")
    assert landed(store)["sex"] == "male"


COLUMNS = {
    "sex": st.sampled_from(["female", "male", None]),
    "age_years": st.integers(18, 90),
    "withdrawn_on": st.sampled_from([None, date(2026, 2, 1), date(2026, 2, 8)]),
}
WORDS = st.lists(
    st.tuples(st.integers(1, 9), st.fixed_dictionaries({}, optional=COLUMNS)),
    min_size=1, max_size=6, unique_by=lambda word: word[0],
)  # fmt: skip


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(words=WORDS, random=st.randoms())
def test_words_land_alike_in_every_order_and_twice(store, words, random):
    rows = [(told(n, **columns), f"s{n % 3}") for n, columns in words]
    expected = dict.fromkeys(COLUMNS)
    for _, columns in sorted(words):
        expected |= columns
    for _ in range(2):
        with store.register.begin() as con:
            con.execute(sa.delete(reg.participant))
            con.execute(sa.delete(reg.roster_word))
        random.shuffle(rows)
        for row, source in [(told(0, **FULL), "redcap"), *rows, rows[0]]:
            land_roster(store, [row], source)
        assert {name: landed(store)[name] for name in COLUMNS} == expected
