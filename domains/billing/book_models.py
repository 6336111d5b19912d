"""Reminders, promises and the published accounts (催缴、账目公示)."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from domains.billing.bill_models import Bill
from domains.estate.models import Compound, House
from domains.identity.models import Account
from domains.kernel.ids import uuid7


class DunningStep(Model):
    """A step of a compound's dunning (催缴步骤): so many days from the due date, as a message or a letter."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="dunning_steps", on_delete=fields.RESTRICT
    )
    days = fields.SmallIntField(description="after the due date; below zero before it")
    form = fields.CharField(max_length=7, description="message | letter")
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "dunning_step"


class DunningLetter(Model):
    """A letter to be printed and handed over (催缴函)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="dunning_letters", on_delete=fields.RESTRICT
    )
    house: fields.ForeignKeyRelation[House] = fields.ForeignKeyField(
        "estate.House", related_name="dunning_letters", on_delete=fields.RESTRICT
    )
    number = fields.CharField(max_length=30)
    made_on = fields.DateField()
    owed_fen = fields.BigIntField(description="principal and late fee on that day")
    printed_at = fields.DatetimeField(null=True)
    printed_by = fields.UUIDField(null=True)

    class Meta:
        table = "dunning_letter"
        unique_together = (("compound", "number"),)


class DunningSent(Model):
    """A bill had this step (催缴记录): once each, for ever."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    bill: fields.ForeignKeyRelation[Bill] = fields.ForeignKeyField(
        "billing.Bill", related_name="dunning", on_delete=fields.RESTRICT
    )
    step: fields.ForeignKeyRelation[DunningStep] = fields.ForeignKeyField(
        "billing.DunningStep", related_name="sent", on_delete=fields.RESTRICT
    )
    letter: fields.ForeignKeyNullableRelation[DunningLetter] = fields.ForeignKeyField(
        "billing.DunningLetter", related_name="bills", null=True, on_delete=fields.RESTRICT
    )
    sent_on = fields.DateField()
    is_skipped = fields.BooleanField(default=False, description="a later step was due as well and was taken")
    principal_fen = fields.BigIntField(null=True, description="what was open of it when its letter was made")

    class Meta:
        table = "dunning_sent"
        unique_together = (("bill", "step"),)


class HouseReminder(Model):
    """Staff reminded a house by hand (人工催缴): once a day."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="house_reminders", on_delete=fields.RESTRICT
    )
    house: fields.ForeignKeyRelation[House] = fields.ForeignKeyField(
        "estate.House", related_name="reminders", on_delete=fields.RESTRICT
    )
    sent_on = fields.DateField()
    sent_by = fields.UUIDField()

    class Meta:
        table = "house_reminder"
        unique_together = (("house", "sent_on"),)


class BillingExport(Model):
    """A file of arrears that somebody asked for (欠费导出); the file and its row are soon forgotten."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="billing_exports", on_delete=fields.RESTRICT
    )
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "identity.Account", related_name="billing_exports", on_delete=fields.RESTRICT
    )
    file_key = fields.CharField(max_length=120, description="key in the file store")
    made_at = fields.DatetimeField()

    class Meta:
        table = "billing_export"
        indexes = (Index(fields=("made_at",), name="billing_export_made"),)


class PaymentPromise(Model):
    """Somebody promised to pay by a day (缴费承诺): no reminder before it has passed."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="payment_promises", on_delete=fields.RESTRICT
    )
    house: fields.ForeignKeyRelation[House] = fields.ForeignKeyField(
        "estate.House", related_name="payment_promises", on_delete=fields.RESTRICT
    )
    promised_on = fields.DateField()
    amount_fen = fields.BigIntField(null=True, description="null is all that is owed")
    note = fields.CharField(max_length=200, default="")
    recorded_by = fields.UUIDField()
    recorded_at = fields.DatetimeField()
    withdrawn_at = fields.DatetimeField(null=True)

    class Meta:
        table = "payment_promise"


class Expense(Model):
    """What the compound spent (支出), with its voucher; shown to residents once its month is published."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="expenses", on_delete=fields.RESTRICT
    )
    spent_on = fields.DateField()
    category = fields.CharField(max_length=12, description="see rules.EXPENSES")
    amount_fen = fields.BigIntField(description="below zero where it takes back some of another (冲减)")
    corrects: fields.ForeignKeyNullableRelation[Expense] = fields.ForeignKeyField(
        "billing.Expense", related_name="corrections", null=True, on_delete=fields.RESTRICT,
        description="the published expense that it takes back some of",
    )  # fmt: skip
    note = fields.CharField(max_length=200)
    voucher_key = fields.CharField(max_length=120, null=True, description="key in the file store")
    entered_by = fields.UUIDField()
    entered_at = fields.DatetimeField()
    removed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "expense"


class AccountsPublication(Model):
    """A month's accounts as residents read them (账目公示); what was published does not change, it is published anew."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="publications", on_delete=fields.RESTRICT
    )
    month = fields.DateField(description="its first day")
    revision = fields.SmallIntField(description="1, 2, …; the last one counts")
    content = fields.JSONField[Any](description="as computed on the day; see books.Books")  # Any: JSON
    sha256 = fields.CharField(max_length=64, description="of the content as published")
    note = fields.CharField(max_length=200, default="")
    published_by = fields.UUIDField()
    published_at = fields.DatetimeField()

    class Meta:
        table = "accounts_publication"
        unique_together = (("compound", "month", "revision"),)


class DocumentCounter(Model):
    """How many papers of a kind a compound has issued in a year: numbers have no gaps (单据编号)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="document_counters", on_delete=fields.RESTRICT
    )
    kind = fields.CharField(max_length=9, description="receipt | statement | bill | letter")
    year = fields.SmallIntField()
    issued = fields.IntField(default=0)

    class Meta:
        table = "document_counter"
        unique_together = (("compound", "kind", "year"),)


class DocumentIssue(Model):
    """A paper that was issued (单据): what is printed on it stays as it was, and so does its number."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="documents", on_delete=fields.RESTRICT
    )
    kind = fields.CharField(max_length=9, description="receipt | statement | bill | letter")
    number = fields.CharField(max_length=30)
    code = fields.CharField(
        max_length=26, unique=True, description="by which anybody who holds the paper checks it"
    )
    subject_id = fields.UUIDField(description="the journal, house, bill or letter that it is about")
    amount_fen = fields.BigIntField()
    content = fields.JSONField[Any](
        description="all that is printed; see documents.papers.Paper"
    )  # Any: JSON
    sha256 = fields.CharField(max_length=64, description="of the content")
    file_key = fields.CharField(max_length=120, description="key in the file store")
    issued_on = fields.DateField()
    issued_by = fields.UUIDField(description="the account that asked for it first")
    issued_at = fields.DatetimeField()

    class Meta:
        table = "document_issue"
        unique_together = (("compound", "kind", "number"),)
