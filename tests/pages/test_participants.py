"""Participants lists everybody with their state, worst first, and is narrowed by its address."""

from contextlib import closing
from datetime import date

import pandas as pd
import pytest
from support.pages import about, metrics, opened, shown_sql, text, use
from support.published import PARTICIPANTS, empty_rows, publish_rows, typed_rows, write_study
from support.published_story import WORK

from dashboard import words
from dashboard.exports import to_csv, to_excel
from dashboard.queries import participants as queries
from dashboard.queries.participants import Filters
from dashboard.scope import open_scoped
from warehouse.tables.derived import VISIT_STATUSES
from warehouse.tables.derived.work import WORK_QUEUES
from warehouse.tables.ops import CONNECTION_STATES, RECEIPT_REASONS

HOSTILE = [
    "' OR '1'='1",
    "'; DROP TABLE participant; --",
    "<script>alert(1)</script>",
    "![x](http://x.test/a)",
    "P003" + "x" * 5000,
    "%",
    "\u202eP001",
]


@pytest.fixture(scope="module")
def working(tmp_path_factory):
    """The typed study with a work list: P002 to reconnect, P001 to charge, P003 held back."""
    home = tmp_path_factory.mktemp("working")
    write_study(home)
    publish_rows(home, {**typed_rows(), "work_item": WORK})
    return home


def shown(at) -> pd.DataFrame:
    return next(one.value for one in at.dataframe if "connection" in one.value)


def ids(at) -> list[str]:
    return shown(at)["participant_id"].tolist() if len(at.dataframe) else []


def open_file(home):
    return closing(open_scoped(home / "published" / "warehouse.duckdb", ()))


def test_everybody_is_listed_worst_first(study, monkeypatch):
    use(monkeypatch, study)
    assert ids(opened("participants")) == ["P003", "P002", "P001"]


def test_who_is_on_the_work_list_comes_first_the_most_pressing_at_the_top(working, monkeypatch):
    use(monkeypatch, working)
    at = opened("participants")
    # P003, who wears it least, is held back: there is nothing to do for them.
    assert ids(at) == ["P002", "P001", "P003"]
    assert shown(at)["next_step"].tolist()[:2] == ["Reconnect", "Ask to charge"]


def test_who_has_left_comes_last(tmp_path, monkeypatch):
    rows = typed_rows()
    left = {**rows["participant"][2], "withdrawn_on": date(2026, 2, 8)}
    write_study(tmp_path)
    publish_rows(tmp_path, {**rows, "participant": [*rows["participant"][:2], left]})
    use(monkeypatch, tmp_path)
    at = opened("participants")
    assert ids(at) == ["P002", "P001", "P003"]
    assert metrics(at)["Left or finished"] == "1"
    assert metrics(at)["In the study"] == "2"


def test_a_row_says_how_somebody_stands(study, monkeypatch):
    use(monkeypatch, study)
    row = shown(opened("participants")).set_index("participant_id").loc["P002"]
    assert row["site"] == "Haifa"
    assert list(row["connection"]) == ["\u2715 Permission withdrawn"]
    assert row["last_day"] == "Waiting for sync"
    # Days 5 to 11 February have ended: valid on the 5th, 8th and 9th; known on five of them, worn
    # 700, 0, 300, 610 and 640 minutes.
    assert row["valid_days_of_7"] == 3
    assert row["worn_hours"] == pytest.approx(7.5)
    assert (row["valid_days"], row["eligible_days"]) == (6, 9)
    assert row["wear_adherence"] == 67  # two thirds, in whole percent
    assert (row["goal_steps"], row["goal_days_met"], row["goal_days_of_14"]) == (5000, 1, 1)
    # 10 February 07:15 to 12 February 05:00 is 45 whole hours.
    assert row["days_since_sync"] == 1
    assert list(row["visit_baseline"]) == ["\u2713 Complete"]
    assert row["next_step"] == "Ask the participant to connect again."


