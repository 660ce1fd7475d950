"""What must come of a participant's pulls, told from the scenario alone.

The rules are the protocol's and the last column of the fault catalogue (`vendor-apis.md` 4.3), not
those that the ingestion keeps: what passes is asked for again, what lasts is told by whose it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ingestion.simulator.roster import SimParticipant
from ingestion.simulator.scenario import SOURCES, TOKEN, Scenario, Trouble
from warehouse.study import Wearables

if TYPE_CHECKING:
    from ingestion.simulator.world import World

OUTAGE, FAILED, LOST, RETIRED, LANDED = "outage", "failed", "lost", "retired", "landed"
# What a fault comes to when every request of a pull meets it; one that is not here does no harm.
COMES_TO = {
    "500": OUTAGE, "503": OUTAGE, "502_html": OUTAGE, "reset": OUTAGE, "slow": OUTAGE,
    "429": FAILED, "truncated": FAILED, "empty": FAILED, "html_200": FAILED, "html_401": FAILED,
    "no_errors_401": FAILED, "service_disabled": FAILED, "preview_denied": FAILED,
    "xml_error": FAILED, "repeated_token": FAILED,
    "revoked": LOST, "invalid_token": LOST, "scope_missing": LOST, "wrong_account": LOST,
    "410": RETIRED,
}  # fmt: skip


@dataclass(frozen=True)
class Course:
    """A participant's pulls of one source: the last that landed, and the newest with its end."""

    source: str
    landed_at: datetime | None = None
    newest_at: datetime | None = None
    newest: str = ""
    pulls: tuple[tuple[datetime, str], ...] = ()  # when, and what it came to
    lasting: tuple[Trouble, ...] = ()  # what every reply to this participant has, ever

    @property
    def over(self) -> bool:
        """Whether nothing more is asked until somebody acts."""
        return self.newest in (LOST, RETIRED)


def courses(
    world: World,
    participant: SimParticipant,
    pulled_at: Sequence[datetime],
    scenario: Scenario | None,
) -> list[Course]:
    """What came of each source that the participant connected, by the protocol's priority."""
    revoked = participant.consent_revoked_at
    if not participant.connects or (scenario and revoked and revoked <= scenario.consented_at):
        return []
    vendors = [vendor for vendor, source in SOURCES.items() if source == participant.vendor]
    if scenario and participant.participant_id in scenario.both:
        vendors = ["google", "fitbit"]
    found = [_course(world, participant, vendor, pulled_at, scenario) for vendor in vendors]
    return sorted(found, key=lambda one: world.study.wearables.sources.index(one.source))


def outage_is_shared(of_source: Sequence[Course], at: datetime, wearables: Wearables) -> bool:
    """Whether a failure at `at` was the vendor's: of everybody's pulls nearest to it in time, and
    within some hours of it, so many met an outage. Of two as near the later counts."""
    hours = timedelta(hours=wearables.outage_hours)
    near = [
        min(((abs(when - at), at - when, came) for when, came in one.pulls
             if abs(when - at) <= hours), default=None)
        for one in of_source
    ]  # fmt: skip
    ends = [found[2] for found in near if found]
    return 100 * ends.count(OUTAGE) >= wearables.outage_share_pct * len(ends) > 0


def answered_at(pulled_at: Sequence[datetime], scenario: Scenario | None) -> datetime | None:
    """The last pull at which REDCap answered; consent comes with an answer before the first."""
    if scenario is None:
        return max(pulled_at, default=None)
    good = [
        at for number, at in enumerate(scenario.pulls)
        if at in pulled_at and not _troubles(scenario, "redcap", "", number)
    ]  # fmt: skip
    return max(good, default=scenario.consented_at)


def _course(
    world: World,
    participant: SimParticipant,
    vendor: str,
    pulled_at: Sequence[datetime],
    scenario: Scenario | None,
) -> Course:
    course = Course(SOURCES[vendor])
    for number, at in enumerate(sorted(pulled_at)):
        if course.over:
            break
        if world.today(participant, at) < participant.starts_on:
            continue  # nothing to ask for yet
        came = _came(world, participant, vendor, number, at, scenario)
        if came == FAILED and _is_spared(world, participant, vendor, at, course, scenario):
            came = LANDED
        landed_at = at if came == LANDED else course.landed_at
        course = Course(course.source, landed_at, at, came, (*course.pulls, (at, came)))
    lasting = _lasting(scenario, vendor, participant.participant_id) if scenario else ()
    return replace(course, lasting=lasting)


def _lasting(scenario: Scenario, vendor: str, who: str) -> tuple[Trouble, ...]:
    """Troubles that are neither mended nor end a pull, but change what is told."""
    return tuple(
        one for one in scenario.troubles
        if one.befalls(vendor, who, 0) and (_is_gap(one) or one.fault == "implausible")
    )  # fmt: skip


def _is_gap(trouble: Trouble) -> bool:
    """Whether it is a permission that one kind of data lacks."""
    return trouble.fault == "no_intraday" or "heart" in trouble.path


def _is_spared(
    world: World,
    participant: SimParticipant,
    vendor: str,
    at: datetime,
    course: Course,
    scenario: Scenario | None,
) -> bool:
    """Pages that do not end harm nobody whose device has not synced: no page is asked for."""
    activity, who = world.activity(participant), participant.participant_id
    pages = scenario is not None and any(
        one.fault == "repeated_token" and one.befalls(vendor, who, scenario.pulls.index(at))
        for one in scenario.troubles
    )
    before = course.landed_at and activity.synced_at(course.landed_at)
    return pages and activity.synced_at(at) in (None, before)


def _came(
    world: World,
    participant: SimParticipant,
    vendor: str,
    number: int,
    at: datetime,
    scenario: Scenario | None,
) -> str:
    """What one pull comes to: the token is refreshed first, then the vendor knows the consent."""
    who = participant.participant_id
    troubles = _troubles(scenario, vendor, who, number) if scenario else []
    refreshed = number > 0  # the consent's own token is still good at the first
    for one in troubles:
        if one.path in ("", TOKEN[vendor]) and refreshed and scenario:
            end = _end(one, at, scenario)
            if end != LANDED:
                return end
    revoked = participant.consent_revoked_at
    if revoked is not None and at >= revoked:
        return LOST
    ends = [COMES_TO[one.fault] for one in troubles if one.path != TOKEN[vendor]]
    return ends[0] if ends else LANDED


def _end(trouble: Trouble, at: datetime, scenario: Scenario) -> str:
    if trouble.fault == "testing_expiry":
        return LOST if at - scenario.consented_at >= timedelta(days=7) else LANDED
    return COMES_TO[trouble.fault]


def _troubles(scenario: Scenario, vendor: str, who: str, number: int) -> list[Trouble]:
    """Those that the asking again does not mend; heart rate refused is a gap, not a failure."""
    return [
        one for one in scenario.troubles
        if one.befalls(vendor, who, number) and one.times < 0 and not _is_gap(one)
        and (one.fault in COMES_TO or one.fault == "testing_expiry")
    ]  # fmt: skip
