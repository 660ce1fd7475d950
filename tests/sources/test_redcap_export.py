"""REDCap exports: what of a file is kept, what lands, and which of two words stays."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.redcap import ENROLLED, METADATA, NOW, answers, ask, counted, reply, row
from support.studies import new_store

from ingestion.errors import BadInput, Misconfigured
from ingestion.importing import import_files
from ingestion.joining import land_with
from ingestion.source import Ask, Reading
from ingestion.sources import redcap
from ingestion.sources._redcap_files import TITLES
from ingestion.sources.redcap_export import SOURCE
from warehouse import register as reg
from warehouse.tables.landed import response

HEADER = "record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance"
PAIN = f"{HEADER},pain_date,pain_nrs,pain_complete\n"
AT = "week_12_arm_1"
ONLY_PAIN: dict[str, Any] = {"sessions": None, "goals": None, "roster": None}


def asked(**changes: Any) -> Ask:
    """Asked under the small mapping, with P001 and P002 on the roster."""
    told = {"participants": ("P001", "P002"), **changes.pop("of_ask", {})}
    given = ask(**changes)
    return Ask(given.study, NOW, **told)


def write(folder: Path, **files: str | bytes) -> Path:
    """The folder with these files; `a__b` is named a.b."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        body = text if isinstance(text, bytes) else text.encode()
        (folder / name.replace("__", ".")).write_bytes(body)
    return folder


def read(path: Path, **changes: Any) -> Reading:
    told = asked(**changes)
    return SOURCE.read(list(SOURCE.fetch(path, told)), told)


def values(reading: Reading) -> dict[str, str | None]:
    """`P001 week_12 NPRS.1` -> value."""
    return {f"{who} {visit} {code}.{item}": value
            for who, visit, code, _, item, value, _ in answers(reading)}  # fmt: skip


def dictionary(*fields: dict[str, str]) -> str:
    """A data dictionary of these fields, under REDCap's own titles."""
    lines = [",".join(f'"{title}"' for title in TITLES.values())]
    lines += [",".join(f'"{one.get(name, "")}"' for name in TITLES) for one in fields]
    return "\n".join(lines) + "\n"


PROJECT = [{"field_name": row["field_name"], "form_name": row["form_name"], "field_type": "text"}
           for row in METADATA]  # fmt: skip


def project(**changed: dict[str, str]) -> str:
    return dictionary(*(one | changed.get(one["field_name"], {}) for one in PROJECT))


# The same meaning as the API's


def test_a_whole_export_says_what_the_api_says(tmp_path: Path) -> None:
    rows = [
        row(event="baseline_arm_1", **ENROLLED),
        row(pain_date="2026-04-14", pain_nrs="6", fabq_date="2026-04-14", fabq_1="2", fabq_2="0",
            fabq_3="", pain_complete="2", fear_complete="2"),
        row(event="baseline_arm_1", form="treatment_session", n="1", session_date="2026-01-26",
            session_attended="1", session_therapist="T01"),
        row(event="baseline_arm_1", form="step_goal", n="1", goal_from="2026-02-03",
            goal_steps="5500"),
    ]  # fmt: skip
    names = list(dict.fromkeys(name for one in rows for name in one))
    names += [one["field_name"] for one in METADATA if one["field_name"] not in names]
    lines = [",".join(names), *(",".join(one.get(name, "") for name in names) for one in rows)]
    export = read(write(tmp_path, data__csv="\n".join(lines), dictionary__csv=project()))
    api = redcap.SOURCE.read([reply(METADATA, "metadata"), reply(rows)], ask())
    kept_apart = ("raw_sha256",)
    assert {table: [{k: v for k, v in one.items() if k not in kept_apart} for one in told]
            for table, told in export.rows.items()} == {
            table: [{k: v for k, v in one.items() if k not in kept_apart} for one in told]
            for table, told in api.rows.items()}  # fmt: skip
    assert export.lands_with == "redcap"
    assert counted(export, "responses") == (4, 4, {})
    assert [export.counts[name].landed for name in ("sessions", "goals", "roster")] == [1, 1, 1]


