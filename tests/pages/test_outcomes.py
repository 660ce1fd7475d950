"""The outcomes page shows the figures of the published file, and no others."""

from datetime import date

import pytest
from support.pages import about, assert_shown_sql, chart, metrics, opened, text, use
from support.published import empty_rows, publish_rows, small_study, typed_rows, write_study

from dashboard.queries import outcomes as queries

FEAR = "Fear-avoidance, physical activity"


def change(code: str, improvement: float, responder: bool | None) -> dict:
    return {
        "participant_id": code, "visit": "week_4", "scale": "FUNC", "status": "received",
        "score": 50.0 + improvement, "baseline_score": 50.0, "improvement": improvement,
        "mcid": 5.0, "is_responder": responder,
    }  # fmt: skip


def beside(code: str, visit: str, steps: float, own: float, score: float) -> dict:
    return {
        "participant_id": code, "visit": visit, "scale": "FUNC", "answered_on": "2026-02-01",
        "window_starts_on": "2026-01-18", "window_ends_on": "2026-01-31", "enough_days": True,
        "steps_per_day": steps, "visits_with_activity": 2, "steps_own_mean": own,
        "steps_within": steps - own, "score": score,
    }  # fmt: skip


def full_rows() -> dict:
    """The typed trial with changes at week 4, activity beside them, and a subgroup."""
    rows = typed_rows()
    rows["outcome"] = [change("P001", 8.0, True), change("P002", -3.0, False),
                       change("P003", 1.0, None)]  # fmt: skip
    rows["activity_outcome"] = [
        {**row, **{name: date.fromisoformat(row[name])
                   for name in ("answered_on", "window_starts_on", "window_ends_on")}}
        for row in (beside("P001", "baseline", 4000.0, 4500.0, 50.0),
                    beside("P001", "week_4", 5000.0, 4500.0, 58.0),
                    beside("P002", "baseline", 6000.0, 6000.0, 44.0),
                    beside("P002", "week_4", 6000.0, 6000.0, 41.0))
    ]  # fmt: skip
    rows["activity_slope"] = [
        {"cohort_kind": "all", "cohort": "all", "scale": "FUNC", "part": "within",
         "suppressed": False, "participants": 2, "visits": 4, "slope": 8.0, "slope_ci_low": -1.5,
         "slope_ci_high": 17.5},
        {"cohort_kind": "all", "cohort": "all", "scale": "FUNC", "part": "between",
         "suppressed": True},
    ]  # fmt: skip
    of = {"visit": "week_4", "scale": "FUNC", "suppressed": False, "expected": 3, "received": 3}
    rows["cohort_outcome"] += [
        {**of, "cohort_kind": "depression_or_anxiety", "cohort": "yes", "mean_score": 58.0},
        {**of, "cohort_kind": "depression_or_anxiety", "cohort": "no", "mean_score": 46.0},
        {**of, "cohort_kind": "arm", "cohort": "etmi", "mean_score": 57.0},
    ]
    judged = {"cohort_kind": "all", "cohort": "all", "visit": "week_4", "scale": "FUNC"}
    rows["cohort_responder"] = [
        {**judged, "change": "better", "threshold_kind": "points", "threshold": 5.0,
         "suppressed": False, "received": 22, "evaluable": 20, "responders": 12,
         "responder_share": 0.6, "responder_ci_low": 0.39, "responder_ci_high": 0.78},
        {**judged, "change": "better", "threshold_kind": "percent", "threshold": 30.0,
         "suppressed": False, "received": 22, "evaluable": 20, "responders": 8,
         "responder_share": 0.4, "responder_ci_low": 0.22, "responder_ci_high": 0.61},
        {**judged, "change": "worse", "threshold_kind": "points", "threshold": 5.0,
         "suppressed": True},
    ]  # fmt: skip
    rule = {"suppressed": False, "valid_days": 16, "steps_change": 200.0}
    rows["wear_rule_sensitivity"] = [
        {**rule, "rule": "protocol", "position": 1, "says": "The rule of the protocol."},
        {**rule, "rule": "wear_8_hours", "position": 2, "says": "Eight hours of wear.",
         "steps_change_changes": True},
    ]  # fmt: skip
    return rows


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    home = tmp_path_factory.mktemp("full")
    write_study(home)
    publish_rows(home, full_rows())
    return home


