"""Reading what was imported again, after a mistake in reading was mended."""

from datetime import UTC, date, datetime

import pytest
from support.studies import new_store
from support.takeout import NEW, OLD, STEPS_HEADER, csv, folder, steps_json

from dags.cli import REREAD
from ingestion.errors import BadInput
from ingestion.importing import file_sources, import_files
from ingestion.reread import reread
from warehouse import register as reg

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
SILENT = {"progress": lambda line: None}
WALK = {OLD + "steps-2026-03-20.json": steps_json(("03/20/26 08:00:00", 9))}
TWO_APPS = {NEW + "steps_2026-03-01.csv": csv(
    STEPS_HEADER, "2026-03-26T06:14:00Z,10,Inspire 3", "2026-03-26T06:14:00Z,12,Phone"
)}  # fmt: skip


@pytest.fixture
def store(tmp_path):
    opened = new_store(tmp_path / "study")
    row = {"participant_id": "P-014", "site": "haifa", "timezone": "Asia/Jerusalem",
           "enrolled_on": date(2026, 3, 1), "starts_on": date(2026, 3, 2), "batch": 0}  # fmt: skip
    opened.register.put(reg.participant, [row])
    yield opened
    opened.register.close()


def load(store, path, **changes):
    import_files(store, "takeout", path, now=NOW, participant_id="P-014", **SILENT, **changes)


def minutes_in(store):
    rows = [r for f in store.lake.day_files() for r in store.lake.read_days(f.path).to_pylist()]
    return [(str(r["day_start_at"]), r["step_minute"], r["step_count"]) for r in rows]


@pytest.mark.parametrize(
    ("files", "changes"),
    [
        (WALK, {"options": {"time": "utc"}}),
        (WALK, {"timezone": "America/New_York"}),
        (TWO_APPS, {"options": {"prefer": "Phone"}}),
    ],
)
def test_files_are_read_again_as_they_were_to_be_read(store, tmp_path, files, changes):
    place = folder(tmp_path / "a", files)
    load(store, place)  # first without: the last import is what counts
    without = minutes_in(store)
    load(store, place, **changes)
    told = minutes_in(store)
    assert told != without
    assert reread(store, "takeout", **SILENT).days_same == 1
    assert minutes_in(store) == told


def test_every_source_whose_files_can_be_read_again_is_offered():
    of_many_people = {"fitabase", "table_export", "redcap_export", "fhir"}
    assert (
        set(REREAD)
        == {"google_health", "fitbit", "redcap", "study_team"}
        | set(file_sources()) - of_many_people
    )


def test_files_of_many_people_are_to_be_imported_again(store, tmp_path):
    path = tmp_path / "Anna Miller.csv"
    path.write_text("participant_id,visit,nprs\nP-014,week_4,6\n")
    import_files(store, "table_export", path, now=NOW, **SILENT)
    with pytest.raises(BadInput, match="table_export: its files are of many people"):
        reread(store, "table_export", **SILENT)
