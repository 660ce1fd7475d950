"""Forms of the enrolment page: fields, faults beside the field, and what was done after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import streamlit as st

from dashboard import words
from dashboard.shell import Page
from dashboard.words import say
from warehouse.refused import Refused
from warehouse.study import Study

LONGEST_WHY = 500
WIDTH = 560  # pixels: a field as wide as the screen is hard to fill in
_DONE = "enrolment_done"
_YES_NO = {"": None, "yes": True, "no": False}
_DAYS = ("enrolled_on", "starts_on", "withdrawn_on", "paused_from", "paused_to", "valid_from")


@dataclass(frozen=True)
class Form:
    """A form: its name, who it is about, its fields, and what is done with what was given."""

    name: str
    who: str
    fields: Sequence[str]
    send: Callable[[dict[str, Any]], str]
    values: Mapping[str, Any]

    @property
    def key(self) -> str:
        return f"form_{self.name}_{self.who}"


def draw(page: Page, form: Form) -> None:
    """The form; sent, it is done, and said at the top of the page; else each fault by its field."""
    faults: dict[str, str] = st.session_state.get(f"{form.key}_faults", {})
    with st.form(form.key, border=False, width=WIDTH):
        given = {name: _field(page.study, form, name, faults.get(name)) for name in form.fields}
        for name, fault in faults.items():
            if name not in form.fields:
                st.error(f"{_label(name)}: {fault}" if name else fault)
        sent = st.form_submit_button(say(f"enrolment.send_{form.name}"))
    if sent:
        _send(form, given)


def say_done() -> None:
    """What the last form did, once."""
    for line in st.session_state.pop(_DONE, []):
        st.success(line)


def note_done(*lines: str) -> None:
    """Say these lines at the top of the page when it is next drawn."""
    st.session_state[_DONE] = list(lines)


def _send(form: Form, given: dict[str, Any]) -> None:
    kept = f"{form.key}_faults"
    try:
        with st.spinner(say("enrolment.working")):
            note_done(*form.send(given).splitlines())
        st.session_state.pop(kept, None)
        for name in form.fields:
            st.session_state.pop(f"{form.key}_{name}", None)
    except Refused as refused:
        st.session_state[kept] = refused.faults
    st.rerun()


def _field(study: Study, form: Form, name: str, fault: str | None) -> Any:
    """One field with its fault under it; what was given, None for a blank."""
    key, label = f"{form.key}_{name}", _label(name)
    help_text = words.table("enrolment_help").get(name)
    value = form.values.get(name)
    choices = _choices(study, name)
    if choices is not None:
        codes = ["", *choices]
        at = codes.index(_code(value)) if _code(value) in codes else 0
        found: Any = st.selectbox(
            label, codes, index=at, key=key, help=help_text,
            format_func=lambda code: {"": say("enrolment.blank"), **choices}[code],
        )  # fmt: skip
    elif name in _DAYS:
        found = st.date_input(
            label, value if isinstance(value, date) else None, key=key, help=help_text,
            format="YYYY-MM-DD", min_value=date(2000, 1, 1), max_value=date(2100, 12, 31),
        )  # fmt: skip
    else:
        told = "" if value is None else str(value)
        found = st.text_input(label, told, key=key, help=help_text, max_chars=_longest(name))
    if fault:
        st.error(f"{label}: {fault}")
    return found or None


def _choices(study: Study, name: str) -> dict[str, str] | None:
    """Codes and their words of a field that has some; None for one that is written."""
    if name == "site":
        return {site.code: site.label for site in study.sites}
    if name == "arm":
        return {arm.code: arm.label for arm in study.arms}
    if name == "therapist_id" and study.therapists:
        sites = {site.code: site.label for site in study.sites}
        return {one.code: f"{one.code}, {sites[one.site]}" for one in study.therapists}
    if name in ("sex", "depression_or_anxiety", "all_days"):
        return words.table(f"enrolment_{name}")
    return None


def _code(value: Any) -> str:
    if isinstance(value, bool):
        return next(code for code, one in _YES_NO.items() if one is value)
    return "" if value is None else str(value)


def _label(name: str) -> str:
    return words.table("enrolment_fields").get(name, name)


def _longest(name: str) -> int:
    return LONGEST_WHY if name == "why" else 64
