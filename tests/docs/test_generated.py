"""The generated pages say what the definitions say, today."""

import re
from types import ModuleType

import click
import generate
import metrics_page
import page_parts
import pytest
from support.house import ROOT

from warehouse.schema import Column, Table, Type
from warehouse.tables import DERIVED, LANDED, OPS

PLANTED = Table(
    name="walk",
    grain="walk",
    key=("walk_id",),
    meaning="A planted table.",
    reveals_arm=True,
    columns=(
        Column("walk_id", Type.TEXT, "Number of the walk.", required=True),
        Column("pace", Type.REAL, "Steps | minute.", unit="steps/minute", low=1, better="higher"),
    ),
)


@pytest.mark.parametrize("name", generate.PAGES)
def test_the_page_is_current(name):
    page = ROOT / "docs" / name
    said = page.read_text(encoding="utf-8") if page.exists() else ""
    assert said == generate.PAGES[name](), f"docs/{name} is stale: run `make docs`"


def test_every_table_and_column_is_in_the_dictionary():
    page = generate.render_data_dictionary()
    for table in LANDED + DERIVED + OPS:
        section = page.partition(f"\n### {table.full_name}\n")[2].partition("\n### ")[0]
        assert [c.name for c in table.columns if f"| `{c.name}` |" not in section] == []


def test_a_table_is_drawn_with_its_units_rules_and_blind():
    assert generate.render_table(PLANTED) == (
        "### walk\n\n"
        "A planted table. One row per walk; key: `walk_id`. "
        "*Arms*: the whole table is only in the unblinded file.\n\n"
        "| column | type | unit | meaning |\n"
        "| --- | --- | --- | --- |\n"
        "| `walk_id` | varchar |  | Number of the walk. Rule: never missing. |\n"
        "| `pace` | double | steps/minute | Steps \\| minute. Higher is better. "
        "Rule: at least 1. |"
    )


def test_every_day_state_has_its_rule_and_the_protocols_numbers():
    page = generate.render_metrics()
    assert "| 11 | `insufficient_wear` | Worn for less than 600 minutes" in page
    assert "{" not in page


def test_every_day_state_says_whether_its_metrics_are_known_and_what_it_counts_in():
    page = metrics_page.render_metrics()
    lines = {
        line.split("`")[1]: line
        for line in page.partition("\n## A day\n")[0].splitlines()
        if re.match(r"\| \d+ \| `", line)
    }
    ends = {state: line.split(" | ", 3)[3] for state, line in lines.items()}
    assert ends["valid"] == "known | known | `eligible_days`, `valid_days` |"
    assert ends["not_worn"] == "known | blank | `eligible_days` |"
    assert ends["consent_lost"] == "blank | blank | `eligible_days` |"
    assert ends["vendor_outage"] == "blank | blank | `study_days` alone |"
    assert ends["outside_study"] == "blank | blank | nothing |"


def test_a_scale_lists_its_items_those_it_reverses_and_what_may_be_blank():
    page = metrics_page.render_metrics()
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    assert "| 2 to 5 | Sum of the items" in rows["FABQPA"]
    assert "| 6, 7, 9 to 12, 15 |" in rows["FABQW"]
    assert "Reversed (lowest + highest - answer): 2." in rows["BAECKEW"]
    assert "| up to 2 (prorate) |" in rows["PHQ9"]
    assert "| none allowed |" in rows["PHQ2"]
    assert "Needs besides: moddays, modhours, modminutes, walkdays" in rows["IPAQVIG"]


def test_the_settings_of_a_cohort_are_told():
    section = metrics_page.render_metrics().partition("\n## Cohorts\n")[2]
    for name in ("code", "label", "where", "match", "column", "scale", "one_of", "at_least"):
        assert f"\n| `{name}` | " in section
    assert (
        "| `match` | whether `all` of the conditions must hold, or `any` one; by default" in section
    )
    assert "None" not in section.partition("Small cells")[0]


def test_a_new_day_state_must_be_explained(monkeypatch):
    monkeypatch.setattr(metrics_page, "DAY_STATES", (*metrics_page.DAY_STATES, "charging"))
    with pytest.raises(ValueError, match="STATE_RULES must have the day states"):
        generate.render_metrics()


def test_a_source_must_say_what_it_cannot_tell(monkeypatch):
    class Silent:
        name, delivers, era = "silent", frozenset(), "file"

    silent = ModuleType("silent")
    monkeypatch.setattr(generate.inspect, "getmodule", lambda _: silent)
    monkeypatch.setattr(generate, "all_sources", lambda: {"silent": Silent()})
    with pytest.raises(ValueError, match="source silent"):
        generate.render_sources()


def test_commands_below_commands_are_shown_with_their_options(monkeypatch):
    @click.group()
    def house() -> None:
        """Keep the house."""

    @house.command()
    @click.option("--lamps", help="How many.")
    def light(lamps: str) -> None:
        """Light it."""

    monkeypatch.setattr(generate, "stepwell", house)
    page = generate.render_cli()
    assert "## stepwell light\n" in page
    assert "Usage: stepwell light [OPTIONS]" in page
    assert "--lamps TEXT  How many." in page


def test_columns_that_are_empty_throughout_are_left_out():
    assert page_parts.grid(("a", "b"), [("1", ""), ("2", "")]) == "| a |\n| --- |\n| 1 |\n| 2 |"
