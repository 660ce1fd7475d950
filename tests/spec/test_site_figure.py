"""Key figures by site: what counts, the interval, and the limits that chance sets."""

from datetime import date

from transforms.cohort.cohort import derive_cohort_member
from transforms.cohort.site_figure import derive_site_figure as site_figure_of

USUAL = {
    "participant": {
        "site": "haifa",
        "timezone": "Asia/Jerusalem",
        "enrolled_on": "2026-01-15",
        "starts_on": "2026-01-19",
    },
    "participant_day": {
        "study_day": "10",
        "study_week": "2",
        "eligible_day": "true",
        "valid_day": "false",
        "provisional": "false",
    },
    "visit": {"label": "Week 4", "week": "4"},
}
AS_OF = "2026-02-10 12:00+00"
SHOW_ALL = {"study": {"small_cell": 0}}
TEN_AND_TEN = "participant_id | site\n" + "\n".join(
    f"P{i:02} | {'haifa' if i <= 10 else 'beer_sheva'}" for i in range(1, 21)
)


def derive_site_figure(con, study, as_of):
    derive_cohort_member(con, study)
    site_figure_of(con, study, as_of)


def persisting(*stopped):
    """Adherence of P01 to P20, of whom `stopped` have stopped wearing."""
    return "participant_id | persistence_ended\n" + "\n".join(
        f"P{i:02} | {'true' if i in stopped else 'false'}" for i in range(1, 21)
    )


def test_every_figure_of_every_site_has_its_row_and_nobody_is_0_of_0(spec):
    spec(  # of 20 planned over 91 days 23 have gone by: 5.05
        derive_site_figure,
        as_of=AS_OF,
        where="cohort = 'southampton'",
        expect="""
            figure                  |position|counts      |participants|numerator|denominator|share
            ------------------------+--------+------------+------------+---------+-----------+-----
            synced                  |1       |participants|0           |0        |0.0        |
            wear_adherence          |2       |days        |0           |0        |0.0        |
            goal_adherence_observed |3       |days        |0           |0        |0.0        |
            goal_adherence_strict   |4       |days        |0           |0        |0.0        |
            valid_weeks             |5       |weeks       |0           |0        |0.0        |
            questionnaires          |6       |scales      |0           |0        |0.0        |
            retention               |7       |participants|0           |0        |0.0        |
            persistence             |8       |participants|0           |0        |0.0        |
            recruitment             |9       |participants|0           |0        |20.0       |0.0
        """,
    )


def test_wear_and_weeks_are_the_sums_of_the_participants(spec):
    spec(
        derive_site_figure,
        as_of=AS_OF,
        protocol=SHOW_ALL,
        participant="participant_id\n P01\n P02",
        adherence="""
            participant_id|eligible_days|valid_days|eligible_weeks|valid_weeks
            --------------+-------------+----------+--------------+-----------
            P01           |20           |15        |3             |2
            P02           |0            |0         |0             |0
        """,
        where="cohort = 'haifa' AND figure IN ('wear_adherence', 'valid_weeks')",
        expect="""
            figure         | participants | numerator | denominator | share
            ---------------+--------------+-----------+-------------+-------
            wear_adherence | 1            | 15        | 20.0        | 0.7500
            valid_weeks    | 1            | 2         | 3.0         | 0.6667
        """,
    )


def test_goal_adherence_is_of_the_days_that_could_be_judged_and_of_those_that_should_count(spec):
    spec(
        derive_site_figure,
        as_of=AS_OF,
        protocol=SHOW_ALL,
        participant="participant_id\n P01\n P02",
        adherence="""
            participant_id | goal_days | eligible_goal_days | goal_days_met
            ---------------+-----------+--------------------+--------------
            P01            | 10        | 12                 | 8
            P02            | 0         | 3                  | 0
        """,
        where="cohort = 'haifa' AND figure LIKE 'goal%'",
        expect="""
            figure                  | participants | numerator | denominator | share
            ------------------------+--------------+-----------+-------------+-------
            goal_adherence_observed | 1            | 8         | 10.0        | 0.8000
            goal_adherence_strict   | 2            | 8         | 15.0        | 0.5333
        """,
    )


