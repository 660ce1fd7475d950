"""Best effort over consecutive minutes."""

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
    }
}


def test_the_worked_vector_has_its_best_5_minutes(spec):
    spec(  # 105 0 0 64 120
        derive_day_metric,
        activity_day=days_drawn(P01="2x0 1x5 1x12 1x30 1x110 1x105 2x0 1x64 1x120 1x9"),
        expect="""
            max_5_cadence | max_20_cadence | max_30_cadence
            --------------+----------------+---------------
            57.8          |                |
        """,
    )


def test_best_effort_needs_consecutive_worn_minutes(spec):
    spec(
        derive_day_metric,
        activity_day=days_drawn(
            P01="5x100",
            P02="4x100",
            P03="1x0 4x100",
            P04="4x100 1x0",
            P05="4x100 1x- 4x100",
            P06="30x60",
            P07="10x90 10x0 10x90",
            P08="29x60 1x- 20x30",
            P09="30x0",
        ),
        expect="""
            participant_id | max_5_cadence | max_20_cadence | max_30_cadence
            ---------------+---------------+----------------+---------------
            P01            | 100           |                |
            P02            |               |                |
            P03            | 80            |                |
            P04            | 80            |                |
            P05            |               |                |
            P06            | 60            | 60             | 60
            P07            | 90            | 45             | 60
            P08            | 60            | 60             |
            P09            | 0             | 0              | 0
        """,
    )


def test_a_device_that_only_counts_steps_has_no_best_effort(spec):
    spec(
        derive_day_metric,
        activity_day=days_drawn(wear_method="steps", P01="30x100"),
        expect="""
            max_5_cadence | max_20_cadence | max_30_cadence
            --------------+----------------+---------------
                          |                |
        """,
    )
