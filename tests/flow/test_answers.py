"""REDCap pulled, told of in receipts, and re-read, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from support.google import HASTE
from support.redcap import row
from support.scripted import Says, Script, scripted
from support.simulated import Simulated, simulated
from support.trial import vendor_environment

from ingestion import answers
from ingestion.answers import pull_answers, pull_roster
from ingestion.errors import BadReply, Misconfigured, SourceError
from ingestion.landing import land, land_roster, read_raw
from ingestion.reread import reread
from ingestion.source import Reading
from ingestion.sources.redcap import RedcapClient
from transforms.build import build_warehouse
from warehouse import register as reg
from warehouse.home import Store
from warehouse.publish import open_published, stable_path
from warehouse.register import LeaseBusy
from warehouse.tables import landed

AT = datetime(2026, 3, 1, 6, tzinfo=UTC)
PAGE = b"<!DOCTYPE html><html>REDCap is offline for maintenance</html>"
FORMS = {
    "roster": "record_id site arm therapist timezone enrolled_on starts_on withdrawn_on "
    "paused_from paused_to depanx age sex",
    "lcat": "func_date func_score",
    "nprs": "pain_date pain_nrs",
    "fabq": "fabq_date " + " ".join(f"fabq_{n}" for n in range(1, 17)),
    "rmdq24": "rmdq_date " + " ".join(f"rmdq_{n}" for n in range(1, 25)),
    "treatment_session": "session_date session_attended session_therapist",
    "step_goal": "goal_from goal_steps",
}
METADATA = [
    {"field_name": name, "form_name": form} for form, names in FORMS.items()
    for name in names.split()
]  # fmt: skip
ENROLLED = {"site": "haifa", "enrolled_on": "2026-01-12", "starts_on": "2026-01-20"}


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client that is used, without its waits."""
    monkeypatch.setattr(answers, "RedcapClient", partial(RedcapClient, patience=HASTE))


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """A REDCap whose next replies a test types with `say`."""
    with scripted(Says()) as server:
        monkeypatch.setenv("STEPWELL_REDCAP_URL", f"{server.url}/api/")
        monkeypatch.setenv("STEPWELL_REDCAP_TOKEN", "A" * 32)
        yield server


def say(project: Script, *rows: dict[str, Any]) -> None:
    """What a pull gets next: the metadata, then these rows."""
    project.replies = [Says(body=json.dumps(body).encode()) for body in (METADATA, [*rows])]


def enrol(store: Store, *participants: str) -> None:
    land_roster(
        store,
        [
            {"participant_id": one, "site": "haifa", "timezone": "Asia/Jerusalem",
             "enrolled_on": date(2026, 1, 12), "starts_on": date(2026, 1, 20)}
            for one in participants
        ],
    )  # fmt: skip


def goal(n: int, valid_from: str, steps: str, record: str = "P001") -> dict[str, Any]:
    return row(record, "baseline_arm_1", "step_goal", n, goal_from=valid_from, goal_steps=steps)


def goals(store: Store) -> list[tuple[Any, ...]]:
    names = ("participant_id", "version", "valid_from", "goal_steps")
    rows = store.lake.read_rows(landed.goal).to_pylist()
    return [tuple(row[name] for name in names) for row in rows]


def receipts(store: Store) -> list[tuple[Any, ...]]:
    rows = store.register.rows(sa.select(reg.receipt).order_by("participant_id", "data_type"))
    names = ("participant_id", "data_type", "received", "rejected", "reason")
    return [tuple(row[name] for name in names) for row in rows]


# What is withdrawn at the source


def test_a_form_moved_to_another_visit_is_at_that_visit_alone(
    store: Store, project: Script
) -> None:
    enrol(store, "P001", "P002")
    other = row("P002", "week_4_arm_1", pain_nrs="3")
    say(project, row(event="week_4_arm_1", pain_nrs="6"), other)
    pull_answers(store, 0, AT)
    say(project, row(event="week_8_arm_1", pain_nrs="6"), other)
    result = pull_answers(store, 0, AT + timedelta(hours=1))
    rows = store.lake.read_rows(landed.response).to_pylist()
    assert [(r["participant_id"], r["visit"]) for r in rows] == [
        ("P001", "week_8"), ("P002", "week_4"),
    ]  # fmt: skip
    assert (result.rows_new, result.rows_same, result.rows_removed) == (1, 1, 1)


