"""Cleaning of what people type (文本清洗): one place decides which characters may enter.

Refusals are `InvalidText`, which is both an `Invalid` with a stable code and a ValueError.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

from domains.kernel.errors import Invalid

NAME_MIN, NAME_MAX = 2, 50

_JOINER = "\u200d"
# What keyboards and spreadsheets produce where a minority or foreign name has its dot (间隔号).
_DOTS = re.compile(r" ?[·•‧∙⋅・᛫･●] ?")
_HAN = r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff〇]"
_PADDED_HAN = re.compile(rf"{_HAN}(?: {_HAN})+")
_NAME_MARKS = frozenset(" ·-'’.()")


class InvalidText(Invalid, ValueError):
    """What was written cannot be accepted; the message says what to write instead."""


def clean(
    written: str,
    *,
    max_length: int,
    min_length: int = 1,
    multiline: bool = False,
    fold: bool = False,
    field: str | None = None,
) -> str:
    """The text without surrounding blanks, in NFC, its length counted in characters (code points).

    `fold` applies NFKC, for codes and numbers where １０１ and 101 are the same thing; prose keeps
    its full-width punctuation. `multiline` admits line breaks (as "\\n") and tabs.
    Raises InvalidText: TEXT_EMPTY, TEXT_TOO_SHORT, TEXT_TOO_LONG or TEXT_INVISIBLE_CHARACTER.
    """
    # An absurd text is refused before any work on it; composing may still shorten a fair one.
    _refuse_longer(written.strip(), max_length, field, tolerance=4)
    text = unicodedata.normalize("NFKC" if fold else "NFC", written).strip()
    if multiline:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    _refuse_longer(text, max_length, field)
    if not text and min_length > 0:
        raise InvalidText("TEXT_EMPTY", "内容不能为空，请填写", field)
    if len(text) < min_length:
        raise InvalidText("TEXT_TOO_SHORT", f"内容太短，请至少填写 {min_length} 个字", field)
    _refuse_invisible(text, multiline, field)
    return text


def name(written: str, *, field: str | None = None) -> str:
    """A name (姓名) of a person or an organisation: 2–50 characters, Chinese, Latin or minority.

    Every kind of middle dot becomes "·"; the blank that pads a two-character name in
    spreadsheets ("张　三") is dropped. Raises InvalidText: NAME_LENGTH, NAME_CHARACTER or a TEXT_ code.
    """
    text = clean(written, max_length=200, min_length=0, fold=True, field=field)
    text = _DOTS.sub("·", re.sub(r"\s+", " ", text))
    if _PADDED_HAN.fullmatch(text):
        text = text.replace(" ", "")
    if not NAME_MIN <= len(text) <= NAME_MAX:
        raise InvalidText("NAME_LENGTH", f"姓名应为 {NAME_MIN} 到 {NAME_MAX} 个字，请检查", field)
    # A leading mark would make a formula of the name in an exported spreadsheet.
    if text[0] in _NAME_MARKS or not any(map(_is_letter, text)) or not all(map(_may_be_in_name, text)):
        raise InvalidText(
            "NAME_CHARACTER", "姓名只能用汉字、字母和间隔号“·”，请去掉其他符号，也不能只写数字", field
        )
    return text


def _refuse_longer(text: str, max_length: int, field: str | None, tolerance: int = 1) -> None:
    if len(text) > max_length * tolerance:
        raise InvalidText("TEXT_TOO_LONG", f"内容太长，请不要超过 {max_length} 个字", field)


def _refuse_invisible(text: str, multiline: bool, field: str | None) -> None:
    # Almost every text passes here, at the speed of C.
    if text.isprintable():
        return
    shown = re.sub(r"[\n\t]", " ", text) if multiline else text
    shown = _without_emoji_joiners(shown)
    if any(map(_is_invisible, shown)):
        raise InvalidText(
            "TEXT_INVISIBLE_CHARACTER", "内容含有看不见的特殊字符，请删除后重新输入（不要直接粘贴）", field
        )


def _is_invisible(char: str) -> bool:
    """Controls, bidi overrides, zero-width characters, line separators, lone surrogates, noncharacters.

    Unassigned code points pass: rare characters of names (生僻字) are newer than the interpreter's tables.
    """
    noncharacter = ord(char) & 0xFFFE == 0xFFFE
    return noncharacter or unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def _without_emoji_joiners(text: str) -> str:
    """A joiner inside an emoji such as 👨‍👩‍👧 is part of one picture; anywhere else it hides something."""
    if _JOINER not in text:
        return text
    followed = [*pairwise(text), (text[-1], "")]
    before = ["", *text[:-1]]
    return "".join(
        char
        for previous, (char, following) in zip(before, followed, strict=True)
        if not (char == _JOINER and _is_pictorial(previous) and _is_pictorial(following))
    )


def _is_pictorial(char: str) -> bool:
    return char == "\ufe0f" or (bool(char) and unicodedata.category(char) in {"So", "Sk"})


def _is_letter(char: str) -> bool:
    return char.isalpha() or char == "〇" or "\U00020000" <= char <= "\U0003ffff"


def _may_be_in_name(char: str) -> bool:
    return (
        _is_letter(char)
        or char in _NAME_MARKS
        or "0" <= char <= "9"
        or unicodedata.category(char) in {"Mn", "Mc"}
    )
