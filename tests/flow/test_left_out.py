"""The heart rate left out of a consent: what it costs is said, and no complete day pays for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import httpx
import pytest
import sqlalchemy as sa
from support.simulated import simulated
from support.trial import Trial, trial

from ingestion.consent import HEADLESS_REDIRECT, ask_consent, finish_consent
from ingestion.grants import Grants
from ingestion.http import open_http
from ingestion.reread import reread
from ingestion.schedule import next_ask, not_complete
from ingestion.settings import SCOPES, read_key, read_vendor
from ingestion.source import Ask, Window
from warehouse import register as reg
from warehouse.study import EXAMPLE, read_study

WHO = {"google_health": "P001", "fitbit": "P002"}  # of the first six
HEART = {"google_health": "/heart-rate/", "fitbit": "/activities/heart"}
POORER = {"google_health": "explicit_zero", "fitbit": "steps"}


@pytest.fixture
def midway(tmp_path, monkeypatch) -> Iterator[Trial]:
    """Two of four weeks, pulled with every permission."""
    with simulated(6, 4) as sim, trial(tmp_path / "study", sim, monkeypatch) as run:
        at = sim.world.pull_instants(2)[0]
        run.enrol(at - timedelta(days=7))
        run.pull(at)
        yield run


def consent(run: Trial, source: str, scopes: tuple[str, ...]) -> str | None:
    """Consent anew to these alone; the next step that the grant states."""
    vendor = read_vendor(source)
    request = ask_consent(vendor, WHO[source], HEADLESS_REDIRECT, WHO[source])
    with open_http() as http:
        fewer = httpx.URL(request.url).copy_set_param("scope", " ".join(scopes))
        answer = http.get(fewer).headers["Location"]
        grants = Grants(run.store.register, read_key(), http)
        grant = finish_consent(grants, http, vendor, request, answer)
    assert grant.state == "active"
    return grant.next_step


def methods(run: Trial, source: str) -> dict[date, str | None]:
    """How the wear of each landed day is known."""
    files = run.store.lake.day_files()
    columns = ["participant_id", "source", "activity_date", "wear_method"]
    found = {}
    for _, rows in run.store.lake.days([file.path for file in files], files, columns):
        for row in rows.to_pylist():
            if (row["participant_id"], row["source"]) == (WHO[source], source):
                found[row["activity_date"]] = row["wear_method"]
    return found


@pytest.mark.parametrize("how", ["at consent", "at the vendor"])
@pytest.mark.parametrize("source", ["google_health", "fitbit"])
def test_complete_days_keep_their_wear_when_the_heart_rate_is_no_longer_shared(midway, source, how):
    run = midway
    before = methods(run, source)
    [landed] = run.store.register.rows(
        sa.select(reg.grant.c.landed_sync_at).where(
            reg.grant.c.participant_id == WHO[source], reg.grant.c.source == source
        )
    )
    whole = {on for on in before if on < landed["landed_sync_at"].date() - timedelta(days=1)}
    assert len([on for on in whole if before[on] == "heart_rate"]) > 3
    if how == "at consent":
        consent(run, source, SCOPES[source][:-1])
    else:
        run.sim.arm("scope_missing", times=-1, match={"path": HEART[source]})
    run.pull(run.sim.now() + timedelta(days=3))
    after = methods(run, source)
    assert {on: after[on] for on in whole} == {on: before[on] for on in whole}
    assert POORER[source] in {after[on] for on in set(after) - set(before)}  # it is still pulled
    reread(run.store, source, print)
    assert methods(run, source) == after  # nor does any order of reading take it away


@pytest.mark.parametrize("source", ["google_health", "fitbit"])
def test_a_grant_without_the_heart_rate_says_what_it_costs_until_it_is_shared(midway, source):
    said = consent(midway, source, SCOPES[source][:-1])
    assert said is not None
    for words in ("heart rate", "worn", "connect again", "tick every box"):
        assert words in said
    assert consent(midway, source, SCOPES[source]) is None


def test_who_never_shared_it_is_asked_for_late_days_as_everybody_is(midway):
    """Only a loss sets the mark: without one the trailing days are asked for again."""
    run = midway
    with run.store.register.begin() as con:
        con.execute(sa.update(reg.grant).values(scopes=" ".join(SCOPES["google_health"][:-1])))
    consent(run, "google_health", SCOPES["google_health"][:-1])
    [row] = run.store.register.rows(
        sa.select(reg.grant.c.account_since).where(
            reg.grant.c.participant_id == "P001", reg.grant.c.source == "google_health"
        )
    )
    assert row["account_since"] is None


def test_without_a_heart_rate_ever_late_days_are_asked_for_though_it_is_refused(midway):
    """Nothing is poorer than it was: only what an earlier pull had is kept from a refusal."""
    run = midway
    with run.store.register.begin() as con:
        con.execute(sa.update(reg.receipt).values(received=0, landed=0, rejected=0))
    run.sim.arm("scope_missing", times=-1, match={"path": HEART["google_health"]})
    run.pull(run.sim.now() + timedelta(days=2))
    first_on = {
        row["first_on"]
        for row in run.store.register.rows(
            sa.select(reg.receipt.c.first_on).where(
                reg.receipt.c.participant_id == WHO["google_health"],
                reg.receipt.c.reason == "scope_missing",
            )
        )
    }
    assert len(first_on) == 1
    assert first_on.pop() <= run.pulled_at[0].date() - timedelta(days=7)


def test_when_all_days_are_complete_none_is_left_to_ask_for():
    study, now = read_study(EXAMPLE), datetime.fromisoformat("2026-02-12T09:00+00:00")
    asked = Window(date(2026, 2, 3), date(2026, 2, 9))
    for synced_before, expected in (
        (None, asked),
        ("2026-02-01T12:00+00:00", asked),
        ("2026-02-08T23:30+00:00", Window(date(2026, 2, 9), date(2026, 2, 9))),  # in Haifa: the 9th
        ("2026-02-10T00:30+00:00", None),
    ):
        synced = datetime.fromisoformat(synced_before) if synced_before else None
        ask = Ask(study, now, "P001", "Asia/Jerusalem", asked, synced)
        assert not_complete(ask) == expected


def test_the_window_begins_at_the_first_day_that_was_not_complete():
    landed = datetime.fromisoformat("2026-02-10T09:00+00:00")
    row = {
        "participant_id": "P001", "timezone": "Europe/London", "starts_on": date(2026, 1, 20),
        "withdrawn_on": None, "first_asked_on": date(2026, 1, 20), "landed_sync_at": landed,
        "synced_at": landed, "lateness_days": 5,
    }  # fmt: skip
    now = landed + timedelta(days=2)
    study = read_study(EXAMPLE)
    with_all, without = (next_ask(study, row | {"account_since": at}, now) for at in (None, landed))
    assert with_all.window.first_on <= date(2026, 2, 5)
    assert without.window.first_on == date(2026, 2, 10)
