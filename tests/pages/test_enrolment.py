"""The enrolment page: what is shown to whom, what is entered, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest
from support.enrolment import KEY, goals, row, trail
from support.pages import opened, text, use
from support.published import small_study

from dashboard.queries.enrolment import listed, state_of
from dashboard.words import say
from ingestion.entries import WHAT
from ingestion.landing import land_roster
from warehouse import register as reg
from warehouse.home import Store, find_home, open_store

AT = datetime(2026, 2, 12, tzinfo=UTC)
PARTS = ("goal", "pause", "withdraw", "change", "erase")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The typed study with a register: P001 and P002 at Haifa, P003 at Southampton, by hand.

    P001 is connected, P002 has withdrawn permission, P003 was never invited; P002 is of REDCap.
    """
    small_study(tmp_path)
    use(monkeypatch, tmp_path, "trial_manager")
    for name, value in {
        "STEPWELL_ACTIONS": "ingestion.actions:actions",
        "STEPWELL_KEY": KEY,
        "STEPWELL_PUBLIC_URL": "https://study.example.org",
        "STEPWELL_GOOGLE_HEALTH_CLIENT_ID": "ours",
        "STEPWELL_GOOGLE_HEALTH_CLIENT_SECRET": "hush",
    }.items():
        monkeypatch.setenv(name, value)
    opened_store = open_store(find_home())
    for who, site, source in (("P001", "haifa", "table_export"), ("P002", "haifa", "redcap"),
                              ("P003", "southampton", "table_export")):  # fmt: skip
        person = {"participant_id": who, "site": site, "arm": "etmi", "fetched_at": AT,
                  "enrolled_on": date(2026, 1, 26), "starts_on": date(2026, 2, 2)}  # fmt: skip
        land_roster(opened_store, [person], source)
    for who, state, step in (("P001", "active", None), ("P002", "revoked", "Ask them again.")):
        grant = {"participant_id": who, "source": "google_health", "state": state, "since": AT,
                 "next_step": step}  # fmt: skip
        opened_store.register.put(reg.grant, [grant])
    return opened_store


def page(**address: str) -> AppTest:
    """The page with every part open."""
    at = opened("enrolment", **address)
    for name in ("add_participant", *(f"open_{part}" for part in PARTS)):
        at.session_state[name] = True
    return at.run()


def fill(at: AppTest, form: str, button: str, **given: Any) -> AppTest:
    """Fill a form in by the names of its fields, and send it."""
    for name, value in given.items():
        key = f"form_{form}_{name}"
        kinds = (at.text_input, at.selectbox, at.date_input)
        [widget] = [one for kind in kinds for one in kind if one.key == key]
        widget.set_value(value)
    [send] = [one for one in at.button if one.label == say(f"enrolment.send_{button}")
              and f"form_{form}" in one.proto.form_id]  # fmt: skip
    send.click().run()
    assert not at.exception
    return at


def labels(at: AppTest) -> list[str]:
    return [one.label for kind in (at.text_input, at.selectbox, at.date_input) for one in kind]


def ids(at: AppTest) -> list[str]:
    return [row for row in at.dataframe[0].value["participant_id"]]


def successes(at: AppTest) -> list[str]:
    return [one.value for one in at.success]


def errors(at: AppTest) -> list[str]:
    return [one.value for one in at.error]


# What is shown


def test_everybody_is_listed_with_who_needs_somebody_first(store):
    at = page()
    frame = at.dataframe[0].value
    assert list(
        zip(frame["participant_id"], frame["state"], frame["next_step"].fillna(""), strict=True)
    ) == [
        ("P002", "Permission withdrawn", "Make a new link and send it"),
        ("P003", "Not invited yet", "Make a link and send it"),
        ("P001", "Connected", ""),
    ]
    assert list(frame["site"]) == ["Haifa", "Southampton", "Haifa"]
    assert "3 of 3 participants" in text(at)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ({"site": "Haifa"}, ["P002", "P001"]),
        ({"state": "Connected"}, ["P001"]),
        ({"state": "Not invited yet"}, ["P003"]),
    ],
)
def test_the_list_is_filtered_by_the_address(store, address, expected):
    assert ids(page(**address)) == expected


