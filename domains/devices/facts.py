"""What staff record of a device (设备资料): checked facts become columns.

A fact that is absent stays as it is; one that is None is cleared.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TypedDict
from uuid import UUID

from domains.devices.kinds import DEVICE_KINDS
from domains.estate.facts import Columns, Position, position_columns
from domains.kernel import clock, phones, text
from domains.kernel.errors import Invalid
from domains.kernel.text import InvalidText


class DeviceFacts(TypedDict, total=False):
    """Facts of a device; it always has a code, a name and a kind."""

    code: str
    name: str
    kind: str
    building_id: UUID | None
    maker: str | None
    model: str | None
    serial: str | None
    place: str | None
    position: Position | None
    owner: str | None
    maintainer: str | None
    maintainer_phone: str | None
    installed_on: date | None
    silent_after_s: int | None


LABELS: Mapping[str, str] = {
    "code": "编号", "name": "名称", "kind": "类型", "building_id": "楼栋", "maker": "厂家", "model": "型号",
    "serial": "出厂编号", "place": "位置", "latitude": "纬度", "longitude": "经度", "owner": "产权单位",
    "maintainer": "维保单位", "maintainer_phone": "维保电话", "installed_on": "安装日期", "silent_after_s": "离线判定秒数",
}  # fmt: skip
"""Columns that staff change, as the ledger names them."""

PLACED = frozenset({"building_id", "place", "latitude", "longitude"})
"""Columns that say where it stands."""

_LENGTHS = {"code": 40, "place": 120}
_LENGTH = 60
_REQUIRED = ("code", "name")
_SILENCE = (30, 604_800)
_FIRST_YEAR = 1980


def device_columns(facts: DeviceFacts) -> Columns:
    """Columns of a device. Raises Invalid DEVICE_KIND_UNKNOWN, NUMBER_RANGE, DAY_OUT_OF_RANGE, PHONE_INVALID
    or a TEXT_ code, with the fact as its field."""
    columns = {name: _checked(name, value) for name, value in facts.items() if name != "position"}
    if "position" in facts:
        columns |= position_columns(facts["position"])
    return columns


def past_day(day: date, field: str) -> date:
    """A day that has come. Raises Invalid DAY_OUT_OF_RANGE."""
    if day.year < _FIRST_YEAR or day > clock.today():
        raise Invalid("DAY_OUT_OF_RANGE", f"日期应在 {_FIRST_YEAR} 年到今天之间,请检查", field)
    return day


def _checked(name: str, value: object) -> object:
    if name == "kind" and value not in DEVICE_KINDS:
        raise Invalid("DEVICE_KIND_UNKNOWN", "没有这种设备类型,请从列表中选择", name)
    if name == "maintainer_phone":
        return _phone(str(value or ""), name)
    if isinstance(value, date):
        return past_day(value, name)
    if isinstance(value, int):
        return _silence(value, name)
    if name in ("building_id", "installed_on", "silent_after_s"):
        return value
    most, least = _LENGTHS.get(name, _LENGTH), int(name in _REQUIRED)
    return text.clean(str(value or ""), max_length=most, min_length=least, fold=name == "code", field=name)


def _silence(value: int, name: str) -> int:
    low, high = _SILENCE
    if not low <= value <= high:
        raise Invalid("NUMBER_RANGE", f"应在 {low} 到 {high} 之间,请检查", name)
    return value


def _phone(written: str, name: str) -> str:
    """A mobile number or a fixed line; a company is reached by either."""
    if not written.strip():
        return ""
    try:
        return phones.normalise(written, field=name)
    except InvalidText:
        pass
    try:
        return phones.normalise_landline(written, field=name)
    except InvalidText:
        message = "电话不正确,请填写手机号,或带区号的固定电话"
        raise Invalid("PHONE_INVALID", message, name) from None
