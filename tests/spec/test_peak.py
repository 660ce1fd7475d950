"""Peak cadence."""

from support.day_metric import A_DAY, days_drawn, derive_day_metric, minutes_of_counts

from warehouse.metrics import peak

USUAL = {"activity_day": A_DAY}

WORKED_VECTOR = [0, 0, 5, 12, 30, 110, 105, 0, 0, 64, 120, 9]


def test_peak_cadence_is_the_mean_of_the_highest_minutes_and_blank_with_fewer_worn(spec):
    spec(
        derive_day_metric,
        activity_day=days_drawn(
            P01="10x100 200x0 20x100",
            P02="29x100 1x0",
            P03="29x100",
            P04="29x100 1x-",
            P05="40x90 20x120 5x30",
            P06="59x60 1x0",
            P07="1x0",
        ),
        expect="""
            participant_id | peak_1_cadence | peak_30_cadence | peak_60_cadence
            ---------------+----------------+-----------------+----------------
            P01            | 100            | 100             | 50
            P02            | 100            | 96.67           |
            P03            | 100            |                 |
            P04            | 100            |                 |
            P05            | 120            | 110             | 100
            P06            | 60             | 60              | 59
            P07            | 0              |                 |
        """,
    )


def test_the_worked_vector_has_its_mean_of_the_5_highest(monkeypatch):
    monkeypatch.setattr(peak, "SIZES", (1, 5))
    found = peak.compute(minutes_of_counts(WORKED_VECTOR))
    assert found["peak_1_cadence"].tolist() == [120]
    assert found["peak_5_cadence"].tolist() == [85.8]


def test_a_device_that_only_counts_steps_has_no_peak(spec):
    spec(
        derive_day_metric,
        activity_day=days_drawn(wear_method="steps", P01="60x100"),
        expect="""
            peak_1_cadence | peak_30_cadence | peak_60_cadence
            ---------------+-----------------+----------------
                           |                 |
        """,
    )