def test_of_very_many_the_first_are_listed_and_the_file_has_everybody(tmp_path, monkeypatch):
    write_study(tmp_path)
    roster = [{**PARTICIPANTS[0], "participant_id": f"P{i:03}"} for i in range(1, 502)]
    publish_rows(tmp_path, empty_rows() | {"participant": roster})
    use(monkeypatch, tmp_path)
    at = opened("participants")
    assert shown(at)["participant_id"].tolist() == [f"P{i:03}" for i in range(1, 501)]
    assert "501 of 501 participants. The first 500 are listed;" in text(at)


def test_what_is_not_known_is_blank_and_never_a_zero(study, monkeypatch):
    use(monkeypatch, study)
    row = shown(opened("participants")).set_index("participant_id").loc["P003"]
    for name in ("days_since_sync", "worn_hours", "goal_days_met", "goal_days_of_14", "synced_at"):
        assert pd.isna(row[name]), name
    assert row["visit_baseline"] is None
    assert list(row["connection"]) == ["\u25cb Never connected"]


@pytest.mark.parametrize(
    ("statuses", "state"),
    [
        (["received", "received"], "received"),
        (["received", "overdue"], "overdue"),
        (["received", "due"], "due"),
        (["due", "overdue"], "overdue"),
        (["received", "missed"], "part"),
        (["missed", "missed"], "missed"),
        (["not_due", "not_due"], "not_due"),
        (["outside_study", "outside_study"], "outside_study"),
        (["missed", "outside_study"], "missed"),
    ],
)
def test_a_visit_stands_as_the_worst_of_its_questionnaires(tmp_path, statuses, state):
    rows = typed_rows()
    due = {**rows["outcome"][0], "score": None, "answered_on": None}
    rows["outcome"] = [
        {**due, "scale": scale, "status": status}
        for scale, status in zip(("FUNC", "NPRS"), statuses, strict=True)
    ]
    write_study(tmp_path)
    publish_rows(tmp_path, rows)
    with open_file(tmp_path) as con:
        found = {row["participant_id"]: row for row in queries.grid(con, Filters()).rows}
    assert found["P001"]["visit_baseline"] == state


def test_the_counts_say_how_many_stand_how(study, monkeypatch):
    use(monkeypatch, study)
    assert metrics(opened("participants")) == {
        "In the study": "3",
        "Not begun": "0",
        "Left or finished": "0",
        "On the work list": "0",
        "Connected": "1",
        "Connection lost": "1",
        "Never connected": "1",
        "Questionnaire overdue": "1",
    }


def test_the_counts_are_of_the_site_chosen(working, monkeypatch):
    use(monkeypatch, working)
    told = metrics(opened("participants", site="Haifa"))
    assert (told["In the study"], told["On the work list"], told["Never connected"]) == (
        "2", "2", "0",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ({"site": "Southampton"}, ["P003"]),
        ({"connection": "\u2715 Permission withdrawn"}, ["P002"]),
        ({"connection": "\u25cb Never connected"}, ["P003"]),
        ({"day_state": "Valid day"}, ["P001"]),
        ({"overdue": "true"}, ["P001"]),
        ({"search": "p00"}, ["P003", "P002", "P001"]),
        ({"search": "2"}, ["P002"]),
        ({"search": "2", "site": "Southampton"}, []),
    ],
)
def test_the_address_narrows_the_list(study, monkeypatch, address, expected):
    use(monkeypatch, study)
    at = opened("participants", **address)
    assert ids(at) == expected
    assert f"{len(expected)} of " in text(at)
    assert {name: at.query_params[name] for name in address} == {
        name: value for name, value in address.items()
    }


def test_a_filter_that_leaves_nobody_says_so_and_can_be_cleared(study, monkeypatch):
    use(monkeypatch, study)
    at = opened("participants", search="nobody", overdue="true")
    assert "Nobody fits these filters" in text(at)
    at.button(key="clear_filters").click().run()
    assert ids(at) == ["P003", "P002", "P001"]
    assert "search" not in at.query_params


