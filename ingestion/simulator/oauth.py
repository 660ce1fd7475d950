"""What both vendors' consent has in common: the page, codes, PKCE, who has taken consent back."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from ingestion.simulator.http import Reply, Request, account_page, as_html, redirect
from ingestion.simulator.roster import SimParticipant
from ingestion.simulator.tokens import digest, pkce_matches

if TYPE_CHECKING:
    from ingestion.simulator.server import Simulator

CLIENT_ID = "stepwell"
CLIENT_SECRET = "simulator-secret"
CODE_SECONDS = 600
CODE_PREFIX = "4/sim"


def gone(participant: SimParticipant, now: datetime) -> bool:
    """Whether they have taken their consent back by `now`."""
    at = participant.consent_revoked_at
    return at is not None and now >= at


def authorize(sim: Simulator, request: Request, kind: str, scopes: frozenset[str]) -> Reply:
    """Consent at once in the name of `login_hint`; without one, a page to pick an account from.

    `granted`, where there is any, are the permissions that were ticked; without a tick, and with
    `denied`, the answer is no.
    """
    params = request.params
    wrong = _wrong_with(params, scopes)
    if wrong:
        return as_html(f"Error 400: {wrong}", 400)
    address, state = params["redirect_uri"], params.get("state", "")
    granted = _granted(request)
    if not granted or "denied" in params:
        return redirect(address, error="access_denied", state=state)
    hint = params.get("login_hint")
    if not hint:
        return account_page(request, sim.world.participants)
    participant = sim.world.participant(hint)
    if participant is None:
        return as_html("Error 400: unknown account", 400)
    if not participant.connects or gone(participant, sim.now()):
        return redirect(address, error="access_denied", state=state)
    content = {
        "kind": kind,
        "who": participant.participant_id,
        "to": address,
        "scope": granted,
        "challenge": params.get("code_challenge", ""),
        "offline": params.get("access_type") == "offline",
        "at": int(sim.now().timestamp()),
        "number": sim.state.next_number(f"consents of {participant.participant_id}"),
    }
    return redirect(address, code=sim.signer.sign(CODE_PREFIX, content), state=state)


def _granted(request: Request) -> str:
    """The permissions asked for of which none was unticked, as a `scope`."""
    ticked = {value for name, value in request.query if name == "granted"}
    asked = request.params["scope"].split()
    return " ".join(scope for scope in asked if not ticked or scope in ticked)


def _wrong_with(params: dict[str, str], scopes: frozenset[str]) -> str:
    if params.get("response_type") != "code":
        return "unsupported_response_type"
    if params.get("client_id") != CLIENT_ID:
        return "invalid_client"
    if not params.get("redirect_uri", "").startswith(("http://", "https://")):
        return "redirect_uri_mismatch"
    if not params.get("scope") or not set(params["scope"].split()) <= scopes:
        return "invalid_scope"
    if params.get("code_challenge") and params.get("code_challenge_method") != "S256":
        return "invalid_request"
    return ""


def code_trouble(sim: Simulator, form: dict[str, str], kind: str) -> str:
    """Why a code cannot be exchanged; empty when it can, and then it is spent."""
    content = sim.signer.read(CODE_PREFIX, form.get("code", ""))
    if content is None or content["kind"] != kind:
        return "Malformed auth code."
    if sim.now().timestamp() > content["at"] + CODE_SECONDS:
        return "Code has expired."
    if form.get("redirect_uri") != content["to"]:
        return "redirect_uri does not match the one of the authorization."
    if content["challenge"] and not pkce_matches(
        form.get("code_verifier", ""), content["challenge"]
    ):
        return "Invalid code verifier."
    return "" if sim.state.spend(digest(form["code"])) else "Code was already redeemed."


def code_content(sim: Simulator, code: str) -> dict[str, Any]:
    """What a code that had no trouble stands for, with the grant's `family`."""
    return {**(sim.signer.read(CODE_PREFIX, code) or {}), "family": digest(code)}
