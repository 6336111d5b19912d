"""Passwords, authenticator codes, signed answers: what is accepted and what is not."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pyotp
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from domains.identity import passwords, totp
from domains.identity.platforms import set_up
from domains.identity.platforms.alipay import Alipay
from domains.identity.platforms.calling import pool
from domains.identity.platforms.sms import Sms
from domains.identity.service.staff_accounts import checked_login, temporary_password
from domains.kernel import clock
from domains.kernel.errors import DomainError, Invalid, Throttled, Unavailable

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
APP, PLATFORM = (rsa.generate_private_key(65537, 2048) for _ in range(2))
PEM, NO_PASSWORD = serialization.Encoding.PEM, serialization.NoEncryption()
METHOD = "alipay_system_oauth_token_response"


def test_temporary_passwords_are_strong_and_different() -> None:
    made = {temporary_password() for _ in range(200)}
    assert len(made) == 200
    for each in made:
        passwords.check_strength(each, "somebody")


async def test_a_password_matches_its_hash_and_nobody_matches() -> None:
    kept = await passwords.hash_password("Linli-2026-ok")
    assert kept.startswith("$argon2id$")
    assert await passwords.matches(kept, "Linli-2026-ok")
    assert not await passwords.matches(kept, "Linli-2026-OK")
    assert not await passwords.matches(None, "nobody's password")
    assert not await passwords.matches("damaged", "x")


@pytest.mark.parametrize("login", ["ab", "-abc", "a b c", "张三丰", "a" * 41, "abc!"])
def test_a_bad_login_is_refused(login: str) -> None:
    with pytest.raises(Invalid):
        checked_login(login)


def test_an_authenticator_code_counts_once_and_for_a_step_of_drift() -> None:
    secret = totp.new_secret()
    app = pyotp.TOTP(secret)
    with clock.use(clock.FixedClock(NOW)):
        now = int(NOW.timestamp()) // 30
        assert totp.matching_step(secret, app.at(NOW), None) == now
        assert totp.matching_step(secret, app.at(NOW), now) is None
        assert totp.matching_step(secret, app.at(NOW + timedelta(seconds=30)), now) == now + 1
        assert totp.matching_step(secret, app.at(NOW - timedelta(seconds=90)), None) is None
        wide = "".join(chr(ord(digit) + 0xFEE0) for digit in app.at(NOW))
        assert totp.matching_step(secret, wide, None) == now
        assert totp.matching_step(secret, "六位数字动态", None) is None


def alipay(answer: Callable[[httpx.Request], httpx.Response]) -> Alipay:
    public = PLATFORM.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Alipay(
        httpx.AsyncClient(transport=httpx.MockTransport(answer)),
        url="https://alipay.invalid/gateway.do",
        app_id="2021",
        app_key_pem=APP.private_bytes(PEM, serialization.PrivateFormat.PKCS8, NO_PASSWORD).decode(),
        public_key_pem=public.decode(),
        aes_key=base64.b64encode(bytes(16)).decode(),
    )


def sign(text: bytes, digest: hashes.HashAlgorithm | None = None) -> str:
    return base64.b64encode(PLATFORM.sign(text, PKCS1v15(), digest or hashes.SHA256())).decode()


def wire(name: str, node: bytes, signature: str | None) -> Callable[[httpx.Request], httpx.Response]:
    tail = b"" if signature is None else b',"sign":"' + signature.encode() + b'"'
    return lambda _: httpx.Response(200, content=b'{"' + name.encode() + b'":' + node + tail + b"}")


NODE = '{"open_id": "o-1",  "备注":"空格与\\u4e2d文"}'.encode()


async def test_an_answer_is_verified_over_its_raw_bytes() -> None:
    person = await alipay(wire(METHOD, NODE, sign(NODE))).person("code")
    assert (person.platform, person.app_id, person.open_id) == ("alipay", "2021", "o-1")


@pytest.mark.parametrize(
    "answer",
    [
        wire(METHOD, NODE, None),
        wire(METHOD, NODE, ""),
        wire(METHOD, NODE, "!!!"),
        wire(METHOD, NODE, sign(NODE + b" ")),
        wire(METHOD, NODE, sign(NODE, hashes.SHA1())),  # what must not be accepted
        wire(METHOD, b'{"open_id":"o-2"}', sign(NODE)),
        wire(METHOD, b"[]", sign(b"[]")),
        wire("another_response", NODE, sign(NODE)),
        wire("error_response", b'{"sub_code":"isv.code-invalid"}', None),
        wire(METHOD, b'{"no":"id"}', sign(b'{"no":"id"}')),
        lambda _: httpx.Response(200, content=b"<html>"),
        lambda _: httpx.Response(502, content=b"{}"),
    ],
)
async def test_what_is_not_signed_by_the_platform_is_not_believed(
    answer: Callable[[httpx.Request], httpx.Response],
) -> None:
    with pytest.raises(Unavailable) as refusal:
        await alipay(answer).person("code")
    assert refusal.value.code == "PLATFORM_UNAVAILABLE"


async def test_a_signed_refusal_of_the_code_is_the_persons_to_mend() -> None:
    node = b'{"code":"40002","sub_code":"isv.code-is-used"}'
    with pytest.raises(Invalid) as refusal:
        await alipay(wire("error_response", node, sign(node))).person("code")
    assert refusal.value.code == "SIGN_IN_CODE_INVALID"


async def test_the_request_is_signed_rsa2_by_the_app() -> None:
    seen: list[dict[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(dict(httpx.QueryParams(request.content.decode())))
        return httpx.Response(500)

    with pytest.raises(Unavailable):
        await alipay(answer).person("授权码 &=")
    params = seen[0]
    covered = "&".join(f"{k}={v}" for k, v in sorted(params.items()) if k != "sign")
    APP.public_key().verify(base64.b64decode(params["sign"]), covered.encode(), PKCS1v15(), hashes.SHA256())
    assert (params["sign_type"], params["code"]) == ("RSA2", "授权码 &=")


@pytest.mark.parametrize("response", ["", "!!!", "AAAA", base64.b64encode(bytes(32)).decode()])
def test_a_phone_that_does_not_open_is_refused(response: str) -> None:
    client = alipay(lambda _: httpx.Response(500))
    for signature in (sign(f'"{response}"'.encode()), "", "AAAA"):
        with pytest.raises(Invalid) as refusal:
            client.phone(response, signature)
        assert refusal.value.code == "PHONE_CODE_INVALID"


def sms(body: Any, status: int = 200) -> Sms:  # Any: whatever a platform may send
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=orjson.dumps(body)))
    return Sms(
        httpx.AsyncClient(transport=transport), url="https://sms.invalid/", access_key_id="id",
        access_key_secret="secret", sign_name="邻里", code_template="SMS_1",
    )  # fmt: skip


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
        await sms(body, status).send_code("13800000001", "123456")
    assert refusal.value.code == code


async def test_addresses_with_secrets_in_them_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with pool() as http:
        caplog.set_level(logging.INFO)
        assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)
        assert http.timeout.connect == 2.0


def test_a_platform_that_is_not_set_up_says_so() -> None:
    with pytest.raises(Unavailable) as refusal:
        set_up(None)
    assert refusal.value.code == "PLATFORM_NOT_SET_UP"
