"""The row of a person-day: which days there are, their source, goal and denominators."""

from transforms.activity.participant_day import derive_participant_day

MORNING = "2026-01-06 06:00+00"
DAY = "activity_date = '2026-01-05'"
USUAL = {
    "participant": {
        "site": "southampton",
        "timezone": "Europe/London",
        "enrolled_on": "2026-01-02",
        "starts_on": "2026-01-05",
    },
    "connection": {
        "source": "google_health",
        "state": "active",
        "since": "2026-01-02 09:00+00",
        "landed_sync_at": "2026-01-08 05:00+00",
    },
    "day_metric": {
        "source": "google_health",
        "activity_date": "2026-01-05",
        "era": "google_health",
        "day_end_at": "2026-01-06 00:00+00",
        "has_minutes": "T",
        "wear_method": "heart_rate",
        "wear_minutes": "800",
        "steps": "6000",
        "max_minute_steps": "110",
        "row_hash": "h",
    },
    "goal": {"version": "1", "rule": "protocol"},
}
P01 = """
    participant_id
    --------------
    P01
"""


def test_a_participant_without_any_data_has_a_row_for_every_day_to_date(spec):
    spec(
        derive_participant_day,
        as_of="2026-01-12 06:00+00",
        participant=P01,
        expect="""
            participant_id | activity_date | study_day | study_week | day_state
            ---------------+---------------+-----------+------------+----------------
            P01            | 2026-01-05    | 1         | 1          | never_connected
            P01            | 2026-01-06    | 2         | 1          | never_connected
            P01            | 2026-01-07    | 3         | 1          | never_connected
            P01            | 2026-01-08    | 4         | 1          | never_connected
            P01            | 2026-01-09    | 5         | 1          | never_connected
            P01            | 2026-01-10    | 6         | 1          | never_connected
            P01            | 2026-01-11    | 7         | 1          | never_connected
            P01            | 2026-01-12    | 8         | 2          | never_connected
        """,
    )


def test_days_end_with_the_follow_up(spec):
    spec(
        derive_participant_day,
        as_of="2026-06-01 06:00+00",
        where="activity_date >= '2026-01-10'",
        protocol={"study": {"weeks": 1}},
        participant=P01,
        expect="""
            participant_id | activity_date | study_day | study_week
            ---------------+---------------+-----------+-----------
            P01            | 2026-01-10    | 6         | 1
            P01            | 2026-01-11    | 7         | 1
        """,
    )


def test_today_is_the_participants_own_local_day_and_before_day_1_there_is_none(spec):
    spec(
        derive_participant_day,
        as_of="2026-01-05 22:30+00",
        participant="""
            participant_id | timezone       | starts_on
            ---------------+----------------+-----------
            P01            | Europe/London  | 2026-01-05
            P02            | Asia/Jerusalem | 2026-01-05
            P03            | Europe/London  | 2026-01-06
        """,
        expect="""
            participant_id | activity_date
            ---------------+--------------
            P01            | 2026-01-05
            P02            | 2026-01-05
            P02            | 2026-01-06
        """,
    )


TWO_SOURCES = """
    participant_id | source        | landed_sync_at
    ---------------+---------------+--------------------
    P01            | fitbit        | 2026-01-08 05:00+00
    P01            | google_health | 2026-01-08 05:00+00
"""


def test_of_two_sources_the_first_by_priority_is_taken_and_they_are_never_summed(spec):
    spec(
        derive_participant_day,
        as_of=MORNING,
        where=DAY,
        participant=P01,
        connection=TWO_SOURCES,
        day_metric="""
            participant_id | source        | era           | device_model | steps
            ---------------+---------------+---------------+--------------+------
            P01            | fitbit        | legacy_fitbit | Inspire 3    | 7000
            P01            | google_health | google_health | Charge 6     | 6000
        """,
        expect="""
            participant_id | source        | era           | device_model | steps
            ---------------+---------------+---------------+--------------+------
            P01            | google_health | google_health | Charge 6     | 6000
        """,
    )


def test_the_priority_of_sources_is_the_protocols(spec):
    spec(
        derive_participant_day,
        as_of=MORNING,
        where=DAY,
        protocol={"wearables": {"sources": ["fitbit", "google_health"]}},
        participant=P01,
        connection=TWO_SOURCES,
        day_metric="""
            participant_id | source        | steps
            ---------------+---------------+------
            P01            | fitbit        | 7000
            P01            | google_health | 6000
        """,
        expect="""
            participant_id | source | steps
            ---------------+--------+------
            P01            | fitbit | 7000
        """,
    )


