"""What is wrong with an export is one line: the file, what was found, what is needed."""

import re

import pytest
from support.fitabase import NARROW_HEADER, WIDE_HEADER, read, wide_day, write

from ingestion.errors import BadInput

ROW = "7,3/10/2026 1:00:00 AM,4"


def refused(folder, **options) -> str:
    with pytest.raises(BadInput) as caught:
        read(folder, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_missing_column(tmp_path):
    header = WIDE_HEADER.replace(",Steps17", "")
    rows = [row.removesuffix(",0") for row in wide_day("7", "3/10/2026", {})]
    message = refused(write(tmp_path, minuteStepsWide_merged=[header, *rows]))
    assert message == (
        "minuteStepsWide_merged.csv: no column steps17 (found 61 columns); a file of minute steps, "
        "wide needs activityhour and steps00 to steps59, in upper or lower case"
    )


def test_a_missing_value_column(tmp_path):
    message = refused(write(tmp_path, minuteStepsNarrow=["Id,ActivityMinute", "7,3/10/2026"]))
    assert "minuteStepsNarrow.csv: no column steps (found 2 columns)" in message


def test_nobodys_file(tmp_path):
    message = refused(write(tmp_path, minuteStepsNarrow=["ActivityMinute,Steps", ROW[2:]]))
    assert "no column Id and no id in front of its name" in message


def test_a_line_without_an_id(tmp_path):
    message = refused(write(tmp_path, minuteStepsNarrow=[NARROW_HEADER, ROW, ROW[1:]]))
    assert message == (
        "minuteStepsNarrow.csv: line 3 has no Id; every line of a merged file needs one"
    )


def test_half_a_last_line(tmp_path):
    folder = write(tmp_path, minuteStepsNarrow=[NARROW_HEADER, ROW, ROW])
    path = folder / "minuteStepsNarrow.csv"
    path.write_bytes(path.read_bytes()[:-3])
    assert refused(folder) == (
        "minuteStepsNarrow.csv: line 3 has no line end, so the file may be cut short; export it "
        "again, or add a line end if it is whole"
    )


def test_a_line_with_too_few_fields(tmp_path):
    message = refused(write(tmp_path, minuteStepsNarrow=[NARROW_HEADER, ROW, "7,3/10/2026"]))
    assert message == (
        "minuteStepsNarrow.csv: line 3 has 2 fields where the header has 3; the file may be cut "
        "short: export it again"
    )


def test_a_gzip_file_cut_short(tmp_path):
    rows = wide_day("7", "3/10/2026", {"08:05": 7})
    folder = write(tmp_path, minuteStepsWide_merged_gz=[WIDE_HEADER, *rows])
    path = folder / "minuteStepsWide_merged.csv.gz"
    path.write_bytes(path.read_bytes()[:-20])
    assert refused(folder) == (
        "minuteStepsWide_merged.csv.gz: damaged or cut short; copy or export it again"
    )


def test_no_gzip_file_at_all(tmp_path):
    (tmp_path / "minuteStepsNarrow.csv.gz").write_bytes(b"hello")
    assert "damaged or cut short" in refused(tmp_path)


def test_a_value_that_is_no_number_is_not_shown(tmp_path):
    message = refused(write(tmp_path, minuteStepsNarrow=[NARROW_HEADER, ROW, ROW[:-1] + "secret"]))
    assert message == (
        "minuteStepsNarrow.csv: line 3 has no whole number in column 3 where one is needed"
    )


@pytest.mark.parametrize("stamp", ["yesterday", "", "3/10/2026 25:00", "2026-03-10 01:00:00Z"])
def test_a_time_that_cannot_be_read(tmp_path, stamp):
    message = refused(write(tmp_path, minuteStepsNarrow=[NARROW_HEADER, ROW, f"7,{stamp},4"]))
    assert message.startswith("minuteStepsNarrow.csv: its times are in no one format known")


def test_a_year_of_two_digits(tmp_path):
    message = refused(write(tmp_path, minuteStepsNarrow=[NARROW_HEADER, "7,3/10/26 1:00,4"]))
    assert "it has a year before 2000 or after 2099" in message


def test_files_that_write_dates_in_two_orders(tmp_path):
    folder = write(
        tmp_path,
        a_minuteStepsNarrow=[NARROW_HEADER, "7,13/03/2026 10:00,5"],
        b_minuteStepsNarrow=[NARROW_HEADER, "7,3/14/2026 10:00,5"],
    )
    assert refused(folder) == (
        "a_minuteStepsNarrow.csv: its dates can only be day/month, those of "
        "b_minuteStepsNarrow.csv read as month/day; export both in one format"
    )


def test_a_file_without_rows(tmp_path):
    message = refused(write(tmp_path, minuteStepsNarrow=[NARROW_HEADER]))
    assert message == "minuteStepsNarrow.csv: no rows under the header; export it again"


def test_a_wrong_folder(tmp_path):
    write(tmp_path / "photos", holiday=["a,b", "1,2"])
    assert re.fullmatch(
        r".*/photos: no Fitabase export among its 1 files \(holiday\.csv\); needed is "
        r"minuteStepsNarrow or minuteStepsWide; .*",
        refused(tmp_path / "photos"),
    )


def test_an_empty_folder_and_no_folder(tmp_path):
    assert "among its 0 files (no file is in it)" in refused(tmp_path)
    assert refused(tmp_path / "absent").endswith(
        "absent: not a folder; give the folder that holds the export's CSV files"
    )


def test_totals_without_minutes(tmp_path):
    folder = write(tmp_path, dailySteps=["Id,ActivityDay,StepTotal", "7,3/10/2026,101"])
    assert refused(folder).startswith("no file of minute steps among 1 files; needed is")


def test_ids_that_the_mapping_lacks(tmp_path):
    lines = [NARROW_HEADER, ROW, "8,3/10/2026 1:00:00 AM,4"]
    folder = write(tmp_path, minuteStepsNarrow=lines)
    assert refused(folder, ids={"7": "P01"}) == (
        "1 of the export's 2 ids are not in the mapping; add them to it, or take their rows out of "
        "the export"
    )
