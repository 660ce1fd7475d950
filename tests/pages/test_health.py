"""The data-health page: what came, what was refused, and whose trouble it is."""

from datetime import UTC, date, datetime

import pytest
from support import browser
from support.pages import chart, fields_without_data, opened, text, use
from support.published import empty_rows, publish_rows, typed_rows, write_study

from dashboard import words
from ingestion.source import all_sources
from warehouse.tables.ops import RECEIPT_REASONS
from warehouse.tables.quality import DRIFT_KINDS, implausible_day

DAGS = ("wearables", "questionnaires", "warehouse", "upkeep")


def at(hour: int) -> datetime:
    return datetime(2026, 2, 12, hour, tzinfo=UTC)


def receipt_day(reason: str, on: int, receipts: int, received: int = 0, rejected: int = 0) -> dict:
    return {
        "source": "google_health", "data_type": "minute_steps", "reason": reason,
        "asked_on": date(2026, 2, on), "participants": 2, "receipts": receipts,
        "received": received, "landed": received - rejected, "rejected": rejected,
    }  # fmt: skip


def troubled() -> dict:
    """The typed trial with three days of pulls, and one of each trouble."""
    rows = typed_rows()
    of = {"source": "google_health", "data_type": "minute_steps"}
    for day in rows["participant_day"]:
        if day["participant_id"] == "P001" and day["activity_date"] == date(2026, 2, 3):
            day["reconcile"] = True
        if day["participant_id"] == "P001" and day["activity_date"] == date(2026, 2, 9):
            day |= {"steps": 90_000, "day_state": "implausible"}
    rows["ops.receipt_day"] = [
        receipt_day("received", 10, 2, 2880, 3),
        receipt_day("vendor_outage", 11, 2),
        receipt_day("our_fault", 11, 1),
        receipt_day("received", 12, 2, 1000),
    ]
    rows["ops.rejection_day"] = [
        {**of, "reason": "negative", "asked_on": date(2026, 2, 10), "participants": 1, "points": 3}
    ]
    rows["ops.implausible_day"] = [
        {"source": "google_health", "reason": "day_steps", "activity_date": date(2026, 2, 9),
         "participants": 1}
    ]  # fmt: skip
    rows["ops.drift"] = [
        {**of, "field_path": "dataPoints.quality", "kind": "new_field", "points": 7,
         "first_seen_at": at(1), "last_seen_at": at(5)}
    ]  # fmt: skip
    rows["ops.revision"] = [  # of the 4th came the rest of a day under way
        {"participant_id": "P001", "source": "google_health",
         "activity_date": date(2026, 2, 4 if late == 1 else 3), "row_hash": f"n{late}",
         "replaced_hash": f"o{late}", "steps_before": 5000, "steps_after": 5000 + late,
         "changed_at": at(3), "days_late": late, "was_complete": late != 1}
        for late in (1, 2, 9)
    ]  # fmt: skip
    rows["ops.check_result"] = [{"check_name": "one row per person-day", "failures": 0}]
    return rows


@pytest.fixture
def page(tmp_path, monkeypatch):
    write_study(tmp_path)
    publish_rows(tmp_path, troubled())
    use(monkeypatch, tmp_path)
    return opened("health")


def bars(spec) -> list[dict]:
    return [layer for layer in spec["layer"] if layer["mark"]["type"] == "bar"]


def titles(spec) -> list[str]:
    """The names of the rows of bars, with their sums."""
    return [one["mark"]["text"] for one in spec["layer"] if one["mark"]["type"] == "text"]


def listed(page, alt: str) -> list[dict]:
    [found] = [frame for frame in page.dataframe if frame.proto.alt == alt]
    return found.value.to_dict("records")


def test_every_reason_of_a_receipt_has_its_words():
    assert set(RECEIPT_REASONS) <= set(words.RECEIPTS)
    assert set(RECEIPT_REASONS) <= set(words.table("receipt_reasons"))


def test_every_source_flag_and_drift_has_its_words():
    [flags] = [one.allowed for one in implausible_day.columns if one.name == "reason"]
    assert set(flags) == set(words.table("implausible_reasons"))
    assert set(DRIFT_KINDS) == set(words.table("drift_kinds"))
    assert set(all_sources()) <= set(words.table("sources"))


def test_a_code_without_a_name_stays_as_it_is():
    assert words.named("sources", "fitbit") == "Fitbit"
    assert words.named("sources", "of_next_year") == "of_next_year"


def test_received_is_landed_plus_refused_on_the_page(page):
    assert "3\u202f880 received = 3\u202f877 landed + 3 refused" in text(page)


def test_the_chart_tells_whose_trouble_each_pull_was(page):
    spec, data = chart(page, "Bars of receipts by day")
    assert [(r["asked_on"], r["told"], r["receipts"]) for r in data["days"]] == [
        ("2026-02-10", "Data came", 2),
        ("2026-02-11", "Failed: ours", 1),
        ("2026-02-11", "Failed: the vendor's", 2),
        ("2026-02-12", "Data came", 2),
    ]
    assert titles(spec) == ["Data came: 4", "Nothing new: 0", "Needs the participant: 0",
                            "Failed: the vendor's: 2", "Failed: ours: 1"]  # fmt: skip
    assert fields_without_data(page) == []