def test_outcomes_say_mean_interval_range_and_direction(study, monkeypatch):
    use(monkeypatch, study)
    at = opened("outcomes")
    spec, data = chart(at, "Mean Function by visit")
    drawn = [(r["visit"], r["mean_score"], r["score_ci_low"]) for r in data["visits"]]
    assert drawn == [("Baseline", 48.0, 41.0), ("Week 4", 54.0, 46.0)]
    assert spec["layer"][1]["encoding"]["y"]["scale"]["domain"] == [0.0, 100.0]
    assert spec["encoding"]["x"]["axis"]["labelAngle"] == 0  # two short names have room
    assert "0 to 100, higher is better." in text(at)
    assert "0 to 10, lower is better." in text(opened("outcomes", scale="Pain"))


def test_the_key_figures_have_their_n_and_interval(study, monkeypatch):
    use(monkeypatch, study)
    at = opened("outcomes")
    assert metrics(at) == {
        "Answered at Week 4": "3 / 3",
        "Improvement at Week 4": "+6.0 points",
        "Responders at Week 4": "2 / 3 (67 %)",
    }
    helps = {figure.label: figure.help for figure in at.metric}
    assert "95 % interval +1.0 to +11.0." in helps["Improvement at Week 4"]
    assert "95 % interval 21% to 94%." in helps["Responders at Week 4"]


def test_a_small_cell_stays_blank_and_says_so(study, monkeypatch):
    use(monkeypatch, study)
    at = opened("outcomes", scale=FEAR)
    _, data = chart(at, "Mean Fear-avoidance")
    assert [row["mean_score"] for row in data["visits"]] == [None]
    assert "Figures of fewer than 3 participants are blank." in text(at)


def test_an_outcome_in_the_address_that_is_none_shows_the_first(study, monkeypatch):
    use(monkeypatch, study)
    at = opened("outcomes", scale="<script>alert(1)</script>")
    assert chart(at, "Mean Function by visit")
    assert "alert(1)" not in text(at)


def test_each_participant_is_a_bar_the_greatest_improvement_first(full, monkeypatch):
    use(monkeypatch, full)
    _, data = chart(opened("outcomes"), "Bars of the improvement in Function of 3")
    drawn = [
        (row["participant_id"], row["improvement"], row["responder"]) for row in data["people"]
    ]
    assert drawn == [("P001", 8.0, "yes"), ("P003", 1.0, "not judged"), ("P002", -3.0, "no")]


def test_of_many_those_of_the_same_improvement_share_a_bar(full, monkeypatch):
    use(monkeypatch, full)
    monkeypatch.setattr(queries, "MOST_BARS", 2)
    at = opened("outcomes")
    _, data = chart(at, "Bars of the improvement in Function of 3")
    drawn = [tuple(row.values()) for row in data["people"]]
    assert drawn == [(1, 1, 1, 8, "yes"), (2, 2, 1, 1, "not judged"), (3, 3, 1, -3, "no")]
    assert "share a bar, as wide as they are many" in text(at)


def test_a_shared_bar_goes_from_the_first_to_the_last_at_their_mean(tmp_path, monkeypatch):
    write_study(tmp_path)
    rows = full_rows()
    # To one point of a hundred 2.4 and 1.6 are the same, and 1.4 is another.
    rows["outcome"] = [change("P001", 1.6, False), change("P002", 2.4, False),
                       change("P003", 1.4, False)]  # fmt: skip
    publish_rows(tmp_path, rows)
    use(monkeypatch, tmp_path)
    monkeypatch.setattr(queries, "MOST_BARS", 2)
    _, data = chart(opened("outcomes"), "Bars of the improvement in Function of 3")
    bars = [(r["first_place"], r["last_place"], r["improvement"]) for r in data["people"]]
    assert bars == [(1, 2, 2.0), (3, 3, 1.4)]


