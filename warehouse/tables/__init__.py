"""Every table Stepwell keeps, each defined once: landed, derived, and how the work went."""

from warehouse.schema import Table
from warehouse.tables import derived, landed, ops, quality


def _tables(module: object) -> tuple[Table, ...]:
    return tuple(value for value in vars(module).values() if isinstance(value, Table))


LANDED = _tables(landed)
DERIVED = _tables(derived)
OPS = _tables(ops) + _tables(quality)
PUBLISHED: tuple[Table, ...] = tuple(
    table for table in LANDED + DERIVED + OPS if table.name not in landed.LAKE_ONLY
)


def table_named(name: str) -> Table:
    """The table of that name; KeyError lists the known ones."""
    for table in LANDED + DERIVED + OPS:
        if name in (table.name, table.full_name):
            return table
    known = ", ".join(table.full_name for table in LANDED + DERIVED + OPS)
    raise KeyError(f"unknown table {name!r}; known: {known}")
