"""The Data page: the dictionary of the file, ready questions, builds, rows, and files to take."""

from __future__ import annotations

import hashlib
import io
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from pyarrow import csv
from streamlit.testing.v1 import AppTest
from support.pages import opened, text, use
from support.published import (
    BUILD_ID,
    empty_rows,
    home_of,
    publish_rows,
    small_study,
    typed_rows,
    write_study,
)

from dashboard import words
from dashboard.access import NotAllowed
from dashboard.pasting import pasted
from dashboard.queries import data as queries
from dashboard.queries.asking import Con
from dashboard.queries.questions import QUESTIONS
from dashboard.scope import open_scoped, prelude
from dashboard.views import data as view
from warehouse.publish import connect, stable_path
from warehouse.register import Register, audit

HOSTILE = [
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "%_%",
    "x" * 5000,
    "../../etc",
    "P003'; DROP",
]


def part(name: str, **address: str) -> AppTest:
    return opened("data", view=words.say(f"data.part_{name}"), **address)


def text_of(at: AppTest, alt: str) -> list[list[str]]:
    """Rows of the table that is read as text, without what keeps Markdown out."""
    [frame] = [one.value for one in at.table if one.proto.alt == words.say(f"data.{alt}")]
    return [[cell.replace("\\", "") for cell in row] for row in frame.to_numpy().tolist()]


def answer_of(python: str) -> Any:
    """What the Python of the page comes to, run as it was copied."""
    found: dict[str, Any] = {}
    exec(compile(python, "the page", "exec"), found)
    return found["answer"]


