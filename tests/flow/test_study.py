"""The study as a file: what is wrong is said with its line and what is allowed."""

from __future__ import annotations

import re

import pytest
from support.studies import assert_refused

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
        (
            "waking_to_hour = 24",
            "waking_to_hour = 6",
            r":{table}: wear: waking_to_hour is not after waking_from_hour",
        ),
        (
            'steps_only_rule = "step_hours"',
            'steps_only_rule = "actigraph"',
            r":{line}: wear\.steps_only_rule: Input should be 'step_hours', 'choi' or 'troiano'",
        ),
        ("[wear]", "[wear", r"not valid TOML: .*line {line}"),
        ("at_discharge = true", "at_discharge = false", r"visits\.6: give week, opens_day and"),
        (
            "opens_day = 43",
            "opens_day = 42",
            r":{line}: visits\.2\.opens_day: visit week_8 opens on day 42, but week_4 closes on "
            r"day 42 and FUNC is due at both",
        ),
        (
            'scale = "FABQW"',
            'scale = "FABQPA"',
            r":11\d: outcomes\.3\.scale: FABQPA has an outcome already, number 3",
        ),
        (
            'visits = ["baseline", "week_12", "week_52"]',
            'visits = ["baseline", "week_12", "week_12"]',
            r":11\d: outcomes\.3\.visits: FABQW: one is listed twice",
        ),
        ("sessions_least = 1 ", "sessions_least = 9 ", r"arms\.0: sessions_least is more than"),
        (
            '["friday", "saturday"]',
            '["freitag"]',
            r"sites\.0\.weekend\.0: Input should be 'monday'",
        ),
        (
            "recruitment_ends_on = 2026-01-25 ",
            "",
            r":2\d: sites\.0\.planned: give \[study\] recruitment_ends_on",
        ),
        (
            "recruitment_ends_on = 2026-01-25 ",
            "recruitment_ends_on = 2026-01-04 ",
            r":{line}: study\.recruitment_ends_on: recruitment_ends_on is before first_day",
        ),
        (
            'rule = "baseline_growth"',
            'rule = "median"',
            r"goals\.rule: Input should be 'baseline_g",
        ),
        (
            "baseline_skip_days = 2 ",
            "baseline_skip_days = 11 ",
            r"goals: baseline_days leaves fewer",
        ),
        (
            'where = [{ scale = "NPRS"',
            'where = [{ column = "name"',
            r"unknown column 'name'; known: a",
        ),
        (
            'scale = "NPRS", at_least = 7 }]',
            'scale = "NPRS" }]',
            r"NPRS: give at_least, at_most or",
        ),
        (
            'where = [{ scale = "NPRS", at_least = 7 }]',
            'where = [{ column = "sex", at_least = 7 }]',
            r"cohorts\.0\.where\.0: sex: give one_of, a list of texts, and no bounds",
        ),
        (
            'where = [{ scale = "NPRS", at_least = 7 }]',
            'where = [{ column = "depression_or_anxiety", one_of = ["yes"] }]',
            r"depression_or_anxiety: give one_of, a list of true or false",
        ),
        (
            'where = [{ scale = "NPRS", at_least = 7 }]',
            'where = [{ column = "enrolled_on", at_least = 7 }]',
            r"enrolled_on: give at_least, at_most or both, as dates",
        ),
        (
            'where = [{ scale = "NPRS", at_least = 7 }]',
            'where = [{ column = "sex", scale = "NPRS" }]',
            r"cohorts\.0\.where\.0: give either a column or a scale",
        ),
    ],
)
def test_each_mistake_is_named_with_its_place(tmp_path, right, wrong, said):
    assert_refused(tmp_path, right, wrong, said)


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


def test_visits_of_different_scales_may_overlap(tmp_path):
    text = EXAMPLE.read_text().replace("opens_day = 43", "opens_day = 42", 1)
    at_both = re.compile(r'"week_4", ("week_8", "week_12")')
    path = tmp_path / "study.toml"
    path.write_text(at_both.sub(r"\1", text))
    assert read_study(path).visits[2].opens_day == 42


def test_a_cohort_by_arm_or_therapist_reveals_the_arm(tmp_path):
    path = tmp_path / "study.toml"
    right = '{ scale = "NPRS", at_least = 7 }'
    for wrong, reveals in (
        ('{ column = "therapist_id", one_of = ["T01"] }', True),
        ('{ column = "site", one_of = ["haifa"] }', False),
    ):
        path.write_text(EXAMPLE.read_text().replace(right, wrong, 1))
        assert read_study(path).cohorts[0].reveals_arm is reveals
