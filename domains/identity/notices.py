"""What people are told of their accounts, and operators of what broke (通知类型)."""

from __future__ import annotations

from datetime import timedelta

from notifications.kinds import Channel, FieldType, Kind, Text, Urgency

_OPERATORS = frozenset({Channel.WEB_PUSH, Channel.SMS})

PHONE_CHANGED = Kind(
    "account.phone_changed",
    Text("手机号变更", "Phone number changed"),
    {"at": FieldType.INSTANT},
    Text("您的登录手机号已更换", "Your phone number was changed"),
    Text(
        "{at} 更换了登录手机号。若非本人操作，请立即联系物业。",
        "Changed on {at}. If it was not you, call the property office at once.",
    ),
    urgency=Urgency.HIGH,
    is_optional=False,
    link="/pages/account/index",
    wechat={"thing1": "登录手机号已更换", "time2": "{at}", "thing3": "若非本人操作，请立即联系物业"},
    alipay={"keyword1": "登录手机号已更换", "keyword2": "{at}", "keyword3": "若非本人操作，请立即联系物业"},
    purpose=Text("登录手机号更换时提醒您", "Warns you when your phone number is changed"),
    audience=frozenset({"resident"}),
)

JOINED = Kind(
    "account.joined",
    Text("账号合并", "Accounts joined"),
    {"at": FieldType.INSTANT},
    Text("您的两个账号已合并", "Your two accounts are now one"),
    Text(
        "{at} 用同一手机号登录，账号已合并为一个。若非本人操作，请联系物业。",
        "Signed in with the same number on {at}. If it was not you, call the property office.",
    ),
    urgency=Urgency.HIGH,
    is_optional=False,
    link="/pages/account/index",
    wechat={"thing1": "两个账号已合并", "time2": "{at}", "thing3": "若非本人操作，请联系物业"},
    alipay={"keyword1": "两个账号已合并", "keyword2": "{at}", "keyword3": "若非本人操作，请联系物业"},
    purpose=Text("两个账号合并时提醒您", "Tells you when two accounts of yours are joined"),
    audience=frozenset({"resident"}),
)

JOB_FAILED = Kind(
    "job.failed",
    Text("定时任务失败", "Scheduled job failed"),
    {"job": FieldType.TEXT, "due": FieldType.INSTANT, "attempts": FieldType.NUMBER, "error": FieldType.TEXT},
    Text("定时任务失败：{job}", "Job failed: {job}"),
    Text(
        "应于 {due} 运行，试了 {attempts} 次均失败：{error}",
        "Due {due}, failed {attempts} times: {error}",
    ),
    urgency=Urgency.HIGH,
    channels=_OPERATORS,
    worth=timedelta(days=1),
    link="/staff/jobs",
    sms={"job": "{job}"},
    purpose=Text("定时任务失败时通知系统运维", "Tells operators when a scheduled job has failed"),
    audience=frozenset({"staff"}),
)

DELIVERY_FAULT = Kind(
    "delivery.fault",
    Text("消息无法发送", "Messages cannot be sent"),
    {
        "channel": FieldType.TEXT,
        "code": FieldType.TEXT,
        "kind": FieldType.TEXT,
        "detail": FieldType.TEXT,
    },
    Text("消息无法发送：{channel}", "Messages cannot be sent: {channel}"),
    Text(
        "平台拒收“{kind}”（{code}）：{detail}。请检查模板与设置。",
        "“{kind}” was refused ({code}): {detail}. Check the template and the settings.",
    ),
    urgency=Urgency.HIGH,
    channels=_OPERATORS,
    worth=timedelta(days=1),
    sms={"channel": "{channel}", "code": "{code}"},
    purpose=Text("平台拒收消息时通知系统运维", "Tells operators when a platform refuses our messages"),
    audience=frozenset({"staff"}),
)

KINDS = (PHONE_CHANGED, JOINED, JOB_FAILED, DELIVERY_FAULT)
