"""Where the files of a Takeout lie: folders, zips, split zips, one entry a participant."""

import json
import zipfile

import pytest
from support.takeout import (
    NEW,
    OLD,
    STEPS_HEADER,
    ask,
    csv,
    folder,
    read,
    steps_json,
    steps_of,
    zipped,
)

from ingestion.errors import BadInput
from ingestion.sources._takeout_files import kind_of, listed, not_read, period_of
from ingestion.sources.takeout import SOURCE

MARCH = {NEW + "steps_2026-03-01.csv": csv(STEPS_HEADER, "2026-03-26T06:14:00Z,97,Inspire 3")}
APRIL = {NEW + "steps_2026-04-01.csv": csv(STEPS_HEADER, "2026-04-02T06:14:00Z,8,Inspire 3")}
BOTH = {"2026-03-26": {494: 97}, "2026-04-02": {554: 8}}


def one_person(path):
    return steps_of(read(path))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("steps-2026-03-26.json", ("minute_steps", False)),
        ("steps_2026-03-01.csv", ("minute_steps", True)),
        ("Steps_2026-03-01(1).CSV", ("minute_steps", True)),
        ("heart_rate-2026-03-26.json", ("heart_rate", False)),
        ("heart_rate_2026-03-01.csv", ("heart_rate", True)),
        ("daily_resting_heart_rate.csv", None),
        ("time_in_heart_rate_zones-2026-03-26.json", None),
        ("UserActivityProbabilities_2026-03-01.csv", None),
        ("sedentary_minutes-2026-03-01.json", None),
        ("steps-2026-03-26.json.bak", None),
    ],
)
def test_files_are_known_by_name(name, kind):
    assert kind_of(name) == kind


def test_where_a_period_begins():
    assert period_of("steps_2026-03-01.csv") == 1_772_323_200  # 2026-03-01T00:00:00Z
    assert period_of("steps_2026-13-41.csv") == 0


def test_a_folder_a_zip_and_a_split_zip_are_the_same(tmp_path):
    stem = "takeout-20260403T081400Z"
    zipped(tmp_path / f"{stem}-001.zip", MARCH)
    zipped(tmp_path / f"{stem}-002.zip", APRIL)
    assert one_person(folder(tmp_path / "folder", MARCH | APRIL)) == BOTH
    assert one_person(zipped(tmp_path / "whole" / "mine.zip", MARCH | APRIL)) == BOTH
    assert one_person(tmp_path / f"{stem}-001.zip") == BOTH
    asked = ask()
    replies = list(SOURCE.fetch(tmp_path / f"{stem}-002.zip", asked))
    assert [reply.request for reply in replies] == [
        "P-014/1/steps_2026-03-01.csv",
        "P-014/1/steps_2026-04-01.csv",
    ]
    reading = SOURCE.read(replies, asked)
    assert len({day.fetched_at for day in reading.days}) == 1  # one export: it reaches 2 April


def test_a_missing_part_is_named(tmp_path):
    zipped(tmp_path / "takeout-20260403T081400Z-001.zip", MARCH)
    zipped(tmp_path / "takeout-20260403T081400Z-003.zip", APRIL)
    with pytest.raises(BadInput, match="part 002 of this export is not beside it"):
        one_person(tmp_path)


def test_two_exports_in_one_folder_stay_apart(tmp_path):
    zipped(tmp_path / "takeout-20260327T081400Z-001.zip", MARCH)
    zipped(tmp_path / "takeout-20260403T081400Z-001.zip", MARCH | APRIL)
    reading = read(tmp_path)
    assert steps_of(reading) == BOTH
    assert reading.counts["minute_steps"].rejections == {"replaced_by_a_later_export": 1}


def test_parts_unpacked_side_by_side_are_one_export(tmp_path):
    folder(tmp_path / "takeout-20260403T081400Z-001", MARCH)
    folder(tmp_path / "takeout-20260403T081400Z-002", APRIL)
    reading = read(tmp_path)
    assert len({day.fetched_at for day in reading.days}) == 1


@pytest.mark.parametrize("options", [{"participants": ("P-014", "P-015")}, {
    "ids": {"kim": "P-014", "P-015": "P-015"}}])  # fmt: skip
def test_a_folder_with_an_entry_for_each_participant(tmp_path, options):
    first = "kim" if "ids" in options else "P-014"
    folder(tmp_path / first, MARCH)
    zipped(tmp_path / "P-015-takeout-001.zip", APRIL)
    zipped(tmp_path / "P-015-takeout-002.zip", MARCH)
    reading = read(tmp_path, ask(participant_id=None, **options))
    assert {(day.participant_id, str(day.activity_date)) for day in reading.days} == {
        ("P-014", "2026-03-26"),
        ("P-015", "2026-03-26"),
        ("P-015", "2026-04-02"),
    }