def test_eav_says_what_flat_says(tmp_path: Path) -> None:
    ticks = {"TICKS": {"fields": {"a": "sore____1", "b": "sore___b", "c": "sore___0"}}}
    told = ONLY_PAIN | {"instruments": ticks, "missing_codes": ["UNK"]}
    flat = read(
        write(tmp_path / "flat", data__csv="record_id,redcap_event_name,sore____1,sore___b,"
              f"sore___0,sore___unk\nP001,{AT},1,0,1,0\nP002,{AT},,,,1\n"), **told)  # fmt: skip
    eav = read(
        write(tmp_path / "eav", data__csv="record,redcap_event_name,field_name,value\n"
              f"P001,{AT},sore,-1\nP001,{AT},sore,0\nP002,{AT},sore,UNK\n"
              f"P001,{AT},name_last,Levi\n"), **told)  # fmt: skip
    expected = {"P001 week_12 TICKS.a": "1", "P001 week_12 TICKS.b": "0",
                "P001 week_12 TICKS.c": "1"}  # fmt: skip
    assert (values(flat), values(eav)) == (expected, expected)


def test_eav_of_the_api_takes_a_missing_code_for_no_answer() -> None:
    ticks = {"TICKS": {"date": "on", "fields": {"a": "sore___1"}}}
    facts = [{"record": "P001", "redcap_event_name": AT, "field_name": name, "value": value}
             for name, value in (("sore", "UNK"), ("on", "2026-04-14"))]  # fmt: skip
    told = ask(**ONLY_PAIN, instruments=ticks, missing_codes=["UNK"])
    assert [value for *_, value, _ in answers(redcap.SOURCE.read([reply(facts)], told))] == [None]


# How it was saved


@pytest.mark.parametrize(
    "body",
    [
        f"{PAIN}P001,{AT},,,2026-04-14,6,2\n".encode(),
        b"\xef\xbb\xbf" + f"{PAIN}P001,{AT},,,2026-04-14,6,2".encode(),
        f"{PAIN}P001,{AT},,,2026-04-14,6,2\n".replace(",", ";").encode("utf-16"),
        f"{PAIN}P001,{AT},,,2026-04-14,6,2\n".replace(",", "\t").encode(),
        f"{PAIN}P001,{AT},,,2026-04-14,6,2\n".replace("pain_complete", "naïve").encode("cp1252"),
        f'{PAIN}"P001","{AT}","","","2026-04-14"," 6 ",2\r\n\r\n'.encode(),
    ],
    ids=["plain", "mark, no last line end", "utf-16, ;", "tab", "cp1252", "quoted, CRLF"],
)
def test_however_it_was_saved(tmp_path: Path, body: bytes) -> None:
    reading = read(write(tmp_path, data__csv=body), **ONLY_PAIN)
    assert answers(reading) == [("P001", "week_12", "NPRS", 1, "1", "6", date(2026, 4, 14))]


@pytest.mark.parametrize(
    ("order", "text", "day"),
    [
        (None, "2026-04-03", date(2026, 4, 3)),
        (None, "2026-04-03 09:30", date(2026, 4, 3)),
        ("day_first", "03-04-2026", date(2026, 4, 3)),
        ("day_first", "3.4.2026 09:30:00", date(2026, 4, 3)),
        ("month_first", "04/03/2026", date(2026, 4, 3)),
        ("month_first", "2026-04-03", date(2026, 4, 3)),
        (None, "03-04-2026", None),
        (None, "20260403", None),
        ("day_first", "04/13/2026", None),
        (None, "2026-02-30", None),
    ],
)
def test_dates_are_iso_unless_study_toml_says_otherwise(
    tmp_path: Path, order: str | None, text: str, day: date | None
) -> None:
    told = ONLY_PAIN | ({"dates": order} if order else {})
    reading = read(write(tmp_path, data__csv=f"{PAIN}P001,{AT},,,{text},6,2\n"), **told)
    if day is None:
        assert counted(reading, "responses") == (1, 0, {"bad_date": 1})
    else:
        assert [one[-1] for one in answers(reading)] == [day]


