"""A mistake in a cohort's conditions, or in who has goals: its line and what is known are told."""

import pytest

from warehouse.study import EXAMPLE, StudyError, read_study

CONDITION = '{ scale = "NPRS", at_least = 7 }'
WHERE = f"where = [{CONDITION}]"
GOAL_ARMS = "arms = []"


def told(tmp_path, right: str, wrong: str) -> str:
    """What is said of the example with `right` changed to `wrong`, {line} for the line of it."""
    before, found, after = EXAMPLE.read_text().partition(right)
    assert found
    path = tmp_path / "study.toml"
    path.write_text(before + wrong + after)
    with pytest.raises(StudyError) as caught:
        read_study(path)
    line = before.count("\n") + 1
    return str(caught.value).removeprefix(str(path)).replace(f":{line}: ", ":{line}: ")


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (
            '{ colum = "site", one_of = ["haifa"] }',
            "cohorts.0.where.0.colum: unknown setting; remove it or mend its spelling; "
            "known here: column, scale, one_of, at_least, at_most",
        ),
        (
            '{ column = "site", one_of = ["haifa", "hifa"] }',
            "cohorts.0.where.0.one_of: unknown site 'hifa'; known: haifa, beer_sheva, southampton",
        ),
        (
            '{ column = "arm", one_of = ["etm"] }',
            "cohorts.0.where.0.one_of: unknown arm 'etm'; known: etmi, usual_care",
        ),
        (
            '{ column = "therapist_id", one_of = ["T1"] }',
            "cohorts.0.where.0.one_of: unknown therapist_id 'T1'; "
            "known: T01, T02, T03, T04, T05, T06",
        ),
        (
            '{ column = "sex", one_of = ["f"] }',
            "cohorts.0.where.0.one_of: unknown sex 'f'; known: female, male",
        ),
        (
            '{ column = "era", one_of = ["fitbit"] }',
            "cohorts.0.where.0.one_of: unknown era 'fitbit'; "
            "known: legacy_fitbit, google_health, file",
        ),
        (
            CONDITION + ", { column = 'site', one_of = ['x'] }",
            "cohorts.0.where.1.one_of: unknown site 'x'; known: haifa, beer_sheva, southampton",
        ),
    ],
)
def test_a_condition_names_its_line_and_what_is_known(tmp_path, condition, said):
    assert told(tmp_path, WHERE, f"where = [{condition}]") == ":{line}: " + said


def test_a_misspelt_setting_of_a_cohort_or_a_part_lists_its_settings(tmp_path):
    said = told(tmp_path, WHERE, f'{WHERE} \nmach = "any"')
    assert "cohorts.0.mach: unknown setting" in said
    assert said.endswith("known here: code, label, where, match")
    said = told(tmp_path, "episode_gap_days", "episode_gap")
    assert "treatment.episode_gap: unknown setting" in said
    assert said.endswith("known here: episode_gap_days")


def test_a_device_may_be_any_and_all_known_values_are_taken(tmp_path):
    listed = '{ column = "device_model", one_of = ["X1"] }, { column = "sex", one_of = ["male"] }'
    path = tmp_path / "study.toml"
    path.write_text(EXAMPLE.read_text().replace(CONDITION, listed, 1))
    assert [one.column for one in read_study(path).cohorts[0].where] == ["device_model", "sex"]


def test_goals_of_an_arm_that_there_is_not_are_refused(tmp_path):
    said = told(tmp_path, GOAL_ARMS, 'arms = ["etm"]')
    assert said == ":{line}: goals.arms: unknown arm 'etm'; known: etmi, usual_care"


@pytest.mark.parametrize(
    ("arms", "reveal"),
    [("[]", False), ('["etmi"]', True), ('["usual_care", "etmi"]', False)],
)
def test_goals_reveal_the_arm_where_some_arms_have_none(tmp_path, arms, reveal):
    path = tmp_path / "study.toml"
    path.write_text(EXAMPLE.read_text().replace(GOAL_ARMS, f"arms = {arms}", 1))
    assert read_study(path).goals_reveal_arm is reveal
