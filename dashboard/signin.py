"""How people sign in, as the environment says, and who it is that asks.

    STEPWELL_SIGN_IN            local (the default), oidc or proxy
    STEPWELL_ROLE               local: the role of the one local user (default coordinator)
    STEPWELL_ALLOW_NO_SIGN_IN   local: 1 to serve others than this machine without a sign-in
    STEPWELL_DASHBOARD_URL      oidc, proxy: where people open it; https, but on this machine
    STEPWELL_OIDC_METADATA_URL  oidc: the provider's .well-known/openid-configuration
    STEPWELL_OIDC_CLIENT_ID, STEPWELL_OIDC_CLIENT_SECRET
    STEPWELL_OIDC_CLAIM         oidc: the claim that is the login (default email)
    STEPWELL_COOKIE_SECRET      oidc: seals the cookie of who is signed in; 32 characters or more
    STEPWELL_PROXY_HEADER       proxy: the header that is the login (default X-Forwarded-User)
    STEPWELL_PROXY_SECRET       proxy: what it sends as X-Stepwell-Proxy; 32 characters or more
    STEPWELL_TRUSTED_PROXY      proxy: its addresses or networks, by comma
    STEPWELL_ALLOWED_HOSTS      more names by which the server may be asked, by comma

The door (dashboard/door.py) keeps out what does not come from the proxy, and hands on the login of
what does under a name of our own, which no browser can send.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any
from urllib.parse import urlsplit

from dashboard import words

MODES = ("local", "oidc", "proxy")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SHORTEST_SECRET = 32
LOGIN_HEADER, LOGIN_KEY = "X-Stepwell-Login", "stepwell_login"
# Two services of docker-compose.yml are given theirs from another variable of .env.
URL = "STEPWELL_DASHBOARD_URL"
URL_IN_FULL = (
    f"{URL} (in .env it is STEPWELL_UNBLINDED_URL for dashboard-unblinded, "
    "STEPWELL_ENROLMENT_URL for dashboard-enrolment)"
)
Network = IPv4Network | IPv6Network


class SignInError(ValueError):
    """The environment's settings of the sign-in cannot work; the message names the one to mend."""


class NotSignedIn(Exception):
    """Nobody has signed in, or a sign-in is over. `expired`: its token's time has passed."""

    def __init__(self, message: str, expired: bool = False) -> None:
        super().__init__(message)
        self.expired = expired


@dataclass(frozen=True)
class SignIn:
    """The settings. `secrets` are what Streamlit's own sign-in reads; never shown, never kept."""

    mode: str = "local"
    url: str = ""
    claim: str = "email"
    secrets: dict[str, Any] = field(default_factory=dict, repr=False)
    cookie_secret: str = field(default="", repr=False)
    header: str = ""
    proxy_secret: str = field(default="", repr=False)
    proxies: tuple[Network, ...] = ()
    hosts: tuple[str, ...] = LOOPBACK
    open_to_all: bool = False

    @property
    def is_https(self) -> bool:
        return self.url.startswith("https://")

    def served_on(self, address: str) -> SignIn:
        """As it is where the server listens on `address`, whose name is then ours too."""
        return replace(self, hosts=tuple(dict.fromkeys([*self.hosts, address])))


def read_sign_in(environ: Mapping[str, str] = os.environ) -> SignIn:
    """The settings of the environment; SignInError names what is missing or cannot be."""
    mode = environ.get("STEPWELL_SIGN_IN") or "local"
    if mode not in MODES:
        raise SignInError(f"STEPWELL_SIGN_IN is {mode!r}; it is one of {', '.join(MODES)}")
    readers: dict[str, Callable[[Mapping[str, str]], dict[str, Any]]] = {
        "local": _read_local,
        "oidc": _read_oidc,
        "proxy": _read_proxy,
    }
    return SignIn(mode=mode, hosts=_hosts(environ), **readers[mode](environ))


