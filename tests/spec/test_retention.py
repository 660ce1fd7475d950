"""Who stays: Kaplan and Meier's curve at whole weeks, with the number at risk."""

from transforms.cohort.cohort import derive_cohort_member
from transforms.cohort.retention import derive_retention as retention_of

USUAL = {
    "participant": {
        "site": "haifa",
        "timezone": "Asia/Jerusalem",
        "enrolled_on": "2026-01-15",
        "starts_on": "2026-01-19",
    },
}
SHOW_ALL = {"study": {"small_cell": 0, "weeks": 3}}
THREE_WEEKS = "2026-02-09 12:00+00"
FOUR = """
    participant_id | withdrawn_on
    ---------------+-------------
    P01            | 2026-01-23
    P02            |
    P03            | 2026-02-02
    P04            |
"""


def derive_retention(con, study, as_of):
    derive_cohort_member(con, study)
    retention_of(con, study, as_of)


def test_the_share_falls_by_those_who_leave_of_those_at_risk(spec):
    # P01 leaves after 4 days (3 of 4 stay), P03 after 14: 2 of the 3 still there stay.
    spec(
        derive_retention,
        as_of=THREE_WEEKS,
        protocol=SHOW_ALL,
        participant=FOUR,
        where="cohort_kind = 'all' AND curve = 'in_study'",
        expect="""
            weeks | participants | at_risk | ended | still
            ------+--------------+---------+-------+------
            0     | 4            | 4       | 0     | 1.0000
            1     | 4            | 3       | 1     | 0.7500
            2     | 4            | 3       | 2     | 0.5000
            3     | 4            | 2       | 2     | 0.5000
        """,
    )


def test_who_is_not_yet_that_far_is_censored_and_not_lost(spec):
    # P02 began a week later: followed for 14 days. Of the two left at day 15 one withdraws. P04
    # begins tomorrow.
    spec(
        derive_retention,
        as_of=THREE_WEEKS,
        protocol=SHOW_ALL,
        participant="""
            participant_id | starts_on  | withdrawn_on
            ---------------+------------+-------------
            P01            | 2026-01-19 | 2026-02-03
            P02            | 2026-01-26 |
            P03            | 2026-01-19 |
            P04            | 2026-02-10 |
        """,
        where="cohort_kind = 'all' AND curve = 'in_study'",
        expect="""
            weeks | participants | at_risk | ended | still
            ------+--------------+---------+-------+------
            0     | 3            | 3       | 0     | 1.0
            1     | 3            | 3       | 0     | 1.0
            2     | 3            | 3       | 0     | 1.0
            3     | 3            | 1       | 1     | 0.5
        """,
    )


def test_the_published_curve_of_the_aml_trial_maintained_arm(spec):
    """Miller 1981; R's survfit(Surv(time, status) ~ 1, aml, conf.type = "log-log").

    Times in weeks 9, 13, 13+, 18, 23, 28+, 31, 34, 45+, 48, 161+, here as days of wear.
    """
    spec(
        derive_retention,
        as_of=THREE_WEEKS,
        protocol={"study": {"small_cell": 0, "weeks": 6}},
        participant="\n".join(
            ["participant_id | starts_on", *(f"P{i:02} | 2027-01-01" for i in range(1, 12))]
        ),
        adherence="""
            participant_id | persistence_days | persistence_ended
            ---------------+------------------+------------------
            P01            | 9                | true
            P02            | 13               | true
            P03            | 13               | false
            P04            | 18               | true
            P05            | 23               | true
            P06            | 28               | false
            P07            | 31               | true
            P08            | 34               | true
            P09            | 45               | false
            P10            | 48               | true
            P11            | 161              | false
        """,
        where="cohort_kind = 'all'",
        expect="""
            curve   | weeks | at_risk | ended | still | ci_low | ci_high
            --------+-------+---------+-------+-------+--------+--------
            wearing | 0     | 11      | 0     | 1.000 |        |
            wearing | 1     | 11      | 0     | 1.000 |        |
            wearing | 2     | 8       | 2     | 0.818 | 0.447  | 0.951
            wearing | 3     | 7       | 3     | 0.716 | 0.350  | 0.899
            wearing | 4     | 6       | 4     | 0.614 | 0.266  | 0.835
            wearing | 5     | 3       | 6     | 0.368 | 0.093  | 0.657
            wearing | 6     | 3       | 6     | 0.368 | 0.093  | 0.657
        """,
    )


def test_a_withdrawal_before_study_day_1_or_after_the_study_is_no_loss(spec):
    # P01 leaves the day before, P02 on study day 1, P03 on day 2; P04 when three weeks are over.
    spec(
        derive_retention,
        as_of="2026-03-01 12:00+00",
        protocol=SHOW_ALL,
        participant="""
            participant_id | withdrawn_on
            ---------------+-------------
            P01            | 2026-01-18
            P02            | 2026-01-19
            P03            | 2026-01-20
            P04            | 2026-02-09
        """,
        where="cohort_kind = 'all' AND curve = 'in_study'",
        expect="""
            weeks | participants | at_risk | ended | still
            ------+--------------+---------+-------+------
            0     | 2            | 2       | 0     | 1.0
            1     | 2            | 1       | 1     | 0.5
            2     | 2            | 1       | 1     | 0.5
            3     | 2            | 1       | 1     | 0.5
        """,
    )


def test_who_never_wore_has_stopped_at_once_and_a_blank_has_no_day_yet(spec):
    spec(
        derive_retention,
        as_of=THREE_WEEKS,
        protocol=SHOW_ALL,
        participant="participant_id | starts_on\n P1 | 2027-01-01\n P2 | 2027-01-01\n"
        "P3 | 2027-01-01",
        adherence="""
            participant_id | persistence_days | persistence_ended
            ---------------+------------------+------------------
            P1             | 0                | true
            P2             | 7                | false
            P3             |                  |
        """,
        where="cohort_kind = 'all'",
        expect="""
            curve   | weeks | participants | at_risk | ended | still
            --------+-------+--------------+---------+-------+------
            wearing | 0     | 2            | 2       | 1     | 0.5
            wearing | 1     | 2            | 1       | 1     | 0.5
        """,
    )


def test_from_where_too_few_are_at_risk_the_curve_is_withheld(spec):
    spec(  # five are enough, four are not
        derive_retention,
        as_of="2026-01-26 12:00+00",
        protocol={"study": {"weeks": 2}},
        participant="""
            participant_id | withdrawn_on
            ---------------+-------------
            P01            |
            P02            |
            P03            |
            P04            |
            P05            | 2026-01-21
        """,
        where="cohort_kind = 'all' AND curve = 'in_study'",
        expect="""
            weeks | participants | at_risk | suppressed | still
            ------+--------------+---------+------------+------
            0     | 5            | 5       | F          | 1.0
            1     |              |         | T          |
        """,
    )


def test_each_arm_has_its_curve_for_those_who_may_see_it(spec):
    spec(
        derive_retention,
        as_of="2026-01-20 12:00+00",
        protocol=SHOW_ALL,
        participant="participant_id | arm\n P01 | etmi\n P02 | usual_care",
        expect="""
            cohort_kind | cohort     | curve    | weeks | at_risk
            ------------+------------+----------+-------+--------
            all         | all        | in_study | 0     | 2
            site        | haifa      | in_study | 0     | 2
            arm         | etmi       | in_study | 0     | 1
            arm         | usual_care | in_study | 0     | 1
        """,
    )
