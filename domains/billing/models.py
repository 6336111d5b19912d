"""Fee items, prices, who pays, and what shares a cost (收费项目). Bills stand in bill_models, meters in meter_models."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model

from domains.billing.bill_models import (
    Bill,
    BillingRun,
    BillLine,
    Correction,
    RunException,
)
from domains.billing.book_models import (
    AccountsPublication,
    BillingExport,
    DocumentCounter,
    DocumentIssue,
    DunningLetter,
    DunningSent,
    DunningStep,
    Expense,
    HouseReminder,
    PaymentPromise,
)
from domains.billing.meter_models import Meter, MeterReading, MeterUse
from domains.estate.models import Compound, House
from domains.kernel.ids import uuid7
from domains.residents.models import Person

__all__ = [
    "AccountsPublication", "AdvanceDiscount", "Bill", "BillLine", "BillingExport", "BillingRules", "BillingRun",
    "Correction", "DocumentCounter", "DocumentIssue", "DunningLetter", "DunningSent", "DunningStep", "Expense",
    "FeeAgreement",
    "FeeItem", "FeePrice", "HouseReminder", "LateFeeRule", "Liability", "Meter", "MeterReading", "MeterUse", "OneOffCharge",
    "PaymentPromise", "PoolShare", "PooledCost", "RunException", "Vacancy",
]  # fmt: skip


class BillingRules(Model):
    """How a compound bills (计费规则)."""

    compound: fields.OneToOneRelation[Compound] = fields.OneToOneField(
        "estate.Compound", related_name="billing_rules", primary_key=True, on_delete=fields.RESTRICT
    )
    billing_day = fields.SmallIntField(
        null=True, description="day of the month, 1 to 28, on which a run begins by itself; null is never"
    )
    is_automatic = fields.BooleanField(
        default=False, description="a scheduled run is posted without approval"
    )
    months_back = fields.SmallIntField(
        default=0, description="earlier months whose missing lines a scheduled run adds"
    )
    due_days = fields.SmallIntField(default=15, description="days from the issue of a bill to its due date")
    allows_part_payment = fields.BooleanField(default=False)
    deducts_automatically = fields.BooleanField(
        default=True, description="bills are paid from prepayments by themselves"
    )
    last_bill_number = fields.BigIntField(default=0)

    class Meta:
        table = "billing_rules"


class LateFeeRule(Model):
    """A late fee (滞纳金) as it holds for bills issued from a day on."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="late_fee_rules", on_delete=fields.RESTRICT
    )
    from_on = fields.DateField()
    daily_rate = fields.DecimalField(
        max_digits=9, decimal_places=7, description="of the principal, per day: 0.0005"
    )
    grace_days = fields.SmallIntField(default=0, description="days after the due date")
    is_grace_charged = fields.BooleanField(
        default=False, description="the days of grace count once they have passed"
    )
    cap_percent = fields.DecimalField(
        max_digits=6, decimal_places=2, null=True, description="of the principal; null is no cap"
    )
    recorded_by = fields.UUIDField(null=True)
    recorded_at = fields.DatetimeField()

    class Meta:
        table = "late_fee_rule"
        unique_together = (("compound", "from_on"),)


