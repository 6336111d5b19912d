"""Meters in the API (仪表): staff keep them, residents see those of their houses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Annotated, cast
from uuid import UUID

import strawberry

from domains.billing.queries import consumption
from domains.billing.queries import meters as queries
from domains.billing.rules import METER_KINDS
from schema.context import Context, Info, Loader
from schema.houses import HouseLoader
from schema.permissions import residents_only, staff_only
from schema.relay import After, Connection, First, Key, Node, connection, decode, encode, page_request

if TYPE_CHECKING:
    from schema.estate import House

SORT = "meters:kind,number"


@strawberry.enum(
    description="What a meter measures (仪表类型). New values may appear: keep a default branch."
)
class MeterKind(Enum):
    _ignore_ = "name label unit"
    for name, label in METER_KINDS.items():
        unit = "kWh" if name in ("electricity", "heat") else "m³"
        locals()[name.upper()] = strawberry.enum_value(name, description=f"{label}, {unit}")


class MonthlyUseLoader(Loader[tuple[UUID, int], list[consumption.MonthlyUse]]):
    """What meters used in so many months, by meter."""

    async def fetch(
        self, keys: list[tuple[UUID, int]]
    ) -> Mapping[tuple[UUID, int], list[consumption.MonthlyUse]]:
        """One statement for all meters that are asked for alike."""
        found: dict[tuple[UUID, int], list[consumption.MonthlyUse]] = {}
        for months in {months for _, months in keys}:
            ids = [id for id, asked in keys if asked == months]
            used = await consumption.of_meters(self.context.actor, ids, months)
            found |= {(id, months): used.get(id, []) for id in ids}
        return found


def _compound(root: queries.Meter) -> strawberry.ID:
    return strawberry.ID(encode("Compound", root.compound_id))


def _building(root: queries.Meter | consumption.Consumption) -> strawberry.ID | None:
    return strawberry.ID(encode("Building", root.building_id)) if root.building_id else None


def _device(root: queries.Meter) -> strawberry.ID | None:
    return strawberry.ID(encode("Device", root.device_id)) if root.device_id else None


def _replaces(root: queries.Meter) -> strawberry.ID | None:
    return strawberry.ID(encode("Meter", root.replaces_id)) if root.replaces_id else None


@strawberry.type(description="What a meter used in a month, from reading to reading (用量).")
class MonthlyUse:
    month: date = strawberry.field(description="Its first day.")
    units: Decimal = strawberry.field(
        description="In the meter's units, since the last reading of a month before; its multiplier is counted."
    )


@strawberry.type(description="A meter (仪表) of a house, of a building, or of the compound.")
class Meter(Node):
    id: strawberry.Private[UUID]
    house_id: strawberry.Private[UUID | None]
    compound: strawberry.ID = strawberry.field(resolver=_compound, description="Id of the compound.")
    building: strawberry.ID | None = strawberry.field(
        resolver=_building, description="Id of the building; null for the compound's own."
    )
    device: strawberry.ID | None = strawberry.field(
        resolver=_device, description="Id of the collector that reads it; null where people do."
    )
    house_number: str | None = strawberry.field(description="The house: 3号楼1单元101; null if it is shared.")
    building_name: str | None = strawberry.field(description="The building; null for the compound's own.")
    kind: MeterKind = strawberry.field(description="What it measures.")
    number: str = strawberry.field(description="As its plate says (表号).")
    multiplier: Decimal = strawberry.field(description="Units for one of the register (倍率).")
    digits: int = strawberry.field(description="Whole digits of the register: 5 begins again after 99999.")
    daily_most: Decimal | None = strawberry.field(
        description="Units a day beyond which a reading waits for review; null: five times the usual use."
    )
    installed_on: date = strawberry.field(description="Since when it counts.")
    removed_on: date | None = strawberry.field(description="When it was taken out; null while in use.")
    replaces: strawberry.ID | None = strawberry.field(
        resolver=_replaces, description="Id of the meter that was there before."
    )
    last_value: Decimal | None = strawberry.field(description="The register at the last accepted reading.")
    last_read_at: datetime | None = strawberry.field(description="When that was.")
    waiting: int = strawberry.field(description="How many readings wait for review.")

    @strawberry.field(description="The house, where the caller may see it.")
    async def house(self, info: Info) -> Annotated[House, strawberry.lazy("schema.estate")] | None:
        if self.house_id is None:
            return None
        return cast("House | None", await info.context.loader(HouseLoader).load(self.house_id))

    @strawberry.field(
        description="What was used in the last months that have a reading, at most 13, the first one first; for "
        "residents those that begin after they moved in."
    )
    async def consumption(
        self,
        info: Info,
        months: Annotated[int, strawberry.argument(description="How many months back, 1 to 13.")] = 13,
    ) -> list[MonthlyUse]:
        rows = await info.context.loader(MonthlyUseLoader).load((self.id, months))
        return cast("list[MonthlyUse]", rows or [])

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.Meter)


@strawberry.type(description="What the meters of a kind used in a building and month (用量统计).")
class Consumption:
    building: strawberry.ID | None = strawberry.field(
        resolver=_building, description="Id of the building; null for the compound's own meters."
    )
    building_name: str | None = strawberry.field(description="Its name.")
    kind: MeterKind = strawberry.field(description="What they measure.")
    is_shared: bool = strawberry.field(description="Meters of no house (公共表), beside those of the houses.")
    month: date = strawberry.field(description="The month's first day.")
    units: Decimal | None = strawberry.field(description="What they used; null while none was read.")
    meters: int = strawberry.field(description="How many there were.")
    unread: int = strawberry.field(description="How many of them have no reading of the month.")


def as_meter(row: queries.Meter) -> Meter:
    """A row stands for the type."""
    return row  # type: ignore[return-value]  # rows stand for the type


def _keys(row: queries.Meter) -> tuple[Key, ...]:
    return row.kind, row.number, row.id


@strawberry.input(description="What to narrow a list of meters to.")
class MeterFilter:
    kind: MeterKind | None = strawberry.field(default=None, description="Only these.")
    building: strawberry.ID | None = strawberry.field(default=None, description="Only this building.")
    search: str | None = strawberry.field(
        default=None, description="A part of the meter's or the house's number; or the latter whole: 3-1-101."
    )
    unread_since: date | None = strawberry.field(
        default=None, description="Without an accepted reading of this day or a later one."
    )
    is_removed: bool = strawberry.field(
        default=False, description="Those taken out, instead of those in use."
    )

    def narrowed(self) -> queries.MeterFilter:
        """As the query takes it."""
        return queries.MeterFilter(
            str(self.kind.value) if self.kind else None,
            decode(self.building, "Building", "filter.building") if self.building else None,
            self.search, self.unread_since, self.is_removed,
        )  # fmt: skip


@strawberry.type
class MetersViewer:
    """The meters of the caller's houses."""

    @strawberry.field(
        description="Meters in use of the caller's houses, or of one of them; at most 200.",
        extensions=[residents_only],
    )
    async def meters(
        self,
        info: Info,
        house: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only this house of the caller.")
        ] = None,
    ) -> list[Meter] | None:
        house_id = decode(house, "House", "house") if house else None
        return cast("list[Meter]", await queries.of_own_houses(info.context.actor, house_id))


