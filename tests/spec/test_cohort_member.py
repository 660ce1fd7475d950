"""Who belongs to which cohort: by the roster, the device, the era, or a name of the study's own."""

from transforms.cohort.cohort import derive_cohort_member
from warehouse.study import NamedCohort

USUAL = {
    "participant": {
        "site": "haifa",
        "timezone": "Asia/Jerusalem",
        "enrolled_on": "2026-01-15",
        "starts_on": "2026-01-19",
    },
    "participant_day": {
        "study_day": "1",
        "study_week": "1",
        "day_state": "valid",
        "eligible_day": "true",
        "valid_day": "true",
        "provisional": "false",
    },
    "score": {
        "instrument": "NPRS",
        "scale": "NPRS",
        "visit": "baseline",
        "repeat": "1",
        "prorated": "false",
        "scoring_version": "1",
    },
}


def cohort(*where: dict, match: str = "all") -> dict:
    """A protocol whose one named cohort is `chosen`."""
    return {
        "cohorts": [{"code": "chosen", "label": "Chosen", "where": list(where), "match": match}]
    }


def chosen(
    spec, protocol: dict, people: str, expect: str, kind: str = "named", **more: str
) -> None:
    """Derive with that protocol; `expect` are the participants of `chosen`, one to a line."""

    def derive(con, study):
        derive_cohort_member(con, study.model_copy(update=parsed(protocol)))

    spec(
        derive,
        into="cohort_member",
        participant=people,
        where="cohort_kind IN ('named', 'named_by_arm')",
        expect="\n".join(
            [
                "cohort_kind | cohort | participant_id",
                *(f"{kind}|chosen|{one}" for one in expect.split()),
            ]
        ),
        **more,
    )


def parsed(protocol: dict) -> dict:
    return {"cohorts": [NamedCohort.model_validate(one) for one in protocol["cohorts"]]}


def test_everybody_is_of_each_kind_they_have_a_value_of(spec):
    spec(
        derive_cohort_member,
        participant="""
            participant_id | site  | arm  | therapist_id | depression_or_anxiety
            ---------------+-------+------+--------------+----------------------
            P01            | haifa | etmi | T01          | true
            P02            | haifa |      |              |
        """,
        expect="""
            cohort_kind           | cohort | participant_id
            ----------------------+--------+---------------
            all                   | all    | P01
            all                   | all    | P02
            site                  | haifa  | P01
            site                  | haifa  | P02
            depression_or_anxiety | yes    | P01
            arm                   | etmi   | P01
            therapist             | T01    | P01
        """,
    )


def test_device_and_era_are_those_of_most_valid_days(spec):
    spec(
        derive_cohort_member,
        participant="""
            participant_id
            --------------
            P01
            P02
        """,
        participant_day="""
            participant_id|activity_date|valid_day|device_model|era
            --------------+-------------+---------+------------+-------------
            P01           |2026-01-19   |true     |Inspire     |legacy_fitbit
            P01           |2026-01-20   |true     |Charge      |google_health
            P01           |2026-01-21   |true     |Charge      |google_health
            P01           |2026-01-22   |false    |Inspire     |legacy_fitbit
            P01           |2026-01-23   |false    |Inspire     |legacy_fitbit
            P02           |2026-01-19   |true     |Inspire     |legacy_fitbit
            P02           |2026-01-20   |true     |Charge      |google_health
        """,
        where="cohort_kind IN ('device', 'era')",
        expect="""
            cohort_kind | cohort        | participant_id
            ------------+---------------+---------------
            device      | Charge        | P01
            device      | Charge        | P02
            era         | google_health | P01
            era         | google_health | P02
        """,
    )


PEOPLE = """
    participant_id | sex    | age_years | enrolled_on | depression_or_anxiety | arm
    ---------------+--------+-----------+-------------+-----------------------+-----------
    P01            | female | 65        | 2026-01-15  | true                  | etmi
    P02            | female | 64        | 2026-02-01  | false                 | usual_care
    P03            | male   | 80        | 2026-02-02  |                       | etmi
    P04            |        |           | 2026-03-01  | true                  |
"""


def test_all_conditions_hold_and_a_blank_meets_none(spec):
    women = {"column": "sex", "one_of": ["female"]}
    old = {"column": "age_years", "at_least": 65}
    chosen(spec, cohort(women, old), PEOPLE, "P01")
    chosen(spec, cohort(women, old, match="any"), PEOPLE, "P01 P02 P03")
    chosen(spec, cohort({"column": "sex", "one_of": ["female", "male"]}), PEOPLE, "P01 P02 P03")


def test_bounds_are_inclusive_for_numbers_and_days(spec):
    chosen(spec, cohort({"column": "age_years", "at_least": 64, "at_most": 65}), PEOPLE, "P01 P02")
    day = {"column": "enrolled_on", "at_least": "2026-02-01", "at_most": "2026-02-02"}
    chosen(spec, cohort(day), PEOPLE, "P02 P03")


def test_a_flag_is_chosen_by_true_or_false(spec):
    chosen(spec, cohort({"column": "depression_or_anxiety", "one_of": [True]}), PEOPLE, "P01 P04")
    chosen(spec, cohort({"column": "depression_or_anxiety", "one_of": [False]}), PEOPLE, "P02")


def test_a_cohort_by_the_arm_is_of_a_kind_that_is_not_in_the_masked_file(spec):
    arm = {"column": "arm", "one_of": ["etmi"]}
    chosen(spec, cohort(arm), PEOPLE, "P01 P03", kind="named_by_arm")


def test_a_scale_is_judged_by_its_baseline(spec):
    # P01's last score on or before day 1 is 7; P02's 6; P03 has none, however bad week 4 is.
    chosen(
        spec,
        cohort({"scale": "NPRS", "at_least": 7}),
        PEOPLE,
        "P01",
        score="""
            participant_id | visit    | answered_on | score
            ---------------+----------+-------------+------
            P01            | baseline | 2026-01-16  | 7
            P02            | baseline | 2026-01-16  | 6
            P02            | week_4   | 2026-02-16  | 9
            P03            | week_4   | 2026-02-16  | 9
        """,
    )
