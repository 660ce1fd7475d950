"""Today: the verdict, the counts, who needs a person, and what is logged of it."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest
from support.pages import about, chart, fields_without_data, metrics, opened, shown_sql, text, use
from support.published import PARTICIPANTS, empty_rows, publish_rows, write_study
from support.published_today import (
    CLUSTER,
    CONNECTIONS,
    ITEMS,
    LABELS,
    LOAD,
    item,
    today_study,
)

from dashboard import words
from dashboard.worklist import Person, flat, rows
from warehouse import register as reg
from warehouse.contacts import CHANNELS, OUTCOMES, Contact, assign, history, log_contact
from warehouse.publish import open_published
from warehouse.register import Register
from warehouse.tables.derived.work import REASONS, WORK_QUEUES

NOW = datetime(2026, 2, 12, 5, tzinfo=UTC)
LONG_AGO = date(2026, 2, 3)
ME = "local user (no sign-in)"
OTHER = Contact("P002", ("consent_lost",), NOW, "noa", "phone", "reached", "asked for a link")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The typed trial with its work, at five in the morning of its build."""
    monkeypatch.setenv("STEPWELL_CLOCK_URL", "http://pretend")
    today_study(tmp_path)
    use(monkeypatch, tmp_path)
    return tmp_path


def register_of(home):
    return closing(Register(f"sqlite:///{home}/register.sqlite"))


def contacts_of(home, who: str) -> list[tuple[str, str, str, str]]:
    with register_of(home) as register:
        rows = history(register, who)
    return [(row["reason"], row["who"], row["outcome"], row["note"] or "") for row in rows]


def ids(at: AppTest) -> list[str]:
    """Who is in the list, in its order; nobody where there is no list."""
    found = [d.value for d in at.dataframe if "action" in d.value]
    return list(found[0]["participant_id"]) if found else []


def columns(at: AppTest) -> list[str]:
    """The columns that the list shows."""
    return list(next(d for d in at.dataframe if "action" in d.value).proto.column_order)


def select(at: AppTest, who: str) -> AppTest:
    """Select a participant's row of the list."""
    key = next(d for d in at.dataframe if "action" in d.value).proto.id.rpartition("-")[2]
    rows = {"rows": [ids(at).index(who)], "columns": [], "cells": []}
    at.session_state[key] = {"selection": rows}
    return at.run()


def button(at: AppTest, label: str):
    return next(one for one in at.button if one.label == label)


def test_the_top_line_says_what_is_not_the_participants_doing(home):
    said = text(opened("today"))
    assert "You can trust today's list, with care" in said
    assert "Held back: 1. We could not read their data" in said
    assert "Google Health: last answered 12 Feb 2026, 04:45 UTC" in said


def test_with_nothing_the_matter_the_data_can_be_trusted(home):
    today_study(home, work_item=ITEMS[:1])
    assert "You can trust today's data." in opened("today").success[0].value


def test_old_data_and_a_silent_source_forbid_the_list(home, monkeypatch):
    behind = CONNECTIONS[0] | {"last_pulled_at": datetime(2026, 2, 10, 16, 59, tzinfo=UTC)}
    today_study(home, **{"ops.connection": [behind, CONNECTIONS[1]]})
    said = text(opened("today"))
    assert "Do not call from this list yet" in said
    assert "Google Health last answered on 10 Feb 2026, 16:59 UTC, more than 36 hours ago" in said
    monkeypatch.delenv("STEPWELL_CLOCK_URL")  # now it is much later than the build
    assert "as known on 12 Feb 2026, 05:00 UTC, more than 36 hours ago" in text(opened("today"))


def test_many_quiet_at_once_are_one_sentence_and_none_of_them_is_listed(home):
    quiet = item("P002", "not_synced", "call", 12, "amber", cluster_id=1, days=3,
                 source="google_health", held_because="cluster")  # fmt: skip
    today_study(home, work_item=[quiet, ITEMS[2]], work_cluster=[CLUSTER])
    at = opened("today")
    assert "Devices that fell silent within the same hours: 1 (9 Feb 2026, 02:00 to" in text(at)
    assert "They are listed one by one from 14 Feb 2026, 05:00 UTC" in text(at)
    assert ids(at) == ["P003"]


