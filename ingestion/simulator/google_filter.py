"""The Health API's filter grammar: the part of AIP-160 that it takes, and its refusals.

Reasons are the documented ones, but INVALID_DATA_POINT_FILTER_TIMESTAMP_FORMAT, which is inferred.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from ingestion.simulator.google_errors import GoogleError

# What each kind of data type may be filtered by, and whether the literal is civil time.
MEMBERS = {
    "steps": {"steps.interval.start_time": False, "steps.interval.civil_start_time": True},
    "heart-rate": {
        "heart_rate.sample_time.physical_time": False,
        "heart_rate.sample_time.civil_time": True,
    },
}
_TOKEN = re.compile(
    r'\s*(?:(?P<text>"[^"]*")|(?P<join>AND|OR|NOT)\b|(?P<operator>>=|<=|!=|[<>=:])'
    r"|(?P<member>[A-Za-z_][\w.\-]*)|(?P<wrong>\S))"
)
_CIVIL = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d)?")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True)
class Bound:
    """`at_least` for >=, else <. `at` carries UTC; a civil one holds the clock's reading."""

    civil: bool
    at_least: bool
    at: datetime


def read_filter(text: str, data_type: str) -> list[Bound]:
    """The bounds of a filter, all of which must hold; GoogleError as the vendor refuses."""
    tokens = _tokens(text)
    bounds = []
    for place in range(0, len(tokens), 4):
        part = tokens[place : place + 3]
        if [kind for kind, _ in part] != ["member", "operator", "text"]:
            reason = "_MISSING_TOKEN" if len(part) < 3 else "_SYNTAX"
            raise _refused(reason, 'expected `member operator "value"`')
        member, operator, quoted = (value for _, value in part)
        bounds.append(_bound(member, operator, quoted, data_type))
        if len(tokens) == place + 4:
            raise _refused("_MISSING_TOKEN", "nothing follows the last AND")
        if len(tokens) > place + 4 and tokens[place + 3] != ("join", "AND"):
            raise _refused("", "restrictions of this data type are joined by AND only")
    return bounds


def _tokens(text: str) -> list[tuple[str, str]]:
    found = []
    for match in _TOKEN.finditer(text.strip()):
        kind = str(match.lastgroup)
        if kind == "wrong":
            raise _refused("_SYNTAX", f"unexpected {match.group(kind)!r}")
        found.append((kind, match.group(kind)))
    if not found:
        raise _refused("_MISSING_TOKEN", "the filter is empty")
    return found


def _bound(member: str, operator: str, quoted: str, data_type: str) -> Bound:
    if "-" in member:
        raise _refused("", f"{member!r}: filter members are written with underscores")
    if member not in MEMBERS[data_type]:
        raise _refused("_DATA_TYPE_MEMBER", f"{member!r} cannot filter {data_type}")
    if operator not in (">=", "<"):
        raise _refused("_RESTRICTION_COMPARATOR", f"{operator!r}: only >= and < are supported")
    civil = MEMBERS[data_type][member]
    return Bound(civil, operator == ">=", _literal(quoted.strip('"'), civil))


def _literal(value: str, civil: bool) -> datetime:
    reason = "_CIVIL_DATE_TIME_FORMAT" if civil else "_TIMESTAMP_FORMAT"
    if not (_CIVIL if civil else _INSTANT).fullmatch(value):
        raise _refused(reason, f"{value!r} has the wrong form")
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise _refused(reason, f"{value!r} is no such time") from None
    return at.replace(tzinfo=UTC) if civil else at.astimezone(UTC)


def _refused(reason: str, why: str) -> GoogleError:
    name = "INVALID_DATA_POINT_FILTER"
    detailed = f"{name}{reason}"
    message = f"Invalid data point filter: {detailed}."
    return GoogleError(400, message, name, detailed, [("filter", f"{why[0].upper()}{why[1:]}.")])
