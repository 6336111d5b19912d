from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from domains.kernel.ids import uuid7


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial"), ("payments", "0002_integrity")]

    initial = False

    operations = [
        ops.CreateModel(
            name="GatewayEvent",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("channel", fields.CharField(max_length=10)),
                (
                    "kind",
                    fields.CharField(
                        description="notification | answer | refund | refund_answer", max_length=16
                    ),
                ),
                (
                    "external_id",
                    fields.CharField(
                        description="the channel's id of it: said again it is kept once", max_length=128
                    ),
                ),
                ("verdict", fields.CharField(description="taken, or why it was not", max_length=30)),
                ("out_trade_no", fields.CharField(default="", max_length=64)),
                ("attempt_id", fields.UUIDField(null=True)),
                ("refund_id", fields.UUIDField(null=True)),
                (
                    "headers",
                    fields.JSONField(
                        null=True, description="those that are signed", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                (
                    "facts",
                    fields.JSONField(
                        null=True, description="what it says, in our words", encoder=JSON_DUMPS, decoder=loads
                    ),
                ),
                ("body", fields.BinaryField()),
                ("received_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "gateway_event",
                "app": "payments",
                "unique_together": (("channel", "external_id", "verdict"),),
                "indexes": [Index(fields=["attempt_id"], name="gateway_event_attempt")],
                "pk_attr": "id",
                "table_description": "What a channel said (渠道报文), as it came; never changed and never deleted.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PaymentCounter",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("compound_id", fields.UUIDField()),
                ("day", fields.DateField()),
                ("last_number", fields.IntField()),
            ],
            options={
                "table": "payment_counter",
                "app": "payments",
                "unique_together": (("compound_id", "day"),),
                "pk_attr": "id",
                "table_description": "The last number of a receipt in a compound and day (收款编号).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PaymentOrder",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("compound_id", fields.UUIDField()),
                (
                    "holder_id",
                    fields.UUIDField(
                        description="the house or person whose debts it pays, or whose money it becomes"
                    ),
                ),
                (
                    "payer_id",
                    fields.UUIDField(
                        null=True, description="the account that pays; null for who came to the desk"
                    ),
                ),
                (
                    "cashier_id",
                    fields.UUIDField(null=True, description="the account of who took it at the desk"),
                ),
                (
                    "title",
                    fields.CharField(description="what the payer reads at the platform", max_length=120),
                ),
                ("amount_fen", fields.BigIntField()),
                (
                    "state",
                    fields.CharField(
                        default="open", description="see payments.order_rules.ORDER", max_length=8
                    ),
                ),
                (
                    "number",
                    fields.CharField(
                        null=True,
                        description="of the receipt, once it is paid; without gaps in compound and day",
                        max_length=20,
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "expires_at",
                    fields.DatetimeField(
                        description="nobody can begin to pay it after that",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "paid_at",
                    fields.DatetimeField(
                        null=True, description="the channel's instant", auto_now=False, auto_now_add=False
                    ),
                ),
                ("paid_by", fields.UUIDField(null=True, description="the attempt that paid it")),
                ("closed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "voided_at",
                    fields.DatetimeField(
                        null=True,
                        description="taken back at the desk on its day (作废)",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
            ],
            options={
                "table": "payment_order",
                "app": "payments",
                "unique_together": (("compound_id", "number"),),
                "pk_attr": "id",
                "table_description": "A payment (支付单): one sum for one or many things, however often and in however many ways it is tried.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PaymentAttempt",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "order",
                    fields.ForeignKeyField(
                        "payments.PaymentOrder",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="attempts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("compound_id", fields.UUIDField()),
                ("channel", fields.CharField(description="see payments.order_rules.CHANNELS", max_length=10)),
                (
                    "product",
                    fields.CharField(description="one of mini_program, h5, qr, desk, balance", max_length=12),
                ),
                (
                    "out_trade_no",
                    fields.CharField(
                        unique=True, description="our number at the channel (商户订单号)", max_length=32
                    ),
                ),
                (
                    "app_id",
                    fields.CharField(default="", description="the application it is paid in", max_length=40),
                ),
                (
                    "payee",
                    fields.CharField(default="", description="the merchant it is paid to", max_length=40),
                ),
                (
                    "reference",
                    fields.CharField(
                        default="",
                        description="at the desk: the terminal's or bank's own number (POS 参考号、转账流水号)",
                        max_length=64,
                    ),
                ),
                (
                    "buyer",
                    fields.CharField(default="", description="the platform's id of who pays", max_length=80),
                ),
                ("amount_fen", fields.BigIntField()),
                (
                    "state",
                    fields.CharField(
                        default="created", description="see payments.order_rules.ATTEMPT", max_length=10
                    ),
                ),
                (
                    "client_parameters",
                    fields.JSONField(
                        null=True,
                        description="what the payer's client hands to the platform; gone once it has ended",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                (
                    "channel_no",
                    fields.CharField(null=True, description="the channel's number (交易号)", max_length=64),
                ),
                ("paid_fen", fields.BigIntField(null=True, description="what the channel says was paid")),
                (
                    "given_back_fen",
                    fields.BigIntField(
                        default=0,
                        description="what refunds that were not refused take of it; never above paid_fen",
                    ),
                ),
                (
                    "problem",
                    fields.CharField(
                        default="", description="why it failed or needs a person", max_length=60
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "next_query_at",
                    fields.DatetimeField(
                        null=True,
                        description="when the channel is asked; null once it is final",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("queries", fields.SmallIntField(default=0)),
                (
                    "asked_at",
                    fields.DatetimeField(
                        null=True,
                        description="when the channel was asked last",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "succeeded_at",
                    fields.DatetimeField(
                        null=True, description="the channel's instant", auto_now=False, auto_now_add=False
                    ),
                ),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "payment_attempt",
                "app": "payments",
                "indexes": [Index(fields=["order_id"], name="payment_attempt_order")],
                "pk_attr": "id",
                "table_description": "One way a payment was tried (支付尝试), under a number of its own at its channel.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PaymentItem",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "order",
                    fields.ForeignKeyField(
                        "payments.PaymentOrder",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="items",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "position",
                    fields.SmallIntField(description="money that does not suffice pays them in this order"),
                ),
                (
                    "payable",
                    fields.ForeignKeyField(
                        "payments.Payable",
                        source_field="payable_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="payment_items",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "account",
                    fields.ForeignKeyField(
                        "payments.LedgerAccount",
                        source_field="account_id",
                        null=True,
                        description="a prepayment that is topped up",
                        db_constraint=True,
                        to_field="id",
                        related_name="payment_items",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("amount_fen", fields.BigIntField()),
                ("paid_fen", fields.BigIntField(default=0, description="what of it was paid")),
                (
                    "given_back_fen",
                    fields.BigIntField(
                        default=0,
                        description="what refunds that were not refused take of it; never above paid_fen",
                    ),
                ),
            ],
            options={
                "table": "payment_item",
                "app": "payments",
                "unique_together": (("order", "position"),),
                "pk_attr": "id",
                "table_description": "What a payment pays (支付明细): so much of a debt, or so much into an account of the holder's.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Refund",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("compound_id", fields.UUIDField()),
                (
                    "order",
                    fields.ForeignKeyField(
                        "payments.PaymentOrder",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="refunds",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "attempt",
                    fields.ForeignKeyField(
                        "payments.PaymentAttempt",
                        source_field="attempt_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="refunds",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "out_refund_no",
                    fields.CharField(unique=True, description="our number at the channel", max_length=32),
                ),
                ("amount_fen", fields.BigIntField()),
                (
                    "origin",
                    fields.CharField(description="staff | automatic | channel", max_length=10),
                ),
                ("cause", fields.CharField(description="see payments.order_rules.CAUSES", max_length=20)),
                ("reason", fields.CharField(default="", max_length=200)),
                ("state", fields.CharField(description="see payments.order_rules.REFUND", max_length=10)),
                ("requested_by", fields.UUIDField(null=True)),
                ("requested_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("decided_by", fields.UUIDField(null=True, description="never who asked for it")),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("decision_note", fields.CharField(default="", max_length=200)),
                ("channel_refund_no", fields.CharField(null=True, max_length=64)),
                ("problem", fields.CharField(default="", max_length=60)),
                ("next_query_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("queries", fields.SmallIntField(default=0)),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "refund",
                "app": "payments",
                "indexes": [
                    Index(fields=["order_id"], name="refund_order"),
                    Index(fields=["attempt_id"], name="refund_attempt"),
                ],
                "pk_attr": "id",
                "table_description": "Money on its way back (退款): asked by one, approved by another, or by rule.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PaymentException",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "compound_id",
                    fields.UUIDField(null=True, description="null where the channel names nothing of ours"),
                ),
                ("kind", fields.CharField(description="see payments.order_rules.EXCEPTIONS", max_length=20)),
                (
                    "attempt",
                    fields.ForeignKeyField(
                        "payments.PaymentAttempt",
                        source_field="attempt_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="exceptions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "refund",
                    fields.ForeignKeyField(
                        "payments.Refund",
                        source_field="refund_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="exceptions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("amount_fen", fields.BigIntField(default=0)),
                ("note", fields.CharField(default="", max_length=200)),
                ("opened_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("closed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("closed_by", fields.UUIDField(null=True)),
            ],
            options={
                "table": "payment_exception",
                "app": "payments",
                "pk_attr": "id",
                "table_description": "Something about money that a person has to look at (支付异常).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RefundItem",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "refund",
                    fields.ForeignKeyField(
                        "payments.Refund",
                        source_field="refund_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="items",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "item",
                    fields.ForeignKeyField(
                        "payments.PaymentItem",
                        source_field="item_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="refund_items",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "account",
                    fields.ForeignKeyField(
                        "payments.LedgerAccount",
                        source_field="account_id",
                        null=True,
                        description="out of this account; null: the debt stands again as far as it is still paid, and what it gave back to the holder's prepayment comes out of that",
                        db_constraint=True,
                        to_field="id",
                        related_name="refund_items",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("amount_fen", fields.BigIntField()),
            ],
            options={
                "table": "refund_item",
                "app": "payments",
                "unique_together": (("refund", "item"),),
                "pk_attr": "id",
                "table_description": "What a refund gives back (退款明细), and out of what.",
            },
            bases=["Model"],
        ),
        ops.AddField(
            model_name="Payable",
            name="held_by",
            field=fields.UUIDField(null=True, description="the payment that is under way"),
        ),
    ]
