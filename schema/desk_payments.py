"""The desk in the API (柜台收款): cash, cards, transfers and codes to scan; for staff with desk.write."""

from __future__ import annotations

from enum import Enum
from typing import Annotated
from uuid import UUID

import strawberry

from domains.billing.service import desk_payments as service
from domains.billing.service.desk_payments import Charge
from payments.service import desk
from schema.bill_payments import OnlineChannel
from schema.context import Info
from schema.errors import refusals_as_data
from schema.fee_items import FeeCategory
from schema.payments import PaymentPayload, payment_payload
from schema.permissions import staff_only
from schema.relay import decode
from schema.scalars import Long


@strawberry.enum(description="What a cashier has in hand (收款方式).")
class DeskMethod(Enum):
    CASH = strawberry.enum_value("cash", description="现金")
    POS = strawberry.enum_value("pos", description="POS 刷卡")
    TRANSFER = strawberry.enum_value("transfer", description="银行转账")


@strawberry.input(description="What somebody pays at the desk: bills of one house, and so much ahead.")
class DeskChargeInput:
    house: strawberry.ID = strawberry.field(description="The house.")
    bills: list[strawberry.ID] = strawberry.field(default_factory=list, description="Its bills, up to 100.")
    part_fen: Long | None = strawberry.field(
        default=None, description="Only so much of one bill, where the compound allows it; null for all."
    )
    top_up_fen: Long = strawberry.field(default=0, description="Fen to pay ahead (预存); 0 for none.")
    purpose: FeeCategory | None = strawberry.field(
        default=None, description="What is paid ahead pays only bills of this; null for any."
    )
    expected_fen: Long | None = strawberry.field(
        default=None,
        description="What the cashier was shown for all of it: refused with AMOUNT_CHANGED where it is another sum now.",
    )


@strawberry.input(description="Money in hand.")
class RecordDeskPaymentInput:
    charge: DeskChargeInput = strawberry.field(description="What it pays.")
    method: DeskMethod = strawberry.field(description="How it came.")
    reference: str = strawberry.field(
        default="", description="Number of the terminal's slip or of the transfer; needed unless it is cash."
    )
    idempotency_key: UUID = strawberry.field(
        description="Made by the client: sent again it is the same payment."
    )


@strawberry.input(description="A code to show.")
class ShowCodeToPayInput:
    charge: DeskChargeInput = strawberry.field(description="What it pays.")
    channel: OnlineChannel = strawberry.field(description="The platform.")
    idempotency_key: UUID = strawberry.field(
        description="Made by the client: sent again it is the same payment."
    )


@strawberry.input(description="A payment at the desk to void.")
class VoidDeskPaymentInput:
    payment: strawberry.ID = strawberry.field(description="Its id.")
    reason: str = strawberry.field(description="Why, up to 200 characters.")
    idempotency_key: UUID = strawberry.field(
        description="Made by the client: sent again it does nothing more."
    )


def _charge(given: DeskChargeInput) -> Charge:
    return Charge(
        decode(given.house, "House", "house"), [decode(each, "Bill", "bills") for each in given.bills],
        given.part_fen, given.top_up_fen, str(given.purpose.value) if given.purpose else "",
        given.expected_fen,
    )  # fmt: skip


@strawberry.type
class DeskPaymentsMutation:
    """Mutations of the desk."""

    @strawberry.mutation(
        description="Book money that a cashier has in hand, under a number of the day's receipts. For staff with "
        "desk.write over the house's building who may read its bills.",
        extensions=[staff_only],
    )
    @refusals_as_data(PaymentPayload)
    async def record_desk_payment(
        self, info: Info, input: Annotated[RecordDeskPaymentInput, strawberry.argument(description="What.")]
    ) -> PaymentPayload:
        id = await service.record_desk_payment(
            info.context.actor, charge=_charge(input.charge), method=str(input.method.value),
            reference=input.reference, idempotency_key=input.idempotency_key,
        )  # fmt: skip
        return await payment_payload(info, id)

    @strawberry.mutation(
        description="Show a code that somebody at the desk scans with their phone; follow `paymentChanged`. For staff "
        "with desk.write over the house's building who may read its bills.",
        extensions=[staff_only],
    )
    @refusals_as_data(PaymentPayload)
    async def show_code_to_pay(
        self, info: Info, input: Annotated[ShowCodeToPayInput, strawberry.argument(description="What.")]
    ) -> PaymentPayload:
        id = await service.show_code_to_pay(
            info.context.actor, charge=_charge(input.charge), channel=str(input.channel.value),
            idempotency_key=input.idempotency_key,
        )  # fmt: skip
        return await payment_payload(info, id)

    @strawberry.mutation(
        description="Take back what was taken at the desk today by mistake: a journal reverses the first. For who took "
        "it, with desk.write, and for staff with desk.write and refunds.decide over all of the compound.",
        extensions=[staff_only],
    )
    @refusals_as_data(PaymentPayload)
    async def void_desk_payment(
        self,
        info: Info,
        input: Annotated[VoidDeskPaymentInput, strawberry.argument(description="Which one.")],
    ) -> PaymentPayload:
        id = await desk.void_desk_payment(
            info.context.actor, payment_id=decode(input.payment, "Payment", "payment"), reason=input.reason,
            idempotency_key=input.idempotency_key,
        )  # fmt: skip
        return await payment_payload(info, id)
