"""Bills in the API (账单): those who pay them and the staff see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, cast
from uuid import UUID

import strawberry

from domains.billing import late_fees
from domains.billing.charges.explanation import explain
from domains.billing.queries import bills as queries
from payments.rules import KINDS
from schema.context import Context, Info, Loader
from schema.fee_items import FeeCategory
from schema.houses import HouseLoader
from schema.permissions import residents_only, signed_in, staff_only
from schema.relay import After, Connection, First, Key, Node, connection, decode, encode, page_request
from schema.scalars import Long

if TYPE_CHECKING:
    from schema.estate import House

OWN_SORT, STAFF_SORT = "bills:own", "bills:month"


@strawberry.enum(description="How far a bill is (账单状态). New values may appear: keep a default branch.")
class BillState(Enum):
    OPEN = strawberry.enum_value("open", description="待缴")
    PARTLY_PAID = strawberry.enum_value("partly_paid", description="部分缴纳")
    PAID = strawberry.enum_value("paid", description="已缴清")
    VOID = strawberry.enum_value("void", description="已作废")


@strawberry.enum(description="Who pays (缴费人).")
class BillPayer(Enum):
    OWNER = strawberry.enum_value("owner", description="业主")
    TENANT = strawberry.enum_value("tenant", description="租客")
    DEVELOPER = strawberry.enum_value("developer", description="开发商")


@strawberry.enum(description="What a line is (明细类别).")
class BillLineKind(Enum):
    CHARGE = strawberry.enum_value("charge", description="收费")
    ADJUSTMENT = strawberry.enum_value("adjustment", description="调整")


@strawberry.enum(description="What is corrected, and how (更正方式).")
class CorrectionKind(Enum):
    WAIVER = strawberry.enum_value("waiver", description="减免")
    ADJUSTMENT = strawberry.enum_value("adjustment", description="调整")
    VOID = strawberry.enum_value("void", description="作废")


@strawberry.enum(description="Which part of a bill (账单部分).")
class BillPart(Enum):
    PRINCIPAL = strawberry.enum_value("principal", description="本金")
    LATE_FEE = strawberry.enum_value("late_fee", description="滞纳金")


class BillLinesLoader(Loader[UUID, list[queries.Line]]):
    """The lines of bills, by bill."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[queries.Line]]:
        """One statement for all bills."""
        return await queries.lines(keys)


class BillPaymentsLoader(Loader[UUID, list[queries.Payment]]):
    """What was paid of bills, by bill."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[queries.Payment]]:
        """One statement for all bills."""
        return await queries.payments(keys)


class BillEffectsLoader(Loader[UUID, list[queries.Effect]]):
    """What was corrected on bills, by bill."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[queries.Effect]]:
        """One statement for all bills."""
        return await queries.effects(keys)


def _line_words(root: queries.Line, info: Info) -> str:
    if root.kind == "adjustment":
        return str(root.basis["reason"])
    return explain(root.basis, info.context.language)


@strawberry.type(description="A line of a bill (账单明细): a fee item for a period, or an adjustment of one.")
class BillLine:
    line_id: strawberry.ID = strawberry.field(
        name="id",
        resolver=lambda root: strawberry.ID(encode("BillLine", root.id)),
        description="Its id, for `requestAdjustment`.",
    )
    kind: BillLineKind = strawberry.field(description="A charge or an adjustment.")
    fee_item: strawberry.ID = strawberry.field(
        resolver=lambda root: strawberry.ID(encode("FeeItem", root.fee_item_id)), description="The fee item."
    )
    fee_item_name: str = strawberry.field(description="Name of the fee item: 物业费.")
    category: FeeCategory = strawberry.field(description="What it is for.")
    period_from: date = strawberry.field(description="First day of the period.")
    period_until: date = strawberry.field(description="First day after the period.")
    amount_fen: Long = strawberry.field(
        description="Fen; below zero where an adjustment takes something off."
    )

    explanation: str = strawberry.field(resolver=_line_words, description="How the amount came, in words.")


