"""Who sees what, and what a page says when there is nothing, or nothing readable, to show."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from support.pages import metrics, opened, text, use
from support.published import home_of, small_study, write_study

from dashboard.access import UnknownRole, viewer_of
from warehouse.register import Register, audit
from warehouse.study import EXAMPLE, read_study


def test_the_local_user_is_a_coordinator_who_does_not_see_arms(monkeypatch):
    monkeypatch.delenv("STEPWELL_ROLE", raising=False)
    viewer = viewer_of(read_study(EXAMPLE))
    assert (viewer.role, viewer.sees_arms, viewer.sites) == ("coordinator", False, ())


def test_an_unknown_role_lists_the_known_ones(study, monkeypatch):
    use(monkeypatch, study, role="wizard")
    known = "coordinator, trial_manager, blinded_analyst, unblinded_statistician"
    with pytest.raises(UnknownRole, match=known):
        viewer_of(read_study(EXAMPLE))
    at = opened()
    assert known in at.error[0].value
    assert metrics(at) == {}


@pytest.mark.parametrize("page", ["adherence", "participant"])
def test_the_masked_file_shows_no_arm_and_no_session(study, monkeypatch, page):
    use(monkeypatch, study)
    at = opened(page, **({"participant": "P001"} if page == "participant" else {}))
    assert "Arm: ETMI" not in at.selectbox(key="cohort").options
    assert "arm ETMI" not in text(at)
    assert "Treatment sessions" not in [header.value for header in at.header]


def test_the_unblinded_role_sees_arm_and_sessions(study, monkeypatch):
    use(monkeypatch, study, role="unblinded_statistician")
    at = opened("participant", why="interim look", participant="P001")
    assert "Arm: ETMI" in at.selectbox(key="cohort").options
    assert "arm ETMI" in text(at)
    assert "Arms shown" in text(at)
    assert at.dataframe[-1].value["therapist_id"].tolist() == ["T01"]


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
    at = opened()
    assert at.selectbox(key="cohort").options == ["Site: Haifa"]
    assert at.dataframe[-1].value["participant_id"].tolist() == ["P002", "P001"]
    at = opened("participant", participant="P003")
    assert at.error[0].value.startswith("No participant of that name")
    assert at.selectbox(key="participant").options == ["P002", "P001"]


@pytest.mark.parametrize("page", ["adherence", "participant"])
def test_before_the_first_build_the_page_says_how_to_get_one(tmp_path, monkeypatch, page):
    use(monkeypatch, tmp_path)
    assert "Run `make demo`" in text(opened(page))
    write_study(tmp_path)
    assert "Run `make demo`" in text(opened(page))


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
