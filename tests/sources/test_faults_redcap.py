"""Every fault of the catalogue at REDCap: the right rows, or the right error; never a storm."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from support.faulted import QUICK
from support.google import STUDY

from ingestion.errors import BadReply, Misconfigured, RateLimited, SourceError, VendorDown
from ingestion.http import Patience, open_http
from ingestion.simulator.redcap import REDCAP_TOKEN
from ingestion.simulator.server import Served, serve
from ingestion.simulator.world import World
from ingestion.source import Ask, Reading
from ingestion.sources.redcap import SOURCE, RedcapClient
from warehouse.study import Study

EVERYBODY = ("P001", "P002", "P003", "P004")
TABLES = ("response", "treatment_session", "goal")
TRIES = 4  # of ingestion.http.Patience


class Project:
    """A served project of four participants whose weeks are over."""

    def __init__(self, served: Served, study: Study) -> None:
        self.served, self.study = served, study
        self.waits: list[float] = []
        self.requests = 0

    def arm(self, fault: str, times: int = 1, **args: Any) -> None:
        match = {"personality": "redcap"}
        spec = {"match": match, "times": times, "fault": fault, "args": args}
        reply = httpx.post(f"{self.served.url}/_emu/faults", json=spec)
        assert reply.status_code == 200, reply.text

    def disarm(self) -> None:
        self.served.simulator.state._write("DELETE FROM fault")

    def pull(self, timeout: float = 30.0, **wanted: Any) -> Reading:
        """The answers of everybody; of the roster with `participants` empty."""
        asked = Ask(self.study, self.served.now(), **{"participants": EVERYBODY, **wanted})
        self.waits = []
        with open_http() as http:
            http.timeout = httpx.Timeout(timeout)
            url, patience = f"{self.served.url}/api/", Patience(sleep=self.waits.append)
            client = RedcapClient(http, url, REDCAP_TOKEN, patience)
            try:
                return SOURCE.read(list(SOURCE.fetch(client, asked)), asked)
            finally:
                self.requests = client.requests


@contextmanager
def project(study: Study = STUDY, participants: int = 4) -> Iterator[Project]:
    with serve(World(study, participants=participants, weeks=5, faults=False)) as served:
        served.set_clock(served.simulator.world.settles_at)
        yield Project(served, study)


@pytest.fixture(scope="module")
def served() -> Iterator[Project]:
    with project() as made:
        yield made


@pytest.fixture
def world(served: Project) -> Iterator[Project]:
    """The served project; what a test left armed is disarmed."""
    yield served
    served.disarm()


@pytest.fixture
def plain(world: Project) -> Reading:
    found = world.pull()
    assert world.requests == 2
    assert all(len(found.rows[table]) > 2 for table in TABLES)
    return found


def told(reading: Reading, table: str) -> list[dict[str, Any]]:
    """Rows without where they came from, in an order of their own."""
    came = ("fetched_at", "raw_sha256")
    rows = [{k: v for k, v in row.items() if k not in came} for row in reading.rows[table]]
    return sorted(rows, key=lambda row: repr(sorted(row.items())))


def same(found: Reading, plain: Reading, tables: tuple[str, ...] = TABLES) -> bool:
    for count in found.counts.values():
        assert count.received == count.landed + count.rejected
    return all(told(found, table) == told(plain, table) for table in tables)


@pytest.mark.parametrize(
    ("fault", "args", "wait"),
    [
        ("429", {"retry_after": 7}, 7.0),
        ("429", {"retry_after": "date", "ahead": 45}, 45.0),
        ("429", {"retry_after": "none"}, None),
        ("500", {}, None),
        ("502_html", {}, None),
        ("503", {"body": "html"}, None),
        ("503", {"body": "empty"}, None),
        ("html_200", {}, None),
        ("truncated", {}, None),
        ("truncated", {"short": True}, None),
        ("empty", {}, None),
        ("reset", {}, None),
        ("reset", {"at": "done"}, None),
    ],
)
def test_what_passes_is_tried_again_and_changes_nothing(
    world: Project, plain: Reading, fault: str, args: dict[str, Any], wait: float | None
) -> None:
    world.arm(fault, times=2, **args)
    found = world.pull()
    assert same(found, plain)
    assert world.requests == 4
    assert len(world.waits) == 2
    assert wait is None or world.waits == [wait, wait]


@pytest.mark.parametrize("at", ["start", "done", "body"])
def test_a_reply_that_does_not_come_is_asked_for_again(
    world: Project, plain: Reading, at: str
) -> None:
    world.arm("slow", at=at)
    assert same(world.pull(timeout=QUICK), plain)
    assert (world.requests, len(world.waits)) == (3, 1)


@pytest.mark.parametrize(
    ("fault", "args", "expected", "requests"),
    [
        ("500", {}, VendorDown, TRIES),
        ("502_html", {}, VendorDown, TRIES),
        ("503", {"body": "html"}, VendorDown, TRIES),
        ("reset", {}, VendorDown, TRIES),
        ("html_200", {}, BadReply, TRIES),
        ("truncated", {}, BadReply, TRIES),
        ("truncated", {"short": True}, BadReply, TRIES),
        ("empty", {}, BadReply, TRIES),
        ("429", {"retry_after": 900}, RateLimited, 1),
        ("revoked", {}, Misconfigured, 1),
        ("html_401", {}, Misconfigured, 1),
        ("410", {}, Misconfigured, 1),
        ("service_disabled", {}, VendorDown, TRIES),
        ("xml_error", {"status": 200}, Misconfigured, 1),
        ("xml_error", {"status": 400}, Misconfigured, 1),
        ("xml_error", {"status": 401}, Misconfigured, 1),
        ("xml_error", {"status": 403}, Misconfigured, 1),
        ("xml_error", {"status": 404}, Misconfigured, 1),
        ("xml_error", {"status": 406}, Misconfigured, 1),
        ("xml_error", {"status": 500}, VendorDown, TRIES),
    ],
)
def test_what_lasts_is_raised_after_few_requests(
    world: Project, fault: str, args: dict[str, Any], expected: type[SourceError], requests: int
) -> None:
    world.arm(fault, times=-1, **args)
    with pytest.raises(expected) as caught:
        world.pull()
    assert type(caught.value) is expected
    assert world.requests == requests
    assert REDCAP_TOKEN not in str(caught.value)


def test_a_project_that_says_nothing_is_down(world: Project) -> None:
    world.arm("slow", times=-1)
    with pytest.raises(VendorDown):
        world.pull(timeout=QUICK)
    assert world.requests == TRIES


def test_what_redcap_says_is_passed_on(world: Project) -> None:
    world.arm("xml_error")
    with pytest.raises(Misconfigured, match="You do not have permissions to use the API"):
        world.pull()


@pytest.mark.parametrize("what", ["unknown_field", "bare_number", "repeat_as_text"])
def test_drift_is_tolerated(world: Project, plain: Reading, what: str) -> None:
    world.arm("drift", what=what)
    assert same(world.pull(), plain)
    roster = world.pull(participants=())
    world.arm("drift", what=what)
    assert same(world.pull(participants=()), roster, ("participant",))
    assert len(roster.rows["participant"]) == len(EVERYBODY)


def with_redcap(**changes: Any) -> Study:
    """The example study with settings of its REDCap section changed, by part."""
    sources = copy.deepcopy(dict(STUDY.sources))
    for part, change in changes.items():
        old = sources["redcap"].get(part)
        sources["redcap"][part] = {**old, **change} if isinstance(change, dict) else change
    return STUDY.model_copy(update={"sources": sources})


def test_a_missing_data_code_is_no_answer(world: Project, plain: Reading) -> None:
    world.study = with_redcap(missing_codes=["-99", "UNK"])
    try:
        world.arm("missing_code", field="pain_nrs", code="-99")
        found = world.pull()
    finally:
        world.study = STUDY
    was, now = ([row for row in reading.rows["response"] if row["instrument"] == "NPRS"]
                for reading in (plain, found))  # fmt: skip
    assert was
    assert {row["value"] for row in now} <= {None}
    assert same(found, plain, ("treatment_session", "goal"))
    others = [[row for row in told(reading, "response") if row["instrument"] != "NPRS"]
              for reading in (plain, found)]  # fmt: skip
    assert others[0] == others[1]


def test_a_code_that_the_mapping_does_not_know_is_no_number_silently(
    world: Project, plain: Reading
) -> None:
    world.arm("missing_code", field="goal_steps", code="UNK")
    found = world.pull()
    goals = len(plain.rows["goal"])
    assert found.rows["goal"] == []
    assert found.counts["goals"].rejections == {"bad_value": goals}
    assert same(found, plain, ("response", "treatment_session"))


def test_a_checkbox_is_asked_for_by_its_field_and_read_by_its_option() -> None:
    flagged = with_redcap(sessions={"attended": "session_flags___1"})
    with project(flagged, participants=24) as world:
        people = world.served.simulator.world.participants
        found = world.pull(participants=tuple(one.participant_id for one in people))
        truth = world.served.simulator.world.truth_sessions(world.served.now())
    attended = {(row["participant_id"], row["session_number"]): row["attended"] for row in truth}
    assert {True, False} <= set(attended.values())
    assert attended == {
        (row["participant_id"], row["session_number"]): row["attended"]
        for row in found.rows["treatment_session"]
    }
