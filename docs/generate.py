#!/usr/bin/env python
"""Writes the pages of docs/ that follow from definitions: `make docs`.

Every function returns one page as text; tests/docs fails while a page on disk says otherwise.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from metrics_page import render_metrics
from page_parts import NOTICE, codes, grid, page

from dags.cli import main as stepwell
from ingestion.source import all_sources
from transforms.instruments import read_instruments
from warehouse.schema import Column, Table
from warehouse.tables import DERIVED, LANDED, OPS
from warehouse.tables.landed import LAKE_ONLY

HERE = Path(__file__).parent


def render_data_dictionary() -> str:
    """Every table with its grain and columns."""
    parts = [
        NOTICE,
        "# Data dictionary",
        "A blank (NULL) is never zero: what a blank means stands with the column. Days are the "
        "participant's own local days; instants end in `_at` and are UTC. Columns and tables "
        "marked *arms* are only in the unblinded file. Words are explained in the "
        "[glossary](glossary.md), rules in [metrics](metrics.md).",
    ]
    for title, tables in (
        ("Landed: facts as received", LANDED),
        ("Derived: what they mean", DERIVED),
        ("How the work went (schema `ops`)", OPS),
    ):
        links = " · ".join(f"[{t.full_name}](#{t.full_name.replace('.', '')})" for t in tables)
        parts += [f"## {title}", links, *(render_table(table) for table in tables)]
    return page(parts)


def render_table(table: Table) -> str:
    """A table's section: meaning, grain, key, where it is, columns."""
    notes = [f"{table.meaning} One row per {table.grain}; key: {codes(table.key)}."]
    if table.name in LAKE_ONLY:
        notes.append(
            "Kept in the lake only (Parquet); the published file has what follows from it."
        )
    if table.reveals_arm:
        notes.append("*Arms*: the whole table is only in the unblinded file.")
    if table.reveals_arm_where:
        notes.append(
            f"*Arms*: rows with `{table.reveals_arm_where}` are only in the unblinded file."
        )
    rows = [
        (f"`{c.name}`", c.type.sql.lower(), c.unit, _meaning(c), _blind(c)) for c in table.columns
    ]
    columns = grid(("column", "type", "unit", "meaning", ""), rows)
    return f"### {table.full_name}\n\n{' '.join(notes)}\n\n{columns}"


def _blind(column: Column) -> str:
    if column.reveals_arm_where:
        return f"arms: blank in the masked file where `{column.reveals_arm_where}`"
    return "arms" * column.reveals_arm


def _meaning(column: Column) -> str:
    parts = [column.meaning]
    if column.better:
        parts.append(f"{column.better.capitalize()} is better.")
    if rules := [sentence.removeprefix("is ") for sentence, _ in column.constraints]:
        parts.append(f"Rule: {'; '.join(rules)}.")
    return " ".join(parts)


def render_sources() -> str:
    """Every source: what it delivers, its era, what it cannot tell (its module's own words)."""
    parts = [
        NOTICE,
        "# Sources",
        "A source can `fetch` (ask the vendor, keep the reply) and `read` (reply to rows). Adding "
        "one is one file in `ingestion/sources` and one test. Rows carry the source's *era*: days "
        "measured by different systems are not compared without saying so.",
    ]
    for name, source in sorted(all_sources().items()):
        module = inspect.getmodule(type(source))
        words = inspect.getdoc(module) or ""
        if not words:
            raise ValueError(
                f"source {name}: its module says nothing of what it can and cannot tell"
            )
        delivers = codes(sorted(source.delivers))
        era = f" Era: `{source.era}`." if source.era else ""
        parts.append(f"## {name}\n\nDelivers {delivers}.{era}\n\n{words}")
    return page(parts)


def render_cli() -> str:
    """Every command of `stepwell` with its help text."""
    parts = [NOTICE, "# Commands", "The same steps as the DAGs, by hand."]
    parts += [f"## {path}\n\n```text\n{text}\n```" for path, text in _helps(stepwell, "stepwell")]
    return page(parts)


def _helps(
    command: click.Command, name: str, above: click.Context | None = None
) -> Iterator[tuple[str, str]]:
    """(path, help text) of a command and of every command below it."""
    context = command.make_context(
        name, [], parent=above, resilient_parsing=True, terminal_width=88, max_content_width=88
    )
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            yield from _helps(command.commands[below], below, context)


def render_instrument_items() -> str:
    """The items of every instrument, for the layers that do not import the registry."""
    items = {code: one.items for code, one in sorted(read_instruments().items())}
    lines = [f"  {json.dumps(code)}: {json.dumps(listed)}" for code, listed in items.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


PAGES: dict[str, Callable[[], str]] = {
    "../warehouse/instrument_items.json": render_instrument_items,
    "data_dictionary.md": render_data_dictionary,
    "metrics.md": render_metrics,
    "sources.md": render_sources,
    "cli.md": render_cli,
}


def main() -> None:
    for name, render in PAGES.items():
        (HERE / name).write_text(render(), encoding="utf-8")
        sys.stdout.write(f"docs/{name}\n")


if __name__ == "__main__":
    main()
