"""The adherence page shows the figures of the published file, and no others."""

from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from support.pages import (
    about,
    assert_shown_sql,
    chart,
    fields_without_data,
    metrics,
    opened,
    text,
    use,
)
from support.published import PARTICIPANTS, day, empty_rows, publish_rows, typed_rows, write_study
from support.published_monitoring import monitored_study

from dashboard import words
from dashboard.queries import adherence as queries
from dashboard.queries.common import Cohort
from warehouse.publish import open_published


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The typed trial with its sites' weeks, figures and curves."""
    home = tmp_path_factory.mktemp("monitored")
    monitored_study(home)
    return home


def people_of(at):
    """The list of people beside the picture."""
    return next(one.value for one in at.dataframe if "why" in one.value.columns)


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
    assert people_of(at)["participant_id"].tolist() == ["P002", "P001"]
    assert at.query_params["cohort"] == "Site: Haifa"


def test_choosing_a_site_filters_the_people(study, monkeypatch):
    use(monkeypatch, study)
    at = opened()
    at.selectbox(key="cohort").select("Site: Southampton").run()
    assert people_of(at)["participant_id"].tolist() == ["P003"]


@pytest.mark.parametrize("value", ["haifa' OR 1=1", "Site: Nowhere", "", "<script>", "%00"])
def test_a_hostile_cohort_in_the_address_shows_everyone(study, monkeypatch, value):
    use(monkeypatch, study)
    at = opened(cohort=value)
    assert metrics(at)["Participants"] == "3"
    assert at.selectbox(key="cohort").value == "Everyone"


def test_people_stand_worst_first_with_the_last_day_that_did_not_count(study, monkeypatch):
    use(monkeypatch, study)
    people = people_of(opened())
    assert people["participant_id"].tolist() == ["P003", "P002", "P001"]
    assert people["site"].tolist() == ["Southampton", "Haifa", "Haifa"]
    assert people["wear_adherence"].tolist() == [0, 67, 100]  # whole percent
    # P002's newest day waits for sync, which is nobody's to mend yet; the ninth lost its minutes.
    missed = [None if pd.isna(day) else str(day)[:10] for day in people["missed_on"]]
    assert missed == ["2026-02-11", "2026-02-10", None]
    assert people["why"].fillna("").tolist() == ["Never connected", "Minutes lost", ""]


def test_a_click_on_a_row_opens_that_person_on_that_day(study, monkeypatch):
    use(monkeypatch, study)
    at = opened()
    at.session_state["participants"] = {"selection": {"rows": [1], "columns": [], "cells": []}}
    at.run()
    assert at.title[0].value == "Participant"
    assert at.query_params["participant"] == "P002"
    assert at.query_params["day"] == "2026-02-10"


def test_a_row_without_such_a_day_opens_the_person(study, monkeypatch):
    use(monkeypatch, study)
    at = opened()
    at.session_state["participants"] = {"selection": {"rows": [2], "columns": [], "cells": []}}
    at.run()
    assert at.query_params["participant"] == "P001"
    assert "day" not in at.query_params


def test_a_click_on_a_day_opens_that_person_on_that_day(study, monkeypatch):
    use(monkeypatch, study)
    at = opened()
    picked = [{"participant_id": "P002", "activity_date": "2026-02-06"}]
    at.session_state["recent_days"] = {"selection": {"pick": picked}}
    at.run()
    assert at.title[0].value == "Participant"
    assert (at.query_params["participant"], at.query_params["day"]) == ("P002", "2026-02-06")


def test_the_last_days_are_drawn_with_their_reasons(study, monkeypatch):
    use(monkeypatch, study)
    spec, data = chart(opened(cohort="Site: Haifa"), "Cells: each participant's last days")
    days = {(row["participant_id"], row["activity_date"]): row for row in data["days"]}
    assert len(days) == 20
    assert days["P002", "2026-02-06"]["state"] == "Not worn"
    assert days["P002", "2026-02-06"]["steps"] == 0
    assert days["P002", "2026-02-10"]["steps"] is None
    assert spec["encoding"]["y"]["sort"] == ["P002", "P001"]
    assert spec["params"][0]["select"]["fields"] == ["participant_id", "activity_date"]


