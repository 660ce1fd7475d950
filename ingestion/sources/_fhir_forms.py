"""One filled-in questionnaire: whose, of which visit and day, and the value of each item. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ingestion.source import Ask, Reply
from ingestion.sources._fhir_files import Resource, number_text
from ingestion.sources._fhir_kept import Kept
from ingestion.sources._fhir_mapping import Questionnaire
from warehouse.study import Study

LANDS = ("completed", "amended")
WITHDRAWN = "entered-in-error"
_PLAIN = ("valueString", "valueDate", "valueDateTime", "valueTime", "valueUri")
Weights = Mapping[tuple[str, str, str, str], str]  # url, version, linkId, code -> value


class Refused(ValueError):
    """A response that cannot land: the reason that is counted, and the linkId where it lies."""

    def __init__(self, reason: str, link: str = "") -> None:
        super().__init__(reason)
        self.link = link


@dataclass(frozen=True)
class Form:
    """A response as it may land; `word_at` tells which of two words is the newer."""

    response_id: str | None
    participant_id: str
    visit: str
    instrument: str
    answered_on: date | None
    word_at: datetime
    status: str
    values: dict[str, str | None]  # by item; all blank where it takes back
    reply: Reply

    @property
    def key(self) -> tuple[str, str, str]:
        return self.participant_id, self.visit, self.instrument

    @property
    def rank(self) -> tuple[datetime, str]:
        return self.word_at, repr(sorted(self.values.items()))


def read_form(kept: Kept, means: Questionnaire, weights: Weights, reply: Reply, ask: Ask) -> Form:
    """The form of a kept response; Refused with the reason why it cannot land."""
    status = kept["status"] or ""
    if status not in (*LANDS, WITHDRAWN):
        raise Refused("not_completed")
    participant = kept["participant"]
    if participant is None:
        raise Refused("unknown_subject")
    zone = ask.zones.get(participant) or ask.timezone
    answered_on = local_day(kept["authored"], zone)
    visit = kept["visit"] or means.visit or _visit_on(answered_on, participant, ask)
    if visit not in {one.code for one in ask.study.visits}:
        raise Refused("unknown_visit")
    return Form(
        response_id=kept["id"],
        participant_id=participant,
        visit=visit,
        instrument=means.instrument,
        answered_on=answered_on,
        word_at=word_at(kept, reply),
        status=status,
        values=_values(kept, means, weights),
        reply=reply,
    )


def word_at(kept: Kept, reply: Reply) -> datetime:
    """When the response was last changed, else filled in; never after its first import."""
    for stated in (kept["lastUpdated"], kept["authored"]):
        if stated:
            at = _instant(stated)
            return min(at if at.tzinfo else at.replace(tzinfo=UTC), reply.fetched_at)
    return reply.fetched_at


def local_day(authored: str | None, zone: str | None) -> date | None:
    """The day of an answer where it was given: by the time's own offset; a time in UTC is moved to
    the participant's zone where that is known.

    >>> local_day("2026-03-26T23:30:00-05:00", "Asia/Jerusalem").isoformat()
    '2026-03-26'
    >>> local_day("2026-03-26T23:30:00Z", "Asia/Jerusalem").isoformat()
    '2026-03-27'
    """
    if not authored:
        return None
    at = _instant(authored)
    offset = at.utcoffset()
    if offset is not None and not offset and zone:
        at = at.astimezone(ZoneInfo(zone))
    return at.date()


def _instant(text: str) -> datetime:
    try:
        if len(text) < len("2026-01-31"):
            raise ValueError("a year or month is no day")
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused("bad_time") from None
    if not 1900 <= found.year <= 2200:
        raise Refused("bad_time")
    return found


def _visit_on(on: date | None, participant: str, ask: Ask) -> str:
    """The visit whose window in study days holds the day."""
    starts_on = ask.starts.get(participant)
    if on is None or starts_on is None:
        raise Refused("no_study_day")
    visits = visits_on(ask.study, starts_on, on)
    if len(visits) != 1:
        raise Refused("several_visits" if visits else "outside_visit_windows")
    return visits[0]


def visits_on(study: Study, starts_on: date, on: date) -> list[str]:
    """Visits whose windows hold a day; study day 1 is `starts_on`, and there is no day 0."""
    days = (on - starts_on).days
    day = days + 1 if days >= 0 else days
    return [
        one.code
        for one in study.visits
        if one.opens_day is not None
        and one.closes_day is not None
        and one.opens_day <= day <= one.closes_day
    ]


def _values(kept: Kept, means: Questionnaire, weights: Weights) -> dict[str, str | None]:
    if kept["status"] == WITHDRAWN:
        return dict.fromkeys(means.items.values())
    answers: dict[str, list[Resource]] = {}
    for item in kept["item"]:
        answers.setdefault(item["linkId"], []).extend(one for one in item["answer"] if one)
    if not answers:
        raise Refused("no_mapped_item")
    return {
        item: _value(answers.get(link, []), link, nth, code, means, kept, weights)
        for item, (link, nth, code) in means.wanted.items()
    }


def _value(
    answers: list[Resource], link: str, nth: int | None, code: str | None,
    means: Questionnaire, kept: Kept, weights: Weights,
) -> str | None:  # fmt: skip
    if code is not None:
        codings = [one.get("valueCoding") for one in answers]
        chosen = [one.get("code") for one in codings if isinstance(one, dict)]
        return None if not answers else str(int(code in chosen))
    if nth is not None:
        answers = answers[nth - 1 : nth]
    if len(answers) > 1:
        raise Refused("several_answers", link)
    return _text_of(answers[0], link, means, kept, weights) if answers else None


def _text_of(
    answer: Resource, link: str, means: Questionnaire, kept: Kept, weights: Weights
) -> str | None:
    name, value = next(iter(answer.items()))
    if name == "valueCoding" and isinstance(value, dict):
        return _coded(value, link, means, kept["questionnaire"] or "", weights)
    if name == "valueBoolean" and isinstance(value, bool):
        return str(int(value))
    if name in ("valueInteger", "valueDecimal"):
        found = number_text(value)
    elif name == "valueQuantity" and isinstance(value, dict):
        found = None if value.get("comparator") else number_text(value.get("value"))
    elif name in _PLAIN and isinstance(value, str):
        text = value.strip()
        return means.values.get(text, text) or None
    else:
        found = None
    if found is None:
        raise Refused("answer_type", link)
    return found


def _coded(
    coding: dict[str, Any], link: str, means: Questionnaire, canonical: str, weights: Weights
) -> str:
    """What a coded answer counts: as study.toml says, the coding itself, the Questionnaire of its
    version, or of any; else the code where that is a number."""
    code = str(coding.get("code", ""))
    url, _, version = canonical.partition("|")
    told = (
        means.values.get(code),
        number_text(coding.get("weight")),
        weights.get((url, version, link, code)),
        weights.get((url, "", link, code)),
        number_text(code),
    )
    found = next((one for one in told if one is not None), None)
    if found is None:
        raise Refused("no_value_of_code", link)
    return found
