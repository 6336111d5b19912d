"""What people are told of payments and refunds (缴费与退款通知)."""

from __future__ import annotations

from datetime import timedelta

from notifications.kinds import Audience, Channel, FieldType, Kind, Text, Urgency

_STAFF: frozenset[Audience] = frozenset({"staff"})
_REFUND = {"compound": FieldType.TEXT, "house": FieldType.TEXT, "fen": FieldType.MONEY}

TOPPED_UP = Kind(
    "payment.topped_up",
    Text("充值成功", "Paid ahead"),
    {"house": FieldType.TEXT, "fen": FieldType.MONEY},
    Text("{house} 预存充值成功", "{house}: your payment ahead has arrived"),
    Text(
        "{fen}已存入预存账户，将自动抵扣账单。", "{fen} was added to the prepayment and pays bills by itself."
    ),
    worth=timedelta(days=3),
    link="/pages/prepayment/index",
    wechat={"thing1": "{house}", "amount2": "{fen}"},
    alipay={"keyword1": "{house}", "keyword2": "{fen}"},
    purpose=Text("预存充值到账时通知您", "Tells you when a payment ahead has arrived"),
)

REFUNDED = Kind(
    "payment.refunded",
    Text("退款到账", "A refund arrived"),
    _REFUND,
    Text("{house} 退款 {fen}", "{house}: {fen} was refunded"),
    Text("款项已按原支付方式退回，请留意到账。", "The money went back the way it was paid."),
    worth=timedelta(days=7),
    link="/pages/payments/index",
    wechat={"thing1": "{house}", "amount2": "{fen}"},
    alipay={"keyword1": "{house}", "keyword2": "{fen}"},
    purpose=Text("退款完成时通知您", "Tells you when a refund has gone through"),
)

REFUND_REQUESTED = Kind(
    "refund.requested",
    Text("退款待审批", "A refund waits for approval"),
    {**_REFUND, "reason": FieldType.TEXT},
    Text("{house} 申请退款 {fen}", "{house}: a refund of {fen} is asked for"),
    Text("原因：{reason}。请核对后审批。", "Reason: {reason}. Look at it and decide."),
    channels=frozenset({Channel.WEB_PUSH}),
    worth=timedelta(days=7),
    link="/staff/refunds",
    purpose=Text("有退款待审批时通知您", "Tells you when a refund waits for your decision"),
    audience=_STAFF,
)

TROUBLE = Kind(
    "payment.trouble",
    Text("支付异常", "Something is wrong with a payment"),
    {"what": FieldType.TEXT, "what_en": FieldType.TEXT, "fen": FieldType.MONEY, "compound": FieldType.TEXT},
    Text("{what}", "{what_en}"),
    Text(
        "{compound}，涉及{fen}，请到支付异常页面处理。",
        "{compound}, {fen}: see to it on the page of payment trouble.",
    ),
    urgency=Urgency.HIGH,
    channels=frozenset({Channel.WEB_PUSH}),
    worth=timedelta(days=7),
    link="/staff/payments/exceptions",
    purpose=Text("支付或退款出现异常时通知您", "Tells you when a payment or refund needs a person"),
    audience=_STAFF,
)

KINDS = (TOPPED_UP, REFUNDED, REFUND_REQUESTED, TROUBLE)
"""Everything people are told of payments."""
