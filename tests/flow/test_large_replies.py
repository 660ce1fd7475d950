"""Large raw replies: streamed into the lake, kept once, and given back as they came."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.studies import new_store

from ingestion.landing import keep_raw, read_raw
from ingestion.source import Reply

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
PLAIN = b"what\tstart\n" * 200_000  # more than is copied at a time


@pytest.fixture
def store(tmp_path):
    opened = new_store(tmp_path / "study")
    yield opened
    opened.register.close()


def reply_of(path: Path, content: bytes) -> Reply:
    path.write_bytes(content)
    return Reply("takeout", "P-014", "steps", path.name, NOW, 200, "x", b"", file=path)


def kept_files(store) -> dict[str, bytes]:
    base = store.home.path / "lake" / "raw_file"
    return {path.name: path.read_bytes() for path in base.rglob("*") if path.is_file()}


def test_a_large_reply_comes_back_as_it_was(store, tmp_path):
    reply = reply_of(tmp_path / "a.tsv", PLAIN)
    keep_raw(store.lake, [reply])
    keep_raw(store.lake, [reply])
    [(name, stored)] = kept_files(store).items()
    assert name == f"{reply.sha256}.zst"
    assert len(stored) < len(PLAIN) / 100
    for [back] in read_raw(store.lake, "takeout"):
        assert (back.body, back.sha256, back.request) == (b"", reply.sha256, "a.tsv")
        with back.open() as content:
            assert content.read() == PLAIN


@pytest.mark.parametrize("content", [gzip.compress(PLAIN, mtime=0), b"PK\x03\x04rest"])
def test_what_is_packed_is_kept_as_it_is(store, tmp_path, content):
    reply = reply_of(tmp_path / "a.zip", content)
    keep_raw(store.lake, [reply])
    assert kept_files(store) == {reply.sha256: content}
    [[back]] = [fetch for fetch in read_raw(store.lake, "takeout")]
    assert back.sha256 == reply.sha256


def test_a_large_reply_that_changed_on_disk_is_not_read(store, tmp_path):
    keep_raw(store.lake, [reply_of(tmp_path / "a.zip", b"PK\x03\x04rest")])
    [path] = (store.home.path / "lake" / "raw_file").rglob("*/*")
    path.write_bytes(b"PK\x03\x04REST")
    with pytest.raises(ValueError, match="not what it was when it came"):
        list(read_raw(store.lake, "takeout"))


def test_an_empty_large_reply_is_kept_too(store, tmp_path):
    keep_raw(store.lake, [reply_of(tmp_path / "a.tsv", b"")])
    for [back] in read_raw(store.lake, "takeout"):
        with back.open() as content:
            assert content.read() == b""
