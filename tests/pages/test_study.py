"""The Study page: the protocol as it is written, who may do what, and the audit trail."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import BaseModel
from streamlit.testing.v1 import AppTest
from support.pages import about, opened, shown_sql, text, use
from support.published import home_of, publish_rows, small_study, typed_rows

from dashboard import protocol, words
from dashboard.queries.study import Asked, audit_lines
from warehouse.publish import open_published, stable_path
from warehouse.register import Register
from warehouse.staff import add_staff
from warehouse.study import EXAMPLE, read_study


def at_time(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 2, day, hour, tzinfo=UTC)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The typed study with a register: two people, and five lines of audit."""
    home = tmp_path_factory.mktemp("kept")
    small_study(home)
    with closing(Register(home_of(home).register_url)) as register:
        study = read_study(home / "study.toml")
        add_staff(register, study, "dana@example.org", "coordinator", ["haifa"], "ops", at_time(9))
        add_staff(
            register, study, "sam@example.org", "unblinded_statistician", [], "ops", at_time(9)
        )
        for what, at, subject, why in (
            ("contact logged", at_time(10), "P001", "battery"),
            ("consent link", at_time(10, 23), "P003 fitbit", "sent 100 % of them"),
            ("export", at_time(11, 0), "adherence.csv", ""),
        ):
            register.record("dana@example.org, coordinator", what, at, subject, why=why)
    return home


def part(name: str, **address: str) -> AppTest:
    return opened("study", part=words.say(f"study.part_{name}"), **address)


def tables(at: AppTest) -> dict[str, list[list[str]]]:
    """The text of each table that is read as text, by its alt: header row, then rows."""
    found = {}
    for one in at.table:
        frame = one.value
        rows = [[unescaped(cell) for cell in row] for row in frame.to_numpy().tolist()]
        found[one.proto.alt] = [list(frame.columns), *rows]
    return found


def unescaped(cell: str) -> str:
    return cell.replace("\\", "")


def line_of(home: Path, start: str, nth: int = 1) -> int:
    lines = (home / "study.toml").read_text().splitlines()
    return [number for number, line in enumerate(lines, 1) if line.startswith(start)][nth - 1]


def test_the_protocol_is_what_study_toml_says_with_the_line_of_each(kept, monkeypatch):
    use(monkeypatch, kept)
    found = tables(part("protocol"))
    weeks = line_of(kept, "weeks = 52")
    assert [
        "Length of follow-up, in weeks from study day 1", "52", f"[study] weeks, line {weeks}",
    ] in found["the_study"]  # fmt: skip
    assert [row[0] for row in found["arms"]] == ["Name", "ETMI", "Usual physiotherapy"]
    assert found["visits"][1][:5] == ["Baseline", "0", "day -28", "day 1", "2 days past the target"]
    assert found["visits"][-1][:4] == [
        "Discharge",
        words.NOTHING,
        "the day of the last session",
        words.NOTHING,
    ]
    southampton = found["sites"][3]
    assert southampton[:5] == [
        "Southampton", "southampton", "Europe/London", "saturday, sunday", "2"
    ]  # fmt: skip
    line = line_of(kept, 'code = "southampton"')
    assert southampton[5] == f"line {line}"
    assert found["cohorts"][1][:2] == [
        "Pain of 7 or more at baseline", "NPRS at baseline at least 7"
    ]  # fmt: skip


def test_no_arm_code_and_no_person_is_on_the_masked_page(kept, monkeypatch):
    use(monkeypatch, kept)
    for name in ("protocol", "rules", "amendments", "people"):
        at = part(name)
        shown = str(tables(at)) + text(at)
        for hidden in ("usual_care", "P001", "dana@example.org", "sam@example.org", "T01"):
            assert hidden not in shown, (name, hidden)


def test_every_setting_is_in_words_with_its_value_and_where_it_is_set(kept, monkeypatch):
    use(monkeypatch, kept)
    found = tables(part("rules"))
    wear = found["wear"]
    assert [
        "Minutes of wear that make a valid day", "600",
        f"[wear] valid_day_minutes, line {line_of(kept, 'valid_day_minutes')}",
    ] in wear  # fmt: skip
    assert ["More steps in a day than this are implausible", "45,000"] in [row[:2] for row in wear]
    limits = next(row for row in found["work_list"] if row[0] == "Limits of a score")
    assert limits[1] == "scale NPRS, worse by 2, reaches 8"


