"""Minutes against the vendor's own hours and days, in one export. Nothing is changed here.

An hour is comparable when all its 60 minutes are there and the export has a total for it. A day is
comparable ("full") when all its minutes are there and its total is finished. What is left out is
counted, so that hours = comparable + left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

WITHIN_PCT = 1  # how near a day's minutes lie to the vendor's total, in % of that total


@dataclass(frozen=True)
class DayDifference:
    """A full day whose minutes and vendor's total are not the same."""

    participant_id: str
    activity_date: date
    minute_steps: int
    vendor_steps: int

    @property
    def is_near(self) -> bool:
        """Whether the minutes lie within WITHIN_PCT of the vendor's total."""
        gap = abs(self.minute_steps - self.vendor_steps)
        return 100 * gap <= WITHIN_PCT * self.vendor_steps


@dataclass
class Reconciliation:
    """How minutes compare with the vendor's hours and days of the same export."""

    hours_comparable: int = 0
    hours_equal: int = 0
    hours_without_minutes: int = 0  # the vendor's total is there, its minutes are not (all)
    hours_without_total: int = 0  # the minutes are there, the vendor's total is not
    hours_repeated: int = 0  # in the hour that comes twice in autumn: which passing is unknown
    days_full: int = 0
    days_exact: int = 0
    days_within: int = 0  # within WITHIN_PCT, the exact ones included
    days_total_unfinished: int = 0  # all minutes there, but the total was taken before day's end
    days_without_total: int = 0  # all minutes there, no total at all
    differences: list[DayDifference] = field(default_factory=list)

    def add_day(self, difference: DayDifference) -> None:
        """Count one full day."""
        same = difference.minute_steps == difference.vendor_steps
        self.days_full += 1
        self.days_exact += same
        self.days_within += difference.is_near
        if not same:
            self.differences.append(difference)

    @property
    def lines(self) -> list[str]:
        """The comparison in sentences."""
        far = [day for day in self.differences if not day.is_near]
        return [
            f"hours: {self.hours_equal:,} of {self.hours_comparable:,} comparable hours equal; "
            f"not comparable: {self.hours_without_minutes:,} without all minutes, "
            f"{self.hours_without_total:,} without the vendor's total, "
            f"{self.hours_repeated:,} repeated by the clock",
            f"days: {self.days_exact} of {self.days_full} full days equal the vendor's total, "
            f"{self.days_within} within {WITHIN_PCT} %; left out: {self.days_total_unfinished} "
            f"whose total was taken before the day ended, {self.days_without_total} without one",
            f"for reconciliation, landed unchanged: {len(self.differences)} days that differ; "
            f"by more than {WITHIN_PCT} %: {', '.join(map(_said, far)) or 'none'}",
        ]


def _said(day: DayDifference) -> str:
    gap = day.minute_steps - day.vendor_steps
    much = f"{100 * abs(gap) / day.vendor_steps:.1f} %" if day.vendor_steps else "wholly"
    side = "above" if gap > 0 else "below"
    return f"{day.participant_id} on {day.activity_date} (minutes {much} {side} the total)"
