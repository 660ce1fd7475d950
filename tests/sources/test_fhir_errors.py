"""FHIR questionnaires: files and settings that cannot be used, and an import from end to end."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.fhir import MAPPING, NOW, PAIN, ask, item, read, read_path, response
from support.studies import new_store

from ingestion.errors import BadInput, Misconfigured
from ingestion.importing import import_files
from warehouse import register as reg
from warehouse.tables.landed import response as response_table


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", r"r\.json: not whole JSON"),
        ('{"resourceType": "Bundle", "entry": [', r"r\.json: not whole JSON"),
        ("<Bundle/>\n<Bundle/>", r"r\.json: not whole JSON"),
        ('{"resourceType": "Patient"}\n{"resour', r"r\.json: line 2: not whole JSON"),
        ('{"id": 1}', r"r\.json: no FHIR resource"),
        ("[[]]", r"r\.json: no FHIR resource"),
        ("7", r"r\.json: no FHIR resource"),
        ('{"resourceType": "Patient"}', r"no QuestionnaireResponse among 1 files"),
        ("[" * 100_000, r"r\.json: (its JSON is nested too deep|not whole JSON)"),
        ('{"a":' * 100_000, r"r\.json: (its JSON is nested too deep|not whole JSON)"),
    ],
    ids=range(10),
)
def test_a_file_that_is_no_fhir_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(BadInput, match=told):
        read_path(path, ask())


def nested(levels: int) -> dict[str, Any]:
    below = item("pain_now", valueInteger=6)
    for _ in range(levels - 1):
        below = {"linkId": "g", "item": [below]}
    return response(below)


def test_groups_may_be_64_deep_and_no_deeper(tmp_path: Path) -> None:
    assert len(read(tmp_path, nested(64)).rows["response"]) == 1
    with pytest.raises(BadInput, match=r"responses\.json: items are nested deeper than 64"):
        read(tmp_path, nested(65))


def test_a_path_that_holds_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no file or folder"):
        read_path(tmp_path / "nowhere", ask())
    with pytest.raises(BadInput, match=r"no FHIR files in this folder; readable: \.json"):
        read_path(tmp_path, ask())


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        ({}, r"sources\.fhir\.questionnaires: Field required"),
        (MAPPING | {"visit": "x"}, r"sources\.fhir\.visit: Extra inputs"),
        (
            MAPPING | {"encounters": {"E/1": "week_3"}},
            r"encounters\.E/1: unknown visit 'week_3'; known: baseline, week_4",
        ),
        (
            {"questionnaires": {PAIN: {"instrument": "N", "items": {"a": "1"}, "visit": "w"}}},
            r"visit: unknown visit 'w'",
        ),
        (
            {"questionnaires": {PAIN: {"instrument": "N", "items": {"a": "1", "b": "1"}}}},
            "two linkIds are item '1'",
        ),
        ({"questionnaires": {PAIN: {"instrument": "N", "items": {}}}}, r"items: .*at least 1"),
    ],
)
def test_a_mapping_that_is_wrong_names_its_key(
    tmp_path: Path, mapping: dict[str, Any], told: str
) -> None:
    with pytest.raises(Misconfigured, match=told):
        read(tmp_path, response(), mapping=mapping)


def test_a_study_without_a_mapping_says_so() -> None:
    told = ask()
    told.study.sources.clear()
    with pytest.raises(Misconfigured, match=r"\[sources\.fhir\] is missing"):
        read_path(Path("nowhere"), told)


TOML = f"""
[sources.fhir.questionnaires."{PAIN}"]
instrument = "NPRS"
items = {{ "pain_now" = "1" }}
"""
PERSON = {
    "participant_id": "P014", "site": "haifa", "timezone": "Asia/Jerusalem",
    "enrolled_on": NOW.date().replace(month=3, day=1), "batch": 0,
    "starts_on": NOW.date().replace(month=3, day=2),
}  # fmt: skip


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_imports_the_newer_word_stays(tmp_path: Path, turned: bool) -> None:
    store = new_store(tmp_path / "home", TOML)
    store.register.put(reg.participant, [PERSON])
    first = response(meta={"lastUpdated": "2026-03-26T10:00:00Z"})
    later = response(item("pain_now", valueInteger=3), meta={"lastUpdated": "2026-03-28T10:00:00Z"})
    for n, told in enumerate([later, first] if turned else [first, later]):
        path = tmp_path / f"{n}.json"
        path.write_text(json.dumps(told))
        for _ in range(2):  # twice is once
            report = import_files(store, "fhir", path, now=NOW + timedelta(hours=n))
        assert "forms: 1 received = 1 landed + 0 rejected" in str(report)
    rows = store.lake.read_rows(response_table).to_pylist()
    assert [(row["visit"], row["value"]) for row in rows] == [("week_4", "3")]
    receipts = store.register.rows(sa.select(reg.receipt))
    assert {(r["participant_id"], r["source"], r["data_type"]) for r in receipts} == {
        ("P014", "fhir", "forms")
    }
