"""Everything that can go wrong with a source, and whether to try again.

SourceError
├── Transient            try again later; `retry_after` seconds when the vendor said so
│   ├── VendorDown           5xx, timeouts, refused or broken connections
│   ├── RateLimited          429
│   │   └── OutOfBudget          stopped before it: the days until then are whole
│   └── BadReply             a body that cannot be what was asked for (truncated, HTML, empty)
├── NeedsParticipant     only the participant can mend it, by consenting again
│   ├── ConsentLost          revoked, expired, removed
│   ├── ScopeMissing         a permission was not given
│   └── WrongAccount         signed in with another account than the study's
│       └── NotLinked            the account has no wearable: its set-up is not finished
├── Retired              the vendor has switched the API off; stop for good, tell an engineer
└── Misconfigured        our set-up or request is wrong; tell an engineer, blame nobody
    ├── ReaderFault          a reply that our own code could not read: a bug of ours
    └── BadInput             a file or table given to `stepwell import` that cannot be used

Each carries the reason its receipt states (`reason`, of warehouse.tables.ops.RECEIPT_REASONS).
Messages say what, where and what to do, and never hold a token or a person's values.
"""

from __future__ import annotations

from datetime import date

import msgspec

# What msgspec raises of a body: cut short, of another shape, not UTF-8, nested without end.
NOT_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class SourceError(Exception):
    """A source could not deliver."""

    reason = "our_fault"


class Transient(SourceError):
    """Worth another try."""

    reason = "vendor_outage"

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class VendorDown(Transient):
    """The vendor does not answer, or answers that it cannot."""


class RateLimited(Transient):
    """Too many requests."""

    reason = "rate_limited"


class OutOfBudget(RateLimited):
    """The vendor's limit is near: every day through `through` was fetched whole, none after it."""

    def __init__(self, message: str, through: date, retry_after: float | None = None) -> None:
        super().__init__(message, retry_after)
        self.through = through


class BadReply(Transient):
    """The body is not what was asked for; `body` is it, as far as it came, to be kept raw."""

    reason = "bad_reply"

    def __init__(self, message: str, body: bytes = b"") -> None:
        super().__init__(message)
        self.body = body


class NeedsParticipant(SourceError):
    """Only the participant can mend it."""

    reason = "consent_lost"


class ConsentLost(NeedsParticipant):
    """Consent was revoked or has lapsed."""


class ScopeMissing(NeedsParticipant):
    """A permission that the study needs was not given."""

    reason = "scope_missing"


class WrongAccount(NeedsParticipant):
    """The participant signed in with another account; `taken`: it is another participant's."""

    reason = "wrong_account"

    def __init__(self, message: str, taken: bool = False) -> None:
        super().__init__(message)
        self.taken = taken


class NotLinked(WrongAccount):
    """The account has no wearable: it was never set up, or not moved over to the new vendor."""


class Retired(SourceError):
    """The vendor has switched this API off."""

    reason = "retired"


class Misconfigured(SourceError):
    """Our request or set-up is wrong."""

    reason = "misconfigured"


class ReaderFault(Misconfigured):
    """Our own code failed on a reply; the raw reply is kept, and read again once it is mended."""

    reason = "our_fault"


class BadInput(Misconfigured):
    """What was given to import cannot be used; nothing was stored."""
