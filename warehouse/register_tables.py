"""The register's tables: those declared in warehouse.tables, and those that no analyst reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from warehouse.schema import Table, Type
from warehouse.tables import landed, ops, quality


class Instant(sa.TypeDecorator[datetime]):
    """An aware UTC instant on any database; a naive one is refused."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class Words(sa.TypeDecorator[str]):
    """Text without NUL, which JSON and SQLite allow and PostgreSQL refuses with all its batch."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else value.replace("\x00", "")


_TYPES: dict[Type, Any] = {
    Type.TEXT: Words,
    Type.INTEGER: sa.Integer,
    Type.BIG: sa.BigInteger,
    Type.REAL: sa.Double,
    Type.BOOLEAN: sa.Boolean,
    Type.DATE: sa.Date,
    Type.INSTANT: Instant,
}
metadata = sa.MetaData()


def _mirror(table: Table, *more: sa.Column[Any]) -> sa.Table:
    """A register table with the columns and key of a declared one."""
    columns = [
        sa.Column(c.name, _TYPES[c.type], primary_key=c.name in table.key, nullable=not c.required)
        for c in table.columns
    ]
    return sa.Table(table.name, metadata, *columns, *more)


# `batch`: the task that pulls the participant and the lake files it owns. Given once, kept.
# `fetched_at`: when the newest word of a roster on the participant was fetched.
participant = _mirror(
    landed.participant,
    sa.Column("batch", sa.Integer, nullable=False),
    sa.Column("fetched_at", Instant),
)
device = _mirror(ops.device)
receipt = _mirror(ops.receipt)
rejection = _mirror(ops.rejection)
revision = _mirror(ops.revision)
lateness = _mirror(ops.lateness)
drift = _mirror(quality.drift)
# When the schedule asks a participant of a source again; no row: at the next run.
ask_again = sa.Table(
    "ask_again",
    metadata,
    sa.Column("participant_id", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("ask_after", Instant),
)
# Requests taken of a source's project-wide limit, by slice of time; see ingestion.budget.
budget = sa.Table(
    "budget",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("slice_number", sa.BigInteger, primary_key=True),
    sa.Column("requests", sa.Integer, nullable=False),
)
grant = sa.Table(
    "grant",
    metadata,
    sa.Column("participant_id", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.Column("next_step", sa.Text),
    sa.Column("vendor_user_id", sa.Text),
    sa.Column("scopes", sa.Text),
    sa.Column("token", sa.LargeBinary),  # encrypted; see ingestion.grants
    sa.Column("expires_at", Instant),
    sa.Column("last_pulled_at", Instant),
    sa.Column("synced_at", Instant),
    sa.Column("first_asked_on", sa.Date),
    sa.Column("landed_sync_at", Instant),
    # How far another account, or a fuller consent, had landed; see Grants.release and .keep.
    sa.Column("account_since", Instant),
    sa.UniqueConstraint("source", "vendor_user_id", name="one_participant_per_vendor_account"),
)
# A link sent to a participant, and the consents begun from it, each by the hash of its secret.
consent_link = sa.Table(
    "consent_link",
    metadata,
    sa.Column("link_hash", sa.Text, primary_key=True),
    sa.Column("participant_id", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("used_at", Instant),
)
consent_request = sa.Table(
    "consent_request",
    metadata,
    sa.Column("state_hash", sa.Text, primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),  # encrypted; see ingestion.links
    sa.Column("expires_at", Instant, nullable=False),
)
# Who works on the study: each login's role and sites. Logins go nowhere else; see warehouse.staff.
staff = sa.Table(
    "staff",
    metadata,
    sa.Column("login", sa.Text, primary_key=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("sites", sa.Text, nullable=False),  # codes by comma; empty is every site
    sa.Column("since", Instant, nullable=False),
    sa.Column("added_by", sa.Text, nullable=False),
)
# Which source told the newest word on each column of a participant's roster row, and when it was
# fetched: a JSON object of column -> [instant, source].
roster_word = sa.Table(
    "roster_word",
    metadata,
    sa.Column("participant_id", sa.Text, primary_key=True),
    sa.Column("told", sa.Text, nullable=False),
)
# Who was erased, by a keyed hash of the pseudonym; see ingestion.erased. `removed`: counts, JSON.
erasure = sa.Table(
    "erasure",
    metadata,
    sa.Column("participant_hash", sa.Text, primary_key=True),
    sa.Column("begun_at", Instant, nullable=False),
    sa.Column("finished_at", Instant),
    sa.Column("removed", sa.Text, nullable=False),
)
# Secrets that this study made for itself, each sealed with STEPWELL_KEY.
secret = sa.Table(
    "secret",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)
# Contacts with participants and what was put off, a row per reason; only added to: see
# warehouse.contacts. Notes are free text and go nowhere else.
contact = sa.Table(
    "contact",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("participant_id", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("occurrence", sa.Text),
    sa.Column("at", Instant, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("note", Words),
    sa.Column("until_on", sa.Date),
)
# Who looks after a participant; the newest row holds.
assignment = sa.Table(
    "assignment",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("participant_id", sa.Text, nullable=False),
    sa.Column("owner", sa.Text),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
)
audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("subject", sa.Text),
    sa.Column("old", sa.Text),
    sa.Column("new", sa.Text),
    sa.Column("why", sa.Text),
)
