"""Who needs a person and why: both sides of each threshold of the example study's [work_list]."""

from support.work import DAY, NOON, USUAL, days_of, goal_days

from transforms.cohort.work_list import derive_work_item

__all__ = ["USUAL"]
ONE = "participant_id\nP01"


def test_a_silent_device_is_amber_from_2_days_red_from_5_and_escalates_at_7(spec):
    spec(
        derive_work_item,
        as_of=NOON,
        participant="participant_id\nP01\nP02\nP03\nP04\nP05\nP06",
        connection="""
            participant_id | synced_at
            ---------------+--------------------
            P01            | 2026-02-07T12:01+00
            P02            | 2026-02-07T12:00+00
            P03            | 2026-02-04T12:01+00
            P04            | 2026-02-04T12:00+00
            P05            | 2026-02-02T12:01+00
            P06            | 2026-02-02T12:00+00
        """,
        expect="""
            participant_id | reason     | level    | queue | days | since_on   | held_back
            ---------------+------------+----------+-------+------+------------+----------
            P02            | not_synced | amber    | call  | 2    | 2026-02-07 | F
            P03            | not_synced | amber    | call  | 4    | 2026-02-04 | F
            P04            | not_synced | red      | call  | 5    | 2026-02-04 | F
            P05            | not_synced | red      | call  | 6    | 2026-02-02 | F
            P06            | not_synced | escalate | call  | 7    | 2026-02-02 | F
        """,
    )


def test_a_device_that_never_synced_is_silent_since_it_was_connected(spec):
    spec(
        derive_work_item,
        as_of=NOON,
        participant=ONE,
        connection="""
            participant_id | synced_at | since
            ---------------+-----------+--------------------
            P01            |           | 2026-02-06T12:00+00
        """,
        expect="""
            participant_id | reason     | days | source
            ---------------+------------+------+--------------
            P01            | not_synced | 3    | google_health
        """,
    )


def test_a_silence_counts_until_we_last_asked(spec):
    # We have not asked since the 7th: whether they have synced after it nobody knows. Of P03 we
    # have never asked.
    spec(
        derive_work_item,
        as_of=NOON,
        participant="participant_id\nP01\nP02\nP03",
        connection="""
            participant_id | synced_at           | last_pulled_at
            ---------------+---------------------+--------------------
            P01            | 2026-02-05T12:00+00 | 2026-02-07T11:00+00
            P02            | 2026-02-05T12:00+00 | 2026-02-07T12:00+00
            P03            |                     |
        """,
        expect="""
            participant_id | reason     | level | days
            ---------------+------------+-------+-----
            P02            | not_synced | amber | 4
        """,
    )


def test_only_who_is_expected_to_report_is_listed(spec):
    # P01 begins tomorrow, P02 today; P03 withdrew today, P04 does tomorrow; P05's 52 weeks have
    # ended with yesterday, P06's end with today; P07 is paused: held back.
    spec(
        derive_work_item,
        as_of=NOON,
        participant="""
            participant_id | starts_on  | withdrawn_on | paused_from | paused_to
            ---------------+------------+--------------+-------------+----------
            P01            | 2026-02-10 |              |             |
            P02            | 2026-02-09 |              |             |
            P03            | 2026-01-19 | 2026-02-09   |             |
            P04            | 2026-01-19 | 2026-02-10   |             |
            P05            | 2025-02-10 |              |             |
            P06            | 2025-02-11 |              |             |
            P07            | 2026-01-19 |              | 2026-02-09  |
            P08            | 2026-01-19 |              | 2026-02-01  | 2026-02-08
        """,
        expect="""
            participant_id | reason          | queue     | held_because | since_on
            ---------------+-----------------+-----------+--------------+-----------
            P02            | never_connected | reconnect |              | 2026-02-09
            P04            | never_connected | reconnect |              | 2026-01-19
            P06            | never_connected | reconnect |              | 2025-02-11
            P07            | never_connected | reconnect | paused       | 2026-01-19
            P08            | never_connected | reconnect |              | 2026-01-19
        """,
    )


