"""Runs, bills, lines and their corrections (账单)."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.indexes import Index
from tortoise.models import Model

from domains.estate.models import Building, Compound, House
from domains.kernel.ids import uuid7
from domains.residents.models import Person


class BillingRun(Model):
    """A run (出账批次): previewed, approved, posted house by house; it goes on where it was stopped."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="billing_runs", on_delete=fields.RESTRICT
    )
    month = fields.DateField(description="the billing month, its first day")
    from_month = fields.DateField(description="the first month of which missing lines are added")
    fee_item_ids: fields.Field[list[str]] = ArrayField(
        element_type="uuid", default=list, description="only these; empty is all"
    )
    house: fields.ForeignKeyNullableRelation[House] = fields.ForeignKeyField(
        "estate.House", related_name="billing_runs", null=True, on_delete=fields.RESTRICT,
        description="only this one: months paid ahead, or a charge billed at once",
    )  # fmt: skip
    discount_percent = fields.DecimalField(
        max_digits=5, decimal_places=2, default=0, description="for months paid ahead"
    )
    issued_on = fields.DateField(description="the day on its bills; the due date counts from it")
    due_on = fields.DateField(null=True, description="the due date of its bills; null before it was kept")
    late_fee_rule: fields.ForeignKeyNullableRelation[Any] = fields.ForeignKeyField(  # Any: as RunException.fee_item
        "billing.LateFeeRule", related_name="billing_runs", null=True, on_delete=fields.RESTRICT,
        description="of its bills; null bears no late fee",
    )  # fmt: skip
    state = fields.CharField(max_length=9, description="draft | approved | posted | cancelled")
    is_scheduled = fields.BooleanField(default=False)
    preview = fields.JSONField[Any](
        description="totals by fee item, exceptions by code, as previewed"
    )  # Any: JSON
    parts = fields.JSONField[Any](
        null=True, description="houses, last sort key and id, digest of each, as previewed; see run_parts"
    )  # Any: JSON
    parts_done = fields.IntField(default=0, db_default=0)
    expected_fen = fields.BigIntField(description="the previewed total; approved as such")
    houses = fields.IntField(description="houses to go through")
    houses_done = fields.IntField(default=0)
    cursor = fields.CharField(max_length=640, null=True, description="sort key of the last house done")
    cursor_house_id = fields.UUIDField(null=True)
    bills = fields.IntField(default=0)
    lines = fields.IntField(default=0)
    posted_fen = fields.BigIntField(default=0)
    exceptions = fields.IntField(default=0)
    created_by = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()
    approved_by = fields.UUIDField(null=True)
    approved_at = fields.DatetimeField(null=True)
    returned_at = fields.DatetimeField(
        null=True, description="when it was last sent back for approval, its charges having changed"
    )
    ended_at = fields.DatetimeField(null=True, description="posted or cancelled")

    class Meta:
        table = "billing_run"
        indexes = (Index(fields=("compound_id", "created_at", "id"), name="billing_run_compound"),)


