"""Payments in the API (缴费): what is being paid, how far it is, and what the client hands to the platform."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, cast
from uuid import UUID

import strawberry

from domains.billing.queries import house_payments
from payments.queries import orders as queries
from payments.service import watching
from schema.bills import Bill, BillPart, bill_nodes
from schema.context import Context, Info, Loader
from schema.errors import Payload, refusals_as_data
from schema.fee_items import FeeCategory
from schema.permissions import residents_only, signed_in, staff_only
from schema.relay import After, Connection, First, Key, Node, connection, decode, encode, page_request
from schema.scalars import Long

if TYPE_CHECKING:
    from schema.refunds import Refund

OWN_SORT, STAFF_SORT = "payments:own", "payments:made"


@strawberry.enum(description="How far a payment is (支付状态). New values may appear: keep a default branch.")
class PaymentState(Enum):
    OPEN = strawberry.enum_value("open", description="待支付")
    PAID = strawberry.enum_value("paid", description="已支付")
    CLOSED = strawberry.enum_value("closed", description="已关闭: nothing was paid, or too little")
    VOIDED = strawberry.enum_value("voided", description="已作废: taken back at the desk")


@strawberry.enum(description="How far the platform is with it (渠道状态).")
class AttemptState(Enum):
    CREATED = strawberry.enum_value("created", description="正在下单")
    PREPARED = strawberry.enum_value(
        "prepared", description="等待付款: hand `clientParameters` to the platform"
    )
    UNKNOWN = strawberry.enum_value(
        "unknown", description="结果未知: the platform did not answer and is asked again"
    )
    SUCCEEDED = strawberry.enum_value("succeeded", description="已收款")
    CLOSED = strawberry.enum_value("closed", description="已关闭")
    FAILED = strawberry.enum_value("failed", description="未受理")


@strawberry.enum(description="Ways to pay (支付渠道). New values may appear: keep a default branch.")
class PaymentChannel(Enum):
    ALIPAY = strawberry.enum_value("alipay", description="支付宝")
    WECHAT = strawberry.enum_value("wechat", description="微信支付")
    BALANCE = strawberry.enum_value("balance", description="预存款")
    CASH = strawberry.enum_value("cash", description="现金")
    POS = strawberry.enum_value("pos", description="POS 刷卡")
    TRANSFER = strawberry.enum_value("transfer", description="银行转账")


@strawberry.enum(description="Where it is paid (支付场景). New values may appear: keep a default branch.")
class PaymentProduct(Enum):
    MINI_PROGRAM = strawberry.enum_value("mini_program", description="小程序内")
    H5 = strawberry.enum_value("h5", description="手机浏览器")
    QR = strawberry.enum_value("qr", description="扫码")
    DESK = strawberry.enum_value("desk", description="柜台")
    BALANCE = strawberry.enum_value("balance", description="预存抵扣")


@strawberry.type(description="Something that the client hands to the platform as it is (调起支付参数).")
class ClientParameter:
    name: str = strawberry.field(description="Its name: tradeNO, timeStamp, package …")
    value: str = strawberry.field(description="Its value.")


_PARTS: Mapping[str | None, BillPart] = {"bill": BillPart.PRINCIPAL, "late_fee": BillPart.LATE_FEE}


@strawberry.type(description="What a payment pays (支付明细).")
class PaymentPart:
    part: strawberry.ID = strawberry.field(
        resolver=lambda root: strawberry.ID(encode("PaymentPart", root.id)),
        description="Its id, for `requestRefund`.",
    )
    amount_fen: Long = strawberry.field(description="Fen that it is for.")
    paid_fen: Long = strawberry.field(description="Fen of it that were paid.")
    given_back_fen: Long = strawberry.field(description="Fen that went back, or are on their way.")
    purpose: FeeCategory | None = strawberry.field(
        resolver=lambda root: root.purpose or None,
        description="Of a prepayment: the only category of fees it pays; null for any, and for bills.",
    )

    concerns: BillPart | None = strawberry.field(
        resolver=lambda root: _PARTS.get(root.subject_type),
        description="Which part of the bill it pays; null for a prepayment.",
    )

    @strawberry.field(description="The bill, where the caller may see it; null for a prepayment.")
    async def bill(self, info: Info) -> Bill | None:
        if self.subject_type not in ("bill", "late_fee"):  # type: ignore[attr-defined]  # a row stands for the type
            return None
        return cast("Bill | None", await info.context.loader(PaidBillLoader).load(self.subject_id))  # type: ignore[attr-defined]  # as above


class PaidBillLoader(Loader[UUID, object]):
    """Bills that payments pay, those the caller may see."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, object]:
        """One statement for all bills."""
        return await bill_nodes(self.context, keys)


