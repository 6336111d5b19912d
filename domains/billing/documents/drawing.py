"""Papers as PDF (文书排版): A4, the font embedded, the same bytes for the same paper."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import qrcode
from fpdf import FPDF
from fpdf.enums import Align, TableBordersLayout, WrapMode, XPos, YPos
from fpdf.fonts import FontFace, TTFFont

from domains.billing.documents.amounts import capitals, figures
from domains.billing.documents.papers import TITLES, Paper, Seal

FONT = Path(__file__).parent / "fonts" / "LinliSansSC-Regular.ttf"
FAMILY = "Linli"
MISSING = "〓"
"""Stands where the font has no such character, as Chinese typesetters have it."""
# A date of its own would make another file of the same paper.
_UNDATED = datetime(2000, 1, 1, tzinfo=UTC)
_MARGIN_MM, _CODE_MM, _LINE_MM = 18, 27, 6.5
_GREY, _BLACK = (110, 110, 110), (0, 0, 0)


def draw(paper: Paper, seal: Seal) -> bytes:
    """The paper as a PDF."""
    sheet = _Sheet(paper, seal)
    sheet.add_page()
    sheet.print_facts()
    sheet.print_words(paper.words)
    sheet.print_table()
    sheet.print_sum()
    sheet.print_words(paper.notes, size=9)
    sheet.print_signature()
    return bytes(sheet.output())


@cache
def _known() -> frozenset[int]:
    sheet = FPDF()
    sheet.add_font(FAMILY, fname=FONT)
    font = sheet.fonts[FAMILY.lower()]
    assert isinstance(font, TTFFont), "it was added as one"
    known = frozenset(font.cmap)
    font.close()
    return known


def printable(text: str) -> str:
    """The text on one line, with a mark for every character that the font lacks."""
    flat = " ".join(text.split())
    return "".join(char if ord(char) in _known() else MISSING for char in flat)


class _Sheet(FPDF):
    """A4 with the paper's head on every page."""

    def __init__(self, paper: Paper, seal: Seal) -> None:
        super().__init__(format="A4")
        self.paper, self.seal = paper, seal
        self.set_creation_date(_UNDATED)
        self.set_title(f"{TITLES[paper.kind]} {seal.number}")
        self.set_lang("zh-CN")
        self.set_margin(_MARGIN_MM)
        self.set_auto_page_break(True, 22)
        self.add_font(FAMILY, fname=FONT)
        self.set_font(FAMILY, size=10.5)

    def header(self) -> None:
        """Name, title and number, with the code that vouches for them."""
        self._print_code(self.w - _MARGIN_MM - _CODE_MM, 12)
        self.set_xy(_MARGIN_MM, 15)
        self._line(self.paper.compound, size=17)
        self._line(TITLES[self.paper.kind], size=14, height=9)
        self._line(f"No. {self.seal.number}　　{self.seal.issued_on}", size=10, height=7)
        self.set_y(12 + _CODE_MM + 4)
        self.set_draw_color(*_GREY)
        self.line(_MARGIN_MM, self.get_y(), self.w - _MARGIN_MM, self.get_y())
        self.set_y(self.get_y() + 4)

    def footer(self) -> None:
        """Where it is vouched for, and the page."""
        self.set_y(-16)
        self.set_text_color(*_GREY)
        self._line(f"扫码或打开 {self.seal.address} 核对真伪", size=8, height=4.5)
        self._line(f"第 {self.page_no()} 页", size=8, height=4.5)
        self.set_text_color(*_BLACK)

    def print_facts(self) -> None:
        """Labels and values, two to a line."""
        width = self.epw / 2
        for place, (label, value) in enumerate(self.paper.facts):
            last = place % 2 == 1 or place == len(self.paper.facts) - 1
            after = (XPos.LMARGIN, YPos.NEXT) if last else (XPos.RIGHT, YPos.TOP)
            self.cell(
                width, _LINE_MM, self._fitting(f"{label}：{value}", width), new_x=after[0], new_y=after[1]
            )
        self.ln(2)

    def print_words(self, words: tuple[str, ...], *, size: float = 10.5) -> None:
        """Paragraphs over the whole width."""
        self.set_font(FAMILY, size=size)
        for text in words:
            self.multi_cell(
                0, _LINE_MM - 0.5, printable(text), align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT,
                wrapmode=WrapMode.CHAR,
            )  # fmt: skip
        self.set_font(FAMILY, size=10.5)
        self.ln(2)

    def print_table(self) -> None:
        """The rows; the heading stands again on every page."""
        columns = self.paper.columns
        self.set_font(FAMILY, size=9.5)
        with self.table(
            borders_layout=TableBordersLayout.ALL,
            headings_style=FontFace(fill_color=(236, 239, 243)),
            line_height=6.2,
            col_widths=tuple(column.width for column in columns),
            text_align=tuple(Align.R if column.is_figure else Align.L for column in columns),
            wrapmode=WrapMode.CHAR,
        ) as table:
            table.row(tuple(column.title for column in columns))
            for cells in self.paper.rows:
                table.row(tuple(printable(cell) for cell in cells))
        self.set_font(FAMILY, size=10.5)
        self.ln(3)

    def print_sum(self) -> None:
        """In figures and in capitals; the two stay on one page."""
        with self.unbreakable():
            self._line(f"{self.paper.amount_label}：¥{figures(self.paper.amount_fen)}", size=13, height=8)
            self._line(f"人民币（大写）：{capitals(self.paper.amount_fen)}", size=11, height=7)
        self.ln(2)

    def print_signature(self) -> None:
        """Whose paper it is."""
        with self.unbreakable():
            self.ln(4)
            self._line(f"{self.paper.company}（盖章）", align=Align.R)
            self._line(self.seal.issued_on, align=Align.R)

    def _line(
        self, text: str, *, size: float = 10.5, height: float = _LINE_MM, align: Align = Align.L
    ) -> None:
        self.set_font(FAMILY, size=size)
        self.cell(0, height, printable(text), align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_font(FAMILY, size=10.5)

    def _fitting(self, text: str, width: float) -> str:
        shown = printable(text)
        while self.get_string_width(shown) > width - 2:
            shown = f"{shown.rstrip('…')[:-1]}…"
        return shown

    def _print_code(self, left: float, top: float) -> None:
        code = qrcode.QRCode(border=0, error_correction=qrcode.ERROR_CORRECT_M)
        code.add_data(self.seal.address)
        modules = code.get_matrix()
        side = _CODE_MM / len(modules)
        self.set_fill_color(*_BLACK)
        for row, marks in enumerate(modules):
            for column, is_dark in enumerate(marks):
                if is_dark:
                    # A hair wider, or viewers show white lines between the modules.
                    self.rect(left + column * side, top + row * side, side + 0.02, side + 0.02, style="F")
