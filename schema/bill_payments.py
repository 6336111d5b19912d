"""Paying bills online in the API (线上缴费)."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.billing.service import bill_payments as service
from domains.billing.service.bill_payments import Way
from payments.gateways import Product
from schema.context import Info
from schema.errors import refusals_as_data
from schema.fee_items import FeeCategory
from schema.payments import PaymentPayload, payment_payload
from schema.permissions import residents_only
from schema.relay import decode
from schema.scalars import Long


@strawberry.enum(description="A platform to pay by (支付平台).")
class OnlineChannel(Enum):
    ALIPAY = strawberry.enum_value("alipay", description="支付宝")
    WECHAT = strawberry.enum_value("wechat", description="微信支付")


@strawberry.enum(description="Where somebody pays (支付场景).")
class OnlineProduct(Enum):
    MINI_PROGRAM = strawberry.enum_value("mini_program", description="小程序内")
    H5 = strawberry.enum_value("h5", description="手机浏览器")


@strawberry.input(description="Bills to pay at once.")
class PayBillsInput:
    bills: list[strawberry.ID] = strawberry.field(description="1 to 100 bills of one compound.")
    channel: OnlineChannel = strawberry.field(description="The platform.")
    product: OnlineProduct = strawberry.field(default=OnlineProduct.MINI_PROGRAM, description="Where.")
    part_fen: Long | None = strawberry.field(
        default=None, description="Only so much of one bill, where the compound allows it; null for all."
    )
    idempotency_key: UUID = strawberry.field(
        description="Made by the client for this tap; sent again it gives the same payment."
    )


@strawberry.input(description="Money to pay ahead (预存充值).")
class TopUpAccountInput:
    house: strawberry.ID = strawberry.field(description="One of the caller's houses.")
    amount_fen: Long = strawberry.field(description="How much, 1 to 5,000,000 fen.")
    purpose: FeeCategory | None = strawberry.field(
        default=None, description="It pays only bills of this; null for any."
    )
    channel: OnlineChannel = strawberry.field(description="The platform.")
    product: OnlineProduct = strawberry.field(default=OnlineProduct.MINI_PROGRAM, description="Where.")
    idempotency_key: UUID = strawberry.field(
        description="Made by the client for this tap; sent again it gives the same payment."
    )


def _way(channel: OnlineChannel, product: OnlineProduct) -> Way:
    return Way(str(channel.value), cast("Product", product.value))


@strawberry.type
class BillPaymentsMutation:
    """Mutations that begin a payment."""

    @strawberry.mutation(
        description="Begin to pay bills: their amounts, late fees included, stand still for a quarter of an hour. For "
        "who may see them. While it is open it gives the same payment again, tried anew where another way is named.",
        extensions=[residents_only],
    )
    @refusals_as_data(PaymentPayload)
    async def pay_bills(
        self, info: Info, input: Annotated[PayBillsInput, strawberry.argument(description="Which, and how.")]
    ) -> PaymentPayload:
        id = await service.pay_bills(
            info.context.actor, bill_ids=[decode(each, "Bill", "bills") for each in input.bills],
            way=_way(input.channel, input.product), part_fen=input.part_fen, idempotency_key=input.idempotency_key,
        )  # fmt: skip
        return await payment_payload(info, id)

    @strawberry.mutation(
        description="Begin to pay into a house's prepayment (预存充值); for who lives there or owns it.",
        extensions=[residents_only],
    )
    @refusals_as_data(PaymentPayload)
    async def top_up_account(
        self, info: Info, input: Annotated[TopUpAccountInput, strawberry.argument(description="How much.")]
    ) -> PaymentPayload:
        id = await service.top_up_account(
            info.context.actor, house_id=decode(input.house, "House", "house"), fen=input.amount_fen,
            purpose=input.purpose.value if input.purpose else "", way=_way(input.channel, input.product),
            idempotency_key=input.idempotency_key,
        )  # fmt: skip
        return await payment_payload(info, id)
