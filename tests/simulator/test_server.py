"""The server itself: clock, dates, log, restart, the command."""

import re
import socket
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest
from click.testing import CliRunner
from support.simulated import CLIENT, bearer, simulated

from ingestion.simulator.__main__ import main
from ingestion.simulator.server import PortInUse, serve
from ingestion.simulator.state import FILE, ClockError, State, StateError
from ingestion.simulator.tokens import Signer, pkce_matches, share
from ingestion.simulator.world import World
from warehouse.study import EXAMPLE, read_study


@pytest.fixture(scope="module")
def served():
    with simulated(participants=2, weeks=1) as made:
        yield made


@pytest.fixture
def sim(served):
    served.http.post("/_emu/reset")
    return served


def test_the_clock_begins_the_day_before_the_first_day_at_six(sim):
    assert sim.now() == datetime(2026, 1, 18, 6, tzinfo=UTC)
    assert sim.http.get("/_emu/clock").json() == {"now": "2026-01-18T06:00:00+00:00"}


def test_the_clock_only_goes_forward(sim):
    later = "2026-02-01T08:00:00+02:00"
    assert sim.http.put("/_emu/clock", json={"now": later}).json() == {
        "now": "2026-02-01T06:00:00+00:00"
    }
    back = sim.http.put("/_emu/clock", json={"now": "2026-02-01T05:59:59Z"})
    assert back.status_code == 409
    assert "only goes forward" in back.json()["error"]
    with pytest.raises(ClockError):
        sim.set_clock(datetime(2026, 1, 31, tzinfo=UTC))
    assert sim.now() == datetime(2026, 2, 1, 6, tzinfo=UTC)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"now": "soon"}', b'{"now": "2026-02-01T06:00"}'])
def test_a_clock_needs_an_instant(sim, body):
    assert sim.http.put("/_emu/clock", content=body).status_code == 400


def test_every_reply_is_dated_by_the_clock(sim):
    sim.set_clock(datetime(2026, 3, 1, 12, 30, tzinfo=UTC))
    paths = ("/_emu/clock", "/v4/users/me/identity", "/1/user/-/profile.json", "/api/", "/nowhere")
    for path in paths:
        dates = sim.http.get(path).headers.get_list("date")
        assert [parsedate_to_datetime(date) for date in dates] == [sim.now()]


def test_unknown_paths_are_404_in_json(sim):
    for path in ("/nowhere", "/_emu/nowhere", "/1/nowhere"):
        reply = sim.http.get(path)
        assert reply.status_code == 404
        assert reply.json()


def test_the_log_counts_requests_by_personality_path_and_status(sim):
    headers = bearer(sim.google_grant("P001"))
    for _ in range(2):
        sim.http.get("/v4/users/me/identity", headers=headers)
    sim.http.get("/v4/users/me/profile", headers=headers)
    rows = sim.http.get("/_emu/log").json()["requests"]
    assert {"personality": "google", "path": "/v4/users/me/identity", "participant_id": "P001",
            "status": 200, "fault": "", "count": 2} in rows  # fmt: skip
    assert {row["status"] for row in rows if row["path"].endswith("profile")} == {403}
    assert sim.requests("/v4/") == 3


def test_reset_starts_the_world_over(sim):
    tokens = sim.fitbit_grant("P002")
    sim.set_clock(sim.now() + timedelta(days=3))
    sim.arm("500", times=-1)
    sim.http.post("/_emu/reset")
    assert sim.now() == datetime(2026, 1, 18, 6, tzinfo=UTC)
    assert sim.http.get("/_emu/log").json() == {"requests": []}
    assert sim.http.get("/_emu/clock").status_code == 200
    assert sim.google_grant("P001")["access_token"]
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert sim.http.post("/oauth2/token", data=form, auth=CLIENT).status_code == 400


def test_the_emulator_lists_its_participants(sim):
    listed = sim.http.get("/_emu/participants").json()["participants"]
    assert listed[1] == {"participant_id": "P002", "vendor": "fitbit", "connects": True}


# ------------------------------------------------------------------------------------ restart


