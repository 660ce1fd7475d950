"""PROMIS short forms: the raw sum, and T by a table that the study supplies.

A table is of one form and version: 4a, 6b and 8b are never mixed. It is named in study.toml for the
instrument, with the columns `raw` and `t_score`. T has mean 50 and SD 10; high is more of what the
form is named for. Another short form is one more line in `INSTRUMENTS`.
"""

from typing import Literal

from transforms.instruments import Instrument, Missing, Scale, Threshold, UserTable, numbered

CELLA = "Cella et al., J Clin Epidemiol 2010;63:1179"
MATTERS = "2 to 6 T points, by form and population; not re-read"


def short_form(
    code: str, concept: str, form: str, items: int, better: Literal["higher", "lower"]
) -> Instrument:
    """A form of `items` items of 1 to 5; half of them must be answered, the raw sum is rounded up.

    `form` is its number of items and letter, such as 8b.
    """
    listed = numbered(items)
    name = f"PROMIS {concept} {form}"
    missing = Missing(at_most=items // 2, method="proportional")
    raw = Scale(
        code=code,
        label=f"{concept} (PROMIS {form}, raw)",
        items=listed,
        low=items,
        high=5 * items,
        better=better,
        missing=missing,
        rounding="up",
    )
    return Instrument(
        code=f"PROMIS_{code}",
        name=name,
        version=form,
        items=listed,
        item_low=1,
        item_high=5,
        recall_days=None if concept == "Physical function" else 7,
        scales=(
            raw,
            Scale(
                code=f"{code}T",
                label=f"{concept} (PROMIS {form}, T)",
                items=listed,
                low=10,
                high=90,
                better=better,
                missing=missing,
                rounding="up",
                table=UserTable(("raw", "t_score"), tuple(range(items, 5 * items + 1))),
                mic=(Threshold(2, "points", MATTERS), Threshold(6, "points", MATTERS)),
            ),
        ),
        licence="Wording and tables are PROMIS's; neither is here.",
        citation=CELLA,
        scoring_version=f"PROMIS_{code}-1",
    )


INSTRUMENTS = (
    short_form("PF4A", "Physical function", "4a", 4, "higher"),
    short_form("PF6B", "Physical function", "6b", 6, "higher"),
    short_form("PF8B", "Physical function", "8b", 8, "higher"),
    short_form("PF10A", "Physical function", "10a", 10, "higher"),
    short_form("PI4A", "Pain interference", "4a", 4, "lower"),
    short_form("PI6B", "Pain interference", "6b", 6, "lower"),
    short_form("PI8A", "Pain interference", "8a", 8, "lower"),
)
