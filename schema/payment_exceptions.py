"""Payments that went wrong in the API (支付异常): what they are, what may be done about them, and what was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from functools import partial
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.identity import account_queries
from payments.queries import exceptions as queries
from payments.service import exception_settling as service
from schema.context import Context, Info, Loader
from schema.errors import Payload, refusals_as_data
from schema.payments import Payment, payment_nodes
from schema.permissions import staff_only
from schema.refunds import Refund, refund_nodes
from schema.relay import After, Connection, First, Key, Node, connection, decode, page_request
from schema.scalars import Long

SORT = "payment_exceptions:opened"


@strawberry.enum(description="What is wrong (支付异常类型). New values may appear: keep a default branch.")
class PaymentExceptionKind(Enum):
    UNDERPAID = strawberry.enum_value(
        "underpaid", description="实付金额不足: less was paid than asked, and waits in suspense (待处理款)"
    )
    SECOND_SUCCESS = strawberry.enum_value(
        "second_success",
        description="同一笔支付收到两个渠道交易号: the money of the second one waits in suspense",
    )
    CHANNEL_REFUND = strawberry.enum_value(
        "channel_refund",
        description="渠道侧发生退款: somebody refunded at the platform itself; what for is not booked",
    )
    REFUND_ABNORMAL = strawberry.enum_value(
        "refund_abnormal", description="退款异常: a refund did not arrive"
    )
    STUCK = strawberry.enum_value(
        "stuck", description="渠道长时间没有结果: nobody says what became of a payment"
    )
    REFUND_STUCK = strawberry.enum_value(
        "refund_stuck", description="退款长时间没有结果: nobody says what became of a refund"
    )
    REUSED_NUMBER = strawberry.enum_value(
        "reused_number",
        description="渠道交易号已用于另一笔支付: one transaction is said to have paid two payments; it is booked once",
    )
    UNKNOWN_PARTY = strawberry.enum_value(
        "unknown_party", description="渠道通知的订单不存在: the platform names a payment that is not ours"
    )
    REFUSED = strawberry.enum_value(
        "refused",
        description="渠道报文未通过核验: a message that is not genuine or not for us; nothing was booked",
    )


@strawberry.enum(
    description="What may be done about it (处理方式). New values may appear: keep a default branch."
)
class PaymentExceptionAction(Enum):
    REFUND = strawberry.enum_value(
        "refund",
        description="申请退回付款人: ask that it goes back the way it came; another decides with `decideRefund`",
    )
    PREPAY = strawberry.enum_value(
        "prepay",
        description="转入房屋预存款: the house's prepayment has it. Of a refund: once it is certain that it did not go.",
    )
    APPLY = strawberry.enum_value(
        "apply",
        description="抵缴账单: it pays a part of the bill, where the compound allows that; what is left over is prepaid",
    )
    BOOK = strawberry.enum_value(
        "book",
        description="核销入账: what went back leaves what it had paid, so that bills are owed again and the prepayment has "
        "less. Of a refund that nobody answers for: it is certain that it went; a second person confirms it.",
    )
    WRITE_OFF = strawberry.enum_value(
        "write_off", description="作为损失核销: it is lost to the house; a second person confirms it"
    )
    ASK = strawberry.enum_value(
        "ask", description="再次查询: ask the platform now; the answer closes the exception"
    )
    RETRY = strawberry.enum_value(
        "retry", description="重新退款: send the refund again, under the same number"
    )
    GIVE_UP = strawberry.enum_value(
        "give_up",
        description="确认未付并关闭: close the payment, for nothing was paid. What comes after all is booked all the same.",
    )
    NOTE = strawberry.enum_value(
        "note",
        description="已核实，无需处理: there is nothing to do. Of a refund at the platform a second person confirms it.",
    )


class ExceptionPaymentLoader(Loader[UUID, object]):
    """Payments that went wrong, those the caller may see."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, object]:
        """One call for all payments."""
        return await payment_nodes(self.context, keys)


class ExceptionRefundLoader(Loader[UUID, object]):
    """Refunds that went wrong, those the caller may see."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, object]:
        """One call for all refunds."""
        return await refund_nodes(self.context, keys)


class ColleagueLoader(Loader[UUID, str]):
    """What the staff who see to exceptions are called."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, str]:
        """One statement for all exceptions."""
        return await account_queries.names(keys)


def _row(root: object) -> queries.PaymentException:
    return cast("queries.PaymentException", root)


async def _name(info: Info, account_id: UUID | None) -> str | None:
    return None if account_id is None else await info.context.loader(ColleagueLoader).load(account_id)


