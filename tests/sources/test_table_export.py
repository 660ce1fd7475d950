"""Questionnaires, sessions, goals and rosters, however somebody saved them."""

import io
from datetime import UTC, date, datetime, timedelta

import openpyxl
import pytest
import sqlalchemy as sa
from support.studies import new_store

from ingestion.errors import BadInput
from ingestion.importing import import_files
from ingestion.source import Ask, Count, Reading
from ingestion.sources._table_mapping import KNOWN
from ingestion.sources.table_export import SOURCE
from transforms import instruments
from warehouse import register as reg
from warehouse.study import EXAMPLE, read_study
from warehouse.tables.landed import response, treatment_session

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONG = "participant_id,visit,instrument,item,value,answered_on\n"


def read(folder, study: str = "") -> Reading:
    path = folder.parent / "study.toml"
    path.write_text(EXAMPLE.read_text() + study)
    ask = Ask(read_study(path), NOW)
    return SOURCE.read(list(SOURCE.fetch(folder, ask)), ask)


def write(folder, name: str, content: str | bytes):
    folder.mkdir(exist_ok=True)
    body = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(body)
    return folder


def answers(reading: Reading) -> dict[str, str | None]:
    """`P01 week_4 NPRS 1 2026-03-10` -> value."""
    return {
        f"{r['participant_id']} {r['visit']} {r['instrument']} {r['item']} {r['answered_on']}": r[
            "value"
        ]
        for r in reading.rows["response"]
    }


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "tables"


def test_a_long_table(folder):
    text = LONG + "P01,week_4,NPRS,1,6,2026-03-10\nP01,week_4,FABQ,3,,2026-03-10\n"
    reading = read(write(folder, "answers.csv", text))
    assert answers(reading) == {
        "P01 week_4 NPRS 1 2026-03-10": "6",
        "P01 week_4 FABQ 3 2026-03-10": None,
    }
    assert reading.counts == {"response": Count(received=2, landed=2)}
    [first, _] = reading.rows["response"]
    assert (first["source"], first["repeat"], first["fetched_at"]) == ("table_export", 1, NOW)
    assert len(first["raw_sha256"][0]) == 64


def test_a_wide_table_with_columns_named_by_instrument(folder):
    text = (
        "Participant ID;Visit;func_score;NPRS;FABQ_02;rmdq24_12;answered_on;comment\n"
        "P01;Week 4;51,5;7;6;1;2026-03-10;fine\n"
        "P02;baseline;60;;;0;2026-03-11;\n"
    )
    reading = read(write(folder, "wide.csv", text))
    assert answers(reading) == {
        "P01 week_4 LCAT score 2026-03-10": "51.5",
        "P01 week_4 NPRS 1 2026-03-10": "7",
        "P01 week_4 FABQ 2 2026-03-10": "6",
        "P01 week_4 RMDQ24 12 2026-03-10": "1",
        "P02 baseline LCAT score 2026-03-11": "60",
        "P02 baseline RMDQ24 12 2026-03-11": "0",
    }
    assert reading.counts["response"] == Count(
        received=8, landed=6, rejections={"form_not_filled_in": 2}
    )
    assert reading.notes == ["wide.csv: columns not read: comment"]


def test_a_blank_item_of_a_form_that_was_filled_in_is_an_answer_without_a_value(folder):
    text = "participant_id,visit,fabq_1,fabq_2,nprs\nP01,week_4,,3,\n"
    reading = read(write(folder, "wide.csv", text))
    assert answers(reading) == {"P01 week_4 FABQ 1 None": None, "P01 week_4 FABQ 2 None": "3"}


def test_an_instruments_own_date_goes_before_the_rows(folder):
    text = "participant_id,visit,answered_on,nprs,nprs_date,func\n"
    text += "P01,week_4,2026-03-10,6,2026-03-12,50\n"
    assert list(answers(read(write(folder, "wide.csv", text)))) == [
        "P01 week_4 NPRS 1 2026-03-12",
        "P01 week_4 LCAT score 2026-03-10",
    ]


