"""Alipay (支付宝开放平台网关): one application's signed calls.

Requests are signed RSA2 and answers are verified over their raw bytes, here and not by the SDK, whose
signing is slow and whose verification accepts weaker digests; its request classes name the parameters.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import httpx
import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from domains.kernel import clock
from domains.platforms.calling import OutcomeUnknown, no_answer, send

_ERROR = "error_response"
_END = "-----END PUBLIC KEY-----"


class Alipay:
    """One application's gateway. Keys are PEM; Alipay's may be several."""

    def __init__(
        self, http: httpx.AsyncClient, *, url: str, app_id: str, app_key_pem: str, public_key_pem: str
    ) -> None:
        self._http, self._url, self.app_id = http, url, app_id
        self._app_key = _private(app_key_pem)
        self._public_keys = _publics(public_key_pem)

    async def execute(
        self,
        method: str,
        params: Mapping[str, str] | None = None,
        *,
        biz_content: Mapping[str, object] | None = None,
    ) -> dict[str, Any]:  # Any: the node's JSON
        """The signed node that answers a method: a refusal has a `code` other than 10000, and a `sub_code`.
        `params` may be `get_params()` of a request of the SDK. Raises NotSent or OutcomeUnknown."""
        given = dict(params or {})
        if biz_content is not None:
            given["biz_content"] = orjson.dumps(biz_content).decode()
        # The gateway has to know the charset before it reads the body, hence the address has what is common.
        common = self._common(method)
        body = {name: value for name, value in given.items() if value and name not in common}
        address = {**common, "sign": self._sign({**common, **body})}
        request = self._http.build_request("POST", self._url, params=address, data=body)
        response = await send(self._http, "alipay", request)
        if response.status_code != 200:
            raise no_answer("alipay", response)
        return self._verified(method, response.content)

    def page_url(self, method: str, params: Mapping[str, str]) -> str:
        """The signed address of a page of Alipay's, such as its cashier (收银台), for somebody's browser."""
        common = self._common(method)
        given = {**{name: value for name, value in params.items() if value and name not in common}, **common}
        return str(httpx.URL(self._url, params={**given, "sign": self._sign(given)}))

    def is_genuine(self, content: bytes, sign: str) -> bool:
        """Whether the base64 signature over these bytes is Alipay's, by RSA2 and any key that is in use."""
        try:
            signature = base64.b64decode(sign, validate=True)
        except ValueError:
            return False
        return any(_is_by(key, signature, content) for key in self._public_keys)

    def _common(self, method: str) -> dict[str, str]:
        now = clock.now().astimezone(clock.SHANGHAI)
        return {
            "method": method, "version": "1.0", "app_id": self.app_id, "format": "json", "charset": "utf-8",
            "sign_type": "RSA2", "timestamp": f"{now:%Y-%m-%d %H:%M:%S}",
        }  # fmt: skip

    def _sign(self, params: Mapping[str, str]) -> str:
        text = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
        return base64.b64encode(self._app_key.sign(text.encode(), PKCS1v15(), hashes.SHA256())).decode()

    def _verified(self, method: str, content: bytes) -> dict[str, Any]:  # Any: the node's JSON
        """The node, read from the very bytes that are signed; what is unsigned is not believed."""
        found = _node(content, (f"{method.replace('.', '_')}_response", _ERROR))
        if found is None or not self.is_genuine(*found):
            raise OutcomeUnknown("alipay", "unsigned answer")
        node = orjson.loads(found[0])
        if not isinstance(node, dict):
            raise OutcomeUnknown("alipay", "malformed answer")
        return node


def _node(content: bytes, names: tuple[str, ...]) -> tuple[bytes, str] | None:
    """The raw bytes of the first of these members, and the signature beside it."""
    try:
        text = content.decode()
        whole = orjson.loads(content)
        name = next(name for name in names if name in whole)
        start = text.index(f'"{name}":') + len(name) + 3
        _, end = json.JSONDecoder().raw_decode(text, start)
        return text[start:end].encode(), str(whole["sign"])
    except (ValueError, KeyError, TypeError, StopIteration):
        return None


def _private(pem: str) -> RSAPrivateKey:
    # Whoever read the settings has checked it; once more would cost every start 40 ms.
    key = serialization.load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("the Alipay app key must be an RSA private key")
    return key


def _is_by(key: RSAPublicKey, signature: bytes, content: bytes) -> bool:
    try:
        key.verify(signature, content, PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _publics(pem: str) -> list[RSAPublicKey]:
    """One key or, while Alipay changes its own, the old and the new one after the other."""
    ends = _END + "\n"
    return [_public(part + ends) for part in pem.split(_END) if part.strip()]


def _public(pem: str) -> RSAPublicKey:
    key = serialization.load_pem_public_key(pem.encode())
    if not isinstance(key, RSAPublicKey):
        raise ValueError("Alipay's key must be an RSA public key")
    return key