def test_a_restart_keeps_clock_tokens_and_faults(tmp_path):
    world = {"participants": 2, "weeks": 1, "state": tmp_path}
    with simulated(**world) as sim:
        sim.set_clock(datetime(2026, 1, 25, 7, tzinfo=UTC))
        google, dead = sim.google_grant("P001"), sim.google_grant("P001")
        sim.http.post("/revoke", data={"token": dead["refresh_token"]})
        first = sim.fitbit_grant("P002")
        form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        second = sim.http.post("/oauth2/token", data=form, auth=CLIENT).json()
        sim.arm("503", times=2, match={"path": "/v4/users/me/settings"})
        settings = sim.http.get("/v4/users/me/settings", headers=bearer(google))
        assert settings.status_code == 503
    with simulated(**world) as sim:
        assert sim.now() == datetime(2026, 1, 25, 7, tzinfo=UTC)
        identity = "/v4/users/me/identity"
        assert sim.http.get(identity, headers=bearer(google)).status_code == 200
        assert sim.http.get(identity, headers=bearer(dead)).status_code == 401
        again = sim.http.post("/oauth2/token", data=form, auth=CLIENT)
        assert again.json() == second  # still within the grace of the clock
        codes = [sim.http.get("/v4/users/me/settings", headers=bearer(google)).status_code
                 for _ in range(2)]  # fmt: skip
        assert codes == [503, 200]


def test_state_is_committed_before_the_reply(tmp_path):
    """Read by another process while the server runs, as after kill -9."""
    with simulated(participants=2, weeks=1, state=tmp_path) as sim:
        sim.set_clock(datetime(2026, 1, 25, 7, tzinfo=UTC))
        sim.fitbit_grant("P002")
        other = sqlite3.connect(f"file:{tmp_path / FILE}?mode=ro", uri=True)
        assert other.execute("SELECT value FROM setting WHERE name = 'now'").fetchall() == [
            ("2026-01-25T07:00:00+00:00",)
        ]
        assert other.execute("SELECT generation FROM legacy").fetchall() == [(1,)]
        assert other.execute("SELECT count(*) FROM spent").fetchall() == [(1,)]
        other.close()


def test_the_state_of_another_world_is_refused(tmp_path):
    State(tmp_path, "one", datetime(2026, 1, 1, tzinfo=UTC)).close()
    with pytest.raises(StateError, match="another world"):
        State(tmp_path, "two", datetime(2026, 1, 1, tzinfo=UTC))


# ------------------------------------------------------------------------------------- tokens


def test_a_signed_text_reads_back_and_a_changed_one_does_not():
    signer = Signer(1)
    text = signer.sign("a-", {"who": "P001"})
    assert signer.read("a-", text) == {"who": "P001"}
    assert signer.read("b-", text) is None
    assert signer.read("a-", text[:-1] + ("0" if text[-1] != "0" else "1")) is None
    assert Signer(2).read("a-", text) is None
    assert signer.read("a-", "") is None


def test_pkce_as_in_rfc_7636_appendix_b():
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert pkce_matches(verifier, challenge)
    assert not pkce_matches(verifier[:-1], challenge)


def test_a_share_is_between_0_and_1_and_spread():
    drawn = [share(1, n) for n in range(1000)]
    assert 0 <= min(drawn) < 0.02
    assert 0.98 < max(drawn) < 1
    assert drawn == [share(1, n) for n in range(1000)]


# -------------------------------------------------------------------------------- the command


def test_a_port_in_use_is_said_plainly():
    world = World(read_study(EXAMPLE), participants=1, weeks=1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match="in use"), serve(world, port=port):
            pass
        told = CliRunner().invoke(main, ["--participants", "1", "--port", str(port)])
    assert told.exit_code == 1
    assert told.output.startswith(f"Error: port {port} is in use")


def test_the_command_explains_itself():
    told = CliRunner().invoke(main, ["--help"])
    assert told.exit_code == 0
    assert "PUT" in told.output
    assert "--state" in told.output


def test_a_missing_study_is_said_plainly(tmp_path):
    told = CliRunner().invoke(main, ["--study", str(tmp_path / "study.toml")])
    assert told.exit_code == 1
    assert "no study here" in told.output


def test_it_runs_alone_and_survives_a_kill(tmp_path):
    command = [sys.executable, "-m", "ingestion.simulator", "--participants", "1", "--weeks", "1",
               "--port", "0", "--state", str(tmp_path)]  # fmt: skip
    clocks = []
    for _ in range(2):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            said = process.stdout.readline()
            url = re.match(r"(http://127\.0\.0\.1:\d+)  clock ", said).group(1)
            clocks.append(httpx.get(f"{url}/_emu/clock").json()["now"])
            httpx.put(f"{url}/_emu/clock", json={"now": "2026-01-20T06:00:00Z"})
        finally:
            process.kill()
            process.communicate()
    assert clocks == ["2026-01-18T06:00:00+00:00", "2026-01-20T06:00:00+00:00"]
