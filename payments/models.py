"""The ledger (总账): accounts, journals, entries, and what is owed (应收款).

Compounds, houses and bills belong to layers above: their ids stand here without a foreign key, and what an
account's code or a payable's subject means is theirs to know.
"""

from __future__ import annotations

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from domains.kernel.ids import uuid7
from payments.order_models import (
    GatewayEvent,
    PaymentAttempt,
    PaymentCounter,
    PaymentException,
    PaymentItem,
    PaymentOrder,
    Refund,
    RefundItem,
)

__all__ = [
    "Entry", "GatewayEvent", "Journal", "LedgerAccount", "Payable", "PaymentAttempt", "PaymentCounter",
    "PaymentException", "PaymentItem", "PaymentOrder", "Refund", "RefundItem", "Settlement",
]  # fmt: skip


class LedgerAccount(Model):
    """An account of a compound's books (会计账户): a code, whom or what it is kept for, and for which purpose."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound_id = fields.UUIDField()
    code = fields.CharField(max_length=40, description="see payments.rules.ACCOUNTS")
    subject_id = fields.UUIDField(null=True, description="the house, fee item or cashier it is kept for")
    purpose = fields.CharField(
        max_length=30, default="", description="what the money is for; empty for anything"
    )
    balance_fen = fields.BigIntField(
        null=True,
        description="kept by the database where the balance may not fall below zero, null elsewhere",
    )
    opened_at = fields.DatetimeField()

    class Meta:
        table = "ledger_account"


class Journal(Model):
    """One balanced posting (记账凭证); its entries sum to zero and are never changed."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound_id = fields.UUIDField()
    kind = fields.CharField(max_length=30, description="see payments.rules.KINDS")
    key = fields.CharField(
        max_length=120, description="what it is the posting of; once per compound and for ever"
    )
    posted_on = fields.DateField(description="the business date it counts for (记账日期)")
    posted_at = fields.DatetimeField()
    memo = fields.CharField(max_length=200, default="", description="摘要")
    actor_id = fields.UUIDField(
        null=True, description="the account that caused it; null for the house itself"
    )
    reverses: fields.ForeignKeyNullableRelation[Journal] = fields.ForeignKeyField(
        "payments.Journal", related_name="reversals", null=True, on_delete=fields.RESTRICT
    )

    class Meta:
        table = "journal"
        unique_together = (("compound_id", "key"),)
        indexes = (Index(fields=("compound_id", "posted_on", "id"), name="journal_compound_on"),)


class Payable(Model):
    """Something owed (应收款): by whom is its account, for what its subject; settled in whole or part."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound_id = fields.UUIDField()
    subject_type = fields.CharField(max_length=20, description="what is sold: bill, late_fee, order …")
    subject_id = fields.UUIDField()
    holder_id = fields.UUIDField(description="the house or person whose debt it is")
    account: fields.ForeignKeyRelation[LedgerAccount] = fields.ForeignKeyField(
        "payments.LedgerAccount", related_name="payables", on_delete=fields.RESTRICT,
        description="the receivable account it stands on",
    )  # fmt: skip
    due_fen = fields.BigIntField(description="what is owed after corrections; settled_fen at least")
    settled_fen = fields.BigIntField(default=0)
    due_on = fields.DateField()
    opened_on = fields.DateField()
    held_until = fields.DatetimeField(
        null=True, description="a payment is under way: the amount stands still till then"
    )
    held_by = fields.UUIDField(null=True, description="the payment that is under way")

    class Meta:
        table = "payable"
        unique_together = (("subject_id", "subject_type"),)


class Entry(Model):
    """One line of a journal (分录): debit above zero, credit below (借正贷负)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    journal: fields.ForeignKeyRelation[Journal] = fields.ForeignKeyField(
        "payments.Journal", related_name="entries", on_delete=fields.RESTRICT
    )
    account: fields.ForeignKeyRelation[LedgerAccount] = fields.ForeignKeyField(
        "payments.LedgerAccount", related_name="entries", on_delete=fields.RESTRICT
    )
    payable: fields.ForeignKeyNullableRelation[Payable] = fields.ForeignKeyField(
        "payments.Payable", related_name="entries", null=True, on_delete=fields.RESTRICT,
        description="the debt that it opens, changes or settles; on receivable accounts always",
    )  # fmt: skip
    amount_fen = fields.BigIntField()
    posted_on = fields.DateField(description="the journal's, so that a month is read without it")

    class Meta:
        table = "entry"
        indexes = (
            Index(fields=("account_id", "posted_on", "id"), name="entry_account"),
            Index(fields=("journal_id",), name="entry_journal"),
        )


class Settlement(Model):
    """A payable was settled by so much on a day (核销); taken back by a row below zero."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound_id = fields.UUIDField()
    payable: fields.ForeignKeyRelation[Payable] = fields.ForeignKeyField(
        "payments.Payable", related_name="settlements", on_delete=fields.RESTRICT
    )
    journal: fields.ForeignKeyRelation[Journal] = fields.ForeignKeyField(
        "payments.Journal", related_name="settlements", on_delete=fields.RESTRICT
    )
    amount_fen = fields.BigIntField()
    settled_on = fields.DateField(description="the day of payment in Asia/Shanghai")

    class Meta:
        table = "settlement"
        indexes = (Index(fields=("payable_id", "settled_on"), name="settlement_payable"),)
