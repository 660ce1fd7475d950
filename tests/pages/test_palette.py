"""Colours by computation: legible against their paper, and apart for every kind of colour sight.

Contrast: WCAG 2.2, "relative luminance" and "contrast ratio"; 4.5:1 for text (1.4.3), 3:1 for marks
(1.4.11). Colour blindness: Machado, Oliveira and Fernandes, IEEE TVCG 15(6), 2009, severity 1.0,
on linear RGB. Distance: CIE 1976 in L*a*b* under D65 (IEC 61966-2-1 and CIE 15).
"""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dashboard import words
from dashboard.charts import flow, sites, vega
from dashboard.queries.asking import Answer
from dashboard.serve import SETTINGS

THEMES = ("light", "dark")
TEXT, MARK = 4.5, 3.0
APART = 28.0  # any two, wherever they stand
SIGHT = {
    "normal": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
               [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
               [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
# The scheme `cividis` as Vega 6 has it: evenly spaced from 0 to 1, linear in between.
CIVIDIS = (
    "00205100235800265d002961012b65042e670831690d346b11366c16396d1c3c6e213f6e26426e2c456e31476e"
    "374a6e3c4d6e42506e47536d4c566d51586e555b6e5a5e6e5e616e62646f66676f6a6a706e6d71727071757372"
    "7976737c79747f7c75827f758682768985778c8877908b78938e789691789a94789e9778a19b78a59e77a9a177"
    "aea575b2a874b6ab73bbaf71c0b26fc5b66dc9b96acebd68d3c065d8c462ddc85fe2cb5ce7cf58ebd355f0d652"
    "f3da4ff7de4cfae249fce647"
)


def linear(rgb: Any) -> Any:
    """sRGB from 0 to 1 without its gamma."""
    rgb = np.asarray(rgb, dtype=float)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def of_hex(colour: str) -> Any:
    return np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255


def contrast(one: Any, other: Any) -> float:
    """The contrast ratio of two sRGB colours: 1 for the same, 21 for black on white."""
    light, dark = sorted((linear(c) @ [0.2126, 0.7152, 0.0722] for c in (one, other)), reverse=True)
    return float((light + 0.05) / (dark + 0.05))


def lab(rgb: Any) -> Any:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722],
                       [0.0193, 0.1192, 0.9505]])  # fmt: skip
    xyz = to_xyz @ np.clip(rgb, 0, 1) / [0.9505, 1.0, 1.089]
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one: str, other: str, sight: str) -> float:
    """How far two colours lie apart to that kind of sight; 2 or so is just to be seen."""
    seen = [lab(np.asarray(SIGHT[sight]) @ linear(of_hex(colour))) for colour in (one, other)]
    return float(np.linalg.norm(seen[0] - seen[1]))


def cividis(share: float) -> Any:
    steps = [of_hex("#" + CIVIDIS[at : at + 6]) for at in range(0, len(CIVIDIS), 6)]
    places = np.linspace(0, 1, len(steps))
    return np.array([np.interp(share, places, part) for part in np.transpose(steps)])


def test_the_formulas_give_what_their_sources_print():
    assert contrast(of_hex("#000000"), of_hex("#FFFFFF")) == 21.0
    # #767676 is the lightest grey of 4.5:1 on white, #949494 the lightest of 3:1 (WebAIM).
    assert contrast(of_hex("#767676"), of_hex("#FFFFFF")) == pytest.approx(4.54, abs=0.005)
    assert contrast(of_hex("#949494"), of_hex("#FFFFFF")) == pytest.approx(3.03, abs=0.005)
    assert lab(linear(of_hex("#FF0000"))) == pytest.approx([53.24, 80.09, 67.20], abs=0.05)
    assert distance("#FF0000", "#00FF00", "normal") == pytest.approx(170.6, abs=0.1)


def test_red_and_green_that_are_apart_to_most_are_near_to_a_deutan():
    # The check can fail: a pair that looks far apart and is not.
    assert distance("#C00000", "#6B6B00", "normal") > APART
    assert distance("#C00000", "#6B6B00", "deutan") < APART


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", ["strong", "other", "text", "quiet"])
def test_every_ink_is_legible_on_its_paper_as_text(theme, name):
    ink = vega.INK[theme]
    assert contrast(of_hex(ink[name]), of_hex(ink["paper"])) >= TEXT


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", ["strong", "other", "text", "quiet"])
def test_every_ink_stands_out_from_the_band_it_is_drawn_over(theme, name):
    ink = vega.INK[theme]
    assert contrast(of_hex(ink[name]), of_hex(ink["band"])) >= MARK


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("group", words.GROUPS, ids=lambda group: group.code)
def test_every_kind_of_day_but_an_absence_stands_out_from_the_paper(theme, group):
    if group.code == "out":
        pytest.skip("an absence is quiet on purpose; its words are in the legend and the numbers")
    assert contrast(of_hex(getattr(group, theme)), of_hex(vega.INK[theme]["paper"])) >= MARK


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", THEMES)
def test_any_two_kinds_of_day_are_apart(theme, sight):
    near = {
        (one.code, other.code): distance(getattr(one, theme), getattr(other, theme), sight)
        for one, other in itertools.combinations(words.GROUPS, 2)
    }
    assert {pair: round(far, 1) for pair, far in near.items() if far < APART} == {}


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", THEMES)
def test_inks_that_stand_side_by_side_in_a_chart_are_apart(theme, sight):
    inks = [vega.INK[theme][name] for name in ("strong", "other", "quiet")]
    near = [
        (one, other)
        for one, other in itertools.combinations(inks, 2)
        if distance(one, other, sight) < APART
    ]
    assert near == []


def _figures_in_cells() -> list[tuple[str, Any]]:
    share = {"site": ["A"], "study_week": [1], "wear_adherence": [0.5], "participants": [9]}
    weeks = sites.site_weeks(Answer(pa.table(share), ""), "wear_adherence", "light").spec
    cell = {"site": ["A"], "visit": ["V"], "position": [0], "received_of_due": [0.5]}
    came = flow.completeness(Answer(pa.table(cell), ""), "site", "received_of_due", "x").spec
    return [("site_weeks", weeks), ("completeness", came)]


@pytest.mark.parametrize(("name", "spec"), _figures_in_cells(), ids=["site_weeks", "completeness"])
def test_a_figure_in_a_cell_is_legible_at_every_share(name, spec):
    [colour] = [
        layer["encoding"]["color"] for layer in spec["layer"] if layer["mark"]["type"] == "text"
    ]
    below = re.fullmatch(r"datum\.\w+ < ([0-9.]+)", colour["condition"]["test"])
    assert below, colour
    faint = {}
    for percent in range(101):
        share = percent / 100
        ink = colour["condition"]["value"] if share < float(below[1]) else colour["value"]
        found = contrast(of_hex(ink), cividis(share))
        if found < TEXT:
            faint[share] = round(found, 2)
    assert faint == {}, name


@pytest.mark.parametrize("theme", THEMES)
def test_words_and_controls_of_the_theme_are_legible(theme):
    paper = vega.INK[theme]["paper"]
    assert SETTINGS.get(f"theme.{theme}.backgroundColor", "#FFFFFF") == paper
    for name in ("textColor", "primaryColor"):
        assert contrast(of_hex(SETTINGS[f"theme.{theme}.{name}"]), of_hex(paper)) >= TEXT
