"""Readings as a device writes them (遥测数据): JSON, checked value by value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import orjson

from domains.kernel.errors import Invalid

MOST = 200
_METRIC = re.compile(r"[a-z][a-z0-9_]{0,39}")
_BEYOND = 10**12
"""What a column of 18 digits with six decimals does not hold."""
_STEP = Decimal("0.000001")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = 4_102_444_800_000
"""The year 2100."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a metric; `at` is by the device's clock, null where it has none."""

    metric: str
    value: Decimal
    at: datetime | None


@dataclass(slots=True)
class Said:
    """What of a message can be taken, and what not: a code by its place in the list."""

    values: list[Value] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)

    def placed(self) -> Iterator[tuple[int, Value]]:
        """The values by their place in the list."""
        places = (place for place in count() if place not in self.refused)
        return zip(places, self.values, strict=False)


def read(payload: bytes) -> Said:
    """A list of `{"metric", "value", "at"}`, `at` in epoch milliseconds. Raises Invalid PAYLOAD_INVALID for what
    is no list in JSON, TOO_MANY_READINGS for more than 200; a bad value spoils no other."""
    said = Said()
    for place, item in enumerate(_items(payload)):
        found = _read(item)
        if isinstance(found, Value):
            said.values.append(found)
        else:
            said.refused[place] = found
    return said


def _items(payload: bytes) -> list[object]:
    try:
        items = orjson.loads(payload)
    except orjson.JSONDecodeError:
        items = None
    if not isinstance(items, list):
        raise Invalid("PAYLOAD_INVALID", "内容应为 JSON 数组,请按设备接口文档的格式发送")
    if len(items) > MOST:
        raise Invalid("TOO_MANY_READINGS", f"一次最多 {MOST} 个读数,请分批发送")
    return items


def _read(item: object) -> Value | str:
    if not isinstance(item, dict):
        return "READING_INVALID"
    metric, value, at = item.get("metric"), item.get("value"), item.get("at")
    if not isinstance(metric, str) or not _METRIC.fullmatch(metric):
        return "METRIC_INVALID"
    # A truth value is a whole number to Python, and not to whoever sent it.
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_BEYOND < value < _BEYOND:
        return "VALUE_INVALID"
    if at is not None and (isinstance(at, bool) or not isinstance(at, int) or not 0 <= at < _LAST_MS):
        return "TIME_INVALID"
    instant = None if at is None else _EPOCH + timedelta(milliseconds=at)
    return Value(metric, Decimal(repr(value)).quantize(_STEP), instant)
