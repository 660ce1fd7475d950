"""Responders by each threshold: the worked examples of the instruments, both sides of each."""

from transforms.outcomes.responder import derive_responder

USUAL = {"outcome": {"visit": "week_4", "status": "received"}}


def test_function_responds_from_5_and_from_8_points(spec):
    spec(  # 51 to 58, 44 to 54; 97 and 95.1 are too near the ceiling, 95 is not
        derive_responder,
        outcome="""
            participant_id | scale | baseline_score | score | score_change | improvement
            ---------------+-------+----------------+-------+--------------+------------
            P01            | FUNC  | 51             | 58    | 7            | 7
            P02            | FUNC  | 44             | 54    | 10           | 10
            P03            | FUNC  | 97             | 100   | 3            | 3
            P04            | FUNC  | 95             | 100   | 5            | 5
            P05            | FUNC  | 95.1           | 100   | 4.9          | 4.9
            P06            | FUNC  | 50             | 54.9  | 4.9          | 4.9
        """,
        where="change = 'better'",
        expect="""
            participant_id | threshold_kind | threshold | is_responder | not_evaluable
            ---------------+----------------+-----------+--------------+--------------
            P01            | points         | 5         | T            |
            P01            | points         | 8         | F            |
            P02            | points         | 5         | T            |
            P02            | points         | 8         | T            |
            P03            | points         | 5         |              | ceiling
            P03            | points         | 8         |              | ceiling
            P04            | points         | 5         | T            |
            P04            | points         | 8         |              | ceiling
            P05            | points         | 5         |              | ceiling
            P05            | points         | 8         |              | ceiling
            P06            | points         | 5         | F            |
            P06            | points         | 8         | F            |
        """,
    )


def test_a_worsening_counts_from_as_many_points_down(spec):
    spec(
        derive_responder,
        outcome="""
            participant_id | scale | baseline_score | score | score_change | improvement
            ---------------+-------+----------------+-------+--------------+------------
            P01            | FUNC  | 51             | 46    | -5           | -5
            P02            | FUNC  | 51             | 46.1  | -4.9         | -4.9
            P03            | FUNC  | 51             | 60    | 9            | 9
            P04            | FUNC  | 4              | 0     | -4           | -4
            P05            | FUNC  | 97             | 90    | -7           | -7
        """,
        where="change = 'worse'",
        expect="""
            participant_id | change | threshold | is_responder | not_evaluable
            ---------------+--------+-----------+--------------+--------------
            P01            | worse  | 5         | T            |
            P02            | worse  | 5         | F            |
            P03            | worse  | 5         | F            |
            P04            | worse  | 5         |              | floor
            P05            | worse  | 5         | T            |
        """,
    )


def test_pain_responds_by_points_and_by_percent_of_the_baseline(spec):
    # 7 to 4 is 42.9 %, 5 to 4 is 20 %, 8 to 4 is 50 %, 10 to 7 is 30 %.
    spec(
        derive_responder,
        outcome="""
            participant_id | scale | baseline_score | score | score_change | improvement
            ---------------+-------+----------------+-------+--------------+------------
            P01            | NPRS  | 7              | 4     | -3           | 3
            P02            | NPRS  | 5              | 4     | -1           | 1
            P03            | NPRS  | 8              | 4     | -4           | 4
            P04            | NPRS  | 10             | 7     | -3           | 3
        """,
        expect="""
            participant_id | threshold_kind | threshold | is_responder
            ---------------+----------------+-----------+-------------
            P01            | points         | 2         | T
            P01            | percent        | 30        | T
            P01            | percent        | 50        | F
            P02            | points         | 2         | F
            P02            | percent        | 30        | F
            P02            | percent        | 50        | F
            P03            | points         | 2         | T
            P03            | percent        | 30        | T
            P03            | percent        | 50        | T
            P04            | points         | 2         | T
            P04            | percent        | 30        | T
            P04            | percent        | 50        | F
        """,
    )


def test_a_percentage_needs_a_baseline_of_2_and_points_need_room(spec):
    spec(
        derive_responder,
        outcome="""
            participant_id | scale | baseline_score | score | score_change | improvement
            ---------------+-------+----------------+-------+--------------+------------
            P01            | NPRS  | 0              | 0     | 0            | 0
            P02            | NPRS  | 1              | 0     | -1           | 1
            P03            | NPRS  | 2              | 0     | -2           | 2
            P04            | NPRS  |                | 3     |              |
            P05            | NPRS  | 6              |       |              |
        """,
        where="threshold_kind = 'points' OR threshold = 30",
        expect="""
            participant_id | threshold_kind | is_responder | not_evaluable
            ---------------+----------------+--------------+----------------------------
            P01            | points         |              | floor
            P01            | percent        |              | baseline 0 has no percent
            P02            | points         |              | floor
            P02            | percent        |              | baseline too low for percent
            P03            | points         | T            |
            P03            | percent        | T            |
            P04            | points         |              | no baseline
            P04            | percent        |              | no baseline
            P05            | points         |              | no score
            P05            | percent        |              | no score
        """,
    )


def test_a_threshold_given_twice_is_one_and_says_who_gave_it_first(spec):
    spec(
        derive_responder,
        outcome="""
            participant_id | scale | baseline_score | score | score_change | improvement
            ---------------+-------+----------------+-------+--------------+------------
            P01            | FUNC  | 51             | 58    | 7            | 7
        """,
        expect="""
            change | threshold | origin
            -------+-----------+-------------------------------------------------
            better | 5         | protocol: mcid
            worse  | 5         | protocol
            better | 8         | MDC: Wang et al., Phys Ther 2010;90:1323; 95 %
        """,
    )


def test_the_baseline_visit_has_no_response(spec):
    spec(
        derive_responder,
        outcome="""
            participant_id | visit    | scale | baseline_score | score
            ---------------+----------+-------+----------------+------
            P01            | baseline | NPRS  | 7              | 7
        """,
        expect="participant_id | visit\n",
    )
