"""Contacts, snoozes and owners in the register: nobody is called twice, nothing is rewritten."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from warehouse import register as reg
from warehouse.contacts import (
    Contact,
    ContactedSince,
    NotLogged,
    assign,
    contacts_since,
    history,
    is_listed,
    last_contacts,
    log_contact,
    owners,
    resting,
)

pytestmark = pytest.mark.postgresql

AT = datetime(2026, 2, 9, 8, 30, tzinfo=UTC)
TODAY = date(2026, 2, 9)
CALL = Contact("P1", ("not_synced",), AT, "dana", "phone", "reached", "Will charge it tonight.")


def audit_of(store):
    rows = store.register.rows(sa.select(reg.audit).order_by(reg.audit.c.id))
    return [(row["who"], row["what"], row["subject"], row["old"], row["new"]) for row in rows]


def test_a_contact_is_kept_with_its_audit_line_and_its_note_is_not_in_it(store):
    both = dataclasses.replace(CALL, reasons=("not_synced", "battery_low"))
    log_contact(store.register, both)
    rows = history(store.register, "P1")
    assert [(r["reason"], r["who"], r["channel"], r["outcome"], r["note"]) for r in rows] == [
        ("battery_low", "dana", "phone", "reached", "Will charge it tonight."),
        ("not_synced", "dana", "phone", "reached", "Will charge it tonight."),
    ]
    assert rows[0]["at"] == AT
    assert audit_of(store) == [
        ("dana", "contact reached", "P1", "", "not_synced, battery_low: phone")
    ]


def test_a_second_caller_is_told_of_the_first_and_nothing_is_written(store):
    first = log_contact(store.register, CALL, drawn_with=0)
    other = dataclasses.replace(CALL, who="noa")
    with pytest.raises(ContactedSince, match="dana was here at 08:30 UTC") as told:
        log_contact(store.register, other, drawn_with=0)
    assert told.value.row["who"] == "dana"
    assert len(history(store.register, "P1")) == 1
    assert len(audit_of(store)) == 1
    log_contact(store.register, other, drawn_with=first)
    log_contact(store.register, other, drawn_with=None)
    assert len(history(store.register, "P1")) == 3


def test_of_eight_at_once_one_contact_is_logged(store):
    def call(n: int) -> bool:
        try:
            log_contact(store.register, dataclasses.replace(CALL, who=f"caller {n}"), drawn_with=0)
        except ContactedSince:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(call, range(8))) == [False] * 7 + [True]


def test_contacts_of_others_do_not_count(store):
    log_contact(store.register, dataclasses.replace(CALL, participant_id="P2"))
    log_contact(store.register, CALL, drawn_with=0)
    assert sorted(last_contacts(store.register)) == ["P1", "P2"]


def test_a_contact_quiets_its_reason_for_three_days_and_no_other(store):
    log_contact(store.register, CALL)
    on_the_third = resting(store.register, date(2026, 2, 12), quiet_days=3)
    assert sorted(on_the_third) == [("P1", "not_synced", "")]
    assert not is_listed(on_the_third, "P1", "not_synced", None)
    assert is_listed(on_the_third, "P1", "battery_low", None)
    assert resting(store.register, date(2026, 2, 13), quiet_days=3) == {}
    assert sorted(resting(store.register, TODAY, quiet_days=0)) == [("P1", "not_synced", "")]


def test_a_snooze_reaches_to_its_day_and_the_furthest_holds(store):
    snooze = dataclasses.replace(
        CALL, channel="none", outcome="snoozed", until_on=date(2026, 2, 20), note=""
    )
    log_contact(store.register, snooze)
    log_contact(store.register, CALL)
    assert list(resting(store.register, date(2026, 2, 20), 3)) == [("P1", "not_synced", "")]
    assert resting(store.register, date(2026, 2, 21), 3) == {}


def test_an_event_that_was_handled_is_closed_for_good_and_the_next_is_not(store):
    handled = dataclasses.replace(
        CALL,
        reasons=("safety_event",),
        outcome="handled",
        occurrences={"safety_event": "2026-02-05 1"},
    )
    log_contact(store.register, handled)
    years_on = resting(store.register, TODAY + timedelta(days=3000), quiet_days=3)
    assert not is_listed(years_on, "P1", "safety_event", "2026-02-05 1")
    assert is_listed(years_on, "P1", "safety_event", "2026-02-08 2")


def test_the_next_event_can_be_put_off_after_an_earlier_one_was_handled(store):
    first = dataclasses.replace(
        CALL, reasons=("device_swap",), outcome="handled", occurrences={"device_swap": "2026-02-05"}
    )
    log_contact(store.register, first)
    second = dataclasses.replace(
        first,
        outcome="snoozed",
        until_on=date(2026, 2, 20),
        occurrences={"device_swap": "2026-02-08"},
    )
    log_contact(store.register, second)
    for day, shown in ((20, False), (21, True)):
        rests = resting(store.register, date(2026, 2, day), quiet_days=3)
        assert is_listed(rests, "P1", "device_swap", "2026-02-08") is shown
        assert not is_listed(rests, "P1", "device_swap", "2026-02-05")


def test_an_owner_is_given_and_taken_back_and_the_former_stay_on_record(store):
    assign(store.register, "P1", "dana", "dana", AT)
    assign(store.register, "P1", "noa", "dana", AT)
    assign(store.register, "P2", "dana", "noa", AT)
    assert owners(store.register) == {"P1": "noa", "P2": "dana"}
    assign(store.register, "P2", None, "noa", AT)
    assert owners(store.register) == {"P1": "noa"}
    assert len(store.register.rows(sa.select(reg.metadata.tables["assignment"]))) == 4
    assert audit_of(store)[1] == ("dana", "contact owner", "P1", "dana", "noa")


def test_nothing_is_written_of_who_was_erased_by_a_page_that_still_shows_them(store):
    row = {"participant_id": "P2", "site": "haifa", "timezone": "UTC", "batch": 0}
    days = {"enrolled_on": TODAY, "starts_on": TODAY}
    store.register.put(reg.participant, [row | days])
    tombstone = {"participant_hash": "0" * 64, "begun_at": AT, "removed": "{}"}
    store.register.put(reg.erasure, [tombstone])
    for write in (
        lambda: log_contact(store.register, CALL),
        lambda: assign(store.register, "P1", "dana", "dana", AT),
    ):
        with pytest.raises(NotLogged, match="P1 is not on the roster any more"):
            write()
    assert (history(store.register, "P1"), owners(store.register), audit_of(store)) == ([], {}, [])
    log_contact(store.register, dataclasses.replace(CALL, participant_id="P2"))
    assign(store.register, "P2", "dana", "dana", AT)
    assert len(history(store.register, "P2")) == 1


def test_contacts_from_a_day_on(store):
    log_contact(store.register, CALL)
    log_contact(store.register, dataclasses.replace(CALL, at=AT + timedelta(days=1)))
    later = contacts_since(store.register, AT + timedelta(minutes=1))
    assert [row["at"] for row in later] == [AT + timedelta(days=1)]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"channel": "pigeon"}, "unknown channel 'pigeon'; known: phone, message"),
        ({"outcome": "fine"}, "unknown outcome 'fine'; known: reached"),
        ({"reasons": ("bored",)}, "unknown reason 'bored'; known: safety_event"),
        ({"reasons": ()}, "about one reason or more"),
        ({"outcome": "snoozed"}, "say until which day"),
        ({"until_on": date(2026, 2, 8)}, "a day from today, at most 366 days on"),
        ({"until_on": date(2027, 2, 11)}, "a day from today, at most 366 days on"),
        ({"note": "x" * 1001}, "note has 1001 characters; at most 1000"),
        ({"note": "bell \x07"}, "note has a control character"),
        ({"note": "nul \x00"}, "note has a control character"),
        ({"who": " "}, "who is blank"),
        ({"who": "d\x1b[31m"}, "who has a control character"),
        ({"participant_id": ""}, "participant is blank"),
    ],
)
def test_what_cannot_be_logged_says_why_and_leaves_nothing(store, change, says):
    with pytest.raises(NotLogged, match=says):
        log_contact(store.register, dataclasses.replace(CALL, **change))
    assert history(store.register, "P1") == []
    assert audit_of(store) == []


def test_an_owner_of_no_name_is_refused(store):
    with pytest.raises(NotLogged, match="owner is blank"):
        assign(store.register, "P1", "", "dana", AT)


def test_what_looks_like_a_statement_is_text(store):
    note = "'); DROP TABLE contact; --\n<script>"
    log_contact(store.register, dataclasses.replace(CALL, participant_id="P1'--", note=note))
    assert history(store.register, "P1'--")[0]["note"] == note


def test_a_note_stays_in_the_register(store):
    # The audit trail is read by more people, and a build by everybody.
    log_contact(store.register, dataclasses.replace(CALL, note="told me her name is Ruth"))
    trail = store.register.rows(sa.select(reg.audit))
    assert not any("Ruth" in str(value) for row in trail for value in row.values())
