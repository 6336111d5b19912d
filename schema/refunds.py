"""Refunds in the API (退款): asked for by one, approved by another, and back the way the money came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.billing.queries import house_payments
from domains.identity import account_queries
from payments.order_rules import CAUSES
from payments.queries import refunds as queries
from payments.service import refund_requests as service
from schema.context import Context, Info, Loader
from schema.errors import Payload, refusals_as_data
from schema.payments import PaymentChannel
from schema.permissions import staff_only
from schema.relay import After, Connection, First, Key, Node, connection, decode, encode, page_request
from schema.scalars import Long

SORT = "refunds:made"


@strawberry.enum(description="How far a refund is (退款状态). New values may appear: keep a default branch.")
class RefundState(Enum):
    REQUESTED = strawberry.enum_value("requested", description="待审批")
    REJECTED = strawberry.enum_value("rejected", description="已驳回")
    APPROVED = strawberry.enum_value(
        "approved", description="已通过: about to be sent, or to be handed out at the desk"
    )
    SENT = strawberry.enum_value("sent", description="处理中: the platform has it")
    SUCCEEDED = strawberry.enum_value("succeeded", description="已退款")
    ABNORMAL = strawberry.enum_value("abnormal", description="退款异常: a person sees to it")
    CLOSED = strawberry.enum_value(
        "closed", description="已关闭: kept as a prepayment instead, or made by hand at the platform"
    )


@strawberry.type(description="Money on its way back (退款).")
class Refund(Node):
    id: strawberry.Private[UUID]
    payment: strawberry.ID = strawberry.field(
        resolver=lambda root: strawberry.ID(encode("Payment", root.payment_id)), description="The payment."
    )
    payment_title: str = strawberry.field(description="What the payer read of the payment.")
    payment_number: str | None = strawberry.field(description="Number of its receipt (收款编号).")
    channel: PaymentChannel = strawberry.field(description="The way it goes back: that by which it came.")
    amount_fen: Long = strawberry.field(description="How much, in fen.")
    reason: str = strawberry.field(description="Why, in the words of who asked for it.")
    state: RefundState = strawberry.field(description="How far it is.")
    problem: str = strawberry.field(description="The platform's code of why it did not go through.")
    requested_at: datetime = strawberry.field(description="When it was asked for.")
    decided_at: datetime | None = strawberry.field(description="When it was approved or rejected.")
    decision_note: str = strawberry.field(description="What was said to that.")
    ended_at: datetime | None = strawberry.field(description="When it had ended.")

    @strawberry.field(description="Why, in general: 重复支付, 人工申请.")
    def cause(self, info: Info) -> str:
        zh, en = CAUSES[cast("queries.Refund", self).cause]
        return en if info.context.language == "en" else zh

    @strawberry.field(description="Whether the caller asked for it, and so may not decide it.")
    def is_own(self, info: Info) -> bool:
        asked_by = cast("queries.Refund", self).requested_by
        return asked_by is not None and asked_by == info.context.actor.account_id

    @strawberry.field(description="Who asked for it, for staff; null by rule, and for others.")
    async def requested_by_name(self, info: Info) -> str | None:
        asked_by = cast("queries.Refund", self).requested_by
        if asked_by is None or info.context.actor.kind != "staff":
            return None
        return await info.context.loader(AskerLoader).load(asked_by)

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.Refund)


class AskerLoader(Loader[UUID, str]):
    """What the staff who asked for refunds are called."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, str]:
        """One statement for all refunds."""
        return await account_queries.names(keys)


class PaymentRefundsLoader(Loader[UUID, list[queries.Refund]]):
    """Refunds of payments, by payment."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[queries.Refund]]:
        """One statement for all payments."""
        return await queries.of_payments(keys)


def _as_refund(row: queries.Refund) -> Refund:
    return row  # type: ignore[return-value]  # rows stand for the type


def _keys(row: queries.Refund) -> tuple[Key, ...]:
    return (row.id,)


async def refund_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Refunds by id, those the caller may see."""
    return await house_payments.refunds_by_id(context.actor, ids)


NODES = {"Refund": refund_nodes}


@strawberry.input(description="So much of what one part of a payment paid.")
class RefundPartInput:
    part: strawberry.ID = strawberry.field(description="Its id: `payment.parts.part`.")
    amount_fen: Long = strawberry.field(description="How much, in fen.")


@strawberry.input(description="A refund to ask for.")
class RequestRefundInput:
    payment: strawberry.ID = strawberry.field(description="The payment.")
    parts: list[RefundPartInput] = strawberry.field(description="What of it, 1 to 100 parts.")
    reason: str = strawberry.field(description="Why, up to 200 characters.")
    idempotency_key: UUID = strawberry.field(
        description="Made by the client: sent again it is the same refund."
    )


