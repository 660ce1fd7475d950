"""What an import says of itself: holes, refusals and what to do, in true and plain words."""

import hashlib
import json
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from support import fhir as forms
from support import fit
from support.fitabase import WIDE_HEADER, wide_day, write
from support.studies import new_store

from dags.cli import main
from ingestion import clock
from ingestion.errors import BadInput
from ingestion.importing import file_sources, import_files, read_ids
from ingestion.sources import (
    _fhir_mapping,
    _redcap_mapping,
    _table_mapping,
    fhir,
    redcap_export,
    table_export,
)
from warehouse import register as reg
from warehouse.home import Store
from warehouse.study import EXAMPLE

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
ROSTER = "participant_id,site,enrolled_on,starts_on\n"
FHIR = f"""
[sources.fhir.questionnaires."{forms.PAIN}"]
instrument = "NPRS"
items = {{ "pain_now" = "1" }}
"""


@pytest.fixture
def store(tmp_path: Path):
    opened = new_store(tmp_path / "study")
    yield opened
    opened.register.close()


def load(store: Store, source: str, path: Path, minute: int = 0, **options):
    now = NOW + timedelta(minutes=minute)
    return import_files(store, source, path, now=now, **({"progress": lambda _: None} | options))


def lines_of(report) -> list[str]:
    return str(report).splitlines()


def fitabase_of(folder: Path, *days: str) -> Path:
    rows = [line for day in days for line in wide_day("7", day, {"08:00": 10})]
    return write(folder, minuteStepsWide=[WIDE_HEADER, *rows])


def zones(store: Store) -> list[tuple[str | None, datetime]]:
    tables = [store.lake.read_days(file.path) for file in store.lake.day_files()]
    return [(r["timezone"], r["day_start_at"]) for table in tables for r in table.to_pylist()]


def test_a_zone_given_later_places_the_days_that_were_utc_days(tmp_path, store):
    folder = fitabase_of(tmp_path / "x", "1/9/2026")
    load(store, "fitabase", folder)
    utc, winter = datetime(2026, 1, 9, tzinfo=UTC), datetime(2026, 1, 8, 22, tzinfo=UTC)
    assert zones(store) == [(None, utc)]
    assert load(store, "fitabase", folder, 1, enrol_site="haifa").landed.days_changed == 1
    assert zones(store) == [("Asia/Jerusalem", winter)]
    load(store, "fitabase", folder, 2, timezone="Europe/London")
    assert zones(store) == [("Europe/London", utc)]


def test_days_missing_within_an_export_are_said(tmp_path, store):
    report = load(store, "fitabase", fitabase_of(tmp_path / "x", "3/1/2026", "3/4/2026"))
    assert (
        "nothing in the export between first and last day: 2 days of 1 participant; such a day "
        "counts as not worn unless another export has it"
    ) in lines_of(report)
    whole = load(store, "fitabase", fitabase_of(tmp_path / "y", "3/1/2026", "3/2/2026"))
    assert "nothing in the export" not in str(whole)


def test_who_cannot_be_enrolled_is_told_why_and_what_to_do(tmp_path, store):
    rows = wide_day("7", "3/9/2026", {"08:00": 5}, range(9))
    folder = write(tmp_path / "x", minuteStepsWide=[WIDE_HEADER, *rows])
    report = load(store, "fitabase", folder, enrol_site="haifa")
    assert report.enrolled == 0
    assert (
        "not enrolled at haifa: 1 participant without a full day in the export; put them on the "
        "roster, and their days count"
    ) in lines_of(report)
    help_of_import = CliRunner().invoke(main, ["import", "--help"]).output
    assert "first full day" in " ".join(help_of_import.split())


def test_participant_is_refused_where_the_files_say_whose_they_are(tmp_path, store):
    folder = fitabase_of(tmp_path / "x", "3/1/2026")
    with pytest.raises(BadInput, match=r"^fitabase: its files say whose each row is; leave out "
                                       r"--participant"):  # fmt: skip
        load(store, "fitabase", folder, participant_id="P-1", enrol_site="haifa")
    assert store.lake.files("") == []


