"""Landing: raw first, twice is once, what changed is on record."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime

import numpy as np
import pytest
import sqlalchemy as sa

from ingestion import landing
from ingestion.schedule import due_window
from ingestion.source import ActivityDay, Device, Reading, Reply, Window
from warehouse import register as reg
from warehouse.tables import landed

AT = datetime(2026, 1, 21, 5, tzinfo=UTC)


def u16(*values: int) -> np.ndarray:
    return np.array(values, np.uint16)


DAY = ActivityDay(
    participant_id="P1",
    source="google_health",
    activity_date=date(2026, 1, 20),
    timezone="Asia/Jerusalem",
    day_start_at=datetime(2026, 1, 19, 22, tzinfo=UTC),
    day_minutes=1440,
    step_minute=u16(480, 481),
    step_count=u16(90, 12),
    wear_start=u16(400, 900),
    wear_length=u16(100, 50),
    wear_method="heart_rate",
    vendor_steps=102,
    era="google_health",
    device_model="Inspire 3",
    fetched_at=AT,
    raw_sha256=("b", "a"),
)


def changed(**facts: object) -> ActivityDay:
    later = {"fetched_at": datetime(2026, 1, 24, 5, tzinfo=UTC)}
    return dataclasses.replace(DAY, **(later | facts))


def test_a_day_lands_once_however_often_it_is_read(store):
    first = landing.land(store, Reading(days=[DAY]), "google_health", "0000")
    again = landing.land(store, Reading(days=[DAY]), "google_health", "0000")
    assert (first.days_new, again.days_new, again.days_same) == (1, 0, 1)
    assert store.register.rows(sa.select(reg.revision)) == []


def test_a_restated_day_replaces_the_old_one_which_stays_on_record(store):
    landing.land(store, Reading(days=[DAY]), "google_health", "0000")
    restated = changed(step_count=u16(90, 22), wear_length=u16(100, 60))
    result = landing.land(store, Reading(days=[restated]), "google_health", "0000")
    assert result.days_changed == 1
    row = store.register.rows(sa.select(reg.revision))[0]
    assert (row["steps_before"], row["steps_after"]) == (102, 112)
    assert (row["wear_before"], row["wear_after"]) == (150, 160)
    assert row["changed_at"] == datetime(2026, 1, 24, 5, tzinfo=UTC)
    assert row["days_late"] == 3  # the day ended on the 20th at 22:00 UTC


@pytest.mark.parametrize(
    "facts",
    [
        {"step_minute": u16(480, 482)},
        {"step_count": u16(90, 13)},
        {"wear_start": u16(401, 900)},
        {"wear_length": u16(100, 51)},
        {"wear_method": "explicit_zero"},
        {"vendor_steps": 103},
        {"timezone": "Europe/London"},
        {"day_minutes": 1380},
        {"device_model": "Charge 6"},
    ],
)
def test_each_fact_of_a_day_counts_in_its_hash(facts):
    rows = landing.days_table([DAY, changed(**facts)]).to_pylist()
    assert rows[0]["row_hash"] != rows[1]["row_hash"]


def test_when_and_from_which_reply_a_day_came_does_not_count_in_its_hash():
    rows = landing.days_table([DAY, changed(raw_sha256=("c",))]).to_pylist()
    assert rows[0]["row_hash"] == rows[1]["row_hash"]
    assert rows[0]["raw_sha256"] == ["a", "b"]


def test_a_day_row_carries_the_sums_and_no_wear_where_it_does_not_rest_on_minutes():
    rows = landing.days_table([DAY, changed(wear_method="steps")]).to_pylist()
    assert [(r["steps"], r["wear_minutes"]) for r in rows] == [(102, 150), (102, None)]


def test_raw_replies_are_read_back_as_they_came(store):
    reply = Reply("google_health", "P1", "steps", "GET /v4/steps", AT, 200, "application/json",
                  b'{"dataPoints":[]}', Window(date(2026, 1, 19), date(2026, 1, 20)))  # fmt: skip
    landing.keep_raw(store.lake, [reply])
    landing.keep_raw(store.lake, [reply])
    assert list(landing.read_raw(store.lake, "google_health")) == [[reply]]


def person(participant_id: str, **more: object) -> dict[str, object]:
    on = date(2026, 1, 20)
    row = {"participant_id": participant_id, "site": "haifa", "timezone": "Asia/Jerusalem",
           "enrolled_on": on, "starts_on": on}  # fmt: skip
    return row | more


def test_a_participant_keeps_the_batch_given_at_enrollment(store):
    size = store.study.wearables.batch_size
    landing.land_roster(store, [person(f"P{n:03d}") for n in range(size + 1)])
    landing.land_roster(store, [person("P000", withdrawn_on=date(2026, 2, 1)), person("A01")])
    rows = store.register.rows(sa.select(reg.participant))
    batch = {row["participant_id"]: row["batch"] for row in rows}
    assert (batch["P000"], batch[f"P{size:03d}"], batch["A01"]) == (0, 1, 1)
    assert {r["withdrawn_on"] for r in rows if r["participant_id"] == "P000"} == {date(2026, 2, 1)}


def test_a_roster_row_changes_only_the_columns_it_has(store):
    full = person("P1", arm="etmi", withdrawn_on=date(2026, 2, 1), age_years=54)
    landing.land_roster(store, [full])
    merge = landing.land_roster(store, [{"participant_id": "P1", "site": "southampton"}])
    assert merge.changed == 1
    [row] = store.register.rows(sa.select(reg.participant))
    assert row == full | {
        "site": "southampton", "therapist_id": None, "paused_from": None, "paused_to": None,
        "depression_or_anxiety": None, "sex": None, "batch": 0, "fetched_at": None,
    }  # fmt: skip


def test_a_new_participant_has_the_zone_of_their_site_unless_told(store):
    told = person("P1", site="southampton")
    untold = {name: told[name] for name in told if name != "timezone"} | {"participant_id": "P2"}
    landing.land_roster(store, [told, untold])
    rows = store.register.rows(sa.select(reg.participant).order_by("participant_id"))
    assert [row["timezone"] for row in rows] == ["Asia/Jerusalem", "Europe/London"]


def test_an_older_word_on_a_participant_does_not_replace_a_newer(store):
    newer = person("P1", withdrawn_on=date(2026, 2, 1), fetched_at=AT)
    older = person("P1", fetched_at=datetime(2026, 1, 1, tzinfo=UTC))
    for row in (newer, older):
        merge = landing.land_roster(store, [row])
    assert (merge.changed, merge.same) == (0, 1)
    [row] = store.register.rows(sa.select(reg.participant))
    assert (row["withdrawn_on"], row["fetched_at"]) == (date(2026, 2, 1), AT)


def test_the_same_roster_fetched_later_changes_nothing_but_is_the_newer_word(store):
    later = datetime(2026, 1, 22, tzinfo=UTC)
    between = person("P1", sex="male", fetched_at=datetime(2026, 1, 21, 12, tzinfo=UTC))
    landing.land_roster(store, [person("P1", sex="female", fetched_at=AT)])
    again = landing.land_roster(store, [person("P1", sex="female", fetched_at=later)])
    assert (again.changed, again.same) == (0, 1)
    landing.land_roster(store, [between])
    assert [row["sex"] for row in store.register.rows(sa.select(reg.participant))] == ["female"]


def test_a_change_of_the_roster_is_audited_by_column_and_never_by_value(store):
    landing.land_roster(store, [person("P1", arm="etmi", fetched_at=AT)], "redcap")
    later = {"arm": "usual_care", "withdrawn_on": date(2026, 2, 1),
             "fetched_at": datetime(2026, 2, 1, tzinfo=UTC)}  # fmt: skip
    for _ in range(2):  # the second time nothing changes
        landing.land_roster(store, [person("P1", **later)], "redcap")
    rows = store.register.rows(sa.select(reg.audit))
    names = ("at", "who", "what", "subject", "old", "new", "why")
    assert [tuple(row[name] for name in names) for row in rows] == [
        (AT, "stepwell", "enrolled", "P1", "", "", "roster of redcap"),
        (later["fetched_at"], "stepwell", "roster changed", "P1", "", "arm, withdrawn_on",
         "roster of redcap"),
    ]  # fmt: skip


def test_an_older_word_on_a_device_does_not_replace_a_newer(store):
    device = Device("P1", "google_health", "d1", "Inspire 3", True, AT, 54, AT)
    older = dataclasses.replace(
        device, battery_pct=90, observed_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    for one in (device, older):
        landing.land_devices(store, [one])
    assert [row["battery_pct"] for row in store.register.rows(sa.select(reg.device))] == [54]


def test_an_answer_changed_in_the_source_replaces_the_old_one(store):
    answer = {"participant_id": "P1", "source": "redcap", "visit": "baseline", "repeat": 1,
              "instrument": "NPRS", "item": "1", "value": "7", "fetched_at": AT}  # fmt: skip
    later = answer | {"value": "6", "fetched_at": datetime(2026, 2, 1, tzinfo=UTC)}
    for row in (answer, later, answer):
        landing.land(store, Reading(rows={"response": [row]}), "redcap", "0000")
    assert store.lake.read_rows(landed.response)["value"].to_pylist() == ["6"]


def test_what_a_source_no_longer_has_of_the_participants_asked_for_goes(store):
    later = datetime(2026, 2, 1, tzinfo=UTC)

    def session(who: str, number: int, at: datetime) -> dict[str, object]:
        return {"participant_id": who, "source": "redcap", "session_number": number,
                "fetched_at": at}  # fmt: skip

    first = [session(*key, AT) for key in (("P1", 1), ("P1", 2), ("P2", 1), ("P3", 1))]
    landing.land(store, Reading(rows={"treatment_session": first}), "redcap", "0000")
    second = Reading(rows={"treatment_session": [session("P1", 2, later)]})
    result = landing.land(store, second, "redcap", "0000", ("P1", "P2"), later)
    assert (result.rows_removed, result.rows_same) == (2, 1)
    landing.land(store, Reading(), "redcap", "0000", ("P3",), datetime(2026, 1, 1, tzinfo=UTC))
    rows = store.lake.read_rows(landed.treatment_session).to_pylist()
    assert [(r["participant_id"], r["session_number"]) for r in rows] == [("P1", 2), ("P3", 1)]


def test_a_form_that_moves_to_another_visit_is_at_one_of_them_at_every_instant(store, monkeypatch):
    def session(number: int, at: datetime) -> Reading:
        row = {"participant_id": "P1", "source": "redcap", "session_number": number,
               "fetched_at": at}  # fmt: skip
        return Reading(rows={"treatment_session": [row]})

    later = datetime(2026, 2, 1, tzinfo=UTC)
    landing.land(store, session(1, AT), "redcap", "0000")
    written = []
    put = store.lake._put

    def seen(path: str, body: bytes) -> None:
        put(path, body)
        rows = store.lake.read_rows(landed.treatment_session)
        written.append(rows["session_number"].to_pylist())

    monkeypatch.setattr(store.lake, "_put", seen)
    landing.land(store, session(2, later), "redcap", "0000", ("P1",), later)
    assert written == [[2]]


def due(**given: object) -> Window | None:
    usual = {"starts_on": date(2026, 1, 20), "ends_on": date(2027, 1, 18),
             "today": date(2026, 3, 1), "landed_sync_at": datetime(2026, 2, 20, 12, tzinfo=UTC),
             "timezone": "Asia/Jerusalem", "trailing_days": 7, "final_after_days": 14,
             "memory_days": 7}  # fmt: skip
    return due_window(**(usual | given))  # type: ignore[arg-type]


def test_a_first_pull_asks_from_study_day_1_to_today():
    assert due(landed_sync_at=None) == Window(date(2026, 1, 20), date(2026, 3, 1))


def test_a_later_pull_asks_from_the_last_sync_less_the_trailing_days():
    assert due() == Window(date(2026, 2, 13), date(2026, 3, 1))


def test_the_day_of_a_sync_is_the_participants_own():
    late = datetime(2026, 2, 20, 22, 30, tzinfo=UTC)  # half past midnight in Jerusalem
    assert due(landed_sync_at=late) == Window(date(2026, 2, 14), date(2026, 3, 1))


def test_nothing_before_day_1_or_after_the_last_day_is_asked_for():
    early = datetime(2026, 1, 22, tzinfo=UTC)
    assert due(landed_sync_at=early) == Window(date(2026, 1, 20), date(2026, 3, 1))
    assert due(ends_on=date(2026, 2, 25)) == Window(date(2026, 2, 13), date(2026, 2, 25))
    assert due(today=date(2026, 1, 19), landed_sync_at=None) is None
    assert due(ends_on=date(2026, 2, 12)) is None


def test_a_participant_who_has_left_is_asked_about_until_the_last_day_is_final():
    left = date(2026, 2, 19)
    assert due(ends_on=left, today=date(2026, 3, 5)) == Window(date(2026, 2, 13), left)
    assert due(ends_on=left, today=date(2026, 3, 6)) is None
    incomplete = datetime(2026, 2, 18, tzinfo=UTC)  # the last days are still in the device
    assert due(ends_on=left, today=date(2026, 3, 12), landed_sync_at=incomplete) is not None
    assert due(ends_on=left, today=date(2026, 3, 13), landed_sync_at=incomplete) is None
