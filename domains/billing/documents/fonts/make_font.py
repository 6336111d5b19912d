"""Makes the font of the documents (文书字体) from Noto Sans CJK, which is under the SIL Open Font License.

    python -m domains.billing.documents.fonts.make_font NotoSansCJK-Regular.ttc Unihan_OtherMappings.txt.bz2

In it are GB 2312, the 8,105 characters of the table of general standard Chinese characters (通用规范汉字表, 2013),
which has those of names that GB 2312 lacks, and what sums and dates are written with. Outlines become TrueType's,
which every reader of PDF embeds.
"""

from __future__ import annotations

import bz2
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fontTools.pens.cu2quPen import Cu2QuPen  # type: ignore[import-untyped]  # has no types
from fontTools.pens.ttGlyphPen import TTGlyphPen  # type: ignore[import-untyped]  # has no types
from fontTools.subset import Options, Subsetter  # type: ignore[import-untyped]  # has no types
from fontTools.ttLib import TTFont, newTable  # type: ignore[import-untyped]  # has no types

SIMPLIFIED = "Noto Sans CJK SC"
NAME = "Linli Sans SC"
TARGET = Path(__file__).with_name("LinliSansSC-Regular.ttf")
PUNCTUATION = "¥·–—‘’“”…−×÷²³㎡℃‰"
_MOST_ERROR_UNITS = 1.0


def make(collection: Path, mappings: Path) -> None:
    """Write the font beside this program."""
    font = _simplified(collection)
    options = Options(layout_features=[], name_IDs=[0, 13, 14], notdef_outline=True, hinting=False)
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE", "DSIG", "GPOS", "GSUB", "GDEF"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=set(_characters(mappings)))
    subsetter.subset(font)
    _to_truetype(font)
    _rename(font)
    font.recalcTimestamp = False
    font.save(TARGET)


def _simplified(collection: Path) -> TTFont:
    number = 0
    while True:
        font = TTFont(collection, fontNumber=number)
        if font["name"].getDebugName(1) == SIMPLIFIED:
            return font
        number += 1


def _characters(mappings: Path) -> Iterator[int]:
    yield from range(0x20, 0x7F)
    yield from map(ord, PUNCTUATION)
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            yield from map(ord, bytes((row, cell)).decode("gb2312", "ignore"))
    listed = re.findall(
        r"^U\+([0-9A-F]+)\tkTGH\t", bz2.decompress(mappings.read_bytes()).decode(), re.MULTILINE
    )
    yield from (int(code, 16) for code in listed)


def _to_truetype(font: TTFont) -> None:
    glyphs = font.getGlyphSet()
    outlines: dict[str, Any] = {}  # Any: glyphs of an untyped library
    for name in font.getGlyphOrder():
        pen = TTGlyphPen(None)
        glyphs[name].draw(Cu2QuPen(pen, _MOST_ERROR_UNITS, reverse_direction=True))
        outlines[name] = pen.glyph()
    font["loca"], font["glyf"] = newTable("loca"), newTable("glyf")
    font["glyf"].glyphOrder, font["glyf"].glyphs = font.getGlyphOrder(), outlines
    _describe(font, outlines)
    del font["CFF "]
    font.sfntVersion = "\000\001\000\000"


def _describe(font: TTFont, outlines: dict[str, Any]) -> None:  # Any: as above
    for outline in outlines.values():
        outline.recalcBounds(font["glyf"])
    sides = {name: getattr(outline, "xMin", 0) for name, outline in outlines.items()}
    font["hmtx"].metrics = {name: (width, sides[name]) for name, (width, _) in font["hmtx"].metrics.items()}
    limits = font["maxp"]
    limits.tableVersion = 0x00010000
    limits.maxZones = 1
    for unused in (
        "maxTwilightPoints", "maxStorage", "maxFunctionDefs", "maxInstructionDefs", "maxStackElements",
        "maxSizeOfInstructions", "maxComponentElements",
    ):  # fmt: skip
        setattr(limits, unused, 0)
    font["post"].formatType, font["post"].extraNames, font["post"].mapping = 3.0, [], {}


def _rename(font: TTFont) -> None:
    # The licence lets a modified font keep no reserved name; a name of its own is never taken for the original.
    names = font["name"]
    for number, text in ((1, NAME), (2, "Regular"), (3, f"{NAME} 1"), (4, NAME), (6, NAME.replace(" ", ""))):
        names.setName(text, number, 3, 1, 0x409)


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))
