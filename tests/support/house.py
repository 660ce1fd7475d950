"""The house as files: where it is, its packages, its modules as syntax trees."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
COMPOSE_FILE = ROOT / "docker-compose.yml"
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))
KEPT = {".ci", ".docker", ".streamlit"}
BINARY = {".png", ".jpg", ".duckdb", ".parquet", ".pyc", ".xlsx", ".gz", ".zip"}
PACKAGES = ("dags", "ingestion", "transforms", "warehouse", "dashboard")


def modules(root: Path, folder: str) -> Iterator[tuple[Path, ast.Module]]:
    """Every Python file under root/folder, as (path from root, syntax tree)."""
    for path in sorted((root / folder).rglob("*.py")):
        yield path.relative_to(root), ast.parse(path.read_text(encoding="utf-8"))


def dag_id(node: ast.AST) -> str | None:
    """The id of the DAG that a function declares; None when it declares none."""
    for decorator in getattr(node, "decorator_list", []):
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(call, ast.Name) and call.id == "dag":
            given = {k.arg: k.value for k in getattr(decorator, "keywords", [])}
            named = given.get("dag_id")
            return named.value if isinstance(named, ast.Constant) else node.name
    return None


def project_files(root: Path) -> Iterator[Path]:
    """Every text file that belongs to the project, not to a tool or an environment."""
    skipped = {"__pycache__", "build"}
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        tool = any(p in skipped or (p.startswith(".") and p not in KEPT) for p in parts[:-1])
        generated = any(part.endswith(".egg-info") for part in parts)
        if path.is_file() and not tool and not generated and path.suffix not in BINARY:
            yield path
