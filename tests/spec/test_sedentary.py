"""Sedentary minutes and bouts."""

from support.day_metric import days_drawn, derive_day_metric

USUAL = {
    "activity_day": {
        "participant_id": "P01",
        "source": "google_health",
        "activity_date": "2026-01-05",
        "day_start_at": "2026-01-05 00:00+00",
        "day_minutes": "1440",
        "wear_method": "heart_rate",
        "era": "google_health",
        "row_hash": "h",
        "wear_start": "[0]",
    }
}


def test_a_worn_minute_below_10_steps_is_sedentary_and_30_in_a_row_are_a_bout(spec):
    spec(
        derive_day_metric,
        activity_day=days_drawn(
            P01="30x0",
            P02="29x0",
            P03="30x9",
            P04="30x10",
            P05="15x0 1x10 30x0",
            P06="15x0 1x9 14x0 1x10",
            P07="15x0 1x- 15x0",
            P08="30x0 1x- 31x0 5x12 30x0 1x10 29x0",
            P09="2x0 1x5 1x12 1x30 1x110 1x105 2x0 1x64 1x120 1x9",
        ),
        expect="""
            participant_id | sedentary_minutes | sedentary_bouts | sedentary_bout_minutes
            ---------------+-------------------+-----------------+-----------------------
            P01            | 30                | 1               | 30
            P02            | 29                | 0               | 0
            P03            | 30                | 1               | 30
            P04            | 0                 | 0               | 0
            P05            | 45                | 1               | 30
            P06            | 30                | 1               | 30
            P07            | 30                | 0               | 0
            P08            | 120               | 3               | 91
            P09            | 6                 | 0               | 0
        """,
    )


def test_sedentary_time_begins_at_6_o_clock(spec):
    spec(
        derive_day_metric,
        activity_day=days_drawn(start=330, P01="60x0", P02="59x0", P03="29x0 1x50 30x0"),
        expect="""
            participant_id | sedentary_minutes | sedentary_bouts | sedentary_bout_minutes
            ---------------+-------------------+-----------------+-----------------------
            P01            | 30                | 1               | 30
            P02            | 29                | 0               | 0
            P03            | 30                | 1               | 30
        """,
    )


def test_waking_hours_cadence_and_length_of_a_bout_are_the_protocols(spec):
    spec(
        derive_day_metric,
        protocol={
            "wear": {
                "waking_from_hour": 0,
                "waking_to_hour": 1,
                "sedentary_below_cadence": 20,
                "sedentary_bout_minutes": 20,
            }
        },
        activity_day=days_drawn(start=40, P01="40x19", P02="40x20", P03="19x0 1x20 20x0"),
        expect="""
            participant_id | sedentary_minutes | sedentary_bouts | sedentary_bout_minutes
            ---------------+-------------------+-----------------+-----------------------
            P01            | 20                | 1               | 20
            P02            | 0                 | 0               | 0
            P03            | 19                | 0               | 0
        """,
    )


def test_6_o_clock_is_that_of_the_clock_on_days_of_1380_and_1500_minutes_and_of_a_journey(spec):
    spec(
        derive_day_metric,
        activity_day="""
            participant_id|activity_date|timezone     |day_start_at       |day_minutes|wear_length
            --------------+-------------+-------------+-------------------+-----------+-----------
            P01           |2026-01-05   |Europe/London|2026-01-05 00:00+00|1440       |[400]
            P02           |2026-03-29   |Europe/London|2026-03-29 00:00+00|1380       |[400]
            P03           |2026-10-25   |Europe/London|2026-10-24 23:00+00|1500       |[430]
            P04           |2026-01-05   |             |2026-01-05 00:00+00|2880       |[2880]
        """,
        expect="""
            participant_id | sedentary_minutes
            ---------------+------------------
            P01            | 40
            P02            | 100
            P03            | 10
            P04            | 2520
        """,
    )


def test_a_device_that_only_counts_steps_has_no_sedentary_minutes(spec):
    spec(
        derive_day_metric,
        activity_day=days_drawn(wear_method="steps", P01="30x5"),
        expect="""
            sedentary_minutes | sedentary_bouts | sedentary_bout_minutes
            ------------------+-----------------+-----------------------
                              |                 |
        """,
    )
