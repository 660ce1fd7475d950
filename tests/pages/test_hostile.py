"""Whatever stands in an address or is typed into a field: nothing breaks, nothing is given away.

Pages come from dashboard.pages, parameters and fields from what each page sends, so that a new
page or field is tried without a word here. The viewer is bound to Haifa: P003 is of Southampton.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from support import walking
from support.enrolment import KEY
from support.pages import opened, use
from support.published import home_of
from support.published_rich import FOREIGN, THERAPIST, rich_study

from dashboard.pages import PAGES
from warehouse.publish import stable_path

# What must not come back is the mark of each: the part that no page says of itself.
MARK = "zqx417"
HOSTILE = {
    "sql": f"{MARK}' OR '1'='1') UNION SELECT participant_id FROM warehouse.main.participant; "
    "DROP TABLE participant; --",
    "html": f"<script>alert('{MARK}')</script><img src=x onerror=alert('{MARK}')> "
    f"[{MARK}](javascript:alert(1)) $${MARK}$$ :red[{MARK}] {{0.__class__}}",
    "long": (MARK * 1700)[:10_000],
    "control": f"\x00\x1b[31m\u202e\r\n\ufeff../../etc/passwd%00{MARK}",
    "a person of another site": "P003",
    "another site": "Site: Southampton",
    "an arm": "Arm: ETMI",
    "no number and no day": "-99999999999999999999",
}
# The protocol, which everybody may read, names the arms; who is in which is hidden.
SECRET = (*FOREIGN, THERAPIST, "Arm: ")


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rich_study(tmp_path_factory.mktemp("rich"))


@pytest.fixture
def home(rich, monkeypatch) -> Path:
    """The study as a coordinator of Haifa meets it, who may enrol."""
    use(monkeypatch, rich, "haifa_coordinator")
    monkeypatch.setenv("STEPWELL_ACTIONS", "ingestion.actions:actions")
    monkeypatch.setenv("STEPWELL_KEY", KEY)
    monkeypatch.setenv("STEPWELL_PUBLIC_URL", "https://study.example.org")
    return rich


def harmless(at: AppTest, home: Path, what: object = "") -> None:
    """Nothing raised, nothing of it given back, nothing of another site or an arm, all kept."""
    assert not at.exception, (what, at.exception[0].message)
    assert not [one.value for one in at.error if "cannot be read" in one.value], what
    shown = walking.sent(at).decode("utf-8", "replace")
    assert MARK not in shown, (what, shown[max(0, shown.find(MARK) - 200) :][:400])
    assert [word for word in SECRET if word in shown] == [], what
    assert stable_path(home_of(home)).exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_nothing_in_all_of_an_address_at_once_does_harm(home, page):
    at = opened(page.name)
    harmless(at, home)
    names = walking.parameters(at)
    assert "participant" in names
    for what, value in HOSTILE.items():
        harmless(opened(page.name, **dict.fromkeys(names, value)), home, what)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_nothing_in_one_parameter_of_a_good_address_does_harm(home, page):
    good, tried = {"participant": "P001", "site": "Haifa"}, set()
    for part in [{}, *walking.choices(opened(page.name, **good))]:
        for name in walking.parameters(opened(page.name, **good, **part)) - tried:
            tried.add(name)
            at = opened(page.name, **{**good, **part, name: HOSTILE["sql"] + HOSTILE["html"]})
            harmless(at, home, (part, name))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_nothing_typed_does_harm(home, page):
    at = walking.unfolded(page.name, participant="P001")
    if page.name == "today":
        at.session_state["today_chosen"] = "P001"
        at.run()
    for what, value in HOSTILE.items():
        fields = [*at.text_input, *at.text_area]
        assert fields
        for field in fields:
            field.set_value(value)
        harmless(at.run(), home, what)


def test_what_one_may_not_see_is_there_for_those_who_may(rich, monkeypatch):
    # Else the searches above would be for words that no page ever says.
    use(monkeypatch, rich, "unblinded_statistician")
    seen = "".join(
        walking.sent(walking.unfolded(page, "interim look", **address)).decode("utf-8", "replace")
        for page, address in (
            ("participants", {}), ("outcomes", {}), ("participant", {"participant": "P001"}),
            ("participant", {"participant": "P003"}),
        )
    )  # fmt: skip
    assert [word for word in SECRET if word not in seen] == []
