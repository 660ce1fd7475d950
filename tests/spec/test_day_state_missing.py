"""Why a day is not here: the states of a day whose data have not landed.

5 January 2026 ended in London on 6 January at 00:00 UTC; MORNING is six hours later.
"""

import pytest

from transforms.activity.participant_day import derive_participant_day

MORNING = "2026-01-06 06:00+00"
DAY = "activity_date = '2026-01-05'"
USUAL = {
    "participant": {
        "site": "southampton",
        "timezone": "Europe/London",
        "enrolled_on": "2026-01-02",
        "starts_on": "2026-01-05",
    },
    "connection": {"source": "google_health", "since": "2026-01-02 09:00+00"},
    "day_metric": {
        "source": "google_health",
        "activity_date": "2026-01-05",
        "era": "google_health",
        "day_end_at": "2026-01-06 00:00+00",
        "wear_method": "heart_rate",
        "max_minute_steps": "110",
        "row_hash": "h",
    },
}


def test_from_the_day_of_withdrawal_a_day_is_outside_the_study(spec):
    spec(
        derive_participant_day,
        as_of="2026-01-07 06:00+00",
        participant="""
            participant_id | withdrawn_on
            ---------------+-------------
            P01            | 2026-01-06
        """,
        connection="""
            participant_id | state
            ---------------+-------
            P01            | active
        """,
        expect="""
            participant_id | activity_date | day_state
            ---------------+---------------+--------------
            P01            | 2026-01-05    | pending_sync
            P01            | 2026-01-06    | outside_study
            P01            | 2026-01-07    | outside_study
        """,
    )


def test_a_pause_holds_from_its_first_to_its_last_day(spec):
    spec(
        derive_participant_day,
        as_of="2026-01-08 06:00+00",
        participant="""
            participant_id | paused_from | paused_to
            ---------------+-------------+-----------
            P01            | 2026-01-06  | 2026-01-07
            P02            | 2026-01-07  |
        """,
        connection="""
            participant_id | state
            ---------------+-------
            P01            | active
            P02            | active
        """,
        expect="""
            participant_id | activity_date | day_state
            ---------------+---------------+-------------
            P01            | 2026-01-05    | pending_sync
            P01            | 2026-01-06    | paused
            P01            | 2026-01-07    | paused
            P01            | 2026-01-08    | pending_sync
            P02            | 2026-01-05    | pending_sync
            P02            | 2026-01-06    | pending_sync
            P02            | 2026-01-07    | paused
            P02            | 2026-01-08    | paused
        """,
    )


def test_without_a_connection_the_participant_never_connected(spec):
    spec(
        derive_participant_day,
        as_of=MORNING,
        where=DAY,
        participant="""
            participant_id
            --------------
            P01
            P02
            P03
        """,
        connection="""
            participant_id | source        | state
            ---------------+---------------+----------------
            P02            | google_health | never_connected
            P02            | fitbit        | never_connected
            P03            | not_in_study  | active
        """,
        expect="""
            participant_id | day_state       | source | steps
            ---------------+-----------------+--------+------
            P01            | never_connected |        |
            P02            | never_connected |        |
            P03            | never_connected |        |
        """,
    )


def test_a_connection_the_participant_must_renew_is_consent_lost(spec):
    spec(
        derive_participant_day,
        as_of=MORNING,
        where=DAY,
        participant="""
            participant_id
            --------------
            P01
            P02
            P03
            P04
        """,
        connection="""
            participant_id | state
            ---------------+--------------
            P01            | revoked
            P02            | expired
            P03            | scope_missing
            P04            | wrong_account
        """,
        expect="""
            participant_id | day_state
            ---------------+-------------
            P01            | consent_lost
            P02            | consent_lost
            P03            | consent_lost
            P04            | consent_lost
        """,
    )


@pytest.mark.parametrize(
    ("as_of", "state"),
    [
        ("2026-01-05 12:00+00", "pending_sync"),
        ("2026-01-12 23:59:59+00", "pending_sync"),
        ("2026-01-13 00:00+00", "minutes_lost"),
    ],
)
def test_minutes_are_lost_when_the_devices_memory_of_7_days_is_over(spec, as_of, state):
    spec(
        derive_participant_day,
        as_of=as_of,
        where=DAY,
        participant="""
            participant_id
            --------------
            P01
        """,
        connection="""
            participant_id | state
            ---------------+-------
            P01            | active
        """,
        expect=f"""
            participant_id | day_state
            ---------------+----------
            P01            | {state}
        """,
    )


def test_how_long_a_device_remembers_minutes_is_the_protocols(spec):
    spec(
        derive_participant_day,
        as_of="2026-01-09 00:00+00",
        where=DAY,
        protocol={"wear": {"minute_memory_days": 3}},
        participant="""
            participant_id
            --------------
            P01
        """,
        connection="""
            participant_id | state
            ---------------+-------
            P01            | active
        """,
        expect="""
            participant_id | day_state
            ---------------+-------------
            P01            | minutes_lost
        """,
    )


