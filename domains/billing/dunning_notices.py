"""What people are told of bills that are not paid (催缴通知)."""

from __future__ import annotations

from datetime import timedelta

from notifications.kinds import Audience, FieldType, Kind, Text, Urgency

_RESIDENTS: frozenset[Audience] = frozenset({"resident"})
_FIELDS = {
    "compound": FieldType.TEXT, "house": FieldType.TEXT, "bills": FieldType.NUMBER, "fen": FieldType.MONEY,
    "late": FieldType.MONEY, "due": FieldType.DAY,
}  # fmt: skip
_WECHAT = {"thing1": "{house}", "amount2": "{fen}", "date3": "{due}"}
_ALIPAY = {"keyword1": "{house}", "keyword2": "{fen}", "keyword3": "{due}"}
_PURPOSE = Text("账单临近到期或逾期时提醒您", "Reminds you of bills that fall due or are overdue")

DUE = Kind(
    "bill.due",
    Text("缴费提醒", "A bill falls due"),
    _FIELDS,
    Text("{house} 有 {bills} 张账单待缴", "{house}: bills to pay: {bills}"),
    Text("共 {fen}，请在 {due} 前缴纳，以免产生滞纳金。", "{fen} in all, to be paid by {due}."),
    worth=timedelta(days=3),
    link="/pages/bills/index",
    wechat=_WECHAT,
    alipay=_ALIPAY,
    purpose=_PURPOSE,
    audience=_RESIDENTS,
)

OVERDUE = Kind(
    "bill.overdue",
    Text("欠费提醒", "Bills are overdue"),
    _FIELDS,
    Text("{house} 有 {bills} 张账单已逾期", "{house}: overdue bills: {bills}"),
    Text(
        "截至今天应缴 {fen}（其中滞纳金 {late}），最早的已于 {due} 到期，请尽快缴纳。",
        "{fen} to pay as of today, late fees of {late} included; the oldest was due on {due}.",
    ),
    urgency=Urgency.HIGH,
    worth=timedelta(days=7),
    link="/pages/bills/index",
    wechat=_WECHAT,
    alipay=_ALIPAY,
    purpose=_PURPOSE,
    audience=_RESIDENTS,
)

KINDS = (DUE, OVERDUE)
