"""Commands about participants' grants: asking for them, keeping them alive, and their keys."""

from __future__ import annotations

import sys

import click

from dags.cli_errors import CHECK_ERROR, plain_errors


@click.command()
@click.argument("source")
@click.argument("participant")
@click.option(
    "--headless",
    is_flag=True,
    help="Consent at once, without a person: only the simulator allows it.",
)
@plain_errors
def connect(source: str, participant: str, headless: bool) -> None:
    """Print a link by which PARTICIPANT connects their account at SOURCE.

    The link is good for 14 days and for one connection; a new one ends the one before it. It leads
    to STEPWELL_PUBLIC_URL, where `stepwell dashboard` serves the pages that follow.
    """
    from ingestion.consent import connect_headless
    from ingestion.consent_web import invite
    from warehouse.home import open_store

    store = open_store()
    if headless:
        grant = connect_headless(store, source, participant)
        click.echo(f"{participant} at {source}: {grant.state}. {grant.next_step or ''}".rstrip())
        return
    click.echo(invite(store, source, participant))
    click.echo(f"Send it to {participant}, and to nobody else.", err=True)


@click.command()
@click.argument("source")
@click.argument("participant")
@click.option("--why", required=True, help="For the audit trail: what was found, and by whom.")
@click.option(
    "--all-days",
    is_flag=True,
    help="The account was never theirs: ask the next one for every day, and believe it.",
)
@plain_errors
def release(source: str, participant: str, why: str, all_days: bool) -> None:
    """Let PARTICIPANT connect another account at SOURCE than the one they gave.

    The old account is read no more. Its days that have landed whole stay, unless --all-days. Then
    send the participant a new link: `stepwell connect`.
    """
    from ingestion.grants import Grants
    from ingestion.http import open_http
    from ingestion.settings import read_key
    from warehouse.home import open_store

    store = open_store()
    with open_http() as http:
        grants = Grants(store.register, read_key(), http)
        grant = grants.release(participant, source, why, all_days)
    click.echo(f"{participant} at {source}: {grant.state}. Now: `stepwell connect`")


@click.command()
@plain_errors
def upkeep() -> None:
    """Refresh idle grants and compact closed days, as the DAG of that name does daily.

    Then print how many grants are in which state, and what is the matter with active ones.
    """
    from ingestion.upkeep import compact_days, keep_alive, plan_upkeep, report_states
    from warehouse.home import open_store

    store = open_store()
    for source, batch in plan_upkeep(store):
        counts = keep_alive(store, source, batch)
        said = ", ".join(f"{what} {n}" for what, n in sorted(counts.items()))
        click.echo(f"{source} batch {batch}: {said or 'nothing to do'}")
    click.echo(compact_days(store))
    for line in report_states(store):
        click.echo(line)


@click.group()
def keys() -> None:
    """Make a key for STEPWELL_KEY, or change to a new one.

    To change: put the new key first and a comma before the old one, everywhere; run `stepwell keys
    rotate`; take the old key out.
    """


@keys.command()
def new() -> None:
    """Print a new key."""
    from cryptography.fernet import Fernet

    click.echo(Fernet.generate_key().decode())


@keys.command()
@plain_errors
def rotate() -> None:
    """Seal every grant anew under the first key of STEPWELL_KEY; run again if it breaks off.

    Exits 3 while a grant remains that the first key does not open.
    """
    from ingestion.keys import rotate_keys
    from ingestion.settings import read_keys
    from warehouse.home import open_store

    rotated = rotate_keys(open_store().register, read_keys())
    click.echo(f"{rotated.sealed} sealed anew, {rotated.before} under the first key already")
    if rotated.done:
        click.echo("The other keys may go.")
        return
    if rotated.busy:
        click.echo(f"stepwell: {rotated.busy} were in use; run this again", err=True)
    if rotated.unreadable:
        click.echo(
            f"stepwell: {rotated.unreadable} are opened by none of these keys; add the key they "
            "were sealed with, or ask the participants to connect again",
            err=True,
        )
    sys.exit(CHECK_ERROR)
