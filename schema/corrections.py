"""Corrections of bills in the API (减免、调整、作废): asked for by one of the staff, decided by another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.billing.queries import bills as bill_queries
from domains.billing.queries import corrections as queries
from domains.billing.service import corrections as service
from schema.bills import Bill, BillPart, CorrectionKind
from schema.context import Context, Info, Loader
from schema.errors import Payload, refusals_as_data
from schema.permissions import staff_only
from schema.relay import After, Connection, First, Key, Node, connection, decode, page_request
from schema.scalars import Long

SORT = "corrections:requested"


@strawberry.enum(description="How far a correction is (更正状态).")
class CorrectionState(Enum):
    REQUESTED = strawberry.enum_value("requested", description="待审批")
    APPROVED = strawberry.enum_value("approved", description="已生效")
    REJECTED = strawberry.enum_value("rejected", description="已驳回")
    WITHDRAWN = strawberry.enum_value("withdrawn", description="已撤回")


@strawberry.enum(description="What is decided (审批结果).")
class CorrectionDecision(Enum):
    APPROVE = strawberry.enum_value("approve", description="同意")
    REJECT = strawberry.enum_value("reject", description="驳回")


class BillLoader(Loader[UUID, bill_queries.Bill]):
    """Bills the caller may see, by id."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, bill_queries.Bill]:
        """One statement for all that were asked for."""
        return await bill_queries.by_id(self.context.actor, keys)


@strawberry.type(description="A correction of a bill (账单更正).")
class Correction(Node):
    id: strawberry.Private[UUID]
    bill_id: strawberry.Private[UUID]
    bill_number: Long = strawberry.field(description="Number of the bill.")
    month: date = strawberry.field(description="Billing month of the bill.")
    house_number: str = strawberry.field(description="The house.")
    fee_item_name: str | None = strawberry.field(description="Fee item of the line that an adjustment is of.")
    kind: CorrectionKind = strawberry.field(description="Waiver, adjustment or void.")
    concerns: BillPart = strawberry.field(description="Which part of the bill.")
    amount_fen: Long | None = strawberry.field(
        description="Fen waived, or added, below zero taken off; null for all that is to be paid."
    )
    reason: str = strawberry.field(description="Why it was asked for.")
    state: CorrectionState = strawberry.field(description="How far it is.")
    requested_by_name: str = strawberry.field(description="Who asked.")
    requested_at: datetime = strawberry.field(description="When it was asked for.")
    decided_by_name: str | None = strawberry.field(description="Who decided.")
    decided_at: datetime | None = strawberry.field(description="When it was decided.")
    decision_note: str = strawberry.field(description="What was said with the decision.")
    effect_fen: Long | None = strawberry.field(
        description="Fen that are owed more since it took effect; below zero: less."
    )
    is_mine: bool = strawberry.field(description="Whether the caller asked: then another has to decide.")

    @strawberry.field(description="The bill as it stands, where the caller may see it.")
    async def bill(self, info: Info) -> Bill | None:
        return cast("Bill | None", await info.context.loader(BillLoader).load(self.bill_id))

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.Correction)


REASON = "Why, up to 200 characters; the resident reads it once it has taken effect."


@strawberry.input(description="What to waive (减免).")
class RequestWaiverInput:
    bill: strawberry.ID = strawberry.field(description="The bill.")
    concerns: BillPart = strawberry.field(default=BillPart.PRINCIPAL, description="Which part of it.")
    amount_fen: Long | None = strawberry.field(
        default=None, description="Fen, above zero; null for all that is to be paid when it is approved."
    )
    reason: str = strawberry.field(description=REASON)


@strawberry.input(description="What to adjust (调整).")
class RequestAdjustmentInput:
    line: strawberry.ID = strawberry.field(description="The line of a bill.")
    amount_fen: Long = strawberry.field(description="Fen to add; below zero to take off.")
    reason: str = strawberry.field(description=REASON)


@strawberry.input(description="Which bill to take back (作废).")
class RequestVoidInput:
    bill: strawberry.ID = strawberry.field(description="The bill.")
    reason: str = strawberry.field(description=REASON)


@strawberry.input(description="A decision on another's request.")
class DecideCorrectionInput:
    correction: strawberry.ID = strawberry.field(description="The request.")
    decision: CorrectionDecision = strawberry.field(description="Approve or reject.")
    note: str = strawberry.field(default="", description="Needed to reject, up to 200 characters.")


@strawberry.input(description="One's own request to take back.")
class WithdrawCorrectionInput:
    correction: strawberry.ID = strawberry.field(description="The request.")


@strawberry.type(description="Result of a command on a correction.")
class CorrectionPayload(Payload):
    correction: Correction | None = strawberry.field(
        default=None, description="The correction as it is now; null when refused."
    )


def _requested(row: queries.Correction) -> tuple[Key, ...]:
    return row.requested_at, row.id


def _as_correction(row: queries.Correction) -> Correction:
    return row  # type: ignore[return-value]  # rows stand for the type


