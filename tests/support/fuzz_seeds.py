"""Good replies of every source, to be damaged: of the simulator for APIs, typed for formats."""

from __future__ import annotations

import importlib.util
import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
from support import apple, fhir, fit, google, legacy, redcap, takeout
from support.fuzz import Seed, source_of, write_files

from ingestion.http import open_http
from ingestion.simulator.redcap import REDCAP_TOKEN
from ingestion.simulator.server import serve
from ingestion.simulator.world import World
from ingestion.source import Ask, Reply, Window
from ingestion.sources.redcap import RedcapClient
from warehouse.study import EXAMPLE, read_study

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
STUDY = read_study(EXAMPLE)
SOURCE_TESTS = Path(__file__).parents[1] / "sources"
MOST = 40  # points kept of a list: damage should hit, and cases be many


def seeds_of(source: str) -> tuple[Seed, ...]:
    """The seeds of a source; KeyError for one that has none."""
    return _seeds_of(source)


@cache
def _seeds_of(source: str) -> tuple[Seed, ...]:
    return tuple(SEEDS[source]())


def google_health() -> Iterator[Seed]:
    """Three days of P001 as the simulator serves them."""
    with (
        TemporaryDirectory() as name,
        google.simulated(Path(name), participants=1, weeks=1) as world,
    ):
        grant = world.consent("P001")
        world.served.set_clock(world.served.simulator.world.settles_at)
        wanted = _window(world.served.simulator.world, world.served.now())
        client = world.grants.client(grant)
        replies = source_of("google_health").fetch(client, wanted)
        yield Seed(tuple(map(_shortened, replies)), wanted)


def fitbit() -> Iterator[Seed]:
    """Three days of P001 as the simulator serves them on the legacy API."""
    before = os.environ.get("OAUTHLIB_INSECURE_TRANSPORT")
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
    try:
        with TemporaryDirectory() as name, google.simulated(Path(name), "fitbit", 1, 1) as world:
            grant = world.consent("P001")
            world.served.set_clock(world.served.simulator.world.settles_at)
            wanted = _window(world.served.simulator.world, world.served.now())
            client = legacy.legacy_client(world, grant)
            yield Seed(tuple(map(_shortened, source_of("fitbit").fetch(client, wanted))), wanted)
    finally:
        del os.environ["OAUTHLIB_INSECURE_TRANSPORT"]
        if before is not None:
            os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = before


def redcap_api() -> Iterator[Seed]:
    """The roster, and the answers of two participants, as the simulator serves them; and a small
    project typed by hand, with another mapping."""
    with serve(World(STUDY, participants=2, weeks=4, faults=False)) as served, open_http() as http:
        served.set_clock(served.simulator.world.settles_at)
        for participants in ((), ("P001", "P002")):
            wanted = Ask(STUDY, served.now(), participants=participants)
            client = RedcapClient(http, f"{served.url}/api/", REDCAP_TOKEN)
            replies = source_of("redcap").fetch(client, wanted)
            yield Seed(tuple(map(_shortened, replies)), wanted)
    rows = [
        redcap.row(event="baseline_arm_1", **redcap.ENROLLED),
        redcap.row(pain_date="2026-02-01", pain_nrs="6", fabq_date="2026-02-01", fabq_1="3"),
        redcap.row(form="treatment_session", n=1, session_date="2026-02-03", session_attended="1"),
        redcap.row(form="step_goal", n="1", goal_from="2026-01-20", goal_steps="6000"),
    ]
    typed = (redcap.reply(redcap.METADATA, "metadata"), redcap.reply(rows))
    yield Seed(typed, redcap.ask())


def fitabase() -> Iterator[Seed]:
    """Minutes narrow and wide, hours, totals, heart rate; spring's change among the days."""
    zeros = ",".join(["0"] * 58)
    lines = {
        "minuteStepsNarrow_merged.csv": (
            "Id,ActivityMinute,Steps", "7,3/27/2026 1:00:00 AM,5", "7,3/27/2026 1:01:00 AM,6",
            "7,3/27/2026 2:30:00 AM,4", "8,3/27/2026 1:00:00 AM,0",
        ),
        "minuteStepsWide_merged.csv": (
            "Id,ActivityHour," + ",".join(f"Steps{n:02d}" for n in range(60)),
            f"7,3/26/2026 8:00:00 AM,1,2,{zeros}", f"9,3/26/2026 9:00:00 PM,7,0,{zeros}",
        ),
        "hourlySteps_merged.csv": (
            "Id,ActivityHour,StepTotal", "7,3/27/2026 1:00:00 AM,11", "7,3/27/2026 3:00:00 AM,4",
        ),
        "dailySteps_merged.csv": ("Id,ActivityDay,StepTotal", "7,3/26/2026,3", "7,3/27/2026,15"),
        "heartrate_seconds_merged.csv": (
            "Id,Time,Value", "7,3/27/2026 1:00:05 AM,71", "7,3/27/2026 1:01:00 AM,88",
        ),
    }  # fmt: skip
    files = {name: _lines(*told) for name, told in lines.items()}
    yield files_seed("fitabase", files, Ask(STUDY, NOW, timezone="Asia/Jerusalem"))


