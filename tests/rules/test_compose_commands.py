"""Every command, option and Airflow setting that docker-compose.yml names exists."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from support.house import COMPOSE

# Run apart: importing Airflow here would fix its home for every later test of this process.
ASK_AIRFLOW = """
import json, sys
from airflow.cli.cli_parser import get_parser
from airflow.configuration import conf
from celery import Celery
from importlib import import_module

asked = json.load(sys.stdin)
parser, wrong = get_parser(), []
for words in asked["commands"]:
    try:
        parser.parse_args(words)
    except SystemExit:
        wrong.append("airflow " + " ".join(words))
conf.load_providers_configuration()
known = {
    (section, option)
    for section, found in conf.configuration_description.items()
    for option in found["options"]
}
wrong += [name for name in asked["settings"]
          if tuple(name.lower().split("__")[1:]) not in known]
for path in asked["apps"]:
    module, _, name = path.rpartition(".")
    if not isinstance(getattr(import_module(module), name, None), Celery):
        wrong.append(path)
print(json.dumps(wrong))
"""


_NAMED = re.compile(r"[\w.]+:\w+").fullmatch  # as --actions and --routes have it


def commands_of(compose: dict[str, Any]) -> list[list[str]]:
    """The command of every service of our image, and of every health check of it."""
    found = []
    for service in compose["services"].values():
        if "build" in service:
            test = service.get("healthcheck", {}).get("test", ["CMD"])
            words = test[1].split() if test[0] == "CMD-SHELL" else test[1:]
            found += [part for part in (service["command"], words) if part]
    return found


def unknown_commands(compose: dict[str, Any], home: Path) -> list[str]:
    """Commands, Airflow settings and Celery apps that do not exist."""
    commands = commands_of(compose)
    modules = {(c[2], *(o for o in c if o.startswith("--"))) for c in commands if c[1:2] == ["-m"]}
    wrong = [fault for name, *options in sorted(modules) for fault in _faults_of(name, options)]
    wrong += [name for c in commands for name in c if _NAMED(name) and not _is_function(name)]
    asked = {
        "commands": [c[1:] for c in commands if c[0] == "airflow"],
        "settings": [
            name
            for service in compose["services"].values()
            for name in service.get("environment", {})
            if name.startswith("AIRFLOW__")
        ],
        "apps": [c[c.index("--app") + 1] for c in commands if c[0] == "celery"],
    }
    other = {"airflow", "celery", "python"}
    wrong += [" ".join(c) for c in commands if c[0] not in other]
    reply = subprocess.run(
        [sys.executable, "-c", ASK_AIRFLOW],
        input=json.dumps(asked),
        env={**os.environ, "AIRFLOW_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    return wrong + json.loads(reply.stdout.splitlines()[-1])


def _is_function(name: str) -> bool:
    """Whether MODULE:FUNCTION is there."""
    module, _, function = name.partition(":")
    return callable(getattr(importlib.import_module(module), function, None))


def _faults_of(name: str, options: list[str]) -> list[str]:
    """What of `python -m name --options` does not exist."""
    found = importlib.util.find_spec(name) and importlib.util.find_spec(f"{name}.__main__")
    if not found:
        return [f"python -m {name}"]
    told = subprocess.run(
        [sys.executable, "-m", name, "--help"], capture_output=True, text=True, check=True
    ).stdout
    return [f"python -m {name} {option}" for option in options if f"{option} " not in told]


def test_every_command_exists(tmp_path):
    assert unknown_commands(COMPOSE, tmp_path) == []


def test_what_does_not_exist_is_found(tmp_path):
    bad = {
        "services": {
            "a": {"build": ".", "command": ["airflow", "webserver"]},
            "b": {"build": ".", "command": ["python", "-m", "warehouse"]},
            "e": {"build": ".", "command": ["python", "-m", "dashboard", "--prot", "8501"]},
            "f": {
                "build": ".",
                "command": ["python", "-m", "dashboard", "--routes", "ingestion.actions:none"],
            },
            "c": {"build": ".", "command": ["gunicorn"], "environment": {"AIRFLOW__CORE__NO": "1"}},
            "d": {"build": ".", "command": ["celery", "--app", "celery.nothing", "inspect"]},
        }
    }
    assert sorted(unknown_commands(bad, tmp_path)) == [
        "AIRFLOW__CORE__NO",
        "airflow webserver",
        "celery.nothing",
        "gunicorn",
        "ingestion.actions:none",
        "python -m dashboard --prot",
        "python -m warehouse",
    ]
