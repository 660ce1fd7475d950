"""The outcomes page shows the figures of the published file, and no others."""

from support.pages import chart, opened, text, use


def test_outcomes_say_mean_interval_range_and_direction(study, monkeypatch):
    use(monkeypatch, study)
    at = opened("outcomes")
    spec, data = chart(at, "Mean Function by visit")
    drawn = [(r["visit"], r["mean_score"], r["score_ci_low"]) for r in data["visits"]]
    assert drawn == [("Baseline", 48.0, 41.0), ("Week 4", 54.0, 46.0)]
    assert spec["layer"][1]["encoding"]["y"]["scale"]["domain"] == [0.0, 100.0]
    assert [s.value for s in at.subheader] == [
        "Function",
        "Pain",
        "Fear-avoidance, physical activity",
    ]
    assert "0 to 100, higher is better." in text(at)
    assert "0 to 10, lower is better." in text(at)


def test_responders_come_as_n_of_n_with_an_interval(study, monkeypatch):
    use(monkeypatch, study)
    assert (
        "Responders at Week 4 (better by 5 points or more): **2 of 3**, 67 % "
        "(95 % interval 21 % to 94 %)." in text(opened("outcomes"))
    )


def test_a_small_cell_stays_blank_and_says_so(study, monkeypatch):
    use(monkeypatch, study)
    at = opened("outcomes")
    _, data = chart(at, "Mean Fear-avoidance")
    assert [row["mean_score"] for row in data["visits"]] == [None]
    assert "Figures of fewer than 3 participants are blank." in text(at)
