"""A participant is erased: nothing anywhere holds them, nobody else is touched, none comes back."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from cryptography.fernet import Fernet
from support.enrolment import GIVEN, MASKED, OF_HAIFA, UNBLINDED, trail
from support.grants import killed_at
from support.postgresql import database
from support.scanner import SQLITE, written
from support.simulated import Simulated, simulated
from support.takeout import NEW, STEPS_HEADER, csv, folder
from support.trial import Trial, trial

from dags.cli import main
from ingestion.actions import Actions
from ingestion.consent_web import invite
from ingestion.errors import BadInput
from ingestion.importing import import_files
from ingestion.reread import reread
from transforms.build import build_warehouse
from warehouse import register as reg
from warehouse.home import open_store
from warehouse.publish import content_hash, open_published, stable_path
from warehouse.refused import Refused
from warehouse.tables import landed

pytestmark = pytest.mark.postgresql

WHO, OTHER = "P001", "P002"
SILENT = {"progress": lambda line: None}
NAMED = re.compile(rf"(?<![\w-]){WHO}(?!\w)")


class Study:
    """A trial under way in which everything there can be of a participant is of P001."""

    def __init__(self, run: Trial, sim: Simulated, files: Path) -> None:
        self.run, self.sim, self.store, self.files = run, sim, run.store, files
        self.actions = Actions(run.store, sim.now)

    def fill(self) -> None:
        begin = self.sim.world.pull_instants(1)[0] - timedelta(days=2)
        self.run.enrol(begin)
        walk = csv(STEPS_HEADER, "2026-01-26T06:14:00Z,10,Inspire 3")
        folder(self.files / "a", {NEW + "steps_2026-03-01.csv": walk})
        self.take_in("takeout", self.files / "a", participant_id=WHO)
        table = self.files / "pain.csv"
        table.write_text(f"participant_id,visit,nprs\n{WHO},week_4,6\n{OTHER},week_4,3\n")
        self.take_in("table_export", table)
        for days in (0, 1):
            self.run.pull(begin + timedelta(days=days))
            self.run.build()
        invite(self.store, "google_health", WHO)

    def take_in(self, source: str, path: Path, **named: str) -> None:
        import_files(self.store, source, path, now=self.sim.now(), **SILENT, **named)

    def places(self) -> list[str]:
        """Where the pseudonym stands, the audit trail aside."""
        found = [place for place, text in written(self.store.home.path)
                 if not place.split(" ")[0].endswith(SQLITE) and NAMED.search(text)]  # fmt: skip
        return found + [f"register {line[:60]}" for line in self._dump() if NAMED.search(line)]

    def _dump(self) -> Iterator[str]:
        for table in reg.metadata.sorted_tables:
            if table is not reg.audit:
                rows = self.store.register.rows(sa.select(table))
                yield from (f"{table.name} {row}" for row in rows)

    def facts(self, who: str) -> list[object]:
        """What has landed of a participant."""
        told: list[object] = []
        for file in self.store.lake.day_files():
            told += [(row["participant_id"], row["source"], row["activity_date"], row["row_hash"],
                      row["raw_sha256"]) for row in self.store.lake.read_days(file.path).to_pylist()
                     if row["participant_id"] == who]  # fmt: skip
        for table in (landed.response, landed.treatment_session, landed.goal):
            rows = self.store.lake.read_rows(table).to_pylist()
            told += [str(row) for row in rows if row["participant_id"] == who]
        return sorted(told, key=str)


@contextmanager
def opened(files: Path, register_url: str, patch: pytest.MonkeyPatch) -> Iterator[Study]:
    patch.setenv("STEPWELL_PUBLIC_URL", "http://localhost")
    patch.setenv("STEPWELL_REGISTER_URL", register_url)
    with simulated(4, 2, state=files / "world") as sim, trial(files / "study", sim, patch) as run:
        yield Study(run, sim, files)


@pytest.fixture(scope="module")
def filled(server, tmp_path_factory) -> Iterator[tuple[Path, str]]:
    """The study's files and register, made once."""
    files = tmp_path_factory.mktemp("filled")
    with database(server) as url:
        with pytest.MonkeyPatch.context() as patch, opened(files, url, patch) as study:
            study.fill()
        yield files, url


@pytest.fixture
def study(server, filled, tmp_path, monkeypatch):
    files, url = filled
    shutil.copytree(files, tmp_path / "copy", symlinks=True)
    with (
        database(server, like=url) as mine,
        opened(tmp_path / "copy", mine, monkeypatch) as study,
    ):
        study.run.pulled_at.append(study.sim.now())
        yield study


