"""What people are told of visitors (访客通知)."""

from __future__ import annotations

from datetime import timedelta

from notifications.kinds import Audience, Channel, FieldType, Kind, Text, Urgency

_RESIDENTS: frozenset[Audience] = frozenset({"resident"})
_VISIT = {
    "compound": FieldType.TEXT,
    "house": FieldType.TEXT,
    "name": FieldType.TEXT,
    "purpose": FieldType.TEXT,
}
_PASSAGE = {
    "compound": FieldType.TEXT,
    "house": FieldType.TEXT,
    "name": FieldType.TEXT,
    "door": FieldType.TEXT,
    "at": FieldType.INSTANT,
}

REQUESTED = Kind(
    "visitor.requested",
    Text("访客请求进入", "A visitor asks to come in"),
    _VISIT,
    Text("{name} 请求来访 {house}", "{name} asks to visit {house}"),
    Text(
        "事由：{purpose}。对方正在 {compound} 等候，请尽快同意或拒绝。",
        "Purpose: {purpose}. They wait at {compound}: let them in or not.",
    ),
    urgency=Urgency.HIGH,
    worth=timedelta(hours=2),
    link="/pages/visitors/index",
    wechat={"thing1": "{name}", "thing2": "{house}", "thing3": "{purpose}"},
    alipay={"keyword1": "{name}", "keyword2": "{house}", "keyword3": "{purpose}"},
    purpose=Text("有访客在门口请求进入您家时通知您", "Tells you that a visitor waits for your word"),
    personal=frozenset({"name"}),
    audience=_RESIDENTS,
)

WAITING = Kind(
    "visitor.waiting",
    Text("访客等待门岗审批", "A visitor waits for the guard"),
    _VISIT,
    Text("{name} 请求来访 {house}", "{name} asks to visit {house}"),
    Text(
        "事由：{purpose}。需要门岗核实并决定是否放行。",
        "Purpose: {purpose}. The guard has to check and decide.",
    ),
    urgency=Urgency.HIGH,
    channels=frozenset({Channel.WEB_PUSH}),
    worth=timedelta(hours=2),
    link="/staff/guard",
    purpose=Text("有访客需要门岗审批时提醒值班人员", "Tells the guards that a visitor waits for them"),
    personal=frozenset({"name"}),
    audience=frozenset({"staff"}),
)

ARRIVED = Kind(
    "visitor.arrived",
    Text("访客已到", "Your visitor is here"),
    _PASSAGE,
    Text("{name} 已进入小区", "{name} has come in"),
    Text("{at} 经 {door} 进入 {compound}，前往 {house}。", "At {at} by {door}, {compound}, to {house}."),
    worth=timedelta(hours=2),
    link="/pages/visitors/index",
    wechat={"thing1": "{name}", "thing2": "{door}", "time3": "{at}"},
    alipay={"keyword1": "{name}", "keyword2": "{door}", "keyword3": "{at}"},
    purpose=Text("您邀请的访客进入小区时通知您", "Tells you that your visitor has come in"),
    personal=frozenset({"name"}),
    audience=_RESIDENTS,
)

REFUSED = Kind(
    "visitor.refused",
    Text("访客未被放行", "Your visitor was sent away"),
    {**_PASSAGE, "reason": FieldType.TEXT},
    Text("{name} 未被放行", "{name} was not let in"),
    Text("{at} 在 {door}：{reason}", "At {at}, {door}: {reason}"),
    urgency=Urgency.HIGH,
    worth=timedelta(hours=6),
    link="/pages/visitors/index",
    wechat={"thing1": "{name}", "thing2": "{reason}", "time3": "{at}"},
    alipay={"keyword1": "{name}", "keyword2": "{reason}", "keyword3": "{at}"},
    purpose=Text("门岗没有放行您的访客时告诉您原因", "Tells you why your visitor was not let in"),
    personal=frozenset({"name", "reason"}),
    audience=_RESIDENTS,
)

OVERUSED = Kind(
    "visitor.overused",
    Text("访客通行次数超限", "A pass was used too often"),
    {
        "compound": FieldType.TEXT,
        "house": FieldType.TEXT,
        "name": FieldType.TEXT,
        "uses": FieldType.NUMBER,
        "allowed": FieldType.NUMBER,
    },
    Text("{name} 的通行证用了 {uses} 次", "The pass of {name} was used {uses} times"),
    Text(
        "{compound} 的道闸断网期间放行超过了允许的 {allowed} 次。如非您本人安排，请联系物业。",
        "{compound}: gates without a network opened more than {allowed} times. Call the office if need be.",
    ),
    urgency=Urgency.HIGH,
    worth=timedelta(hours=24),
    link="/pages/visitors/index",
    wechat={"thing1": "{name}", "number2": "{uses}", "number3": "{allowed}"},
    alipay={"keyword1": "{name}", "keyword2": "{uses}", "keyword3": "{allowed}"},
    purpose=Text(
        "您邀请的访客通行次数超过限制时提醒您", "Tells you that your visitor's pass was used too often"
    ),
    personal=frozenset({"name"}),
    audience=_RESIDENTS,
)

KINDS = (REQUESTED, WAITING, ARRIVED, REFUSED, OVERUSED)
