"""FHIR R4 questionnaires: QuestionnaireResponses in files, as a server or an app exported them.

    stepwell import fhir PATH --ids ids.csv     # JSON, a Bundle, NDJSON, or a folder of them

[sources.fhir] of study.toml says which questionnaire is which instrument. Questionnaire and
ValueSet resources that lie beside the responses tell what coded answers count (ordinalValue,
itemWeight), where study.toml does not.

    [sources.fhir]
    encounters = { "Encounter/17" = "baseline" }   # a reference or identifier, of whoever came then
    visit_extension = "https://example.org/visit"  # of a response; its value is a visit code
    [sources.fhir.questionnaires."https://example.org/Questionnaire/phq-9"]
    instrument = "PHQ9"
    items = { "/44250-9" = "1", "/44255-8" = "2" } # linkId = item
    values = { "LA6568-5" = "0" }                  # of coded answers; else the Questionnaire's own
    visit = "baseline"                             # where it is only ever this one

A canonical URL stands without its version. `"pains#2" = "3"` is the second answer to a repeating
item or in a repeating group; `"pains=back" = "3"` is whether the code `back` was chosen (1 or 0).

Rules
- `completed` and `amended` land; `entered-in-error` takes back: its answers are blank until
  another response fills them in. Whatever else is under way, and lands nothing.
- Of several for one participant, visit and instrument the newest lands, whichever comes first:
  by meta.lastUpdated, else by the time it was filled in, else by its first import.
- The visit is what the response states (encounter or extension), else the questionnaire's own,
  else the one whose window holds the day. The day is that of the time's own offset; a time in UTC
  is moved to the participant's zone.
- Who answered is the subject's identifier or reference, looked up in `--ids`; without it the
  identifier, or the id referred to, is the participant.
- A response lands whole or not at all, and is counted with its reason. A coded answer that nothing
  gives a number is a reason. Kept are mapped answers and their codes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from ingestion.errors import BadInput
from ingestion.source import Ask, Count, Reading, Reply, content_name
from ingestion.sources._fhir_files import kept_response, read_resources, subjects_of, weights_of
from ingestion.sources._fhir_forms import WITHDRAWN, Form, Refused, Weights, read_form
from ingestion.sources._fhir_kept import Kept, KeptWeight, read_kept
from ingestion.sources._fhir_mapping import Mapping, read_mapping

SUFFIXES = (".json", ".ndjson", ".jsonl")
RESPONSE = "QuestionnaireResponse"
FORMS = "forms"  # what is counted: whole responses
MOST_NAMED = 3  # responses that the report names for each reason of refusal


class Fhir:
    """The source. `ask.starts` has each participant's study day 1, for the visits' windows."""

    name = "fhir"
    delivers = frozenset({"response"})
    era = "file"

    def fetch(self, client: Path, ask: Ask) -> Iterator[Reply]:
        """What is kept of each file that holds resources. Raises BadInput, Misconfigured."""
        mapping = read_mapping(ask.study)
        files = [(path, read_resources(path.name, path.read_bytes())) for path in _files(client)]
        every = [one for _, found in files for one in found]
        if not any(one["resourceType"] == RESPONSE for one in every):
            raise BadInput(f"{client}: no QuestionnaireResponse among {len(files)} files")
        for path, found in files:
            told = [
                kept_response(one, mapping, _participant(subjects_of(one), ask), path.name)
                for one in found
                if one["resourceType"] == RESPONSE
            ]
            weights = weights_of(found, every, path.name)
            mapped = [one for one in weights if mapping.of(one["url"])]
            if told or mapped:
                body = msgspec.json.encode({"responses": told, "weights": mapped})
                yield Reply(self.name, None, FORMS, content_name(body, ".json"), ask.now, 200,
                            "application/json", body, name=path.name)  # fmt: skip

    def read(self, replies: Sequence[Reply], ask: Ask) -> Reading:
        """Answers of the kept responses; pure."""
        mapping = read_mapping(ask.study)
        reading = Reading(rows={"response": []})
        reading.count(FORMS)
        forms: list[Form] = []
        notes: Counter[str] = Counter()
        cases: dict[str, list[str]] = {}
        bodies = [(reply, read_kept(reply)) for reply in replies]
        weights = _weights(one for _, body in bodies for one in body["weights"])
        for reply, body in bodies:
            for number, kept in enumerate(body["responses"], start=1):
                try:
                    forms.append(_read_one(kept, mapping, weights, reply, ask, notes))
                except Refused as refused:
                    _count(reading, kept["participant"], str(refused), reply)
                    at = f", linkId {refused.link}" if refused.link else ""
                    where = f"{reply.called} response {number}{at}"
                    cases.setdefault(str(refused), []).append(where)
        _settle(forms, reading)
        reading.notes = [f"{what} ({count})" for what, count in sorted(notes.items())]
        reading.notes += [_first_few(why, places) for why, places in sorted(cases.items())]
        return reading


SOURCE = Fhir()


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise BadInput(f"{path}: no file or folder is there")
    found = [o for o in sorted(path.rglob("*")) if o.suffix.lower() in SUFFIXES and o.is_file()]
    if not found:
        raise BadInput(f"{path}: no FHIR files in this folder; readable: {', '.join(SUFFIXES)}")
    return found


def _participant(named: Sequence[str], ask: Ask) -> str | None:
    """The participant that a response's subject is; None for nobody on the roster."""
    if ask.ids is not None:
        named = [ask.ids[one] for one in named if one in ask.ids]
    known = [one for one in named if one in ask.participants or not ask.participants]
    return known[0] if known else None


