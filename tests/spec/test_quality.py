"""What is wrong with what came, counted by day."""

import pytest

from transforms.activity.participant_day import derive_participant_day
from transforms.quality import derive_implausible_day, derive_receipt_day, derive_rejection_day

USUAL = {
    "receipt": {"source": "fitbit", "data_type": "steps"},
    "participant_day": {
        "source": "fitbit", "study_day": "1", "study_week": "1", "eligible_day": "T",
        "valid_day": "F", "provisional": "F",
    },
    "day_metric": {
        "source": "fitbit", "day_minutes": "1440", "era": "legacy_fitbit", "row_hash": "h",
        "has_minutes": "T", "day_end_at": "2026-01-06 00:00+00",
    },
}  # fmt: skip


def test_receipts_are_counted_by_what_became_of_them(spec):
    spec(
        derive_receipt_day,
        into="receipt_day",
        receipt="""
            participant_id | pull_id | asked_at            | received | landed | rejected | reason
            ---------------+---------+---------------------+----------+--------+----------+---------
            P01            | a       | 2026-01-06 05:00+00 | 10       | 8      | 2        | received
            P01            | b       | 2026-01-06 06:00+00 | 5        | 5      | 0        | received
            P02            | a       | 2026-01-06 05:00+00 | 1        | 1      | 0        | received
            P03            | a       | 2026-01-06 05:00+00 | 0        | 0      | 0        | no_data
            P01            | c       | 2026-01-07 00:00+00 | 3        | 3      | 0        | received
        """,
        expect="""
            reason   | asked_on   | participants | receipts | received | landed | rejected
            ---------+------------+--------------+----------+----------+--------+---------
            received | 2026-01-06 | 2            | 3        | 16       | 14     | 2
            no_data  | 2026-01-06 | 1            | 1        | 0        | 0      | 0
            received | 2026-01-07 | 1            | 1        | 3        | 3      | 0
        """,
    )


def test_refusals_are_counted_by_reason(spec):
    spec(
        derive_rejection_day,
        into="rejection_day",
        rejection="""
            participant_id | source | data_type | pull_id | reason    | points | asked_at
            ---------------+--------+-----------+---------+-----------+--------+--------------------
            P01            | fitbit | steps     | a       | bad_value | 2      | 2026-01-06 05:00+00
            P02            | fitbit | steps     | a       | bad_value | 3      | 2026-01-06 05:00+00
            P01            | fitbit | steps     | b       | bad_value | 4      | 2026-01-06 06:00+00
            P01            | fitbit | steps     | b       | bad_time  | 1      | 2026-01-06 06:00+00
            P01            | fitbit | steps     | old     | bad_time  | 1      |
        """,
        expect="""
            source | data_type | reason    | asked_on   | participants | points
            -------+-----------+-----------+------------+--------------+-------
            fitbit | steps     | bad_value | 2026-01-06 | 2            | 9
            fitbit | steps     | bad_time  | 2026-01-06 | 1            | 1
        """,
    )


def test_days_that_nobody_walked_are_counted_by_the_bound_they_pass(spec):
    spec(
        derive_implausible_day,
        into="implausible_day",
        participant_day="""
            participant_id | activity_date | day_state   | steps
            ---------------+---------------+-------------+------
            P01            | 2026-01-05    | implausible | 50000
            P02            | 2026-01-05    | implausible | 9000
            P03            | 2026-01-05    | valid       | 9000
        """,
        day_metric="""
            participant_id | activity_date | steps | max_minute_steps
            ---------------+---------------+-------+-----------------
            P01            | 2026-01-05    | 50000 | 5000
            P02            | 2026-01-05    | 9000  | 251
            P03            | 2026-01-05    | 9000  | 250
        """,
        expect="""
            source | reason       | activity_date | participants
            -------+--------------+---------------+-------------
            fitbit | day_steps    | 2026-01-05    | 1
            fitbit | minute_steps | 2026-01-05    | 2
        """,
    )


@pytest.mark.parametrize(
    ("as_of", "provisional"),
    [("2026-01-25 23:59:59+00", "T"), ("2026-01-26 00:00:00+00", "F")],
)
def test_a_participant_whose_days_change_late_has_final_days_later(spec, as_of, provisional):
    spec(
        derive_participant_day,
        as_of=as_of,
        where="activity_date = '2026-01-05'",
        participant="""
            participant_id | site        | timezone      | enrolled_on | starts_on
            ---------------+-------------+---------------+-------------+-----------
            P01            | southampton | Europe/London | 2026-01-02  | 2026-01-05
        """,
        connection="""
            participant_id | source | state  | since               | landed_sync_at
            ---------------+--------+--------+---------------------+--------------------
            P01            | fitbit | active | 2026-01-02 09:00+00 | 2026-01-09 18:00+00
        """,
        lateness="""
            participant_id | source | lateness_days | changes | learned_at
            ---------------+--------+---------------+---------+--------------------
            P01            | fitbit | 20            | 4       | 2026-01-20 06:00+00
        """,
        expect=f"""
            day_state | provisional
            ----------+------------
            not_worn  | {provisional}
        """,
    )
