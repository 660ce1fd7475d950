"""Two sources on one day: what one counts more than the other.

January 2026 in London; google_health comes before fitbit in the protocol's priority.
"""

import pytest

from transforms.activity.bridge import derive_bridge

USUAL = {
    "participant": {
        "site": "southampton",
        "timezone": "Europe/London",
        "enrolled_on": "2026-01-02",
        "starts_on": "2026-01-05",
    },
    "connection": {
        "state": "active",
        "since": "2026-01-02 09:00+00",
        "landed_sync_at": "2026-01-20 05:00+00",
    },
    "day_metric": {
        "era": "google_health",
        "day_end_at": "2026-01-12 00:00+00",
        "has_minutes": "T",
        "wear_method": "heart_rate",
        "wear_minutes": "800",
        "wear_hours_with_steps": "12",
        "row_hash": "h",
    },
}
BOTH = """
    participant_id | source
    ---------------+--------------
    P01            | fitbit
    P01            | google_health
    P02            | fitbit
    P02            | google_health
"""
PEOPLE = """
    participant_id
    --------------
    P01
    P02
"""
STEPS = "measure = 'steps'"


def test_paired_days_of_two_participants(spec):
    # Differences: P01 +10, +30; P02 -20, +20, +60. Mean 100/5 = 20.
    # Within: 200 + 3200 = 3400, over 5 - 2 = 3: 1133.3. Between: both means are 20: 0, below the
    # within, so nothing is added. sd = 33.665, limits 20 -+ 65.98.
    spec(
        derive_bridge,
        participant=PEOPLE,
        connection=BOTH,
        day_metric="""
            participant_id | source        | activity_date | steps | wear_minutes
            ---------------+---------------+---------------+-------+-------------
            P01            | fitbit        | 2026-01-06    | 5000  | 800
            P01            | google_health | 2026-01-06    | 5010  | 805
            P01            | fitbit        | 2026-01-07    | 5000  | 800
            P01            | google_health | 2026-01-07    | 5030  | 805
            P02            | fitbit        | 2026-01-06    | 4000  | 700
            P02            | google_health | 2026-01-06    | 3980  | 705
            P02            | fitbit        | 2026-01-08    | 4000  | 700
            P02            | google_health | 2026-01-08    | 4020  | 705
            P02            | fitbit        | 2026-01-11    | 4000  | 700
            P02            | google_health | 2026-01-11    | 4060  | 705
        """,
        expect="""
            measure      | from_source | to_source     | participants | days | first_on   | last_on    | mean_difference | difference_sd | limit_low | limit_high
            -------------+-------------+---------------+--------------+------+------------+------------+-----------------+---------------+-----------+-----------
            steps        | fitbit      | google_health | 2            | 5    | 2026-01-06 | 2026-01-11 | 20.00           | 33.67         | -45.98    | 85.98
            wear_minutes | fitbit      | google_health | 2            | 5    | 2026-01-06 | 2026-01-11 | 5.00            | 0.00          | 5.00      | 5.00
        """,  # noqa: E501
    )


def test_what_differs_between_participants_widens_the_limits(spec):
    # P01 0, 2; P02 100, 102. Within 2 + 2 = 4, over 4 - 2: 2. Between 2 x 50^2 x 2 = 10000, over 1.
    # Days each (4 - 8/4)/1 = 2; between part (10000 - 2)/2 = 4999; sd = sqrt(5001) = 70.72.
    spec(
        derive_bridge,
        where=STEPS,
        participant=PEOPLE,
        connection=BOTH,
        day_metric="""
            participant_id | source        | activity_date | steps
            ---------------+---------------+---------------+------
            P01            | fitbit        | 2026-01-06    | 5000
            P01            | google_health | 2026-01-06    | 5000
            P01            | fitbit        | 2026-01-07    | 5000
            P01            | google_health | 2026-01-07    | 5002
            P02            | fitbit        | 2026-01-06    | 5000
            P02            | google_health | 2026-01-06    | 5100
            P02            | fitbit        | 2026-01-07    | 5000
            P02            | google_health | 2026-01-07    | 5102
        """,
        expect="""
            participants | days | mean_difference | difference_sd
            -------------+------+-----------------+--------------
            2            | 4    | 51.00           | 70.72
        """,
    )


