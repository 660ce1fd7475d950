"""Every REDCap project of REDCapR, imported as an export (the people in them are made up).

Expected values were counted and read in the files by eye and with other tools.
"""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.shared import shared_data

from ingestion.errors import BadInput, Misconfigured
from ingestion.importing import import_files
from ingestion.source import Ask, Reading
from ingestion.sources._redcap_files import Table, check_raw, dictionary_rows, read_table
from ingestion.sources.redcap_export import SOURCE
from warehouse import register as reg
from warehouse.home import find_home, open_store
from warehouse.study import EXAMPLE, read_study
from warehouse.tables.landed import response

NOW = datetime(2026, 6, 29, tzinfo=UTC)


class Truth(NamedTuple):
    """Of a project's data file: rows, records, columns, events, repeats, checkbox columns; and a
    cell of its last row."""

    record_id: str
    rows: int
    records: int
    columns: int
    events: int
    repeats: int
    checkboxes: int
    last: tuple[str, str]


PROJECTS = {
    "arm-single-delete": Truth("record_id", 20, 20, 4, 1, 0, 0, ("position", "c")),
    "arm-single-longitudinal": Truth("record_id", 9, 3, 6, 3, 0, 0, ("weight", "33")),
    "checkboxes-1": Truth("record_id", 4, 4, 13, 1, 0, 9, ("check_two___e", "0")),
    "clinical-trial-1": Truth("record_id", 500, 500, 13, 1, 0, 0, ("record_id", "500")),
    "dag-write": Truth("record_id", 3, 3, 17, 1, 0, 0, ("redcap_data_access_group", "dagb")),
    "decimal-comma": Truth("record_id", 4, 4, 6, 1, 0, 0, ("height", "1,61")),
    "decimal-dot": Truth("record_id", 4, 4, 6, 1, 0, 0, ("height", "1.61")),
    "file-repo": Truth("record_id", 2, 2, 7, 1, 0, 0, ("form_1_timestamp", "2024-10-25 10:17:24")),
    "longitudinal": Truth(
        "study_id", 18, 3, 125, 12, 0, 25, ("redcap_event_name", "deadline_to_return_arm_2")
    ),
    "metadata-write": Truth("record_id", 5, 5, 25, 1, 0, 6, ("race___6", "1")),
    "multilevel-model-1": Truth("patient_id", 220, 20, 19, 1, 200, 0, ("cog_1", "3.5")),
    "nonnumeric-record-id": Truth("record_id", 3, 3, 3, 1, 0, 0, ("record_id", "c")),
    "repeating-instruments": Truth("record_id", 6, 2, 15, 1, 4, 0, ("bp_diastolic", "104")),
    "simple": Truth("record_id", 5, 5, 24, 1, 0, 6, ("height", "193.04")),
    "survey": Truth("participant_id", 2, 2, 33, 1, 0, 1, ("has_diabetes", "0")),
}
EMPTY = ("empty-rows", "potentially-problematic-dictionary", "single-column")


@pytest.fixture
def projects() -> Path:
    return shared_data("redcap_redcapr")


def ask(roster: str = "", record_id: str = "record_id", **mapping: Any) -> Ask:
    told = {"record_id": record_id, "events": {"": "baseline"}} | mapping
    study = read_study(EXAMPLE).model_copy(update={"sources": {"redcap": told}})
    return Ask(study, NOW, participants=tuple(roster.split()))


def read(path: Path, told: Ask) -> Reading:
    return SOURCE.read(list(SOURCE.fetch(path, told)), told)


def answers(reading: Reading, *names: str) -> list[tuple[Any, ...]]:
    names = names or ("participant_id", "visit", "repeat", "item", "value")
    return [tuple(row[name] for name in names) for row in reading.rows["response"]]


def shape(table: Table, last: str) -> tuple[Any, ...]:
    rows = table.dicts()
    return (
        len(rows),
        len({row[table.columns[0]] for row in rows}),
        len(table.columns),
        len({row.get("redcap_event_name") for row in rows}),
        sum(bool(row.get("redcap_repeat_instance")) for row in rows),
        sum("___" in column for column in table.columns),
        (last, rows[-1][last]),
    )


def test_there_is_no_project_that_is_not_tested(projects: Path) -> None:
    found = {one.name for one in projects.iterdir() if one.is_dir()}
    assert found == {*PROJECTS, *EMPTY}


@pytest.mark.parametrize("name", PROJECTS)
def test_every_project_parses(projects: Path, name: str) -> None:
    truth = PROJECTS[name]
    table = read_table("data.csv", (projects / name / "data.csv").read_bytes(), truth.record_id)
    assert (table.kind, table.is_eav, table.columns[0]) == ("data", False, truth.record_id)
    check_raw(table)
    assert shape(table, truth.last[0]) == truth[1:]