def test_the_counts_are_of_those_expected_to_report(home):
    # P001 and P002 synced within 48 hours; of days 4 to 10 P001 has 7 of 7 valid, P002 3 of 6
    # eligible (one waits for a sync), P003, never connected, 0 of 7.
    assert metrics(opened("today")) == {
        "In follow-up": "3",
        "Need a person": "3",
        "Synced in 48 hours": "67 %",
        "Valid days, last 7": "50 %",
        "Questionnaire overdue": "1",
    }


def test_the_list_has_a_row_per_person_the_most_pressing_first(home):
    shown = opened("today").dataframe[0].value
    assert list(shown["participant_id"]) == ["P002", "P001", "P003"]
    assert list(shown["action"]) == ["Reconnect", "Ask for the answers", "Connect the device"]
    assert shown["why"][0] == "No permission to read since 10 Feb 2026: permission withdrawn."
    assert shown["why"][1] == (
        "Baseline questionnaire overdue: 10 days past its day, open until 2 Mar 2026; still "
        "wearing the device. Battery at 12 % when it last synced, 0 days ago."
    )
    assert list(shown["study_day"]) == [11, 11, 11]
    assert list(shown["days_since_sync"].fillna(-1)) == [1, 0, -1]
    assert list(shown["valid_days"]) == [3, 7, 0]
    assert list(shown["site"]) == ["Haifa", "Haifa", "Southampton"]


def test_a_day_whose_steps_are_not_known_has_no_bar_and_is_not_zero(home):
    steps = opened("today").dataframe[0].value["steps"][0]
    assert list(steps) == [4000, 4000, 4000, 4000, 0, 1200, 3000, 5200]  # of ten days


def test_the_queue_the_site_and_the_owner_are_in_the_address(home):
    with register_of(home) as register:
        assign(register, "P001", "noa", "noa", NOW)
        assign(register, "P003", ME, ME, NOW)
    assert ids(opened("today", queue="reconnect")) == ["P002", "P003"]
    assert "site" in columns(opened("today"))
    at = opened("today", site="Southampton")
    assert ids(at) == ["P003"]
    assert "site" not in columns(at)  # it is the same in every row
    assert ids(opened("today", owner="noa")) == ["P001"]
    assert ids(opened("today", owner="Mine")) == ["P003"]
    assert ids(opened("today", owner="Nobody's")) == ["P002"]
    assert ids(opened("today", queue="coach")) == []


def test_who_comes_back_finds_the_list_they_left(home):
    at = opened("today", queue="reconnect")
    del at.query_params["queue"]  # the bar of pages leads to bare addresses
    at.switch_page("views/participants.py").run()
    at.switch_page("views/today.py").run()
    assert ids(at) == ["P002", "P003"]


def test_the_pills_count_people_by_what_is_to_be_done_next(home):
    pills = opened("today").get("button_group")[0]
    assert pills.options == [
        "All · 3", "Clinical review · 0", "Reconnect · 2", "Call · 0", "Chase answers · 1",
        "Coach · 0", "Charge · 0",
    ]  # fmt: skip


def test_a_row_says_what_to_say_and_that_nobody_has_called(home):
    at = select(opened("today"), "P001")
    said = text(at)
    assert "What to say" in said
    assert "Your Baseline questionnaire is still open" in said
    assert "Also: Battery at 12 %" in said
    assert "No contact yet." in said


def test_a_call_is_logged_and_its_row_leaves_the_list(home):
    at = select(opened("today"), "P002")
    at.text_area(key="contact_note").set_value("Will connect tonight.")
    button(at, "Log the contact").click().run()
    assert contacts_of(home, "P002") == [("consent_lost", ME, "reached", "Will connect tonight.")]
    assert at.success[0].value == "Logged for P002."
    assert ids(at) == ["P001", "P003"]
    assert "2 to do. Contacted or put off, so not listed now: 1." in text(at)
    with register_of(home) as register:
        trail = register.rows(sa.select(reg.audit))
    assert [(row["who"], row["what"], row["subject"]) for row in trail] == [
        (ME, "contact reached", "P002")
    ]


