"""The whole cohort's days as one small picture: a row each or shared, a pixel a day."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
from PIL import Image, ImageColor


def render_days(bands: pa.Table, colours: list[str]) -> tuple[bytes, int]:
    """A lossless WebP of bands x study days, and the number of days it spans.

    `bands` holds band (the row, from 0), study_day (from 1) and day_group, an index into
    `colours`. Days that nobody of a band has reached stay transparent.
    """
    if not len(bands):
        return b"", 0
    row, day, group = (bands.column(name).to_numpy() for name in ("band", "study_day", "day_group"))
    palette = np.array([(*ImageColor.getrgb(colour)[:3], 255) for colour in colours], np.uint8)
    cells = np.zeros((int(row.max()) + 1, int(day.max()), 4), np.uint8)
    cells[row, day - 1] = palette[group]
    with io.BytesIO() as buffer:
        Image.fromarray(cells).save(buffer, "WEBP", lossless=True)  # a quarter less than as PNG
        return buffer.getvalue(), cells.shape[1]
