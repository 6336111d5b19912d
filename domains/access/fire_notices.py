"""What is told to everybody in a building that burns (火警通知)."""

from __future__ import annotations

from datetime import timedelta

from notifications.kinds import Channel, Climb, FieldType, Kind, Text, Urgency

_FIELDS = {"compound": FieldType.TEXT, "building": FieldType.TEXT, "at": FieldType.INSTANT}
_EVERY_WAY = frozenset({Channel.WECHAT, Channel.ALIPAY, Channel.WEB_PUSH, Channel.SMS})

FIRE = Kind(
    "fire.evacuate",
    Text("火警疏散", "Fire: leave the building"),
    _FIELDS,
    Text("{building} 发生火警，请立即撤离", "Fire alarm in {building}: leave now"),
    Text(
        "{compound} {building} 于 {at} 报火警，单元门已打开。请走楼梯撤离，不要乘坐电梯。",
        "{building}, {compound}, {at}. The doors are open. Take the stairs, not the lift.",
    ),
    urgency=Urgency.URGENT,
    channels=_EVERY_WAY,
    worth=timedelta(hours=1),
    link="/pages/home/index",
    is_optional=False,
    climbs=(Climb(timedelta(minutes=1), Channel.VOICE),),
    wechat={"thing1": "{building}", "time2": "{at}", "phrase3": "立即撤离"},
    alipay={"keyword1": "{building}", "keyword2": "{at}", "keyword3": "立即撤离"},
    sms={"building": "{building}"},
    voice={"building": "{building}"},
    purpose=Text(
        "您所住的楼栋发生火警时通知您撤离", "Tells you to leave when there is a fire alarm in your building"
    ),
)

FIRE_OVER = Kind(
    "fire.over",
    Text("火警解除", "Fire alarm is over"),
    _FIELDS,
    Text("{building} 的火警已解除", "The fire alarm in {building} is over"),
    Text("{compound} {building} 的火警已于 {at} 解除。", "{building}, {compound}: over since {at}."),
    urgency=Urgency.HIGH,
    worth=timedelta(hours=12),
    link="/pages/home/index",
    wechat={"thing1": "{building}", "time2": "{at}", "phrase3": "已解除"},
    alipay={"keyword1": "{building}", "keyword2": "{at}", "keyword3": "已解除"},
    purpose=Text("火警解除时告诉您", "Tells you that a fire alarm is over"),
)

KINDS = (FIRE, FIRE_OVER)
