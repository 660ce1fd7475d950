"""The locks and the settings that hold the rest up."""

import re
import tomllib
from pathlib import Path

import pytest
from support.house import PACKAGES, ROOT

LOCKS = ("build.lock", "requirements.lock", "requirements-dev.lock")


def faults_of(lock: str) -> list[str]:
    """What is wrong with a lock: a line that is neither pin nor hash, a pin without a hash."""
    found = []
    for entry in re.split(r"\n(?=\S)", lock.strip()):
        first, *rest = [line.strip().removesuffix("\\").strip() for line in entry.splitlines()]
        if not re.fullmatch(r"[A-Za-z0-9._\[\]-]+==[^\s;]+( ; .+)?", first):
            found.append(f"not a pin: {first}")
        elif not rest or not all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", x) for x in rest):
            found.append(f"without a hash on each line: {first}")
    return found


def pins_of(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([A-Za-z0-9._-]+)(?:\[.*\])?==([^\s;]+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", LOCKS)
def test_each_pin_carries_its_hashes_and_no_lock_names_an_index(name):
    assert faults_of((ROOT / name).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "lock",
    [
        "a==1",
        "a>=1 \\\n    --hash=sha256:" + "0" * 64,
        "--index-url https://example.org/simple",
        "a @ https://example.org/a.whl \\\n    --hash=sha256:" + "0" * 64,
        "a==1 \\\n    --hash=sha256:" + "0" * 64 + "\n    # from https://example.org",
    ],
)
def test_a_bad_lock_is_found(lock):
    assert len(faults_of(lock)) == 1


def test_a_good_lock_has_no_fault():
    assert faults_of("a==1 ; python_version < '3.12' \\\n    --hash=sha256:" + "0" * 64) == []


def test_what_runs_in_production_is_what_was_tested():
    tested = pins_of("requirements-dev.lock")
    differing = {k: v for k, v in pins_of("requirements.lock").items() if tested.get(k) != v}
    assert differing == {}


def test_the_direct_dependencies_are_locked():
    settings = _settings()["project"]
    named = settings["dependencies"], settings["optional-dependencies"]["dev"]
    for requirements, lock in zip(named, LOCKS[1:], strict=True):
        pins = {name.lower().replace("_", "-") for name in pins_of(lock)}
        wanted = {re.match(r"[\w.-]+", line)[0].lower().replace("_", "-") for line in requirements}
        assert wanted - pins == set()


def test_warnings_fail_the_tests_and_types_are_strict():
    tool = _settings()["tool"]
    assert tool["pytest"]["ini_options"]["filterwarnings"][0] == "error"
    assert "--strict-markers" in tool["pytest"]["ini_options"]["addopts"]
    assert tool["mypy"]["strict"] is True
    assert sorted(tool["mypy"]["packages"]) == sorted(PACKAGES)


def test_the_test_folders_are_no_packages():
    # tests/warehouse/__init__.py would hide the real package of that name.
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def _settings() -> dict:
    return tomllib.loads(Path(ROOT / "pyproject.toml").read_text(encoding="utf-8"))
