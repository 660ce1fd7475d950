"""Exports of real REDCap projects (those of REDCapR; the people in them are made up).

Expected values were read from the files by eye.
"""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from support.shared import shared_data

from ingestion.errors import BadInput, Misconfigured
from ingestion.source import Ask, Reading, Reply
from ingestion.sources._redcap_mapping import check_fields, read_mapping
from ingestion.sources.redcap import SOURCE
from warehouse.study import EXAMPLE, Study, read_study

NOW = datetime(2026, 6, 29, tzinfo=UTC)


@pytest.fixture
def projects() -> Path:
    return shared_data("redcap_redcapr")


def study(**mapping: Any) -> Study:
    return read_study(EXAMPLE).model_copy(update={"sources": {"redcap": mapping}})


def read(path: Path, **mapping: Any) -> Reading:
    export = Reply("redcap", None, "records", path.name, NOW, 200, "text/csv", path.read_bytes())
    return SOURCE.read([export], Ask(study(**mapping), NOW))


def answers(reading: Reading, *names: str) -> list[tuple[Any, ...]]:
    names = names or ("participant_id", "visit", "repeat", "item", "value")
    return [tuple(row[name] for name in names) for row in reading.rows["response"]]


def metadata(path: Path) -> list[dict[str, str]]:
    """The data dictionary as the API tells it."""
    names = {
        "Variable / Field Name": "field_name",
        "Form Name": "form_name",
        "Identifier?": "identifier",
        "Text Validation Type OR Show Slider Number": "text_validation_type_or_show_slider_number",
    }
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return [
            {names[k]: v for k, v in row.items() if k in names} for row in csv.DictReader(lines)
        ]


def test_a_longitudinal_project_of_two_arms(projects: Path) -> None:
    morale = {"PMQ": {"fields_from": "pmq{item}", "items": 4}}
    events = {"dose_1_arm_1": "week_4", "visit_1_arm_1": "week_8", "first_dose_arm_2": "week_4"}
    reading = read(
        projects / "longitudinal/data.csv", record_id="study_id", events=events, instruments=morale
    )
    per_form: dict[tuple[str, str], str] = {}
    for who, visit, _, _, value in answers(reading):
        per_form[who, visit] = per_form.get((who, visit), "") + value
    assert per_form == {
        ("100", "week_4"): "2211", ("100", "week_8"): "1000",
        ("220", "week_4"): "0102", ("220", "week_8"): "0310",
        ("304", "week_4"): "0100",
    }  # fmt: skip
    count = reading.counts["responses"]
    # dose 2 and visit 2 of two people, and the first visit of the third, stand in no event here
    assert (count.received, count.landed, count.rejections) == (40, 20, {"unknown_event": 20})


def test_a_repeating_form_keeps_its_instances(projects: Path) -> None:
    pressure = {"BP": {"date": "date_bp", "fields": {"1": "bp_systolic", "2": "bp_diastolic"}}}
    reading = read(
        projects / "repeating-instruments/data.csv", events={"": "baseline"}, instruments=pressure
    )
    names = ("participant_id", "repeat", "item", "value", "answered_on")
    assert answers(reading, *names) == [
        ("1", 1, "1", "110", date(2019, 10, 14)), ("1", 1, "2", "100", date(2019, 10, 14)),
        ("1", 2, "1", "111", date(2019, 10, 14)), ("1", 2, "2", "101", date(2019, 10, 14)),
        ("1", 3, "1", "112", date(2019, 10, 14)), ("1", 3, "2", "102", date(2019, 10, 14)),
        ("2", 1, "1", "114", date(2004, 4, 4)), ("2", 1, "2", "104", date(2004, 4, 4)),
    ]  # fmt: skip


def test_two_hundred_appointments_land_once_each(projects: Path) -> None:
    reading = read(
        projects / "multilevel-model-1/data.csv",
        record_id="patient_id",
        events={"": "baseline"},
        instruments={"COG": {"date": "date_at_visit", "fields": {"1": "cog_1", "2": "cog_2"}}},
    )
    values = [float(value) for *_, item, value in answers(reading) if item == "1"]
    assert len(values) == 200
    assert sum(values) == pytest.approx(955.6)
    assert answers(reading)[-2:] == [
        ("1020", "baseline", 10, "1", "3.5"), ("1020", "baseline", 10, "2", "5.2"),
    ]  # fmt: skip


