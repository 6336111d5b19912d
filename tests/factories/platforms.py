"""The ways to the platforms over an answer that a test makes up, and Alipay's or WeChat Pay's signature on it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping

import httpx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domains.kernel import clock
from domains.platforms.alipay import Alipay
from domains.platforms.aliyun import Aliyun
from domains.platforms.wechatpay import WeChatPay

Answer = Callable[[httpx.Request], httpx.Response]

APP, PLATFORM = (rsa.generate_private_key(65537, 2048) for _ in range(2))
OAUTH = "alipay.system.oauth.token"
OAUTH_NODE = "alipay_system_oauth_token_response"
_PEM, _NO_PASSWORD = serialization.Encoding.PEM, serialization.NoEncryption()


MERCHANT, SERIAL, API_V3_KEY = "1600000001", "5157F09EFDC096DE15EBE81A47057A7232F1B8E1", "k" * 32
KEY_ID = "PUB_KEY_ID_0116000000012026112100000001"


def private_pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, _NO_PASSWORD).decode()


def public_pem(key: rsa.RSAPrivateKey) -> str:
    return key.public_key().public_bytes(_PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def alipay(answer: Answer) -> Alipay:
    """An application of Alipay's whose gateway gives this answer."""
    return Alipay(
        httpx.AsyncClient(transport=httpx.MockTransport(answer)),
        url="https://alipay.invalid/gateway.do",
        app_id="2021",
        app_key_pem=private_pem(APP),
        public_key_pem=public_pem(PLATFORM),
    )


def alipay_sign(text: bytes, digest: hashes.HashAlgorithm | None = None) -> str:
    """Alipay's signature; of a weaker digest where the test names one."""
    return base64.b64encode(PLATFORM.sign(text, PKCS1v15(), digest or hashes.SHA256())).decode()


def alipay_wire(name: str, node: bytes, signature: str | None) -> Answer:
    """A node as it stands on the wire, with the signature beside it where there is one."""
    tail = b"" if signature is None else b',"sign":"' + signature.encode() + b'"'
    return lambda _: httpx.Response(200, content=b'{"' + name.encode() + b'":' + node + tail + b"}")


def wechat_pay(answer: Answer, public_keys: Mapping[str, str] | None = None) -> WeChatPay:
    """A merchant's account at WeChat Pay, which gives this answer."""
    return WeChatPay(
        httpx.AsyncClient(transport=httpx.MockTransport(answer)),
        url="https://wechatpay.invalid",
        mch_id=MERCHANT,
        key_pem=private_pem(APP),
        serial=SERIAL,
        api_v3_key=API_V3_KEY,
        public_keys=public_keys or {KEY_ID: public_pem(PLATFORM)},
    )


def wechat_pay_headers(
    body: bytes,
    *,
    late_s: int = 0,
    digest: hashes.HashAlgorithm | None = None,
    key: rsa.RSAPrivateKey = PLATFORM,
) -> dict[str, str]:
    """WeChat Pay's signature on an answer or a notification, so many seconds before now."""
    stamp, nonce = str(int(clock.now().timestamp()) - late_s), "n" * 32
    text = f"{stamp}\n{nonce}\n".encode() + body + b"\n"
    sign = base64.b64encode(key.sign(text, PKCS1v15(), digest or hashes.SHA256())).decode()
    return {
        "wechatpay-serial": KEY_ID,
        "wechatpay-timestamp": stamp,
        "wechatpay-nonce": nonce,
        "wechatpay-signature": sign,
    }


def wechat_pay_answer(fields: object, status: int = 200) -> Answer:
    """A signed answer; None is an empty one."""
    body = b"" if fields is None else json.dumps(fields, ensure_ascii=False).encode()
    return lambda _: httpx.Response(status, content=body, headers=wechat_pay_headers(body))


def wechat_pay_notice(event: str, resource: object, api_v3_key: str = API_V3_KEY) -> bytes:
    """A notification as it is posted; its headers are those of `wechat_pay_headers`."""
    text, about = json.dumps(resource).encode(), event.partition(".")[0].lower()
    sealed = AESGCM(api_v3_key.encode()).encrypt(b"123456789012", text, about.encode())
    fields = {
        "algorithm": "AEAD_AES_256_GCM", "ciphertext": base64.b64encode(sealed).decode(), "nonce": "123456789012",
        "associated_data": about, "original_type": about,
    }  # fmt: skip
    return json.dumps({"id": "N1", "event_type": event, "resource": fields}).encode()


def aliyun(answer: Answer) -> Aliyun:
    """A product of Alibaba Cloud's that gives this answer."""
    return Aliyun(
        httpx.AsyncClient(transport=httpx.MockTransport(answer)),
        name="sms",
        url="https://aliyun.invalid/",
        version="2017-05-25",
        access_key_id="id",
        access_key_secret="secret",
    )