@strawberry.type
class MetersQuery:
    """Root fields of meters."""

    @strawberry.field(
        description="A compound's meters by kind and number; for staff with meters.read, audited.",
        extensions=[staff_only],
    )
    async def meters(
        self,
        info: Info,
        *,
        compound: Annotated[strawberry.ID, strawberry.argument(description="The compound.")],
        filter: Annotated[MeterFilter | None, strawberry.argument(description="Narrows the list.")] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Meter] | None:
        compound_id = decode(compound, "Compound", "compound")
        actor, narrowed = info.context.actor, (filter or MeterFilter()).narrowed()
        page = page_request(first, after, SORT, str, str, UUID)
        rows = await queries.meters(actor, compound_id, narrowed, after=page.after, limit=page.limit)

        async def count() -> int:
            return await queries.count_meters(actor, compound_id, narrowed)

        return connection(page, rows, _keys, as_meter, count)

    @strawberry.field(
        description="What was used by month, building and kind, at most 13 months; for staff with meters.read.",
        extensions=[staff_only],
    )
    async def consumption(
        self,
        info: Info,
        *,
        compound: Annotated[strawberry.ID, strawberry.argument(description="The compound.")],
        from_month: Annotated[date, strawberry.argument(description="Any day of the first month.")],
        until_month: Annotated[date, strawberry.argument(description="Any day of the last month.")],
        kind: Annotated[MeterKind | None, strawberry.argument(description="Only these meters.")] = None,
        building: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only this building.")
        ] = None,
    ) -> list[Consumption] | None:
        rows = await consumption.report(
            info.context.actor, decode(compound, "Compound", "compound"), from_month=from_month,
            until_month=until_month, kind=str(kind.value) if kind else None,
            building_id=decode(building, "Building", "building") if building else None,
        )  # fmt: skip
        return cast("list[Consumption]", rows)


async def meter_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Meters by id, those the caller may see."""
    return await queries.by_id(context.actor, ids)


NODES = {"Meter": meter_nodes}
