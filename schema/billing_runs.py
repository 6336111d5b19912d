"""Runs in the API (出账): what a month would come to, what was billed, what could not be."""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Generic, TypeVar, cast
from uuid import UUID

import strawberry

from domains.billing.queries import bills as bill_queries
from domains.billing.queries import runs as queries
from domains.billing.rules import EXCEPTIONS
from domains.billing.service import runs as service
from domains.billing.service.previewing import Problem
from schema.bills import Bill
from schema.context import Context, Info, Loader
from schema.limits.cost import cost
from schema.permissions import staff_only
from schema.relay import (
    After,
    Connection,
    First,
    Key,
    Node,
    PageRequest,
    connection,
    decode,
    encode,
    page_request,
)
from schema.scalars import Long

Row = TypeVar("Row")

SORT, EXCEPTIONS_SORT, BILLS_SORT = "billing_runs:created", "run_exceptions:code", "run_bills:number"


@strawberry.enum(description="How far a run is (批次状态). New values may appear: keep a default branch.")
class BillingRunState(Enum):
    DRAFT = strawberry.enum_value("draft", description="待审批")
    APPROVED = strawberry.enum_value("approved", description="已审批,出账中")
    POSTED = strawberry.enum_value("posted", description="已出账")
    CANCELLED = strawberry.enum_value("cancelled", description="已取消; bills that were made stay")


@strawberry.enum(
    description="Why a line could not be made (出账异常). New values may appear: keep a default branch."
)
class BillingProblemCode(Enum):
    _ignore_ = "code label"
    for code, label in EXCEPTIONS.items():
        locals()[code] = strawberry.enum_value(code, description=label)


def _item(root: object) -> strawberry.ID:
    return strawberry.ID(encode("FeeItem", root.fee_item_id))  # type: ignore[attr-defined]  # rows that have one


def _house(root: Problem) -> strawberry.ID:
    return strawberry.ID(encode("House", root.house_id))


@strawberry.type(description="What a fee item comes to in a run, beside the billing month before.")
class BillingItemTotal:
    fee_item: strawberry.ID = strawberry.field(resolver=_item, description="Id of the fee item.")
    name: str = strawberry.field(description="Its name.")
    lines: int = strawberry.field(description="Lines, one for a house, period and payer.")
    fen: Long = strawberry.field(description="Fen in all.")
    previous_lines: int = strawberry.field(description="Lines of the month before.")
    previous_fen: Long = strawberry.field(description="Fen of the month before.")
    difference_fen: Long = strawberry.field(
        description="Fen more than in the month before; below zero: less."
    )


@strawberry.type(description="How many lines cannot be made for one reason.")
class BillingProblemCount:
    code: BillingProblemCode = strawberry.field(description="The reason.")
    count: int = strawberry.field(description="How many lines.")


@strawberry.type(description="A line that cannot be made, and why (出账异常); it stops no other.")
class BillingProblem:
    house: strawberry.ID = strawberry.field(resolver=_house, description="Id of the house.")
    house_number: str = strawberry.field(description="The house: 3号楼1单元101.")
    fee_item: strawberry.ID = strawberry.field(resolver=_item, description="Id of the fee item.")
    fee_item_name: str = strawberry.field(description="Its name.")
    period_from: date = strawberry.field(description="First day of the period.")
    code: BillingProblemCode = strawberry.field(description="Why.")


@strawberry.type(description="What a run would come to (出账预览); nothing is written.")
class BillingPreview:
    houses: int = strawberry.field(description="Houses gone through.")
    total_fen: Long = strawberry.field(description="Fen of all lines.")
    lines: int = strawberry.field(description="Lines in all.")
    items: list[BillingItemTotal] = strawberry.field(
        description="By fee item; those without a line are left out."
    )
    problems: list[BillingProblemCount] = strawberry.field(
        description="How many lines cannot be made, by reason.", metadata=cost(assumed=7)
    )
    samples: list[BillingProblem] = strawberry.field(description="The first 100 lines that cannot be made.")


@dataclass(frozen=True, slots=True)
class RunPart:
    """A page of what hangs on a run; of its problems those of one reason, or of any."""

    run_id: UUID
    page: PageRequest
    code: str | None = None


