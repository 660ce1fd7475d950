"""Pseudonyms with a check digit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.errors import Misconfigured
from ingestion.pseudonyms import Rule, check_digit, fault_of, read_rule
from warehouse.study import EXAMPLE, read_study

DIGITS = st.text("0123456789", min_size=1, max_size=9)


# The examples of the algorithm's pages at Wikipedia and Rosetta Code.
@pytest.mark.parametrize(("number", "check"), [("572", "4"), ("11294", "6")])
def test_the_check_digit_is_the_published_one(number, check):
    assert check_digit(number) == check


@settings(deadline=None)
@given(DIGITS, st.data())
def test_one_wrong_digit_is_always_found(number, data):
    whole = number + check_digit(number)
    at = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != whole[at]]))
    assert check_digit(whole) == "0"
    assert check_digit(whole[:at] + other + whole[at + 1 :]) != "0"


@settings(deadline=None)
@given(DIGITS.filter(lambda text: len(text) > 1), st.data())
def test_two_neighbours_that_changed_places_are_always_found(number, data):
    whole = number + check_digit(number)
    at = data.draw(st.integers(0, len(whole) - 2))
    swapped = whole[:at] + whole[at + 1] + whole[at] + whole[at + 2 :]
    assert (check_digit(swapped) == "0") == (whole[at] == whole[at + 1])


def test_the_next_one_follows_all_that_are_used_and_none_that_is_gone():
    rule = Rule(prefix="H", digits=3)
    assert rule.next_after([], lambda one: False) == "H0013"
    used = ["H0013", "P001", "H01x", "H0059"]
    assert rule.next_after(used, lambda one: False) == rule.made_of(6)
    assert rule.next_after(used, lambda one: one == rule.made_of(6)) == rule.made_of(7)


def test_when_the_numbers_are_used_up_it_is_said():
    with pytest.raises(Misconfigured, match="give more digits"):
        Rule(digits=2).next_after([Rule(digits=2).made_of(99)], lambda one: False)


@pytest.mark.parametrize(
    ("pseudonym", "words"),
    [
        ("P-00013", None),
        ("P001", None),  # of another rule: nothing can be told
        ("P-00014", "check digit is wrong"),
        ("P-00103", "check digit is wrong"),
        ("", "1 to 32 letters"),
        ("dana@example.org", "never a name"),
        ("P 01", "1 to 32"),
        ("../P01", "1 to 32"),
        ("all", "1 to 32"),
        ("a" * 33, "1 to 32"),
    ],
)
def test_a_pseudonym_that_somebody_gives_is_looked_at(pseudonym, words):
    found = fault_of(pseudonym, Rule())
    assert found is None if words is None else found and words in found


def test_a_setting_that_is_wrong_is_named():
    study = read_study(EXAMPLE)
    wrong = study.model_copy(update={"sources": {"study_team": {"digits": 1, "suffix": "x"}}})
    with pytest.raises(Misconfigured) as caught:
        read_rule(wrong)
    assert "sources.study_team.digits" in str(caught.value)
    assert "sources.study_team.suffix" in str(caught.value)