def test_a_checkbox_of_which_nothing_is_ticked_was_not_answered(projects: Path) -> None:
    ticks = {"ONE": {"fields_from": "check_one___{item}", "items": 4}}
    reading = read(projects / "checkboxes-1/data.csv", events={"": "baseline"}, instruments=ticks)
    assert [(who, item, value) for who, _, _, item, value in answers(reading)] == [
        ("1", "1", "1"), ("1", "2", "0"), ("1", "3", "0"), ("1", "4", "0"),
        ("3", "1", "1"), ("3", "2", "1"), ("3", "3", "1"), ("3", "4", "1"),
    ]  # fmt: skip


def test_the_same_project_with_decimal_commas_and_points(projects: Path) -> None:
    body = {"BODY": {"fields": {"height": "height", "weight": "weight", "bmi": "bmi"}}}
    told = {"events": {"": "baseline"}, "instruments": body}
    comma = read(projects / "decimal-comma/data.csv", decimal_comma=True, **told)
    point = read(projects / "decimal-dot/data.csv", **told)
    assert answers(comma) == answers(point)
    assert [value for *_, value in answers(point)][:3] == ["1.54", "52.3", "22.1"]
    assert len(answers(point)) == 12


def test_a_record_may_be_named_by_letters_and_stand_under_three_events(projects: Path) -> None:
    named = read(
        projects / "nonnumeric-record-id/data.csv", events={"": "baseline"},
        instruments={"X": {"fields": {"1": "demographics_complete"}}},
    )  # fmt: skip
    assert [who for who, *_ in answers(named)] == ["a", "b", "c"]
    weights = read(
        projects / "arm-single-longitudinal/data.csv",
        events={"intake_arm_1": "baseline", "dischage_arm_1": "discharge",
                "follow_up_arm_1": "week_4"},
        instruments={"W": {"date": "interview_date", "fields": {"1": "weight"}}},
    )  # fmt: skip
    assert answers(weights, "participant_id", "visit", "value", "answered_on")[:3] == [
        ("1", "discharge", "12", date(2001, 1, 2)),
        ("1", "week_4", "13", date(2001, 1, 3)),
        ("1", "baseline", "11", date(2001, 1, 1)),
    ]


def test_a_survey_that_was_opened_and_left_is_no_answer(projects: Path) -> None:
    reading = read(
        projects / "survey/data.csv",
        record_id="participant_id",
        events={"": "baseline"},
        instruments={
            "PMQ": {"date": "participant_morale_questionnaire_timestamp",
                    "fields_from": "pmq{item}", "items": 4},
            "DIABETES": {"date": "prescreening_survey_timestamp", "fields": {"1": "has_diabetes"}},
        },
    )  # fmt: skip
    names = ("participant_id", "instrument", "value", "answered_on")
    assert answers(reading, *names) == [
        ("1", "DIABETES", "1", date(2018, 3, 6)), ("2", "DIABETES", "0", date(2018, 3, 6)),
    ]  # fmt: skip


def test_a_project_without_a_record_is_read_as_none(projects: Path) -> None:
    told = {"events": {"": "baseline"}, "instruments": {"X": {"fields": {"1": "age"}}}}
    assert answers(read(projects / "empty-rows/data.csv", **told)) == []


def test_lines_inside_a_cell_do_not_cut_a_row(projects: Path) -> None:
    told = {"events": {"": "baseline"}, "instruments": {"AGE": {"fields": {"1": "age"}}}}
    reading = read(projects / "simple/data.csv", **told)
    assert len(answers(reading)) == 5
    assert answers(reading)[0] == ("1", "baseline", 1, "1", "11")


def test_an_export_without_the_mapped_column_says_which(projects: Path) -> None:
    told = {"events": {"": "baseline"}, "instruments": {"NPRS": {"fields": {"1": "pain_nrs"}}}}
    with pytest.raises(BadInput, match=r"pain_nrs \(sources\.redcap\.instruments\.NPRS\.1\)"):
        read(projects / "simple/data.csv", **told)


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("name_last", "an identifier of a person"),
        ("heigth", "no field 'heigth'; close: height"),
        ("dob", None),  # marked too, but a date
        ("height", None),
    ],
)
def test_a_real_dictionary_is_held_against_the_mapping(
    projects: Path, field: str, told: str | None
) -> None:
    project = metadata(projects / "clinical-trial-1/dictionary.csv")
    mapping = read_mapping(
        study(events={"": "baseline"}, instruments={"X": {"fields": {"1": field}}})
    )
    if told is None:
        check_fields(mapping, project)
        return
    with pytest.raises(Misconfigured, match=told):
        check_fields(mapping, project)
