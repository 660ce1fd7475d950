"""Fragmentation of activity."""

from support.day_metric import A_DAY, days_drawn, derive_day_metric

USUAL = {"activity_day": A_DAY}


def test_the_worked_vector_has_its_fragmentation(spec):
    spec(  # active bouts of 4 and 2 minutes: 1 / 3; Gini (-1 x 2 + 1 x 4) / (2 x 6)
        derive_day_metric,
        activity_day=days_drawn(P01="2x0 1x5 1x12 1x30 1x110 1x105 2x0 1x64 1x120 1x9"),
        expect="""
            active_to_sedentary_per_minute | active_bout_gini
            -------------------------------+-----------------
            0.3333                         | 0.1667
        """,
    )


def test_an_active_minute_has_10_steps_and_a_day_without_one_no_fragmentation(spec):
    spec(
        derive_day_metric,
        activity_day=days_drawn(
            P01="5x10",
            P02="5x9",
            P03="1x10 1x9 1x10",
            P04="2x10 1x- 2x10",
            P05="60x0",
            P06="1x10 1x0 1x10 1x0 4x10",
        ),
        expect="""
            participant_id | active_to_sedentary_per_minute | active_bout_gini
            ---------------+--------------------------------+-----------------
            P01            | 0.2                            | 0.0000
            P02            |                                |
            P03            | 1.0                            | 0.0000
            P04            | 0.5                            | 0.0000
            P05            |                                |
            P06            | 0.5                            | 0.3333
        """,
    )


def test_fragmentation_needs_steps_only(spec):
    spec(
        derive_day_metric,
        activity_day=days_drawn(wear_method="steps", P01="4x50 1x0 4x50"),
        expect="""
            active_to_sedentary_per_minute | active_bout_gini
            -------------------------------+-----------------
            0.25                           | 0.0
        """,
    )
