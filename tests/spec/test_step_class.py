"""Classes of a day by its steps."""

from support.day_metric import A_DAY, days_drawn, derive_day_metric

USUAL = {"activity_day": A_DAY}


def test_each_class_begins_at_its_number_of_steps(spec):
    spec(
        derive_day_metric,
        activity_day=days_drawn(
            P00="1x0",
            P01="1x4999",
            P02="1x5000",
            P03="1x7499",
            P04="1x7500",
            P05="1x9999",
            P06="1x10000",
            P07="1x12499",
            P08="1x12500",
        ),
        expect="""
            participant_id | step_class
            ---------------+----------------
            P00            | sedentary
            P01            | sedentary
            P02            | low_active
            P03            | low_active
            P04            | somewhat_active
            P05            | somewhat_active
            P06            | active
            P07            | active
            P08            | highly_active
        """,
    )
