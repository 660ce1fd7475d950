"""Intervals against R and published figures."""

from itertools import pairwise

import duckdb
import pytest

from transforms.cohort.interval import compute_t, t_table, wilson

# R: qt(0.975, df). To three decimals as in any printed table of Student's t.
R = {
    1: 12.7062047,
    2: 4.3026527,
    3: 3.1824463,
    4: 2.7764451,
    5: 2.5705818,
    10: 2.2281389,
    20: 2.0859634,
    30: 2.0422725,
    40: 2.0210754,
    60: 2.0002978,
    120: 1.9799304,
}


@pytest.mark.parametrize("df", R)
def test_t_is_that_of_r(df):
    assert compute_t(df) == pytest.approx(R[df], abs=1e-6)
    assert t_table(120)["t"].to_pylist()[df - 1] == pytest.approx(R[df], abs=1e-6)


def test_t_nears_the_normal_and_never_rises():
    table = t_table(5000)
    t = table["t"].to_pylist()
    assert table["df"].to_pylist()[:2] == [1, 2]
    assert t[4999] == pytest.approx(1.9604, abs=0.0001)
    assert all(later < earlier for earlier, later in pairwise(t))


def test_a_study_without_participants_has_an_empty_table():
    assert t_table(0).num_rows == 0


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        (92, 108, 0.7728, 0.9067),  # both: Wilson limits of published responder tables
        (52, 81, 0.5333, 0.7378),
        (0, 10, 0.0, 0.2775),  # Newcombe 1998, Stat Med 17:857: z²/(n + z²) for none of 10
        (10, 10, 0.7225, 1.0),
    ],
)
def test_wilson_is_as_published(count, of, low, high):
    query = "SELECT {}, {} FROM (SELECT ? AS yes, ? AS n)".format(*wilson("yes", "n"))
    found = duckdb.execute(query, [count, of]).fetchall()[0]
    assert found == pytest.approx((low, high), abs=0.00005)


def test_a_share_of_nobody_has_no_interval():
    query = "SELECT {}, {} FROM (SELECT 0 AS yes, 0 AS n)".format(*wilson("yes", "n"))
    assert duckdb.execute(query).fetchall() == [(None, None)]


def test_a_share_of_none_or_all_never_leaves_0_to_1():
    low, high = wilson("yes", "n")
    ends = duckdb.execute(
        f"SELECT min({low}), max({high}) FROM range(1, 2000) AS t(n), (VALUES (0), (n)) AS u(yes)"
    ).fetchall()[0]
    assert ends == (0.0, 1.0)