def test_a_setting_that_the_file_does_not_have_is_said_to_be_the_default(tmp_path, monkeypatch):
    small_study(tmp_path)
    study = tmp_path / "study.toml"
    lines = study.read_text().splitlines(keepends=True)
    study.write_text("".join(line for line in lines if not line.startswith("regularity_days")))
    use(monkeypatch, tmp_path)
    found = tables(part("rules"))["wear"]
    assert [
        "Valid days of a week needed for its regularity", "5",
        "[wear] regularity_days: not in the file, the default",
    ] in found  # fmt: skip


def test_every_setting_of_every_section_has_words():
    study = read_study(EXAMPLE)
    nameless = [
        f"{section}.{name}"
        for section in protocol.sections(study)
        for name in type(getattr(study, section)).model_fields
        if name not in words.table(f"setting_{section}")
    ]
    assert nameless == []
    titles = set(words.table("study_sections")) | {"study"}
    assert set(protocol.sections(study)) == titles


def test_a_setting_without_words_still_has_a_name():
    class Young(BaseModel):
        most_hops: int = 1

    assert protocol.meaning_of(Young(), "wear", "most_hops") == "most hops"


def test_a_protocol_changed_since_the_build_is_said(tmp_path, monkeypatch):
    small_study(tmp_path)
    use(monkeypatch, tmp_path)
    rows = typed_rows()
    publish_rows(tmp_path, rows)
    at = part("protocol")
    assert "has been changed since this build" in at.warning[0].value


def test_the_thresholds_are_those_of_the_file(kept, monkeypatch):
    use(monkeypatch, kept)
    at = about(part("protocol"), "study_outcomes")
    [(sql, _)] = [(box.code[0].value, box) for box in at.get("expander") if len(box.code)]
    with closing(open_published(stable_path(home_of(kept)))) as con:
        found = con.sql(sql).to_arrow_table()
    shown = at.dataframe[0].value
    assert shown.columns.tolist() == found.column_names
    due = ["FABQPA", "FABQW", "FUNC", "NPRS", "RMDQ24"]  # the typed file has three of the scales
    assert shown["scale"].tolist() == found["scale"].to_pylist() == due
    assert found["mcid"].to_pylist() == [4, None, 5, 2, None]
    assert shown["mcid"].dropna().tolist() == [4, 5, 2]
    assert shown["visits"][1] == found["visits"][1].as_py() == "Baseline, Week 12, Week 52"
    read = [row for row in tables(at)[words.say("study.outcomes_alt")] if row[1] == "NPRS"]
    assert read[0][3:8] == ["0", "10", "lower", "2", "points"]


def test_amendments_stand_newest_first_and_say_nothing_to_markdown(tmp_path, monkeypatch):
    small_study(tmp_path)
    study = tmp_path / "study.toml"
    later = '\n[[amendments]]\ndated = 2026-03-01\nwhat = "**Wear** of ![x](//evil/x.png) $9$"\n'
    study.write_text(study.read_text() + later)
    use(monkeypatch, tmp_path)
    at = part("amendments")
    found = tables(at)["part_amendments"]
    assert [row[:2] for row in found[1:]] == [
        ["1 Mar 2026", "**Wear** of ![x](//evil/x.png) $9$"],
        ["5 Jan 2026", "First version of the protocol"],
    ]
    raw = at.table[0].value.iloc[0, 1]
    assert raw == r"\*\*Wear\*\* of !\[x\](//evil/x.png) \$9\$"


def test_roles_are_what_study_toml_says(kept, monkeypatch):
    use(monkeypatch, kept)
    found = tables(part("people"))
    assert [row[:4] for row in found["roles"][1:]] == [
        ["coordinator", "hidden", "every site", "contact, enrol, export"],
        ["trial_manager", "hidden", "every site", "contact, enrol, erase, export, audit, staff"],
        ["blinded_analyst", "hidden", "every site", "export"],
        ["unblinded_statistician", "shown, with a reason", "every site", "export"],
        ["data_engineer", "hidden", "every site", "export, audit, staff"],
    ]
    assert len(found["rights"]) == 1 + 6


def test_people_are_shown_to_those_who_may_see_them(kept, monkeypatch):
    use(monkeypatch, kept, role="data_engineer")
    at = part("people")
    people = at.dataframe[0].value
    assert people["login"].tolist() == ["dana@example.org", "sam@example.org"]
    assert people["sites"].tolist() == ["haifa", "every site"]
    use(monkeypatch, kept)
    at = part("people")
    assert len(at.dataframe) == 0
    assert "right `staff`" in at.info[0].value


