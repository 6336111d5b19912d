"""Costs that houses share, in the API (公摊费用); for staff."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.billing.queries import fee_items as item_queries
from domains.billing.queries import pooled_costs as queries
from domains.billing.service import pooled_costs as service
from schema.context import Info, Loader
from schema.errors import Payload, refusals_as_data
from schema.fee_items import FeeItem
from schema.permissions import staff_only
from schema.relay import (
    After,
    Connection,
    First,
    Key,
    PageRequest,
    connection,
    decode,
    encode,
    page_request,
)
from schema.scalars import Long

SORT, SHARES_SORT = "pooled_costs:period", "pooled_shares:house"


@dataclass(frozen=True, slots=True)
class SharesPage:
    """A page of the shares of a cost."""

    cost_id: UUID
    page: PageRequest


class SharesLoader(Loader[SharesPage, list[queries.PooledShare]]):
    """Shares by cost; those of a list are asked for alike, and are one statement."""

    async def fetch(self, keys: list[SharesPage]) -> Mapping[SharesPage, list[queries.PooledShare]]:
        """One statement for all costs."""
        alike: defaultdict[PageRequest, list[SharesPage]] = defaultdict(list)
        for key in keys:
            alike[key.page].append(key)
        found: dict[SharesPage, list[queries.PooledShare]] = {}
        for page, costs in alike.items():
            ids = [each.cost_id for each in costs]
            rows = await queries.shares_of(ids, after=page.after, limit=page.limit)
            found |= {each: rows.get(each.cost_id, []) for each in costs}
        return found


@strawberry.type(description="What a house bears of a shared cost.")
class PooledShare:
    house: strawberry.ID = strawberry.field(
        resolver=lambda root: strawberry.ID(encode("House", root.house_id)), description="Id of the house."
    )
    house_number: str = strawberry.field(description="The house: 3号楼1单元101.")
    weight: Decimal = strawberry.field(description="What it counts for, m² or one house.")
    amount_fen: Long = strawberry.field(description="Its part, in fen.")


def _as_share(row: queries.PooledShare) -> PooledShare:
    return cast("PooledShare", row)


def _share_keys(row: queries.PooledShare) -> tuple[Key, ...]:
    return row.sort, row.house_id


@strawberry.type(description="A cost that the houses of a fee item share, for one period (公摊费用).")
class PooledCost:
    id: strawberry.Private[UUID]
    pooled_cost: strawberry.ID = strawberry.field(
        resolver=lambda root: strawberry.ID(encode("PooledCost", root.id)),
        description="Its id, to remove it.",
    )
    period_from: date = strawberry.field(description="First day of the period.")
    total_fen: Long = strawberry.field(description="What is shared, in fen; the shares sum to it.")
    weight: Decimal = strawberry.field(description="Of all houses that share, m² or houses.")
    note: str = strawberry.field(description="What it was for.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")

    @strawberry.field(description="What each house bears of it, in the order of the houses.")
    async def shares(self, info: Info, *, first: First = 20, after: After = None) -> Connection[PooledShare]:
        page = page_request(first, after, SHARES_SORT)
        rows = await info.context.loader(SharesLoader).load(SharesPage(self.id, page)) or []
        return connection(page, rows, _share_keys, _as_share)


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

    @strawberry.field(
        description="A shared cost; for the same staff.",
        extensions=[staff_only],
    )
    async def pooled_cost(
        self,
        info: Info,
        *,
        pooled_cost: Annotated[strawberry.ID, strawberry.argument(description="Its id.")],
    ) -> PooledCost | None:
        found = await queries.cost(info.context.actor, decode(pooled_cost, "PooledCost", "pooledCost"))
        return None if found is None else _as_cost(found)


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
