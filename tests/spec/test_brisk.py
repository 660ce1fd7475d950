"""Bouts of brisk walking."""

from support.day_metric import A_DAY, days_drawn, derive_day_metric

USUAL = {"activity_day": A_DAY}


def test_a_bout_of_brisk_walking_lasts_10_minutes_at_100_steps_with_pauses_of_2(spec):
    spec(
        derive_day_metric,
        activity_day=days_drawn(
            P01="3x0 6x110 2x60 5x104 4x0 9x120 3x0",
            P02="10x100",
            P03="9x100",
            P04="9x100 1x99",
            P05="4x100 2x99 4x100",
            P06="5x100 3x99 5x100",
            P07="10x100 2x0 1x100 2x60",
            P08="10x100 3x0 10x100",
        ),
        expect="""
            participant_id | brisk_bouts | brisk_bout_minutes
            ---------------+-------------+-------------------
            P01            | 1           | 13
            P02            | 1           | 10
            P03            | 0           | 0
            P04            | 0           | 0
            P05            | 1           | 10
            P06            | 0           | 0
            P07            | 1           | 13
            P08            | 2           | 20
        """,
    )


def test_a_minute_not_worn_ends_a_brisk_bout(spec):
    spec(
        derive_day_metric,
        activity_day=days_drawn(P01="5x100 1x0 5x100", P02="5x100 1x- 5x100"),
        expect="""
            participant_id | brisk_bouts | brisk_bout_minutes
            ---------------+-------------+-------------------
            P01            | 1           | 11
            P02            | 0           | 0
        """,
    )


def test_the_length_pause_and_cadence_of_a_brisk_bout_are_the_protocols(spec):
    settings = {"brisk_bout_minutes": 5, "brisk_bout_pause_minutes": 0, "moderate_cadence": 90}
    spec(
        derive_day_metric,
        protocol={"wear": settings},
        activity_day=days_drawn(P01="5x90 1x89 5x90", P02="4x90 1x89 4x90"),
        expect="""
            participant_id | brisk_bouts | brisk_bout_minutes
            ---------------+-------------+-------------------
            P01            | 2           | 10
            P02            | 0           | 0
        """,
    )


def test_a_device_that_only_counts_steps_has_no_brisk_bouts(spec):
    spec(
        derive_day_metric,
        activity_day=days_drawn(wear_method="steps", P01="10x100"),
        expect="""
            moderate_minutes | brisk_bouts | brisk_bout_minutes
            -----------------+-------------+-------------------
            10               |             |
        """,
    )