class _PartLoader(Loader[RunPart, list[Row]], Generic[Row]):
    """Pages of runs: those of a list are asked for alike, and are one statement."""

    async def fetch(self, keys: list[RunPart]) -> Mapping[RunPart, list[Row]]:
        """One statement for all runs."""
        alike: defaultdict[tuple[PageRequest, str | None], list[RunPart]] = defaultdict(list)
        for key in keys:
            alike[key.page, key.code].append(key)
        found: dict[RunPart, list[Row]] = {}
        for (page, code), parts in alike.items():
            rows = await self.read([part.run_id for part in parts], page, code)
            found |= {part: rows.get(part.run_id, []) for part in parts}
        return found

    @abstractmethod
    async def read(
        self, run_ids: list[UUID], page: PageRequest, code: str | None
    ) -> Mapping[UUID, list[Row]]:
        """The rows of these runs on that page."""


class ExceptionsLoader(_PartLoader[queries.RunException]):
    """What runs could not charge."""

    async def read(
        self, run_ids: list[UUID], page: PageRequest, code: str | None
    ) -> Mapping[UUID, list[queries.RunException]]:
        """One statement."""
        return await queries.exceptions(run_ids, code, after=page.after, limit=page.limit)


class RunBillsLoader(_PartLoader[bill_queries.Bill]):
    """The bills of runs."""

    async def read(
        self, run_ids: list[UUID], page: PageRequest, code: str | None
    ) -> Mapping[UUID, list[bill_queries.Bill]]:
        """Two statements, whatever the number of runs."""
        return await queries.bills_of(self.context.actor, run_ids, after=page.after, limit=page.limit)


def _as_problem(row: queries.RunException) -> BillingProblem:
    return cast("BillingProblem", row.problem)


def _problem_keys(row: queries.RunException) -> tuple[Key, ...]:
    return row.problem.code, row.id


@strawberry.type(
    description="A run (出账批次): bills of a month for a compound, previewed, approved, posted."
)
class BillingRun(Node):
    id: strawberry.Private[UUID]
    compound_id: strawberry.Private[UUID]
    month: date = strawberry.field(description="The billing month, its first day (账期).")
    from_month: date = strawberry.field(description="First month whose missing lines are added.")
    issued_on: date = strawberry.field(description="The day on its bills.")
    due_on: date | None = strawberry.field(
        description="The due date of its bills; null for runs of earlier versions."
    )
    state: BillingRunState = strawberry.field(description="How far it is.")
    is_scheduled: bool = strawberry.field(
        description="It was begun by itself, on the compound's billing day."
    )
    discount_percent: Decimal = strawberry.field(description="Percent off, where months are paid ahead.")
    expected_fen: Long = strawberry.field(description="The previewed total, to be approved as such.")
    houses: int = strawberry.field(description="Houses to go through.")
    houses_done: int = strawberry.field(description="Houses gone through.")
    progress: float = strawberry.field(description="From 0 to 1.")
    bill_count: int = strawberry.field(description="Bills made so far.")
    line_count: int = strawberry.field(description="Lines made so far.")
    posted_fen: Long = strawberry.field(description="Fen billed so far.")
    exception_count: int = strawberry.field(description="Lines that could not be made so far.")
    created_by_name: str | None = strawberry.field(description="Who began it; null for the house itself.")
    created_at: datetime = strawberry.field(description="When it was begun.")
    approved_by_name: str | None = strawberry.field(description="Who approved it; null for the house itself.")
    approved_at: datetime | None = strawberry.field(description="When it was approved.")
    returned_at: datetime | None = strawberry.field(
        description="When it was last sent back for approval, its charges having changed; bills that were made stay."
    )
    ended_at: datetime | None = strawberry.field(description="When it was posted or cancelled.")
    items: list[BillingItemTotal] = strawberry.field(description="Totals by fee item, as previewed.")
    problems: list[BillingProblemCount] = strawberry.field(
        description="Lines that could not be made when it was previewed, by reason.", metadata=cost(assumed=7)
    )
    compound: strawberry.ID = strawberry.field(
        resolver=lambda root: strawberry.ID(encode("Compound", root.compound_id)), description="Id of the compound."
    )  # fmt: skip

    @strawberry.field(description="What it could not charge (异常清单), by reason.")
    async def exceptions(
        self,
        info: Info,
        *,
        code: Annotated[
            BillingProblemCode | None, strawberry.argument(description="Only this reason.")
        ] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[BillingProblem]:
        part = RunPart(
            self.id, page_request(first, after, EXCEPTIONS_SORT), str(code.value) if code else None
        )
        rows = await info.context.loader(ExceptionsLoader).load(part) or []
        return connection(part.page, rows, _problem_keys, _as_problem)

    @strawberry.field(description="Its bills by number, for staff with bills.read; audited.")
    async def bills(self, info: Info, *, first: First = 20, after: After = None) -> Connection[Bill] | None:
        queries.require_bills(info.context.actor, cast("queries.BillingRun", self))
        part = RunPart(self.id, page_request(first, after, BILLS_SORT, int))
        rows = await info.context.loader(RunBillsLoader).load(part) or []
        return connection(part.page, rows, lambda row: (row.number,), lambda row: cast("Bill", row))

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.BillingRun)


