"""Archives that somebody gave us: what is sound is read, what is not is refused at once."""

import gzip
import io
import random
import struct
import zipfile

import pytest

from ingestion.archives import Limits, open_archive, open_gzip
from ingestion.delimited import first_line, plain_bytes
from ingestion.errors import BadInput

SMALL = Limits(bytes_in_all=3000, ratio=20, members=3, small=100)


def packed(*members: tuple[str, bytes], **options) -> io.BytesIO:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED, **options) as file:
        for name, content in members:
            file.writestr(name, content)
    return body


def members_of(body: io.BytesIO, limits: Limits = SMALL) -> list[str]:
    with open_archive(body, "P-014.zip", limits) as archive:
        return [member.name for member in archive.members]


def test_members_are_read_as_streams_by_name():
    body = packed(("b/two.csv", b"22"), ("b/", b""), ("a.csv", b"1"))
    with open_archive(body, "P-014.zip") as archive:
        assert [(one.name, one.size) for one in archive.members] == [("a.csv", 1), ("b/two.csv", 2)]
        with archive.open("b/two.csv") as content:
            assert content.read() == b"22"
        with pytest.raises(KeyError):
            archive.open("c.csv")


def test_the_doubles_that_macos_adds_are_left_out():
    assert members_of(packed(("__MACOSX/._a.csv", b"x"), ("a.csv", b"1"))) == ["a.csv"]


@pytest.mark.parametrize("name", ["../a.csv", "a/../../b.csv", "/etc/a", "C:/a.csv", "a\\..\\b"])
def test_a_name_that_leads_out_is_refused(name):
    with pytest.raises(BadInput, match=r"^P-014.zip: a member's name leads out of the archive"):
        members_of(packed((name, b"1")))


def test_a_link_is_refused():
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as file:
        link = zipfile.ZipInfo("a.csv")
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc/passwd")
    with pytest.raises(BadInput, match="a member is a link"):
        members_of(body)


def test_a_bomb_is_refused_before_a_byte_is_unpacked():
    body = packed(("export.xml", bytes(40_000_000)))
    with pytest.raises(BadInput, match="200 times its size, as a zip bomb does"):
        members_of(body, Limits())


def test_a_bomb_beside_what_is_honest_is_refused_when_it_is_opened():
    noise = random.Random(1).randbytes(1000)
    body = packed(("honest.bin", noise), ("bomb", bytes(1900)))
    with open_archive(body, "P-014.zip", SMALL) as archive:
        with pytest.raises(BadInput, match="zip bomb"):
            archive.open("bomb")
        with archive.open("honest.bin") as content:
            assert content.read() == noise


def test_what_is_opened_counts_together():
    text = b"".join(str(n).encode() for n in range(700))  # packs badly enough
    body = packed(("a", text), ("b", text))
    with open_archive(body, "P-014.zip", SMALL) as archive:
        archive.open("a").close()
        with pytest.raises(BadInput, match="unpacks to more than 0 MB"):
            archive.open("b")


def test_too_many_members_are_refused():
    with pytest.raises(BadInput, match="more than 3 members"):
        members_of(packed(*((f"{n}", b"") for n in range(4))))


def test_an_archive_within_the_archive_is_not_opened():
    inner = packed(("a", b"1")).getvalue()
    with (
        open_archive(packed(("inner.zip", inner)), "P-014.zip") as archive,
        pytest.raises(BadInput, match="an archive within an archive is not opened"),
    ):
        archive.open("inner.zip")


def test_members_that_share_bytes_are_refused():
    body = bytearray(packed(("a", b"1" * 50), ("b", b"2" * 50)).getvalue())
    second = body.index(b"PK\x01\x02", body.index(b"PK\x01\x02") + 1)
    struct.pack_into("<L", body, second + 42, 1)  # b begins inside a
    with pytest.raises(BadInput, match="its members share bytes"):
        members_of(io.BytesIO(bytes(body)))


def test_a_password_is_named():
    body = bytearray(packed(("a", b"1")).getvalue())
    body[body.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(BadInput, match="it has a password"):
        members_of(io.BytesIO(bytes(body)))


def test_two_members_of_one_name_are_refused():
    with pytest.warns(UserWarning, match="Duplicate name"):
        body = packed(("a", b"1"), ("a", b"2"))
    with pytest.raises(BadInput, match="two members have one name"):
        members_of(body)


@pytest.mark.parametrize(
    ("body", "said"),
    [(b"no zip", "not a zip file"), (b"", "not a zip file"),
     (packed(("a", b"1" * 999)).getvalue()[:-30], "not a zip file")],
    ids=("words", "nothing", "cut"),  # a zip holds the time: each worker would name it otherwise
)  # fmt: skip
def test_what_is_no_zip_says_so(body, said):
    with pytest.raises(BadInput, match=rf"^P-014.zip: {said}"):
        members_of(io.BytesIO(body))


def test_a_damaged_member_is_an_error_and_never_half_a_content():
    body = bytearray(packed(("a.csv", bytes(range(256)) * 4)).getvalue())
    body[60] ^= 0xFF
    with (
        open_archive(io.BytesIO(bytes(body)), "P-014.zip") as archive,
        pytest.raises(BadInput, match=r"P-014.zip: a.csv: damaged or cut short"),
        archive.open("a.csv") as content,
    ):
        content.read()


def test_gzip_is_read_and_stopped_where_it_is_a_bomb():
    good = gzip.compress(b"1,2,3\n" * 10)
    with open_gzip(io.BytesIO(good), "a.csv.gz", len(good)) as content:
        assert content.read() == b"1,2,3\n" * 10
    bomb = gzip.compress(bytes(2500))
    with (
        pytest.raises(BadInput, match=r"^a.csv.gz: unpacks to more than 20 times"),
        open_gzip(io.BytesIO(bomb), "a.csv.gz", len(bomb), SMALL) as content,
    ):
        content.read()
    with (
        pytest.raises(BadInput, match="damaged or cut short"),
        open_gzip(io.BytesIO(good[:-9]), "a.csv.gz", len(good)) as content,
    ):
        content.read()


def test_a_damaged_member_packed_by_lzma_is_said(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as file:
        file.writestr("a.csv", bytes(range(256)) * 40)
    content = bytearray(path.read_bytes())
    content[60:120] = b"\xff" * 60
    path.write_bytes(content)
    with (
        open_archive(path, "a.zip") as archive,
        pytest.raises(BadInput, match=r"a\.zip: a\.csv: damaged or cut short"),
        archive.open("a.csv") as stream,
    ):
        stream.read()


@pytest.mark.parametrize("read", [plain_bytes, first_line])
def test_a_gzip_bomb_is_refused_wherever_tables_are_read(read):
    body = gzip.compress(bytes(50 << 20))
    with pytest.raises(BadInput, match=r"steps.csv.gz: unpacks to more than 200 times its size"):
        read("steps.csv.gz", body)