def lines(at: AppTest) -> list[tuple[str, str]]:
    if not len(at.dataframe):
        return []
    frame = at.dataframe[0].value
    return list(zip(frame["what"], frame["subject"], strict=True))


ALL = [
    ("export", "adherence.csv"),
    ("consent link", "P003 fitbit"),
    ("contact logged", "P001"),
    ("staff added", "sam@example.org"),
    ("staff added", "dana@example.org"),
]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ({}, ALL),
        ({"what": "consent link"}, [ALL[1]]),
        ({"who": "DANA"}, ALL[:3]),
        ({"find": "100 %"}, [ALL[1]]),
        ({"find": "1_0"}, []),
        ({"find": "%"}, [ALL[1]]),
        ({"first": "2026-02-10", "last": "2026-02-10"}, [ALL[1], ALL[2]]),
        ({"first": "2026-02-11"}, [ALL[0]]),
        ({"last": "2026-02-09"}, ALL[3:]),
        ({"find": "' OR 1=1 --"}, []),
        ({"who": "<script>alert(1)</script>"}, []),
        ({"what": "no such thing"}, ALL),
        ({"first": "yesterday"}, ALL),
        ({"part": "nonsense"}, None),
    ],
)
def test_the_audit_trail_is_filtered_by_who_what_and_when(kept, monkeypatch, address, expected):
    use(monkeypatch, kept, role="trial_manager")
    at = opened("study", **({"part": "Audit trail"} | address))
    if expected is None:
        assert at.radio(key="part").value == "protocol"
    else:
        assert lines(at) == expected
        assert expected or "No line fits." in at.info[0].value


def test_the_audit_trail_is_not_read_for_a_role_without_the_right(kept, monkeypatch):
    def asked(*_: object) -> None:
        raise AssertionError("the register was asked")

    monkeypatch.setattr("dashboard.queries.study.audit_lines", asked)
    use(monkeypatch, kept)
    at = part("audit")
    assert "may not read the audit trail" in at.info[0].value
    assert len(at.dataframe) == 0


def test_somebody_bound_to_a_site_reads_of_its_participants_and_themselves(tmp_path, monkeypatch):
    small_study(tmp_path)
    study = tmp_path / "study.toml"
    bound = '[[roles]]\ncode = "lead"\nsites = ["haifa"]\nmay = ["audit"]\n'
    study.write_text(study.read_text() + bound)
    with closing(Register(home_of(tmp_path).register_url)) as register:
        for who, subject in (
            ("x", "P001"), ("x", "P003"), ("x", "P0011"), ("x", "P002 fitbit"),
            ("local user (no sign-in), lead", "adherence.csv"), ("x", "Outcomes"),
        ):  # fmt: skip
            register.record(who, "seen", at_time(10), subject)
    use(monkeypatch, tmp_path, role="lead")
    at = part("audit")
    assert [subject for _, subject in lines(at)] == ["adherence.csv", "P002 fitbit", "P001"]


def test_days_of_the_audit_trail_are_whole_days_of_utc(store):
    for hour, minute in ((0, 0), (23, 59)):
        store.register.record("x", "seen", datetime(2026, 2, 10, hour, minute, tzinfo=UTC), "P1")
    store.register.record("x", "seen", datetime(2026, 2, 11, tzinfo=UTC), "P1")
    store.register.record("x", "seen", datetime(2026, 2, 9, 23, 59, 59, tzinfo=UTC), "P1")
    day = datetime(2026, 2, 10).date()
    assert audit_lines(store.register, Asked(first=day, last=day)).num_rows == 2


def test_a_long_trail_is_cut_on_the_page_and_whole_in_the_file(kept, monkeypatch):
    use(monkeypatch, kept, role="trial_manager")
    monkeypatch.setattr("dashboard.queries.study.MOST_LINES", 2)
    at = part("audit")
    assert lines(at) == ALL[:2]
    assert "The newest 2 of 5 lines that fit" in text(at)


def test_without_a_register_the_page_still_reads_the_protocol(tmp_path, monkeypatch):
    small_study(tmp_path)
    use(monkeypatch, tmp_path)
    part("protocol"), part("rules"), part("amendments"), part("people")
    assert not (tmp_path / "register.sqlite").exists()
    assert shown_sql(part("protocol")) == []