def test_no_more_cells_are_drawn_than_can_be_told_apart(tmp_path, monkeypatch):
    # The worst come first, and of 126 people the best are left out; 1,120 cells are 28 days.
    days = [day(f"P{i:03}", number, "valid") for i in range(1, 127) for number in range(1, 31)]
    worn = [{"participant_id": f"P{i:03}", "wear_adherence": i / 126} for i in range(1, 127)]
    roster = [{**PARTICIPANTS[0], "participant_id": f"P{i:03}"} for i in range(1, 127)]
    write_study(tmp_path)
    rows = empty_rows() | {"participant": roster, "participant_day": days, "adherence": worn}
    publish_rows(tmp_path, rows)
    use(monkeypatch, tmp_path)
    at = opened()
    _, data = chart(at, "Cells: each participant's last days")
    assert len(data["days"]) == 40 * 28 == 1120
    assert {"P001", "P040"} <= {row["participant_id"] for row in data["days"]}
    assert "P041" not in {row["participant_id"] for row in data["days"]}
    assert "Of 126 people the 40 who wore it least are here." in text(at)
    assert people_of(at)["participant_id"].iloc[[0, -1]].tolist() == ["P001", "P100"]
    assert "Of these 126 people the 100 who wore it least, in the same order;" in text(at)


def test_neighbours_share_a_row_of_the_picture_whose_colour_is_that_of_most(tmp_path, monkeypatch):
    days = {"P1": "NNN", "P2": "NV", "P3": "VVV", "P4": "VN", "P5": "N"}  # worst wear first
    state = {"V": "valid", "N": "not_worn"}
    roster = [{**PARTICIPANTS[0], "participant_id": who} for who in days]
    worn = [{"participant_id": who, "wear_adherence": place / 10} for place, who in enumerate(days)]
    rows = empty_rows() | {"participant": roster, "adherence": worn}
    rows["participant_day"] = [
        day(who, number, state[one])
        for who, told in days.items()
        for number, one in enumerate(told, start=1)
    ]
    write_study(tmp_path)
    publish_rows(tmp_path, rows)
    monkeypatch.setattr(queries, "MOST_BANDS", 2)
    with closing(open_published(tmp_path / "published" / "warehouse.duckdb")) as con:
        found = queries.day_bands(con, Cohort()).rows
    codes = [group.code for group in words.GROUPS]
    drawn = {(row["band"], row["study_day"]): codes[row["day_group"]] for row in found}
    # P1 to P3 share the first row, P4 and P5 the second; of as many the first of words.GROUPS.
    assert drawn == {
        (0, 1): "unusable", (0, 2): "valid", (0, 3): "valid", (1, 1): "valid", (1, 2): "unusable",
    }  # fmt: skip
    assert [row["participants"] for row in found] == [3, 3, 2, 2, 1]


def test_where_rows_are_shared_and_the_list_is_cut_the_words_say_so(study, monkeypatch):
    use(monkeypatch, study)
    whole = opened()
    alt = "Picture of 3 participants by 10 study days, worst wear at the top; "
    chart(whole, f"{alt}each cell has the colour of its day's state.")
    assert "A row is a participant" in text(whole)
    assert "The same people in the same order." in text(whole)
    monkeypatch.setattr(queries, "MOST_BANDS", 2)
    monkeypatch.setattr(queries, "MOST_LISTED", 2)
    cut = opened()
    chart(cut, f"{alt}neighbours share one of 2 rows, and each cell has the colour of the state")
    assert "A row is a participant" not in text(cut)
    assert "Of these 3 people the 2 who wore it least, in the same order;" in text(cut)
    assert "The same people" not in text(cut)
    assert len(people_of(cut)) == 2


def test_each_sites_weeks_are_drawn_and_a_withheld_one_is_blank(monitored, monkeypatch):
    use(monkeypatch, monitored)
    spec, data = chart(opened(), "Cells: each site's share by study week")
    drawn = {(row["site"], row["study_week"]): row["wear_adherence"] for row in data["weeks"]}
    assert drawn == {
        ("Haifa", 1): 0.9,
        ("Haifa", 2): 0.8,
        ("Beer Sheva", 1): 0.4,
        ("Southampton", 1): None,
    }
    assert spec["layer"][0]["encoding"]["color"]["field"] == "wear_adherence"


def test_what_the_sites_are_compared_by_is_in_the_address(monitored, monkeypatch):
    use(monkeypatch, monitored)
    spec, _ = chart(opened(measure="Goal met, strict"), "Cells: each site's share")
    assert spec["layer"][0]["encoding"]["color"]["field"] == "goal_adherence_strict"


@pytest.mark.parametrize("value", ["nothing", "<script>", "wear_adherence' --", ""])
def test_a_hostile_measure_shows_the_first(monitored, monkeypatch, value):
    use(monkeypatch, monitored)
    spec, _ = chart(opened(measure=value), "Cells: each site's share")
    assert spec["layer"][0]["encoding"]["color"]["field"] == "wear_adherence"


