"""Responders of cohorts by each threshold, with Wilson's interval."""

from transforms.cohort.cohort import derive_cohort_member
from transforms.cohort.cohort_outcome import derive_cohort_responder as responders_of

USUAL = {
    "participant": {
        "site": "haifa",
        "timezone": "Asia/Jerusalem",
        "enrolled_on": "2026-01-15",
        "starts_on": "2026-01-19",
    },
    "responder": {
        "visit": "week_4",
        "scale": "NPRS",
        "change": "better",
        "threshold_kind": "points",
        "threshold": "2",
        "origin": "protocol: mcid",
    },
}


def derive_cohort_responder(con, study):
    """From the roster and the responders drawn."""
    derive_cohort_member(con, study)
    responders_of(con, study)


def test_responders_are_of_the_evaluable_and_each_threshold_has_its_row(spec):
    spec(
        derive_cohort_responder,
        protocol={"study": {"small_cell": 0}},
        participant="""
            participant_id | arm
            ---------------+-----
            P01            | etmi
            P02            | etmi
            P03            |
            P04            |
        """,
        responder="""
            participant_id | threshold | is_responder | not_evaluable
            ---------------+-----------+--------------+--------------
            P01            | 2         | true         |
            P02            | 2         | false        |
            P03            | 2         |              | floor
            P04            | 2         |              | no score
            P01            | 4         | false        |
            P02            | 4         | false        |
        """,
        where="cohort_kind IN ('all', 'arm')",
        expect="""
            cohort | threshold | received | evaluable | responders | responder_share
            -------+-----------+----------+-----------+------------+----------------
            all    | 2         | 3        | 2         | 1          | 0.5
            all    | 4         | 2        | 2         | 0          | 0.0
            etmi   | 2         | 2        | 2         | 1          | 0.5
            etmi   | 4         | 2        | 2         | 0          | 0.0
        """,
    )


def test_the_interval_is_wilsons(spec):
    # 92 of 108: 0.7728 to 0.9067 (domain.md 4.3).
    people = [f"P{n:03d}" for n in range(108)]
    spec(
        derive_cohort_responder,
        participant="\n".join(["participant_id", *people]),
        responder="\n".join(
            ["participant_id | is_responder"]
            + [f"{one} | {n < 92}" for n, one in enumerate(people)]
        ),
        where="cohort_kind = 'all'",
        expect="""
            responders | evaluable | responder_ci_low | responder_ci_high
            -----------+-----------+------------------+------------------
            92         | 108       | 0.7728           | 0.9067
        """,
    )


def test_four_evaluable_are_withheld(spec):
    rows = [f"P0{n} | true |" for n in range(1, 5)]
    spec(
        derive_cohort_responder,
        participant="\n".join(["participant_id", *(f"P0{n}" for n in range(1, 10))]),
        responder="\n".join(
            ["participant_id | is_responder | not_evaluable", *rows]
            + [f"P0{n} |  | floor" for n in range(5, 10)]
        ),
        where="cohort_kind = 'all'",
        expect="""
            suppressed | received | evaluable | responders
            -----------+----------+-----------+-----------
            T          |          |           |
        """,
    )
