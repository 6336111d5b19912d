"""What sign-in makes of a platform's answers: who it is, what to mend, what to try again."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest

from domains.identity.platforms import set_up
from domains.identity.platforms.alipay import AlipaySignIn
from domains.identity.platforms.sms import SmsSignIn
from domains.kernel.errors import DomainError, Invalid, Throttled, Unavailable
from tests.factories.platforms import OAUTH_NODE, Answer, alipay, alipay_sign, alipay_wire, aliyun

NODE = '{"open_id": "o-1",  "备注":"空格与\\u4e2d文"}'.encode()


def alipay_sign_in(answer: Answer) -> AlipaySignIn:
    return AlipaySignIn(alipay(answer), base64.b64encode(bytes(16)).decode())


def sms(answer: Answer) -> SmsSignIn:
    return SmsSignIn(aliyun(answer), sign_name="邻里", code_template="SMS_1")


async def test_alipay_vouches_for_a_person() -> None:
    person = await alipay_sign_in(alipay_wire(OAUTH_NODE, NODE, alipay_sign(NODE))).person("code")
    assert (person.platform, person.app_id, person.open_id) == ("alipay", "2021", "o-1")


@pytest.mark.parametrize(
    "answer",
    [
        alipay_wire(OAUTH_NODE, NODE, None),
        alipay_wire(OAUTH_NODE, b'{"no":"id"}', alipay_sign(b'{"no":"id"}')),
        alipay_wire("error_response", b'{"sub_code":"isv.code-invalid"}', None),
        lambda _: httpx.Response(502, content=b"{}"),
    ],
)
async def test_what_alipay_does_not_vouch_for_signs_nobody_in(answer: Answer) -> None:
    with pytest.raises(Unavailable) as refusal:
        await alipay_sign_in(answer).person("code")
    assert refusal.value.code == "PLATFORM_UNAVAILABLE"


async def test_a_signed_refusal_of_the_code_is_the_persons_to_mend() -> None:
    node = b'{"code":"40002","sub_code":"isv.code-is-used"}'
    with pytest.raises(Invalid) as refusal:
        await alipay_sign_in(alipay_wire("error_response", node, alipay_sign(node))).person("code")
    assert refusal.value.code == "SIGN_IN_CODE_INVALID"


@pytest.mark.parametrize("response", ["", "!!!", "AAAA", base64.b64encode(bytes(32)).decode()])
def test_a_phone_that_does_not_open_is_refused(response: str) -> None:
    client = alipay_sign_in(lambda _: httpx.Response(500))
    for signature in (alipay_sign(f'"{response}"'.encode()), "", "AAAA"):
        with pytest.raises(Invalid) as refusal:
            client.phone(response, signature)
        assert refusal.value.code == "PHONE_CODE_INVALID"


def answered(
    body: Any, status: int
) -> Callable[[httpx.Request], httpx.Response]:  # Any: what a platform sends
    return lambda _: httpx.Response(status, content=orjson.dumps(body))


@pytest.mark.parametrize(
    ("body", "status", "kind", "code"),
    [
        ({"Code": "isv.BUSINESS_LIMIT_CONTROL"}, 200, Throttled, "SMS_TOO_OFTEN"),
        ({"Code": "isv.MOBILE_NUMBER_ILLEGAL"}, 200, Invalid, "PHONE_INVALID"),
        ({"Code": "isv.SMS_SIGNATURE_ILLEGAL"}, 200, Unavailable, "PLATFORM_UNAVAILABLE"),
        ({"Code": "SignatureDoesNotMatch"}, 400, Unavailable, "PLATFORM_UNAVAILABLE"),
        ([], 200, Unavailable, "PLATFORM_UNAVAILABLE"),
        ({}, 500, Unavailable, "PLATFORM_UNAVAILABLE"),
    ],
)
async def test_what_the_sms_platform_refuses(
    body: Any, status: int, kind: type[DomainError], code: str
) -> None:  # Any: whatever a platform may send
    with pytest.raises(kind) as refusal:
        await sms(answered(body, status)).send_code("13800000001", "123456")
    assert refusal.value.code == code


def test_a_platform_that_is_not_set_up_says_so() -> None:
    with pytest.raises(Unavailable) as refusal:
        set_up(None)
    assert refusal.value.code == "PLATFORM_NOT_SET_UP"
