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
from ingestion.settings import NEEDED, SCOPES

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
WITHOUT_HEART = (  # of an active grant: settings.SCOPES asks for no other gain
    "The heart rate was left out, so that when the device was worn is told by step minutes alone, "
    "and fewer days may count. The rest is read: ask the participant, if they will, to connect "
    "again and to tick every box."
)
_STATE_OF: dict[type[SourceError], str] = {  # the first that fits
    ScopeMissing: "scope_missing",
    NotLinked: "not_linked",
    WrongAccount: "wrong_account",
    Retired: "retired",
    NeedsParticipant: "revoked",
}


def next_step(source: str, state: str, scopes: str | None) -> str | None:
    """What to do about a grant in `state` with these permissions; None when nothing.

    `scopes` are space separated; blank where nobody knows them.
    """
    if state == "active" and scopes and gains_left_out(source, scopes):
        return WITHOUT_HEART
    return NEXT_STEPS[state]


def gains_left_out(source: str, scopes: str) -> bool:
    """Whether a permission is missing that the study asks for and can do without."""
    return bool(set(SCOPES[source]) - NEEDED[source] - set(scopes.split()))


def loses_a_gain(source: str, before: str, now: str) -> bool:
    """Whether a new consent leaves out a permission of that kind which the one before it gave."""
    return bool(before) and gains_left_out(source, now) and not gains_left_out(source, before)


def state_after(state: str, error: SourceError) -> str:
    """The state of a grant in `state` that met an error; the same where it says nothing of it."""
    met = next((s for kind, s in _STATE_OF.items() if isinstance(error, kind)), state)
    return state if (met, state) == ("revoked", "expired") else met  # which says more


def how_lost(source: str, granted_at: datetime, now: datetime) -> str:
    """`expired` where a permission ended with Google's seven days of Testing, else `revoked`."""
    in_testing = TESTING_ENDS[0] <= now - granted_at < TESTING_ENDS[1]
    return "expired" if source == "google_health" and in_testing else "revoked"
