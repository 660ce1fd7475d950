"""Counts over intervals as steps by the minute; against counting every millisecond by hand."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion import intervals
from ingestion.intervals import spread, total_by

MINUTE = 60_000


def column(values):
    return np.array(list(values), np.int64)


def told(*records):
    """Records (start, end, count, order) in seconds -> steps by minute, and what each keeps."""
    starts, ends, counts, order = (column(part) for part in zip(*records, strict=True))
    found = spread(starts * 1000, ends * 1000, counts, order)
    return dict(zip(found.minute.tolist(), found.steps.tolist(), strict=True)), found.kept.tolist()


@pytest.mark.parametrize(
    ("records", "minutes", "kept"),
    [
        # half of minute 0, minute 1, half of minute 2: 1.25, 2.5, 1.25 of 5 steps
        ([(30, 150, 5, 0)], {0: 1, 1: 3, 2: 1}, [5]),
        ([(0, 60, 7, 0)], {0: 7}, [7]),
        ([(0, 180, 2, 0)], {0: 1, 1: 1}, [2]),  # as large a rest: the earlier minute
        ([(90, 90, 4, 0)], {1: 4}, [4]),  # no length: its minute
        # a phone's 5 minutes, of which a watch has the second
        ([(0, 300, 100, 1), (60, 120, 40, 0)], {0: 20, 1: 40, 2: 20, 3: 20, 4: 20}, [80, 40]),
        ([(0, 60, 50, 1), (0, 60, 40, 0)], {0: 40}, [0, 40]),
        ([(0, 30, 50, 1), (30, 60, 40, 0)], {0: 90}, [50, 40]),  # one minute, no overlap
        # of one rank the earlier start
        ([(30, 90, 60, 0), (0, 60, 60, 0)], {0: 60, 1: 30}, [30, 60]),
        ([(0, 60, 3, 0), (0, 60, 4, 0)], {0: 4}, [0, 4]),  # else the larger
    ],
)
def test_worked_examples(records, minutes, kept):
    assert told(*records) == (minutes, kept)


def test_nothing_gives_nothing():
    none = np.empty(0, np.int64)
    found = spread(none, none, none, none)
    assert found.minute.size == found.steps.size == found.kept.size == 0


def test_sums_by_key():
    keys, sums = total_by(column([5, 3, 5]), column([1, 2, 4]))
    assert (keys.tolist(), sums.tolist()) == ([3, 5], [2, 5])


def by_hand(records):
    """Every millisecond is given to the first record in order that covers it."""
    records = [(s, max(e, s + 1), c, o) for s, e, c, o in records]
    ranked = sorted(range(len(records)), key=lambda i: (
        records[i][3], records[i][0], records[i][1], -records[i][2]))  # fmt: skip
    owner = np.full(max(e for _, e, _, _ in records), -1)
    for i in reversed(ranked):
        owner[records[i][0] : records[i][1]] = i
    minutes: dict[int, int] = {}
    for i, (start, end, count, _) in enumerate(records):
        at, lengths = np.unique(np.flatnonzero(owner == i) // 60, return_counts=True)
        parts = [*zip(at.tolist(), lengths.tolist(), strict=True)]
        parts.append((10**9, end - start - sum(lengths.tolist())))
        shares = [Fraction(count * length, end - start) for _, length in parts]
        whole = [int(share) for share in shares]
        turn = sorted(range(len(parts)), key=lambda n: (whole[n] - shares[n], parts[n][0]))
        for n in turn[: count - sum(whole)]:
            whole[n] += 1
        for (minute, _), steps in zip(parts, whole, strict=True):
            if minute < 10**9 and steps:
                minutes[minute] = minutes.get(minute, 0) + steps
    return minutes


RECORDS = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 300), st.integers(0, 300), st.integers(0, 2)),
    min_size=1,
    max_size=12,
)


@given(RECORDS, st.integers(1, 5), st.randoms())
def test_like_counting_by_hand_in_any_order(drawn, together, random):
    """Here a minute has 60 milliseconds, so that a second of the drawn numbers is one of them."""
    records = [(start, start + length, count, order) for start, length, count, order in drawn]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intervals, "MINUTE_MS", 60)
        patch.setattr(intervals, "_TOGETHER", together)
        expected = by_hand(records)
        random.shuffle(records)
        found = spread(*(column(part) for part in zip(*records, strict=True)))
    assert dict(zip(found.minute.tolist(), found.steps.tolist(), strict=True)) == expected
    assert found.kept.sum() == found.steps.sum()
    assert (found.kept <= column(count for _, _, count, _ in records)).all()
