"""Non-wear from counts alone: published rules, and the vectors on which their variants differ."""

import numpy as np
import pytest

from warehouse.metrics._nonwear import find_choi, find_troiano, find_windows, movement_of

# Minutes numbered from 1; first and last of each non-wear interval. The variants: Choi with a
# window of 30 (ActiLife, actigraph.sleepr) and of 45 (PhysicalActivity), Troiano as the NCI has it.
VECTORS = [
    ("30x20 120x0 50x20", [(31, 150)], [(31, 150)], [(31, 150)]),
    ("30x20 89x0 50x20", [], [], [(31, 119)]),
    ("30x20 90x0 50x20", [(31, 120)], [(31, 120)], [(31, 120)]),
    ("30x20 35x0 1x15 60x0 50x20", [(31, 126)], [], [(31, 126)]),
    ("30x20 50x0 2x15 50x0 20x20", [(31, 132)], [(31, 132)], [(31, 132)]),
    ("30x20 50x0 3x15 50x0 20x20", [], [], []),
    ("10x20 40x0 1x150 70x0 10x20", [(11, 121)], [], [(52, 121)]),
]


@pytest.mark.parametrize(("words", "window_30", "window_45", "nci"), VECTORS)
def test_the_vectors_have_their_non_wear_under_each_published_variant(
    words, window_30, window_45, nci
):
    movement = movement_of(counts_of(words))
    assert intervals(find_choi(movement)) == window_30
    assert intervals(find_choi(movement, window=45)) == window_45
    assert intervals(find_troiano(movement)) == nci


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("60x0 1x99 60x0", [(1, 121)]),
        ("60x0 1x100 60x0", [(1, 60), (62, 121)]),
        ("59x0 1x100 60x0", [(61, 120)]),
        ("1x5 60x0", [(2, 61)]),
        ("30x0 2x5 30x0 2x5", [(1, 62)]),
        ("30x0 3x5 30x0", []),
        ("60x0", [(1, 60)]),
        ("59x0", []),
        ("60x5", []),
    ],
)
def test_troiano_begins_and_ends_without_counts_and_stops_at_100(words, found):
    assert intervals(find_troiano(movement_of(counts_of(words)))) == found


@pytest.mark.parametrize(
    ("words", "window", "strict", "open_ends"),
    [
        ("29x0 1x5 90x0", 30, [(31, 120)], [(1, 120)]),
        ("30x0 1x5 90x0", 30, [(1, 121)], [(1, 121)]),
        ("20x0 5x5 90x0 5x5 20x0", 30, [(26, 115)], [(1, 20), (26, 115), (121, 140)]),
        ("1x5 90x0 5x5", 30, [(2, 91)], [(2, 91)]),
        ("90x0 1x5 29x0", 30, [(1, 90)], [(1, 120)]),
        ("120x0", 30, [(1, 120)], [(1, 120)]),
    ],
)
def test_choi_at_the_ends_of_a_record(words, window, strict, open_ends):
    movement = movement_of(counts_of(words))
    assert intervals(find_choi(movement, window)) == strict
    assert intervals(find_choi(movement, window, open_ends=True)) == open_ends


@pytest.mark.parametrize(
    ("words", "worn"),
    [
        ("30x0 2x99 28x0", 0),
        ("30x0 3x99 28x0", 61),
        ("30x0 1x100 29x0", 60),
        ("60x0 2x99 60x0", 0),
        ("60x0 3x99 60x0", 0),
        ("60x0 4x99 60x0", 0),
        ("60x0 5x99 60x0", 1),
    ],
)
def test_a_moving_window_holds_at_most_two_small_counts(words, worn):
    counts = counts_of(words)
    nonwear = np.zeros(counts.size, bool)
    for start, end in zip(*find_windows(counts), strict=True):
        nonwear[start:end] = True
    assert (~nonwear).sum() == worn


def counts_of(words: str) -> np.ndarray:
    """`30x20 2x0` is 30 minutes of 20 counts and 2 of none."""
    pairs = (part.split("x") for part in words.split())
    return np.concatenate([np.full(int(times), int(count)) for times, count in pairs])


def intervals(spans) -> list[tuple[int, int]]:
    """First and last minute of each stretch, numbered from 1."""
    return sorted((int(start) + 1, int(end)) for start, end in zip(*spans, strict=True))