class RunException(Model):
    """A line that a run could not make, and why (出账异常); it stops no other."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    run: fields.ForeignKeyRelation[BillingRun] = fields.ForeignKeyField(
        "billing.BillingRun", related_name="exceptions_found", on_delete=fields.RESTRICT
    )
    house: fields.ForeignKeyRelation[House] = fields.ForeignKeyField(
        "estate.House", related_name="run_exceptions", on_delete=fields.RESTRICT
    )
    fee_item: fields.ForeignKeyRelation[Any] = (
        fields.ForeignKeyField(  # Any: FeeItem is defined above this module
            "billing.FeeItem", related_name="run_exceptions", on_delete=fields.RESTRICT
        )
    )
    period_from = fields.DateField()
    code = fields.CharField(max_length=20, description="see rules.EXCEPTIONS")

    class Meta:
        table = "run_exception"
        unique_together = (("run", "house", "fee_item", "period_from"),)


class Bill(Model):
    """A bill (账单) of a house for a billing month; what is paid of it is its payables' to say."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="bills", on_delete=fields.RESTRICT
    )
    house: fields.ForeignKeyRelation[House] = fields.ForeignKeyField(
        "estate.House", related_name="bills", on_delete=fields.RESTRICT
    )
    building: fields.ForeignKeyRelation[Building] = fields.ForeignKeyField(
        "estate.Building", related_name="bills", on_delete=fields.RESTRICT
    )
    run: fields.ForeignKeyRelation[BillingRun] = fields.ForeignKeyField(
        "billing.BillingRun", related_name="bills_made", on_delete=fields.RESTRICT
    )
    number = fields.BigIntField(description="per compound, rising")
    payer = fields.CharField(max_length=9, description="owner | tenant | developer")
    person: fields.ForeignKeyNullableRelation[Person] = fields.ForeignKeyField(
        "residents.Person", related_name="bills", null=True, on_delete=fields.RESTRICT,
        description="who pays, where a liability names them",
    )  # fmt: skip
    month = fields.DateField(description="the billing month, its first day")
    covers_from = fields.DateField(description="the first day that its lines are for")
    covers_until = fields.DateField(description="the first day after them")
    issued_on = fields.DateField()
    due_on = fields.DateField()
    late_fee_rule: fields.ForeignKeyNullableRelation[Any] = fields.ForeignKeyField(  # Any: as RunException.fee_item
        "billing.LateFeeRule", related_name="bills", null=True, on_delete=fields.RESTRICT,
        description="null bears no late fee",
    )  # fmt: skip
    issued_fen = fields.BigIntField(description="the sum of its lines when issued; never changed")
    state = fields.CharField(max_length=11, description="open | partly_paid | paid | void")
    paid_at = fields.DatetimeField(null=True)

    class Meta:
        table = "bill"
        unique_together = (("compound", "number"),)
        indexes = (Index(fields=("house_id", "month", "id"), name="bill_house"),)


class BillLine(Model):
    """A line of a bill (账单明细): one of a fee item, house and period for ever; a correction adds its own."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    bill: fields.ForeignKeyRelation[Bill] = fields.ForeignKeyField(
        "billing.Bill", related_name="lines", on_delete=fields.RESTRICT
    )
    house: fields.ForeignKeyRelation[House] = fields.ForeignKeyField(
        "estate.House", related_name="bill_lines", on_delete=fields.RESTRICT
    )
    fee_item: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(  # Any: as RunException.fee_item
        "billing.FeeItem", related_name="bill_lines", on_delete=fields.RESTRICT
    )
    kind = fields.CharField(max_length=10, description="charge | adjustment")
    period_from = fields.DateField()
    period_until = fields.DateField(description="the first day of the next period")
    part = fields.SmallIntField(
        default=0, description="0, 1, … where several payers share a period, in order of days"
    )
    amount_fen = fields.BigIntField()
    basis = fields.JSONField[Any](
        description="what it was computed from; see charges.explanation"
    )  # Any: JSON
    correction_id = fields.UUIDField(null=True)

    class Meta:
        table = "bill_line"


class Correction(Model):
    """A waiver, adjustment or void (减免、调整、作废): asked for by one person, decided by another."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="corrections", on_delete=fields.RESTRICT
    )
    bill: fields.ForeignKeyRelation[Bill] = fields.ForeignKeyField(
        "billing.Bill", related_name="corrections", on_delete=fields.RESTRICT
    )
    line: fields.ForeignKeyNullableRelation[BillLine] = fields.ForeignKeyField(
        "billing.BillLine", related_name="corrections", null=True, on_delete=fields.RESTRICT
    )
    kind = fields.CharField(max_length=10, description="waiver | adjustment | void")
    concerns = fields.CharField(max_length=9, description="principal | late_fee")
    amount_fen = fields.BigIntField(
        null=True, description="waived, or added (below zero: taken off); null for all that is open"
    )
    reason = fields.CharField(max_length=200)
    state = fields.CharField(max_length=9, description="requested | approved | rejected | withdrawn")
    requested_by = fields.UUIDField()
    requested_at = fields.DatetimeField()
    decided_by = fields.UUIDField(null=True)
    decided_at = fields.DatetimeField(null=True)
    decision_note = fields.CharField(max_length=200, default="")
    effect_fen = fields.BigIntField(null=True, description="what it changed when approved")

    class Meta:
        table = "correction"
        indexes = (Index(fields=("compound_id", "requested_at", "id"), name="correction_compound"),)