def test_a_contact_about_one_reason_leaves_the_others_listed(home):
    with register_of(home) as register:
        about_wear = Contact("P001", ("wearing_but_overdue",), NOW, "noa", "phone", "reached")
        log_contact(register, about_wear)
    shown = opened("today").dataframe[0].value
    assert list(shown["participant_id"]) == ["P002", "P003", "P001"]
    assert shown["action"][2] == "Ask to charge"
    assert shown["last_contact"][2] == "12 Feb 2026, noa: reached"


def test_a_row_is_put_off_until_a_day(home):
    at = select(opened("today"), "P003")
    at.date_input(key="contact_until").set_value(date(2026, 2, 20))
    button(at, "Put off until that day").click().run()
    assert at.success[0].value == "P003 is put off until 20 Feb 2026."
    assert ids(at) == ["P002", "P001"]
    assert contacts_of(home, "P003") == [("never_connected", ME, "snoozed", "")]


def test_putting_off_without_a_day_says_what_is_missing(home):
    at = select(opened("today"), "P003")
    button(at, "Put off until that day").click().run()
    assert at.error[0].value.startswith("Choose a day under")
    assert contacts_of(home, "P003") == []


def test_whom_nobody_reached_is_tried_again_tomorrow(home):
    at = select(opened("today"), "P003")
    outcome = next(g for g in at.get("button_group") if g.key == "contact_outcome")
    outcome.set_value("no_answer")
    button(at, "Log the contact").click().run()
    assert ids(at) == ["P002", "P001"]
    with register_of(home) as register:
        assert history(register, "P003")[0]["until_on"] == date(2026, 2, 12)


def test_a_second_caller_is_stopped_by_the_first(home):
    at = select(opened("today"), "P002")
    with register_of(home) as register:
        log_contact(register, OTHER)
    button(at, "Log the contact").click().run()
    assert "Not logged: noa has logged a contact at 12 Feb 2026, 05:00 UTC" in text(at)
    assert [row[1] for row in contacts_of(home, "P002")] == ["noa"]


def test_the_panel_warns_of_a_contact_since_it_was_opened_and_the_other_reason_stays(home):
    at = select(opened("today"), "P001")
    with register_of(home) as register:
        log_contact(register, Contact("P001", ("battery_low",), NOW, "noa", "phone", "reached"))
    at.run()
    assert "noa has logged a contact at 12 Feb 2026, 05:00 UTC, after you opened this" in text(at)
    button(at, "Log the contact").click().run()  # it has been on the screen now
    assert [row[1] for row in contacts_of(home, "P001")] == [ME, "noa"]


def test_who_was_chosen_stays_when_others_leave_the_list(home):
    at = select(opened("today"), "P003")
    with register_of(home) as register:
        log_contact(register, OTHER)
    at.run()
    assert ids(at) == ["P001", "P003"]
    assert at.subheader[0].value == "P003: Connect the device"


def test_somebody_takes_a_participant_and_lets_go(home):
    at = select(opened("today"), "P002")
    assert "owner" not in columns(at)  # nobody has one
    button(at, "Take it").click().run()
    assert at.dataframe[0].value["owner"][0] == ME
    assert "owner" in columns(at)
    button(at, "Let go").click().run()
    assert "Nobody owns this yet." in text(at)


