"""How the protocol's settings reach SQL."""

import duckdb
import pytest

from transforms.rules import run, settings_of
from warehouse.study import EXAMPLE, read_study


def test_a_setting_is_named_by_its_part_and_its_name():
    settings = settings_of(read_study(EXAMPLE))
    assert settings["study_weeks"] == 52
    assert settings["wear_valid_day_minutes"] == 600
    assert settings["goals_adherent_weeks_pct"] == 70
    assert settings["activity_before_visit_days"] == 14
    assert settings["treatment_episode_gap_days"] == 90
    assert settings["wearables_sources"][:2] == ["google_health", "fitbit"]


def test_sql_is_given_the_settings_and_facts_it_names():
    with duckdb.connect() as con:
        con.execute("CREATE TABLE found (weeks INTEGER, who VARCHAR)")
        run(
            con,
            "INSERT INTO found SELECT $study_weeks, $who",
            read_study(EXAMPLE),
            who="it's",
            unasked=1,
        )
        assert con.execute("FROM found").fetchall() == [(52, "it's")]


def test_a_name_that_is_no_setting_is_refused_with_the_known_ones():
    with (
        duckdb.connect() as con,
        pytest.raises(KeyError, match=r"\$wear_tpyo; known: .*wear_valid"),
    ):
        run(con, "SELECT $wear_tpyo, $study_weeks", read_study(EXAMPLE))
