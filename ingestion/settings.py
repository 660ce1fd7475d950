"""Where vendors are and who we are to them, from the environment.

    STEPWELL_<SOURCE>_URL             API base               (default: the real vendor)
    STEPWELL_<SOURCE>_AUTH_URL        consent page           (default: the real vendor)
    STEPWELL_<SOURCE>_TOKEN_URL       token endpoint         (default: the real vendor)
    STEPWELL_<SOURCE>_CLIENT_ID       our application's id
    STEPWELL_<SOURCE>_CLIENT_SECRET   its secret
    STEPWELL_REDCAP_URL, STEPWELL_REDCAP_TOKEN
    STEPWELL_KEY                      Fernet keys, comma separated: the first encrypts, all decrypt
    STEPWELL_PUBLIC_URL               where participants reach the server that ends their consent
    STEPWELL_KEEP_ALIVE_DAYS          a grant not refreshed for so long is refreshed (default 30)

<SOURCE> is GOOGLE_HEALTH or FITBIT.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from cryptography.fernet import Fernet, MultiFernet

from ingestion.errors import Misconfigured

_GOOGLE_SCOPE = "https://www.googleapis.com/auth/googlehealth."
# source: the real addresses, then the scopes asked for; those in NEEDED the study cannot do without
_ADDRESSES = {
    "google_health": (
        "https://health.googleapis.com",
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://oauth2.googleapis.com/token",
    ),
    "fitbit": (
        "https://api.fitbit.com",
        "https://www.fitbit.com/oauth2/authorize",
        "https://api.fitbit.com/oauth2/token",
    ),
}
SCOPES = {
    "google_health": (
        f"{_GOOGLE_SCOPE}activity_and_fitness.readonly",
        f"{_GOOGLE_SCOPE}settings.readonly",
        f"{_GOOGLE_SCOPE}health_metrics_and_measurements.readonly",
    ),
    "fitbit": ("activity", "settings", "profile", "heartrate"),
}
NEEDED = {name: frozenset(scopes[:-1]) for name, scopes in SCOPES.items()}  # heart rate: a gain


MAKE_A_KEY = "make one with `stepwell keys new`, keep it safe, and put it in the environment"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
LONGEST_KEEP_ALIVE_DAYS = 150  # Google drops a permission that was not used for six months


@dataclass(frozen=True)
class Vendor:
    """A vendor's addresses and our application there."""

    source: str
    url: str
    auth_url: str
    token_url: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True)
class Redcap:
    """A REDCap project: its address and the token that names the project."""

    url: str
    token: str = field(repr=False)


def read_vendor(source: str, environ: Mapping[str, str] = os.environ) -> Vendor:
    """The vendor of `source`; Misconfigured names the variable that is missing."""
    if source not in _ADDRESSES:
        known = ", ".join(sorted(_ADDRESSES))
        raise Misconfigured(f"source {source!r} has no consent to give; those that have: {known}")
    prefix = f"STEPWELL_{source.upper()}_"
    names = ("URL", "AUTH_URL", "TOKEN_URL")
    addresses = [
        (environ.get(prefix + name) or real).rstrip("/")
        for name, real in zip(names, _ADDRESSES[source], strict=True)
    ]
    client = [_required(environ, prefix + name) for name in ("CLIENT_ID", "CLIENT_SECRET")]
    return Vendor(source, *addresses, *client)


def read_redcap(environ: Mapping[str, str] = os.environ) -> Redcap:
    """The REDCap project; Misconfigured names the variable that is missing."""
    names = ("STEPWELL_REDCAP_URL", "STEPWELL_REDCAP_TOKEN")
    return Redcap(*(_required(environ, name) for name in names))


def read_key(environ: Mapping[str, str] = os.environ) -> MultiFernet:
    """The key that encrypts tokens at rest; Misconfigured when it is missing or no Fernet key."""
    return MultiFernet(read_keys(environ))


def read_keys(environ: Mapping[str, str] = os.environ) -> list[Fernet]:
    """The keys of STEPWELL_KEY, the one that encrypts first; raises as `read_key` does."""
    text = _required(environ, "STEPWELL_KEY", MAKE_A_KEY)
    try:
        return [Fernet(key.strip()) for key in text.split(",")]
    except ValueError:
        raise Misconfigured(f"STEPWELL_KEY holds no Fernet key; {MAKE_A_KEY}") from None


def read_public_url(environ: Mapping[str, str] = os.environ) -> str:
    """Where participants reach us, without a slash at the end; Misconfigured says what is wrong.

    Plain http is for this machine only: a code that travels in the open can be taken.
    """
    how = "put the address participants reach in the environment, e.g. https://study.example.org"
    url = _required(environ, "STEPWELL_PUBLIC_URL", how).rstrip("/")
    parts = urlsplit(url)
    schemes = ("https", "http") if parts.hostname in LOOPBACK else ("https",)
    if parts.scheme not in schemes or f"{parts.scheme}://{parts.netloc}" != url or "@" in url:
        raise Misconfigured(
            "STEPWELL_PUBLIC_URL is not an address such as https://study.example.org, without a "
            "path; http is for 127.0.0.1 and localhost only"
        )
    return url


def read_keep_alive(environ: Mapping[str, str] = os.environ) -> timedelta:
    """After how long without a refresh a grant is refreshed; Misconfigured unless 1 to 150 days."""
    text = environ.get("STEPWELL_KEEP_ALIVE_DAYS", "").strip() or "30"
    if not (text.isdecimal() and 1 <= int(text) <= LONGEST_KEEP_ALIVE_DAYS):
        raise Misconfigured(
            f"STEPWELL_KEEP_ALIVE_DAYS is {text!r}; give whole days from 1 to "
            f"{LONGEST_KEEP_ALIVE_DAYS}"
        )
    return timedelta(days=int(text))


def _required(environ: Mapping[str, str], name: str, how: str = "put it in the environment") -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise Misconfigured(f"{name} is not set; {how}")
    return value