def test_the_list_can_be_searched(store):
    at = page()
    [search] = [one for one in at.text_input if one.label == say("enrolment.search")]
    assert ids(search.set_value("p003").run()) == ["P003"]
    search.set_value("nobody").run()
    assert "Nobody is left by these filters." in text(at)


def test_without_actions_the_page_says_how_to_get_them(store, monkeypatch):
    monkeypatch.delenv("STEPWELL_ACTIONS")
    assert "--actions ingestion.actions:actions" in text(opened("enrolment"))


def test_a_role_without_the_right_sees_nothing_of_it_and_whom_to_ask(store, monkeypatch):
    monkeypatch.setenv("STEPWELL_ROLE", "blinded_analyst")
    at = opened("enrolment", participant="P001")
    assert "The role blinded_analyst may not enrol. Ask whoever runs" in text(at)
    assert list(at.expander) == list(at.dataframe) == []
    assert "P001" not in text(at)


def test_who_is_not_on_the_roster_of_the_viewers_sites_is_alike_to_nobody(store, monkeypatch):
    told = (store.home.path / "study.toml").read_text()
    bound = told.replace('code = "coordinator"', 'code = "coordinator"\nsites = ["haifa"]', 1)
    (store.home.path / "study.toml").write_text(bound)
    monkeypatch.setenv("STEPWELL_ROLE", "coordinator")
    hidden, nobody = page(participant="P003"), page(participant="P999")
    assert say("enrolment.not_here") in text(hidden)
    assert text(hidden) == text(nobody)
    assert ids(hidden) == ["P002", "P001"]


def test_a_study_without_anybody_says_what_to_do(store):
    with store.register.begin() as con:
        con.execute(sa.delete(reg.participant))
    assert say("enrolment.nobody") in text(page())


# What is entered


def test_a_participant_is_added_and_shown_at_once(store):
    at = fill(page(), "enrol_new", "enrol", site="haifa", enrolled_on=date(2026, 2, 3),
              age_years="54", sex="female", depression_or_anxiety="no")  # fmt: skip
    assert successes(at)[0] == say("enrolment.enrolled", who="P-00013")
    found = row(store, "P-00013")
    assert (found["site"], found["starts_on"], found["age_years"]) == (
        "haifa",
        date(2026, 2, 4),
        54,
    )
    assert (found["sex"], found["depression_or_anxiety"], found["arm"]) == ("female", False, None)
    assert "P-00013" in ids(at)
    assert at.header[-1].value == "Participant P-00013"
    assert trail(store, WHAT)[0][0] == "local user (no sign-in), trial_manager"


def test_a_fault_stands_under_its_field_and_nothing_is_entered(store):
    at = fill(page(), "enrol_new", "enrol", participant_id="P001", site="haifa",
              enrolled_on=date(2026, 2, 3), age_years="old")  # fmt: skip
    assert errors(at) == ["Age in years: is not a whole number from 18 to 120"]
    fill(at, "enrol_new", "enrol", age_years="")
    assert errors(at) == ["Participant: is somebody's already; give another"]
    assert len(store.register.rows(sa.select(reg.participant))) == 3


def test_goals_a_pause_and_a_withdrawal_are_entered(store):
    at = page(participant="P001")
    fill(at, "goal_P001", "goal", valid_from=date(2026, 2, 10), goal_steps="5000", why="agreed")
    assert goals(store, "P001") == [(1, date(2026, 2, 10), None, 5000)]
    assert "5 000 steps a day since 10 Feb 2026" in text(at).replace("\u202f", " ")
    fill(at, "pause_P001", "pause", paused_from=date(2026, 2, 20), why="operation")
    fill(at, "withdraw_P001", "withdraw", withdrawn_on=date(2026, 3, 2), why="moved away")
    found = row(store, "P001")
    assert (found["paused_from"], found["withdrawn_on"]) == (date(2026, 2, 20), date(2026, 3, 2))
    assert [why for *_, why in trail(store, WHAT)] == ["agreed", "operation", "moved away"]