def test_a_goal_deleted_at_the_source_leaves_no_stale_version(
    store: Store, project: Script
) -> None:
    enrol(store, "P001")
    three = [goal(1, "2026-01-27", "5000"), goal(2, "2026-02-10", "6000"),
             goal(3, "2026-02-24", "7000")]  # fmt: skip
    say(project, *three)
    pull_answers(store, 0, AT)
    assert [version for _, version, _, _ in goals(store)] == [1, 2, 3]
    say(project, three[0], three[2])
    pull_answers(store, 0, AT + timedelta(hours=1))
    expected = [("P001", 1, date(2026, 1, 27), 5000), ("P001", 2, date(2026, 2, 24), 7000)]
    assert goals(store) == expected
    reread(store, "redcap", progress=lambda line: None)  # the older reply too: it brings none back
    assert goals(store) == expected


def test_who_has_no_row_any_more_keeps_none(store: Store, project: Script) -> None:
    enrol(store, "P001")
    say(project, goal(1, "2026-01-27", "5000"))
    pull_answers(store, 0, AT)
    say(project)
    pull_answers(store, 0, AT + timedelta(hours=1))
    assert goals(store) == []


def test_a_project_that_tells_of_nobody_any_more_takes_nothing_away(
    store: Store, project: Script
) -> None:
    """As to a token whose user was moved to another data access group: [] with status 200."""
    enrol(store, "P001", "P002")
    say(project, goal(1, "2026-01-27", "5000"), goal(1, "2026-01-27", "6000", "P002"))
    pull_answers(store, 0, AT)
    expected = goals(store)
    say(project)
    with pytest.raises(Misconfigured, match="may the token's user still see their records"):
        pull_answers(store, 0, AT + timedelta(hours=1))
    assert {row[4] for row in receipts(store)} == {"received", "no_data", "misconfigured"}
    assert goals(store) == expected
    reread(store, "redcap", progress=lambda line: None)
    assert goals(store) == expected


def test_a_failed_pull_takes_nothing_away(store: Store, project: Script) -> None:
    enrol(store, "P001")
    say(project, goal(1, "2026-01-27", "5000"))
    pull_answers(store, 0, AT)
    project.replies = [Says(200, PAGE)]
    with pytest.raises(BadReply):
        pull_answers(store, 0, AT + timedelta(hours=1))
    assert goals(store) == [("P001", 1, date(2026, 1, 27), 5000)]


# Receipts and raw replies of what failed


@pytest.fixture
def served(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulated]:
    """The simulator's project of three, its roster pulled."""
    with simulated(3, 2) as sim:
        for name, value in vendor_environment(sim.url).items():
            monkeypatch.setenv(name, value)
        sim.set_clock(sim.world.settles_at)
        pull_roster(store, sim.now() - timedelta(hours=1))
        with store.register.begin() as con:
            con.execute(sa.delete(reg.receipt))
        yield sim


@pytest.mark.parametrize(
    ("fault", "args", "error", "reason"),
    [
        ("html_200", {}, BadReply, "bad_reply"),
        ("429", {"retry_after": 600}, SourceError, "rate_limited"),
        ("revoked", {}, Misconfigured, "misconfigured"),
        ("503", {}, SourceError, "vendor_outage"),
    ],
)
def test_a_project_that_fails_leaves_a_receipt_for_everyone(
    store: Store, served: Simulated, fault: str, args: dict[str, Any],
    error: type[SourceError], reason: str,
) -> None:  # fmt: skip
    served.arm(fault, -1, {"personality": "redcap"}, **args)
    with pytest.raises(error):
        pull_answers(store, 0, served.now())
    three = ("P001", "P002", "P003")
    types = ("goals", "responses", "sessions")
    assert receipts(store) == [(who, what, 0, 0, reason) for who in three for what in types]
    with pytest.raises(error):
        pull_roster(store, served.now() + timedelta(hours=1))
    told = [row for row in receipts(store) if row[1] == "roster"]
    assert told == [(who, "roster", 0, 0, reason) for who in three]


