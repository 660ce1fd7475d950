"""How a person-day is judged: goal, reconciliation, denominators, and whether it is final."""

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
        "max_minute_steps": "110",
        "row_hash": "h",
    },
    "goal": {"rule": "protocol"},
}
P01 = """
    participant_id
    --------------
    P01
"""


def test_a_goal_is_met_from_its_very_number_and_only_on_a_valid_day(spec):
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
            P05
        """,
        connection="""
            participant_id
            --------------
            P01
            P02
            P03
            P04
        """,
        goal="""
            participant_id | version | valid_from | goal_steps
            ---------------+---------+------------+-----------
            P01            | 1       | 2026-01-05 | 6000
            P02            | 1       | 2026-01-05 | 6000
            P03            | 1       | 2026-01-05 | 6000
            P05            | 1       | 2026-01-05 | 6000
        """,
        day_metric="""
            participant_id | steps | wear_minutes
            ---------------+-------+-------------
            P01            | 6000  | 600
            P02            | 5999  | 600
            P03            | 6000  | 599
            P04            | 6000  | 600
        """,
        expect="""
            participant_id | day_state         | goal_steps | goal_met
            ---------------+-------------------+------------+---------
            P01            | valid             | 6000       | T
            P02            | valid             | 6000       | F
            P03            | insufficient_wear | 6000       |
            P04            | valid             |            |
            P05            | never_connected   | 6000       |
        """,
    )


def test_a_day_is_judged_by_the_goal_in_force_that_day(spec):
    spec(
        derive_participant_day,
        as_of="2026-01-10 06:00+00",
        participant=P01,
        goal="""
            participant_id | version | valid_from | valid_to   | goal_steps
            ---------------+---------+------------+------------+-----------
            P01            | 1       | 2026-01-06 | 2026-01-07 | 5000
            P01            | 2       | 2026-01-09 |            | 5500
            P02            | 1       | 2026-01-05 |            | 9000
        """,
        expect="""
            participant_id | activity_date | goal_steps
            ---------------+---------------+-----------
            P01            | 2026-01-05    |
            P01            | 2026-01-06    | 5000
            P01            | 2026-01-07    | 5000
            P01            | 2026-01-08    |
            P01            | 2026-01-09    | 5500
            P01            | 2026-01-10    | 5500
        """,
    )


def test_where_two_goals_overlap_the_later_version_is_in_force(spec):
    spec(
        derive_participant_day,
        as_of=MORNING,
        participant=P01,
        goal="""
            participant_id | version | valid_from | goal_steps
            ---------------+---------+------------+-----------
            P01            | 2       | 2026-01-06 | 5500
            P01            | 1       | 2026-01-05 | 6000
        """,
        expect="""
            activity_date | goal_steps
            --------------+-----------
            2026-01-05    | 6000
            2026-01-06    | 5500
        """,
    )


def test_minutes_reconcile_within_5_percent_of_the_vendors_total(spec):
    people = """
        participant_id
        --------------
        P01
        P02
        P03
        P04
        P05
        P06
        P07
        P08
    """
    spec(
        derive_participant_day,
        as_of=MORNING,
        where=DAY,
        participant=people,
        connection=people,
        day_metric="""
            participant_id | steps | vendor_steps | has_minutes
            ---------------+-------+--------------+------------
            P01            | 1050  | 1000         | T
            P02            | 1051  | 1000         | T
            P03            | 950   | 1000         | T
            P04            | 949   | 1000         | T
            P05            | 1     | 0            | T
            P06            | 0     | 0            | T
            P07            | 1000  |              | T
            P08            |       | 1000         | F
        """,
        expect="""
            participant_id | steps | vendor_steps | reconcile
            ---------------+-------+--------------+----------
            P01            | 1050  | 1000         | F
            P02            | 1051  | 1000         | T
            P03            | 950   | 1000         | F
            P04            | 949   | 1000         | T
            P05            | 1     | 0            | T
            P06            | 0     | 0            | F
            P07            | 1000  |              |
            P08            | 1000  | 1000         |
        """,
    )


def test_the_allowed_difference_is_the_protocols(spec):
    spec(
        derive_participant_day,
        as_of=MORNING,
        where=DAY,
        protocol={"wear": {"reconcile_pct": 10}},
        participant=P01,
        connection=P01,
        day_metric="""
            participant_id | steps | vendor_steps
            ---------------+-------+-------------
            P01            | 1100  | 1000
        """,
        expect="""
            steps | vendor_steps | reconcile
            ------+--------------+----------
            1100  | 1000         | F
        """,
    )


@pytest.mark.parametrize(
    ("as_of", "provisional"),
    [("2026-01-19 23:59:59+00", "T"), ("2026-01-20 00:00:00+00", "F")],
)
def test_a_landed_day_is_final_14_days_after_its_end(spec, as_of, provisional):
    spec(
        derive_participant_day,
        as_of=as_of,
        where=DAY,
        participant=P01,
        connection=P01,
        day_metric="""
            participant_id | steps
            ---------------+------
            P01            | 6000
        """,
        expect=f"""
            day_state | provisional
            ----------+------------
            valid     | {provisional}
        """,
    )


def test_a_day_that_is_not_complete_is_never_final(spec):
    spec(
        derive_participant_day,
        as_of="2026-03-01 06:00+00",
        where=DAY,
        participant=P01,
        connection="""
            participant_id | landed_sync_at
            ---------------+--------------------
            P01            | 2026-01-05 18:00+00
        """,
        expect="""
            day_state    | provisional
            -------------+------------
            minutes_lost | T
        """,
    )


# Each participant's one ended day is in another state, of all twelve.
PEOPLE = """
    participant_id | withdrawn_on | paused_from
    ---------------+--------------+------------
    P01            | 2026-01-05   |
    P02            |              | 2026-01-05
    P03            |              |
    P04            |              |
    P05            |              |
    P06            |              |
    P07            |              |
    P08            |              |
    P09            |              |
    P10            |              |
    P11            |              |
    P12            |              |
