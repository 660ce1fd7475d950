"""Pull the roster, goals, sessions and questionnaire answers.

**When:** hourly. "Now" kind: trigger a new run rather than clearing an old one.

`roster` comes first, so that a new participant has a batch; then one task pulls one batch of
participants. A form changed in the source since the last run replaces what was landed; the raw
replies keep what it said before.

**When a task fails**

* `Misconfigured`: the token, the address, or a field named in study.toml is not in the project;
  the log's last line names it. Retrying cannot help.
* Anything else was tried three times (a maintenance page, a timeout). Trigger a new run later.
"""

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import CronTriggerTimetable, dag, task

from dags.common import ANSWERS, DEFAULTS, only_transient_is_retried


@dag(
    schedule=CronTriggerTimetable("45 * * * *", timezone="UTC"),
    max_active_runs=1,
    default_args=DEFAULTS,
    tags=["ingestion"],
    doc_md=__doc__,
)
def questionnaires() -> None:
    @task
    @only_transient_is_retried
    def roster() -> list[int]:
        from ingestion import clock
        from ingestion.answers import pull_roster
        from warehouse.home import open_store

        return pull_roster(open_store(), clock.now())

    @task
    @only_transient_is_retried
    def pull_batch(batch: int) -> None:
        from ingestion import clock
        from ingestion.answers import pull_answers
        from ingestion.summary import say_rows
        from warehouse.home import open_store

        print(say_rows(pull_answers(open_store(), batch, clock.now())))

    pulled = pull_batch.expand(batch=roster())
    announce = EmptyOperator(task_id="announce", outlets=[ANSWERS], trigger_rule="all_done")
    pulled >> announce
    pulled >> EmptyOperator(task_id="all_pulled", trigger_rule="none_failed")


questionnaires()
