"""REDCap: which cells are answers, and of which kind of export."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from support.redcap import MAPPING, NOW, answers, ask, counted, read, reply, row

from ingestion.errors import (
    BadInput,
)
from ingestion.source import Reply
from ingestion.sources.redcap import SOURCE


def test_a_filled_in_form_lands_an_answer_an_item_and_a_blank_one_without_value() -> None:
    reading = read(row(fabq_date="2026-04-14", fabq_1="2", fabq_2="", fabq_3="0"))
    on = date(2026, 4, 14)
    assert answers(reading) == [
        ("P001", "week_12", "FABQ", 1, "1", "2", on),
        ("P001", "week_12", "FABQ", 1, "2", None, on),
        ("P001", "week_12", "FABQ", 1, "3", "0", on),
    ]
    assert counted(reading, "responses") == (3, 3, {})
    first = reading.rows["response"][0]
    assert (first["source"], first["fetched_at"]) == ("redcap", NOW)
    assert first["raw_sha256"] == [reply([row(fabq_date="2026-04-14", fabq_1="2", fabq_2="",
                                             fabq_3="0")]).sha256]  # fmt: skip


@pytest.mark.parametrize(
    "cells",
    [
        {},
        {"fabq_date": "", "fabq_1": "", "fabq_2": "", "fabq_3": "", "fear_complete": ""},
        {"fabq_1": None, "fear_complete": "0"},
        {"fabq_date": "[not completed]", "fear_complete": "0"},
    ],
    ids=["absent", "blank", "never saved", "opened and left"],
)
def test_a_form_nobody_filled_in_lands_nothing(cells: dict[str, Any]) -> None:
    reading = read(row(**cells))
    assert answers(reading) == []
    assert counted(reading, "responses") == (0, 0, {})


@pytest.mark.parametrize(("complete", "landed"), [("0", 0), ("1", 3), ("2", 3)])
def test_a_form_saved_with_all_blank_was_filled_in(complete: str, landed: int) -> None:
    reading = read(row(fear_complete=complete))
    assert [value for *_, value, _ in answers(reading)] == [None] * landed


def test_a_repeated_form_and_a_repeated_event_keep_their_instance() -> None:
    reading = read(
        row(form="pain", n=3, pain_nrs="4"),
        row(form="", n="2", pain_nrs="5"),
        row(pain_nrs="6"),
    )
    assert sorted((item["repeat"], item["value"]) for item in reading.rows["response"]) == [
        (1, "6"), (2, "5"), (3, "4"),
    ]  # fmt: skip


def test_an_unknown_event_is_counted_with_its_reason() -> None:
    reading = read(row(event="unscheduled_arm_1", pain_nrs="4", fabq_1="1"), row(pain_nrs="3"))
    assert [value for *_, value, _ in answers(reading)] == ["3"]
    assert counted(reading, "responses") == (5, 1, {"unknown_event": 4})
    assert reading.counts["responses"].raw_sha256 is not None


def test_two_events_of_one_visit_land_once() -> None:
    events = {"week_12_arm_1": "week_12", "week_12_arm_2": "week_12"}
    reading = read(
        row(event="week_12_arm_2", pain_nrs="7"), row(pain_nrs="3"),
        events=MAPPING["events"] | events,
    )  # fmt: skip
    assert [value for *_, value, _ in answers(reading)] == ["3"]
    assert counted(reading, "responses") == (2, 1, {"repeated_visit": 1})


def test_a_missing_data_code_is_no_answer_but_the_form_was_filled_in() -> None:
    reading = read(row(pain_nrs="-99"), missing_codes=["-99", "NASK"])
    assert answers(reading) == [("P001", "week_12", "NPRS", 1, "1", None, None)]


def test_the_decimal_comma_becomes_a_point_where_the_project_writes_commas() -> None:
    assert answers(read(row(pain_nrs="6,5"), decimal_comma=True))[0][5] == "6.5"
    assert answers(read(row(pain_nrs="6,5")))[0][5] == "6,5"


def test_an_answer_out_of_range_is_for_scoring_to_refuse() -> None:
    assert answers(read(row(pain_nrs="11")))[0][5] == "11"


@pytest.mark.parametrize(
    ("text", "answered_on"),
    [("2026-04-14", date(2026, 4, 14)), ("2026-04-14 09:12:40", date(2026, 4, 14)), ("", None)],
)
def test_the_day_of_an_answer_may_carry_a_time(text: str, answered_on: date | None) -> None:
    assert answers(read(row(pain_nrs="4", pain_date=text)))[0][6] == answered_on


def test_a_day_that_cannot_be_read_is_never_guessed() -> None:
    reading = read(row(pain_nrs="4", pain_date="3/4/2026"))
    assert answers(reading) == []
    assert counted(reading, "responses") == (1, 0, {"bad_date": 1})


def test_a_checkbox_is_answered_only_when_something_is_ticked() -> None:
    boxes = {"RMDQ24": {"fields_from": "rmdq___{item}", "items": 2}}
    none = read(row(rmdq___1="0", rmdq___2="0"), instruments=boxes)
    assert answers(none) == []
    one = read(row(rmdq___1="0", rmdq___2="1"), instruments=boxes)
    assert [item[4:6] for item in answers(one)] == [("1", "0"), ("2", "1")]


def test_eav_says_the_same_as_flat() -> None:
    boxes = MAPPING["instruments"] | {"RMDQ24": {"fields_from": "rmdq___{item}", "items": 2}}
    flat = read(
        row(pain_nrs="4", pain_date="2026-04-14", rmdq___1="0", rmdq___2="1"), instruments=boxes
    )

    def fact(name: str, value: str) -> dict[str, str]:
        keys = {"record": "P001", "redcap_event_name": "week_12_arm_1",
                "redcap_repeat_instrument": "", "redcap_repeat_instance": ""}  # fmt: skip
        return keys | {"field_name": name, "value": value}

    facts = [fact("rmdq", "2"), fact("pain_date", "2026-04-14"), fact("pain_nrs", "4")]
    eav = read(*facts, instruments=boxes)
    assert answers(eav) == answers(flat)
    assert len(answers(eav)) == 3


def test_the_newest_word_on_a_row_wins_whatever_comes_first() -> None:
    old = reply([row(pain_nrs="4"), row("P002", pain_nrs="1")])
    new = reply([row(pain_nrs="6")], at=datetime(2026, 4, 2, tzinfo=UTC))
    for told in ([old, new], [new, old]):
        reading = SOURCE.read(told, ask())
        assert [item[5] for item in answers(reading)] == ["6", "1"]


# CSV


def csv_reply(text: str) -> Reply:
    return reply(text.encode(), kind="text/csv")


PAIN = {"events": {"": "baseline"}, "instruments": {"NPRS": MAPPING["instruments"]["NPRS"]},
        "sessions": None, "goals": None, "roster": None}  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["record_id,pain_date,pain_nrs\nP001,2026-01-19,6\n",
     '\ufeff"record_id";"pain_date";"pain_nrs"\r\n"P001";"2026-01-19";"6"\r\n'],
)  # fmt: skip
def test_a_csv_export_gives_the_same_answers(text: str) -> None:
    reading = SOURCE.read([csv_reply(text)], ask(**PAIN))
    assert answers(reading) == [("P001", "baseline", "NPRS", 1, "1", "6", date(2026, 1, 19))]


def test_an_export_without_a_row_is_no_answer() -> None:
    assert answers(SOURCE.read([csv_reply("\n")], ask(**PAIN))) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("record_id,pain_nrs\nP001,6\n", r"no column pain_date .*NPRS\.date"),
        ("record_id,pain_date,pain_nrs\nP001,2026\n", "shorter or longer"),
        ("record_id,pain_date,pain_nrs\nP001,2026-01-19,6,7\n", "shorter or longer"),
    ],
)
def test_an_export_that_is_not_whole_is_refused(text: str, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        SOURCE.read([csv_reply(text)], ask(**PAIN))
