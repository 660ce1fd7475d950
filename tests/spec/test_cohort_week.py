"""Cohorts' adherence by study week, with both denominators and what is withheld."""

from transforms.cohort import cohort_week
from transforms.cohort.cohort import derive_cohort_member

USUAL = {
    "participant": {
        "site": "haifa",
        "timezone": "Asia/Jerusalem",
        "enrolled_on": "2026-01-15",
        "starts_on": "2026-01-19",
    },
    "participant_week": {
        "study_week": "3",
        "week_starts_on": "2026-02-02",
        "valid_week": "true",
        "goal_days": "0",
        "goal_days_met": "0",
    },
    "participant_day": {
        "study_day": "15",
        "study_week": "3",
        "day_state": "valid",
        "valid_day": "true",
        "provisional": "false",
    },
}
WEEK_3_ENDED = "2026-02-09 12:00+00"
SHOW_ALL = {"study": {"small_cell": 0}}
EVERYBODY = "cohort_kind = 'all'"
TWO = """
    participant_id
    --------------
    P01
    P02
"""


def derive_cohort_week(con, study, as_of):
    """The cohort table from the roster drawn."""
    derive_cohort_member(con, study)
    cohort_week.derive_cohort_week(con, study, as_of)


def test_wear_adherence_pools_the_days_and_a_week_outside_the_denominator_is_not_counted(spec):
    spec(
        derive_cohort_week,
        as_of=WEEK_3_ENDED,
        protocol=SHOW_ALL,
        participant="""
            participant_id
            --------------
            P01
            P02
            P03
        """,
        participant_week="""
            participant_id | study_week | eligible_days | valid_days | valid_week
            ---------------+------------+---------------+------------+-----------
            P01            | 3          | 7             | 6          | true
            P02            | 3          | 1             | 0          | false
            P03            | 3          | 0             | 0          | false
            P03            | 4          | 0             | 0          | false
        """,
        where=EVERYBODY,
        expect="""
            study_week | participants | wear_adherence | valid_weeks | suppressed
            -----------+--------------+----------------+-------------+-----------
            3          | 2            | 0.75           | 0.50        | F
        """,
    )


def test_valid_weeks_are_of_those_whose_seven_days_have_ended_where_they_live(spec):
    # 22:30 UTC on the last day of week 3: it has ended in Jerusalem, and is still on in London.
    weeks_of_three = {
        "as_of": "2026-02-08 22:30+00",
        "participant": """
            participant_id | timezone
            ---------------+---------------
            P01            | Asia/Jerusalem
            P02            | Asia/Jerusalem
            P03            | Europe/London
        """,
        "participant_week": """
            participant_id | study_week | week_starts_on | eligible_days | valid_days | valid_week
            ---------------+------------+----------------+---------------+------------+-----------
            P01            | 3          | 2026-02-02     | 7             | 5          | true
            P02            | 3          | 2026-02-02     | 7             | 2          | false
            P03            | 3          | 2026-02-02     | 6             | 3          | false
            P03            | 4          | 2026-02-09     | 1             | 1          | false
        """,
    }
    for limit, week_3 in ((0, "0.50"), (2, "0.50"), (3, "")):
        spec(
            derive_cohort_week,
            protocol={"study": {"small_cell": limit}},
            **weeks_of_three,
            where=f"{EVERYBODY} AND study_week = 3",
            expect=f"""
                study_week | participants | suppressed | valid_weeks
                -----------+--------------+------------+------------
                3          | 3            | F          | {week_3}
            """,
        )
    spec(
        derive_cohort_week,
        protocol=SHOW_ALL,
        **weeks_of_three,
        where=f"{EVERYBODY} AND study_week = 4",
        expect="""
            study_week | participants | wear_adherence | valid_weeks
            -----------+--------------+----------------+------------
            4          | 1            | 1.0            |
        """,
    )