class FeeItem(Model):
    """A fee item (收费项目): how it is measured, how often and in advance or in arrears it is billed, who pays."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="fee_items", on_delete=fields.RESTRICT
    )
    name = fields.CharField(max_length=40)
    category = fields.CharField(max_length=12, description="see rules.CATEGORIES")
    method = fields.CharField(max_length=10, description="see rules.METHODS")
    cycle_months = fields.SmallIntField(null=True, description="months in a period; null where charged once")
    timing = fields.CharField(max_length=7, description="advance | arrears (预收、后付)")
    anchor = fields.CharField(max_length=9, description="calendar | hand_over: what periods are counted from")
    anchor_on = fields.DateField(null=True, description="the first period's first day, of a calendar anchor")
    price_months = fields.SmallIntField(
        default=1, description="months that a price is for: 12 is a yearly price"
    )
    payer = fields.CharField(
        max_length=6, default="owner", description="owner | tenant, where no liability says other"
    )
    vacancy_percent = fields.DecimalField(
        max_digits=5, decimal_places=2, default=100, description="what a vacant house pays of it"
    )
    bills_unsold = fields.BooleanField(
        default=False, description="before hand-over the developer pays; false charges nothing"
    )
    bears_late_fee = fields.BooleanField(default=True)
    meter_kind = fields.CharField(
        max_length=12, null=True, description="of a metered item: see rules.METER_KINDS"
    )
    tier_span = fields.CharField(max_length=5, null=True, description="month | year: what tiers count over")
    pooled_by = fields.CharField(max_length=10, null=True, description="built_area | household")
    uses: fields.Field[list[str]] = ArrayField(
        element_type="text", default=list, description="uses of houses it is for; empty is all"
    )
    building_ids: fields.Field[list[str]] = ArrayField(
        element_type="uuid", default=list, description="buildings it is for; empty is all"
    )
    starts_on = fields.DateField(description="nothing is charged for days before")
    ends_on = fields.DateField(null=True, description="the first day that is not charged any more")
    recorded_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "fee_item"
        unique_together = (("compound", "name"),)


class FeePrice(Model):
    """What a fee item costs from a day on (收费标准): a price, tiers, or a formula."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    fee_item: fields.ForeignKeyRelation[FeeItem] = fields.ForeignKeyField(
        "billing.FeeItem", related_name="prices", on_delete=fields.RESTRICT
    )
    from_on = fields.DateField()
    price_fen = fields.DecimalField(
        max_digits=18,
        decimal_places=6,
        null=True,
        description="fen per unit and price_months, or per unit metered",
    )
    tiers = fields.JSONField[Any](
        null=True, description='[{"above": "0", "price_fen": "280"}, …], units and fen as decimal text'
    )  # Any: as the description says
    formula = fields.CharField(max_length=200, null=True, description="see domains.billing.formula")
    recorded_by = fields.UUIDField(null=True)
    recorded_at = fields.DatetimeField()

    class Meta:
        table = "fee_price"
        unique_together = (("fee_item", "from_on"),)


class AdvanceDiscount(Model):
    """What paying so many months ahead saves (预缴优惠)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    fee_item: fields.ForeignKeyRelation[FeeItem] = fields.ForeignKeyField(
        "billing.FeeItem", related_name="advance_discounts", on_delete=fields.RESTRICT
    )
    months = fields.SmallIntField()
    percent = fields.DecimalField(max_digits=5, decimal_places=2, description="off the price of these months")

    class Meta:
        table = "advance_discount"
        unique_together = (("fee_item", "months"),)


class Liability(Model):
    """Who pays for a house from when until when (缴费责任), for one fee item or for all; without it the item says."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="liabilities", on_delete=fields.RESTRICT
    )
    house: fields.ForeignKeyRelation[House] = fields.ForeignKeyField(
        "estate.House", related_name="liabilities", on_delete=fields.RESTRICT
    )
    fee_item: fields.ForeignKeyNullableRelation[FeeItem] = fields.ForeignKeyField(
        "billing.FeeItem", related_name="liabilities", null=True, on_delete=fields.RESTRICT
    )
    payer = fields.CharField(max_length=9, description="owner | tenant | developer")
    person: fields.ForeignKeyNullableRelation[Person] = fields.ForeignKeyField(
        "residents.Person", related_name="liabilities", null=True, on_delete=fields.RESTRICT
    )
    from_on = fields.DateField()
    until_on = fields.DateField(null=True, description="the first day that is not theirs any more")
    note = fields.CharField(max_length=200, default="")
    recorded_by = fields.UUIDField(null=True, description="null where it follows from an occupancy")
    recorded_at = fields.DatetimeField()

    class Meta:
        table = "liability"


