"""The whole cohort's days as one small picture: a row each, a pixel a day."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
from PIL import Image, ImageColor


def render_days(grid: pa.Table, order: list[str], colours: list[str]) -> tuple[bytes, int]:
    """A PNG of `order` x study days, and the number of days it spans.

    `grid` holds participant_id, study_day (from 1) and day_group, an index into `colours`. Days
    that a participant has not reached stay transparent; people not in `order` are left out.
    """
    if not len(grid) or not order:
        return b"", 0
    row_of = {participant: row for row, participant in enumerate(order)}
    names = grid.column("participant_id").combine_chunks().dictionary_encode()
    rows = np.array([row_of.get(name, -1) for name in names.dictionary.to_pylist()])
    row = rows[names.indices.to_numpy()]
    column = grid.column("study_day").to_numpy() - 1
    shown = row >= 0
    palette = np.array([(*ImageColor.getrgb(colour)[:3], 255) for colour in colours], np.uint8)
    days = int(column.max()) + 1
    image = np.zeros((len(order), days, 4), np.uint8)
    image[row[shown], column[shown]] = palette[grid.column("day_group").to_numpy()[shown]]
    with io.BytesIO() as buffer:
        Image.fromarray(image).save(buffer, "PNG", optimize=True)
        return buffer.getvalue(), days