def _means(root: queries.Payment, info: Info) -> str:
    zh, en = KINDS[root.kind]
    return en if info.context.language == "en" else zh


@strawberry.type(description="What was paid of a bill at once (缴费记录).")
class BillPayment:
    payment: strawberry.ID = strawberry.field(
        resolver=lambda root: strawberry.ID(encode("BillPayment", root.id)),
        description="Its id, to have a receipt of it.",
    )
    paid_on: date = strawberry.field(description="Day of payment.")
    principal_fen: Long = strawberry.field(
        description="Fen of the principal; below zero where it was taken back."
    )
    late_fee_fen: Long = strawberry.field(description="Fen of the late fee.")

    means: str = strawberry.field(resolver=_means, description="How it was paid, in words: 预存抵扣.")


@strawberry.type(description="A correction that took effect (已生效的更正).")
class BillCorrection:
    kind: CorrectionKind = strawberry.field(description="Waiver, adjustment or void.")
    concerns: BillPart = strawberry.field(description="Which part of the bill.")
    effect_fen: Long = strawberry.field(description="Fen that are owed more; below zero: less.")
    reason: str = strawberry.field(description="Why.")
    decided_at: datetime = strawberry.field(description="When it took effect.")


def _late_fee_words(root: queries.Bill, info: Info) -> str:
    if root.terms is None or root.state == "void":
        return ""
    return late_fees.explain(root.late_fee, root.terms, info.context.language)


def _compound(root: queries.Bill) -> strawberry.ID:
    return strawberry.ID(encode("Compound", root.compound_id))


@strawberry.type(description="A bill (账单) as it stands today. Amounts are fen.")
class Bill(Node):
    id: strawberry.Private[UUID]
    house_id: strawberry.Private[UUID]
    compound: strawberry.ID = strawberry.field(
        resolver=_compound, description="Id of the compound: bills that are paid at once are of one."
    )
    house_number: str = strawberry.field(description="The house: 3号楼1单元101.")
    number: Long = strawberry.field(description="Its number in the compound (账单编号).")
    payer: BillPayer = strawberry.field(description="Who pays.")
    month: date = strawberry.field(description="Billing month, its first day (账期).")
    covers_from: date = strawberry.field(description="First day that its lines are for.")
    covers_until: date = strawberry.field(description="First day after them.")
    issued_on: date = strawberry.field(description="Day of issue.")
    due_on: date = strawberry.field(description="Last day to pay without being late (应缴日).")
    state: BillState = strawberry.field(description="How far it is.")
    is_overdue: bool = strawberry.field(description="Something is to be paid and the due date is past.")
    is_being_paid: bool = strawberry.field(description="A payment is under way: its amounts stand still.")
    issued_fen: Long = strawberry.field(description="The sum of its lines when it was issued.")
    principal_due_fen: Long = strawberry.field(description="Principal (本金) after corrections.")
    principal_settled_fen: Long = strawberry.field(description="Paid of the principal.")
    principal_outstanding_fen: Long = strawberry.field(description="To be paid of the principal.")
    late_fee_fen: Long = strawberry.field(description="Late fee (滞纳金) up to today, waivers taken off.")
    late_fee_settled_fen: Long = strawberry.field(description="Paid of the late fee.")
    late_fee_outstanding_fen: Long = strawberry.field(description="To be paid of the late fee.")
    outstanding_fen: Long = strawberry.field(description="To be paid in all, today.")
    paid_at: datetime | None = strawberry.field(description="Since when it is paid in full.")

    late_fee_explanation: str = strawberry.field(
        resolver=_late_fee_words,
        description="How the late fee came, before waivers, in words; empty where there is none.",
    )

    @strawberry.field(description="Its lines, with adjustments.")
    async def lines(self, info: Info) -> list[BillLine]:
        return cast("list[BillLine]", await info.context.loader(BillLinesLoader).load(self.id) or [])

    @strawberry.field(description="What was paid of it, the first payment first.")
    async def payments(self, info: Info) -> list[BillPayment]:
        return cast("list[BillPayment]", await info.context.loader(BillPaymentsLoader).load(self.id) or [])

    @strawberry.field(description="Corrections that took effect, the first one first.")
    async def corrections(self, info: Info) -> list[BillCorrection]:
        return cast("list[BillCorrection]", await info.context.loader(BillEffectsLoader).load(self.id) or [])

    @strawberry.field(description="The house, where the caller may see it.")
    async def house(self, info: Info) -> Annotated[House, strawberry.lazy("schema.estate")] | None:
        return cast("House | None", await info.context.loader(HouseLoader).load(self.house_id))

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.Bill)


