"""One day opened to its minutes: from the lake, for whom the viewer may see, and nobody else."""

from __future__ import annotations

import shutil
from contextlib import closing
from datetime import UTC, date, datetime

import pytest
from support import landed_minutes
from support.landed_minutes import ON, minutes, put
from support.pages import chart, opened, text, use
from support.published import write_study
from support.published_story import story_study

from dashboard.queries import minutes as queries
from dashboard.queries.asking import ask
from warehouse.day_minutes import OutOfReach, find_day
from warehouse.publish import connect
from warehouse.register import Register

MINUTES = "Bars of steps in each minute"
PACES = (100, 130)


@pytest.fixture
def home(tmp_path):
    """A study with one landed day of P001 and P002."""
    story_study(tmp_path)
    return tmp_path


@pytest.fixture
def lake(tmp_path):
    """A register with P001, and an empty lake beside it."""
    write_study(tmp_path)
    landed_minutes.enrol(tmp_path, "P001")
    (tmp_path / "lake").mkdir()
    return tmp_path


def found(home, participant="P001", on=ON, source="google_health", row_hash=landed_minutes.HASH):
    with closing(Register(f"sqlite:///{home}/register.sqlite")) as register:
        return find_day(str(home / "lake"), register, participant, source, on, row_hash)


# The day in the lake


def test_the_day_is_found_in_its_dates_file(lake):
    put(lake, minutes("P000"), minutes(), minutes("P002"))
    assert found(lake)["step_count"] == [40, 110, 140]
    assert found(lake)["participant_id"] == "P001"


def test_the_day_is_found_in_its_months_file_and_among_the_imports(lake):
    put(lake, minutes(), month=True)
    assert found(lake)["step_count"] == [40, 110, 140]
    shutil.rmtree(lake / "lake")
    put(lake, minutes(step_count=[1, 2, 3]), bucket="import")
    assert found(lake)["step_count"] == [1, 2, 3]


def test_the_facts_of_the_build_are_preferred_to_newer_ones(lake):
    newer = {"row_hash": "newer", "fetched_at": datetime(2026, 2, 20, tzinfo=UTC)}
    put(lake, minutes(step_count=[9, 9, 9], **newer))
    put(lake, minutes(), month=True)
    assert found(lake)["step_count"] == [40, 110, 140]
    assert found(lake, row_hash="gone")["step_count"] == [9, 9, 9]


@pytest.mark.parametrize(
    "other",
    [{"participant": "P009"}, {"on": date(2026, 2, 9)}, {"source": "fitbit"}],
)
def test_what_the_lake_has_not_is_none(lake, other):
    put(lake, minutes())
    assert found(lake, **other) is None


def test_a_lake_that_is_not_there_is_out_of_reach_and_is_not_made(lake):
    shutil.rmtree(lake / "lake")
    with pytest.raises(OutOfReach):
        found(lake)
    assert not (lake / "lake").exists()


def test_a_file_that_is_no_parquet_is_out_of_reach(lake):
    put(lake, minutes())
    for file in (lake / "lake").rglob("*.parquet"):
        file.write_bytes(b"not parquet")
    with pytest.raises(OutOfReach):
        found(lake)


# The minutes as they are drawn


def read(lake, zone="Asia/Jerusalem", **more):
    put(lake, minutes(**more))
    with closing(connect()) as con, closing(
        Register(f"sqlite:///{lake}/register.sqlite")
    ) as register:  # fmt: skip
        day = ask(
            con,
            "SELECT DATE '2026-02-10' AS activity_date, 'google_health' AS source, "
            "$hash AS row_hash",
            {"hash": landed_minutes.HASH},
        )
        return queries.read(str(lake / "lake"), register, "P001", day, zone, PACES)


def test_each_minute_has_its_clock_and_pace(lake):
    told = read(lake)
    assert told.steps.to_pylist() == [
        {"minute": 480, "after": 481, "clock": "08:00", "steps": 40, "pace": "light"},
        {"minute": 481, "after": 482, "clock": "08:01", "steps": 110, "pace": "moderate"},
        {"minute": 1110, "after": 1111, "clock": "18:30", "steps": 140, "pace": "vigorous"},
    ]
    assert told.wear.to_pylist() == [{"first": 420, "after": 1200}]
    assert not told.changed


