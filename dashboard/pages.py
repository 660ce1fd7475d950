"""The pages: their address, file and words, in the order of the bar."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dashboard import words

VIEWS = Path(__file__).parent / "views"


@dataclass(frozen=True)
class PageFile:
    """A page. `needs` is what a role must be allowed (study.toml, `may`) to be offered it."""

    name: str
    needs: str = ""

    @property
    def title(self) -> str:
        return words.say(f"pages.{self.name}")

    @property
    def path(self) -> Path:
        return VIEWS / f"{self.name}.py"


# The first is where the dashboard opens; its address is the server's own.
PAGES = (
    PageFile("today"),
    PageFile("participants"),
    PageFile("participant"),
    PageFile("adherence"),
    PageFile("outcomes"),
    PageFile("flow"),
    PageFile("health"),
    PageFile("data"),
    PageFile("study"),
    PageFile("enrolment", needs="enrol"),
)


def address_of(page: PageFile) -> str:
    """Where the page is on the server: `/` for the first, `/name` for another."""
    return "/" if page is PAGES[0] else f"/{page.name}"
