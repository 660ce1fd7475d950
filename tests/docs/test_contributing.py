"""What contributing.md shows as tried still runs."""

import importlib.util
import re
import sys

import pytest
from support.day_metric import minutes_of_counts
from support.fuzz import run_cases
from support.fuzz_seeds import NOW, STUDY, files_seed
from support.house import ROOT

from ingestion.source import Ask, Source
from warehouse.metrics import Metric

BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs/contributing.md").read_text(), re.S)
MINUTES = (
    b"participant,minute,steps\n"
    b"P-1,2026-03-26 08:14:00,97\nP-1,2026-03-26 08:15:00,0\nP-1,2026-03-26 08:15:00,3\n"
    b"P-2,2026-03-26 23:59:00,0\n"
)


def block_with(start: str) -> str:
    """The one example that begins with these words."""
    [found] = [block for block in BLOCKS if block.startswith(start)]
    return found


def loaded(text: str, name: str, folder, monkeypatch):
    """The example as a module that can be imported by `name`, for the time of the test."""
    path = folder / f"{name.rpartition('.')[2]}.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def steplog(tmp_path, monkeypatch):
    text = block_with('"""Steplog')
    return loaded(text, "ingestion.sources.steplog", tmp_path, monkeypatch).SOURCE


def test_the_vendor_reads_its_files_into_days(steplog):
    assert isinstance(steplog, Source)
    seed = files_seed("steplog", {"a.csv": MINUTES}, Ask(STUDY, NOW, timezone="Asia/Jerusalem"))
    reading = steplog.read(seed.replies, seed.ask)
    [first, second] = reading.days
    assert first.step_minute.tolist() == [494, 495]
    assert first.step_count.tolist() == [97, 3]
    assert (first.wear_start.tolist(), first.wear_length.tolist()) == ([494], [2])
    assert (second.step_minute.tolist(), second.wear_start.tolist()) == ([], [1439])
    assert reading.counts_of["P-1"]["minutes"].rejections == {"repeated": 1}
    assert sorted(reading.covered_to) == ["P-1", "P-2"]


def test_the_vendor_outlives_damage(steplog):
    seeds = (files_seed("steplog", {"a.csv": MINUTES}, Ask(STUDY, NOW, timezone="Europe/London")),)
    assert run_cases("steplog", seeds, range(200)) == []


def test_the_metric_counts(tmp_path, monkeypatch):
    text = block_with('"""Minutes of climbing')
    metric = loaded(text, "warehouse.metrics.climbing", tmp_path, monkeypatch).METRIC
    assert isinstance(metric, Metric)
    found = metric.compute(minutes_of_counts([39] * 3 + [40] * 6 + [59] * 2 + [60] * 5))
    assert found["climbing_minutes"].tolist() == [8]


def test_what_one_should_start_from_is_there():
    text = (ROOT / "docs/contributing.md").read_text()
    named = re.findall(r"`((?:dags|dashboard|ingestion|transforms|warehouse)/[\w/]+\.\w+)`", text)
    assert len(named) > 5
    assert [path for path in named if not (ROOT / path).is_file()] == []


def test_every_example_is_python():
    assert len(BLOCKS) >= 4
    for block in BLOCKS:
        compile(block, "contributing.md", "exec")
