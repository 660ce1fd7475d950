"""REDCap: questionnaires, treatment sessions, step goals and the roster of one project.

Each pull asks for all of it again (it is small, and REDCap's own change filter is in the server's
local time): first the roster, then the answers of a batch of participants; only the fields that
study.toml maps, never a name. Contract: the API page of any REDCap: one flat row per record, event
and repeat; all values are text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import msgspec

from ingestion.errors import NOT_JSON, BadReply, Misconfigured, RateLimited, VendorDown
from ingestion.http import PATIENCE, Patience, seconds_to_wait, send
from ingestion.source import Ask, Reading, Reply
from ingestion.sources._redcap_cells import Cells
from ingestion.sources._redcap_dictionary import fields_of
from ingestion.sources._redcap_mapping import (
    Mapping,
    base_of,
    check_fields,
    made_by_redcap,
    read_mapping,
)
from ingestion.sources._redcap_rows import rows_of
from ingestion.sources._redcap_tables import read_tables

BATCH = 100  # records a request: some megabytes of a long study
SECRET = re.compile(r"[0-9A-Fa-f]{32,64}")  # what a token looks like, in an error's words


class RedcapClient:
    """One REDCap project. `requests` counts every request, those that failed too."""

    def __init__(
        self, http: httpx.Client, url: str, token: str, patience: Patience = PATIENCE
    ) -> None:
        self.requests = 0
        self._http, self._url, self._token, self._patience = http, url, token, patience

    def export(self, form: dict[str, str]) -> httpx.Response:
        """The reply to an export, a whole JSON list. Raises errors.SourceError."""
        return self._patience.persist(lambda: self._once(form))

    def _once(self, form: dict[str, str]) -> httpx.Response:
        self.requests += 1
        where = f"redcap: export of {form['content']}"
        data = {**form, "token": self._token}
        return checked(send(self._http, where, "POST", self._url, data=data), where)


def checked(response: httpx.Response, where: str) -> httpx.Response:
    """The reply if it is a JSON list. REDCap tells an error in JSON or XML, under any status, and
    a server under maintenance sends a page of HTML with status 200."""
    status = response.status_code
    if status == 429:
        raise RateLimited(f"{where} answered 429", seconds_to_wait(response))
    if status >= 500:
        raise VendorDown(f"{where} answered {status}")
    if status in (401, 403):
        raise Misconfigured(
            f"{where} answered {status}: the token may not use the API; check "
            "STEPWELL_REDCAP_TOKEN and its user's right to export"
        )
    if said := _error_of(response.content):
        told = SECRET.sub("[token]", said)[:200]
        raise Misconfigured(f"{where} answered {status}: REDCap says: {told}")
    if status >= 300:
        raise Misconfigured(
            f"{where} answered {status}: STEPWELL_REDCAP_URL must be the API itself, such as "
            "https://redcap.example.org/api/"
        )
    try:
        msgspec.json.decode(response.content, type=list[msgspec.Raw])
    except NOT_JSON:
        raise BadReply(
            f"{where}: the body is not a JSON list; is REDCap under maintenance?", response.content
        ) from None
    return response


def _error_of(body: bytes) -> str | None:
    """What REDCap says of an error, in JSON or XML; None when the body is no such thing."""
    try:
        return msgspec.json.decode(body, type=dict[str, str]).get("error")
    except NOT_JSON:
        said = re.search(rb"<error>(.*?)</error>", body, re.DOTALL)
        return said.group(1).decode("utf-8", "replace") if said else None


class RedcapSource:
    """The roster of a project; or the answers, sessions and goals of `ask.participants`."""

    name = "redcap"
    delivers = frozenset({"response", "treatment_session", "goal", "participant"})
    era = ""  # answers have none

    def fetch(self, client: RedcapClient, ask: Ask) -> Iterator[Reply]:
        """The project's metadata, checked against the mapping; then what is asked of its records.

        Raises SourceError; Misconfigured when the mapping names what the project has not.
        """
        mapping = read_mapping(ask.study)
        metadata = _export(client, ask, "metadata", {"content": "metadata"})
        yield metadata
        project = _decoded(metadata)
        check_fields(mapping, project)
        ids = list(ask.participants) or ([ask.participant_id] if ask.participant_id else [])
        if mapping.roster and not ids:
            fields = [mapping.record_id, *map(base_of, mapping.roster.columns.values())]
            form = _records(list(dict.fromkeys(fields)), [], project)
            yield _export(client, ask, "records", form)
        fields = answer_fields(mapping, project)
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            yield _export(client, ask, "records", _records(fields, batch, project))

    def read(self, replies: Sequence[Reply], ask: Ask) -> Reading:
        """Rows of the record replies, and of CSV exports; pure. Raises BadReply, BadInput."""
        mapping = read_mapping(ask.study)
        reading = Reading()
        rows = rows_of([reply for reply in replies if reply.data_type == "records"], mapping)
        told = [reply for reply in replies if reply.data_type == "metadata"]
        newest = max(told, key=lambda reply: (reply.fetched_at, reply.sha256), default=None)
        fields = fields_of(_decoded(newest) if newest else [])
        read_tables(rows, Cells(mapping, ask.study, fields), reading)
        return reading


SOURCE = RedcapSource()


def answer_fields(mapping: Mapping, project: Sequence[dict[str, Any]]) -> list[str]:
    """The record id, what is mapped beside the roster, and whether its form is complete."""
    forms = _forms(project)
    keys = mapping.model_copy(update={"roster": None}).fields_by_key()
    mapped = [base_of(name) for name in keys.values()]
    at = [forms.get(name, name.removesuffix("_timestamp")) for name in mapped]
    complete = [f"{form}_complete" for form in at[1:]]  # the first is the record id
    return list(dict.fromkeys([*mapped, *complete]))


def records_asked(replies: Iterable[Reply]) -> set[str]:
    """The records asked for by name: the replies hold all answers that the project has of each."""
    forms = [parse_qsl(reply.request.removeprefix("POST ")) for reply in replies]
    return {value for form in forms for key, value in form if key.startswith("records[")}


def told_whole(asked: Collection[str], reading: Reading) -> Collection[str]:
    """Of whom a reply holds all that there is, so that what it leaves out was withdrawn.

    Of all who were asked for; but of none where it tells of nobody among several: a token whose
    user was moved to another data access group gets an empty list, and no answer went with it.
    """
    return () if len(asked) > 1 and not reading.counts_of else asked


def _forms(project: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Field -> form."""
    return {str(row.get("field_name")): str(row.get("form_name")) for row in project}


