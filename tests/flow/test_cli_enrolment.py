"""The commands that enrol, set goals, pause and withdraw: what they say, and who did it."""

from __future__ import annotations

import getpass
from datetime import date

import pytest
from click.testing import CliRunner, Result
from support.enrolment import Clock, goals, row, trail

from dags.cli import main
from ingestion.entries import WHAT

pytestmark = pytest.mark.postgresql

ENROL = ("enrol", "--site", "haifa", "--enrolled-on", "2026-03-09")


@pytest.fixture(autouse=True)
def here(store, monkeypatch):
    """The study of `store`, on the 10th of March."""
    monkeypatch.setenv("STEPWELL_HOME", str(store.home.path))
    monkeypatch.setattr("ingestion.clock.now", Clock())


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_somebody_is_enrolled_paused_withdrawn_and_has_goals(store):
    said = run(*ENROL, "--arm", "etmi", "--therapist", "T01", "--subgroup", "no", "--age", "54")
    assert (said.exit_code, said.output.splitlines()[0]) == (
        0, "P-00013: enrolled; now: `stepwell connect`",
    )  # fmt: skip
    why = ("--why", "agreed")
    assert run("goal", "P-00013", "2026-03-12", "5000", *why).output == "P-00013: goal entered\n"
    assert (
        run("pause", "P-00013", "--from", "2026-03-20", "--to", "2026-03-27", *why).exit_code == 0
    )
    assert run("withdraw", "P-00013", "--on", "2026-04-02", *why).exit_code == 0
    found = row(store, "P-00013")
    assert (found["arm"], found["depression_or_anxiety"], found["age_years"]) == ("etmi", False, 54)
    assert (found["paused_from"], found["paused_to"]) == (date(2026, 3, 20), date(2026, 3, 27))
    assert found["withdrawn_on"] == date(2026, 4, 2)
    assert goals(store, "P-00013") == [(1, date(2026, 3, 12), None, 5000)]
    assert {who for who, *_ in trail(store, WHAT)} == {f"{getpass.getuser()}, command line"}


def test_each_can_be_taken_back(store):
    run(*ENROL, "P001")
    why = ("--why", "mistyped")
    run("goal", "P001", "2026-03-12", "5000", *why)
    run("pause", "P001", "--from", "2026-03-20", *why)
    run("withdraw", "P001", "--on", "2026-04-02", *why)
    for asked in (("goal", "P001", "2026-03-12"), ("pause", "P001"), ("withdraw", "P001")):
        assert run(*asked, "--undo", *why).exit_code == 0
    found = row(store, "P001")
    assert (found["paused_from"], found["withdrawn_on"]) == (None, None)
    assert goals(store, "P001") == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("enrol", "--site", "paris", "--enrolled-on", "2026-03-09"), "site: is not known; give"),
        (("enrol", "--site", "haifa", "--enrolled-on", "soon"), "enrolled_on: is not a day"),
        (("enrol", "Anna Miller", *ENROL[1:]), "participant_id: give 1 to 32"),
        (("goal", "P009", "2026-03-12", "5000", "--why", "a"), "nobody's on the roster"),
        (("goal", "P009", "2026-03-12", "--why", "a"), "give STEPS, or --undo"),
        (("pause", "P009", "--why", "a"), "give --from, or --undo"),
        (("withdraw", "P009", "--why", "a"), "give --on, or --undo"),
        (("withdraw", "P009", "--on", "2026-03-12"), "Missing option '--why'"),
        (("erase", "P009", "--why", "a", "--yes"), "nobody's on the roster"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(arguments, words):
    said = run(*arguments)
    assert said.exit_code == 2
    assert words in said.output
    assert "Traceback" not in said.output
