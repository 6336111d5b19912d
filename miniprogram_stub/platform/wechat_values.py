"""Limits on the values of a subscribe message (订阅消息参数值内容限制), per kind of keyword.

The kind is the keyword without its number: `thing1` is a thing.
"""

from __future__ import annotations

import re
from typing import Final

_MONTH = "(?:0?[1-9]|1[0-2])"
_DAY = "(?:0?[1-9]|[12][0-9]|3[01])"
_DATE = (
    f"(?:[0-9]{{4}}年{_MONTH}月{_DAY}日|[0-9]{{4}}年{_MONTH}月|{_MONTH}月{_DAY}日"
    f"|[0-9]{{4}}[-/.]{_MONTH}(?:[-/.]{_DAY})?|{_MONTH}[-/.]{_DAY})"
)
_CLOCK = "(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?"
_TIME_POINT = f"(?:{_DATE} ?)?{_CLOCK}"
_DATE_POINT = f"{_DATE}(?: ?{_CLOCK})?"
_HAN = "[\u3400-\u9fff]"

_FORMS: Final[dict[str, re.Pattern[str]]] = {
    kind: re.compile(form)
    for kind, form in {
        "thing": r".{1,20}",
        "number": r"(?=.{1,32}$)[0-9]+(?:\.[0-9]+)?",
        "letter": r"[A-Za-z]{1,32}",
        "symbol": r"(?:[^\w\s]|_){1,5}",
        "character_string": r"[\x20-\x7e]{1,32}",
        "time": f"{_TIME_POINT}(?:~{_TIME_POINT})?",
        "date": f"{_DATE_POINT}(?:~{_DATE_POINT})?",
        "amount": r"[¥￥$€£]?[0-9]{1,10}(?:\.[0-9]+)?元?",
        "phone_number": r"[0-9+() -]{1,17}",
        "car_number": f"(?=.{{1,8}}$)(?:{_HAN}|[A-Za-z0-9])[A-Za-z0-9]*{_HAN}?",
        # Chinese and Latin letters together count as a Chinese name; digits are in neither.
        "name": f"(?=.*{_HAN})[^0-9]{{1,10}}|[^0-9\u3400-\u9fff]{{1,20}}",
        "phrase": f"{_HAN}{{1,5}}",
    }.items()
}


def acceptable(keyword: str, value: str) -> bool:
    """Whether WeChat takes this value for that keyword."""
    form = _FORMS.get(keyword.rstrip("0123456789"))
    return form is not None and bool(value.strip()) and form.fullmatch(value) is not None
