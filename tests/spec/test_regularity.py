"""Regularity of a week: interdaily stability, intradaily variability, variation of steps."""

import numpy as np
import pytest

from transforms.activity.regularity import compute_regularity
from transforms.activity.week import derive_participant_week

USUAL = {
    "participant_day": {
        "participant_id": "P01",
        "study_week": "1",
        "valid_day": "T",
        "eligible_day": "T",
        "day_state": "valid",
        "provisional": "F",
        "source": "fitbit",
    },
    "day_metric": {
        "participant_id": "P01",
        "source": "fitbit",
        "era": "legacy_fitbit",
        "day_end_at": "2026-01-06 00:00+00",
        "has_minutes": "T",
        "row_hash": "h",
    },
}
HOURS = "[" + ", ".join(["0"] * 12 + ["600"] * 12) + "]"
OTHER = "[" + ", ".join(["600"] * 12 + ["0"] * 12) + "]"
HALF = "[" + ", ".join(["NULL"] * 12 + ["600"] * 12) + "]"


def test_the_worked_vector_has_its_stability_and_variability():
    # [0, 10, 20, 10] and [0, 12, 18, 10]: mean 10, sum of squares 368; hours 0, 11, 19, 10
    found = compute_regularity(np.array([[[0.0, 10, 20, 10], [0, 12, 18, 10]]]))
    assert found.stability.tolist() == [pytest.approx(0.98913, abs=5e-6)]
    assert found.variability.tolist() == [pytest.approx(2.0, abs=5e-6)]


def test_hours_not_known_are_left_out_and_their_pairs():
    # Known 0 10 | 20 - | 0 10: mean 8; squares 64 + 4 + 144 + 64 + 4 = 280.
    # Hours: 0, 20, 0 (mean 6.667, 3 of them) and 10, 10 (2): 3 x 1.778 + 2 x 4 = 13.333.
    # Pairs: 0-10, 10-20, 0-10 (20 has no known next): 300 / 3 over 280 / 5.
    nan = np.nan
    found = compute_regularity(np.array([[[0, 10], [20, nan], [0, 10]]]))
    assert found.stability.tolist() == [pytest.approx(13.3333 / 280, abs=1e-6)]
    assert found.variability.tolist() == [pytest.approx(100 / 56)]


def test_days_alike_are_wholly_stable_and_an_even_week_has_neither():
    alike = np.array([[[0.0, 5], [0, 5]], [[3, 3], [3, 3]]])
    found = compute_regularity(alike)
    assert found.stability[0] == 1
    assert np.isnan([found.stability[1], found.variability[1]]).all()


@pytest.mark.parametrize(
    ("fifth", "expected"),
    [
        ("T", "| 5 | 1.0 | 0.3025"),
        ("F", "| 4 | |"),
    ],
)
def test_a_week_needs_5_valid_days_for_its_regularity(spec, fifth, expected):
    # 120 hours of 0 or 600: mean 300, sum of squares 120 x 90,000. Of 119 pairs 5 rise at noon and
    # 4 fall at midnight: 9 x 360,000. IV = 120 x 9 x 360,000 / (119 x 120 x 90,000) = 0.3025.
    spec(
        derive_participant_week,
        participant_day=f"""
            activity_date | study_day | valid_day
            --------------+-----------+----------
            2026-01-05    | 1         | T
            2026-01-06    | 2         | T
            2026-01-07    | 3         | T
            2026-01-08    | 4         | T
            2026-01-09    | 5         | {fifth}
        """,
        day_metric=f"""
            activity_date | hour_steps
            --------------+-----------
            2026-01-05    | {HOURS}
            2026-01-06    | {HOURS}
            2026-01-07    | {HOURS}
            2026-01-08    | {HOURS}
            2026-01-09    | {HOURS}
        """,
        expect=f"""
            participant_id | regularity_days | interdaily_stability | intradaily_variability
            ---------------+-----------------+----------------------+-----------------------
            P01            {expected}
        """,
    )


def test_days_without_hours_and_gaps_between_days_do_not_count(spec):
    # Days 1, 2 and 4 of [0 x 12, 600 x 12], [600 x 12, 0 x 12], [0 x 12, 600 x 12]; day 3 is a
    # journey. Means of the hours are 200 and 400, of all 300: 72 x 100^2 / (72 x 300^2) = 0.1111.
    # 70 pairs: 1 jump in each day, none from 600 to 600 at midnight after day 1: 3 jumps.
    # 72 x 3 x 600^2 / (70 x 72 x 300^2) = 0.1714.
    spec(
        derive_participant_week,
        protocol={"wear": {"regularity_days": 3}},
        participant_day="""
            participant_id | activity_date | study_day | study_week
            ---------------+---------------+-----------+-----------
            P01            | 2026-01-05    | 1         | 1
            P01            | 2026-01-06    | 2         | 1
            P01            | 2026-01-07    | 3         | 1
            P01            | 2026-01-08    | 4         | 1
            P01            | 2026-01-12    | 8         | 2
            P02            | 2026-01-05    | 8         | 2
        """,
        day_metric=f"""
            participant_id | activity_date | hour_steps
            ---------------+---------------+-----------
            P01            | 2026-01-05    | {HOURS}
            P01            | 2026-01-06    | {OTHER}
            P01            | 2026-01-07    |
            P01            | 2026-01-08    | {HOURS}
            P01            | 2026-01-12    | {HALF}
            P02            | 2026-01-05    | {HALF}
        """,
        expect="""
            participant_id|study_week|regularity_days|interdaily_stability|intradaily_variability
            --------------+----------+---------------+--------------------+----------------------
            P01           |1         |3              |0.1111              |0.1714
            P01           |2         |1              |                    |
            P02           |2         |1              |                    |
        """,
    )


def test_the_steps_of_a_valid_week_vary_by_their_standard_deviation_over_the_mean(spec):
    # 4,000 6,000 8,000 10,000: mean 7,000, squares 20,000,000 / 3, SD 2,581.99
    spec(
        derive_participant_week,
        participant_day="""
            participant_id | activity_date | valid_day | steps
            ---------------+---------------+-----------+-------
            P01            | 2026-01-05    | T         | 4000
            P01            | 2026-01-06    | T         | 6000
            P01            | 2026-01-07    | T         | 8000
            P01            | 2026-01-08    | T         | 10000
            P01            | 2026-01-09    | F         | 90
            P02            | 2026-01-05    | T         | 4000
            P02            | 2026-01-06    | T         | 6000
            P02            | 2026-01-07    | T         | 8000
            P03            | 2026-01-05    | T         | 0
            P03            | 2026-01-06    | T         | 0
            P03            | 2026-01-07    | T         | 0
            P03            | 2026-01-08    | T         | 0
        """,
        expect="""
            participant_id | valid_week | steps_variation
            ---------------+------------+----------------
            P01            | T          | 0.3689
            P02            | F          |
            P03            | T          |
        """,
    )
