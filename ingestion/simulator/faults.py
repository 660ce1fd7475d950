"""The fault catalogue: a few faults come unasked (by seed, request and clock), others are armed.

An armed fault is {"match": {"personality", "path", "user"}, "times": n or -1, "fault": name,
"args": {...}}; all but the name may be left out. Of the armed faults the first that has a bearing
on a request is given, and used up once. The whole catalogue is in docs/simulator.md: what befalls,
its fault, its arguments, and the tests that show what the client makes of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Protocol

from ingestion.simulator import fault_fitbit, fault_google, fault_redcap
from ingestion.simulator import fault_replies as replies
from ingestion.simulator.fault_kinds import (
    EVERYBODY,
    HOLDS,
    YES_NO,
    Arg,
    Due,
    Kind,
    is_whole,
    one_of,
    text,
    whole,
)
from ingestion.simulator.http import Reply, Request
from ingestion.simulator.tokens import digest, share

if TYPE_CHECKING:
    from ingestion.simulator.server import Simulator
    from ingestion.simulator.world import World

# The first attempt of this share of data requests is answered so; the second goes through.
UNASKED = ((1 / 150, "429"), (1 / 300, "500"), (1 / 300, "503"))
DATA_PATHS = {"google": "/v4/", "fitbit": "/1/user/"}
ACCOUNTS, GOOGLE, FITBIT, REDCAP = ("google", "fitbit"), ("google",), ("fitbit",), ("redcap",)
_VIEWS = {"google": fault_google, "fitbit": fault_fitbit, "redcap": fault_redcap}
_DRIFTS = {vendor: view.DRIFTS for vendor, view in _VIEWS.items()}
_BODY = one_of("json", "html", "empty")
_WAIT = Arg('seconds from 0, "none" or "date"', lambda v: v in ("none", "date") or (
    is_whole(v) and v >= 0))  # fmt: skip
_DOWN = {"body": _BODY, "retry_after": _WAIT, "ahead": whole(0, 86_400)}


class Vendor(Protocol):
    """A personality: a module."""

    def answer(self, sim: Simulator, request: Request) -> Reply: ...


def _spoilt(name: str) -> Any:
    """A spoiler that each vendor has in its own way."""

    def spoil(due: Due, reply: Reply) -> Reply | None:
        found: Reply | None = getattr(_VIEWS[due.personality], name)(due, reply)
        return found

    return spoil


_refused = replies.refused
CATALOGUE: dict[str, Kind] = {
    "expired_token": Kind(ACCOUNTS, instead=_refused),
    "invalid_token": Kind(ACCOUNTS, instead=_refused),
    "html_401": Kind(instead=replies.page("Unauthorized", 401)),
    "no_errors_401": Kind(ACCOUNTS, instead=replies.without_reasons),
    "no_grace": Kind(FITBIT, instead=replies.no_grace),
    "revoked": Kind(instead=_refused),
    "testing_expiry": Kind(GOOGLE, {"days": whole(0, 365)}, instead=replies.testing_ended),
    "scope_missing": Kind(ACCOUNTS, instead=_refused),
    "wrong_account": Kind(ACCOUNTS, instead=_refused),
    "service_disabled": Kind(instead=_refused),
    "preview_denied": Kind(GOOGLE, instead=_refused),
    "no_intraday": Kind(FITBIT, spoil=fault_fitbit.no_intraday),
    "429": Kind(args={"retry_after": _WAIT, "ahead": whole(0, 86_400), "rate_headers": YES_NO},
                instead=_refused),
    "500": Kind(args=_DOWN, instead=_refused),
    "502_html": Kind(instead=replies.page("502 Bad Gateway", 502)),
    "503": Kind(args=_DOWN, instead=_refused),
    "410": Kind(args={"body": _BODY}, instead=_refused),
    "truncated": Kind(args={"short": YES_NO}, spoil=replies.truncated),
    "empty": Kind(instead=replies.empty),
    "html_200": Kind(instead=replies.page("Down for maintenance")),
    "xml_error": Kind(REDCAP, {"status": one_of(200, 400, 401, 403, 404, 406, 500, 501)},
                      instead=replies.xml_error),
    "reset": Kind(args={"at": one_of("start", "done")}, instead=replies.broken_at_start,
                  spoil=replies.broken_when_done),
    "slow": Kind(args={"at": one_of("start", "done", "body")}, instead=replies.broken_at_start,
                 spoil=replies.broken_when_done),
    "empty_page": Kind(GOOGLE, spoil=fault_google.empty_page),
    "page_twice": Kind(GOOGLE, spoil=fault_google.page_twice),
    "repeated_token": Kind(GOOGLE, spoil=fault_google.repeated_token),
    "two_sources": Kind(GOOGLE, spoil=fault_google.two_sources),
    "overlapping": Kind(GOOGLE, {"minutes": whole(2, 15)}, spoil=fault_google.overlapping),
    "duplicate_minutes": Kind(FITBIT, {"value": one_of("same", "other")},
                              spoil=fault_fitbit.duplicate_minutes),
    "two_devices": Kind(ACCOUNTS, {"kind": one_of("tracker", "scale")},
                        spoil=_spoilt("two_devices")),
    "drift": Kind(args={"what": Arg("", lambda v: True, needed=True)}, spoil=_spoilt("drift")),
    "implausible": Kind(ACCOUNTS, {"steps": whole(-(10**6), 10**6)}, spoil=_spoilt("implausible")),
    "missing_code": Kind(REDCAP, {"field": text(), "code": text()},
                         spoil=fault_redcap.missing_code),
}  # fmt: skip


def check_spec(spec: Any, world: World) -> str:
    """What is wrong with an armed fault; empty when nothing is."""
    if not isinstance(spec, dict) or set(spec) - {"match", "times", "fault", "args"}:
        return "a fault has match, times, fault and args"
    if not isinstance(spec.get("fault"), str) or spec["fault"] not in CATALOGUE:
        return f"unknown fault {spec.get('fault')!r}; known: {', '.join(CATALOGUE)}"
    times = spec.get("times", 1)
    if not is_whole(times) or not (times == -1 or times >= 1):
        return "times is a number from 1; -1 is for ever"
    match, args = spec.get("match", {}), spec.get("args", {})
    kind = CATALOGUE[spec["fault"]]
    wrong = _wrong_match(match, world, spec["fault"], kind)
    return wrong or _wrong_args(args, spec["fault"], kind, match.get("personality"))


def _wrong_match(match: Any, world: World, name: str, kind: Kind) -> str:
    if not isinstance(match, dict) or set(match) - {"personality", "path", "user"}:
        return "match has personality, path and user"
    if not all(isinstance(value, str) for value in match.values()):
        return "personality, path and user are texts"
    if match.get("personality", kind.of[0]) not in kind.of:
        return f"{name} befalls {', '.join(kind.of)}, not {match['personality']!r}"
    if "user" in match and world.participant(match["user"]) is None:
        return f"user {match['user']!r} is no participant; GET /_emu/participants lists them"
    return ""


def _wrong_args(args: Any, name: str, kind: Kind, personality: str | None) -> str:
    known = {**kind.args, **HOLDS}
    if not isinstance(args, dict) or set(args) - set(known):
        return f"args of {name} are {', '.join(known)}"
    missing = [arg for arg, one in known.items() if one.needed and arg not in args]
    if missing:
        return f"{name} needs {', '.join(missing)}"
    for arg, value in args.items():
        if not known[arg].fits(value):
            return f"{arg} of {name} is {known[arg].allowed}, not {value!r}"
    allowed = [what for one in ([personality] if personality else EVERYBODY)
               for what in _DRIFTS[one]]  # fmt: skip
    if name == "drift" and args["what"] not in allowed:
        return f"what of drift is one of {', '.join(dict.fromkeys(allowed))}"
    return ""


def answer(
    sim: Simulator, vendor: Vendor, personality: str, request: Request, who: str | None
) -> tuple[Reply, Due | None]:
    """The vendor's reply, or that of the first fault that has a bearing on the request."""
    given: Reply | None = None
    for due in _due(sim, personality, request, who):
        kind = CATALOGUE[due.name]
        reply = kind.instead(due) if kind.instead else None
        if reply is None and kind.spoil:
            given = given or vendor.answer(sim, request)
            reply = kind.spoil(due, given)
        if reply is not None:
            if due.number is not None:
                sim.state.use(due.number)
            return reply, due
    return given or vendor.answer(sim, request), None


