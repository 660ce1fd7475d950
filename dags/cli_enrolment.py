"""Commands about participants: enrolling, goals, pauses, withdrawals, erasure."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

import click

from dags.cli_errors import plain_errors

if TYPE_CHECKING:
    from ingestion.actions import Actions
    from ingestion.enrolment import Done, Someone

_WHY = "For the audit trail; no name."


@click.command()
@click.argument("participant", default="")
@click.option("--site", required=True, help="Site code of study.toml.")
@click.option("--enrolled-on", required=True, metavar="DAY", help="Day of enrolment.")
@click.option("--starts-on", metavar="DAY", help="Study day 1  [default: the day after]")
@click.option("--arm", help="Arm code, where the allocation is known here.")
@click.option("--therapist", "therapist_id", help="The therapist's pseudonym.")
@click.option("--timezone", help="IANA zone of their home  [default: the site's]")
@click.option("--subgroup", "depression_or_anxiety", type=click.Choice(["yes", "no"]),
              help="Depression or anxiety at baseline; left out where not assessed.")  # fmt: skip
@click.option("--age", "age_years", help="Age in years.")
@click.option("--sex", help="female or male.")
@plain_errors
def enrol(participant: str, **given: str | None) -> None:
    """Put PARTICIPANT on the roster; without one, under the next pseudonym with a check digit.

    Only for whom no EDC tells of: its word on a participant holds.
    """
    told = {name: value for name, value in given.items() if value}
    _say(_actions().enrol(_you(), told, participant), "enrolled; now: `stepwell connect`")


@click.command()
@click.argument("participant")
@click.argument("valid_from", metavar="FROM")
@click.argument("steps", required=False)
@click.option("--undo", is_flag=True, help="Take the goal that begins on that day back.")
@click.option("--why", required=True, help=_WHY)
@plain_errors
def goal(participant: str, valid_from: str, steps: str | None, undo: bool, why: str) -> None:
    """Set the daily goal of PARTICIPANT to STEPS from the day FROM on."""
    if undo == bool(steps):
        raise click.UsageError("give STEPS, or --undo")
    _say(_actions().goal(_you(), participant, valid_from, steps, why), "goal entered")


@click.command()
@click.argument("participant")
@click.option("--from", "paused_from", metavar="DAY", help="First day of the pause.")
@click.option("--to", "paused_to", metavar="DAY", help="Last day; left out while it lasts.")
@click.option("--undo", is_flag=True, help="Take the pause back.")
@click.option("--why", required=True, help=_WHY)
@plain_errors
def pause(
    participant: str, paused_from: str | None, paused_to: str | None, undo: bool, why: str
) -> None:
    """Pause PARTICIPANT: the days do not count, and nobody is asked to call."""
    if undo == bool(paused_from):
        raise click.UsageError("give --from, or --undo")
    _say(_actions().pause(_you(), participant, paused_from, paused_to, why), "pause entered")


@click.command()
@click.argument("participant")
@click.option("--on", "withdrawn_on", metavar="DAY", help="Day of withdrawal.")
@click.option("--undo", is_flag=True, help="They take part again.")
@click.option("--why", required=True, help=_WHY)
@plain_errors
def withdraw(participant: str, withdrawn_on: str | None, undo: bool, why: str) -> None:
    """Withdraw PARTICIPANT: what was collected before that day stays, nothing more is asked for."""
    if undo == bool(withdrawn_on):
        raise click.UsageError("give --on, or --undo")
    _say(_actions().withdraw(_you(), participant, withdrawn_on, why), "withdrawal entered")


@click.command()
@click.argument("participant")
@click.option("--why", required=True, help=_WHY)
@click.option("--yes", is_flag=True, help="Do not ask to type the pseudonym again.")
@plain_errors
def erase(participant: str, why: str, yes: bool) -> None:
    """Erase PARTICIPANT for good: permission, raw replies, rows, answers, and published builds.

    A receipt without personal data stays on the audit trail. The warehouse is built anew
    afterwards. Broken off, run it again.
    """
    from ingestion import clock
    from transforms.build import build_warehouse

    actions, you = _actions(), _you()
    for what, count in actions.erasable(you, participant).items():
        click.echo(f"{count:>10,}  {what}")
    typed = participant if yes else click.prompt("This cannot be undone. Type the pseudonym")
    receipt = actions.erase(you, participant, typed, why)
    for note in receipt.notes:
        click.echo(note)
    if next(actions.store.home.published.glob("builds/*.duckdb"), None):
        build_warehouse(actions.store, clock.now(), full=True)
        click.echo("The warehouse was built anew; older builds are gone.")
    click.echo("Erased. Copies elsewhere, such as backups and downloads, are yours to remove.")


def _actions() -> Actions:
    from ingestion.actions import Actions
    from warehouse.home import open_store

    return Actions(open_store())


def _you() -> Someone:
    from ingestion.enrolment import Someone

    return Someone(f"{getpass.getuser()}, command line")


def _say(done: Done, what: str) -> None:
    click.echo(f"{done.participant_id}: {what}")
    for note in done.notes:
        click.echo(note)
