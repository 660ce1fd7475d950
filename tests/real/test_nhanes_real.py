"""NHANES 2003-04: a week of minute counts of three people, marked by the peers' code under R."""

import gzip

import numpy as np
import pytest
from support.shared import shared_data

from warehouse.metrics._nonwear import find_choi, find_troiano, find_windows, movement_of

FILE = "minute_counts_wear_3_subjects.csv.gz"
# Worn minutes of each person as summed from the file's columns with other tools.
WORN = {
    "w_zero60": {21005: 3812, 21007: 6497, 21009: 6307},
    "w_nci60tol2": {21005: 3030, 21007: 6087, 21009: 6136},
    "w_troiano": {21005: 3153, 21007: 6380, 21009: 6302},
    "w_choi90": {21005: 3987, 21007: 6564, 21009: 6304},
}
COLUMNS = ("seqn", "paxday", "minute", "paxinten", *WORN)
# The accelerometry package: 60 zeros; NCI's rule, 2 minutes below 100 allowed; the same in a moving
# window. The PhysicalActivity package: frame 90, window 45, and its own way with a record's ends.
RULES = {
    "w_zero60": lambda counts: find_troiano(movement_of(counts), spike_minutes=0),
    "w_nci60tol2": lambda counts: find_troiano(movement_of(counts)),
    "w_troiano": find_windows,
    "w_choi90": lambda counts: find_choi(movement_of(counts), window=45, open_ends=True),
}


@pytest.fixture(scope="module")
def people():
    """Each person's 10,080 minutes as a column of the file by name."""
    path = shared_data("nhanes_wear") / FILE
    with gzip.open(path, "rt") as lines:
        assert next(lines).strip().split(",") == list(COLUMNS)
        rows = np.loadtxt(lines, delimiter=",", dtype=np.int64)
    found = {int(seqn): rows[rows[:, 0] == seqn] for seqn in np.unique(rows[:, 0])}
    assert {seqn: len(mine) for seqn, mine in found.items()} == dict.fromkeys(found, 10_080)
    return {seqn: dict(zip(COLUMNS, mine.T, strict=True)) for seqn, mine in found.items()}


@pytest.mark.parametrize("rule", RULES)
def test_every_minute_is_marked_as_published(people, rule):
    for seqn, person in people.items():
        worn = np.ones(10_080, np.int64)
        for start, end in zip(*RULES[rule](person["paxinten"]), strict=True):
            worn[start:end] = 0
        assert np.flatnonzero(worn != person[rule]).tolist() == []
        assert worn.sum() == WORN[rule][seqn]
