"""Fee items in the API: staff see what a compound charges, and what it cost when (收费项目与标准)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.billing.queries import fee_items as queries
from domains.billing.rules import CATEGORIES, METHODS
from domains.kernel import clock
from schema.context import Context, Info, Loader
from schema.estate import HouseUse
from schema.meters import MeterKind
from schema.permissions import staff_only
from schema.relay import Node, decode, encode


@strawberry.enum(description="What a fee is for (费用类别). New values may appear: keep a default branch.")
class FeeCategory(Enum):
    _ignore_ = "name label"
    for name, label in CATEGORIES.items():
        locals()[name.upper()] = strawberry.enum_value(name, description=label)


@strawberry.enum(
    description="How a fee is measured (计费方式). New values may appear: keep a default branch."
)
class FeeMethod(Enum):
    _ignore_ = "name label"
    for name, label in METHODS.items():
        locals()[name.upper()] = strawberry.enum_value(name, description=label)


@strawberry.enum(description="Whether a period is billed before or after it (预收、后付).")
class FeeTiming(Enum):
    ADVANCE = strawberry.enum_value("advance", description="预收: in the month of its first day")
    ARREARS = strawberry.enum_value("arrears", description="后付: in the month of the first day after it")


@strawberry.enum(description="What periods are counted from (周期起算).")
class FeeAnchor(Enum):
    CALENDAR = strawberry.enum_value("calendar", description="固定日期")
    HAND_OVER = strawberry.enum_value("hand_over", description="房屋交付日期")


@strawberry.enum(description="Who pays where nothing else is recorded (默认缴费人).")
class FeePayer(Enum):
    OWNER = strawberry.enum_value("owner", description="业主")
    TENANT = strawberry.enum_value("tenant", description="租客;没有租客时由业主缴")


@strawberry.enum(description="What tiers count over (阶梯累计).")
class TierSpan(Enum):
    MONTH = strawberry.enum_value("month", description="按月,乘以周期月数")
    YEAR = strawberry.enum_value("year", description="按自然年累计")


@strawberry.enum(description="How a cost is shared (分摊方式).")
class PooledBy(Enum):
    BUILT_AREA = strawberry.enum_value("built_area", description="按建筑面积")
    HOUSEHOLD = strawberry.enum_value("household", description="按户")


class PricesLoader(Loader[UUID, list[queries.FeePrice]]):
    """Prices by fee item."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[queries.FeePrice]]:
        """One statement for all items."""
        return await queries.prices_of(keys)