def test_study_toml_can_name_the_columns(folder):
    study = """
[sources.table_export.visits]
"Woche 4" = "week_4"
[sources.table_export.instruments.NPRS]
fields = { "1" = "pain_now" }
date = "pain_date"
[sources.table_export.instruments.PSEQ]
fields_from = "Q{item}"
items = 2
"""
    text = "participant_id,visit,pain_now,pain_date,q1,q2,nprs\nP01,Woche 4,6,2026-03-10,1,2,9\n"
    reading = read(write(folder, "wide.csv", text), study)
    assert answers(reading) == {
        "P01 week_4 NPRS 1 2026-03-10": "6",
        "P01 week_4 PSEQ 1 None": "1",
        "P01 week_4 PSEQ 2 None": "2",
    }
    assert reading.notes == ["wide.csv: columns not read: nprs"]


@pytest.mark.parametrize(
    "body",
    [
        LONG.encode("utf-8-sig") + "Pä1,week_4,NPRS,1,6,2026-03-10\n".encode(),
        (LONG + "Pä1,week_4,NPRS,1,6,2026-03-10\n").encode("cp1252"),
        (LONG + "Pä1,week_4,NPRS,1,6,2026-03-10\n").encode("utf-16"),
        (LONG + "Pä1,week_4,NPRS,1,6,2026-03-10\n").replace(",", "\t").encode(),
        (LONG + "Pä1,week_4,NPRS,1,6,10.03.2026\n\n").replace(",", ";").encode(),
        (LONG + 'Pä1,"week_4","NPRS",nprs_1,6,"2026-03-10 14:05"\r\n').encode(),
        (LONG + "Pä1,WEEK 4,pain_x,1,6,2026-03-10\n").replace("pain_x", "nprs").encode(),
    ],
)
def test_encodings_and_delimiters(folder, body):
    found = answers(read(write(folder, "answers.csv", body)))
    assert found == {"Pä1 week_4 NPRS 1 2026-03-10": "6"}


def test_slashed_dates_follow_the_whole_sheet(folder):
    text = LONG + "P01,week_4,NPRS,1,6,4/3/2026\nP02,week_4,NPRS,1,6,13/3/2026\n"
    assert list(answers(read(write(folder, "answers.csv", text)))) == [
        "P01 week_4 NPRS 1 2026-03-04",
        "P02 week_4 NPRS 1 2026-03-13",
    ]


def test_slashed_dates_follow_study_toml(folder):
    text = LONG + "P01,week_4,NPRS,1,6,4/3/2026\n"
    study = '\n[sources.table_export]\ndates = "month_first"\n'
    assert list(answers(read(write(folder, "answers.csv", text), study))) == [
        "P01 week_4 NPRS 1 2026-04-03"
    ]


def excel(**sheets: list[list[object]]) -> bytes:
    """An Excel file as a program streams it: no sheet says how wide it is."""
    book = openpyxl.Workbook(write_only=True)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def test_an_excel_file_with_several_sheets(folder):
    body = excel(
        Answers=[
            ["participant_id", "visit", "nprs", "func", "answered_on"],
            ["P01", "week_4", 6.0, 51.5, datetime(2026, 3, 10)],
            ["P02", "week_4", 7, None, "2026-03-11"],
            [None, None, None, None, None],
        ],
        Empty=[],
        Sessions=[
            ["participant_id", "session_number", "held_on", "attended", "therapist_id"],
            ["P01", 1, date(2026, 3, 1), True, "T01"],
            ["P01", 2, None, "no"],
        ],
    )
    reading = read(write(folder, "book.xlsx", body))
    assert answers(reading) == {
        "P01 week_4 NPRS 1 2026-03-10": "6",
        "P01 week_4 LCAT score 2026-03-10": "51.5",
        "P02 week_4 NPRS 1 2026-03-11": "7",
    }
    sessions = [
        (r["session_number"], r["held_on"], r["attended"], r["therapist_id"])
        for r in reading.rows["treatment_session"]
    ]
    assert sessions == [(1, date(2026, 3, 1), True, "T01"), (2, None, False, None)]
    assert reading.counts["treatment_session"] == Count(received=2, landed=2)


