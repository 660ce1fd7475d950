"""What can be the matter with a grant, and what to do about it, in words for a coordinator."""

from __future__ import annotations

from datetime import datetime, timedelta

from ingestion.errors import (
    NeedsParticipant,
    NotLinked,
    Retired,
    ScopeMissing,
    SourceError,
    WrongAccount,
)

# Google ends every permission after seven days while an app's consent screen is in Testing.
TESTING_ENDS = (timedelta(days=7), timedelta(days=9))
NEXT_STEPS = {
    "active": None,
    "never_connected": "Send the participant a link to connect (`stepwell connect`).",
    "revoked": "Access was withdrawn or has lapsed: ask the participant to connect again.",
    "expired": "The permission ended a week after it was given, as all of Google's do while the "
    "app is in Testing. If yours is, publish it; if not, access was withdrawn. Then ask the "
    "participant to connect again.",
    "scope_missing": "A permission was left out: ask the participant to connect again and to tick "
    "every box.",
    "wrong_account": "The participant signed in with another account: ask them to connect again "
    "with the one their study device uses. If that has changed, `stepwell release` it first.",
    "not_linked": "The account has no wearable: ask the participant to finish setting up the "
    "device, or moving their Fitbit account to Google, and then to connect again.",
    "retired": "The vendor has switched this API off: move the participant to its successor.",
}
_STATE_OF: dict[type[SourceError], str] = {  # the first that fits
    ScopeMissing: "scope_missing",
    NotLinked: "not_linked",
    WrongAccount: "wrong_account",
    Retired: "retired",
    NeedsParticipant: "revoked",
}


def state_after(state: str, error: SourceError) -> str:
    """The state of a grant in `state` that met an error; the same where it says nothing of it."""
    met = next((s for kind, s in _STATE_OF.items() if isinstance(error, kind)), state)
    return state if (met, state) == ("revoked", "expired") else met  # which says more


def how_lost(source: str, granted_at: datetime, now: datetime) -> str:
    """`expired` where a permission ended with Google's seven days of Testing, else `revoked`."""
    in_testing = TESTING_ENDS[0] <= now - granted_at < TESTING_ENDS[1]
    return "expired" if source == "google_health" and in_testing else "revoked"