def test_the_filters_are_kept_on_the_way_to_another_page_and_back(study, monkeypatch):
    use(monkeypatch, study)
    at = opened("participants", search="2", site="Haifa")
    at.switch_page("views/health.py").run()
    at.switch_page("views/participants.py").run()
    assert ids(at) == ["P002"]


@pytest.mark.parametrize("asked", HOSTILE)
def test_hostile_input_does_nothing_and_shows_nothing(study, monkeypatch, asked):
    use(monkeypatch, study)
    at = opened("participants", **dict.fromkeys(("connection", "day_state", "overdue"), asked))
    assert not at.exception
    assert ids(at) == ["P003", "P002", "P001"]
    at.text_input(key="search").set_value(asked[:40]).run()
    assert not at.exception
    assert ids(at) == []
    assert asked[:40] not in text(at)
    with open_file(study) as con:
        assert con.sql("SELECT count(*) FROM participant").fetchall() == [(3,)]


def test_a_viewer_of_one_site_finds_nobody_of_another(working):
    with closing(open_scoped(working / "published" / "warehouse.duckdb", ("southampton",))) as con:
        assert [row["participant_id"] for row in queries.grid(con, Filters()).rows] == ["P003"]
        assert queries.ordered(con) == ["P003"]
        assert queries.counts(con, None).row["participants"] == 1
        assert queries.counts(con, "haifa").row["participants"] == 0
        assert queries.find(con, "P001") is None


def test_a_queue_is_ordered_by_what_presses_most(working):
    with open_file(working) as con:
        assert queries.ordered(con) == ["P002", "P001", "P003"]
        assert queries.ordered(con, site="southampton") == ["P003"]


def test_a_row_opens_its_participant(study, monkeypatch):
    use(monkeypatch, study)
    at = opened("participants")
    at.session_state["grid"] = {"selection": {"rows": [1], "columns": [], "cells": []}}
    at.run()
    assert at.title[0].value == "Participant"
    assert at.header[0].value == "P002"
    assert at.query_params["participant"] == "P002"


def test_the_shown_sql_gives_the_shown_numbers(working, monkeypatch):
    use(monkeypatch, working)
    at = about(opened("participants", search="P", site="Haifa"))
    told = [box.code[0].value for box in at.get("expander") if len(box.code)]
    with open_file(working) as con:
        again = con.sql(told[1]).to_arrow_table().to_pydict()
        assert con.sql(told[0]).to_arrow_table().to_pylist()[0]["connected"] == 1
    assert again["participant_id"] == ids(at) == ["P002", "P001"]
    for name in ("valid_days", "valid_days_of_7", "goal_steps", "days_since_sync"):
        assert again[name] == shown(at)[name].tolist()
    ((_, numbers),) = [one for one in shown_sql(at) if "on_work_list" in one[0]]
    assert numbers.iloc[0]["on_work_list"] == 2


def test_the_list_is_given_as_it_is_narrowed(study):
    with open_file(study) as con:
        narrowed = queries.grid(con, Filters(search="2")).table
    assert b"P002" in to_csv(narrowed)
    assert b"P001" not in to_csv(narrowed)
    assert len(to_excel(narrowed)) > 1000


def test_a_study_with_nobody_in_it_says_what_to_do(tmp_path, monkeypatch):
    write_study(tmp_path)
    publish_rows(tmp_path, {name: typed_rows()[name] for name in ("scale", "visit")})
    use(monkeypatch, tmp_path)
    assert "No participants here yet." in text(opened("participants"))


def test_every_state_has_a_sign_and_a_word():
    assert set(words.table("visit_marks")) == {*VISIT_STATUSES, "part"}
    assert set(words.table("connection_marks")) == set(CONNECTION_STATES)
    assert set(words.table("receipt_reasons")) == {*RECEIPT_REASONS, *words.RECEIPTS}
    assert set(words.table("work_queues")) == set(WORK_QUEUES)
    for name in ("visit_marks", "connection_marks"):
        marks = [label.split(" ", 1) for label in words.table(name).values()]
        assert all(len(sign) == 1 and word for sign, word in marks)
        assert len({word for _, word in marks}) == len(marks)
