"""Entries of the study team as rows: any order, the later word, goals numbered by date."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fuzz import Seed

from ingestion.errors import BadReply
from ingestion.source import Ask, Reply
from ingestion.sources.study_team import SOURCE, Entry
from warehouse.study import EXAMPLE, read_study

STUDY = read_study(EXAMPLE)
AT = datetime(2026, 3, 10, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


def entry(hours: int, kind: str, who: str = "P-00017", **fields: object) -> Reply:
    ask = Ask(STUDY, AT + hours * HOUR, who)
    [reply] = SOURCE.fetch(Entry(kind, "dana", "as asked", fields), ask)
    return reply


def read(*replies: Reply) -> dict[str, list[dict[str, object]]]:
    return SOURCE.read(replies, Ask(STUDY, AT)).rows


def goal(hours: int, day: str, steps: int | None) -> Reply:
    return entry(hours, "goal", valid_from=day, goal_steps=steps)


def versions(*replies: Reply) -> list[tuple[object, ...]]:
    names = ("version", "valid_from", "valid_to", "goal_steps")
    return [tuple(row[name] for name in names) for row in read(*replies).get("goal", [])]


def fuzz_seeds():
    """A participant enrolled, paused and given two goals, one of them taken back."""
    who = {"site": "haifa", "timezone": "Asia/Jerusalem", "age_years": 44, "sex": "female"}
    days = {"enrolled_on": "2026-03-01", "starts_on": "2026-03-09"}
    enrol = entry(0, "enrol", **who, **days, depression_or_anxiety=True)
    pause = entry(1, "pause", paused_from="2026-03-12", paused_to=None)
    told = (enrol, pause, goal(2, "2026-03-12", 5000), goal(3, "2026-04-01", None))
    yield Seed(told, Ask(STUDY, AT))


def test_a_roster_entry_speaks_of_its_own_fields_only():
    assert read(entry(1, "pause", paused_from="2026-03-12", paused_to=None)) == {
        "participant": [
            {
                "participant_id": "P-00017",
                "fetched_at": AT + HOUR,
                "paused_from": date(2026, 3, 12),
                "paused_to": None,
            }
        ]
    }


def test_goals_are_numbered_by_their_day_and_end_before_the_next():
    told = [goal(1, "2026-04-01", 6000), goal(2, "2026-03-12", 5000), goal(3, "2026-04-20", 7000)]
    assert versions(*told) == [
        (1, date(2026, 3, 12), date(2026, 3, 31), 5000),
        (2, date(2026, 4, 1), date(2026, 4, 19), 6000),
        (3, date(2026, 4, 20), None, 7000),
    ]


def test_of_two_goals_of_one_day_the_later_entry_holds_and_one_can_be_taken_back():
    told = [goal(1, "2026-03-12", 5000), goal(2, "2026-03-12", 5500), goal(3, "2026-04-01", 6000)]
    assert [row[3] for row in versions(*told)] == [5500, 6000]
    assert versions(*told, goal(4, "2026-03-12", None)) == [(1, date(2026, 4, 1), None, 6000)]


ENTRIES = st.lists(
    st.tuples(st.sampled_from(["2026-03-12", "2026-04-01", "2026-04-20"]),
              st.sampled_from([None, 4000, 5000, 6000])),
    min_size=1, max_size=8,
)  # fmt: skip


@settings(deadline=None)
@given(ENTRIES, st.randoms())
def test_entries_read_in_any_order_say_the_same(told, random):
    replies = [goal(n, day, steps) for n, (day, steps) in enumerate(told)]
    replies += [entry(40 + n, "change", age_years=50 + n) for n in range(3)]
    shuffled = [*replies]
    random.shuffle(shuffled)
    assert read(*shuffled) == read(*replies)


def test_two_participants_keep_their_own_goals():
    told = read(entry(1, "goal", "A", valid_from="2026-03-12", goal_steps=5000),
                entry(2, "goal", "B", valid_from="2026-03-12", goal_steps=6000))  # fmt: skip
    assert [(g["participant_id"], g["version"], g["goal_steps"]) for g in told["goal"]] == [
        ("A", 1, 5000), ("B", 1, 6000),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"kind":"goal"}', b'{"kind":"x","who":"","why":"","fields":{}}']
)
def test_what_is_no_entry_is_refused(body):
    reply = Reply("study_team", "A", "entry", "entry of goal", AT, 200, "application/json", body)
    with pytest.raises(BadReply, match="study_team"):
        SOURCE.read([reply], Ask(STUDY, AT))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"nickname": "x"}, "no field of ours"),
        ({"age_years": "44"}, "age_years of an entry is no"),
        ({"age_years": 17}, "age_years of an entry is out of range"),
        ({"age_years": True}, "age_years of an entry is no"),
        ({"starts_on": "9 March"}, "starts_on of an entry is no"),
        ({"sex": "other"}, "sex of an entry is out of range"),
        ({"site": None}, "site of an entry is no"),
    ],
)
def test_an_entry_that_nobody_can_have_made_is_refused(fields, said):
    with pytest.raises(BadReply, match=said):
        read(entry(1, "change", **fields))


def test_the_bounds_themselves_are_read():
    [row] = read(entry(1, "change", age_years=18, sex="male"))["participant"]
    assert (row["age_years"], row["sex"]) == (18, "male")


def test_a_goal_without_its_day_is_refused():
    with pytest.raises(BadReply, match="without the day"):
        read(entry(1, "goal", goal_steps=5000))
