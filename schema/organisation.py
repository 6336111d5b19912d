"""The organisation tree in the API (组织架构)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.estate import organisation as queries
from schema.context import Context, Info
from schema.estate import Compound
from schema.limits.cost import cost
from schema.permissions import staff_only
from schema.place_loaders import (
    RegionCompoundsLoader,
    RegionCountsLoader,
    RegionLoader,
    RegionsBelowLoader,
)
from schema.relay import Node

Below = Annotated["Region", strawberry.lazy("schema.organisation")]


@strawberry.enum(description="What a node of the organisation tree is (组织类型).")
class RegionKind(Enum):
    PROVINCE = strawberry.enum_value("province", description="省")
    CITY = strawberry.enum_value("city", description="市")
    DISTRICT = strawberry.enum_value("district", description="区县")
    STREET = strawberry.enum_value("street", description="街道")
    COMMITTEE = strawberry.enum_value("committee", description="社区居委会")


@strawberry.type(
    description="A node of the organisation tree (组织节点), seen where the caller works or lives below it."
)
class Region(Node):
    id: strawberry.Private[UUID]
    ancestry: strawberry.Private[tuple[UUID, ...]]
    kind: RegionKind = strawberry.field(description="What it is.")
    name: str = strawberry.field(description="Name, for example 西湖区.")
    compound_count: int = strawberry.field(
        description="Compounds below it in which the caller works or lives."
    )

    @strawberry.field(
        description="From the province down to this node, itself included; at most five.",
        metadata=cost(assumed=5),
    )
    async def path(self, info: Info) -> list[Below]:
        found = await info.context.loader(RegionLoader).load_many(self.ancestry)
        return cast("list[Region]", [region for region in found if region is not None])

    @strawberry.field(
        description="The nodes directly below it, by name; those with compounds of the caller.",
        metadata=cost(assumed=5),
    )
    async def children(self, info: Info) -> list[Below]:
        return cast("list[Region]", await info.context.loader(RegionsBelowLoader).load(self.id))

    @strawberry.field(
        description="The caller's compounds directly below it, by name; only committees have any.",
        metadata=cost(assumed=5),
    )
    async def compounds(self, info: Info) -> list[Compound]:
        return cast("list[Compound]", await info.context.loader(RegionCompoundsLoader).load(self.id))

    @strawberry.field(description="Buildings below it that the caller may see.")
    async def building_count(self, info: Info) -> int:
        return (await info.context.loader(RegionCountsLoader).load(self.id) or queries.Counts()).buildings

    @strawberry.field(description="Houses below it that the caller may see.")
    async def house_count(self, info: Info) -> int:
        return (await info.context.loader(RegionCountsLoader).load(self.id) or queries.Counts()).houses

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.Region)


async def region_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Nodes of the tree by id, those the caller may see."""
    return await queries.regions_by_id(context.actor, ids)


NODES = {"Region": region_nodes}


@strawberry.type
class OrganisationQuery:
    """Root fields of the organisation tree."""

    @strawberry.field(
        description="The provinces in which the caller works; the tree goes down by `children`. For staff.",
        extensions=[staff_only],
        metadata=cost(assumed=2),
    )
    async def organisation(self, info: Info) -> list[Region] | None:
        return cast("list[Region]", await queries.provinces(info.context.actor))
