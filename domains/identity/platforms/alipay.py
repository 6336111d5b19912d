"""Alipay (支付宝小程序): alipay.system.oauth.token and the encrypted phone of my.getPhoneNumber.

Requests are signed RSA2 and answers are verified over their raw bytes, here and not by the SDK, whose
signing is slow and whose verification accepts weaker digests; its request class names the parameters.
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
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from domains.identity.platforms.calling import PlatformPerson, send, unavailable
from domains.kernel import clock, phones
from domains.kernel.errors import Invalid

_BAD_CODE = ("isv.code-invalid", "isv.code-is-used", "isv.missing-code")
_ERROR = "error_response"


class Alipay:
    """One mini-program's gateway. Keys are PEM; the AES key (接口内容加密) is base64, from the console."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        url: str,
        app_id: str,
        app_key_pem: str,
        public_key_pem: str,
        aes_key: str,
    ) -> None:
        self._http, self._url, self._app_id = http, url, app_id
        self._app_key = _private(app_key_pem)
        self._public_key = _public(public_key_pem)
        self._aes_key = base64.b64decode(aes_key)

    async def person(self, auth_code: str) -> PlatformPerson:
        """Who `my.getAuthCode` stands for. Invalid SIGN_IN_CODE_INVALID for an unknown or spent code."""
        from alipay.aop.api.request.AlipaySystemOauthTokenRequest import AlipaySystemOauthTokenRequest

        request = AlipaySystemOauthTokenRequest()
        request.grant_type = "authorization_code"
        request.code = auth_code
        node = await self._execute(request.get_params())
        if node.get("sub_code") in _BAD_CODE:
            raise Invalid("SIGN_IN_CODE_INVALID", "支付宝登录已失效,请重新点击登录", "auth_code")
        # An app sees open_id or, where it was made before that existed, user_id; never both in turn.
        open_id = node.get("open_id") or node.get("user_id")
        if not isinstance(open_id, str):
            raise unavailable("alipay", str(node.get("sub_code") or "no open_id"))
        return PlatformPerson("alipay", self._app_id, open_id)

    def phone(self, response: str, sign: str) -> str:
        """The number in the encrypted answer of my.getPhoneNumber, once its signature holds.

        The signature covers the ciphertext between double quotes, as it stands on the wire.
        Raises Invalid PHONE_CODE_INVALID.
        """
        refusal = Invalid("PHONE_CODE_INVALID", "手机号授权无效,请重新授权", "phone_response")
        if not self._is_genuine(f'"{response}"'.encode(), sign):
            raise refusal
        try:
            content = orjson.loads(self._decrypted(response))
            number = str(content["mobile"])
        except (ValueError, KeyError, TypeError):
            raise refusal from None
        return phones.normalise(number, field="phone_response")

    def _decrypted(self, response: str) -> bytes:
        decryptor = Cipher(algorithms.AES(self._aes_key), modes.CBC(bytes(16))).decryptor()
        padded = decryptor.update(base64.b64decode(response, validate=True)) + decryptor.finalize()
        unpadder = PKCS7(128).unpadder()
        return unpadder.update(padded) + unpadder.finalize()

    async def _execute(self, params: Mapping[str, str]) -> dict[str, Any]:  # Any: the node's JSON
        signed = self._signed(params)
        response = await send(self._http, "alipay", self._http.build_request("POST", self._url, data=signed))
        if response.status_code != 200:
            raise unavailable("alipay", f"http {response.status_code}")
        return self._verified(params["method"], response.content)

    def _signed(self, params: Mapping[str, str]) -> dict[str, str]:
        now = clock.now().astimezone(clock.SHANGHAI)
        whole = {
            **params, "app_id": self._app_id, "format": "json", "charset": "utf-8", "sign_type": "RSA2",
            "timestamp": f"{now:%Y-%m-%d %H:%M:%S}",
        }  # fmt: skip
        text = "&".join(f"{name}={value}" for name, value in sorted(whole.items()) if value)
        whole["sign"] = base64.b64encode(
            self._app_key.sign(text.encode(), PKCS1v15(), hashes.SHA256())
        ).decode()
        return whole

    def _verified(self, method: str, content: bytes) -> dict[str, Any]:
        """The node, read from the very bytes that are signed; what is unsigned is not believed."""
        found = _node(content, (f"{method.replace('.', '_')}_response", _ERROR))
        if found is None or not self._is_genuine(*found):
            raise unavailable("alipay", "unsigned answer")
        node = orjson.loads(found[0])
        if not isinstance(node, dict):
            raise unavailable("alipay", "malformed answer")
        return node

    def _is_genuine(self, content: bytes, sign: str) -> bool:
        try:
            self._public_key.verify(
                base64.b64decode(sign, validate=True), content, PKCS1v15(), hashes.SHA256()
            )
        except (InvalidSignature, ValueError):
            return False
        return True


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
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("the Alipay app key must be an RSA private key")
    return key


def _public(pem: str) -> RSAPublicKey:
    key = serialization.load_pem_public_key(pem.encode())
    if not isinstance(key, RSAPublicKey):
        raise ValueError("Alipay's key must be an RSA public key")
    return key
