"""What holds for every source of files: the later export wins, two are never summed, no names."""

import json
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from support import apple, fit, fitabase, redcap, takeout
from support import fhir as forms
from support.studies import new_store

from dags.cli import main
from ingestion.errors import BadInput
from ingestion.importing import file_sources, import_files
from ingestion.sources import fhir, health_connect, redcap_export
from transforms.build import build_warehouse
from warehouse import register as reg
from warehouse.home import Store, find_home, open_store
from warehouse.publish import open_published, stable_path
from warehouse.study import EXAMPLE

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
PERSON = "S1/P-014"  # a slash is nothing special in an id
ON = date(2026, 3, 26)
SILENT = {"progress": lambda line: None}
COUNTED = {"early": (10, 3), "late": (12, 7)}  # steps of 26 and of 27 March


@pytest.fixture
def store(tmp_path: Path):
    opened = study_at(tmp_path / "study")
    yield opened
    opened.register.close()


def study_at(folder: Path) -> Store:
    store = new_store(folder)
    row = {"participant_id": PERSON, "site": "haifa", "timezone": "Asia/Jerusalem",
           "enrolled_on": date(2026, 3, 20), "starts_on": date(2026, 3, 25),
           "batch": 0}  # fmt: skip
    store.register.put(reg.participant, [row])
    return store


def load(store: Store, source: str, path: Path, **changes):
    whose = {"ids": {"7": PERSON}} if source == "fitabase" else {"participant_id": PERSON}
    return import_files(store, source, path, now=NOW, **SILENT, **(whose | changes))


# One walk of 26 March at 10:00 in Jerusalem (UTC+2), restated later, and one of 27 March, of which
# the early export has a part: each source's own way to say so.


def of_takeout(folder: Path, steps: tuple[int, int], late: bool) -> Path:
    lines = [f"2026-03-26T08:00:00Z,{steps[0]},Inspire 3",
             f"2026-03-27T{'19' if late else '09'}:30:00Z,{steps[1]},Inspire 3"]  # fmt: skip
    name = takeout.NEW + "steps_2026-03-01.csv"
    return takeout.folder(folder, {name: takeout.csv(takeout.STEPS_HEADER, *lines)})


def of_health_connect(folder: Path, steps: tuple[int, int], late: bool) -> Path:
    hour = 19 if late else 9
    folder.mkdir()
    path = folder / "steps.csv"
    path.write_text(
        "startTime,endTime,count\n"
        f"2026-03-26T08:00:00Z,2026-03-26T08:01:00Z,{steps[0]}\n"
        f"2026-03-27T{hour:02}:30:00Z,2026-03-27T{hour:02}:31:00Z,{steps[1]}\n"
    )
    return path


def of_apple_health(folder: Path, steps: tuple[int, int], late: bool) -> Path:
    hour = 21 if late else 11
    walks = [apple.record("steps", f"2026-03-{at}:00", f"2026-03-{at}:59", count)
             for at, count in zip(("26 10:00", f"27 {hour}:30"), steps, strict=True)]  # fmt: skip
    folder.mkdir()
    exported = f"2026-03-27 {hour}:40:00 +0200"
    return apple.export_zip(folder / "export.zip", apple.export_xml(*walks, exported=exported))


def of_garmin_fit(folder: Path, steps: tuple[int, int], late: bool) -> Path:
    midnight = [datetime(2026, 3, day, 22, tzinfo=UTC) for day in (25, 26)]
    at = [datetime(2026, 3, 26, 8, tzinfo=UTC),
          datetime(2026, 3, 27, 19 if late else 9, 30, tzinfo=UTC)]  # fmt: skip
    told = [fit.info(midnight[0], 2), fit.steps(at[0], steps[0]),
            fit.info(midnight[1], 2), fit.steps(at[1], steps[1])]  # fmt: skip
    folder.mkdir()
    path = folder / "monitor.fit"
    path.write_bytes(fit.fit(fit.file_id(), *told))
    return path


