"""The pages by which a participant connects: their link, the way to the vendor, and back.

    GET /connect/<token>             who asks for what
    GET /connect/<token>/go          to the vendor, with a state and PKCE made for this attempt
    GET /connect/back                from the vendor; finishes the consent, then leads to
    GET /connect/<token>/<outcome>   how it went: an address that holds neither code nor state

An answer counts once, and only in the browser that asked for it: the state is in a cookie there,
so that nobody can have another person's account connected in their own name. No page loads or
runs anything, and no address, code or state is logged.
"""

from __future__ import annotations

import logging
import secrets
from functools import partial
from urllib.parse import urlsplit

import httpx
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from ingestion.consent import ConsentRequest, ask_consent, finish_consent
from ingestion.consent_pages import HEADERS, OUTCOMES, outcome_page, start_page
from ingestion.errors import (
    ConsentLost,
    NotLinked,
    ScopeMissing,
    SourceError,
    Transient,
    WrongAccount,
)
from ingestion.grants import Grants
from ingestion.http import Patience, open_http
from ingestion.links import CALLBACK, PATH, REQUEST_LASTS, Link, Links
from ingestion.settings import read_key, read_public_url, read_vendor
from warehouse.home import Store, open_store

log = logging.getLogger(__name__)
COOKIE = "stepwell_consent"
PATIENCE = Patience(tries=2, first_wait_seconds=0.5, longest_wait_seconds=2)  # somebody is waiting


def routes() -> list[Route]:
    """The routes of the study that the environment names, for `python -m dashboard --routes`.

    StudyError and Misconfigured when they could not work.
    """
    read_public_url(), read_key()
    return consent_routes(open_store(), open_http())


def consent_routes(store: Store, http: httpx.Client) -> list[Route]:
    """The routes over an opened study."""
    pages = ConsentPages(store, http)
    return [
        Route(path, partial(_answer, pages, name), methods=["GET"])
        for path, name in (
            (CALLBACK, "back"),
            (f"{PATH}/{{token}}", "start"),
            (f"{PATH}/{{token}}/go", "go"),
            (f"{PATH}/{{token}}/{{outcome}}", "outcome"),
        )
    ]


def invite(store: Store, source: str, participant_id: str, who: str = "stepwell") -> str:
    """The address to send to the participant; raises as Links.make does."""
    read_vendor(source)  # a link that leads nowhere is not handed out
    url, links = read_public_url(), Links(store.register, read_key())
    return f"{url}{PATH}/{links.make(participant_id, source, who)}"


async def _answer(pages: ConsentPages, name: str, request: Request) -> Response:
    """The reply of one page, from a thread of its own; our own trouble is a page too."""
    try:
        reply: Response = await run_in_threadpool(getattr(pages, name), request)
    except SourceError as error:
        reply = pages.page(_outcome_of(error, declined=False))
    reply.headers.update(HEADERS)
    return reply


class ConsentPages:
    """The four pages, as functions of a request."""

    def __init__(self, store: Store, http: httpx.Client) -> None:
        self._store, self._http = store, http

    @property
    def _links(self) -> Links:
        return Links(self._store.register, read_key())

    def page(self, outcome: str, token: str | None = None) -> Response:
        """The page of an outcome; with `token` it offers the link once more, where that helps."""
        words = OUTCOMES[outcome]
        start = f"{PATH}/{token}" if token else None
        text = outcome_page(self._store.study.study.title, words, start)
        return HTMLResponse(text, words.status)

    def start(self, request: Request) -> Response:
        token = request.path_params["token"]
        link = self._links.find(token)
        if link is None or link.used:
            return self.page("over" if link is None else "used")
        title = self._store.study.study.title
        return HTMLResponse(start_page(title, link.source, f"{PATH}/{token}/go"))

    def go(self, request: Request) -> Response:
        token, links = request.path_params["token"], self._links
        link = links.find(token)
        if link is None or link.used:
            return self.page("over" if link is None else "used")
        public = read_public_url()
        vendor = read_vendor(link.source)
        asked = ask_consent(vendor, link.participant_id, public + CALLBACK)
        links.begin(token, asked)
        reply = RedirectResponse(asked.url, 303)
        reply.set_cookie(
            COOKIE, asked.state, int(REQUEST_LASTS.total_seconds()), path=CALLBACK,
            secure=urlsplit(public).scheme == "https", httponly=True, samesite="lax",
        )  # fmt: skip
        return reply

    def back(self, request: Request) -> Response:
        state = request.query_params.get("state", "")
        known = request.cookies.get(COOKIE, "")
        if not state or not secrets.compare_digest(state.encode(), known.encode()):
            return self.page("open-link")
        taken = self._links.take(state)
        if taken is None:
            return self.page("open-link")
        token, asked = taken
        outcome = self._finish(token, asked, request)
        reply = RedirectResponse(f"{PATH}/{token}/{outcome}", 303)
        reply.delete_cookie(COOKIE, path=CALLBACK)
        return reply

    def outcome(self, request: Request) -> Response:
        token, outcome = request.path_params["token"], request.path_params["outcome"]
        link = self._links.find(token)
        if link is None or outcome not in OUTCOMES:
            return self.page("over")
        if link.used != (outcome == "connected"):  # an address that was kept or made up
            return self.page("used") if link.used else self.start(request)
        if outcome == "without" and not self._lacks_a_gain(link):
            return self.start(request)
        return self.page(outcome, token)

    def _lacks_a_gain(self, link: Link) -> bool:
        grants = Grants(self._store.register, read_key(), self._http)
        grant = grants.find(link.participant_id, link.source)
        return bool(grant and grant.state == "active" and grant.next_step)

    def _finish(self, token: str, asked: ConsentRequest, request: Request) -> str:
        grants = Grants(self._store.register, read_key(), self._http, patience=PATIENCE)
        answer = f"{asked.redirect_uri}?{request.url.query}"
        try:
            vendor = read_vendor(asked.source)
            grant = finish_consent(grants, self._http, vendor, asked, answer, PATIENCE)
        except SourceError as error:
            return _outcome_of(error, declined="code" not in request.query_params)
        if grant.state != "active":
            return "left-out"
        if grant.next_step:  # the link stays good: it may have been a slip
            return "without"
        self._links.close(token)
        return "connected"


def _outcome_of(error: SourceError, declined: bool) -> str:
    match error:
        case ConsentLost():
            return "declined" if declined else "again"
        case ScopeMissing():
            return "left-out"
        case NotLinked():
            return "not-linked"
        case WrongAccount():
            return "taken" if error.taken else "wrong-account"
        case Transient():
            log.warning("consent: %s", error)
            return "later"
    log.error("consent: %s", error)
    return "ours"
