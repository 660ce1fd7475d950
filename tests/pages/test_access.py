"""Who sees what, and what a page says when there is nothing, or nothing readable, to show."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest
from support.pages import APP, PROXY, metrics, opened, text, use
from support.published import home_of, small_study, write_study

from dashboard import access
from dashboard.access import (
    NotAllowed,
    NotOnStaff,
    UnknownRole,
    Viewer,
    assert_may,
    may,
    record_change,
    record_export,
    record_unblinding,
)
from warehouse.register import Register, audit
from warehouse.staff import add_staff
from warehouse.study import EXAMPLE, read_study

NOW = datetime(2026, 2, 12, 8, tzinfo=UTC)
NO_REGISTER = ""  # the local user needs none
ANALYST = Viewer("ana@example.org", "blinded_analyst", False, (), ("export",))
STATISTICIAN = Viewer("sam@example.org", "unblinded_statistician", True, (), ())


def test_the_local_user_is_a_coordinator_who_does_not_see_arms(monkeypatch):
    monkeypatch.delenv("STEPWELL_ROLE", raising=False)
    viewer = access.viewer(read_study(EXAMPLE), NO_REGISTER)
    assert (viewer.role, viewer.sees_arms, viewer.sites) == ("coordinator", False, ())


def test_an_unknown_role_lists_the_known_ones(study, monkeypatch):
    use(monkeypatch, study, role="wizard")
    known = "coordinator, trial_manager, blinded_analyst, unblinded_statistician"
    with pytest.raises(UnknownRole, match=known):
        access.viewer(read_study(EXAMPLE), NO_REGISTER)
    at = opened()
    assert known in at.error[0].value
    assert metrics(at) == {}


def rows_of(table: str, why: str = "", **address: str) -> AppTest:
    """The rows of a table, as the Data page shows them."""
    return opened("data", why, view="Rows", rows_of=table, **address)


def test_the_masked_pages_show_no_arm_and_no_session(study, monkeypatch):
    use(monkeypatch, study)
    assert "Arm: ETMI" not in opened().selectbox(key="cohort").options
    assert "arm ETMI" not in text(opened("participant", participant="P001"))
    assert "arm" not in rows_of("participant").dataframe[0].value.columns
    assert "treatment_session" not in rows_of("participant").selectbox(key="rows_of").options


def test_the_unblinded_role_sees_arm_and_sessions(study, monkeypatch):
    use(monkeypatch, study, role="unblinded_statistician")
    at = opened("participant", why="interim look", participant="P001")
    assert "arm ETMI" in text(at)
    assert "Arms shown" in text(at)
    assert "Arm: ETMI" in opened(why="interim look").selectbox(key="cohort").options
    sessions = rows_of("treatment_session", why="interim look").dataframe[0].value
    assert sessions["therapist_id"].tolist() == ["T01"]


def test_without_a_reason_the_unblinded_role_sees_what_everyone_sees(study, monkeypatch):
    use(monkeypatch, study, role="unblinded_statistician")
    assert "Arms hidden" in text(opened("participant", participant="P001"))
    assert "arm" not in rows_of("participant").dataframe[0].value.columns


def test_the_unblinded_role_may_look_at_one_arm(study, monkeypatch):
    use(monkeypatch, study, role="unblinded_statistician")
    at = opened(why="interim look", cohort="Arm: ETMI")
    assert at.dataframe[-1].value["participant_id"].tolist() == ["P003", "P001"]


def test_an_arm_in_the_address_does_nothing_for_the_masked_role(study, monkeypatch):
    use(monkeypatch, study)
    at = opened(cohort="Arm: ETMI")
    assert at.selectbox(key="cohort").value == "Everyone"


def test_an_unblinded_view_is_on_the_audit_trail_once(tmp_path, monkeypatch):
    small_study(tmp_path)
    use(monkeypatch, tmp_path, role="unblinded_statistician")
    monkeypatch.setenv("STEPWELL_REGISTER_URL", home_of(tmp_path).register_url)
    at = opened(why="interim look")
    at.run()
    register = Register(home_of(tmp_path).register_url)
    lines = register.rows(sa.select(audit))
    register.close()
    assert [(line["what"], line["subject"], line["new"], line["why"]) for line in lines] == [
        ("unblinded view", "Adherence", "20260212T060000000000Z", "interim look")
    ]
    assert "unblinded_statistician" in lines[0]["who"]


def test_a_masked_view_leaves_no_register_behind(tmp_path, monkeypatch):
    small_study(tmp_path)
    use(monkeypatch, tmp_path)
    opened()
    assert not (tmp_path / "register.sqlite").exists()


def test_a_role_bound_to_a_site_sees_only_that_site(tmp_path: Path, monkeypatch):
    small_study(tmp_path)
    study = tmp_path / "study.toml"
    bound = '[[roles]]\ncode = "haifa_coordinator"\nsites = ["haifa"]\n'
    study.write_text(study.read_text() + bound)
    use(monkeypatch, tmp_path, role="haifa_coordinator")
    assert_haifa_alone(opened, rows_of)


def assert_haifa_alone(page: Callable[..., AppTest], rows: Callable[..., AppTest]) -> None:
    """P001 and P002 are of Haifa, P003 is of Southampton."""
    assert page().selectbox(key="cohort").options == ["Site: Haifa"]
    at = page("participant", participant="P003")
    assert at.error[0].value.startswith("No participant of that name")
    assert rows("participant").dataframe[0].value["participant_id"].tolist() == ["P001", "P002"]
    assert len(rows("participant", participant="P003").dataframe) == 0


@pytest.mark.parametrize("page", ["adherence", "participant"])
def test_before_the_first_build_the_page_says_how_to_get_one(tmp_path, monkeypatch, page):
    use(monkeypatch, tmp_path)
    assert "`make demo`" in text(opened(page))
    write_study(tmp_path)
    assert "`make demo`" in text(opened(page))


@pytest.mark.parametrize("page", ["adherence", "participant"])
def test_a_file_that_is_no_database_gives_one_plain_sentence(tmp_path, monkeypatch, page):
    write_study(tmp_path)
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "warehouse.duckdb").write_bytes(b"not a database" * 400)
    use(monkeypatch, tmp_path)
    at = opened(page)
    assert at.error[0].value.startswith("The published file cannot be read.")


def test_a_broken_protocol_is_named_with_its_line(tmp_path, monkeypatch):
    small_study(tmp_path)
    study = tmp_path / "study.toml"
    study.write_text(study.read_text().replace("weeks = 52", "weeks = 0", 1))
    use(monkeypatch, tmp_path)
    assert "study.weeks" in opened().error[0].value


def test_what_a_role_may_is_what_study_toml_says(monkeypatch):
    monkeypatch.setenv("STEPWELL_ROLE", "data_engineer")
    viewer = access.viewer(read_study(EXAMPLE), NO_REGISTER)
    assert viewer.may == ("export", "audit", "staff")
    assert (may(viewer, "audit"), may(viewer, "contact")) == (True, False)
    with pytest.raises(NotAllowed, match="The role data_engineer may not erase a participant"):
        assert_may(viewer, "erase")


def test_a_right_that_there_is_not_is_a_mistake_and_no_refusal():
    with pytest.raises(KeyError):
        may(ANALYST, "exprot")


def audited(home: Path) -> list[tuple[str, ...]]:
    with closing(Register(home_of(home).register_url)) as register:
        lines = register.rows(sa.select(audit).order_by(audit.c.id))
    names = ("who", "what", "subject", "old", "new", "why")
    return [tuple(line[name] for name in names) for line in lines]


def test_what_is_exported_changed_and_opened_is_on_the_audit_trail(tmp_path):
    with closing(Register(home_of(tmp_path).register_url)) as register:
        record_export(ANALYST, register, "adherence.csv", 1624, "B1")
        record_change(ANALYST, register, "goal", "P001", "6000", "7000", "asked for")
        record_unblinding(STATISTICIAN, register, "B1", "Outcomes", " interim look ")
    analyst = "ana@example.org, blinded_analyst"
    assert audited(tmp_path) == [
        (analyst, "export", "adherence.csv", "", "1,624 rows of build B1", ""),
        (analyst, "goal", "P001", "6000", "7000", "asked for"),
        ("sam@example.org, unblinded_statistician", "unblinded view", "Outcomes", "", "B1",
         "interim look"),
    ]  # fmt: skip


def test_what_may_not_be_done_is_not_recorded_as_done(tmp_path):
    with closing(Register(home_of(tmp_path).register_url)) as register:
        with pytest.raises(NotAllowed, match="may not download"):
            record_export(STATISTICIAN, register, "adherence.csv", 1624, "B1")
        with pytest.raises(NotAllowed, match="may not see the arms"):
            record_unblinding(ANALYST, register, "B1", "Outcomes", "curious")
        for blank in ("", "  \n"):
            with pytest.raises(ValueError, match="needs a reason"):
                record_unblinding(STATISTICIAN, register, "B1", "Outcomes", blank)
    assert audited(tmp_path) == []


@pytest.fixture
def signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study whose people come through a proxy; Dana is the coordinator of Haifa."""
    small_study(tmp_path)
    use(monkeypatch, tmp_path)
    for name, value in PROXY.items():
        monkeypatch.setenv(name, value)
    give(tmp_path, "dana@example.org", "coordinator", "haifa")
    return tmp_path


