"""Our gateways at the stand-ins of the payment platforms, and what is asked of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx

from domains.kernel import clock
from domains.platforms.alipay import Alipay
from domains.platforms.wechatpay import WeChatPay
from payments.gateways import Ask, Product, RefundAsk, Sighting
from payments.gateways.alipay import AlipayGateway
from payments.gateways.wechat import WeChatGateway
from tests.factories.platforms import private_pem
from tests.unit.stand_ins.merchant import SERIAL
from tests.unit.stand_ins.stand import Stand

NOWHERE = "http://127.0.0.1:9/payments/notify"


def back_of(payment_id: UUID) -> str:
    """Where a browser comes back to from paying that payment."""
    return f"http://127.0.0.1:9/back?of={payment_id}"


def wechat_of(
    stand: Stand, http: httpx.AsyncClient, notify_url: str = NOWHERE, **changed: Any
) -> WeChatGateway:
    """A merchant's gateway at the stand-in; changes are of the transport, `app_id` of the gateway."""
    merchant = stand.credentials["wechatpay"]
    app_id = changed.pop("app_id", stand.credentials["wechat"]["appid"])
    account: dict[str, Any] = {
        "url": str(stand.http.base_url), "mch_id": merchant["mchid"], "key_pem": private_pem(stand.app_key),
        "serial": SERIAL, "api_v3_key": merchant["apiv3_key"],
        "public_keys": {merchant["public_key_id"]: merchant["public_key"]},
    }  # fmt: skip
    return WeChatGateway(
        WeChatPay(http, **(account | changed)), app_id=app_id, notify_url=notify_url, return_url=back_of
    )


def alipay_of(
    stand: Stand, http: httpx.AsyncClient, notify_url: str = NOWHERE, **changed: Any
) -> AlipayGateway:
    """A seller's gateway at the stand-in; changes are of the transport, `seller_id` of the gateway."""
    app = stand.credentials["alipay"]
    seller_id = changed.pop("seller_id", app["seller_id"])
    account: dict[str, Any] = {
        "url": f"{str(stand.http.base_url).rstrip('/')}/gateway.do", "app_id": app["app_id"],
        "app_key_pem": private_pem(stand.app_key), "public_key_pem": app["alipay_public_key"],
    }  # fmt: skip
    return AlipayGateway(
        Alipay(http, **(account | changed)), seller_id=seller_id, notify_url=notify_url, return_url=back_of
    )


def asked(buyer: str = "", product: Product = "mini_program", fen: int = 8_881, **changed: Any) -> Ask:
    """A payment under a number of its own, as the product asks for it."""
    fields: dict[str, Any] = {
        "payment_id": uuid4(), "out_trade_no": uuid4().hex, "amount_fen": fen, "title": "桂花苑 3-2-501 物业缴费",
        "expires_at": clock.now() + timedelta(minutes=15), "product": product, "buyer": buyer,
        "client_ip": "203.0.113.7",
    }  # fmt: skip
    return Ask(**(fields | changed))


def back(paid: Sighting, fen: int, **changed: Any) -> RefundAsk:
    """A refund of what was paid, under a number of its own."""
    fields: dict[str, Any] = {
        "out_trade_no": paid.out_trade_no, "channel_no": paid.channel_no, "out_refund_no": uuid4().hex, "amount_fen": fen,
        "paid_fen": paid.amount_fen, "reason": "多收的物业费",
    }  # fmt: skip
    return RefundAsk(**(fields | changed))
