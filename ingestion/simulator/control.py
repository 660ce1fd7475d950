"""The emulator's own levers under `/_emu/`: clock, faults, log, reset, participants."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ingestion.simulator.faults import check_spec
from ingestion.simulator.http import Reply, Request, as_json
from ingestion.simulator.state import ClockError

if TYPE_CHECKING:
    from ingestion.simulator.server import Simulator


def answer(sim: Simulator, request: Request) -> Reply:
    """The reply to a request of `/_emu/...`."""
    what = (request.method, request.path.removeprefix("/_emu/"))
    if what == ("GET", "clock"):
        return as_json({"now": sim.now().isoformat()})
    if what == ("PUT", "clock"):
        return _set_clock(sim, request)
    if what == ("POST", "faults"):
        return _arm(sim, request)
    if what == ("GET", "faults"):
        armed = sim.state.armed()
        return as_json({"faults": [{"number": n, "used": used, **spec} for n, spec, used in armed]})
    if request.method == "DELETE" and what[1].partition("/")[0] == "faults":
        return _disarm(sim, what[1])
    if what == ("GET", "log"):
        names = ("personality", "path", "participant_id", "status", "fault", "count")
        rows = [dict(zip(names, (*key, n), strict=True)) for key, n in sorted(sim.log.items())]
        return as_json({"requests": rows})
    if what == ("GET", "participants"):
        people = sim.world.participants
        return as_json(
            {"participants": [{"participant_id": p.participant_id, "vendor": p.vendor,
                               "connects": p.connects} for p in people]}
        )  # fmt: skip
    if what == ("POST", "reset"):
        sim.state.reset()
        sim.log.clear()
        sim.spent.clear()
        return as_json({"now": sim.now().isoformat()})
    return as_json({"error": "known: clock, faults, log, participants, reset"}, 404)


def _set_clock(sim: Simulator, request: Request) -> Reply:
    body = _body(request)
    try:
        at = datetime.fromisoformat(str(body.get("now") if isinstance(body, dict) else ""))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        return as_json({"error": 'give {"now": "2026-02-02T06:00:00+00:00"}, with an offset'}, 400)
    try:
        sim.state.set_now(at)
    except ClockError as error:
        return as_json({"error": str(error)}, 409)
    return as_json({"now": sim.now().isoformat()})


def _arm(sim: Simulator, request: Request) -> Reply:
    spec = _body(request)
    wrong = check_spec(spec, sim.world)
    return as_json({"error": wrong}, 400) if wrong else as_json({"armed": sim.state.arm(spec)})


def _disarm(sim: Simulator, what: str) -> Reply:
    """Forget every fault (`faults`), or one (`faults/2`)."""
    number = what.removeprefix("faults/") if what != "faults" else None
    if number is not None and not (number.isascii() and number.isdecimal()):
        return as_json({"error": f"{number!r} is no number; GET /_emu/faults lists them"}, 400)
    gone = sim.state.disarm(int(number) if number else None)
    if not gone and number:
        return as_json({"error": f"no fault {number} is armed; GET /_emu/faults lists them"}, 404)
    return as_json({"disarmed": gone})


def _body(request: Request) -> Any:
    try:
        return json.loads(request.body)
    except ValueError:
        return None
