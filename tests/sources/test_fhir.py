"""FHIR questionnaires: which answers land, whose, and of which visit and day."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.fhir import MAPPING, NOW, PAIN, answers, ask, bundle, item, read, read_path, response

from ingestion.sources._fhir_forms import visits_on
from ingestion.sources.fhir import SOURCE
from warehouse.study import EXAMPLE, read_study

ON = "P014 week_4 NPRS 1 2026-03-26"


def means(**changes: Any) -> dict[str, Any]:
    """The mapping with other settings of its one questionnaire."""
    return {"mapping": {"questionnaires": {PAIN: MAPPING["questionnaires"][PAIN] | changes}}}


def refusals(folder: Path, *resources: dict[str, Any], **changes: Any) -> dict[str, int]:
    reading = read(folder, *resources, **changes)
    assert reading.rows["response"] == []
    return reading.counts["forms"].rejections


def test_a_completed_response_lands_its_answers(tmp_path: Path) -> None:
    reading = read(tmp_path, response())
    assert answers(reading) == {ON: "6"}
    [row] = reading.rows["response"]
    assert (row["source"], row["repeat"]) == ("fhir", 1)
    assert row["fetched_at"] == datetime(2026, 3, 26, 7, 12, 40, tzinfo=UTC)
    assert (reading.counts["forms"].received, reading.counts["forms"].landed) == (1, 1)
    assert reading.counts_of["P014"]["forms"] == reading.counts["forms"]


# How it is packed


def packed(folder: Path, name: str, text: str | bytes) -> dict[str, str | None]:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return answers(read_path(path, ask()))


def test_one_resource_a_list_a_bundle_and_ndjson_say_the_same(tmp_path: Path) -> None:
    second = response(id="r2", subject={"reference": "Patient/P015"})
    both = {ON: "6", "P015 week_4 NPRS 1 2026-03-26": "6"}
    assert packed(tmp_path, "one.json", json.dumps(response())) == {ON: "6"}
    assert packed(tmp_path, "bom.json", b"\xef\xbb\xbf" + json.dumps(response()).encode()) == {
        ON: "6"
    }
    assert packed(tmp_path, "list.json", json.dumps([response(), second], indent=1)) == both
    nested = bundle(bundle(response()), second)
    assert packed(tmp_path, "bundle.json", json.dumps(nested)) == both
    lines = f"{json.dumps(response())}\n\n{json.dumps(second)}\n"
    assert packed(tmp_path, "lines.ndjson", lines) == both


def test_a_folder_is_read_whole_below_too(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "a.json").write_text(json.dumps(response()))
    told = response(subject={"identifier": {"value": "P015"}}, id="r2")
    (tmp_path / "more/b.json").write_text(json.dumps(told))
    (tmp_path / "notes.md").write_text("not JSON")
    assert list(answers(read_path(tmp_path, ask()))) == [ON, "P015 week_4 NPRS 1 2026-03-26"]


# Whose


@pytest.mark.parametrize(
    "subject",
    [
        {"identifier": {"system": "urn:mrn", "value": "12-345"}},
        {"reference": "Patient/abc"},
        {"reference": "https://fhir.example.org/R4/Patient/abc/_history/3", "display": "Dana"},
    ],
)
def test_a_subject_is_looked_up_by_identifier_or_reference(
    tmp_path: Path, subject: dict[str, Any]
) -> None:
    ids = {"12-345": "P014", "abc": "P014"}
    assert answers(read(tmp_path, response(subject=subject), ids=ids)) == {ON: "6"}


@pytest.mark.parametrize(
    "changes", [{"subject": None}, {"subject": {"reference": ""}}, {"subject": {"display": "Dana"}},
                {"subject": {"identifier": {"value": "P999"}}}]
)  # fmt: skip
def test_a_subject_who_is_nobody_is_counted(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert refusals(tmp_path, response(**changes)) == {"unknown_subject": 1}
    assert read(tmp_path, response(**changes)).counts_of == {}


def test_a_subject_that_ids_lack_is_counted(tmp_path: Path) -> None:
    assert refusals(tmp_path, response(), ids={"other": "P014"}) == {"unknown_subject": 1}


# Which visit and day


@pytest.mark.parametrize(
    ("authored", "day"),
    [
        ("2026-03-26T23:30:00+02:00", "2026-03-26"),
        ("2026-03-26T00:30:00+02:00", "2026-03-26"),
        ("2026-03-26T23:30:00-08:00", "2026-03-26"),  # a traveller's own day
        ("2026-03-26T22:30:00Z", "2026-03-27"),  # in Jerusalem, still an hour before its summer
        ("2026-03-26T21:59:59.123456789Z", "2026-03-26"),
        ("2026-03-26", "2026-03-26"),
    ],
)
def test_the_day_is_local(tmp_path: Path, authored: str, day: str) -> None:
    # Clocks in Jerusalem go forward on Friday 27 March 2026 at 02:00: on the 26th UTC+2 holds.
    assert answers(read(tmp_path, response(authored=authored))) == {
        f"P014 week_4 NPRS 1 {day}": "6"
    }


def test_windows_have_no_day_nought() -> None:
    study, starts = read_study(EXAMPLE), date(2026, 3, 2)
    found = {n: visits_on(study, starts, starts + timedelta(days=n)) for n in (-28, -29, -1, 0, 1)}
    assert found == {
        -29: [], -28: ["baseline"], -1: ["baseline"], 0: ["baseline"], 1: [],
    }  # fmt: skip
    assert visits_on(study, starts, starts + timedelta(days=13)) == ["week_4"]  # opens on day 14
    assert visits_on(study, starts, starts + timedelta(days=12)) == []


def test_a_visit_is_stated_by_encounter_extension_or_the_questionnaire(tmp_path: Path) -> None:
    stated = {"url": "https://example.org/visit", "valueCode": "week_8"}
    mapping = MAPPING | {
        "encounters": {"Encounter/17": "discharge", "V-9": "week_12"},
        "visit_extension": "https://example.org/visit",
    }
    found = [
        next(iter(answers(read(tmp_path, response(**one), mapping=mapping)))).split()[1]
        for one in (
            {"encounter": {"reference": "Encounter/17"}},
            {"encounter": {"identifier": {"value": "V-9"}}},
            {"encounter": {"reference": "Encounter/18"}},
            {"extension": [{"url": "https://example.org/other"}, stated]},
        )
    ]
    assert found == ["discharge", "week_12", "week_4", "week_8"]
    always = read(tmp_path, response(authored=None), **means(visit="baseline"))
    assert answers(always) == {"P014 baseline NPRS 1 None": "6"}


@pytest.mark.parametrize(
    ("changes", "asked", "reason"),
    [
        ({"authored": None}, {}, "no_study_day"),
        ({}, {"starts": {}}, "no_study_day"),
        ({"authored": "2026-03-04"}, {}, "outside_visit_windows"),
        ({"authored": "2026-03"}, {}, "bad_time"),
        ({"authored": "26.3.2026 09:12"}, {}, "bad_time"),
    ],
)
def test_an_answer_of_no_visit_is_counted(
    tmp_path: Path, changes: dict[str, Any], asked: dict[str, Any], reason: str
) -> None:
    assert refusals(tmp_path, response(**changes), **asked) == {reason: 1}


def test_a_visit_that_the_study_has_not_is_counted(tmp_path: Path) -> None:
    stated = [{"url": "u", "valueString": "week_99"}]
    mapping = MAPPING | {"visit_extension": "u"}
    assert refusals(tmp_path, response(extension=stated), mapping=mapping) == {"unknown_visit": 1}


# Which word


@pytest.mark.parametrize(
    ("status", "reason"),
    [("in-progress", "not_completed"), ("stopped", "not_completed"), (None, "not_completed")],
)
def test_what_is_not_completed_lands_nothing(
    tmp_path: Path, status: str | None, reason: str
) -> None:
    assert refusals(tmp_path, response(status=status)) == {reason: 1}


def changed(value: int, at: str, **changes: Any) -> dict[str, Any]:
    meta = {"lastUpdated": f"2026-03-{at}:00Z"}
    return response(item("pain_now", valueInteger=value), meta=meta, **changes)


@pytest.mark.parametrize("turned", [False, True])
def test_the_newest_word_lands_whichever_comes_first(tmp_path: Path, turned: bool) -> None:
    told = [changed(6, "26T08:00"), changed(4, "28T08:00", status="amended")]
    reading = read(tmp_path, *(told[::-1] if turned else told))
    assert answers(reading) == {ON: "4"}
    assert reading.counts["forms"].rejections == {"replaced_by_newer": 1}
    assert reading.rows["response"][0]["fetched_at"] == datetime(2026, 3, 28, 8, tzinfo=UTC)


def test_the_same_response_twice_counts_once(tmp_path: Path) -> None:
    reading = read(tmp_path, response(), response())
    assert (answers(reading), reading.counts["forms"].rejections) == ({ON: "6"}, {"repeated": 1})


def test_no_word_is_newer_than_its_import(tmp_path: Path) -> None:
    [row] = read(tmp_path, changed(6, "26T08:00") | {"meta": {"lastUpdated": "2099-01-01"}}).rows[
        "response"
    ]
    assert row["fetched_at"] == NOW


def test_an_answer_taken_back_is_blank_until_there_is_another(tmp_path: Path) -> None:
    first = changed(6, "26T08:00")
    back = changed(6, "27T08:00", status="entered-in-error")
    reading = read(tmp_path, first, back)
    assert answers(reading) == {ON: None}
    assert reading.counts["forms"].rejections == {"entered_in_error": 1, "taken_back": 1}
    assert reading.rows["response"][0]["fetched_at"] == datetime(2026, 3, 27, 8, tzinfo=UTC)
    other = changed(3, "26T09:00", id="r2")
    assert answers(read(tmp_path, first, back, other)) == {ON: "3"}
    again = changed(5, "28T08:00", status="amended")
    assert answers(read(tmp_path, first, back, again)) == {ON: "5"}


def test_weights_may_lie_in_a_file_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(coded("LA2")))
    (tmp_path / "q.json").write_text(json.dumps(CODED))
    told = ask()
    replies = list(SOURCE.fetch(tmp_path, told))
    assert [one.name for one in replies] == ["a.json", "q.json"]
    assert answers(SOURCE.read(replies, told)) == {ON: "2.5"}


# Which value

CODED = {
    "resourceType": "Questionnaire",
    "url": PAIN,
    "version": "2",
    "item": [{"linkId": "group", "item": [{
        "linkId": "pain_now",
        "answerOption": [
            {"valueCoding": {"code": "LA1", "display": "none"},
             "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue",
                            "valueDecimal": 0}]},
            {"valueCoding": {"code": "LA2", "extension": [
                {"url": "http://hl7.org/fhir/StructureDefinition/itemWeight",
                 "valueDecimal": 2.5}]}},
        ],
    }]}],
}  # fmt: skip


def coded(code: str, **more: Any) -> dict[str, Any]:
    return response(item("pain_now", valueCoding={"code": code, "display": "hurts"} | more))


@pytest.mark.parametrize(("code", "value"), [("LA1", "0"), ("LA2", "2.5")])
def test_a_code_counts_what_its_questionnaire_says(tmp_path: Path, code: str, value: str) -> None:
    assert answers(read(tmp_path, coded(code), CODED)) == {ON: value}
    assert answers(read(tmp_path, CODED, coded(code) | {"questionnaire": f"{PAIN}|2"})) == {
        ON: value
    }
    elsewhere = {**CODED, "url": "https://example.org/Questionnaire/other"}
    assert refusals(tmp_path, coded(code), elsewhere) == {"no_value_of_code": 1}


@pytest.mark.parametrize("inside", [True, False])
def test_a_code_counts_what_a_value_set_says(tmp_path: Path, inside: bool) -> None:
    weight = {"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": 3}
    listed = {"include": [{"concept": [{"code": "LA3", "extension": [weight]}]}]}
    url = "https://example.org/v"
    values = {"resourceType": "ValueSet", "id": "v", "url": url, "compose": listed}
    at = "#v" if inside else "https://example.org/v|1"
    asks = {"resourceType": "Questionnaire", "url": PAIN,
            "item": [{"linkId": "pain_now", "answerValueSet": at}]}  # fmt: skip
    told = [{**asks, "contained": [values]}] if inside else [asks, values]
    assert answers(read(tmp_path, coded("LA3"), *told)) == {ON: "3"}


def test_a_code_counts_what_study_toml_says_first(tmp_path: Path) -> None:
    told = means(values={"LA1": "9", "mild": "2"})
    assert answers(read(tmp_path, coded("LA1"), CODED, **told)) == {ON: "9"}
    mild = response(item("pain_now", valueString=" mild "))
    assert answers(read(tmp_path, mild, **told)) == {ON: "2"}


def test_a_coding_may_carry_its_weight_or_be_a_number(tmp_path: Path) -> None:
    weight = {"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": 4.0}
    assert answers(read(tmp_path, coded("LA9", extension=[weight]))) == {ON: "4"}
    assert answers(read(tmp_path, coded("7"))) == {ON: "7"}


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ({"valueInteger": 6}, "6"),
        ({"valueDecimal": 6.5}, "6.5"),
        ({"valueDecimal": "6.50"}, "6.50"),
        ({"valueBoolean": True}, "1"),
        ({"valueBoolean": False}, "0"),
        ({"valueQuantity": {"value": 51.5, "unit": "points"}}, "51.5"),
        ({"valueDate": "2026-03-26"}, "2026-03-26"),
        ({"valueDateTime": "2026-03-26T09:00:00+02:00"}, "2026-03-26T09:00:00+02:00"),
        ({"valueString": "  "}, None),
        ({}, None),
    ],
)
def test_each_kind_of_answer(tmp_path: Path, answer: dict[str, Any], value: str | None) -> None:
    told = {"linkId": "pain_now", "answer": [answer]}
    other = item("age", valueInteger=50)
    mapping = means(items={"pain_now": "1", "age": "2"})
    found = read(tmp_path, response(told, other), **mapping)
    assert answers(found)[ON] == value


@pytest.mark.parametrize(
    "answer",
    [
        {"valueQuantity": {"value": 5, "comparator": "<"}},
        {"valueQuantity": {"unit": "points"}},
        {"valueAttachment": {"url": "scan.pdf"}},
        {"valueReference": {"reference": "Patient/1"}},
        {"valueInteger": [6]},
        {"valueBoolean": "yes"},
        {"valueDecimal": "NaN"},
    ],
)
def test_an_answer_of_another_kind_is_counted(tmp_path: Path, answer: dict[str, Any]) -> None:
    assert refusals(tmp_path, response(item("pain_now", **answer))) == {"answer_type": 1}


def test_a_blank_item_of_a_completed_form_lands_without_value(tmp_path: Path) -> None:
    mapping = means(items={"pain_now": "1", "pain_worst": "2"})
    assert answers(read(tmp_path, response(), **mapping)) == {
        ON: "6", "P014 week_4 NPRS 2 2026-03-26": None
    }  # fmt: skip


def test_a_mapping_that_meets_no_item_is_told(tmp_path: Path) -> None:
    assert refusals(tmp_path, response(), **means(items={"pain_nwo": "1"})) == {"no_mapped_item": 1}


def test_what_is_not_mapped_is_told(tmp_path: Path) -> None:
    more = response(item("pain_now", valueInteger=6), item("g", item("note", valueString="Dana")))
    assert read(tmp_path, more).notes == [f"{PAIN}: answers that study.toml does not map: note (1)"]
    other = read(tmp_path, response(questionnaire="https://example.org/other|1"))
    assert other.notes == [
        "not in [sources.fhir.questionnaires]: https://example.org/other|1 (1)",
        "unknown_questionnaire: responses.json response 1",
    ]


# What is kept


def test_no_name_wording_or_hospital_number_is_kept(tmp_path: Path) -> None:
    told = response(
        item("pain_now", valueInteger=6),
        item("remark", valueString="ask Dana"),
        id="levi-dana-1",
        contained=[{"resourceType": "Patient", "name": [{"family": "Levi", "given": ["Dana"]}]}],
        text={"status": "generated", "div": "<div>Dana Levi</div>"},
        subject={"identifier": {"value": "MRN-77"}, "display": "Dana Levi"},
        author={"display": "Dana Levi"},
    )
    patient = {"resourceType": "Patient", "id": "p", "name": [{"text": "Dana Levi"}]}
    path = tmp_path / "r.json"
    path.write_text(json.dumps(bundle(patient, told, CODED)))
    for ids in ({"MRN-77": "P014"}, None):
        [reply] = SOURCE.fetch(path, ask(ids=ids))
        kept = reply.body.decode().lower()
        words = ("dana", "levi", "mrn-77", "how is your", "hurts", "none", 'remark":')
        assert [word for word in words if word in kept] == []
