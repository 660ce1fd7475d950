"""The page somebody wanted before they signed in: kept, if it is one of ours, and no other."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.responses import RedirectResponse

from dashboard.wanted import Wanted, page_of

OURS = "https://stepwell.example.org"
PERSON = "/participant?participant=P010&site=Haifa"


@pytest.mark.parametrize(
    ("address", "page"),
    [
        (PERSON, PERSON),
        ("/", "/"),
        ("/?queue=overdue", "/?queue=overdue"),
        ("/data?find=a%20b%0d%0aSet-Cookie:%20c#top", "/data?find=a+b%0D%0ASet-Cookie%3A+c"),
        (
            "/participant?site=%D7%97%D7%99%D7%A4%D7%94",
            "/participant?site=%D7%97%D7%99%D7%A4%D7%94",
        ),
        ("", "/"),
        ("participant", "/"),
        ("//evil.example", "/"),
        ("//evil.example/participant", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/participant", "/"),
        ("/participant/../../evil", "/"),
        ("/auth/logout", "/"),
        ("/media/a.csv", "/"),
        (f"/participant?participant={'P' * 2000}", "/"),
    ],
)
def test_only_a_page_of_ours_with_its_parameters_is_wanted(address, page):
    assert page_of(address) == page


def answer(path: str, leads_to: str, **headers: str) -> tuple[str, str]:
    """Where an answer of the sign-in leads that led to `leads_to`, and the cookie set with it."""
    app = Wanted(RedirectResponse(leads_to, 302), OURS)
    transport = httpx.ASGITransport(app)

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url=OURS) as client:
            return await client.get(path, headers=headers)

    reply = asyncio.run(ask())
    return reply.headers["location"], reply.headers.get("set-cookie", "")


KEPT = "stepwell_wanted=%2Fparticipant%3Fparticipant%3DP010%26site%3DHaifa"
TERMS = "Path=/oauth2callback; HttpOnly; SameSite=Lax"
PROVIDER = "https://id.example.org/authorize?state=a"


@pytest.mark.parametrize("path", ["/auth/login", "/auth/logout"])
def test_on_the_way_to_the_provider_the_page_is_kept_for_ten_minutes(path):
    assert answer(path, PROVIDER, referer=OURS + PERSON) == (
        PROVIDER, f"{KEPT}; Max-Age=600; {TERMS}",
    )  # fmt: skip


@pytest.mark.parametrize(
    "referer", ["", "https://evil.example" + PERSON, OURS + ".evil.example" + PERSON]
)
def test_another_sites_word_for_it_is_not_heeded(referer):
    kept = f"stepwell_wanted=%2F; Max-Age=600; {TERMS}"
    assert answer("/auth/login", PROVIDER, referer=referer) == (PROVIDER, kept)


def test_on_the_way_back_the_page_is_opened_and_forgotten():
    gone = f"stepwell_wanted=; Max-Age=0; {TERMS}"
    assert answer("/oauth2callback", "/", cookie=KEPT) == (PERSON, gone)
    planted = "stepwell_wanted=https%3A%2F%2Fevil.example%2Fparticipant"
    assert answer("/oauth2callback", "/", cookie=planted) == ("/", gone)
    assert answer("/oauth2callback", "/") == ("/", gone)


def test_where_the_provider_has_no_end_of_its_own_the_page_is_opened_at_once():
    assert answer("/auth/logout", "/", referer=OURS + PERSON)[0] == PERSON


def test_no_other_answer_is_touched():
    assert answer("/connect/a", "/", referer=OURS + PERSON) == ("/", "")