def _due(sim: Simulator, personality: str, request: Request, who: str | None) -> Iterator[Due]:
    """The armed faults that fit this request, in order, then an unasked one."""
    for number, spec, used in sim.state.armed():
        times = spec.get("times", 1)
        if (times < 0 or used < times) and _fits(sim, spec, personality, request.path, who):
            args = spec.get("args", {})
            yield Due(sim, personality, request, who, spec["fault"], args, number)
    name = _unasked(sim, personality, request, who) if sim.world.faults else None
    if name:
        yield Due(sim, personality, request, who, name, {"retry_after": 1} if name == "429" else {})


def _fits(
    sim: Simulator, spec: dict[str, Any], personality: str, path: str, who: str | None
) -> bool:
    match, args, now = spec.get("match", {}), spec.get("args", {}), sim.now()
    wanted = sim.world.participant(match.get("user", ""))
    if "user" in match and (wanted is None or wanted.participant_id != who):
        return False
    if match.get("personality", personality) != personality:
        return False
    if personality not in CATALOGUE[spec["fault"]].of:
        return False
    if spec["fault"] == "drift" and args["what"] not in _DRIFTS[personality]:
        return False
    part = match.get("path", "")
    if not (fnmatchcase(path, part) if "*" in part else part in path):
        return False
    begins = datetime.fromisoformat(args.get("from", "1970-01-01T00:00:00+00:00"))
    ends = datetime.fromisoformat(args.get("until", "9999-01-01T00:00:00+00:00"))
    return begins <= now < ends


def _unasked(sim: Simulator, personality: str, request: Request, who: str | None) -> str | None:
    if not who or not request.path.startswith(DATA_PATHS.get(personality, "\0")):
        return None
    query = repr(sorted(request.query))
    asked = (who, personality, request.method, request.path, query, request.body.decode("latin-1"))
    drawn = share(sim.world.seed, sim.now().isoformat(), *asked)
    for part, name in UNASKED:
        if drawn < part:
            first = sim.state.stumble(digest(sim.now().isoformat(), *asked))
            return name if first else None
        drawn -= part
    return None
