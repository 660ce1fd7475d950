"""A trial with many faults leaves no token, name, e-mail or serial in anything it writes."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import pytest
from support.scanner import found, is_token, written
from support.simulated import simulated
from support.trial import KEY, trial

from ingestion.errors import Misconfigured, Retired
from ingestion.simulator.oauth import CLIENT_SECRET
from ingestion.simulator.redcap import REDCAP_TOKEN
from ingestion.simulator.tokens import Signer

OPENS = {
    KEY: "the key of the grants",
    CLIENT_SECRET: "the client's secret",
    REDCAP_TOKEN: "REDCap's token",
}
# One after the other, each met by the pull of one day.
TROUBLES = (
    [("expired_token", {})],
    [("invalid_token", {}), ("502_html", {}), ("truncated", {})],
    [("truncated", {"short": True}), ("html_200", {}), ("empty", {}), ("reset", {})],
    [("429", {"retry_after": 1}), ("html_401", {}), ("scope_missing", {})],
    [("wrong_account", {}), ("service_disabled", {})],
    [("500", {}), ("503", {}), ("revoked", {})],
    [("410", {"body": "html"})],
)


@pytest.fixture
def faulty(tmp_path, monkeypatch, caplog) -> tuple[Path, object]:
    """The folder of a study after a week of troubles, logged to the last word."""
    caplog.set_level(logging.DEBUG)
    with simulated(12, 2, faults=True) as sim, trial(tmp_path / "study", sim, monkeypatch) as run:
        begin = sim.world.pull_instants(1)[0] - timedelta(days=len(TROUBLES))
        run.enrol(begin)
        said = []
        for number, troubles in enumerate(TROUBLES):
            for fault, args in troubles:
                for personality in ("google", "fitbit"):
                    sim.arm(fault, times=2, match={"personality": personality}, **args)
            try:
                run.pull(begin + timedelta(days=number))
            except (Misconfigured, Retired) as error:
                said += _chain(error)
        run.pulled_at = [begin + timedelta(days=len(TROUBLES) - 1)]
        run.build()
        (tmp_path / "study" / "log.txt").write_text(caplog.text + "\n".join(said))
        yield tmp_path / "study", sim.world


def _chain(error: BaseException | None) -> list[str]:
    lines = []
    while error is not None:
        lines += [str(error), repr(error), *getattr(error, "__notes__", [])]
        error = error.__cause__ or error.__context__
    return lines


def test_nothing_written_holds_a_token_a_name_or_a_serial(faulty):
    folder, world = faulty
    places = list(written(folder))
    assert any("wearables" in text or "answered" in text for _, text in places)
    kinds = {Path(place.split(" ")[0]).suffix for place, _ in places}
    assert {".zst", ".parquet", ".duckdb", ".sqlite", ".txt"} <= kinds
    # The register, readable to its owner alone, keeps which account a grant is of.
    allowed = "register.sqlite (dump): a vendor's account"
    lines = [line for line in found(iter(places), world, OPENS)
             if not line.startswith("register.sqlite") or "account" not in line]  # fmt: skip
    assert lines == [], allowed


def test_the_scanner_finds_what_is_there(tmp_path):
    with simulated(2, 1) as sim:
        token = sim.google_grant("P001")["refresh_token"]
        assert is_token(Signer(sim.world.seed), token)
        serial = sim.world.participants[0].device_id
        (tmp_path / "a.log").write_text(f"retry {token} later")
        (tmp_path / "b.log").write_text(f"device {serial}; mail dana@example.org; {CLIENT_SECRET}")
        (tmp_path / "c.log").write_text("nothing")
        assert found(written(tmp_path), sim.world, OPENS) == [
            "a.log: a token or code",
            "b.log: a device's serial",
            "b.log: an e-mail address",
            "b.log: the client's secret",
        ]