def test_the_days_of_the_chart_are_the_last_thirty_and_no_other(page):
    spec, _ = chart(page, "Bars of receipts by day")
    [days] = {tuple(layer["encoding"]["x"]["scale"]["domain"]) for layer in bars(spec)}
    assert (days[0], days[-1], len(days)) == ("2026-01-13", "2026-02-12", 31)


def test_days_that_need_a_second_look_are_counted_week_by_week(page):
    spec, data = chart(page, "Bars by week")
    counted = {(r["week_starts_on"], r["told"]): r["days"] for r in data["days"] if r["days"]}
    assert counted == {
        ("2026-02-02", "Minutes apart from the vendor's total"): 1,
        ("2026-02-02", "Restated by the vendor"): 1,
        ("2026-02-09", "Implausible days"): 1,
    }
    assert titles(spec) == ["Implausible days: 1", "Minutes apart from the vendor's total: 1",
                            "Restated by the vendor: 1"]  # fmt: skip


def test_every_failure_says_what_to_do(page):
    told = {row["reason"]: row["what_to_do"] for row in listed(page, "Pulls that failed")}
    assert told == {
        "The vendor did not answer": "Wait for the vendor",
        "Our fault; asked again later": "Read the run's log, trigger a new run",
    }
    assert set(words.table("receipt_do")) == set(words.RECEIPTS) - {
        "received", "nothing_new", "no_data"
    }  # fmt: skip


def test_a_night_without_a_build_is_said_with_what_to_do(page, monkeypatch):
    assert "Last night's build did not come" in text(page)  # these data are of February
    monkeypatch.setenv("STEPWELL_CLOCK_URL", "http://127.0.0.1:1")  # a world as old as its build
    assert "Last night's build" not in text(opened("health"))


@pytest.mark.parametrize(
    ("url", "links"),
    [
        ("", []),
        ("javascript:alert(1)", []),
        ("http://127.0.0.1:8080/", [f"http://127.0.0.1:8080/dags/{dag}/runs" for dag in DAGS]),
    ],
)
def test_runs_are_linked_where_airflow_is(page, monkeypatch, url, links):
    monkeypatch.setenv("STEPWELL_AIRFLOW_URL", url)
    at = opened("health")
    assert [one.proto.url for one in at.get("link_button")] == links
    assert ("this server is not told" in text(at)) == (not links)


def test_what_was_refused_is_listed_with_its_reason_and_count(page):
    [row] = listed(page, "Refused data points")
    assert (row["source"], row["reason"], row["points"]) == ("Google Health", "Below zero", 3)
    assert {row["reason"] for row in listed(page, "Pulls that failed")} == {
        "The vendor did not answer", "Our fault; asked again later"
    }  # fmt: skip


def test_flags_drift_and_late_changes_are_counted(page):
    [flagged] = listed(page, "Implausible days")
    assert (flagged["reason"], flagged["person_days"]) == (
        "More steps in the day than the protocol holds possible", 1
    )  # fmt: skip
    [drifted] = listed(page, "Changes of the vendors' replies")
    assert (drifted["field_path"], drifted["kind"], drifted["points"]) == (
        "dataPoints.quality", "A field that is new", 7
    )  # fmt: skip
    [late] = listed(page, "Days that changed after they had landed")
    assert (late["changes"], late["participants"]) == (3, 1)
    assert (late["median_days_late"], late["p95_days_late"], late["median_steps_changed"]) == (
        2, 9, 2
    )  # fmt: skip


def test_sources_are_told_with_their_freshness(page):
    sources = listed(page, "Freshness of each source")
    assert {row["source"]: row["participants"] for row in sources}["Google Health"] >= 1


def test_an_empty_study_says_so_and_what_to_do(tmp_path, monkeypatch):
    write_study(tmp_path)
    publish_rows(tmp_path, empty_rows())
    use(monkeypatch, tmp_path)
    said = text(opened("health"))
    assert "No source is connected yet" in said
    assert "Nothing was pulled in the last 30 days." in said
    assert "Nothing was refused." in said


@pytest.mark.skipif(not browser.CHROMIUM.exists(), reason=browser.MISSING)
@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_a_browser_draws_it_whole_and_asks_nobody_outside(tmp_path, theme):
    write_study(tmp_path)
    publish_rows(tmp_path, troubled())
    drawn = "() => document.querySelectorAll('.mark-rect path').length"
    with browser.serving(tmp_path) as address, browser.browsing(theme=theme) as (page, asked):
        browser.open_page(page, f"{address}/health")
        browser.eventually(page, drawn, 10)  # of pulls by day 4, and 3 of each of two weeks
    assert [url for url in asked if not browser.loopback(url)] == []
