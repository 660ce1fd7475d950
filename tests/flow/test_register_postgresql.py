"""The register on PostgreSQL does what it does on SQLite."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet, MultiFernet
from support.google import vendor_at
from support.grants import KEY, Clock, given, grants_at, token_says
from support.house import ROOT
from support.postgresql import postgresql
from support.registers import make_old
from support.scripted import scripted

from ingestion.budget import SHARE, take_share
from ingestion.consent import ask_consent
from ingestion.drift import Drift
from ingestion.errors import WrongAccount
from ingestion.http import open_http
from ingestion.landing import land_devices, land_roster
from ingestion.links import Links
from ingestion.receipts import record_drift
from ingestion.source import Device
from warehouse import register as reg
from warehouse.contacts import Contact, ContactedSince, assign, history, log_contact, owners
from warehouse.home import Store, find_home, open_store
from warehouse.register import LeaseBusy, Register
from warehouse.staff import add_staff, find_staff
from warehouse.study import EXAMPLE

AT = datetime(2026, 2, 1, 6, tzinfo=UTC)
PERSON = {"participant_id": "P001", "site": "haifa", "timezone": "Asia/Jerusalem",
          "enrolled_on": date(2026, 1, 19), "starts_on": date(2026, 1, 20)}  # fmt: skip


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgresql() as found:
        yield found


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[Store]:
    """A study whose register is an empty database on the server."""
    shutil.copy(EXAMPLE, tmp_path / "study.toml")
    home = find_home({"STEPWELL_HOME": str(tmp_path), "STEPWELL_REGISTER_URL": url})
    opened = open_store(home)
    yield opened
    reg.metadata.drop_all(opened.register.engine)
    opened.register.close()


def test_processes_make_it_together_and_an_old_one_gains_its_columns(url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: Register(url), range(4)))
    with made[0].begin() as con:
        con.exec_driver_sql('ALTER TABLE "grant" DROP COLUMN account_since')
    make_old(made[0])
    again = Register(url)
    (line,) = again.rows(sa.select(reg.revision))
    again.put(reg.revision, [line | {"changed_at": AT}])
    assert len(again.rows(sa.select(reg.revision))) == 2
    assert again.rows(sa.select(reg.grant)) == []
    reg.metadata.drop_all(again.engine)
    for one in (*made, again):
        one.close()


def test_one_found_whole_is_opened_again_with_one_question(store: Store, url: str) -> None:
    """Pages open the register at every rerun; a column that goes missing is seen all the same."""
    Register(url).close()
    asked: list[str] = []

    def keep(*told: object) -> None:
        asked.append(str(told[2]))

    sa.event.listen(sa.Engine, "before_cursor_execute", keep)
    Register(url).close()
    sa.event.remove(sa.Engine, "before_cursor_execute", keep)
    assert len([one for one in asked if "pg_attribute" in one]) == len(asked) == 1
    with store.register.begin() as con:
        con.exec_driver_sql('ALTER TABLE "grant" DROP COLUMN account_since')
    again = Register(url)
    assert again.rows(sa.select(reg.grant)) == []
    again.close()


def test_the_audit_trail_only_grows(store: Store) -> None:
    store.register.record("coordinator", "unblinded", AT, why="safety")
    for statement in (sa.delete(reg.audit), sa.update(reg.audit).values(why="")):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), store.register.begin() as con:
            con.execute(statement)
    assert [row["why"] for row in store.register.rows(sa.select(reg.audit))] == ["safety"]


def test_a_lock_is_held_by_one(store: Store, url: str) -> None:
    other = Register(url)
    busy = pytest.raises(LeaseBusy)
    with store.register.leased("grant P1"), busy, other.leased("grant P1", wait=0):
        pass
    with other.leased("grant P1", wait=0):
        pass
    other.close()


def test_more_threads_may_hold_locks_than_the_pool_has_connections(store: Store) -> None:
    """Each needs a second connection for its work: they must not wait for one another's first."""
    together = threading.Barrier(20)

    def work(n: int) -> int:
        with store.register.leased(f"grant P{n}"):
            together.wait(30)
            return len(store.register.rows(sa.select(reg.grant)))

    with ThreadPoolExecutor(20) as threads:
        assert list(threads.map(work, range(20))) == [0] * 20


