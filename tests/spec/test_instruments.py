"""The registry: every file is an instrument, whole and free of contradictions."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import transforms.instruments
from transforms.instruments import (
    Answer,
    Band,
    InstrumentError,
    Missing,
    SafetyRule,
    Scale,
    read_instruments,
    read_scales,
)
from transforms.outcomes.reference import assert_known_scales, derive_scale, derive_visit
from transforms.scoring import Forms, mean, percent
from warehouse.study import EXAMPLE, Outcome, StudyError, read_study

FOLDER = Path(transforms.instruments.__file__).parent
FILES = sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))
# Those of domain.md's table, whose figures are typed below; another brings its own test.
TYPED = {
    "LCAT", "NPRS", "NPRS3", "RMDQ24", "RMDQ23", "ODI", "FABQ", "FABQFOTO", "TSK11", "PHQ9",
    "GAD7", "IPAQ", "BAECKE", "PSEQ", "EQ5D5L", "PGIC",
}  # fmt: skip
LONGEST_LABEL = 100  # names, licences and papers fit; a list of items would not


def test_every_file_of_the_folder_is_one_instrument_named_for_it():
    files = {code.lower().partition("_")[0] for code in read_instruments()}
    assert sorted(files) == FILES
    assert [code for code, found in read_instruments().items() if found.code != code] == []


def test_every_scale_has_its_range_and_direction():
    found = {
        code: (instrument.code, scale.low, scale.high, scale.better, scale.direction)
        for code, (instrument, scale) in read_scales().items()
        if instrument.code in TYPED
    }
    assert found == {
        "FUNC": ("LCAT", 0, 100, "higher", 1),
        "NPRS": ("NPRS", 0, 10, "lower", -1),
        "NPRS3": ("NPRS3", 0, 10, "lower", -1),
        "FABQPA": ("FABQ", 0, 24, "lower", -1),
        "FABQW": ("FABQ", 0, 42, "lower", -1),
        "FABQPA100": ("FABQ", 0, 100, "lower", -1),
        "FABQW100": ("FABQ", 0, 100, "lower", -1),
        "FABQFOTO": ("FABQFOTO", 0, 100, "lower", -1),
        "RMDQ24": ("RMDQ24", 0, 24, "lower", -1),
        "RMDQ23": ("RMDQ23", 0, 23, "lower", -1),
        "ODI": ("ODI", 0, 100, "lower", -1),
        "TSK11": ("TSK11", 11, 44, "lower", -1),
        "TSK11SF": ("TSK11", 5, 20, "lower", -1),
        "TSK11AA": ("TSK11", 6, 24, "lower", -1),
        "PHQ9": ("PHQ9", 0, 27, "lower", -1),
        "PHQ8": ("PHQ9", 0, 24, "lower", -1),
        "PHQ2": ("PHQ9", 0, 6, "lower", -1),
        "PHQ9SYM": ("PHQ9", 0, 9, "lower", -1),
        "GAD7": ("GAD7", 0, 21, "lower", -1),
        "GAD2": ("GAD7", 0, 6, "lower", -1),
        "IPAQMET": ("IPAQ", 0, 19278, "higher", 1),
        "IPAQVIG": ("IPAQ", 0, 10080, "higher", 1),
        "IPAQMOD": ("IPAQ", 0, 5040, "higher", 1),
        "IPAQWALK": ("IPAQ", 0, 4158, "higher", 1),
        "IPAQSIT": ("IPAQ", 0, 1440, "lower", -1),
        "BAECKEW": ("BAECKE", 1, 5, "higher", 1),
        "BAECKES": ("BAECKE", 1, 5, "higher", 1),
        "BAECKEL": ("BAECKE", 1, 5, "higher", 1),
        "BAECKE": ("BAECKE", 3, 15, "higher", 1),
        "PSEQ": ("PSEQ", 0, 60, "higher", 1),
        "EQ5DLSS": ("EQ5D5L", 5, 25, "lower", -1),
        "EQ5DVAS": ("EQ5D5L", 0, 100, "higher", 1),
        "EQ5DIDX": ("EQ5D5L", -1, 1, "higher", 1),
        "PGIC": ("PGIC", 1, 7, "lower", -1),
    }


def test_items_and_recall_are_as_published():
    # Answers, recall in days (0: today), whole numbers but for scores that are imported.
    found = {
        code: (len(one.items), one.item_low, one.item_high, one.recall_days)
        for code, one in read_instruments().items()
        if code in TYPED
    }
    assert found == {
        "LCAT": (1, 0, 100, None),
        "NPRS": (1, 0, 10, 7),
        "NPRS3": (3, 0, 10, 1),
        "RMDQ24": (24, 0, 1, 0),
        "RMDQ23": (23, 0, 1, 0),
        "ODI": (10, 0, 5, 0),
        "FABQ": (16, 0, 6, None),
        "FABQFOTO": (1, 0, 100, None),
        "TSK11": (11, 1, 4, None),
        "PHQ9": (10, 0, 3, 14),
        "GAD7": (8, 0, 3, 14),
        "IPAQ": (11, 0, 7, 7),
        "BAECKE": (22, 1, 5, 365),
        "PSEQ": (10, 0, 6, 0),
        "EQ5D5L": (6, 1, 5, 0),
        "PGIC": (1, 1, 7, None),
    }
    decimals = {code: one.item_decimals for code, one in read_instruments().items()}
    assert {code for code in TYPED if decimals[code]} == {"LCAT", "FABQFOTO"}


def test_the_missing_limits_are_the_tables():
    # Items that may be blank; a scale that is not listed allows none.
    found = {
        code: (scale.missing.at_most, scale.missing.method)
        for code, (instrument, scale) in read_scales().items()
        if instrument.code in TYPED and scale.missing.at_most
    }
    assert found == {
        "FABQPA": (1, "prorate"),
        "FABQPA100": (1, "prorate"),
        "FABQW": (1, "prorate"),
        "FABQW100": (1, "prorate"),
        "RMDQ24": (4, "proportional"),
        "RMDQ23": (4, "proportional"),
        "ODI": (2, "proportional"),
        "TSK11": (2, "prorate"),
        "PHQ9": (2, "prorate"),
        "PHQ8": (2, "prorate"),
        "GAD7": (1, "prorate"),
        "BAECKEW": (1, "prorate"),
        "BAECKES": (1, "prorate"),
        "BAECKEL": (1, "prorate"),
        "PSEQ": (1, "prorate"),
    }


def test_scale_codes_are_short_enough_for_an_export():
    # ADaM's PARAMCD has 8 characters; FABQPA100 is FABQPA1H there.
    assert [code for code in read_scales() if len(code) > 8 and code != "FABQPA100"] == []


@pytest.mark.parametrize("code", sorted(read_instruments()))
def test_a_record_says_its_version_licence_papers_and_thresholds(code):
    instrument = read_instruments()[code]
    words = (instrument.name, instrument.version, instrument.licence, instrument.citation)
    assert all(words)
    assert instrument.scoring_version.startswith(code)
    for scale in instrument.scales:
        assert scale.label
        assert all(limit.value > 0 and limit.source for limit in scale.mic + scale.mdc)


@pytest.mark.parametrize("code", sorted(read_instruments()))
def test_no_item_wording_is_kept(code):
    instrument = read_instruments()[code]
    assert [item for item in instrument.items if len(item) > 11 or " " in item] == []
    texts = [instrument.name, instrument.version, instrument.licence, instrument.citation]
    assert [text for text in texts if len(text) > LONGEST_LABEL] == []


def test_the_published_thresholds_are_as_printed():
    # MIC and MDC of domain.md, table 2.1: Wang 2010, Ostelo 2008, Farrar 2001, Monticone 2020,
    # Chiarotto 2016, Dubé 2021. On 0-100: 4 / 24, 3.69 / 24, 7 / 42, 5.95 / 42.
    found = {
        code: ([(m.value, m.kind) for m in scale.mic], [(m.value, m.kind) for m in scale.mdc])
        for code, (instrument, scale) in read_scales().items()
        if instrument.code in TYPED and (scale.mic or scale.mdc)
    }
    assert found == {
        "FUNC": ([(5, "points")], [(8, "points")]),
        "NPRS": ([(2, "points"), (30, "percent"), (50, "percent")], []),
        "NPRS3": ([(2, "points"), (30, "percent")], []),
        "FABQPA": ([(4, "points")], [(3.69, "points")]),
        "FABQPA100": ([(16.7, "points")], [(15.4, "points")]),
        "FABQW": ([(7, "points")], [(5.95, "points")]),
        "FABQW100": ([(16.7, "points")], [(14.2, "points")]),
        "RMDQ24": ([(5, "points"), (30, "percent")], []),
        "ODI": ([(10, "points"), (30, "percent")], [(10, "points")]),
        "TSK11": ([(4, "points")], [(5.6, "points")]),
        "PHQ9": ([(5, "points")], []),
        "GAD7": ([(4, "points")], []),
        "PSEQ": ([(5.5, "points")], [(11.52, "points")]),
    }


def test_only_item_9_of_the_phq9_raises_a_safety_event():
    rules = {code: read_instruments()[code].safety_rules for code in TYPED}
    assert {code: found for code, found in rules.items() if found} == {
        "PHQ9": (SafetyRule("phq9_item_9", "9", 1),)
    }


@pytest.mark.parametrize("outcome", read_study(EXAMPLE).outcomes, ids=lambda o: o.scale)
def test_the_example_protocols_thresholds_are_published_ones(outcome):
    published = [(m.value, m.kind) for m in read_scales()[outcome.scale][1].mic]
    assert (outcome.mcid, outcome.mcid_kind) in published


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"items": ("2", "3", "4", "17")}, "an item is not the instrument's"),
        ({"items": ("2", "3", "4", "4")}, "an item is listed twice"),
        ({"reverse": ("6",)}, "a reverse item is not the scale's"),
        ({"high": 23}, "its range is not that of its items"),
        ({"missing": Missing(4, "prorate")}, "it needs an answer"),
        ({"missing": Missing(1, "none")}, "its missing limit and method disagree"),
        ({"missing": Missing(0, "prorate")}, "its missing limit and method disagree"),
        ({"scoring": mean}, "its range is not that of its items"),
        ({"scoring": percent}, "its range is not that of its items"),
        ({"bands": (Band("a", to=14), Band("b", to=23))}, "its bands do not rise to its top"),
        ({"bands": (Band("a", to=14), Band("b", to=14))}, "its bands do not rise to its top"),
        ({"bands_source": ""}, "its bands have no source"),
        ({"needs_besides": ("2",)}, "an item that it needs besides is its own"),
        ({"needs_besides": ("17",)}, "an item that it needs besides is its own"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(change, sentence):
    fabq = read_instruments()["FABQ"]
    broken = dataclasses.replace(fabq.scales[0], **change)
    with pytest.raises(InstrumentError, match=f"FABQ, scale FABQPA: {sentence}"):
        dataclasses.replace(fabq, scales=(broken,))


@pytest.mark.parametrize("code", read_instruments())
def test_a_scale_rests_on_no_item_but_those_it_names(code):
    # A bad answer rejects the scales that rest on its item: so they must say which.
    instrument = read_instruments()[code]
    answers = [instrument.answer(item) for item in instrument.items]
    low, high = (np.array([getattr(one, end) for one in answers]) for end in ("low", "high"))
    drawn = np.random.default_rng(17).integers(low, high + 1, (200, len(answers))).astype(float)
    for scale in instrument.scales:
        named = {*scale.items, *scale.needs_besides}
        blanked = drawn.copy()
        blanked[:, [item not in named for item in instrument.items]] = np.nan
        whole, alone = (
            scale.scoring(Forms(instrument.items, values, low, high), scale)
            for values in (drawn, blanked)
        )
        assert np.array_equal(whole.score, alone.score, equal_nan=True), scale.code
        assert whole.why.tolist() == alone.why.tolist(), scale.code


def test_a_band_without_an_edge_is_refused():
    with pytest.raises(InstrumentError, match="band 'high' ends nowhere: give to, or below"):
        _ = Band("high").edge


@pytest.mark.parametrize(
    "change",
    [
        {"other_answers": (Answer(("17",), 0, 1),)},
        {"safety_rules": (SafetyRule("kind", "17", 1),)},
    ],
)
def test_a_rule_for_an_item_that_is_not_the_instruments_is_refused(change):
    with pytest.raises(InstrumentError, match="FABQ: '17' is not one of its items"):
        dataclasses.replace(read_instruments()["FABQ"], **change)


@pytest.mark.parametrize(
    ("items", "missing"), [(("2", "3", "4", "5"), Missing(3, "prorate")), (("2",), Missing())]
)
def test_a_record_at_the_edge_of_the_rules_is_taken(items, missing):
    fabq = read_instruments()["FABQ"]
    scale = Scale("S", "Scale", items, 0, 6 * len(items), "lower", missing)
    assert dataclasses.replace(fabq, scales=(scale,)).scales == (scale,)


@pytest.fixture
def plant(monkeypatch, tmp_path):
    """Plant a file beside the real instruments; the registry is read anew, and again after."""

    def plant_file(name: str, text: str) -> None:
        (tmp_path / name).write_text(text)
        folders = [*transforms.instruments.__path__, str(tmp_path)]
        monkeypatch.setattr(transforms.instruments, "__path__", folders)
        _forget()

    yield plant_file
    _forget()


def _forget() -> None:
    read_instruments.cache_clear()
    read_scales.cache_clear()


COPY = (
    "import dataclasses\n"
    "from transforms.instruments.nprs import INSTRUMENT as NPRS\n"
    "INSTRUMENT = dataclasses.replace(NPRS, code={code!r})\n"
)


def test_an_instrument_described_twice_is_refused(plant):
    plant("same_code.py", COPY.format(code="NPRS"))
    with pytest.raises(InstrumentError, match=r"same_code\.py: NPRS is described twice"):
        read_instruments()


def test_a_file_may_describe_forms_of_one_family(plant):
    plant(
        "family.py",
        COPY.format(code="NPRS2").replace("INSTRUMENT =", "ONE =") + "INSTRUMENTS = (ONE,)\n",
    )
    assert "NPRS2" in read_instruments()


def test_a_scale_described_twice_is_refused(plant):
    plant("same_scale.py", COPY.format(code="NPRS2"))
    assert "NPRS2" in read_instruments()
    with pytest.raises(InstrumentError, match="NPRS2: scale NPRS is described twice"):
        read_scales()


def test_the_scale_table_has_every_scale_with_the_protocols_threshold(spec):
    spec(
        derive_scale,
        where="instrument IN ('LCAT', 'NPRS', 'FABQ', 'RMDQ24', 'PHQ9')",
        expect="""
            scale     | instrument | low | high | better | mcid | mcid_kind | recall_days
            ----------+------------+-----+------+--------+------+-----------+------------
            FUNC      | LCAT       | 0   | 100  | higher | 5    | points    |
            NPRS      | NPRS       | 0   | 10   | lower  | 2    | points    | 7
            FABQPA    | FABQ       | 0   | 24   | lower  | 4    | points    |
            FABQPA100 | FABQ       | 0   | 100  | lower  |      |           |
            FABQW     | FABQ       | 0   | 42   | lower  | 7    | points    |
            FABQW100  | FABQ       | 0   | 100  | lower  |      |           |
            RMDQ24    | RMDQ24     | 0   | 24   | lower  | 5    | points    | 0
            PHQ9      | PHQ9       | 0   | 27   | lower  |      |           | 14
            PHQ8      | PHQ9       | 0   | 24   | lower  |      |           | 14
            PHQ2      | PHQ9       | 0   | 6    | lower  |      |           | 14
            PHQ9SYM   | PHQ9       | 0   | 9    | lower  |      |           | 14
        """,
    )


def test_a_scale_outside_the_protocol_has_no_threshold(spec):
    def derive_scale_of_two(con, study):
        outcomes = [
            Outcome(scale="NPRS", visits=["week_4"], mcid=30, mcid_kind="percent"),
            Outcome(scale="FUNC", visits=["week_4"]),
        ]
        derive_scale(con, study.model_copy(update={"outcomes": outcomes}))

    spec(
        derive_scale_of_two,
        into="scale",
        where="scale IN ('NPRS', 'FUNC', 'RMDQ24')",
        expect="""
            scale  | label                                | mcid | mcid_kind
            -------+--------------------------------------+------+----------
            FUNC   | Function (Lumbar CAT)                |      |
            NPRS   | Pain (0-10)                          | 30   | percent
            RMDQ24 | Disability (Roland-Morris, 24 items) |      |
        """,
    )


def test_the_visit_table_keeps_the_protocols_order_and_discharge_has_no_week(spec):
    spec(
        derive_visit,
        expect="""
            visit     | position | label     | week
            ----------+----------+-----------+-----
            baseline  | 1        | Baseline  | 0
            week_4    | 2        | Week 4    | 4
            week_8    | 3        | Week 8    | 8
            week_12   | 4        | Week 12   | 12
            week_26   | 5        | Week 26   | 26
            week_52   | 6        | Week 52   | 52
            discharge | 7        | Discharge |
        """,
    )


def test_a_protocol_with_a_scale_nobody_knows_is_refused_with_the_known_ones():
    study = read_study(EXAMPLE)
    odd = study.model_copy(update={"outcomes": [Outcome(scale="ODQ", visits=["week_4"])]})
    with pytest.raises(StudyError, match="unknown scale 'ODQ'; known: BAECKE, BAECKEL"):
        assert_known_scales(odd)
