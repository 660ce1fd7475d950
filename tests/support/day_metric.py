"""The kernel as a table-to-table step, for spec tests."""

import duckdb

from transforms.activity.kernel import compute_day_metrics
from warehouse.study import Study


def derive_day_metric(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Fill day_metric from activity_day."""
    metrics = compute_day_metrics(con.sql("FROM activity_day").to_arrow_table(), study.wear)
    con.execute("INSERT INTO day_metric BY NAME SELECT * FROM metrics")
    assert metrics.num_rows