def test_a_safety_event_that_was_handled_comes_back_with_the_next(home):
    event = {"happened_once": True, "kind": "phq9_item_9", "since_on": date(2026, 2, 11)}
    one = item("P001", "safety_event", "clinical_review", 1, "escalate", **event,
               occurrence="2026-02-11 1", value=1.0, days=1)  # fmt: skip
    today_study(home, work_item=[one])
    at = select(opened("today"), "P001")
    assert "Safety answer (PHQ-9 item 9) given 11 Feb 2026." in text(at)
    next(g for g in at.get("button_group") if g.key == "contact_outcome").set_value("handled")
    button(at, "Log the contact").click().run()
    assert ids(at) == []
    today_study(home, work_item=[one | {"occurrence": "2026-02-12 2", "value": 2.0}])
    assert ids(opened("today")) == ["P001"]


def test_a_role_without_the_right_sees_the_list_and_no_form(home, monkeypatch):
    use(monkeypatch, home, "blinded_analyst")
    at = select(opened("today"), "P002")
    assert "Your role does not log contacts." in text(at)
    assert not [one for one in at.button if one.label in ("Log the contact", "Take it")]


def be_coordinator_of(home, monkeypatch, *sites: str) -> None:
    study = home / "study.toml"
    role = f'[[roles]]\ncode = "site_coordinator"\nsites = {json.dumps(sites)}\n'
    study.write_text(f"{study.read_text()}\n{role}")
    use(monkeypatch, home, "site_coordinator")


def test_who_has_one_site_has_nothing_to_choose_and_sees_its_load(home, monkeypatch):
    of_haifa = {"cohort_kind": "site", "cohort": "haifa", "expected": 2, "raised_per_100": 50.0}
    today_study(home, work_load=[LOAD[0] | of_haifa])
    be_coordinator_of(home, monkeypatch, "haifa")
    at = opened("today")
    assert not [one for one in at.selectbox if one.key == "site"]
    _, data = chart(at, "Bars by week")
    assert [(row["week"], row["raised_per_100"]) for row in data["weeks"]] == [("2 Feb", 50.0)]


def test_who_has_some_sites_is_told_to_choose_one_for_its_load(home, monkeypatch):
    be_coordinator_of(home, monkeypatch, "haifa", "southampton")
    assert "Choose one of your sites" in text(opened("today"))


def test_a_site_coordinator_sees_nothing_of_the_other_sites(home, monkeypatch):
    be_coordinator_of(home, monkeypatch, "haifa")
    with register_of(home) as register:
        log_contact(register, Contact("P003", ("never_connected",), NOW, "noa", "phone", "reached"))
    at = about(opened("today", site="Southampton"))
    assert ids(at) == ["P002", "P001"]
    assert metrics(at)["In follow-up"] == "2"
    assert "Contacts in the last 28 days: 0" in text(at)
    assert not any("P003" in str(d.value) for d in at.dataframe)
    assert "P003" not in text(at)


def test_the_most_pressing_150_are_shown_and_the_files_have_all(home):
    people = [PARTICIPANTS[0] | {"participant_id": f"P{n:03}"} for n in range(1, 152)]
    silent = [
        item(one["participant_id"], "not_synced", "call", 6, "escalate", days=9, since_on=LONG_AGO)
        for one in people
    ]
    today_study(home, participant=people, work_item=silent)
    at = opened("today")
    assert "The 150 most pressing of 151 are shown" in text(at)
    assert ids(at) == [f"P{n:03}" for n in range(1, 151)]
    assert at.get("button_group")[0].options[0] == "All · 151"


def test_the_file_of_the_list_has_it_all_but_the_drawing(home):
    blank = dict.fromkeys(("kind", "value", "of_value", "limit_value", "cluster_id", "scale"))
    overdue = {**blank, **ITEMS[1], "site": "haifa", "visit": "Baseline"}
    person = Person("P001", (overdue,), {"steps": [1]})
    table = flat(rows([person], LABELS.get))
    assert table.column_names == [
        "participant_id", "action", "why", "since", "owner", "last_contact", "site", "study_day",
        "days_since_sync", "valid_days",
    ]  # fmt: skip
    assert table["site"].to_pylist() == ["Haifa"]


def test_nobody_needs_a_call(home):
    today_study(home, work_item=[])
    at = opened("today")
    assert "Nobody needs a call" in at.success[1].value
    assert ids(at) == []