def test_of_a_day_still_to_sync_nothing_is_shown_though_a_part_has_landed(spec):
    spec(
        derive_participant_day,
        as_of=MORNING,
        where=DAY,
        participant="""
            participant_id
            --------------
            P01
        """,
        connection="""
            participant_id | state  | landed_sync_at
            ---------------+--------+--------------------
            P01            | active | 2026-01-05 18:00+00
        """,
        day_metric="""
            participant_id | has_minutes | steps | wear_minutes | vendor_steps | moderate_minutes
            ---------------+-------------+-------+--------------+--------------+-----------------
            P01            | T           | 4000  | 700          | 4100         | 12
        """,
        expect="""
            day_state    | source | steps | wear_minutes | vendor_steps | moderate_minutes
            -------------+--------+-------+--------------+--------------+-----------------
            pending_sync |        |       |              |              |
        """,
    )


def test_of_a_day_never_synced_in_full_only_the_vendors_total_is_shown(spec):
    spec(
        derive_participant_day,
        as_of="2026-01-13 00:00+00",
        where=DAY,
        participant="""
            participant_id
            --------------
            P01
            P02
        """,
        connection="""
            participant_id | state  | landed_sync_at
            ---------------+--------+--------------------
            P01            | active | 2026-01-05 18:00+00
            P02            | active | 2026-01-05 18:00+00
        """,
        day_metric="""
            participant_id | has_minutes | steps | wear_minutes | vendor_steps | moderate_minutes
            ---------------+-------------+-------+--------------+--------------+-----------------
            P01            | T           | 4000  | 700          | 4600         | 12
            P02            | T           | 4000  | 700          |              | 12
        """,
        expect="""
            participant_id | day_state    | steps | vendor_steps | wear_minutes | moderate_minutes
            ---------------+--------------+-------+--------------+--------------+-----------------
            P01            | minutes_lost | 4600  | 4600         |              |
            P02            | minutes_lost |       |              |              |
        """,
    )


def test_outside_the_study_nothing_is_shown_even_of_a_day_that_landed(spec):
    spec(
        derive_participant_day,
        as_of=MORNING,
        where=DAY,
        participant="""
            participant_id | withdrawn_on
            ---------------+-------------
            P01            | 2026-01-05
        """,
        connection="""
            participant_id | state  | landed_sync_at
            ---------------+--------+--------------------
            P01            | active | 2026-01-06 05:00+00
        """,
        day_metric="""
            participant_id | has_minutes | steps | wear_minutes | vendor_steps | moderate_minutes
            ---------------+-------------+-------+--------------+--------------+-----------------
            P01            | T           | 4000  | 700          | 4100         | 12
        """,
        goal="""
            participant_id | version | valid_from | goal_steps | rule
            ---------------+---------+------------+------------+---------
            P01            | 1       | 2026-01-05 | 6000       | protocol
        """,
        expect="""
            day_state     | source | steps | wear_minutes | vendor_steps | goal_steps | goal_met
            --------------+--------+-------+--------------+--------------+------------+---------
            outside_study |        |       |              |              |            |
        """,
    )


def test_a_day_past_the_end_of_a_file_waits_for_the_next_export_however_long(spec):
    # The same gap of a tracker is lost once its memory of seven days is over.
    spec(
        derive_participant_day,
        as_of="2026-03-01 06:00+00",
        where="activity_date = '2026-01-06'",
        participant="""
            participant_id
            --------------
            P01
            P02
        """,
        connection="""
            participant_id | source        | state  | landed_sync_at
            ---------------+---------------+--------+--------------------
            P01            | fitabase      | active | 2026-01-06 00:00+00
            P02            | google_health | active | 2026-01-06 00:00+00
        """,
        day_metric="""
            participant_id | source        | era           | has_minutes | wear_minutes
            ---------------+---------------+---------------+-------------+-------------
            P01            | fitabase      | file          | T           | 700
            P02            | google_health | google_health | T           | 700
        """,
        expect="""
            participant_id | day_state    | eligible_day
            ---------------+--------------+-------------
            P01            | pending_sync | F
            P02            | minutes_lost | T
        """,
    )


@pytest.mark.parametrize(
    ("pulled_at", "state"),
    [
        ("2026-01-05 23:59+00", "fetch_failed"),
        ("2026-01-06 00:00+00", "minutes_lost"),
        ("", "minutes_lost"),
    ],
)
def test_a_day_that_nobody_asked_for_since_it_ended_is_our_fault(spec, pulled_at, state):
    spec(
        derive_participant_day,
        as_of="2026-01-20 06:00+00",
        where=DAY,
        participant="""
            participant_id
            --------------
            P01
        """,
        connection=f"""
            participant_id | state  | last_pulled_at
            ---------------+--------+---------------
            P01            | active | {pulled_at}
        """,
        expect=f"""
            participant_id | day_state
            ---------------+----------
            P01            | {state}
        """,
    )
