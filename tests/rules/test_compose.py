"""docker-compose.yml without a container engine: its form, its secrets, its blind."""

import copy
import importlib.metadata
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from support.house import COMPOSE, COMPOSE_FILE, PACKAGES, ROOT

from dashboard.signin import URL, URL_IN_FULL

SECRETS = re.findall(r"\$\{(\w+):\?", COMPOSE_FILE.read_text(encoding="utf-8"))
# Law 9: who may mount a folder with arms, and for what (docs/decisions/0019-who-holds-the-arms.md).
HOLDS_ARMS = {
    "worker": "it lands the roster and builds both files",
    "dashboard-unblinded": "it shows the arms, and can only read them",
    "dashboard-enrolment": "an erasure rewrites the lake and both files",
}
ARMS = ("home", "unblinded")  # the lake is in `home`
AIRFLOW = ("airflow-init", "api-server", "scheduler", "dag-processor", "triggerer", "worker")


def form_faults(compose: dict[str, Any]) -> list[str]:
    """Against the compose specification, whose schema check-jsonschema brings along."""
    package = importlib.metadata.distribution("check-jsonschema")
    inside = "check_jsonschema/builtin_schemas/vendor/compose-spec.json"
    schema = json.loads(Path(str(package.locate_file(inside))).read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(compose)]


def open_ports(compose: dict[str, Any]) -> list[str]:
    return [
        f"{name}: port {port} is open to other machines"
        for name, service in compose["services"].items()
        for port in service.get("ports", [])
        if not str(port).startswith("127.0.0.1:")
    ]


def written_secrets(compose: dict[str, Any]) -> list[str]:
    """Secrets and connections whose value is not a variable that must be set.

    A blank value is taken from outside when it is set there.
    """
    names = re.compile(r"KEY|SECRET|PASSWORD$|TOKEN|CONN$|BROKER_URL|BACKEND|REGISTER_URL|AUTH$")
    return [
        f"{service}: {name} is not required from outside"
        for service, body in compose["services"].items()
        for name, value in body.get("environment", {}).items()
        if names.search(name) and value is not None and not re.search(r"\$\{\w+:\?[^}]+\}", value)
    ]


def broken_blind(compose: dict[str, Any]) -> list[str]:
    """Law 9: a dashboard reaches one of the two folders, and can only read it."""
    allowed = {"dashboard": "published", "dashboard-unblinded": "unblinded"}
    found = []
    for name, folder in allowed.items():
        if compose["services"][name]["volumes"] != [f"{folder}:/stepwell/{folder}:ro"]:
            found.append(f"{name} mounts more than {folder}, or not read-only")
    return found


def holders_of_arms(compose: dict[str, Any]) -> set[str]:
    """The services that mount a folder with arms, in the short form of a mount or the long one."""
    return {
        name
        for name, service in compose["services"].items()
        for mount in service.get("volumes", [])
        if (mount.get("source") if isinstance(mount, dict) else mount.split(":")[0]) in ARMS
    }


def strange_holders(compose: dict[str, Any]) -> list[str]:
    return [
        f"{name} holds arms, without a reason"
        for name in sorted(holders_of_arms(compose) - set(HOLDS_ARMS))
    ]


def unnamed_addresses(compose: dict[str, Any]) -> list[str]:
    """Variables of .env that a service is given as its STEPWELL_DASHBOARD_URL, and which the
    complaint that there is none, or docs/access.md, does not name for it."""
    page = (ROOT / "docs/access.md").read_text(encoding="utf-8")
    given = {
        name: re.findall(r"\w+_URL", str(service.get("environment", {}).get(URL)))
        for name, service in compose["services"].items()
    }
    return [
        f"{service}: {name}"
        for service, names in given.items()
        for name in names
        if f"{name} for {service}" not in URL_IN_FULL or f"`{name}` for `{service}`" not in page
    ]


