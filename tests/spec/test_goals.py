"""Baseline activity of the run-in, and the goals three rules propose; day 1 is a Monday."""

from transforms.cohort.goals import derive_baseline_activity, derive_goal_proposal

USUAL = {
    "participant": {
        "site": "southampton",  # its weekend: Saturday and Sunday
        "timezone": "Europe/London",
        "enrolled_on": "2026-01-02",
        "starts_on": "2026-01-05",
    },
    "participant_day": {
        "study_day": "1",
        "study_week": "1",
        "day_state": "valid",
        "eligible_day": "true",
        "valid_day": "true",
        "provisional": "false",
    },
    "participant_week": {"valid_week": "true"},
    "baseline_activity": {"window_starts_on": "2026-01-07", "window_ends_on": "2026-01-18"},
}
P01 = """
    participant_id
    --------------
    P01
"""
AFTER = "2026-01-19 12:00+00"
FOUR_DAYS = """
    participant_id | activity_date | steps
    ---------------+---------------+------
    P01            | 2026-01-07    | 3000
    P01            | 2026-01-10    | 4000
    P01            | 2026-01-12    | 6000
    P01            | 2026-01-18    | 9000
"""


def test_the_baseline_is_the_median_of_the_valid_days_3_to_14(spec):
    spec(
        derive_baseline_activity,
        as_of=AFTER,
        participant=P01,
        participant_day="""
            participant_id | activity_date | valid_day | steps
            ---------------+---------------+-----------+------
            P01            | 2026-01-05    | true      | 90000
            P01            | 2026-01-06    | true      | 90000
            P01            | 2026-01-07    | true      | 3000
            P01            | 2026-01-08    | false     | 90000
            P01            | 2026-01-10    | true      | 4000
            P01            | 2026-01-12    | true      | 6000
            P01            | 2026-01-18    | true      | 9000
            P01            | 2026-01-19    | true      | 90000
        """,
        expect="""
            window_ends_on|valid_days|valid_weekend_days|baseline_steps|baseline_steps_mean
            --------------+----------+------------------+--------------+-------------------
            2026-01-18    |4         |2                 |5000          |5500
        """,
    )


def test_three_valid_days_are_too_few(spec):
    spec(
        derive_baseline_activity,
        as_of=AFTER,
        participant=P01,
        participant_day="""
            participant_id | activity_date | steps
            ---------------+---------------+------
            P01            | 2026-01-07    | 3000
            P01            | 2026-01-10    | 4000
            P01            | 2026-01-12    | 6000
        """,
        expect="""
            valid_days | baseline_steps | baseline_steps_mean | no_baseline
            -----------+----------------+---------------------+-------------------
            3          |                |                     | too few valid days
        """,
    )


def test_a_baseline_needs_a_weekend_day_as_the_site_has_it(spec):
    # Friday 9 January is a weekend day in Haifa and a working day in Southampton.
    spec(
        derive_baseline_activity,
        as_of=AFTER,
        participant="""
            participant_id | site
            ---------------+------------
            P01            | southampton
            P02            | haifa
        """,
        participant_day="""
            participant_id | activity_date | steps
            ---------------+---------------+------
            P01            | 2026-01-07    | 3000
            P01            | 2026-01-08    | 3000
            P01            | 2026-01-09    | 3000
            P01            | 2026-01-12    | 3000
            P02            | 2026-01-07    | 3000
            P02            | 2026-01-08    | 3000
            P02            | 2026-01-09    | 3000
            P02            | 2026-01-12    | 3000
        """,
        expect="""
            participant_id | valid_weekend_days | baseline_steps | no_baseline
            ---------------+--------------------+----------------+---------------------
            P01            | 0                  |                | too few weekend days
            P02            | 1                  | 3000           |
        """,
    )


def test_a_run_in_still_on_where_the_participant_lives_has_no_baseline_yet(spec):
    # 22:30 UTC on day 14: it has ended in Jerusalem, and is still on in London.
    spec(
        derive_baseline_activity,
        as_of="2026-01-18 22:30+00",
        participant="""
            participant_id | timezone
            ---------------+---------------
            P01            | Europe/London
            P02            | Asia/Jerusalem
        """,
        participant_day=FOUR_DAYS + FOUR_DAYS.split("------\n", 1)[1].replace("P01", "P02"),
        expect="""
            participant_id | baseline_steps | no_baseline
            ---------------+----------------+----------------
            P01            |                | run-in not over
            P02            | 5000           |
        """,
    )


def weeks(last: int, of: str = "P01") -> str:
    """participant_week of one participant, from day 1 on Monday 5 January."""
    rows = [f"{of} | {n} | 2026-01-{7 * n - 2:02d}" for n in range(1, last + 1)]
    return "\n".join(["participant_id | study_week | week_starts_on", *rows])


