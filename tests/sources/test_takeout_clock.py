"""Which clock old JSON was written by: set, told by the CSV of the same days, or assumed."""

import pytest
from support.takeout import NEW, OLD, STEPS_HEADER, ask, csv, folder, read, steps_json, steps_of

from ingestion.errors import BadInput

# Steps at these UTC minutes of 10 March 2026, when Jerusalem's clock was 2 hours ahead.
WALK = {"06:14": 97, "06:15": 61, "06:40": 33, "09:05": 120, "09:06": 118, "15:31": 44}
BEFORE = ("03/01/26 08:00:00", 20)  # a day that has JSON only


def shown(hours: int, changed: int = 0) -> list[tuple[str, int]]:
    """The walk on a clock so many hours ahead of UTC."""
    points = [
        (f"03/10/26 {int(at[:2]) + hours:02}:{at[3:]}:00", steps) for at, steps in WALK.items()
    ]
    return [BEFORE, *((at, steps + changed) for at, steps in points)]


def takeout(tmp_path, points, steps=WALK):
    lines = [f"2026-03-10T{at}:00Z,{count},Inspire 3" for at, count in steps.items()]
    return folder(
        tmp_path,
        {
            OLD + "steps-2026-03-01.json": steps_json(*points),
            NEW + "steps_2026-03-01.csv": csv(STEPS_HEADER, *lines),
        },
    )


def first_of_march(reading) -> dict[int, int]:
    return steps_of(reading)["2026-03-01"]


def test_local_time_is_detected(tmp_path):
    reading = read(takeout(tmp_path, shown(2)))
    assert first_of_march(reading) == {480: 20}
    [note] = [one for one in reading.notes if "JSON" in one]
    assert note == (
        "P-014: times of JSON files are read as local time, detected: 100% of the steps lie in the "
        "CSV's minutes, 0% as utc, over 1 days"
    )


def test_utc_is_detected_though_some_minutes_were_restated(tmp_path):
    reading = read(takeout(tmp_path, shown(0, changed=3)))
    assert first_of_march(reading) == {600: 20}
    [note] = [one for one in reading.notes if "JSON" in one]
    assert "read as utc time, detected: 96%" in note  # 473 of 491 steps


@pytest.mark.parametrize(
    ("hours", "steps", "why"),
    [
        (2, {"06:14": 97, "06:15": 61}, "not decisive: 33% of the steps"),
        (5, WALK, "not decisive: 0% of the steps"),
        (2, {"06:14": 97} | {f"08:{m}": 97 for m in (14, 15)}, "not decisive"),
    ],
)
def test_what_is_not_decisive_is_assumed_and_said(tmp_path, hours, steps, why):
    reading = read(takeout(tmp_path, shown(hours), steps))
    assert first_of_march(reading) == {480: 20}
    [note] = [one for one in reading.notes if "ASSUMED" in one]
    assert why in note
    assert "--set time=utc" in note


def test_without_csv_of_the_same_days_local_time_is_assumed(tmp_path):
    reading = read(folder(tmp_path, {OLD + "steps-2026-03-01.json": steps_json(BEFORE)}))
    assert first_of_march(reading) == {480: 20}
    assert reading.notes == [
        "P-014: times of JSON files are ASSUMED to be local time (no CSV of the same days tells); "
        "--set time=utc reads them as UTC"
    ]


def test_where_local_time_is_utc_nothing_can_be_told(tmp_path):
    reading = read(takeout(tmp_path, shown(0)), ask("Europe/London"))
    assert any("ASSUMED" in note for note in reading.notes)


@pytest.mark.parametrize(("time", "minute"), [("utc", 600), ("local", 480)])
def test_a_setting_goes_before_what_is_detected(tmp_path, time, minute):
    reading = read(takeout(tmp_path, shown(2)), ask(options={"time": time}))
    assert first_of_march(reading) == {minute: 20}
    assert f"read as {time} time, as was set" in " ".join(reading.notes)


def test_an_unknown_setting_is_refused(tmp_path):
    with pytest.raises(
        BadInput, match="time='UTC\\+2' is not known; it is one of detect, utc, local"
    ):
        read(takeout(tmp_path, shown(2)), ask(options={"time": "UTC+2"}))


def test_a_surer_reading_of_the_same_export_is_the_newer_word(tmp_path):
    """So that importing again with the right setting mends what was assumed."""
    place = folder(tmp_path, {OLD + "steps-2026-03-01.json": steps_json(BEFORE)})
    assumed, given = (
        read(place, ask(options=options)).days[0].fetched_at for options in ({}, {"time": "utc"})
    )
    assert assumed < given