def test_the_same_bytes_again_leave_one_receipt_and_one_rejection_with_its_reply(tmp_path, store):
    folder = fitabase_of(tmp_path / "x", "3/1/2026")
    write(folder, dailySteps=["Id,ActivityDay,StepTotal", "7,3/1/2026,10"])
    for minute in (0, 1):
        load(store, "fitabase", folder, minute)
    receipts = store.register.rows(sa.select(reg.receipt))
    [rejection] = store.register.rows(sa.select(reg.rejection))
    assert sorted(row["data_type"] for row in receipts) == ["daily_steps", "minute_steps"]
    assert (rejection["reason"], rejection["asked_at"]) == ("unfinished_day", NOW)
    [daily] = [one for _, body in store.lake.raw("fitabase")
               for one in [bytes(body)] if rejection["raw_sha256"].encode() in one]  # fmt: skip
    assert b"StepTotal" in daily


def test_a_refusal_that_is_none_any_more_goes_from_the_record_of_that_import(tmp_path, store):
    path = tmp_path / "steps.csv"
    path.write_text(
        "startTime,endTime,count,dataOrigin\n"
        "2026-03-26T08:00:00Z,2026-03-26T08:02:00Z,20,com.fitbit.FitbitMobile\n"
        "2026-03-26T08:00:00Z,2026-03-26T08:03:00Z,30,org.example.steps\n"
    )
    whose = {"participant_id": "P-1", "enrol_site": "haifa"}
    load(store, "health_connect", path, options={"prefer": "org.example.steps"}, **whose)
    [refused] = store.register.rows(sa.select(reg.rejection))
    assert (refused["reason"], len(refused["raw_sha256"])) == ("counted_by_another_source", 64)
    load(store, "health_connect", path, 1, **whose)
    assert store.register.rows(sa.select(reg.rejection)) == []
    [receipt] = store.register.rows(sa.select(reg.receipt))
    assert (receipt["received"], receipt["landed"], receipt["rejected"]) == (2, 2, 0)


def test_a_refusal_names_the_one_of_several_files_that_holds_it(tmp_path, store):
    folder = fitabase_of(tmp_path / "x", "3/1/2026")
    write(folder, a_minuteStepsWide=[WIDE_HEADER, *wide_day("8", "3/1/2026", {"08:00": 1})])
    write(folder, a_dailySteps=["Id,ActivityDay,StepTotal", "8,3/1/2026,1"])
    write(folder, b_dailySteps=["Id,ActivityDay,StepTotal", "7,3/1/2026,10"])
    load(store, "fitabase", folder)
    held = {row["participant_id"]: row["raw_sha256"]
            for row in store.register.rows(sa.select(reg.rejection))}  # fmt: skip
    files = {"F7": "b_dailySteps.csv", "F8": "a_dailySteps.csv"}
    assert held == {
        one: hashlib.sha256((folder / name).read_bytes()).hexdigest() for one, name in files.items()
    }


def test_a_wrong_header_of_ids_names_the_columns_as_the_docs_do(tmp_path):
    path = tmp_path / "ids.csv"
    path.write_text("file,person\n7,P-1\n")
    with pytest.raises(BadInput, match=r"no column id, participant_id in its header"):
        read_ids(path)


def test_ids_of_nobody_on_the_roster_are_named(tmp_path, store):
    folder = fitabase_of(tmp_path / "x", "3/1/2026")
    report = load(store, "fitabase", folder, ids={"7": "P777"})
    assert "--ids names 1 participant who is not on the roster: P777" in lines_of(report)


def test_one_is_one_and_rows_are_no_days(tmp_path, store):
    said: list[str] = []
    folder = fitabase_of(tmp_path / "x", "3/1/2026")
    report = load(store, "fitabase", folder, progress=said.append)
    assert said[-1] == "landing 1 day ..."
    assert lines_of(report)[0] == "fitabase: 1 participant from 1 file"
    assert "enrolled:" not in str(report)
    roster = tmp_path / "roster.csv"
    roster.write_text(
        "participant_id,site,enrolled_on,starts_on\nP-1,haifa,2026-03-01,2026-03-02\n"
    )
    load(store, "table_export", roster, progress=said.append)
    assert said[-1] == "landing 1 row ..."


def test_a_folder_below_that_holds_the_export_is_named(tmp_path, store):
    fitabase_of(tmp_path / "x" / "export2", "3/1/2026")
    with pytest.raises(BadInput, match=r"its folder export2 has one: give that"):
        load(store, "fitabase", tmp_path / "x")