def erase(study, **named):
    return study.actions.erase(UNBLINDED, WHO, WHO, "asked for it", **named)


def test_nothing_holds_who_was_erased_and_nobody_else_is_touched(study):
    account = study.store.register.rows(
        sa.select(reg.grant.c.vendor_user_id).where(
            reg.grant.c.participant_id == WHO, reg.grant.c.source == "google_health"
        )
    )[0]["vendor_user_id"]
    before = {one: study.facts(one) for one in (OTHER, "P003", "P004")}
    kinds = {re.sub(r"[^a-z_]+.*", "", place) for place in study.places()}
    assert {"lake", "published", "unblinded", "register"} <= kinds
    receipt = erase(study)
    assert study.places() == []
    assert study.facts(WHO) == []
    assert {one: study.facts(one) for one in before} == before
    for part in study.store.home.path.glob("register.sqlite*"):
        assert part.is_dir() or account.encode() not in part.read_bytes()
    assert receipt.notes == ["REDCap has a record of its own: delete it there too."]
    assert receipt.removed["raw_reply"] >= 3
    assert receipt.removed["activity_day"] > 3
    assert receipt.removed["participant"] == receipt.removed["consent_link"] == 1
    assert receipt.removed["shared_raw_reply"] == 5  # a table, two rosters, two batches


def test_what_a_killed_writer_left_goes_and_what_is_being_written_stays(study):
    folder_of = Path(study.store.home.lake_url) / "activity_day"
    left, fresh = folder_of / ".left.tmp", folder_of / ".fresh.tmp"
    for path in (left, fresh):
        path.write_text(f"a row of {OTHER}")
    os.utime(left, (0, 0))
    erase(study)
    assert not left.exists()
    assert fresh.exists()


def test_the_receipt_holds_no_personal_data_and_the_vendors_permission_is_ended(study):
    assert study.sim.google_grant(WHO)
    assert study.sim.requests("/revoke") == 0
    receipt = erase(study)
    assert study.sim.requests("/revoke") == 1
    [(who, digest, removed, why)] = trail(study.store, "erased")
    assert (who, why) == ("dana, unblinded", "asked for it")
    assert re.fullmatch("[0-9a-f]{64}", digest)
    assert json.loads(removed) == receipt.removed
    assert WHO not in removed + digest


def test_nothing_brings_them_back(study):
    erase(study)
    at = study.run.pulled_at[-1] + timedelta(days=1)
    study.run.pull(at)
    for source in ("google_health", "fitbit", "redcap", "takeout", "study_team"):
        reread(study.store, source, **SILENT)
    with pytest.raises(BadInput, match=r"1 of its participants were erased .*P001"):
        study.take_in("table_export", study.files / "pain.csv")
    with pytest.raises(BadInput, match="not on the roster"):
        study.take_in("takeout", study.files / "a", participant_id=WHO)
    with pytest.raises(BadInput, match="were erased"):
        study.take_in("takeout", study.files / "a", participant_id=WHO, enrol_site="haifa")
    assert study.places() == []
    build_warehouse(study.store, at)
    assert study.places() == []


def test_the_files_published_at_once_hold_the_others_and_the_next_build_is_as_from_nothing(study):
    erase(study)
    home = study.store.home
    for folder_of in (home.published, home.unblinded):
        assert len(list((folder_of / "builds").glob("*"))) == 1
    for sees_arms in (True, False):
        with closing(open_published(stable_path(home, sees_arms))) as con:
            people = con.execute("SELECT participant_id FROM participant ORDER BY 1").fetchall()
            assert people == [(OTHER,), ("P003",), ("P004",)]
            days = con.execute("SELECT count(*) FROM participant_day").fetchall()[0][0]
            assert days > 0
            said = con.execute("SELECT content_hash FROM ops.build").fetchall()[0][0]
            assert said == content_hash(con)
    quick = study.run.build().content_hash
    assert quick == study.run.build(full=True).content_hash


def test_the_pseudonym_is_never_given_again(study):
    erase(study)
    with pytest.raises(Refused, match="was erased, and is never given again"):
        study.actions.enrol(UNBLINDED, GIVEN | {"enrolled_on": "2026-01-20"}, WHO)
    made = study.actions.enrol(UNBLINDED, GIVEN | {"enrolled_on": "2026-01-20"}).participant_id
    study.actions.erase(UNBLINDED, made, made, "asked for it")
    assert study.actions.propose(UNBLINDED) != made


