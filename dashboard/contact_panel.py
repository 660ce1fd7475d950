"""Beside the list: what to say, who has called already, and a form to log the call."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import streamlit as st

from dashboard import access, words, worklist
from dashboard.participant_events import told_to
from dashboard.shell import Page
from dashboard.words import say
from dashboard.worklist import Person
from warehouse.contacts import (
    LONGEST_NOTE,
    Contact,
    ContactedSince,
    NotLogged,
    assign,
    history,
    log_contact,
)

LAST_QUEUE = "today_queue"  # of this session, also for whoever comes back by the bar of pages
SEEN = "today_seen"  # of each participant opened: the newest contact that was on the screen


def render(page: Page, chosen: str | None, people: list[Person]) -> None:
    """The panel of the participant chosen in the list, or what to do to have one."""
    if message := st.session_state.pop("today_message", None):
        getattr(st, message[0])(message[1])
    if chosen is None:
        return
    person = next((one for one in people if one.participant_id == chosen), None)
    if person is None:
        st.info(say("today.no_longer", who=chosen))
        return
    with st.container(border=True, key="panel"):
        _panel(page, person)


def opener(key: str) -> Any:
    """The column of a list whose cells open a participant's page: `open_asked` does it."""
    return st.column_config.ButtonColumn(
        say("today.col_participant"), type="tertiary", alignment="left", width=82, pinned=True,
        help=say("today.open_help"), key=key,
    )  # fmt: skip


def open_asked(*keys: str) -> None:
    """Go to the participant whose cell was clicked in the column of one of these keys."""
    for key in keys:
        if clicked := st.session_state.get(key):
            open_participant(clicked["label"])


def open_participant(participant_id: str) -> None:
    """Go to the participant's own page, in the list chosen here; the site stays by itself."""
    queue = st.session_state.get(LAST_QUEUE)
    chosen = {"participant": participant_id} | ({"queue": queue} if queue else {})
    st.switch_page("views/participant.py", query_params=chosen)


def _panel(page: Page, person: Person) -> None:
    with page.register() as register:
        contacts = history(register, person.participant_id)
    st.subheader(f"{person.participant_id}: {say('work_do.' + person.reasons[0])}")
    _warn_of_others(person, contacts)
    st.markdown(worklist.why(person.first))
    if len(person.items) > 1:
        st.markdown(say("today.also", why=" ".join(map(worklist.why, person.items[1:]))))
    st.markdown(f"**{say('today.say_header')}.** {worklist.script(person.first)}")
    may = access.may(page.viewer, "contact")
    _buttons(page, person, may)
    if may:
        _form(page, person)
    else:
        st.caption(say("today.may_not_log"))
    _history(told_to(page, contacts))


def _warn_of_others(person: Person, contacts: list[dict[str, Any]]) -> None:
    """Say who has logged a contact since this participant was opened here."""
    seen = st.session_state.setdefault(SEEN, {})
    newest = contacts[0]["id"] if contacts else 0
    before = seen.setdefault(person.participant_id, newest)
    if newest > before:
        row = contacts[0]
        outcome = words.table("contact_outcomes")[row["outcome"]].lower()
        st.warning(say("today.drawn_since", who=plain(row["who"]), outcome=outcome,
                       at=words.moment(row["at"])))  # fmt: skip
        seen[person.participant_id] = newest  # from now on it has been on the screen


def _buttons(page: Page, person: Person, may: bool) -> None:
    who, me = person.participant_id, page.viewer.name
    owner = person.owner
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if st.button(say("today.open_participant", who=who), key="open_participant"):
            open_participant(who)
        if may and owner != me:
            st.button(say("today.take"), key="take", on_click=_own, args=[page, who, me])
        if may and owner == me:
            st.button(say("today.let_go"), key="let_go", on_click=_own, args=[page, who, None])
        st.markdown(
            say("today.owned_by", owner=plain(owner)) if owner else say("today.owned_by_nobody")
        )


def _own(page: Page, who: str, owner: str | None) -> None:
    if not _may_write(page):
        return
    try:
        with page.register() as register:
            assign(register, who, owner, page.viewer.name, page.now)
    except NotLogged as error:
        st.session_state["today_message"] = "error", plain(str(error))