def test_a_masked_role_is_shown_no_goal_where_one_tells_the_arm(store):
    toml = store.home.study_path
    toml.write_text(toml.read_text().replace("arms = []  ", 'arms = ["etmi"]  ', 1))
    at = page(participant="P001")
    assert "In this study a goal tells the arm" in text(at)
    assert "steps a day" not in text(at)
    assert say("enrolment.send_goal") not in [one.label for one in at.button]
    assert say("enrolment.send_pause") in [one.label for one in at.button]


def test_only_what_was_changed_is_entered(store):
    at = fill(page(participant="P001"), "change_P001", "change", age_years="61", why="asked")
    assert trail(store, WHAT)[0][2] == "change: age_years"
    fill(at, "change_P001", "change", why="nothing")
    assert errors(at) == [say("enrolment.nothing_changed")]


def test_what_the_edc_tells_is_shown_with_where_to_change_it(store):
    at = page(participant="P002")
    told = text(at)
    assert "Site comes from REDCap: change site, event baseline_arm_1 there" in told
    assert "Goals come from REDCap: change the form step_goal there" in told
    keys = [one.key for kind in (at.text_input, at.selectbox, at.date_input) for one in kind]
    assert "form_change_P002_site" not in keys
    assert "form_goal_P002_goal_steps" not in keys
    assert "form_pause_P002_paused_from" in keys  # this study's REDCap did not tell of pauses


# Arms


def test_a_masked_role_is_offered_neither_arm_nor_therapist(store):
    at = page(participant="P001")
    assert not {"Arm", "Therapist"} & set(labels(at))
    assert say("enrolment.arms_elsewhere") in text(at)
    shown = [str(one.value) for one in [*at.markdown, *at.caption, *at.info]]
    assert not any("etmi" in one for one in shown)


def test_an_unblinded_role_sets_the_arm_once_it_has_opened_the_arms(store, monkeypatch):
    told = (store.home.path / "study.toml").read_text()
    role = '[[roles]]\ncode = "allocator"\nsees_arms = true\nmay = ["enrol"]\n'
    (store.home.path / "study.toml").write_text(told + role)
    monkeypatch.setenv("STEPWELL_ROLE", "allocator")
    assert "Arm" not in labels(page(participant="P001"))
    at = opened("enrolment", why="allocation list", participant="P001")
    at.session_state["open_change"] = True
    at.run()
    fill(at, "change_P001", "change", arm="usual_care", why="allocated")
    assert row(store, "P001")["arm"] == "usual_care"
    assert "usual_care" not in str(trail(store, WHAT))


# Links


def test_a_link_is_made_as_text_and_as_a_picture_and_is_kept_nowhere(store):
    at = page(participant="P003")
    [make] = [one for one in at.button if one.key == "link_google_health_P003"]
    make.click().run()
    [message] = [one.value for one in at.code]
    url = next(word for word in message.split() if word.startswith("https://study.example.org"))
    token = url.rpartition("/")[2]
    assert len(token) >= 20
    [picture] = [one.proto.body for one in at.get("html") if "data:image/svg" in one.proto.body]
    assert 'alt="QR code of the link of P003"' in picture
    written = [path.read_bytes() for path in store.home.path.rglob("*") if path.is_file()]
    assert not any(token.encode() in body for body in written)
    assert [line[0:2] for line in trail(store, "consent link")] == [
        ("local user (no sign-in), trial_manager", "P003 google_health")
    ]
    assert ids(at)[1] == "P003"
    assert list(at.dataframe[0].value["state"])[1] == "Invited"
    [hide] = [one for one in at.button if one.key == "hide_link"]
    hide.click().run()
    assert not at.code


def test_a_link_of_one_participant_is_not_shown_with_another(store):
    at = page(participant="P003")
    [make] = [one for one in at.button if one.key == "link_google_health_P003"]
    make.click().run()
    at.query_params["participant"] = "P001"
    at.run()
    assert not at.code
    at.query_params["participant"] = "P003"
    at.run()
    assert not at.code


