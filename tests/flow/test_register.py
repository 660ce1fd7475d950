"""The register: upserts, locks that die with their holder, and an audit trail that only grows."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from support.registers import make_old

from warehouse import register as reg
from warehouse.register import LeaseBusy, Register

AT = datetime(2026, 1, 20, 5, tzinfo=UTC)
GRANT = {"participant_id": "P1", "source": "google_health", "state": "active", "since": AT}


def test_putting_a_row_twice_updates_only_the_columns_given(store):
    store.register.put(reg.grant, [GRANT | {"vendor_user_id": "v"}])
    store.register.put(reg.grant, [GRANT | {"state": "revoked"}])
    rows = store.register.rows(sa.select(reg.grant))
    assert [(r["state"], r["vendor_user_id"], r["since"]) for r in rows] == [("revoked", "v", AT)]


def test_one_vendor_account_cannot_be_two_participants(store):
    store.register.put(reg.grant, [GRANT | {"vendor_user_id": "v"}])
    with pytest.raises(sa.exc.IntegrityError):
        store.register.put(reg.grant, [GRANT | {"participant_id": "P2", "vendor_user_id": "v"}])


def test_a_transaction_that_fails_leaves_nothing(store):
    def half() -> None:
        with store.register.begin() as con:
            store.register.put(reg.grant, [GRANT], con)
            raise RuntimeError("crash")

    with pytest.raises(RuntimeError):
        half()
    assert store.register.rows(sa.select(reg.grant)) == []


def test_an_instant_without_a_zone_is_refused(store):
    with pytest.raises(sa.exc.StatementError, match="needs a time zone"):
        store.register.put(reg.grant, [GRANT | {"since": datetime(2026, 1, 20)}])


def test_the_audit_trail_can_be_added_to_but_not_changed(store):
    store.register.record("coordinator", "unblinded", AT, subject="P1", why="safety")
    for statement in (sa.delete(reg.audit), sa.update(reg.audit).values(why="")):
        with pytest.raises(sa.exc.IntegrityError, match="append-only"), store.register.begin() as c:
            c.execute(statement)
    assert [row["why"] for row in store.register.rows(sa.select(reg.audit))] == ["safety"]


def test_a_lock_is_held_by_one_and_let_go(store):
    with store.register.leased("grant P1"):
        with pytest.raises(LeaseBusy), store.register.leased("grant P1", wait=0):
            pass
        with store.register.leased("grant P2", wait=0):
            pass
    with store.register.leased("grant P1", wait=0):
        pass


def test_a_lock_holds_threads_apart(store):
    inside, most = 0, 0
    guard = threading.Lock()

    def work() -> None:
        nonlocal inside, most
        for _ in range(20):
            with store.register.leased("counter"):
                with guard:
                    inside += 1
                    most = max(most, inside)
                with guard:
                    inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_lock_dies_with_the_process_that_held_it(home):
    register = Register(home.register_url)
    code = (
        "import sys, time; from warehouse.register import Register\n"
        f"with Register({home.register_url!r}).leased('grant P1'):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)  # fmt: skip
    assert child.stdout is not None
    assert child.stdin is not None
    assert child.stdout.readline() == b"held\n"
    with pytest.raises(LeaseBusy), register.leased("grant P1", wait=0):
        pass
    child.kill()
    child.wait()
    child.stdin.close()
    child.stdout.close()
    with register.leased("grant P1", wait=0):
        pass
    register.close()


def test_a_register_of_an_older_version_gets_the_tables_it_lacks(home, store):
    store.register.put(reg.grant, [GRANT])
    reg.consent_link.drop(store.register.engine)
    newer = Register(home.register_url)
    assert newer.rows(sa.select(reg.consent_link)) == []
    assert len(newer.rows(sa.select(reg.grant))) == 1
    newer.close()


def test_a_register_of_an_earlier_version_gains_the_columns_it_lacks(tmp_path):
    url = f"sqlite:///{tmp_path}/register.sqlite"
    old = Register(url)
    with old.begin() as con:
        con.exec_driver_sql("DROP TABLE drift")
        con.exec_driver_sql("ALTER TABLE revision DROP COLUMN was_complete")
        con.exec_driver_sql(
            "INSERT INTO revision (participant_id, source, activity_date, row_hash, replaced_hash,"
            " changed_at) VALUES ('P1', 'fitbit', '2026-01-20', 'a', 'b', '2026-01-22 05:00:00')"
        )
    old.close()
    new = Register(url)
    rows = new.rows(sa.select(reg.revision))
    assert [(row["participant_id"], row["was_complete"]) for row in rows] == [("P1", None)]
    assert new.rows(sa.select(reg.drift)) == []
    new.close()


def test_a_register_of_an_earlier_version_gets_the_key_it_has_now(tmp_path):
    url = f"sqlite:///{tmp_path}/register.sqlite"
    old = Register(url)
    make_old(old)
    old.close()
    new = Register(url)
    (line,) = new.rows(sa.select(reg.revision))
    assert (line["participant_id"], line["changed_at"].day) == ("P1", 22)
    new.put(reg.revision, [line | {"changed_at": AT}])
    assert len(new.rows(sa.select(reg.revision))) == 2
    new.close()