def test_a_source_that_has_the_day_in_full_goes_before_one_that_has_not(spec):
    spec(
        derive_participant_day,
        as_of=MORNING,
        where=DAY,
        participant="""
            participant_id
            --------------
            P01
            P02
            P03
            P04
        """,
        connection="""
            participant_id | source        | landed_sync_at
            ---------------+---------------+--------------------
            P01            | google_health | 2026-01-05 18:00+00
            P01            | fitbit        | 2026-01-06 05:00+00
            P02            | google_health | 2026-01-06 05:00+00
            P02            | fitbit        | 2026-01-06 05:00+00
            P03            | google_health | 2026-01-06 05:00+00
            P03            | fitbit        | 2026-01-06 05:00+00
            P04            | google_health | 2026-01-05 18:00+00
            P04            | fitbit        | 2026-01-06 05:00+00
        """,
        day_metric="""
            participant_id | source        | has_minutes | vendor_steps | steps | wear_minutes
            ---------------+---------------+-------------+--------------+-------+-------------
            P01            | google_health | T           |              | 3000  | 500
            P01            | fitbit        | T           |              | 7000  | 800
            P02            | fitbit        | T           |              | 7000  | 800
            P03            | google_health | F           | 6500         |       |
            P03            | fitbit        | T           |              | 7000  | 800
            P04            | google_health | T           |              | 3000  | 500
            P04            | fitbit        | F           |              |       |
        """,
        expect="""
            participant_id | source        | day_state    | steps
            ---------------+---------------+--------------+------
            P01            | fitbit        | valid        | 7000
            P02            | fitbit        | valid        | 7000
            P03            | google_health | minutes_lost | 6500
            P04            |               | pending_sync |
        """,
    )


def test_where_no_source_has_the_day_the_first_ever_connected_gives_the_reason(spec):
    spec(
        derive_participant_day,
        as_of=MORNING,
        where=DAY,
        participant="""
            participant_id
            --------------
            P01
            P02
        """,
        connection="""
            participant_id | source        | state           | landed_sync_at
            ---------------+---------------+-----------------+---------------
            P01            | google_health | revoked         |
            P01            | fitbit        | retired         |
            P02            | google_health | never_connected |
            P02            | fitbit        | retired         |
        """,
        expect="""
            participant_id | day_state
            ---------------+--------------
            P01            | consent_lost
            P02            | vendor_outage
        """,
    )


def test_the_metrics_of_the_chosen_day_are_carried_over(spec):
    spec(
        derive_participant_day,
        as_of=MORNING,
        where=DAY,
        participant=P01,
        connection=P01,
        day_metric="""
            participant_id|day_minutes|moderate_minutes|vigorous_minutes|mvpa_equivalent_minutes
            --------------+-----------+----------------+----------------+-----------------------
            P01           |1440       |20              |5               |25
        """,
        expect="""
            day_minutes | moderate_minutes | vigorous_minutes | mvpa_equivalent_minutes
            ------------+------------------+------------------+------------------------
            1440        | 20               | 5                | 25
        """,
    )


def test_the_bands_of_the_chosen_day_are_carried_over(spec):
    bands = """
        participant_id | cadence_0_minutes | cadence_1_19_minutes | cadence_20_39_minutes
        ---------------+-------------------+----------------------+----------------------
        P01            | 601               | 102                  | 23
    """
    spec(
        derive_participant_day,
        as_of=MORNING,
        where=DAY,
        participant=P01,
        connection=P01,
        day_metric=bands,
        expect=bands,
    )
    bands = """
        participant_id | cadence_40_59_minutes | cadence_60_79_minutes | cadence_80_99_minutes
        ---------------+-----------------------+-----------------------+----------------------
        P01            | 14                    | 25                    | 36
    """
    spec(
        derive_participant_day,
        as_of=MORNING,
        where=DAY,
        participant=P01,
        connection=P01,
        day_metric=bands,
        expect=bands,
    )
    bands = """
        participant_id | cadence_100_119_minutes | cadence_120_minutes | mvpa_minutes
        ---------------+-------------------------+---------------------+-------------
        P01            | 47                      | 8                   | 55
    """
    spec(
        derive_participant_day,
        as_of=MORNING,
        where=DAY,
        participant=P01,
        connection=P01,
        day_metric=bands,
        expect=bands,
    )
