"""FHIR R4 JSON as somebody exported it, and what is kept of it. Pure but for the files.

A resource, a Bundle (also of Bundles), a list of resources, or NDJSON. Kept are the answers to
mapped items with their codes, status, times and encounter of a QuestionnaireResponse, and the
weights of the codes of a Questionnaire or ValueSet: no name, no wording of an item or choice, no
display, no narrative. The subject becomes the participant, and ids become hashes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from ingestion.errors import NOT_JSON, BadInput
from ingestion.source import hashed_id
from ingestion.sources import _fhir_mapping

WEIGHTS = tuple(
    f"http://hl7.org/fhir/StructureDefinition/{name}"
    for name in ("ordinalValue", "itemWeight", "questionnaire-ordinalValue")
)
DEEPEST = 64  # of groups within groups; real questionnaires have five at most
Resource = dict[str, Any]


def read_resources(name: str, body: bytes) -> list[Resource]:
    """Every resource of a file; BadInput names the file, and the line of NDJSON."""
    text = body.removeprefix(b"\xef\xbb\xbf").strip()
    try:
        return list(_unpacked(msgspec.json.decode(text), name))
    except (msgspec.DecodeError, UnicodeDecodeError):
        lines = text.splitlines()
    except RecursionError:
        raise BadInput(f"{name}: its JSON is nested too deep to be a questionnaire") from None
    if len(lines) < 2 or not lines[0].rstrip().endswith(b"}"):
        raise BadInput(f"{name}: not whole JSON; it may be cut short: export it again")
    found: list[Resource] = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            found += _unpacked(_line(line, f"{name}: line {number}"), f"{name}: line {number}")
    return found


def items_of(response: Resource, where: str) -> Iterator[tuple[str, list[Resource]]]:
    """linkId and answers of every item in document order, nested ones and those below answers."""
    stack = [(item, 1) for item in reversed(_dicts(response.get("item")))]
    while stack:
        item, depth = stack.pop()
        if depth > DEEPEST:
            raise BadInput(f"{where}: items are nested deeper than {DEEPEST}")
        answers = _dicts(item.get("answer"))
        yield str(item.get("linkId", "")), answers
        below = [*_dicts(item.get("item"))]
        for answer in answers:
            below += _dicts(answer.get("item"))
        stack += [(one, depth + 1) for one in reversed(below)]


def kept_response(
    response: Resource, mapping: _fhir_mapping.Mapping, participant: str | None, where: str
) -> Resource:
    """A QuestionnaireResponse of a participant with what is needed of it."""
    told: Resource = {
        "resourceType": "QuestionnaireResponse",
        "id": hashed_id(str(response["id"])) if response.get("id") else None,
        "lastUpdated": _text(response.get("meta"), "lastUpdated"),
        "questionnaire": _text(response, "questionnaire"),
        "status": _text(response, "status"),
        "authored": _text(response, "authored"),
        "participant": participant,
        "visit": _visit(response, mapping),
    }
    mapped = mapping.of(told["questionnaire"] or "")
    links = {link for link, _, _ in mapped.wanted.values()} if mapped else set()
    items = list(items_of(response, where))
    told["item"] = [
        {"linkId": link, "answer": [_kept_answer(answer) for answer in answers]}
        for link, answers in items
        if link in links
    ]
    told["passed_over"] = sorted({link for link, answers in items if answers} - links)
    return told


def weights_of(
    resources: Iterable[Resource], beside: Iterable[Resource], where: str
) -> list[Resource]:
    """What each Questionnaire says its codes count, as {url, version, linkId, code, value}; the
    ValueSets that it names may lie `beside`."""
    shared = {str(one["url"]): one for one in beside if _is(one, "ValueSet") and one.get("url")}
    found: list[Resource] = []
    for one in resources:
        if not _is(one, "Questionnaire"):
            continue
        inside = {f"#{c.get('id')}": c for c in _dicts(one.get("contained"))}
        urls = [str(one["url"])] if one.get("url") else []
        urls += [f"Questionnaire/{one['id']}"] if one.get("id") else []
        for link, code, value in _weights(one, shared | inside, where):
            found += [
                {"url": url, "version": str(one.get("version") or ""), "linkId": link,
                 "code": code, "value": value}
                for url in urls
            ]  # fmt: skip
    return found


def _weights(
    questionnaire: Resource, sets: Mapping[str, Resource], where: str
) -> Iterator[tuple[str, str, str]]:
    stack = [(item, 1) for item in _dicts(questionnaire.get("item"))]
    while stack:
        item, depth = stack.pop()
        if depth > DEEPEST:
            raise BadInput(f"{where}: items are nested deeper than {DEEPEST}")
        link = str(item.get("linkId", ""))
        for option in _dicts(item.get("answerOption")):
            coding = option.get("valueCoding")
            if isinstance(coding, dict):
                yield from _weight(link, coding.get("code"), option, coding)
        value_set = sets.get(str(item.get("answerValueSet", "")).split("|", 1)[0], {})
        for concept in _concepts(value_set):
            yield from _weight(link, concept.get("code"), concept)
        stack += [(one, depth + 1) for one in _dicts(item.get("item"))]


def _concepts(value_set: Resource) -> Iterator[Resource]:
    for name, below in (("compose", "include"), ("expansion", "contains")):
        part = value_set.get(name)
        for one in _dicts(part.get(below)) if isinstance(part, dict) else []:
            yield from (_dicts(one.get("concept")) if below == "include" else [one])


def _weight(link: str, code: object, *holders: Resource) -> Iterator[tuple[str, str, str]]:
    value = next((w for holder in holders if (w := weight(holder)) is not None), None)
    if code and value is not None:
        yield link, str(code), value


def weight(holder: Resource) -> str | None:
    """The number an option, concept or coding says it counts; None where it says none."""
    for extension in _dicts(holder.get("extension")):
        if extension.get("url") in WEIGHTS:
            return number_text(extension.get("valueDecimal", extension.get("valueInteger")))
    return None


def number_text(value: object) -> str | None:
    """A number as text, whole ones without a point; None for what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return str(int(number)) if number.is_integer() else str(value).strip()


