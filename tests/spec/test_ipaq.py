"""IPAQ-SF by the protocol of November 2005: MET-minutes a week, a category, exclusions."""

from support.forms import answers

from transforms.outcomes.score import derive_score

USUAL = {"response": {"source": "redcap", "visit": "week_4", "repeat": "1"}}


def test_the_published_examples(spec):
    # P03: 5 minutes are none. P04: 720 are cut at 180. P05: 1,000 minutes a day exclude the form.
    spec(
        derive_score,
        where="scale IN ('IPAQMET', 'IPAQMOD')",
        response=answers(
            "IPAQ",
            """
            participant_id|vigdays|vigminutes|moddays|modminutes|walkdays|walkminutes
            --------------+-------+----------+-------+----------+--------+-----------
            P01           |0      |0         |2      |30        |5       |40
            P02           |3      |60        |2      |240       |7       |60
            P03           |0      |0         |1      |5         |3       |20
            P04           |0      |0         |1      |720       |6       |10
            P05           |1      |300       |1      |400       |7       |300
            """,
        ),
        expect="""
            participant_id | scale   | score | band     | not_scored | not_scored_detail
            ---------------+---------+-------+----------+------------+----------------------------
            P01            | IPAQMET | 900   | moderate |            |
            P01            | IPAQMOD | 240   |          |            |
            P02            | IPAQMET | 4266  | high     |            |
            P02            | IPAQMOD | 1440  |          |            |
            P03            | IPAQMET | 198   | low      |            |
            P03            | IPAQMOD | 0     |          |            |
            P04            | IPAQMET | 918   | moderate |            |
            P04            | IPAQMOD | 720   |          |            |
            P05            | IPAQMET |       |          | excluded   | more than 960 minutes a day
            P05            | IPAQMOD |       |          | excluded   | more than 960 minutes a day
        """,
    )


def test_high_is_1500_vigorous_on_3_days_or_3000_on_7(spec):
    # 63 x 8 x 3 = 1512; 62 x 8 x 3 = 1488. P08 is 1600 + 1400 on 7 days. P10 has 1440 vigorous
    # MET-minutes of 2133 on 10 days: not 1500, and not 3000.
    spec(
        derive_score,
        where="scale = 'IPAQMET'",
        response=answers(
            "IPAQ",
            """
            participant_id|vigdays|vigminutes|moddays|modminutes|walkdays|walkminutes
            --------------+-------+----------+-------+----------+--------+-----------
            P01           |3      |63        |0      |0         |0       |0
            P02           |3      |62        |0      |0         |0       |0
            P03           |2      |150       |0      |0         |0       |0
            P04           |0      |0         |5      |150       |2       |15
            P05           |5      |75        |1      |10        |0       |0
            P06           |0      |0         |7      |107       |1       |15
            P07           |0      |0         |7      |107       |0       |0
            P08           |2      |100       |5      |70        |0       |0
            P09           |2      |100       |5      |69        |0       |0
            P10           |3      |60        |0      |0         |7       |30
            """,
        ),
        expect="""
            participant_id | score  | band
            ---------------+--------+---------
            P01            | 1512   | high
            P02            | 1488   | moderate
            P03            | 2400   | low
            P04            | 3099   | high
            P05            | 3040   | high
            P06            | 3045.5 | high
            P07            | 2996   | moderate
            P08            | 3000   | high
            P09            | 2980   | moderate
            P10            | 2133   | moderate
        """,
    )


def test_moderate_is_3_vigorous_days_or_5_half_hours_or_600_on_5_days(spec):
    # P01/P02: 20 and 19 vigorous minutes. P03/P04: 30 and 29 minutes on 5 days (495, 478.5).
    # P05 to P07: under 600 on 6 days and 5. P08: 30 minutes on 4 days. P09: two vigorous days.
    # P12: 25 x 8 x 1 + 25 x 4 x 4 = 600, none of it a half hour; P13 has 592; P14 600 on 4 days.
    spec(
        derive_score,
        where="scale = 'IPAQMET'",
        response=answers(
            "IPAQ",
            """
            participant_id|vigdays|vigminutes|moddays|modminutes|walkdays|walkminutes
            --------------+-------+----------+-------+----------+--------+-----------
            P01           |3      |20        |0      |0         |0       |0
            P02           |3      |19        |0      |0         |0       |0
            P03           |0      |0         |0      |0         |5       |30
            P04           |0      |0         |0      |0         |5       |29
            P05           |1      |16        |4      |29        |1       |6
            P06           |1      |51        |1      |10        |4       |10
            P07           |1      |41        |1      |11        |4       |10
            P08           |0      |0         |2      |30        |2       |30
            P09           |2      |60        |2      |29        |0       |0
            P10           |0      |0         |4      |30        |1       |30
            P11           |0      |0         |4      |29        |1       |30
            P12           |1      |25        |4      |25        |0       |0
            P13           |1      |24        |4      |25        |0       |0
            P14           |2      |25        |2      |25        |0       |0
            """,
        ),
        expect="""
            participant_id | score | band
            ---------------+-------+---------
            P01            | 480   | moderate
            P02            | 456   | low
            P03            | 495   | moderate
            P04            | 478.5 | low
            P05            | 592   | low
            P06            | 580   | low
            P07            | 504   | low
            P08            | 438   | low
            P09            | 1192  | low
            P10            | 579   | moderate
            P11            | 563   | low
            P12            | 600   | moderate
            P13            | 592   | low
            P14            | 600   | low
        """,
    )


