"""The small parts behind the pages: the picture of days, words, and the command that serves."""

import asyncio
import gc
import io
import socket
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from support.pages import about, assert_shown_sql, opened, use

from dashboard import words
from dashboard.pictures import render_days
from dashboard.serve import SETTINGS, _preload, command, main
from warehouse.tables.derived import DAY_STATES, VISIT_STATUSES
from warehouse.tables.ops import CONNECTION_STATES


def test_the_picture_has_a_row_for_each_band_and_a_pixel_for_each_day():
    bands = pa.table({"band": [0, 1, 1], "study_day": [2, 1, 3], "day_group": [1, 0, 1]})
    picture, days = render_days(bands, ["#FF0000", "#0000FF"])
    pixels = np.asarray(Image.open(io.BytesIO(picture)))
    red, blue, nothing = [255, 0, 0, 255], [0, 0, 255, 255], [0, 0, 0, 0]
    assert days == 3
    assert pixels.tolist() == [[nothing, blue, nothing], [red, nothing, blue]]


def test_a_picture_of_nobody_is_empty():
    assert render_days(pa.table({"band": [], "study_day": []}), ["#FF0000"]) == (b"", 0)


def test_every_state_has_words_and_every_day_state_one_colour():
    assert set(words.STATES) == set(DAY_STATES)
    assert set(words.CONNECTIONS) == set(CONNECTION_STATES)
    assert set(words.STATUSES) == set(VISIT_STATUSES)
    assert sorted(s for group in words.GROUPS for s in group.states) == sorted(DAY_STATES)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (words.count(12345), "12\u202f345"),
        (words.count(None), "\u2013"),
        (words.whole(4033.4), "4\u202f033"),
        (words.share(0.6666), "67\u00a0%"),
        (words.share(None), "\u2013"),
        (words.ratio(3, 4), "75\u00a0%"),
        (words.ratio(0, 0), "\u2013"),
        (words.day(date(2026, 3, 3)), "3 Mar 2026"),
        (words.day(None), "\u2013"),
        (words.direction("lower"), "lower is better"),
        (words.threshold({"mcid": 30.0, "mcid_kind": "percent"}), "30\u00a0%"),
        (words.threshold({"mcid": 2.5, "mcid_kind": "points"}), "2.5 points"),
    ],
)
def test_figures_are_written_as_people_write_them(shown, expected):
    assert shown == expected


def test_an_instant_is_told_in_the_zone_of_the_participant():
    at = datetime(2026, 3, 29, 22, 30, tzinfo=UTC)
    assert words.moment(at, "Asia/Jerusalem") == "30 Mar 2026, 01:30"
    assert words.moment(at) == "29 Mar 2026, 22:30"
    assert words.moment(None) == "\u2013"


def test_the_command_serves_on_the_loopback_address_by_default():
    assert command(8600, Path("trial")) == [
        sys.executable, "-m", "dashboard", "--port", "8600", "--home", "trial",
        "--address", "127.0.0.1",
    ]  # fmt: skip


def test_nothing_is_reported_to_anyone():
    assert SETTINGS["browser.gatherUsageStats"] is False
    assert SETTINGS["client.showErrorDetails"] == "none"


def test_a_port_in_use_gives_one_line_that_says_what_to_do(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit, match=f"port {port} of 127.0.0.1 is in use; stop what"):
            main(["--port", str(port), "--home", str(tmp_path)])


def test_the_module_tells_its_options():
    told = subprocess.run(
        [sys.executable, "-m", "dashboard", "--help"], capture_output=True, text=True, check=True
    )
    assert "--port" in told.stdout
    assert "--home" in told.stdout


def test_the_shown_sql_gives_the_shown_numbers(study, monkeypatch):
    use(monkeypatch, study)
    assert_shown_sql(about(opened()), study / "published" / "warehouse.duckdb", least=3)


def test_what_is_loaded_for_good_is_not_gone_through_after_each_rerun():
    async def begun() -> int:
        async with _preload(None):
            return gc.get_freeze_count()

    before = gc.get_freeze_count()
    try:
        assert asyncio.run(begun()) > before
        assert "dashboard.views.participant" in sys.modules  # whose first visitor else waits
    finally:
        gc.unfreeze()
