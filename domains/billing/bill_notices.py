"""What people are told of bills (账单通知)."""

from __future__ import annotations

from datetime import timedelta

from notifications.kinds import Audience, Channel, FieldType, Kind, Text, Urgency

_RESIDENTS: frozenset[Audience] = frozenset({"resident"})
_STAFF: frozenset[Audience] = frozenset({"staff"})
_HOUSE = {"compound": FieldType.TEXT, "house": FieldType.TEXT}
_CORRECTION = {
    **_HOUSE,
    "number": FieldType.NUMBER,
    "what": FieldType.TEXT,
    "what_en": FieldType.TEXT,
    "reason": FieldType.TEXT,
}

ISSUED = Kind(
    "bill.issued",
    Text("账单已出", "A new bill"),
    {**_HOUSE, "month": FieldType.TEXT, "fen": FieldType.MONEY, "due": FieldType.DAY},
    Text("{house} {month} 账单已出", "Bill of {month} for {house}"),
    Text("应缴 {fen}，请在 {due} 前缴纳。", "{fen}, to be paid by {due}."),
    worth=timedelta(days=7),
    link="/pages/bills/index",
    wechat={"thing1": "{house}", "amount2": "{fen}", "date3": "{due}"},
    alipay={"keyword1": "{house}", "keyword2": "{fen}", "keyword3": "{due}"},
    purpose=Text("新账单出来时告诉您应缴金额和期限", "Tells you of a new bill, its amount and its due date"),
    audience=_RESIDENTS,
)

PAID = Kind(
    "bill.paid",
    Text("账单已缴清", "A bill is paid"),
    {
        **_HOUSE,
        "month": FieldType.TEXT,
        "fen": FieldType.MONEY,
        "means": FieldType.TEXT,
        "means_en": FieldType.TEXT,
    },
    Text("{house} {month} 账单已缴清", "Bill of {month} for {house} is paid"),
    Text("共缴 {fen}（{means}）。", "{fen} in all. {means_en}"),
    worth=timedelta(days=3),
    link="/pages/bills/index",
    wechat={"thing1": "{house}", "amount2": "{fen}", "thing3": "{means}"},
    alipay={"keyword1": "{house}", "keyword2": "{fen}", "keyword3": "{means}"},
    purpose=Text(
        "账单缴清或由预存款抵扣后告诉您", "Tells you when a bill is paid, also from money paid ahead"
    ),
    audience=_RESIDENTS,
)

CORRECTED = Kind(
    "bill.corrected",
    Text("账单已更正", "A bill was corrected"),
    {**_CORRECTION, "month": FieldType.TEXT, "fen": FieldType.MONEY},
    Text("{house} 账单已{what}", "Bill for {house}: {what_en}"),
    Text("{month} 账单应缴金额变动 {fen}。原因：{reason}。", "{month}: changed by {fen}. Reason: {reason}."),
    worth=timedelta(days=7),
    link="/pages/bills/index",
    wechat={"thing1": "{house}", "amount2": "{fen}", "thing3": "{reason}"},
    alipay={"keyword1": "{house}", "keyword2": "{fen}", "keyword3": "{reason}"},
    purpose=Text(
        "您的账单被减免、调整或作废时告诉您", "Tells you when a bill of yours is waived, adjusted or voided"
    ),
    audience=_RESIDENTS,
)

REQUESTED = Kind(
    "correction.requested",
    Text("账单更正待审批", "A correction waits"),
    _CORRECTION,
    Text("{house} 的账单申请{what}", "{what_en} asked for on a bill of {house}"),
    Text("账单 {number}，原因：{reason}。请审批。", "Bill {number}, reason: {reason}. Please decide."),
    channels=frozenset({Channel.WEB_PUSH}),
    worth=timedelta(days=7),
    link="/staff/corrections",
    purpose=Text(
        "有减免、调整或作废申请等您审批时提醒您", "Tells you of corrections that wait for your decision"
    ),
    audience=_STAFF,
)

DECIDED = Kind(
    "correction.decided",
    Text("账单更正已审批", "A correction was decided"),
    {**_CORRECTION, "result": FieldType.TEXT, "result_en": FieldType.TEXT},
    Text("账单{what}申请{result}", "{what_en}: {result_en}"),
    Text("{house} 账单 {number}。{reason}", "{house}, bill {number}. {reason}"),
    urgency=Urgency.LOW,
    channels=frozenset({Channel.WEB_PUSH}),
    worth=timedelta(days=7),
    link="/staff/corrections",
    purpose=Text("您提出的账单更正有结果时告诉您", "Tells you how your request was decided"),
    audience=_STAFF,
)

KINDS = (ISSUED, PAID, CORRECTED, REQUESTED, DECIDED)
