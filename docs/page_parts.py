"""What every generated page is made of."""

from __future__ import annotations

from collections.abc import Iterable

NOTICE = (
    "<!-- Written by `make docs` from the definitions in the code. Edit those, not this page. -->"
)


def codes(names: Iterable[str]) -> str:
    """Names as code, one after another."""
    return ", ".join(f"`{name}`" for name in names)


def grid(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table; columns that are empty in every row are left out."""
    listed = list(rows)
    used = [i for i in range(len(titles)) if any(row[i] for row in listed)]
    lines = [tuple(titles[i] for i in used), ("---",) * len(used)]
    lines += [tuple(row[i].replace("|", "\\|") for i in used) for row in listed]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def page(parts: Iterable[str]) -> str:
    """Parts as a page."""
    return "\n\n".join(parts) + "\n"