class Vacancy(Model):
    """A house stands empty and pays less (空置): asked for by its owner or staff, confirmed by staff."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="vacancies", on_delete=fields.RESTRICT
    )
    house: fields.ForeignKeyRelation[House] = fields.ForeignKeyField(
        "estate.House", related_name="vacancies", on_delete=fields.RESTRICT
    )
    from_on = fields.DateField()
    until_on = fields.DateField(description="the first day that is not vacant any more")
    state = fields.CharField(max_length=9, description="requested | approved | rejected")
    note = fields.CharField(max_length=200, default="")
    requested_by = fields.UUIDField(null=True)
    requested_at = fields.DatetimeField()
    decided_by = fields.UUIDField(null=True)
    decided_at = fields.DatetimeField(null=True)
    reason = fields.CharField(
        max_length=200, default="", description="of the decision, for the owner to read"
    )

    class Meta:
        table = "vacancy"


class FeeAgreement(Model):
    """What was agreed for one house and fee item (个别约定): a share of the price, a coefficient for formulas."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="fee_agreements", on_delete=fields.RESTRICT
    )
    house: fields.ForeignKeyRelation[House] = fields.ForeignKeyField(
        "estate.House", related_name="fee_agreements", on_delete=fields.RESTRICT
    )
    fee_item: fields.ForeignKeyRelation[FeeItem] = fields.ForeignKeyField(
        "billing.FeeItem", related_name="agreements", on_delete=fields.RESTRICT
    )
    from_on = fields.DateField()
    until_on = fields.DateField(null=True, description="the first day it holds no more")
    percent = fields.DecimalField(
        max_digits=6, decimal_places=2, default=100, description="of the price; 0 is exempt"
    )
    coefficient = fields.DecimalField(max_digits=10, decimal_places=4, default=1)
    note = fields.CharField(max_length=200, default="")
    recorded_by = fields.UUIDField(null=True)
    recorded_at = fields.DatetimeField()

    class Meta:
        table = "fee_agreement"


class PooledCost(Model):
    """A cost of the compound that is shared out (公摊费用), for one period of its fee item."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="pooled_costs", on_delete=fields.RESTRICT
    )
    fee_item: fields.ForeignKeyRelation[FeeItem] = fields.ForeignKeyField(
        "billing.FeeItem", related_name="pooled_costs", on_delete=fields.RESTRICT
    )
    period_from = fields.DateField()
    total_fen = fields.BigIntField()
    weight = fields.DecimalField(max_digits=20, decimal_places=4, description="of all houses that share")
    note = fields.CharField(max_length=200, default="")
    voucher_key = fields.CharField(max_length=120, null=True, description="key in the file store")
    recorded_by = fields.UUIDField(null=True)
    recorded_at = fields.DatetimeField()

    class Meta:
        table = "pooled_cost"
        unique_together = (("fee_item", "period_from"),)


class PoolShare(Model):
    """A house's part of a pooled cost, by largest remainder (最大余数法); the parts sum to the whole."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    pooled_cost: fields.ForeignKeyRelation[PooledCost] = fields.ForeignKeyField(
        "billing.PooledCost", related_name="shares", on_delete=fields.RESTRICT
    )
    house: fields.ForeignKeyRelation[House] = fields.ForeignKeyField(
        "estate.House", related_name="pool_shares", on_delete=fields.RESTRICT
    )
    weight = fields.DecimalField(max_digits=12, decimal_places=4)
    amount_fen = fields.BigIntField()

    class Meta:
        table = "pool_share"
        unique_together = (("pooled_cost", "house"),)


class OneOffCharge(Model):
    """A charge that comes once (一次性收费): billed by the next run, or at once."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    compound: fields.ForeignKeyRelation[Compound] = fields.ForeignKeyField(
        "estate.Compound", related_name="one_off_charges", on_delete=fields.RESTRICT
    )
    house: fields.ForeignKeyRelation[House] = fields.ForeignKeyField(
        "estate.House", related_name="one_off_charges", on_delete=fields.RESTRICT
    )
    fee_item: fields.ForeignKeyRelation[FeeItem] = fields.ForeignKeyField(
        "billing.FeeItem", related_name="one_off_charges", on_delete=fields.RESTRICT
    )
    charged_on = fields.DateField(description="the day it is for; one of a fee item and house a day")
    amount_fen = fields.BigIntField()
    note = fields.CharField(max_length=200, default="", description="for the resident to read")
    cancelled_at = fields.DatetimeField(null=True)
    recorded_by = fields.UUIDField(null=True)
    recorded_at = fields.DatetimeField()

    class Meta:
        table = "one_off_charge"
        unique_together = (("fee_item", "house", "charged_on"),)