def login(sign_in: SignIn, user: Mapping[str, Any], now: float) -> str:
    """The login of whom Streamlit's `st.user` tells of, at `now` (seconds since 1970).

    NotSignedIn where nobody has signed in, where the token's time has passed, which Streamlit does
    not look at, or where the provider has not verified the address.
    """
    if sign_in.mode == "proxy":
        told = user.get(LOGIN_KEY)
        if not told:
            raise NotSignedIn(words.say("access.proxy_silent"))
        return str(told)
    if not user.get("is_logged_in"):
        raise NotSignedIn(words.say("access.sign_in"))
    if not is_fresh(user, now):
        raise NotSignedIn(words.say("access.over"), expired=True)
    told = user.get(sign_in.claim)
    if not isinstance(told, str) or not told.strip():
        raise NotSignedIn(words.say("access.no_claim", claim=sign_in.claim))
    if sign_in.claim == "email" and str(user.get("email_verified")).lower() == "false":
        raise NotSignedIn(words.say("access.not_verified"))
    return told


def is_fresh(user: Mapping[str, Any], now: float) -> bool:
    """Whether the token's time has not passed; one without an end is not fresh."""
    ends = user.get("exp")
    return isinstance(ends, int | float) and not isinstance(ends, bool) and now < ends


def _read_local(environ: Mapping[str, str]) -> dict[str, Any]:
    return {"open_to_all": environ.get("STEPWELL_ALLOW_NO_SIGN_IN", "") not in ("", "0")}


def _read_oidc(environ: Mapping[str, str]) -> dict[str, Any]:
    url, cookie_secret = _url(environ), _secret(environ, "STEPWELL_COOKIE_SECRET")
    auth = {
        "redirect_uri": f"{url}/oauth2callback",
        "cookie_secret": cookie_secret,
        "client_id": _given(environ, "STEPWELL_OIDC_CLIENT_ID"),
        "client_secret": _given(environ, "STEPWELL_OIDC_CLIENT_SECRET"),
        "server_metadata_url": _given(environ, "STEPWELL_OIDC_METADATA_URL"),
    }
    _assert_safe("STEPWELL_OIDC_METADATA_URL", auth["server_metadata_url"])
    claim = environ.get("STEPWELL_OIDC_CLAIM") or "email"
    return {"url": url, "claim": claim, "secrets": {"auth": auth}, "cookie_secret": cookie_secret}


def _read_proxy(environ: Mapping[str, str]) -> dict[str, Any]:
    listed = _listed(_given(environ, "STEPWELL_TRUSTED_PROXY"))
    try:
        proxies = tuple(ip_network(one) for one in listed)
    except ValueError as error:
        raise SignInError(f"STEPWELL_TRUSTED_PROXY: {error}; give addresses or networks") from None
    return {
        "url": _url(environ),
        "header": environ.get("STEPWELL_PROXY_HEADER") or "X-Forwarded-User",
        "proxy_secret": _secret(environ, "STEPWELL_PROXY_SECRET"),
        "proxies": proxies,
    }


def _hosts(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Names in the Host header that are answered: any other may be another site's trick."""
    urls = [environ.get(f"STEPWELL_{name}_URL", "") for name in ("DASHBOARD", "PUBLIC")]
    more = [urlsplit(url).hostname or "" for url in urls]
    more += _listed(environ.get("STEPWELL_ALLOWED_HOSTS", ""))
    return tuple(dict.fromkeys([*LOOPBACK, *(host.lower() for host in more if host)]))


def _given(environ: Mapping[str, str], name: str, in_full: str = "") -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise SignInError(
            f"{in_full or name} is not set; STEPWELL_SIGN_IN needs it (docs/access.md)"
        )
    return value


def _secret(environ: Mapping[str, str], name: str) -> str:
    value = _given(environ, name)
    if len(value) < SHORTEST_SECRET:
        raise SignInError(f"{name} is shorter than {SHORTEST_SECRET} characters; make a new one")
    return value


def _url(environ: Mapping[str, str]) -> str:
    url = _given(environ, URL, URL_IN_FULL).rstrip("/")
    parts = urlsplit(url)
    if parts.path or parts.query or parts.fragment:
        raise SignInError(f"{URL_IN_FULL} has a path; give only https:// and the host")
    _assert_safe(URL_IN_FULL, url)
    return url


def _assert_safe(name: str, url: str) -> None:
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme not in ("http", "https"):
        raise SignInError(f"{name} is no web address")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise SignInError(f"{name} begins with http://; beyond this machine it must be https://")


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
