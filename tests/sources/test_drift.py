"""Schema drift: tolerated by the readers, told by field and kind, never by value."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from support.google import ask, reply, settings
from support.legacy import ask as legacy_ask
from support.legacy import reply as legacy_reply

from ingestion.drift import Drift, Shape, differences, drift_of
from ingestion.receipts import record_drift
from ingestion.source import source_named
from ingestion.sources import _google_shapes as shapes
from warehouse import register as reg
from warehouse.tables.quality import DRIFT_KINDS

SHAPE = Shape(
    {
        "items": [{"count": "int64", "level": "integer", "mean": "number", "note": "text"}],
        "kind": frozenset({"GOOD", "BAD"}),
        "rest": "any",
    }
)


def found(body: Any) -> dict[tuple[str, str], int]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return {(one.field_path, one.kind): n for one, n in drift_of("t", raw, SHAPE).items()}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {}),
        ({"items": [{"count": "12", "level": 3, "mean": 1, "note": "a"}], "kind": "GOOD"}, {}),
        ({"items": None, "kind": None, "rest": {"a": [1]}}, {}),
        ({"more": 1}, {("more", "new_field"): 1}),
        ({"items": [{"x": 1}, {"x": 2}]}, {("items[].x", "new_field"): 2}),
        ({"items": [{"count": 12}]}, {("items[].count", "text_as_number"): 1}),
        ({"items": [{"count": "NaN"}]}, {("items[].count", "not_a_number"): 1}),
        ({"items": [{"level": "12"}]}, {("items[].level", "number_as_text"): 1}),
        ({"items": [{"mean": "NaN"}]}, {("items[].mean", "not_a_number"): 1}),
        ({"items": [{"level": 1.5}]}, {("items[].level", "other_type"): 1}),
        ({"items": [{"mean": "much"}]}, {("items[].mean", "other_type"): 1}),
        ({"items": [{"note": 5}]}, {("items[].note", "text_as_number"): 1}),
        ({"items": [{"level": True}]}, {("items[].level", "other_type"): 1}),
        ({"items": {"a": 1}}, {("items", "other_type"): 1}),
        ([1], {("body", "other_type"): 1}),
        ({"kind": "UGLY"}, {("kind", "unknown_value"): 1}),
        ({"jane.doe@example.org": 1}, {("?", "new_field"): 1}),
        ({"1990-01-01": 1}, {("?", "new_field"): 1}),
        (b'{"items":[', {}),  # no JSON: the reader's trouble, and no drift
        (b"\xff\xfe", {}),
    ],
)
def test_each_difference_is_told_by_field_and_kind(body, expected):
    assert found(body) == expected
    assert {kind for _, kind in expected} <= set(DRIFT_KINDS)


def test_a_body_of_random_names_does_not_fill_the_table():
    told = found({f"a{n}": 1 for n in range(500)})
    assert len(told) == 51
    assert sum(told.values()) == 500


class Item(msgspec.Struct, rename={"how_many": "count"}):
    """What is read of an item: a missing count is 0, a null one stays; a note is a text."""

    how_many: str | int | None = 0
    note: str = ""


class Listed(msgspec.Struct):
    items: list[Item] = []


READ = Shape(SHAPE.spec, Listed)


def test_a_body_of_the_shape_is_decoded_once_for_its_values_too():
    items = [{"count": "12", "note": "a", "level": 3}, {"mean": 1.5}, {"count": None}]
    body = json.dumps({"items": items, "kind": "GOOD", "rest": [1]}).encode()
    decoded = READ.decoded(body)
    assert [(item.how_many, item.note) for item in decoded.items] == [
        ("12", "a"), (0, ""), (None, ""),
    ]  # fmt: skip
    assert READ.decoded(b"{}").items == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"items": [{"count": 12}]}, {("items[].count", "text_as_number"): 1}),
        ({"items": [{"x": 1}]}, {("items[].x", "new_field"): 1}),
        ({"kind": "UGLY"}, {("kind", "unknown_value"): 1}),
        # no drift, but not what `read_as` takes: its reader is to say so
        ({"items": [{"note": None}]}, {}),
        ({"items": [None]}, {}),
        ({"items": None}, {}),
        (b"{", {}),
    ],
)
def test_any_other_body_is_not_decoded_and_tells_what_differs(body, expected):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert READ.decoded(raw) is None
    told = differences("t", raw, READ)
    assert {(one.field_path, one.kind): n for one, n in told.items()} == expected


STEP = {"steps": {"interval": {"startTime": "2026-03-26T06:14:00Z"}, "count": "97"}}


def test_google_is_read_through_its_drift_which_is_counted():
    point = {"steps": {**STEP["steps"], "count": 97, "confidence": "HIGH"}}
    beats = {"startTime": "2026-03-26T06:14:00Z",
             "heartRate": {"beatsPerMinuteAvg": "71.5", "beatsPerMinuteMax": "NaN"}}  # fmt: skip
    replies = [
        settings(),
        reply("steps", {"dataPoints": [point]}),
        reply("heart-rate", {"rollupDataPoints": [beats]}),
        reply("paired-devices", {"pairedDevices": [], "drift": [["model", "new_field", 2]]}),
    ]
    reading = source_named("google_health").read(replies, ask())
    day = next(day for day in reading.days if day.activity_date == date(2026, 3, 26))
    assert day.step_count.tolist() == [97]
    assert day.wear_length.tolist() == [1]
    assert reading.drift == {
        Drift("steps", "dataPoints[].steps.count", "text_as_number"): 1,
        Drift("steps", "dataPoints[].steps.confidence", "new_field"): 1,
        Drift("heart-rate", "rollupDataPoints[].heartRate.beatsPerMinuteAvg", "number_as_text"): 1,
        Drift("heart-rate", "rollupDataPoints[].heartRate.beatsPerMinuteMax", "not_a_number"): 1,
        Drift("paired-devices", "model", "new_field"): 2,
    }


def test_a_reply_kept_in_part_keeps_what_drifted_without_its_value():
    listed = {"pairedDevices": [{"deviceType": "NECKLACE", "owner": "Jane", "batteryLevel": "54"}]}
    kept = shapes.kept_drift("paired-devices", json.dumps(listed).encode(), shapes.DEVICES)
    assert kept == {
        "drift": [
            ("pairedDevices[].batteryLevel", "number_as_text", 1),
            ("pairedDevices[].deviceType", "unknown_value", 1),
            ("pairedDevices[].owner", "new_field", 1),
        ]
    }
    assert shapes.kept_drift("paired-devices", b'{"pairedDevices":[]}', shapes.DEVICES) == {}


def test_legacy_numbers_as_text_are_read_and_counted():
    on = date(2026, 3, 26)
    body = {
        "activities-steps": [{"dateTime": "2026-03-26", "value": "97"}],
        "activities-steps-intraday": {
            "dataset": [{"time": "08:14:00", "value": "97", "mets": 10}],
            "datasetInterval": 1,
            "datasetType": "minute",
        },
    }
    heart = {"activities-heart": [], "activities-heart-intraday": {"dataset": []}}
    replies = [legacy_reply("steps", body, on), legacy_reply("heart", heart, on)]
    reading = source_named("fitbit").read(replies, legacy_ask(on, on))
    assert [day.step_count.tolist() for day in reading.days] == [[97]]
    places = "activities-steps-intraday.dataset[]"
    assert reading.drift == {
        Drift("steps", f"{places}.value", "number_as_text"): 1,
        Drift("steps", f"{places}.mets", "new_field"): 1,
    }


def test_what_every_pull_met_adds_up(store):
    first, second = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
    place = Drift("steps", "more", "new_field")
    for at, points in ((second, 3), (first, 4)):
        with store.register.begin() as con:
            record_drift(con, "fitbit", at, Counter({place: points}))
    assert store.register.rows(sa.select(reg.drift)) == [
        {"source": "fitbit", "data_type": "steps", "field_path": "more", "kind": "new_field",
         "points": 7, "first_seen_at": first, "last_seen_at": second}
    ]  # fmt: skip
