"""Apple Health exports as people hand them in: whose they are, what is refused, what is kept."""

import subprocess
import sys
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.apple import PROLOG, export_xml, export_zip, large_export, record
from support.house import ROOT
from support.studies import new_store

from ingestion.errors import BadInput
from ingestion.importing import import_files
from ingestion.landing import land_roster, read_raw
from ingestion.reread import reread
from warehouse import register as reg

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
WALK = record("steps", "2026-03-26 10:00:00", "2026-03-26 10:01:00", 50)
BOMB = """<?xml version="1.0"?>
<!DOCTYPE HealthData [
 <!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">
]>
"""


@pytest.fixture
def store(tmp_path):
    opened = new_store(tmp_path / "study")
    enrol(opened, "P-014", "P-014-2", "P-015")
    yield opened
    opened.register.close()


def enrol(store, *participants: str) -> None:
    on = date(2026, 3, 20)
    row = {"site": store.study.sites[0].code, "timezone": "Europe/Berlin", "enrolled_on": on,
           "starts_on": on}  # fmt: skip
    land_roster(store, [row | {"participant_id": one} for one in participants])


def load(store, path: Path, whose: str | None = "P-014", minute: int = 0, **options):
    now = NOW + timedelta(minutes=minute)
    options = {"progress": lambda _: None} | options
    return import_files(store, "apple_health", path, now=now, participant_id=whose, **options)


def landed(store) -> dict[tuple[str, date], int]:
    tables = [store.lake.read_days(file.path) for file in store.lake.day_files()]
    rows = [row for table in tables for row in table.to_pylist()]
    return {(row["participant_id"], row["activity_date"]): row["steps"] for row in rows}


def xml_at(path: Path, *records: str, **given) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(export_xml(*records, **given))
    return path


def everything_in(store) -> bytes:
    """All that the study's folder holds, raw replies unpacked."""
    found = [path.read_bytes() for path in store.home.path.rglob("*") if path.is_file()]
    for fetch in read_raw(store.lake, "apple_health"):
        for reply in fetch:
            with reply.open() as content:
                found += [content.read(), repr(reply).encode()]
    return b"".join(found)


@pytest.mark.parametrize(
    "name", ["export.xml", "Export.xml", "exportar.xml", "vienti.xml", "导出.xml"]
)
def test_an_export_zip_in_any_language_is_found_by_what_it_holds(store, tmp_path, name):
    report = load(store, export_zip(tmp_path / "export.zip", export_xml(WALK), name))
    assert landed(store) == {("P-014", date(2026, 3, 26)): 50}
    assert "steps: 1 received = 1 landed + 0 rejected" in str(report)
    [grant] = store.register.rows(sa.select(reg.grant))
    assert grant["landed_sync_at"] == datetime(2026, 3, 30, 10, tzinfo=UTC)
    receipts = store.register.rows(sa.select(reg.receipt))
    assert {(r["participant_id"], r["data_type"], r["received"]) for r in receipts} == {
        ("P-014", "steps", 1), ("P-014", "heart_rate", 0)}  # fmt: skip


def test_a_folder_holds_an_export_or_more_of_each_participant(store, tmp_path):
    export_zip(tmp_path / "P-014.zip", export_xml(WALK))
    folder = tmp_path / "all"
    folder.mkdir()
    (tmp_path / "P-014.zip").rename(folder / "P-014 (1).zip")
    xml_at(folder / "p-015/apple_health_export/export.xml", WALK.replace('"50"', '"60"'))
    xml_at(folder / "P-014-2.xml", WALK.replace('"50"', '"70"'))
    (folder / ".DS_Store").write_bytes(b"x")
    load(store, folder, whose=None)
    on = date(2026, 3, 26)
    assert landed(store) == {("P-014", on): 50, ("P-015", on): 60, ("P-014-2", on): 70}


def test_names_are_mapped_by_ids_and_never_become_participants(store, tmp_path):
    folder = xml_at(tmp_path / "all/Anna Miller.xml", WALK).parent
    with pytest.raises(BadInput, match=r"1 of 1 entries are nobody's"):
        load(store, folder, whose=None)
    with pytest.raises(BadInput, match="nobody's"):
        load(store, folder, whose=None, ids={"Berta": "P-015"})
    load(store, folder, whose=None, ids={"anna miller": "P-015"})
    assert landed(store) == {("P-015", date(2026, 3, 26)): 50}