def test_synced_is_a_day_known_of_the_last_two_that_ended(spec):
    # 9 and 8 February. P01's day 9 came; P02's last known day is the 7th; P03 wore nothing but
    # synced; P04's were our fault and P05 is paused: neither is asked for.
    spec(
        derive_site_figure,
        as_of=AS_OF,
        protocol=SHOW_ALL,
        participant="participant_id\n P01\n P02\n P03\n P04\n P05",
        participant_day="""
            participant_id | activity_date | day_state
            ---------------+---------------+--------------
            P01            | 2026-02-08    | pending_sync
            P01            | 2026-02-09    | valid
            P02            | 2026-02-07    | valid
            P02            | 2026-02-08    | pending_sync
            P02            | 2026-02-09    | pending_sync
            P02            | 2026-02-10    | valid
            P03            | 2026-02-08    | not_worn
            P04            | 2026-02-09    | fetch_failed
            P04            | 2026-02-08    | vendor_outage
            P05            | 2026-02-09    | paused
        """,
        where="cohort = 'haifa' AND figure = 'synced'",
        expect="numerator | denominator | share\n 2 | 3.0 | 0.6667",
    )


def test_the_protocol_says_of_how_many_days_one_must_be_known(spec):
    spec(
        derive_site_figure,
        as_of=AS_OF,
        protocol=SHOW_ALL | {"site_figures": {"synced_within_days": 3}},
        participant="participant_id\n P01\n P02",
        participant_day="""
            participant_id | activity_date | day_state
            ---------------+---------------+-------------
            P01            | 2026-02-07    | valid
            P01            | 2026-02-09    | pending_sync
            P02            | 2026-02-06    | valid
            P02            | 2026-02-09    | pending_sync
        """,
        where="cohort = 'haifa' AND figure = 'synced'",
        expect="numerator | denominator\n 1 | 2.0",
    )


def test_questionnaires_are_the_received_of_closed_windows_and_a_discharge_is_not_counted(spec):
    spec(  # the window that is still open counts neither way
        derive_site_figure,
        as_of=AS_OF,
        protocol=SHOW_ALL,
        participant="participant_id\n P01",
        visit="visit | week\n week_4 | 4\n discharge |",
        outcome="""
            participant_id | visit     | scale  | status   | closes_on
            ---------------+-----------+--------+----------+-----------
            P01            | week_4    | FUNC   | received | 2026-02-09
            P01            | week_4    | NPRS   | received | 2026-02-09
            P01            | week_4    | FABQPA | missed   | 2026-02-09
            P01            | week_4    | RMDQ24 | received | 2026-02-10
            P01            | discharge | FUNC   | received |
        """,
        where="cohort = 'haifa' AND figure = 'questionnaires'",
        expect="counts | numerator | denominator\n scales | 2 | 3.0",
    )


def test_retention_is_of_those_who_started_and_withdrawing_tomorrow_is_still_in(spec):
    # P04 and P05 left before they had a day in the study; P06 has not begun.
    spec(
        derive_site_figure,
        as_of=AS_OF,
        protocol=SHOW_ALL,
        participant="""
            participant_id | starts_on  | withdrawn_on
            ---------------+------------+-------------
            P01            | 2026-01-19 |
            P02            | 2026-01-19 | 2026-02-11
            P03            | 2026-01-19 | 2026-02-10
            P04            | 2026-01-19 | 2026-01-19
            P05            | 2026-01-19 | 2026-01-18
            P06            | 2026-02-11 |
        """,
        where="cohort = 'haifa' AND figure = 'retention'",
        expect="numerator | denominator | share\n 2 | 3.0 | 0.6667",
    )


def test_persistence_is_of_those_with_a_day_that_has_ended(spec):
    spec(
        derive_site_figure,
        as_of=AS_OF,
        protocol=SHOW_ALL,
        participant="participant_id\n P01\n P02\n P03",
        adherence="participant_id | persistence_ended\n P01 | true\n P02 | false\n P03 |",
        where="cohort = 'haifa' AND figure = 'persistence'",
        expect="numerator | denominator | share\n 1 | 2.0 | 0.5",
    )


