"""What a wear rule changes: days on both sides of each rule, and the conclusions."""

from datetime import date, timedelta

from transforms.cohort.cohort import derive_cohort_member
from transforms.cohort.sensitivity import derive_wear_rule_sensitivity as sensitivity_of

USUAL = {
    "participant": {
        "site": "haifa",
        "timezone": "Asia/Jerusalem",
        "enrolled_on": "2026-01-01",
        "starts_on": "2026-01-05",
    },
    "participant_day": {
        "study_day": "1",
        "study_week": "1",
        "source": "s",
        "eligible_day": "true",
        "provisional": "false",
    },
    "day_metric": {
        "source": "s",
        "era": "file",
        "day_end_at": "2026-01-06 00:00+00",
        "has_minutes": "true",
        "wear_method": "heart_rate",
        "row_hash": "h",
    },
    "outcome": {"scale": "FUNC", "status": "received"},
}
SHOW_ALL = {"study": {"small_cell": 0}}
P01 = """
    participant_id
    --------------
    P01
"""


def derive_wear_rule_sensitivity(con, study):
    """From the roster and the days drawn."""
    derive_cohort_member(con, study)
    sensitivity_of(con, study)


# The 5th: long worn, few steps. 6th: 1,499 steps. 7th: 8 hours. 8th: worn for minutes by heart
# rate, ten hours with steps. 9th: one minute short of 8 hours. 10th: too many steps to believe.
DAYS = """
    participant_id | activity_date | day_state         | valid_day | steps
    ---------------+---------------+-------------------+-----------+------
    P01            | 2026-01-05    | valid             | true      | 999
    P01            | 2026-01-06    | valid             | true      | 1499
    P01            | 2026-01-07    | insufficient_wear | false     | 3000
    P01            | 2026-01-08    | not_worn          | false     | 4000
    P01            | 2026-01-09    | insufficient_wear | false     | 5000
    P01            | 2026-01-10    | implausible       | false     | 45001
    P01            | 2026-01-11    | pending_sync      | false     |
"""


def test_each_rule_counts_its_days_gained_and_lost(spec):
    spec(
        derive_wear_rule_sensitivity,
        protocol=SHOW_ALL,
        participant=P01,
        participant_day=DAYS,
        day_metric="""
            participant_id | activity_date | wear_minutes | wear_hours_with_steps
            ---------------+---------------+--------------+----------------------
            P01            | 2026-01-05    | 600          | 3
            P01            | 2026-01-06    | 700          | 4
            P01            | 2026-01-07    | 480          | 9
            P01            | 2026-01-08    | 9            | 10
            P01            | 2026-01-09    | 479          | 0
            P01            | 2026-01-10    | 1400         | 20
        """,
        where="rule NOT IN ('choi', 'troiano')",
        expect="""
            rule         |days|valid_days|days_gained|days_lost|participants|steps_per_day
            -------------+----+----------+-----------+---------+------------+-------------
            protocol     |5   |2         |0          |0        |1           |1249.0
            wear_10_hours|5   |2         |0          |0        |1           |1249.0
            wear_8_hours |5   |3         |1          |0        |1           |1832.7
            steps_1000   |5   |1         |0          |1        |1           |1499.0
            steps_1500   |5   |0         |0          |2        |0           |
            wear_or_steps|5   |3         |1          |0        |1           |2166.0
        """,
    )


def test_the_published_algorithms_have_their_own_wear(spec):
    spec(
        derive_wear_rule_sensitivity,
        protocol=SHOW_ALL,
        participant=P01,
        participant_day=DAYS,
        day_metric="""
            participant_id | activity_date | wear_choi_minutes | wear_troiano_minutes
            ---------------+---------------+-------------------+---------------------
            P01            | 2026-01-05    | 599               | 200
            P01            | 2026-01-06    | 600               | 599
            P01            | 2026-01-07    | 0                 | 600
            P01            | 2026-01-10    | 1400              | 1400
        """,
        where="rule IN ('choi', 'troiano')",
        expect="""
            rule    | days | valid_days | days_gained | days_lost | steps_per_day
            --------+------+------------+-------------+-----------+--------------
            choi    | 5    | 1          | 0           | 1         | 1499.0
            troiano | 5    | 1          | 1           | 2         | 3000.0
        """,
    )


