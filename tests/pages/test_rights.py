"""Rights where they are easily forgotten: at a click long after the page was drawn, in what others
have written, in files, and where a goal tells the arm."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
import streamlit as st
from streamlit.testing.v1 import AppTest
from support.pages import APP, PROXY, about, opened, use
from support.published import BUILD_ID, PARTICIPANTS, home_of, publish_rows
from support.published_today import today_rows, today_study

from dashboard.access import NotAllowed, Viewer, is_still
from dashboard.exports import to_csv
from dashboard.participant_events import told_to
from dashboard.queries.study import Asked, audit_lines
from dashboard.serve import SETTINGS
from warehouse.contacts import Contact, history, log_contact
from warehouse.register import Register, audit
from warehouse.staff import add_staff, remove_staff
from warehouse.study import read_study

NOW = datetime(2026, 2, 12, 5, tzinfo=UTC)
NOTE = "call after five"
DANA = "dana@example.org"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The typed trial with its work, at five in the morning of its build."""
    monkeypatch.setenv("STEPWELL_CLOCK_URL", "http://pretend")
    today_study(tmp_path)
    use(monkeypatch, tmp_path)
    return tmp_path


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], bytes]]:
    """What each download button of a page would hand out when it is pressed."""
    found: dict[str, Callable[[], bytes]] = {}

    def keep(_: str, make: Callable[[], bytes], file: str, **__: object) -> bool:
        found[file] = make
        return False

    monkeypatch.setattr(st, "download_button", keep)
    return found


