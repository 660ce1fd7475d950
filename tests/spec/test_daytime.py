"""The first and the last step of a day."""

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
        "step_count": "[9, 9]",
    }
}


def test_the_first_and_last_step_are_minutes_of_the_local_clock(spec):
    spec(
        derive_day_metric,
        activity_day="""
            participant_id|activity_date|timezone     |day_start_at       |day_minutes|step_minute
            --------------+-------------+-------------+-------------------+-----------+-----------
            P01           |2026-01-05   |Europe/London|2026-01-05 00:00+00|1440       |[400, 1300]
            P02           |2026-03-29   |Europe/London|2026-03-29 00:00+00|1380       |[59, 60]
            P03           |2026-03-29   |Europe/London|2026-03-29 00:00+00|1380       |[400, 1379]
            P04           |2026-10-25   |Europe/London|2026-10-24 23:00+00|1500       |[0, 1499]
            P05           |2026-01-05   |             |2026-01-05 00:00+00|1900       |[430, 1899]
        """,
        expect="""
            participant_id | first_step_minute | last_step_minute | timezone_changed
            ---------------+-------------------+------------------+-----------------
            P01            | 400               | 1300             | F
            P02            | 59                | 120              | F
            P03            | 460               | 1439             | F
            P04            | 0                 | 1439             | F
            P05            | 430               | 1439             | T
        """,
    )


def test_a_day_without_a_step_has_neither(spec):
    spec(
        derive_day_metric,
        activity_day=days_drawn(P01="60x0", P02="1x0 1x5 1x0"),
        expect="""
            participant_id | first_step_minute | last_step_minute
            ---------------+-------------------+-----------------
            P01            |                   |
            P02            | 601               | 601
        """,
    )