def test_the_body_that_broke_a_pull_is_kept_raw_and_never_read(
    store: Store, project: Script
) -> None:
    enrol(store, "P001")
    project.replies = [Says(body=json.dumps(METADATA).encode()), Says(200, PAGE)]
    with pytest.raises(BadReply):
        pull_answers(store, 0, AT)
    [(path, content)] = list(store.lake.raw("redcap"))
    assert path.endswith("-broken.zst")
    assert PAGE in content
    assert b"step_goal" in content  # the metadata that came before it
    assert list(read_raw(store.lake, "redcap")) == []


def test_a_setting_that_is_missing_is_on_the_receipts_too(
    store: Store, project: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol(store, "P001")
    monkeypatch.delenv("STEPWELL_REDCAP_TOKEN")
    with pytest.raises(Misconfigured):
        pull_answers(store, 0, AT)
    assert {reason for *_, reason in receipts(store)} == {"misconfigured"}


def test_who_is_refused_on_the_roster_has_a_receipt_and_a_rejection(
    store: Store, project: Script
) -> None:
    enrol(store, "P003")
    say(
        project,
        row("P001", "baseline_arm_1", **ENROLLED),
        row("P002", "baseline_arm_1", **(ENROLLED | {"starts_on": "soon"})),
    )
    assert pull_roster(store, AT) == [0]
    assert receipts(store) == [
        ("P001", "roster", 1, 0, "received"),
        ("P002", "roster", 1, 1, "received"),
        ("P003", "roster", 0, 0, "no_data"),  # on the register, and no longer in the project
    ]
    rows = store.register.rows(sa.select(reg.rejection))
    assert [(r["participant_id"], r["reason"], r["points"]) for r in rows] == [
        ("P002", "bad_date", 1)
    ]


# Reading again


def test_reading_again_passes_over_who_is_not_on_the_roster(store: Store, project: Script) -> None:
    enrol(store, "P001")
    say(project, goal(1, "2026-01-27", "5000"), goal(1, "2026-01-27", "5500", record="P009"))
    pull_answers(store, 0, AT)
    said: list[str] = []
    reread(store, "redcap", said.append)
    assert said == ["1 rows are of participants not on the roster: none of them landed"]


def test_reading_again_waits_for_the_pull_of_a_batch(store: Store, project: Script) -> None:
    enrol(store, "P001")
    say(project, goal(1, "2026-01-27", "5000"))
    pull_answers(store, 0, AT)
    with store.register.leased("pull redcap 0"), pytest.raises(LeaseBusy):
        reread(store, "redcap", progress=lambda line: None, wait=0)
    assert reread(store, "redcap", progress=lambda line: None, wait=0).rows_same == 1


# Goals of two sources


def test_goals_of_one_participant_come_from_one_source_and_redcap_goes_first(store: Store) -> None:
    enrol(store, "P001", "P002")

    def told(who: str, steps: int, version: int = 1) -> dict[str, Any]:
        return {"participant_id": who, "version": version, "valid_from": date(2026, 1, 27),
                "goal_steps": steps, "rule": "protocol", "fetched_at": AT}  # fmt: skip

    table = [told("P001", 9000), told("P001", 9500, 2), told("P002", 8000)]
    land(store, Reading(rows={"goal": table}), "table_export", "import")
    land(store, Reading(rows={"goal": [told("P001", 5000)]}), "redcap", "0000")
    build_warehouse(store, AT)
    con = open_published(stable_path(store.home))
    query = "SELECT participant_id, version, goal_steps FROM goal ORDER BY ALL"
    assert con.execute(query).fetchall() == [("P001", 1, 5000), ("P002", 1, 8000)]
