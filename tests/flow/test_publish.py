"""Publishing: nothing half-built is ever seen, and the masked file does not know the arms."""

from __future__ import annotations

import stat
import threading
from datetime import UTC, date, datetime

import duckdb
import pytest

from warehouse import publish
from warehouse.home import Home
from warehouse.schema import table_of
from warehouse.tables import derived, landed

ON = date(2026, 1, 20)


def build(home: Home, number: int, participants: int = 3) -> None:
    """Publish a small build whose rows all carry `number`, so that a torn one would show."""
    with publish.building(home, f"b{number:03d}") as (con, aside):
        people = [
            {"participant_id": f"P{n}", "site": "haifa", "arm": "etmi", "therapist_id": "T01",
             "timezone": "Asia/Jerusalem", "enrolled_on": ON, "starts_on": ON}
            for n in range(participants)
        ]  # fmt: skip
        rows = {"participant": table_of(landed.participant, people)}
        rows["adherence"] = table_of(
            derived.adherence,
            [{"participant_id": p["participant_id"], "study_days": number} for p in people],
        )
        cohort = {"study_week": 1, "suppressed": False, "participants": 6}
        rows["cohort_week"] = table_of(
            derived.cohort_week,
            [{"cohort_kind": "all", "cohort": "all", **cohort},
             {"cohort_kind": "arm", "cohort": "etmi", **cohort}],
        )  # fmt: skip
        for name, table in rows.items():
            con.register("incoming", table)
            con.execute(f"INSERT INTO {name} SELECT * FROM incoming")
        at = datetime(2026, 1, 21, tzinfo=UTC)
        con.execute(
            "INSERT INTO ops.build BY NAME SELECT ? AS build_id, ? AS built_at, ? AS as_of, "
            "'s' AS study, 'p' AS protocol_hash, 'v' AS code_version, 'i' AS input_hash, "
            "? AS content_hash, false AS masked, false AS goals_reveal_arm",
            [f"b{number:03d}", at, at, publish.content_hash(con)],
        )
        publish.check(con)
    publish.publish(home, f"b{number:03d}", aside)


def test_a_reader_in_a_loop_never_sees_an_error_or_a_torn_build(home):
    build(home, 0)
    done, seen, trouble = threading.Event(), set(), []

    def read() -> None:
        while not done.is_set():
            try:
                con = publish.open_published(publish.stable_path(home))
                rows = con.execute(
                    "SELECT study_days, count(*) FROM adherence GROUP BY 1"
                ).fetchall()
                build_id = con.execute("SELECT build_id FROM ops.build").fetchall()[0][0]
                con.close()
            except (duckdb.Error, OSError, publish.NotPublished) as error:
                trouble.append(error)
                return
            if rows != [(int(build_id[1:]), 3)]:
                trouble.append(rows)
            seen.add(build_id)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(1, 5):
        build(home, number)
    done.set()
    for reader in readers:
        reader.join()
    assert trouble == []
    assert len(seen) > 1


def test_a_reader_that_holds_a_build_open_keeps_it_and_a_new_one_sees_the_next(home):
    build(home, 1)
    old = publish.open_published(publish.stable_path(home))
    build(home, 2)
    new = publish.open_published(publish.stable_path(home))
    query = "SELECT build_id FROM ops.build"
    assert [old.execute(query).fetchall(), new.execute(query).fetchall()] == [
        [("b001",)], [("b002",)]
    ]  # fmt: skip


