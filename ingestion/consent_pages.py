"""What a participant reads on their telephone while they connect their account."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from html import escape

from ingestion.settings import SCOPES

VENDORS = {"google_health": "Google", "fitbit": "Fitbit"}
# In the order of settings.SCOPES.
_ASKED = (
    "your activity: steps, distance and active minutes",
    "the settings of your account: time zone, devices and when they last synced",
)
_HEART = "your heart rate: it tells when the device was worn"
ASKED = {
    "google_health": (*_ASKED, _HEART),
    "fitbit": (
        *_ASKED,
        "your profile: of it only the time zone is kept, no name and no birth date",
        _HEART,
    ),
}
assert {name: len(words) for name, words in ASKED.items()} == {
    name: len(scopes) for name, scopes in SCOPES.items()
}

STYLE = """
:root { color-scheme: light dark; --ink: #10151c; --page: #fff; --line: #c3ccd6; --do: #004e7c;
  --on: #fff }
@media (prefers-color-scheme: dark) { :root { --ink: #f2f4f7; --page: #0e1117; --line: #3b4654;
  --do: #8ccbf5; --on: #0e1117 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 1.0625rem/1.5 system-ui, sans-serif }
main { max-width: 34rem; margin: 0 auto; padding: 2rem 1.25rem 3rem }
h1 { font-size: 1.625rem; line-height: 1.25; margin: 0 0 1rem }
p, ul { margin: 0 0 1rem } ul { padding-left: 1.25rem }
.study { border-bottom: 1px solid var(--line); padding-bottom: .75rem; margin-bottom: 1.5rem;
  font-weight: 600 }
.do { display: block; margin: 1.75rem 0; padding: .875rem 1rem; border-radius: .5rem;
  background: var(--do); color: var(--on); font-weight: 600; text-align: center;
  text-decoration: none }
.do:focus-visible { outline: 3px solid var(--ink); outline-offset: 3px }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
# Nothing is kept, nothing is loaded, nothing may frame it, and no address leaks: it holds a secret.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


@dataclass(frozen=True)
class Words:
    """A page: its HTTP status, heading and sentences; `again` offers the link once more."""

    status: int
    heading: str
    sentences: tuple[str, ...]
    again: bool = True


_ASK_FOR_ANOTHER = "Please ask the study team for a new link."
OUTCOMES = {
    "connected": Words(
        200,
        "You are connected",
        ("Thank you. The study can now read the data of your device.", "You can close this page."),
        again=False,
    ),
    "without": Words(
        200,
        "You are connected, but a permission was left out",
        (
            "Thank you. The study can now read your steps, but not your heart rate, which tells "
            "when the device was worn. Without it fewer of your days may count.",
            "That is your choice. If it was a slip, please try again, and tick every box.",
        ),
    ),
    "left-out": Words(
        200,
        "A permission was left out",
        (
            "The study needs every permission that was listed.",
            "Please try again, and tick every box.",
        ),
    ),
    "declined": Words(
        200,
        "You are not connected",
        (
            "You did not give permission, and nothing was stored. That is your choice.",
            "If it was a slip, try again.",
        ),
    ),
    "wrong-account": Words(
        200,
        "That was another account",
        (
            "You signed in with another account than before, and nothing of it was stored.",
            "Please try again with the account that your study device uses.",
        ),
    ),
    "taken": Words(
        200,
        "This account is already connected",
        (
            "The account you signed in with already belongs to another participant of the study. "
            "Nothing was stored.",
            "Please try again with your own account: the one that your study device uses. "
            "If this is your own, please tell the study team.",
        ),
    ),
    "not-linked": Words(
        200,
        "This account has no device yet",
        (
            "Please open the app of your device, and finish setting it up with this account. "
            "If it asks you to move your Fitbit account to Google, please do.",
            "Then try again. If your device uses another account, try again with that one.",
        ),
    ),
    "later": Words(
        503,
        "Please try again later",
        (
            "The maker of your device does not answer at the moment. It is not your fault.",
            "Your link stays good: try again in an hour.",
        ),
    ),
    "again": Words(
        400,
        "Please start again",
        ("It took too long, or was begun in another window. Nothing is wrong with your account.",),
    ),
    "ours": Words(
        500,
        "Something is wrong on our side",
        (
            "It is not your fault, and nothing was stored.",
            "Please tell the study team. Your link stays good for later.",
        ),
    ),
    "used": Words(
        200,
        "This link has been used",
        (
            "You connected by it, and there is nothing more to do here.",
            f"If the study team asked you to connect again: {_ASK_FOR_ANOTHER.lower()}",
        ),
        again=False,
    ),
    "over": Words(
        410,
        "This link has expired",
        ("It was replaced by a newer one, is too old, or was not copied whole.", _ASK_FOR_ANOTHER),
        again=False,
    ),
    "open-link": Words(
        400,
        "Please start again",
        (
            "This page cannot tell which link you came by: it took too long, or was begun in "
            "another window or browser.",
            "Please open the link of the study team again, in the browser you sign in with.",
        ),
        again=False,
    ),
}


def start_page(study: str, source: str, go: str) -> str:
    """The page a link opens: who asks, for what, and the way to the vendor."""
    vendor = VENDORS[source]
    asked = "".join(f"<li>{escape(words)}</li>" for words in ASKED[source])
    return _page(
        study,
        "Connect your device",
        f"<p>The study asks to read, at {vendor}:</p><ul>{asked}</ul>"
        f"<p>Sign in with the account that your study device uses, and tick every box.</p>"
        f"{_button(go, f'Continue to {vendor}')}"
        f"<p>You can end this at any time: in your {vendor} account, or by telling the study team. "
        "The link is yours alone; please do not pass it on.</p>",
    )


def outcome_page(study: str, words: Words, start: str | None) -> str:
    """The page that says how it went; `start` is the participant's link, where it is known."""
    sentences = "".join(f"<p>{escape(sentence)}</p>" for sentence in words.sentences)
    again = _button(start, "Try again") if start and words.again else ""
    return _page(study, words.heading, sentences + again)


def _button(address: str, label: str) -> str:
    return f'<a class="do" href="{escape(address)}">{escape(label)}</a>'


def _page(study: str, heading: str, body: str) -> str:
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(heading)}</title><link rel="icon" href="data:,"><style>{STYLE}</style>'
        f'</head><body><main><p class="study">{escape(study)}</p><h1>{escape(heading)}</h1>'
        f"{body}</main></body></html>"
    )
