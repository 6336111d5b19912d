"""What WeChat takes as the value of a keyword (订阅消息参数值内容限制), by the keyword's kind.

The kind is the keyword without its number: `thing1` is a thing. A value that is longer, or empty, has the
whole message refused (47003), so that it is made to fit here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping

_HAN = "\u3400-\u9fff"
_MONTH, _DAY = "(?:0?[1-9]|1[0-2])", "(?:0?[1-9]|[12][0-9]|3[01])"
_DATE = (
    rf"(?:\d{{4}}年{_MONTH}月{_DAY}日|\d{{4}}年{_MONTH}月|{_MONTH}月{_DAY}日"
    rf"|\d{{4}}[-/.]{_MONTH}(?:[-/.]{_DAY})?|{_MONTH}[-/.]{_DAY})"
)
_CLOCK = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"
_TIME, _DATED = rf"(?:{_DATE} ?)?{_CLOCK}", rf"{_DATE}(?: ?{_CLOCK})?"
_EXACT = {
    "time": re.compile(rf"{_TIME}(?:~{_TIME})?", re.ASCII),
    "date": re.compile(rf"{_DATED}(?:~{_DATED})?", re.ASCII),
    "amount": re.compile(r"[¥￥$€£]?\d{1,10}(?:\.\d+)?元?", re.ASCII),
    "number": re.compile(r"(?=.{1,32}$)\d+(?:\.\d+)?", re.ASCII),
}
# What stands for nothing where the kind admits a symbol, or a word.
_NOTHING = {"phrase": "无"}
_ADMITS_DASH = frozenset({"thing", "character_string", "symbol", "name", "phone_number"})


def fitted(keyword: str, value: str, chinese: str) -> str:
    """The value as WeChat takes it, or the same in Chinese where only that fits: a date, a phrase. A dash
    stands for an empty one; what cannot be made to fit comes back as it was given."""
    kind = keyword.rstrip("0123456789")
    nothing = _NOTHING.get(kind) or ("-" if kind in _ADMITS_DASH else value)
    return _fit(kind, value) or _fit(kind, chinese) or nothing


def cut(text: str, most: int) -> str:
    """At most so many characters, as platforms count them (a character beyond the basic plane is two),
    the last of them … where something is missing."""
    if len(_units(text)) <= 2 * most:
        return text
    return _units(text)[: 2 * (most - 1)].decode("utf-16-le", "ignore").rstrip() + "…"


def one_line(text: str) -> str:
    """Without line breaks and invisible characters."""
    return "".join(char for char in " ".join(text.split()) if char.isprintable())


def _units(text: str) -> bytes:
    return text.encode("utf-16-le", "ignore")


def _fit(kind: str, value: str) -> str:
    text = one_line(value)
    if pattern := _EXACT.get(kind):
        text = text.replace(",", "")
        return text if pattern.fullmatch(text) else ""
    return _FITTING[kind](text) if kind in _FITTING else text


def _ascii(text: str, most: int) -> str:
    folded = unicodedata.normalize("NFKC", text)
    return re.sub(r" {2,}", " ", re.sub(r"[^\x20-\x7e]", "", folded)).strip()[:most].rstrip()


def _name(text: str) -> str:
    """Ten characters with a Chinese one among them, else twenty; digits are in no name."""
    name = re.sub(r"\d", "", text).strip()
    return cut(name, 10 if re.search(f"[{_HAN}]", name) else 20)


def _car_number(text: str) -> str:
    """Eight: letters and digits, the first and the last may be Chinese (粤A8Z888挂)."""
    plate = re.sub(f"[^A-Za-z0-9{_HAN}]", "", text)
    return plate if re.fullmatch(f"[{_HAN}A-Za-z0-9][A-Za-z0-9]{{0,6}}[{_HAN}A-Za-z0-9]?", plate) else ""


_FITTING: Mapping[str, Callable[[str], str]] = {
    "thing": lambda text: cut(text, 20),
    "letter": lambda text: re.sub(r"[^A-Za-z]", "", text)[:32],
    "symbol": lambda text: re.sub(r"[\w\s]", "", text)[:5],
    "character_string": lambda text: _ascii(text, 32),
    "phone_number": lambda text: re.sub(r"[^0-9+() -]", "", _ascii(text, 40))[:17].strip(),
    "car_number": _car_number,
    "name": _name,
    "phrase": lambda text: re.sub(f"[^{_HAN}]", "", text)[:5],
}
