"""A PostgreSQL server of a test's own, on a socket in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

HOW = "no PostgreSQL server here: install one, e.g. `apt-get install postgresql`"


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of an empty database; the test is skipped where no server is installed."""
    programs = _programs()
    if programs is None:
        pytest.skip(HOW)
    with tempfile.TemporaryDirectory(prefix="stepwell-pg-") as folder:
        user = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root
        if user:
            shutil.chown(folder, user)
        data = Path(folder, "data")

        def run(*command: object) -> None:
            done = subprocess.run(
                [str(part) for part in command], user=user, cwd=folder, check=False, text=True,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=120,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr

        run(programs / "initdb", "-D", data, "-U", "stepwell", "-A", "trust", "--no-sync")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        log = Path(folder, "log")
        run(programs / "pg_ctl", "-D", data, "-o", options, "-l", log, "-w", "start")
        try:
            yield f"postgresql+psycopg2://stepwell@/postgres?host={folder}"
        finally:
            run(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


@contextmanager
def database(server: str, like: str = "") -> Iterator[str]:
    """The URL of a database of one's own on the server, a copy of `like`; without a server: empty.

    Nobody may be connected to the one that is copied.
    """
    if not server:
        yield ""
        return
    name = f"one_{uuid.uuid4().hex}"
    engine = sa.create_engine(server, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    template = sa.make_url(like).database if like else "template1"
    with engine.connect() as con:
        con.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as con:
            con.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def _programs() -> Path | None:
    """The folder of initdb and pg_ctl: on the path, or where Debian keeps them off it."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None