class PaymentPartsLoader(Loader[UUID, list[queries.PaymentPart]]):
    """What payments pay, by payment."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[queries.PaymentPart]]:
        """One statement for all payments."""
        return await queries.parts(keys)


@strawberry.type(description="A payment (支付单): one sum for one or many things. Amounts are fen.")
class Payment(Node):
    id: strawberry.Private[UUID]
    title: str = strawberry.field(description="What the payer reads at the platform.")
    amount_fen: Long = strawberry.field(description="How much.")
    refunded_fen: Long = strawberry.field(description="What of it went back.")
    state: PaymentState = strawberry.field(
        description="How far it is; the platform's word alone makes it paid."
    )
    number: str | None = strawberry.field(
        description="Number of the receipt (收款编号); null until it is paid."
    )
    created_at: datetime = strawberry.field(description="When it was begun.")
    expires_at: datetime = strawberry.field(description="When it can no longer be begun to be paid.")
    paid_at: datetime | None = strawberry.field(description="When it was paid, by the platform's clock.")
    channel: PaymentChannel = strawberry.field(description="The way it was paid, or was tried last.")
    product: PaymentProduct = strawberry.field(description="Where that is.")
    attempt_state: AttemptState = strawberry.field(description="How far the platform is with that.")
    problem: str = strawberry.field(
        description="The platform's code of why it was not taken; empty otherwise."
    )

    receipt: strawberry.ID | None = strawberry.field(
        resolver=lambda root: (
            strawberry.ID(encode("BillPayment", root.receipt_id)) if root.receipt_id else None
        ),
        description="For `issueReceipt`; null unless it has paid bills, a deposit or something ahead, and once all of it "
        "went back.",
    )

    @strawberry.field(
        description="What the client hands to my.tradePay, wx.requestPayment, a browser (`url`) or a code to scan "
        "(`qrCode`); null unless it can be paid now."
    )
    def client_parameters(self) -> list[ClientParameter] | None:
        kept = cast("queries.Payment", self).client_parameters
        if kept is None:
            return None
        return [ClientParameter(name=name, value=value) for name, value in sorted(kept.items())]

    @strawberry.field(
        description="What of it went back, is on its way, or was asked for, the first one first."
    )
    async def refunds(self, info: Info) -> list[Annotated[Refund, strawberry.lazy("schema.refunds")]]:
        from schema.refunds import PaymentRefundsLoader

        return cast("list[Refund]", await info.context.loader(PaymentRefundsLoader).load(self.id) or [])

    @strawberry.field(description="What it pays, in the order in which money pays it.")
    async def parts(self, info: Info) -> list[PaymentPart]:
        return cast("list[PaymentPart]", await info.context.loader(PaymentPartsLoader).load(self.id) or [])

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.Payment)


def as_payment(row: queries.Payment) -> Payment:
    """A row stands for the type."""
    return row  # type: ignore[return-value]  # rows stand for the type


def _keys(row: queries.Payment) -> tuple[Key, ...]:
    return (row.id,)


States = Annotated[list[PaymentState] | None, strawberry.argument(description="Only these; null for all.")]


def _states(states: list[PaymentState] | None) -> list[str] | None:
    return None if states is None else [str(state.value) for state in states]


async def payment_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Payments by id, those the caller may see."""
    return await house_payments.by_id(context.actor, ids)


NODES = {"Payment": payment_nodes}