def test_lost_consent_and_a_wrong_account_are_the_same_days(spec):
    spec(
        derive_work_item,
        as_of=NOON,
        participant="participant_id\nP01\nP02\nP03\nP04\nP05\nP06\nP07",
        connection="""
            participant_id | state           | since
            ---------------+-----------------+--------------------
            P01            | revoked         | 2026-02-09T09:00+00
            P02            | expired         | 2026-02-08T09:00+00
            P03            | scope_missing   | 2026-02-09T09:00+00
            P04            | not_linked      | 2026-02-09T09:00+00
            P05            | wrong_account   | 2026-02-09T09:00+00
            P06            | retired         | 2026-02-09T09:00+00
            P07            | never_connected | 2026-02-09T09:00+00
        """,
        protocol={"work_list": {"cluster_participants": 9}},
        expect="""
            participant_id | reason          | kind          | level | days | fault
            ---------------+-----------------+---------------+-------+------+------------
            P01            | consent_lost    | revoked       | red   | 0    | participant
            P02            | consent_lost    | expired       | red   | 1    | participant
            P03            | consent_lost    | scope_missing | red   | 0    | participant
            P04            | consent_lost    | not_linked    | red   | 0    | participant
            P05            | wrong_account   | wrong_account | red   | 0    | participant
            P06            | consent_lost    | retired       | red   | 0    | vendor
            P07            | never_connected |               | red   | 21   | participant
        """,
    )


def test_who_can_be_read_from_another_source_has_lost_nothing(spec):
    # P02's days come by file: there is no device to be silent, nor consent to lose.
    spec(
        derive_work_item,
        as_of=NOON,
        participant="participant_id\nP01\nP02",
        connection="""
            participant_id | source        | state   | synced_at
            ---------------+---------------+---------+--------------------
            P01            | fitbit        | retired | 2026-01-20T09:00+00
            P01            | google_health | active  | 2026-02-09T09:00+00
            P02            | fitabase      | active  | 2026-01-20T09:00+00
        """,
        day_metric="participant_id\nP02",
        expect="participant_id | reason",
    )


def test_not_worn_is_fewer_than_4_valid_days_of_the_last_7_known(spec):
    on, off, part, sync = "valid", "not_worn", "insufficient_wear", "pending_sync"
    spec(
        derive_work_item,
        as_of=NOON,
        participant="participant_id\nP01\nP02\nP03\nP04\nP05",
        connection="participant_id\nP01\nP02\nP03\nP04\nP05",
        participant_day=DAY
        + "\n".join(
            [
                days_of("P01", off, on, on, on, on, off, off, off),  # 4 of the last 7
                days_of("P02", on, on, on, off, part, off, "implausible"),  # 3
                days_of("P03", on, on, on, off, sync, off, sync, off, sync, off),  # 3 known of 7
                days_of("P04", off, off, off),  # of 7 there may still be 4
                days_of("P05", off, off, off, off),  # no longer
            ]
        ),
        expect="""
            participant_id | reason   | queue | value | of_value | limit_value | since_on
            ---------------+----------+-------+-------+----------+-------------+-----------
            P02            | not_worn | call  | 3     | 7        | 4           | 2026-02-05
            P03            | not_worn | call  | 3     | 7        | 4           | 2026-02-02
            P05            | not_worn | call  | 0     | 4        | 4           | 2026-02-05
        """,
    )


def test_days_older_than_two_weeks_do_not_tell_whether_it_is_worn(spec):
    # P01's four days not worn end on 29 January; the first of P02's is in reach still.
    spec(
        derive_work_item,
        as_of=NOON,
        participant="participant_id\nP01\nP02",
        connection="participant_id\nP01\nP02",
        participant_day=DAY
        + """
            P01 | 2026-01-25 | not_worn | F
            P01 | 2026-01-27 | not_worn | F
            P01 | 2026-01-28 | not_worn | F
            P01 | 2026-01-29 | not_worn | F
            P02 | 2026-01-26 | not_worn | F
            P02 | 2026-01-27 | not_worn | F
            P02 | 2026-01-28 | not_worn | F
            P02 | 2026-01-29 | not_worn | F
        """,
        expect="""
            participant_id | reason
            ---------------+---------
            P02            | not_worn
        """,
    )


def test_battery_is_low_under_20_percent_at_the_newest_sync_of_a_device(spec):
    spec(
        derive_work_item,
        as_of=NOON,
        participant="participant_id\nP01\nP02\nP03\nP04",
        connection="participant_id\nP01\nP02\nP03\nP04",
        device="""
            participant_id | device_id | battery_pct | last_sync_at
            ---------------+-----------+-------------+--------------------
            P01            | a         | 20          | 2026-02-09T11:00+00
            P02            | a         | 19          | 2026-02-08T11:00+00
            P03            | a         | 5           | 2026-02-08T12:00+00
            P03            | b         | 80          | 2026-02-09T11:00+00
            P04            | a         |             | 2026-02-09T11:00+00
        """,
        expect="""
            participant_id | reason      | queue  | value | limit_value | since_at
            ---------------+-------------+--------+-------+-------------+-----------------------
            P02            | battery_low | charge | 19    | 20          | 2026-02-08 11:00:00+00
        """,
    )