def test_the_clock_of_an_ordinary_day_has_every_third_hour(lake):
    assert read(lake).ticks == {
        0: "00:00", 180: "03:00", 360: "06:00", 540: "09:00", 720: "12:00",
        900: "15:00", 1080: "18:00", 1260: "21:00", 1440: "00:00",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("start", "length", "noon"),
    [
        # London goes from 01:00 to 02:00 on 29 March 2026, and from 02:00 to 01:00 on 25 October.
        (datetime(2026, 3, 29, 0, tzinfo=UTC), 1380, 660),
        (datetime(2026, 10, 24, 23, tzinfo=UTC), 1500, 780),
    ],
)
def test_a_day_on_which_the_clocks_change_keeps_its_own_clock(lake, start, length, noon):
    told = read(lake, day_start_at=start, day_minutes=length, timezone="Europe/London")
    assert {minute for minute, clock in told.ticks.items() if clock == "12:00"} == {noon}
    assert told.length == length
    assert list(told.ticks.values())[-1] == "00:00"


def test_a_day_without_a_zone_of_its_own_has_the_participants(lake):
    assert read(lake, timezone=None, zone="Europe/London").steps["clock"][0].as_py() == "06:00"


def test_a_day_that_is_worn_without_a_step_has_no_bars(lake):
    told = read(lake, step_minute=[], step_count=[])
    assert len(told.steps) == 0
    assert len(told.wear) == 1


# The page


def test_a_day_of_the_address_is_opened_to_its_minutes(home, monkeypatch):
    use(monkeypatch, home)
    at = opened("participant", participant="P001", day="2026-02-10")
    said = text(at).replace("\u202f", " ")
    assert (
        "10 Feb 2026, study day 9: Valid day. 5 100 steps, worn 900 minutes, 12 moderate and "
        "5 vigorous."
    ) in said
    assert "by the participant's clock (Asia/Jerusalem)" in said
    _, data = chart(at, MINUTES)
    assert [row["steps"] for row in data["steps"]] == [40, 110, 140]
    assert "changed since the build" not in said


def test_minutes_newer_than_the_build_say_so(home, monkeypatch):
    put(home, minutes(row_hash="newer"))
    use(monkeypatch, home)
    at = opened("participant", participant="P001", day="2026-02-10")
    assert "These minutes have changed since the build on screen" in text(at)


def test_a_day_without_minutes_and_one_without_a_lake_say_why(home, monkeypatch):
    use(monkeypatch, home)
    at = opened("participant", participant="P001", day="2026-02-09")
    assert "No minutes have landed for this day" in text(at)
    at = opened("participant", participant="P002", day="2026-02-11")
    assert "Waiting for sync" in text(at)  # the state says why
    assert "No minutes have landed for this day" in text(at)
    shutil.rmtree(home / "lake")
    at = opened("participant", participant="P001", day="2026-02-10")
    assert "which this dashboard cannot reach now" in text(at)
    assert not (home / "lake").exists()


@pytest.mark.parametrize(
    "day", ["2026-03-01", "2026-01-01", "tomorrow", "' OR 1=1", "<b>", "9" * 4000, "0000-00-00"]
)
def test_a_day_that_is_none_of_the_study_says_which_are(home, monkeypatch, day):
    use(monkeypatch, home)
    at = opened("participant", participant="P001", day=day)
    assert "Choose one from 2 Feb 2026 to 11 Feb 2026." in text(at)
    assert day not in text(at)
    assert len(at.get("vega_lite_chart")) == 1


def test_a_click_on_a_bar_opens_its_day_and_the_next_person_has_none_open(home, monkeypatch):
    use(monkeypatch, home)
    at = opened("participant", participant="P002", day="2026-02-10")
    at.button(key="next").click().run()
    assert "day" not in at.query_params
    at = opened("participant", participant="P001")
    picker = at.date_input(key="day_P001_")
    picker.set_value(date(2026, 2, 10)).run()
    assert at.query_params["day"] == "2026-02-10"
    assert len(at.get("vega_lite_chart")) == 2
    at.button(key="close_day").click().run()
    assert "day" not in at.query_params
    assert len(at.get("vega_lite_chart")) == 1