def _may_write(page: Page) -> bool:
    """Whether the viewer may log it now; where not, the page drawn next says so."""
    if access.may_now(page.viewer, page.home, "contact"):
        return True
    st.session_state["today_message"] = "error", say("access.changed")
    return False


def _form(page: Page, person: Person) -> None:
    who = person.participant_id
    reasons, channels = words.table("work_do"), words.table("contact_channels")
    outcomes = {
        code: label for code, label in words.table("contact_outcomes").items() if code != "snoozed"
    }
    with st.form(f"contact_{who}", border=False):
        st.pills(say("today.about"), person.reasons, selection_mode="multi", key="contact_about",
                 default=person.reasons, format_func=lambda code: reasons[code])  # fmt: skip
        with st.container(horizontal=True, gap="medium"):
            st.segmented_control(say("today.channel"), list(channels), key="contact_channel",
                                 default="phone", required=True, wrap=True,
                                 format_func=lambda code: channels[code])  # fmt: skip
            st.segmented_control(say("today.outcome"), list(outcomes), key="contact_outcome",
                                 default="reached", required=True, wrap=True,
                                 format_func=lambda code: outcomes[code])  # fmt: skip
        st.text_area(say("today.note"), key="contact_note", max_chars=LONGEST_NOTE, height=80,
                     help=say("today.note_help", n=LONGEST_NOTE))  # fmt: skip
        quiet = say("today.until_help", days=page.study.work_list.quiet_days)
        st.date_input(say("today.until"), value=None, key="contact_until", width=240,
                      format="YYYY-MM-DD", min_value=page.now.date(), help=quiet)  # fmt: skip
        with st.container(horizontal=True, gap="small"):
            st.form_submit_button(say("today.log"), on_click=_log,
                                  args=[page, person, False])  # fmt: skip
            st.form_submit_button(say("today.put_off"), on_click=_log, args=[page, person, True])


def _log(page: Page, person: Person, put_off: bool) -> None:
    """Write what the form holds; what comes of it is told on the page drawn next."""
    if not _may_write(page):
        return
    held, who = st.session_state, person.participant_id
    outcome = "snoozed" if put_off else held["contact_outcome"]
    until = worklist.rests_until(outcome, page.now, held["contact_until"])
    if put_off and until is None:
        held["today_message"] = "error", say("today.put_off_when")
        return
    one = Contact(
        who, tuple(held["contact_about"]), page.now, page.viewer.name,
        "none" if put_off else held["contact_channel"], outcome, held["contact_note"], until,
        {item["reason"]: item["occurrence"] for item in person.items if item["occurrence"]},
    )  # fmt: skip
    try:
        with page.register() as register:
            number = log_contact(register, one, drawn_with=held[SEEN].get(who, 0))
    except ContactedSince as other:
        at, name = words.moment(other.row["at"]), plain(other.row["who"])
        held["today_message"] = "warning", say("today.contacted_since", who=name, at=at)
        return
    except NotLogged as error:
        held["today_message"] = "error", plain(str(error))
        return
    held[SEEN][who] = number
    held.pop("today_chosen", None)
    done = "today.put_off_done" if put_off else "today.logged"
    held["today_message"] = "success", say(done, who=who, day=words.day(until))


def _history(contacts: list[dict[str, Any]]) -> None:
    st.markdown(f"**{say('today.history')}**")
    if not contacts:
        st.caption(say("today.no_history"))
        return
    parts = ("work_do", "contact_channels", "contact_outcomes")
    names = {part: words.table(part) for part in parts}
    rows = [
        {
            say("today.hist_at"): words.moment(row["at"]),
            say("today.hist_who"): row["who"],
            say("today.hist_reason"): names["work_do"][row["reason"]],
            say("today.hist_how"): names["contact_channels"][row["channel"]],
            say("today.hist_outcome"): names["contact_outcomes"][row["outcome"]],
            say("today.hist_note"): row["note"] or "",
            say("today.hist_until"): words.day(row["until_on"]),
        }
        for row in contacts
    ]
    st.dataframe(pa.Table.from_pylist(rows), hide_index=True, alt=say("today.alt_history"),
                 key="contact_history")  # fmt: skip


def plain(text: str) -> str:
    """What somebody typed, so that nothing in it is read as Markdown."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]()<>#+-.!|~$:&" else sign for sign in text)
