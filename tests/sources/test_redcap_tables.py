"""REDCap: treatment sessions, step goals and the roster."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from support.redcap import ENROLLED, MAPPING, NOW, counted, read, row


def session(n: object, record: str = "P001", **cells: Any) -> dict[str, Any]:
    return row(record, "baseline_arm_1", "treatment_session", n, **cells)


def test_a_session_is_numbered_by_its_instance() -> None:
    reading = read(
        session(2, session_date="2026-02-09", session_attended="0", session_therapist="T01"),
        session("1", session_date="2026-01-26", session_attended="1", session_therapist="T01"),
        session(3, session_date="", session_attended="", session_therapist=""),
    )
    names = ("session_number", "held_on", "attended", "therapist_id")
    assert [tuple(s[n] for n in names) for s in reading.rows["treatment_session"]] == [
        (1, date(2026, 1, 26), True, "T01"),
        (2, date(2026, 2, 9), False, "T01"),
    ]
    assert counted(reading, "sessions") == (2, 2, {})


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"session_date": "26.1.2026"}, "bad_date"),
        ({"session_attended": "maybe"}, "bad_value"),
        ({"session_therapist": "Dr Levi"}, "unknown_therapist_id"),
    ],
)
def test_a_session_that_cannot_be_read_is_refused(cells: dict[str, str], reason: str) -> None:
    reading = read(session(1, **cells))
    assert reading.rows["treatment_session"] == []
    assert counted(reading, "sessions") == (1, 0, {reason: 1})


def test_the_same_session_under_two_events_lands_once() -> None:
    again = session(1, session_date="2026-02-02") | {"redcap_event_name": "week_12_arm_1"}
    reading = read(again, session(1, session_date="2026-01-26"))
    assert [s["held_on"] for s in reading.rows["treatment_session"]] == [date(2026, 1, 26)]
    assert counted(reading, "sessions") == (2, 1, {"repeated_session": 1})


def goal(n: int, valid_from: str, steps: str, record: str = "P001") -> dict[str, Any]:
    return row(record, "baseline_arm_1", "step_goal", n, goal_from=valid_from, goal_steps=steps)


def test_goals_are_numbered_by_their_first_day_and_end_before_the_next() -> None:
    reading = read(
        goal(1, "2026-02-24", "6000"), goal(2, "2026-02-03", "5500"),
        goal(1, "2026-02-05", "7000", record="P002"),
    )  # fmt: skip
    names = ("participant_id", "version", "valid_from", "valid_to", "goal_steps", "rule")
    assert [tuple(g[n] for n in names) for g in reading.rows["goal"]] == [
        ("P001", 1, date(2026, 2, 3), date(2026, 2, 23), 5500, "protocol"),
        ("P001", 2, date(2026, 2, 24), None, 6000, "protocol"),
        ("P002", 1, date(2026, 2, 5), None, 7000, "protocol"),
    ]
    assert counted(reading, "goals") == (3, 3, {})


@pytest.mark.parametrize(("text", "rule"), [("", "protocol"), ("c", "coordinator")])
def test_a_field_may_say_how_a_goal_was_set(text: str, rule: str) -> None:
    reading = read(
        goal(1, "2026-02-03", "5500") | {"goal_rule": text},
        goals=MAPPING["goals"] | {"rule": "goal_rule"}, codes={"rule": {"c": "coordinator"}},
    )  # fmt: skip
    assert reading.rows["goal"][0]["rule"] == rule


def test_of_two_goals_of_one_day_the_later_one_was_meant() -> None:
    reading = read(goal(1, "2026-02-03", "5500"), goal(2, "2026-02-03", "6000"))
    assert [g["goal_steps"] for g in reading.rows["goal"]] == [6000]
    assert counted(reading, "goals") == (2, 1, {"replaced_same_day": 1})


@pytest.mark.parametrize(
    ("valid_from", "steps", "reason"),
    [
        ("", "6000", "no_valid_from"),
        ("2026-02-03", "", "no_goal_steps"),
        ("2026-02-03", "0", "bad_value"),
        ("2026-02-03", "6000.5", "bad_value"),
    ],
)
def test_a_goal_that_cannot_be_read_is_refused(valid_from: str, steps: str, reason: str) -> None:
    reading = read(goal(1, valid_from, steps))
    assert reading.rows["goal"] == []
    assert counted(reading, "goals") == (1, 0, {reason: 1})


def test_the_roster_is_read_at_its_event() -> None:
    reading = read(row(event="baseline_arm_1", **ENROLLED), row(**ENROLLED))
    assert reading.rows["participant"] == [
        {
            "participant_id": "P001", "site": "haifa", "arm": "etmi", "therapist_id": "T01",
            "timezone": "Asia/Jerusalem", "enrolled_on": date(2026, 1, 12),
            "starts_on": date(2026, 1, 20), "withdrawn_on": None,
            "depression_or_anxiety": True, "age_years": 54, "sex": "female", "fetched_at": NOW,
        }
    ]  # fmt: skip  # no paused_from: a column that is not mapped is not told of
    assert counted(reading, "roster") == (1, 1, {})


@pytest.mark.parametrize(
    ("cells", "name", "expected"),
    [
        ({"timezone": ""}, "timezone", "Asia/Jerusalem"),  # the site's
        ({"timezone": "", "site": "southampton", "therapist": "T05"}, "timezone", "Europe/London"),
        ({"arm": ""}, "arm", None),
        ({"depanx": ""}, "depression_or_anxiety", None),
        ({"depanx": "0"}, "depression_or_anxiety", False),
        ({"withdrawn_on": "2026-03-01"}, "withdrawn_on", date(2026, 3, 1)),
        ({"age": "120"}, "age_years", 120),
    ],
)
def test_what_the_roster_leaves_blank(cells: dict[str, str], name: str, expected: object) -> None:
    reading = read(row(event="baseline_arm_1", **(ENROLLED | cells)))
    assert reading.rows["participant"][0][name] == expected


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"enrolled_on": ""}, "not_enrolled"),
        ({"starts_on": ""}, "not_started"),
        ({"starts_on": "soon"}, "bad_date"),
        ({"site": ""}, "no_site"),
        ({"site": "leeds"}, "unknown_site"),
        ({"arm": "3"}, "unknown_arm"),
        ({"therapist": "Dr Levi"}, "unknown_therapist_id"),
        ({"timezone": "Israel Standard Time"}, "unknown_timezone"),
        ({"age": "17"}, "bad_value"),
        ({"sex": "1"}, "unknown_sex"),
        ({"depanx": "perhaps"}, "bad_value"),
    ],
)
def test_who_cannot_be_on_the_roster(cells: dict[str, str], reason: str) -> None:
    reading = read(row(event="baseline_arm_1", **(ENROLLED | cells)))
    assert reading.rows["participant"] == []
    assert counted(reading, "roster") == (1, 0, {reason: 1})


def test_a_projects_own_codes_become_the_studys() -> None:
    codes = {"arm": {"1": "etmi", "2": "usual_care"}, "sex": {"0": "female", "1": "male"}}
    reading = read(
        row(event="baseline_arm_1", **(ENROLLED | {"arm": "2", "sex": "1"})), codes=codes
    )
    assert [reading.rows["participant"][0][name] for name in ("arm", "sex")] == [
        "usual_care",
        "male",
    ]