def of_fitabase(folder: Path, steps: tuple[int, int], late: bool) -> Path:
    rows = fitabase.wide_day("7", "3/26/2026", {"10:00": steps[0]})
    at = "21:30" if late else "11:30"
    rows += fitabase.wide_day("7", "3/27/2026", {at: steps[1]}, range(22 if late else 12))
    return fitabase.write(folder, minuteStepsWide_merged=[fitabase.WIDE_HEADER, *rows])


EXPORTS: dict[str, Callable[[Path, tuple[int, int], bool], Path]] = {
    "takeout": of_takeout,
    "health_connect": of_health_connect,
    "apple_health": of_apple_health,
    "garmin_fit": of_garmin_fit,
    "fitabase": of_fitabase,
}


def export(source: str, folder: Path, which: str) -> Path:
    return EXPORTS[source](folder / f"{source}-{which}", COUNTED[which], which == "late")


def steps_in(store: Store) -> dict[tuple[str, str], int]:
    rows = [r for f in store.lake.day_files() for r in store.lake.read_days(f.path).to_pylist()]
    return {(r["source"], str(r["activity_date"])): r["steps"] for r in rows}


def content(store: Store) -> str:
    return build_warehouse(store, NOW).content_hash


def test_every_source_of_days_in_files_is_tried_here():
    assert set(EXPORTS) == {n for n, s in file_sources().items() if "activity_day" in s.delivers}


@pytest.mark.parametrize("source", EXPORTS)
def test_the_later_export_replaces_the_earlier_whichever_is_first(store, tmp_path, source):
    early, late = (export(source, tmp_path, which) for which in COUNTED)
    other = study_at(tmp_path / "other")
    with closing(other.register):
        load(store, source, early)
        load(store, source, late)
        load(other, source, late)
        load(other, source, early)
        load(other, source, late)
        told = {(source, "2026-03-26"): 12, (source, "2026-03-27"): 7}
        assert steps_in(store) == steps_in(other) == told
        assert content(store) == content(other)


def test_two_sources_on_one_day_are_never_summed_and_it_is_said(store, tmp_path):
    load(store, "apple_health", export("apple_health", tmp_path, "late"))
    report = load(store, "takeout", export("takeout", tmp_path, "early"))
    assert (
        "2 of these days are also of apple_health: each counts by one source, never by two summed"
    ) in str(report)
    content(store)
    with closing(open_published(stable_path(store.home))) as con:
        rows = con.execute(
            "SELECT source, steps FROM participant_day WHERE activity_date = ?", [ON]
        ).fetchall()
    assert rows == [("takeout", 10)]  # it comes first in wearables.sources of the example


def test_a_source_that_study_toml_does_not_list_is_said(tmp_path):
    folder = tmp_path / "study"
    folder.mkdir()
    text = EXAMPLE.read_text().replace('"apple_health", ', "")
    (folder / "study.toml").write_text(text)
    store = open_store(find_home({"STEPWELL_HOME": str(folder)}))
    with closing(store.register):
        report = load(store, "apple_health", export("apple_health", tmp_path, "late"),
                      enrol_site="haifa")  # fmt: skip
    assert "apple_health is not among wearables.sources of study.toml" in str(report)


def test_what_was_not_read_is_no_file_of_the_report(store, tmp_path):
    place = export("takeout", tmp_path, "late")
    (place / "Takeout" / "archive_browser.html").write_text("x")
    assert str(load(store, "takeout", place)).startswith("takeout: 1 participant from 1 file\n")
    folder = export("garmin_fit", tmp_path, "late").parent
    (folder / "ride.fit").write_bytes(fit.fit(fit.file_id(fit.ACTIVITY)))
    assert str(load(store, "garmin_fit", folder)).startswith(
        "garmin_fit: 1 participant from 1 file\n"
    )


def test_the_help_of_import_says_what_each_source_reads():
    told = CliRunner().invoke(main, ["import", "--help"]).output
    assert {line.split()[0] for line in told.splitlines() if line.startswith("    ")} >= {
        *file_sources()
    }


# What is kept


def kept_in(store: Store) -> bytes:
    raw = [bytes(body) for name in file_sources() for _, body in store.lake.raw(name)]
    names = [str(path).encode() for path in store.home.path.rglob("*")]
    return b"\n".join([*raw, *names])