def _keys(row: queries.BillingRun) -> tuple[Key, ...]:
    return row.created_at, row.id


OfCompound = Annotated[strawberry.ID, strawberry.argument(description="The compound.")]
Month = Annotated[date, strawberry.argument(description="The billing month, its first day.")]
FromMonth = Annotated[
    date | None,
    strawberry.argument(
        description="First month whose missing lines are added; the month itself unless told."
    ),
]
FeeItems = Annotated[
    list[strawberry.ID] | None, strawberry.argument(description="Only these fee items; all unless told.")
]
IssuedOn = Annotated[
    date | None,
    strawberry.argument(description="The day on the bills; today unless told, 60 days off at most."),
]


def decoded_items(fee_items: Sequence[strawberry.ID] | None) -> list[UUID]:
    """Ids of fee items. Raises Invalid BAD_ID."""
    return [decode(id, "FeeItem", "fee_items") for id in fee_items or ()]


@strawberry.type
class BillingRunsQuery:
    """Root fields of runs."""

    @strawberry.field(
        description="What a run for a month would come to, and what it could not charge; nothing is written. For staff "
        "with billing.start in the whole compound.",
        extensions=[staff_only],
    )
    async def preview_billing_run(
        self,
        info: Info,
        *,
        compound: OfCompound,
        month: Month,
        from_month: FromMonth = None,
        fee_items: FeeItems = None,
        issued_on: IssuedOn = None,
    ) -> BillingPreview | None:
        found = await service.preview_billing_run(
            info.context.actor, compound_id=decode(compound, "Compound", "compound"), month=month,
            from_month=from_month, fee_item_ids=decoded_items(fee_items), issued_on=issued_on,
        )  # fmt: skip
        return cast("BillingPreview", found)

    @strawberry.field(
        description="A run with its progress; for staff who start or approve runs, or read bills, in the whole compound.",
        extensions=[staff_only],
    )
    async def billing_run(
        self, info: Info, run: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
    ) -> BillingRun | None:
        id = decode(run, "BillingRun", "run")
        return cast("BillingRun | None", (await queries.by_id(info.context.actor, [id])).get(id))

    @strawberry.field(
        description="A compound's runs, the last one first; for the same staff.", extensions=[staff_only]
    )
    async def billing_runs(
        self, info: Info, *, compound: OfCompound, first: First = 20, after: After = None
    ) -> Connection[BillingRun] | None:
        page = page_request(first, after, SORT, datetime, UUID)
        compound_id = decode(compound, "Compound", "compound")
        rows = await queries.billing_runs(info.context.actor, compound_id, after=page.after, limit=page.limit)
        return connection(page, rows, _keys, lambda row: cast("BillingRun", row))


async def billing_run_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Runs by id, those the caller may see."""
    return await queries.by_id(context.actor, ids)


NODES = {"BillingRun": billing_run_nodes}
