"""Parcels for the channels, the short way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from domains.kernel import clock
from domains.kernel.ids import uuid7
from notifications.channels.port import Address, Parcel
from notifications.kinds import FieldType, Kind, Text, Urgency, Written
from tests.unit.stand_ins.stand import Stand

KIND = Kind(
    "test.parcel", Text("测试", "Test"), {"at": FieldType.INSTANT, "state": FieldType.TEXT, "who": FieldType.TEXT},
    Text("{who}", "{who}"), Text("{state}", "{state}"), wechat={"time1": "{at}", "phrase2": "{state}"},
)  # fmt: skip
DATA: dict[str, object] = {"at": "2026-11-21T07:01:00+00:00", "state": "已通过", "who": "张三"}


def parcel(to: str = "", *, app_id: str = "", keys: str = "", **columns: Any) -> Parcel:
    """A parcel to this address. Any: columns of Parcel."""
    now = clock.now()
    given: dict[str, Any] = {
        "delivery_id": uuid7(), "notice_id": uuid7(), "kind": KIND, "urgency": Urgency.NORMAL, "language": "zh",
        "written": Written("门禁变更", "三号楼的门禁换了", "/pages/pass/index?id=1"), "data": DATA, "keywords": {},
        "template_id": "", "compound_id": UUID(int=7), "created_at": now, "expires_at": now + timedelta(hours=2),
    }  # fmt: skip
    return Parcel(address=Address(to, app_id, keys), **{**given, **columns})


def open_id(stand: Stand, platform: str, person: str) -> str:
    """Who the person is to the mini-program there."""
    stand.open(f"{platform}/login", person=person)
    column = {"wechat": "wechat_openid", "alipay": "alipay_open_id"}[platform]
    [[found]] = stand.books(f"SELECT {column} FROM people WHERE name = ?", person)
    return str(found)