def test_a_damaged_file_of_one_person_is_named(tmp_path, store):
    files = {"apple_health": "export.zip", "garmin_fit": "a.zip", "health_connect": "hc.zip",
             "takeout": "takeout-1-001.zip"}  # fmt: skip
    for source, name in files.items():
        path = tmp_path / name
        path.write_bytes(b"PK\x03\x04 damaged")
        with pytest.raises(BadInput, match=rf"^P-031: {name}: not a zip file"):
            load(store, source, path, participant_id="P-031", enrol_site="haifa")
    garmin = tmp_path / "b.fit"
    garmin.write_bytes(fit.fit(fit.file_id())[:20])
    with pytest.raises(BadInput, match=r"^P-031: b\.fit: "):
        load(store, "garmin_fit", garmin, participant_id="P-031", enrol_site="haifa")
    bad = tmp_path / "export.xml"
    bad.write_text('<?xml version="1.0"?><!DOCTYPE HealthData [<!ENTITY a "b">]><HealthData/>')
    with pytest.raises(BadInput, match=r"^P-031: export\.xml: "):
        load(store, "apple_health", bad, participant_id="P-031", enrol_site="haifa")


# Nothing landed


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "study.toml").write_text(EXAMPLE.read_text() + FHIR)
    monkeypatch.setenv("STEPWELL_HOME", str(folder))
    return folder


def test_an_import_that_lands_nothing_says_so_and_where_and_fails(tmp_path, home):
    path = tmp_path / "responses.json"
    coded = forms.item("pain_now", valueCoding={"code": "bad"})
    told = [forms.response(questionnaire=None), forms.response(id="r2")]
    path.write_text(json.dumps(forms.bundle(*told)))
    roster = tmp_path / "roster.csv"
    roster.write_text(f"{ROSTER}P015,haifa,2026-03-01,2026-03-02\n")
    assert CliRunner().invoke(main, ["import", "table_export", str(roster)]).exit_code == 0
    done = CliRunner().invoke(main, ["import", "fhir", str(path)])
    assert done.exit_code == 3
    assert done.output.splitlines()[-1] == (
        "nothing landed: 2 of 2 received were refused (1 no_questionnaire, 1 unknown_subject)"
    )
    assert "no_questionnaire: responses.json response 1" in done.output
    assert "unknown_subject: responses.json response 2" in done.output
    path.write_text(json.dumps(forms.bundle(forms.response(coded))))
    reading = forms.read_path(path, forms.ask())
    assert reading.notes == ["no_value_of_code: responses.json response 1, linkId pain_now"]
    path.write_text(json.dumps(forms.bundle(*[forms.response(questionnaire=None)] * 5)))
    assert forms.read_path(path, forms.ask()).notes == [
        "no_questionnaire: responses.json response 1, responses.json response 2, "
        "responses.json response 3 and 2 more"
    ]


# Stopped by hand


def stop() -> datetime:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["import", "fitabase", "."], "stepwell: stopped; nothing was stored"),
        (["build"], "stepwell: stopped; the last build stays; run it again"),
    ],
)
def test_ctrl_c_says_what_stays(home, monkeypatch, asked, said):
    monkeypatch.setattr(clock, "now", stop)
    done = CliRunner().invoke(main, asked)
    assert (done.exit_code, done.output.strip()) == (130, said)


def test_ctrl_c_while_landing_says_that_part_may_be_stored(tmp_path, store):
    def listen(line: str) -> None:
        if line.startswith("landing"):
            raise KeyboardInterrupt

    folder = fitabase_of(tmp_path / "x", "3/1/2026")
    with pytest.raises(KeyboardInterrupt, match="part of it may be stored; import it again"):
        load(store, "fitabase", folder, progress=listen)
    assert load(store, "fitabase", folder).landed.days_new == 1


# What the documentation says of each source


@pytest.mark.parametrize(
    ("source", "settings"),
    [(fhir, _fhir_mapping.Mapping), (fhir, _fhir_mapping.Questionnaire),
     (table_export, _table_mapping.Mapping), (table_export, _redcap_mapping.Instrument),
     (redcap_export, _redcap_mapping.Mapping)],
)  # fmt: skip
def test_every_setting_of_a_source_is_in_its_own_words(source, settings):
    words = source.__doc__
    assert [name for name in settings.model_fields if name not in words] == []


def test_no_source_of_files_points_to_what_no_reader_of_the_docs_can_see():
    modules = [sys.modules[type(one).__module__] for one in file_sources().values()]
    private = re.compile(r"see _|`_|`one_format`|\(ingestion\.|: ingestion\.")
    assert [one.__name__ for one in modules if private.search(one.__doc__ or "")] == []