def test_goal_adherence_has_two_denominators(spec):
    # P01 met the goal on 2 of 2 valid days; one more eligible day with a goal was not worn.
    # A day before the goal and a day outside the denominator count in neither.
    spec(
        derive_cohort_week,
        as_of=WEEK_3_ENDED,
        protocol=SHOW_ALL,
        participant=TWO,
        participant_week="""
            participant_id | eligible_days | valid_days | goal_days | goal_days_met
            ---------------+---------------+------------+-----------+--------------
            P01            | 4             | 3          | 2         | 2
            P02            | 2             | 2          | 2         | 1
        """,
        participant_day="""
            participant_id | activity_date | eligible_day | goal_steps
            ---------------+---------------+--------------+-----------
            P01            | 2026-02-02    | true         |
            P01            | 2026-02-03    | true         | 6000
            P01            | 2026-02-04    | true         | 6000
            P01            | 2026-02-05    | true         | 6000
            P01            | 2026-02-06    | false        | 6000
            P02            | 2026-02-02    | true         | 5000
            P02            | 2026-02-03    | true         | 5000
        """,
        where=EVERYBODY,
        expect="""
            goal_adherence_observed | goal_adherence_strict
            ------------------------+----------------------
            0.75                    | 0.60
        """,
    )


def test_a_week_without_goals_has_no_goal_adherence(spec):
    spec(
        derive_cohort_week,
        as_of=WEEK_3_ENDED,
        protocol=SHOW_ALL,
        participant=TWO,
        participant_week="""
            participant_id | eligible_days | valid_days
            ---------------+---------------+-----------
            P01            | 7             | 0
        """,
        where=EVERYBODY,
        expect="""
            wear_adherence | goal_adherence_observed | goal_adherence_strict | steps_per_day
            ---------------+-------------------------+-----------------------+--------------
            0              |                         |                       |
        """,
    )


def test_steps_are_the_mean_of_participants_means_with_a_t_interval(spec):
    # 4000, 6000 and 8000: sd 2000, t(2) 4.3027: ± 4968.3; who has no valid day has no mean.
    spec(
        derive_cohort_week,
        as_of=WEEK_3_ENDED,
        protocol=SHOW_ALL,
        participant="""
            participant_id
            --------------
            P01
            P02
            P03
            P04
        """,
        participant_week="""
            participant_id | eligible_days | valid_days | steps_per_day
            ---------------+---------------+------------+--------------
            P01            | 7             | 7          | 4000
            P02            | 7             | 1          | 6000
            P03            | 7             | 4          | 8000
            P04            | 7             | 0          |
        """,
        where=EVERYBODY,
        expect="""
            participants | steps_per_day | steps_ci_low | steps_ci_high
            -------------+---------------+--------------+--------------
            4            | 6000          | 1031.7       | 10968.3
        """,
    )


def test_one_participants_steps_have_no_interval(spec):
    spec(
        derive_cohort_week,
        as_of=WEEK_3_ENDED,
        protocol=SHOW_ALL,
        participant=TWO,
        participant_week="""
            participant_id | eligible_days | valid_days | steps_per_day
            ---------------+---------------+------------+--------------
            P01            | 7             | 7          | 4000
        """,
        where=EVERYBODY,
        expect="""
            steps_per_day | steps_ci_low | steps_ci_high
            --------------+--------------+--------------
            4000          |              |
        """,
    )


def test_cohorts_of_each_kind_have_their_weeks(spec):
    spec(
        derive_cohort_week,
        as_of=WEEK_3_ENDED,
        protocol=SHOW_ALL,
        participant="""
            participant_id | site   | arm  | therapist_id | depression_or_anxiety
            ---------------+--------+------+--------------+----------------------
            P01            | haifa  | etmi | T01          | true
            P02            | london |      |              |
        """,
        participant_week="""
            participant_id | eligible_days | valid_days
            ---------------+---------------+-----------
            P01            | 7             | 7
            P02            | 7             | 0
        """,
        expect="""
            cohort_kind           | cohort | study_week | participants | wear_adherence
            ----------------------+--------+------------+--------------+---------------
            all                   | all    | 3          | 2            | 0.5
            site                  | haifa  | 3          | 1            | 1.0
            site                  | london | 3          | 1            | 0.0
            depression_or_anxiety | yes    | 3          | 1            | 1.0
            arm                   | etmi   | 3          | 1            | 1.0
            therapist             | T01    | 3          | 1            | 1.0
        """,
    )


def weeks(with_steps: int, with_goal: int, participants: int) -> dict[str, str]:
    """Pictures of a week of some participants, some with valid days and some with a goal."""
    names = [f"P0{n}" for n in range(1, participants + 1)]
    week = [
        "participant_id | eligible_days | valid_days | steps_per_day | goal_days | goal_days_met"
    ]
    week += [f"{p} | 7 | 7 | 5000 | 0 | 0" for p in names[:with_steps]]
    week += [f"{p} | 7 | 0 | | 0 | 0" for p in names[with_steps:]]
    day = ["participant_id | activity_date | eligible_day | goal_steps"]
    day += [f"{p} | 2026-02-03 | true | 6000" for p in names[:with_goal]]
    return {
        "participant": "\n".join(["participant_id", *names]),
        "participant_week": "\n".join(week),
        "participant_day": "\n".join(day),
    }