def test_one_day_each_is_spread_between_participants_and_one_day_in_all_has_no_limits(spec):
    # 0 and 10: sample standard deviation sqrt(50) = 7.07.
    spec(
        derive_bridge,
        where=STEPS,
        participant=PEOPLE,
        connection=BOTH,
        day_metric="""
            participant_id | source        | activity_date | steps
            ---------------+---------------+---------------+------
            P01            | fitbit        | 2026-01-06    | 5000
            P01            | google_health | 2026-01-06    | 5000
            P02            | fitbit        | 2026-01-06    | 5000
            P02            | google_health | 2026-01-06    | 5010
        """,
        expect="""
            days | mean_difference | difference_sd
            -----+-----------------+--------------
            2    | 5.00            | 7.07
        """,
    )
    spec(
        derive_bridge,
        where=STEPS,
        participant=PEOPLE,
        connection=BOTH,
        day_metric="""
            participant_id | source        | activity_date | steps
            ---------------+---------------+---------------+------
            P01            | fitbit        | 2026-01-06    | 5000
            P01            | google_health | 2026-01-06    | 5007
        """,
        expect="""
            days | mean_difference | difference_sd | limit_low | limit_high
            -----+-----------------+---------------+-----------+-----------
            1    | 7.00            |               |           |
        """,
    )


def test_only_days_of_the_study_that_both_have_in_full_and_worn_enough(spec):
    spec(
        derive_bridge,
        where=STEPS,
        participant="""
            participant_id | withdrawn_on
            ---------------+-------------
            P01            | 2026-01-12
        """,
        connection="""
            participant_id | source        | landed_sync_at
            ---------------+---------------+------------------
            P01            | fitbit        | 2026-01-20 05:00+00
            P01            | google_health | 2026-01-11 23:59+00
        """,
        day_metric="""
            participant_id | source        | activity_date | day_end_at          | steps | wear_minutes | has_minutes
            ---------------+---------------+---------------+---------------------+-------+--------------+------------
            P01            | fitbit        | 2026-01-04    | 2026-01-05 00:00+00 | 5000  | 800          | T
            P01            | google_health | 2026-01-04    | 2026-01-05 00:00+00 | 5999  | 800          | T
            P01            | fitbit        | 2026-01-06    | 2026-01-07 00:00+00 | 5000  | 600          | T
            P01            | google_health | 2026-01-06    | 2026-01-07 00:00+00 | 5001  | 600          | T
            P01            | fitbit        | 2026-01-07    | 2026-01-08 00:00+00 | 5000  | 599          | T
            P01            | google_health | 2026-01-07    | 2026-01-08 00:00+00 | 5999  | 800          | T
            P01            | fitbit        | 2026-01-08    | 2026-01-09 00:00+00 | 5000  | 800          | T
            P01            | google_health | 2026-01-08    | 2026-01-09 00:00+00 | 5999  | 800          | F
            P01            | fitbit        | 2026-01-11    | 2026-01-12 00:00+00 | 5000  | 800          | T
            P01            | google_health | 2026-01-11    | 2026-01-12 00:00+00 | 5999  | 800          | T
            P01            | fitbit        | 2026-01-10    | 2026-01-11 00:00+00 | 5000  | 800          | T
            P01            | fitbit        | 2026-01-12    | 2026-01-11 00:00+00 | 5000  | 800          | T
            P01            | google_health | 2026-01-12    | 2026-01-11 00:00+00 | 5999  | 800          | T
        """,  # noqa: E501
        expect="""
            days | first_on   | mean_difference
            -----+------------+----------------
            1    | 2026-01-06 | 1.0
        """,
    )


def test_wear_is_compared_only_where_both_measure_it_by_the_minute(spec):
    spec(
        derive_bridge,
        participant=PEOPLE,
        connection="""
            participant_id | source
            ---------------+--------------
            P01            | fitabase
            P01            | google_health
        """,
        day_metric="""
            participant_id | source        | activity_date | steps | wear_method | wear_minutes
            ---------------+---------------+---------------+-------+-------------+-------------
            P01            | fitabase      | 2026-01-06    | 5000  | steps       |
            P01            | google_health | 2026-01-06    | 4900  | heart_rate  | 800
        """,
        expect="""
            measure | from_source | to_source     | mean_difference
            --------+-------------+---------------+----------------
            steps   | fitabase    | google_health | -100.0
        """,
    )


@pytest.mark.parametrize("backwards", [False, True])
def test_the_spread_is_the_same_to_the_last_digit_whatever_the_order_of_the_days(spec, backwards):
    # Eleven days: mean 276, squares 3382374 - 11 x 276^2 = 2544438, over 10: 254443.8.
    days = [
        f"P01 | {source} | 2026-01-{6 + day:02d} | {steps}"
        for day, more in enumerate((229, 668, 339, 615, -807, -360, 647, -78, 866, 373, 544))
        for source, steps in (("fitbit", 5000), ("google_health", 5000 + more))
    ]
    header = "participant_id | source | activity_date | steps\n"
    spec(
        derive_bridge,
        where=f"{STEPS} AND difference_sd = sqrt(254443.8)",
        participant=PEOPLE,
        connection=BOTH,
        day_metric=header + "\n".join(days[::-1] if backwards else days),
        expect="""
            participants | days
            -------------+-----
            1            | 11
        """,
    )