def test_a_goals_table_is_numbered_by_date(folder):
    text = "participant_id,valid_from,goal_steps\nP01,2026-03-01,6000\nP01,2026-02-01,5000\n"
    text += "P02,2026-02-01,4000\n"
    reading = read(write(folder, "goals.csv", text))
    rows = [
        (r["participant_id"], r["version"], str(r["valid_from"]), str(r["valid_to"]))
        for r in reading.rows["goal"]
    ]
    assert rows == [
        ("P01", 1, "2026-02-01", "2026-02-28"),
        ("P01", 2, "2026-03-01", "None"),
        ("P02", 1, "2026-02-01", "None"),
    ]
    assert {r["rule"] for r in reading.rows["goal"]} == {"protocol"}
    assert [r["goal_steps"] for r in reading.rows["goal"]] == [5000, 6000, 4000]


def test_a_goals_table_can_state_versions(folder):
    text = "participant_id,version,valid_from,goal_steps,rule\nP01,3,2026-03-01,6000,coordinator\n"
    [row] = read(write(folder, "goals.csv", text)).rows["goal"]
    assert (row["version"], row["rule"], row["valid_to"]) == (3, "coordinator", None)


def test_a_roster(folder):
    text = (
        "participant_id,site,arm,therapist_id,enrolled_on,starts_on,age_years,sex,"
        "depression_or_anxiety,timezone\n"
        "P01,haifa,etmi,T01,2026-01-20,2026-01-22,56,Female,yes,\n"
        "P02,southampton,,,2026-01-20,2026-01-22,,,,Europe/Dublin\n"
    )
    one, two = read(write(folder, "roster.csv", text)).rows["participant"]
    assert (one["timezone"], one["arm"], one["therapist_id"]) == ("Asia/Jerusalem", "etmi", "T01")
    assert (one["age_years"], one["sex"], one["depression_or_anxiety"]) == (56, "female", True)
    assert (one["starts_on"], one["fetched_at"]) == (date(2026, 1, 22), NOW)
    assert (two["timezone"], two["arm"], two["age_years"]) == ("Europe/Dublin", None, None)
    assert "withdrawn_on" not in one  # a column that is not there is not told of


def test_the_same_fact_twice_counts_once(folder):
    row = "P01,week_4,NPRS,1,6,2026-03-10\n"
    write(folder, "a.csv", LONG + row + row)
    reading = read(write(folder, "b.csv", LONG + row))
    assert len(reading.rows["response"]) == 1
    expected = Count(received=3, landed=1, rejections={"repeated": 2})
    assert reading.counts["response"] == expected
    assert reading.counts_of == {"P01": {"response": expected}}


def test_instruments_known_by_name_have_the_items_that_are_scored():
    scored = {one.code: one.items for one in instruments.read_instruments().values()}
    assert {code: items for code, (items, _) in KNOWN.items()} == scored


@pytest.mark.parametrize("written", ["{code}_{item}", "{lower}{item}", "{lower}-{padded}"])
def test_every_items_column_is_known_by_code_and_item_and_as_no_other(folder, written):
    asked = [
        (one.code, item) for one in instruments.read_instruments().values() for item in one.items
    ]
    titles = [
        written.format(code=code, lower=code.lower(), item=item, padded=item.rjust(2, "0"))
        for code, item in asked
    ]
    text = f"participant_id,visit,{','.join(titles)}\nP01,week_4,{','.join(['1'] * len(asked))}\n"
    found = read(write(folder, "wide.csv", text))
    assert [(row["instrument"], row["item"]) for row in found.rows["response"]] == asked
    assert found.notes == []


def test_a_column_of_an_item_that_there_is_not_is_not_read(folder):
    text = "participant_id,visit,phq9_10,phq9_11,phq9_0,zzq_1\nP01,week_4,1,1,1,1\n"
    found = read(write(folder, "wide.csv", text))
    assert list(answers(found)) == ["P01 week_4 PHQ9 10 None"]
    assert found.notes == ["wide.csv: columns not read: phq9_11, phq9_0, zzq_1"]


def test_a_table_of_instruments_that_nobody_knows_is_refused_with_those_known(folder):
    text = "participant_id,visit,zzq_1\nP01,week_4,1\n"
    with pytest.raises(BadInput, match=r"; instruments known: BAECKE, EQ5D5L, .*, PHQ9, .*TSK11$"):
        read(write(folder, "wide.csv", text))


# Through `stepwell import`