def test_the_limits_of_shares_of_participants_are_the_binomial_ones(spec):
    # 15 of 20: 0.75 +- 1.960 sqrt(0.75 * 0.25 / 10) = 0.75 +- 0.2684; +- 3.090: 0.4232.
    # Wilson's interval of 9 of 10 is 0.596 to 0.982, of 6 of 10 0.313 to 0.832.
    spec(
        derive_site_figure,
        as_of=AS_OF,
        participant=TEN_AND_TEN,
        adherence=persisting(1, 11, 12, 13, 14),
        where="figure = 'persistence' AND participants > 0",
        expect="""
            cohort     | share | ci_low | ci_high | overall | limit_low | limit_high | alarm_low
            -----------+-------+--------+---------+---------+-----------+------------+----------
            all        | 0.750 | 0.531  | 0.888   | 0.750   |           |            |
            haifa      | 0.900 | 0.596  | 0.982   | 0.750   | 0.482     | 1.000      | 0.327
            beer_sheva | 0.600 | 0.313  | 0.832   | 0.750   | 0.482     | 1.000      | 0.327
        """,
    )


def test_a_share_just_outside_the_95_percent_limits_is_told_and_one_inside_is_not(spec):
    # 14 of 20: limits 0.7 -+ 0.284. 4 of 10 is below 0.416; had it been 5 of 10 it would not be.
    outside = persisting(11, 12, 13, 14, 15, 16)
    inside = persisting(1, 11, 12, 13, 14, 15)
    for adherence, standings in ((outside, "high low"), (inside, "as_expected as_expected")):
        first, second = standings.split()
        spec(
            derive_site_figure,
            as_of=AS_OF,
            participant=TEN_AND_TEN,
            adherence=adherence,
            where="figure = 'persistence' AND cohort IN ('haifa', 'beer_sheva')",
            expect=f"cohort | standing\n haifa | {first}\n beer_sheva | {second}",
        )


def test_a_share_outside_the_99_8_percent_limits_is_an_alarm(spec):
    spec(  # 0.5 -+ 3.090 sqrt(0.25 / 10) = 0.0114 and 0.9886
        derive_site_figure,
        as_of=AS_OF,
        participant=TEN_AND_TEN,
        adherence=persisting(*range(1, 11)),
        where="figure = 'persistence' AND cohort IN ('haifa', 'beer_sheva')",
        expect="""
            cohort     | share | alarm_low | alarm_high | standing
            -----------+-------+-----------+------------+----------
            haifa      | 0.0   | 0.0114    | 0.9886     | very_low
            beer_sheva | 1.0   | 0.0114    | 0.9886     | very_high
        """,
    )


DAYS = """
    participant_id | eligible_days | valid_days
    ---------------+---------------+-----------
    P01            | 10            | 10
    P02            | 10            | 0
    P03            | 10            | 8
    P04            | 10            | 6
"""


def test_days_of_one_participant_are_alike_and_the_limits_allow_for_it(spec):
    # 24 of 40 days: P = 0.6. (x - 6): 4, -6, 2, 0: mean square 14. Haifa's two people and 20 days
    # count as 0.24 * 400 / (2 * 14) = 3.43 days: 0.6 +- 1.960 sqrt(0.24 / 3.43) = 0.6 +- 0.519.
    # Twenty independent days would give 0.6 +- 0.215. Wilson of 0.5 at 3.43: 0.5 -+ 1.960 *
    # sqrt(3.43 / 4 + 0.96) / (3.43 + 3.84) = 0.5 -+ 0.363.
    spec(
        derive_site_figure,
        as_of=AS_OF,
        protocol=SHOW_ALL,
        participant="participant_id | site\n P01 | haifa\n P02 | haifa\n P03 | beer_sheva\n"
        "P04 | beer_sheva",
        adherence=DAYS,
        where="figure = 'wear_adherence' AND cohort = 'haifa'",
        expect="""
            share | overall | limit_low | limit_high | ci_low | ci_high
            ------+---------+-----------+------------+--------+--------
            0.500 | 0.600   | 0.081     | 1.000      | 0.137  | 0.863
        """,
    )


