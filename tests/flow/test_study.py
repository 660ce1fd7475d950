"""The study as a file: what is wrong is said with its line and what is allowed."""

from __future__ import annotations

import re

import pytest

from warehouse.study import EXAMPLE, StudyError, read_study


def test_the_example_is_a_complete_trial():
    study = read_study(EXAMPLE)
    assert [arm.code for arm in study.arms] == ["etmi", "usual_care"]
    assert len(study.sites) == 3
    assert [v.week for v in study.visits] == [0, 4, 8, 12, 26, 52, None]
    assert study.visits[-1].code == "discharge"
    assert study.therapists
    assert {o.scale for o in study.outcomes} == {"FUNC", "NPRS", "FABQPA", "FABQW", "RMDQ24"}
    assert {r.code for r in study.roles if r.sees_arms} == {"unblinded_statistician"}


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("week = 8", 'week = "x"', r":67: visits\.2\.week: Input should be a valid integer"),
        ("opens_day = 14", "opens_day = 0", r":58: visits\.1: there is no study day 0"),
        ("opens_day = 14", "opens_day = 99", r"visits\.1: opens_day is after closes_day"),
        ("valid_day_minutes", "valid_day_minuts", r":117: wear\.valid_day_minuts: unknown setting"),
        ("Europe/London", "Europe/Londn", r":29: sites\.2\.timezone: unknown time zone 'Europe/"),
        (
            'site = "haifa"',
            'site = "hafa"',
            r":33: study: therapist T01: unknown site 'hafa'; known: beer_sheva, haifa, south",
        ),
        (
            '"week_4", "week_8"',
            '"week_5"',
            r":\d\d: study: outcome FUNC: unknown visit 'week_5'; known: baseline",
        ),
        ("weeks = 52 ", "weeks = 0 ", r":8: study\.weeks: Input should be greater than or equal"),
        ('code = "T02"', 'code = "T01"', r"therapists: T01 is defined twice"),
        ("[wear]", "[wear", r"not valid TOML: .*line 116"),
        ("at_discharge = true", "at_discharge = false", r"visits\.6: give week, opens_day and"),
    ],
)
def test_each_mistake_is_named_with_its_place(tmp_path, right, wrong, said):
    path = tmp_path / "study.toml"
    text = EXAMPLE.read_text()
    assert right in text
    path.write_text(text.replace(right, wrong, 1))
    with pytest.raises(StudyError) as caught:
        read_study(path)
    assert re.search(said, str(caught.value)), str(caught.value)


def test_every_mistake_is_told_at_once(tmp_path):
    path = tmp_path / "study.toml"
    text = EXAMPLE.read_text().replace("weeks = 52 ", "weeks = 0 ", 1)
    path.write_text(text.replace("small_cell = 5", "small_cell = -1", 1))
    with pytest.raises(StudyError) as caught:
        read_study(path)
    assert len(str(caught.value).splitlines()) == 2


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(StudyError, match="`stepwell init NAME` makes one"):
        read_study(tmp_path / "study.toml")


def test_comments_do_not_change_the_protocol_but_a_threshold_does(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text("# a remark\n" + EXAMPLE.read_text())
    digest = read_study(EXAMPLE).digest
    assert read_study(path).digest == digest
    path.write_text(
        EXAMPLE.read_text().replace("valid_day_minutes = 600", "valid_day_minutes = 480")
    )
    assert read_study(path).digest != digest
