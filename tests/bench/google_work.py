"""The work on raw Google bodies that is measured; see work.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from timing import Bench, Found, timed


def make_google(bench: Bench) -> Found:
    """The bodies, as files; and how much they are."""
    from synthetic import GOOGLE_PAGE, write_google

    write_google(bench.folder, bench.participants, -(-bench.days // 7))
    sizes = [file.stat().st_size for file in bench.folder.iterdir()]
    return {"points": GOOGLE_PAGE * len(sizes), "bytes": sum(sizes)}


def google_decode(bench: Bench) -> Found:
    """msgspec alone, into the fields that the source reads, unchecked for any other."""
    from ingestion.sources._google_bodies import Points, decode

    bodies = [body for pages in _google_pages(bench).values() for body in pages]

    def work() -> Found:
        return {"points": sum(len(decode(body, Points).data_points) for body in bodies)}

    return timed(work)


def google_strict(bench: Bench) -> Found:
    """msgspec alone, into the same and every field of the contract checked: what drift costs."""
    from ingestion.sources._google_shapes import STEPS

    bodies = [body for pages in _google_pages(bench).values() for body in pages]

    def work() -> Found:
        return {"points": sum(len(STEPS.decoded(body).data_points) for body in bodies)}

    return timed(work)


def google_read(bench: Bench) -> Found:
    """SOURCE.read: bodies to activity days, hashed, checked and counted."""
    read = _google_reader(bench)

    def work() -> Found:
        days, points = read()
        return {"points": points, "steps": sum(int(d.step_count.sum(dtype="i8")) for d in days)}

    return timed(work)


def google_landed(bench: Bench) -> Found:
    """The same, and the day rows as the Arrow table that is landed."""
    from ingestion.landing import days_table

    read = _google_reader(bench)

    def work() -> Found:
        days, points = read()
        return {"points": points, "steps": sum(days_table(days)["steps"].to_pylist())}

    return timed(work)


def google_pandas(bench: Bench) -> Found:
    """json, one DataFrame a participant, pandas.to_datetime, steps by local day and minute."""
    import pandas
    from rivals import pandas_days

    assert pandas.__version__  # loaded here: loading it is not the work
    pages = _google_pages(bench)

    def work() -> Found:
        found = [pandas_days(bodies) for bodies in pages.values()]
        return {"points": sum(n for n, _ in found), "steps": sum(steps for _, steps in found)}

    return timed(work)


def google_polars(bench: Bench) -> Found:
    """json, one polars frame a participant, str.to_datetime, steps by local day and minute."""
    import polars
    from rivals import polars_days

    assert polars.__version__
    pages = _google_pages(bench)

    def work() -> Found:
        found = [polars_days(bodies) for bodies in pages.values()]
        return {"points": sum(n for n, _ in found), "steps": sum(steps for _, steps in found)}

    return timed(work)


def _google_pages(bench: Bench) -> dict[str, list[bytes]]:
    pages: dict[str, list[bytes]] = {}
    for file in sorted(bench.folder.iterdir()):
        pages.setdefault(file.name.split("_")[0], []).append(file.read_bytes())
    return pages


def _google_reader(bench: Bench) -> Callable[[], tuple[list[Any], int]]:
    from datetime import UTC, datetime

    from ingestion.source import Ask, Reply
    from ingestion.sources.google_health import SOURCE
    from warehouse.study import EXAMPLE, read_study

    study, now = read_study(EXAMPLE), datetime(2026, 11, 22, tzinfo=UTC)
    told = {
        who: [Reply("", who, "steps", str(n), now, 200, "", body) for n, body in enumerate(pages)]
        for who, pages in _google_pages(bench).items()
    }
    for replies in told.values():  # a pull has kept its replies by their hash before it reads them
        assert all(reply.sha256 for reply in replies)

    def read() -> tuple[list[Any], int]:
        days, points = [], 0
        for who, replies in told.items():
            reading = SOURCE.read(replies, Ask(study, now, who, "UTC"))
            days += reading.days
            points += reading.counts["steps"].received
        return days, points

    return read


CASES = (
    make_google, google_decode, google_strict, google_read, google_landed, google_pandas,
    google_polars,
)  # fmt: skip