def test_whose_it_is_must_be_said(store, tmp_path):
    path = xml_at(tmp_path / "export.xml", WALK)
    with pytest.raises(BadInput, match=r"whose export is it\? Say so with --participant"):
        load(store, path, whose=None)
    with pytest.raises(BadInput, match="P-999 is not on the roster"):
        load(store, path, whose="P-999")
    with pytest.raises(BadInput, match="no such file or folder"):
        load(store, tmp_path / "none.zip")


def test_the_later_export_wins_whichever_is_loaded_first(store, tmp_path):
    early = xml_at(tmp_path / "early.xml", WALK, exported="2026-03-26 11:00:00 +0200")
    late = xml_at(tmp_path / "late.xml", WALK.replace('"50"', '"55"'))
    other = new_store(tmp_path / "other")
    load(store, early), load(store, late, minute=1)
    enrol(other, "P-014")
    load(other, late), load(other, early, minute=1)
    assert landed(store) == landed(other) == {("P-014", date(2026, 3, 26)): 55}
    for one in (store, other):
        [grant] = one.register.rows(sa.select(reg.grant))
        assert grant["landed_sync_at"] == datetime(2026, 3, 30, 10, tzinfo=UTC)
    other.register.close()


def test_the_same_export_again_is_kept_once_and_changes_nothing(store, tmp_path):
    zipped = export_zip(tmp_path / "export.zip", export_xml(WALK))
    load(store, zipped)
    before = {file.path for file in store.lake.files("")}
    again = load(store, zipped, minute=1)
    assert (again.seen_before, again.landed.days_same, again.landed.days_changed) == (True, 1, 0)
    assert {file.path for file in store.lake.files("")} == before


def test_nothing_that_tells_the_person_is_kept(store, tmp_path):
    walk = record("steps", "2026-03-26 10:00:00", "2026-03-26 10:01:00", 50,
                  HKDeviceSerialNumber="SERIAL77")  # fmt: skip
    folder = tmp_path / "Anna"
    export_zip(tmp_path / "Anna Miller.zip", export_xml(walk))
    folder.mkdir()
    (tmp_path / "Anna Miller.zip").rename(folder / "Anna Miller.zip")
    load(store, folder)
    kept = everything_in(store)
    assert b"Apple Watch" in kept
    for name in ("Anna", "SERIAL77", "1965-07-31", "0x282a45810", "52.5 13.4", "Watch6,2"):
        assert name.encode() not in kept


def test_what_was_kept_is_read_again(store, tmp_path):
    load(store, xml_at(tmp_path / "export.xml", WALK))
    [file] = store.lake.day_files()
    (store.home.path / "lake" / file.path).unlink()
    result = reread(store, "apple_health", lambda _: None)
    assert result.days_new == 1
    assert landed(store) == {("P-014", date(2026, 3, 26)): 50}
    assert [one.path for one in store.lake.day_files()] == [file.path]


@pytest.mark.parametrize("root", ["HealthData", "lolz"])
def test_entities_are_refused_at_once(store, tmp_path, root):
    path = tmp_path / "export.xml"
    path.write_text(BOMB.replace("HealthData", root) + f"<{root} locale='x'>&c;</{root}>")
    with pytest.raises(BadInput, match=r"^P-014: export\.xml: it declares XML entities"):
        load(store, path)
    path.write_text(f'<!DOCTYPE {root} SYSTEM "file:///etc/passwd"><{root}> </{root}>')
    with pytest.raises(BadInput, match="an external document type"):
        load(store, path)
    assert store.lake.files("") == []


def test_entities_far_into_the_prolog_are_refused_too(store, tmp_path):
    prolog = PROLOG.replace("]>", f"<!--{'x' * 200_000}--><!ENTITY a 'b'>]>")
    path = xml_at(tmp_path / "export.xml", WALK, prolog=prolog)
    with pytest.raises(BadInput, match="it declares XML entities"):
        load(store, path)


def test_a_zip_bomb_is_refused_at_once(store, tmp_path):
    path = export_zip(tmp_path / "export.zip", export_xml(" " * 20_000_000))
    with pytest.raises(BadInput, match="as a zip bomb does: refused"):
        load(store, path)
    assert store.lake.files("") == []


