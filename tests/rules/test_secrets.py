"""Nothing private in the repository: no token, no machine's path, no package registry."""

import re
from pathlib import Path

import pytest
from support.house import ROOT, project_files

PRIVATE = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "a Google key or token": r"\b(AIza[\w-]{35}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,})",
    "a cloud key": r"\bAKIA[0-9A-Z]{16}\b",
    "a code host's token": r"\b(ghp_|gho_|github_pat_|glpat-)[0-9A-Za-z_]{20,}",
    "a JSON web token": r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}",
    "a Fernet key or token": r"(?<![\w/+-])([0-9A-Za-z_-]{43}=|gAAAA[0-9A-Za-z_-]{60,})(?![\w=])",
    # The pretend REDCap's token counts up to F twice and is no secret.
    "a secret in a file": r"(?i)\b\w*(password|secret|token|api_?key)\s*[=:]\s*[\"']?"
    r"(?!(0123456789abcdef){2}\b)[0-9a-f]{32,}",
}
ELSEWHERE = {
    "a package registry": r"(?i)\bpypi\.org|files\.pythonhosted\.org|registry\.npmjs\.org",
    "a machine's path": r"(?<![\w.])/(?:home|Users|work|root)/[\w.-]+",
}


def matches(root: Path, patterns: dict[str, str]) -> list[str]:
    return [
        f"{path.relative_to(root)}:{number}: {what}"
        for path in project_files(root)
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1)
        for what, pattern in patterns.items()
        if re.search(pattern, line) and path != Path(__file__)
    ]


def test_no_secret_is_in_the_repository():
    assert matches(ROOT, PRIVATE) == []


def test_no_registry_and_no_machine_is_named():
    assert matches(ROOT, ELSEWHERE) == []


def test_the_file_that_holds_secrets_is_kept_out():
    assert ".env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    "line",
    [
        "-----BEGIN RSA PRIVATE KEY-----",
        "AIza" + "a1B2c" * 7,
        "AKIA" + "A1B2C3D4E5F6G7H8",
        "ghp_" + "a1B2c3" * 6,
        ".".join(["eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxMjM0NTY3ODkwIn0", "c2lnbmF0dXJl"]),
        "KEY=" + "a1B2c3d4e5f" * 3 + "a1B2c3d4e5" + "=",
        "client_secret: " + "9f86d081884c7d65" * 2,
        "see https://" + "py" + "pi.org/project/x",
        "run /" + "home/someone/stepwell",
    ],
)
def test_what_is_private_is_found(tmp_path, line):
    (tmp_path / "notes.md").write_text(line)
    assert len(matches(tmp_path, PRIVATE | ELSEWHERE)) >= 1


def test_a_hash_in_a_lock_is_no_secret(tmp_path):
    (tmp_path / "x.lock").write_text("a==1 \\\n    --hash=sha256:" + "0123456789abcdef" * 4)
    assert matches(tmp_path, PRIVATE) == []
