"""Damaged replies: `read` yields valid rows or raises its own typed error, and never else.

A failing case prints the command that shows it again. `make check-full` runs 10,000 of a source.
"""

from dataclasses import replace

import numpy as np
import pytest
from support.fuzz import Checked, command, replies_of, run_cases, source_of
from support.fuzz_seeds import SEEDS, seeds_of

from ingestion.source import Count, Reading, all_sources

FEW, MANY = 200, 10_000


def test_every_source_has_good_replies_to_damage():
    assert sorted(SEEDS) == sorted(all_sources())


@pytest.mark.parametrize("source", sorted(SEEDS))
def test_the_undamaged_replies_are_read_whole(source):
    for seed in seeds_of(source):
        reading = source_of(source).read(seed.replies, seed.ask)
        assert reading.days or any(reading.rows.values())


@pytest.mark.parametrize("source", sorted(SEEDS))
def test_damage_ends_in_valid_rows_or_the_source_s_own_error(source):
    wrong = run_cases(source, seeds_of(source), range(FEW))
    assert not wrong, "\n" + "\n".join(wrong[:20])


@pytest.mark.slow
@pytest.mark.parametrize("source", sorted(SEEDS))
def test_ten_thousand_kinds_of_damage(source):
    wrong = run_cases(source, seeds_of(source), range(FEW, FEW + MANY))
    assert not wrong, f"{len(wrong)} cases\n" + "\n".join(wrong[:20])


def test_a_case_is_always_the_same():
    seeds = seeds_of("garmin_fit")
    bodies = [[one.body for one in replies_of("garmin_fit", seeds, 7)[0]] for _ in range(2)]
    assert bodies[0] == bodies[1]
    assert bodies[0] != [one.body for one in replies_of("garmin_fit", seeds, 8)[0]]
    assert command("garmin_fit", 7) == "PYTHONPATH=tests python -m support.fuzz garmin_fit 7"


def a_day():
    [seed, *_] = seeds_of("garmin_fit")
    return source_of("garmin_fit").read(seed.replies, seed.ask).days[0]


def small(*values):
    return np.array(values, np.uint16)


@pytest.mark.parametrize(
    "fault",
    [
        {"step_minute": small(5, 4), "step_count": small(1, 1)},
        {"step_minute": small(5), "step_count": small(1, 1)},
        {"step_minute": small(5), "step_count": small(0)},
        {"step_minute": small(2880), "step_count": small(1)},
        {"step_minute": np.array([5]), "step_count": np.array([70_000])},
        {"wear_start": small(5, 7), "wear_length": small(2, 2)},
        {"wear_start": small(2879), "wear_length": small(2)},
        {"vendor_steps": -1},
        {"raw_sha256": ()},
    ],
    ids=lambda fault: ",".join(fault),
)
def test_a_day_that_is_none_is_found(fault):
    good = Checked()
    good.add(Reading(days=[a_day()]), 1)
    assert good.failures() == []
    with pytest.raises(AssertionError):
        Checked().add(Reading(days=[replace(a_day(), **fault)]), 1)


def test_a_row_that_breaks_a_rule_of_its_table_is_found_with_its_case():
    checked = Checked()
    checked.add(Reading(days=[a_day()]), 6)
    checked.add(Reading(days=[replace(a_day(), era="nobody")]), 7)
    assert len(checked.failures()) == 1
    assert "case 7 break: activity_day.era is one of" in checked.failures()[0]


def test_points_that_are_neither_landed_nor_rejected_are_found():
    with pytest.raises(AssertionError):
        Checked().add(Reading(counts={"steps": Count(received=3, landed=2)}), 1)


def test_another_error_is_told_with_the_command_that_shows_it():
    """Asked in a zone that there is not, which is no reader's to mend."""
    seeds = [
        replace(one, files=(), ask=replace(one.ask, timezone="Mars/Olympus"))
        for one in seeds_of("health_connect")
    ]
    wrong = [text for n in range(5) for text in run_cases("health_connect", seeds, [n])]
    assert wrong
    assert wrong[0].startswith("ZoneInfoNotFoundError: ")
    assert "PYTHONPATH=tests python -m support.fuzz health_connect " in wrong[0]
