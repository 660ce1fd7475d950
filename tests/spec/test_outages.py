"""Whose gap it is: told by looking across the participants of a source."""

from transforms.activity.participant_day import derive_participant_day

DAY = "activity_date = '2026-01-12'"
FIRST_DAY = "activity_date = '2026-01-05'"
NOON = "2026-01-14 12:00+00"
MORNING = "2026-01-06 06:00+00"  # six hours after 5 January ended in London
PEOPLE = """
    participant_id
    --------------
    P01
    P02
    P03
    P04
"""
USUAL = {
    "participant": {
        "site": "southampton",
        "timezone": "Europe/London",
        "enrolled_on": "2026-01-02",
        "starts_on": "2026-01-05",
    },
    "connection": {
        "source": "google_health",
        "state": "active",
        "since": "2026-01-02 09:00+00",
        "first_asked_on": "2026-01-05",
        "last_pulled_at": "2026-01-14 11:00+00",
    },
    "receipt": {
        "source": "google_health",
        "data_type": "steps",
        "received": "0",
        "landed": "0",
        "rejected": "0",
    },
}


def test_a_failure_is_compared_with_the_pulls_of_the_same_hours(spec):
    # P01 and P02 failed with everybody in the night, and were not asked again; the others were.
    spec(
        derive_participant_day,
        as_of=NOON,
        where=DAY,
        participant=PEOPLE,
        connection=PEOPLE,
        receipt="""
            participant_id | pull_id | asked_at            | reason
            ---------------+---------+---------------------+--------------
            P01            | a       | 2026-01-13 02:00+00 | vendor_outage
            P02            | a       | 2026-01-13 02:00+00 | vendor_outage
            P03            | a       | 2026-01-13 02:00+00 | vendor_outage
            P04            | a       | 2026-01-13 02:00+00 | vendor_outage
            P03            | b       | 2026-01-13 08:00+00 | not_synced
            P04            | b       | 2026-01-13 08:00+00 | not_synced
        """,
        expect="""
            participant_id | day_state
            ---------------+--------------
            P01            | vendor_outage
            P02            | vendor_outage
            P03            | pending_sync
            P04            | pending_sync
        """,
    )


def test_one_who_fails_when_the_others_pulls_of_those_hours_did_not_is_ours(spec):
    spec(
        derive_participant_day,
        as_of=NOON,
        where=DAY,
        participant=PEOPLE,
        connection=PEOPLE,
        receipt="""
            participant_id | pull_id | asked_at            | reason
            ---------------+---------+---------------------+--------------
            P01            | b       | 2026-01-13 08:00+00 | vendor_outage
            P02            | a       | 2026-01-11 02:00+00 | vendor_outage
            P02            | b       | 2026-01-13 09:00+00 | not_synced
            P03            | a       | 2026-01-13 01:00+00 | vendor_outage
            P03            | b       | 2026-01-13 07:00+00 | not_synced
            P04            | b       | 2026-01-13 08:00+00 | not_synced
        """,
        expect="""
            participant_id | day_state
            ---------------+-------------
            P01            | fetch_failed
            P02            | pending_sync
            P03            | pending_sync
            P04            | pending_sync
        """,
    )


def daily(*participants: str, days: range = range(6, 12)) -> str:
    """Receipts with new steps on each of these days of January."""
    rows = [
        f"{who} | {day} | 2026-01-{day:02d} 20:00+00 | received"
        for who in participants
        for day in days
    ]
    return "participant_id | pull_id | asked_at | reason\n----\n" + "\n".join(rows)


STALLED = """
    participant_id | synced_at           | landed_sync_at
    ---------------+---------------------+--------------------
    P01            | 2026-01-12 10:00+00 | 2026-01-12 10:00+00
    P02            | 2026-01-12 11:00+00 | 2026-01-12 11:00+00
    P03            | 2026-01-12 09:00+00 | 2026-01-12 09:00+00
    P04            | 2026-01-08 09:00+00 | 2026-01-08 09:00+00
"""
THREE = {"wearables": {"stalled_participants": 3}}


def test_who_stopped_when_everybody_stopped_is_not_blamed(spec):
    # P04 had stopped four days before the others: that is their own.
    spec(
        derive_participant_day,
        as_of=NOON,
        where="activity_date IN ('2026-01-11', '2026-01-12')",
        protocol=THREE,
        participant=PEOPLE,
        connection=STALLED,
        receipt=daily("P01", "P02", "P03"),
        expect="""
            participant_id | activity_date | day_state
            ---------------+---------------+--------------
            P01            | 2026-01-11    | not_worn
            P01            | 2026-01-12    | vendor_outage
            P02            | 2026-01-11    | not_worn
            P02            | 2026-01-12    | vendor_outage
            P03            | 2026-01-11    | not_worn
            P03            | 2026-01-12    | vendor_outage
            P04            | 2026-01-11    | pending_sync
            P04            | 2026-01-12    | pending_sync
        """,
    )