def test_a_device_that_tells_wear_by_steps_is_judged_by_its_hours(spec):
    spec(
        derive_wear_rule_sensitivity,
        protocol=SHOW_ALL,
        participant=P01,
        participant_day="""
            participant_id | activity_date | day_state         | valid_day | steps
            ---------------+---------------+-------------------+-----------+------
            P01            | 2026-01-05    | valid             | true      | 5000
            P01            | 2026-01-06    | insufficient_wear | false     | 5000
            P01            | 2026-01-07    | insufficient_wear | false     | 5000
        """,
        day_metric="""
            participant_id | activity_date | wear_method | wear_hours_with_steps
            ---------------+---------------+-------------+----------------------
            P01            | 2026-01-05    | steps       | 10
            P01            | 2026-01-06    | steps       | 8
            P01            | 2026-01-07    | steps       | 7
        """,
        where="rule IN ('wear_10_hours', 'wear_8_hours')",
        expect="""
            rule          | valid_days | days_gained
            --------------+------------+------------
            wear_10_hours | 1          | 0
            wear_8_hours  | 2          | 1
        """,
    )


def walked(steps: dict[str, tuple[int, int]], low_days: int = 0) -> dict[str, str]:
    """Four valid days in the run-in (from day 3) and four from day 15, of each participant's steps.

    `low_days` of the later days have 1,200 steps instead.
    """
    days = [
        "participant_id | activity_date | study_day | study_week | day_state | valid_day | steps"
    ]
    metric = ["participant_id | activity_date | wear_minutes"]
    for who, (before, after) in steps.items():
        for n in (3, 4, 5, 6, 15, 16, 17, 18):
            on = date(2026, 1, 4) + timedelta(n)
            count = before if n < 15 else 1200 if n < 15 + low_days else after
            days.append(f"{who} | {on} | {n} | {(n + 6) // 7} | valid | true | {count}")
            metric.append(f"{who} | {on} | 700")
    return {
        "participant": "\n".join(["participant_id", *steps]),
        "participant_day": "\n".join(days),
        "day_metric": "\n".join(metric),
    }


def test_too_few_to_conclude_is_neither_a_change_nor_none(spec):
    # One later day of four with 1,200 steps. By the protocol the first's change is
    # (3 x 7000 + 1200) / 4 - 5000 = 550, the others' 400 and 700: mean 550, sd 150, t(2) 4.3027:
    # 550 - 4.3027 x 150 / sqrt(3) = 177.4. Without that day three are left, which are too few.
    spec(
        derive_wear_rule_sensitivity,
        protocol=SHOW_ALL,
        **walked({"P01": (5000, 7000), "P02": (5000, 6800), "P03": (5000, 7200)}, low_days=1),
        where="rule IN ('protocol', 'steps_1000', 'steps_1500')",
        expect="""
            rule      |participants_changed|steps_change|steps_change_ci_low|steps_change_says
            ----------+--------------------+------------+-------------------+-----------------
            protocol  |3                   |550.0       |177.4              |up
            steps_1000|3                   |550.0       |177.4              |up
            steps_1500|0                   |            |                   |too few
        """,
    )
    spec(
        derive_wear_rule_sensitivity,
        protocol=SHOW_ALL,
        **walked({"P01": (5000, 7000), "P02": (5000, 6800), "P03": (5000, 7200)}, low_days=1),
        where="rule LIKE 'steps%'",
        expect="""
            rule       | steps_change_changes | slope_changes
            -----------+----------------------+--------------
            steps_1000 | F                    |
            steps_1500 |                      |
        """,
    )


def test_whether_steps_rose_can_hang_on_the_rule(spec):
    # Run-in of 5,000; after it means of 5,900, 6,000 and 6,100, which is up. By Choi only the lower
    # half of those days is valid: changes of 900, -100 and -200, an interval across 0.
    high_and_low = {"P01": (5900, 5900), "P02": (7100, 4900), "P03": (7400, 4800)}
    days = ["participant_id|activity_date|study_day|study_week|day_state|valid_day|steps"]
    metric = ["participant_id|activity_date|wear_minutes|wear_choi_minutes"]
    for who, of_day in high_and_low.items():
        for n in (3, 4, 5, 6, 15, 16, 17, 18, 19, 20, 21, 22):
            on, low = date(2026, 1, 4) + timedelta(n), n % 2 == 0
            steps = 5000 if n < 15 else of_day[low]
            days.append(f"{who}|{on}|{n}|{(n + 6) // 7}|valid|true|{steps}")
            metric.append(f"{who}|{on}|700|{600 if n < 15 or low else 0}")
    spec(
        derive_wear_rule_sensitivity,
        protocol=SHOW_ALL,
        participant="\n".join(["participant_id", *high_and_low]),
        participant_day="\n".join(days),
        day_metric="\n".join(metric),
        where="rule IN ('protocol', 'choi', 'wear_8_hours')",
        expect="""
            rule         | steps_change | steps_change_says | steps_change_changes
            -------------+--------------+-------------------+---------------------
            protocol     | 1000.0       | up                | F
            wear_8_hours | 1000.0       | up                | F
            choi         | 200.0        | unclear           | T
        """,
    )


