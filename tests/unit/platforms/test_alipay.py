"""Alipay's gateway: what we sign, what we believe, and the stand-in that checks as the real one does."""

from __future__ import annotations

import base64

import httpx
import orjson
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from domains.platforms import transports
from domains.platforms.alipay import Alipay
from domains.platforms.calling import NotSent, OutcomeUnknown
from tests.factories.platforms import APP, OAUTH, OAUTH_NODE, Answer, alipay, alipay_sign, alipay_wire
from tests.unit.stand_ins.stand import Stand

NODE = '{"open_id": "o-1",  "备注":"空格与\\u4e2d文"}'.encode()


def gateway() -> Alipay:
    found = transports().alipay
    assert found is not None
    return found


async def test_an_answer_is_verified_over_its_raw_bytes() -> None:
    node = await alipay(alipay_wire(OAUTH_NODE, NODE, alipay_sign(NODE))).execute(OAUTH, {"code": "c"})
    assert node == {"open_id": "o-1", "备注": "空格与中文"}


@pytest.mark.parametrize("name", ["error_response", OAUTH_NODE])
async def test_a_signed_refusal_is_an_answer(name: str) -> None:
    node = b'{"code":"40002","sub_code":"isv.code-is-used"}'
    answer = await alipay(alipay_wire(name, node, alipay_sign(node))).execute(OAUTH)
    assert answer["sub_code"] == "isv.code-is-used"


@pytest.mark.parametrize(
    "answer",
    [
        alipay_wire(OAUTH_NODE, NODE, None),
        alipay_wire(OAUTH_NODE, NODE, ""),
        alipay_wire(OAUTH_NODE, NODE, "!!!"),
        alipay_wire(OAUTH_NODE, NODE, alipay_sign(NODE + b" ")),
        alipay_wire(OAUTH_NODE, NODE, alipay_sign(NODE, hashes.SHA1())),  # what must not be accepted
        alipay_wire(OAUTH_NODE, b'{"open_id":"o-2"}', alipay_sign(NODE)),
        alipay_wire(OAUTH_NODE, b"[]", alipay_sign(b"[]")),
        alipay_wire("another_response", NODE, alipay_sign(NODE)),
        alipay_wire("error_response", b'{"sub_code":"isv.code-invalid"}', None),
        lambda _: httpx.Response(200, content=b"<html>"),
        lambda _: httpx.Response(502, content=b"{}"),
    ],
)
async def test_what_is_not_signed_by_the_platform_is_not_believed(answer: Answer) -> None:
    with pytest.raises(OutcomeUnknown):
        await alipay(answer).execute(OAUTH, {"code": "c"})


async def test_the_request_is_signed_rsa2_by_the_app_and_names_its_charset_in_the_address() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(429)

    with pytest.raises(NotSent):
        await alipay(answer).execute(OAUTH, {"code": "授权码 &=", "none": ""}, biz_content={"事": "水 & 电"})
    address = dict(seen[0].url.params)
    body = dict(httpx.QueryParams(seen[0].content.decode()))
    sign = base64.b64decode(address.pop("sign"))
    covered = "&".join(f"{name}={value}" for name, value in sorted({**address, **body}.items()))
    APP.public_key().verify(sign, covered.encode(), PKCS1v15(), hashes.SHA256())
    assert (address["method"], address["sign_type"], address["charset"]) == (OAUTH, "RSA2", "utf-8")
    assert body == {"code": "授权码 &=", "biz_content": '{"事":"水 & 电"}'}


async def test_the_request_classes_of_the_sdk_name_the_parameters() -> None:
    from alipay.aop.api.request.AlipaySystemOauthTokenRequest import AlipaySystemOauthTokenRequest

    request = AlipaySystemOauthTokenRequest()
    request.code = "c"
    bodies: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        return alipay_wire(OAUTH_NODE, NODE, alipay_sign(NODE))(request)

    await alipay(answer).execute(OAUTH, request.get_params())
    assert bodies == [b"code=c"]


@pytest.mark.usefixtures("reaching")
async def test_the_gateway_accepts_our_signature_over_chinese(stand: Stand) -> None:
    content = {"to_open_id": "o", "data": orjson.dumps({"keyword1": "三号楼 & 停水 + 通知"}).decode()}
    refused = await gateway().execute("alipay.no.such.method", biz_content=content)
    assert refused["sub_code"] == "isv.invalid-method"
    spent = await gateway().execute(OAUTH, {"grant_type": "authorization_code", "code": "无"})
    assert spent["sub_code"] == "isv.code-invalid"


@pytest.mark.usefixtures("reaching")
@pytest.mark.parametrize(
    ("kind", "failure"), [("http_429", NotSent), ("http_500", OutcomeUnknown), ("drop", OutcomeUnknown)]
)
async def test_trouble_says_whether_it_may_be_sent_again(
    stand: Stand, kind: str, failure: type[Exception]
) -> None:
    stand.fault("alipay", OAUTH, kind)
    with pytest.raises(failure):
        await gateway().execute(OAUTH, {"grant_type": "authorization_code", "code": "c"})
