"""The untouched wechatpayv3 understands the platform, and the platform understands it.

Only the address it calls is set: it has no setting for that.
"""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
import wechatpayv3 as library
from cryptography.hazmat.primitives import serialization

from tests.unit.stand_ins.merchant import (
    SERIAL,
    number,
    openid,
    pay_by_wechat,
    receiver,
    wechat_query,
)
from tests.unit.stand_ins.stand import Stand


@pytest.fixture
def client(paying: Stand) -> Any:  # the library is untyped
    merchant = paying.credentials["wechatpay"]
    key = paying.app_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    made = library.WeChatPay(
        wechatpay_type=library.WeChatPayType.JSAPI,
        mchid=merchant["mchid"],
        private_key=key.decode(),
        cert_serial_no=SERIAL,
        apiv3_key=merchant["apiv3_key"],
        appid=paying.credentials["wechat"]["appid"],
        notify_url="http://127.0.0.1:9/",
        public_key=merchant["public_key"],
        public_key_id=merchant["public_key_id"],
        timeout=(5, 15),
    )
    made._core._gate_way = str(paying.http.base_url).rstrip("/")
    return made


def done(answer: tuple[int, Any], status: int = 200) -> Any:  # the library is untyped
    assert answer[0] == status, answer
    return json.loads(answer[1]) if answer[1] else None


def ordered(stand: Stand, client: Any, notify_url: str) -> Any:
    out_trade_no = number()
    found = done(
        client.pay(
            description="物业费",
            out_trade_no=out_trade_no,
            amount={"total": 8880, "currency": "CNY"},
            payer={"openid": openid(stand, "陈静")},
            notify_url=notify_url,
        )
    )
    return {"out_trade_no": out_trade_no, "amount": {"total": 8880}, **found}


def test_the_library_orders_asks_and_reads_callbacks(paying: Stand, client: Any) -> None:
    with receiver((200, b"{}")) as inbox:
        order = ordered(paying, client, inbox.url)
        assert done(client.query(out_trade_no=order["out_trade_no"]))["trade_state"] == "NOTPAY"
        sign = client.sign(
            [paying.credentials["wechat"]["appid"], "1", "n", f"prepay_id={order['prepay_id']}"]
        )
        given = {"timeStamp": "1", "nonceStr": "n", "paySign": sign}
        assert pay_by_wechat(paying, order, **given) == "requestPayment:ok"
        delivery = inbox.wait(1)[0]
        told = client.callback(delivery.headers, delivery.body)
        assert told["resource"]["out_trade_no"] == order["out_trade_no"]
        refund = client.refund(
            out_refund_no=number("R"),
            out_trade_no=order["out_trade_no"],
            amount={"refund": 880, "total": 8880, "currency": "CNY"},
        )
        number_of = done(refund)["out_refund_no"]
        assert done(client.query_refund(out_refund_no=number_of))["amount"]["refund"] == 880


def test_the_library_closes_and_draws_bills(paying: Stand, client: Any) -> None:
    order = ordered(paying, client, "http://127.0.0.1:9/")
    assert done(client.close(out_trade_no=order["out_trade_no"]), 204) is None
    assert wechat_query(paying, order)["trade_state"] == "CLOSED"
    assert done(client.close(out_trade_no=order["out_trade_no"]), 400)["code"] == "ORDER_CLOSED"
    paying.books(
        "UPDATE trades SET status = 'paid', paid_fen = total_fen, payer = '陈静', trade_no = 'library',"
        " paid_at = 1767585600 WHERE token = ?",
        order["prepay_id"],
    )
    bill = done(client.trade_bill(bill_date="2026-01-05"))
    _, packed = client.download_bill(bill["download_url"])
    assert order["out_trade_no"] in gzip.decompress(packed).decode()
