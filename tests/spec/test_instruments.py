"""The registry: every file is an instrument, whole and free of contradictions."""

import dataclasses
from pathlib import Path

import pytest

import transforms.instruments
from transforms.instruments import (
    InstrumentError,
    Missing,
    Scale,
    read_instruments,
    read_scales,
)
from transforms.outcomes.reference import assert_known_scales, derive_scale, derive_visit
from warehouse.study import EXAMPLE, Outcome, StudyError, read_study

FOLDER = Path(transforms.instruments.__file__).parent
FILES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
LONGEST_LABEL = 100  # names, licences and papers fit; a list of items would not


def test_every_file_of_the_folder_is_one_instrument_named_for_it():
    assert [code.lower() for code in sorted(read_instruments())] == FILES
    assert [code for code, found in read_instruments().items() if found.code != code] == []


def test_the_scales_of_this_trial_have_their_range_and_direction():
    found = {
        code: (instrument.code, scale.low, scale.high, scale.better, scale.direction)
        for code, (instrument, scale) in read_scales().items()
    }
    assert found == {
        "FUNC": ("LCAT", 0, 100, "higher", 1),
        "NPRS": ("NPRS", 0, 10, "lower", -1),
        "FABQPA": ("FABQ", 0, 24, "lower", -1),
        "FABQW": ("FABQ", 0, 42, "lower", -1),
        "RMDQ24": ("RMDQ24", 0, 24, "lower", -1),
    }


@pytest.mark.parametrize("code", sorted(read_instruments()))
def test_a_record_says_its_version_licence_papers_and_thresholds(code):
    instrument = read_instruments()[code]
    words = (instrument.name, instrument.version, instrument.licence, instrument.citation)
    assert all(words)
    assert instrument.scoring_version.startswith(code)
    for scale in instrument.scales:
        assert scale.label
        assert scale.mic
        assert all(limit.value > 0 and limit.source for limit in scale.mic + scale.mdc)


@pytest.mark.parametrize("code", sorted(read_instruments()))
def test_no_item_wording_is_kept(code):
    instrument = read_instruments()[code]
    assert [item for item in instrument.items if len(item) > 5] == []
    texts = [instrument.name, instrument.version, instrument.licence, instrument.citation]
    assert [text for text in texts if len(text) > LONGEST_LABEL] == []


def test_the_published_thresholds_are_as_printed():
    # Wang 2010 (LCAT), Ostelo 2008 and Farrar 2001 (NPRS, RMDQ), Monticone 2020 (FABQ).
    found = {
        code: ([m.value for m in scale.mic], [m.value for m in scale.mdc])
        for code, (_, scale) in read_scales().items()
    }
    assert found == {
        "FUNC": ([5], [8]),
        "NPRS": ([2, 30], []),
        "FABQPA": ([4], [3.69]),
        "FABQW": ([7], [5.95]),
        "RMDQ24": ([5, 30], []),
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
    ],
)
def test_a_record_that_contradicts_itself_is_refused(change, sentence):
    fabq = read_instruments()["FABQ"]
    broken = dataclasses.replace(fabq.scales[0], **change)
    with pytest.raises(InstrumentError, match=f"FABQ, scale FABQPA: {sentence}"):
        dataclasses.replace(fabq, scales=(broken,))


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


def test_a_scale_described_twice_is_refused(plant):
    plant("same_scale.py", COPY.format(code="NPRS2"))
    assert "NPRS2" in read_instruments()
    with pytest.raises(InstrumentError, match="NPRS2: scale NPRS is described twice"):
        read_scales()


def test_the_scale_table_has_every_scale_with_the_protocols_threshold(spec):
    spec(
        derive_scale,
        expect="""
            scale  | instrument | low | high | better | mcid | mcid_kind
            -------+------------+-----+------+--------+------+----------
            FUNC   | LCAT       | 0   | 100  | higher | 5    | points
            NPRS   | NPRS       | 0   | 10   | lower  | 2    | points
            FABQPA | FABQ       | 0   | 24   | lower  | 4    | points
            FABQW  | FABQ       | 0   | 42   | lower  | 7    | points
            RMDQ24 | RMDQ24     | 0   | 24   | lower  | 5    | points
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
    odd = study.model_copy(update={"outcomes": [Outcome(scale="ODI", visits=["week_4"])]})
    with pytest.raises(StudyError, match="unknown scale 'ODI'; known: FABQPA, FABQW, FUNC, NPRS"):
        assert_known_scales(odd)
