"""Refresh grants that nobody has used for long, and compact the lake's closed days.

**When:** daily. "Now" kind: never backfill and never clear an old run; trigger a new one.

**One task keeps one batch of participants** of one source: it refreshes what was not refreshed for
STEPWELL_KEEP_ALIVE_DAYS (30), and finishes consents that broke off at the vendor. The last moves
closed days into month files and prints grants by state (see `ops.connection.next_step`).

**When a task fails**

* `Misconfigured`: our key, client secret or request is wrong. The log's last line names the
  setting. Mend it, then trigger a new run.
* `Retired`: the vendor has switched the API off (HTTP 410); see docs/runbook.md.
* Anything else was tried three times. A day's delay costs nothing: a vendor drops a grant after
  months. A permission that is gone fails no task: it is a state.
"""

from airflow.sdk import CronTriggerTimetable, dag, task

from dags.common import DEFAULTS, only_transient_is_retried


@dag(
    schedule=CronTriggerTimetable("40 3 * * *", timezone="UTC"),
    max_active_runs=1,
    default_args=DEFAULTS,
    tags=["ingestion"],
    doc_md=__doc__,
)
def upkeep() -> None:
    @task
    @only_transient_is_retried
    def plan() -> list[list[str | int]]:
        from ingestion.upkeep import plan_upkeep
        from warehouse.home import open_store

        return [list(pair) for pair in plan_upkeep(open_store())]

    @task
    @only_transient_is_retried
    def keep_batch(batch: list[str | int]) -> None:
        from ingestion.upkeep import keep_alive
        from warehouse.home import open_store

        print(dict(keep_alive(open_store(), str(batch[0]), int(batch[1]))))

    @task(trigger_rule="none_failed")
    def report() -> None:
        from ingestion.upkeep import compact_days, report_states
        from warehouse.home import open_store

        store = open_store()
        print(compact_days(store), *report_states(store), sep="\n")

    keep_batch.expand(batch=plan()) >> report()


upkeep()