def test_days_never_count_as_more_than_there_are(spec):
    # All have about half: they vary less than coins would. Wilson's interval of 23 of 44 days:
    # (24.92 -+ 1.960 sqrt(44 * 0.5227 * 0.4773 + 0.960)) / 47.84.
    spec(
        derive_site_figure,
        as_of=AS_OF,
        protocol=SHOW_ALL,
        participant="participant_id\n P01\n P02\n P03\n P04",
        adherence="participant_id | eligible_days | valid_days\n P01 | 2 | 1\n P02 | 2 | 1\n"
        "P03 | 20 | 10\n P04 | 20 | 11",
        where="figure = 'wear_adherence' AND cohort = 'all'",
        expect="denominator | ci_low | ci_high\n 44.0 | 0.3794 | 0.6625",
    )


def planned(con, study, as_of):
    """Forty in Haifa and ten in Beer Sheva over ten days, all gone by."""
    sites = [
        one.model_copy(update={"planned": n})
        for one, n in zip(study.sites[:2], (40, 10), strict=True)
    ]
    head = study.study.model_copy(update={"recruitment_ends_on": date(2026, 1, 28)})
    derive_site_figure(con, study.model_copy(update={"sites": sites, "study": head}), as_of)


def test_recruitment_is_measured_by_the_plan_and_never_withheld(spec):
    # 20 of 50 planned: 0.4. Haifa 0.4 +- 1.960 sqrt(0.4 / 40) = 0.204 to 0.596; Beer Sheva
    # 0.4 +- 1.960 sqrt(0.4 / 10) = 0.008 to 0.792. Score interval of 18: (19.92 -+ 8.54) / 40.
    roster = "participant_id | site\n" + "\n".join(
        f"P{i:02} | {'haifa' if i <= 18 else 'beer_sheva'}" for i in range(1, 21)
    )
    spec(
        planned,
        into="site_figure",
        as_of=AS_OF,
        participant=roster,
        where="figure = 'recruitment'",
        expect="""
            cohort    |suppressed|numerator|denominator|share|ci_low|ci_high|limit_low|limit_high
            ----------+----------+---------+-----------+-----+------+-------+---------+----------
            all       |F         |20       |50.0       |0.400|0.259 |0.618  |         |
            haifa     |F         |18       |40.0       |0.450|0.285 |0.711  |0.204    |0.596
            beer_sheva|F         |2        |10.0       |0.200|0.055 |0.729  |0.008    |0.792
        """,
    )


def unplanned(con, study, as_of):
    head = study.study.model_copy(update={"recruitment_ends_on": None})
    derive_site_figure(con, study.model_copy(update={"study": head}), as_of)


def test_recruitment_without_a_plan_has_no_share_and_no_interval(spec):
    spec(
        unplanned,
        into="site_figure",
        as_of=AS_OF,
        participant="participant_id\n P01\n P02",
        where="figure = 'recruitment' AND cohort = 'all'",
        expect="numerator | denominator | share | ci_low | ci_high\n 2 | | | |",
    )


def test_a_small_site_is_withheld_and_so_is_the_one_it_could_be_had_from(spec):
    spec(
        derive_site_figure,
        as_of=AS_OF,
        participant="participant_id | site\n"
        + "\n".join(f"P{i:02} | {'haifa' if i <= 16 else 'beer_sheva'}" for i in range(1, 21)),
        adherence=persisting(1, 2),
        where="figure = 'persistence'",
        expect="""
            cohort      | suppressed | participants | share | overall
            ------------+------------+--------------+-------+--------
            all         | F          | 20           | 0.9   | 0.9
            haifa       | T          |              |       |
            beer_sheva  | T          |              |       |
            southampton | F          | 0            |       |
        """,
    )


def test_of_too_few_altogether_not_even_the_overall_share_is_told(spec):
    spec(
        derive_site_figure,
        as_of=AS_OF,
        participant="participant_id\n P01\n P02",
        adherence="participant_id | persistence_ended\n P01 | true\n P02 | false",
        where="figure = 'persistence'",
        expect="""
            cohort      | suppressed | overall
            ------------+------------+--------
            all         | T          |
            haifa       | T          |
            beer_sheva  | F          |
            southampton | F          |
        """,
    )
