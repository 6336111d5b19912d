"""Payments (支付): what is to be paid at once, every way it was tried, what the channels said, and what goes back.

Accounts of people, houses and bills belong to layers above: their ids stand here without a foreign key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from domains.kernel.ids import uuid7

if TYPE_CHECKING:
    from payments.models import LedgerAccount, Payable


class PaymentOrder(Model):
    """A payment (支付单): one sum for one or many things, however often and in however many ways it is tried."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound_id = fields.UUIDField()
    holder_id = fields.UUIDField(
        description="the house or person whose debts it pays, or whose money it becomes"
    )
    payer_id = fields.UUIDField(null=True, description="the account that pays; null for who came to the desk")
    cashier_id = fields.UUIDField(null=True, description="the account of who took it at the desk")
    title = fields.CharField(max_length=120, description="what the payer reads at the platform")
    amount_fen = fields.BigIntField()
    state = fields.CharField(max_length=8, default="open", description="see payments.order_rules.ORDER")
    number = fields.CharField(
        max_length=20,
        null=True,
        description="of the receipt, once it is paid; without gaps in compound and day",
    )
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(description="nobody can begin to pay it after that")
    paid_at = fields.DatetimeField(null=True, description="the channel's instant")
    paid_by = fields.UUIDField(null=True, description="the attempt that paid it")
    closed_at = fields.DatetimeField(null=True)
    voided_at = fields.DatetimeField(null=True, description="taken back at the desk on its day (作废)")

    class Meta:
        table = "payment_order"
        unique_together = (("compound_id", "number"),)


class PaymentItem(Model):
    """What a payment pays (支付明细): so much of a debt, or so much into an account of the holder's."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    order: fields.ForeignKeyRelation[PaymentOrder] = fields.ForeignKeyField(
        "payments.PaymentOrder", related_name="items", on_delete=fields.RESTRICT
    )
    position = fields.SmallIntField(description="money that does not suffice pays them in this order")
    payable: fields.ForeignKeyNullableRelation[Payable] = fields.ForeignKeyField(
        "payments.Payable", related_name="payment_items", null=True, on_delete=fields.RESTRICT
    )
    account: fields.ForeignKeyNullableRelation[LedgerAccount] = fields.ForeignKeyField(
        "payments.LedgerAccount", related_name="payment_items", null=True, on_delete=fields.RESTRICT,
        description="a prepayment that is topped up",
    )  # fmt: skip
    amount_fen = fields.BigIntField()
    paid_fen = fields.BigIntField(default=0, description="what of it was paid")
    given_back_fen = fields.BigIntField(
        default=0, description="what refunds that were not refused take of it; never above paid_fen"
    )

    class Meta:
        table = "payment_item"
        unique_together = (("order", "position"),)


class PaymentAttempt(Model):
    """One way a payment was tried (支付尝试), under a number of its own at its channel."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    order: fields.ForeignKeyRelation[PaymentOrder] = fields.ForeignKeyField(
        "payments.PaymentOrder", related_name="attempts", on_delete=fields.RESTRICT
    )
    compound_id = fields.UUIDField()
    channel = fields.CharField(max_length=10, description="see payments.order_rules.CHANNELS")
    product = fields.CharField(max_length=12, description="one of mini_program, h5, qr, desk, balance")
    out_trade_no = fields.CharField(
        max_length=32, unique=True, description="our number at the channel (商户订单号)"
    )
    app_id = fields.CharField(max_length=40, default="", description="the application it is paid in")
    payee = fields.CharField(max_length=40, default="", description="the merchant it is paid to")
    reference = fields.CharField(
        max_length=64,
        default="",
        description="at the desk: the terminal's or bank's own number (POS 参考号、转账流水号)",
    )
    purpose = fields.CharField(
        max_length=30, default="", db_default="", description="of a deduction: what the money it used is for"
    )
    buyer = fields.CharField(max_length=80, default="", description="the platform's id of who pays")
    amount_fen = fields.BigIntField()
    state = fields.CharField(max_length=10, default="created", description="see payments.order_rules.ATTEMPT")
    client_parameters: fields.Field[dict[str, str]] = fields.JSONField(
        null=True, description="what the payer's client hands to the platform; gone once it has ended"
    )
    channel_no = fields.CharField(max_length=64, null=True, description="the channel's number (交易号)")
    paid_fen = fields.BigIntField(null=True, description="what the channel says was paid")
    given_back_fen = fields.BigIntField(
        default=0, description="what refunds that were not refused take of it; never above paid_fen"
    )
    problem = fields.CharField(max_length=60, default="", description="why it failed or needs a person")
    created_at = fields.DatetimeField()
    next_query_at = fields.DatetimeField(
        null=True, description="when the channel is asked; null once it is final"
    )
    queries = fields.SmallIntField(default=0)
    asked_at = fields.DatetimeField(null=True, description="when the channel was asked last")
    succeeded_at = fields.DatetimeField(null=True, description="the channel's instant")
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "payment_attempt"
        indexes = (Index(fields=("order_id",), name="payment_attempt_order"),)