def table_export() -> Iterator[Seed]:
    """Every table it knows, as CSV, and one in a workbook."""
    sheet = openpyxl.Workbook()
    sheet.active.append(["participant_id", "visit", "instrument", "item", "value"])
    sheet.active.append(["P01", "week_4", "NPRS", 1, 6])
    book = io.BytesIO()
    sheet.save(book)
    tables = {
        "answers.csv": _lines("participant_id,visit,instrument,item,value,answered_on",
                              "P01,week_4,NPRS,1,6,2026-03-10", "P01,week_4,FABQ,3,,2026-03-10"),
        "wide.csv": _lines("participant_id;visit;nprs_1;fabq_1;fabq_2;answered_on",
                           "P02;baseline;4;1;2;10.03.2026", "P03;week_12;;;;"),
        "sessions.csv": _lines("participant_id,session_number,held_on,attended,therapist_id",
                               "P01,1,2026-02-03,yes,", "P01,2,2026-02-10,no,"),
        "goals.csv": _lines("participant_id,valid_from,goal_steps", "P01,2026-02-01,5000",
                            "P01,2026-03-01,6000"),
        "roster.csv": _lines("participant_id,site,enrolled_on,starts_on,age_years,sex",
                             "P01,haifa,2026-01-20,2026-01-21,54,female"),
        "book.xlsx": book.getvalue(),
    }  # fmt: skip
    for names in (["answers.csv"], ["wide.csv"], ["sessions.csv", "goals.csv", "roster.csv"],
                  ["book.xlsx"]):  # fmt: skip
        yield files_seed("table_export", {name: tables[name] for name in names}, Ask(STUDY, NOW))


def garmin_fit() -> Iterator[Seed]:
    """Two days and two devices: whole and 16-bit times, a stretch, heart rate, a summary."""
    midnight = datetime(2026, 3, 25, 22, tzinfo=UTC)

    def after(minutes: int) -> datetime:
        return midnight + timedelta(minutes=minutes)

    first = fit.fit(
        fit.file_id(), fit.info(midnight, 2), fit.stretch(after(480), fit.SEDENTARY),
        fit.stretch(after(490), fit.WALKING, 300), fit.beat(after(491), 88),
        fit.steps(after(600), 40, fit.RUNNING), fit.stretch(after(700), fit.CYCLING, 90),
        fit.steps(after(900), 1200), fit.summary(after(1440), 1200),
        fit.summary(after(1440), 40, fit.RUNNING),
    )  # fmt: skip
    other = fit.fit(
        fit.file_id(serial=99, product=2697), fit.info(after(800), 3), fit.steps(after(830), 700),
        fit.steps(after(1500), 60), fit.steps(after(1600), 20), fit.beat(after(1601), 61),
    )  # fmt: skip
    files = {"a.fit": first, "walk.fit": fit.fit(fit.file_id(fit.ACTIVITY)),
             "b.zip": fit.packed(b__fit=other)}  # fmt: skip
    for zone in (None, "Asia/Jerusalem"):
        yield files_seed("garmin_fit", files, Ask(STUDY, NOW, "P001", zone))


def takeout_export() -> Iterator[Seed]:
    """Old JSON and new CSV, of steps and heart rate."""
    steps = [("03/26/26 08:14:00", "97"), ("03/26/26 08:15:00", "0"), ("03/27/26 23:59:00", 12)]
    old = {
        takeout.OLD + "steps-2026-03-26.json": takeout.steps_json(*steps).encode(),
        takeout.OLD + "heart_rate-2026-03-26.json": takeout.heart_json(
            ("03/26/26 08:14:05", 104, 3), ("03/26/26 08:15:05", 99, 0)
        ).encode(),
    }
    new = {
        takeout.NEW + "steps_2026-03-01.csv": _lines(
            takeout.STEPS_HEADER, "2026-03-28T06:14:00Z,97,Inspire 3",
            "2026-03-28T06:14:00Z,90,Pixel 8", "2026-03-28T22:30:00Z,8,Inspire 3"),
        takeout.NEW + "heart_rate_2026-03-28.csv": _lines(
            "timestamp,beats per minute,data source", "2026-03-28T06:14:05Z,88,Inspire 3"),
    }  # fmt: skip
    for files in (old, new, old | new):
        yield files_seed("takeout", files, takeout.ask())


