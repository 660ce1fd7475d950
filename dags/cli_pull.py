"""The command `stepwell pull`: every batch has its turn, and what went wrong is told at the end."""

from __future__ import annotations

import sys
from typing import Any

import click

from dags.cli_errors import USER_ERROR, plain_errors


@click.command()
@click.argument("what", type=click.Choice(["wearables", "questionnaires"]))
@plain_errors
def pull(what: str) -> None:
    """Pull WHAT now, batch by batch, as the DAG of that name does.

    The DAG lets participants rest who answered within hours; by hand everybody is asked. What
    goes wrong in one batch stops no other: it is told at the end, and the exit code is 2.
    """
    from warehouse.home import open_store

    trouble: dict[str, list[str]] = {}  # what went wrong -> where
    pull_all = _pull_questionnaires if what == "questionnaires" else _pull_wearables
    pull_all(open_store(), trouble)
    for message, where in trouble.items():
        click.echo(f"stepwell: {', '.join(where)}: {message}", err=True)
    if trouble:
        sys.exit(USER_ERROR)


def _pull_wearables(store: Any, trouble: dict[str, list[str]]) -> None:
    from ingestion.errors import SourceError
    from ingestion.pull import plan_wearables, pull_connected
    from warehouse.register import LeaseBusy

    plan = plan_wearables(store)
    if not plan:
        click.echo("nothing to pull: no participant is connected; see `stepwell connect --help`")
    for source, batch in plan:
        where = f"{source} batch {batch}"
        try:
            summary = pull_connected(store, source, batch)
        except (SourceError, LeaseBusy) as error:
            trouble.setdefault(str(error), []).append(where)
            continue
        click.echo(f"{where}: {summary}")
        if summary.nobody_answered:
            trouble.setdefault("nobody answered; ops.receipt says why", []).append(where)


def _pull_questionnaires(store: Any, trouble: dict[str, list[str]]) -> None:
    from ingestion import clock
    from ingestion.answers import find_batches, pull_answers, pull_roster
    from ingestion.errors import SourceError
    from ingestion.summary import say_rows
    from warehouse.register import LeaseBusy

    now = clock.now()
    try:
        batches = pull_roster(store, now)
    except (SourceError, LeaseBusy) as error:
        trouble.setdefault(str(error), []).append("roster")
        batches = find_batches(store)
    for batch in batches:
        where = f"batch {batch}"
        try:
            click.echo(f"{where}: {say_rows(pull_answers(store, batch, now))}")
        except (SourceError, LeaseBusy) as error:
            trouble.setdefault(str(error), []).append(where)