def test_a_number_field_may_have_a_decimal_comma(tmp_path: Path) -> None:
    files = {"data__csv": f'{PAIN}P001,{AT},,,,"6,5",2\n'}
    number = {"pain_nrs": {"text_validation_type_or_show_slider_number": "number_comma_decimal"}}
    named = read(write(tmp_path, **files, dictionary__csv=project(**number)), **ONLY_PAIN)
    said = read(
        write(tmp_path, **files, dictionary__csv=project()), decimal_comma=True, **ONLY_PAIN
    )
    neither = read(write(tmp_path, **files, dictionary__csv=project()), **ONLY_PAIN)
    assert [list(values(one).values()) for one in (named, said, neither)] == [
        ["6.5"], ["6.5"], ["6,5"],
    ]  # fmt: skip


def test_an_answer_the_project_does_not_allow_lands_and_is_told(tmp_path: Path) -> None:
    number = {"pain_nrs": {"text_validation_type_or_show_slider_number": "integer",
                           "text_validation_min": "0", "text_validation_max": "10"}}  # fmt: skip
    text = f"{PAIN}P001,{AT},,,,11,2\nP002,{AT},,,,10,2\n"
    reading = read(write(tmp_path, data__csv=text, dictionary__csv=project(**number)), **ONLY_PAIN)
    assert list(values(reading).values()) == ["11", "10"]
    assert reading.notes[-1] == (
        "pain_nrs: 1 answers are none that the project allows (from 0 to 10); "
        "they landed as they are"
    )
    choices = {"select_choices_or_calculations": "10, Worst, ever | -1, No"}
    radio = {"pain_nrs": {"field_type": "radio", **choices}}
    reading = read(write(tmp_path, data__csv=text, dictionary__csv=project(**radio)), **ONLY_PAIN)
    assert "1 answers are none that the project allows (codes 10, -1)" in reading.notes[-1]


@pytest.mark.parametrize(("complete", "landed"), [("0", 0), ("2", 1), ("", 0)])
def test_a_form_is_known_by_the_order_of_columns(
    tmp_path: Path, complete: str, landed: int
) -> None:
    reading = read(write(tmp_path, data__csv=f"{PAIN}P001,{AT},,,,,{complete}\n"), **ONLY_PAIN)
    assert counted(reading, "responses") == (landed, landed, {})


# What is kept


def test_names_and_free_text_are_left_behind(tmp_path: Path) -> None:
    text = (
        "record_id,redcap_survey_identifier,redcap_data_access_group,pain_timestamp,name_last,"
        "pain_date,pain_nrs,remarks,job_complete,note_timestamp,pain_complete\n"
        "P001,dana@example.org,haifa,2026-04-14 09:30:00,Levi,2026-04-14,6,ask Dana,Dana,Levi,2\n"
    )
    told = asked(**ONLY_PAIN, events={"": "baseline"})
    path = write(tmp_path, data__csv=text, dictionary__csv=project())
    data, about = SOURCE.fetch(path, told)
    assert data.body.decode() == (
        "record_id,pain_timestamp,pain_date,pain_nrs,pain_complete\n"
        "P001,2026-04-14 09:30:00,2026-04-14,6,2\n"
    )
    assert [one["field_name"] for one in json.loads(about.body)] == [
        "record_id", "pain_date", "pain_nrs", "fabq_date", "fabq_1", "fabq_2", "fabq_3",
    ]  # fmt: skip
    eav = "record,field_name,value\nP001,name_last,Levi\nP001,pain_nrs,6\nP001,pain_complete,2\n"
    data, _ = SOURCE.fetch(write(tmp_path, data__csv=eav), told)
    assert data.body.decode() == (
        "record,field_name,value\nP001,pain_nrs,6\nP001,pain_complete,2\n"
    )


