"""The shape in which FHIR responses are kept, checked when they are read again."""

from __future__ import annotations

from typing import TypedDict

import msgspec

from ingestion.errors import NOT_JSON, BadInput
from ingestion.source import Reply

Plain = str | int | float | bool | None


class Kept(TypedDict):
    """A response with what is needed of it."""

    id: str | None
    lastUpdated: str | None
    questionnaire: str | None
    status: str | None
    authored: str | None
    participant: str | None
    visit: str | None
    item: list[KeptItem]
    passed_over: list[str]


class KeptItem(TypedDict):
    """Answers under one linkId, each {valueX: value}, or empty."""

    linkId: str
    answer: list[dict[str, Plain | dict[str, Plain]]]


class KeptWeight(TypedDict):
    """What a code of a questionnaire counts."""

    url: str
    version: str
    linkId: str
    code: str
    value: str


class KeptBody(TypedDict):
    responses: list[Kept]
    weights: list[KeptWeight]


def read_kept(reply: Reply) -> KeptBody:
    """The body of a kept reply; BadInput where it is not of its shape."""
    try:
        found = msgspec.json.decode(reply.body, type=KeptBody)
    except NOT_JSON:
        raise BadInput(f"{reply.called}: not what was kept of it; import it again") from None
    for kept in found["responses"]:
        for item in kept["item"]:
            if any(len(answer) > 1 for answer in item["answer"]):
                raise BadInput(f"{reply.called}: an answer of two values; import it again")
    return found