def _weights(told: Iterable[KeptWeight]) -> Weights:
    found: dict[tuple[str, str, str, str], str] = {}
    for one in told:
        for version in (one["version"], ""):
            found[one["url"], version, one["linkId"], one["code"]] = one["value"]
    return found


def _read_one(
    kept: Kept, mapping: Mapping, weights: Weights, reply: Reply, ask: Ask, notes: Counter[str]
) -> Form:
    """The form of a response; raises Refused."""
    canonical = kept["questionnaire"]
    means = mapping.of(canonical) if canonical else None
    if canonical is None:
        raise Refused("no_questionnaire")
    if means is None:
        notes[f"not in [sources.fhir.questionnaires]: {canonical}"] += 1
        raise Refused("unknown_questionnaire")
    form = read_form(kept, means, weights, reply, ask)
    if kept["passed_over"]:
        links = ", ".join(kept["passed_over"])
        notes[f"{canonical}: answers that study.toml does not map: {links}"] += 1
    return form


def _first_few(why: str, places: Sequence[str]) -> str:
    """A refusal with where the first of its responses lie, to find and mend them."""
    more = len(places) - MOST_NAMED
    return f"{why}: {', '.join(places[:MOST_NAMED])}" + (f" and {more} more" if more > 0 else "")


def _settle(forms: Sequence[Form], reading: Reading) -> None:
    """Land the newest form under each key; count every form once."""
    taken_back: dict[tuple[str | None, str], datetime] = {}
    for form in sorted(forms, key=lambda one: one.rank):
        if form.status == WITHDRAWN and form.response_id:
            taken_back[form.response_id, form.participant_id] = form.word_at
    by_key: dict[tuple[str, str, str], list[Form]] = {}
    for form in forms:
        by_key.setdefault(form.key, []).append(form)
    for _, mine in sorted(by_key.items()):
        live = []
        for form in mine:
            at = taken_back.get((form.response_id, form.participant_id))
            if form.status == WITHDRAWN:
                _count(reading, form.participant_id, "entered_in_error", form.reply)
            elif at is not None and at >= form.word_at:
                _count(reading, form.participant_id, "taken_back", form.reply)
            else:
                live.append(form)
        _land_newest(live, reading) if live else _land_blank(mine, reading)


def _land_newest(forms: Sequence[Form], reading: Reading) -> None:
    newest = max(forms, key=lambda one: one.rank)
    reading.rows["response"] += [_row(newest, *answer) for answer in newest.values.items()]
    for form in forms:
        same = form is not newest and form.rank == newest.rank
        why = "" if form is newest else "repeated" if same else "replaced_by_newer"
        _count(reading, form.participant_id, why, form.reply)


def _land_blank(forms: Sequence[Form], reading: Reading) -> None:
    """Blank answers, in place of those that an earlier import may have landed."""
    newest = max(forms, key=lambda one: one.rank)
    reading.rows["response"] += [_row(newest, item, None) for item in newest.values]


def _row(form: Form, item: str, value: str | None) -> dict[str, Any]:
    return {
        "participant_id": form.participant_id,
        "source": form.reply.source,
        "visit": form.visit,
        "instrument": form.instrument,
        "repeat": 1,
        "item": item,
        "value": value,
        "answered_on": form.answered_on,
        "fetched_at": form.word_at,
        "raw_sha256": [form.reply.sha256],
    }


def _count(reading: Reading, participant: str | None, refused: str, reply: Reply) -> None:
    """Count a response, landed or refused for a reason; one of nobody counts in the total alone."""
    counts = [reading.count(FORMS)]
    if participant is not None:
        counts.append(reading.counts_of.setdefault(participant, {}).setdefault(FORMS, Count()))
    for count in counts:
        count.received += 1
        count.landed += not refused
        if refused:
            count.reject(refused, 1, reply.sha256)
