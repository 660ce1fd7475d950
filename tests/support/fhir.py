"""FHIR for tests: a small mapping, and responses typed by hand."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ingestion.source import Ask, Reading
from ingestion.sources.fhir import SOURCE
from warehouse.study import EXAMPLE, Study, read_study

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PAIN = "https://example.org/Questionnaire/pain"
MAPPING: dict[str, Any] = {
    "questionnaires": {PAIN: {"instrument": "NPRS", "items": {"pain_now": "1"}}}
}


def study(mapping: dict[str, Any] = MAPPING) -> Study:
    return read_study(EXAMPLE).model_copy(update={"sources": {"fhir": mapping}})


def ask(mapping: dict[str, Any] = MAPPING, **changes: Any) -> Ask:
    told: dict[str, Any] = {
        "participants": ("P014", "P015"),
        "zones": {"P014": "Asia/Jerusalem"},
        "starts": {"P014": date(2026, 3, 2), "P015": date(2026, 3, 2)},
    }
    return Ask(study(mapping), NOW, **(told | changes))


def response(*items: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """P014's completed answer of 26 March 2026, study day 25, which is in week 4."""
    told = {
        "resourceType": "QuestionnaireResponse",
        "id": "r1",
        "questionnaire": PAIN,
        "status": "completed",
        "subject": {"identifier": {"value": "P014"}},
        "authored": "2026-03-26T09:12:40+02:00",
        "item": list(items) or [item("pain_now", valueInteger=6)],
    }
    return {name: value for name, value in (told | changes).items() if value is not None}


def item(link: str, *below: dict[str, Any], **answer: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"linkId": link, "text": "How is your pain?"}
    if answer:
        told["answer"] = [answer]
    return told | ({"item": list(below)} if below else {})


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    entries = [{"resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries}


def read_path(path: Path, told: Ask) -> Reading:
    return SOURCE.read(list(SOURCE.fetch(path, told)), told)


def read(folder: Path, *resources: dict[str, Any], **changes: Any) -> Reading:
    """The reading of a bundle of these resources, in a file of its own."""
    path = folder / "responses.json"
    path.write_text(json.dumps(bundle(*resources)))
    reading = read_path(path, ask(**changes))
    count = reading.counts["forms"]
    assert count.received == count.landed + count.rejected
    return reading


def answers(reading: Reading) -> dict[str, str | None]:
    """`P014 week_4 NPRS 1 2026-03-26` -> value."""
    names = ("participant_id", "visit", "instrument", "item", "answered_on")
    return {" ".join(str(r[n]) for n in names): r["value"] for r in reading.rows["response"]}