def give(home: Path, login: str, role: str, *sites: str) -> None:
    with closing(Register(home_of(home).register_url)) as register:
        study = read_study(home / "study.toml")
        add_staff(register, study, login, role, list(sites), "test", NOW)


def came(login: str | None, page: str = "adherence", **address: str) -> AppTest:
    """The page as whoever the proxy names is shown it."""
    at = AppTest.from_file(APP, default_timeout=60)
    at.user = {"stepwell_login": login}
    at.switch_page(f"views/{page}.py")
    for name, value in address.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception, at.exception[0].message
    return at


def test_a_coordinator_of_one_site_never_gets_another(signed):
    came_dana = partial(came, "Dana@Example.org")
    assert "dana@example.org, coordinator" in text(came_dana())

    def rows(table: str, **address: str) -> AppTest:
        return came_dana("data", view="Rows", rows_of=table, **address)

    assert_haifa_alone(came_dana, rows)


@pytest.mark.parametrize("page", ["adherence", "participant"])
@pytest.mark.parametrize("login", ["ben@example.org", "' OR 1=1 --", "`x` ![](//evil)"])
def test_who_is_not_on_staff_is_shown_and_asked_nothing(signed, monkeypatch, page, login):
    def asked(*_: object) -> None:
        raise AssertionError("the file was opened")

    monkeypatch.setattr("dashboard.shell.open_scoped", asked)
    at = came(login, page, participant="P003")
    assert "has no role in this study" in at.error[0].value
    assert at.error[0].value.count("`") == 2
    assert "stepwell staff add" in text(at)
    assert (metrics(at), list(at.dataframe), list(at.selectbox)) == ({}, [], [])
    assert "Self-directed" not in text(at)


