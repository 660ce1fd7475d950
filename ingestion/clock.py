"""What time it is: the system's clock, or the simulator's where STEPWELL_CLOCK_URL names it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime

import httpx
import msgspec

from ingestion.errors import Misconfigured, VendorDown
from ingestion.http import certificates

TIMEOUT_SECONDS = 10


class _Clock(msgspec.Struct):
    now: datetime


def now(environ: Mapping[str, str] = os.environ) -> datetime:
    """The present as an aware UTC instant.

    VendorDown when the clock asked for does not answer, Misconfigured when it tells no time.
    """
    url = environ.get("STEPWELL_CLOCK_URL")
    if not url:
        return datetime.now(UTC)
    try:
        reply = httpx.get(url, timeout=TIMEOUT_SECONDS, verify=certificates()).raise_for_status()
        told = msgspec.json.decode(reply.content, type=_Clock).now
    except (httpx.ConnectError, httpx.TimeoutException):
        raise VendorDown("the clock at STEPWELL_CLOCK_URL does not answer") from None
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.MsgspecError) as error:
        raise Misconfigured(f"STEPWELL_CLOCK_URL tells no time: {type(error).__name__}") from None
    if told.tzinfo is None:
        raise Misconfigured("STEPWELL_CLOCK_URL tells a time without a zone")
    return told.astimezone(UTC)