def test_the_document_type_that_ios_16_writes_wrongly_is_no_hindrance(store, tmp_path):
    # github.com/jameno/Simple-Apple-Health-XML-to-CSV/issues/2: an ATTLIST without its end
    broken = PROLOG.replace("]>", "<!ATTLIST VisionPrescription\n  type CDATA #REQUIRED\n]>")
    load(store, xml_at(tmp_path / "export.xml", WALK, prolog=broken))
    assert landed(store) == {("P-014", date(2026, 3, 26)): 50}


def test_control_characters_are_read_as_blanks(store, tmp_path):
    # the same repository, pull request 3: U+000B in attributes
    load(store, xml_at(tmp_path / "export.xml", WALK.replace("Anna", "An\x0bna")))
    assert landed(store) == {("P-014", date(2026, 3, 26)): 50}


@pytest.mark.parametrize(
    ("spoilt", "line", "why"),
    [
        (WALK.replace("value=", 'unit="count" value='), 18, "duplicate attribute"),
        (WALK.replace("value=", "Health Mate App Version="), 18, "not well-formed"),
        (WALK.replace("Anna", "&amp &name;"), 18, "not well-formed"),
        (WALK.replace("Anna", "&name;"), 18, "undefined entity"),
        ("</HealthData><HealthData>", 18, "junk after document element"),
        (WALK.removesuffix("/>"), 19, "not well-formed"),
    ],
)
def test_malformed_xml_names_its_line(store, tmp_path, spoilt, line, why):
    with pytest.raises(
        BadInput, match=rf"^P-014: export\.xml: line {line} is not well-formed XML \(.*{why}"
    ):
        load(store, xml_at(tmp_path / "export.xml", WALK, spoilt))
    assert store.lake.files("") == []


@pytest.mark.parametrize("cut", [20, 200])
def test_an_export_that_is_cut_short_is_refused(store, tmp_path, cut):
    path = xml_at(tmp_path / "export.xml", WALK, WALK)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(
        BadInput, match=r"^P-014: export\.xml: line \d+ is not well-formed XML \(it is cut short"
    ):
        load(store, path)


def test_what_is_no_export_is_refused(store, tmp_path):
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as file:
        file.writestr("a.xml", "<ClinicalDocument/>")
        file.writestr("b.jpg", "x")
    (tmp_path / "note.xml").write_text("not <xml")
    for name in ("photos.zip", "note.xml"):
        with pytest.raises(BadInput, match="P-014: no Apple Health export; needed is"):
            load(store, tmp_path / name)


IMPORT = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from support.studies import new_store
from ingestion.importing import import_files
store = new_store(Path(sys.argv[2]))
import_files(store, "apple_health", Path(sys.argv[1]), now=datetime(2026, 4, 1, tzinfo=UTC),
             timezone="UTC", participant_id="P-014", enrol_site=store.study.sites[0].code)
status = Path("/proc/self/status").read_text()  # ru_maxrss would be the parent's, if larger
print("peak", int(status.partition("VmHWM:")[2].split()[0]) // 1024)
"""


def imported_apart(export: Path, study: Path) -> tuple[int, list[str]]:
    """Import in a process of its own: its peak of memory in MiB, and what it said."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, str(export), str(study)],
        cwd=ROOT, env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PATH": ""},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    *said, peak = done.stdout.splitlines()
    return int(peak.removeprefix("peak ")), said


def is_equal(study: Path, truth: dict[date, int]) -> bool:
    store = new_store(study)
    try:
        return landed(store) == {("P-014", day): count for day, count in truth.items()}
    finally:
        store.register.close()


def test_a_large_export_lands_to_the_step_with_progress(tmp_path):
    truth = large_export(tmp_path / "export.zip", 60 << 20)
    peak, said = imported_apart(tmp_path / "export.zip", tmp_path / "one")
    assert is_equal(tmp_path / "one", truth)
    assert peak < 300
    assert "P-014: export.zip/apple_health_export/export.xml: 50 % of 60 MB read" in said


@pytest.mark.slow
def test_an_export_of_a_gigabyte_stays_within_300_mib(tmp_path):
    truth = large_export(tmp_path / "export.zip", 1 << 30)
    peak, _ = imported_apart(tmp_path / "export.zip", tmp_path / "one")
    assert is_equal(tmp_path / "one", truth)
    assert peak < 300