def test_who_stays_is_drawn_with_the_numbers_at_risk(monitored, monkeypatch):
    use(monkeypatch, monitored)
    at = opened()
    _, data = chart(at, "Falling steps")
    drawn = {(row["curve"], row["weeks"]): row["still"] for row in data["curves"]}
    assert drawn == {
        ("Still in the study", 0): 1.0,
        ("Still in the study", 1): 0.91,
        ("Still wearing", 0): 1.0,
        ("Still wearing", 1): 0.73,
    }
    spec, data = chart(at, "Numbers still followed")
    assert spec["encoding"]["text"]["field"] == "at_risk"
    assert [row["at_risk"] for row in data["curves"]] == [22, 20, 22, 16]


def test_a_cohort_without_such_curves_is_told_which_have_them(study, monkeypatch):
    use(monkeypatch, study)
    assert "These curves are told for everyone, for each site" in text(opened())


def test_the_key_figures_of_sites_are_drawn_with_interval_and_limits(monitored, monkeypatch):
    use(monkeypatch, monitored)
    at = opened()
    spec, data = chart(at, "Dots with intervals")
    wear = {row["site"]: row for row in data["figures"] if row["figure"] == "Wear adherence"}
    assert wear["Beer Sheva"]["share"] == 0.3
    assert (wear["Beer Sheva"]["ci_low"], wear["Beer Sheva"]["ci_high"]) == (0.2, 0.42)
    assert (wear["Haifa"]["limit_low"], wear["Haifa"]["limit_high"]) == (0.45, 0.85)
    assert wear["Southampton"]["share"] is None
    drawn = [
        (layer["encoding"]["x"]["field"], layer["encoding"].get("x2")) for layer in spec["layer"]
    ]
    assert drawn == [
        ("alarm_low", {"field": "alarm_high"}),
        ("limit_low", {"field": "limit_high"}),
        ("overall", None),
        ("ci_low", {"field": "ci_high"}),
        ("share", None),
    ]


def test_only_what_lies_where_chance_would_hardly_put_it_is_named(monitored, study, monkeypatch):
    use(monkeypatch, monitored)
    said = text(opened())  # Haifa is outside the 95 % limits, which is no news among so many
    assert "Outside the outer band: Beer Sheva: Wear adherence (far below the others)." in said
    assert "Figures of fewer than 3 participants are blank." in said


def test_the_table_of_figures_has_counts_and_standing_in_words(monitored, monkeypatch):
    use(monkeypatch, monitored)
    shown = next(one.value for one in opened().dataframe if "standing" in one.value.columns)
    row = shown[(shown["site"] == "Haifa") & (shown["figure"] == "Wear adherence")].iloc[0]
    assert (row["numerator"], row["denominator"], row["counts"]) == (900, 1000, "days")
    assert row["standing"] == "Above the others"
    assert (row["share"], row["ci_low"], row["limit_high"]) == (90, 80, 85)  # whole percent


def test_every_field_a_chart_draws_is_in_its_data(monitored, monkeypatch):
    use(monkeypatch, monitored)
    assert fields_without_data(opened()) == []


def test_each_shown_sql_gives_the_shown_numbers(monitored, monkeypatch):
    use(monkeypatch, monitored)
    assert_shown_sql(about(opened()), monitored / "published" / "warehouse.duckdb", least=6)


def test_a_key_figure_says_of_how_many_and_which_way_is_better(study, monkeypatch):
    use(monkeypatch, study)
    helped = {one.label: one.help for one in opened().metric}
    assert helped["Wear adherence"] == (
        "16 valid of 29 eligible days, of 3 participants, data to 11 Feb 2026. Share of days, "
        "higher is better."
    )


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


def test_where_goals_tell_the_arm_the_page_says_why_there_are_none(tmp_path, monkeypatch):
    write_study(tmp_path)
    file = tmp_path / "study.toml"
    assert "\narms = [] " in file.read_text()
    file.write_text(file.read_text().replace("\narms = [] ", '\narms = ["etmi"] '))
    rows = typed_rows()
    for row in rows["participant_day"]:
        row |= {"goal_steps": None, "goal_met": None}
    publish_rows(tmp_path, rows)
    use(monkeypatch, tmp_path)
    at = opened()
    assert "who has one would tell the arm" in text(at)
    assert metrics(at)["Goal met, strict"] == "\u2013"
