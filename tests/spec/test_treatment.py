"""Treatment sessions of each participant: how many, attended, in which episodes."""

from transforms.outcomes.treatment import derive_treatment

USUAL = {
    "participant": {
        "site": "haifa",
        "timezone": "Asia/Jerusalem",
        "enrolled_on": "2026-01-15",
        "starts_on": "2026-01-19",
    },
    "treatment_session": {"source": "redcap", "row_hash": "h"},
}
P01 = """
    participant_id
    --------------
    P01
"""


def test_sessions_are_counted_and_shared_among_those_stated(spec):
    spec(
        derive_treatment,
        participant="""
            participant_id
            --------------
            P01
            P02
        """,
        treatment_session="""
            participant_id | session_number | held_on    | attended
            ---------------+----------------+------------+---------
            P01            | 1              | 2026-01-20 | true
            P01            | 2              | 2026-01-27 | false
            P01            | 3              | 2026-02-03 | true
            P01            | 4              | 2026-02-10 |
        """,
        expect="""
            participant_id|sessions|sessions_stated|attended|attended_share|first_on  |last_on
            --------------+--------+---------------+--------+--------------+----------+----------
            P01           |4       |3              |2       |0.6667        |2026-01-20|2026-02-03
            P02           |0       |0              |0       |              |          |
        """,
    )


def test_an_episode_ends_with_more_than_90_days_without_a_session(spec):
    # 90 days after 20 January is 20 April; the missed session of July ends no gap.
    spec(
        derive_treatment,
        participant=P01,
        treatment_session="""
            participant_id | session_number | held_on    | attended
            ---------------+----------------+------------+---------
            P01            | 1              | 2026-01-20 | true
            P01            | 2              | 2026-04-20 | true
            P01            | 3              | 2026-07-01 | false
            P01            | 4              | 2026-07-20 | true
            P01            | 5              |            | true
        """,
        expect="""
            attended | episodes | sessions_per_episode
            ---------+----------+---------------------
            4        | 2        | 2
        """,
    )


def test_two_sources_of_one_participants_sessions_are_not_added(spec):
    spec(
        derive_treatment,
        participant="""
            participant_id
            --------------
            P01
            P02
        """,
        treatment_session="""
            participant_id | source | session_number | attended
            ---------------+--------+----------------+---------
            P01            | redcap | 1              | true
            P01            | clinic | 1              | true
            P01            | clinic | 2              | true
            P02            | clinic | 1              | true
            P02            | other  | 1              | true
        """,
        expect="""
            participant_id | attended
            ---------------+---------
            P01            | 1
            P02            | 1
        """,
    )


def test_by_protocol_is_within_the_arms_number_of_sessions(spec):
    spec(  # the example study: ETMI 1 to 4, usual care not stated
        derive_treatment,
        participant="""
            participant_id | arm
            ---------------+-----------
            P01            | etmi
            P02            | etmi
            P03            | usual_care
            P04            | etmi
        """,
        treatment_session="\n".join(
            [
                "participant_id | session_number | attended",
                *(f"P01 | {n} | true" for n in range(1, 5)),
                *(f"P02 | {n} | true" for n in range(1, 6)),
                "P03 | 1 | true",
                "P04 | 1 | false",
            ]
        ),
        expect="""
            participant_id | attended | by_protocol
            ---------------+----------+------------
            P01            | 4        | T
            P02            | 5        | F
            P03            | 1        |
            P04            | 0        |
        """,
    )