def test_a_field_that_tells_who_somebody_is_is_refused(tmp_path: Path) -> None:
    marked = project(pain_nrs={"identifier": "y"})
    with pytest.raises(Misconfigured, match="'pain_nrs' as an identifier of a person"):
        read(write(tmp_path, data__csv=PAIN, dictionary__csv=marked), **ONLY_PAIN)
    with pytest.raises(Misconfigured, match="'pain_nrs' as an identifier of a person"):
        read(write(tmp_path, later__csv=project()), **ONLY_PAIN)  # whatever another one says


def test_an_access_group_may_be_the_site(tmp_path: Path) -> None:
    roster = {"event": "baseline_arm_1", "site": "redcap_data_access_group",
              "enrolled_on": "enrolled_on", "starts_on": "starts_on"}  # fmt: skip
    text = (
        "record_id,redcap_event_name,redcap_data_access_group,enrolled_on,starts_on\n"
        "P001,baseline_arm_1,haifa,2026-01-12,2026-01-20\n"
    )
    told = ONLY_PAIN | {"roster": roster, "instruments": {}}
    reading = read(write(tmp_path, data__csv=text, dictionary__csv=project()), **told)
    assert [one["site"] for one in reading.rows["participant"]] == ["haifa"]


# What is refused


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Record ID,Pain\nP001,6\n", "none has a column record_id .*raw data"),
        ("record_id,pain_date\nP001,2026-04-14\n", r"no column fabq_1 .*, pain_nrs \(sources"),
        ("record_id,fabq_1,fabq_2,fabq_date\nP001,1,2,\n", r"no column fabq_3 \(.*FABQ.3\); exp"),
        (PAIN + f"P001,{AT},,,,6\n", "row 2 is shorter or longer than the header"),
        (PAIN + f'P001,{AT},,,,"6,2\n', "a quote is not closed"),
        (PAIN + f",{AT},,,,6,2\n", "row 2 has no record_id"),
        (PAIN + f"P001,{AT},pain,first,,6,2\n", "redcap_repeat_instance that is not a whole"),
        (PAIN + f"P001,{AT},,,,6,Complete\n", "column pain_complete holds labels"),
        ("record_id,pain_nrs,pain_nrs\nP001,6,7\n", "two columns are named pain_nrs"),
    ],
)
def test_an_export_that_cannot_be_used_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        read(write(tmp_path, data__csv=text), **ONLY_PAIN)


def test_an_export_with_labels_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "Walk_DATA_LABELS_2026-04-02_0915.csv").write_text(PAIN)
    with pytest.raises(BadInput, match="an export with labels; export it again"):
        read(tmp_path, **ONLY_PAIN)
    with pytest.raises(BadInput, match="no file or folder is there"):
        read(tmp_path / "nowhere", **ONLY_PAIN)


def test_an_instrument_that_is_not_in_it_is_left_as_it_was(tmp_path: Path) -> None:
    text = f"{HEADER},pain_date,pain_nrs,fear_complete\nP001,{AT},,,2026-04-14,6,2\n"
    reading = read(write(tmp_path, data__csv=text, dictionary__csv=project()), **ONLY_PAIN)
    assert values(reading) == {"P001 week_12 NPRS.1": "6"}
    assert reading.notes == ["not in this export, and left as they were: FABQ"]


def test_a_record_that_is_nobodys_is_counted(tmp_path: Path) -> None:
    path = write(tmp_path, data__csv=f"{PAIN}P001,{AT},,,,6,2\nscreened-7,{AT},,,,5,2\n")
    reading = read(path, **ONLY_PAIN)
    assert values(reading) == {"P001 week_12 NPRS.1": "6"}
    assert counted(reading, "responses") == (2, 1, {"not_on_roster": 1})
    assert set(reading.counts_of) == {"P001"}
    with pytest.raises(BadInput, match="none of the 2 records is on the roster"):
        read(path, of_ask={"participants": ("P003",)}, **ONLY_PAIN)