def _kept_answer(answer: Resource) -> Resource:
    """The answer's value: of a coding its code and weight, of a quantity its number."""
    for name, value in answer.items():
        if not name.startswith("value"):
            continue
        if name == "valueCoding" and isinstance(value, dict):
            told = {"code": _text(value, "code"), "weight": weight(value) or weight(answer)}
            return {name: {key: one for key, one in told.items() if one is not None}}
        if name == "valueQuantity" and isinstance(value, dict):
            return {name: {key: value[key] for key in ("value", "comparator") if key in value}}
        if isinstance(value, str | int | float | bool):
            return {name: value}
        return {name: None}
    return {}


def subjects_of(response: Resource) -> list[str]:
    """What may name who answered: the subject's identifier, the id it refers to, the reference."""
    subject = response.get("subject")
    identifier = subject.get("identifier") if isinstance(subject, dict) else None
    reference = (_text(subject, "reference") or "").split("/_history/")[0]
    named = [_text(identifier, "value"), reference.rpartition("/")[2], reference]
    return [one for one in named if one]


def _visit(response: Resource, mapping: _fhir_mapping.Mapping) -> str | None:
    """The visit that the response states, by its extension or its encounter."""
    for extension in _dicts(response.get("extension")):
        if mapping.visit_extension and extension.get("url") == mapping.visit_extension:
            stated = extension.get("valueCode", extension.get("valueString"))
            return str(stated) if stated else None
    encounter = response.get("encounter")
    if not isinstance(encounter, dict):
        return None
    identifier = encounter.get("identifier")
    named = [_text(encounter, "reference")]
    named += [_text(identifier, "value")] if isinstance(identifier, dict) else []
    return next((mapping.encounters[one] for one in named if one in mapping.encounters), None)


def _unpacked(found: object, where: str) -> Iterator[Resource]:
    stack = [(found, 0)]
    while stack:
        one, depth = stack.pop()
        if isinstance(one, list) and depth == 0:
            stack += [(each, 1) for each in reversed(one)]
        elif isinstance(one, dict) and _is(one, "Bundle") and depth < DEEPEST:
            inside = [entry.get("resource") for entry in _dicts(one.get("entry"))]
            stack += [(each, depth + 1) for each in reversed(inside) if each is not None]
        elif isinstance(one, dict) and isinstance(one.get("resourceType"), str):
            yield one
        else:
            raise BadInput(f"{where}: no FHIR resource: it has no resourceType")


def _line(line: bytes, where: str) -> object:
    try:
        return msgspec.json.decode(line)
    except NOT_JSON:
        raise BadInput(f"{where}: not whole JSON; export it again") from None


def _is(resource: Resource, kind: str) -> bool:
    return resource.get("resourceType") == kind


def _dicts(found: object) -> list[Resource]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _text(resource: object, name: str) -> str | None:
    value = resource.get(name) if isinstance(resource, dict) else None
    return value if isinstance(value, str) and value else None
