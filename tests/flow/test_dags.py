"""The DAGs: they parse without a warning, retry only what is transient, and leak nobody's data."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DAGS = ROOT / "dags"
IDS = ("questionnaires", "upkeep", "warehouse", "wearables")


@pytest.fixture(scope="module")
def dagbag(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The project's DAGs as Airflow reads them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
        patch.setenv("AIRFLOW__CORE__DAGS_FOLDER", str(DAGS))
        patch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
        from airflow.dag_processing.dagbag import DagBag

        yield DagBag(str(DAGS))
    assert os.environ.get("AIRFLOW_HOME") is None


@pytest.mark.filterwarnings("default")  # Airflow's own imports warn
def test_every_dag_file_is_read_and_nothing_else(dagbag):
    assert dagbag.import_errors == {}
    assert sorted(dagbag.dags) == list(IDS)


@pytest.mark.filterwarnings("default")
def test_each_dag_runs_once_at_a_time_and_tells_the_person_on_call_what_to_do(dagbag):
    for dag in dagbag.dags.values():
        assert dag.max_active_runs == 1
        assert dag.catchup is False
        assert "**When" in dag.doc_md
        assert "fails**" in dag.doc_md
        assert dag.tags


@pytest.mark.filterwarnings("default")
def test_a_task_that_dies_with_its_worker_is_tried_again(dagbag):
    assert {task.retries for dag in dagbag.dags.values() for task in dag.tasks} == {2}


@pytest.mark.filterwarnings("default")
def test_the_warehouse_is_woken_by_either_asset_and_by_the_clock(dagbag):
    timetable = dagbag.dags["warehouse"].timetable
    assert {asset.name for asset in timetable.asset_condition.objects} == {
        "stepwell_activity",
        "stepwell_answers",
    }
    outlets = {
        task.task_id: {outlet.name for outlet in task.outlets}
        for dag_id in ("wearables", "questionnaires")
        for task in dagbag.dags[dag_id].tasks
        if task.outlets
    }
    assert set(outlets) == {"announce"}


@pytest.mark.filterwarnings("default")
def test_a_failed_batch_still_announces_and_still_fails_the_run(dagbag):
    for dag_id in ("wearables", "questionnaires"):
        dag = dagbag.dags[dag_id]
        assert dag.get_task("announce").trigger_rule == "all_done"
        assert dag.get_task("all_pulled").trigger_rule == "none_failed"
        assert {task.task_id for task in dag.leaves} == {"announce", "all_pulled"}


def test_a_dag_file_is_short_and_imports_the_heavy_things_inside_its_tasks():
    for path in DAGS.glob("*.py"):
        text = path.read_text()
        if "@dag(" not in text:
            continue
        tree = ast.parse(text)
        docstring = len((ast.get_docstring(tree) or "").splitlines())
        assert len(text.splitlines()) - docstring < 60, path.name
        top = {
            name.split(".")[0]
            for node in tree.body
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in [getattr(node, "module", None) or node.names[0].name]
        }
        assert top <= {"airflow", "dags"}, path.name


@pytest.mark.filterwarnings("default")
def test_useless_retries_are_cut_short_and_useful_ones_are_not():
    from airflow.sdk.exceptions import AirflowFailException

    from dags.common import only_transient_is_retried
    from ingestion.errors import Misconfigured, Retired, VendorDown
    from warehouse.publish import CheckFailed

    def ending_in(error: Exception) -> Any:
        @only_transient_is_retried
        def task() -> None:
            raise error

        return task

    for hopeless in (Misconfigured("a"), Retired("b"), CheckFailed("c")):
        with pytest.raises(AirflowFailException, match=str(hopeless)):
            ending_in(hopeless)()
    with pytest.raises(VendorDown):
        ending_in(VendorDown("d"))()
    with pytest.raises(KeyError):  # a bug of ours keeps its own traceback
        ending_in(KeyError("e"))()


@pytest.mark.filterwarnings("default")
def test_what_passes_between_tasks_is_batch_numbers(store, monkeypatch, dagbag):
    import sqlalchemy as sa

    from ingestion.landing import land_roster
    from ingestion.pull import plan_wearables
    from warehouse import register as reg

    person = {"participant_id": "P001", "site": "haifa", "timezone": "Asia/Jerusalem"}
    from datetime import UTC, date, datetime

    on = date(2026, 1, 20)
    land_roster(store, [person | {"enrolled_on": on, "starts_on": on}])
    grant = {"participant_id": "P001", "source": "google_health", "state": "active"}
    store.register.put(reg.grant, [grant | {"since": datetime(2026, 1, 20, tzinfo=UTC)}])
    assert plan_wearables(store) == [("google_health", 0)]
    with store.register.begin() as con:
        con.execute(sa.update(reg.grant).values(state="revoked"))
    assert plan_wearables(store) == []
    pull = dagbag.dags["wearables"].get_task("pull_batch")
    assert pull.partial_kwargs.get("do_xcom_push", True) is True
