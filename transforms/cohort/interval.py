"""95 % intervals: Student's t for a mean, Wilson's for a share."""

import math
from statistics import NormalDist

import numpy as np
import pyarrow as pa

Z = NormalDist().inv_cdf(0.975)
EXPANSION_FROM = 40  # degrees of freedom from which the expansion is right to 1e-7


def t_table(largest_df: int) -> pa.Table:
    """`df` and `t`, the 97.5 % quantile of Student's t, for 1 to `largest_df` degrees of freedom.

    Join it on n - 1 and take mean ± t * sd / sqrt(n); a mean of fewer than two has no interval.
    """
    df = np.arange(1, largest_df + 1)
    t = _expansion(df.astype(np.float64))
    for few in df[: EXPANSION_FROM - 1]:
        t[few - 1] = compute_t(int(few))
    return pa.table({"df": df, "t": t})


def compute_t(df: int) -> float:
    """The 97.5 % quantile of Student's t for a whole `df` of 1 or more, by Newton's method.

    >>> round(compute_t(10), 3)
    2.228
    """
    if df == 1:
        return math.tan(0.475 * math.pi)
    t = float(_expansion(np.array([df], dtype=np.float64))[0])
    for _ in range(8):  # five are enough at df 2
        t -= (_central_probability(t, df) - 0.95) / (2 * _density(t, df))
    return t


def wilson(count: str, of: str) -> tuple[str, str]:
    """SQL of the lower and upper end of Wilson's 95 % interval for `count` of `of`; NULL of none.

    Wilson, J Am Stat Assoc 1927;22:209.
    """
    middle = f"({count} + {Z * Z / 2})"
    half = f"{Z} * sqrt({count} * ({of} - {count}) / {of} + {Z * Z / 4})"
    low, high = (f"({middle} {sign} {half}) / ({of} + {Z * Z})" for sign in "-+")
    # None or all of n end at exactly 0 or 1, which floating point may overshoot; greatest and
    # least would turn the NULL of an empty share into 0 and 1.
    return (
        f"CASE WHEN {of} > 0 THEN greatest({low}, 0) END",
        f"CASE WHEN {of} > 0 THEN least({high}, 1) END",
    )


def _expansion(df: np.ndarray) -> np.ndarray:
    """Cornish and Fisher's expansion in 1/df (Abramowitz & Stegun 26.7.5)."""
    z = Z
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return np.polynomial.polynomial.polyval(1 / df, terms)


def _central_probability(t: float, df: int) -> float:
    """P(-t < T < t): the finite series for whole df (Abramowitz & Stegun 26.7.3 and 26.7.4)."""
    angle = math.atan(t / math.sqrt(df))
    cosine = math.cos(angle)
    odd = df % 2
    term = cosine if odd else 1.0
    total = 0.0
    for k in range(1, df // 2 + 1):
        total += term
        term *= cosine**2 * (2 * k - 1 + odd) / (2 * k + odd)
    if odd:
        return 2 / math.pi * (angle + math.sin(angle) * total)
    return math.sin(angle) * total


def _density(t: float, df: int) -> float:
    size = math.lgamma((df + 1) / 2) - math.lgamma(df / 2)
    return math.exp(size - (df + 1) / 2 * math.log1p(t * t / df)) / math.sqrt(df * math.pi)
