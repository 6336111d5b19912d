"""How a compound bills, and what late payment costs, in the API (计费规则)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.billing.queries import settings as queries
from domains.billing.service import settings as service
from schema.context import Info
from schema.errors import Payload, refusals_as_data
from schema.permissions import staff_only
from schema.relay import decode, encode

UNSET = strawberry.UNSET


@strawberry.type(description="What late payment costs, for bills issued from a day on (滞纳金规则).")
class LateFeeRule:
    from_on: date = strawberry.field(description="For bills issued on this day or later.")
    daily_rate: Decimal = strawberry.field(description="Of the principal, per day: 0.0005.")
    grace_days: int = strawberry.field(description="Days after the due date that are not charged.")
    is_grace_charged: bool = strawberry.field(
        description="The days of grace are charged as well, once they have passed."
    )
    cap_percent: Decimal | None = strawberry.field(
        description="The most it comes to, in percent of the principal; null is no cap."
    )
    recorded_at: datetime = strawberry.field(description="When it was recorded.")


@strawberry.type(description="How a compound bills (计费规则).")
class BillingRules:
    compound_id: strawberry.Private[UUID]
    billing_day: int | None = strawberry.field(
        description="Day of the month on which a run begins by itself; null: none does."
    )
    is_automatic: bool = strawberry.field(description="Such a run is posted without approval.")
    months_back: int = strawberry.field(description="Earlier months whose missing lines such a run adds.")
    due_days: int = strawberry.field(description="Days from the issue of a bill to its due date.")
    allows_part_payment: bool = strawberry.field(description="Whether a part of a bill may be paid.")
    deducts_automatically: bool = strawberry.field(
        description="Bills are paid from prepayments by themselves."
    )

    @strawberry.field(description="Id of the compound.")
    def compound(self) -> strawberry.ID:
        return strawberry.ID(encode("Compound", self.compound_id))

    @strawberry.field(description="What late payment costs, the last rule first.")
    async def late_fee_rules(self) -> list[LateFeeRule]:
        return cast("list[LateFeeRule]", await queries.late_fee_rules(self.compound_id))

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.BillingRules)


@strawberry.input(description="Rules to change; what is left out stays.")
class SetBillingRulesInput:
    compound: strawberry.ID = strawberry.field(description="The compound.")
    billing_day: int | None = strawberry.field(
        default=UNSET, description="1 to 28; null: no run begins by itself."
    )
    is_automatic: bool | None = strawberry.field(
        default=UNSET, description="A scheduled run is posted without approval."
    )
    months_back: int | None = strawberry.field(default=UNSET, description="Earlier months, 0 to 12.")
    due_days: int | None = strawberry.field(default=UNSET, description="Days until a bill is due, 0 to 365.")
    allows_part_payment: bool | None = strawberry.field(
        default=UNSET, description="Whether a part of a bill may be paid."
    )
    deducts_automatically: bool | None = strawberry.field(
        default=UNSET, description="Bills are paid from prepayments by themselves."
    )

    def changes(self) -> service.RuleChanges:
        """As the command takes them."""
        given = {name: value for name, value in vars(self).items() if value is not UNSET}
        del given["compound"]
        return cast("service.RuleChanges", given)


@strawberry.input(description="What late payment costs from a day on.")
class SetLateFeeRuleInput:
    compound: strawberry.ID = strawberry.field(description="The compound.")
    from_on: date = strawberry.field(
        description="For bills issued on this day or later; no bill may have been issued since."
    )
    daily_rate: Decimal = strawberry.field(
        description="Of the principal, per day: 0.0005; above 0, at most 0.01."
    )
    grace_days: int = strawberry.field(default=0, description="Days after the due date, 0 to 365.")
    is_grace_charged: bool = strawberry.field(
        default=False, description="Charge the days of grace once they have passed."
    )
    cap_percent: Decimal | None = strawberry.field(
        default=None, description="The most it comes to, in percent of the principal; null is no cap."
    )


@strawberry.type(description="Result of changing a compound's billing rules.")
class BillingRulesPayload(Payload):
    billing_rules: BillingRules | None = strawberry.field(
        default=None, description="The rules as they are now; null when refused."
    )


async def _payload(info: Info, compound_id: UUID) -> BillingRulesPayload:
    rules = await queries.billing_rules(info.context.actor, compound_id)
    return BillingRulesPayload(billing_rules=cast("BillingRules", rules))


@strawberry.type
class BillingRulesQuery:
    """Root fields of billing rules."""

    @strawberry.field(
        description="How a compound bills; for staff who work with fees or bills.", extensions=[staff_only]
    )
    async def billing_rules(
        self, info: Info, compound: Annotated[strawberry.ID, strawberry.argument(description="The compound.")]
    ) -> BillingRules | None:
        compound_id = decode(compound, "Compound", "compound")
        return cast("BillingRules", await queries.billing_rules(info.context.actor, compound_id))


@strawberry.type
class BillingRulesMutation:
    """Mutations of billing rules; for staff with fees.write in the whole compound."""

    @strawberry.mutation(
        description="Change how a compound bills; for staff with fees.write in all of it.",
        extensions=[staff_only],
    )
    @refusals_as_data(BillingRulesPayload)
    async def set_billing_rules(
        self, info: Info, input: Annotated[SetBillingRulesInput, strawberry.argument(description="Which.")]
    ) -> BillingRulesPayload:
        id = decode(input.compound, "Compound", "compound")
        await service.set_billing_rules(info.context.actor, compound_id=id, changes=input.changes())
        return await _payload(info, id)

    @strawberry.mutation(
        description="Set what late payment costs for bills issued from a day on; for staff with fees.write in all of "
        "the compound.",
        extensions=[staff_only],
    )
    @refusals_as_data(BillingRulesPayload)
    async def set_late_fee_rule(
        self, info: Info, input: Annotated[SetLateFeeRuleInput, strawberry.argument(description="The rule.")]
    ) -> BillingRulesPayload:
        id = decode(input.compound, "Compound", "compound")
        await service.set_late_fee_rule(
            info.context.actor, compound_id=id, from_on=input.from_on, daily_rate=input.daily_rate,
            grace_days=input.grace_days, is_grace_charged=input.is_grace_charged, cap_percent=input.cap_percent,
        )  # fmt: skip
        return await _payload(info, id)
