"""Enrolling, changing, pausing, withdrawing, goals: entered raw-first, refused in clear words."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from support.enrolment import (
    GIVEN,
    KEY,
    MASKED,
    NOW,
    OF_HAIFA,
    READER,
    UNBLINDED,
    Clock,
    actions_of,
    goals,
    row,
    trail,
)

from ingestion.actions import Actions
from ingestion.entries import WHAT, enter, entries_of
from ingestion.erasing import erase
from ingestion.http import open_http
from ingestion.landing import land, land_roster
from ingestion.reread import reread
from ingestion.source import Reading
from transforms.build import build_warehouse
from warehouse import register as reg
from warehouse.publish import open_published, stable_path
from warehouse.refused import Refused
from warehouse.register import LeaseBusy
from warehouse.study import Goals
from warehouse.tables import landed

pytestmark = pytest.mark.postgresql

SILENT = {"progress": lambda line: None}


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr("ingestion.clock.now", found)
    return found


@pytest.fixture
def actions(store, clock):
    return actions_of(store)


@pytest.fixture
def enrolled(actions):
    """The pseudonym of somebody at Haifa since the 9th of March."""
    return actions.enrol(UNBLINDED, GIVEN).participant_id


def refusal(call, *arguments, **named):
    with pytest.raises(Refused) as caught:
        call(*arguments, **named)
    return caught.value.faults


# What is entered


def test_who_is_enrolled_gets_a_pseudonym_and_the_first_full_day(actions, store):
    told = GIVEN | {"arm": "etmi", "therapist_id": "T01", "depression_or_anxiety": "yes",
                    "age_years": "54", "sex": "Female", "timezone": ""}  # fmt: skip
    done = actions.enrol(UNBLINDED, told, why="came with a friend")
    assert done.participant_id == "P-00013"
    assert row(store, "P-00013") == {
        "participant_id": "P-00013", "site": "haifa", "arm": "etmi", "therapist_id": "T01",
        "timezone": "Asia/Jerusalem", "enrolled_on": date(2026, 3, 9),
        "starts_on": date(2026, 3, 10), "withdrawn_on": None, "paused_from": None,
        "paused_to": None, "depression_or_anxiety": True, "age_years": 54, "sex": "female",
    }  # fmt: skip
    fields = "enrol: site, enrolled_on, arm, therapist_id, depression_or_anxiety, age_years, sex"
    assert trail(store, WHAT) == [
        ("dana, unblinded", "P-00013", f"{fields}, starts_on", "came with a friend")
    ]
    assert actions.enrol(UNBLINDED, GIVEN).participant_id == "P-00021"


def test_a_pseudonym_can_be_given(actions, store):
    assert actions.enrol(UNBLINDED, GIVEN, " P001 ").participant_id == "P001"
    assert row(store, "P001")["site"] == "haifa"


def test_the_newest_entry_holds_and_the_earlier_ones_are_kept(actions, store, enrolled):
    actions.change(UNBLINDED, enrolled, {"age_years": 54}, "asked")
    actions.change(UNBLINDED, enrolled, {"age_years": 45}, "turned round")
    actions.change(UNBLINDED, enrolled, {"sex": "male"}, "asked")
    assert (row(store, enrolled)["age_years"], row(store, enrolled)["sex"]) == (45, "male")
    bodies = [body for _, body in store.lake.raw("study_team")]
    assert len(bodies) == 4
    assert any(b"turned round" in body for body in bodies)
    assert [why for *_, why in trail(store, WHAT)] == ["", "asked", "turned round", "asked"]


def test_goals_are_set_replaced_and_taken_back(actions, store, enrolled):
    actions.goal(MASKED, enrolled, "2026-03-12", 5000, "agreed")
    actions.goal(MASKED, enrolled, "2026-04-01", "6000", "agreed")
    actions.goal(MASKED, enrolled, "2026-03-12", 5500, "mistyped")
    first, second = date(2026, 3, 12), date(2026, 4, 1)
    assert goals(store, enrolled) == [
        (1, first, date(2026, 3, 31), 5500), (2, second, None, 6000),
    ]  # fmt: skip
    actions.goal(MASKED, enrolled, "2026-03-12", None, "was a draft")
    assert goals(store, enrolled) == [(1, second, None, 6000)]
    assert [goal["goal_steps"] for goal in actions.goals(MASKED, enrolled)] == [6000]


def test_where_a_goal_tells_the_arm_the_masked_neither_set_nor_see_nor_count_one(actions, enrolled):
    goal_of = Goals(arms=["etmi"])
    actions.goal(UNBLINDED, enrolled, "2026-03-12", 5000, "agreed")
    store = actions.store
    tells = actions_of(replace(store, study=store.study.model_copy(update={"goals": goal_of})))
    for refused in (
        refusal(tells.goal, MASKED, enrolled, "2026-03-13", 5000, "agreed"),
        refusal(tells.goals, MASKED, enrolled),
    ):
        assert "a goal tells the arm" in refused[""]
    assert [goal["goal_steps"] for goal in tells.goals(UNBLINDED, enrolled)] == [5000]
    assert "goal" in actions.erasable(UNBLINDED, enrolled)
    assert "goal" not in tells.erasable(UNBLINDED, enrolled)


def test_a_pause_and_a_withdrawal_are_entered_and_taken_back(actions, store, enrolled):
    actions.pause(MASKED, enrolled, "2026-03-20", None, "operation")
    actions.pause(MASKED, enrolled, "2026-03-20", "2026-03-27", "is back")
    found = row(store, enrolled)
    assert (found["paused_from"], found["paused_to"]) == (date(2026, 3, 20), date(2026, 3, 27))
    actions.withdraw(MASKED, enrolled, "2026-04-02", "moved away")
    assert row(store, enrolled)["withdrawn_on"] == date(2026, 4, 2)
    actions.withdraw(MASKED, enrolled, None, "stayed after all")
    actions.pause(MASKED, enrolled, "", "", "was another's")
    found = row(store, enrolled)
    assert [found[name] for name in ("withdrawn_on", "paused_from", "paused_to")] == [None] * 3


def test_a_second_pause_says_what_becomes_of_the_first(actions, enrolled):
    assert actions.pause(MASKED, enrolled, "2026-03-20", "2026-03-27", "a").notes == []
    assert actions.pause(MASKED, enrolled, "2026-03-19", "2026-03-27", "longer").notes == []
    assert actions.pause(MASKED, enrolled, "2026-05-01", None, "b").notes == [
        "The earlier pause (2026-03-19 to 2026-03-27) was replaced: its days outside this one "
        "count again."
    ]


def test_the_published_file_holds_what_was_entered(actions, store, enrolled):
    actions.goal(UNBLINDED, enrolled, "2026-03-12", 5000, "agreed")
    build_warehouse(store, NOW)
    con = open_published(stable_path(store.home))
    assert con.execute("SELECT participant_id, site FROM participant").fetchall() == [
        (enrolled, "haifa")
    ]
    assert con.execute("SELECT goal_steps FROM goal").fetchall() == [(5000,)]
    con.close()


# Raw first


def everything(store, who):
    return row(store, who), goals(store, who)


def test_everything_can_be_made_again_from_the_raw_entries(actions, store, enrolled):
    actions.goal(UNBLINDED, enrolled, "2026-03-12", 5000, "agreed")
    actions.goal(UNBLINDED, enrolled, "2026-03-12", 5500, "mistyped")
    actions.pause(UNBLINDED, enrolled, "2026-03-20", None, "operation")
    actions.change(UNBLINDED, enrolled, {"age_years": 45}, "asked")
    before, said = everything(store, enrolled), trail(store, WHAT)
    assert reread(store, "study_team", **SILENT).rows_changed == 0
    with store.register.begin() as con:
        con.execute(sa.delete(reg.participant))
        con.execute(sa.delete(reg.roster_word))
    for file in store.lake.files("goal"):
        store.lake.delete(file.path)
    assert reread(store, "study_team", **SILENT).rows_new == 2
    assert everything(store, enrolled) == before
    assert trail(store, WHAT) == said  # each once


def test_an_entry_that_was_killed_after_it_was_kept_is_finished_by_the_next(
    actions, store, enrolled, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr("ingestion.entries.land_entries", lambda *arguments: None)
        enter(store, enrolled, "change", {"age_years": 45}, "dana", "asked")
    assert row(store, enrolled)["age_years"] is None
    actions.change(UNBLINDED, enrolled, {"sex": "male"}, "asked")
    assert (row(store, enrolled)["age_years"], row(store, enrolled)["sex"]) == (45, "male")
    assert [new for *_, new, _ in trail(store, WHAT)][1:] == ["change: age_years", "change: sex"]


def test_an_entry_checked_before_an_erasure_leaves_nothing_behind_it(
    actions, store, enrolled, monkeypatch
):
    monkeypatch.setenv("STEPWELL_KEY", KEY)
    late = (store, enrolled, "pause", {"paused_from": date(2026, 3, 12)}, "noa", "operation")
    with (
        open_http() as http,
        monkeypatch.context() as hurry,
        store.register.leased(f"enter {enrolled}"),  # one is being written: it is waited for
    ):
        hurry.setattr("ingestion.erasing.WAIT", 0.1)
        with pytest.raises(LeaseBusy):
            erase(store, http, enrolled, "dana", "asked for it", NOW)
    with open_http() as http:
        erase(store, http, enrolled, "dana", "asked for it", NOW)
    with pytest.raises(Refused, match="was erased"):
        enter(*late)
    assert entries_of(store, enrolled) == []


def test_what_was_entered_is_one_document_an_entry(actions, store, enrolled):
    actions.pause(MASKED, enrolled, "2026-03-20", None, "operation")
    [*_, body] = [body for _, body in store.lake.raw("study_team")]
    said = json.loads(body[body.index(b'{"kind"') : body.index(b"}}") + 2])
    assert said == {
        "kind": "pause", "who": "noa, coordinator", "why": "operation",
        "fields": {"paused_from": "2026-03-20", "paused_to": None},
    }  # fmt: skip


# What an EDC tells


def of_redcap(store, who="P001", **more):
    told = {"participant_id": who, "site": "haifa", "enrolled_on": date(2026, 1, 12),
            "starts_on": date(2026, 1, 20), "fetched_at": NOW - timedelta(days=1)}  # fmt: skip
    land_roster(store, [told | more], "redcap")


def test_what_the_edc_tells_is_refused_and_where_to_change_it_is_said(actions, store):
    of_redcap(store, paused_from=None, paused_to=None)
    assert refusal(actions.pause, UNBLINDED, "P001", "2026-03-20", None, "operation") == {
        name: f"comes from REDCap: change {name}, event baseline_arm_1 there, then `stepwell pull "
        "questionnaires`"
        for name in ("paused_from", "paused_to")
    }
    words = "Goals come from REDCap: change the form step_goal there, then `stepwell pull"
    found = refusal(actions.goal, UNBLINDED, "P001", "2026-03-20", 5000, "agreed")
    assert found == {"goal_steps": f"{words} questionnaires`"}
    assert set(actions.owned(UNBLINDED, "P001")) == {
        "site", "enrolled_on", "starts_on", "paused_from", "paused_to", "goal_steps",
    }  # fmt: skip
    assert list(store.lake.raw("study_team")) == []


def test_what_the_edc_does_not_tell_is_ours_and_stays_when_it_tells_the_rest_again(actions, store):
    of_redcap(store)
    actions.withdraw(UNBLINDED, "P001", "2026-03-09", "moved away")
    of_redcap(store, fetched_at=NOW + timedelta(days=1), sex="female")
    found = row(store, "P001")
    assert (found["withdrawn_on"], found["sex"]) == (date(2026, 3, 9), "female")


def test_once_the_edc_tells_of_somebody_enrolled_here_its_word_holds(actions, store, enrolled):
    actions.goal(UNBLINDED, enrolled, "2026-03-12", 5000, "agreed")
    of_redcap(store, enrolled, fetched_at=NOW + timedelta(days=1), site="beer_sheva")
    goal = {"participant_id": enrolled, "version": 1, "valid_from": date(2026, 3, 15),
            "goal_steps": 7000, "rule": "protocol", "fetched_at": NOW}  # fmt: skip
    land(store, Reading(rows={"goal": [goal]}), "redcap", "0000")
    assert row(store, enrolled)["site"] == "beer_sheva"
    assert goals(store, enrolled) == [(1, date(2026, 3, 15), None, 7000)]
    assert "site" in refusal(actions.change, UNBLINDED, enrolled, {"site": "haifa"}, "mistake")
    reread(store, "study_team", **SILENT)
    assert row(store, enrolled)["site"] == "beer_sheva"


def test_entries_on_somebody_whose_roster_row_is_not_here_land_nothing_until_it_is(actions, store):
    of_redcap(store)
    actions.withdraw(UNBLINDED, "P001", "2026-03-09", "moved away")
    with store.register.begin() as con:
        con.execute(sa.delete(reg.participant))
        con.execute(sa.delete(reg.roster_word))
    assert reread(store, "study_team", **SILENT).rows_new == 0
    of_redcap(store)
    reread(store, "study_team", **SILENT)
    assert row(store, "P001")["withdrawn_on"] == date(2026, 3, 9)


# What is refused


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"site": ""}, {"site": "is needed"}),
        ({"site": "paris"}, {"site": "is not known; give one of haifa, beer_sheva, southampton"}),
        ({"arm": "b"}, {"arm": "is not known; give one of etmi, usual_care"}),
        ({"therapist_id": "T03"}, {"therapist_id": "is of another site; here: T01, T02"}),
        ({"timezone": "Haifa"},
         {"timezone": "is not known; give an IANA zone such as Europe/London"}),
        ({"enrolled_on": "9.3.2026"}, {"enrolled_on": "is not a day; give it as 2026-03-31"}),
        ({"enrolled_on": "2026-03-11"}, {"enrolled_on": "is after today (2026-03-10)"}),
        ({"starts_on": "2026-03-08"},
         {"starts_on": "is not within a year from enrolment (2026-03-09)"}),
        ({"depression_or_anxiety": "maybe"},
         {"depression_or_anxiety": "give yes or no, or leave it blank"}),
        ({"age_years": "17"}, {"age_years": "is not a whole number from 18 to 120"}),
        ({"age_years": "٥٤"}, {"age_years": "is not a whole number from 18 to 120"}),
        ({"sex": "x"}, {"sex": "is not known; give one of female, male"}),
        ({"sex": "x", "site": "y"},
         {"sex": "is not known; give one of female, male",
          "site": "is not known; give one of haifa, beer_sheva, southampton"}),
    ],
)  # fmt: skip
def test_each_fault_of_an_enrolment_names_its_field_and_what_is_allowed(
    actions, store, changes, faults
):
    assert refusal(actions.enrol, UNBLINDED, GIVEN | changes) == faults
    assert store.register.rows(sa.select(reg.participant)) == []
    assert list(store.lake.raw("study_team")) == []


def test_a_field_that_is_none_of_the_roster_is_refused(actions):
    [words] = refusal(actions.enrol, UNBLINDED, GIVEN | {"name": "Anna"}).values()
    assert words.startswith("cannot be entered here; fields are site, arm")


@pytest.mark.parametrize("taken", ["P-00013", "p-00013"])
def test_a_pseudonym_is_given_once(actions, enrolled, taken):
    assert refusal(actions.enrol, UNBLINDED, GIVEN, taken) == {
        "participant_id": "is somebody's already; give another"
    }


@pytest.mark.parametrize(
    ("paused_from", "paused_to", "field"),
    [
        ("2026-03-20", "2026-03-19", "paused_to"),
        ("2026-03-08", None, "paused_from"),
        (None, "2026-03-20", "paused_from"),
        ("soon", None, "paused_from"),
    ],
)
def test_a_pause_that_cannot_be_is_refused(actions, enrolled, paused_from, paused_to, field):
    assert set(refusal(actions.pause, MASKED, enrolled, paused_from, paused_to, "a")) == {field}


@pytest.mark.parametrize(
    ("day", "steps", "field"),
    [
        ("2026-03-12", 99, "goal_steps"),
        ("2026-03-12", 60_001, "goal_steps"),
        ("2026-03-12", "5k", "goal_steps"),
        ("", 5000, "valid_from"),
        ("2026-03-08", 5000, "valid_from"),
        ("2027-03-10", 5000, "valid_from"),  # day 1 is 2026-03-10, the last 52 weeks later
    ],
)
def test_a_goal_that_cannot_be_is_refused(actions, store, enrolled, day, steps, field):
    assert set(refusal(actions.goal, MASKED, enrolled, day, steps, "a")) == {field}
    assert goals(store, enrolled) == []


def test_the_last_day_of_follow_up_can_have_a_goal(actions, store, enrolled):
    actions.goal(MASKED, enrolled, "2027-03-08", 5000, "agreed")
    assert goals(store, enrolled) == [(1, date(2027, 3, 8), None, 5000)]


@pytest.mark.parametrize("why", ["", "   ", "a" * 501, "a\x00b"])
def test_a_change_needs_a_reason(actions, store, enrolled, why):
    before = row(store, enrolled)
    assert set(refusal(actions.change, UNBLINDED, enrolled, {"age_years": 45}, why)) == {"why"}
    assert row(store, enrolled) == before


# Who may


def test_a_masked_person_neither_sets_nor_sees_what_reveals_an_arm(actions, store):
    words = "is for a role that sees arms: it comes from the EDC, or from such a role"
    for name, value in (("arm", "etmi"), ("therapist_id", "T01")):
        assert refusal(actions.enrol, MASKED, GIVEN | {name: value}) == {name: words}
    who = actions.enrol(MASKED, GIVEN | {"arm": "", "therapist_id": None}).participant_id
    actions.change(UNBLINDED, who, {"arm": "etmi", "therapist_id": "T01"}, "allocated")
    assert refusal(actions.change, MASKED, who, {"arm": "usual_care"}, "a") == {"arm": words}
    actions.change(MASKED, who, {"arm": "", "age_years": 50}, "asked")
    assert (row(store, who)["arm"], row(store, who)["age_years"]) == ("etmi", 50)
    [shown] = actions.participants(MASKED)
    assert not {"arm", "therapist_id"} & set(shown)
    assert actions.participants(UNBLINDED)[0]["arm"] == "etmi"


def test_a_person_of_one_site_sees_and_changes_that_site_alone(actions, enrolled):
    other = actions.enrol(UNBLINDED, GIVEN | {"site": "southampton"}).participant_id
    assert [one["participant_id"] for one in actions.participants(OF_HAIFA)] == [enrolled]
    assert [one["participant_id"] for one in actions.participants(MASKED)] == [enrolled, other]
    hidden = refusal(actions.pause, OF_HAIFA, other, "2026-03-20", None, "a")
    assert hidden == refusal(actions.pause, OF_HAIFA, "P-99999", "2026-03-20", None, "a")
    assert set(refusal(actions.enrol, OF_HAIFA, GIVEN | {"site": "southampton"})) == {"site"}
    moved = refusal(actions.change, OF_HAIFA, enrolled, {"site": "southampton"}, "a")
    assert moved == {"site": "is not yours; give one of haifa"}


def test_without_the_right_nothing_can_be_done(actions, enrolled):
    everything = (
        (actions.propose,),
        (actions.participants,),
        (actions.enrol, GIVEN),
        (actions.change, enrolled, {"age_years": 45}, "a"),
        (actions.pause, enrolled, "2026-03-20", None, "a"),
        (actions.withdraw, enrolled, "2026-03-20", "a"),
        (actions.goal, enrolled, "2026-03-20", 5000, "a"),
        (actions.goals, enrolled),
        (actions.owned, enrolled),
        (actions.connect_link, enrolled, "google_health"),
        (actions.release, enrolled, "google_health", "a"),
        (actions.erasable, enrolled),
        (actions.erase, enrolled, enrolled, "a"),
    )
    for call, *arguments in everything:
        [words] = refusal(call, READER, *arguments).values()
        assert words.startswith("your role may not do this")


@pytest.mark.parametrize(
    "hostile", ["' OR 1=1 --", "<script>alert(1)</script>", "a" * 100_000, "../../etc", "\x00", "‮"]
)
def test_hostile_words_change_nothing(actions: Actions, store, enrolled, hostile):
    before = row(store, enrolled)
    refusal(actions.enrol, UNBLINDED, GIVEN, hostile)
    refusal(actions.pause, UNBLINDED, hostile, "2026-03-20", None, "a")
    for name in ("site", "arm", "timezone", "enrolled_on", "age_years", "sex"):
        refusal(actions.change, UNBLINDED, enrolled, {name: hostile}, "a")
    refusal(actions.goal, UNBLINDED, enrolled, hostile, hostile, "a")
    assert row(store, enrolled) == before
    assert len(list(store.lake.raw("study_team"))) == 1
    assert store.lake.read_rows(landed.goal).num_rows == 0
