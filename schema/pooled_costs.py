"""Costs that houses share, in the API (公摊费用); for staff."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, cast

import strawberry

from domains.billing.queries import fee_items as item_queries
from domains.billing.queries import pooled_costs as queries
from domains.billing.service import pooled_costs as service
from schema.context import Info
from schema.errors import Payload, refusals_as_data
from schema.fee_items import FeeItem
from schema.permissions import staff_only
from schema.relay import After, Connection, First, Key, connection, decode, encode, page_request
from schema.scalars import Long

SORT = "pooled_costs:period"


@strawberry.type(description="A cost that the houses of a fee item share, for one period (公摊费用).")
class PooledCost:
    pooled_cost: strawberry.ID = strawberry.field(
        resolver=lambda root: strawberry.ID(encode("PooledCost", root.id)),
        description="Its id, to remove it.",
    )
    period_from: date = strawberry.field(description="First day of the period.")
    total_fen: Long = strawberry.field(description="What is shared, in fen; the shares sum to it.")
    weight: Decimal = strawberry.field(description="Of all houses that share, m² or houses.")
    note: str = strawberry.field(description="What it was for.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")


@strawberry.input(description="A cost to share.")
class RecordPooledCostInput:
    fee_item: strawberry.ID = strawberry.field(description="The pooled fee item.")
    period_from: date = strawberry.field(description="First day of one of its periods.")
    total_fen: Long = strawberry.field(description="What is shared, in fen.")
    note: str = strawberry.field(default="", description="What it is for, up to 200 characters.")


@strawberry.input(description="A cost to take back.")
class RemovePooledCostInput:
    pooled_cost: strawberry.ID = strawberry.field(description="Its id; no bill may have a share of it.")


@strawberry.type(description="Result of recording a shared cost.")
class PooledCostPayload(Payload):
    pooled_cost: PooledCost | None = strawberry.field(
        default=None, description="The cost as it was shared; null when refused."
    )


@strawberry.type(description="Result of taking a shared cost back.")
class RemovePooledCostPayload(Payload):
    fee_item: FeeItem | None = strawberry.field(
        default=None, description="The fee item whose period is free again; null when refused."
    )


def _as_cost(row: queries.PooledCost) -> PooledCost:
    return row  # type: ignore[return-value]  # rows stand for the type


def _keys(row: queries.PooledCost) -> tuple[Key, ...]:
    return (row.period_from,)


@strawberry.type
class PooledCostsQuery:
    """Root fields of shared costs."""

    @strawberry.field(
        description="What was shared out for a fee item, the last period first; for staff with fees.read or "
        "fees.write.",
        extensions=[staff_only],
    )
    async def pooled_costs(
        self,
        info: Info,
        *,
        fee_item: Annotated[strawberry.ID, strawberry.argument(description="The pooled fee item.")],
        first: First = 20,
        after: After = None,
    ) -> Connection[PooledCost] | None:
        page, id = page_request(first, after, SORT, date), decode(fee_item, "FeeItem", "feeItem")
        rows = await queries.of_item(info.context.actor, id, after=page.after, limit=page.limit)
        return connection(page, rows, _keys, _as_cost)


@strawberry.type
class PooledCostsMutation:
    """Mutations of shared costs; for staff with fees.write in the whole compound."""

    @strawberry.mutation(
        description="Share a cost out over the houses of a fee item; for staff with fees.write.",
        extensions=[staff_only],
    )
    @refusals_as_data(PooledCostPayload)
    async def record_pooled_cost(
        self, info: Info, input: Annotated[RecordPooledCostInput, strawberry.argument(description="Which.")]
    ) -> PooledCostPayload:
        actor = info.context.actor
        id = await service.record_pooled_cost(
            actor, fee_item_id=decode(input.fee_item, "FeeItem", "feeItem"), period_from=input.period_from,
            total_fen=input.total_fen, note=input.note,
        )  # fmt: skip
        return PooledCostPayload(pooled_cost=cast("PooledCost | None", await queries.cost(actor, id)))

    @strawberry.mutation(
        description="Take a shared cost back while no bill has a share of it; for staff with fees.write.",
        extensions=[staff_only],
    )
    @refusals_as_data(RemovePooledCostPayload)
    async def remove_pooled_cost(
        self, info: Info, input: Annotated[RemovePooledCostInput, strawberry.argument(description="Which.")]
    ) -> RemovePooledCostPayload:
        actor, id = info.context.actor, decode(input.pooled_cost, "PooledCost", "pooledCost")
        item_id = await service.remove_pooled_cost(actor, pooled_cost_id=id)
        found = await item_queries.by_id(actor, [item_id])
        return RemovePooledCostPayload(fee_item=cast("FeeItem | None", found.get(item_id)))