def test_who_has_no_name_is_asked_to_come_through_the_proxy(signed):
    at = came(None)
    assert "has not said who you are" in at.info[0].value
    assert metrics(at) == {}


def test_who_has_no_name_is_told_nothing_of_a_broken_or_missing_study(signed):
    study = signed / "study.toml"
    study.write_text(study.read_text().replace("weeks = 52", "weeks = 0", 1))
    at = came(None)
    assert (len(at.error), "weeks" in text(at)) == (0, False)
    study.unlink()
    (signed / "published").rename(signed / "elsewhere")
    assert "make demo" not in text(came(None))


def test_a_role_that_study_toml_has_no_more_is_none(signed):
    give(signed, "eve@example.org", "blinded_analyst")
    study = signed / "study.toml"
    study.write_text(study.read_text().replace('code = "blinded_analyst"', 'code = "analyst"'))
    assert "has no role in this study" in came("eve@example.org").error[0].value


def test_the_sites_of_a_person_never_widen_those_of_their_role(signed):
    study = signed / "study.toml"
    bound = '[[roles]]\ncode = "nurse"\nsites = ["haifa", "southampton"]\n'
    study.write_text(study.read_text() + bound)
    give(signed, "eve@example.org", "nurse")
    give(signed, "fay@example.org", "nurse", "southampton")
    protocol = read_study(study)
    url = home_of(signed).register_url
    assert access._on_staff(protocol, url, "eve@example.org").sites == ("haifa", "southampton")
    assert access._on_staff(protocol, url, "fay@example.org").sites == ("southampton",)
    narrower = study.read_text().replace('["haifa", "southampton"]', '["haifa"]')
    study.write_text(narrower)
    with pytest.raises(NotOnStaff, match="has no site in this study"):
        access._on_staff(read_study(study), url, "fay@example.org")


def test_an_unknown_sign_in_is_said_on_the_page(signed, monkeypatch):
    monkeypatch.setenv("STEPWELL_SIGN_IN", "ldap")
    at = came("dana@example.org")
    assert "'ldap'; it is one of local, oidc, proxy" in at.error[0].value
    assert metrics(at) == {}


def test_a_page_that_needs_a_right_is_not_there_for_who_lacks_it(signed, monkeypatch):
    for_all, for_some = access.PageFile("adherence"), access.PageFile("outcomes", needs="audit")
    monkeypatch.setattr(access, "PAGES", (for_all, for_some))
    monkeypatch.setattr(access, "_user", lambda: {"stepwell_login": "dana@example.org"})
    assert access.offered() == ([for_all], True)
    give(signed, "dana@example.org", "data_engineer")
    assert access.offered() == ([for_all, for_some], True)
    monkeypatch.setattr(access, "_user", dict)
    assert access.offered()[1] is False
