"""What people are told of registrations, invitations and households (通知类型)."""

from __future__ import annotations

from datetime import time

from notifications.kinds import Audience, Channel, FieldType, Kind, Text, Urgency

_RESIDENTS: frozenset[Audience] = frozenset({"resident"})
_PLACE = {"compound": FieldType.TEXT, "house": FieldType.TEXT}

SUBMITTED = Kind(
    "registration.submitted",
    Text("住户登记待审核", "Registrations to review"),
    _PLACE,
    Text("有新的住户登记待审核", "A registration waits for review"),
    Text(
        "{compound} {house} 有人申请登记，请审核。", "Somebody asks to be registered at {house}, {compound}."
    ),
    channels=frozenset({Channel.WEB_PUSH}),
    link="/staff/registrations",
    slots=(time(9), time(12), time(15), time(18)),
    sms={"house": "{house}"},
    purpose=Text("有住户提交登记时提醒审核人员", "Reminds reviewers of new registrations"),
    audience=frozenset({"staff"}),
)

APPROVED = Kind(
    "registration.approved",
    Text("登记审核通过", "Registration approved"),
    {**_PLACE, "at": FieldType.INSTANT},
    Text("您的住户登记已通过", "Your registration is approved"),
    Text("{compound} {house} 的登记已通过，欢迎入住。", "You now belong to {house}, {compound}. Welcome."),
    link="/pages/home/index",
    wechat={"thing1": "{house}", "phrase2": "审核通过", "time3": "{at}"},
    alipay={"keyword1": "{house}", "keyword2": "审核通过", "keyword3": "{at}"},
    sms={"house": "{house}"},
    purpose=Text("住户登记审核通过时通知您", "Tells you that your registration is approved"),
    audience=_RESIDENTS,
)

REJECTED = Kind(
    "registration.rejected",
    Text("登记审核未通过", "Registration refused"),
    {**_PLACE, "at": FieldType.INSTANT, "reason": FieldType.TEXT},
    Text("您的住户登记未通过", "Your registration was refused"),
    Text("{compound} {house}：{reason}", "{house}, {compound}: {reason}"),
    link="/pages/registrations/index",
    wechat={"thing1": "{house}", "phrase2": "未通过", "time3": "{at}", "thing4": "{reason}"},
    alipay={"keyword1": "{house}", "keyword2": "未通过", "keyword3": "{at}", "keyword4": "{reason}"},
    sms={"house": "{house}"},
    purpose=Text("住户登记未通过时告诉您原因", "Tells you why your registration was refused"),
    personal=frozenset({"reason"}),
    audience=_RESIDENTS,
)

INVITED = Kind(
    "invitation.received",
    Text("收到房屋邀请", "Invitation to a house"),
    {**_PLACE, "inviter": FieldType.TEXT, "until": FieldType.INSTANT},
    Text("{inviter} 邀请您加入 {house}", "{inviter} invites you to {house}"),
    Text(
        "{compound}，{until} 前有效。请在“我的邀请”中接受，或向 {inviter} 索取邀请链接。",
        "{compound}, until {until}. Accept it in “My invitations”, or ask {inviter} for the link.",
    ),
    link="/pages/invitations/index",
    wechat={"thing1": "{inviter}", "thing2": "{house}", "time3": "{until}"},
    alipay={"keyword1": "{inviter}", "keyword2": "{house}", "keyword3": "{until}"},
    sms={"inviter": "{inviter}"},
    purpose=Text("有业主邀请您加入房屋时通知您", "Tells you that an owner invites you to a house"),
    personal=frozenset({"inviter"}),
    audience=_RESIDENTS,
)

ARRIVED = Kind(
    "household.joined",
    Text("家庭新成员", "New household member"),
    {**_PLACE, "name": FieldType.TEXT},
    Text("{name} 已加入 {house}", "{name} joined {house}"),
    Text(
        "{compound} {house} 新增一位住户。如有疑问，请联系物业。",
        "{house}, {compound}. Questions? Call the office.",
    ),
    link="/pages/household/index",
    wechat={"thing1": "{name}", "thing2": "{house}", "phrase3": "已加入"},
    alipay={"keyword1": "{name}", "keyword2": "{house}", "keyword3": "已加入"},
    purpose=Text("有人加入您的房屋时通知业主", "Tells owners who joined their house"),
    personal=frozenset({"name"}),
    audience=_RESIDENTS,
)

LEFT = Kind(
    "household.left",
    Text("居住关系结束", "Household member left"),
    {**_PLACE, "name": FieldType.TEXT, "reason": FieldType.TEXT},
    Text("{name} 已离开 {house}", "{name} left {house}"),
    Text("{compound} {house} 的居住关系已结束：{reason}", "No longer of {house}, {compound}: {reason}"),
    link="/pages/household/index",
    wechat={"thing1": "{name}", "thing2": "{house}", "thing3": "{reason}"},
    alipay={"keyword1": "{name}", "keyword2": "{house}", "keyword3": "{reason}"},
    purpose=Text("居住关系结束时通知本人和业主", "Tells a person and the owners that they left a house"),
    personal=frozenset({"name", "reason"}),
    audience=_RESIDENTS,
)

VEHICLE = Kind(
    "vehicle.registered",
    Text("房屋新增车辆", "New vehicle of your house"),
    {**_PLACE, "plate": FieldType.TEXT},
    Text("{house} 登记了车辆 {plate}", "{plate} was registered to {house}"),
    Text(
        "{compound} {house} 新增车辆 {plate}。如有疑问，请联系物业。",
        "{house}, {compound}. Questions? Call the office.",
    ),
    urgency=Urgency.LOW,
    link="/pages/vehicles/index",
    wechat={"thing1": "{plate}", "thing2": "{house}"},
    alipay={"keyword1": "{plate}", "keyword2": "{house}"},
    purpose=Text("您的房屋登记了新车辆时通知业主", "Tells owners of vehicles registered to their house"),
    personal=frozenset({"plate"}),
    audience=_RESIDENTS,
)

KINDS = (SUBMITTED, APPROVED, REJECTED, INVITED, ARRIVED, LEFT, VEHICLE)
