"""What stands at the top of a participant's page: facts, why they are listed, their connection."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import words
from dashboard.parts import Figure, figures
from dashboard.queries import participant as queries
from dashboard.queries.asking import Answer
from dashboard.shell import Page
from dashboard.words import say


def say_facts(page: Page, person: Answer, scales: list[dict[str, Any]]) -> None:
    """Site, study day, sync, valid days, goal days, and the change on two scales."""
    figures(page, person, "adherence", "facts", facts_of(page, person.row, scales))


def facts_of(page: Page, row: dict[str, Any], scales: list[dict[str, Any]]) -> list[Figure]:
    """The key figures of one participant, each with n, date, unit and direction in its help."""
    changes = zip(queries.NTH, scales, strict=False)
    return [
        Figure(say("participant.site"), page.site_label(row["site"]), about(page, row)),
        _study_day(page, row),
        _sync(row),
        _valid(page, row),
        Figure(
            say("participant.goal_days"),
            _of(row["goal_days_met_of_14"], row["goal_days_of_14"]),
            say("participant.help_goal_days", n=words.count(row["goal_days_of_14"])),
        ),
        *(_change(row, nth, scale) for nth, scale in changes),
    ]


def about(page: Page, row: dict[str, Any]) -> str:
    """Study day 1, withdrawal, pause and, where it may be seen, the arm: in one sentence."""
    parts = [say("participant.starts", day=words.day(row["starts_on"]))]
    if row["withdrawn_on"]:
        parts.append(say("participant.withdrawn", day=words.day(row["withdrawn_on"])))
    if pause := words.pause(row["paused_from"], row["paused_to"]):
        parts.append(pause)
    if arm := row.get("arm"):
        label = next((one.label for one in page.study.arms if one.code == arm), arm)
        parts.append(say("participant.arm", arm=label))
    return ", ".join(parts) + "."


def _study_day(page: Page, row: dict[str, Any]) -> Figure:
    told = say(
        "participant.help_study_day",
        starts=words.day(row["starts_on"]), day=words.day(page.build["data_to"]),
    )  # fmt: skip
    return Figure(say("participant.study_day"), words.count(row["study_days"]), told)


def _sync(row: dict[str, Any]) -> Figure:
    days, zone = row["days_since_sync"], row["timezone"]
    ago = {None: "never", 0: "today", 1: "day_ago"}.get(days, "days_ago")
    told = say(
        "participant.help_since_sync",
        at=words.moment(row["synced_at"], zone), zone=zone, as_of=words.moment(row["as_of"]),
    )  # fmt: skip
    return Figure(say("participant.since_sync"), say(f"participant.{ago}", n=days), told)


def _valid(page: Page, row: dict[str, Any]) -> Figure:
    told = say(
        "participant.help_valid_days",
        n=words.count(row["eligible_days"]), day=words.day(page.build["data_to"]),
    )  # fmt: skip
    value = _of(row["valid_days"], row["eligible_days"])
    return Figure(say("participant.valid_days"), value, told)


def _of(part: int | None, whole: int | None) -> str:
    if not whole:
        return words.NOTHING
    return say("participant.of", part=words.count(part), whole=words.count(whole))


def _change(row: dict[str, Any], nth: str, scale: dict[str, Any]) -> Figure:
    """The newest change from baseline, with its direction in words beside the figure."""
    label = say("participant.change_of", label=scale["label"].split(" (")[0])
    better = words.direction(scale["better"]).capitalize()
    change, improvement = row[f"{nth}_change"], row[f"{nth}_improvement"]
    if change is None:
        return Figure(label, words.NOTHING, say("participant.help_no_change", direction=better))
    sense = "better" if improvement > 0 else "worse" if improvement < 0 else "unchanged"
    value = f"{change:+.1f}".replace("-", "\u2212") + f" {say(f'participant.{sense}')}"
    told = say(
        "participant.help_change",
        score=f"{row[f'{nth}_score']:.1f}", visit=row[f"{nth}_visit"],
        day=words.day(row[f"{nth}_answered_on"]), baseline=f"{row[f'{nth}_baseline']:.1f}",
        direction=better,
        threshold=words.NOTHING if scale["mcid"] is None else words.threshold(scale),
    )  # fmt: skip
    return Figure(label, value, told)


def say_about(page: Page, person: Answer) -> None:
    """Since when they are in the study and, where they are on the work list, why: in one line."""
    told = [about(page, person.row)]
    if listed := queries.reasons(page.con, person.row["participant_id"]):
        told.append(say("participant.listed", reasons=", ".join(map(_reason, listed))))
    st.markdown(" ".join(told))


def _reason(item: dict[str, Any]) -> str:
    label = words.table("work_do")[item["reason"]]
    if item["held_back"]:
        return say("participant.listed_held", reason=label)
    if item["since_on"] is None:
        return label
    return say("participant.listed_since", reason=label, day=words.day(item["since_on"]))


def say_connection(page: Page, person: Answer) -> None:
    """What keeps data from coming, with the next step; silent where all is well."""
    zone = person.row["timezone"]
    links = queries.connections(page.con, person.row["participant_id"])
    if not links:
        st.warning(say("participant.never_connected"))
    for link in links:
        if link["next_step"]:
            step = say("participant.link_step", step=link["next_step"])
            st.warning(f"{_link(link, zone)}. {step}")


def say_connections(page: Page, person: Answer) -> None:
    """Every connection with its last sync, and every device as last reported."""
    who, zone = person.row["participant_id"], person.row["timezone"]
    for link in queries.connections(page.con, who):
        sync = say("participant.link_sync", at=words.moment(link["synced_at"], zone))
        st.markdown(f"{_link(link, zone)}; {sync}.")
    for device in queries.devices(page.con, who):
        pct = device["battery_pct"]
        st.markdown(
            say(
                "participant.device",
                model=device["device_model"] or say("participant.device_unknown"),
                at=words.moment(device["last_sync_at"], zone),
                battery="" if pct is None else say("participant.battery", pct=pct),
                zone=zone,
            )
        )


def _link(link: dict[str, Any], zone: str) -> str:
    state = words.CONNECTIONS.get(link["state"], link["state"])
    since = words.moment(link["since"], zone)
    source = words.named("sources", link["source"])
    return say("participant.link", source=source, state=state, since=since)