def test_fewer_steps_are_down_and_an_interval_across_0_is_unclear(spec):
    for after, says in (((4000, 4100, 4200), "down"), ((4000, 5000, 6000), "unclear")):
        people = {f"P0{n}": (5000, steps) for n, steps in enumerate(after, start=1)}
        spec(
            derive_wear_rule_sensitivity,
            protocol=SHOW_ALL,
            **walked(people),
            where="rule = 'protocol'",
            expect=f"steps_change_says\n{says}",
        )


def test_the_slope_is_within_participants_and_clustered_by_them(spec):
    # Function after some steps and after 2,000 more, whatever each walks: P01 40 and 44 (2 points a
    # thousand), P02 60 and 61 (0.5), P03 50 and 52 (1). Deviations are -1 and 1: the slope is
    # (4 + 1 + 2) / 6 = 1.1667. Residues by person, 2 x (own - mean): 1.6667, -1.3333, -0.3333:
    # their squares add to 14 / 3, x 3 / 2 = 7; sqrt(7) / 6 x t(2) = 0.440959 x 4.302653 = 1.897293.
    rows = [
        f"P0{n} | {visit} | {on} | {score}"
        for n, scores in enumerate(((40, 44), (60, 61), (50, 52)), start=1)
        for visit, on, score in zip(
            ("week_4", "week_8"), ("2026-01-11", "2026-01-23"), scores, strict=True
        )
    ]
    spec(
        derive_wear_rule_sensitivity,
        protocol=SHOW_ALL | {"activity_before_visit": {"days": 5}},
        **walked({"P01": (5000, 7000), "P02": (5000, 7000), "P03": (9000, 11000)}),
        outcome="\n".join(["participant_id | visit | answered_on | score", *rows]),
        where="rule = 'protocol'",
        expect="""
            participants_with_slope | slope  | slope_ci_low | slope_ci_high | slope_says
            ------------------------+--------+--------------+---------------+-----------
            3                       | 1.1667 | -0.7306      | 3.0640        | unclear
        """,
    )


def test_a_small_panel_is_withheld_and_a_small_part_of_it_is_too_few(spec):
    spec(
        derive_wear_rule_sensitivity,
        **walked({f"P0{n}": (5000, 7000) for n in range(1, 5)}),
        where="rule = 'protocol'",
        expect="""
            rule     | suppressed | days | valid_days | steps_per_day | steps_change_says
            ---------+------------+------+------------+---------------+------------------
            protocol | T          |      |            |               |
        """,
    )


def test_a_part_of_fewer_participants_is_blank_and_too_few(spec):
    # Five have a valid day, four of them more than one.
    drawn = walked({f"P0{n}": (5000, 7000 + n) for n in range(1, 5)})
    drawn["participant"] += "\nP05"
    drawn["participant_day"] += "\nP05 | 2026-01-07 | 3 | 1 | valid | true | 5000"
    visits = (("week_4", "2026-01-11", 40), ("week_8", "2026-01-23", 44))
    rows = [f"P0{n} | {' | '.join(map(str, visit))}" for n in range(1, 5) for visit in visits]
    spec(
        derive_wear_rule_sensitivity,
        protocol={"activity_before_visit": {"days": 5}},
        **drawn,
        outcome="\n".join(["participant_id | visit | answered_on | score", *rows]),
        where="rule = 'protocol'",
        expect="""
            suppressed|days|participants_changed|steps_change|participants_with_slope|slope|slope_says
            ----------+----+--------------------+------------+-----------------------+-----+----------
            F         |33  |                    |            |                       |     |too few
        """,
    )


def test_five_are_enough_for_a_part(spec):
    spec(
        derive_wear_rule_sensitivity,
        **walked({f"P0{n}": (5000, 7000 + n) for n in range(1, 6)}),
        where="rule = 'protocol'",
        expect="""
            suppressed | days | participants_changed | steps_change_says | slope_says
            -----------+------+----------------------+-------------------+-----------
            F          | 40   | 5                    | up                | too few
        """,
    )
