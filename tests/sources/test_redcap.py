"""REDCap: the mapping, what is asked, and the errors that REDCap tells in its own ways."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from support.redcap import FORMS, METADATA, ask, reply, row, study
from support.scripted import Says, Script, scripted

from ingestion.errors import (
    BadReply,
    Misconfigured,
    RateLimited,
    SourceError,
    VendorDown,
)
from ingestion.http import Patience, open_http
from ingestion.source import Ask, Reply
from ingestion.sources._redcap_mapping import read_mapping
from ingestion.sources.redcap import SOURCE, RedcapClient, records_asked
from warehouse.study import EXAMPLE, read_study

TOKEN = "0123456789ABCDEF0123456789ABCDEF"


def test_the_example_study_is_mapped() -> None:
    mapping = read_mapping(read_study(EXAMPLE))
    assert mapping.instruments["FABQ"].by_item["16"] == "fabq_16"
    assert mapping.instruments["RMDQ24"].by_item.keys() == {str(n) for n in range(1, 25)}
    assert mapping.instruments["LCAT"].by_item == {"score": "func_score"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"evnets": {}}, "sources.redcap.evnets: unknown setting"),
        ({"instruments": {"NPRS": {}}}, "sources.redcap.instruments.NPRS: give fields"),
        ({"instruments": {"FABQ": {"fields_from": "f_{item}"}}}, "instruments.FABQ: fields_from"),
        ({"instruments": {"X": {"fields": {"1": "a"}, "fields_from": "a{item}", "items": 2}}},
         "not both"),
        ({"sessions": {"form": "treatment_session"}}, "sources.redcap.sessions.held_on: missing"),
        ({"events": {"week_13_arm_1": "week_13"}},
         "events.week_13_arm_1: unknown visit 'week_13'; known: baseline, week_4"),
    ],
)  # fmt: skip
def test_a_mapping_that_is_wrong_names_the_key(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        read_mapping(study(**changes))
    assert told in str(caught.value)


def test_a_study_without_the_section_says_so() -> None:
    bare = read_study(EXAMPLE).model_copy(update={"sources": {}})
    with pytest.raises(Misconfigured, match=r"\[sources.redcap\] is missing"):
        read_mapping(bare)


# What is asked


def says(body: object) -> Says:
    return Says(body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})


def fetch(server: Script, wanted: Ask) -> list[Reply]:
    with open_http() as http:
        client = RedcapClient(http, f"{server.url}/api/", TOKEN, Patience(sleep=lambda _: None))
        return list(SOURCE.fetch(client, wanted))


def fields_of(form: dict[str, str]) -> set[str]:
    assert not any(key.startswith("forms[") for key in form)  # a form may hold a name
    return {value for key, value in form.items() if key.startswith("fields[")}


def test_of_the_whole_project_it_asks_for_the_roster_fields_alone() -> None:
    with scripted(says(METADATA), says([])) as server:
        replies = fetch(server, ask())
    assert [r.data_type for r in replies] == ["metadata", "records"]
    first, second = (asked.form for asked in server.asked)
    assert first == {"content": "metadata", "format": "json", "returnFormat": "json",
                     "token": TOKEN}  # fmt: skip
    assert fields_of(second) == {*FORMS["enrollment"].split()}
    assert not any(key.startswith("records[") for key in second)
    assert records_asked(replies) == set()


def test_a_project_without_a_roster_is_asked_for_its_metadata_alone() -> None:
    with scripted(says(METADATA), says([])) as server:
        assert len(fetch(server, ask(roster=None))) == 1


def test_it_asks_for_the_answers_of_participants_in_batches() -> None:
    ids = tuple(f"P{n:03d}" for n in range(101))
    with scripted(says(METADATA), says([])) as server:
        replies = fetch(server, replace(ask(), participants=ids))
    assert [r.data_type for r in replies] == ["metadata", "records", "records"]
    _, second, third = (asked.form for asked in server.asked)
    of_answers = " ".join(names for form, names in FORMS.items() if form != "enrollment")
    assert fields_of(second) == {
        "record_id", *of_answers.split(), "pain_complete",
        "fear_complete", "treatment_session_complete", "step_goal_complete",
    }  # fmt: skip
    assert second["records[0]"] == "P000"
    assert second["records[99]"] == "P099"
    assert third["records[0]"] == "P100"
    assert "records[1]" not in third
    assert records_asked(replies) == {*ids}
    assert TOKEN not in "".join(reply.request for reply in replies)
    assert {asked.path for asked in server.asked} == {"/api/"}


@pytest.mark.parametrize(
    "wanted",
    [replace(ask(), participants=("P001", "P007")), replace(ask(), participant_id="P001")],
    ids=["some", "one"],
)
def test_some_participants_alone_can_be_asked_for(wanted: Ask) -> None:
    with scripted(says(METADATA), says([row(pain_nrs="4")])) as server:
        replies = fetch(server, wanted)
    assert [reply.data_type for reply in replies] == ["metadata", "records"]
    form = server.asked[1].form
    listed = [value for key, value in form.items() if key.startswith("records[")]
    assert tuple(listed) == (wanted.participants or ("P001",))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"pain_nrs": {"field_name": "pain_nrs_now"}},
         "sources.redcap.instruments.NPRS.1: the project has no field 'pain_nrs'; close: "
         "pain_nrs_now"),
        ({"pain_nrs": {"identifier": "y"}}, "NPRS.1: the project marks field 'pain_nrs'"),
        ({"record_id": {"field_name": "study_id"}}, "first field; that is 'study_id'"),
        ({name: {"form_name": "sessions"} for name in FORMS["treatment_session"].split()},
         "sources.redcap.sessions.form: the project has no form 'treatment_session'"),
    ],
)  # fmt: skip
def test_a_project_that_does_not_fit_the_mapping_is_told_before_anyone_is_asked_for(
    changed: dict[str, dict[str, str]], told: str
) -> None:
    project = [field | changed.get(field["field_name"], {}) for field in METADATA]
    with scripted(says(project)) as server, pytest.raises(Misconfigured) as caught:
        fetch(server, ask())
    assert told in str(caught.value)
    assert len(server.asked) == 1


def test_a_date_that_is_marked_as_an_identifier_may_be_asked_for() -> None:
    project = [
        field | ({"identifier": "y", "text_validation_type_or_show_slider_number": "date_ymd"}
                 if field["field_name"] == "enrolled_on" else {})
        for field in METADATA
    ]  # fmt: skip
    with scripted(says(project), says([])) as server:
        assert len(fetch(server, ask())) == 2


DENIED = '{"error":"You do not have permissions to use the API"}'
XML = '<?xml version="1.0" encoding="UTF-8" ?><hash><error>The value is invalid</error></hash>'
PAGE = b"<!DOCTYPE html><html><body>REDCap is offline for maintenance</body></html>"


@pytest.mark.parametrize(
    ("reply", "expected", "requests"),
    [
        pytest.param(Says(403, DENIED.encode()), Misconfigured, 1, id="403"),
        pytest.param(Says(401, b""), Misconfigured, 1, id="401"),
        pytest.param(Says(400, XML.encode()), Misconfigured, 1, id="400"),
        pytest.param(Says(404, b""), Misconfigured, 1, id="404"),
        pytest.param(Says(301, b"", {"Location": "/api/"}), Misconfigured, 1, id="301"),
        pytest.param(Says(200, DENIED.encode()), Misconfigured, 1, id="200 with a JSON error"),
        pytest.param(Says(200, XML.encode()), Misconfigured, 1, id="200 with an XML error"),
        pytest.param(Says(200, PAGE), BadReply, 4, id="200 with a page"),
        pytest.param(Says(200, b""), BadReply, 4, id="200 empty"),
        pytest.param(Says(200, b'[{"record_id":'), BadReply, 4, id="200 cut"),
        pytest.param(Says(200, b'{"records":[]}'), BadReply, 4, id="200 no list"),
        pytest.param(Says(500, b'[{"record_id":"P001"}]'), VendorDown, 4, id="500 with a list"),
        pytest.param(Says(503, PAGE), VendorDown, 4, id="503"),
        pytest.param(Says(429, b"", {"Retry-After": "600"}), RateLimited, 1, id="429"),
        pytest.param(Says(broken="reset"), VendorDown, 4, id="reset"),
        pytest.param(Says(body=b"[]", broken="short"), BadReply, 4, id="short body"),
    ],
)
def test_each_error_of_redcap_is_known_for_what_it_is(
    reply: Says, expected: type[SourceError], requests: int
) -> None:
    with scripted(reply) as server, open_http() as http:
        client = RedcapClient(http, f"{server.url}/api/", TOKEN, Patience(sleep=lambda _: None))
        with pytest.raises(SourceError) as caught:
            client.export({"content": "metadata"})
    assert type(caught.value) is expected
    assert client.requests == requests == len(server.asked)
    assert TOKEN not in str(caught.value)


def test_what_redcap_says_of_an_error_is_passed_on_without_the_token() -> None:
    body = json.dumps({"error": f"The token {TOKEN} is not valid"}).encode()
    with scripted(Says(400, body)) as server, open_http() as http, \
            pytest.raises(Misconfigured, match=r"The token \[token\] is not valid"):  # fmt: skip
        RedcapClient(http, server.url, TOKEN).export({"content": "metadata"})


@pytest.mark.parametrize("body", [b"", b"{", b'{"error":"no"}', b"[1]", b'[{"pain_nrs":"4"}]'])
def test_records_that_are_something_else_are_a_bad_reply(body: bytes) -> None:
    with pytest.raises(BadReply):
        SOURCE.read([reply(body)], ask())
