"""REDCap for tests: a small mapping, its project's metadata, and rows typed by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from ingestion.source import Ask, Reading, Reply
from ingestion.sources.redcap import SOURCE
from warehouse.study import EXAMPLE, Study, read_study

NOW = datetime(2026, 4, 1, 6, 0, tzinfo=UTC)
MAPPING: dict[str, Any] = {
    "events": {"baseline_arm_1": "baseline", "week_12_arm_1": "week_12"},
    "instruments": {
        "NPRS": {"date": "pain_date", "fields": {"1": "pain_nrs"}},
        "FABQ": {"date": "fabq_date", "fields_from": "fabq_{item}", "items": 3},
    },
    "sessions": {
        "form": "treatment_session",
        "held_on": "session_date",
        "attended": "session_attended",
        "therapist_id": "session_therapist",
    },
    "goals": {"form": "step_goal", "valid_from": "goal_from", "goal_steps": "goal_steps"},
    "roster": {
        "event": "baseline_arm_1", "site": "site", "arm": "arm", "therapist_id": "therapist",
        "timezone": "timezone", "enrolled_on": "enrolled_on", "starts_on": "starts_on",
        "withdrawn_on": "withdrawn_on", "age_years": "age", "sex": "sex",
        "depression_or_anxiety": "depanx",
    },
}  # fmt: skip
FORMS = {
    "enrollment": "record_id site arm therapist timezone enrolled_on starts_on withdrawn_on age "
    "sex depanx",
    "pain": "pain_date pain_nrs",
    "fear": "fabq_date fabq_1 fabq_2 fabq_3",
    "treatment_session": "session_date session_attended session_therapist",
    "step_goal": "goal_from goal_steps",
}
METADATA = [
    {"field_name": name, "form_name": form, "field_type": "text", "identifier": "",
     "text_validation_type_or_show_slider_number": ""}
    for form, names in FORMS.items() for name in names.split()
]  # fmt: skip
ENROLLED = {
    "site": "haifa", "arm": "etmi", "therapist": "T01", "timezone": "Asia/Jerusalem",
    "enrolled_on": "2026-01-12", "starts_on": "2026-01-20", "withdrawn_on": "", "age": "54",
    "sex": "female", "depanx": "1",
}  # fmt: skip


def study(**changes: Any) -> Study:
    example = read_study(EXAMPLE)
    return example.model_copy(update={"sources": {"redcap": MAPPING | changes}})


def ask(**changes: Any) -> Ask:
    return Ask(study(**changes), NOW)


def row(
    record: str = "P001", event: str = "week_12_arm_1", form: str = "", n: object = "", **cells: Any
) -> dict[str, Any]:
    keys = {"record_id": record, "redcap_event_name": event}
    return keys | {"redcap_repeat_instrument": form, "redcap_repeat_instance": n} | cells


def reply(
    body: object, data_type: str = "records", at: datetime = NOW, kind: str = "application/json"
) -> Reply:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply("redcap", None, data_type, "POST content=record", at, 200, kind, raw)


def read(*rows: dict[str, Any], **changes: Any) -> Reading:
    return SOURCE.read([reply(METADATA, "metadata"), reply(list(rows))], ask(**changes))


def answers(reading: Reading) -> list[tuple[Any, ...]]:
    names = ("participant_id", "visit", "instrument", "repeat", "item", "value", "answered_on")
    return [tuple(item[name] for name in names) for item in reading.rows["response"]]


def counted(reading: Reading, data_type: str) -> tuple[int, int, dict[str, int]]:
    count = reading.counts[data_type]
    assert count.received == count.landed + count.rejected
    return count.received, count.landed, count.rejections
