"""What an electronic data capture system tells of a participant, and is therefore changed there.

A column is the EDC's when its newest word on that participant came from there; so a participant
whom it does not know is the study team's own, and so is a column that is not mapped. See
docs/decisions/0013-who-owns-a-field.md.
"""

from __future__ import annotations

import sqlalchemy as sa

from ingestion.roster_words import sources_of
from ingestion.sources._redcap_mapping import Mapping, read_mapping
from ingestion.sources.redcap import SOURCE
from warehouse import register as reg
from warehouse.home import Store

_PULL = "then `stepwell pull questionnaires`"


def owned_columns(store: Store, participant_id: str) -> dict[str, str]:
    """Roster columns of a participant that the EDC tells, each with where to change it."""
    mapping = _mapping(store)
    if mapping is None or mapping.roster is None:
        return {}
    event = f", event {mapping.roster.event}" if mapping.roster.event else ""
    fields = mapping.roster.columns
    told = sources_of(store.register, participant_id)
    if not told and _was_told_of(store, participant_id):  # before words were kept
        told = dict.fromkeys(fields, SOURCE.name)
    return {
        column: f"comes from REDCap: change {fields[column]}{event} there, {_PULL}"
        for column, source in told.items()
        if source == SOURCE.name and column in fields
    }


def owned_goals(store: Store, participant_id: str) -> str | None:
    """Where to change this participant's goals; None where they are the study team's own."""
    mapping = _mapping(store)
    if mapping is None or mapping.goals is None or not owned_columns(store, participant_id):
        return None
    return f"Goals come from REDCap: change the form {mapping.goals.form} there, {_PULL}"


def _was_told_of(store: Store, participant_id: str) -> bool:
    told = reg.receipt.c
    mine = (told.participant_id == participant_id) & (told.source == SOURCE.name)
    query = sa.select(told.pull_id).where(mine, told.data_type == "roster", told.landed > 0)
    return bool(store.register.rows(query.limit(1)))


def _mapping(store: Store) -> Mapping | None:
    return read_mapping(store.study) if SOURCE.name in store.study.sources else None