class GatewayEvent(Model):
    """What a channel said (渠道报文), as it came; never changed and never deleted."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    channel = fields.CharField(max_length=10)
    kind = fields.CharField(max_length=16, description="notification | answer | refund | refund_answer")
    external_id = fields.CharField(
        max_length=128, description="the channel's id of it: said again it is kept once"
    )
    verdict = fields.CharField(max_length=30, description="taken, or why it was not")
    out_trade_no = fields.CharField(max_length=64, default="")
    attempt_id = fields.UUIDField(null=True)
    refund_id = fields.UUIDField(null=True)
    headers: fields.Field[dict[str, str]] = fields.JSONField(null=True, description="those that are signed")
    facts: fields.Field[dict[str, object]] = fields.JSONField(
        null=True, description="what it says, in our words"
    )
    body = fields.BinaryField()
    received_at = fields.DatetimeField()

    class Meta:
        table = "gateway_event"
        unique_together = (("channel", "external_id", "verdict"),)
        indexes = (Index(fields=("attempt_id",), name="gateway_event_attempt"),)


class Refund(Model):
    """Money on its way back (退款): asked by one, approved by another, or by rule."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound_id = fields.UUIDField()
    order: fields.ForeignKeyRelation[PaymentOrder] = fields.ForeignKeyField(
        "payments.PaymentOrder", related_name="refunds", on_delete=fields.RESTRICT
    )
    attempt: fields.ForeignKeyRelation[PaymentAttempt] = fields.ForeignKeyField(
        "payments.PaymentAttempt", related_name="refunds", on_delete=fields.RESTRICT
    )
    out_refund_no = fields.CharField(max_length=32, unique=True, description="our number at the channel")
    amount_fen = fields.BigIntField()
    origin = fields.CharField(max_length=10, description="staff | automatic | channel")
    cause = fields.CharField(max_length=20, description="see payments.order_rules.CAUSES")
    reason = fields.CharField(max_length=200, default="")
    state = fields.CharField(max_length=10, description="see payments.order_rules.REFUND")
    requested_by = fields.UUIDField(null=True)
    requested_at = fields.DatetimeField()
    decided_by = fields.UUIDField(null=True, description="never who asked for it")
    decided_at = fields.DatetimeField(null=True)
    decision_note = fields.CharField(max_length=200, default="")
    channel_refund_no = fields.CharField(max_length=64, null=True)
    problem = fields.CharField(max_length=60, default="")
    next_query_at = fields.DatetimeField(null=True)
    queries = fields.SmallIntField(default=0)
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "refund"
        indexes = (
            Index(fields=("order_id",), name="refund_order"),
            Index(fields=("attempt_id",), name="refund_attempt"),
        )


class RefundItem(Model):
    """What a refund gives back (退款明细), and out of what."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    refund: fields.ForeignKeyRelation[Refund] = fields.ForeignKeyField(
        "payments.Refund", related_name="items", on_delete=fields.RESTRICT
    )
    item: fields.ForeignKeyRelation[PaymentItem] = fields.ForeignKeyField(
        "payments.PaymentItem", related_name="refund_items", on_delete=fields.RESTRICT
    )
    account: fields.ForeignKeyNullableRelation[LedgerAccount] = fields.ForeignKeyField(
        "payments.LedgerAccount", related_name="refund_items", null=True, on_delete=fields.RESTRICT,
        description="out of this account; null: the debt stands again as far as it is still paid, and what it gave "
        "back to the holder's prepayment comes out of that",
    )  # fmt: skip
    amount_fen = fields.BigIntField()

    class Meta:
        table = "refund_item"
        unique_together = (("refund", "item"),)


class PaymentException(Model):
    """Something about money that a person has to look at (支付异常)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound_id = fields.UUIDField(null=True, description="null where the channel names nothing of ours")
    kind = fields.CharField(max_length=20, description="see payments.exception_rules.EXCEPTIONS")
    attempt: fields.ForeignKeyNullableRelation[PaymentAttempt] = fields.ForeignKeyField(
        "payments.PaymentAttempt", related_name="exceptions", null=True, on_delete=fields.RESTRICT
    )
    refund: fields.ForeignKeyNullableRelation[Refund] = fields.ForeignKeyField(
        "payments.Refund", related_name="exceptions", null=True, on_delete=fields.RESTRICT
    )
    amount_fen = fields.BigIntField(default=0)
    number = fields.CharField(
        max_length=64,
        default="",
        db_default="",
        description="the channel's, where one payment may have several of its kind",
    )
    note = fields.CharField(max_length=200, default="")
    opened_at = fields.DatetimeField()
    asked_action = fields.CharField(
        max_length=12, null=True, description="what one person wants and another has to confirm"
    )
    asked_by = fields.UUIDField(null=True)
    asked_at = fields.DatetimeField(null=True)
    asked_note = fields.CharField(max_length=200, default="", db_default="")
    closed_at = fields.DatetimeField(null=True)
    closed_by = fields.UUIDField(null=True, description="null where it came right by itself")
    action = fields.CharField(
        max_length=12, null=True, description="see payments.exception_rules.ACTIONS; null as closed_by is"
    )
    decision_note = fields.CharField(max_length=200, default="", db_default="")

    class Meta:
        table = "payment_exception"


class PaymentCounter(Model):
    """The last number of a receipt in a compound and day (收款编号)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound_id = fields.UUIDField()
    day = fields.DateField()
    last_number = fields.IntField()

    class Meta:
        table = "payment_counter"
        unique_together = (("compound_id", "day"),)
