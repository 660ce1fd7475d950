"""The typed trial with every page's topic in one file, and people of it whom few may know.

What a masked viewer may not know bears the words of HIDDEN, what a viewer of Haifa alone may not
know those of FOREIGN: a test looks for them in whatever reached that viewer.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from support import landed_minutes
from support.published import Row, day, home_of, publish_rows, typed_rows, write_study
from support.published_monitoring import monitored_rows
from support.published_story import story_rows
from support.published_today import today_rows

from warehouse import register as reg
from warehouse.contacts import Contact, log_contact
from warehouse.register import Register

AT = datetime(2026, 2, 12, 5, tzinfo=UTC)
# Viewers of one site, of either kind, which the example protocol has none of.
SITE_ROLES = """
[[roles]]
code = "haifa_coordinator"
sees_arms = false
sites = ["haifa"]
may = ["contact", "enrol", "export", "audit", "staff"]
[[roles]]
code = "haifa_statistician"
sees_arms = true
sites = ["haifa"]
may = ["export", "audit"]
"""
THERAPIST = "THER-91734"
HIDDEN = (THERAPIST, "usual_care", "Usual physiotherapy", "Arm: ")
FOREIGN = ("P003", "Stranger 4711")


def write_roles(path: Path) -> None:
    """Add the roles of one site to the study.toml of `path`."""
    file = path / "study.toml"
    file.write_text(file.read_text(encoding="utf-8") + SITE_ROLES, encoding="utf-8")


def rich_rows() -> dict[str, list[Row]]:
    """Every row, by table: the story, the monitoring and the work of one trial."""
    typed, rows = typed_rows(), {}
    for topic in (story_rows(), monitored_rows(), today_rows()):
        rows |= {name: listed for name, listed in topic.items() if listed != typed.get(name)}
    rows = {**typed, **rows, "ops.connection": CONNECTIONS}
    days = [one for one in rows["participant_day"] if one["participant_id"] != "P003"]
    session = {"participant_id": "P001", "source": "redcap", "session_number": 2,
               "held_on": date(2026, 2, 6), "attended": True, "therapist_id": THERAPIST,
               "row_hash": "hidden"}  # fmt: skip
    rows["treatment_session"] = [*rows["treatment_session"], session]
    rows["participant_day"] = [*days, *_strangers_days()]
    rows["ops.device"] = [*rows["ops.device"], _strangers_device()]
    rows["cohort_week"] = [*rows["cohort_week"], *ARM_WEEKS]
    rows["ops.check_result"] = [{"check_name": "no day of a person twice", "failures": 0}]
    return rows


CONNECTIONS = [
    *today_rows()["ops.connection"],
    {"participant_id": "P003", "source": "google_health", "state": "revoked", "since": AT,
     "synced_at": AT, "next_step": "Ask Stranger 4711."},
]  # fmt: skip

ARM_WEEKS = [
    {"cohort_kind": "arm", "cohort": arm, "study_week": 1, "participants": 10, "suppressed": False,
     "wear_adherence": wear, "valid_weeks": 0.5}
    for arm, wear in (("etmi", 0.7), ("usual_care", 0.6))
]  # fmt: skip


def _strangers_days() -> list[Row]:
    worn: dict[str, Any] = {"device_model": "Stranger 4711", "source": "google_health",
                            "era": "google_health", "wear_minutes": 777}  # fmt: skip
    return [day("P003", number, "valid", steps=7000 + number, **worn) for number in range(1, 11)]


def _strangers_device() -> Row:
    return {"participant_id": "P003", "source": "google_health", "device_id": "d3",
            "device_model": "Stranger 4711", "battery_pct": 8, "last_sync_at": AT,
            "observed_at": AT}  # fmt: skip


def rich_study(path: Path) -> Path:
    """Publish it at `path` with the roles of one site, a lake of minutes and a register."""
    write_study(path)
    write_roles(path)
    publish_rows(path, rich_rows())
    landed_minutes.enrol(path, "P001", "P002", "P003")
    landed_minutes.put(path, landed_minutes.minutes(), landed_minutes.minutes("P003"))
    with closing(Register(home_of(path).register_url)) as register:
        register.put(reg.participant, [_stranger()])
        for who, note in (("P001", "Called back."), ("P003", "Stranger 4711 said no.")):
            log_contact(
                register, Contact(who, ("not_synced",), AT, "noa", "phone", "reached", note)
            )
    return path


def _stranger() -> Row:
    at = {"site": "southampton", "timezone": "Europe/London", "batch": 0}
    return {"participant_id": "P003", **at, "enrolled_on": AT.date(), "starts_on": AT.date()}
