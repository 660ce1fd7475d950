"""Paper that can hold what a study is called, in Latin, Greek, Cyrillic, Hebrew or Arabic letters.

The font is FiraGO, carried in the page; HarfBuzz joins and orders its letters, so that Hebrew and
Arabic run from right to left. Of a script that it lacks (Chinese, say) every run of letters is GAP.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import fpdf
import pymupdf_fonts
from fpdf.fonts import TTFFont

INK, QUIET = (16, 21, 28), (95, 103, 114)
FONT, FILES = "firago", {"": "figo", "B": "figbo"}
GAP, CUT = "[…]", "…"


@contextmanager
def paper(margin: float) -> Iterator[Paper]:
    """One A4 page to write on and put out, until the block ends: its fonts are files till then."""
    with TemporaryDirectory() as folder:
        page = Paper(Path(folder), margin)
        try:
            yield page
        finally:
            for font in page.carried:
                font.close()


class Paper(fpdf.FPDF):
    """A page whose letters are those of its text, as far as the font goes."""

    def __init__(self, folder: Path, margin: float) -> None:
        super().__init__(format="A4")
        for style, name in FILES.items():
            file = folder / f"{name}.ttf"
            file.write_bytes(pymupdf_fonts.myfont(name))
            self.add_font(FONT, style, file)
        self.set_text_shaping(True)
        self.set_auto_page_break(False)
        self.set_margin(margin)
        self.c_margin = 0
        self.has_gaps = False
        self.add_page()

    @property
    def carried(self) -> list[TTFFont]:
        """The fonts in the page, which have the same letters."""
        return [font for font in self.fonts.values() if isinstance(font, TTFFont)]

    def put(
        self, x: float, y: float, text: str, size: float = 9, bold: bool = False,
        colour: tuple[int, int, int] = INK, within: float = 180,
    ) -> None:  # fmt: skip
        """Write one line whose baseline is at `y`, cut with CUT where it is wider than `within`.

        Where not even CUT fits nothing is written.
        """
        self._take_up(size, bold, colour)
        line = whole = self._in_letters(text)
        while whole and self.get_string_width(line) > within:
            whole = whole[:-1]
            line = whole + CUT
        self.set_xy(x, y - 0.3 * self.font_size)  # a cell without height has its baseline there
        if line and self.get_string_width(line) <= within:
            self.cell(h=0, text=line)

    def put_block(
        self, x: float, y: float, wide: float, text: str, size: float, tall: float
    ) -> None:
        """Write lines `tall` apart, from `y` down, broken where they would be wider than `wide`."""
        self._take_up(size, False, QUIET)
        self.set_xy(x, y)
        self.multi_cell(wide, tall, self._in_letters(text), align="L", padding=0)

    def _take_up(self, size: float, bold: bool, colour: tuple[int, int, int]) -> None:
        self.set_font(FONT, style="B" if bold else "", size=size)
        self.set_text_color(*colour)

    def _in_letters(self, text: str) -> str:
        """The text in letters that the font has."""
        has = self.carried[0].cmap
        found: list[str] = []
        for sign in unicodedata.normalize("NFC", text):
            kind = unicodedata.category(sign)
            if kind in ("Zs", "Cc"):
                found.append(" ")
            elif ord(sign) in has:
                found.append(sign)
            elif kind != "Cf" and found[-1:] != [GAP]:
                found.append(GAP)
        self.has_gaps |= GAP in found
        return "".join(found)
