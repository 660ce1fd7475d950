"""Enrolment: who takes part, how each is connected, and everything that changes it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pyarrow as pa
import streamlit as st

from dashboard import actions as given_actions
from dashboard import connect_panel, words
from dashboard.actions import Actions, By
from dashboard.entry_forms import Form, draw, say_done
from dashboard.queries import enrolment as queries
from dashboard.shell import Page, open_page
from dashboard.words import say
from warehouse.refused import Refused

LONGEST_SEARCH = 40
ARM_FIELDS = ("arm", "therapist_id")
PAUSE = ("paused_from", "paused_to")
ENROL = ("participant_id", "site", "enrolled_on", "starts_on", *ARM_FIELDS, "timezone",
         "depression_or_anxiety", "age_years", "sex", "why")  # fmt: skip
CHANGE = ENROL[1:-1]


def render(page: Page) -> None:
    """The list, the form for a new participant, and the panel of one."""
    actions, by = given_actions.given(), given_actions.by(page)
    if "enrol" not in by.may:
        st.info(say("enrolment.not_allowed", role=page.viewer.role))
        return
    if actions is None:
        st.info(say("enrolment.no_actions"))
        return
    try:
        _render(page, actions, by)
    except Refused as refused:  # of what is shown; what is sent says it in its own form
        st.error(say("enrolment.refused", why=str(refused).rstrip(".")))


def _render(page: Page, actions: Actions, by: By) -> None:
    everybody = actions.participants(by)
    say_done()
    st.caption(say("enrolment.lead"))
    with st.expander(say("enrolment.add"), key="add_participant", on_change="rerun") as add:
        if add.open:
            _add(page, actions, by)
    _list(page, everybody)
    _panel(page, actions, by, everybody)


def _add(page: Page, actions: Actions, by: By) -> None:
    if not by.sees_arms:
        st.caption(say("enrolment.arms_elsewhere"))
    st.caption(say("enrolment.next_pseudonym", pseudonym=actions.propose(by)))
    fields = [name for name in ENROL if by.sees_arms or name not in ARM_FIELDS]
    site = page.site or (page.viewer.sites[0] if len(page.viewer.sites) == 1 else None)

    def send(given: dict[str, Any]) -> str:
        who, why = given.pop("participant_id") or "", given.pop("why") or ""
        done = actions.enrol(by, given, who, why)
        st.query_params["participant"] = done.participant_id
        return "\n".join([say("enrolment.enrolled", who=done.participant_id), *done.notes])

    draw(page, Form("enrol", "new", fields, send, {"site": site}))


def _list(page: Page, everybody: list[dict[str, Any]]) -> None:
    st.header(say("enrolment.list"))
    if not everybody:
        st.info(say("enrolment.nobody"))
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        state = _pick_state()
        search = st.text_input(
            say("enrolment.search"), key="enrolment_search", max_chars=LONGEST_SEARCH, width=240
        )
    shown = queries.listed(everybody, page.site, state, search, page.now.date())
    st.markdown(say("enrolment.shown", n=words.count(len(shown)), all=words.count(len(everybody))))
    if not shown:
        st.info(say("enrolment.nobody_left"))
        return
    chosen = st.dataframe(
        _table(page, shown), key="enrolment_list", hide_index=True, on_select="rerun",
        selection_mode="single-row", column_config=_columns(), placeholder="",
        alt=say("enrolment.alt_list"), height=min(420, 38 + 35 * len(shown)),
    )  # fmt: skip
    picked = chosen["selection"]["rows"]
    key = [row["participant_id"] for row in shown]
    if picked and picked[0] < len(key) and key[picked[0]] != st.session_state.get("picked_before"):
        st.session_state["picked_before"] = key[picked[0]]
        st.query_params["participant"] = key[picked[0]]


def _next_step(row: dict[str, Any]) -> str | None:
    """What to do next, in a few words; their panel has more of them."""
    told: str | None = row["next_step"]
    return words.table("enrolment_do").get(row["state"], told)


def _pick_state() -> str | None:
    """The state chosen of the address (`?state=`), or None for any."""
    table = words.table("enrolment_states")
    named = {say("enrolment.any_state"): None, **{told: code for code, told in table.items()}}
    label = st.selectbox(
        say("enrolment.state"), list(named), key="state", bind="query-params", width=240
    )
    return named.get(label or "")


def _table(page: Page, shown: list[dict[str, Any]]) -> pa.Table:
    states = words.table("enrolment_states")
    return pa.table(
        {
            "participant_id": [row["participant_id"] for row in shown],
            "next_step": [_next_step(row) for row in shown],
            "state": [states[row["state"]] for row in shown],
            "site": [page.site_label(row["site"]) for row in shown],
            "enrolled_on": pa.array([row["enrolled_on"] for row in shown], pa.date32()),
            "starts_on": pa.array([row["starts_on"] for row in shown], pa.date32()),
            "withdrawn_on": pa.array([row["withdrawn_on"] for row in shown], pa.date32()),
        }
    )


def _columns() -> dict[str, Any]:
    make, labels = st.column_config, words.table("enrolment_fields")
    days = {
        name: make.DateColumn(labels[name], format="D MMM YYYY")
        for name in ("enrolled_on", "starts_on", "withdrawn_on")
    }
    return days | {
        "participant_id": make.TextColumn(labels["participant_id"], pinned=True),
        "state": make.TextColumn(say("enrolment.state")),
        "next_step": make.TextColumn(say("enrolment.next_step")),
        "site": labels["site"],
    }


def _panel(page: Page, actions: Actions, by: By, everybody: list[dict[str, Any]]) -> None:
    """Everything about the participant of the address."""
    who = st.query_params.get("participant")
    person = next((one for one in everybody if one["participant_id"] == who), None)
    if person is None:
        if who:
            st.info(say("enrolment.not_here"))
        elif everybody:
            st.info(say("enrolment.choose"))
        return
    st.header(say("enrolment.participant", who=person["participant_id"]))
    st.markdown(_facts(page, person))
    st.subheader(say("enrolment.connections"))
    connect_panel.render(page, actions, by, person)
    st.subheader(say("enrolment.changes"))
    owned = actions.owned(by, person["participant_id"])
    for name, part in (("goal", _goal), ("pause", _pause), ("withdraw", _withdraw),
                       ("change", _change), ("erase", _erase)):  # fmt: skip
        if name == "erase" and "erase" not in by.may:
            continue
        if name == "goal" and page.study.goals_reveal_arm and not by.sees_arms:
            st.caption(say("enrolment.goals_elsewhere"))
            continue
        title, key = say(f"enrolment.title_{name}"), f"open_{name}"
        with st.expander(title, key=key, on_change="rerun") as box:
            if box.open:
                part(page, actions, by, person, owned)


def _facts(page: Page, person: dict[str, Any]) -> str:
    told = [
        say("enrolment.of_site", site=page.site_label(person["site"]), zone=person["timezone"]),
        say("enrolment.enrolled_on", day=words.day(person["enrolled_on"])),
        say("enrolment.starts_on", day=words.day(person["starts_on"])),
        words.pause(person["paused_from"], person["paused_to"]),
    ]
    if person["withdrawn_on"]:
        told.append(say("enrolment.withdrawn_on", day=words.day(person["withdrawn_on"])))
    return " · ".join(line for line in told if line)


def _say_owned(owned: dict[str, str], names: tuple[str, ...]) -> tuple[str, ...]:
    """Say which of the fields are changed elsewhere, and where; returns the others."""
    labels = words.table("enrolment_fields")
    if told := [f"- {labels[name]} {owned[name]}" for name in names if name in owned]:
        st.info("\n".join([say("enrolment.owned"), "", *told]))
    return tuple(name for name in names if name not in owned)


def _goal(
    page: Page, actions: Actions, by: By, person: dict[str, Any], owned: dict[str, str]
) -> None:
    who = person["participant_id"]
    goals = actions.goals(by, who)
    if goals:
        st.markdown("\n".join(f"- {_goal_line(goal)}" for goal in goals))
    else:
        st.caption(say("enrolment.no_goal"))
    if "goal_steps" in owned:
        st.info(f"{owned['goal_steps']}.")
        return
    st.caption(say("enrolment.goal_how"))

    def send(given: dict[str, Any]) -> str:
        actions.goal(by, who, given["valid_from"], given["goal_steps"], given["why"] or "")
        return say("enrolment.goal_done", who=who)

    draw(page, Form("goal", who, ("valid_from", "goal_steps", "why"), send,
                    {"valid_from": page.now.date() + timedelta(days=1)}))  # fmt: skip


def _goal_line(goal: dict[str, Any]) -> str:
    steps, first = words.count(goal["goal_steps"]), words.day(goal["valid_from"])
    if goal["valid_to"] is None:
        return say("enrolment.goal_since", steps=steps, first=first)
    return say("enrolment.goal_until", steps=steps, first=first, last=words.day(goal["valid_to"]))


def _pause(
    page: Page, actions: Actions, by: By, person: dict[str, Any], owned: dict[str, str]
) -> None:
    who = person["participant_id"]
    if _say_owned(owned, PAUSE) != PAUSE:
        return
    st.caption(say("enrolment.pause_how"))

    def send(given: dict[str, Any]) -> str:
        days = given["paused_from"], given["paused_to"]
        done = actions.pause(by, who, *days, given["why"] or "")
        return "\n".join([say("enrolment.pause_done", who=who), *done.notes])

    draw(page, Form("pause", who, (*PAUSE, "why"), send, person))


def _withdraw(
    page: Page, actions: Actions, by: By, person: dict[str, Any], owned: dict[str, str]
) -> None:
    who = person["participant_id"]
    if not _say_owned(owned, ("withdrawn_on",)):
        return
    st.caption(say("enrolment.withdraw_how"))

    def send(given: dict[str, Any]) -> str:
        actions.withdraw(by, who, given["withdrawn_on"], given["why"] or "")
        return say("enrolment.withdraw_done", who=who)

    draw(page, Form("withdraw", who, ("withdrawn_on", "why"), send, person))


def _change(
    page: Page, actions: Actions, by: By, person: dict[str, Any], owned: dict[str, str]
) -> None:
    who = person["participant_id"]
    mine = tuple(name for name in CHANGE if by.sees_arms or name not in ARM_FIELDS)
    fields = _say_owned(owned, mine)
    if not fields:
        return
    if not by.sees_arms:
        st.caption(say("enrolment.arms_elsewhere"))

    def send(given: dict[str, Any]) -> str:
        why = given.pop("why") or ""
        told = {name: value for name, value in given.items() if _differs(value, person[name])}
        if not told:
            raise Refused(say("enrolment.nothing_changed"))
        actions.change(by, who, told, why)
        return say("enrolment.change_done", who=who)

    draw(page, Form("change", who, (*fields, "why"), send, person))


def _differs(given: Any, before: Any) -> bool:
    if isinstance(before, bool):
        return bool(given != ("yes" if before else "no"))
    return str(given or "") != str(before if before is not None else "")


def _erase(
    page: Page, actions: Actions, by: By, person: dict[str, Any], owned: dict[str, str]
) -> None:
    who = person["participant_id"]
    kinds = words.table("enrolment_kinds")
    st.markdown(say("enrolment.erase_how", who=who))
    found = actions.erasable(by, who)
    lines = [f"- {kinds.get(name, name)}: {words.count(count)}" for name, count in found.items()]
    st.markdown("\n".join(lines))
    st.caption(say("enrolment.erase_stays"))

    def send(given: dict[str, Any]) -> str:
        receipt = actions.erase(by, who, given["typed"] or "", given["why"] or "")
        st.query_params.pop("participant", None)
        return "\n".join([say("enrolment.erase_done"), *receipt.notes])

    draw(page, Form("erase", who, ("typed", "why"), send, {}))


if __name__ == "__main__":
    open_page(say("pages.enrolment"), render, filters=("site",))
