"""A batch's pull in counts, fit for a log: no participant, no value."""

from __future__ import annotations

from dataclasses import dataclass, field

from ingestion.errors import BadReply, RateLimited, VendorDown
from ingestion.landing import Landed

_VENDORS = {kind.reason for kind in (VendorDown, RateLimited, BadReply)}


@dataclass
class Summary:
    """How many were asked and answered, what it cost, what landed.

    `participant_days` is the time that the pull made up for, over all who were asked: since each
    one's last pull that was answered, or since study day 1.
    """

    asked: int = 0
    answered: int = 0
    requests: int = 0
    participant_days: float = 0.0
    points: int = 0
    landed: Landed = field(default_factory=Landed)
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def nobody_answered(self) -> bool:
        """Whether the vendor left everybody without an answer; not where consent is lacking."""
        return self.asked > 0 and not self.answered and bool(_VENDORS & self.reasons.keys())

    def __str__(self) -> str:
        reasons = ", ".join(f"{name} {n}" for name, n in sorted(self.reasons.items())) or "nothing"
        return (
            f"{self.answered} of {self.asked} answered with {self.requests} requests"
            f"{self._a_day()} and {self.points} points: {self.landed.days_new} days new, "
            f"{self.landed.days_changed} changed, {self.landed.days_same} as before; "
            f"receipts: {reasons}"
        )

    def _a_day(self) -> str:
        if not self.participant_days:
            return ""
        return f" ({self.requests / self.participant_days:.2f} a participant-day)"


def say_rows(landed: Landed) -> str:
    """What a pull of questionnaires landed, in words."""
    return (
        f"answers, sessions and goals: {landed.rows_new} new, {landed.rows_changed} changed, "
        f"{landed.rows_same} as before, {landed.rows_removed} taken away"
    )
