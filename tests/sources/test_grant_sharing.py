"""One grant in the hands of many processes: each refresh is done once, and none loses the grant."""

import json
import multiprocessing

import pytest
from support.grants import KEY, at_the_simulator

from ingestion.consent import connect_headless
from ingestion.grants import Grants
from ingestion.http import open_http
from ingestion.settings import read_key
from ingestion.simulator import fitbit
from warehouse.register import Register

REFRESHES, USES = "/oauth2/token", "/1/user/-/devices.json"


def refresh_and_use(url, now, left, together, report):
    """A worker: while refreshes are left to do, refresh the newest grant and use what it gives.

    It reports the token that it had in hand at each refresh that it asked for itself.
    """
    register, asked, replaced = Register(url), [], []
    with open_http() as http:

        def count(request):
            if request.url.path == REFRESHES:
                asked.append(request)
                with left.get_lock():
                    left.value -= 1

        http.event_hooks = {"request": [count]}
        grants = Grants(register, read_key({"STEPWELL_KEY": KEY.decode()}), http, now=now)
        together.wait(60)
        while left.value > 0:
            asked.clear()
            old = grants.find("P001", "fitbit")
            new = grants.refresh(old)
            replaced += [old.token.refresh_token] * len(asked)
            assert grants.client(new).get(USES).status_code == 200
    register.close()
    report.write_text(json.dumps(replaced))


@pytest.mark.parametrize(
    ("processes", "refreshes"), [(4, 40), pytest.param(8, 1000, marks=pytest.mark.slow)]
)
def test_many_processes_share_one_single_use_token(tmp_path, monkeypatch, processes, refreshes):
    fork = multiprocessing.get_context("fork")
    with at_the_simulator(tmp_path, monkeypatch) as (store, served), open_http() as http:
        connect_headless(store, "fitbit", "P001")
        left, together = fork.Value("i", refreshes), fork.Barrier(processes)
        reports = [tmp_path / f"{number}.json" for number in range(processes)]
        asked = (store.home.register_url, served.now, left, together)
        workers = [fork.Process(target=refresh_and_use, args=(*asked, r)) for r in reports]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(600)
        assert [worker.exitcode for worker in workers] == [0] * processes
        log = http.get(f"{served.url}/_emu/log").json()["requests"]
        grant = Grants(store.register, read_key(), http).find("P001", "fitbit")
        made = served.simulator.signer.read(fitbit.REFRESH, grant.token.refresh_token)["generation"]
        assert Grants(store.register, read_key(), http).refresh(grant).state == "active"
    assert {row["status"] for row in log} == {200, 302}  # 302: the consent; no refresh was refused
    answered = sum(row["count"] for row in log if row["path"] == REFRESHES) - 1  # the consent's
    # The vendor makes a pair for a token that is new to it; a used one, in its grace, gets the old.
    used_tokens_answered = answered - (made - 1)
    assert used_tokens_answered == 0
    # Each token was replaced once: who came second took what the first had been given.
    replaced = [token for report in reports for token in json.loads(report.read_text())]
    assert len(set(replaced)) == len(replaced) == answered
    assert refreshes <= answered < refreshes + processes
