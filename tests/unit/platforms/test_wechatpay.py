"""WeChat Pay's transport: what we sign, what we believe, and what a call that failed says."""

from __future__ import annotations

import base64
import re
from datetime import timedelta

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from domains.kernel import clock
from domains.kernel.clock import FixedClock
from domains.platforms.calling import NotSent, OutcomeUnknown
from domains.platforms.wechatpay import (
    NotGenuine,
    WeChatPayRefusal,
    merchant_key,
    platform_key,
)
from tests.factories.platforms import (
    APP,
    KEY_ID,
    MERCHANT,
    PLATFORM,
    SERIAL,
    Answer,
    private_pem,
    public_pem,
    wechat_pay,
    wechat_pay_answer,
    wechat_pay_headers,
    wechat_pay_notice,
)

ORDER = "/v3/pay/transactions/out-trade-no/N1?mchid=1600000001"
BODY = b'{"trade_state":"NOTPAY"}'


def altered(**changed: str) -> Answer:
    parts = {f"wechatpay-{name}": value for name, value in changed.items()}
    return lambda _: httpx.Response(200, content=BODY, headers=wechat_pay_headers(BODY) | parts)


async def test_a_signed_answer_is_believed() -> None:
    assert await wechat_pay(wechat_pay_answer({"trade_state": "NOTPAY"})).call("GET", ORDER) == {
        "trade_state": "NOTPAY"
    }
    assert await wechat_pay(wechat_pay_answer(None, 204)).call("POST", "/v3/x", {}) == {}


async def test_a_signed_refusal_is_told_by_its_code() -> None:
    with pytest.raises(WeChatPayRefusal) as told:
        await wechat_pay(wechat_pay_answer({"code": "ORDER_NOT_EXIST"}, 404)).call("GET", ORDER)
    assert (told.value.code, told.value.status) == ("ORDER_NOT_EXIST", 404)


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: httpx.Response(200, content=BODY),
        altered(serial=""),
        altered(serial="PUB_KEY_ID_0"),
        altered(timestamp="now"),
        altered(nonce="another"),
        altered(signature="!!!"),
        altered(signature="WECHATPAY/SIGNTEST/" + "A" * 325),
        lambda _: httpx.Response(200, content=BODY, headers=wechat_pay_headers(BODY + b" ")),
        lambda _: httpx.Response(200, content=BODY, headers=wechat_pay_headers(BODY, key=APP)),
        lambda _: httpx.Response(200, content=BODY, headers=wechat_pay_headers(BODY, digest=hashes.SHA1())),
        lambda _: httpx.Response(200, content=BODY, headers=wechat_pay_headers(BODY, late_s=302)),
        lambda _: httpx.Response(200, content=BODY, headers=wechat_pay_headers(BODY, late_s=-302)),
        lambda _: httpx.Response(404, content=b'{"code":"ORDER_NOT_EXIST"}'),
        lambda _: httpx.Response(500, text="Internal Server Error"),
        lambda _: httpx.Response(302, headers={"Location": "https://elsewhere.invalid/"}),
        wechat_pay_answer([1]),
        wechat_pay_answer(None, 500),
    ],
)
async def test_what_is_not_signed_now_by_the_platform_is_not_believed(answer: Answer) -> None:
    with pytest.raises(OutcomeUnknown):
        await wechat_pay(answer).call("GET", ORDER)


async def test_what_was_turned_away_unread_may_be_sent_again() -> None:
    for answer in (wechat_pay_answer({"code": "FREQUENCY_LIMITED"}, 429), lambda _: httpx.Response(429)):
        with pytest.raises(NotSent):
            await wechat_pay(answer).call("GET", ORDER)


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("GET", ORDER, None),
        ("GET", "/v3/refund/domestic/refunds/R|1*@", None),
        ("POST", "/v3/pay/transactions/jsapi", {"description": "三号楼 & 物业费"}),
    ],
)
async def test_a_request_is_signed_as_it_is_sent(
    method: str, target: str, body: dict[str, object] | None
) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return wechat_pay_answer({})(request)

    for _ in range(2):
        await wechat_pay(answer).call("GET" if method == "GET" else "POST", target, body)
    schema, _, rest = seen[0].headers["authorization"].partition(" ")
    parts = dict(re.findall(r'([a-z_]+)="([^"]*)"', rest))
    assert (schema, parts["mchid"], parts["serial_no"]) == ("WECHATPAY2-SHA256-RSA2048", MERCHANT, SERIAL)
    text = f"{method}\n{seen[0].url.raw_path.decode()}\n{parts['timestamp']}\n{parts['nonce_str']}\n".encode()
    signature = base64.b64decode(parts["signature"])
    APP.public_key().verify(signature, text + seen[0].content + b"\n", PKCS1v15(), hashes.SHA256())
    assert parts["nonce_str"] not in seen[1].headers["authorization"]
    headers = {name: seen[0].headers[name] for name in ("accept", "user-agent", "wechatpay-serial")}
    assert headers == {"accept": "application/json", "user-agent": "Linli", "wechatpay-serial": KEY_ID}