async def _payload(info: Info, id: UUID) -> CorrectionPayload:
    found = await queries.by_id(info.context.actor, [id])
    return CorrectionPayload(correction=cast("Correction | None", found.get(id)))


async def _decide(info: Info, input: DecideCorrectionInput, kind: str | None) -> CorrectionPayload:
    id = decode(input.correction, "Correction", "correction")
    approve = input.decision is CorrectionDecision.APPROVE
    await service.decide_correction(
        info.context.actor, correction_id=id, approve=approve, note=input.note, kind=kind
    )
    return await _payload(info, id)


@strawberry.type
class CorrectionsQuery:
    """Root fields of corrections."""

    @strawberry.field(
        description="A compound's corrections, the last one first. For staff with bills.read, audited.",
        extensions=[staff_only],
    )
    async def corrections(
        self,
        info: Info,
        *,
        compound: Annotated[strawberry.ID, strawberry.argument(description="The compound.")],
        states: Annotated[
            list[CorrectionState] | None, strawberry.argument(description="Only these; null for all.")
        ] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Correction] | None:
        compound_id, actor = decode(compound, "Compound", "compound"), info.context.actor
        page = page_request(first, after, SORT, datetime, UUID)
        wanted = None if states is None else [str(state.value) for state in states]
        rows = await queries.for_staff(actor, compound_id, wanted, after=page.after, limit=page.limit)

        async def count() -> int:
            return await queries.count(actor, compound_id, wanted)

        return connection(page, rows, _requested, _as_correction, count)


@strawberry.type
class CorrectionsMutation:
    """Mutations of corrections."""

    @strawberry.mutation(
        description="Ask to waive principal or late fee of a bill, at most what is to be paid of it; for staff with "
        "corrections.request.",
        extensions=[staff_only],
    )
    @refusals_as_data(CorrectionPayload)
    async def request_waiver(
        self, info: Info, input: Annotated[RequestWaiverInput, strawberry.argument(description="What.")]
    ) -> CorrectionPayload:
        id = await service.request_waiver(
            info.context.actor, bill_id=decode(input.bill, "Bill", "bill"), reason=input.reason,
            concern=cast("service.Concern", input.concerns.value), amount_fen=input.amount_fen,
        )  # fmt: skip
        return await _payload(info, id)

    @strawberry.mutation(
        description="Ask to add to a line of a bill, or to take off, at most what the line has; what a tenant paid stays "
        "paid. For staff with corrections.request.",
        extensions=[staff_only],
    )
    @refusals_as_data(CorrectionPayload)
    async def request_adjustment(
        self, info: Info, input: Annotated[RequestAdjustmentInput, strawberry.argument(description="What.")]
    ) -> CorrectionPayload:
        line_id = decode(input.line, "BillLine", "line")
        id = await service.request_adjustment(
            info.context.actor, line_id=line_id, amount_fen=input.amount_fen, reason=input.reason
        )
        return await _payload(info, id)

    @strawberry.mutation(
        description="Ask to take a bill back; what its owner paid of it goes to the house's prepayment, what another paid "
        "stands in the way. Its periods are not billed again but by an adjustment. For staff with corrections.request.",
        extensions=[staff_only],
    )
    @refusals_as_data(CorrectionPayload)
    async def request_void(
        self, info: Info, input: Annotated[RequestVoidInput, strawberry.argument(description="Which.")]
    ) -> CorrectionPayload:
        bill_id = decode(input.bill, "Bill", "bill")
        id = await service.request_void(info.context.actor, bill_id=bill_id, reason=input.reason)
        return await _payload(info, id)

    @strawberry.mutation(
        description="Decide on a waiver that another asked for; for staff with corrections.decide.",
        extensions=[staff_only],
    )
    @refusals_as_data(CorrectionPayload)
    async def decide_waiver(
        self, info: Info, input: Annotated[DecideCorrectionInput, strawberry.argument(description="How.")]
    ) -> CorrectionPayload:
        return await _decide(info, input, "waiver")

    @strawberry.mutation(
        description="Decide on any correction that another asked for; for staff with corrections.decide.",
        extensions=[staff_only],
    )
    @refusals_as_data(CorrectionPayload)
    async def decide_correction(
        self, info: Info, input: Annotated[DecideCorrectionInput, strawberry.argument(description="How.")]
    ) -> CorrectionPayload:
        return await _decide(info, input, None)

    @strawberry.mutation(
        description="Take one's own request back; for staff with corrections.request.",
        extensions=[staff_only],
    )
    @refusals_as_data(CorrectionPayload)
    async def withdraw_correction(
        self, info: Info, input: Annotated[WithdrawCorrectionInput, strawberry.argument(description="Which.")]
    ) -> CorrectionPayload:
        id = decode(input.correction, "Correction", "correction")
        await service.withdraw_correction(info.context.actor, correction_id=id)
        return await _payload(info, id)


async def correction_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Corrections by id, those the caller may see."""
    return await queries.by_id(context.actor, ids)


NODES = {"Correction": correction_nodes}
