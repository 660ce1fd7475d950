"""How large things may be, and what library code may not do.

The house style aims at functions under 15 lines and files under 300. These are the hard stops.
"""

import ast
from pathlib import Path

import pytest
from support.house import PACKAGES, ROOT, dag_id, modules

MOST_FILE_LINES = 400
MOST_FUNCTION_LINES = 60  # docstring included: one SQL statement with its parameters fits
MOST_DAG_LINES = 60
# The outermost layer prints for people: commands to a screen, tasks to their log. The rest returns.
MAY_PRINT = ("dags/", "ingestion/simulator/__main__.py", "dashboard/__main__.py")


def too_long(root: Path) -> list[str]:
    found = []
    for package in PACKAGES:
        for path, tree in modules(root, package):
            lines = len((root / path).read_text(encoding="utf-8").splitlines())
            is_dag = any(dag_id(node) for node in tree.body)
            if lines > (MOST_DAG_LINES if is_dag else MOST_FILE_LINES):
                found.append(f"{path}: {lines} lines; cut it by subject")
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    length = (node.end_lineno or node.lineno) - node.lineno + 1
                    if length > MOST_FUNCTION_LINES:
                        found.append(f"{path}:{node.lineno}: {node.name} has {length} lines")
    return found


def prints(root: Path) -> list[str]:
    return [
        f"{path}:{node.lineno}: prints; log it or return it"
        for package in PACKAGES
        for path, tree in modules(root, package)
        if not str(path).startswith(MAY_PRINT)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]


def swallowed(root: Path) -> list[str]:
    """Handlers that catch everything and neither raise nor do anything with the error."""
    return [
        f"{path}:{node.lineno}: catches every exception without raising; name the error"
        for package in PACKAGES
        for path, tree in modules(root, package)
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and _catches_all(node) and not _speaks(node)
    ]


def _catches_all(node: ast.ExceptHandler) -> bool:
    broad = isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")
    return node.type is None or broad


def _speaks(node: ast.ExceptHandler) -> bool:
    """Raises, or uses the error it caught."""
    used = (part.id for part in ast.walk(node) if isinstance(part, ast.Name))
    raised = any(isinstance(part, ast.Raise) for part in ast.walk(node))
    return raised or (node.name is not None and node.name in used)


def test_files_and_functions_are_short():
    assert too_long(ROOT) == []


def test_only_commands_print():
    assert prints(ROOT) == []


def test_no_exception_is_swallowed():
    assert swallowed(ROOT) == []


@pytest.mark.parametrize(("lines", "found"), [(MOST_FILE_LINES, 0), (MOST_FILE_LINES + 1, 1)])
def test_a_long_file_is_found(tmp_path, lines, found):
    _plant(tmp_path, "x = 1\n" * lines)
    assert len(too_long(tmp_path)) == found


@pytest.mark.parametrize(
    ("lines", "found"), [(MOST_FUNCTION_LINES, 0), (MOST_FUNCTION_LINES + 1, 1)]
)
def test_a_long_function_is_found(tmp_path, lines, found):
    _plant(tmp_path, "def f():\n" + "    x = 1\n" * (lines - 1))
    assert len(too_long(tmp_path)) == found


@pytest.mark.parametrize(("lines", "found"), [(MOST_DAG_LINES, 0), (MOST_DAG_LINES + 1, 1)])
def test_a_long_dag_is_found(tmp_path, lines, found):
    _plant(tmp_path, "@dag(schedule=None)\ndef nightly(): ...\n" + "x = 1\n" * (lines - 2))
    assert len(too_long(tmp_path)) == found


def test_a_print_is_found(tmp_path):
    _plant(tmp_path, "print('hello')\n")
    assert len(prints(tmp_path)) == 1


@pytest.mark.parametrize(
    ("handler", "found"),
    [
        ("except Exception: pass", 1),
        ("except: x = 1", 1),
        ("except Exception as error: raise ValueError from error", 0),
        ("except Exception as error: record(error)", 0),
        ("except KeyError: pass", 0),
    ],
)
def test_a_swallowed_exception_is_found(tmp_path, handler, found):
    _plant(tmp_path, f"try: f()\n{handler}\n")
    assert len(swallowed(tmp_path)) == found


def _plant(root: Path, text: str) -> None:
    (root / "warehouse").mkdir()
    (root / "warehouse/x.py").write_text(text)