def test_a_goal_met_on_none_of_14_goal_days_needs_a_coach(spec):
    # P01 met it on the first of 14; P02 on the one before them; P03 has 13 goal days.
    spec(
        derive_work_item,
        as_of=NOON,
        participant="participant_id\nP01\nP02\nP03",
        connection="participant_id\nP01\nP02\nP03",
        participant_day="participant_id | activity_date | goal_met\n"
        + goal_days("P01", "TFFFFFFFFFFFFF")
        + goal_days("P02", "TFFFFFFFFFFFFFF")
        + goal_days("P03", "FFFFFFFFFFFFF"),
        expect="""
            participant_id | reason      | queue | value | of_value | since_on
            ---------------+-------------+-------+-------+----------+-----------
            P02            | goal_missed | coach | 0     | 14       | 2026-01-26
        """,
    )


def test_a_swap_is_a_model_not_seen_before_or_a_device_that_stopped_for_another(spec):
    # P02 returns to a model it had; P03's first device is no swap; P04's second phone syncs too.
    spec(
        derive_work_item,
        as_of=NOON,
        participant="participant_id\nP01\nP02\nP03\nP04\nP05\nP06",
        connection="participant_id\nP01\nP02\nP03\nP04\nP05\nP06",
        participant_day="""
            participant_id | activity_date | device_model
            ---------------+---------------+-------------
            P01            | 2026-02-06    | Inspire 3
            P01            | 2026-02-07    | Charge 6
            P01            | 2026-02-08    | Charge 6
            P02            | 2026-02-06    | Charge 6
            P02            | 2026-02-07    | Inspire 3
            P02            | 2026-02-08    | Charge 6
            P03            | 2026-02-08    | Charge 6
        """,
        device="""
            participant_id | device_id | last_sync_at
            ---------------+-----------+--------------------
            P04            | a         | 2026-02-08T11:30+00
            P04            | b         | 2026-02-09T11:00+00
            P05            | a         | 2026-02-08T10:30+00
            P05            | b         | 2026-02-09T11:00+00
            P06            | a         | 2026-01-26T10:30+00
            P06            | b         | 2026-02-09T11:00+00
        """,
        expect="""
            participant_id | reason      | since_on   | occurrence
            ---------------+-------------+------------+-----------
            P01            | device_swap | 2026-02-07 | 2026-02-07
            P05            | device_swap | 2026-02-08 | 2026-02-08
        """,
    )


def test_reasons_stand_beside_one_another_in_order_of_priority(spec):
    spec(
        derive_work_item,
        as_of=NOON,
        participant=ONE,
        connection="""
            participant_id | synced_at
            ---------------+--------------------
            P01            | 2026-02-06T12:00+00
        """,
        device="""
            participant_id | device_id | battery_pct | last_sync_at
            ---------------+-----------+-------------+--------------------
            P01            | a         | 4           | 2026-02-06T12:00+00
        """,
        outcome="""
            participant_id | status  | target_on  | closes_on
            ---------------+---------+------------+-----------
            P01            | overdue | 2026-02-01 | 2026-03-10
        """,
        expect="""
            participant_id | reason                | priority
            ---------------+-----------------------+---------
            P01            | questionnaire_overdue | 10
            P01            | not_synced            | 12
            P01            | battery_low           | 14
        """,
    )


def test_a_silence_by_our_fault_or_the_vendors_is_held_back(spec):
    spec(
        derive_work_item,
        as_of=NOON,
        participant="participant_id\nP01\nP02\nP03",
        connection="""
            participant_id | synced_at
            ---------------+--------------------
            P01            | 2026-02-06T12:00+00
            P02            | 2026-02-06T12:00+00
            P03            | 2026-02-06T12:00+00
        """,
        participant_day=DAY
        + """
            P01 | 2026-02-08 | fetch_failed  | F
            P02 | 2026-02-08 | vendor_outage | F
            P03 | 2026-02-07 | vendor_outage | F
            P03 | 2026-02-08 | pending_sync  | F
        """,
        expect="""
            participant_id | reason     | fault       | held_back | held_because
            ---------------+------------+-------------+-----------+--------------
            P01            | not_synced | ours        | T         | our_fault
            P02            | not_synced | vendor      | T         | vendor_outage
            P03            | not_synced | participant | F         |
        """,
    )


def test_a_study_with_nobody_has_an_empty_list(spec):
    spec(derive_work_item, as_of=NOON, expect="participant_id | reason")
