"""A viewer bound to sites holds a connection in which other sites' rows do not exist."""

from contextlib import closing

import duckdb
import pytest
from support.published import publish_rows, typed_rows, write_study

from dashboard.queries.asking import Con, ask, literal
from dashboard.scope import open_scoped, prelude
from warehouse.tables import PUBLISHED

HERE = [table.full_name for table in PUBLISHED if table.masked()]


@pytest.fixture
def path(tmp_path):
    write_study(tmp_path)
    return publish_rows(tmp_path, typed_rows())


def who(con: Con, table: str) -> set[str]:
    return {row[0] for row in con.sql(f"SELECT participant_id FROM {table}").fetchall()}


@pytest.mark.parametrize("name", [t.full_name for t in PUBLISHED if "participant_id" in t.names])
def test_no_table_of_people_holds_anybody_of_another_site(path, name):
    if name not in HERE:
        pytest.skip("not in the masked file at all")
    with closing(open_scoped(path, ["southampton"])) as con:
        assert who(con, name) <= {"P003"}


def test_the_own_site_is_there_whole(path):
    with closing(open_scoped(path, ["haifa"])) as con:
        assert who(con, "participant") == {"P001", "P002"}
        assert who(con, "participant_day") == {"P001", "P002"}
        assert who(con, "ops.device") == {"P001"}


def test_of_the_cohorts_only_the_own_sites_remain(path):
    with closing(open_scoped(path, ["haifa"])) as con:
        found = con.sql("SELECT DISTINCT cohort_kind, cohort FROM cohort_week").fetchall()
    assert found == [("site", "haifa")]


def test_a_viewer_of_every_site_has_the_file_itself(path):
    with closing(open_scoped(path, [])) as con:
        assert who(con, "participant") == {"P001", "P002", "P003"}
        assert prelude(con, []) == ""


def test_the_prelude_gives_an_analyst_the_same_rows(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    with closing(open_scoped(path, ["haifa"])) as con:
        answer = ask(con, "SELECT participant_id FROM participant ORDER BY 1")
        script = prelude(con, ["haifa"]) + answer.sql
    with closing(duckdb.connect()) as analyst:
        assert analyst.sql(script).fetchall() == [("P001",), ("P002",)]


def test_a_value_is_written_out_so_that_it_stays_a_value(path):
    said = "O'Hara; DROP TABLE participant -- $other"
    with closing(open_scoped(path, [])) as con:
        answer = ask(con, "SELECT $name AS name, $other AS other", {"name": said, "other": 2})
        assert con.sql(answer.sql).fetchall() == [(said, 2)]


def test_a_kind_of_value_that_no_question_has_is_refused():
    with pytest.raises(TypeError, match="no SQL literal for a set"):
        literal({1})
