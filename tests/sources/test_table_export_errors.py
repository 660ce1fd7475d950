"""What is wrong with a table is one line: file, row, what is allowed; never anybody's answer."""

from datetime import UTC, datetime

import pytest

from ingestion.errors import BadInput, Misconfigured
from ingestion.source import Ask
from ingestion.sources.table_export import SOURCE
from warehouse.instrument_tables import read_items
from warehouse.study import EXAMPLE, read_study

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONG = "participant_id,visit,instrument,item,value,answered_on"
VISITS = "baseline, week_4, week_8, week_12, week_26, week_52, discharge"


def refused(tmp_path, *lines: str, name="t.csv", study="", error=BadInput) -> str:
    (tmp_path / name).write_text("".join(f"{line}\n" for line in lines))
    (tmp_path / "study.toml").write_text(EXAMPLE.read_text() + study)
    ask = Ask(read_study(tmp_path / "study.toml"), NOW)
    with pytest.raises(error) as caught:
        SOURCE.read(list(SOURCE.fetch(tmp_path / name, ask)), ask)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("P01,week_5,NPRS,1,66,", f"t.csv row 3: unknown visit; allowed: {VISITS}"),
        ("P01,,NPRS,1,66,", f"t.csv row 3: unknown visit; allowed: {VISITS}"),
        (
            "P01,week_4,NPRSS,1,66,",
            f"t.csv row 3: unknown instrument; allowed: {', '.join(sorted(read_items()))}",
        ),
        ("P01,week_4,FABQ,17,66,", "t.csv row 3: unknown item of FABQ; allowed: 1 to 16"),
        ("P01,week_4,NPRS,2,66,", "t.csv row 3: unknown item of NPRS; allowed: 1"),
        (",week_4,NPRS,1,66,", "t.csv row 3: no participant_id; every row needs one"),
        ("P01,week_4,NPRS,1,66,soon", "t.csv row 3: not a date; write it as 2026-01-31"),
        (
            "P01,week_4,NPRS,1,66",
            "t.csv: row 3 has 5 fields where the header has 6; the file may be cut short, or a "
            "field may need quotes",
        ),
        (
            "P01,week_4,NPRS,1,66,,7",
            "t.csv: row 3 has 7 fields where the header has 6; the file may be cut short, or a "
            "field may need quotes",
        ),
        (
            "P09,week_4,NPRS,1,66,2026-03-10",
            "t.csv row 3 and t.csv row 2 tell different things of the same response of P09 "
            "(value); keep one of them",
        ),
        (
            "P09,week_4,NPRS,1,6,4/3/2026",
            "t.csv: its dates can be day/month or month/day; write them as 2026-01-31, or set "
            'dates = "day_first" or "month_first" in [sources.table_export]',
        ),
        (
            "P08,week_4,NPRS,1,66,14/13/2026",
            "t.csv: its dates are not all day/month or all month/day/year",
        ),
    ],
)
def test_a_bad_row_of_answers(tmp_path, row, message):
    found = refused(tmp_path, LONG, "P09,week_4,NPRS,1,6,2026-03-10", row)
    assert found == message
    assert "66" not in found


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        (
            "participant_id,session_number,attended",
            "P01,one,yes",
            "t.csv row 2: session_number is not a whole number from 1",
        ),
        (
            "participant_id,session_number,attended",
            "P01,1,perhaps",
            "t.csv row 2: attended is not one of 1, yes, y, true, 0, no, n, false, or blank",
        ),
        (
            "participant_id,session_number,therapist_id",
            "P01,1,T99",
            "t.csv row 2: unknown therapist_id; allowed: T01, T02, T03, T04, T05, T06",
        ),
        (
            "participant_id,valid_from,goal_steps",
            "P01,2026-03-10,0",
            "t.csv row 2: goal_steps is not a whole number from 1",
        ),
        (
            "participant_id,valid_from,goal_steps",
            "P01,,5000",
            "t.csv row 2: no valid_from; every row needs one",
        ),
        (
            "participant_id,valid_from,goal_steps,rule",
            "P01,2026-03-10,5000,whim",
            "t.csv row 2: unknown rule; allowed: protocol, coordinator",
        ),
    ],
)
def test_a_bad_row_of_sessions_or_goals(tmp_path, header, row, message):
    assert refused(tmp_path, header, row) == message


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("site", "hafia", "unknown site; allowed: haifa, beer_sheva, southampton"),
        ("site", "", "no site; a participant needs one"),
        ("arm", "ETMI", "unknown arm; allowed: etmi, usual_care"),
        ("timezone", "Haifa", "unknown timezone; give an IANA zone like Europe/London"),
        ("starts_on", "", "no starts_on; every row needs one"),
        ("age_years", "17", "age_years is not a whole number from 18 to 120"),
        ("sex", "x", "unknown sex; allowed: female, male, or blank"),
    ],
)
def test_a_bad_row_of_the_roster(tmp_path, column, value, message):
    row = {
        "participant_id": "P01",
        "site": "haifa",
        "arm": "etmi",
        "timezone": "Asia/Jerusalem",
        "enrolled_on": "2026-01-20",
        "starts_on": "2026-01-22",
        "age_years": "56",
        "sex": "male",
    } | {column: value}
    assert refused(tmp_path, ",".join(row), ",".join(row.values())) == f"t.csv row 2: {message}"


