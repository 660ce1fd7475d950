"""Grants that nobody uses are kept alive, consents that broke off are finished, states counted."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from support.google import HASTE
from support.grants import at_the_simulator

from dags.cli import main
from ingestion.consent import HEADLESS_REDIRECT, ask_consent, connect_headless, finish_consent
from ingestion.errors import Misconfigured, NotLinked, Retired, VendorDown
from ingestion.grants import Grants
from ingestion.http import PATIENCE, open_http
from ingestion.settings import SCOPES, read_keep_alive, read_key, read_vendor
from ingestion.upkeep import count_states, keep_alive, plan_upkeep, report_states
from warehouse import register as reg

GOOGLE = "google_health"


class Study:
    """A study at the simulator, some of whose participants have consented."""

    def __init__(self, store, served, http):
        self.store, self.served, self.http = store, served, http
        self.grants = Grants(store.register, read_key(), http, patience=HASTE)

    def pass_days(self, days):
        self.served.set_clock(self.served.now() + timedelta(days=days))

    def find(self, participant_id, source=GOOGLE):
        return self.grants.find(participant_id, source)

    def arm(self, fault, path, times=1):
        spec = {"match": {"path": path}, "times": times, "fault": fault, "args": {}}
        assert self.http.post(f"{self.served.url}/_emu/faults", json=spec).status_code == 200

    def break_off(self, participant_id, fault, times, kind):
        """A consent that the vendor does not let finish."""
        vendor = read_vendor(GOOGLE)
        request = ask_consent(vendor, participant_id, HEADLESS_REDIRECT, participant_id)
        answer = self.http.get(request.url).headers["Location"]
        self.arm(fault, "identity", times)
        with pytest.raises(kind):
            finish_consent(self.grants, self.http, vendor, request, answer, HASTE)


@pytest.fixture
def study(tmp_path, monkeypatch):
    with at_the_simulator(tmp_path, monkeypatch) as (store, served), open_http() as http:
        yield Study(store, served, http)


@pytest.mark.parametrize("source", [GOOGLE, "fitbit"])
def test_an_idle_grant_is_refreshed_after_thirty_days_and_no_sooner(study, source):
    connect_headless(study.store, source, "P001")
    before = study.find("P001", source)
    study.served.set_clock(before.expires_at + timedelta(days=30) - timedelta(seconds=1))
    assert keep_alive(study.store, source, 0) == {"nothing to do": 1}
    assert study.find("P001", source) == before
    study.served.set_clock(before.expires_at + timedelta(days=30))
    assert keep_alive(study.store, source, 0) == {"refreshed": 1}
    after = study.find("P001", source)
    assert after.token.access_token != before.token.access_token
    assert after.expires_at > study.served.now()
    assert keep_alive(study.store, source, 0) == {"nothing to do": 1}


def test_how_long_is_a_setting(study, monkeypatch):
    connect_headless(study.store, GOOGLE, "P001")
    study.pass_days(3)
    monkeypatch.setenv("STEPWELL_KEEP_ALIVE_DAYS", "2")
    assert keep_alive(study.store, GOOGLE, 0) == {"refreshed": 1}


@pytest.mark.parametrize("value", ["0", "151", "-1", "ten", "1.5"])
def test_a_setting_that_could_not_work_is_refused(value):
    with pytest.raises(Misconfigured, match="whole days from 1 to 150"):
        read_keep_alive({"STEPWELL_KEEP_ALIVE_DAYS": value})


def test_the_setting_has_a_default():
    assert read_keep_alive({}) == timedelta(days=30)
    assert read_keep_alive({"STEPWELL_KEEP_ALIVE_DAYS": "150"}) == timedelta(days=150)


def test_a_grant_that_lacks_a_permission_is_kept_alive_too_and_stays_in_its_state(study):
    connect_headless(study.store, GOOGLE, "P001")
    study.grants.mark("P001", GOOGLE, "scope_missing")
    study.pass_days(40)
    assert keep_alive(study.store, GOOGLE, 0) == {"refreshed": 1}
    assert study.find("P001").state == "scope_missing"


@pytest.mark.parametrize("state", ["revoked", "expired"])
def test_a_permission_that_is_gone_is_not_asked_for(study, state):
    connect_headless(study.store, GOOGLE, "P001")
    study.grants.mark("P001", GOOGLE, state)
    study.pass_days(40)
    assert keep_alive(study.store, GOOGLE, 0) == {"nothing to do": 1}
    assert study.find("P001").state == state


def test_who_has_withdrawn_and_what_is_retired_are_left_alone(study):
    connect_headless(study.store, GOOGLE, "P001")
    connect_headless(study.store, "fitbit", "P002")
    study.pass_days(40)
    study.grants.mark("P002", "fitbit", "retired")
    ends = {"withdrawn_on": study.served.now().date() + timedelta(days=1)}
    with study.store.register.begin() as con:
        con.execute(sa.update(reg.participant).values(ends))
    assert plan_upkeep(study.store) == [(GOOGLE, 0)]  # still taking part today
    with study.store.register.begin() as con:
        con.execute(sa.update(reg.participant).values(withdrawn_on=study.served.now().date()))
    assert plan_upkeep(study.store) == []
    assert keep_alive(study.store, GOOGLE, 0) == {}


def test_one_permission_that_is_gone_is_a_state_and_the_others_are_kept(study):
    for one in ("P001", "P002", "P003"):
        connect_headless(study.store, GOOGLE, one)
    study.pass_days(40)
    vendor = read_vendor(GOOGLE)
    token = study.find("P002").token.refresh_token
    assert study.http.post(f"{vendor.url}/revoke", data={"token": token}).status_code == 200
    assert keep_alive(study.store, GOOGLE, 0) == {"refreshed": 2, "consent_lost": 1}
    assert study.find("P002").state == "revoked"
    assert count_states(study.store) == [(GOOGLE, "active", 2), (GOOGLE, "revoked", 1)]


def test_what_is_the_vendors_as_a_whole_is_told_after_all_had_their_turn(study):
    for one in ("P001", "P002"):
        connect_headless(study.store, GOOGLE, one)
    study.pass_days(40)
    study.arm("410", "/token")
    with pytest.raises(Retired):
        keep_alive(study.store, GOOGLE, 0)
    assert count_states(study.store) == [(GOOGLE, "active", 1), (GOOGLE, "retired", 1)]
    assert study.find("P002").expires_at > study.served.now()


def test_a_consent_that_broke_off_is_finished(study):
    study.break_off("P001", "503", 4, VendorDown)
    assert study.find("P001").state == "never_connected"
    assert plan_upkeep(study.store) == [(GOOGLE, 0)]
    assert keep_alive(study.store, GOOGLE, 0) == {"finished": 1}
    assert study.find("P001").state == "active"


def test_an_account_that_gets_its_wearable_later_is_connected_without_another_consent(study):
    study.break_off("P001", "wrong_account", 1, NotLinked)
    held = study.find("P001")
    assert (held.state, held.token) == ("not_linked", None)
    study.arm("wrong_account", "identity")
    assert keep_alive(study.store, GOOGLE, 0) == {"wrong_account": 1}  # not yet
    assert study.find("P001").state == "not_linked"
    assert keep_alive(study.store, GOOGLE, 0) == {"finished": 1}
    assert (study.find("P001").state, study.find("P001").next_step) == ("active", None)


def test_the_command_says_what_was_done_and_how_the_grants_are(study):
    connect_headless(study.store, GOOGLE, "P001")
    study.grants.mark("P002", "fitbit", "never_connected")
    study.pass_days(40)
    result = CliRunner().invoke(main, ["upkeep"])
    assert result.output.splitlines() == [
        "google_health batch 0: refreshed 1",
        "0 files of closed days moved into 0 months' files",
        "fitbit never_connected: 1",
        "google_health active: 1",
    ]


def test_without_a_grant_the_command_says_what_makes_one(study):
    result = CliRunner().invoke(main, ["upkeep"])
    assert result.exit_code == 0
    assert result.output.splitlines()[-1] == (
        "no participant has been connected yet: `stepwell connect` makes a link"
    )


def test_what_is_the_matter_with_active_grants_is_said(study, monkeypatch):
    """A permission left out, and a last pull that the vendor did not answer."""
    for one in ("P001", "P002", "P003"):
        connect_headless(study.store, GOOGLE, one)
    without = " ".join(SCOPES[GOOGLE][:-1])
    with study.store.register.begin() as con:
        con.execute(
            sa.update(reg.grant)
            .where(reg.grant.c.participant_id == "P003")
            .values(scopes=without, next_step="Ask them again.")
        )
    assert report_states(study.store) == [
        "google_health active: 3",
        "  1 of them: Ask them again.",
    ]
    monkeypatch.setitem(PATIENCE.__dict__, "sleep", lambda seconds: None)
    with study.store.register.begin() as con:
        con.execute(sa.update(reg.participant).values(starts_on=study.served.now().date()))
    study.pass_days(1)  # every token has lapsed
    study.arm("503", "/token", -1)
    result = CliRunner().invoke(main, ["pull", "wearables"])
    assert result.exit_code == 2, result.output
    told = [
        "google_health active: 3",
        "  1 of them: Ask them again.",
        "  3 of them: the last pull had no answer (vendor_outage)",
    ]
    assert report_states(study.store) == told
    assert CliRunner().invoke(main, ["upkeep"]).output.splitlines()[-3:] == told