@strawberry.type(description="Result of a command on a payment.")
class PaymentPayload(Payload):
    payment: Payment | None = strawberry.field(
        default=None, description="The payment as it is now; null when refused. Follow `paymentChanged`."
    )


async def payment_payload(info: Info, id: UUID) -> PaymentPayload:
    """The payment as it is now."""
    found = await house_payments.by_id(info.context.actor, [id])
    return PaymentPayload(payment=cast("Payment | None", found.get(id)))


@strawberry.input(description="A payment that is under way.")
class PaymentInput:
    payment: strawberry.ID = strawberry.field(description="Its id.")


Given = Annotated[PaymentInput, strawberry.argument(description="Which one.")]


@strawberry.type
class PaymentsViewer:
    """The caller's own payments, and those of bills that are theirs."""

    @strawberry.field(
        description="What the caller paid, or began to, and what was paid of bills that are theirs out of the house's money "
        "(预存抵扣) or at the desk, the newest first.",
        extensions=[residents_only],
    )
    async def payments(
        self, info: Info, *, states: States = None, first: First = 20, after: After = None
    ) -> Connection[Payment] | None:
        page = page_request(first, after, OWN_SORT, UUID)
        rows = await house_payments.own(
            info.context.actor, states=_states(states), after=page.after, limit=page.limit
        )
        return connection(page, rows, _keys, as_payment)


@strawberry.type
class PaymentsQuery:
    """Root fields of payments."""

    @strawberry.field(
        description="A payment: one's own or one of `viewer.payments`, one taken by the caller at the desk, or for staff "
        "with payments.read over all of the compound; null otherwise.",
        extensions=[signed_in],
    )
    async def payment(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
    ) -> Payment | None:
        payment_id = decode(id, "Payment", "id")
        return cast("Payment | None", (await payment_nodes(info.context, [payment_id])).get(payment_id))

    @strawberry.field(
        description="A compound's payments, the newest first. For staff with payments.read over all of it, audited.",
        extensions=[staff_only],
    )
    async def payments(
        self,
        info: Info,
        *,
        compound: Annotated[strawberry.ID, strawberry.argument(description="The compound.")],
        states: States = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Payment] | None:
        page = page_request(first, after, STAFF_SORT, UUID)
        rows = await queries.for_staff(
            info.context.actor, decode(compound, "Compound", "compound"), states=_states(states), after=page.after,
            limit=page.limit,
        )  # fmt: skip
        return connection(page, rows, _keys, as_payment)


@strawberry.type
class PaymentsMutation:
    """Mutations of payments that are under way."""

    @strawberry.mutation(
        description="The client says that the platform's cashier was left: it proves nothing, and has the platform "
        "asked at once. For who pays, for the cashier who began it, and for staff "
        "with desk.write over all of the compound.",
        extensions=[signed_in],
    )
    @refusals_as_data(PaymentPayload)
    async def confirm_payment_hint(self, info: Info, input: Given) -> PaymentPayload:
        id = decode(input.payment, "Payment", "payment")
        await watching.confirm_payment_hint(info.context.actor, payment_id=id)
        return await payment_payload(info, id)

    @strawberry.mutation(
        description="Give a payment up: it is closed at the platform, unless it turns out to be paid. For who pays, "
        "for the cashier who began it, and for staff with desk.write over all of the compound.",
        extensions=[signed_in],
    )
    @refusals_as_data(PaymentPayload)
    async def cancel_payment(self, info: Info, input: Given) -> PaymentPayload:
        id = decode(input.payment, "Payment", "payment")
        await watching.cancel_payment(info.context.actor, payment_id=id)
        return await payment_payload(info, id)


@strawberry.type
class PaymentsSubscription:
    """Subscriptions to payments."""

    @strawberry.subscription(
        description="A payment that the caller may see as it is now, and after each change; it ends where it is not "
        "the caller's to see."
    )
    async def payment_changed(
        self, info: Info, payment: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
    ) -> AsyncGenerator[Payment, None]:
        signed_in.check(info.context.actor)
        changes = house_payments.follow(info.context.actor, decode(payment, "Payment", "payment"))
        return cast("AsyncGenerator[Payment, None]", changes)
