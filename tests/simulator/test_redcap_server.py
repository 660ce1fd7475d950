"""The REDCap personality: the study's project as its API exports it."""

from datetime import UTC, datetime, timedelta

import pytest
from support.simulated import simulated

from ingestion.simulator.redcap import REDCAP_TOKEN


@pytest.fixture(scope="module")
def sim():
    with simulated(participants=12, weeks=6) as made:
        made.set_clock(made.world.settles_at)
        yield made


def ask(sim, content: str = "record", **form: str):
    known = {"token": REDCAP_TOKEN, "content": content, "format": "json", **form}
    return sim.http.post("/api/", data=known)


def records(sim, **form: str) -> list[dict]:
    reply = ask(sim, type="flat", **form)
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_the_roster_is_on_the_baseline_event(sim):
    rows = records(sim, **{"forms[0]": "roster", "records[0]": "P001"})
    p = sim.world.participants[0]
    assert rows == [
        {
            "record_id": "P001", "redcap_event_name": "baseline_arm_1",
            "redcap_repeat_instrument": "", "redcap_repeat_instance": "",
            "site": p.site, "arm": p.arm, "therapist": p.therapist_id, "timezone": p.timezone,
            "enrolled_on": p.enrolled_on.isoformat(), "starts_on": p.starts_on.isoformat(),
            "withdrawn_on": "", "paused_from": "", "paused_to": "",
            "depanx": "1" if p.depression_or_anxiety else "0",
            "age": str(p.age_years),
            "roster_complete": "2", "sex": p.sex,
        }
    ]  # fmt: skip


def test_everybody_answers_as_the_truth_says(sim):
    truth = {
        (r["participant_id"], r["visit"], r["instrument"], r["item"]): r["value"] or ""
        for r in sim.world.truth_responses(sim.now())
    }
    shown = {}
    for row in records(sim):
        visit = row["redcap_event_name"].removesuffix("_arm_1")
        key = (row["record_id"], visit)
        if row["func_date"]:
            shown[(*key, "LCAT", "score")] = row["func_score"]
        if row["pain_date"]:
            shown[(*key, "NPRS", "1")] = row["pain_nrs"]
        if row["fabq_date"]:
            shown |= {(*key, "FABQ", str(n)): row[f"fabq_{n}"] for n in range(1, 17)}
        if row["rmdq_date"]:
            shown |= {(*key, "RMDQ24", str(n)): row[f"rmdq_{n}"] for n in range(1, 25)}
    assert len(truth) > 500
    assert shown == truth


def test_goals_and_sessions_are_repeating_instruments(sim):
    goals = records(sim, fields="goal_from,goal_steps,record_id")
    truth = [
        (g["participant_id"], g["version"], g["valid_from"].isoformat(), str(g["goal_steps"]))
        for g in sim.world.truth_goals(sim.now())
    ]
    assert truth == [
        (r["record_id"], r["redcap_repeat_instance"], r["goal_from"], r["goal_steps"])
        for r in goals
    ]
    assert {r["redcap_repeat_instrument"] for r in goals} == {"step_goal"}
    sessions = records(sim, forms="treatment_session", fields="record_id")
    kept = [r for r in sessions if r["redcap_repeat_instrument"] == "treatment_session"]
    assert [
        (r["record_id"], r["redcap_repeat_instance"], r["session_date"], r["session_attended"])
        for r in kept
    ] == [
        (s["participant_id"], s["session_number"], s["held_on"].isoformat(),
         "1" if s["attended"] else "0")
        for s in sim.world.truth_sessions(sim.now())
    ]  # fmt: skip


def test_filters_narrow_rows_and_fields(sim):
    rows = records(sim, **{"events[0]": "week_4_arm_1", "fields[0]": "pain_nrs"})
    assert rows
    assert {r["redcap_event_name"] for r in rows} == {"week_4_arm_1"}
    assert set(rows[0]) == {
        "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance", "pain_nrs"
    }  # fmt: skip
    assert {r["record_id"] for r in records(sim, records="P002,P003")} == {"P002", "P003"}


def test_answers_and_roster_appear_on_their_day():
    with simulated(participants=6, weeks=6) as sim:
        withdrawn = sim.world.participants[4].withdrawn_on
        noon = datetime(withdrawn.year, withdrawn.month, withdrawn.day, 12, tzinfo=UTC)
        found = []
        for at in (noon - timedelta(days=1), noon):
            sim.set_clock(at)
            found.append(records(sim, forms="roster", records="P005")[0]["withdrawn_on"])
            answers = [r for r in records(sim) if r["pain_date"]]
            assert max(r["pain_date"] for r in answers) <= at.date().isoformat()
        assert found == ["", withdrawn.isoformat()]


def test_nobody_is_listed_before_enrollment():
    with simulated(participants=12, weeks=1) as sim:
        today = sim.now().date()
        enrolled = [p.participant_id for p in sim.world.participants if p.enrolled_on <= today]
        assert 0 < len(enrolled) < 12
        listed = [r["record_id"] for r in records(sim, forms="roster")]
        assert listed == enrolled


def test_the_project_describes_itself(sim):
    fields = {row["field_name"]: row["form_name"] for row in ask(sim, "metadata").json()}
    assert fields["record_id"] == "roster"
    assert (fields["fabq_16"], fields["goal_steps"]) == ("fabq", "step_goal")
    events = [row["unique_event_name"] for row in ask(sim, "event").json()]
    assert events[0] == "baseline_arm_1"
    assert "discharge_arm_1" in events
    mapping = ask(sim, "formEventMapping").json()
    assert {"arm_num": 1, "unique_event_name": "week_4_arm_1", "form": "nprs"} in mapping
    assert {"arm_num": 1, "unique_event_name": "week_4_arm_1", "form": "roster"} not in mapping
    forms = [row["instrument_name"] for row in ask(sim, "instrument").json()]
    assert forms[0] == "roster"
    repeating = [row["form_name"] for row in ask(sim, "repeatingFormsEvents").json()]
    assert repeating == ["step_goal", "treatment_session"]
    assert ask(sim, "version").text == "14.5.10"


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"token": "0" * 32}, 403),
        ({"content": "everything"}, 400),
        ({"fields": "no_such_field"}, 400),
        ({"forms[0]": "no_such_form"}, 400),
        ({"events": "no_such_event"}, 400),
        ({"type": "eav"}, 501),
        ({"rawOrLabel": "label"}, 501),
        ({"filterLogic": "[pain_nrs] > 3"}, 501),
        ({"dateRangeBegin": "2026-02-01 00:00:00"}, 501),
        ({"dateRangeEnd": "2026-02-01 00:00:00"}, 501),
        ({"format": "csv", "returnFormat": "json"}, 501),
    ],
)
def test_refusals(sim, form, status):
    reply = ask(sim, **{"content": "record", **form})
    assert reply.status_code == status
    assert list(reply.json()) == ["error"]


def test_errors_are_xml_unless_json_is_asked_for(sim):
    reply = sim.http.post("/api/", data={"token": "x", "content": "record"})
    assert reply.status_code == 403
    assert reply.text.endswith("</error></hash>")
    assert sim.http.get("/api/").status_code == 403