def load(store, folder, minute=0):
    now = NOW + timedelta(minutes=minute)
    return import_files(store, "table_export", folder, now=now, progress=lambda _: None)


ROSTER = "participant_id,site,enrolled_on,starts_on\nP01,haifa,2026-01-20,2026-01-22\n"


@pytest.fixture
def store(tmp_path):
    opened = new_store(tmp_path / "study")
    yield opened
    opened.register.close()


def test_tables_are_imported_once_and_corrected_by_a_later_import(folder, store):
    write(folder, "roster.csv", ROSTER)
    write(folder, "answers.csv", LONG + "P01,week_4,NPRS,1,6,2026-03-10\n")
    write(folder, "sessions.csv", "participant_id,session_number\nP01,1\n")
    first = load(store, folder)
    assert (first.landed.rows_new, first.participants) == (3, 1)
    again = load(store, folder, 1)
    assert (again.landed.rows_new, again.landed.rows_changed, again.landed.rows_same) == (0, 0, 3)
    write(folder, "answers.csv", LONG + "P01,week_4,NPRS,1,5,2026-03-10\n")
    assert load(store, folder, 2).landed.rows_changed == 1
    [row] = store.lake.read_rows(response).to_pylist()
    assert row["value"] == "5"
    assert store.lake.read_rows(treatment_session).num_rows == 1
    assert store.register.rows(sa.select(reg.grant)) == []


def test_a_table_imported_again_does_not_come_back_over_a_later_one(folder, store):
    write(folder, "roster.csv", ROSTER)
    load(store, folder)
    for minute, value in enumerate(("6", "5", "6"), start=1):
        write(folder, "answers.csv", LONG + f"P01,week_4,NPRS,1,{value},2026-03-10\n")
        report = load(store, folder, minute)
    assert report.seen_before
    [row] = store.lake.read_rows(response).to_pylist()
    assert (row["value"], row["fetched_at"]) == ("5", NOW + timedelta(minutes=2))
    assert len(store.lake.files("raw")) == 3


def test_a_roster_table_changes_only_the_columns_it_has(folder, store):
    full = ROSTER.replace("starts_on", "starts_on,timezone,arm,withdrawn_on").replace(
        "2026-01-22", "2026-01-22,Europe/Dublin,etmi,2026-02-01"
    )
    load(store, write(folder, "roster.csv", full))
    load(store, write(folder, "roster.csv", ROSTER.replace("2026-01-22", "2026-01-23")), 1)
    load(store, write(folder, "roster.csv", full), 2)  # the first again: its word is older
    [row] = store.register.rows(sa.select(reg.participant))
    assert (row["arm"], row["withdrawn_on"]) == ("etmi", date(2026, 2, 1))
    assert (row["timezone"], row["starts_on"]) == ("Europe/Dublin", date(2026, 1, 23))


def test_two_roster_tables_with_other_columns_are_told_apart(folder):
    write(folder, "a.csv", ROSTER)
    write(
        folder, "b.csv", ROSTER.replace("starts_on", "starts_on,arm").replace("22\n", "22,etmi\n")
    )
    with pytest.raises(BadInput, match=r"the same participant of P01 \(arm\)"):
        read(folder)


def test_an_answer_of_nobody_known_stores_nothing(folder, store):
    write(folder, "roster.csv", ROSTER)
    write(folder, "answers.csv", LONG + "P1,week_4,NPRS,1,6,2026-03-10\n")
    with pytest.raises(BadInput) as caught:
        load(store, folder)
    assert str(caught.value) == (
        "table_export: 1 of 2 participants are not on the roster (P1); import the roster first, "
        "or mend their ids"
    )
    assert store.lake.files("") == []
    assert store.register.rows(sa.select(reg.participant)) == []


def test_the_report_counts_rows(folder, store):
    write(folder, "roster.csv", ROSTER)
    write(folder, "wide.csv", "participant_id,visit,nprs,func\nP01,week_4,6,\n")
    assert str(load(store, folder)).splitlines() == [
        "table_export: 1 participant from 2 files",
        "rows: 2 new, 0 changed, 0 as before",
        "participant: 1 received = 1 landed + 0 rejected",
        "response: 2 received = 1 landed + 1 rejected (1 form_not_filled_in)",
    ]