def test_an_empty_study_says_what_to_do(home):
    publish_rows(home, empty_rows())
    assert "No participants yet" in text(opened("today"))


def test_a_study_with_nothing_published_says_so(tmp_path, monkeypatch):
    write_study(tmp_path)
    use(monkeypatch, tmp_path)
    assert "Nothing is published yet" in text(opened("today"))


def test_what_others_write_in_the_address_does_nothing(home):
    hostile = "'; DROP TABLE contact; --<script>alert(1)</script>"
    at = opened("today", queue=hostile, owner=hostile, site=hostile)
    assert ids(at) == ["P002", "P001", "P003"]
    assert "script" not in text(at)


def test_what_somebody_wrote_is_not_read_as_markdown(home):
    with register_of(home) as register:
        assign(register, "P002", "**noa** [x](http://e)", "noa", NOW)
    at = select(opened("today"), "P002")
    assert "Owner: \\*\\*noa\\*\\* \\[x\\]\\(http\\://e\\)." in text(at)


def test_outcome_rescue_shows_each_clinic_and_whom_to_ask(home):
    at = opened("today")
    _, data = chart(at, "A row for everyone and each site")
    everyone, haifa = data["rescue"]
    assert (everyone["clinic"], everyone["projected_share"]) == ("Everyone", 0.5)
    assert (haifa["clinic"], haifa["projected_share"]) == ("Haifa", None)
    assert "a site's own once 20 of its people had to answer" in text(at)
    [drawn] = [d for d in at.dataframe if "complete_if_answered" in d.value]
    listed = drawn.value
    assert list(listed["complete_if_answered"]) == [64]  # whole percents
    column = json.loads(drawn.proto.columns)["complete_if_answered"]
    assert (column["label"], column["type_config"]["format"]) == ("Chance of completeness", "%d %%")
    assert "if this answer comes" in column["help"]
    [sql] = [one.value for one in about(at, "rescue_items").code if "rescue_item" in one.value]
    with closing(open_published(home / "published" / "warehouse.duckdb")) as con:
        numbers = con.sql(sql).to_arrow_table()
    assert numbers["complete_if_answered"].to_pylist() == [0.639]  # the files have it as it is
    assert list(listed["participant_id"]) == ["P001"]
    assert list(listed["status"]) == ["Overdue"]


def test_the_load_is_shown_by_week_and_what_was_acted_on(home):
    with register_of(home) as register:
        log_contact(register, OTHER)
        put_off = Contact("P001", ("battery_low",), NOW, "noa", "none", "snoozed", "",
                          date(2026, 2, 14))  # fmt: skip
        log_contact(register, put_off)
    at = opened("today")
    _, data = chart(at, "Bars by week")
    assert [(row["week"], row["raised"]) for row in data["weeks"]] == [("2 Feb", 1), ("9 Feb", 3)]
    assert [round(row["raised_per_100"], 1) for row in data["weeks"]] == [33.3, 100.0]
    said = text(at)
    assert "Contacts in the last 28 days: 1 (33.3 for 100 in follow-up), with 1 of" in said
    assert "of 3 with an open reason, 1 (33 %) were contacted" in said


def test_every_chart_has_the_data_it_draws(home):
    assert fields_without_data(opened("today")) == []


def test_the_shown_sql_gives_the_shown_numbers(home):
    shown = shown_sql(about(opened("today")))
    assert len(shown) == 7
    for sql, numbers in shown:
        with closing(open_published(home / "published" / "warehouse.duckdb")) as con:
            again = con.sql(sql).to_arrow_table()
        assert again.to_pandas().astype(str).equals(numbers.astype(str))


def test_every_reason_queue_channel_and_outcome_has_its_words():
    for section in ("work_do", "work_why", "work_say"):
        assert set(words.table(section)) == set(REASONS)
    assert set(words.table("work_queues")) == set(WORK_QUEUES)
    assert set(words.table("contact_channels")) == set(CHANNELS)
    assert set(words.table("contact_outcomes")) == set(OUTCOMES)
