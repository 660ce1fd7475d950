"""Many quiet in the same hours are one cause: how many, of whom, and how long they are held."""

from support.work import NOON, USUAL

from transforms.cohort.work_list import derive_work_item

__all__ = ["USUAL"]
TEN = "participant_id\n" + "\n".join(f"P{n:02}" for n in range(1, 11))


def links(quiet: dict[str, str], count: int = 10, source: str = "google_health") -> str:
    """Connections of P01 to P<count>: last synced as given, else an hour ago."""
    rows = [
        f"P{n:02} | {source} | {quiet.get(f'P{n:02}', '2026-02-09T11:00')}+00"
        for n in range(1, count + 1)
    ]
    return "participant_id | source | synced_at\n" + "\n".join(rows)


# Five fall silent between 02:00 and 08:00 of the 6th.
FIVE = {
    "P01": "2026-02-06T02:00",
    "P02": "2026-02-06T03:00",
    "P03": "2026-02-06T03:00",
    "P04": "2026-02-06T07:00",
    "P05": "2026-02-06T08:00",
}


def test_five_within_six_hours_are_one_cluster_and_held_back_for_five_days(spec):
    pictures = {"participant": TEN, "connection": links(FIVE)}
    spec(
        derive_work_item,
        as_of=NOON,
        into="work_cluster",
        **pictures,
        expect="""
            cluster_id|from_at               |to_at                 |participants|of_participants
            ----------+----------------------+----------------------+------------+---------------
            1         |2026-02-06 02:00:00+00|2026-02-06 08:00:00+00|5           |10
        """,
    )
    spec(
        derive_work_item,
        as_of=NOON,
        **pictures,
        where="participant_id <= 'P02' OR participant_id > 'P05'",
        expect="""
            participant_id | reason     | held_back | held_because | cluster_id | fault
            ---------------+------------+-----------+--------------+------------+-------
            P01            | not_synced | T         | cluster      | 1          | vendor
            P02            | not_synced | T         | cluster      | 1          | vendor
        """,
    )


def test_after_five_days_each_of_them_is_listed_and_still_said_to_be_one_of_many(spec):
    # The last fell silent at 08:00 on the 6th: held until 08:00 on the 11th.
    fresh = {"synced_at": "2026-02-11T07:00+00"}
    for as_of, held in (("2026-02-11T07:59+00:00", "T"), ("2026-02-11T08:00+00:00", "F")):
        spec(
            derive_work_item,
            as_of=as_of,
            participant=TEN,
            connection=links(FIVE).replace("2026-02-09T11:00+00", fresh["synced_at"]),
            where="participant_id = 'P05'",
            expect=f"participant_id | held_back | cluster_id\nP05 | {held} | 1",
        )


def test_four_are_no_cluster_nor_five_over_more_than_six_hours(spec):
    apart = FIVE | {"P05": "2026-02-06T08:01"}
    four = {name: FIVE[name] for name in ("P01", "P02", "P03", "P04")}
    for quiet in (apart, four):
        spec(
            derive_work_item,
            as_of=NOON,
            into="work_cluster",
            participant=TEN,
            connection=links(quiet),
            expect="cluster_id",
        )


def test_five_of_twenty_five_are_a_cluster_and_of_twenty_six_are_not(spec):
    for count, expect in ((25, "cluster_id | of_participants\n1 | 25"), (26, "cluster_id")):
        people = "participant_id\n" + "\n".join(f"P{n:02}" for n in range(1, count + 1))
        spec(
            derive_work_item,
            as_of=NOON,
            into="work_cluster",
            participant=people,
            connection=links(FIVE, count),
            expect=expect,
        )


def test_who_was_quiet_before_does_not_count_against_a_cluster(spec):
    # 26 participants, of whom P06 was silent days earlier.
    people = "participant_id\n" + "\n".join(f"P{n:02}" for n in range(1, 27))
    spec(
        derive_work_item,
        as_of=NOON,
        into="work_cluster",
        participant=people,
        connection=links(FIVE | {"P06": "2026-02-02T02:00"}, 26),
        expect="cluster_id | participants | of_participants\n1 | 5 | 25",
    )


def test_each_source_has_its_own_clusters(spec):
    fitbit = "\n".join(links(FIVE, 2, "fitbit").splitlines()[1:])
    google = "\n".join(
        row for row in links(FIVE).splitlines()[1:] if not row.startswith(("P01", "P02"))
    )
    spec(
        derive_work_item,
        as_of=NOON,
        into="work_cluster",
        participant=TEN,
        connection=f"participant_id | source | synced_at\n{fitbit}\n{google}",
        expect="cluster_id",
    )


def test_consent_lost_by_many_at_once_is_a_cluster_too(spec):
    lost = [
        f"P{n:02} | {'revoked' if n <= 5 else 'active'} | 2026-02-09T0{min(n, 9)}:00+00"
        for n in range(1, 11)
    ]
    spec(
        derive_work_item,
        as_of=NOON,
        into="work_cluster",
        participant=TEN,
        connection="participant_id | state | since\n" + "\n".join(lost),
        expect="""
            cluster_id | reason       | source        | participants | until_at
            -----------+--------------+---------------+--------------+-----------------------
            1          | consent_lost | google_health | 5            | 2026-02-14 05:00:00+00
        """,
    )


def test_two_clusters_apart_have_two_numbers_in_their_order(spec):
    people = "participant_id\n" + "\n".join(f"P{n:02}" for n in range(1, 13))
    later = {f"P{n:02}": "2026-02-07T05:00" for n in range(6, 11)}
    spec(
        derive_work_item,
        as_of=NOON,
        into="work_cluster",
        participant=people,
        connection=links(FIVE | later, 12),
        expect="""
            cluster_id | participants | from_at                | of_participants
            -----------+--------------+------------------------+----------------
            1          | 5            | 2026-02-06 02:00:00+00 | 12
            2          | 5            | 2026-02-07 05:00:00+00 | 7
        """,
    )
