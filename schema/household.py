"""Who belongs to a house, in the API: members for its residents, the history for staff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, cast
from uuid import UUID

import strawberry

from domains.residents.queries import occupancies as queries
from domains.residents.service import occupancy
from schema.context import Context, Info, Loader
from schema.errors import Payload, refusals_as_data
from schema.houses import HouseLoader
from schema.permissions import signed_in
from schema.relay import Node, decode, encode
from schema.vehicles import Vehicle, VehiclesLoader

if TYPE_CHECKING:
    from schema.estate import House


@strawberry.enum(description="In which capacity somebody belongs to a house (与房屋关系).")
class Capacity(Enum):
    OWNER = strawberry.enum_value("owner", description="业主")
    FAMILY = strawberry.enum_value("family", description="家属")
    TENANT = strawberry.enum_value("tenant", description="租户")


@strawberry.enum(description="On whose word somebody belongs to a house (核验方式).")
class VerifiedBy(Enum):
    REGISTER = strawberry.enum_value("register", description="台账导入")
    STAFF = strawberry.enum_value("staff", description="物业审核")
    OWNER = strawberry.enum_value("owner", description="业主邀请")


class MembersLoader(Loader[UUID, list[queries.Occupancy]]):
    """People of the caller's own houses, by house."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[queries.Occupancy]]:
        """One statement for all houses."""
        return await queries.members(self.context.actor, keys)


class HistoryLoader(Loader[tuple[UUID, UUID], list[queries.Occupancy]]):
    """Everybody who ever belonged to a house, by (compound, house)."""

    async def fetch(
        self, keys: list[tuple[UUID, UUID]]
    ) -> Mapping[tuple[UUID, UUID], list[queries.Occupancy]]:
        """One read, and one audit row, per compound."""
        found: dict[tuple[UUID, UUID], list[queries.Occupancy]] = {}
        for compound_id in dict.fromkeys(compound_id for compound_id, _ in keys):
            houses = [house_id for compound, house_id in keys if compound == compound_id]
            rows = await queries.history(self.context.actor, compound_id, houses)
            found |= {(compound_id, house_id): rows.get(house_id, []) for house_id in houses}
        return found


def _person(root: queries.Occupancy) -> strawberry.ID | None:
    return strawberry.ID(encode("Person", root.person_id)) if root.person_id else None


@strawberry.type(description="Somebody of a house, now or once (居住关系).")
class Occupancy(Node):
    id: strawberry.Private[UUID]
    house_id: strawberry.Private[UUID]
    person: strawberry.ID | None = strawberry.field(
        resolver=_person, description="Id of the person, for staff; null for others."
    )
    name: str = strawberry.field(description="Name of the person.")
    phone: str | None = strawberry.field(
        description="Masked number, for owners of the house and staff; null for others."
    )
    capacity: Capacity = strawberry.field(description="As what.")
    relation: str | None = strawberry.field(
        description="Relation to the owner as registered, for owners of the house and staff."
    )
    since_on: date | None = strawberry.field(description="First day; null where the register does not say.")
    lease_until_on: date | None = strawberry.field(
        description="Last day of a tenancy, after which it ends by itself."
    )
    verified_by: VerifiedBy | None = strawberry.field(
        description="On whose word, for owners of the house and staff."
    )
    ended_at: datetime | None = strawberry.field(description="When it ended; null while it lasts.")
    end_reason: str | None = strawberry.field(description="Why it ended.")
    is_me: bool = strawberry.field(description="Whether it is the caller's own.")

    @strawberry.field(description="The house, where the caller may see it.")
    async def house(self, info: Info) -> Annotated[House, strawberry.lazy("schema.estate")] | None:
        return cast("House | None", await info.context.loader(HouseLoader).load(self.house_id))

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.Occupancy)


@strawberry.type
class HouseHousehold:
    """What a house has to do with people."""

    id: strawberry.Private[UUID]
    compound_id: strawberry.Private[UUID]

    @strawberry.field(
        description="People who belong to it now (家庭成员), for its residents; empty for others."
    )
    async def members(self, info: Info) -> list[Occupancy]:
        rows = await info.context.loader(MembersLoader).load(self.id)
        return cast("list[Occupancy]", rows or [])

    @strawberry.field(
        description="Everybody who belongs or ever belonged to it (居住历史); for staff with residents.read, audited."
    )
    async def occupancies(self, info: Info) -> list[Occupancy] | None:
        rows = await info.context.loader(HistoryLoader).load((self.compound_id, self.id))
        return cast("list[Occupancy]", rows or [])

    @strawberry.field(description="Its vehicles and e-bikes.")
    async def vehicles(self, info: Info) -> list[Vehicle]:
        rows = await info.context.loader(VehiclesLoader).load(self.id)
        return cast("list[Vehicle]", rows or [])


async def reread_houses(context: Context) -> None:
    """Let the rest of this operation see the houses a command has just given or taken."""
    context.actor = replace(context.actor, houses=await queries.ties(context.actor.id))


@strawberry.input(description="Which occupancy ends, and why.")
class EndOccupancyInput:
    occupancy: strawberry.ID = strawberry.field(description="Its id.")
    reason: str = strawberry.field(description="Why, up to 100 characters; the people concerned read it.")


@strawberry.type(description="Result of ending an occupancy.")
class EndOccupancyPayload(Payload):
    occupancy: strawberry.ID | None = strawberry.field(
        default=None, description="The occupancy that ended; null when refused."
    )


@strawberry.type
class HouseholdMutation:
    """Mutations on who belongs to a house."""

    @strawberry.mutation(
        description="End an occupancy: staff any, an owner those of family and tenants, everybody their own "
        "(a house's last owner excepted). It counts from the person's next request.",
        extensions=[signed_in],
    )
    @refusals_as_data(EndOccupancyPayload)
    async def end_occupancy(
        self,
        info: Info,
        input: Annotated[EndOccupancyInput, strawberry.argument(description="Which, and why.")],
    ) -> EndOccupancyPayload:
        id = decode(input.occupancy, "Occupancy", "occupancy")
        await occupancy.end_occupancy(info.context.actor, occupancy_id=id, reason=input.reason)
        return EndOccupancyPayload(occupancy=input.occupancy)


async def occupancy_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Occupancies by id, those the caller may see."""
    return await queries.by_id(context.actor, ids)


NODES = {"Occupancy": occupancy_nodes}