def test_records_may_have_other_ids(tmp_path: Path) -> None:
    path = write(tmp_path, data__csv=f"{PAIN}331-1,{AT},,,,6,2\n")
    reading = read(path, of_ask={"ids": {"331-1": "P002"}}, **ONLY_PAIN)
    assert values(reading) == {"P002 week_12 NPRS.1": "6"}
    with pytest.raises(BadInput, match="a record is not in the mapping of --ids"):
        read(path, of_ask={"ids": {"331-2": "P002"}}, **ONLY_PAIN)


# Which word stays


@pytest.mark.parametrize(
    ("name", "stamp", "zone", "reach"),
    [
        ("Walk_DATA_2026-03-30_0915.csv", "", None, "2026-03-30T09:15"),
        ("Walk_DATA_2026-03-30_0915.csv", "2026-03-20 10:00:00", None, "2026-03-30T09:15"),
        ("Walk_DATA_2026-03-30_0915.csv", "2026-03-30 10:00:00", None, "2026-03-30T10:00"),
        ("Walk_DATA_2026-03-30_0915.csv", "", "Asia/Jerusalem", "2026-03-30T06:15"),
        ("data.csv", "2026-03-20 10:00:00", None, "2026-03-20T10:00"),
        ("data.csv", "[not completed]", None, "2026-04-01T06:00"),
        ("Walk_DATA_2027-01-01_0000.csv", "", None, "2026-04-01T06:00"),
    ],
)
def test_a_word_is_as_new_as_its_export(
    tmp_path: Path, name: str, stamp: str, zone: str | None, reach: str
) -> None:
    text = f"{HEADER},pain_timestamp,pain_date,pain_nrs\nP001,{AT},,,{stamp},,6\n"
    (tmp_path / name).write_text(text)
    told = ONLY_PAIN | ({"timezone": zone} if zone else {})
    [one] = read(tmp_path, **told).rows["response"]
    assert one["fetched_at"] == datetime.fromisoformat(reach).replace(tzinfo=UTC)


def test_two_exports_in_one_folder_need_an_order(tmp_path: Path) -> None:
    for name, value in (("b.csv", "6"), ("a.csv", "6")):
        (tmp_path / name).write_text(f"{PAIN}P001,{AT},,,,{value},2\n")
    assert values(read(tmp_path, **ONLY_PAIN)) == {"P001 week_12 NPRS.1": "6"}
    (tmp_path / "b.csv").write_text(f"{PAIN}P001,{AT},,,,5,2\n")
    with pytest.raises(BadInput, match=r"a\.csv and b\.csv tell different things"):
        read(tmp_path, **ONLY_PAIN)
    (tmp_path / "b.csv").rename(tmp_path / "W_DATA_2026-03-30_0915.csv")
    assert values(read(tmp_path, **ONLY_PAIN)) == {"P001 week_12 NPRS.1": "6"}


def test_two_files_may_hold_two_parts_of_a_record(tmp_path: Path) -> None:
    (tmp_path / "pain.csv").write_text(f"{PAIN}P001,{AT},,,2026-04-14,6,2\n")
    (tmp_path / "W_DATA_2026-03-30_0915.csv").write_text(
        f"{HEADER},fabq_date,fabq_1,fabq_2,fabq_3,fear_complete\nP001,{AT},,,2026-03-29,1,2,3,2\n"
    )
    reading = read(tmp_path, **ONLY_PAIN)
    assert [(row["item"], row["value"], str(row["fetched_at"])[:10])
            for row in reading.rows["response"]] == [
        ("1", "1", "2026-03-30"), ("2", "2", "2026-03-30"), ("3", "3", "2026-03-30"),
        ("1", "6", "2026-04-01"),
    ]  # fmt: skip
    assert counted(reading, "responses") == (4, 4, {})
    assert reading.counts_of["P001"]["responses"].landed == 4
    assert reading.notes == []