@pytest.fixture(scope="module", params=["typed", "empty"])
def either(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The typed study, and one that has begun with nobody in it."""
    home = tmp_path_factory.mktemp(request.param)
    write_study(home)
    publish_rows(home, typed_rows() if request.param == "typed" else empty_rows())
    return home


@pytest.fixture
def con(study: Path):
    with closing(open_scoped(stable_path(home_of(study)), ())) as opened_file:
        yield opened_file


def test_the_dictionary_lists_every_table_with_its_rows(study, monkeypatch, con):
    use(monkeypatch, study)
    listed = text_of(part("dictionary"), "overview_alt")
    query = "SELECT count(*) FROM duckdb_tables() WHERE database_name = 'warehouse'"
    assert [(len(listed),)] == con.sql(query).fetchall()
    by_name = {row[0]: row for row in listed}
    assert by_name["participant"][1] == "3"
    assert by_name["participant_day"][1] == "30"
    assert by_name["ops.connection"][1] == "2"
    assert "One row per participant and local day" in by_name["participant_day"][2]


def test_on_a_phone_a_table_of_texts_is_a_list(study, monkeypatch):
    use(monkeypatch, study)
    monkeypatch.setattr("dashboard.texts.is_phone", lambda: True)
    at = part("dictionary")
    assert len(at.table) == 0
    told = "\n\n".join(one.value for one in at.markdown)
    assert "**participant\\_day**  \nRows: 30  \nMeaning: Every enrolled" in told


def test_a_table_is_opened_to_its_columns_with_their_meaning(study, monkeypatch):
    use(monkeypatch, study)
    at = part("dictionary", table="participant_day")
    listed = text_of(at, "dictionary_alt")
    assert listed[0] == ["participant_id", "The participant's pseudonym in this study.", "VARCHAR"]
    wear = next(row for row in listed if row[0] == "wear_minutes")
    assert wear[1].startswith("Minutes with the device on the body.")
    assert "Unit: minutes." in wear[1]
    assert wear[2] == "INTEGER"


def test_the_masked_dictionary_has_no_column_that_tells_an_arm(study, monkeypatch):
    use(monkeypatch, study)
    columns = [row[0] for row in text_of(part("dictionary", table="participant"), "dictionary_alt")]
    assert "site" in columns
    assert not {"arm", "therapist_id"} & set(columns)
    use(monkeypatch, study, role="unblinded_statistician")
    at = opened("data", why="interim look", view="Dictionary", table="participant")
    assert "arm" in [row[0] for row in text_of(at, "dictionary_alt")]


@pytest.mark.parametrize(
    ("find", "expected"),
    [
        ("peak_30", ["day_metric", "participant_day", "participant_week"]),
        ("PEAK_30", ["day_metric", "participant_day", "participant_week"]),
        ("no such word", []),
        ("peak%30", []),
    ],
)
def test_the_dictionary_is_searched_as_the_words_stand(con, find, expected):
    found = queries.dictionary(con, find=find)
    tables = {name.partition(".")[0] for name in found.column("column_name")}
    assert sorted(tables) == expected


def test_a_search_is_shown_with_how_many_fit(study, monkeypatch):
    use(monkeypatch, study)
    at = part("dictionary", find="peak_30")
    n = len(text_of(at, "dictionary_alt"))
    assert f"{n} columns fit." in text(at)


def test_definitions_give_unit_direction_and_source(study, monkeypatch):
    use(monkeypatch, study)
    at = part("definitions")
    metric = next(row for row in text_of(at, "metrics_alt") if row[1] == "brisk_bouts")
    assert metric[2].endswith("Unit: bouts. Higher is better. Range: 0 or more.")
    assert "Tudor-Locke et al. 2018" in metric[3]
    scale = next(row for row in text_of(at, "scales_alt") if row[0] == "NPRS")
    assert scale[3:7] == ["0", "10", "lower", "2"]


def test_there_are_ten_questions_each_in_words():
    assert len(QUESTIONS) == 10
    assert set(words.table("data_questions")) == set(QUESTIONS)


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("sites", [(), ("haifa",)])
@pytest.mark.parametrize("arms", [False, True])
def test_every_question_runs_as_it_stands(either, name, sites, arms):
    """As copied: in a plain DuckDB on the file, after the prelude of somebody bound to sites."""
    path = stable_path(home_of(either), arms)
    with closing(open_scoped(path, sites)) as scoped:
        asked = prelude(scoped, sites) + QUESTIONS[name]
        expected = scoped.sql(QUESTIONS[name]).to_arrow_table()
    with closing(connect()) as plain:
        if sites:
            asked = asked.replace("'warehouse.duckdb'", f"'{path.resolve()}'")
        else:
            plain.execute(f"ATTACH '{path.resolve()}' AS warehouse (READ_ONLY); USE warehouse")
        *before, last = asked.split(";\n")
        for statement in before:
            plain.execute(statement)
        assert plain.sql(last).to_arrow_table().equals(expected)


def test_the_answers_are_what_was_typed(con):
    who = con.sql(QUESTIONS["who"]).to_arrow_table().to_pylist()
    assert [(row["site"], row["participants"]) for row in who] == [("haifa", 2), ("southampton", 1)]
    states = con.sql(QUESTIONS["states"]).to_arrow_table().to_pylist()
    by_site = {(row["site"], row["day_state"]): row["person_days"] for row in states}
    assert by_site["southampton", "never_connected"] == 10
    assert sum(row["share"] for row in states if row["site"] == "haifa") == pytest.approx(1)


def test_a_question_is_answered_when_it_is_opened(study, monkeypatch):
    use(monkeypatch, study)
    at = part("questions")
    assert len(at.dataframe) == 0
    at.session_state["question_who"] = True
    at.run()
    assert at.dataframe[0].value["site"].tolist() == ["haifa", "southampton"]
    assert "2 of 2 rows." in text(at)
    assert answer_of(at.code[0].value)["site"].tolist() == ["haifa", "southampton"]
    for way, begins in (("sql", "-- People by site"), ("r", "library(duckdb)")):
        at.radio(key="way").set_value(way).run()
        assert at.code[0].value.startswith(begins)


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # DuckDB's, of instants
@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_is_python_that_runs_as_it_is_copied(study, con, name):
    asked = pasted("python", str(stable_path(home_of(study))), QUESTIONS[name])
    assert len(answer_of(asked)) == con.sql(QUESTIONS[name]).to_arrow_table().num_rows


def test_a_path_with_spaces_and_quotes_is_pasted_so_that_it_is_read(tmp_path):
    path = str(tmp_path / """Ana's "two" files.duckdb""")
    duckdb.connect(path).close()
    assert answer_of(pasted("python", path, "SELECT 1 AS one"))["one"].tolist() == [1]
    told = """duckdb() { printf '%s|' "$@"; cat; }\n""" + pasted("cli", path, "SELECT 1")
    ran = subprocess.run(["sh", "-c", told], capture_output=True, text=True, check=True)
    assert ran.stdout == f"-readonly|{path}|SELECT 1;\n"
    r = pasted("r", """/a/Ana's "two" files""", "SELECT 1")
    assert r"""dbdir = "/a/Ana's \"two\" files", read_only""" in r


def test_rows_are_shown_a_page_at_a_time(study, monkeypatch):
    use(monkeypatch, study)
    monkeypatch.setattr("dashboard.queries.data.ROWS_A_PAGE", 20)
    at = part("rows", rows_of="participant_day")
    assert "participant_day: 30 rows" in text(at)
    assert at.dataframe[0].value.shape[0] == 20
    at.number_input(key="page_participant_day").set_value(2).run()
    shown = at.dataframe[0].value
    assert (shown.shape[0], shown["participant_id"].unique().tolist()) == (10, ["P003"])


def test_rows_of_one_participant(study, monkeypatch):
    use(monkeypatch, study)
    at = part("rows", rows_of="participant_day", participant="P002")
    assert at.dataframe[0].value["participant_id"].unique().tolist() == ["P002"]


@pytest.mark.parametrize("typed", HOSTILE)
def test_what_is_typed_is_never_sql_and_never_markup(study, monkeypatch, typed):
    use(monkeypatch, study)
    at = part("rows", rows_of="participant_day", participant=typed)
    assert len(at.dataframe) == 0
    assert "participant_day: 0 rows" in text(at)
    at = part("dictionary", find=typed)
    assert "0 columns fit." in text(at)
    for address in ({"view": typed}, {"view": "Rows", "rows_of": typed}):
        assert "<script>" not in text(opened("data", **address))


def test_a_table_that_the_file_does_not_have_cannot_be_asked_for(con: Con):
    for name in ("sqlite_master", "warehouse.main.participant", "participant; DROP TABLE x", ""):
        with pytest.raises(KeyError):
            queries.some_rows(con, name, "", 1)
        with pytest.raises(KeyError):
            queries.make_file(con, name, "csv")


def test_a_coordinator_of_one_site_gets_that_sites_rows_alone(tmp_path, monkeypatch):
    small_study(tmp_path)
    toml = tmp_path / "study.toml"
    toml.write_text(toml.read_text() + '[[roles]]\ncode = "nurse"\nsites = ["haifa"]\n')
    use(monkeypatch, tmp_path, role="nurse")
    assert "participant_day: 20 rows" in text(part("rows", rows_of="participant_day"))
    at = part("rows", rows_of="participant_day", participant="P003")
    assert "participant_day: 0 rows" in text(at)
    listed = {row[0]: row[1] for row in text_of(part("dictionary"), "overview_alt")}
    assert listed["participant"] == "2"
    at = part("questions")
    at.session_state["question_who"] = True
    at.run()
    assert [one.key for one in at.radio] == ["view"]  # a question is SQL after that site's views
    assert at.code[0].value.startswith("ATTACH")
    assert at.dataframe[0].value["site"].tolist() == ["haifa"]
    at = part("files")
    assert "The whole file holds every site" in "\n".join(one.value for one in at.markdown)
    with closing(open_scoped(stable_path(home_of(tmp_path)), ("haifa",))) as con:
        made = queries.make_file(con, "participant", "csv")
    assert b"P003" not in made.content
    assert b"P001" in made.content


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_file_holds_the_table_and_its_hash_is_that_of_its_bytes(con: Con, kind):
    made = queries.make_file(con, "participant_day", kind)
    assert hashlib.sha256(made.content).hexdigest() == made.sha256
    read = {"parquet": pq.read_table, "csv": csv.read_csv}[kind](io.BytesIO(made.content))
    assert (made.rows, read.num_rows) == (30, 30)
    expected = con.sql("FROM participant_day ORDER BY participant_id, activity_date")
    assert read["steps"].to_pylist() == expected.to_arrow_table()["steps"].to_pylist()


def test_every_table_can_be_browsed_and_made_into_a_file(either):
    for arms in (False, True):
        with closing(open_scoped(stable_path(home_of(either), arms), ())) as con:
            for name in queries.tables(con):
                rows = queries.count_rows(con, name, "")
                assert len(queries.some_rows(con, name, "", 1)) == min(rows, 200), name
                for kind in queries.KINDS:
                    assert queries.make_file(con, name, kind).rows == rows, name


def exported(home: Path) -> list[tuple[str, str, str]]:
    with closing(Register(home_of(home).register_url)) as register:
        lines = register.rows(sa.select(audit).where(audit.c.what == "export"))
    return [(line["who"], line["subject"], line["new"]) for line in lines]


class Given:
    """A download button as Streamlit is given it: what it would hand out when it is pressed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.files: dict[str, object] = {}
        monkeypatch.setattr(view.st, "download_button", self._keep)

    def _keep(self, label: str, data: object, file: str, **_: object) -> bool:
        self.files[file] = data
        return False

    def press(self, file: str) -> bytes:
        make = self.files[file]
        assert callable(make), "made before it was asked for"
        content = make()
        assert isinstance(content, bytes)
        return content


def test_a_download_is_on_the_audit_trail_with_rows_and_build(tmp_path, monkeypatch):
    small_study(tmp_path)
    use(monkeypatch, tmp_path)
    given = Given(monkeypatch)
    at = part("files", file_of="participant_day")
    at.button(key="make").click().run()
    assert "30 rows" in "\n".join(one.value for one in at.markdown)
    assert exported(tmp_path) == []
    content = given.press("participant_day.parquet")
    whole = given.press(f"warehouse_{BUILD_ID}.duckdb")
    assert whole == stable_path(home_of(tmp_path)).read_bytes()
    who = "local user (no sign-in), coordinator"
    day, file = exported(tmp_path)
    digest = hashlib.sha256(content).hexdigest()
    assert day == (who, f"participant_day.parquet SHA-256 {digest}", f"30 rows of build {BUILD_ID}")
    assert file[1] == f"warehouse_{BUILD_ID}.duckdb SHA-256 {hashlib.sha256(whole).hexdigest()}"
    assert file[2].endswith(f" rows of build {BUILD_ID}")


def test_the_whole_file_for_an_unblinded_role_is_the_one_without_arms(study, monkeypatch):
    use(monkeypatch, study, role="unblinded_statistician")
    given = Given(monkeypatch)
    monkeypatch.setattr(view.access, "record_export", lambda *_: None)
    opened("data", why="interim look", view="Files to take")
    [file] = [name for name in given.files if name.startswith("warehouse_")]
    assert given.press(file) == stable_path(home_of(study), sees_arms=False).read_bytes()


def test_without_the_right_nothing_is_offered_and_nothing_is_given(tmp_path, monkeypatch):
    small_study(tmp_path)
    toml = tmp_path / "study.toml"
    toml.write_text(toml.read_text() + '[[roles]]\ncode = "reader"\nmay = []\n')
    use(monkeypatch, tmp_path, role="reader")
    given = Given(monkeypatch)
    at = part("files")
    assert "may not download" in at.info[0].value
    assert given.files == {}
    monkeypatch.setattr(view.access, "may", lambda *_: True)  # the page forgot to ask
    part("files")
    monkeypatch.undo()
    with pytest.raises(NotAllowed):
        given.press(f"warehouse_{BUILD_ID}.duckdb")


def test_builds_are_listed_newest_first_with_the_hash_of_each_file(tmp_path, monkeypatch):
    small_study(tmp_path)
    newer = "20260301T060000000000Z"
    publish_rows(tmp_path, typed_rows(), newer)
    folder = home_of(tmp_path).published
    (folder / "builds" / "warehouse_20250101T000000000000Z.duckdb").write_bytes(b"damaged" * 999)
    use(monkeypatch, tmp_path)
    shown = part("builds").dataframe[0].value
    assert shown["build_id"].tolist() == [newer, BUILD_ID, "20250101T000000000000Z"]
    path = folder / "builds" / f"warehouse_{newer}.duckdb"
    assert shown["file_sha256"][0] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert shown["bytes"][0] == path.stat().st_size
    assert pa.array(shown["content_hash"]).null_count == 1


def test_the_python_that_is_shown_opens_the_file(study, monkeypatch):
    use(monkeypatch, study)
    at = part("builds")
    python = next(block.value for block in at.code if block.value.startswith("import duckdb"))
    with closing(open_scoped(stable_path(home_of(study)), ())) as con:
        [[valid]] = con.sql("SELECT count(*) FROM participant_day WHERE valid_day").fetchall()
    assert len(answer_of(python)) == valid > 0


PARTS = ["dictionary", "definitions", "questions", "rows", "builds", "files"]


@pytest.mark.parametrize("name", PARTS)
def test_every_part_opens_on_an_empty_study(tmp_path, monkeypatch, name):
    write_study(tmp_path)
    publish_rows(tmp_path, empty_rows())
    use(monkeypatch, tmp_path)
    at = part(name)
    if name == "rows":
        assert at.info[0].value == "Nothing to list."
