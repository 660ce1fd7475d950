"""A small, complete published study whose every figure was typed by hand.

Three participants over ten study days from Monday 2026-02-02. P001 (Haifa, ETMI) wears it every
day; P002 (Haifa, usual care) has a day of each kind; P003 (Southampton, ETMI) never connected.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from warehouse.home import Home
from warehouse.publish import building, publish
from warehouse.schema import table_of
from warehouse.study import EXAMPLE
from warehouse.tables import table_named

Row = dict[str, Any]
FIRST_DAY = date(2026, 2, 2)
BUILD_ID = "20260212T060000000000Z"
NOT_ELIGIBLE = ("outside_study", "paused", "fetch_failed", "vendor_outage", "pending_sync")


def home_of(path: Path) -> Home:
    return Home(path, f"sqlite:///{path}/register.sqlite", str(path / "lake"))


def write_study(path: Path, small_cell: int = 3) -> None:
    """The example study with its small-cell limit lowered to the size of this trial."""
    path.mkdir(parents=True, exist_ok=True)
    text = EXAMPLE.read_text(encoding="utf-8")
    assert "small_cell = 5" in text
    (path / "study.toml").write_text(text.replace("small_cell = 5", f"small_cell = {small_cell}"))


def publish_rows(path: Path, rows: dict[str, list[Row]], build_id: str = BUILD_ID) -> Path:
    """Publish both twins of a study of exactly these rows; returns the masked stable path."""
    home = home_of(path)
    with building(home, build_id) as (con, aside):
        for name, listed in {**rows, "ops.build": [_build(build_id)]}.items():
            table = table_named(name)
            arrow = table_of(table, listed)
            con.register("arriving", arrow)
            con.execute(f"INSERT INTO {table.full_name} SELECT * FROM arriving")
            con.unregister("arriving")
    return publish(home, build_id, aside)


def small_study(path: Path) -> Path:
    """Publish the typed trial of this module at `path`."""
    write_study(path)
    return publish_rows(path, typed_rows())


def typed_rows() -> dict[str, list[Row]]:
    """Every row of the trial, by table."""
    return {
        "participant": PARTICIPANTS,
        "goal": [],
        "treatment_session": [SESSION],
        "participant_day": [*_p001_days(), *_p002_days(), *_p003_days()],
        "adherence": ADHERENCE,
        "cohort_week": COHORT_WEEKS,
        "cohort_outcome": COHORT_OUTCOMES,
        "outcome": OUTCOMES,
        "scale": SCALES,
        "visit": VISITS,
        "ops.connection": CONNECTIONS,
        "ops.device": [DEVICE],
    }


def empty_rows() -> dict[str, list[Row]]:
    """A study that has begun with nobody in it."""
    return {"scale": SCALES, "visit": VISITS}


def day(participant: str, study_day: int, state: str, **more: Any) -> Row:
    """One person-day; steps, goal and the like as given, the flags as the state says."""
    return {
        "participant_id": participant,
        "activity_date": FIRST_DAY + timedelta(days=study_day - 1),
        "study_day": study_day,
        "study_week": (study_day - 1) // 7 + 1,
        "day_state": state,
        "eligible_day": state not in NOT_ELIGIBLE,
        "valid_day": state == "valid",
        "provisional": False,
        **more,
    }


def _p001_days() -> Iterable[Row]:
    for number in range(1, 8):
        yield day("P001", number, "valid", steps=5000, wear_minutes=900)
    goal: Row = {"goal_steps": 6000, "wear_minutes": 900}
    yield day("P001", 8, "valid", steps=6500, goal_met=True, **goal)
    yield day("P001", 9, "valid", steps=5100, goal_met=False, **goal)
    yield day("P001", 10, "valid", steps=7000, goal_met=True, provisional=True, **goal)


def _p002_days() -> Iterable[Row]:
    for number in range(1, 5):
        yield day("P002", number, "valid", steps=4000, wear_minutes=700)
    yield day("P002", 5, "not_worn", steps=0, wear_minutes=0)
    yield day("P002", 6, "insufficient_wear", steps=1200, wear_minutes=300)
    yield day("P002", 7, "valid", steps=3000, wear_minutes=610)
    yield day("P002", 8, "valid", steps=5200, goal_steps=5000, goal_met=True, wear_minutes=640)
    yield day("P002", 9, "minutes_lost", goal_steps=5000, provisional=True)
    yield day("P002", 10, "pending_sync", goal_steps=5000, provisional=True)


def _p003_days() -> Iterable[Row]:
    return (day("P003", number, "never_connected", provisional=True) for number in range(1, 11))


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _build(build_id: str) -> Row:
    return {
        "build_id": build_id, "built_at": _at("2026-02-12T06:00"),
        "as_of": _at("2026-02-12T05:00"), "data_to": date(2026, 2, 11), "study": "etmi-walk",
        "protocol_hash": "p", "code_version": "0", "input_hash": "i", "content_hash": "c",
        "masked": False,
    }  # fmt: skip


def _participant(code: str, site: str, arm: str, zone: str, **more: Any) -> Row:
    return {"participant_id": code, "site": site, "arm": arm, "timezone": zone,
            "enrolled_on": date(2026, 1, 30), "starts_on": FIRST_DAY, **more}  # fmt: skip


PARTICIPANTS = [
    _participant("P001", "haifa", "etmi", "Asia/Jerusalem"),
    _participant("P002", "haifa", "usual_care", "Asia/Jerusalem"),
    _participant("P003", "southampton", "etmi", "Europe/London"),
]
SESSION = {"participant_id": "P001", "source": "redcap", "session_number": 1,
           "held_on": date(2026, 2, 5), "attended": True, "therapist_id": "T01",
           "row_hash": "s"}  # fmt: skip
ADHERENCE = [
    {"participant_id": "P001", "study_days": 10, "eligible_days": 10, "valid_days": 10,
     "goal_days": 3, "goal_days_met": 2, "wear_adherence": 1.0, "goal_adherence_observed": 2 / 3,
     "goal_adherence_strict": 2 / 3, "steps_per_day": 5360.0, "last_day_state": "valid",
     "last_valid_on": date(2026, 2, 11)},
    {"participant_id": "P002", "study_days": 10, "eligible_days": 9, "valid_days": 6,
     "goal_days": 1, "goal_days_met": 1, "wear_adherence": 2 / 3, "goal_adherence_observed": 1.0,
     "goal_adherence_strict": 0.5, "steps_per_day": 4033.0, "last_day_state": "pending_sync",
     "last_valid_on": date(2026, 2, 9)},
    {"participant_id": "P003", "study_days": 10, "eligible_days": 10, "valid_days": 0,
     "goal_days": 0, "goal_days_met": 0, "wear_adherence": 0.0,
     "last_day_state": "never_connected"},
]  # fmt: skip


def _week(kind: str, cohort: str, week: int, **more: Any) -> Row:
    return {"cohort_kind": kind, "cohort": cohort, "study_week": week, "suppressed": not more,
            **more}  # fmt: skip


COHORT_WEEKS = [
    _week("all", "all", 1, participants=3, wear_adherence=0.57, valid_weeks=0.67,
          steps_per_day=4400.0, steps_ci_low=3100.0, steps_ci_high=5700.0),
    _week("all", "all", 2, participants=3, wear_adherence=0.5, goal_adherence_observed=0.75,
          goal_adherence_strict=0.6, valid_weeks=0.0, steps_per_day=5700.0, steps_ci_low=4600.0,
          steps_ci_high=6800.0),
    _week("site", "haifa", 1),
    _week("site", "southampton", 1),
    _week("arm", "etmi", 1, participants=2, wear_adherence=0.5, valid_weeks=0.5),
]  # fmt: skip
COHORT_OUTCOMES = [
    {"cohort_kind": "all", "cohort": "all", "visit": "baseline", "scale": "FUNC", "expected": 3,
     "received": 3, "suppressed": False, "mean_score": 48.0, "score_ci_low": 41.0,
     "score_ci_high": 55.0},
    {"cohort_kind": "all", "cohort": "all", "visit": "week_4", "scale": "FUNC", "expected": 3,
     "received": 3, "suppressed": False, "mean_score": 54.0, "score_ci_low": 46.0,
     "score_ci_high": 62.0, "mean_improvement": 6.0, "improvement_ci_low": 1.0,
     "improvement_ci_high": 11.0, "evaluable": 3, "responders": 2, "responder_share": 2 / 3,
     "responder_ci_low": 0.2077, "responder_ci_high": 0.9385},
    {"cohort_kind": "all", "cohort": "all", "visit": "baseline", "scale": "NPRS", "expected": 3,
     "received": 3, "suppressed": False, "mean_score": 6.0, "score_ci_low": 4.5,
     "score_ci_high": 7.5},
    {"cohort_kind": "all", "cohort": "all", "visit": "baseline", "scale": "FABQPA", "expected": 3,
     "suppressed": True},
]  # fmt: skip


def _outcome(code: str, visit: str, scale: str, status: str, **more: Any) -> Row:
    windows = {"baseline": (date(2026, 2, 2), date(2026, 1, 5), date(2026, 2, 2)),
               "week_4": (date(2026, 3, 2), date(2026, 2, 15), date(2026, 3, 15))}  # fmt: skip
    target, opens, closes = windows[visit]
    return {"participant_id": code, "visit": visit, "scale": scale, "target_on": target,
            "opens_on": opens, "closes_on": closes, "status": status, **more}  # fmt: skip


BASELINE = {"answered_on": date(2026, 2, 1)}
OUTCOMES = [
    _outcome("P001", "baseline", "FUNC", "received", score=50.0, baseline_score=50.0, mcid=5.0,
             **BASELINE),
    _outcome("P001", "week_4", "FUNC", "not_due", baseline_score=50.0, mcid=5.0),
    _outcome("P001", "baseline", "NPRS", "received", score=6.0, baseline_score=6.0, mcid=2.0,
             **BASELINE),
    _outcome("P001", "baseline", "FABQPA", "overdue", mcid=4.0),
    _outcome("P002", "baseline", "FUNC", "received", score=44.0, baseline_score=44.0, mcid=5.0,
             **BASELINE),
]  # fmt: skip


def _scale(code: str, label: str, high: float, better: str, mcid: float) -> Row:
    return {"scale": code, "instrument": code, "label": label, "low": 0.0, "high": high,
            "better": better, "mcid": mcid, "mcid_kind": "points"}  # fmt: skip


SCALES = [
    _scale("FUNC", "Function", 100.0, "higher", 5.0),
    _scale("NPRS", "Pain", 10.0, "lower", 2.0),
    _scale("FABQPA", "Fear-avoidance, physical activity", 24.0, "lower", 4.0),
]
VISITS = [
    {"visit": "baseline", "position": 0, "label": "Baseline", "week": 0},
    {"visit": "week_4", "position": 1, "label": "Week 4", "week": 4},
]
CONNECTIONS = [
    {"participant_id": "P001", "source": "google_health", "state": "active",
     "since": _at("2026-02-01T08:00"), "synced_at": _at("2026-02-12T04:30")},
    {"participant_id": "P002", "source": "google_health", "state": "revoked",
     "since": _at("2026-02-10T09:00"), "synced_at": _at("2026-02-10T07:15"),
     "next_step": "Ask the participant to connect again."},
]  # fmt: skip
DEVICE = {"participant_id": "P001", "source": "google_health", "device_id": "d1",
          "device_model": "Inspire 3", "battery_pct": 62, "last_sync_at": _at("2026-02-12T04:30"),
          "observed_at": _at("2026-02-12T05:00")}  # fmt: skip
