"""Commands about the people who work on the study: who has which role, at which sites."""

from __future__ import annotations

import getpass

import click

from dags.cli_errors import plain_errors


@click.group()
def staff() -> None:
    """Say who has which role of study.toml; every change is on the audit trail.

    A login is what the sign-in says of a person: an e-mail address, or another claim.
    """


@staff.command()
@click.argument("login")
@click.argument("role")
@click.option(
    "--site",
    "sites",
    multiple=True,
    metavar="SITE",
    help="Only this site; may be repeated. Without it, every site of the role.",
)
@plain_errors
def add(login: str, role: str, sites: tuple[str, ...]) -> None:
    """Give LOGIN the ROLE, in place of the one they had."""
    from ingestion import clock
    from warehouse.home import open_store
    from warehouse.staff import add_staff

    store = open_store()
    person = add_staff(store.register, store.study, login, role, sites, _who(), clock.now())
    click.echo(f"{person.login}: {person.role} at {', '.join(person.sites) or 'every site'}")


@staff.command()
@click.argument("login")
@plain_errors
def remove(login: str) -> None:
    """Take the role of LOGIN away: from then on they see nothing."""
    from ingestion import clock
    from warehouse.home import open_store
    from warehouse.staff import login_of, remove_staff

    remove_staff(open_store().register, login, _who(), clock.now())
    click.echo(f"{login_of(login)}: removed")


@staff.command(name="list")
@plain_errors
def list_() -> None:
    """Print who has which role: login, role, sites, since when, by whom."""
    from warehouse.home import open_store
    from warehouse.staff import list_staff

    for one in list_staff(open_store().register):
        sites = ",".join(one.sites) or "every site"
        click.echo("\t".join((one.login, one.role, sites, f"{one.since:%Y-%m-%d}", one.added_by)))


def _who() -> str:
    return f"{getpass.getuser()}, command line"