def doors_open(compose: dict[str, Any]) -> list[str]:
    """What writes or holds keys: who enrols signs in, and has what the worker has; participants'
    own pages reach no file; whoever only looks has neither actions nor keys."""
    services = compose["services"]
    worker, enrolment, consent, *lookers = (
        services[name]
        for name in ("worker", "dashboard-enrolment", "consent", "dashboard", "dashboard-unblinded")
    )
    wanted = {name for name in worker["environment"] if name.startswith("STEPWELL_")}
    found = []
    if not wanted <= set(enrolment["environment"]):
        found.append("dashboard-enrolment lacks settings of the worker")
    if enrolment["environment"]["STEPWELL_ALLOW_NO_SIGN_IN"] != "0":
        found.append("dashboard-enrolment lets people in without a sign-in")
    if "volumes" in consent or "STEPWELL_REDCAP_TOKEN" in consent["environment"]:
        found.append("consent holds more of the study than it needs")
    if any(
        "STEPWELL_KEY" in one["environment"] or "--actions" in one["command"] for one in lookers
    ):
        found.append("a dashboard that only shows can change something")
    return found


def disagreements(compose: dict[str, Any]) -> list[str]:
    """Settings that are not the same on every Airflow process."""
    common = compose["x-airflow-environment"]
    return [
        f"{name}: {key} differs"
        for name in AIRFLOW
        for key, value in common.items()
        if compose["services"][name]["environment"].get(key) != value
    ]


def unread_settings(compose: dict[str, Any]) -> list[str]:
    """Settings of Stepwell that no code reads."""
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
    )
    vendor = re.compile(
        r"STEPWELL_(GOOGLE_HEALTH|FITBIT)_((AUTH_|TOKEN_)?URL|CLIENT_ID|CLIENT_SECRET)"
    )
    return [
        f"{service}: {name}"
        for service, body in compose["services"].items()
        for name in body.get("environment", {})
        if name.startswith("STEPWELL_") and name not in code and not vendor.fullmatch(name)
    ]


