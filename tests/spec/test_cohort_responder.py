"""Responders of cohorts by each threshold, with Wilson's interval."""

from transforms.cohort.cohort import derive_cohort_member
from transforms.cohort.cohort_outcome import derive_cohort_outcome as outcomes_of
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
    "outcome": {"visit": "week_4", "scale": "NPRS"},
}


def derive_cohort_outcome(con, study):
    """From the roster and the outcomes drawn."""
    derive_cohort_member(con, study)
    outcomes_of(con, study)


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


def test_the_site_that_goes_with_a_small_one_is_the_one_of_cohort_outcome(spec):
    # Expected 10, 9 and 3, answered by 6, 8 and 3. Beside the three goes the smaller by what was
    # expected, as in cohort_outcome: were it the other here, both together would tell of the three.
    sites = {"haifa": (10, 6), "beer_sheva": (9, 8), "southampton": (3, 3)}
    people = [
        (f"{site}_{n:02d}", site, n < of[1]) for site, of in sites.items() for n in range(of[0])
    ]
    drawn = {
        "protocol": {"study": {"small_cell": 5}},
        "participant": "\n".join(
            ["participant_id | site", *(f"{one} | {site}" for one, site, _ in people)]
        ),
        "outcome": "\n".join(
            ["participant_id | status | score | improvement | is_responder"]
            + [
                f"{one} | received | 3 | 2 | true" if came else f"{one} | missed | | |"
                for one, _, came in people
            ]
        ),
        "responder": "\n".join(
            ["participant_id | is_responder | not_evaluable"]
            + [f"{one} | true |" if came else f"{one} | | no score" for one, _, came in people]
        ),
        "where": "cohort_kind = 'site'",
        "expect": """
            cohort      | suppressed | received
            ------------+------------+---------
            haifa       | F          | 6
            beer_sheva  | T          |
            southampton | T          |
        """,
    }
    spec(derive_cohort_outcome, **drawn)
    spec(derive_cohort_responder, **drawn)
