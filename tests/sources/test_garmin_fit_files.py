"""Garmin FIT: damaged files, zips, whose they are, and importing them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.fit import ACTIVITY, file_id, fit, info, packed, steps, summary
from support.studies import new_store

from ingestion.errors import BadInput
from ingestion.importing import import_files
from ingestion.source import Ask, Reply
from ingestion.sources._garmin_files import fit_file
from ingestion.sources.garmin_fit import SOURCE
from warehouse import register as reg
from warehouse.study import EXAMPLE, read_study

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 25, 22, tzinfo=UTC)
SERIAL = 3_141_592_653


def monitoring(*counts: int) -> bytes:
    """A file of 26 March in which a count was reached with every hour from eight o'clock."""
    told = [steps(MIDNIGHT + timedelta(hours=8 + n), count) for n, count in enumerate(counts)]
    return fit(file_id(serial=SERIAL), info(MIDNIGHT, 2), *told)


def ask(**changes) -> Ask:
    return Ask(read_study(EXAMPLE), NOW, **({"participant_id": "P-014"} | changes))


def fetched(path: Path, **changes):
    return list(SOURCE.fetch(path, ask(**changes)))


@pytest.fixture
def store(tmp_path):
    opened = new_store(tmp_path / "study")
    yield opened
    opened.register.close()


def load(store, path: Path, minute: int = 0):
    now = NOW + timedelta(minutes=minute)
    return import_files(
        store, "garmin_fit", path, now=now, participant_id="P-014", enrol_site="haifa",
        progress=lambda _: None,
    )  # fmt: skip


def days_of(store) -> dict[str, tuple[int, int | None]]:
    tables = [store.lake.read_days(file.path) for file in store.lake.day_files()]
    rows = [row for table in tables for row in table.to_pylist()]
    return {str(row["activity_date"]): (row["steps"], row["vendor_steps"]) for row in rows}


# Damage


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda body: body[:-3], "the file is cut short"),
        (lambda body: body[:10], "not a FIT file"),
        (lambda body: body[:40] + b"\x07" + body[41:], "checksum|damaged|cut short"),
        (lambda body: body[:-2] + b"\0\0", "its checksum does not fit"),
        (lambda body: b"PK" + body[2:], "damaged FIT file"),
        (lambda body: b"", "not a FIT file"),
    ],
)
def test_a_damaged_file_is_refused_by_name_and_nothing_is_stored(tmp_path, store, change, says):
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "good.fit").write_bytes(monitoring(10))
    (folder / "walk.FIT").write_bytes(change(monitoring(10, 20)))
    with pytest.raises(BadInput, match=f"^P-014: walk.FIT: .*({says})"):
        load(store, folder)
    assert not [*(store.home.path / "lake").rglob("*.*")]
    assert store.register.rows(sa.select(reg.participant)) == []


def test_a_damaged_reply_is_refused_too():
    replies = [_kept(monitoring(10)[:-1])]
    with pytest.raises(BadInput, match=r"P-014/x\.fit: the file is cut short"):
        SOURCE.read(replies, ask())


def _kept(body: bytes) -> Reply:
    return Reply("garmin_fit", "P-014", "monitoring", "P-014/x.fit", NOW, 200, "", body)


def test_a_file_larger_than_any_fit_file_is_not_opened(tmp_path):
    with (tmp_path / "big.fit").open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(BadInput, match=r"big\.fit: larger than 64 MB"):
        fetched(tmp_path)


def test_an_export_without_monitoring_says_what_it_has(tmp_path):
    (tmp_path / "walk.fit").write_bytes(fit(file_id(ACTIVITY)))
    with pytest.raises(BadInput, match=r"no monitoring file among 1 FIT files \(activity 1\)"):
        fetched(tmp_path)


# Zips and names


def test_garmin_s_own_export_is_a_zip_of_zips(tmp_path):
    inner = packed(**{"somebody@example.org_1__fit": monitoring(10)})
    outer = packed(DI_CONNECT___Part1__zip=inner, DI_CONNECT___profile__json=b"{}")
    (tmp_path / "export.zip").write_bytes(outer)
    [reply] = fetched(tmp_path / "export.zip")
    assert sum(int(d.step_count.sum()) for d in SOURCE.read([reply], ask()).days) == 10


def test_neither_address_nor_serial_number_is_kept_or_told(tmp_path):
    (tmp_path / "somebody@example.org_1.fit").write_bytes(monitoring(10))
    [reply] = fetched(tmp_path)
    assert reply.request.startswith("P-014/")
    assert "@" not in reply.request
    assert SERIAL.to_bytes(4, "little") not in reply.body
    assert SERIAL.to_bytes(4, "little") in monitoring(10)
    (tmp_path / "somebody@example.org_1.fit").write_bytes(monitoring(10)[:-1])
    with pytest.raises(BadInput) as refused:
        fetched(tmp_path)
    assert "somebody" not in str(refused.value)
    assert "_1.fit" in str(refused.value)


def test_what_is_kept_is_a_sound_fit_file_again(tmp_path):
    whole = monitoring(10)
    kept = fit_file(whole, "x")
    again = fit_file(kept.body, "x")
    assert (again.kind, len(again.body)) == (kept.kind, len(kept.body))
    assert len(whole) - len(kept.body) == 2  # its header is 12 bytes for 14


def test_a_folder_has_one_entry_for_each_participant(tmp_path):
    for name, count in (("P-014", 10), ("P-015", 20)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.fit").write_bytes(monitoring(count))
    told = {"participant_id": None, "participants": ("P-014", "P-015")}
    reading = SOURCE.read(fetched(tmp_path, **told), ask(**told))
    assert {d.participant_id: int(d.step_count.sum()) for d in reading.days} == {
        "P-014": 10,
        "P-015": 20,
    }
    assert {*reading.counts_of} == {"P-014", "P-015"}


def test_the_same_file_twice_is_one_reply(tmp_path):
    (tmp_path / "a.fit").write_bytes(monitoring(10))
    (tmp_path / "copy.fit").write_bytes(monitoring(10))
    assert len(fetched(tmp_path)) == 1


# Importing


def test_the_later_export_wins_whichever_is_imported_first(tmp_path):
    midnight = summary(MIDNIGHT + timedelta(days=1), 300)
    whole = fit(file_id(), info(MIDNIGHT, 2), steps(MIDNIGHT + timedelta(hours=9), 300), midnight)
    for name, content in (("early", monitoring(100)), ("late", whole)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.fit").write_bytes(content)
    for order in (("early", "late"), ("late", "early")):
        store = new_store(tmp_path / "-".join(order))
        for minute, name in enumerate(order):
            load(store, tmp_path / name, minute)
        assert days_of(store) == {"2026-03-26": (300, 300)}
        store.register.close()


def test_importing_again_changes_nothing(tmp_path, store):
    (tmp_path / "a.fit").write_bytes(monitoring(100, 250))
    first = load(store, tmp_path / "a.fit")
    again = load(store, tmp_path / "a.fit", 1)
    assert (first.landed.days_new, again.landed.days_new, again.landed.days_same) == (1, 0, 1)
    assert days_of(store) == {"2026-03-26": (250, None)}
