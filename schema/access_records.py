"""What was tried at doors, in the API: lists, statistics and files of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, cast
from uuid import UUID

import strawberry

from domains.access.queries import records as queries
from domains.access.queries import statistics
from domains.access.service import exporting
from domains.kernel.sheets import Form
from schema.context import Context, Info
from schema.doors import AccessMethod
from schema.errors import refusals_as_data
from schema.exports import ExportedFile, ExportPayload, SheetFormat
from schema.houses import HouseLoader
from schema.limits.cost import cost
from schema.permissions import residents_only, staff_only
from schema.relay import (
    After,
    Connection,
    First,
    Key,
    Node,
    connection,
    decode,
    encode,
    page_request,
)

if TYPE_CHECKING:
    from schema.estate import House

SORT, OWN_SORT = "access_records:at:desc", "access_records:own:desc"


@strawberry.enum(description="Which way somebody went (进出方向).")
class AccessDirection(Enum):
    IN = strawberry.enum_value("in", description="进")
    OUT = strawberry.enum_value("out", description="出")
    UNKNOWN = strawberry.enum_value("unknown", description="未知: the door leads both ways")


@strawberry.enum(description="What came of an attempt (通行结果).")
class AccessResult(Enum):
    OPENED = strawberry.enum_value("opened", description="已通行")
    REFUSED = strawberry.enum_value("refused", description="未通行, for a reason")
    UNKNOWN = strawberry.enum_value("unknown", description="结果不明: the door has not answered")


def _global(type_name: str, id: UUID | None) -> strawberry.ID | None:
    return None if id is None else strawberry.ID(encode(type_name, id))


@strawberry.type(description="One attempt at a door, opened or not (通行记录).")
class AccessRecord(Node):
    id: strawberry.Private[UUID]
    door_id: strawberry.Private[UUID]
    house_id: strawberry.Private[UUID | None]
    person_id: strawberry.Private[UUID | None]
    visitor_pass_id: strawberry.Private[UUID | None]
    door_name: str = strawberry.field(description="Name of the door.")
    house_number: str | None = strawberry.field(
        description="The registered house, or the one that is visited: 3号楼1单元101; null where none is known."
    )
    who: str = strawberry.field(description="The name as it was then; empty where nobody was recognised.")
    plate: str = strawberry.field(description="Number plate; empty for who walked.")
    is_vehicle: bool = strawberry.field(description="Whether a vehicle went through.")
    at: datetime = strawberry.field(
        description="When: by the device's clock where that can be believed, else by ours."
    )
    device_at: datetime | None = strawberry.field(
        description="What the device's clock said; null if nothing."
    )
    received_at: datetime = strawberry.field(description="When it came to us.")
    direction: AccessDirection = strawberry.field(description="Which way.")
    method: AccessMethod = strawberry.field(description="How it was tried.")
    result: AccessResult = strawberry.field(description="What came of it.")
    reason: str = strawberry.field(
        description="Code of why not, such as EXPIRED or GUARD_REFUSED; empty where it opened."
    )
    note: str = strawberry.field(description="What the guard wrote; may be empty.")
    guard_name: str | None = strawberry.field(
        description="The guard who admitted or refused; null if none did."
    )
    door: strawberry.ID = strawberry.field(
        resolver=lambda root: strawberry.ID(encode("Door", root.door_id)), description="Id of the door."
    )
    person: strawberry.ID | None = strawberry.field(
        resolver=lambda root: _global("Person", root.person_id),
        description="Id of the resident; null for others.",
    )
    visitor_pass: strawberry.ID | None = strawberry.field(
        resolver=lambda root: _global("VisitorPass", root.visitor_pass_id),
        description="Id of the visitor's pass; null where none was used.",
    )

    @strawberry.field(description="The house, where the caller may see it.")
    async def house(self, info: Info) -> Annotated[House, strawberry.lazy("schema.estate")] | None:
        if self.house_id is None:
            return None
        return cast("House | None", await info.context.loader(HouseLoader).load(self.house_id))

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.AccessRecord)


@strawberry.type(description="Attempts at doors, counted.")
class AccessTally:
    attempts: int = strawberry.field(description="All of them.")
    opened: int = strawberry.field(description="Those that opened.")
    refused: int = strawberry.field(description="Those that were refused; of what is left nobody knows.")


@strawberry.type(description="Attempts of a day in Asia/Shanghai.")
class AccessOfDay:
    day: date = strawberry.field(description="The day.")
    tally: AccessTally = strawberry.field(description="How many.")


@strawberry.type(description="Attempts at a door.")
class AccessOfDoor:
    door: strawberry.ID = strawberry.field(
        resolver=lambda root: strawberry.ID(encode("Door", root.door_id)), description="Id of the door."
    )
    door_name: str = strawberry.field(description="Name of the door.")
    tally: AccessTally = strawberry.field(description="How many.")


@strawberry.type(description="Attempts by a method.")
class AccessOfMethod:
    method: AccessMethod = strawberry.field(resolver=lambda root: root.key, description="The method.")
    tally: AccessTally = strawberry.field(description="How many.")


@strawberry.type(description="Attempts with a result.")
class AccessOfResult:
    result: AccessResult = strawberry.field(resolver=lambda root: root.key, description="The result.")
    tally: AccessTally = strawberry.field(description="How many.")


@strawberry.type(description="Attempts in a direction.")
class AccessOfDirection:
    direction: AccessDirection = strawberry.field(
        resolver=lambda root: root.key, description="The direction."
    )
    tally: AccessTally = strawberry.field(description="How many.")


@strawberry.type(description="What happened at a compound's doors in a period (通行统计).")
class AccessStatistics:
    total: AccessTally = strawberry.field(description="All attempts.")
    by_day: list[AccessOfDay] = strawberry.field(
        description="Every day of the period, in order, at most 366.", metadata=cost(assumed=31)
    )
    by_door: list[AccessOfDoor] = strawberry.field(
        description="By door, the most used first; at most the compound's doors."
    )
    by_method: list[AccessOfMethod] = strawberry.field(
        description="By method, the most used first, at most 12."
    )
    by_result: list[AccessOfResult] = strawberry.field(
        description="By result, the most frequent first, at most 3.", metadata=cost(assumed=3)
    )
    by_direction: list[AccessOfDirection] = strawberry.field(
        description="By direction, the most frequent first, at most 3.", metadata=cost(assumed=3)
    )


@strawberry.input(description="What a list of records is narrowed to; what is left out narrows nothing.")
class AccessRecordFilter:
    door: strawberry.ID | None = strawberry.field(default=None, description="Only this door.")
    house: strawberry.ID | None = strawberry.field(
        default=None, description="Only people and visitors of this house."
    )
    person: strawberry.ID | None = strawberry.field(default=None, description="Only this resident.")
    visitor_pass: strawberry.ID | None = strawberry.field(default=None, description="Only this pass.")
    plate: str | None = strawberry.field(default=None, description="A part of the number plate.")
    name: str | None = strawberry.field(default=None, description="A part of the name as it was then.")
    method: AccessMethod | None = strawberry.field(default=None, description="Only by this method.")
    result: AccessResult | None = strawberry.field(default=None, description="Only with this result.")
    direction: AccessDirection | None = strawberry.field(default=None, description="Only this way.")
    is_vehicle: bool | None = strawberry.field(
        default=None, description="Only vehicles, or only people on foot."
    )
    from_: datetime | None = strawberry.field(default=None, name="from", description="From then on.")
    until: datetime | None = strawberry.field(default=None, description="Before then.")

    def narrowed(self) -> queries.RecordFilter:
        """As the query takes it. Raises Invalid BAD_ID."""
        return queries.RecordFilter(
            door_id=_decoded(self.door, "Door", "filter.door"), house_id=_decoded(self.house, "House", "filter.house"),
            person_id=_decoded(self.person, "Person", "filter.person"),
            pass_id=_decoded(self.visitor_pass, "VisitorPass", "filter.visitor_pass"), plate=self.plate, name=self.name,
            method=_value(self.method), result=_value(self.result), direction=_value(self.direction),
            is_vehicle=self.is_vehicle, since=self.from_, until=self.until,
        )  # fmt: skip


def _decoded(id: strawberry.ID | None, type_name: str, field: str) -> UUID | None:
    return decode(id, type_name, field) if id else None


def _value(wanted: Enum | None) -> str | None:
    return str(wanted.value) if wanted else None


@strawberry.input(description="Which records to make a file of.")
class ExportAccessRecordsInput:
    compound: strawberry.ID = strawberry.field(description="The compound.")
    filter: AccessRecordFilter | None = strawberry.field(default=None, description="What it is narrowed to.")
    format: SheetFormat = strawberry.field(default=SheetFormat.XLSX, description="Kind of file.")


@strawberry.type
class AccessRecordsMutation:
    """Mutations of records: none changes one."""

    @strawberry.mutation(
        description="Make a file of up to 100,000 records (导出通行记录); for staff with access_records.read, audited.",
        extensions=[staff_only],
    )
    @refusals_as_data(ExportPayload)
    async def export_access_records(
        self,
        info: Info,
        input: Annotated[ExportAccessRecordsInput, strawberry.argument(description="Which, and how.")],
    ) -> ExportPayload:
        made = await exporting.export_access_records(
            info.context.actor, compound_id=decode(input.compound, "Compound", "compound"),
            narrowed=(input.filter or AccessRecordFilter()).narrowed(), form=cast("Form", input.format.value),
        )  # fmt: skip
        return ExportPayload(file=cast("ExportedFile", made))


def _keys(row: queries.AccessRecord) -> tuple[Key, ...]:
    return row.at, row.id


def _as_record(row: queries.AccessRecord) -> AccessRecord:
    return row  # type: ignore[return-value]  # rows stand for the type


OfCompound = Annotated[strawberry.ID, strawberry.argument(description="The compound.")]


@strawberry.type
class AccessRecordsQuery:
    """Root fields of records, for staff."""

    @strawberry.field(
        description="A compound's records, the last one first; for staff with access_records.read, audited.",
        extensions=[staff_only],
    )
    async def access_records(
        self,
        info: Info,
        *,
        compound: OfCompound,
        filter: Annotated[
            AccessRecordFilter | None, strawberry.argument(description="What it is narrowed to.")
        ] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[AccessRecord] | None:
        actor, compound_id = info.context.actor, decode(compound, "Compound", "compound")
        page = page_request(first, after, SORT, datetime, UUID)
        narrowed = (filter or AccessRecordFilter()).narrowed()
        rows = await queries.access_records(actor, compound_id, narrowed, after=page.after, limit=page.limit)

        async def count() -> int:
            return await queries.count(actor, compound_id, narrowed)

        return connection(page, rows, _keys, _as_record, count)

    @strawberry.field(
        description="How often a compound's doors were passed within up to 366 days; for staff with "
        "access_records.read.",
        extensions=[staff_only],
    )
    async def access_statistics(
        self,
        info: Info,
        *,
        compound: OfCompound,
        from_: Annotated[date, strawberry.argument(name="from", description="First day.")],
        until: Annotated[date, strawberry.argument(description="Last day, included.")],
    ) -> AccessStatistics | None:
        compound_id = decode(compound, "Compound", "compound")
        found = await statistics.access_statistics(
            info.context.actor, compound_id, from_on=from_, until_on=until
        )
        return cast("AccessStatistics", found)


@strawberry.type
class AccessRecordsViewer:
    """The caller's own records."""

    @strawberry.field(
        description="The caller's own passages, and the visitors of the caller's houses since the caller belongs to "
        "them, the last one first; for residents.",
        extensions=[residents_only],
    )
    async def access_records(
        self,
        info: Info,
        *,
        visitor_pass: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only of this pass of the caller's houses.")
        ] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[AccessRecord] | None:
        page = page_request(first, after, OWN_SORT, datetime, UUID)
        pass_id = _decoded(visitor_pass, "VisitorPass", "visitor_pass")
        rows = await queries.own(info.context.actor, pass_id, after=page.after, limit=page.limit)
        return connection(page, rows, _keys, _as_record)


async def access_record_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Records by id, those the caller may see."""
    return await queries.by_id(context.actor, ids)


NODES = {"AccessRecord": access_record_nodes}
