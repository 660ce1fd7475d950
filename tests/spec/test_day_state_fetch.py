"""Whose fault it is that a day is not here: the newest pull tells ours from the vendor's.

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
    "receipt": {
        "source": "google_health",
        "data_type": "steps",
        "received": "0",
        "landed": "0",
        "rejected": "0",
    },
}


@pytest.mark.parametrize("reason", ["misconfigured", "our_fault", "bad_reply", "rate_limited"])
def test_a_pull_that_failed_for_our_reasons_is_fetch_failed(spec, reason):
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
            participant_id | state
            ---------------+-------
            P01            | active
        """,
        receipt=f"""
            participant_id | data_type  | pull_id | asked_at            | reason
            ---------------+------------+---------+---------------------+---------
            P01            | heart_rate | a       | 2026-01-06 05:00+00 | {reason}
            P01            | steps      | a       | 2026-01-06 05:01+00 | received
        """,
        expect="""
            participant_id | day_state
            ---------------+-------------
            P01            | fetch_failed
        """,
    )


@pytest.mark.parametrize("reason", ["received", "nothing_new", "not_synced", "no_data"])
def test_a_pull_that_only_found_nothing_leaves_the_day_pending(spec, reason):
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
            participant_id | state
            ---------------+-------
            P01            | active
        """,
        receipt=f"""
            participant_id | pull_id | asked_at            | reason
            ---------------+---------+---------------------+---------
            P01            | a       | 2026-01-06 05:00+00 | {reason}
        """,
        expect="""
            participant_id | day_state
            ---------------+-------------
            P01            | pending_sync
        """,
    )


def test_only_the_newest_pull_of_the_chosen_source_counts(spec):
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
            participant_id | state
            ---------------+-------
            P01            | active
            P02            | active
            P03            | active
        """,
        receipt="""
            participant_id | source        | pull_id | asked_at            | reason
            ---------------+---------------+---------+---------------------+-----------
            P01            | google_health | z       | 2026-01-06 04:00+00 | our_fault
            P01            | google_health | a       | 2026-01-06 05:00+00 | not_synced
            P02            | google_health | z       | 2026-01-06 04:00+00 | not_synced
            P02            | google_health | a       | 2026-01-06 05:00+00 | our_fault
            P03            | google_health | a       | 2026-01-06 04:00+00 | not_synced
            P03            | fitbit        | b       | 2026-01-06 05:00+00 | our_fault
        """,
        expect="""
            participant_id | day_state
            ---------------+-------------
            P01            | pending_sync
            P02            | fetch_failed
            P03            | pending_sync
        """,
    )


def test_a_source_that_was_switched_off_is_the_vendors_outage(spec):
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
            participant_id | state
            ---------------+--------
            P01            | retired
        """,
        expect="""
            participant_id | day_state
            ---------------+--------------
            P01            | vendor_outage
        """,
    )