@pytest.mark.parametrize("name", EMPTY)
def test_a_project_without_a_record_is_an_export_of_nobody(projects: Path, name: str) -> None:
    fields = {"empty-rows": "age", "single-column": "record_id"}
    field = fields.get(name, "v1")
    reading = read(projects / name, ask(instruments={"X": {"fields": {"1": field}}}))
    assert (reading.rows["response"], reading.counts_of) == ([], {})


# fields of each dictionary, and how many it marks as identifiers
DICTIONARIES = {
    "arm-single-delete": (3, 0), "arm-single-longitudinal": (4, 0), "checkboxes-1": (4, 0),
    "clinical-trial-1": (12, 5), "dag-write": (15, 6), "decimal-comma": (5, 1),
    "decimal-dot": (5, 1), "empty-rows": (16, 6), "file-repo": (5, 0), "longitudinal": (95, 5),
    "metadata-write": (16, 6), "multilevel-model-1": (15, 0), "nonnumeric-record-id": (2, 0),
    "potentially-problematic-dictionary": (6, 0), "repeating-instruments": (11, 2),
    "simple": (16, 6), "single-column": (1, 0), "survey": (25, 5),
}  # fmt: skip


@pytest.mark.parametrize("name", DICTIONARIES)
def test_every_dictionary_parses(projects: Path, name: str) -> None:
    [path] = (projects / name).glob("dict*.csv")
    table = read_table(path.name, path.read_bytes(), "record_id")
    rows = dictionary_rows(table)
    assert table.kind == "dictionary"
    assert (len(rows), sum(row["identifier"] == "y" for row in rows)) == DICTIONARIES[name]
    assert {len(row) for row in rows} == {8}


def test_two_dictionaries_of_one_project_agree(projects: Path) -> None:
    told = ask("1 2 3 4 5", instruments={"X": {"fields": {"sex": "sex", "age": "age"}}})
    reading = read(projects / "simple", told)  # dictionary.csv, and metadata.csv as the API's
    assert [value for *_, item, value in answers(reading) if item == "age"] == [
        "11", "11", "80", "61", "59",
    ]  # fmt: skip
    # The data were once saved by another program: its codes are 0 and 1 no longer.
    assert reading.notes == [
        "sex: 5 answers are none that the project allows (codes 0, 1); they landed as they are"
    ]


def test_a_longitudinal_project_of_two_arms(projects: Path) -> None:
    told = ask(
        "100 220", "study_id",
        events={"dose_1_arm_1": "week_4", "visit_1_arm_1": "week_8", "dose_2_arm_1": "week_12",
                "visit_2_arm_1": "week_26", "enrollment_arm_1": "baseline"},
        instruments={"PMQ": {"fields_from": "pmq{item}", "items": 2},
                     "GYM": {"fields": {"mon": "gym___0", "tue": "gym___1"}}},
    )  # fmt: skip
    reading = read(projects / "longitudinal", told)
    assert answers(reading) == [
        ("100", "week_4", 1, "1", "2"), ("100", "week_4", 1, "2", "2"),
        ("100", "week_12", 1, "1", "3"), ("100", "week_12", 1, "2", "1"),
        ("100", "baseline", 1, "mon", "1"), ("100", "baseline", 1, "tue", "0"),
        ("100", "week_8", 1, "1", "1"), ("100", "week_8", 1, "2", "0"),
        ("100", "week_26", 1, "1", "0"), ("100", "week_26", 1, "2", "1"),
        ("220", "week_4", 1, "1", "0"), ("220", "week_4", 1, "2", "1"),
        ("220", "week_12", 1, "1", "1"), ("220", "week_12", 1, "2", "2"),
        ("220", "baseline", 1, "mon", "1"), ("220", "baseline", 1, "tue", "1"),
        ("220", "week_8", 1, "1", "0"), ("220", "week_8", 1, "2", "3"),
        ("220", "week_26", 1, "1", "3"), ("220", "week_26", 1, "2", "4"),
    ]  # fmt: skip
    count = reading.counts["responses"]
    # 304 is nobody's here, and its three filled-in forms stand in events of the other arm.
    assert (count.received, count.landed) == (26, 20)
    assert count.rejections == {"unknown_event": 6}
    assert reading.notes == ["not on the roster: 1 records, none of which landed"]


def test_a_repeating_form_keeps_its_instances(projects: Path) -> None:
    told = ask("1 2", instruments={
        "BP": {"date": "date_bp", "fields": {"1": "bp_systolic", "2": "bp_diastolic"}}
    })  # fmt: skip
    reading = read(projects / "repeating-instruments", told)
    names = ("participant_id", "repeat", "item", "value", "answered_on")
    assert answers(reading, *names) == [
        ("1", 1, "1", "110", date(2019, 10, 14)), ("1", 1, "2", "100", date(2019, 10, 14)),
        ("1", 2, "1", "111", date(2019, 10, 14)), ("1", 2, "2", "101", date(2019, 10, 14)),
        ("1", 3, "1", "112", date(2019, 10, 14)), ("1", 3, "2", "102", date(2019, 10, 14)),
        ("2", 1, "1", "114", date(2004, 4, 4)), ("2", 1, "2", "104", date(2004, 4, 4)),
    ]  # fmt: skip