@strawberry.input(description="The decision on a refund.")
class DecideRefundInput:
    refund: strawberry.ID = strawberry.field(description="Its id.")
    approve: bool = strawberry.field(description="Whether it takes effect.")
    note: str = strawberry.field(default="", description="Why not, for a rejection; up to 200 characters.")
    idempotency_key: UUID = strawberry.field(
        description="Made by the client: sent again it is the same decision."
    )


@strawberry.input(description="A refund to see to.")
class RefundInput:
    refund: strawberry.ID = strawberry.field(description="Its id.")
    idempotency_key: UUID = strawberry.field(
        description="Made by the client: sent again it does nothing more."
    )


Given = Annotated[RefundInput, strawberry.argument(description="Which one.")]


@strawberry.type(description="Result of a command on a refund.")
class RefundPayload(Payload):
    refund: Refund | None = strawberry.field(
        default=None, description="The refund as it is now; null when refused."
    )


async def _payload(info: Info, id: UUID) -> RefundPayload:
    found = await queries.by_id(info.context.actor, [id])
    return RefundPayload(refund=cast("Refund | None", found.get(id)))


@strawberry.type
class RefundsQuery:
    """Root fields of refunds."""

    @strawberry.field(
        description="A compound's refunds, the newest first. For staff with payments.read over all of it, audited.",
        extensions=[staff_only],
    )
    async def refunds(
        self,
        info: Info,
        *,
        compound: Annotated[strawberry.ID, strawberry.argument(description="The compound.")],
        states: Annotated[
            list[RefundState] | None, strawberry.argument(description="Only these; null for all.")
        ] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Refund] | None:
        page = page_request(first, after, SORT, UUID)
        wanted = None if states is None else [str(state.value) for state in states]
        rows = await queries.for_staff(
            info.context.actor,
            decode(compound, "Compound", "compound"),
            states=wanted,
            after=page.after,
            limit=page.limit,
        )
        return connection(page, rows, _keys, _as_refund)


@strawberry.type
class RefundsMutation:
    """Mutations of refunds."""

    @strawberry.mutation(
        description="Ask that so much of a payment goes back the way it came; another decides. For staff with "
        "refunds.request over all of the compound.",
        extensions=[staff_only],
    )
    @refusals_as_data(RefundPayload)
    async def request_refund(
        self, info: Info, input: Annotated[RequestRefundInput, strawberry.argument(description="What.")]
    ) -> RefundPayload:
        parts = [
            service.RefundPart(decode(each.part, "PaymentPart", "parts"), each.amount_fen)
            for each in input.parts
        ]
        id = await service.request_refund(
            info.context.actor, payment_id=decode(input.payment, "Payment", "payment"), parts=parts,
            reason=input.reason, idempotency_key=input.idempotency_key,
        )  # fmt: skip
        return await _payload(info, id)

    @strawberry.mutation(
        description="Approve a refund, which sends it, or reject it. For staff with refunds.decide over "
        "all of the compound, and never one's own.",
        extensions=[staff_only],
    )
    @refusals_as_data(RefundPayload)
    async def decide_refund(
        self, info: Info, input: Annotated[DecideRefundInput, strawberry.argument(description="How.")]
    ) -> RefundPayload:
        id = await service.decide_refund(
            info.context.actor, refund_id=decode(input.refund, "Refund", "refund"), approve=input.approve,
            note=input.note, idempotency_key=input.idempotency_key,
        )  # fmt: skip
        return await _payload(info, id)

    @strawberry.mutation(
        description="Send a refund again that did not go through. For staff with refunds.decide over all of the "
        "compound.",
        extensions=[staff_only],
    )
    @refusals_as_data(RefundPayload)
    async def retry_refund(self, info: Info, input: Given) -> RefundPayload:
        return await _payload(info, await service.retry_refund(info.context.actor, **_given(input)))

    @strawberry.mutation(
        description="Give a refund that did not go through to the house's prepayment instead. For staff with "
        "refunds.decide over all of the compound.",
        extensions=[staff_only],
    )
    @refusals_as_data(RefundPayload)
    async def keep_refund(self, info: Info, input: Given) -> RefundPayload:
        return await _payload(info, await service.keep_refund(info.context.actor, **_given(input)))

    @strawberry.mutation(
        description="Hand an approved refund out at the desk, the way it was paid there. For staff with desk.write over "
        "all of the compound.",
        extensions=[staff_only],
    )
    @refusals_as_data(RefundPayload)
    async def pay_out_refund(self, info: Info, input: Given) -> RefundPayload:
        return await _payload(info, await service.pay_out_refund(info.context.actor, **_given(input)))


def _given(input: RefundInput) -> service.Chosen:
    return {"refund_id": decode(input.refund, "Refund", "refund"), "idempotency_key": input.idempotency_key}
