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
        ("week = 8", 'week = "x"', r":{line}: visits\.2\.week: Input should be a valid integer"),
        ("opens_day = 14", "opens_day = 0", r":{table}: visits\.1: there is no study day 0"),
        ("opens_day = 14", "opens_day = 99", r"visits\.1: opens_day is after closes_day"),
        ("valid_day_minutes", "valid_day_minuts", r":{line}: wear\.valid_day_minuts: unknown"),
        ("Europe/London", "Europe/Londn", r":{line}: sites\.2\.timezone: unknown time zone"),
        (
            'site = "haifa"',
            'site = "hafa"',
            r":{line}: study: therapist T01: unknown site 'hafa'; known: beer_sheva, haifa, south",
        ),
        (
            '"week_4", "week_8"',
            '"week_5"',
            r":{line}: study: outcome FUNC: unknown visit 'week_5'; known: baseline",
        ),
        ("weeks = 52 ", "weeks = 0 ", r":{line}: study\.weeks: Input should be greater"),
        ('code = "T02"', 'code = "T01"', r"therapists: T01 is defined twice"),
        ("[wear]", "[wear", r"not valid TOML: .*line {line}"),
        ("at_discharge = true", "at_discharge = false", r"visits\.6: give week, opens_day and"),
    ],
)
def test_each_mistake_is_named_with_its_place(tmp_path, right, wrong, said):
    path = tmp_path / "study.toml"
    before, right, after = EXAMPLE.read_text().partition(right)
    assert right
    path.write_text(before + wrong + after)
    with pytest.raises(StudyError) as caught:
        read_study(path)
    lines = before.splitlines()
    table = max(number for number, line in enumerate(lines, start=1) if line.startswith("["))
    said = said.replace("{line}", str(before.count("\n") + 1)).replace("{table}", str(table))
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
