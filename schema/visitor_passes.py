"""Visitors' passes in the API: the people of a house and the staff see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, cast
from uuid import UUID

import strawberry

from domains.access.queries import passes as queries
from schema.context import Context, Info, Loader
from schema.houses import HouseLoader
from schema.permissions import residents_only, staff_only
from schema.relay import After, Connection, First, Key, Node, connection, decode, encode, page_request

if TYPE_CHECKING:
    from schema.estate import House

OWN_SORT, DAY_SORT, LATEST_SORT = "visitor_passes:requested", "visitor_passes:day", "visitor_passes:latest"


@strawberry.enum(description="How far a pass is (通行证状态). New values may appear: keep a default branch.")
class VisitorPassState(Enum):
    REQUESTED = strawberry.enum_value("requested", description="待确认")
    ACTIVE = strawberry.enum_value("active", description="有效")
    USED_UP = strawberry.enum_value("used_up", description="次数已用完")
    EXPIRED = strawberry.enum_value("expired", description="已过期")
    REVOKED = strawberry.enum_value("revoked", description="已吊销")
    REJECTED = strawberry.enum_value("rejected", description="已拒绝")


@strawberry.enum(description="How a pass came to be (来源).")
class VisitorPassOrigin(Enum):
    HOST = strawberry.enum_value("host", description="住户邀请")
    VISITOR = strawberry.enum_value("visitor", description="访客申请")
    GUARD = strawberry.enum_value("guard", description="门岗登记")
    TEMPLATE = strawberry.enum_value("template", description="常访模板")


@strawberry.enum(
    description="What a visitor comes for (来访事由). New values may appear: keep a default branch."
)
class VisitPurpose(Enum):
    VISIT = strawberry.enum_value("visit", description="探访亲友")
    DELIVERY = strawberry.enum_value("delivery", description="快递外卖")
    SERVICE = strawberry.enum_value("service", description="上门服务")
    REPAIR = strawberry.enum_value("repair", description="维修施工")
    MOVING = strawberry.enum_value("moving", description="搬家")
    VIEWING = strawberry.enum_value("viewing", description="看房")
    CARE = strawberry.enum_value("care", description="护理保健")
    OTHER = strawberry.enum_value("other", description="其他")


class PassDoorsLoader(Loader[UUID, list[queries.VisitorDoor]]):
    """The doors of passes, by pass."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[queries.VisitorDoor]]:
        """One statement for all passes."""
        return await queries.doors_of_passes(keys)


def page_path(link: str | None) -> str | None:
    """Where the visitor's page of a secret is, below the service's address."""
    return None if link is None else f"/v/{link}"


@strawberry.type(description="A door on a visitor's way (访客途经的门).")
class VisitorDoor:
    door: strawberry.ID = strawberry.field(
        resolver=lambda root: strawberry.ID(encode("Door", root.id)),
        description="Its id, to narrow a pass to it.",
    )
    name: str = strawberry.field(description="Name of the door: 南门.")
    place: str = strawberry.field(description="Where it is: 3号楼1单元; empty for the compound's own.")


@strawberry.type(description="A visitor's pass (访客通行证).")
class VisitorPass(Node):
    id: strawberry.Private[UUID]
    house_id: strawberry.Private[UUID]
    house_number: str = strawberry.field(description="The house: 3号楼1单元101.")
    origin: VisitorPassOrigin = strawberry.field(description="How it came to be.")
    state: VisitorPassState = strawberry.field(description="How far it is.")
    guest_name: str = strawberry.field(description="Who comes; 访客 once the visit is half a year past.")
    phone: str | None = strawberry.field(description="Masked number; null if none was given.")
    plate: str = strawberry.field(description="Number plate; empty if they come without a car.")
    is_car_refused: bool = strawberry.field(
        description="The compound is full of visitors' cars: the person may come in, the car not (车位已满)."
    )
    companions: int = strawberry.field(description="How many come along.")
    purpose: VisitPurpose = strawberry.field(description="What for.")
    message: str = strawberry.field(description="The host's words to the guest.")
    starts_at: datetime = strawberry.field(description="From when it counts.")
    ends_at: datetime = strawberry.field(description="Until when it counts.")
    uses_allowed: int | None = strawberry.field(description="How many times it opens; null for any number.")
    uses: int = strawberry.field(description="How many times it has been used.")
    requested_at: datetime = strawberry.field(description="When it was made or asked for.")
    decided_at: datetime | None = strawberry.field(description="Since when it counts, or was rejected.")
    reason: str = strawberry.field(
        description="Why it was rejected or revoked; the visitor does not read it."
    )
    ended_at: datetime | None = strawberry.field(description="When it came to its end.")
    document_checked_at: datetime | None = strawberry.field(description="When a guard saw the document.")
    inside_since: datetime | None = strawberry.field(
        description="Since when the visitor is inside and not seen to leave."
    )
    last_used_at: datetime | None = strawberry.field(description="When it was last used.")
    host_name: str | None = strawberry.field(
        description="Who invited or approved; null where a guard answers."
    )
    is_mine: bool = strawberry.field(description="Whether the caller is its host.")
    link: str | None = strawberry.field(
        resolver=lambda root: page_path(root.link),
        description="Path of the visitor's page, to be shared; for its host, null for others.",
    )

    @strawberry.field(description="How many times it still opens; null for any number.")
    def uses_left(self) -> int | None:
        return None if self.uses_allowed is None else max(self.uses_allowed - self.uses, 0)

    @strawberry.field(
        description="The doors that it opens, the compound's gate first, at most those on the way."
    )
    async def doors(self, info: Info) -> list[VisitorDoor]:
        rows = await info.context.loader(PassDoorsLoader).load(self.id)
        return cast("list[VisitorDoor]", rows or [])

    @strawberry.field(description="The house, where the caller may see it.")
    async def house(self, info: Info) -> Annotated[House, strawberry.lazy("schema.estate")] | None:
        return cast("House | None", await info.context.loader(HouseLoader).load(self.house_id))

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.VisitorPass)