def test_what_is_not_read_is_listed_and_not_kept(tmp_path):
    other = {
        "Takeout/Fitbit/Your Profile/Profile.csv": "full name,Kim Doe\n",
        "Takeout/Fitbit/Sleep/sleep-2026-03-01.json": "[]",
        "Takeout/Fitbit/Sleep/sleep-2026-04-01.json": "[]",
        "Takeout/Fitbit/UserActivityProbabilities_2026-03-01.csv": "x",
    }
    asked = ask()
    replies = list(SOURCE.fetch(folder(tmp_path, MARCH | other), asked))
    assert not any(b"Kim" in reply.body for reply in replies)
    assert SOURCE.read(replies, asked).notes == [
        "P-014: not read: Profile.csv (1), UserActivityProbabilities_#.csv (1), sleep-#.json (2)"
    ]


def test_a_long_listing_is_cut():
    body = not_read([f"{letter}.json" for letter in "abcdefghijklmno"])
    assert len(json.loads(body)) == 15
    assert listed(body).endswith("l.json (1) and 3 other kinds")


def test_a_large_file_stays_on_disk(tmp_path):
    points = [(f"03/{day:02}/26 {minute // 60:02}:{minute % 60:02}:00", "1")
              for day in range(1, 25) for minute in range(1440)]  # fmt: skip
    files = {OLD + "steps-2026-03-01.json": steps_json(*points)}
    (tmp_path / "scratch").mkdir()
    asked = ask(scratch=tmp_path / "scratch")
    for path in (folder(tmp_path / "a", files), zipped(tmp_path / "b.zip", files)):
        [reply] = SOURCE.fetch(path, asked)
        assert reply.body == b""
        assert reply.file is not None
        assert reply.file.is_relative_to(tmp_path / ("a" if path.is_dir() else "scratch"))
        days = SOURCE.read([reply], asked).days
        assert [day.step_count.sum() for day in days] == [1440] * 24


def test_no_steps_at_all_is_refused(tmp_path):
    with pytest.raises(BadInput, match="P-014: no Takeout of steps among 1 files; needed are"):
        one_person(folder(tmp_path, {"Takeout/Fitbit/Sleep/sleep-2026-03-01.json": "[]"}))


def test_a_tar_file_is_refused(tmp_path):
    (tmp_path / "takeout.tgz").write_bytes(b"x")
    with pytest.raises(BadInput, match="tar files are not read"):
        one_person(tmp_path)


def test_a_zip_that_leads_out_of_itself_is_refused(tmp_path):
    with pytest.raises(BadInput, match="leads out of the archive"):
        one_person(zipped(tmp_path / "x.zip", {"../steps_2026-03-01.csv": "x"}))


def test_a_zip_bomb_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(OLD + "steps-2026-03-01.json", b"0" * 30_000_000)
    with pytest.raises(BadInput, match="zip bomb"):
        one_person(tmp_path / "x.zip")


def test_an_id_that_ends_in_a_number_is_no_part(tmp_path):
    for number in (1, 13, 14):
        zipped(tmp_path / f"P-{number:03}.zip", MARCH if number == 14 else APRIL)
    assert one_person(tmp_path / "P-014.zip") == {"2026-03-26": {494: 97}}
    zipped(tmp_path / "x" / "kim-014.zip", MARCH)
    zipped(tmp_path / "x" / "kim-001.zip", APRIL)
    assert one_person(tmp_path / "x" / "kim-014.zip") == {"2026-03-26": {494: 97}}


def test_parts_named_by_the_participant_alone_are_one_export(tmp_path):
    zipped(tmp_path / "P-014-001.zip", MARCH)
    zipped(tmp_path / "P-014-002.zip", APRIL)
    reading = read(tmp_path, ask(participant_id=None, participants=("P-014",)))
    assert steps_of(reading) == BOTH
    assert len({day.fetched_at for day in reading.days}) == 1


def test_folders_above_the_path_are_nothing(tmp_path):
    """A study that keeps its exports in a folder Takeout, and the vendor's own folder itself."""
    above = tmp_path / "Takeout"
    folder(above / "a", MARCH)
    folder(above / "b", MARCH | APRIL)
    assert len({day.fetched_at for day in read(above).days}) == 1
    assert read(above).counts["minute_steps"].rejections == {"replaced_by_a_later_export": 1}
    old = {OLD + "steps-2026-04-01.json": steps_json(("03/26/26 08:14:00", 1))}
    folder(tmp_path / "c", MARCH | old)
    inner = read(tmp_path / "c" / "Takeout")
    assert inner.counts["minute_steps"].rejections == {"counted_from_the_other_format": 1}