def apple_health() -> Iterator[Seed]:
    """A watch and a phone that overlap, and a heart rate, in a zip."""
    day = "2026-03-26"
    xml = apple.export_xml(
        apple.record("steps", f"{day} 08:14:00", f"{day} 08:19:00", 220, HKTimeZone="Asia/Tokyo"),
        apple.record("steps", f"{day} 08:16:00", f"{day} 08:21:00", 180, "phone"),
        apple.record("steps", f"{day} 23:58:00", "2026-03-27 00:03:00", 50, "phone"),
        apple.record("heart", f"{day} 08:14:05", f"{day} 08:14:05", 71),
        apple.record("energy", f"{day} 08:14:05", f"{day} 08:15:05", 1.5),
    )
    asked = Ask(STUDY, NOW, "P-014", "Europe/Berlin")
    yield files_seed("apple_health", {"export.xml": xml}, asked)
    yield files_seed("apple_health", {"x.zip": fit.packed(export__xml=xml)}, asked)


def fhir_responses() -> Iterator[Seed]:
    """A bundle of a completed response, another's, and one taken back."""
    second = fhir.response(id="r2", subject={"reference": "Patient/P015"})
    back = fhir.response(id="r3", status="entered-in-error")
    coded = fhir.response(fhir.item("pain_now", valueCoding={"code": "6", "display": "six"}))
    body = json.dumps(fhir.bundle(fhir.response(), second, back, coded)).encode()
    yield files_seed("fhir", {"responses.json": body}, fhir.ask())
    lines = _lines(json.dumps(fhir.response()), json.dumps(second))
    yield files_seed("fhir", {"responses.ndjson": lines}, fhir.ask())


def redcap_export() -> Iterator[Seed]:
    """A data file under the small mapping: answers, a session, a goal."""
    mapped: dict[str, Any] = {"roster": None}
    head = "record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance"
    data = _lines(
        f"{head},pain_date,pain_nrs,pain_complete,fabq_date,fabq_1,fabq_2,fabq_3,session_date,"
        "session_attended,session_therapist,goal_from,goal_steps",
        "P001,week_12_arm_1,,,2026-02-01,6,2,2026-02-01,1,2,3,,,,,",
        "P001,week_12_arm_1,treatment_session,1,,,,,,,,2026-02-03,1,,,",
        "P002,week_12_arm_1,step_goal,1,,,,,,,,,,,2026-01-20,6000",
    )
    asked = replace(redcap.ask(**mapped), participants=("P001", "P002"))
    files = {"Project_DATA_2026-03-01_0912.csv": data}
    yield files_seed("redcap_export", files, asked)


SEEDS: dict[str, Callable[[], Iterator[Seed]]] = {
    "google_health": google_health,
    "fitbit": fitbit,
    "redcap": redcap_api,
    "fitabase": fitabase,
    "table_export": table_export,
    "garmin_fit": garmin_fit,
    "takeout": takeout_export,
    "apple_health": apple_health,
    "fhir": fhir_responses,
    "redcap_export": redcap_export,
}


def _typed_in_tests() -> dict[str, Callable[[], Iterator[Seed]]]:
    """The seeds of other sources, each typed in the test of its own: `fuzz_seeds` there."""
    found = {}
    for path in sorted(SOURCE_TESTS.glob("test_*.py")):
        name = path.stem.removeprefix("test_")
        if name not in SEEDS and "\ndef fuzz_seeds(" in path.read_text("utf-8"):
            spec = importlib.util.spec_from_file_location(f"seeds_of_{name}", path)
            assert spec
            assert spec.loader
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            found[name] = module.fuzz_seeds
    return found


def _window(world: World, now: datetime) -> Ask:
    first = world.participants[0].starts_on
    window = Window(first, first + timedelta(days=2))
    return Ask(STUDY, now, "P001", world.participants[0].timezone, window)


def files_seed(source: str, files: dict[str, bytes], ask: Ask) -> Seed:
    """Good files by name, and the replies that the source's `fetch` makes of them."""
    with TemporaryDirectory() as place:
        folder = write_files(Path(place) / "given", files)
        replies = [_in_memory(reply) for reply in source_of(source).fetch(folder, ask)]
    return Seed(tuple(replies), ask, tuple(files.items()))


def _lines(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()


def _in_memory(reply: Reply) -> Reply:
    with reply.open() as content:
        return replace(reply, body=content.read(), file=None)


def _shortened(reply: Reply) -> Reply:
    """The reply with a few of each long list's items."""

    def cut(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: cut(one) for key, one in value.items()}
        if isinstance(value, list):
            middle = max(0, len(value) // 2 - MOST // 2)
            return [cut(one) for one in value[middle : middle + MOST]]
        return value

    return replace(reply, body=json.dumps(cut(json.loads(reply.body))).encode())


SEEDS |= _typed_in_tests()
