"""What a day that has landed is worth: worn, plausible, valid.

5 January 2026 ended in London on 6 January at 00:00 UTC, and the device synced after it.
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
    "connection": {
        "source": "google_health",
        "state": "active",
        "since": "2026-01-02 09:00+00",
        "landed_sync_at": "2026-01-06 05:00+00",
    },
    "day_metric": {
        "source": "google_health",
        "activity_date": "2026-01-05",
        "era": "google_health",
        "day_end_at": "2026-01-06 00:00+00",
        "has_minutes": "T",
        "wear_method": "heart_rate",
        "wear_minutes": "800",
        "wear_hours_with_steps": "12",
        "steps": "6000",
        "max_minute_steps": "110",
        "row_hash": "h",
    },
}


@pytest.fixture
def judged(spec):
    """Judge days drawn in full, one participant each, whose device has synced past them."""

    def judge(day_metric: str, expect: str, **more) -> None:
        people = sorted({cell for cell in day_metric.split() if cell.startswith("P0")})
        listed = "\n".join(["participant_id", "---", *people])
        spec(
            derive_participant_day,
            as_of=MORNING,
            where=DAY,
            participant=listed,
            connection=listed,
            day_metric=day_metric,
            expect=expect,
            **more,
        )

    return judge


def test_a_day_counts_from_600_minutes_of_wear(judged):
    judged(
        """
        participant_id | wear_minutes
        ---------------+-------------
        P01            | 600
        P02            | 599
        """,
        expect="""
        participant_id | wear_minutes | day_state         | valid_day
        ---------------+--------------+-------------------+----------
        P01            | 600          | valid             | T
        P02            | 599          | insufficient_wear | F
        """,
    )


def test_below_10_minutes_of_wear_the_device_was_not_worn(judged):
    judged(
        """
        participant_id | wear_minutes | steps
        ---------------+--------------+------
        P01            | 10           | 40
        P02            | 9            | 40
        """,
        expect="""
        participant_id | wear_minutes | steps | day_state
        ---------------+--------------+-------+------------------
        P01            | 10           | 40    | insufficient_wear
        P02            | 9            | 40    | not_worn
        """,
    )


def test_a_device_that_only_counts_steps_needs_10_hours_with_steps(judged):
    judged(
        """
        participant_id | wear_method | wear_hours_with_steps | wear_minutes
        ---------------+-------------+-----------------------+-------------
        P01            | steps       | 10                    |
        P02            | steps       | 9                     |
        P03            | steps       | 1                     |
        P04            | steps       | 0                     |
        """,
        expect="""
        participant_id | wear_method | wear_minutes | day_state
        ---------------+-------------+--------------+------------------
        P01            | steps       |              | valid
        P02            | steps       |              | insufficient_wear
        P03            | steps       |              | insufficient_wear
        P04            | steps       |              | not_worn
        """,
    )


def test_hours_with_steps_decide_nothing_where_wear_is_measured(judged):
    judged(
        """
        participant_id | wear_method   | wear_minutes | wear_hours_with_steps
        ---------------+---------------+--------------+----------------------
        P01            | heart_rate    | 599          | 18
        P02            | explicit_zero | 600          | 0
        """,
        expect="""
        participant_id | wear_method   | day_state
        ---------------+---------------+------------------
        P01            | heart_rate    | insufficient_wear
        P02            | explicit_zero | valid
        """,
    )


def test_more_than_45000_steps_a_day_or_250_a_minute_are_implausible(judged):
    judged(
        """
        participant_id | steps | max_minute_steps
        ---------------+-------+-----------------
        P01            | 45000 | 110
        P02            | 45001 | 110
        P03            | 6000  | 250
        P04            | 6000  | 251
        """,
        expect="""
        participant_id | steps | day_state
        ---------------+-------+------------
        P01            | 45000 | valid
        P02            | 45001 | implausible
        P03            | 6000  | valid
        P04            | 6000  | implausible
        """,
    )


def test_a_worn_day_of_hardly_a_step_is_valid_unless_the_protocol_says_otherwise(judged):
    judged(
        """
        participant_id | steps
        ---------------+------
        P01            | 0
        """,
        expect="""
        participant_id | steps | day_state
        ---------------+-------+----------
        P01            | 0     | valid
        """,
    )
    judged(
        """
        participant_id | steps | wear_minutes
        ---------------+-------+-------------
        P01            | 100   | 600
        P02            | 99    | 600
        P03            | 99    | 599
        """,
        protocol={"wear": {"implausible_low_steps": 100}},
        expect="""
        participant_id | steps | day_state
        ---------------+-------+------------------
        P01            | 100   | valid
        P02            | 99    | implausible
        P03            | 99    | insufficient_wear
        """,
    )


def test_every_threshold_is_the_protocols(judged):
    judged(
        """
        participant_id | wear_minutes | steps | max_minute_steps | wear_hours_with_steps
        ---------------+--------------+-------+------------------+----------------------
        P01            | 480          | 6000  | 110              | 0
        P02            | 29           | 6000  | 110              | 0
        P03            | 800          | 20001 | 110              | 0
        P04            | 800          | 6000  | 201              | 0
        """,
        protocol={
            "wear": {
                "valid_day_minutes": 480,
                "not_worn_below_minutes": 30,
                "implausible_day_steps": 20000,
                "implausible_minute_steps": 200,
            }
        },
        expect="""
        participant_id | day_state
        ---------------+------------
        P01            | valid
        P02            | not_worn
        P03            | implausible
        P04            | implausible
        """,
    )
    judged(
        """
        participant_id | wear_method | wear_hours_with_steps
        ---------------+-------------+----------------------
        P01            | steps       | 8
        P02            | steps       | 7
        """,
        protocol={"wear": {"valid_day_step_hours": 8}},
        expect="""
        participant_id | day_state
        ---------------+------------------
        P01            | valid
        P02            | insufficient_wear
        """,
    )


def test_a_total_without_minutes_means_the_minutes_are_lost_and_no_total_means_not_worn(judged):
    judged(
        """
        participant_id | has_minutes | steps | wear_minutes | vendor_steps | wear_method
        ---------------+-------------+-------+--------------+--------------+------------
        P01            | F           |       |              | 1            |
        P02            | F           |       |              | 0            |
        P03            | F           |       |              |              |
        """,
        expect="""
        participant_id | day_state    | steps | wear_minutes | vendor_steps | reconcile
        ---------------+--------------+-------+--------------+--------------+----------
        P01            | minutes_lost | 1     |              | 1            |
        P02            | not_worn     | 0     | 0            | 0            |
        P03            | not_worn     | 0     | 0            |              |
        """,
    )


def test_a_synced_day_without_a_row_is_a_day_not_worn(spec):
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
            participant_id | landed_sync_at
            ---------------+--------------------
            P01            | 2026-01-06 05:00+00
        """,
        expect="""
            participant_id | day_state | steps | wear_minutes | source | moderate_minutes
            ---------------+-----------+-------+--------------+--------+-----------------
            P01            | not_worn  | 0     | 0            |        |
        """,
    )


