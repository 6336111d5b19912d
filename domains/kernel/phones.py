"""Telephone numbers (电话号码) of the mainland, read as people write them."""

from __future__ import annotations

import re
import unicodedata

from domains.kernel.text import InvalidText

_FLOAT = re.compile(r"([0-9]+)\.0+")
_DASHES = re.compile(r"[‐-―−ー~]")
_SEPARATORS = re.compile(r"[\s\-.()_]")
_MOBILE = re.compile(r"(?:(?:\+|00)?86|0)?(1[3-9][0-9]{9})")
_ABROAD = re.compile(r"^(?:\+|00)86-?0?")
_LANDLINE = re.compile(
    r"(?:(010|02[0-9]|0[3-9][0-9]{2})-?)?([2-9][0-9]{2,3})-?([0-9]{4})"
    r"(?:(?:-|转|ext\.?|#)([0-9]{1,6}))?"
)
_SERVICE_LINE = re.compile(r"([48]00)-?([0-9]{3})-?([0-9]{4})")
_LONGEST_WRITTEN = 60


def normalise(written: str | int | float, *, field: str | None = None) -> str:
    """The 11 digits of a mobile number (手机号), `1[3-9]` and nine more.

    Reads +86, 0086, blanks, dashes, full-width digits, the invisible marks that address books
    copy along, and spreadsheet floats (13800000000.0). Raises InvalidText PHONE_INVALID.
    """
    text = _visible(str(written))
    if spreadsheet := _FLOAT.fullmatch(text):
        text = spreadsheet[1]
    if not (match := _MOBILE.fullmatch(_SEPARATORS.sub("", text))):
        raise InvalidText("PHONE_INVALID", "手机号不正确，请填写 11 位手机号，例如 13800000001", field)
    return match[1]


def normalise_landline(written: str, *, field: str | None = None) -> str:
    """A fixed line (固定电话) for display: "0571-88880000", "0571-88880000转801", "400-800-8800".

    It cannot receive codes, so it never stands where a mobile number is needed.
    Raises InvalidText LANDLINE_INVALID.
    """
    text = re.sub(r"[\s()_]", "", _visible(written)).lower()
    if service := _SERVICE_LINE.fullmatch(text):
        return "-".join(service.groups())
    if not (match := _LANDLINE.fullmatch(_ABROAD.sub("0", text))):
        raise InvalidText("LANDLINE_INVALID", "固定电话不正确，请填写区号和号码，例如 0571-88880000", field)
    area, head, rest, extension = match.groups()
    number = f"{area}-{head}{rest}" if area else head + rest
    return f"{number}转{extension}" if extension else number


def mask(number: str) -> str:
    """A number as others may see it: 138****0001; of any other number only the last two digits."""
    if len(number) == 11 and _MOBILE.fullmatch(number):
        return f"{number[:3]}****{number[-4:]}"
    return f"****{number[-2:]}" if len(number) >= 7 else "****"


def tail(number: str, digits: int = 4) -> str:
    """The last `digits` digits (尾号) of a normalised number, by which a guard finds a person."""
    return number[-digits:]


def _visible(written: str) -> str:
    if len(written) > _LONGEST_WRITTEN:
        return ""
    text = unicodedata.normalize("NFKC", written)
    text = "".join(char for char in text if unicodedata.category(char) != "Cf").strip()
    return _DASHES.sub("-", text)