def test_of_many_dots_one_stands_for_those_that_lie_close(full, monkeypatch):
    use(monkeypatch, full)
    monkeypatch.setattr(queries, "MOST_DOTS", 1)
    monkeypatch.setattr(queries, "CELLS", 2)
    at = opened("outcomes")
    # Steps reach over 1,000 and points over 8: cells of 500 by 5. P002 stands at 0 twice, 1.5 up
    # and 1.5 down, which is one cell.
    _, data = chart(at, "Dots of 4 visits")
    dots = {(row["steps_within"], row["points"]): row["visits"] for row in data["dots"]}
    assert dots == {(-500, -5): 1, (500, 5): 1, (0, 0): 2}
    assert "one stands for all that lie close to it" in text(at)


def test_responders_are_shown_by_each_threshold(full, monkeypatch):
    use(monkeypatch, full)
    _, data = chart(opened("outcomes"), "Dots with intervals: share of participants whose")
    drawn = [(r["visit"], r["rule"], r["responders"], r["evaluable"], r["responder_share"],
              r["responder_ci_low"], r["responder_ci_high"]) for r in data["found"]]  # fmt: skip
    assert drawn == [
        ("Week 4", "Better by 5 points", 12, 20, 0.6, 0.39, 0.78),
        ("Week 4", "Better by 30 %", 8, 20, 0.4, 0.22, 0.61),
        ("Week 4", "Worse by 5 points", None, None, None, None, None),
    ]
    assert "Figures of fewer than 3 participants are blank." in text(opened("outcomes"))


def test_a_scale_of_one_threshold_has_no_chart_of_thresholds(study, monkeypatch):
    use(monkeypatch, study)
    assert "Responders by each threshold" not in [one.value for one in opened("outcomes").header]


def test_ups_and_downs_are_apart_from_differences_between_people(full, monkeypatch):
    use(monkeypatch, full)
    at = opened("outcomes")
    _, data = chart(at, "Dots of 4 visits")
    found = [(row["steps_within"], row["points"]) for row in data["dots"]]
    assert found == [(-500.0, -4.0), (500.0, 4.0), (0.0, 1.5), (0.0, -1.5)]
    _, data = chart(at, "Dots of 2 participants")
    assert [(row["steps_own_mean"], row["mean_score"]) for row in data["dots"]] == [
        (4500.0, 54.0),
        (6000.0, 42.5),
    ]
    assert "+8.00 points for 1,000 steps a day more. 95 % interval -1.50 to +17.50." in text(at)
    assert "**Between participants:** too few to tell." in text(at)


def test_the_subgroup_stands_side_by_side(full, monkeypatch):
    use(monkeypatch, full)
    _, data = chart(opened("outcomes"), "Mean Function by visit with 95 % intervals, 0 to 100, hig")
    assert {row["cohort"]: row["mean_score"] for row in data["cohorts"]} == {
        "Depression or anxiety": 58.0,
        "Neither": 46.0,
    }


def test_a_wear_rule_that_moves_a_conclusion_is_named(full, monkeypatch):
    use(monkeypatch, full)
    assert "Yes, under: Eight hours of wear." in text(opened("outcomes"))


def test_by_arm_and_sessions_are_for_opened_arms_alone(full, monkeypatch):
    use(monkeypatch, full)
    masked = opened("outcomes")
    assert "Here everybody is pooled." in text(masked)
    assert "By arm" not in [header.value for header in masked.header]
    use(monkeypatch, full, role="unblinded_statistician")
    still_masked = opened("outcomes")
    assert "By arm" not in [header.value for header in still_masked.header]
    open_arms = opened("outcomes", why="interim look")
    assert "By arm" in [header.value for header in open_arms.header]


def test_the_shown_sql_gives_the_shown_numbers(full, monkeypatch):
    use(monkeypatch, full)
    at = about(about(opened("outcomes")))  # the second opens what the first has brought
    assert_shown_sql(at, full / "published" / "warehouse.duckdb", least=10)


def test_an_empty_study_says_what_to_wait_for(tmp_path, monkeypatch):
    write_study(tmp_path)
    publish_rows(tmp_path, empty_rows())
    use(monkeypatch, tmp_path)
    at = opened("outcomes")
    assert "Figures appear with the first answers." in text(at)
    assert metrics(at) == {}


def test_a_cohort_without_answers_says_so(tmp_path, monkeypatch):
    small_study(tmp_path)
    use(monkeypatch, tmp_path)
    assert "No visit of this cohort has come due yet" in text(
        opened("outcomes", cohort="Site: Southampton")
    )