def _month(row: queries.Bill) -> tuple[Key, ...]:
    return row.month, row.id


def as_bill(row: queries.Bill) -> Bill:
    """A row stands for the type."""
    return row  # type: ignore[return-value]  # rows stand for the type


States = Annotated[list[BillState] | None, strawberry.argument(description="Only these; null for all.")]


def _states(states: list[BillState] | None) -> list[str] | None:
    return None if states is None else [str(state.value) for state in states]


@strawberry.type
class BillsViewer:
    """The bills that are the caller's to pay."""

    @strawberry.field(
        description="The caller's bills, the newest first: owners, and their family while they own, see those of the "
        "owner, tenants those of the tenant, of the time they are or were there; what names the caller they see for "
        "ever, and owners what a tenant has owed for thirty days. Whoever sees a bill is told of it.",
        extensions=[residents_only],
    )
    async def bills(
        self,
        info: Info,
        *,
        states: States = None,
        houses: Annotated[
            list[strawberry.ID] | None, strawberry.argument(description="Only of these houses.")
        ] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Bill] | None:
        page = page_request(first, after, OWN_SORT, date, UUID)
        house_ids = None if houses is None else [decode(each, "House", "houses") for each in houses]
        rows = await queries.own(
            info.context.actor,
            states=_states(states),
            house_ids=house_ids,
            after=page.after,
            limit=page.limit,
        )
        return connection(page, rows, _month, as_bill)


@strawberry.type
class BillsQuery:
    """Root fields of bills."""

    @strawberry.field(
        description="A bill by its id; null if it does not exist or is not the caller's to see.",
        extensions=[signed_in],
    )
    async def bill(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
    ) -> Bill | None:
        bill_id = decode(id, "Bill", "id")
        return cast("Bill | None", (await queries.by_id(info.context.actor, [bill_id])).get(bill_id))

    @strawberry.field(
        description="A compound's bills, the newest first. For staff with bills.read, audited.",
        extensions=[staff_only],
    )
    async def bills(
        self,
        info: Info,
        *,
        compound: Annotated[strawberry.ID, strawberry.argument(description="The compound.")],
        month: Annotated[
            date | None, strawberry.argument(description="Billing month, its first day.")
        ] = None,
        states: States = None,
        house: Annotated[str | None, strawberry.argument(description="A part of the house's number.")] = None,
        overdue: Annotated[bool, strawberry.argument(description="Only those that are overdue.")] = False,
        first: First = 20,
        after: After = None,
    ) -> Connection[Bill] | None:
        compound_id, actor = decode(compound, "Compound", "compound"), info.context.actor
        page = page_request(first, after, STAFF_SORT, date, UUID)
        wanted = queries.Search(month, _states(states), house, overdue)
        rows = await queries.for_staff(actor, compound_id, wanted, after=page.after, limit=page.limit)

        async def count() -> int:
            return await queries.count_for_staff(actor, compound_id, wanted)

        return connection(page, rows, _month, as_bill, count)


async def bill_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Bills by id, those the caller may see."""
    return await queries.by_id(context.actor, ids)


NODES = {"Bill": bill_nodes}
