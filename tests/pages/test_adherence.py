"""The adherence page shows the figures of the published file, and no others."""

from pathlib import Path

import pytest
from support.pages import about, chart, metrics, opened, text, use
from support.published import empty_rows, publish_rows, typed_rows, write_study


def test_the_key_figures_are_those_counted_by_hand(study, monkeypatch):
    use(monkeypatch, study)
    # 30 person-days; 16 valid of 29 eligible (one waits for sync); goal met on 3 of 4 valid days
    # with a goal, and of 5 eligible ones (P002 lost the minutes of one).
    assert metrics(opened()) == {
        "Participants": "3",
        "Person-days": "30",
        "Wear adherence": "55 %",
        "Goal met, observed": "75 %",
        "Goal met, strict": "60 %",
    }


def test_both_denominators_are_spelled_out(study, monkeypatch):
    use(monkeypatch, study)
    said = text(opened())
    assert "16 valid of 29 eligible days" in said
    assert "3 of 4 valid days with a goal" in said
    assert "the same 3 of 5 eligible days with a goal" in said
    assert "13 days may still change" in said


def test_the_header_says_what_file_this_is_and_that_arms_are_hidden(study, monkeypatch):
    use(monkeypatch, study)
    said = text(opened())
    assert "Data to 11 Feb 2026" in said
    assert "Arms hidden" in said
    assert "local user (no sign-in), coordinator" in said
    assert "As known on 12 Feb 2026, 05:00 UTC" in said
    assert "built 12 Feb 2026, 06:00 UTC" in said
    assert "build 20260212T060000000000Z" in said
    assert "Stepwell 0 · protocol p · input i · content" in said


def test_weekly_adherence_is_drawn_from_cohort_week(study, monkeypatch):
    use(monkeypatch, study)
    spec, data = chart(opened(), "Lines by study week")
    drawn = {(row["study_week"], row["measure"]): row["share"] for row in data["weeks"]}
    assert drawn == {
        (1, "Wear adherence"): 0.57,
        (2, "Wear adherence"): 0.5,
        (1, "Goal met, observed"): None,
        (2, "Goal met, observed"): 0.75,
        (1, "Goal met, strict"): None,
        (2, "Goal met, strict"): 0.6,
    }
    assert spec["encoding"]["y"]["field"] == "share"
    assert spec["encoding"]["x"]["field"] == "study_week"


def test_weekly_steps_come_with_their_interval(study, monkeypatch):
    use(monkeypatch, study)
    spec, data = chart(opened(), "Line by study week")
    low, high = spec["layer"][0]["encoding"]["y"], spec["layer"][0]["encoding"]["y2"]
    assert (low["field"], high["field"]) == ("steps_ci_low", "steps_ci_high")
    drawn = [(r["steps_ci_low"], r["steps_per_day"], r["steps_ci_high"]) for r in data["weeks"]]
    assert drawn == [(3100.0, 4400.0, 5700.0), (4600.0, 5700.0, 6800.0)]


def test_a_cohort_below_the_limit_has_no_key_figures(study, monkeypatch):
    use(monkeypatch, study)
    at = opened(cohort="Site: Haifa")  # two people, and the limit is three
    assert metrics(at) == {}
    assert "Fewer than 3 participants: no cohort figures." in text(at)


def test_the_site_of_the_address_filters_the_people(study, monkeypatch):
    use(monkeypatch, study)
    at = opened(cohort="Site: Haifa")
    assert at.dataframe[-1].value["participant_id"].tolist() == ["P002", "P001"]
    assert at.query_params["cohort"] == "Site: Haifa"


def test_choosing_a_site_filters_the_people(study, monkeypatch):
    use(monkeypatch, study)
    at = opened()
    at.selectbox(key="cohort").select("Site: Southampton").run()
    assert at.dataframe[-1].value["participant_id"].tolist() == ["P003"]


@pytest.mark.parametrize("value", ["haifa' OR 1=1", "Site: Nowhere", "", "<script>", "%00"])
def test_a_hostile_cohort_in_the_address_shows_everyone(study, monkeypatch, value):
    use(monkeypatch, study)
    at = opened(cohort=value)
    assert metrics(at)["Participants"] == "3"
    assert at.selectbox(key="cohort").value == "Everyone"


def test_people_stand_worst_first_in_words(study, monkeypatch):
    use(monkeypatch, study)
    people = opened().dataframe[-1].value
    assert people["participant_id"].tolist() == ["P003", "P002", "P001"]
    assert people["site"].tolist() == ["Southampton", "Haifa", "Haifa"]
    assert people["last_day"].tolist() == ["Never connected", "Waiting for sync", "Valid day"]
    assert people["wear_adherence"].round().tolist() == [0, 67, 100]
    assert people["connection"].fillna("").tolist() == ["", "Permission withdrawn", "Connected"]


def test_a_click_on_a_row_opens_that_participant(study, monkeypatch):
    use(monkeypatch, study)
    at = opened()
    at.session_state["participants"] = {"selection": {"rows": [1], "columns": [], "cells": []}}
    at.run()
    assert at.title[0].value == "Participant"
    assert at.query_params["participant"] == "P002"


def test_person_days_are_counted_by_state(study, monkeypatch):
    use(monkeypatch, study)
    _, data = chart(opened(), "Bars: person-days by day state")
    counted = {(row["state"], row["day_group"]): row["person_days"] for row in data["states"]}
    assert counted == {
        ("Valid day", "valid"): 13,
        ("Never connected", "no_data"): 10,
        ("Valid day", "goal_met"): 3,
        ("Minutes lost", "no_data"): 1,
        ("Not worn", "unusable"): 1,
        ("Waiting for sync", "to_sync"): 1,
        ("Worn too little", "unusable"): 1,
    }


def test_every_chart_explains_itself_from_the_comments_of_the_file(study, monkeypatch):
    use(monkeypatch, study)
    said = text(about(opened(), "adherence_by_week"))
    assert "Table `cohort_week`: Adherence of a cohort by study week." in said
    assert "- `goal_adherence_strict`: Goal days met / eligible days with a goal" in said


def test_a_study_without_participants_says_so(tmp_path, monkeypatch):
    write_study(tmp_path)
    publish_rows(tmp_path, empty_rows())
    use(monkeypatch, tmp_path)
    at = opened()
    assert "No participants here yet" in text(at)
    assert metrics(at) == {}


def test_a_new_publication_is_seen_at_the_next_look(tmp_path: Path, monkeypatch):
    write_study(tmp_path)
    publish_rows(tmp_path, typed_rows(), "20260212T060000000000Z")
    use(monkeypatch, tmp_path)
    at = opened()
    assert metrics(at)["Person-days"] == "30"
    rows = typed_rows()
    rows["participant_day"] = rows["participant_day"][:-1]
    publish_rows(tmp_path, rows, "20260213T060000000000Z")
    at.run()
    assert metrics(at)["Person-days"] == "29"
    assert "build 20260213T060000000000Z" in text(at)
