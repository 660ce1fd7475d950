"""Enrollment by calendar week and site, beside the plan: 19 January 2026 is a Monday."""

from datetime import date

from transforms.cohort.cohort import derive_cohort_member
from transforms.cohort.recruitment import derive_recruitment as recruitment_of

USUAL = {
    "participant": {"site": "haifa", "timezone": "Asia/Jerusalem", "starts_on": "2026-02-02"},
}


def derive_recruitment(con, study, as_of):
    """Of a study whose recruitment opens on 19 January."""
    head = study.study.model_copy(update={"first_day": date(2026, 1, 19)})
    derive_cohort_member(con, study)
    recruitment_of(con, study.model_copy(update={"study": head}), as_of)


def planned(**by_site):
    """Recruitment of four weeks from 19 January, `by_site` participants each."""

    def derive(con, study, as_of):
        sites = [
            one.model_copy(update={"planned": by_site.get(one.code)}) for one in study.sites[:2]
        ]
        head = study.study.model_copy(update={"recruitment_ends_on": date(2026, 2, 15)})
        derive_recruitment(con, study.model_copy(update={"sites": sites, "study": head}), as_of)

    return derive


def test_a_week_runs_from_monday_and_one_without_anybody_has_its_row(spec):
    spec(
        derive_recruitment,
        as_of="2026-02-04 12:00+00",
        participant="""
            participant_id | enrolled_on
            ---------------+------------
            P01            | 2026-01-19
            P02            | 2026-01-25
            P03            | 2026-01-26
        """,
        where="cohort_kind = 'all' OR cohort = 'haifa'",
        expect="""
            cohort | week_starts_on | enrolled | cumulative
            -------+----------------+----------+-----------
            all    | 2026-01-19     | 2        | 2
            all    | 2026-01-26     | 1        | 3
            all    | 2026-02-02     | 0        | 3
            haifa  | 2026-01-19     | 2        | 2
            haifa  | 2026-01-26     | 1        | 3
            haifa  | 2026-02-02     | 0        | 3
        """,
    )


def test_who_came_before_the_first_day_is_counted_in_a_week_of_which_nothing_was_planned(spec):
    spec(
        planned(haifa=56),
        into="recruitment",
        as_of="2026-01-20 12:00+00",
        participant="participant_id | enrolled_on\n P01 | 2026-01-18",
        where="cohort = 'haifa'",
        expect="""
            week_starts_on | enrolled | cumulative | planned
            ---------------+----------+------------+--------
            2026-01-12     | 1        | 1          | 0.0
            2026-01-19     | 0        | 1          | 4.0
        """,
    )


def test_the_running_week_is_measured_by_the_plan_to_today(spec):
    # 28 days and 56 participants: two a day. At 22:30 UTC on 28 January it is the 29th in Haifa.
    spec(
        planned(haifa=56, beer_sheva=28),
        into="recruitment",
        as_of="2026-01-28 22:30+00",
        participant="participant_id | enrolled_on\n P01 | 2026-01-20",
        expect="""
            cohort     | week_starts_on | cumulative | planned
            -----------+----------------+------------+--------
            all        | 2026-01-19     | 1          | 21.0
            all        | 2026-01-26     | 1          | 33.0
            haifa      | 2026-01-19     | 1          | 14.0
            haifa      | 2026-01-26     | 1          | 22.0
            beer_sheva | 2026-01-19     | 0          | 7.0
            beer_sheva | 2026-01-26     | 0          | 11.0
        """,
    )


def test_after_its_end_the_plan_is_its_whole_number(spec):
    spec(
        planned(haifa=56, beer_sheva=28),
        into="recruitment",
        as_of="2026-02-20 12:00+00",
        where="cohort = 'haifa' AND week_starts_on >= '2026-02-09'",
        expect="""
            week_starts_on | cumulative | planned
            ---------------+------------+--------
            2026-02-09     | 0          | 56.0
            2026-02-16     | 0          | 56.0
        """,
    )


def test_without_every_sites_plan_there_is_none_of_everybody(spec):
    spec(
        planned(haifa=56),
        into="recruitment",
        as_of="2026-01-25 12:00+00",
        expect="""
            cohort     | week_starts_on | planned
            -----------+----------------+--------
            all        | 2026-01-19     |
            haifa      | 2026-01-19     | 14.0
            beer_sheva | 2026-01-19     |
        """,
    )
