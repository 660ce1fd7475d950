"""What a REDCap project says of its own fields: form, choices, validation, range. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ingestion.sources._redcap_files import codes_of


@dataclass(frozen=True)
class Field:
    """A field as the dictionary (or the API's metadata) tells it; blank is not stated."""

    form: str
    kind: str = ""
    codes: tuple[str, ...] = ()
    validation: str = ""
    low: str = ""
    high: str = ""

    @property
    def is_number(self) -> bool:
        return self.validation.startswith("number") or self.kind in ("calc", "slider")

    @property
    def allowed(self) -> str:
        """What the project allows, in words; blank when it does not say."""
        if self.codes:
            return f"codes {', '.join(self.codes)}"
        ends = (("from", self.low), ("to", self.high))
        return " ".join(f"{word} {end}" for word, end in ends if end)

    def allows(self, value: str) -> bool:
        """Whether the project itself would take this answer (a number with a point)."""
        if self.codes:
            return value in self.codes
        number, low, high = map(_number, (value, self.low, self.high))
        if number is None:
            return not (self.is_number or self.validation == "integer")
        return (low is None or low <= number) and (high is None or number <= high)


def fields_of(project: Iterable[Mapping[str, Any]]) -> dict[str, Field]:
    """Fields by name, of the rows of a dictionary in the API's names."""
    return {str(row.get("field_name")): _field(row) for row in project}


def odd_answers(answers: Iterable[tuple[str, str]], fields: Mapping[str, Field]) -> list[str]:
    """A sentence for each field with answers that its own project does not allow.

    They land all the same: whether an answer can be scored is for scoring to judge.
    """
    odd = Counter(
        name for name, value in answers if name in fields and not fields[name].allows(value)
    )
    return [
        f"{name}: {count} answers are none that the project allows ({fields[name].allowed}); "
        "they landed as they are"
        for name, count in sorted(odd.items())
    ]


def _field(row: Mapping[str, Any]) -> Field:
    def text(name: str) -> str:
        return str(row.get(name) or "").strip()

    kind = text("field_type")
    listed = kind in ("radio", "dropdown")
    return Field(
        form=text("form_name"),
        kind=kind,
        codes=tuple(codes_of(text("select_choices_or_calculations"))) if listed else (),
        validation=text("text_validation_type_or_show_slider_number"),
        low=text("text_validation_min"),
        high=text("text_validation_max"),
    )


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None
