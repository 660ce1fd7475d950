"""Whether what somebody enters about a participant can be: each fault by its field, in words.

Pure. A text is read as the type of its column, so that a form and a command line say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any
from zoneinfo import available_timezones

from warehouse.refused import Refused
from warehouse.study import Study
from warehouse.tables import landed

Given = Mapping[str, Any]
ENROL = tuple(c.name for c in landed.participant.columns[1:])  # but the pseudonym
PAUSE = ("paused_from", "paused_to")
CHANGE = tuple(name for name in ENROL if name not in (*PAUSE, "withdrawn_on"))
REVEALS_ARM = tuple(c.name for c in landed.participant.columns if c.reveals_arm)
GOAL_STEPS = (100, 60_000)  # a day: below and above it was mistyped
LONGEST_WHY = 500
LONGEST_TO_START = timedelta(days=366)
_YES_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def typed(study: Study, given: Given, allowed: tuple[str, ...] = CHANGE) -> dict[str, Any]:
    """The values of roster columns, each as its column's type; Refused names what is wrong.

    A blank is None: nothing is known, or no longer.
    """
    found, faults = {}, {}
    for name, value in given.items():
        if name not in allowed:
            faults[name] = f"cannot be entered here; fields are {', '.join(allowed)}"
            continue
        try:
            found[name] = None if value in (None, "") else _READERS[name](study, value)
        except ValueError as error:
            faults[name] = str(error)
    if faults:
        raise Refused(faults)
    return found


def check_row(study: Study, row: Given, today: date) -> None:
    """Refused where a participant's row, as it would be, contradicts itself or the study."""
    needed = [name for name in ("site", "enrolled_on", "starts_on") if row.get(name) is None]
    faults = dict.fromkeys(needed, "is needed")
    if "enrolled_on" in faults:  # study day 1 follows from it
        faults.pop("starts_on", None)
    sites = {one.code: one.site for one in study.therapists}
    if (who := row.get("therapist_id")) and sites.get(who, row["site"]) != row["site"]:
        theirs = [code for code, site in sites.items() if site == row["site"]]
        faults["therapist_id"] = f"is of another site; here: {', '.join(theirs) or 'none'}"
    if not faults:
        faults = _faults_of_days(row, today)
    if faults:
        raise Refused(faults)


def typed_goal(study: Study, valid_from: Any, goal_steps: Any, rule: Any) -> dict[str, Any]:
    """A goal that somebody sets; without steps, one taken back. Refused names what is wrong."""
    faults: dict[str, str] = {}
    found: dict[str, Any] = {}
    allowed = landed.goal.column("rule").allowed
    for name, value, read in (
        ("valid_from", valid_from, lambda one: _day(study, one)),
        ("goal_steps", goal_steps, lambda one: _whole(one, *GOAL_STEPS)),
        ("rule", rule, lambda one: _one_of(one, allowed)),
    ):
        try:
            found[name] = None if value in (None, "") else read(value)
        except ValueError as error:
            faults[name] = str(error)
    if not faults and found["valid_from"] is None:
        faults["valid_from"] = "is needed: the first day judged by the goal"
    if faults:
        raise Refused(faults)
    return found


def check_goal_day(study: Study, row: Given, valid_from: date) -> None:
    """Refused where a goal begins before the participant does, or after the follow-up."""
    last = row["starts_on"] + timedelta(days=7 * study.study.weeks - 1)
    if not row["enrolled_on"] <= valid_from <= last:
        raise Refused(
            {"valid_from": f"is not between enrolment ({row['enrolled_on']}) and the last day of "
             f"follow-up ({last})"}
        )  # fmt: skip


def text_of(name: str, value: Any, needed: bool = True) -> str:
    """A reason in words; Refused where it is missing, too long or not printable."""
    text = " ".join(str(value or "").split())
    if needed and not text:
        raise Refused({name: "is needed: it goes on the audit trail"})
    if len(text) > LONGEST_WHY or not text.isprintable():
        raise Refused({name: f"give up to {LONGEST_WHY} printable characters, and no name"})
    return text


def _faults_of_days(row: Given, today: date) -> dict[str, str]:
    """What is wrong with the days of a row, by field; a later one is measured by an earlier."""
    enrolled, starts = row["enrolled_on"], row["starts_on"]
    paused_from, paused_to = row.get("paused_from"), row.get("paused_to")
    withdrawn = row.get("withdrawn_on")
    wrong = {
        "enrolled_on": enrolled > today and f"is after today ({today})",
        "starts_on": not enrolled <= starts <= enrolled + LONGEST_TO_START
        and f"is not within a year from enrolment ({enrolled})",
        "paused_from": (paused_from is None and paused_to is not None and "is needed")
        or ((paused_from is not None and paused_from < enrolled)
        and f"is before enrolment ({enrolled})"),
        "paused_to": (paused_from and paused_to and paused_to < paused_from)
        and f"is before the pause begins ({paused_from})",
        "withdrawn_on": withdrawn is not None and withdrawn < enrolled
        and f"is before enrolment ({enrolled})",
    }  # fmt: skip
    return {name: words for name, words in wrong.items() if words}


def _one_of(value: Any, codes: tuple[str, ...] | list[str]) -> str:
    text = str(value).strip()
    if text not in codes:
        raise ValueError(f"is not known; give one of {', '.join(codes)}")
    return text


def _code(kind: str) -> Callable[[Study, Any], str]:
    """A reader of codes that study.toml defines; where it defines none, any short word."""

    def read(study: Study, value: Any) -> str:
        codes = [one.code for one in getattr(study, kind)]
        if codes:
            return _one_of(value, codes)
        if not (text := str(value).strip()).isidentifier() or len(text) > 32:
            raise ValueError("give a pseudonym of letters and digits, up to 32")
        return text

    return read


def _zone(study: Study, value: Any) -> str:
    if str(value) not in available_timezones():
        raise ValueError("is not known; give an IANA zone such as Europe/London")
    return str(value)


def _day(study: Study, value: Any) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError("is not a day; give it as 2026-03-31") from None


def _yes_no(study: Study, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if (text := str(value).strip().lower()) not in _YES_NO:
        raise ValueError("give yes or no, or leave it blank")
    return _YES_NO[text]


def _whole(value: Any, low: int, high: int) -> int:
    text = str(value).strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and low <= int(text) <= high):
        raise ValueError(f"is not a whole number from {low:,} to {high:,}")
    return int(text)


def _age(study: Study, value: Any) -> int:
    bounds = landed.participant.column("age_years")
    return _whole(value, int(bounds.low or 0), int(bounds.high or 0))


def _sex(study: Study, value: Any) -> str:
    return _one_of(str(value).lower(), landed.participant.column("sex").allowed)


_READERS: dict[str, Callable[[Study, Any], Any]] = {
    "site": _code("sites"),
    "arm": _code("arms"),
    "therapist_id": _code("therapists"),
    "timezone": _zone,
    "depression_or_anxiety": _yes_no,
    "age_years": _age,
    "sex": _sex,
} | dict.fromkeys(("enrolled_on", "starts_on", "withdrawn_on", *PAUSE), _day)