def test_a_row_that_two_files_have_is_counted_once(tmp_path: Path) -> None:
    first, later = (
        "".join(f"{who},{AT},,,2026-03-14,{pain},2\n" for who, pain in told)
        for told in ([("P001", 6), ("P002", 5)], [("P001", 6), ("P002", 4)])
    )
    (tmp_path / "W_DATA_2026-03-20_0900.csv").write_text(PAIN + first)
    (tmp_path / "W_DATA_2026-03-21_0900.csv").write_text(PAIN + later)
    reading = read(tmp_path, **ONLY_PAIN)
    told = {"repeated": 1, "replaced_by_a_newer_word": 1}
    assert counted(reading, "responses") == (4, 2, told)
    assert reading.counts_of["P001"]["responses"].rejections == {"repeated": 1}


def person(name: str) -> dict[str, Any]:
    return {"participant_id": name, "site": "haifa", "timezone": "Asia/Jerusalem", "batch": 3,
            "enrolled_on": date(2026, 1, 12), "starts_on": date(2026, 1, 20)}  # fmt: skip


EXPORT = (
    "record_id,redcap_event_name,pain_date,pain_nrs,pain_complete\nP001,{at},2026-04-14,{value},2\n"
)


@pytest.mark.parametrize("turned", [False, True])
def test_exports_and_the_api_speak_of_one_thing(tmp_path: Path, turned: bool) -> None:
    store = new_store(tmp_path / "home")
    store.register.put(reg.participant, [person("P001")])
    now = datetime(2026, 5, 1, tzinfo=UTC)
    files = {"W_DATA_2026-04-20_0900.csv": "6", "W_DATA_2026-04-22_0900.csv": "4"}
    for n, (name, value) in enumerate(sorted(files.items(), reverse=turned)):
        (tmp_path / name).write_text(EXPORT.format(at=AT, value=value))
        report = import_files(store, "redcap_export", tmp_path / name, now=now + n * HOUR)
        again = import_files(store, "redcap_export", tmp_path / name, now=now + (n + 2) * HOUR)
        assert "responses: 1 received = 1 landed + 0 rejected" in str(report)
        assert again.seen_before
        assert again.landed.rows_new + again.landed.rows_changed == 0
    assert stored(store) == [("P001", "redcap", "4")]
    # The API spoke between the two exports, and speaks again after them.
    for at, told, stays in ((datetime(2026, 4, 21, tzinfo=UTC), "5", "4"), (now, "7", "7")):
        rows = store.lake.read_rows(response).to_pylist()
        api = [one | {"value": told, "fetched_at": at} for one in rows]
        land_with(store, Reading(rows={"response": api}), "redcap")
        assert stored(store) == [("P001", "redcap", stays)]
    receipts = store.register.rows(sa.select(reg.receipt))
    assert {(r["participant_id"], r["source"], r["data_type"]) for r in receipts} == {
        ("P001", "redcap_export", name) for name in ("responses", "sessions", "goals", "roster")
    }


HOUR = timedelta(hours=1)


def stored(store: Any) -> list[tuple[str, str, str]]:
    rows = store.lake.read_rows(response).to_pylist()
    return [(row["participant_id"], row["source"], row["value"]) for row in rows]


def test_an_export_enrols_and_its_rows_lie_where_the_api_s_do(tmp_path: Path) -> None:
    store = new_store(tmp_path / "home")
    store.register.put(reg.participant, [person("P002")])
    names = ["record_id", "redcap_event_name", *ENROLLED, "paused_from", "paused_to"]
    lines = [",".join(names), ",".join(["P001", "baseline_arm_1", *ENROLLED.values(), "", ""])]
    (tmp_path / "roster.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "pain.csv").write_text(
        EXPORT.format(at=AT, value="6") + EXPORT.format(at=AT, value="4").splitlines()[1]
        .replace("P001", "P002") + "\n"
    )  # fmt: skip
    for name in ("roster.csv", "pain.csv"):
        import_files(store, "redcap_export", tmp_path / name, now=NOW)
    assert stored(store) == [("P001", "redcap", "6"), ("P002", "redcap", "4")]
    assert [file.path.rpartition("/")[2] for file in store.lake.files("response")] == [
        "bucket=0000.parquet", "bucket=0003.parquet",
    ]  # fmt: skip
