"""`[work_list]` of study.toml: what is wrong is said with its line, and what is complete."""

from __future__ import annotations

import pytest
from support.studies import assert_refused

from warehouse.study import EXAMPLE, read_study
from warehouse.study_work_list import required_of

LIMITS = '[{ scale = "NPRS", worse_by = 2, reaches = 8 }]'
VISITS = 'complete_visits = ["baseline", "week_12", "week_52"]'


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        (
            "not_synced_red_days = 5",
            "not_synced_red_days = 2",
            r":{table}: work_list: not_synced_days, not_synced_red_days and not_synced_escal",
        ),
        (
            "not_synced_escalate_days = 7",
            "not_synced_escalate_days = 5",
            r"work_list: not_synced_days, .* must rise",
        ),
        ("not_synced_days = 2", "not_synced_days = 0", r":{line}: work_list\.not_synced_days: "),
        ("worn_of_days = 7", "worn_of_days = 3", r"worn_days_least is more than worn_of_days"),
        (
            "worn_within_days = 14",
            "worn_within_days = 6",
            r"worn_of_days is more than worn_within",
        ),
        ("goal_within_days = 28", "goal_within_days = 13", r"goal_days is more than goal_within"),
        ("battery_below_pct = 20", "battery_below_pct = 101", r"{line}: work_list\.battery_below"),
        (
            LIMITS,
            '[{ scale = "PAIN", worse_by = 2 }]',
            r":{line}: work_list\.limits: unknown 'PAIN'; known: FABQPA, FABQW, FUNC, NPRS",
        ),
        (LIMITS, '[{ scale = "NPRS" }]', r"limits\.0: give worse_by, reaches, or both"),
        (
            LIMITS,
            '[{ scale = "NPRS", reaches = 8 }, { scale = "NPRS", worse_by = 2 }]',
            r":{line}: work_list\.limits: a scale has two limits",
        ),
        (
            VISITS,
            'complete_visits = ["discharge"]',
            r":{line}: work_list\.complete_visits: unknown 'discharge'; known: baseline, week_12",
        ),
        ("complete_scales = []", 'complete_scales = ["PHQ9"]', r":{line}: .*unknown 'PHQ9'; known"),
        (
            VISITS + "  # a record; blank: first and last\ncomplete_scales = []",
            'complete_visits = ["week_4"]\ncomplete_scales = ["FABQW"]',
            r"work_list\.complete_scales: none of them is due at any of complete_visits",
        ),
        ("quiet_days = 3", "quiet_day = 3", r":{line}: work_list\.quiet_day: unknown setting"),
    ],
)
def test_each_mistake_is_named_with_its_place(tmp_path, right, wrong, said):
    assert_refused(tmp_path, right, wrong, said)


def test_a_study_that_says_nothing_has_the_usual_work_list(tmp_path):
    path = tmp_path / "study.toml"
    before, _, after = EXAMPLE.read_text().partition("[work_list]")
    path.write_text(before + after[after.index("\n# Where questionnaires") :])
    usual = read_study(path).work_list
    example = read_study(EXAMPLE).work_list
    assert usual.limits == []
    assert (
        usual.model_copy(
            update={"limits": example.limits, "complete_visits": example.complete_visits}
        )
        == example
    )


def test_a_complete_record_is_by_default_everything_of_the_first_and_last_visit():
    study = read_study(EXAMPLE)
    plain = study.model_copy(
        update={"work_list": study.work_list.model_copy(update={"complete_visits": []})}
    )
    assert required_of(plain) == (
        ["baseline", "week_52"],
        ["FUNC", "NPRS", "FABQPA", "FABQW", "RMDQ24"],
    )
