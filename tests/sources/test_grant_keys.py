"""A new key for the tokens at rest: every grant is sealed anew, and none is lost on the way."""

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from support.grants import KEY, given, grants_at, killed_at

from dags.cli import main
from ingestion.errors import Misconfigured
from ingestion.grants import Grants
from ingestion.keys import rotate_keys
from ingestion.settings import read_keys
from warehouse import register as reg
from warehouse.register import Register

OLD = KEY.decode()
NEW = Fernet.generate_key().decode()
BOTH = [Fernet(NEW), Fernet(OLD)]
WHO = ("P001", "P002", "P003")


@pytest.fixture
def grants(register, http, now):
    found = grants_at("http://127.0.0.1:9", register, http, now)
    for number, participant_id in enumerate(WHO):
        given(found, participant_id, account=str(number))
    return found


def counts(rotated):
    return rotated.sealed, rotated.before, rotated.unreadable, rotated.busy


def test_every_grant_is_sealed_under_the_first_key_and_is_the_same(register, http, now, grants):
    before = [grants.find(one, "google_health") for one in WHO]
    rotated = rotate_keys(register, BOTH)
    assert (counts(rotated), rotated.done) == ((3, 0, 0, 0), True)
    by_new = Grants(register, MultiFernet([Fernet(NEW)]), http, now=now)
    assert [by_new.find(one, "google_health") for one in WHO] == before
    with pytest.raises(Misconfigured, match="STEPWELL_KEY"):  # the old key opens nothing any more
        grants.find("P001", "google_health")


def test_run_again_it_changes_nothing(register, grants):
    rotate_keys(register, BOTH)
    sealed = register.rows(sa.select(reg.grant.c.token))
    assert counts(rotate_keys(register, BOTH)) == (0, 3, 0, 0)
    assert register.rows(sa.select(reg.grant.c.token)) == sealed


def test_broken_off_anywhere_it_is_taken_up_again(register, grants):
    url, line = register.engine.url.render_as_string(), 1
    seen = set()
    while killed_at(line, lambda: rotate_keys(Register(url), BOTH)):
        line += 17
        for one in WHO:  # whatever was done so far, both keys open every grant
            both = Grants(register, MultiFernet(BOTH), grants._http)
            assert both.find(one, "google_health").token.access_token == "access-1"
        seen.add(sum(_opened_by_new(row["token"]) for row in register.rows(sa.select(reg.grant))))
    assert {0, 1, 2} <= seen
    assert rotate_keys(register, BOTH).before == 3


def _opened_by_new(sealed):
    try:
        return bool(Fernet(NEW).decrypt(sealed))
    except InvalidToken:
        return False


def test_a_grant_in_use_is_left_for_the_next_time(register, grants, monkeypatch):
    monkeypatch.setattr("ingestion.keys.LEASE_WAIT_SECONDS", 0)
    with register.leased(grants.find("P002", "google_health").lease):
        rotated = rotate_keys(register, BOTH)
    assert (counts(rotated), rotated.done) == ((2, 0, 0, 1), False)
    assert counts(rotate_keys(register, BOTH)) == (1, 2, 0, 0)


def test_what_no_key_opens_is_counted_and_kept(register, grants):
    rotated = rotate_keys(register, [Fernet(NEW)])
    assert (counts(rotated), rotated.done) == ((0, 0, 3, 0), False)
    assert grants.find("P001", "google_health").token.access_token == "access-1"


def test_the_first_key_is_the_one_that_seals():
    first, second = read_keys({"STEPWELL_KEY": f"{NEW}, {OLD}"})
    assert Fernet(NEW).decrypt(first.encrypt(b"x")) == b"x"
    assert Fernet(OLD).decrypt(second.encrypt(b"x")) == b"x"


def test_the_commands(home, http, now, monkeypatch):
    monkeypatch.setenv("STEPWELL_HOME", str(home.path))
    register = Register(home.register_url)
    given(grants_at("http://127.0.0.1:9", register, http, now))
    run = CliRunner().invoke
    new = run(main, ["keys", "new"]).output.strip()
    monkeypatch.setenv("STEPWELL_KEY", new)
    lost = run(main, ["keys", "rotate"])
    assert lost.exit_code == 3
    assert "1 are opened by none of these keys" in lost.output
    monkeypatch.setenv("STEPWELL_KEY", f"{new},{OLD}")
    done = run(main, ["keys", "rotate"])
    assert done.exit_code == 0
    assert done.output == "1 sealed anew, 0 under the first key already\nThe other keys may go.\n"
    monkeypatch.setenv("STEPWELL_KEY", new)
    assert "0 sealed anew, 1 under" in run(main, ["keys", "rotate"]).output
    register.close()
