"""The participant page tells one person's story, and only what the role may see."""

from datetime import date

import pytest
from support.pages import chart, fields_without_data, metrics, opened, text, use
from support.published import publish_rows, typed_rows, write_study


def test_the_key_figures_are_the_participants_own(study, monkeypatch):
    use(monkeypatch, study)
    assert metrics(opened("participant", participant="P002")) == {
        "Study day": "10",
        "Wear adherence": "67 %",
        "Goal met, observed": "100 %",
        "Goal met, strict": "50 %",
        "Steps a valid day": "4 033",
    }


def test_each_share_says_what_it_is_a_share_of(study, monkeypatch):
    use(monkeypatch, study)
    said = text(opened("participant", participant="P002"))
    assert "6 valid of 9 eligible days" in said
    assert "observed: 1 of 1 valid days with a goal" in said
    assert "the same 1 of 2 eligible days with a goal" in said


def test_a_participant_without_a_single_row_breaks_no_page(tmp_path, monkeypatch):
    rows = typed_rows()
    new = {**rows["participant"][0], "participant_id": "P004", "starts_on": date(2026, 3, 2)}
    rows["participant"] = [*rows["participant"], new]
    write_study(tmp_path)
    publish_rows(tmp_path, rows)
    use(monkeypatch, tmp_path)
    at = opened("participant", participant="P004")
    assert metrics(at)["Wear adherence"] == "\u2013"
    assert "0 valid of 0 eligible days" in text(at)
    assert "Study day 1 has not come yet." in text(at)
    assert "P004" in opened().dataframe[-1].value["participant_id"].tolist()


@pytest.mark.parametrize(
    ("until", "said"),
    [(None, "paused since 5 Feb 2026."), (date(2026, 2, 7), "paused 5 Feb 2026 to 7 Feb 2026.")],
)
def test_a_pause_says_whether_it_is_over(tmp_path, monkeypatch, until, said):
    rows = typed_rows()
    away = {**rows["participant"][0], "paused_from": date(2026, 2, 5), "paused_to": until}
    rows["participant"] = [away, *rows["participant"][1:]]
    write_study(tmp_path)
    publish_rows(tmp_path, rows)
    use(monkeypatch, tmp_path)
    assert said in text(opened("participant", participant="P001"))


def test_the_timeline_holds_every_day_with_its_group(study, monkeypatch):
    use(monkeypatch, study)
    _, data = chart(opened("participant", participant="P002"), "Bars of daily steps")
    drawn = [(row["steps"], row["day_group"], row["goal_steps"]) for row in data["days"]]
    assert drawn == [
        (4000, "valid", None),
        (4000, "valid", None),
        (4000, "valid", None),
        (4000, "valid", None),
        (0, "unusable", None),
        (1200, "unusable", None),
        (3000, "valid", None),
        (5200, "goal_met", 5000),
        (None, "no_data", 5000),
        (None, "to_sync", 5000),
    ]
    assert data["days"][0]["activity_date"] == date(2026, 2, 2)
    assert [row["provisional"] for row in data["days"]] == [False] * 8 + [True] * 2


def test_zero_steps_and_missing_steps_are_drawn_apart(study, monkeypatch):
    use(monkeypatch, study)
    spec, _ = chart(opened("participant", participant="P002"), "Bars of daily steps")
    filters = [layer["transform"][0]["filter"] for layer in spec["layer"] if "transform" in layer]
    assert filters == ["isValid(datum.steps)", "!isValid(datum.steps)", "datum.steps === 0"]


def test_the_charts_share_one_axis_of_days(study, monkeypatch):
    use(monkeypatch, study)
    at = opened("participant", participant="P001")
    domains = [
        next(
            layer["encoding"]["x"]["scale"]["domain"]
            for layer in chart(at, alt)[0]["layer"]
            if "domain" in layer["encoding"].get("x", {}).get("scale", {})
        )
        for alt in ("Bars of daily steps", "Function over", "Pain over", "Fear-avoidance")
    ]
    # The first answer, 1 February, to the day after the tenth study day, 11 February.
    first = {"year": 2026, "month": 2, "date": 1, "utc": True}
    last = {"year": 2026, "month": 2, "date": 12, "utc": True}
    assert domains == [[first, last]] * 4


def test_function_stands_over_its_baseline_plus_or_minus_the_mcid(study, monkeypatch):
    use(monkeypatch, study)
    at = opened("participant", participant="P001")
    _, data = chart(at, "Function over time, 0 to 100, higher is better")
    assert data["band"] == [{"low": 45.0, "high": 55.0}]
    drawn = [(row["visit"], row["score"]) for row in data["scores"]]
    assert drawn == [("Baseline", 50.0), ("Week 4", None)]
    assert chart(at, "Pain over time, 0 to 10, lower is better")[1]["band"] == [
        {"low": 4.0, "high": 8.0}
    ]
    assert chart(at, "Fear-avoidance")[1]["band"] == []


def test_answers_stand_at_the_day_they_were_given(study, monkeypatch):
    use(monkeypatch, study)
    spec, data = chart(opened("participant", participant="P001"), "Function over time")
    answers = spec["layer"][-1]["encoding"]
    assert (answers["x"]["field"], answers["y"]["field"]) == ("answered_on", "score")
    assert data["scores"][0]["answered_on"] == date(2026, 2, 1)


def test_every_drawn_field_is_in_its_data(study, monkeypatch):
    use(monkeypatch, study)
    assert fields_without_data(opened("participant", participant="P002")) == []
    assert fields_without_data(opened()) == []


