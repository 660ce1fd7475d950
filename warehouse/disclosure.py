"""Small cells: no published figure of a cohort rests on fewer participants than the limit.

Statistical disclosure control in one place, in two steps. A cell too small is withheld. Then, so
that none can be had by subtraction, more cells are: within any cohort shown, the cohorts of one
kind that lie in it (all the sites of everybody, the therapists of a site) may together leave out
nobody or at least `limit` participants, by every count behind the figures; else the smallest of
them is withheld too. Within a cohort withheld they may not add up to it. A cohort of the study's
own is a kind to itself: everybody but it is nobody or enough.

A cohort that everybody sees is never withheld for the sake of an arm or a therapist that it lies
in: the blank would tell the blinded that it does. The arm may then give away a few of its
participants to those who see arms.

What this does not withstand: subtracting cohorts that only overlap, knowledge from elsewhere, and
the participants' own rows, which lie in the same file.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import Any

import duckdb

from warehouse.schema import Table
from warehouse.tables.derived.cohort import BLIND_KINDS

Cohort = tuple[str, str]
# A cohort and the cohorts of one kind that lie in it.
Family = tuple[Cohort, frozenset[Cohort]]
OWN_KINDS = ("named", "named_by_arm")  # these overlap: each is a kind to itself


def insert_shown(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    rows: str,
    counts: Sequence[str],
    limit: int,
    parameters: Mapping[str, Any] | None = None,
    parts: Mapping[tuple[str, ...], Sequence[str]] = MappingProxyType({}),
) -> None:
    """Insert the query `rows` into a cohort table, withheld cells blank and flagged, never 0.

    `counts` are the columns of `rows` that count the participants behind its figures; they need
    not be columns of `table`. A withheld row keeps its key and what is never missing (a name, never
    a figure), and gets `suppressed` = true and blanks. Columns of `parts` rest on counts of their
    own besides, and are blank alone, unflagged, where only those are too small. A count of 0 is
    nobody's figure and stays. What is withheld is never written, so nothing of it is left in the
    file. Who lies in whom is read from `cohort_member`; of a table without cohorts each row stands
    alone.
    """
    con.execute(f"CREATE TEMP TABLE disclosed AS {rows}", parameters or {})
    withheld = _withheld_rows(con, table.key, counts, limit)
    of_part = {
        f"small_{n}": withheld | _withheld_rows(con, table.key, [*counts, *own], limit)
        for n, own in enumerate(parts.values())
    }
    part_of = {name: f"small_{n}" for n, names in enumerate(parts) for name in names}
    rows_of = {"small": withheld, **of_part}
    flags = ", ".join(f"list_contains(${one}::BIGINT[], rowid) AS {one}" for one in rows_of)
    columns = ",\n    ".join(
        _shown(name, table, part_of.get(name, "small")) for name in table.names
    )
    con.execute(
        f"INSERT INTO {table.full_name} BY NAME\n"
        f"WITH judged AS (SELECT *, {flags} FROM disclosed)\nSELECT {columns}\nFROM judged",
        {name: sorted(rows) for name, rows in rows_of.items()},
    )
    con.execute("DROP TABLE disclosed")


def families_of(con: duckdb.DuckDBPyConnection) -> list[Family]:
    """Each cohort of `cohort_member` with the cohorts of one kind that lie in it, kind by kind."""
    inside = con.execute(INSIDE).fetchall()
    grouped = groupby(inside, key=lambda row: (row[0], row[1], row[2]))
    return [
        ((kind, cohort), frozenset((row[3], row[4]) for row in rows))
        for (kind, cohort, _), rows in grouped
    ]


INSIDE = f"""
WITH size AS (SELECT cohort_kind, cohort, count(*) AS n FROM cohort_member GROUP BY ALL),
shared AS (
    SELECT a.cohort_kind AS kind, a.cohort AS cohort, b.cohort_kind AS inner_kind,
        b.cohort AS inner_cohort, count(*) AS n
    FROM cohort_member AS a
    JOIN cohort_member AS b USING (participant_id)
    WHERE (a.cohort_kind, a.cohort) <> (b.cohort_kind, b.cohort)
    GROUP BY ALL
)
SELECT kind, shared.cohort,
    CASE WHEN inner_kind IN {OWN_KINDS} THEN inner_kind || ' ' || inner_cohort ELSE inner_kind END
        AS of_kind,
    inner_kind, inner_cohort
