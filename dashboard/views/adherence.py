"""Adherence: is it worn, is the goal met, who stays, and who is behind?"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import streamlit as st

from dashboard import pictures, words
from dashboard.charts import adherence as charts
from dashboard.charts import sites as site_charts
from dashboard.charts import vega
from dashboard.packing import packed, percents
from dashboard.parts import Figure, draw, explained, figures, legend, say_small_cells, show
from dashboard.queries import adherence as queries
from dashboard.queries import common
from dashboard.queries.asking import Answer
from dashboard.shell import Page, open_page
from dashboard.words import say

SHARES = ("share", "ci_low", "ci_high", "overall", "limit_low", "limit_high")


def render(page: Page) -> None:
    """Key figures, sites by week, every day of everyone, who stays, sites against chance."""
    people = queries.behind(page.con, page.cohort)
    if not len(people):
        st.info(say("adherence.nobody"))
        return
    _key_figures(page)
    _sites_by_week(page)
    _days(page, people)
    _recent(page, people)
    _weeks(page)
    _retention(page)
    _site_figures(page)


def _key_figures(page: Page) -> None:
    answer = queries.key_figures(page.con, page.cohort)
    found, limit = answer.row, page.study.study.small_cell
    if found["participants"] < limit:
        st.info(say("adherence.too_few", n=limit))
        return
    day = words.day(page.build["data_to"])
    listed = [
        Figure(
            say(f"adherence.{name}"), words.count(found[name]), say(f"adherence.{told}", day=day)
        )
        for name, told in (("participants", "help_participants"), ("person_days", "help_days"))
    ]
    figures(page, answer, "participant_day", "key_figures", [*listed, *_shares(found, day)])
    if page.study.goals_reveal_arm and not found["eligible_goal_days"]:
        st.caption(say("adherence.goals_hidden"))
    st.markdown(words.denominators(found))


def _shares(found: dict[str, Any], day: str) -> list[Figure]:
    return [
        Figure(
            say(f"adherence.{label}"),
            words.share(found[share]),
            say(f"adherence.help_{label}", part=words.count(found[part]), day=day,
                whole=words.count(found[whole]), n=words.count(found["participants"])),
        )
        for label, share, part, whole in (
            ("wear", "wear_adherence", "valid_days", "eligible_days"),
            ("observed", "goal_adherence_observed", "goal_days_met", "goal_days"),
            ("strict", "goal_adherence_strict", "goal_days_met", "eligible_goal_days"),
        )
    ]  # fmt: skip


def _sites_by_week(page: Page) -> None:
    st.header(say("adherence.sites_header"))
    weeks = queries.site_weeks(page.con, page.study.sites)
    if not len(weeks):
        st.info(say("adherence.no_day"))
        return
    names = words.table("measures")
    label = st.segmented_control(
        say("adherence.pick_measure"), list(names.values()), required=True, key="measure",
        default=names["wear_adherence"], bind="query-params",
    )  # fmt: skip
    measure = next((code for code, name in names.items() if name == label), "wear_adherence")
    st.caption(say("adherence.sites_caption"))
    chart = site_charts.site_weeks(weeks, measure, page.theme)
    show(page, chart, "site_weeks", on_select=_choose_site)
    say_small_cells(page, weeks)


def _choose_site() -> None:
    """Make the clicked site the cohort of the page and of its address."""
    picked = st.session_state["site_weeks"]["selection"].get(site_charts.PICK)
    if picked:
        st.session_state["cohort"] = f"{words.KINDS['site']}: {picked[0]['site']}"


def _days(page: Page, people: Answer) -> None:
    st.header(say("adherence.days_header"))
    bands = queries.day_bands(page.con, page.cohort)
    picture, days = pictures.render_days(bands.table, vega.colours(page.theme))
    if not days:
        st.info(say("adherence.no_day"))
        return
    n, most = len(people), queries.MOST_BANDS
    shared = "_shared" if n > most else ""
    st.caption(say(f"adherence.days_caption{shared}", most=most))
    legend(page.theme)
    left, right = st.columns([3, 2])
    with left:
        alt = say(f"adherence.alt_picture{shared}", participants=n, days=days, most=most)
        draw(charts.day_picture(picture, n, days, bands, alt), "days")
        explained(page, bands, "participant_day", "days", say("common.how_computed"), numbers=False)
    with right:
        _people(page, people)
    states = queries.days_by_state(page.con, page.cohort)
    show(page, charts.state_counts(states, page.theme), "days_by_state")


def _people(page: Page, people: Answer) -> None:
    """Who stands in the picture, row by row; a row opens the person on the day to look at."""
    told = "adherence.list_cut" if len(people) > queries.MOST_LISTED else "adherence.list_caption"
    st.caption(say(told, most=queries.MOST_LISTED, n=words.count(len(people))))
    listed = people.table.slice(0, queries.MOST_LISTED)
    chosen = st.dataframe(
        _for_reading(page, listed), key="participants", hide_index=True, on_select="rerun",
        selection_mode="single-row", column_config=_columns(), placeholder="",
        height=min(420, 38 + 35 * len(people)), column_order=list(_columns()),
        alt=say("adherence.alt_list"),
    )  # fmt: skip
    how = say("common.how_computed")
    explained(page, people, "adherence", "people", how, numbers=False)
    if rows := chosen["selection"]["rows"]:
        row = people.rows[rows[0]]
        _open_person(row["participant_id"], row["missed_on"])


def _recent(page: Page, people: Answer) -> None:
    st.header(say("adherence.recent_header"))
    days = queries.recent_days(page.con, page.cohort, len(people))
    on = sorted(set(days.column("activity_date")))
    if not on:
        st.info(say("adherence.no_day"))
        return
    last = words.day(page.build["data_to"])
    st.caption(say("adherence.recent_caption", days=len(on), day=last))
    if len(people) > queries.MOST_PEOPLE:
        of_all = {"most": queries.MOST_PEOPLE, "n": words.count(len(people))}
        st.caption(say("adherence.recent_worst", **of_all))
    legend(page.theme)
    order = people.column("participant_id")
    chart = site_charts.recent_days(days, order, page.theme)
    chosen = show(page, chart, "recent_days", on_select="rerun")
    if picked := chosen["selection"].get(site_charts.PICK):
        _open_person(picked[0]["participant_id"], picked[0]["activity_date"])


def _open_person(participant_id: str, day: Any) -> None:
    address = {"participant": participant_id, **({"day": str(day)} if day else {})}
    st.switch_page("views/participant.py", query_params=address)


def _weeks(page: Page) -> None:
    st.header(say("adherence.weeks_header"))
    weeks = queries.weeks(page.con, page.cohort)
    left, right = st.columns(2)
    with left:
        st.caption(say("adherence.weeks_caption"))
        show(page, charts.week_adherence(weeks, page.theme), "adherence_by_week")
    with right:
        st.caption(say("adherence.steps_caption"))
        show(page, charts.week_steps(weeks, page.theme), "steps_by_week")
    say_small_cells(page, weeks)
    used = queries.sources(page.con, page.cohort)
    if len(used) > 1:
        found = words.bridge(common.bridges(page.con, used)) or say("adherence.no_overlap")
        told = {
            "n": len(used),
            "listed": ", ".join(words.named("sources", one) for one in used),
            "found": found,
        }
        st.caption(say("adherence.several_sources", **told))


def _retention(page: Page) -> None:
    st.header(say("adherence.retention_header"))
    curves = queries.retention(page.con, page.cohort)
    if not len(curves):
        st.info(say("adherence.retention_other"))
        return
    gap = page.study.goals.persistence_gap_days
    st.caption(say("adherence.retention_caption", gap=gap))
    steps, at_risk = charts.retention(curves, page.theme)
    draw(steps, "retention")
    show(page, at_risk, "at_risk")
    say_small_cells(page, curves)


def _site_figures(page: Page) -> None:
    st.header(say("adherence.figures_header"))
    found = queries.site_figures(page.con, page.study.sites)
    if not len(found):
        st.info(say("common.no_rows"))
        return
    st.caption(say("adherence.figures_caption"))
    st.markdown(_outside(found))
    draw(site_charts.site_figures(found, page.theme), "site_figures_chart")
    say_small_cells(page, found)
    shown = _figure_columns()
    st.dataframe(
        packed(percents(found.table.select(list(shown)), SHARES)), hide_index=True,
        column_config=shown, placeholder="", key="site_figures",
        alt=say("adherence.alt_figures_table"),
    )  # fmt: skip
    how = say("common.how_computed")
    explained(page, found, "site_figure", "site_figures", how, numbers=False)


def _outside(found: Answer) -> str:
    """Which figures of which sites lie where chance alone would hardly put them."""
    far = [words.table("standings")[code] for code in ("very_low", "very_high")]
    listed = [
        f"{row['site']}: {row['figure']} ({row['standing'].lower()})"
        for row in found.rows
        if row["standing"] in far
    ]
    if not listed:
        return say("adherence.figures_inside")
    return say("adherence.figures_outside", listed="; ".join(listed))


def _for_reading(page: Page, people: pa.Table) -> pa.Table:
    """The columns shown, with the sites' names and shares in percent, as small as they travel."""
    shown = people.select(list(_columns()))
    names = [page.site_label(code) for code in shown["site"].to_pylist()]
    at = shown.column_names.index("site")
    shown = shown.set_column(at, "site", pa.array(names, pa.string()))
    return packed(percents(shown, [one for one in shown.column_names if "adherence" in one]))


def _columns() -> dict[str, Any]:
    column = st.column_config

    def share(label: str) -> Any:
        return column.ProgressColumn(label, format="%d %%", min_value=0, max_value=100)

    return {
        "participant_id": column.TextColumn(say("adherence.col_participant"), pinned=True),
        "wear_adherence": share(say("adherence.wear")),
        "missed_on": column.DateColumn(say("adherence.col_missed"), format="D MMM YYYY"),
        "why": say("adherence.col_why"),
        "site": say("adherence.col_site"),
        "goal_adherence_observed": share(say("adherence.observed")),
        "goal_adherence_strict": share(say("adherence.strict")),
    }


def _figure_columns() -> dict[str, Any]:
    def percent(name: str) -> Any:
        return st.column_config.NumberColumn(say(f"adherence.{name}"), format="%d %%")

    plain = ("figure", "numerator", "denominator", "counts")
    return {
        "site": st.column_config.TextColumn(say("common.site"), pinned=True),
        **{name: say(f"adherence.{name}") for name in plain},
        **{name: percent(name) for name in SHARES},
        "standing": say("adherence.standing"),
        "participants": say("adherence.participants_behind"),
    }


if __name__ == "__main__":
    open_page(words.say("pages.adherence"), render, ["cohort"])
