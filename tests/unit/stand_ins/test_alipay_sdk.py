"""The untouched alipay-sdk-python understands the gateway, and the gateway understands it."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

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
