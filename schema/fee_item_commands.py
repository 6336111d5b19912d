"""Keeping fee items and their prices by staff, in the API (收费项目与标准维护)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry

from domains.billing.fee_terms import TermChanges
from domains.billing.queries import fee_items as queries
from domains.billing.service import fee_items as service
from domains.billing.service import prices
from domains.billing.tariffs import Tariff, Tier
from schema.context import Info
from schema.errors import Payload, refusals_as_data
from schema.estate import HouseUse
from schema.fee_items import (
    FeeAnchor,
    FeeCategory,
    FeeItem,
    FeeMethod,
    FeePayer,
    FeeTiming,
    PooledBy,
    TierSpan,
)
from schema.meters import MeterKind
from schema.permissions import staff_only
from schema.relay import decode

UNSET = strawberry.UNSET
MAY_BE_NULL = frozenset({"cycle_months", "anchor_on", "meter_kind", "tier_span", "pooled_by"})


@strawberry.input(
    description="A fee item to make, or terms to change; what is left out stays. What was billed freezes category, "
    "method, cycle, timing, anchor, price months, meter kind, tier span, sharing and start."
)
class SetFeeItemInput:
    compound: strawberry.ID = strawberry.field(description="The compound.")
    fee_item: strawberry.ID | None = strawberry.field(
        default=None, description="The item to change; null makes one, and needs name, category, method, startsOn."
    )  # fmt: skip
    name: str | None = strawberry.field(default=UNSET, description="Name on the bill, up to 40 characters.")
    category: FeeCategory | None = strawberry.field(default=UNSET, description="What it is for.")
    method: FeeMethod | None = strawberry.field(default=UNSET, description="How it is measured.")
    starts_on: date | None = strawberry.field(default=UNSET, description="Charged from this day on.")
    cycle_months: int | None = strawberry.field(
        default=UNSET, description="Months in a period, 1 to 120; null where charged once."
    )
    timing: FeeTiming | None = strawberry.field(default=UNSET, description="Arrears unless given.")
    anchor: FeeAnchor | None = strawberry.field(default=UNSET, description="Calendar unless given.")
    anchor_on: date | None = strawberry.field(
        default=UNSET, description="The first period's first day, not after startsOn; null by hand-over."
    )
    price_months: int | None = strawberry.field(
        default=UNSET, description="Months that a price is for, 1 to 120; 1 unless given."
    )
    payer: FeePayer | None = strawberry.field(default=UNSET, description="Owner unless given.")
    vacancy_percent: Decimal | None = strawberry.field(
        default=UNSET, description="What a vacant house pays, 0 to 100; 100 unless given."
    )
    bills_unsold: bool | None = strawberry.field(
        default=UNSET, description="The developer pays for days before hand-over; false unless given."
    )
    bears_late_fee: bool | None = strawberry.field(
        default=UNSET, description="Whether late payment costs more; true unless given."
    )
    meter_kind: MeterKind | None = strawberry.field(default=UNSET, description="Of a metered item.")
    tier_span: TierSpan | None = strawberry.field(
        default=UNSET, description="Of a metered item; month unless given."
    )
    pooled_by: PooledBy | None = strawberry.field(default=UNSET, description="Of a pooled item.")
    uses: list[HouseUse] | None = strawberry.field(
        default=UNSET, description="Uses of houses that it is for; empty is all."
    )
    buildings: list[strawberry.ID] | None = strawberry.field(
        default=UNSET, description="Buildings that it is for, up to 200; empty is all."
    )

    def changes(self) -> TermChanges:
        """As the command takes them. Invalid BAD_ID for an id of another type."""
        given: dict[str, Any] = {  # Any: values of inputs
            name: _plain(value)
            for name, value in vars(self).items()
            if value is not UNSET and (value is not None or name in MAY_BE_NULL)
        }
        del given["compound"]
        given.pop("fee_item", None)
        if "buildings" in given:
            given["building_ids"] = [decode(id, "Building", "buildings") for id in given.pop("buildings")]
        return cast("TermChanges", given)


def _plain(value: object) -> object:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.value if isinstance(value, Enum) else value


@strawberry.input(description="A step of a price.")
class PriceTierInput:
    above: Decimal = strawberry.field(description="It counts for units beyond so many; 0 for the first.")
    price_fen: Decimal = strawberry.field(description="Fen per unit, up to six decimals.")


@strawberry.input(description="What a fee item costs from a day on: one of price, tiers and formula.")
class SetFeePriceInput:
    fee_item: strawberry.ID = strawberry.field(description="The fee item.")
    from_on: date = strawberry.field(description="The first day; not before the last day that is billed.")
    price_fen: Decimal | None = strawberry.field(
        default=None, description="Fen per unit and priceMonths, up to six decimals."
    )
    tiers: list[PriceTierInput] | None = strawberry.field(
        default=None, description="Steps of a metered price, 1 to 10, rising, the first from 0."
    )
    formula: str | None = strawberry.field(
        default=None,
        description="Fen per priceMonths: numbers, + − × ÷, parentheses, min max round ceil floor, and area "
        "inner_area floor people households coefficient; up to 200 characters.",
    )

    def tariff(self) -> Tariff:
        """As the command takes it."""
        tiers = None if self.tiers is None else [Tier(each.above, each.price_fen) for each in self.tiers]
        return Tariff(self.price_fen, tiers, self.formula)


@strawberry.input(description="A price to take back.")
class RemoveFeePriceInput:
    fee_item: strawberry.ID = strawberry.field(description="The fee item.")
    from_on: date = strawberry.field(description="The price's first day; no bill may reach beyond it.")


@strawberry.input(description="The end of a fee item.")
class EndFeeItemInput:
    fee_item: strawberry.ID = strawberry.field(description="The fee item.")
    ends_on: date | None = strawberry.field(
        description="The first day that is not charged any more, not before the last day that is billed; null: it "
        "goes on."
    )


@strawberry.input(description="What paying ahead saves.")
class SetAdvanceDiscountInput:
    fee_item: strawberry.ID = strawberry.field(description="The fee item.")
    months: int = strawberry.field(description="Months paid ahead, 1 to 36, whole periods.")
    percent: Decimal | None = strawberry.field(
        description="Percent off the price, above 0 and below 100; null takes the discount away."
    )


@strawberry.type(description="Result of a command on a fee item.")
class FeeItemPayload(Payload):
    fee_item: FeeItem | None = strawberry.field(
        default=None, description="The fee item as it is now; null when refused."
    )


async def _payload(info: Info, id: UUID) -> FeeItemPayload:
    found = await queries.by_id(info.context.actor, [id])
    return FeeItemPayload(fee_item=cast("FeeItem | None", found.get(id)))


@strawberry.type
class FeeItemsMutation:
    """Mutations of fee items; all of them for staff with fees.write in the whole compound."""

    @strawberry.mutation(
        description="Make a fee item, or change one; for staff with fees.write.", extensions=[staff_only]
    )
    @refusals_as_data(FeeItemPayload)
    async def set_fee_item(
        self, info: Info, input: Annotated[SetFeeItemInput, strawberry.argument(description="Its terms.")]
    ) -> FeeItemPayload:
        id = await service.set_fee_item(
            info.context.actor, compound_id=decode(input.compound, "Compound", "compound"),
            fee_item_id=decode(input.fee_item, "FeeItem", "feeItem") if input.fee_item else None,
            changes=input.changes(),
        )  # fmt: skip
        return await _payload(info, id)

    @strawberry.mutation(
        description="Set what a fee item costs from a day on; for staff with fees.write.",
        extensions=[staff_only],
    )
    @refusals_as_data(FeeItemPayload)
    async def set_fee_price(
        self, info: Info, input: Annotated[SetFeePriceInput, strawberry.argument(description="The price.")]
    ) -> FeeItemPayload:
        id = decode(input.fee_item, "FeeItem", "feeItem")
        await prices.set_fee_price(
            info.context.actor, fee_item_id=id, from_on=input.from_on, tariff=input.tariff()
        )
        return await _payload(info, id)

    @strawberry.mutation(
        description="Take a price back that no bill was made with: the one before it goes on; for staff with fees.write.",
        extensions=[staff_only],
    )
    @refusals_as_data(FeeItemPayload)
    async def remove_fee_price(
        self, info: Info, input: Annotated[RemoveFeePriceInput, strawberry.argument(description="Which.")]
    ) -> FeeItemPayload:
        id = decode(input.fee_item, "FeeItem", "feeItem")
        await prices.remove_fee_price(info.context.actor, fee_item_id=id, from_on=input.from_on)
        return await _payload(info, id)

    @strawberry.mutation(
        description="End a fee item, or let it go on; for staff with fees.write.", extensions=[staff_only]
    )
    @refusals_as_data(FeeItemPayload)
    async def end_fee_item(
        self, info: Info, input: Annotated[EndFeeItemInput, strawberry.argument(description="When.")]
    ) -> FeeItemPayload:
        id = decode(input.fee_item, "FeeItem", "feeItem")
        await service.end_fee_item(info.context.actor, fee_item_id=id, ends_on=input.ends_on)
        return await _payload(info, id)

    @strawberry.mutation(
        description="Set what paying so many months ahead saves; for staff with fees.write.",
        extensions=[staff_only],
    )
    @refusals_as_data(FeeItemPayload)
    async def set_advance_discount(
        self,
        info: Info,
        input: Annotated[SetAdvanceDiscountInput, strawberry.argument(description="The discount.")],
    ) -> FeeItemPayload:
        id = decode(input.fee_item, "FeeItem", "feeItem")
        await service.set_advance_discount(
            info.context.actor, fee_item_id=id, months=input.months, percent=input.percent
        )
        return await _payload(info, id)
