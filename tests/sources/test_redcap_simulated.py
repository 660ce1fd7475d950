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
    roster, asked, _ = pull(served)
    everyone = tuple(one.participant_id for one in world.participants)
    reading, _, requests = pull(served, participants=everyone)
    reading.rows["participant"] = roster.rows["participant"]
    reading.counts["roster"] = roster.counts["roster"]
    truth = {
        "response": world.truth_responses(asked.now),
        "treatment_session": world.truth_sessions(asked.now),
        "goal": world.truth_goals(asked.now),
        "participant": world.truth_roster(asked.now),
    }
    for table, rows in truth.items():
        assert len(rows) > 20, table
        assert facts(reading.rows[table]) == facts(rows)
    assert requests == 2
    for count in reading.counts.values():
        assert count.received == count.landed > 0
        assert count.rejections == {}


def test_only_the_participants_asked_for_come(served: Served) -> None:
    reading, _, _ = pull(served, participants=("P002", "P003"))
    for table in ("response", "treatment_session", "goal"):
        assert {row["participant_id"] for row in reading.rows[table]} == {"P002", "P003"}


def test_the_roster_comes_without_an_answer_and_the_answers_without_a_roster(
    served: Served,
) -> None:
    roster, _, _ = pull(served)
    assert {table for table, rows in roster.rows.items() if rows} == {"participant"}
    answers, _, _ = pull(served, participants=("P002",))
    assert answers.rows["participant"] == []
    assert answers.counts["roster"].received == 0


def test_a_token_that_is_none_is_ours_to_mend(served: Served) -> None:
    with pytest.raises(Misconfigured, match="STEPWELL_REDCAP_TOKEN"):
        pull(served, token="F" * 32)