@strawberry.type(description="Somebody the caller has invited before, to fill in a form with (常来访客).")
class FrequentGuest:
    visitor_pass: strawberry.ID = strawberry.field(
        resolver=lambda root: strawberry.ID(encode("VisitorPass", root.pass_id)),
        description="Their last pass: `phoneOf` of the next one.",
    )
    name: str = strawberry.field(description="Name.")
    phone: str | None = strawberry.field(description="Masked number; null if none was given.")
    plate: str = strawberry.field(description="Number plate; empty if they came without a car.")
    visits: int = strawberry.field(description="How many passes in the last 180 days.")
    last_at: datetime = strawberry.field(description="Begin of the last visit.")


def _requested(row: queries.VisitorPass) -> tuple[Key, ...]:
    return row.requested_at, row.id


def _begin(row: queries.VisitorPass) -> tuple[Key, ...]:
    return row.starts_at, row.id


def as_pass(row: queries.VisitorPass) -> VisitorPass:
    """A row stands for the type."""
    return row  # type: ignore[return-value]  # rows stand for the type


States = Annotated[
    list[VisitorPassState] | None, strawberry.argument(description="Only these; null for all.")
]
AHouse = Annotated[strawberry.ID, strawberry.argument(description="A house of the caller.")]


def _states(states: list[VisitorPassState] | None) -> list[str] | None:
    return None if states is None else [str(state.value) for state in states]


@strawberry.type
class VisitorsViewer:
    """The visitors of the caller's houses."""

    @strawberry.field(
        description="Passes of the caller's houses, or of one of them, the last one first.",
        extensions=[residents_only],
    )
    async def visitor_passes(
        self,
        info: Info,
        *,
        house: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only this house of the caller.")
        ] = None,
        states: States = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[VisitorPass] | None:
        page = page_request(first, after, OWN_SORT, datetime, UUID)
        house_id = decode(house, "House", "house") if house else None
        rows = await queries.of_own_houses(
            info.context.actor, house_id, states=_states(states), after=page.after, limit=page.limit
        )
        return connection(page, rows, _requested, as_pass)

    @strawberry.field(
        description="Doors on a visitor's way to a house, to choose from; at most a few.",
        extensions=[residents_only],
    )
    async def visitor_doors(self, info: Info, house: AHouse) -> list[VisitorDoor] | None:
        rows = await queries.doors_of_house(info.context.actor, decode(house, "House", "house"))
        return cast("list[VisitorDoor]", rows)

    @strawberry.field(
        description="Whom the caller has invited before, the most frequent first; at most 20.",
        extensions=[residents_only],
    )
    async def frequent_guests(
        self,
        info: Info,
        house: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only to this house of the caller.")
        ] = None,
    ) -> list[FrequentGuest] | None:
        house_id = decode(house, "House", "house") if house else None
        rows = await queries.frequent_guests(info.context.actor, house_id)
        return cast("list[FrequentGuest]", rows)


@strawberry.type
class VisitorPassesQuery:
    """Root fields of visitors' passes."""

    @strawberry.field(
        description="A compound's passes: of a day in their order, else of the last 30 days and to come, the latest "
        "first. For staff with visitors.read, audited.",
        extensions=[staff_only],
    )
    async def visitor_passes(
        self,
        info: Info,
        *,
        compound: Annotated[strawberry.ID, strawberry.argument(description="The compound.")],
        day: Annotated[date | None, strawberry.argument(description="Passes that count on this day.")] = None,
        states: States = None,
        search: Annotated[
            str | None,
            strawberry.argument(
                description="A part of the name, house number or plate, a phone number or its last four digits."
            ),
        ] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[VisitorPass] | None:
        sort = LATEST_SORT if day is None else f"{DAY_SORT}:{day}"
        compound_id = decode(compound, "Compound", "compound")
        page = page_request(first, after, sort, datetime, UUID)
        actor, wanted = info.context.actor, queries.Search(day, _states(states), search or None)
        rows = await queries.for_staff(actor, compound_id, wanted, after=page.after, limit=page.limit)

        async def count() -> int:
            return await queries.count_for_staff(actor, compound_id, wanted)

        return connection(page, rows, _begin, as_pass, count)


async def visitor_pass_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Passes by id, those the caller may see."""
    return await queries.by_id(context.actor, ids)


NODES = {"VisitorPass": visitor_pass_nodes}
