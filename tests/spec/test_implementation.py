"""Reach, adoption and fidelity, by clinic and therapist of the example study."""

from transforms.cohort.cohort import derive_cohort_member
from transforms.cohort.implementation import derive_implementation as implementation_of
from transforms.outcomes.treatment import derive_treatment

USUAL = {
    "participant": {
        "site": "haifa",
        "timezone": "Asia/Jerusalem",
        "enrolled_on": "2026-01-15",
        "starts_on": "2026-01-19",
    },
    "treatment_session": {"source": "redcap", "row_hash": "h", "attended": "true"},
}
SHOW_ALL = {"study": {"small_cell": 0}}


def derive_implementation(con, study):
    """From the roster and the sessions drawn."""
    derive_treatment(con, study)
    derive_cohort_member(con, study)
    implementation_of(con, study)


PEOPLE = """
    participant_id | site       | arm        | therapist_id
    ---------------+------------+------------+-------------
    P01            | haifa      | etmi       | T01
    P02            | haifa      | etmi       | T01
    P03            | haifa      | usual_care | T02
    P04            | beer_sheva | etmi       | T03
"""
# T01 gave P01 two sessions and P02 five; T02 none; P04's only one was not attended.
SESSIONS = """
    participant_id | session_number | therapist_id | attended
    ---------------+----------------+--------------+---------
    P01            | 1              | T01          | true
    P01            | 2              | T01          | true
    P01            | 3              | T01          | false
    P02            | 1              | T01          | true
    P02            | 2              | T01          | true
    P02            | 3              | T01          | true
    P02            | 4              | T01          | true
    P02            | 5              | T01          | true
    P04            | 1              | T03          | false
"""


def test_reach_is_the_treated_of_the_enrolled(spec):
    spec(
        derive_implementation,
        protocol=SHOW_ALL,
        participant=PEOPLE,
        treatment_session=SESSIONS,
        where="cohort_kind IN ('all', 'site', 'arm')",
        expect="""
            cohort     |participants|treated|reach |sessions_per_participant|attended_share
            -----------+------------+-------+------+------------------------+--------------
            all        |4           |2      |0.5000|3.5                     |0.7778
            etmi       |3           |2      |0.6667|3.5                     |0.7778
            usual_care |1           |0      |0.0   |                        |
            haifa      |3           |2      |0.6667|3.5                     |0.8750
            beer_sheva |1           |0      |0.0   |                        |0.0
            southampton|0           |0      |      |                        |
        """,
    )


def test_adoption_is_the_delivering_of_the_therapists_of_the_protocol(spec):
    # Two therapists at each of three clinics; T03's session was not attended.
    spec(
        derive_implementation,
        protocol=SHOW_ALL,
        participant=PEOPLE,
        treatment_session=SESSIONS,
        where="cohort_kind IN ('all', 'site') OR cohort IN ('T01', 'T02', 'T06')",
        expect="""
            cohort_kind | cohort      | therapists | delivering | adoption
            ------------+-------------+------------+------------+---------
            all         | all         | 6          | 1          | 0.1667
            site        | haifa       | 2          | 1          | 0.5000
            site        | beer_sheva  | 2          | 0          | 0.0000
            site        | southampton | 2          | 0          | 0.0000
            therapist   | T01         | 1          | 1          | 1.0000
            therapist   | T02         | 1          | 0          | 0.0000
            therapist   | T06         | 1          | 0          | 0.0000
        """,
    )


def test_fidelity_is_of_the_treated_whose_arm_has_a_number_of_sessions(spec):
    spec(  # ETMI 1 to 4: P01 with two is by protocol, P02 with five is not
        derive_implementation,
        protocol=SHOW_ALL,
        participant=PEOPLE,
        treatment_session=SESSIONS,
        where="cohort IN ('all', 'usual_care')",
        expect="""
            cohort     | judged | by_protocol | fidelity
            -----------+--------+-------------+---------
            all        | 2      | 1           | 0.5
            usual_care | 0      | 0           |
        """,
    )


def test_a_small_clinic_is_withheld(spec):
    spec(
        derive_implementation,
        participant=PEOPLE,
        treatment_session=SESSIONS,
        where="cohort IN ('all', 'southampton')",
        expect="""
            cohort      | participants | suppressed | reach | therapists
            ------------+--------------+------------+-------+-----------
            all         |              | T          |       |
            southampton | 0            | F          |       | 2
        """,
    )


def test_a_small_clinic_is_withheld_though_nobody_is_treated_yet(spec):
    spec(
        derive_implementation,
        participant=PEOPLE,
        where="cohort = 'all'",
        expect="participants | suppressed | treated\n | T | ",
    )


def test_every_clinic_of_the_protocol_has_a_row_without_therapists_and_participants(spec):
    def derive(con, study):
        derive_implementation(con, study.model_copy(update={"therapists": []}))

    spec(
        derive,
        into="implementation",
        expect="""
            cohort_kind | cohort      | participants | therapists | adoption
            ------------+-------------+--------------+------------+---------
            site        | haifa       | 0            |            |
            site        | beer_sheva  | 0            |            |
            site        | southampton | 0            |            |
        """,
    )
