"""Build the warehouse beside the old one, check it, and swap it in.

**When:** woken by new activity or answers, and every hour as a safety net: Airflow may leave an
asset event unconsumed. Which days are derived again comes from our own ledger (`ops.lake_file`
and the row hashes), never from the event, so an extra run or a missed one does no harm.

**When it fails**

* `this build was not published: ...`: a check does not hold; the message names table, column and
  the number of rows. Readers still see the last good build. Look at what landed last
  (`ops.receipt`), mend the cause, trigger a run. Do not delete builds.
* `warehouse is held by another process`: a build by hand is running; the retry takes over.
* A full disk: the last five builds are kept in `published/builds` and `unblinded/builds`.
"""

from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, dag, task

from dags.common import ACTIVITY, ANSWERS, DEFAULTS, only_transient_is_retried


@dag(
    dag_id="warehouse",
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("5 * * * *", timezone="UTC"), assets=(ACTIVITY | ANSWERS)
    ),
    max_active_runs=1,
    default_args=DEFAULTS,
    tags=["warehouse"],
    doc_md=__doc__,
)
def build_and_publish() -> None:
    @task
    @only_transient_is_retried
    def build() -> None:
        from ingestion import clock
        from transforms.build import build_warehouse
        from warehouse.home import open_store

        built = build_warehouse(open_store(), clock.now())
        print(
            f"published build {built.build_id}: {built.days_computed} days computed, "
            f"{built.days_reused} taken from the build before; content {built.content_hash}. "
            f"{built.account}"
        )

    build()


build_and_publish()
