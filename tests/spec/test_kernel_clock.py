"""Hours with steps follow the local clock, on the days it changes too."""

from support.day_metric import derive_day_metric

USUAL = {
    "activity_day": {
        "source": "google_health",
        "activity_date": "2026-01-05",
        "day_start_at": "2026-01-05 00:00+00",
        "day_minutes": "1440",
        "wear_method": "steps",
        "era": "google_health",
        "row_hash": "h",
        "step_count": "[9]",
    }
}


def test_hours_with_steps_run_from_6_o_clock_to_midnight(spec):
    spec(
        derive_day_metric,
        activity_day="""
            participant_id | timezone      | step_minute
            ---------------+---------------+------------
            P01            | Europe/London | [359]
            P02            | Europe/London | [360]
            P03            | Europe/London | [1439]
            P04            |               | [359]
            P05            |               | [360]
        """,
        expect="""
            participant_id | wear_hours_with_steps
            ---------------+----------------------
            P01            | 0
            P02            | 1
            P03            | 1
            P04            | 0
            P05            | 1
        """,
    )


def test_an_hour_with_several_steps_is_one_hour(spec):
    spec(
        derive_day_metric,
        activity_day="""
            participant_id | step_minute     | step_count
            ---------------+-----------------+-----------
            P01            | [360, 419]      | [9, 9]
            P02            | [360, 419, 420] | [9, 9, 9]
        """,
        expect="""
            participant_id | wear_hours_with_steps
            ---------------+----------------------
            P01            | 1
            P02            | 2
        """,
    )


def test_on_the_day_clocks_go_forward_6_o_clock_is_the_300th_minute(spec):
    spec(
        derive_day_metric,
        activity_day="""
            participant_id|activity_date|timezone      |day_start_at       |day_minutes|step_minute
            --------------+-------------+--------------+-------------------+-----------+-----------
            P01           |2026-03-29   |Europe/London |2026-03-29 00:00+00|1380       |[299]
            P02           |2026-03-29   |Europe/London |2026-03-29 00:00+00|1380       |[300]
            P03           |2026-03-29   |Europe/London |2026-03-29 00:00+00|1380       |[1379]
            P04           |2026-03-27   |Asia/Jerusalem|2026-03-26 22:00+00|1380       |[299]
            P05           |2026-03-27   |Asia/Jerusalem|2026-03-26 22:00+00|1380       |[300]
        """,
        expect="""
            participant_id | wear_hours_with_steps | day_end_at
            ---------------+-----------------------+-----------------------
            P01            | 0                     | 2026-03-29 23:00:00+00
            P02            | 1                     | 2026-03-29 23:00:00+00
            P03            | 1                     | 2026-03-29 23:00:00+00
            P04            | 0                     | 2026-03-27 21:00:00+00
            P05            | 1                     | 2026-03-27 21:00:00+00
        """,
    )


def test_on_the_day_clocks_go_back_6_o_clock_is_the_420th_minute(spec):
    spec(
        derive_day_metric,
        activity_day="""
            participant_id|activity_date|timezone      |day_start_at       |day_minutes|step_minute
            --------------+-------------+--------------+-------------------+-----------+-----------
            P01           |2026-10-25   |Europe/London |2026-10-24 23:00+00|1500       |[419]
            P02           |2026-10-25   |Europe/London |2026-10-24 23:00+00|1500       |[420]
            P03           |2026-10-25   |Europe/London |2026-10-24 23:00+00|1500       |[1499]
            P04           |2026-10-25   |Asia/Jerusalem|2026-10-24 21:00+00|1500       |[419]
            P05           |2026-10-25   |Asia/Jerusalem|2026-10-24 21:00+00|1500       |[420]
        """,
        expect="""
            participant_id | wear_hours_with_steps | day_end_at
            ---------------+-----------------------+-----------------------
            P01            | 0                     | 2026-10-26 00:00:00+00
            P02            | 1                     | 2026-10-26 00:00:00+00
            P03            | 1                     | 2026-10-26 00:00:00+00
            P04            | 0                     | 2026-10-25 22:00:00+00
            P05            | 1                     | 2026-10-25 22:00:00+00
        """,
    )


def test_where_clocks_change_at_midnight_the_day_itself_begins_at_1_o_clock(spec):
    spec(  # in Egypt on 24 April 2026 the clock goes from 00:00 to 01:00
        derive_day_metric,
        activity_day="""
            participant_id|activity_date|timezone    |day_start_at       |day_minutes|step_minute
            --------------+-------------+------------+-------------------+-----------+-----------
            P01           |2026-04-24   |Africa/Cairo|2026-04-23 22:00+00|1380       |[299]
            P02           |2026-04-24   |Africa/Cairo|2026-04-23 22:00+00|1380       |[300]
        """,
        expect="""
            participant_id | wear_hours_with_steps
            ---------------+----------------------
            P01            | 0
            P02            | 1
        """,
    )


def test_without_a_zone_hours_of_a_changed_day_are_counted_from_the_nearer_midnight(spec):
    spec(
        derive_day_metric,
        activity_day="""
            participant_id | timezone | day_minutes | step_minute
            ---------------+----------+-------------+------------
            P01            |          | 1380        | [359]
            P02            |          | 1380        | [360]
            P03            |          | 1500        | [1499]
            P04            |          | 1500        | [0]
        """,
        expect="""
            participant_id|wear_hours_with_steps|first_step_minute|last_step_minute|timezone_changed
            --------------+---------------------+-----------------+----------------+----------------
            P01           |0                    |359              |359             |T
            P02           |1                    |360              |360             |T
            P03           |1                    |1439             |1439            |T
            P04           |0                    |0                |0               |T
        """,
    )


def test_a_travellers_day_may_have_1_minute_or_2880_and_every_metric(spec):
    spec(
        derive_day_metric,
        activity_day="""
            participant_id|day_minutes|wear_method|step_minute|step_count|wear_start|wear_length
            --------------+-----------+-----------+-----------+----------+----------+-----------
            P01           |1          |heart_rate |[0]        |[110]     |[0]       |[1]
            P02           |2880       |heart_rate |[2879]     |[110]     |[0]       |[2880]
        """,
        expect="""
            participant_id|timezone_changed|wear_minutes|peak_1_cadence|peak_30_cadence|max_5_cadence
            --------------+----------------+------------+--------------+---------------+-------------
            P01           |T               |1           |110           |               |
            P02           |T               |2880        |110           |3.67           |22
        """,
    )