def test_a_day_is_complete_once_all_has_landed_past_a_sync_at_its_end(spec):
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
            participant_id | synced_at           | landed_sync_at
            ---------------+---------------------+-----------------------
            P01            | 2026-01-06 05:00+00 | 2026-01-06 00:00:00+00
            P02            | 2026-01-06 05:00+00 | 2026-01-05 23:59:59+00
            P03            | 2026-01-06 05:00+00 |
        """,
        day_metric="""
            participant_id
            --------------
            P01
            P02
            P03
        """,
        expect="""
            participant_id | day_state    | steps
            ---------------+--------------+------
            P01            | valid        | 6000
            P02            | pending_sync |
            P03            | pending_sync |
        """,
    )


@pytest.mark.parametrize(
    ("timezone", "day", "end", "before"),
    [
        ("Europe/London", "2026-03-29", "2026-03-29 23:00", "2026-03-29 22:59"),  # 23 hours
        ("Europe/London", "2026-10-25", "2026-10-26 00:00", "2026-10-25 23:59"),  # 25 hours
        ("Asia/Jerusalem", "2026-03-27", "2026-03-27 21:00", "2026-03-27 20:59"),  # 23 hours
        ("Asia/Jerusalem", "2026-10-25", "2026-10-25 22:00", "2026-10-25 21:59"),  # 25 hours
        ("Asia/Jerusalem", "2026-01-05", "2026-01-05 22:00", "2026-01-05 21:59"),
    ],
)
def test_a_day_without_a_row_ends_at_the_participants_own_midnight(
    spec, timezone, day, end, before
):
    spec(
        derive_participant_day,
        as_of=f"{day} 12:00+00",
        where="study_day = 1",
        participant=f"""
            participant_id | timezone   | starts_on
            ---------------+------------+----------
            P01            | {timezone} | {day}
            P02            | {timezone} | {day}
        """,
        connection=f"""
            participant_id | landed_sync_at
            ---------------+--------------------
            P01            | {end}+00
            P02            | {before}+00
        """,
        expect="""
            participant_id | day_state
            ---------------+-------------
            P01            | not_worn
            P02            | pending_sync
        """,
    )


def test_a_travellers_day_ends_where_the_source_says(spec):
    spec(  # at home in Jerusalem the day ended at 22:00 UTC; the device was in London
        derive_participant_day,
        as_of=MORNING,
        where=DAY,
        participant="""
            participant_id | timezone
            ---------------+---------------
            P01            | Asia/Jerusalem
            P02            | Asia/Jerusalem
        """,
        connection="""
            participant_id | landed_sync_at
            ---------------+-----------------------
            P01            | 2026-01-05 23:00:00+00
            P02            | 2026-01-06 00:00:00+00
        """,
        day_metric="""
            participant_id | day_end_at          | day_minutes
            ---------------+---------------------+------------
            P01            | 2026-01-06 00:00+00 | 1560
            P02            | 2026-01-06 00:00+00 | 1560
        """,
        expect="""
            participant_id | day_state    | day_minutes
            ---------------+--------------+------------
            P01            | pending_sync |
            P02            | valid        | 1560
        """,
    )


def test_a_device_that_only_counts_steps_may_be_judged_by_choi_or_troiano(judged):
    for rule, first, second in (
        ("step_hours", "insufficient_wear", "valid"),
        ("choi", "valid", "insufficient_wear"),
        ("troiano", "insufficient_wear", "valid"),
    ):
        judged(
            """
            participant_id|wear_method|wear_hours_with_steps|wear_choi_minutes|wear_troiano_minutes
            --------------+-----------+---------------------+-----------------+--------------------
            P01           |steps      |9                    |600              |599
            P02           |steps      |10                   |599              |600
            """,
            protocol={"wear": {"steps_only_rule": rule}},
            expect=f"""
            participant_id | day_state
            ---------------+----------
            P01            | {first}
            P02            | {second}
            """,
        )
