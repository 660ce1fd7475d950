"""A packed table holds the same cells in fewer bytes."""

import pyarrow as pa
import pytest

from dashboard.charts.vega import light
from dashboard.packing import packed


def test_repeated_texts_are_codes_and_the_cells_are_the_same():
    table = pa.table({"state": ["Valid", "Valid", None, "Not worn"] * 9})
    small = packed(table)
    assert small.schema.field("state").type == pa.dictionary(pa.int8(), pa.string())
    assert small.to_pylist() == table.to_pylist()


def test_texts_of_which_hardly_one_comes_twice_stay_texts():
    table = pa.table({"who": ["P1", "P2", "P3", "P1"]})
    assert packed(table).schema.field("who").type == pa.string()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0, None, 127], pa.int8()),
        ([-127], pa.int8()),
        ([128], pa.int16()),
        ([32_767, -1], pa.int16()),
        ([32_768], pa.int32()),
        ([2_147_483_648], pa.int64()),
        ([None], pa.int8()),
    ],
)
def test_whole_numbers_are_no_wider_than_they_need(values, kind):
    small = packed(pa.table({"steps": pa.array(values, pa.int64())}))
    assert small.schema.field("steps").type == kind
    assert small.column("steps").to_pylist() == values


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1.0, None, -2.0], pa.int8()),
        ([1.0, 2.5], pa.float64()),
        ([3e9], pa.float64()),
        ([float("inf")], pa.float64()),
    ],
)
def test_fractions_that_are_whole_travel_as_whole_numbers(values, kind):
    small = packed(pa.table({"steps": pa.array(values, pa.float64())}))
    assert small.schema.field("steps").type == kind
    assert small.column("steps").to_pylist() == values


def test_a_chart_takes_along_the_columns_that_it_names_and_no_others():
    table = pa.table({"week": [1], "steps": [2], "low": [3], "note": ["a"], "site": ["b"]})
    spec = {
        "datasets": {"weeks": table},
        "encoding": {"x": {"field": "week"}, "tooltip": [{"field": "site"}]},
        "transform": [{"filter": "isValid(datum.steps)"}],
    }
    assert light(spec)["datasets"]["weeks"].to_pylist() == [{"week": 1, "steps": 2, "site": "b"}]
    assert spec["datasets"]["weeks"] is table


def test_more_texts_than_a_byte_counts_have_wider_codes():
    table = pa.table({"day": [str(i) for i in range(200)] * 3})
    assert packed(table).schema.field("day").type == pa.dictionary(pa.int16(), pa.string())
    assert packed(table).to_pylist() == table.to_pylist()


def test_an_empty_table_stays_empty():
    table = pa.table({"state": pa.array([], pa.string()), "steps": pa.array([], pa.int32())})
    assert packed(table).num_rows == 0