FROM shared
JOIN size ON size.cohort_kind = inner_kind AND size.cohort = inner_cohort AND size.n = shared.n
WHERE kind NOT IN {BLIND_KINDS} OR inner_kind IN {BLIND_KINDS}
ORDER BY ALL
"""


def compute_withheld(
    cells: Mapping[Cohort, Sequence[int]], limit: int, families: Iterable[Family]
) -> set[Cohort]:
    """The cohorts of one place (a week; a visit and scale) that must not be shown there.

    `cells` has the counts behind each cohort's figures; a cohort without a cell counts nobody.
    Each cohort withheld may give away less of another, never more but where it must not add up:
    so it is asked again until nothing changes.
    """
    withheld = {cohort for cohort, counts in cells.items() if any(0 < n < limit for n in counts)}
    known = [(around, inside & set(cells)) for around, inside in families if around in cells]
    before = -1
    while before < len(withheld):
        before = len(withheld)
        for around, inside in known:
            _withhold_within(cells, limit, around, inside, withheld)
    return withheld


def _withhold_within(
    cells: Mapping[Cohort, Sequence[int]],
    limit: int,
    around: Cohort,
    inside: frozenset[Cohort],
    withheld: set[Cohort],
) -> None:
    """Add to `withheld` the smallest of `inside` until those shown tell nothing of the rest."""
    shown = sorted(
        (one for one in inside - withheld if any(cells[one])),
        key=lambda cohort: (max(cells[cohort]), cohort),
    )
    left = [
        whole - sum(cells[one][which] for one in shown) for which, whole in enumerate(cells[around])
    ]
    for cohort in shown:
        if around in withheld:
            told = any(n < limit <= whole for n, whole in zip(left, cells[around], strict=True))
        else:
            told = any(0 < n < limit for n in left)
        if not told:
            return
        withheld.add(cohort)
        left = [n + more for n, more in zip(left, cells[cohort], strict=True)]


def _withheld_rows(
    con: duckdb.DuckDBPyConnection, key: Sequence[str], counts: Sequence[str], limit: int
) -> set[int]:
    """Row numbers of `disclosed` to withhold, place by place: what the key has but the cohort."""
    place = [f'"{name}"' for name in key if name not in ("cohort_kind", "cohort")]
    of_cohorts = "cohort_kind" in key
    cohort = ["cohort_kind", "cohort"] if of_cohorts else ["rowid", "rowid"]
    names = ["rowid", *cohort, *place, *(f'coalesce("{count}", 0)' for count in counts)]
    order = ", ".join(place or ["ALL"])
    rows = con.execute(f"SELECT {', '.join(names)} FROM disclosed ORDER BY {order}").fetchall()
    families = families_of(con) if of_cohorts else []
    found: set[int] = set()
    for _, group in groupby(rows, key=lambda row: row[3 : 3 + len(place)]):
        at = {(row[1], row[2]): row for row in group}
        cells = {cohort: row[3 + len(place) :] for cohort, row in at.items()}
        found |= {at[cohort][0] for cohort in compute_withheld(cells, limit, families)}
    return found


def _shown(name: str, table: Table, small: str) -> str:
    if name == "suppressed":
        return "small AS suppressed"
    if name in table.key or table.column(name).required:
        return f'"{name}"'
    return f'CASE WHEN NOT {small} THEN "{name}" END AS "{name}"'
