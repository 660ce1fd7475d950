"""The command `stepwell`: what a person types, and what it answers when something is wrong."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dags.cli import main
from dags.folder import note_session, session_led_by, taken
from dags.local import free_port, port_is_free, started
from warehouse.study import read_study


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_every_command_and_option_has_help():
    for name, command in main.commands.items():
        assert command.help, name
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert getattr(parameter, "help", None) or parameter.name in PLAIN, (
                    name,
                    parameter,
                )


PLAIN = {"participants", "weeks", "seed", "airflow_port", "dashboard_port", "port"}


def test_init_makes_a_study_that_is_valid_and_says_what_comes_next(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("init", "back-pain")
    assert result.exit_code == 0, result.output
    assert f"export STEPWELL_HOME={tmp_path}/back-pain" in result.output
    # only the protocol can be committed from there
    assert (tmp_path / "back-pain" / ".gitignore").read_text() == "*\n!study.toml\n"
    assert read_study(tmp_path / "back-pain" / "study.toml").study.name == "back-pain"


def test_init_leaves_a_study_alone_that_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("init", "back-pain")
    path = tmp_path / "back-pain" / "study.toml"
    path.write_text("mine")
    result = run("init", "back-pain")
    assert result.exit_code == 2
    assert "exists already" in result.output
    assert path.read_text() == "mine"


@pytest.mark.parametrize("command", [("check",), ("build",), ("pull", "wearables")])
def test_without_a_study_each_command_says_what_to_do_in_one_line(tmp_path, monkeypatch, command):
    monkeypatch.setenv("STEPWELL_HOME", str(tmp_path / "none"))
    result = run(*command)
    assert result.exit_code == 2
    assert len(result.output.strip().splitlines()) == 1
    assert "stepwell" in result.output
    assert "Traceback" not in result.output


def test_a_secret_that_is_missing_is_named(home, monkeypatch):
    monkeypatch.setenv("STEPWELL_HOME", str(home.path))
    result = run("pull", "questionnaires")
    assert result.exit_code == 2
    assert "STEPWELL_REDCAP_URL is not set" in result.output


def test_a_port_in_use_is_said_before_anything_starts(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert not port_is_free(int(port))
        result = run("demo", "--home", str(tmp_path / "demo"), "--airflow-port", port,
                     "--dashboard-port", str(free_port()))  # fmt: skip
        assert run("dashboard", "--port", port).exit_code == 2
    assert result.exit_code == 2
    assert f"port {port} is in use" in result.output
    assert "--airflow-port" in result.output
    assert port_is_free(int(port))


def test_a_demo_of_another_world_is_not_continued(tmp_path):
    home = tmp_path / "demo"
    home.mkdir()
    (home / "world.json").write_text('{"participants": 6, "weeks": 2, "steps": 2, "seed": 1}')
    result = run("demo", "--home", str(home), "--no-serve", "--seed", "2")
    assert result.exit_code == 2
    assert "holds a demo of 6 participants, 2 weeks" in result.output


@pytest.mark.parametrize("more", [(), ("--restart",)])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("study.toml", "a study that people walk in"),
        ("world.json", '{"continents": 7}'),
        ("world.json", "[1, 2]"),
        ("world.json", ""),
    ],
)
def test_a_demo_never_takes_over_a_folder_that_holds_something_else(tmp_path, name, text, more):
    (tmp_path / name).write_text(text)
    result = run("demo", "--home", str(tmp_path), "--no-serve", *more)
    assert result.exit_code == 2
    assert "nothing was removed" in result.output
    assert "choose another folder with --home" in result.output
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == text


def a_demo(home: Path) -> Path:
    """A folder as a demo of another seed leaves it."""
    (home / "lake").mkdir(parents=True)
    (home / "lake" / "day.parquet").write_text("days")
    (home / "world.json").write_text('{"participants": 6, "weeks": 2, "steps": 2, "seed": 1}')
    return home


def test_restart_leaves_a_running_demo_alone(tmp_path):
    home = a_demo(tmp_path / "demo")
    with (
        taken(home),
        started(["sleep", "600"], home / "airflow", os.environ, home / "log") as airflow,
    ):
        result = run("demo", "--home", str(home), "--no-serve", "--restart")
        assert airflow.poll() is None
    assert result.exit_code == 2
    assert "already running" in result.output
    assert (home / "lake" / "day.parquet").read_text() == "days"
    assert (home / "world.json").exists()


def test_what_a_killed_demo_left_on_a_port_is_ended_before_the_port_is_asked_for(tmp_path):
    home = a_demo(tmp_path / "demo")
    code = "import http.server as h; s = h.HTTPServer(('127.0.0.1', 0), None); " \
           "print(s.server_port, flush=True); s.serve_forever()"  # fmt: skip
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as left:
        assert left.stdout is not None
        port = left.stdout.readline().decode().strip()
        note_session(home, session_led_by(left.pid))
        result = run("demo", "--home", str(home), "--airflow-port", port,
                     "--dashboard-port", str(free_port()))  # fmt: skip
        assert left.wait() == -signal.SIGKILL
    assert "holds a demo of" in result.output
    assert "in use" not in result.output


def test_check_prints_the_hash_of_both_files_and_notices_a_file_that_was_changed(
    home, store, monkeypatch
):
    import duckdb

    from ingestion.clock import now
    from transforms.build import build_warehouse
    from warehouse.publish import stable_path

    monkeypatch.setenv("STEPWELL_HOME", str(home.path))
    built = build_warehouse(store, now())
    result = run("check")
    assert result.exit_code == 0, result.output
    assert f"content {built.content_hash}" in result.output
    assert "(without arms)" in result.output
    path: Path = stable_path(home).resolve()
    with duckdb.connect(str(path)) as con:
        con.execute("DELETE FROM visit WHERE visit = 'week_4'")
    changed = run("check")
    assert changed.exit_code == 3
    assert "its build said" in changed.output
    path.write_bytes(path.read_bytes()[:5000])
    cut = run("check")
    assert cut.exit_code == 3
    assert "damaged" in cut.output
    assert "Traceback" not in cut.output


def test_init_says_where_it_cannot_write(tmp_path):
    (tmp_path / "file").touch()
    result = run("init", str(tmp_path / "file" / "study"))
    assert result.exit_code == 2
    assert "cannot be written" in result.output


def test_a_pull_with_nobody_connected_says_so(home, monkeypatch):
    monkeypatch.setenv("STEPWELL_HOME", str(home.path))
    result = run("pull", "wearables")
    assert result.exit_code == 0
    assert "nothing to pull: no participant is connected" in result.output


def test_a_dashboard_without_a_study_says_so_instead_of_starting(tmp_path, monkeypatch):
    monkeypatch.setenv("STEPWELL_HOME", str(tmp_path / "mistyped"))
    result = run("dashboard")
    assert result.exit_code == 2
    assert "no study here" in result.output


def test_a_port_that_is_none_is_refused():
    assert run("dashboard", "--port", "99999").exit_code == 2
    assert "not in the range" in run("demo", "--airflow-port", "0").output