def test_checkboxes_by_number_and_by_letter(projects: Path) -> None:
    told = ask("1 2 3 4", instruments={
        "ONE": {"fields_from": "check_one___{item}", "items": 4},
        "TWO": {"fields": {code: f"check_two___{code}" for code in "abcde"}},
    })  # fmt: skip
    per_form: dict[tuple[str, str], str] = {}
    for who, code, value in answers(
        read(projects / "checkboxes-1", told), "participant_id", "instrument", "value"
    ):
        per_form[who, code] = per_form.get((who, code), "") + value
    assert per_form == {
        ("1", "ONE"): "1000", ("1", "TWO"): "10100",
        ("2", "TWO"): "01010",
        ("3", "ONE"): "1111", ("3", "TWO"): "00000",  # 1 and 3 were saved as complete
    }  # fmt: skip


def test_the_dictionary_says_which_fields_have_a_decimal_comma(projects: Path) -> None:
    body = {"BODY": {"fields": {"height": "height", "weight": "weight", "bmi": "bmi"}}}
    comma, dot = (
        read(projects / name, ask("1 2 3 4", instruments=body))
        for name in ("decimal-comma", "decimal-dot")
    )
    assert answers(comma) == answers(dot)
    assert [value for *_, value in answers(comma)][:3] == ["1.54", "52.3", "22.1"]


def test_the_names_of_five_hundred_people_are_not_kept(projects: Path) -> None:
    told = ask(instruments={"BODY": {"fields": {"height": "height", "weight": "weight"}}})
    replies = list(SOURCE.fetch(projects / "clinical-trial-1", told))
    data = next(one.body for one in replies if one.data_type == "records")
    assert data.splitlines()[:2] == [b"record_id,height,weight,demographics_complete",
                                     b"1,176.1,105,0"]  # fmt: skip
    with (projects / "clinical-trial-1/data.csv").open(newline="") as lines:
        names = {row["name_last"].encode() for row in csv.DictReader(lines)}
    assert not [name for name in names for one in replies if name in one.body]
    about = next(json.loads(one.body) for one in replies if one.data_type == "metadata")
    assert [one["field_name"] for one in about] == ["record_id", "height", "weight"]


@pytest.mark.parametrize("name", ["dag-write", "nonnumeric-record-id"])
def test_ids_that_are_no_numbers(projects: Path, name: str) -> None:
    table = read_table("data.csv", (projects / name / "data.csv").read_bytes(), "record_id")
    expected = {"dag-write": ["331-1", "331-2", "332-3"], "nonnumeric-record-id": ["a", "b", "c"]}
    assert [row["record_id"] for row in table.dicts()] == expected[name]


def test_a_mapping_of_a_name_is_refused(projects: Path) -> None:
    told = ask("1", instruments={"X": {"fields": {"1": "name_last"}}})
    with pytest.raises(Misconfigured, match="an identifier of a person"):
        read(projects / "clinical-trial-1", told)
    told = ask("1", instruments={"X": {"fields": {"1": "comments"}}})
    with pytest.raises(BadInput, match="no REDCap export among 1 files"):
        read(projects / "simple/metadata.csv", told)


PERSON = {"site": "haifa", "timezone": "Asia/Jerusalem", "batch": 0,
          "enrolled_on": date(2021, 1, 1), "starts_on": date(2021, 1, 2)}  # fmt: skip
TOML = """
[sources.redcap.events]
"" = "baseline"
[sources.redcap.instruments.POS]
date = "birth_date"
fields = { "1" = "position" }
"""


def test_a_record_that_a_later_export_has_no_more_stays(projects: Path, tmp_path: Path) -> None:
    """102, 103, 105 and 120 are in data.csv and not in data-old.csv."""
    head, rest = EXAMPLE.read_text().split("[sources.redcap]", 1)
    (tmp_path / "study.toml").write_text(head + TOML + "[[roles]]" + rest.split("[[roles]]", 1)[1])
    store = open_store(find_home({"STEPWELL_HOME": str(tmp_path)}))
    roster = [PERSON | {"participant_id": str(n)} for n in range(101, 121)]
    store.register.put(reg.participant, roster)
    for name in ("data.csv", "data-old.csv"):
        import_files(store, "redcap_export", projects / "arm-single-delete" / name, now=NOW)
    rows = store.lake.read_rows(response).to_pylist()
    assert len(rows) == 20
    assert {row["participant_id"]: row["value"] for row in rows}["120"] == "c"
    assert {row["source"] for row in rows} == {"redcap"}
