"""The untouched alipay-sdk-python understands the gateway, and the gateway understands it."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from tests.unit.stand_ins.merchant import number
from tests.unit.stand_ins.stand import Stand

pytestmark = pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")


@pytest.fixture
def beijing_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The SDK stamps requests with the machine's local time and the gateway expects Beijing's."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Asia/Shanghai")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def client(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> Any:  # the SDK is untyped
    """DefaultAlipayClient cannot name a port, so its connection to port 80 is led to the stand-in's."""
    from alipay.aop.api.AlipayClientConfig import AlipayClientConfig
    from alipay.aop.api.DefaultAlipayClient import DefaultAlipayClient

    connect = socket.create_connection
    port = stand.http.base_url.port

    def lead(_address: tuple[str, int], *rest: Any, **more: Any) -> socket.socket:  # as socket's own
        return connect(("127.0.0.1", port), *rest, **more)

    monkeypatch.setattr(socket, "create_connection", lead)
    config = AlipayClientConfig()
    config.server_url = "http://127.0.0.1/gateway.do"
    config.app_id = stand.credentials["alipay"]["app_id"]
    config.alipay_public_key = _bare(stand.credentials["alipay"]["alipay_public_key"])
    pkcs1 = (serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL)
    config.app_private_key = _bare(stand.app_key.private_bytes(*pkcs1, serialization.NoEncryption()).decode())
    return DefaultAlipayClient(config)


def _bare(pem: str) -> str:
    return "".join(pem.splitlines()[1:-1])


def _oauth(client: Any, code: str) -> Any:  # the SDK is untyped
    from alipay.aop.api.request.AlipaySystemOauthTokenRequest import AlipaySystemOauthTokenRequest

    request = AlipaySystemOauthTokenRequest()
    request.grant_type = "authorization_code"
    request.code = code
    return json.loads(client.execute(request))


@pytest.mark.usefixtures("beijing_clock")
def test_the_sdk_signs_calls_and_verifies(stand: Stand, client: Any) -> None:
    code = stand.open("alipay/login", person="周杰")["auth_code"]
    content = _oauth(client, code)
    assert content["user_id"].startswith("2088")
    assert content["refresh_token"]
    assert _oauth(client, code)["sub_code"] == "isv.code-is-used"


@pytest.mark.usefixtures("beijing_clock")
def test_the_sdk_sees_an_unsigned_refusal_as_an_exception(stand: Stand, client: Any) -> None:
    from alipay.aop.api.exception.Exception import ResponseException

    client._DefaultAlipayClient__config.app_id = "2021000000000000"
    with pytest.raises(ResponseException, match=r"isv\.invalid-app-id"):
        _oauth(client, stand.open("alipay/login", person="周杰")["auth_code"])


def _trade(name: str, **content: str) -> Any:  # the SDK is untyped
    """A request of the SDK's own class, with its own model."""
    model = getattr(import_module(f"alipay.aop.api.domain.Alipay{name}Model"), f"Alipay{name}Model")()
    for field, value in content.items():
        setattr(model, field, value)
    return getattr(import_module(f"alipay.aop.api.request.Alipay{name}Request"), f"Alipay{name}Request")(
        model
    )


@pytest.mark.usefixtures("beijing_clock")
def test_the_sdk_pays_refunds_and_closes(stand: Stand, client: Any) -> None:
    def call(name: str, **content: str) -> Any:  # the SDK is untyped
        return json.loads(client.execute(_trade(name, **content)))

    buyer = _oauth(client, stand.open("alipay/login", person="周杰")["auth_code"])
    order = {
        "out_trade_no": number(),
        "total_amount": "12.30",
        "subject": "停车费",
        "product_code": "JSAPI_PAY",
        "op_app_id": stand.credentials["alipay"]["app_id"],
        "buyer_open_id": buyer["open_id"],
        "timeout_express": "30m",
    }
    made = call("TradeCreate", **order)
    assert made["code"] == "10000"
    stand.open("alipay/pay", trade_no=made["trade_no"], person="周杰")
    assert call("TradeQuery", trade_no=made["trade_no"])["trade_status"] == "TRADE_SUCCESS"
    part = {"trade_no": made["trade_no"], "refund_amount": "2.30", "out_request_no": "r1"}
    assert call("TradeRefund", **part)["fund_change"] == "Y"
    asked = call("TradeFastpayRefundQuery", trade_no=made["trade_no"], out_request_no="r1")
    assert (asked["refund_status"], asked["refund_amount"]) == ("REFUND_SUCCESS", "2.30")
    assert call("TradeClose", trade_no=made["trade_no"])["sub_code"] == "ACQ.TRADE_STATUS_ERROR"
    code = call("TradePrecreate", out_trade_no=number(), total_amount="5.00", subject="停车费")
    assert stand.http.get(code["qr_code"]).status_code == 200
    bill = call("DataDataserviceBillDownloadurlQuery", bill_type="trade", bill_date="2016-01-01")
    assert bill["sub_code"] == "isp.bill_not_exist"


@pytest.mark.usefixtures("beijing_clock")
def test_the_sdks_page_leads_to_the_cashier(stand: Stand, client: Any) -> None:
    request = _trade(
        "TradeWapPay",
        out_trade_no=number(),
        total_amount="5.00",
        subject="停车费",
        product_code="QUICK_WAP_WAY",
    )
    request.notify_url = request.return_url = "https://linli.example/"
    address = client.page_execute(request, http_method="GET")
    path = address.removeprefix("http://127.0.0.1")
    assert "¥5.00" in stand.http.get(path, follow_redirects=True).text