def test_five_participants_are_shown(spec):
    spec(
        derive_cohort_week,
        as_of=WEEK_3_ENDED,
        **weeks(participants=5, with_steps=5, with_goal=5),
        where=EVERYBODY,
        expect="""
            suppressed | participants | wear_adherence | goal_adherence_strict | steps_per_day
            -----------+--------------+----------------+-----------------------+--------------
            F          | 5            | 1              | 0                     | 5000
        """,
    )


def test_a_figure_that_rests_on_four_withholds_the_row(spec):
    for few in ({"participants": 4}, {"with_steps": 4}):
        spec(
            derive_cohort_week,
            as_of=WEEK_3_ENDED,
            **weeks(**{"participants": 5, "with_steps": 0, "with_goal": 0, **few}),
            where=EVERYBODY,
            expect="""
                study_week | suppressed | participants | wear_adherence | steps_per_day
                -----------+------------+--------------+----------------+--------------
                3          | T          |              |                |
            """,
        )


def test_goals_of_four_are_blank_alone_since_who_has_one_may_tell_the_arm(spec):
    for with_goal, shown in ((4, ""), (5, "5")):
        spec(
            derive_cohort_week,
            as_of=WEEK_3_ENDED,
            **weeks(participants=5, with_steps=0, with_goal=with_goal),
            where=EVERYBODY,
            expect=f"""
                suppressed | participants | wear_adherence | participants_with_goal
                -----------+--------------+----------------+-----------------------
                F          | 5            | 0              | {shown}
            """,
        )


def test_valid_weeks_of_four_whose_week_has_ended_are_blank_alone(spec):
    # At 22:30 UTC the last day of week 3 has ended in Jerusalem, and not in London.
    for ended, shown in ((4, ""), (5, "0")):
        people = [f"P{n:02d}" for n in range(1, 7)]
        zones = ["Asia/Jerusalem" if n < ended else "Europe/London" for n in range(6)]
        spec(
            derive_cohort_week,
            as_of="2026-02-08 22:30+00",
            participant="participant_id | timezone\n"
            + "\n".join(f"{who} | {zone}" for who, zone in zip(people, zones, strict=True)),
            participant_week="participant_id | eligible_days | valid_days | valid_week\n"
            + "\n".join(f"{who} | 7 | 0 | false" for who in people),
            where=EVERYBODY,
            expect=f"""
                suppressed | participants | valid_weeks
                -----------+--------------+------------
                F          | 6            | {shown}
            """,
        )


def test_figures_that_rest_on_nobody_withhold_nothing(spec):
    spec(
        derive_cohort_week,
        as_of=WEEK_3_ENDED,
        **weeks(participants=5, with_steps=0, with_goal=0),
        where=EVERYBODY,
        expect="""
            suppressed | participants | wear_adherence | steps_per_day
            -----------+--------------+----------------+--------------
            F          | 5            | 0              |
        """,
    )


def test_goal_adherence_is_not_shown_of_the_few_whose_days_with_a_goal_were_valid(spec):
    # Three have a goal and three a valid day, but only P01 a valid day with a goal.
    for limit, met in ((1, "0.50"), (2, "")):
        spec(
            derive_cohort_week,
            as_of=WEEK_3_ENDED,
            protocol={"study": {"small_cell": limit}},
            participant=TWO + "P03",
            participant_week="""
                participant_id | eligible_days | valid_days | goal_days | goal_days_met | steps_per_day
                ---------------+---------------+------------+-----------+---------------+--------------
                P01            | 7             | 4          | 2         | 1             | 4000
                P02            | 7             | 4          | 0         | 0             | 4000
                P03            | 7             | 4          | 0         | 0             | 4000
            """,  # noqa: E501
            participant_day="""
                participant_id | activity_date | eligible_day | valid_day | goal_steps
                ---------------+---------------+--------------+-----------+-----------
                P01            | 2026-02-02    | true         | true      | 5000
                P02            | 2026-02-02    | true         | false     | 5000
                P03            | 2026-02-02    | true         | false     | 5000
            """,
            where=EVERYBODY,
            expect=f"""
                study_week | suppressed | goal_adherence_observed
                -----------+------------+------------------------
                3          | F          | {met}
            """,
        )