def expanded(file: Path, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The file as a compose program reads it: anchors merged, variables filled in."""
    podman = folder / "podman"  # asked for its version, then left alone
    podman.write_text("#!/bin/sh\necho podman version 5.0.0\n")
    podman.chmod(0o755)
    program = Path(sys.executable).with_name("podman-compose")
    profiles = ("--profile", "simulator", "--profile", "unblinded", "--profile", "enrolment")
    return subprocess.run(
        [program, "--podman-path", podman, "--file", file, *profiles, "config"],
        env={"PATH": os.environ["PATH"], **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_file_is_a_compose_file():
    assert form_faults(COMPOSE) == []


def test_ports_are_open_to_this_machine_only():
    assert open_ports(COMPOSE) == []


def test_no_secret_is_written_down():
    assert written_secrets(COMPOSE) == []


def test_the_blind_holds_in_the_mounts():
    assert broken_blind(COMPOSE) == []


def test_arms_are_held_by_those_alone_who_have_a_reason():
    assert holders_of_arms(COMPOSE) == set(HOLDS_ARMS)


def test_who_lacks_an_address_is_told_its_name_in_env():
    assert unnamed_addresses(COMPOSE) == []


def test_who_may_change_something_comes_by_a_door_of_their_own():
    assert doors_open(COMPOSE) == []


def test_every_airflow_process_has_the_same_settings():
    assert disagreements(COMPOSE) == []


def test_every_setting_is_read():
    assert unread_settings(COMPOSE) == []


def test_the_services_of_the_design_are_all_there():
    wanted = {*AIRFLOW, "postgres", "redis", "dashboard", "simulator"}
    assert wanted <= set(COMPOSE["services"])
    assert COMPOSE["services"]["simulator"]["profiles"] == ["simulator"]


def test_every_service_that_stays_up_says_whether_it_is_well():
    silent = {n for n, s in COMPOSE["services"].items() if "healthcheck" not in s}
    assert silent == {"airflow-init"}


def test_with_every_secret_set_each_variable_is_filled_in(tmp_path):
    reply = expanded(COMPOSE_FILE, tmp_path, **{name: f"value-of-{name}" for name in SECRETS})
    assert reply.returncode == 0, reply.stderr
    services = yaml.safe_load(reply.stdout)["services"]
    assert set(services) == set(COMPOSE["services"])
    assert "${" not in reply.stdout
    url = services["worker"]["environment"]["STEPWELL_REGISTER_URL"]
    assert url == "postgresql+psycopg2://stepwell:value-of-POSTGRES_PASSWORD@postgres/register"
    assert services["dashboard"]["environment"]["STEPWELL_AIRFLOW_URL"] == "http://127.0.0.1:8080"


@pytest.mark.parametrize("missing", sorted(set(SECRETS)))
def test_without_a_secret_nothing_starts(tmp_path, missing):
    others = {name: "x" for name in SECRETS if name != missing}
    reply = expanded(COMPOSE_FILE, tmp_path, **others)
    assert reply.returncode != 0
    assert f"{missing} is missing a value: set it, see docs/several_machines.md" in reply.stderr


def _misspelt(services: dict[str, Any]) -> None:
    services["worker"]["comand"] = services["worker"].pop("command")


def _open_port(services: dict[str, Any]) -> None:
    services["api-server"]["ports"] = ["8080:8080"]


def _written(services: dict[str, Any]) -> None:
    services["worker"]["environment"]["STEPWELL_KEY"] = "letmein"


def _both_folders(services: dict[str, Any]) -> None:
    services["dashboard"]["volumes"].append("unblinded:/stepwell/unblinded:ro")


def _arms_in_airflow(services: dict[str, Any]) -> None:
    services["scheduler"]["volumes"] = ["unblinded:/stepwell/unblinded:ro"]


def _arms_for_participants(services: dict[str, Any]) -> None:
    services["consent"]["volumes"] = [{"type": "volume", "source": "home", "target": "/stepwell"}]


def _other_address(services: dict[str, Any]) -> None:
    services["dashboard-unblinded"]["environment"][URL] = "${STEPWELL_STATISTICIAN_URL:-}"


def _writable(services: dict[str, Any]) -> None:
    services["dashboard"]["volumes"] = ["published:/stepwell/published"]


def _unread(services: dict[str, Any]) -> None:
    services["worker"]["environment"]["STEPWELL_GOOGLE_CLIENT_ID"] = None


def _other_key(services: dict[str, Any]) -> None:
    services["worker"]["environment"]["AIRFLOW__CORE__FERNET_KEY"] = "${OTHER:?set it}"


def _anybody_enrols(services: dict[str, Any]) -> None:
    services["dashboard-enrolment"]["environment"]["STEPWELL_ALLOW_NO_SIGN_IN"] = "1"


def _no_lake(services: dict[str, Any]) -> None:
    del services["dashboard-enrolment"]["environment"]["STEPWELL_LAKE_URL"]


def _keys_for_everyone(services: dict[str, Any]) -> None:
    services["dashboard"]["environment"]["STEPWELL_KEY"] = "${STEPWELL_KEY:?set it}"


def _consent_with_files(services: dict[str, Any]) -> None:
    services["consent"]["volumes"] = ["home:/stepwell"]


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (_misspelt, form_faults),
        (_open_port, open_ports),
        (_written, written_secrets),
        (_both_folders, broken_blind),
        (_writable, broken_blind),
        (_both_folders, strange_holders),
        (_arms_in_airflow, strange_holders),
        (_arms_for_participants, strange_holders),
        (_other_address, unnamed_addresses),
        (_other_key, disagreements),
        (_unread, unread_settings),
        (_anybody_enrols, doors_open),
        (_no_lake, doors_open),
        (_keys_for_everyone, doors_open),
        (_consent_with_files, doors_open),
    ],
)
def test_a_bad_file_is_found(
    spoil: Callable[[dict[str, Any]], None], rule: Callable[[dict[str, Any]], list[str]]
):
    bad = copy.deepcopy(COMPOSE)
    spoil(bad["services"])
    assert len(rule(bad)) == 1
