"""REDCap as the simulator serves it: the rows equal the world's own truth."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from support.google import HASTE, STUDY

from ingestion.errors import Misconfigured
from ingestion.http import open_http
from ingestion.simulator.redcap import REDCAP_TOKEN
from ingestion.simulator.server import Served, serve
from ingestion.simulator.world import World
from ingestion.source import Ask, Reading
from ingestion.sources.redcap import SOURCE, RedcapClient


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serve(World(STUDY, participants=24, weeks=8, faults=False)) as server:
        yield server


def pull(served: Served, token: str = REDCAP_TOKEN, **wanted: Any) -> tuple[Reading, Ask, int]:
    asked = Ask(STUDY, served.now(), **wanted)
    with open_http() as http:
        client = RedcapClient(http, f"{served.url}/api/", token, HASTE)
        reading = SOURCE.read(list(SOURCE.fetch(client, asked)), asked)
    return reading, asked, client.requests


def facts(rows: list[dict[str, Any]]) -> list[tuple[tuple[str, Any], ...]]:
    """Rows without where they came from, in an order of their own."""
    came = ("fetched_at", "raw_sha256")
    plain = [tuple(sorted((k, v) for k, v in row.items() if k not in came)) for row in rows]
    return sorted(plain, key=repr)


@pytest.mark.parametrize("at", [datetime(2026, 2, 20, 6, tzinfo=UTC), None], ids=["early", "end"])
def test_everything_of_the_project_lands_as_it_is(served: Served, at: datetime | None) -> None:
    world = served.simulator.world
    served.set_clock(at or world.settles_at)
    reading, asked, requests = pull(served)
    truth = {
        "response": world.truth_responses(asked.now),
        "treatment_session": world.truth_sessions(asked.now),
        "goal": world.truth_goals(asked.now),
        "participant": world.truth_roster(asked.now),
    }
    for table, rows in truth.items():
        assert len(rows) > 20, table
        assert facts(reading.rows[table]) == facts(rows)
    assert requests == 3
    for count in reading.counts.values():
        assert count.received == count.landed > 0
        assert count.rejections == {}


def test_only_the_participants_asked_for_come(served: Served) -> None:
    reading, _, _ = pull(served, participants=("P002", "P003"))
    for rows in reading.rows.values():
        assert {row["participant_id"] for row in rows} == {"P002", "P003"}


def test_a_token_that_is_none_is_ours_to_mend(served: Served) -> None:
    with pytest.raises(Misconfigured, match="STEPWELL_REDCAP_TOKEN"):
        pull(served, token="F" * 32)
