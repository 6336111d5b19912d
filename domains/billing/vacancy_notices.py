"""What owners, and who decides, are told of houses that stand empty (空置通知)."""

from __future__ import annotations

from datetime import timedelta

from notifications.kinds import Channel, FieldType, Kind, Text

_VACANCY = {
    "compound": FieldType.TEXT,
    "house": FieldType.TEXT,
    "days": FieldType.TEXT,
}

REQUESTED = Kind(
    "vacancy.requested",
    Text("空置申请待审核", "A vacant house to confirm"),
    _VACANCY,
    Text("{house} 申请空置", "{house} is said to be vacant"),
    Text("{compound}，{days}。请核实后审核。", "{compound}, {days}. Please verify and decide."),
    channels=frozenset({Channel.WEB_PUSH}),
    worth=timedelta(days=7),
    link="/staff/fees/houses",
    purpose=Text("有房屋空置申请等您审核时提醒您", "Tells you of vacant houses that wait for your decision"),
    audience=frozenset({"staff"}),
)

APPROVED = Kind(
    "vacancy.approved",
    Text("空置申请已通过", "Your house counts as vacant"),
    _VACANCY,
    Text("{house} 的空置申请已通过", "{house} counts as vacant"),
    Text("{days} 按空置标准收费，已出的账单不变。", "{days}: charged as vacant. Bills already issued stay."),
    worth=timedelta(days=7),
    link="/pages/bills/index",
    wechat={"thing1": "{house}", "thing2": "{days}"},
    alipay={"keyword1": "{house}", "keyword2": "{days}"},
    purpose=Text(
        "您申请的房屋空置有结果时通知您", "Tells you what became of your request for a vacant house"
    ),
    audience=frozenset({"resident"}),
)

REJECTED = Kind(
    "vacancy.rejected",
    Text("空置申请未通过", "Your request was not accepted"),
    {**_VACANCY, "reason": FieldType.TEXT},
    Text("{house} 的空置申请未通过", "{house} does not count as vacant"),
    Text("{days}：{reason}", "{days}: {reason}"),
    worth=timedelta(days=7),
    link="/pages/bills/index",
    wechat={"thing1": "{house}", "thing2": "{days}", "thing3": "{reason}"},
    alipay={"keyword1": "{house}", "keyword2": "{days}", "keyword3": "{reason}"},
    purpose=Text("您申请的房屋空置未通过时告诉您原因", "Tells you why your house does not count as vacant"),
    personal=frozenset({"reason"}),
    audience=frozenset({"resident"}),
)

KINDS = (REQUESTED, APPROVED, REJECTED)
