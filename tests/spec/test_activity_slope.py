"""The slope of a score on steps: within participants and between them, each with its interval."""

from transforms.cohort.activity_slope import derive_activity_slope as slope_of
from transforms.cohort.cohort import derive_cohort_member
from transforms.outcomes.reference import derive_scale

USUAL = {
    "participant": {
        "site": "haifa",
        "timezone": "Asia/Jerusalem",
        "enrolled_on": "2026-01-01",
        "starts_on": "2026-01-05",
    },
    "activity_outcome": {
        "scale": "FUNC",
        "answered_on": "2026-02-01",
        "window_starts_on": "2026-01-18",
        "window_ends_on": "2026-01-31",
        "enough_days": "true",
    },
}
SHOW_ALL = {"study": {"small_cell": 0}}
PEOPLE = """
    participant_id
    --------------
    P01
    P02
    P03
"""


def derive_activity_slope(con, study):
    """From the roster and the visits drawn."""
    derive_scale(con, study)
    derive_cohort_member(con, study)
    slope_of(con, study)


# Each walks 1,000 steps more at the second visit. Function rises by 2, 4 and 6: the slope within
# is 4 points; the sums of residues are -1, 0 and 1 over 1.5, so SE = sqrt(2 x 3/2) / 1.5 = 1.1547,
# and t of 2 degrees of freedom is 4.302653. The own means are 2.5, 4.5 and 6.5 thousand steps
# against 51, 42 and 33 points: who walks more is worse by 4.5 a thousand, exactly.
VISITS = """
    participant_id | visit    | steps_per_day | score
    ---------------+----------+---------------+------
    P01            | baseline | 2000          | 50
    P01            | week_4   | 3000          | 52
    P02            | baseline | 4000          | 40
    P02            | week_4   | 5000          | 44
    P03            | baseline | 6000          | 30
    P03            | week_4   | 7000          | 36
"""
SLOPES = """
    cohort_kind | part    | participants | visits | slope | slope_ci_low | slope_ci_high
    ------------+---------+--------------+--------+-------+--------------+--------------
    all         | within  | 3            | 6      | 4.0   | -0.968       | 8.968
    all         | between | 3            | 6      | -4.5  | -4.500       | -4.500
"""


def test_the_two_parts_can_point_in_opposite_directions(spec):
    spec(
        derive_activity_slope,
        protocol=SHOW_ALL,
        participant=PEOPLE,
        activity_outcome=VISITS,
        expect=SLOPES,
        where="cohort_kind = 'all'",
    )


def test_a_scale_whose_lower_end_is_better_is_turned(spec):
    spec(
        derive_activity_slope,
        protocol=SHOW_ALL,
        participant=PEOPLE,
        activity_outcome="""
            participant_id | visit    | scale | steps_per_day | score
            ---------------+----------+-------+---------------+------
            P01            | baseline | NPRS  | 2000          | 5
            P01            | week_4   | NPRS  | 3000          | 4
            P02            | baseline | NPRS  | 4000          | 5
            P02            | week_4   | NPRS  | 5000          | 4
        """,
        where="cohort_kind = 'all'",
        expect="""
            scale | part    | slope
            ------+---------+------
            NPRS  | within  | 1.0
            NPRS  | between | 0.0
        """,
    )


# P01's second visit has too few days, P02's is of a discharge, P03 walks the same at both.
PARTIAL = """
    participant_id | visit     | enough_days | steps_per_day | score
    ---------------+-----------+-------------+---------------+------
    P01            | baseline  | true        | 2000          | 50
    P01            | week_4    | false       |               | 52
    P02            | baseline  | true        | 4000          | 40
    P02            | discharge | true        | 5000          | 44
    P03            | baseline  | true        | 6000          | 30
    P03            | week_4    | true        | 6000          | 36
"""


def test_a_participant_of_one_visit_says_nothing_of_ups_and_downs(spec):
    spec(
        derive_activity_slope,
        protocol=SHOW_ALL,
        participant=PEOPLE,
        activity_outcome=PARTIAL,
        where="cohort_kind = 'all'",
        expect="""
            part    | participants | visits | slope
            --------+--------------+--------+------
            within  | 1            | 2      |
            between | 3            | 4      | -4.25
        """,
    )


def test_a_slope_of_too_few_is_withheld(spec):
    spec(
        derive_activity_slope,
        protocol={"study": {"small_cell": 4}},
        participant=PEOPLE,
        activity_outcome=VISITS,
        where="cohort_kind = 'all'",
        expect="""
            part    | suppressed | participants | slope
            --------+------------+--------------+------
            within  | T          |              |
            between | T          |              |
        """,
    )