def test_a_grant_is_kept_refreshed_and_one_account_is_one_participants(store: Store) -> None:
    with scripted(token_says(refresh="refresh-2")) as script, open_http() as http:
        grants = grants_at(script.url, store.register, http, Clock())
        grant = given(grants)
        with pytest.raises(WrongAccount):
            given(grants, "P002")
        with ThreadPoolExecutor(8) as threads:
            tokens = set(threads.map(lambda _: grants.refresh(grant).token.refresh_token, range(8)))
    assert tokens == {"refresh-2"}
    assert len(script.asked) == 1
    assert grants.release("P001", "google_health", "changed").state == "wrong_account"
    assert given(grants, "P002").state == "active"


def test_a_consent_is_taken_once(store: Store) -> None:
    land_roster(store, [PERSON])
    links = Links(store.register, MultiFernet([Fernet(KEY)]), Clock())
    vendor = vendor_at("https://vendor.example.org")
    request = ask_consent(vendor, "P001", "https://study.example.org")
    token = links.make("P001", "google_health")
    links.begin(token, request)
    assert links.take(request.state) == (token, request)
    assert links.take(request.state) is None
    links.close(token)
    assert links.find(token).used


def test_shares_of_the_budget_end_when_they_are_spent(store: Store) -> None:
    with ThreadPoolExecutor(8) as threads:
        taken = threads.map(
            lambda _: take_share(store.register, "google_health", 7, 5 * SHARE), range(8)
        )
        assert sum(taken) == 5


def test_batches_that_meet_the_same_drift_count_it_all(store: Store) -> None:
    """In either order, at once: no count is lost and none waits for the other for ever."""
    fields = [Drift("steps", f"field_{n}", "new_field") for n in range(40)]

    def batch(n: int) -> None:
        for hour in range(10):
            with store.register.begin() as con:
                found = dict.fromkeys(fields if n % 2 else reversed(fields), 1)
                record_drift(con, "google_health", AT + timedelta(hours=hour), found)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(batch, range(4)))
    rows = store.register.rows(sa.select(reg.drift))
    assert {row["points"] for row in rows} == {40}
    assert {(row["first_seen_at"], row["last_seen_at"]) for row in rows} == {
        (AT, AT + timedelta(hours=9))
    }


def test_what_a_vendor_writes_cannot_break_the_batch(store: Store) -> None:
    """A NUL is text to JSON and to SQLite, and none to PostgreSQL."""
    device = Device("P001", "google_health", "d", "Inspire\x00 3", True, AT, 50, AT)
    land_devices(store, [device])
    (row,) = store.register.rows(sa.select(reg.device))
    assert row["device_model"] == "Inspire 3"


def test_contacts_are_logged_once_and_owners_kept(store: Store) -> None:
    one = Contact("P001", ("not_synced",), AT, "dana", "phone", "reached", "Will charge it.")
    with ThreadPoolExecutor(4) as threads:
        tried = [threads.submit(log_contact, store.register, one, 0) for _ in range(4)]
    refused = [done.exception() for done in tried if done.exception()]
    assert [type(error) for error in refused] == [ContactedSince] * 3
    assert [row["note"] for row in history(store.register, "P001")] == ["Will charge it."]
    assign(store.register, "P001", "dana", "noa", AT)
    assert owners(store.register) == {"P001": "dana"}


@pytest.fixture
def masked(store: Store, url: str) -> Iterator[Register]:
    """The register to the user whom docs/several_machines.md gives the masked dashboard."""
    page = (ROOT / "docs" / "several_machines.md").read_text(encoding="utf-8")
    [granted] = re.findall(r"```postgresql\n(.*?)```", page, re.DOTALL)
    add_staff(store.register, store.study, "dana", "coordinator", [], "test", AT)
    with store.register.begin() as con:
        con.exec_driver_sql(granted)
    opened = Register(sa.make_url(url).set(username="masked").render_as_string())
    yield opened
    opened.close()
    with store.register.begin() as con:
        con.exec_driver_sql("DROP OWNED BY masked; DROP ROLE masked")


def test_the_masked_dashboard_does_its_work_and_cannot_read_an_arm(masked: Register) -> None:
    assert find_staff(masked, "dana")
    masked.record("dana, coordinator", "export", AT, "participants.csv")
    log_contact(masked, Contact("P001", ("not_synced",), AT, "dana", "phone", "reached"), 0)
    assign(masked, "P001", "dana", "noa", AT)
    assert owners(masked) == {"P001": "dana"}
    assert len(history(masked, "P001")) == 1
    for hidden in (reg.participant.c.arm, reg.roster_word.c.participant_id, reg.grant.c.token):
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            masked.rows(sa.select(hidden))