def test_a_table_is_kept_without_its_name_and_what_is_not_read(store, tmp_path):
    path = tmp_path / "Anna Miller.csv"
    path.write_text(
        f'participant_id,visit,nprs,remarks\n\n{PERSON},week_4,6,"Anna\nMiller called"\n'
    )
    report = load(store, "table_export", path, participant_id=None)
    assert "Anna Miller.csv: columns not read: remarks" in str(report)
    assert b"week_4,6" in kept_in(store)
    assert b"Anna" not in kept_in(store)


def test_a_workbook_is_kept_as_its_columns_and_not_with_its_author(store, tmp_path):
    book = openpyxl.Workbook()
    book.properties.creator = "Anna Miller"
    sheet = book.active
    sheet.append(["participant_id", "visit", "nprs", "remarks"])
    sheet.append([PERSON, "week_4", 6, "Anna"])
    book.save(tmp_path / "answers.xlsx")
    report = load(store, "table_export", tmp_path, participant_id=None)
    assert str(report).startswith("table_export: 1 participant from 1 file\nrows: 1")
    assert b"week_4,6" in kept_in(store)
    assert b"docProps" not in kept_in(store)  # where a workbook names its author


def test_a_response_is_kept_without_the_name_of_its_file(tmp_path):
    (tmp_path / "Anna_Miller.json").write_text(json.dumps(forms.response()))
    [reply] = fhir.SOURCE.fetch(tmp_path, forms.ask())
    assert (reply.name, "Anna" in reply.request) == ("Anna_Miller.json", False)


def test_a_large_table_of_an_id_with_a_slash(store, tmp_path, monkeypatch):
    monkeypatch.setattr(health_connect, "LARGE", 10)
    load(store, "health_connect", export("health_connect", tmp_path, "late"))
    assert steps_in(store)["health_connect", "2026-03-26"] == 12


def test_a_row_is_named_by_its_place_in_the_file_that_was_given(store, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(
        f'\nparticipant_id,visit,nprs,remarks\n{PERSON},week_4,6,"a\nb"\nP,week_99,6,\n'
    )
    with pytest.raises(BadInput, match=r"^t\.csv row 5: unknown visit"):
        load(store, "table_export", path, participant_id=None)
    assert store.lake.files("") == []


def test_an_export_of_redcap_is_kept_without_its_name(store, tmp_path):
    path = tmp_path / "AnnaMiller_DATA_2026-03-26_0915.csv"
    path.write_text("record_id,redcap_event_name\nP001,week_4_arm_1\n")
    ask = redcap.ask(sessions=None, goals=None, roster=None, instruments={})
    [reply] = redcap_export.SOURCE.fetch(path, ask)
    assert (reply.name, reply.request[12:]) == (path.name, "_DATA_2026-03-26_0915.csv")


def test_a_folder_or_a_broken_link_that_is_called_like_a_file(store, tmp_path):
    (tmp_path / "tables" / "roster.csv").mkdir(parents=True)
    with pytest.raises(BadInput, match="no tables in this folder"):
        load(store, "table_export", tmp_path / "tables", participant_id=None)
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "P-9.zip").symlink_to(tmp_path / "gone.zip")
    with pytest.raises(BadInput, match=r"P-9\.zip: cannot be read \(No such file or directory\)"):
        load(store, "apple_health", tmp_path / "people", participant_id=None, ids={"P-9": PERSON})


@pytest.mark.parametrize("source", ["takeout", "health_connect", "apple_health", "garmin_fit"])
def test_one_bad_export_of_many_names_whose_it_is_and_stores_nothing(store, tmp_path, source):
    folder = tmp_path / "people"
    EXPORTS[source](tmp_path / "one", (10, 3), True)
    folder.mkdir()
    (tmp_path / "one").rename(folder / "p-1")
    (folder / "p-2").mkdir()
    (folder / "p-2" / "export.zip").write_bytes(b"PK\x03\x04 damaged")
    before = store.register.rows(sa.select(reg.receipt))
    with pytest.raises(BadInput, match=r"^P-2[:/]"):
        load(store, source, folder, participant_id=None, ids={"p-1": PERSON, "p-2": "P-2"})
    assert store.lake.files("") == []
    assert store.register.rows(sa.select(reg.receipt)) == before