"""
CONNECTIONS = """
    participant_id | state   | landed_sync_at
    ---------------+---------+--------------------
    P01            | active  |
    P02            | active  |
    P04            | expired |
    P05            | active  |
    P06            | retired |
    P07            | active  |
    P08            | active  | 2026-01-06 05:00+00
    P09            | active  | 2026-01-06 05:00+00
    P10            | active  | 2026-01-06 05:00+00
    P11            | active  | 2026-01-06 05:00+00
    P12            | active  | 2026-01-06 05:00+00
"""
RECEIPTS = """
    participant_id | source        | pull_id | asked_at            | reason
    ---------------+---------------+---------+---------------------+-------------
    P05            | google_health | a       | 2026-01-06 05:00+00 | rate_limited
"""
DAYS = """
    participant_id | has_minutes | wear_minutes | steps | vendor_steps
    ---------------+-------------+--------------+-------+-------------
    P08            | F           |              |       | 6000
    P09            | T           | 3            | 0     | 0
    P10            | T           | 800          | 45001 | 45001
    P11            | T           | 300          | 6000  | 6000
    P12            | T           | 800          | 6000  | 6000
"""


def test_eligible_days_are_those_the_participant_could_have_worn_and_we_could_have_fetched(spec):
    spec(
        derive_participant_day,
        as_of=MORNING,
        where=DAY,
        participant=PEOPLE,
        connection=CONNECTIONS,
        receipt=RECEIPTS,
        day_metric=DAYS,
        expect="""
            participant_id | day_state         | eligible_day | valid_day | provisional
            ---------------+-------------------+--------------+-----------+------------
            P01            | outside_study     | F            | F         | F
            P02            | paused            | F            | F         | T
            P03            | never_connected   | T            | F         | T
            P04            | consent_lost      | T            | F         | T
            P05            | fetch_failed      | F            | F         | T
            P06            | vendor_outage     | F            | F         | T
            P07            | pending_sync      | F            | F         | T
            P08            | minutes_lost      | T            | F         | T
            P09            | not_worn          | T            | F         | T
            P10            | implausible       | T            | F         | T
            P11            | insufficient_wear | T            | F         | T
            P12            | valid             | T            | T         | T
        """,
    )


def test_steps_are_blank_where_the_day_is_not_known_and_zero_only_where_it_was_zero(spec):
    spec(
        derive_participant_day,
        as_of=MORNING,
        where=DAY,
        participant=PEOPLE,
        connection=CONNECTIONS,
        receipt=RECEIPTS,
        day_metric=DAYS,
        expect="""
            participant_id | day_state         | steps | wear_minutes | vendor_steps
            ---------------+-------------------+-------+--------------+-------------
            P01            | outside_study     |       |              |
            P02            | paused            |       |              |
            P03            | never_connected   |       |              |
            P04            | consent_lost      |       |              |
            P05            | fetch_failed      |       |              |
            P06            | vendor_outage     |       |              |
            P07            | pending_sync      |       |              |
            P08            | minutes_lost      | 6000  |              | 6000
            P09            | not_worn          | 0     | 3            | 0
            P10            | implausible       | 45001 | 800          | 45001
            P11            | insufficient_wear | 6000  | 300          | 6000
            P12            | valid             | 6000  | 800          | 6000
        """,
    )


def test_the_metrics_of_a_day_not_worn_are_blank_however_many_minutes_came(spec):
    listed = """
        participant_id
        --------------
        P01
        P02
        P03
    """
    spec(
        derive_participant_day,
        as_of=MORNING,
        where=DAY,
        participant=listed,
        connection=listed,
        day_metric="""
            participant_id | wear_minutes | steps | mvpa_minutes | step_class
            ---------------+--------------+-------+--------------+-----------
            P01            | 10           | 40    | 2            | sedentary
            P02            | 9            | 40    | 2            | sedentary
            P03            | 0            | 0     | 0            | sedentary
        """,
        expect="""
            participant_id | day_state         | wear_minutes | steps | mvpa_minutes | step_class
            ---------------+-------------------+--------------+-------+--------------+-----------
            P01            | insufficient_wear | 10           | 40    | 2            | sedentary
            P02            | not_worn          | 9            | 40    |              |
            P03            | not_worn          | 0            | 0     |              |
        """,
    )
