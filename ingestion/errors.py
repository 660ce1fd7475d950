"""Everything that can go wrong with a source, and whether to try again.

SourceError
├── Transient            try again later; `retry_after` seconds when the vendor said so
│   ├── VendorDown           5xx, timeouts, refused or broken connections
│   ├── RateLimited          429
│   └── BadReply             a body that cannot be what was asked for (truncated, HTML, empty)
├── NeedsParticipant     only the participant can mend it, by consenting again
│   ├── ConsentLost          revoked, expired, removed
│   ├── ScopeMissing         a permission was not given
│   └── WrongAccount         signed in with another account than the study's
├── Retired              the vendor has switched the API off; stop for good, tell an engineer
└── Misconfigured        our set-up or request is wrong; tell an engineer, blame nobody
    ├── ReaderFault          a reply that our own code could not read: a bug of ours
    └── BadInput             a file or table given to `stepwell import` that cannot be used

Each carries the reason its receipt states (`reason`, of warehouse.tables.ops.RECEIPT_REASONS).
Messages say what, where and what to do, and never hold a token or a person's values.
"""

from __future__ import annotations


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
    """The participant signed in with another account."""

    reason = "wrong_account"


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
