"""Who may import whom: dags -> ingestion, transforms -> warehouse <- dashboard."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.house import PACKAGES, ROOT, dag_id, modules

MAY_IMPORT = {
    "dags": {"ingestion", "transforms", "warehouse"},
    "ingestion": {"warehouse"},
    "transforms": {"warehouse"},
    "dashboard": {"warehouse"},
    "warehouse": set(),
}
# Frameworks stay in the layer they serve, so that everything else runs and is tested without them.
ONLY_IN = {"airflow": "dags", "streamlit": "dashboard"}


def imports_of(path: Path, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything a module imports, relative names resolved."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = path.parent.parts[: len(path.parent.parts) - node.level + 1]
            base = [*above, node.module] if node.level else [node.module]
            stem = ".".join(part for part in base if part)
            yield from ((node.lineno, f"{stem}.{alias.name}") for alias in node.names)


def wrong_imports(root: Path) -> list[str]:
    found = []
    for package in PACKAGES:
        for path, tree in modules(root, package):
            for line, name in imports_of(path, tree):
                top = name.partition(".")[0]
                outside = top in PACKAGES and top != package and top not in MAY_IMPORT[package]
                if outside or ONLY_IN.get(top, package) != package:
                    found.append(f"{path}:{line}: {package} may not import {name}")
    return found


def dag_files(root: Path) -> list[str]:
    """Names of the modules directly in dags/ that define a DAG."""
    return [
        path.stem
        for path, tree in modules(root, "dags")
        if path.parent.name == "dags" and any(dag_id(node) for node in ast.walk(tree))
    ]


def dags_imported(root: Path) -> list[str]:
    """Imports of a DAG file: Airflow loads it under another name, so it would run twice."""
    files = {f"dags.{name}" for name in dag_files(root)}
    return [
        f"{path}:{line}: imports the DAG file {name}; move what is shared to another module"
        for package in PACKAGES
        for path, tree in modules(root, package)
        for line, name in imports_of(path, tree)
        if any(name == file or name.startswith(f"{file}.") for file in files)
    ]


def test_each_layer_imports_only_what_it_may():
    assert wrong_imports(ROOT) == []


def test_no_dag_file_is_imported():
    assert dags_imported(ROOT) == []


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("warehouse/x.py", "import ingestion.source"),
        ("warehouse/x.py", "from transforms import build"),
        ("dashboard/views/x.py", "from transforms.build import build"),
        ("transforms/x.py", "def later():\n    from ingestion import source"),
        ("ingestion/sources/x.py", "from dags import cli"),
        ("transforms/x.py", "from airflow.sdk import task"),
        ("warehouse/x.py", "import streamlit as st"),
    ],
)
def test_a_wrong_import_is_found(tmp_path, file, line):
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(line)
    assert len(wrong_imports(tmp_path)) == 1


def test_relative_imports_are_followed(tmp_path):
    (tmp_path / "ingestion/sources").mkdir(parents=True)
    (tmp_path / "ingestion/sources/x.py").write_text("from ...transforms import build")
    (tmp_path / "ingestion/sources/y.py").write_text("from ..source import Window")
    assert wrong_imports(tmp_path) == [
        "ingestion/sources/x.py:1: ingestion may not import transforms.build"
    ]


def test_an_imported_dag_file_is_found(tmp_path):
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags/nightly.py").write_text("@dag(schedule=None)\ndef nightly(): ...")
    (tmp_path / "dags/cli.py").write_text("from dags.nightly import nightly")
    assert len(dags_imported(tmp_path)) == 1