def test_who_withdrew_is_not_invited(store):
    with store.register.begin() as con:
        con.execute(sa.update(reg.participant).values(withdrawn_on=date(2026, 2, 10)))
    at = page(participant="P003")
    [make] = [one for one in at.button if one.key == "link_google_health_P003"]
    make.click().run()
    assert errors(at) == ["P003 withdrew on 2026-02-10: nobody may ask them again"]


def test_an_account_is_let_go_of(store):
    at = page(participant="P001")
    fill(at, "release_P001_google_health", "release", why="lost the password")
    assert successes(at) == [say("enrolment.released", who="P001", source="Google Health")]
    [(who, _, _, why)] = trail(store, "account released")
    assert (who, why) == ("local user (no sign-in), trial_manager", "lost the password")


# Erasing


def test_an_erasure_shows_what_goes_and_wants_the_pseudonym_typed(store):
    at = page(participant="P001")
    shown = text(at)
    assert "- Connections: 1" in shown
    assert "- Rows of the roster: 1" in shown
    fill(at, "erase_P001", "erase", typed="P002", why="asked for it")
    assert errors(at) == [
        "Type the pseudonym to confirm: is not the pseudonym: type it exactly, to confirm"
    ]
    fill(at, "erase_P001", "erase", typed="P001", why="asked for it")
    assert successes(at)[0] == say("enrolment.erase_done")
    assert ids(at) == ["P002", "P003"]
    assert len(trail(store, "erased")) == 1


def test_only_who_may_erase_is_offered_it(store, monkeypatch):
    monkeypatch.setenv("STEPWELL_ROLE", "coordinator")
    at = page(participant="P001")
    assert say("enrolment.title_withdraw") in [one.label for one in at.expander]
    assert say("enrolment.title_erase") not in [one.label for one in at.expander]


# Hostile input


@pytest.mark.parametrize("hostile", ["' OR 1=1 --", "<script>alert(1)</script>", "a" * 5000, "‮"])
def test_hostile_addresses_and_words_do_nothing(store, hostile):
    at = page(participant=hostile, state=hostile, site=hostile)
    assert say("enrolment.not_here") in text(at)
    assert hostile not in text(at)
    at = page(participant="P001")
    fill(at, "goal_P001", "goal", goal_steps=hostile[:60], why="agreed")
    assert errors(at) == ["Steps a day: is not a whole number from 100 to 60,000"]
    assert goals(store, "P001") == []


# How somebody stands

PERSON = {"participant_id": "P1", "site": "haifa", "withdrawn_on": None, "paused_from": None,
          "paused_to": None, "connections": []}  # fmt: skip


def connection(state: str, open_until: datetime | None = None) -> dict[str, Any]:
    return {"state": state, "next_step": f"mend {state}", "link_expires_at": open_until}


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({}, "never_connected"),
        ({"connections": [connection("never_connected", AT)]}, "invited"),
        ({"connections": [connection("never_connected")]}, "never_connected"),
        ({"connections": [connection("retired"), connection("active")]}, "active"),
        ({"connections": [connection("revoked"), connection("not_linked")]}, "not_linked"),
        ({"withdrawn_on": date(2026, 2, 12)}, "withdrawn"),
        ({"withdrawn_on": date(2026, 2, 13)}, "never_connected"),
        ({"paused_from": date(2026, 2, 12)}, "paused"),
        ({"paused_from": date(2026, 2, 1), "paused_to": date(2026, 2, 11)}, "never_connected"),
        ({"paused_from": date(2026, 2, 13)}, "never_connected"),
    ],
)
def test_how_a_participant_stands(more, state):
    assert state_of(PERSON | more, AT.date())["state"] == state


def test_a_filter_leaves_those_it_names():
    people = [PERSON | {"participant_id": who, "site": site} for who, site in
              (("P2", "haifa"), ("P10", "southampton"), ("P1", "haifa"))]  # fmt: skip

    def left(site: str | None = None, state: str | None = None, search: str = "") -> list[str]:
        found = listed(people, site, state, search, AT.date())
        return [one["participant_id"] for one in found]

    assert left() == ["P1", "P10", "P2"]
    assert left(site="haifa") == ["P1", "P2"]
    assert left(search=" p1 ") == ["P1", "P10"]
    assert left(state="active") == []
