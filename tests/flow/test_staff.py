"""Who has which role: given and taken by the command line, kept in the register, audited."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from support.house import ROOT

from dags.cli import main
from transforms.build import build_warehouse
from warehouse.register import audit
from warehouse.rights import RIGHTS, Role
from warehouse.staff import add_staff, find_staff, list_staff, login_of, remove_staff
from warehouse.study import StudyError, read_study

pytestmark = pytest.mark.postgresql

NOW = datetime(2026, 2, 12, 8, tzinfo=UTC)


def add(store, login="Dana@Example.org", role="coordinator", sites=("haifa",)):
    return add_staff(store.register, store.study, login, role, list(sites), "test", NOW)


def audited(store) -> list[tuple[str, str, str, str, str]]:
    rows = store.register.rows(sa.select(audit).order_by(audit.c.id))
    return [(r["who"], r["what"], r["subject"], r["old"], r["new"]) for r in rows]


def test_a_person_is_found_by_their_login_however_it_is_written(store):
    add(store)
    found = find_staff(store.register, " dana@EXAMPLE.org ")
    assert found is not None
    assert (found.login, found.role, found.sites, found.since, found.added_by) == (
        "dana@example.org", "coordinator", ("haifa",), NOW, "test",
    )  # fmt: skip
    assert find_staff(store.register, "dan@example.org") is None


def test_a_login_that_is_no_address_is_told_apart_by_its_letters(store):
    add(store, login="aB3")
    assert find_staff(store.register, "aB3")
    assert find_staff(store.register, "ab3") is None


def test_every_change_is_on_the_audit_trail_with_what_was_before(store):
    add(store)
    add(store, role="trial_manager", sites=())
    remove_staff(store.register, "dana@example.org", "another", NOW)
    assert list_staff(store.register) == []
    who = "dana@example.org"
    assert audited(store) == [
        ("test", "staff added", who, "", "coordinator at haifa"),
        ("test", "staff changed", who, "coordinator at haifa", "trial_manager at every site"),
        ("another", "staff removed", who, "trial_manager at every site", ""),
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"role": "wizard"}, "unknown role 'wizard'; study.toml has: coordinator, trial_manager"),
        ({"sites": ["rome"]}, "unknown site 'rome' for coordinator; known: haifa, beer_sheva, sou"),
        ({"login": ""}, "1 to 254 characters"),
        ({"login": "a b"}, "no spaces"),
        ({"login": "a\nb"}, "1 to 254 characters"),
        ({"login": "x" * 255}, "1 to 254 characters"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(store, given, said):
    with pytest.raises(StudyError, match=said):
        add(store, **given)
    assert list_staff(store.register) == []
    assert audited(store) == []


def test_a_role_bound_to_a_site_is_given_at_no_other(store):
    path = store.home.study_path
    path.write_text(path.read_text() + '\n[[roles]]\ncode = "nurse"\nsites = ["haifa"]\n')
    study = read_study(path)
    with pytest.raises(StudyError, match="unknown site 'southampton' for nurse; known: haifa"):
        add_staff(store.register, study, "n", "nurse", ["southampton"], "test", NOW)


def test_whoever_has_no_role_cannot_lose_it(store):
    with pytest.raises(StudyError, match="has no role here"):
        remove_staff(store.register, "nobody", "test", NOW)


def test_a_sign_that_only_looks_like_a_letter_is_not_that_letter():
    assert login_of("Kim@Example.ORG") == "kim@example.org"
    assert login_of("\N{KELVIN SIGN}im@example.org") != "kim@example.org"


def test_the_longest_login_is_let_through():
    assert login_of("x" * 254) == "x" * 254


@pytest.mark.parametrize(
    ("role", "rights"),
    [
        ({}, ("contact", "enrol", "export")),
        ({"sees_arms": True}, ("export",)),
        ({"may": []}, ()),
        ({"may": ["staff", "contact"]}, ("contact", "staff")),
    ],
)
def test_a_role_may_what_it_says_or_what_such_a_role_did_before(role, rights):
    assert Role(code="r", **role).rights == rights


def test_an_unknown_right_is_named_with_its_line(tmp_path, store):
    path = store.home.study_path
    path.write_text(path.read_text() + '\n[[roles]]\ncode = "r"\nmay = ["contact", "fly"]\n')
    last = len(path.read_text().splitlines())
    with pytest.raises(
        StudyError,
        match=rf"study.toml:{last}: roles.5.may.1: unknown right 'fly'; known: contact, enrol, era",
    ):
        read_study(path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["staff", *arguments])


def test_the_commands_add_list_and_remove(home, monkeypatch):
    monkeypatch.setenv("STEPWELL_HOME", str(home.path))
    sites = ["--site", "haifa", "--site", "beer_sheva"]
    added = run("add", "Dana@example.org", "coordinator", *sites)
    assert added.output == "dana@example.org: coordinator at haifa, beer_sheva\n"
    run("add", "ben", "data_engineer")
    ben, dana = [line.split("\t") for line in run("list").output.splitlines()]
    assert ben[:3] == ["ben", "data_engineer", "every site"]
    assert dana[:3] == ["dana@example.org", "coordinator", "haifa,beer_sheva"]
    assert run("remove", "ben").output == "ben: removed\n"
    assert len(run("list").output.splitlines()) == 1
    again = run("remove", "ben")
    assert (again.exit_code, again.output.count("\n")) == (2, 1)
    assert "ben has no role here" in again.output


def test_no_login_reaches_the_published_files(store):
    add(store, login="a-very-private-login")
    build_warehouse(store, NOW)
    for folder in (store.home.published, store.home.unblinded):
        assert b"a-very-private-login" not in (folder / "warehouse.duckdb").read_bytes()
        with duckdb.connect(folder / "warehouse.duckdb", read_only=True) as con:
            query = "SELECT count(*) FROM duckdb_tables() WHERE table_name IN ('staff', 'audit')"
            assert con.sql(query).fetchall() == [(0,)]


def test_the_page_about_access_says_what_each_right_allows():
    page = (ROOT / "docs" / "access.md").read_text(encoding="utf-8")
    told = [line for line in page.splitlines() if line.startswith("| `") and "STEPWELL" not in line]
    assert told == [f"| `{name}` | {meaning} |" for name, meaning in RIGHTS.items()]
