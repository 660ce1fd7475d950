"""Full days against the vendor's totals: exact, within 1 %, and the rest."""

from datetime import date

import pytest

from ingestion.reconcile import DayDifference, Reconciliation


@pytest.mark.parametrize(
    ("minute_steps", "vendor_steps", "exact", "near"),
    [
        (1000, 1000, 1, 1),
        (1010, 1000, 0, 1),
        (990, 1000, 0, 1),
        (1011, 1000, 0, 0),
        (989, 1000, 0, 0),
        (0, 0, 1, 1),
        (1, 0, 0, 0),
    ],
)
def test_a_day_is_exact_near_or_far(minute_steps, vendor_steps, exact, near):
    found = Reconciliation()
    found.add_day(DayDifference("P01", date(2026, 3, 10), minute_steps, vendor_steps))
    assert (found.days_full, found.days_exact, found.days_within) == (1, exact, near)
    assert len(found.differences) == 1 - exact


def test_days_far_off_are_named_with_their_gap_and_without_their_steps():
    found = Reconciliation()
    found.add_day(DayDifference("P01", date(2026, 3, 10), 1050, 1000))
    found.add_day(DayDifference("P02", date(2026, 3, 11), 949, 1000))
    found.add_day(DayDifference("P03", date(2026, 3, 12), 7, 0))
    found.add_day(DayDifference("P04", date(2026, 3, 13), 999, 1000))
    assert found.lines[-1] == (
        "for reconciliation, landed unchanged: 4 days that differ; by more than 1 %: "
        "P01 on 2026-03-10 (minutes 5.0 % above the total), "
        "P02 on 2026-03-11 (minutes 5.1 % below the total), "
        "P03 on 2026-03-12 (minutes wholly above the total)"
    )
