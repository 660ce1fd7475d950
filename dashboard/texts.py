"""Tables that are text: they wrap, print, and are read by a screen reader cell by cell."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa
import streamlit as st

from dashboard.shell import is_phone


def plain(text: str) -> str:
    """The text with nothing in it read as Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$:])", r"\\\1", text)


def text_table(rows: Sequence[dict[str, str]], alt: str) -> None:
    """A table of texts as they stand; every row has the same columns.

    On a phone, which is narrower than most, a list: each row's first text, and the others named.
    """
    listed = [{name: plain(value) for name, value in row.items()} for row in rows]
    if is_phone():
        st.markdown("\n\n".join(map(_item, listed)))
    else:
        st.table(pa.Table.from_pylist(listed), hide_index=True, border="horizontal", alt=alt)


def _item(row: dict[str, str]) -> str:
    (_, first), *others = row.items()
    return "  \n".join([f"**{first}**", *(f"{name}: {value}" for name, value in others)])
