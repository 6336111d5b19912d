"""What people are told of readings (抄表通知)."""

from __future__ import annotations

from datetime import time

from notifications.kinds import Audience, Channel, FieldType, Kind, Text

_RESIDENTS: frozenset[Audience] = frozenset({"resident"})
_METER = {"compound": FieldType.TEXT, "place": FieldType.TEXT, "meter": FieldType.TEXT}

HELD = Kind(
    "meter_reading.held",
    Text("读数待审核", "Meter readings to review"),
    {**_METER, "problem": FieldType.TEXT},
    Text("{place} 的{meter}读数待审核", "A meter reading of {place} waits for review"),
    Text("{compound}：{problem}。", "{compound}, {meter}: {problem}"),
    channels=frozenset({Channel.WEB_PUSH}),
    link="/staff/meters/review",
    slots=(time(9), time(15)),
    purpose=Text("有仪表读数需要审核时提醒抄表人员", "Reminds whoever reviews meter readings"),
    audience=frozenset({"staff"}),
)

ACCEPTED = Kind(
    "meter_reading.accepted",
    Text("读数已确认", "Meter reading accepted"),
    {**_METER, "value": FieldType.TEXT, "at": FieldType.INSTANT},
    Text("您提交的{meter}读数已确认", "Your meter reading is accepted"),
    Text("{place}：确认读数为 {value}。", "{place}, {meter}: the reading is {value}."),
    link="/pages/meters/index",
    wechat={"thing1": "{place}", "phrase2": "已确认", "time3": "{at}"},
    alipay={"keyword1": "{place}", "keyword2": "已确认", "keyword3": "{at}"},
    purpose=Text("您提交的读数审核通过时通知您", "Tells you that your meter reading is accepted"),
    audience=_RESIDENTS,
)

REJECTED = Kind(
    "meter_reading.rejected",
    Text("读数未通过", "Meter reading refused"),
    {**_METER, "reason": FieldType.TEXT, "at": FieldType.INSTANT},
    Text("您提交的{meter}读数未通过", "Your meter reading was refused"),
    Text("{place}：{reason}。请重新抄表。", "{place}, {meter}: {reason}. Please read it again."),
    link="/pages/meters/index",
    wechat={"thing1": "{place}", "phrase2": "未通过", "time3": "{at}", "thing4": "{reason}"},
    alipay={"keyword1": "{place}", "keyword2": "未通过", "keyword3": "{at}", "keyword4": "{reason}"},
    purpose=Text("您提交的读数未通过时告诉您原因", "Tells you why your meter reading was refused"),
    personal=frozenset({"reason"}),
    audience=_RESIDENTS,
)

KINDS = (HELD, ACCEPTED, REJECTED)