def _records(
    fields: Sequence[str], records: Sequence[str], project: Sequence[dict[str, Any]]
) -> dict[str, str]:
    form = {
        "content": "record",
        "type": "flat",
        "rawOrLabel": "raw",
        "exportCheckboxLabel": "false",
    }
    asked = [name for name in fields if not made_by_redcap(name, project)]
    if len(asked) < len(fields):
        form |= {"exportSurveyFields": "true", "exportDataAccessGroups": "true"}
    form |= {f"fields[{n}]": name for n, name in enumerate(asked)}
    return form | {f"records[{n}]": record for n, record in enumerate(records)}


def _export(client: RedcapClient, ask: Ask, data_type: str, form: dict[str, str]) -> Reply:
    form = {**form, "format": "json", "returnFormat": "json"}
    response = client.export(form)
    return Reply(
        source=RedcapSource.name,
        participant_id=ask.participant_id,
        data_type=data_type,
        request=f"POST {urlencode(form)}",
        fetched_at=ask.now,
        status=response.status_code,
        content_type=response.headers.get("Content-Type", ""),
        body=response.content,
    )


def _decoded(reply: Reply) -> list[dict[str, Any]]:
    try:
        return msgspec.json.decode(reply.body, type=list[dict[str, Any]])
    except NOT_JSON as error:
        raise BadReply(f"redcap: {reply.data_type} is not a list of rows: {error}") from None
