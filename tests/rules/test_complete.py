"""Whatever can be listed has a meaning, a test and a page: nothing is half declared."""

import ast
import re
from pathlib import Path

import pytest
from support.house import ROOT, dag_id, modules

from ingestion import errors
from warehouse.schema import Column, Table, Type
from warehouse.tables import DERIVED, LANDED, OPS
from warehouse.tables.derived import DAY_STATES
from warehouse.tables.ops import RECEIPT_REASONS

TABLES = LANDED + DERIVED + OPS
# The fixed, ordered list of design law 2.
LAW_2 = (
    "outside_study, paused, never_connected, consent_lost, fetch_failed, vendor_outage, "
    "pending_sync, minutes_lost, not_worn, implausible, insufficient_wear, valid"
)
# Words of other trades for what the glossary names otherwise.
FORBIDDEN = re.compile(
    "(?:^|_)(user|patient|subject|person|group|timepoint|wave|survey|compliance|engagement|delta|"
    "diff|provider|integration|bronze|silver)(?:_|$)"
)
ENDINGS = {
    "DATE": ("_on", "_date", "data_to", "paused_from", "paused_to", "valid_from", "valid_to"),
    "TIMESTAMP WITH TIME ZONE": ("_at", "since", "as_of"),
}
# Where the files of a kind live, and where their tests do: <tests folder>/test_<name>*.py.
KINDS = {
    "ingestion/sources": "tests/sources",
    "transforms/instruments": "tests/spec",
    "warehouse/metrics": "tests/spec",
    "dashboard/views": "tests/pages",
}


def unmeaning(tables: tuple[Table, ...]) -> list[str]:
    """Tables and columns whose meaning is missing, or only repeats their name."""
    found = [t.full_name for t in tables if not (_says(t.meaning, t.name) and t.grain)]
    for table in tables:
        found += [
            f"{table.full_name}.{c.name}" for c in table.columns if not _says(c.meaning, c.name)
        ]
    return found


def _says(meaning: str, name: str) -> bool:
    plain = meaning.rstrip(".").lower()
    return len(plain) > 3 and meaning.endswith((".", ")")) and plain != name.replace("_", " ")


def misnamed(tables: tuple[Table, ...]) -> list[str]:
    """Columns named in another trade's words, or without the ending of their kind."""
    found = []
    for table in tables:
        for column in table.columns:
            if FORBIDDEN.search(column.name):
                found.append(f"{table.full_name}.{column.name}: see docs/glossary.md for our word")
            ends = ENDINGS.get(column.type.sql, ("",))
            if not column.name.endswith(ends):
                found.append(f"{table.full_name}.{column.name}: ends in none of {', '.join(ends)}")
    return found


def untested(root: Path, code: str, tests: str) -> list[str]:
    """Modules of a listed kind without a test file of their name."""
    names = [path.stem for path, _ in modules(root, code) if path.parent == Path(code)]
    return [
        f"{code}/{name}.py has no {tests}/test_{name}*.py"
        for name in names
        if not name.startswith("_") and not list((root / tests).glob(f"test_{name}*.py"))
    ]


def dags_untested(root: Path) -> list[str]:
    """DAGs, by id, that no test in tests/flow names."""
    text = "\n".join(path.read_text() for path in (root / "tests/flow").glob("test_*.py"))
    dags = [
        name
        for _, tree in modules(root, "dags")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and (name := dag_id(node))
    ]
    return [name for name in dags if not re.search(rf"[\"']{name}[\"']", text)]


def leaves(error: type[Exception]) -> list[type[Exception]]:
    below = error.__subclasses__()
    return [error] if not below else [leaf for child in below for leaf in leaves(child)]


def test_every_table_and_column_has_a_meaning():
    assert unmeaning(TABLES) == []


def test_columns_speak_our_vocabulary():
    assert misnamed(TABLES) == []


@pytest.mark.parametrize("code", KINDS)
def test_every_file_of_a_kind_has_its_test(code):
    assert untested(ROOT, code, KINDS[code]) == []


def test_every_dag_is_tested():
    assert dags_untested(ROOT) == []


def test_day_states_are_the_law_in_its_order():
    assert ", ".join(DAY_STATES) == LAW_2


def test_every_error_states_a_reason_a_receipt_can_hold():
    found = leaves(errors.SourceError)
    assert len(found) >= 8
    assert [leaf.__name__ for leaf in found if leaf.reason not in RECEIPT_REASONS] == []


def test_the_error_tree_is_drawn_as_it_is():
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__ or "")
    declared = [
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.SourceError)
    ]
    assert sorted(["SourceError", *drawn]) == sorted(declared)


def test_no_two_tables_share_a_name():
    names = [table.full_name for table in TABLES]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize(
    ("column", "faults"),
    [
        (Column("steps", Type.INTEGER, "Steps of the day."), 0),
        (Column("steps", Type.INTEGER, ""), 1),
        (Column("day_steps", Type.INTEGER, "Day steps."), 1),
        (Column("patient_id", Type.TEXT, "The participant's pseudonym."), 1),
        (Column("answered", Type.DATE, "Local day of the answer."), 1),
        (Column("changed_on", Type.INSTANT, "When it changed."), 1),
    ],
)
def test_a_badly_declared_column_is_found(column, faults):
    table = Table("t", "participant", (column.name,), (column,), "A planted table.")
    assert len(unmeaning((table,)) + misnamed((table,))) == faults


def test_a_file_without_its_test_is_found(tmp_path):
    (tmp_path / "sources").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "sources/garmin_fit.py").touch()
    assert untested(tmp_path, "sources", "tests") == [
        "sources/garmin_fit.py has no tests/test_garmin_fit*.py"
    ]
    (tmp_path / "tests/test_garmin_fit_files.py").touch()
    assert untested(tmp_path, "sources", "tests") == []


def test_a_dag_without_its_test_is_found(tmp_path):
    (tmp_path / "dags").mkdir()
    (tmp_path / "tests/flow").mkdir(parents=True)
    (tmp_path / "dags/x.py").write_text("@dag(schedule=None)\ndef nightly(): ...")
    assert dags_untested(tmp_path) == ["nightly"]
    (tmp_path / "tests/flow/test_dags.py").write_text("run('nightly')")
    assert dags_untested(tmp_path) == []
