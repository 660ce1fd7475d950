"""Pull activity from every connected wearable.

**When:** hourly. "Now" kind: a run always pulls up to now, so never backfill and never clear an
old run; trigger a new one.

**One task pulls one batch of participants** (`wearables.batch_size` in study.toml) from one
source, and of them whoever is due (`ask_every_hours`). Its log states the requests a
participant-day. A participant who withdrew consent or has an unwell account ends in their
receipts (`ops.receipt`, `ops.connection`), not as a failed task.

**When a task fails**

* `Misconfigured`: our key, client secret or request is wrong, and retrying cannot help. The log's
  last line names the setting. Mend it, then trigger a new run.
* `Retired`: the vendor has switched the API off (HTTP 410). Stop the DAG and move the participants
  to the successor; see docs/runbook.md.
* Anything else was tried three times. Trigger a new run when the vendor is well; nothing is lost,
  the next pull asks again from the last complete day.

`announce` wakes the warehouse even when a batch failed: what has landed should be seen.
"""

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import CronTriggerTimetable, dag, task

from dags.common import ACTIVITY, DEFAULTS, only_transient_is_retried


@dag(
    schedule=CronTriggerTimetable("15 * * * *", timezone="UTC"),
    max_active_runs=1,
    default_args=DEFAULTS,
    tags=["ingestion"],
    doc_md=__doc__,
)
def wearables() -> None:
    @task
    @only_transient_is_retried
    def plan() -> list[list[str | int]]:
        from ingestion import clock
        from ingestion.pull import plan_wearables
        from warehouse.home import open_store

        return [list(pair) for pair in plan_wearables(open_store(), clock.now())]

    @task
    @only_transient_is_retried
    def pull_batch(batch: list[str | int]) -> None:
        from ingestion.pull import pull_connected
        from warehouse.home import open_store

        print(pull_connected(open_store(), str(batch[0]), int(batch[1]), due_only=True))

    pulled = pull_batch.expand(batch=plan())
    announce = EmptyOperator(task_id="announce", outlets=[ACTIVITY], trigger_rule="all_done")
    pulled >> announce
    pulled >> EmptyOperator(task_id="all_pulled", trigger_rule="none_failed")


wearables()
