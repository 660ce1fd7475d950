"""Real FHIR examples: the German PROM module, NLM's lforms, Google's android-fhir.

Expected values were read from the files by eye; their Observation gives the PHQ-9 as 27.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from support.fhir import answers, ask, read_path
from support.shared import shared_data

from ingestion.errors import BadInput
from ingestion.source import Ask
from ingestion.sources._fhir_files import items_of, read_resources, weights_of

PHQ9 = "Questionnaire/mii-qst-pro-phq-9"
LOINC_LL358 = {"LA6568-5": "0", "LA6569-3": "1", "LA6570-1": "2", "LA6571-9": "3"}


@pytest.fixture
def fhir() -> Path:
    return shared_data("fhir_questionnaires")


def asked(canonical: str, items: dict[str, str], **means: Any) -> Ask:
    one = {"instrument": "X", "items": items, "visit": "baseline"} | means
    return ask({"questionnaires": {canonical: one}}, ids={"Patient/example": "P014"})


def test_the_nine_items_of_the_phq9_response_are_3_each(fhir: Path) -> None:
    items = {f"PHQ.{n}": str(n) for n in range(1, 10)}
    told = asked(PHQ9, items, instrument="PHQ9", values=LOINC_LL358)
    reading = read_path(fhir / "mii_proms", told)  # its Questionnaire and Observation lie beside
    values = {row["item"]: row["value"] for row in reading.rows["response"]}
    assert values == dict.fromkeys("123456789", "3")
    score = json.loads(
        (fhir / "mii_proms/Observation-mii-exa-pro-phq-9-observation.json").read_text()
    )
    assert sum(map(int, values.values())) == score["valueQuantity"]["value"] == 27
    assert {row["answered_on"] for row in reading.rows["response"]} == {date(2023, 10, 1)}
    assert reading.notes == [f"{PHQ9}: answers that study.toml does not map: PHQ.10, PHQ.Score (1)"]


def test_its_questionnaire_gives_the_codes_no_number(fhir: Path) -> None:
    reading = read_path(fhir / "mii_proms", asked(PHQ9, {"PHQ.1": "1"}))
    assert reading.rows["response"] == []
    assert reading.counts["forms"].rejections == {"no_value_of_code": 1}


def test_the_quantity_of_a_score_is_its_number(fhir: Path) -> None:
    reading = read_path(fhir / "mii_proms", asked(PHQ9, {"PHQ.Score": "score"}))
    assert answers(reading) == {"P014 baseline X score 2023-10-01": "27"}


def test_the_weights_of_lforms_phq9(fhir: Path) -> None:
    name = "phq9.json"
    [questionnaire] = read_resources(name, (fhir / "lforms" / name).read_bytes())
    told = weights_of([questionnaire | {"url": "https://example.org/phq9"}], [], name)
    first = {one["code"]: one["value"] for one in told if one["linkId"] == "/44250-9"}
    assert first == LOINC_LL358


def test_items_below_answers_and_in_groups_are_found_in_order(fhir: Path) -> None:
    name = "qr-items-under-repeating-choice-item.json"
    [response] = read_resources(name, (fhir / "lforms" / name).read_bytes())
    found: dict[str, list[Any]] = {}
    for link, told in items_of(response, name):
        found.setdefault(link, []).extend(one.get("valueInteger") for one in told)
    assert found["/choice/int"] == [1, 2, 11, 22]
    assert found["/choice/group/int"] == [3, 4, 33, 44]
    assert found["/choice/choice/int"] == [5, 6, 7, 8, 55, 66, 77, 88]


def given(path: Path, folder: Path, **changes: Any) -> Path:
    """The response with what it lacks: whose it is, and of which questionnaire."""
    told = json.loads(path.read_text())
    told |= {"questionnaire": "https://example.org/q", "status": "completed"}
    copy = folder / path.name
    copy.write_text(json.dumps(told | {"subject": {"reference": "Patient/example"}} | changes))
    return copy


def test_hidden_items_are_answers_like_others(fhir: Path, tmp_path: Path) -> None:
    path = fhir / "lforms/hidden-item-questionnaire-response.R4.json"
    items = {"CE-HIDDEN": "1", "GROUP-HIDDEN/CE-HIDDEN": "2", "GROUP-VISIBLE/CE-VISIBLE": "3"}
    reading = read_path(given(path, tmp_path), asked("https://example.org/q", items))
    assert {row["item"]: row["value"] for row in reading.rows["response"]} == dict.fromkeys(
        "123", "2"
    )
    # as it is, it says of nobody whose answers these are
    as_it_is = read_path(path, asked("Questionnaire/calculatedExpression", items))
    assert as_it_is.counts["forms"].rejections == {"unknown_subject": 1}


def test_one_of_each_kind_of_answer(fhir: Path, tmp_path: Path) -> None:
    path = given(fhir / "lforms/questionnaire-response-allinone-cwe-userdata.json", tmp_path)
    items = {
        "/type1": "yes", "/type1b": "no", "/type2": "int", "/type3": "real", "/type10": "text",
        "/multiSelectCWE=c1": "c1", "/multiSelectCWE=c2": "c2", "/multiSelectCWE=c3": "c3",
        "/answer_item/answer_item_age": "age", "/nobody=c1": "asked_nobody",
    }  # fmt: skip
    reading = read_path(path, asked("https://example.org/q", items))
    assert {row["item"]: row["value"] for row in reading.rows["response"]} == {
        "yes": "1", "no": "0", "int": "0", "real": "-1.1", "text": "user typed value",
        "c1": "1", "c2": "1", "c3": "0", "age": "20", "asked_nobody": None,
    }  # fmt: skip


def test_repeated_answers_are_told_apart_by_their_number(fhir: Path, tmp_path: Path) -> None:
    path = given(fhir / "lforms/qr-items-under-repeating-choice-item.json", tmp_path)
    items = {"/choice/int#1": "a", "/choice/int#4": "d", "/choice/int#5": "e"}
    reading = read_path(path, asked("https://example.org/q", items))
    assert {row["item"]: row["value"] for row in reading.rows["response"]} == {
        "a": "1", "d": "22", "e": None,
    }  # fmt: skip
    several = read_path(path, asked("https://example.org/q", {"/choice/int": "a"}))
    assert several.counts["forms"].rejections == {"several_answers": 1}


def test_a_date_in_a_repeated_group(fhir: Path, tmp_path: Path) -> None:
    path = given(
        fhir / "android_fhir/repeated_group_response.json", tmp_path, authored="2024-06-04"
    )
    reading = read_path(path, asked("https://example.org/q", {"1-1": "day"}))
    assert answers(reading) == {"P014 baseline X day 2024-06-04": "2024-06-03"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("QuestionnaireResponse-mypain-no-url.json", "no_questionnaire"),
        ("repeated_group_response.json", "no_questionnaire"),
        ("QuestionnaireResponse-demographics-qr.json", "unknown_questionnaire"),
    ],
)
def test_a_response_to_nothing_that_is_mapped_is_refused(
    fhir: Path, name: str, reason: str
) -> None:
    reading = read_path(fhir / "android_fhir" / name, asked(PHQ9, {"PHQ.1": "1"}))
    assert (reading.rows["response"], reading.counts["forms"].rejections) == ([], {reason: 1})


def test_questionnaires_alone_are_no_answers(fhir: Path) -> None:
    with pytest.raises(BadInput, match="no QuestionnaireResponse among 1 files"):
        read_path(fhir / "lforms/phq9.json", asked(PHQ9, {"PHQ.1": "1"}))