def test_an_entry_of_the_study_team_goes_too(study):
    given = GIVEN | {"enrolled_on": "2026-01-20", "age_years": 54}
    made = study.actions.enrol(UNBLINDED, given).participant_id
    study.actions.goal(UNBLINDED, made, "2026-02-01", 5000, "agreed")
    receipt = study.actions.erase(UNBLINDED, made, made, "asked for it")
    assert (receipt.removed["raw_reply"], receipt.removed["goal"]) == (2, 1)
    assert list(study.store.lake.raw("study_team")) == []
    assert reread(study.store, "study_team", **SILENT).rows_new == 0


def test_a_vendor_that_does_not_answer_holds_nothing_up_and_is_told_of(study):
    study.sim.arm("503", -1, {"path": "/revoke"})
    notes = erase(study).notes
    assert notes[0].startswith("google_health: the permission could not be ended at the vendor")
    assert study.places() == []


def test_what_would_be_removed_is_shown_first(study):
    shown = study.actions.erasable(UNBLINDED, WHO)
    assert shown["build"] == 4  # two builds, each with and without arms
    assert (shown["participant"], shown["grant"], shown["consent_link"]) == (1, 2, 1)
    assert {"activity_day", "receipt", "raw_reply"} <= set(shown)
    assert not {"response", "treatment_session"} & set(shown)  # their number can tell the arm
    removed = erase(study).removed
    assert {name: removed[name] for name in shown if name != "build"} == {
        name: shown[name] for name in shown if name != "build"
    }


@pytest.mark.parametrize(
    ("by", "typed", "why", "field"),
    [
        (UNBLINDED, "P002", "asked for it", "typed"),
        (UNBLINDED, "", "asked for it", "typed"),
        (UNBLINDED, WHO, "", "why"),
        (UNBLINDED, WHO, "p001 asked for it", "why"),
        (OF_HAIFA, WHO, "asked for it", "participant_id"),
    ],
)
def test_a_slip_erases_nobody(study, by, typed, why, field):
    with study.store.register.begin() as con:
        con.execute(sa.update(reg.participant).values(site="southampton"))
    before = study.facts(WHO)
    with pytest.raises(Refused) as caught:
        study.actions.erase(by, WHO, typed, why)
    assert list(caught.value.faults) == [field]
    assert study.facts(WHO) == before
    assert MASKED.may  # of every site, with the right: the others' faults are of what they typed


def test_the_command_erases_and_builds(study, monkeypatch):
    asked = ["erase", WHO, "--why", "asked for it"]
    refused = CliRunner().invoke(main, asked, input="P002\n")
    assert refused.exit_code == 2
    assert "is not the pseudonym" in refused.output
    result = CliRunner().invoke(main, asked, input=f"{WHO}\n")
    assert result.exit_code == 0, result.output
    assert "The warehouse was built anew" in result.output
    assert study.places() == []
    again = CliRunner().invoke(main, [*asked, "--yes"])
    assert again.exit_code == 2
    assert "nobody's on the roster" in again.output


def test_after_the_key_is_changed_they_still_do_not_come_back(study, monkeypatch):
    erase(study)
    old, new = os.environ["STEPWELL_KEY"], Fernet.generate_key().decode()
    monkeypatch.setenv("STEPWELL_KEY", f"{new},{old}")
    assert CliRunner().invoke(main, ["keys", "rotate"]).exit_code == 0
    monkeypatch.setenv("STEPWELL_KEY", new)
    study.run.pull(study.run.pulled_at[-1] + timedelta(days=1))
    assert study.places() == []


@pytest.mark.parametrize("every", [11_000, pytest.param(300, marks=pytest.mark.slow)])
def test_an_erasure_killed_anywhere_is_finished_by_doing_it_again(study, server, every):
    if server and every < 11_000:
        pytest.skip("so finely on SQLite alone: it takes many minutes")
    before = {one: study.facts(one) for one in (OTHER, "P003", "P004")}
    home, now, line, killed = study.store.home, study.sim.now(), every, 0
    study.store.register.close()

    def work():
        actions = Actions(open_store(home), lambda: now)
        with suppress(Refused):  # killed after the end: there is nobody to erase any more
            actions.erase(UNBLINDED, WHO, WHO, "asked for it")

    while killed_at(line, work):
        killed += 1
        line += every
    assert killed >= 3
    assert study.places() == []
    assert {one: study.facts(one) for one in before} == before
    assert len(trail(study.store, "erased")) == 1
