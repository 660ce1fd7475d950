"""The command `stepwell cutover`: what is left to do, and what the change of vendor changed."""

from __future__ import annotations

import csv
from contextlib import closing
from pathlib import Path

import click

from dags.cli_errors import plain_errors

HEADER = ("measure", "from_source", "to_source", "participants", "days", "mean_difference",
          "limit_low", "limit_high")  # fmt: skip


@click.command()
@click.option(
    "--csv",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the list of those who must consent again to this file too.",
)
@plain_errors
def cutover(target: Path | None) -> None:
    """List who must consent again at a retired API's successor, and compare the two.

    The comparison is of the published build: days that both have in full, worn long enough by
    both; mean difference and limits of agreement.
    """
    from ingestion import clock
    from ingestion.cutover import Reconsent, find_reconsents, summarise
    from warehouse.home import open_store
    from warehouse.publish import stable_path

    store = open_store()
    found = find_reconsents(store, clock.now())
    click.echo(summarise(found))
    _table([Reconsent.header(), *(one.cells() for one in found)])
    if target:
        with target.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([Reconsent.header(), *(one.cells() for one in found)])
    _bridge(stable_path(store.home))


def _bridge(path: Path) -> None:
    from warehouse.publish import open_published

    if not path.exists():
        click.echo("no build is published yet: the comparison comes with the first")
        return
    with closing(open_published(path)) as con:
        rows = con.execute(
            f"SELECT {', '.join(HEADER)} FROM bridge ORDER BY from_source, to_source, measure"
        ).fetchall()
    nothing = "no day to compare yet: in two sources, in full and worn long enough by both"
    click.echo("the two sources on the same days:" if rows else nothing)
    _table([HEADER, *(tuple(map(_cell, row)) for row in rows)])


def _cell(value: object) -> str:
    return "" if value is None else f"{value:.1f}" if isinstance(value, float) else str(value)


def _table(rows: list[tuple[str, ...]]) -> None:
    """Print rows under their header in columns; nothing without a row."""
    if len(rows) < 2:
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, widths, strict=True)
        click.echo("  " + "  ".join(cell.ljust(width) for cell, width in cells).rstrip())
