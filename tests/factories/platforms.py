"""The ways to the platforms over an answer that a test makes up, and Alipay's signature on it."""

from __future__ import annotations

import base64
from collections.abc import Callable

import httpx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from domains.platforms.alipay import Alipay
from domains.platforms.aliyun import Aliyun

Answer = Callable[[httpx.Request], httpx.Response]

APP, PLATFORM = (rsa.generate_private_key(65537, 2048) for _ in range(2))
OAUTH = "alipay.system.oauth.token"
OAUTH_NODE = "alipay_system_oauth_token_response"
_PEM, _NO_PASSWORD = serialization.Encoding.PEM, serialization.NoEncryption()


def alipay(answer: Answer) -> Alipay:
    """An application of Alipay's whose gateway gives this answer."""
    public = PLATFORM.public_key().public_bytes(_PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Alipay(
        httpx.AsyncClient(transport=httpx.MockTransport(answer)),
        url="https://alipay.invalid/gateway.do",
        app_id="2021",
        app_key_pem=APP.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, _NO_PASSWORD).decode(),
        public_key_pem=public.decode(),
    )


def alipay_sign(text: bytes, digest: hashes.HashAlgorithm | None = None) -> str:
    """Alipay's signature; of a weaker digest where the test names one."""
    return base64.b64encode(PLATFORM.sign(text, PKCS1v15(), digest or hashes.SHA256())).decode()


def alipay_wire(name: str, node: bytes, signature: str | None) -> Answer:
    """A node as it stands on the wire, with the signature beside it where there is one."""
    tail = b"" if signature is None else b',"sign":"' + signature.encode() + b'"'
    return lambda _: httpx.Response(200, content=b'{"' + name.encode() + b'":' + node + tail + b"}")


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
