"""When several reasons fit a day, the first in the list is its state."""

import pytest

from transforms.activity.participant_day import derive_participant_day
from warehouse.tables.derived import DAY_STATES

DAY = "activity_date = '2026-01-05'"
LATER = "2026-01-20 06:00+00"  # past the device's memory of that day
USUAL = {
    "participant": {
        "site": "southampton",
        "timezone": "Europe/London",
        "enrolled_on": "2026-01-02",
        "starts_on": "2026-01-05",
    },
    "connection": {"source": "google_health", "since": "2026-01-02 09:00+00"},
    "receipt": {
        "source": "google_health",
        "received": "0",
        "landed": "0",
        "rejected": "0",
        "pull_id": "a",
        "asked_at": "2026-01-06 05:00+00",
    },
    "day_metric": {
        "source": "google_health",
        "activity_date": "2026-01-05",
        "era": "google_health",
        "day_end_at": "2026-01-06 00:00+00",
        "wear_method": "heart_rate",
        "row_hash": "h",
    },
}


def test_of_a_day_not_landed_each_reason_goes_before_the_next(spec):
    spec(  # P01 has every reason, and each below it one fewer
        derive_participant_day,
        as_of=LATER,
        where=DAY,
        participant="""
            participant_id | withdrawn_on | paused_from
            ---------------+--------------+------------
            P01            | 2026-01-05   | 2026-01-05
            P02            |              | 2026-01-05
            P03            |              |
            P04            |              |
            P05            |              |
            P06            |              |
        """,
        connection="""
            participant_id | state
            ---------------+--------
            P01            | revoked
            P02            | revoked
            P03            | revoked
            P04            | retired
            P05            | retired
            P06            | active
        """,
        receipt="""
            participant_id | data_type  | reason
            ---------------+------------+--------------
            P01            | steps      | our_fault
            P01            | heart_rate | vendor_outage
            P02            | steps      | our_fault
            P02            | heart_rate | vendor_outage
            P03            | steps      | our_fault
            P03            | heart_rate | vendor_outage
            P04            | steps      | our_fault
            P04            | heart_rate | vendor_outage
            P05            | heart_rate | vendor_outage
            P06            | steps      | not_synced
        """,
        expect="""
            participant_id | day_state
            ---------------+--------------
            P01            | outside_study
            P02            | paused
            P03            | consent_lost
            P04            | fetch_failed
            P05            | vendor_outage
            P06            | minutes_lost
        """,
    )


def test_a_pause_goes_before_never_having_connected(spec):
    spec(
        derive_participant_day,
        as_of=LATER,
        where=DAY,
        participant="""
            participant_id | paused_from
            ---------------+------------
            P01            | 2026-01-05
            P02            |
        """,
        expect="""
            participant_id | day_state
            ---------------+----------------
            P01            | paused
            P02            | never_connected
        """,
    )


def test_a_reason_of_today_goes_before_waiting_for_a_sync(spec):
    spec(
        derive_participant_day,
        as_of="2026-01-06 06:00+00",
        where=DAY,
        participant="""
            participant_id
            --------------
            P01
            P02
        """,
        connection="""
            participant_id | state
            ---------------+--------
            P01            | retired
            P02            | active
        """,
        receipt="""
            participant_id | data_type | reason
            ---------------+-----------+----------
            P02            | steps     | our_fault
        """,
        expect="""
            participant_id | day_state
            ---------------+--------------
            P01            | vendor_outage
            P02            | fetch_failed
        """,
    )


@pytest.mark.parametrize("state", ["active", "revoked", "retired"])
def test_a_day_that_has_landed_keeps_its_worth_whatever_happened_since(spec, state):
    spec(
        derive_participant_day,
        as_of=LATER,
        where=DAY,
        participant="""
            participant_id | paused_from
            ---------------+------------
            P01            | 2026-01-05
        """,
        connection=f"""
            participant_id | state   | landed_sync_at
            ---------------+---------+--------------------
            P01            | {state} | 2026-01-06 05:00+00
        """,
        receipt="""
            participant_id | data_type | reason
            ---------------+-----------+----------
            P01            | steps     | our_fault
        """,
        day_metric="""
            participant_id | has_minutes | wear_minutes | steps | max_minute_steps
            ---------------+-------------+--------------+-------+-----------------
            P01            | T           | 700          | 6000  | 110
        """,
        expect="""
            participant_id | day_state | steps
            ---------------+-----------+------
            P01            | valid     | 6000
        """,
    )


def test_of_a_day_that_has_landed_each_finding_goes_before_the_next(spec):
    spec(
        derive_participant_day,
        as_of=LATER,
        where=DAY,
        participant="""
            participant_id | withdrawn_on
            ---------------+-------------
            P01            | 2026-01-05
            P02            |
            P03            |
            P04            |
            P05            |
        """,
        connection="""
            participant_id | state  | landed_sync_at
            ---------------+--------+--------------------
            P01            | active | 2026-01-06 05:00+00
            P02            | active | 2026-01-06 05:00+00
            P03            | active | 2026-01-06 05:00+00
            P04            | active | 2026-01-06 05:00+00
            P05            | active | 2026-01-06 05:00+00
        """,
        day_metric="""
            participant_id | has_minutes | wear_minutes | steps | max_minute_steps | vendor_steps
            ---------------+-------------+--------------+-------+------------------+-------------
            P01            | T           | 700          | 6000  | 110              | 6000
            P02            | F           |              |       |                  | 6000
            P03            | T           | 5            | 50000 | 300              | 6000
            P04            | T           | 599          | 50000 | 300              | 6000
            P05            | T           | 599          | 6000  | 110              | 6000
        """,
        expect="""
            participant_id | day_state         | steps
            ---------------+-------------------+------
            P01            | outside_study     |
            P02            | minutes_lost      | 6000
            P03            | not_worn          | 50000
            P04            | implausible       | 50000
            P05            | insufficient_wear | 6000
        """,
    )


def test_the_states_are_these_in_this_order():
    assert DAY_STATES == (
        "outside_study", "paused", "never_connected", "consent_lost", "fetch_failed",
        "vendor_outage", "pending_sync", "minutes_lost", "not_worn", "implausible",
        "insufficient_wear", "valid",
    )  # fmt: skip
