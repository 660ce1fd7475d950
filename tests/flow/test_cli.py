"""The command `stepwell`: what a person types, and what it answers when something is wrong."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dags.cli import main
from dags.local import free_port, port_is_free
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
    assert "export STEPWELL_HOME=back-pain" in result.output
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
    assert "choose another folder with --home" in result.output


def test_restart_refuses_a_folder_that_is_no_demo(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    result = run("demo", "--home", str(tmp_path), "--restart", "--no-serve")
    assert result.exit_code == 2
    assert "nothing was removed" in result.output
    assert (tmp_path / "thesis.txt").exists()


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
    assert "masked" in result.output
    path: Path = stable_path(home).resolve()
    with duckdb.connect(str(path)) as con:
        con.execute("DELETE FROM visit WHERE visit = 'week_4'")
    changed = run("check")
    assert changed.exit_code == 3
    assert "its build said" in changed.output
