"""The participant page tells one person's story, and only what the role may see."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from support import landed_minutes
from support.pages import about, chart, metrics, opened, text, use
from support.published import publish_rows, small_study, typed_rows, write_study
from support.published_story import story_rows, story_study

from dashboard.scope import open_scoped
from warehouse.contacts import Contact, log_contact
from warehouse.register import Register

TIMELINE = "Bars of daily steps"
UNKNOWN = "No participant of that name in the part of the study you may see."
HOSTILE = [
    "P999",
    "P001' OR '1'='1",
    "'; DROP TABLE participant; --",
    "![x](http://x.test/a)",
    "<b>P001</b>",
    "P" * 5000,
    "p001",
]


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """The typed study with lists, changes, receipts and one landed day (published_story)."""
    home = tmp_path_factory.mktemp("story")
    story_study(home)
    return home


def open_part(at, name: str):
    at.session_state[f"open_{name}"] = True
    return at.run()


def helps(at) -> dict[str, str]:
    return {m.label: m.help.replace("\u00a0", " ").replace("\u202f", " ") for m in at.metric}


def fields_unknown(spec, data, named="") -> list[str]:
    """Fields drawn by any layer, however deep, that its data do not have."""
    named = spec.get("data", {}).get("name", named)
    known = {name for row in data[named] for name in row}
    known |= {made["as"] for made in spec.get("transform", []) if "as" in made}
    own = [] if not data[named] else [f for f in _drawn(spec.get("encoding", {})) if f not in known]
    below = [fields_unknown(layer, data, named) for layer in spec.get("layer", [])]
    return own + [field for part in below for field in part]


def _drawn(part) -> list[str]:
    if isinstance(part, list):
        return [field for item in part for field in _drawn(item)]
    if not isinstance(part, dict):
        return []
    own = [part["field"]] if "field" in part else []
    return own + [field for item in part.values() for field in _drawn(item)]


def layers(spec) -> list[dict]:
    below = [one for layer in spec.get("layer", []) for one in layers(layer)]
    return below or [spec]


# Who, and what to know first


def test_the_key_figures_are_the_participants_own(story, monkeypatch):
    use(monkeypatch, story)
    assert metrics(opened("participant", participant="P001")) == {
        "Site": "Haifa",
        "Study day": "10",
        "Last sync": "Under a day ago",
        "Valid days": "10 of 10",
        "Goal met, last 14 days": "2 of 3",
        "Function, change": "+8.0 better",
        "Pain, change": "+1.0 worse",
    }


def test_a_day_ago_is_one_day(story, monkeypatch):
    use(monkeypatch, story)
    assert metrics(opened("participant", participant="P002"))["Last sync"] == "1 day ago"


def test_a_figure_says_its_n_date_unit_and_direction(story, monkeypatch):
    use(monkeypatch, story)
    told = helps(opened("participant", participant="P001"))
    assert told["Valid days"] == (
        "Days with enough wear, of 10 eligible days; data to 11 Feb 2026. Higher is better."
    )
    assert told["Pain, change"] == (
        "7.0 at Week 4 (11 Feb 2026), 6.0 at baseline: change in points, n = 1. "
        "Lower is better. A change of 2 points matters."
    )
    # 04:30 UTC is 06:30 in the participant's own zone.
    assert "12 Feb 2026, 06:30 (Asia/Jerusalem)" in told["Last sync"]


def test_a_participant_without_a_single_row_breaks_no_page(tmp_path, monkeypatch):
    rows = typed_rows()
    new = {**rows["participant"][0], "participant_id": "P004", "starts_on": date(2026, 3, 2)}
    write_study(tmp_path)
    publish_rows(tmp_path, {**rows, "participant": [*rows["participant"], new]})
    use(monkeypatch, tmp_path)
    at = opened("participant", participant="P004")
    assert set(metrics(at).values()) == {"Haifa", "Never", "\u2013"}
    assert "Study day 1 has not come yet." in text(at)
    assert "Never connected: no source has been linked" in text(at)


@pytest.mark.parametrize(
    ("until", "said"),
    [(None, "paused since 5 Feb 2026."), (date(2026, 2, 7), "paused 5 Feb 2026 to 7 Feb 2026.")],
)
def test_a_pause_says_whether_it_is_over(tmp_path, monkeypatch, until, said):
    rows = typed_rows()
    away = {**rows["participant"][0], "paused_from": date(2026, 2, 5), "paused_to": until}
    write_study(tmp_path)
    publish_rows(tmp_path, {**rows, "participant": [away, *rows["participant"][1:]]})
    use(monkeypatch, tmp_path)
    assert said in text(opened("participant", participant="P001"))


def test_a_lost_permission_comes_with_its_next_step(story, monkeypatch):
    use(monkeypatch, story)
    said = text(opened("participant", participant="P002"))
    # 09:00 UTC is 11:00 in the participant's own zone.
    assert "Permission withdrawn** since 10 Feb 2026, 11:00" in said
    assert "Next step: Ask the participant to connect again." in said
    assert "On the work list: Reconnect (since 9 Feb 2026), Call: not worn" in said


def test_what_is_held_back_is_said_to_be(story, monkeypatch):
    use(monkeypatch, story)
    said = text(opened("participant", participant="P003"))
    assert "On the work list: Connect the device (held back)." in said


# The days, and what goes with them


def test_the_timeline_holds_every_day_with_its_group(study, monkeypatch):
    use(monkeypatch, study)
    _, data = chart(opened("participant", participant="P002"), TIMELINE)
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


def test_zero_steps_missing_steps_and_provisional_days_are_drawn_apart(study, monkeypatch):
    use(monkeypatch, study)
    spec, _ = chart(opened("participant", participant="P002"), TIMELINE)
    filters = [
        part["filter"]
        for layer in layers(spec)
        for part in layer.get("transform", [])
        if isinstance(part.get("filter"), str) and "steps" in part["filter"]
    ]
    assert filters == ["isValid(datum.steps)", "!isValid(datum.steps)", "datum.steps === 0"]
    shade = [
        one for one in layers(spec) if one.get("transform") == [{"filter": "datum.provisional"}]
    ]
    assert len(shade) == 1


def test_all_panels_share_one_axis_of_days(story, monkeypatch):
    use(monkeypatch, story)
    spec, _ = chart(opened("participant", participant="P001"), TIMELINE)
    domains = [
        layer["encoding"]["x"]["scale"]["domain"]
        for layer in layers(spec)
        if "domain" in layer["encoding"].get("x", {}).get("scale", {})
    ]
    # The first answer, 1 February, to the day after the tenth study day, 11 February.
    first = {"year": 2026, "month": 2, "date": 1, "utc": True}
    last = {"year": 2026, "month": 2, "date": 12, "utc": True}
    assert domains == [[first, last]]
    assert spec["resolve"]["scale"]["y"] == "independent"


def test_panels_lie_below_each_other(story, monkeypatch):
    use(monkeypatch, story)
    spec, _ = chart(opened("participant", participant="P001"), TIMELINE)
    ranges = {
        tuple(layer["encoding"]["y"]["scale"]["range"])
        for layer in layers(spec)
        if "range" in layer["encoding"].get("y", {}).get("scale", {})
    }
    from_top = sorted((top, bottom) for bottom, top in ranges)
    assert len(from_top) == 5  # steps, cadence, function, pain, fear-avoidance
    assert all(above[1] < below[0] for above, below in pairwise(from_top))
    assert from_top[-1][1] < spec["height"]


def test_each_scale_stands_over_its_band_and_says_its_direction(story, monkeypatch):
    use(monkeypatch, story)
    spec, data = chart(opened("participant", participant="P001"), TIMELINE)
    assert data["marks"] == [
        {"scale": "FUNC", "low": 45.0, "high": 55.0, "reaches": None},
        {"scale": "NPRS", "low": 4.0, "high": 8.0, "reaches": 8.0},
        {"scale": "FABQPA", "low": None, "high": None, "reaches": None},
    ]
    titles = [one["mark"]["text"] for one in layers(spec) if "text" in one["mark"]]
    assert "higher is better \u2191 \u00b7 band \u00b1 5 points" in titles
    assert ("lower is better \u2193 \u00b7 band \u00b1 2 points \u00b7 dashed: call at 8") in titles
    drawn = [
        (row["scale"], row["visit"], row["score"], row["answered_on"]) for row in data["scores"]
    ]
    assert ("FUNC", "Week 4", 58.0, date(2026, 2, 11)) in drawn
    assert ("FABQPA", "Baseline", None, None) in drawn


def test_minutes_by_cadence_are_apart_from_each_other(story, monkeypatch):
    use(monkeypatch, story)
    _, data = chart(opened("participant", participant="P001"), TIMELINE)
    # 12 at the moderate cadence or above, 5 of them at the vigorous one.
    assert {(row["moderate_minutes"], row["vigorous_minutes"]) for row in data["days"]} == {(7, 5)}


def test_every_drawn_field_is_in_its_data(story, monkeypatch):
    use(monkeypatch, story)
    for who in ("P001", "P002", "P003"):
        assert fields_unknown(*chart(opened("participant", participant=who), TIMELINE)) == []
    at = opened("participant", participant="P001", day="2026-02-10")
    assert fields_unknown(*chart(at, "Bars of steps in each minute")) == []


def test_a_panel_without_any_minutes_says_so(story, monkeypatch):
    use(monkeypatch, story)
    none = "No minutes are known on any of these days."
    for who, says_so in (("P001", False), ("P003", True)):  # P003 never connected
        spec, _ = chart(opened("participant", participant=who), TIMELINE)
        assert (none in str(spec)) is says_so


def test_visits_are_marked_with_their_windows(study, monkeypatch):
    use(monkeypatch, study)
    _, data = chart(opened("participant", participant="P001"), TIMELINE)
    assert data["visits"] == [
        {
            "visit": "Baseline",
            "target_on": date(2026, 2, 2),
            "opens_on": date(2026, 1, 5),
            "after_close": date(2026, 2, 3),
            "late": False,
        },
        {
            "visit": "Week 4",
            "target_on": date(2026, 3, 2),
            "opens_on": date(2026, 2, 15),
            "after_close": date(2026, 3, 16),
            "late": True,  # its name stands left of its day
        },
    ]


def test_another_device_is_a_sign_and_no_change_of_source(story, monkeypatch):
    use(monkeypatch, story)
    at = opened("participant", participant="P001")
    _, data = chart(at, TIMELINE)
    assert data["events"] == [
        {"on": date(2026, 2, 8), "kind": "device", "told": "Charge 6 after Inspire 3"}
    ]
    assert "Signs below the steps: \u25a0 another device." in text(at)
    assert "Compare across a change of source" not in text(at)


def test_another_source_is_a_sign_and_the_bridge_says_what_it_changed(tmp_path, monkeypatch):
    rows = story_rows()
    rows["participant_day"] = [
        {**one, "source": "fitbit"}
        if one["participant_id"] == "P001" and one["activity_date"] < date(2026, 2, 7)
        else one
        for one in rows["participant_day"]
    ]
    rows["bridge"] = [
        {"measure": "steps", "from_source": "fitbit", "to_source": "google_health",
         "participants": 9, "days": 31, "first_on": date(2026, 2, 2),
         "last_on": date(2026, 2, 6), "mean_difference": -12.4, "difference_sd": 116.0,
         "limit_low": -239.8, "limit_high": 215.0}
    ]  # fmt: skip
    write_study(tmp_path)
    publish_rows(tmp_path, rows)
    use(monkeypatch, tmp_path)
    at = opened("participant", participant="P001")
    assert [(one["kind"], one["told"]) for one in chart(at, TIMELINE)[1]["events"]] == [
        ("source", "Google Health after Fitbit"),
        ("device", "Charge 6 after Inspire 3"),
    ]
    assert (
        "Google Health counts 12 steps a day fewer than Fitbit on 31 days that both have, of 9 "
        "participants (limits of agreement \u2212240 to +215)."
    ) in text(at)


def test_a_contact_is_a_sign_on_its_local_day_and_a_snooze_is_none(tmp_path, monkeypatch):
    story_study(tmp_path)
    late = datetime(2026, 2, 9, 22, 30, tzinfo=UTC)  # 00:30 on the 10th in Jerusalem
    with closing(Register(f"sqlite:///{tmp_path}/register.sqlite")) as register:
        said = "<b>flat</b> battery ![x](http://x.test/a)"
        both = ("battery_low", "not_worn")
        log_contact(register, Contact("P001", both, late, "ana", "phone", "reached", said))
        log_contact(register, Contact("P002", ("not_worn",), late, "ana", "phone", "no_answer"))
        off = Contact("P001", ("not_worn",), late, "bo", "none", "snoozed", "", date(2026, 2, 20))
        log_contact(register, off)
    use(monkeypatch, tmp_path)
    at = opened("participant", participant="P001")
    events = [one for one in chart(at, TIMELINE)[1]["events"] if one["kind"] == "contact"]
    assert events == [
        {"on": date(2026, 2, 10), "kind": "contact", "told": "Contact: Phone, reached"}
    ]
    at = open_part(at, "contacts")
    told = [one.value for one in at.text]
    assert (
        "10 Feb 2026, 00:30 \u00b7 ana \u00b7 Contact: Phone, reached \u00b7 Ask to charge" in told
    )
    assert said in told  # as plain text, which is read as nothing else
    assert not any("Put off" in one or "no answer" in one for one in told)


def test_sessions_are_for_those_who_may_see_arms(story, monkeypatch):
    use(monkeypatch, story, role="unblinded_statistician")
    at = opened("participant", why="interim look", participant="P001")
    assert "arm ETMI" in text(at)
    kinds = [one["kind"] for one in chart(at, TIMELINE)[1]["events"]]
    assert kinds == ["device", "session"]
    assert "session_number" in open_part(at, "sessions").dataframe[-1].value
    use(monkeypatch, story, role="coordinator")
    at = opened("participant", why="interim look", participant="P001")
    assert "ETMI." not in text(at)
    assert [one["kind"] for one in chart(at, TIMELINE)[1]["events"]] == ["device"]
    assert "Treatment sessions" not in [box.label for box in at.get("expander")]


# One after another


def test_previous_and_next_walk_from_the_worst(study, monkeypatch):
    use(monkeypatch, study)
    at = opened("participant")
    assert at.header[0].value == "P003"
    assert "1 of 3, worst first" in text(at)
    assert at.button(key="previous").disabled
    at.button(key="next").click().run()
    assert at.query_params["participant"] == "P002"
    at.button(key="next").click().run()
    assert at.header[0].value == "P001"
    assert at.button(key="next").disabled
    at.button(key="previous").click().run()
    assert at.header[0].value == "P002"


def test_they_stay_within_the_queue_and_the_site_of_the_address(story, monkeypatch):
    use(monkeypatch, story)
    at = opened("participant", queue="reconnect")
    assert (at.header[0].value, at.query_params["queue"]) == ("P002", "reconnect")
    assert "1 of 1, worst first" in text(at)  # P003 is held back
    at = opened("participant", site="Haifa")
    assert "1 of 2, worst first" in text(at)
    at.button(key="next").click().run()
    assert at.query_params["site"] == "Haifa"


def test_who_is_not_on_the_list_is_shown_all_the_same(story, monkeypatch):
    use(monkeypatch, story)
    at = opened("participant", participant="P001", queue="reconnect")
    assert at.header[0].value == "P001"
    assert "Not on this list of 1; Next opens its first." in text(at)
    at.button(key="next").click().run()
    assert at.header[0].value == "P002"


def test_who_was_called_today_is_no_longer_on_the_queue(tmp_path, monkeypatch):
    story_study(tmp_path)
    now = datetime.now(UTC)
    with closing(Register(f"sqlite:///{tmp_path}/register.sqlite")) as register:
        log_contact(
            register, Contact("P002", ("consent_lost",), now, "ana", "phone", "reached", "")
        )
    use(monkeypatch, tmp_path)
    assert "Nobody is on this list now." in text(opened("participant", queue="reconnect"))


def test_the_list_chosen_goes_to_the_address(story, monkeypatch):
    use(monkeypatch, story)
    at = opened("participant")
    at.selectbox(key="list_").select("charge").run()
    assert at.query_params["queue"] == "charge"
    assert at.header[0].value == "P001"
    at.selectbox(key="list_charge").select("").run()
    assert "queue" not in at.query_params


@pytest.mark.parametrize("asked", HOSTILE)
def test_an_unknown_participant_is_said_plainly_and_not_repeated(study, monkeypatch, asked):
    use(monkeypatch, study)
    at = opened("participant", participant=asked, queue=asked, day=asked, site=asked)
    assert [e.value for e in at.error] == [UNKNOWN]
    assert asked not in text(at)
    assert at.header[0].value == "P003"  # the first of everybody, as without any address


def test_anothers_participant_is_as_unknown_as_nobody(tmp_path, monkeypatch):
    story_study(tmp_path)
    study = tmp_path / "study.toml"
    role = '\n[[roles]]\ncode = "south"\nsees_arms = false\nsites = ["southampton"]\nmay = []\n'
    first = '\n[[roles]]\ncode = "coordinator"\n'
    study.write_text(study.read_text().replace(first, role + first))
    use(monkeypatch, tmp_path, role="south")
    at = opened("participant", participant="P001", day="2026-02-10")
    assert [e.value for e in at.error] == [UNKNOWN]
    assert at.header[0].value == "P003"
    assert len(at.get("vega_lite_chart")) == 1  # no minutes of anybody
    at.text_input(key="find_participant").set_value("P001").run()
    assert [e.value for e in at.error].count(UNKNOWN) == 2
    at.text_input(key="find_participant").set_value("p003").run()
    assert at.query_params["participant"] == "P003"
    assert not at.error


# The box on every page


def test_the_box_on_every_page_opens_a_participant(study, monkeypatch):
    use(monkeypatch, study)
    at = opened("health")
    at.text_input(key="find_participant").set_value(" p002 ").run()
    assert (at.title[0].value, at.header[0].value) == ("Participant", "P002")
    assert at.text_input(key="find_participant").value == ""


@pytest.mark.parametrize("asked", [*HOSTILE[:-1], "%", "P00_"])
def test_the_box_says_nothing_of_who_is_unknown(study, monkeypatch, asked):
    use(monkeypatch, study)
    at = opened("health")
    at.text_input(key="find_participant").set_value(asked[:100]).run()
    assert at.title[0].value == "Data health"
    assert at.error[0].value == UNKNOWN
    assert asked[:100] not in text(at)


# What is told on request


def test_what_changed_late_is_told_in_words(story, monkeypatch):
    use(monkeypatch, story)
    said = text(open_part(opened("participant", participant="P001"), "revisions"))
    said = said.replace("\u202f", " ")
    assert (
        "- 9 Feb 2026: from 4 000 to 6 500 steps, 1 day after the day, 11 Feb 2026, 07:00 UTC: "
        "a later sync filled it in."
    ) in said
    assert "- 8 Feb 2026: from 700 to 900 minutes worn, 2 days after the day" in said
    assert "the vendor restated it." in said
    assert "- 7 Feb 2026: the same sums, other minutes, less than a day after the day" in said


def test_receipts_say_what_was_asked_and_why_nothing_came(story, monkeypatch):
    use(monkeypatch, story)
    at = open_part(opened("participant", participant="P001"), "receipts")
    told = at.dataframe[-1].value
    assert told["what_came"].tolist() == [
        "Not synced yet: the device has not sent these days", "Data came",
    ]  # fmt: skip
    assert told["received"].tolist() == [0, 120]
    assert set(told["source"]) == {"Google Health"}


def test_outcomes_by_visit_say_their_status_and_direction(story, monkeypatch):
    use(monkeypatch, story)
    table = open_part(opened("participant", participant="P001"), "outcomes").dataframe[-1].value
    assert table[["visit", "label", "better", "status"]].values.tolist() == [
        ["Baseline", "Fear-avoidance, physical activity", "lower", "Overdue"],
        ["Baseline", "Function", "higher", "Received"],
        ["Baseline", "Pain", "lower", "Received"],
        ["Week 4", "Function", "higher", "Received"],
        ["Week 4", "Pain", "lower", "Received"],
    ]


def test_the_device_and_its_last_sync_are_told(story, monkeypatch):
    use(monkeypatch, story)
    said = text(open_part(opened("participant", participant="P001"), "about_link"))
    assert "Device Inspire 3: last sync 12 Feb 2026, 06:30, battery 62 %" in said


def test_nothing_of_the_tables_is_asked_before_it_is_opened(story, monkeypatch):
    use(monkeypatch, story)
    at = opened("participant", participant="P001")
    assert len(at.dataframe) == 0


def test_the_shown_sql_gives_the_shown_numbers(story, monkeypatch):
    use(monkeypatch, story)
    at = opened("participant", participant="P001", day="2026-02-10")
    for name in ("outcomes", "revisions", "receipts"):
        at.session_state[f"open_{name}"] = True
    at = about(at.run())
    told = {
        box.proto.id.rpartition("-about_")[2]: box.code[0].value
        for box in at.get("expander")
        if "-about_" in box.proto.id
    }
    assert set(told) == {
        "facts", "timeline_P001", "minutes", "outcomes", "revisions", "receipts",
    }  # fmt: skip
    with closing(open_scoped(story / "published" / "warehouse.duckdb", ())) as con:
        found = {name: con.sql(sql).to_arrow_table().to_pylist() for name, sql in told.items()}
    assert [row["steps"] for row in found["timeline_P001"]] == [
        row["steps"] for row in chart(at, TIMELINE)[1]["days"]
    ]
    assert found["facts"][0]["first_change"] == 8.0
    assert [row["received"] for row in found["receipts"]] == [0, 120]
    assert len(found["outcomes"]) == 5
    assert len(found["revisions"]) == 3
    assert found["minutes"][0]["row_hash"] == landed_minutes.HASH


def test_a_register_that_cannot_be_read_leaves_the_page_standing(tmp_path, monkeypatch):
    small_study(tmp_path)
    (tmp_path / "register.sqlite").write_bytes(b"this is no database" * 100)
    use(monkeypatch, tmp_path)
    at = opened("participant", participant="P001")
    assert "The contacts cannot be read now" in text(at)
    assert len(chart(at, TIMELINE)[1]["days"]) == 10