async def test_an_old_and_a_new_key_are_known_while_one_takes_the_others_place() -> None:
    old = rsa.generate_private_key(65537, 2048)
    keys = {"PUB_KEY_ID_OLD": public_pem(old), KEY_ID: public_pem(PLATFORM)}
    assert await wechat_pay(wechat_pay_answer({"a": 1}), keys).call("GET", ORDER) == {"a": 1}
    with pytest.raises(OutcomeUnknown, match="unknown key"):
        await wechat_pay(wechat_pay_answer({"a": 1}), {"PUB_KEY_ID_OLD": public_pem(old)}).call("GET", ORDER)
    # A key answers for its own id alone.
    with pytest.raises(OutcomeUnknown, match="signature"):
        await wechat_pay(wechat_pay_answer({"a": 1}), {KEY_ID: public_pem(old)}).call("GET", ORDER)


def test_a_platform_certificate_is_as_good_as_its_key() -> None:
    name, now = x509.Name([]), clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(PLATFORM.public_key()).serial_number(7)
        .not_valid_before(now).not_valid_after(now + timedelta(days=1)).sign(PLATFORM, hashes.SHA256())
    )  # fmt: skip
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    assert platform_key(pem).public_numbers() == PLATFORM.public_key().public_numbers()


def test_other_and_weaker_keys_are_none() -> None:
    weak, other = rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP256R1())
    for key in (weak, other):
        with pytest.raises(ValueError, match="RSA"):
            merchant_key(private_pem(key))  # type: ignore[arg-type]  # the wrong key is the point
        with pytest.raises(ValueError, match="RSA"):
            platform_key(public_pem(key))  # type: ignore[arg-type]  # as above


def test_the_client_is_given_what_the_platform_checks() -> None:
    pay = wechat_pay(wechat_pay_answer({}))
    with clock.use(FixedClock(clock.now())):
        given, again = (pay.client_parameters("wx1", "wx20") for _ in range(2))
        assert given["timeStamp"] == str(int(clock.now().timestamp()))
    assert (given["package"], given["signType"]) == ("prepay_id=wx20", "RSA")
    text = f"wx1\n{given['timeStamp']}\n{given['nonceStr']}\nprepay_id=wx20\n".encode()
    APP.public_key().verify(base64.b64decode(given["paySign"]), text, PKCS1v15(), hashes.SHA256())
    assert given["nonceStr"] != again["nonceStr"]


def test_a_resource_opens_with_its_own_key_alone() -> None:
    pay = wechat_pay(wechat_pay_answer({}))
    resource = _resource(wechat_pay_notice("REFUND.SUCCESS", {"a": 1}))
    assert pay.opened(resource) == {"a": 1}
    for wrong in (
        {"nonce": "210987654321"},
        {"associated_data": "transaction"},
        {"ciphertext": "AAAA" + resource["ciphertext"][4:]},
    ):
        with pytest.raises(NotGenuine, match="sealed"):
            pay.opened({**resource, **wrong})
    with pytest.raises(NotGenuine, match="sealed"):
        pay.opened(_resource(wechat_pay_notice("REFUND.SUCCESS", {"a": 1}, "z" * 32)))
    with pytest.raises(ValueError, match="object"):
        pay.opened(_resource(wechat_pay_notice("REFUND.SUCCESS", [1])))


def test_an_empty_body_is_signed_too() -> None:
    wechat_pay(wechat_pay_answer({})).require_genuine(wechat_pay_headers(b""), b"")


def _resource(notice: bytes) -> dict[str, str]:
    found: dict[str, str] = httpx.Response(200, content=notice).json()["resource"]
    return found
