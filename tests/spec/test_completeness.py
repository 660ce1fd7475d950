"""Answers due and received by visit, with both denominators; nothing of adherence."""

from transforms.cohort.completeness import derive_completeness


def test_received_is_of_what_is_due_and_of_what_is_settled(spec):
    spec(
        derive_completeness,
        outcome="""
            participant_id | visit    | scale  | status        | score
            ---------------+----------+--------+---------------+------
            P01            | baseline | FUNC   | received      | 51
            P01            | baseline | NPRS   | received      | 6
            P01            | week_4   | FUNC   | received      | 58
            P01            | week_4   | NPRS   | overdue       |
            P01            | week_4   | FABQPA | missed        |
            P01            | week_4   | RMDQ24 | due           |
            P01            | week_8   | FUNC   | due           |
            P01            | week_12  | FUNC   | not_due       |
            P02            | week_4   | FUNC   | outside_study |
        """,
        expect="""
            participant_id|visit   |due|settled|received|received_of_due|received_of_settled
            --------------+--------+---+-------+--------+---------------+-------------------
            P01           |baseline|2  |2      |2       |1.0            |1.0
            P01           |week_4  |4  |2      |1       |0.25           |0.5
            P01           |week_8  |1  |0      |0       |0.0            |
        """,
    )