def test_nine_minutes_are_none_ten_are_ten_and_960_a_day_are_not_yet_too_many(spec):
    # P03: 180 + 180 + 180 count of 320 a day each. P04: 961 a day.
    spec(
        derive_score,
        where="scale = 'IPAQMET'",
        response=answers(
            "IPAQ",
            """
            participant_id|vigdays|vigminutes|moddays|modminutes|walkdays|walkminutes
            --------------+-------+----------+-------+----------+--------+-----------
            P01           |1      |9         |0      |0         |0       |0
            P02           |1      |10        |0      |0         |0       |0
            P03           |1      |320       |1      |320       |1       |320
            P04           |1      |321       |1      |320       |1       |320
            P05           |1      |181       |0      |0         |0       |0
            P06           |1      |180       |0      |0         |0       |0
            """,
        ),
        expect="""
            participant_id | score | not_scored | not_scored_detail
            ---------------+-------+------------+----------------------------
            P01            | 0     |            |
            P02            | 80    |            |
            P03            | 2754  |            |
            P04            |       | excluded   | more than 960 minutes a day
            P05            | 1440  |            |
            P06            | 1440  |            |
        """,
    )


def test_the_days_of_an_activity_under_10_minutes_do_not_count_for_the_category(spec):
    # 5 days of 9 minutes are no days: two days of 2,880 are not seven days of 3,000.
    spec(
        derive_score,
        where="scale = 'IPAQMET'",
        response=answers(
            "IPAQ",
            """
            participant_id|vigdays|vigminutes|moddays|modminutes|walkdays|walkminutes
            --------------+-------+----------+-------+----------+--------+-----------
            P01           |2      |180       |0      |0         |5       |9
            P02           |2      |180       |0      |0         |5       |10
            """,
        ),
        expect="""
            participant_id | score | band
            ---------------+-------+-----
            P01            | 2880  | low
            P02            | 3045  | high
        """,
    )


def test_a_missing_day_or_time_leaves_the_form_unscored_but_no_days_need_no_time(spec):
    spec(
        derive_score,
        where="scale IN ('IPAQMET', 'IPAQVIG', 'IPAQSIT')",
        response=answers(
            "IPAQ",
            """
            participant_id|vigdays|vigminutes|moddays|modminutes|walkdays|walkminutes|sitminutes
            --------------+-------+----------+-------+----------+--------+-----------+----------
            P01           |2      |          |1      |30        |3       |20         |300
            P02           |       |30        |       |          |3       |20         |
            P03           |0      |          |0      |          |3       |20         |0
            P04           |8      |10        |0      |          |3       |20         |300
            P05           |1      |1441      |0      |          |3       |20         |300
            """,
        ),
        expect="""
            participant_id | scale   | score | not_scored | not_scored_detail
            ---------------+---------+-------+------------+--------------------------------
            P01            | IPAQMET |       | missing    | 1 item
            P01            | IPAQVIG |       | missing    | 1 item
            P01            | IPAQSIT | 300   |            |
            P02            | IPAQMET |       | missing    | 2 items
            P02            | IPAQVIG |       | missing    | 2 items
            P02            | IPAQSIT |       | missing    | 1 item
            P03            | IPAQMET | 198   |            |
            P03            | IPAQVIG | 0     |            |
            P03            | IPAQSIT | 0     |            |
            P04            | IPAQMET |       | rejected   | item vigdays is out of range
            P04            | IPAQVIG |       | rejected   | item vigdays is out of range
            P04            | IPAQSIT | 300   |            |
            P05            | IPAQMET |       | rejected   | item vigminutes is out of range
            P05            | IPAQVIG |       | rejected   | item vigminutes is out of range
            P05            | IPAQSIT | 300   |            |
        """,
    )


def test_a_time_comes_as_minutes_as_h_mm_or_as_hours_and_minutes(spec):
    # Each is 90 minutes of walking on 2 days: 3.3 x 90 x 2 = 594; sitting is 8 hours.
    spec(
        derive_score,
        where="scale IN ('IPAQWALK', 'IPAQSIT')",
        response=answers(
            "IPAQ",
            """
            participant_id|vigdays|moddays|walkdays|walkhours|walkminutes|sithours|sitminutes
            --------------+-------+-------+--------+---------+-----------+--------+----------
            P01           |0      |0      |2       |         |90         |        |480
            P02           |0      |0      |2       |         |1:30       |        |8:00
            P03           |0      |0      |2       |1        |30         |8       |
            P04           |0      |0      |2       |1.5      |           |7       |60
            """,
        ),
        expect="""
            participant_id | scale    | score
            ---------------+----------+------
            P01            | IPAQWALK | 594
            P01            | IPAQSIT  | 480
            P02            | IPAQWALK | 594
            P02            | IPAQSIT  | 480
            P03            | IPAQWALK | 594
            P03            | IPAQSIT  | 480
            P04            | IPAQWALK | 594
            P04            | IPAQSIT  | 480
        """,
    )
