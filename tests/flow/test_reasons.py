"""All twelve states of a day, each reached by its cause, through the simulator over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

import pytest
from support.simulated import simulated
from support.trial import Trial, trial

from warehouse import publish
from warehouse.publish import CheckFailed, open_published, stable_path
from warehouse.tables.derived import DAY_STATES

# state | when it is looked at | who | why
CAUSES = [
    ("outside_study", "settled", "P005", "withdrew"),
    ("paused", "in the pause", "P011", "the roster says so, and nothing came"),
    ("never_connected", "settled", "P006", "never consented"),
    ("consent_lost", "settled", "P004", "revoked it at the vendor"),
    ("fetch_failed", "outage", "P002", "replies cut short, for this participant alone"),
    ("vendor_outage", "outage", "P003", "503 for everybody of that vendor"),
    ("vendor_outage", "outage", "P008", "503 for everybody of that vendor"),
    ("pending_sync", "settled", "P003", "the day in progress"),
    ("minutes_lost", "settled", "P007", "synced later than the device remembers"),
    ("not_worn", "settled", None, "the device lay at home"),
    ("implausible", "settled", "P001", "5,000 steps in a minute"),
    ("insufficient_wear", "settled", None, "worn for part of the day"),
    ("valid", "settled", "P003", "worn"),
]
# What is not theirs is not blamed on them: nobody else has these states then.
ALONE = {"fetch_failed": {"P002"}, "outside_study": {"P005"}, "never_connected": {"P006"}}

States = dict[str, dict[str, set[str]]]  # when -> participant -> states of their days


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Trial, States]]:
    """Eleven participants over three weeks; built in a pause, when settled, and in an outage."""
    found: States = {}
    with (
        pytest.MonkeyPatch.context() as patch,
        simulated(11, 3) as sim,
        trial(tmp_path_factory.mktemp("reasons") / "study", sim, patch) as it,
    ):
        paused = sim.world.participant("P011")
        assert paused is not None
        assert paused.paused_from is not None
        settled = sim.world.settles_at
        in_the_pause = datetime.combine(paused.paused_from + timedelta(days=1), time(6), UTC)
        sim.arm("implausible", -1, {"user": "P001"}, steps=5000)
        it.enrol(in_the_pause)
        found["in the pause"] = looked_at(it, in_the_pause)
        found["settled"] = looked_at(it, settled)
        everybody = {"personality": "google"}
        sim.arm("503", -1, everybody, retry_after=3600)  # longer than a worker waits
        sim.arm("truncated", -1, {"user": "P002"})
        found["outage"] = looked_at(it, settled + timedelta(days=1))
        yield it, found


def looked_at(run: Trial, at: datetime) -> dict[str, set[str]]:
    """Each participant's states as of a pull at that instant."""
    run.pull(at)
    run.build()
    con = open_published(stable_path(run.store.home))
    query = "SELECT participant_id, list(DISTINCT day_state) FROM participant_day GROUP BY 1"
    return {who: set(states) for who, states in con.execute(query).fetchall()}


@pytest.mark.parametrize(("state", "when", "who", "why"), CAUSES)
def test_each_state_has_its_cause(run, state, when, who, why):
    states = run[1][when]
    assert state in (states[who] if who else set().union(*states.values())), why
    if state in ALONE:
        assert {one for one, of_theirs in states.items() if state in of_theirs} == ALONE[state]


def test_the_table_reaches_all_twelve():
    assert {state for state, *_ in CAUSES} == set(DAY_STATES)


def test_every_published_receipt_adds_up_and_a_build_that_does_not_is_refused(run):
    con = open_published(stable_path(run[0].store.home))
    rows = con.execute(
        "SELECT count(*), count(*) FILTER (received <> landed + rejected), sum(rejected) "
        "FROM ops.receipt"
    ).fetchall()
    assert rows[0][0] > 100
    assert rows[0][1] == 0
    passed = con.execute(
        "SELECT failures FROM ops.check_result WHERE check_name LIKE 'ops.receipt: received%'"
    ).fetchall()
    assert passed == [(0,)]
    with publish.building(run[0].store.home, "20260101T000000000000Z") as (built, _):
        built.execute(
            "INSERT INTO ops.receipt BY NAME SELECT 'P1' AS participant_id, 'fitbit' AS source, "
            "'steps' AS data_type, 'a' AS pull_id, TIMESTAMPTZ '2026-01-01 00:00+00' AS asked_at, "
            "3 AS received, 1 AS landed, 1 AS rejected, 'received' AS reason"
        )
        with pytest.raises(CheckFailed, match=r"received = landed \+ rejected: 1 rows"):
            publish.check(built)


def test_flagged_minutes_are_counted_and_not_dropped(run):
    con = open_published(stable_path(run[0].store.home))
    query = (
        "SELECT reason, sum(participants) FROM ops.implausible_day "
        "WHERE source = 'google_health' GROUP BY 1"
    )
    found = dict(con.execute(query).fetchall())
    assert found["minute_steps"] >= 1
    most = con.execute(
        "SELECT max(max_minute_steps) FROM day_metric WHERE participant_id = 'P001'"
    ).fetchall()
    assert most == [(5000,)]


def test_the_receipts_of_a_day_are_counted_by_what_became_of_them(run):
    con = open_published(stable_path(run[0].store.home))
    day = run[0].pulled_at[-1].date()
    found = con.execute(
        "SELECT source, reason, participants FROM ops.receipt_day "
        "WHERE asked_on = ? AND source <> 'redcap' ORDER BY ALL",
        [day],
    ).fetchall()
    legacy = [row for row in found if row[0] == "fitbit"]
    assert ("fitbit", "bad_reply", 1) in legacy
    # P001, P003, P005, P007, P008, P009 and P011: P004 has revoked, P006 never connected.
    assert [row for row in found if row[0] == "google_health"] == [
        ("google_health", "vendor_outage", 7)
    ]