class DiscountsLoader(Loader[UUID, list[queries.AdvanceDiscount]]):
    """Advance discounts by fee item."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[queries.AdvanceDiscount]]:
        """One statement for all items."""
        return await queries.discounts_of(keys)


@strawberry.type(description="A step of a price (阶梯).")
class PriceTier:
    above: Decimal = strawberry.field(description="It counts for units beyond so many.")
    price_fen: Decimal = strawberry.field(description="Fen per unit, with up to six decimals.")


@strawberry.type(description="What a fee item costs from a day on: a price, tiers or a formula (收费标准).")
class FeePrice:
    from_on: date = strawberry.field(description="The first day that it holds for.")
    price_fen: Decimal | None = strawberry.field(
        description="Fen per unit (m², house, car, unit metered) and priceMonths, with up to six decimals."
    )
    tiers: list[PriceTier] | None = strawberry.field(description="Steps by what a meter measured.")
    formula: str | None = strawberry.field(description="Gives fen per priceMonths for a house.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")
    is_billed: bool = strawberry.field(description="Bills reach beyond its first day: it stays as it is.")


@strawberry.type(description="What paying ahead saves (预缴优惠).")
class AdvanceDiscount:
    months: int = strawberry.field(description="How many months are paid ahead.")
    percent: Decimal = strawberry.field(description="Percent off the price of these months.")


@strawberry.type(description="A fee item (收费项目): how it is measured, how often it is billed, who pays.")
class FeeItem(Node):
    id: strawberry.Private[UUID]
    compound_id: strawberry.Private[UUID]
    building_ids: strawberry.Private[list[UUID]]
    name: str = strawberry.field(description="Name on the bill.")
    category: FeeCategory = strawberry.field(description="What it is for.")
    method: FeeMethod = strawberry.field(description="How it is measured.")
    cycle_months: int | None = strawberry.field(description="Months in a period; null where charged once.")
    timing: FeeTiming = strawberry.field(description="In advance or in arrears.")
    anchor: FeeAnchor = strawberry.field(description="What its periods are counted from.")
    anchor_on: date | None = strawberry.field(description="The first period's first day; null by hand-over.")
    price_months: int = strawberry.field(description="Months that a price is for; 12 is a yearly price.")
    payer: FeePayer = strawberry.field(description="Who pays where nothing else is recorded.")
    vacancy_percent: Decimal = strawberry.field(description="What a vacant house pays of it, percent.")
    bills_unsold: bool = strawberry.field(description="The developer pays for days before hand-over.")
    bears_late_fee: bool = strawberry.field(description="Whether late payment costs more.")
    meter_kind: MeterKind | None = strawberry.field(description="Kind of meter, of a metered item.")
    tier_span: TierSpan | None = strawberry.field(description="What tiers count over, of a metered item.")
    pooled_by: PooledBy | None = strawberry.field(description="How a cost is shared, of a pooled item.")
    uses: list[HouseUse] = strawberry.field(description="Uses of houses that it is for; empty is all.")
    starts_on: date = strawberry.field(description="Nothing is charged for days before.")
    ends_on: date | None = strawberry.field(description="The first day that is not charged any more.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")

    @strawberry.field(description="Buildings that it is for; empty is all.")
    def buildings(self) -> list[strawberry.ID]:
        return [strawberry.ID(encode("Building", id)) for id in self.building_ids]

    @strawberry.field(description="What it costs today; null before its first price, or where it needs none.")
    async def current_price(self, info: Info) -> FeePrice | None:
        rows, today = await info.context.loader(PricesLoader).load(self.id) or [], clock.today()
        return cast("FeePrice | None", next((row for row in rows if row.from_on <= today), None))

    @strawberry.field(description="All its prices, the last one first (价格历史).")
    async def prices(self, info: Info) -> list[FeePrice]:
        return cast("list[FeePrice]", await info.context.loader(PricesLoader).load(self.id) or [])

    @strawberry.field(description="What paying ahead saves, by months.")
    async def advance_discounts(self, info: Info) -> list[AdvanceDiscount]:
        rows = await info.context.loader(DiscountsLoader).load(self.id)
        return cast("list[AdvanceDiscount]", rows or [])

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.FeeItem)


@strawberry.type
class FeeItemsQuery:
    """Root fields of fee items."""

    @strawberry.field(
        description="A compound's fee items, the oldest first; for staff with fees.read or fees.write.",
        extensions=[staff_only],
    )
    async def fee_items(
        self,
        info: Info,
        compound: Annotated[strawberry.ID, strawberry.argument(description="The compound.")],
        active: Annotated[
            bool | None, strawberry.argument(description="Only those that go on, or only ended ones.")
        ] = None,
    ) -> list[FeeItem] | None:
        compound_id = decode(compound, "Compound", "compound")
        rows = await queries.of_compound(info.context.actor, compound_id, active=active)
        return cast("list[FeeItem]", rows)

    @strawberry.field(
        description="What a formula gives for a house today, in fen; null where it has no value. For staff with "
        "fees.read or fees.write.",
        extensions=[staff_only],
    )
    async def formula_price(
        self,
        info: Info,
        formula: Annotated[str, strawberry.argument(description="The formula, up to 200 characters.")],
        house: Annotated[strawberry.ID, strawberry.argument(description="The house.")],
        coefficient: Annotated[
            Decimal, strawberry.argument(description="The coefficient that is agreed with the house.")
        ] = Decimal(1),
    ) -> Decimal | None:
        house_id = decode(house, "House", "house")
        return await queries.formula_for_house(info.context.actor, formula, house_id, coefficient)


async def fee_item_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Fee items by id."""
    return await queries.by_id(context.actor, ids)


NODES = {"FeeItem": fee_item_nodes}