PENDING = """
    participant_id | day_state
    ---------------+-------------
    P01            | pending_sync
    P02            | pending_sync
    P03            | pending_sync
    P04            | pending_sync
"""


def test_few_who_sync_daily_tell_nothing_of_the_vendor(spec):
    spec(
        derive_participant_day,
        as_of=NOON,
        where=DAY,
        protocol=THREE,
        participant=PEOPLE,
        connection=STALLED,
        receipt=daily("P01", "P02") + "\n" + daily("P03", days=range(6, 10)).split("\n", 2)[2],
        expect=PENDING,
    )


def test_while_nobody_has_asked_there_is_no_silence(spec):
    spec(
        derive_participant_day,
        as_of=NOON,
        where=DAY,
        protocol=THREE,
        participant=PEOPLE,
        connection="""
            participant_id | synced_at           | landed_sync_at      | last_pulled_at
            ---------------+---------------------+---------------------+--------------------
            P01            | 2026-01-12 10:00+00 | 2026-01-12 10:00+00 | 2026-01-13 10:59+00
            P02            | 2026-01-12 11:00+00 | 2026-01-12 11:00+00 | 2026-01-13 10:59+00
            P03            | 2026-01-12 09:00+00 | 2026-01-12 09:00+00 | 2026-01-13 10:59+00
            P04            | 2026-01-08 09:00+00 | 2026-01-08 09:00+00 | 2026-01-13 10:59+00
        """,
        receipt=daily("P01", "P02", "P03"),
        expect=PENDING,
    )


def test_one_sync_ends_the_silence(spec):
    spec(
        derive_participant_day,
        as_of=NOON,
        where=DAY,
        protocol=THREE,
        participant=PEOPLE,
        connection=STALLED.replace("P04            | 2026-01-08 09:00", "P04 | 2026-01-14 09:00"),
        receipt=daily("P01", "P02", "P03"),
        expect=PENDING,
    )


THREE_ASKED = """
    participant_id
    --------------
    P01
    P02
    P03
"""
THREE_ACTIVE = """
    participant_id | state
    ---------------+-------
    P01            | active
    P02            | active
    P03            | active
"""


def test_an_outage_of_half_of_a_sources_participants_is_the_vendors(spec):
    spec(
        derive_participant_day,
        as_of=MORNING,
        where=FIRST_DAY,
        participant=THREE_ASKED,
        connection=THREE_ACTIVE,
        receipt="""
            participant_id | source        | pull_id | asked_at            | reason
            ---------------+---------------+---------+---------------------+--------------
            P01            | google_health | a       | 2026-01-06 05:00+00 | vendor_outage
            P02            | google_health | b       | 2026-01-06 05:00+00 | not_synced
            P03            | fitbit        | c       | 2026-01-06 05:00+00 | not_synced
        """,
        expect="""
            participant_id | day_state
            ---------------+--------------
            P01            | vendor_outage
            P02            | pending_sync
            P03            | pending_sync
        """,
    )


def test_a_participant_who_is_no_longer_pulled_does_not_dilute_an_outage(spec):
    # P02 and P03 were last pulled two days earlier: today only P01 was asked for.
    spec(
        derive_participant_day,
        as_of=MORNING,
        where=FIRST_DAY,
        participant=THREE_ASKED,
        connection=THREE_ACTIVE,
        receipt="""
            participant_id | pull_id | asked_at            | reason
            ---------------+---------+---------------------+--------------
            P01            | c       | 2026-01-06 05:00+00 | vendor_outage
            P02            | a       | 2026-01-04 04:00+00 | received
            P03            | b       | 2026-01-04 04:00+00 | received
        """,
        expect="""
            participant_id | day_state
            ---------------+--------------
            P01            | vendor_outage
            P02            | pending_sync
            P03            | pending_sync
        """,
    )


def test_the_share_that_makes_an_outage_is_the_protocols(spec):
    spec(
        derive_participant_day,
        as_of=MORNING,
        where=FIRST_DAY,
        protocol={"wearables": {"outage_share_pct": 51}},
        participant=THREE_ASKED,
        connection=THREE_ACTIVE,
        receipt="""
            participant_id | pull_id | asked_at            | reason
            ---------------+---------+---------------------+--------------
            P01            | a       | 2026-01-06 05:00+00 | vendor_outage
            P02            | b       | 2026-01-06 05:00+00 | not_synced
        """,
        expect="""
            participant_id | day_state
            ---------------+-------------
            P01            | fetch_failed
            P02            | pending_sync
            P03            | pending_sync
        """,
    )