def test_visits_are_marked_with_their_windows(study, monkeypatch):
    use(monkeypatch, study)
    _, data = chart(opened("participant", participant="P001"), "Bars of daily steps")
    assert data["visits"] == [
        {
            "visit": "Baseline",
            "target_on": date(2026, 2, 2),
            "opens_on": date(2026, 1, 5),
            "after_close": date(2026, 2, 3),
        },
        {
            "visit": "Week 4",
            "target_on": date(2026, 3, 2),
            "opens_on": date(2026, 2, 15),
            "after_close": date(2026, 3, 16),
        },
    ]


def test_outcomes_by_visit_say_their_status(study, monkeypatch):
    use(monkeypatch, study)
    table = opened("participant", participant="P001").dataframe[-1].value
    listed = table[["visit", "label", "status"]].values.tolist()
    assert listed == [
        ["Baseline", "Fear-avoidance, physical activity", "Overdue"],
        ["Baseline", "Function", "Received"],
        ["Baseline", "Pain", "Received"],
        ["Week 4", "Function", "Not due yet"],
    ]


def test_a_lost_permission_comes_with_its_next_step(study, monkeypatch):
    use(monkeypatch, study)
    said = text(opened("participant", participant="P002"))
    # 09:00 UTC is 11:00 in the participant's own zone.
    assert "Permission withdrawn** since 10 Feb 2026, 11:00" in said
    assert "Next step: Ask the participant to connect again." in said


def test_the_device_and_its_last_sync_are_shown(study, monkeypatch):
    use(monkeypatch, study)
    said = text(opened("participant", participant="P001"))
    assert "Device Inspire 3: last sync 12 Feb 2026, 06:30, battery 62 %" in said


def test_someone_never_connected_is_said_to_be(study, monkeypatch):
    use(monkeypatch, study)
    at = opened("participant", participant="P003")
    assert "Never connected: no source has been linked" in text(at)
    _, data = chart(at, "Bars of daily steps")
    assert {row["steps"] for row in data["days"]} == {None}


def test_previous_and_next_walk_from_the_worst(study, monkeypatch):
    use(monkeypatch, study)
    at = opened("participant")
    assert at.selectbox(key="participant").value == "P003"
    assert at.button(key="previous").disabled
    at.button(key="next").click().run()
    assert at.query_params["participant"] == "P002"
    at.button(key="next").click().run()
    assert at.selectbox(key="participant").value == "P001"
    assert at.button(key="next").disabled
    at.button(key="previous").click().run()
    assert at.selectbox(key="participant").value == "P002"


def test_previous_and_next_stay_within_the_cohort_of_the_address(study, monkeypatch):
    use(monkeypatch, study)
    at = opened("participant", cohort="Site: Haifa")
    assert at.selectbox(key="participant").options == ["P002", "P001"]


def test_someone_outside_the_cohort_of_the_address_is_explained(study, monkeypatch):
    use(monkeypatch, study)
    at = opened("participant", participant="P001", cohort="Site: Southampton")
    assert "P001 is not in this cohort; choose Everyone to see them." in text(at)
    assert at.selectbox(key="participant").value == "P003"


@pytest.mark.parametrize(
    "asked", ["P999", "P001' OR '1'='1", "'; DROP TABLE participant; --", "![x](http://x.test/a)"]
)
def test_an_unknown_participant_is_said_plainly_and_not_repeated(study, monkeypatch, asked):
    use(monkeypatch, study)
    at = opened("participant", participant=asked)
    assert [e.value for e in at.error] == [
        "No participant of that name in the part of the study you may see."
    ]
    assert asked not in text(at)
    assert at.selectbox(key="participant").value == "P003"


def bridged(tmp_path):
    """P001 moved from fitbit to google_health on 7 February, with a bridge of both."""
    rows = typed_rows()
    rows["participant_day"] = [
        {**one, "source": "fitbit" if one["activity_date"] < date(2026, 2, 7) else "google_health"}
        if one["participant_id"] == "P001" else one
        for one in rows["participant_day"]
    ]  # fmt: skip
    pair = {
        "from_source": "fitbit", "to_source": "google_health", "participants": 9, "days": 31,
        "first_on": date(2026, 2, 2), "last_on": date(2026, 2, 6),
    }  # fmt: skip
    steps = {"mean_difference": -12.4, "difference_sd": 116.0, "limit_low": -239.8,
             "limit_high": 215.0}  # fmt: skip
    wear = {"mean_difference": 3.0}
    rows["bridge"] = [{"measure": "steps", **pair, **steps},
                      {"measure": "wear_minutes", **pair, **wear}]  # fmt: skip
    write_study(tmp_path)
    publish_rows(tmp_path, rows)


def test_another_source_is_a_line_and_the_bridge_says_what_it_changed(tmp_path, monkeypatch):
    bridged(tmp_path)
    use(monkeypatch, tmp_path)
    at = opened("participant", participant="P001")
    _, data = chart(at, "Bars of daily steps")
    assert [
        (str(row["changed_on"])[:10], row["source"], row["was"]) for row in data["changes"]
    ] == [("2026-02-07", "google_health", "fitbit")]
    assert (
        "google_health counts 12 steps a day fewer than fitbit on 31 days that both have, of 9 "
        "participants (limits of agreement \u2212240 to +215). "
        "google_health counts 3 minutes of wear a day more than fitbit on 31 days that both have, "
        "of 9 participants."
    ) in text(at)


def test_one_source_throughout_has_no_line(study, monkeypatch):
    use(monkeypatch, study)
    at = opened("participant", participant="P001")
    assert chart(at, "Bars of daily steps")[1]["changes"] == []
    assert "another source begins" not in text(at)


def test_the_cohort_says_how_its_sources_compare(tmp_path, monkeypatch):
    bridged(tmp_path)
    use(monkeypatch, tmp_path)
    assert "sources (fitbit, google_health). google_health counts 12 steps" in text(opened())
