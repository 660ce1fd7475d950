"""The flow page: recruitment, the boxes of a paper, what came, who is missing, the uptake."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from support.pages import about, assert_shown_sql, chart, fields_without_data, opened, text, use
from support.published import empty_rows, publish_rows, write_study
from support.published_monitoring import EVERYONE, HAIFA, monitored_rows, monitored_study

from dashboard.charts import boxes
from dashboard.queries import flow as queries
from warehouse.publish import open_published

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("monitored")
    monitored_study(home)
    return home


@pytest.fixture(scope="module")
def stages(monitored) -> list[dict[str, object]]:
    con = open_published(monitored / "published" / "warehouse.duckdb")
    found = queries.stages(con, "all", "all").rows
    con.close()
    return found


def alts(at) -> list[str]:
    """The alternative texts of the pictures."""
    return [image.alt for one in at.image for image in one.proto.imgs]


def visits_of(at) -> list[dict[str, object]]:
    """The table of visits beside the boxes."""
    [found] = [one.value for one in at.dataframe if "visit_due" in one.value.columns]
    return found.to_dict("records")


def test_recruitment_is_drawn_beside_its_plan(monitored, monkeypatch):
    use(monkeypatch, monitored)
    at = opened("flow")
    spec, data = chart(at, "Steps by calendar week")
    assert [
        (row["week_starts_on"], row["cumulative"], row["planned"]) for row in data["weeks"]
    ] == [
        ("2026-01-26", 12, 10.0),
        ("2026-02-02", 22, 20.0),
    ]
    assert [layer["encoding"]["y"]["field"] for layer in spec["layer"]] == [
        "enrolled",
        "cumulative",
        "planned",
    ]
    assert "22 enrolled, 20 planned by now, data to 11 Feb 2026" in text(at)


def test_recruitment_is_drawn_to_four_weeks_after_its_end(tmp_path, monkeypatch):
    weeks = [
        # of everybody 5 come in the first week and 8 are planned by the second; of Haifa 5, no plan
        {**cohort, "week_starts_on": date(2026, 1, 5) + timedelta(weeks=n), "cumulative": 5,
         "enrolled": 0 if n else 5, "planned": plan and min(4.0 * (n + 1), plan)}
        for n in range(12)
        for cohort, plan in ((EVERYONE, 8.0), (HAIFA, None))
    ]  # fmt: skip
    write_study(tmp_path)
    publish_rows(tmp_path, monitored_rows() | {"recruitment": weeks})
    use(monkeypatch, tmp_path)
    drawn = [chart(opened("flow", **of), "Steps by calendar week")[1]["weeks"]
             for of in ({}, {"site": "Haifa"})]  # fmt: skip
    assert [rows[-1]["week_starts_on"] for rows in drawn] == ["2026-02-09", "2026-03-23"]


def test_without_a_plan_the_page_says_how_to_have_one(monitored, monkeypatch):
    use(monkeypatch, monitored)
    at = opened("flow", site="Haifa")
    spec, data = chart(at, "Steps by calendar week")
    assert [row["cumulative"] for row in data["weeks"]] == [10, 10]
    assert len(spec["layer"]) == 2
    assert "give `planned` of each site and `recruitment_ends_on` in study.toml" in text(at)


def test_the_boxes_hold_the_counts_of_the_file(stages):
    told = [box.lines for box in boxes.boxes_of(stages)]
    assert told == [
        ("Enrolled: 22", "Study day 1 has come: 22", "Connected a wearable: 21"),
        ("Baseline. Due: 22", "All answers came: 19", "Some came: 2", "None came, none can: 1",
         "None yet: 0"),
        ("Week 4. Due: 18", "All answers came: 6", "Some came: 0", "None came, none can: 0",
         "None yet: 12"),
        ("Withdrew at any time: 2",),
        ("In the study now: 20",),
    ]  # fmt: skip


def test_the_visits_that_have_come_due_stand_beside_the_boxes(monitored, monkeypatch):
    use(monkeypatch, monitored)
    rows = visits_of(opened("flow"))
    assert [tuple(row.values()) for row in rows] == [
        ("All sites", "Baseline", 22, 19, 2, 1, 0, 86),
        ("All sites", "Week 4", 18, 6, 0, 0, 12, 100),
    ]
    use(monkeypatch, monitored, "unblinded_statistician")
    rows = visits_of(opened("flow", why="interim review by the board"))
    assert [(row["cohort"], row["visit"], row["visit_due"]) for row in rows] == [
        ("ETMI", "Baseline", 12),
        ("ETMI", "Week 4", 8),
        ("Usual physiotherapy", "Baseline", 10),
        ("Usual physiotherapy", "Week 4", 6),
    ]


def test_the_picture_for_a_paper_is_well_formed_and_holds_every_line(stages):
    column = boxes.Column("Ben & Co <Haifa>", stages)
    root = ET.fromstring(boxes.draw([column, column], "light"))
    lines = [one.text for one in root.iter(f"{SVG}text")]
    assert lines.count("Ben & Co <Haifa>") == 2
    assert lines.count("Enrolled: 22") == 2
    assert lines.count("Week 4. Due: 18") == 2
    assert "22" in root.find(f"{SVG}title").text
    assert not [one for one in root.iter() if one.tag in (f"{SVG}script", f"{SVG}image")]


def test_no_box_lies_on_another_or_outside_the_picture(stages):
    root = ET.fromstring(boxes.draw([boxes.Column("All", stages)], "light"))
    width, height = (float(root.get(name)) for name in ("width", "height"))
    frames = [
        tuple(float(one.get(name)) for name in ("x", "y", "width", "height"))
        for one in root.iter(f"{SVG}rect")
        if one.get("x")
    ]
    assert len(frames) == 5
    assert all(x + wide <= width and y + high <= height for x, y, wide, high in frames)
    edges = sorted((y, y + high) for _, y, _, high in frames)
    assert all(first[1] < second[0] for first, second in pairwise(edges))


def test_the_picture_is_told_in_words_to_who_cannot_see_it(monitored, monkeypatch):
    use(monkeypatch, monitored)
    said = alts(opened("flow"))
    assert len(said) == 1
    assert (
        "All sites. Enrolled: 22, Study day 1 has come: 22, Connected a wearable: 21; "
        "Withdrew at any time: 2; In the study now: 20."
    ) in said[0]


def test_a_blinded_viewer_has_one_flow_and_an_unblinded_one_that_of_each_arm(
    monitored, monkeypatch
):
    use(monkeypatch, monitored)
    assert "ETMI" not in alts(opened("flow"))[0]
    use(monkeypatch, monitored, "unblinded_statistician")
    said = alts(opened("flow", why="interim review by the board"))[0]
    assert "ETMI. Enrolled: 12," in said
    assert "Usual physiotherapy. Enrolled: 10," in said


def test_what_came_is_drawn_by_site_and_by_questionnaire(monitored, monkeypatch):
    use(monkeypatch, monitored)
    at = opened("flow")
    spec, data = chart(at, "Cells: share of answers that came, site by visit")
    [figures] = [one for one in spec["layer"] if one["mark"]["type"] == "text"]
    blank_is_not_written = [{"filter": "isValid(datum.received_of_closed)"}]
    assert figures["transform"] == blank_is_not_written
    shown = {(row["site"], row["visit"]): row["received_of_closed"] for row in data["cells"]}
    assert shown == {
        ("All sites", "Baseline"): 0.8,
        ("All sites", "Week 4"): None,
        ("Haifa", "Baseline"): 0.96,
        ("Southampton", "Baseline"): None,
    }
    _, data = chart(at, "Cells: share of answers that came, questionnaire by visit")
    assert [(row["scale"], row["received_of_closed"]) for row in data["cells"]] == [
        ("Function", 0.9)
    ]
    assert "Figures of fewer than 3 participants are blank." in text(at)


def test_a_site_of_the_address_has_its_own_questionnaires(monitored, monkeypatch):
    use(monkeypatch, monitored)
    _, data = chart(opened("flow", site="Haifa"), "Cells: share of answers that came, quest")
    assert [row["received_of_closed"] for row in data["cells"]] == [1.0]


def test_of_all_due_is_another_denominator(monitored, monkeypatch):
    use(monkeypatch, monitored)
    spec, data = chart(opened("flow", of="Of all due"), "Cells: share of answers that came, site")
    assert spec["layer"][0]["encoding"]["color"]["field"] == "received_of_due"
    assert [row["received_of_due"] for row in data["cells"] if row["visit"] == "Week 4"] == [0.25]


def test_people_with_every_answer_are_not_told_by_questionnaire(monitored, monkeypatch):
    use(monkeypatch, monitored)
    said = text(opened("flow", of="People with every answer"))
    assert "counted over all questionnaires together" in said


def test_who_is_missing_stands_beside_who_is_not(monitored, monkeypatch):
    use(monkeypatch, monitored)
    at = opened("flow")
    _, data = chart(at, "Points: difference between people with missing")
    assert [(row["trait"], row["standardised_difference"]) for row in data["traits"]] == [
        ("Age, years", 0.6),
        ("Baseline score: Function", -0.3),
    ]
    shown = next(one.value for one in at.dataframe if "incomplete_mean" in one.value.columns)
    assert shown["complete_mean"].tolist() == [50.0, 40.0]
    assert shown["incomplete_n"].tolist() == [5, 5]


def test_where_nobody_can_be_compared_the_page_says_so(monitored, monkeypatch):
    use(monkeypatch, monitored)
    assert "Nothing to compare" in text(opened("flow", site="Haifa"))


def test_how_the_treatment_is_taken_up_is_for_the_unblinded(monitored, monkeypatch):
    use(monkeypatch, monitored)
    masked = opened("flow")
    assert "would tell the arms: only an unblinded role sees them" in text(masked)
    assert not [one for one in masked.dataframe if "fidelity" in one.value.columns]
    use(monkeypatch, monitored, "unblinded_statistician")
    at = opened("flow", why="interim review by the board")
    shown = next(one.value for one in at.dataframe if "fidelity" in one.value.columns)
    assert shown["kind"].tolist() == ["Everyone", "Site", "Therapist"]
    assert shown["name"].fillna("").tolist() == ["", "Haifa", "T01"]
    assert shown["reach"].tolist()[:2] == [50, 80]
    assert shown["fidelity"].tolist()[0] == 80


@pytest.mark.parametrize("role", [None, "unblinded_statistician"])
def test_each_shown_sql_gives_the_shown_numbers(monitored, monkeypatch, role):
    use(monkeypatch, monitored, role)
    at = about(opened("flow", why="interim review by the board" if role else ""))
    file = monitored / ("unblinded" if role else "published") / "warehouse.duckdb"
    assert_shown_sql(at, file, least=5)


def test_every_field_a_chart_draws_is_in_its_data(monitored, monkeypatch):
    use(monkeypatch, monitored)
    assert fields_without_data(opened("flow")) == []


def test_nobody_discharged_is_seen_by_the_blinded(monitored, monkeypatch):
    use(monkeypatch, monitored)
    _, data = chart(opened("flow"), "Cells: share of answers that came, site by visit")
    assert "Discharge" not in {row["visit"] for row in data["cells"]}


def test_a_study_without_participants_says_what_to_do(tmp_path, monkeypatch):
    write_study(tmp_path)
    publish_rows(tmp_path, empty_rows())
    use(monkeypatch, tmp_path)
    said = text(opened("flow"))
    assert "Nobody is enrolled yet. Add a participant" in said
    assert "No questionnaire is due yet" in said


@pytest.mark.parametrize("value", ["Haifa' OR 1=1", "<script>", "%00", "Nowhere", "x" * 2000])
def test_a_hostile_address_shows_every_site(monitored, monkeypatch, value):
    use(monkeypatch, monitored)
    at = opened("flow", site=value, of=value, visit=value)
    assert "22 enrolled" in text(at)


def test_a_site_with_quotes_in_its_name_is_no_other(tmp_path, monkeypatch):
    write_study(tmp_path)
    file = tmp_path / "study.toml"
    file.write_text(file.read_text().replace('label = "Haifa"', 'label = "O\'Haifa $x --"'))
    publish_rows(tmp_path, monitored_rows())
    use(monkeypatch, tmp_path)
    at = about(opened("flow", site="O'Haifa $x --"))
    _, data = chart(at, "Cells: share of answers that came, site by visit")
    assert "O'Haifa $x --" in {row["site"] for row in data["cells"]}
    assert_shown_sql(at, tmp_path / "published" / "warehouse.duckdb", least=3)


@pytest.mark.parametrize(
    ("sites", "address", "said", "shown"),
    [
        ('["haifa"]', {}, "10 enrolled", {"Haifa"}),
        ('["southampton", "haifa"]', {}, "Southampton is shown. Choose", {"Haifa", "Southampton"}),
        ('["southampton", "haifa"]', {"site": "Haifa"}, "10 enrolled", {"Haifa", "Southampton"}),
    ],
)
def test_a_viewer_of_some_sites_sees_those_alone(
    tmp_path, monkeypatch, sites, address, said, shown
):
    write_study(tmp_path)
    file = tmp_path / "study.toml"
    role = 'code = "coordinator"\nsees_arms = false\n'
    assert role in file.read_text()
    file.write_text(file.read_text().replace(role, f"{role}sites = {sites}\n"))
    publish_rows(tmp_path, monitored_rows())
    use(monkeypatch, tmp_path)
    at = opened("flow", **address)
    assert said in text(at)
    _, data = chart(at, "Cells: share of answers that came, site by visit")
    assert {row["site"] for row in data["cells"]} == shown