@pytest.fixture
def dana(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same study, whose people come through a proxy; Dana is a coordinator."""
    for name, value in PROXY.items():
        monkeypatch.setenv(name, value)
    with register_of(home) as register:
        add_staff(register, read_study(home / "study.toml"), DANA, "coordinator", [], "x", NOW)
    return home


def register_of(home: Path) -> closing[Register]:
    return closing(Register(home_of(home).register_url))


def came(page: str) -> AppTest:
    """The page as Dana is shown it."""
    at = AppTest.from_file(APP, default_timeout=60)
    at.user = {"stepwell_login": DANA}
    at.switch_page(f"views/{page}.py")
    return at.run()


def chosen(at: AppTest, who: str) -> AppTest:
    """Today with the row of a participant selected."""
    [listed] = [one for one in at.dataframe if "action" in one.value]
    place = list(listed.value["participant_id"]).index(who)
    selection = {"rows": [place], "columns": [], "cells": []}
    at.session_state[listed.proto.id.rpartition("-")[2]] = {"selection": selection}
    return at.run()


def press(at: AppTest, label: str) -> AppTest:
    return next(one for one in at.button if one.label == label).click().run()


def exports_of(home: Path) -> list[tuple[str, str, str]]:
    with register_of(home) as register:
        lines = register.rows(sa.select(audit).where(audit.c.what == "export"))
    return [(line["who"], line["subject"], line["why"]) for line in lines]


def add_role(home: Path, code: str, may: str) -> None:
    study = home / "study.toml"
    study.write_text(f'{study.read_text()}\n[[roles]]\ncode = "{code}"\nmay = [{may}]\n')


@pytest.mark.parametrize("label", ["Log the contact", "Take it"])
def test_who_was_taken_off_the_staff_writes_nothing_on_a_page_still_open(dana, label):
    at = chosen(came("today"), "P002")
    with register_of(dana) as register:
        remove_staff(register, DANA, "x", NOW)
    at = press(at, label)
    assert "has no role in this study" in at.error[0].value
    with register_of(dana) as register:
        assert history(register, "P002") == []
        told = [row["what"] for row in register.rows(sa.select(audit.c.what))]
    assert told == ["staff added", "staff removed"]


def test_whose_role_has_changed_is_told_that_nothing_was_done(dana):
    at = chosen(came("today"), "P002")
    with register_of(dana) as register:
        study = read_study(dana / "study.toml")
        add_staff(register, study, DANA, "coordinator", ["southampton"], "x", NOW)
    at = press(at, "Log the contact")
    assert "Your role has changed since this page was drawn." in at.error[0].value
    with register_of(dana) as register:
        assert history(register, "P002") == []


def test_who_was_taken_off_the_staff_takes_no_file_along(dana, files):
    came("participants")
    assert b"P001" in files["participants.csv"]()
    with register_of(dana) as register:
        remove_staff(register, DANA, "x", NOW)
    with pytest.raises(NotAllowed, match="Your role has changed"):
        files["participants.csv"]()
    assert exports_of(dana) == [(f"{DANA}, coordinator", "participants.csv", "")]


def test_who_is_still_who_they_were_when_the_page_was_drawn(dana):
    may = ("contact", "enrol", "export")
    one = Viewer(DANA, "coordinator", False, (), may)
    assert is_still(one, home_of(dana))
    for other in (
        Viewer(DANA, "trial_manager", False, (), may),
        Viewer(DANA, "coordinator", False, ("haifa",), may),
        Viewer("eve@example.org", "coordinator", False, (), may),
    ):
        assert not is_still(other, home_of(dana))


@pytest.mark.parametrize("page", ["participants", "participant", "today", "adherence"])
def test_who_may_take_nothing_along_is_offered_no_file(home, files, monkeypatch, page):
    add_role(home, "reader", "")
    use(monkeypatch, home, "reader")
    about(opened(page))
    assert files == {}
    use(monkeypatch, home, "coordinator")
    about(opened(page))
    assert files != {}


def test_a_file_with_the_arms_is_on_the_trail_with_the_reason_for_which_they_are_open(
    home, files, monkeypatch
):
    use(monkeypatch, home, "unblinded_statistician")
    opened("participants", why="interim look")
    files["participants.csv"]()
    [(_, subject, why)] = exports_of(home)
    assert (subject, why) == ("participants.csv", "interim look")


def test_a_text_that_begins_as_a_formula_is_none_in_a_file():
    typed = ['=HYPERLINK("//evil")', "+1", "-1", "@x", "a=b", "", None]
    table = pa.table({"why": typed, "n": range(-1, 6)})
    lines = to_csv(table).decode().splitlines()
    assert lines == [
        '"why","n"', '"\'=HYPERLINK(""//evil"")",-1', '"\'+1",0', '"\'-1",1', '"\'@x",2',
        '"a=b",3', '"",4', ",5",
    ]  # fmt: skip


def test_a_table_gives_no_file_and_no_copy_by_itself():
    assert SETTINGS["client.disableDataExport"] is True


@pytest.mark.parametrize(("role", "read"), [("coordinator", True), ("blinded_analyst", False)])
def test_a_note_is_read_by_those_alone_who_log_contacts(home, monkeypatch, role, read):
    with register_of(home) as register:
        one = Contact("P002", ("consent_lost",), NOW, "noa", "phone", "no_answer", NOTE)
        log_contact(register, one)
    use(monkeypatch, home, role)
    at = AppTest.from_file(APP, default_timeout=60)
    at.switch_page("views/participant.py")
    at.query_params["participant"] = "P002"
    at.session_state["open_contacts"] = True
    at.run()
    said = "\n".join(one.value for one in at.text)
    assert "noa" in said
    assert (NOTE in said) is read
    with register_of(home) as register:  # one whom nobody has called today
        log_contact(register, Contact("P001", ("device_swap",), NOW, "noa", "phone", "reached",
                                      NOTE))  # fmt: skip
    at = chosen(opened("today"), "P001")
    [listed] = [d.value for d in at.dataframe if NOTE in d.value.to_string() or "Note" in d.value]
    assert (NOTE in listed.to_string()) is read


@pytest.mark.parametrize(
    ("build", "told"),
    [
        ({"masked": True, "goals_reveal_arm": True}, {"not_worn"}),
        ({"masked": False, "goals_reveal_arm": True}, {"not_worn", "goal_missed"}),
        ({"masked": True, "goals_reveal_arm": False}, {"not_worn", "goal_missed"}),
    ],
)
def test_where_a_goal_tells_the_arm_no_contact_about_one_is_told(home, build, told):
    both = ("goal_missed", "not_worn")
    page: Any = SimpleNamespace(viewer=Viewer("x", "y", False, (), ("contact",)), build=build)
    with register_of(home) as register:
        log_contact(register, Contact("P001", both, NOW, "sam", "phone", "reached"))
        rows = history(register, "P001")
    assert {row["reason"] for row in told_to(page, rows)} == told


def test_where_a_goal_tells_the_arm_no_line_of_the_audit_trail_about_one_is_told(home):
    with register_of(home) as register:
        for new in ("goal: valid_from, goal_steps", "change: site", "goal_missed, not_worn: phone"):
            register.record("x", "y", NOW, "P001", new=new)
        assert audit_lines(register, Asked(goals=False))["new"].to_pylist() == ["change: site"]
        assert audit_lines(register, Asked()).num_rows == 3


def test_somebody_erased_is_in_no_list_that_was_kept(home):
    assert opened("participant", participant="P002").header[0].value == "P002"
    left = {**today_rows(), "participant": PARTICIPANTS[:1], "work_item": []}
    publish_rows(home, left, BUILD_ID)  # an erasure writes the same build anew
    at = opened("participant")
    assert at.header[0].value == "P001"
    assert at.button(key="next").disabled