def test_a_goal_grows_by_a_share_of_the_baseline_each_week_up_to_3000_above_it(spec):
    # A quarter a week: 6,250, 7,500, then 8,750 and 10,000, which are more than 5,000 + 3,000.
    spec(
        derive_goal_proposal,
        protocol={"goals": {"growth_pct": 25}},
        baseline_activity="""
            participant_id | baseline_steps
            ---------------+---------------
            P01            | 5000
        """,
        participant_week=f"{weeks(4)}\nP01 | 5 | 2026-02-02\nP01 | 6 | 2026-02-09",
        expect="""
            study_week | week_starts_on | rule            | basis_steps | proposed_steps
            -----------+----------------+-----------------+-------------+---------------
            3          | 2026-01-19     | baseline_growth | 5000        | 6300
            4          | 2026-01-26     | baseline_growth | 5000        | 7500
            5          | 2026-02-02     | baseline_growth | 5000        | 8000
            6          | 2026-02-09     | baseline_growth | 5000        | 8000
        """,
    )


def test_a_goal_is_rounded_to_hundreds_halves_up(spec):
    spec(  # 4,500 x 1.1 = 4,950; 4,454 x 1.1 = 4,899.4
        derive_goal_proposal,
        baseline_activity="""
            participant_id | baseline_steps
            ---------------+---------------
            P01            | 4500
            P02            | 4454
        """,
        participant_week=f"{weeks(3)}\nP02 | 3 | 2026-01-19",
        expect="""
            participant_id | study_week | proposed_steps
            ---------------+------------+---------------
            P01            | 3          | 5000
            P02            | 3          | 4900
        """,
    )


def test_a_goal_stops_at_10000_but_is_never_below_what_is_walked_already(spec):
    spec(
        derive_goal_proposal,
        baseline_activity="""
            participant_id | baseline_steps
            ---------------+---------------
            P01            | 9500
            P02            | 12000
        """,
        participant_week=f"{weeks(3)}\nP02 | 3 | 2026-01-19",
        expect="""
            participant_id | proposed_steps
            ---------------+---------------
            P01            | 10000
            P02            | 12000
        """,
    )


def test_without_a_baseline_nothing_is_proposed_by_growth(spec):
    spec(
        derive_goal_proposal,
        baseline_activity="""
            participant_id | no_baseline
            ---------------+-------------------
            P01            | too few valid days
        """,
        participant_week=weeks(3),
        expect="""
            basis_steps | proposed_steps | not_proposed
            ------------+----------------+-------------
                        |                | no baseline
        """,
    )


NINE_DAYS = """
    participant_id | activity_date | steps
    ---------------+---------------+------
    P01            | 2026-01-05    | 90000
    P01            | 2026-01-06    | 1000
    P01            | 2026-01-07    | 2000
    P01            | 2026-01-08    | 3000
    P01            | 2026-01-09    | 4000
    P01            | 2026-01-12    | 5000
    P01            | 2026-01-13    | 6040
    P01            | 2026-01-14    | 7000
    P01            | 2026-01-15    | 8000
    P01            | 2026-01-18    | 9000
    P01            | 2026-01-19    | 90000
"""


def test_a_percentile_is_of_the_nine_valid_days_before_the_week(spec):
    # The 60th percentile of nine, by nearest rank: the sixth, 6,040.
    spec(
        derive_goal_proposal,
        protocol={"goals": {"rule": "percentile"}},
        baseline_activity=P01,
        participant_day=NINE_DAYS,
        participant_week=weeks(3),
        expect="""
            study_week | rule       | basis_steps | proposed_steps | not_proposed
            -----------+------------+-------------+----------------+-------------
            3          | percentile | 6040        | 6000           |
        """,
    )


def test_eight_valid_days_before_the_week_are_too_few_for_a_percentile(spec):
    spec(
        derive_goal_proposal,
        protocol={"goals": {"rule": "percentile"}},
        baseline_activity=P01,
        participant_day="\n".join(
            line for line in NINE_DAYS.splitlines() if "01-05" not in line and "01-06" not in line
        ),
        participant_week=weeks(3),
        expect="""
            basis_steps | proposed_steps | not_proposed
            ------------+----------------+-------------------
                        |                | too few valid days
        """,
    )


def test_a_fixed_increment_is_above_the_mean_of_a_valid_week_before(spec):
    spec(
        derive_goal_proposal,
        protocol={"goals": {"rule": "fixed_increment"}},
        baseline_activity=P01,
        participant_week="""
            participant_id | study_week | week_starts_on | valid_week | steps_per_day
            ---------------+------------+----------------+------------+--------------
            P01            | 2          | 2026-01-12     | true       | 5230
            P01            | 3          | 2026-01-19     | false      | 9000
            P01            | 4          | 2026-01-26     | true       | 6000
        """,
        expect="""
            study_week | basis_steps | proposed_steps | not_proposed
            -----------+-------------+----------------+---------------------
            3          | 5230        | 6000           |
            4          |             |                | no valid week before
        """,
    )


def test_the_goal_in_force_stands_beside_the_proposal(spec):
    spec(
        derive_goal_proposal,
        baseline_activity="""
            participant_id | baseline_steps
            ---------------+---------------
            P01            | 5000
        """,
        participant_week=f"{weeks(4)}",
        goal="""
            participant_id|version|valid_from|valid_to  |goal_steps|rule    |row_hash
            --------------+-------+----------+----------+----------+--------+--------
            P01           |1      |2026-01-19|          |5400      |protocol|a
            P01           |2      |2026-01-26|          |6100      |protocol|b
        """,
        expect="""
            study_week | proposed_steps | goal_steps
            -----------+----------------+-----------
            3          | 5500           | 5400
            4          | 6000           | 6100
        """,
    )
