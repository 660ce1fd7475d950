"""A register as an earlier version made it."""

from __future__ import annotations

from warehouse.register import Register

OLD_REVISION = """CREATE TABLE revision (
    participant_id TEXT NOT NULL, source TEXT NOT NULL, activity_date DATE NOT NULL,
    row_hash TEXT NOT NULL, replaced_hash TEXT NOT NULL, changed_at TIMESTAMP NOT NULL,
    PRIMARY KEY (participant_id, source, activity_date, row_hash))"""


def make_old(register: Register) -> None:
    """Its ledger as an earlier version made it: a line to a day and what it became."""
    with register.begin() as con:
        con.exec_driver_sql("DROP TABLE revision")
        con.exec_driver_sql(OLD_REVISION)
        con.exec_driver_sql(
            "INSERT INTO revision VALUES"
            " ('P1', 'fitbit', '2026-01-20', 'a', 'b', '2026-01-22 05:00:00')"
        )
