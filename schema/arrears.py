"""Arrears in the API (欠费): by house, by how long, by building, and as a file."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.billing.dunning import AGES
from domains.billing.queries import arrears as queries
from domains.billing.service import arrears_export
from domains.kernel.sheets import Form
from schema.bills import BillPayer
from schema.context import Info
from schema.errors import refusals_as_data
from schema.exports import ExportedFile, ExportPayload, SheetFormat
from schema.limits.cost import cost
from schema.permissions import staff_only
from schema.promises import PaymentPromise
from schema.relay import After, Connection, First, Key, connection, decode, encode, page_request
from schema.scalars import Long

SORTS = {"age": "arrears:age", "amount": "arrears:amount"}


@strawberry.enum(description="What comes first in a list of arrears (排序).")
class ArrearsSort(Enum):
    AGE = strawberry.enum_value("age", description="账龄: what has been owed the longest")
    AMOUNT = strawberry.enum_value("amount", description="金额: the most principal")


@strawberry.type(description="What has been owed for so many days (账龄区间).")
class ArrearsAge:
    from_days: int = strawberry.field(description="From so many days past the due date.")
    until_days: int | None = strawberry.field(description="To so many, included; null is no end.")
    bills: int = strawberry.field(description="How many bills.")
    principal_fen: Long = strawberry.field(description="Principal that is open, fen.")


@strawberry.type(description="Somebody who is to pay (缴费人).")
class Debtor:
    capacity: BillPayer = strawberry.field(description="As what.")
    name: str = strawberry.field(description="Name.")
    phone: str | None = strawberry.field(description="Number, masked; null if none is registered.")


def _bills(root: queries.HouseArrears) -> list[strawberry.ID]:
    return [strawberry.ID(encode("Bill", id)) for id in root.bill_ids]


@strawberry.type(description="What a house owes past its due dates (欠费).")
class HouseArrears:
    house: strawberry.ID = strawberry.field(
        resolver=lambda root: strawberry.ID(encode("House", root.house_id)),
        description="Id of the house, for `remindNow`, `recordPromise` and its account.",
    )
    house_number: str = strawberry.field(description="The house: 3号楼1单元101.")
    building_name: str = strawberry.field(description="Its building.")
    bills: list[strawberry.ID] = strawberry.field(
        resolver=_bills, description="Ids of the bills, the oldest first, for `nodes`."
    )
    principal_fen: Long = strawberry.field(description="Principal that is open, fen.")
    late_fee_fen: Long = strawberry.field(description="Late fee as of today, fen.")
    total_fen: Long = strawberry.field(description="Both, fen.")
    oldest_due_on: date = strawberry.field(description="When the oldest of it was due.")
    age_days: int = strawberry.field(description="Days since then.")
    ages: list[ArrearsAge] = strawberry.field(
        description="The principal by how long it has been owed, six spans.", metadata=cost(assumed=len(AGES))
    )
    people: list[Debtor] = strawberry.field(
        description="Who is to pay: whom a bill names, else the owners or tenants of its time.",
        metadata=cost(assumed=3),
    )
    promise: PaymentPromise | None = strawberry.field(description="The last promise that was not withdrawn.")
    reminded_on: date | None = strawberry.field(description="The last reminder, by rule or by hand.")

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.HouseArrears)


def _building(root: queries.ArrearsSum) -> strawberry.ID | None:
    return strawberry.ID(encode("Building", root.building_id)) if root.building_id else None


@strawberry.type(description="What is owed past its due date in a building, or in all of them (欠费汇总).")
class ArrearsSum:
    building: strawberry.ID | None = strawberry.field(
        resolver=_building, description="Id of the building; null for all that the caller may see."
    )
    building_name: str | None = strawberry.field(description="Its name; null for all.")
    houses: int = strawberry.field(description="How many houses owe something.")
    bills: int = strawberry.field(description="How many bills.")
    principal_fen: Long = strawberry.field(description="Principal that is open, fen.")
    ages: list[ArrearsAge] = strawberry.field(
        description="By how long it has been owed, six spans.", metadata=cost(assumed=len(AGES))
    )


@strawberry.input(description="What a list of arrears is narrowed to; what is left out narrows nothing.")
class ArrearsFilter:
    building: strawberry.ID | None = strawberry.field(default=None, description="Only this building.")
    age_at_least: int | None = strawberry.field(
        default=None, description="Houses whose oldest bill is so many days past its due date, or more."
    )
    fen_at_least: Long | None = strawberry.field(
        default=None, description="Houses with so much principal open, or more, fen."
    )
    payer: BillPayer | None = strawberry.field(default=None, description="Only what they are to pay.")
    words: str | None = strawberry.field(
        default=None,
        description="A part of the house's number or of a name, or a phone or its last four digits.",
    )

    def narrowed(self) -> queries.ArrearsFilter:
        """As the query takes it. Raises Invalid BAD_ID."""
        return queries.ArrearsFilter(
            decode(self.building, "Building", "filter.building") if self.building else None, self.age_at_least,
            self.fen_at_least, str(self.payer.value) if self.payer else None, self.words,
        )  # fmt: skip


@strawberry.input(description="Which arrears to make a file of.")
class ExportArrearsInput:
    compound: strawberry.ID = strawberry.field(description="The compound.")
    filter: ArrearsFilter | None = strawberry.field(default=None, description="What it is narrowed to.")
    sort: ArrearsSort = strawberry.field(default=ArrearsSort.AGE, description="What comes first.")
    format: SheetFormat = strawberry.field(default=SheetFormat.XLSX, description="Kind of file.")


@strawberry.type
class ArrearsMutation:
    """Mutations of arrears: none changes one."""

    @strawberry.mutation(
        description="Make a file of the arrears of up to 100,000 houses (导出欠费); for staff with bills.read, audited.",
        extensions=[staff_only],
    )
    @refusals_as_data(ExportPayload)
    async def export_arrears(
        self, info: Info, input: Annotated[ExportArrearsInput, strawberry.argument(description="Which.")]
    ) -> ExportPayload:
        made = await arrears_export.export_arrears(
            info.context.actor, compound_id=decode(input.compound, "Compound", "compound"),
            narrowed=(input.filter or ArrearsFilter()).narrowed(), sort=cast("queries.Sort", input.sort.value),
            form=cast("Form", input.format.value),
        )  # fmt: skip
        return ExportPayload(file=cast("ExportedFile", made))


def _by_age(row: queries.HouseArrears) -> tuple[Key, ...]:
    return row.oldest_due_on, row.house_id


def _by_amount(row: queries.HouseArrears) -> tuple[Key, ...]:
    return row.principal_fen, row.house_id


def _as_arrears(row: queries.HouseArrears) -> HouseArrears:
    return row  # type: ignore[return-value]  # rows stand for the type


Compound = Annotated[strawberry.ID, strawberry.argument(description="The compound.")]


@strawberry.type
class ArrearsQuery:
    """Root fields of arrears."""

    @strawberry.field(
        description="The houses of a compound that owe something past its due date, sorted and narrowed by principal "
        "alone; for staff with bills.read, audited.",
        extensions=[staff_only],
    )
    async def arrears(
        self,
        info: Info,
        *,
        compound: Compound,
        filter: Annotated[ArrearsFilter | None, strawberry.argument(description="Narrows the list.")] = None,
        sort: Annotated[ArrearsSort, strawberry.argument(description="What comes first.")] = ArrearsSort.AGE,
        first: First = 20,
        after: After = None,
    ) -> Connection[HouseArrears] | None:
        actor, compound_id = info.context.actor, decode(compound, "Compound", "compound")
        by, narrowed = cast("queries.Sort", sort.value), (filter or ArrearsFilter()).narrowed()
        keys, kind = (_by_age, date) if by == "age" else (_by_amount, int)
        page = page_request(first, after, SORTS[by], kind, UUID)
        rows = await queries.arrears(
            actor, compound_id, narrowed, sort=by, after=page.after, limit=page.limit
        )

        async def count() -> int:
            return await queries.count(actor, compound_id, narrowed)

        return connection(page, rows, keys, _as_arrears, count)

    @strawberry.field(
        description="What is owed past its due date: all of it first, then by building in their order, at most 500; for "
        "staff with bills.read.",
        extensions=[staff_only],
    )
    async def arrears_summary(self, info: Info, compound: Compound) -> list[ArrearsSum] | None:
        compound_id = decode(compound, "Compound", "compound")
        return cast("list[ArrearsSum]", await queries.summary(info.context.actor, compound_id))
