"""The tombstone: nothing of whoever was erased is landed, whoever brings it."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from support.enrolment import KEY, NOW

from ingestion.erased import (
    erased_among,
    find_erasure,
    hash_of,
    mark_erased,
    people_in,
    without_erased,
)
from ingestion.errors import Misconfigured
from ingestion.landing import land, land_roster
from ingestion.source import Count, Device, Reading
from warehouse import register as reg
from warehouse.tables import landed

pytestmark = pytest.mark.postgresql

DEVICE = Device("P1", "google_health", "d1", "Inspire 3", True, NOW, 54, NOW)


def goal(who: str) -> dict[str, object]:
    return {"participant_id": who, "version": 1, "valid_from": date(2026, 3, 1),
            "goal_steps": 5000, "rule": "protocol", "fetched_at": NOW}  # fmt: skip


def person(who: str) -> dict[str, object]:
    on = date(2026, 3, 1)
    return {"participant_id": who, "site": "haifa", "enrolled_on": on, "starts_on": on}


@pytest.fixture
def gone(store, monkeypatch):
    """A study from which P1 was erased."""
    monkeypatch.setenv("STEPWELL_KEY", KEY)
    mark_erased(store.register, "P1", NOW, "{}")
    return store


def test_nothing_of_them_lands_and_all_of_the_others_does(gone):
    both = Reading(
        rows={"goal": [goal("P1"), goal("P2")], "participant": [person("P1"), person("P2")]},
        devices=[DEVICE, dataclasses.replace(DEVICE, participant_id="P2")],
    )
    land(gone, both, "redcap", "0000")
    assert gone.lake.read_rows(landed.goal)["participant_id"].to_pylist() == ["P2"]
    for table in (reg.participant, reg.device):
        rows = gone.register.rows(sa.select(table.c.participant_id))
        assert [row["participant_id"] for row in rows] == ["P2"]


def test_the_roster_alone_brings_them_back_neither(gone):
    merge = land_roster(gone, [person("P1")], "redcap")
    assert merge.changes == []
    assert gone.register.rows(sa.select(reg.participant)) == []


def test_a_reading_loses_their_counts_too(gone):
    told = Reading(
        counts_of={"P1": {"goals": Count(1, 1)}, "P2": {"goals": Count(1, 1)}},
        covered_to={"P1": NOW, "P2": NOW},
        first_full_day={"P1": NOW.date()},
        notes=["a word"],
    )
    assert people_in(told) == {"P1", "P2"}
    left = without_erased(gone.register, told)
    assert people_in(left) == {"P2"}
    assert left.notes == ["a word"]


def test_the_register_tells_a_hash_that_the_key_alone_opens(gone, monkeypatch):
    assert erased_among(gone.register, ["P1", "P2"]) == {"P1"}
    [row] = gone.register.rows(sa.select(reg.erasure))
    assert row["participant_hash"] == hash_of(gone.register, "P1")
    assert "P1" not in str(row)
    monkeypatch.setenv("STEPWELL_KEY", Fernet.generate_key().decode())
    with pytest.raises(Misconfigured, match="does not open this study's erasure key"):
        erased_among(gone.register, ["P1"])
    monkeypatch.delenv("STEPWELL_KEY")
    with pytest.raises(Misconfigured, match="STEPWELL_KEY is not set"):
        land_roster(gone, [person("P2")])


def test_while_nobody_was_erased_no_key_is_needed(store):
    assert erased_among(store.register, ["P1"]) == set()
    assert find_erasure(store.register, "P1") is None
    land_roster(store, [person("P1")])
    assert len(store.register.rows(sa.select(reg.participant))) == 1


def test_two_studies_have_hashes_of_their_own(gone, tmp_path):
    other = reg.Register(f"sqlite:///{tmp_path}/other.sqlite")
    assert hash_of(other, "P1") != hash_of(gone.register, "P1")
    other.close()


def test_the_first_word_on_an_erasure_stays(gone):
    mark_erased(gone.register, "P1", NOW.replace(hour=23), '{"goal": 9}')
    found = find_erasure(gone.register, "P1")
    assert found is not None
    assert (found["begun_at"], found["removed"]) == (NOW, "{}")