@strawberry.type(
    description="Something about money that a person has to look at (支付异常). It closes by itself where it comes right."
)
class PaymentException(Node):
    id: strawberry.Private[UUID]
    kind: PaymentExceptionKind = strawberry.field(description="What is wrong.")
    amount_fen: Long = strawberry.field(description="How much it is about, in fen; 0 where it is about none.")
    note: str = strawberry.field(
        description="What the platform said: its number, or its code; empty where nothing."
    )
    opened_at: datetime = strawberry.field(description="When it came up.")
    is_asked_back: bool = strawberry.field(
        description="Whether a refund of its money waits for a decision: nothing else may be done meanwhile."
    )
    asked_action: PaymentExceptionAction | None = strawberry.field(
        description="What one person wants, and another has to confirm by doing the same; null for nothing."
    )
    asked_at: datetime | None = strawberry.field(description="When they wanted it.")
    asked_note: str = strawberry.field(description="What they wrote to that.")
    closed_at: datetime | None = strawberry.field(description="When it was over; null while it is open.")
    action: PaymentExceptionAction | None = strawberry.field(
        description="What was done; null where it came right by itself, and while it is open."
    )
    decision_note: str = strawberry.field(description="What whoever closed it wrote to that.")

    @strawberry.field(description="What fits it and the caller may do about it.")
    def actions(self) -> list[PaymentExceptionAction]:
        return [PaymentExceptionAction(each) for each in _row(self).actions]

    @strawberry.field(description="The payment that it is about, where the caller may see it.")
    async def payment(self, info: Info) -> Payment | None:
        id = _row(self).payment_id
        found = None if id is None else await info.context.loader(ExceptionPaymentLoader).load(id)
        return cast("Payment | None", found)

    @strawberry.field(
        description="The refund that it is about, or the last one asked for of its money; where the caller may see it."
    )
    async def refund(self, info: Info) -> Refund | None:
        id = _row(self).refund_id
        found = None if id is None else await info.context.loader(ExceptionRefundLoader).load(id)
        return cast("Refund | None", found)

    @strawberry.field(description="Who wants what another has to confirm.")
    async def asked_by_name(self, info: Info) -> str | None:
        return await _name(info, _row(self).asked_by)

    @strawberry.field(description="Who closed it; null where it came right by itself, and while it is open.")
    async def closed_by_name(self, info: Info) -> str | None:
        return await _name(info, _row(self).closed_by)

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.PaymentException)


def _as_exception(row: queries.PaymentException) -> PaymentException:
    return row  # type: ignore[return-value]  # rows stand for the type


def _keys(row: queries.PaymentException) -> tuple[Key, ...]:
    return (row.id,)


async def exception_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Exceptions by id, those the caller may see."""
    return await queries.by_id(context.actor, ids)


NODES = {"PaymentException": exception_nodes}


@strawberry.input(description="What to do about an exception.")
class SettlePaymentExceptionInput:
    exception: strawberry.ID = strawberry.field(description="Its id.")
    action: PaymentExceptionAction = strawberry.field(description="One of its `actions`.")
    note: str = strawberry.field(
        default="",
        description="Why, or what was found out, up to 200 characters; needed for REFUND, BOOK, WRITE_OFF, GIVE_UP and "
        "NOTE. The payer reads it on a refund.",
    )
    idempotency_key: UUID = strawberry.field(
        description="Made by the client: sent again it does nothing more."
    )


@strawberry.type(description="Result of what was done about an exception.")
class PaymentExceptionPayload(Payload):
    exception: PaymentException | None = strawberry.field(
        default=None, description="The exception as it is now; null when refused."
    )


@strawberry.type
class PaymentExceptionsQuery:
    """Root fields of payments that went wrong."""

    @strawberry.field(
        description="A compound's payment exceptions, the newest first. For staff with payments.read over all of it; "
        "without a compound, what names no payment of ours, for whoever runs the installation. Audited.",
        extensions=[staff_only],
    )
    async def payment_exceptions(
        self,
        info: Info,
        *,
        compound: Annotated[
            strawberry.ID | None, strawberry.argument(description="The compound; null for what is of none.")
        ] = None,
        kinds: Annotated[
            list[PaymentExceptionKind] | None, strawberry.argument(description="Only these; null for all.")
        ] = None,
        open: Annotated[bool, strawberry.argument(description="What is open, or else what is over.")] = True,
        first: First = 20,
        after: After = None,
    ) -> Connection[PaymentException] | None:
        page, place = (
            page_request(first, after, SORT, UUID),
            decode(compound, "Compound", "compound") if compound else None,
        )
        wanted = None if kinds is None else [str(kind.value) for kind in kinds]
        rows = await queries.for_staff(
            info.context.actor, place, kinds=wanted, is_open=open, after=page.after, limit=page.limit
        )
        number = partial(queries.number, place, kinds=wanted, is_open=open)
        return connection(page, rows, _keys, _as_exception, number)


@strawberry.type
class PaymentExceptionsMutation:
    """Mutations of payments that went wrong."""

    @strawberry.mutation(
        description="Do one of the things that fit an exception. Over all of the compound: refunds.request to ask for a "
        "refund, ask the platform, note that there is nothing to do, and ask for what a second person confirms; "
        "refunds.decide for the rest.",
        extensions=[staff_only],
    )
    @refusals_as_data(PaymentExceptionPayload)
    async def settle_payment_exception(
        self,
        info: Info,
        input: Annotated[SettlePaymentExceptionInput, strawberry.argument(description="What.")],
    ) -> PaymentExceptionPayload:
        id = await service.settle_payment_exception(
            info.context.actor, exception_id=decode(input.exception, "PaymentException", "exception"),
            action=str(input.action.value), note=input.note, idempotency_key=input.idempotency_key,
        )  # fmt: skip
        found = await queries.by_id(info.context.actor, [id])
        return PaymentExceptionPayload(exception=cast("PaymentException | None", found.get(id)))