def test_the_masked_file_holds_no_arm_and_no_row_by_arm(home):
    build(home, 1)
    masked = publish.open_published(publish.stable_path(home))
    full = publish.open_published(publish.stable_path(home, sees_arms=True))
    kinds = "SELECT cohort_kind FROM cohort_week ORDER BY 1"
    assert full.execute(kinds).fetchall() == [("all",), ("arm",)]
    assert masked.execute(kinds).fetchall() == [("all",)]
    columns = {row[0] for row in masked.execute("DESCRIBE participant").fetchall()}
    assert not columns & {"arm", "therapist_id"}
    tables = {row[0] for row in masked.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    assert "treatment_session" not in tables
    assert b"etmi" not in publish.stable_path(home).read_bytes()


def test_only_its_owner_may_open_the_folder_of_the_arms(home):
    build(home, 1)
    assert stat.S_IMODE(home.unblinded.stat().st_mode) == 0o700


def test_a_build_that_breaks_a_rule_is_not_published_and_says_which(home):
    build(home, 1)
    with pytest.raises(publish.CheckFailed, match=r"participant_day\.steps is at least 0: 1 rows"):
        build_a_day_of_minus_one_step(home)
    con = publish.open_published(publish.stable_path(home))
    assert con.execute("SELECT build_id FROM ops.build").fetchall() == [("b001",)]
    assert [path.name for path in (home.unblinded / "builds").iterdir()] == [
        "warehouse_b001.duckdb"
    ]


def build_a_day_of_minus_one_step(home: Home) -> None:
    with publish.building(home, "bad") as (con, _):
        con.execute(
            "INSERT INTO participant_day BY NAME SELECT 'P1' AS participant_id, "
            "DATE '2026-01-20' AS activity_date, 1 AS study_day, 1 AS study_week, "
            "'valid' AS day_state, true AS eligible_day, true AS valid_day, "
            "false AS provisional, -1 AS steps"
        )
        publish.check(con)


def test_a_repeated_key_and_a_missing_value_and_an_unknown_word_break_a_rule(home):
    with publish.building(home, "x") as (con, _):
        con.execute("INSERT INTO visit VALUES ('w', 1, 'W', 1), ('w', 2, NULL, 1)")
        con.execute("INSERT INTO scale BY NAME SELECT 'S' AS scale, 'I' AS instrument, "
                    "'L' AS label, 0 AS low, 1 AS high, 'sideways' AS better")  # fmt: skip
        assert derived.visit.failures(con) == [
            ("visit.label is never missing", 1),
            ("visit has one row per visit of the protocol", 1),
        ]
        assert derived.scale.failures(con) == [("scale.better is one of higher, lower", 1)]


def test_the_last_builds_stay_and_older_ones_go(home):
    for number in range(6):
        build(home, number)
    kept = sorted(path.name for path in (home.published / "builds").iterdir())
    assert kept == [f"warehouse_b00{n}.duckdb" for n in (1, 2, 3, 4, 5)]


def test_the_content_hash_knows_facts_and_not_the_order_of_rows(home):
    def digest(*days: int) -> str:
        with publish.building(home, "h") as (con, aside):
            for n in days:
                con.execute("INSERT INTO visit VALUES (?, 1, 'W', 1)", [f"v{n}"])
            found = publish.content_hash(con)
        aside.unlink()
        return found

    assert digest(1, 2) == digest(2, 1)
    assert digest(1, 2) != digest(1, 3)
    assert digest(1, 2) != digest(1, 2, 2)


def test_provenance_does_not_count_in_the_content_hash(home):
    def digest(hour: int) -> str:
        with publish.building(home, "h") as (con, aside):
            row = {"participant_id": "P1", "version": 1, "valid_from": ON, "goal_steps": 1,
                   "rule": "protocol", "row_hash": "h",
                   "fetched_at": datetime(2026, 1, 21, hour, tzinfo=UTC)}  # fmt: skip
            con.register("incoming", table_of(landed.goal, [row]))
            con.execute("INSERT INTO goal SELECT * FROM incoming")
            con.unregister("incoming")
            found = publish.content_hash(con)
        aside.unlink()
        return found

    assert digest(1) == digest(2)


def test_nothing_published_yet_says_what_to_do(home):
    with pytest.raises(publish.NotPublished, match="run `stepwell build`"):
        publish.open_published(publish.stable_path(home))


def test_every_table_and_column_of_a_published_file_explains_itself(home):
    build(home, 1)
    con = publish.open_published(publish.stable_path(home, sees_arms=True))
    bare = con.execute(
        "SELECT table_name, column_name FROM duckdb_columns() "
        "WHERE database_name = current_database() AND comment IS NULL"
    ).fetchall()
    assert bare == []