def test_a_table_that_is_none_of_ours(tmp_path):
    assert refused(tmp_path, "id,colour", "1,red").startswith(
        "t.csv: not a table known here (of its 2 columns known: none); needed is participant_id"
    )


def test_a_wide_table_without_a_known_item(tmp_path):
    message = refused(tmp_path, "participant_id,visit,fabq_17", "P01,week_4,3")
    assert message.startswith("t.csv: not a table known here")


def test_two_columns_of_one_name(tmp_path):
    assert refused(tmp_path, "participant_id,visit,nprs,NPRS", "P01,week_4,3,4") == (
        "t.csv: two columns are named nprs; rename or remove one"
    )


def test_a_table_with_names_is_refused(tmp_path):
    message = refused(tmp_path, "participant_id,visit,nprs,E-Mail", "P01,week_4,3,ann@example.org")
    assert message == "t.csv: column E-Mail may tell who somebody is; remove it"


def test_an_excel_file_that_is_none(tmp_path):
    assert refused(tmp_path, "hello", name="t.xlsx") == (
        "t.xlsx: not a whole Excel file; save it as .xlsx again"
    )


def test_nothing_there(tmp_path):
    ask = Ask(read_study(EXAMPLE), NOW)
    (tmp_path / "photo.jpg").write_bytes(b"x")
    cases = {
        tmp_path / "absent": "no file or folder is there",
        tmp_path: "no tables in this folder; readable: .csv, .txt, .tsv, .xlsx, .xlsm",
        tmp_path / "photo.jpg": "not a table; readable: .csv, .txt, .tsv, .xlsx, .xlsm",
    }
    for path, message in cases.items():
        with pytest.raises(BadInput) as caught:
            list(SOURCE.fetch(path, ask))
        assert str(caught.value) == f"{path}: {message}"


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (
            '\n[sources.table_export]\ndates = "dmy"\n',
            "study.toml: sources.table_export.dates: Input should be 'day_first' or 'month_first'",
        ),
        (
            '\n[sources.table_export.visits]\n"V4" = "week_5"\n',
            "study.toml: sources.table_export.visits: 'V4' is given the unknown visit 'week_5'; "
            f"known: {VISITS}",
        ),
    ],
)
def test_a_setting_that_is_wrong(tmp_path, section, message):
    row = "P01,week_4,NPRS,1,6,"
    assert refused(tmp_path, LONG, row, study=section, error=Misconfigured) == message
