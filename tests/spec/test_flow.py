"""The flow of participants: every stage counted, and the sums reconciled."""

import pytest

from transforms.cohort.cohort import derive_cohort_member
from transforms.cohort.flow import derive_flow as flow_of

USUAL = {
    "participant": {
        "site": "haifa",
        "timezone": "Asia/Jerusalem",
        "enrolled_on": "2026-01-15",
        "starts_on": "2026-01-19",
    },
    "connection": {"source": "google_health", "since": "2026-01-16 00:00+00"},
    "day_metric": {
        "source": "fitabase",
        "era": "file",
        "day_end_at": "2026-01-20 00:00+00",
        "has_minutes": "true",
        "row_hash": "h",
    },
    "visit": {"label": "Week 4"},
}
AS_OF = "2026-02-20 12:00+00"


def derive_flow(con, study, as_of):
    """The flow of the roster drawn."""
    derive_cohort_member(con, study)
    flow_of(con, study, as_of)


def test_recruited_are_those_withdrawn_and_those_in_the_study(spec):
    # 22:30 UTC on 19 February is the 20th in Jerusalem, where P04 withdraws on that day. P04's days
    # came by a file.
    spec(
        derive_flow,
        as_of="2026-02-19 22:30+00",
        participant="""
            participant_id | site        | timezone       | starts_on  | withdrawn_on
            ---------------+-------------+----------------+------------+-------------
            P01            | haifa       | Asia/Jerusalem | 2026-01-19 |
            P02            | haifa       | Asia/Jerusalem | 2026-02-21 |
            P03            | southampton | Europe/London  | 2026-02-20 | 2026-02-20
            P04            | haifa       | Asia/Jerusalem | 2026-02-20 | 2026-02-20
        """,
        connection="""
            participant_id | state
            ---------------+----------------
            P01            | revoked
            P02            | never_connected
            P03            | active
        """,
        day_metric="""
            participant_id | activity_date
            ---------------+--------------
            P04            | 2026-01-19
        """,
        where="cohort_kind <> 'arm'",
        expect="""
            cohort_kind | cohort      | position | stage     | visit | participants
            ------------+-------------+----------+-----------+-------+-------------
            all         | all         | 1        | recruited |       | 4
            all         | all         | 2        | connected |       | 3
            all         | all         | 3        | started   |       | 2
            all         | all         | 4        | withdrawn |       | 1
            all         | all         | 5        | in_study  |       | 3
            site        | haifa       | 1        | recruited |       | 3
            site        | haifa       | 2        | connected |       | 2
            site        | haifa       | 3        | started   |       | 2
            site        | haifa       | 4        | withdrawn |       | 1
            site        | haifa       | 5        | in_study  |       | 2
            site        | southampton | 1        | recruited |       | 1
            site        | southampton | 2        | connected |       | 1
            site        | southampton | 3        | started   |       | 0
            site        | southampton | 4        | withdrawn |       | 0
            site        | southampton | 5        | in_study  |       | 1
        """,
    )


PEOPLE = "\n".join(["participant_id | arm", *(f"P{n} | etmi" for n in range(1, 7))])
ANSWERS = """
    participant_id | visit  | scale | status        | score
    ---------------+--------+-------+---------------+------
    P1             | week_4 | FUNC  | received      | 51
    P1             | week_4 | NPRS  | received      | 5
    P2             | week_4 | FUNC  | received      | 51
    P2             | week_4 | NPRS  | missed        |
    P3             | week_4 | FUNC  | missed        |
    P3             | week_4 | NPRS  | missed        |
    P4             | week_4 | FUNC  | missed        |
    P4             | week_4 | NPRS  | due           |
    P5             | week_4 | FUNC  | not_due       |
    P6             | week_4 | FUNC  | outside_study |
"""


@pytest.mark.parametrize("kind", ["all", "arm"])
def test_a_visit_due_is_complete_in_part_missed_or_awaited(spec, kind):
    spec(
        derive_flow,
        as_of=AS_OF,
        participant=PEOPLE,
        visit="""
            visit  | position | week
            -------+----------+-----
            week_4 | 2        | 4
        """,
        outcome=ANSWERS,
        where=f"cohort_kind = '{kind}' AND visit IS NOT NULL",
        expect="""
            position | stage          | visit  | participants
            ---------+----------------+--------+-------------
            11       | visit_due      | week_4 | 4
            12       | visit_complete | week_4 | 1
            13       | visit_part     | week_4 | 1
            14       | visit_missed   | week_4 | 1
            15       | visit_awaited  | week_4 | 1
        """,
    )
