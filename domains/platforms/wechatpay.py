"""WeChat Pay (微信支付 APIv3): one merchant's signed calls, and what the platform signed.

Requests are signed WECHATPAY2-SHA256-RSA2048 with the merchant's key. Answers and notifications are verified over their
raw bytes with the key that they name: WeChat Pay's public keys (微信支付公钥), or platform certificates (平台证书) by
their serial numbers, of which several are known while one takes the other's place.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from typing import Any, Final, Literal

import httpx
import orjson
from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domains.kernel import clock
from domains.platforms.calling import NotSent, OutcomeUnknown, no_answer, send

SCHEMA: Final = "WECHATPAY2-SHA256-RSA2048"
FRESH_S: Final = 300
"""What was signed longer ago, or will be later than that, may be a repetition by somebody else."""

_NAME: Final = "wechatpay"
_SIGNED: Final = tuple(f"wechatpay-{part}" for part in ("serial", "timestamp", "nonce", "signature"))

Fields = dict[str, Any]  # Any: a platform's JSON


class WeChatPayRefusal(Exception):
    """The platform says no, in its own words and signed; `code` is its own, `status` HTTP's."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__(f"{code} ({status})")
        self.code, self.status = code, status


class NotGenuine(Exception):
    """Nothing that the platform said, or said now; `reason` is for the operator."""

    def __init__(self, reason: Literal["unsigned", "unknown key", "stale", "signature", "sealed"]) -> None:
        super().__init__(reason)
        self.reason = reason


class WeChatPay:
    """One merchant's account (商户号). Keys are PEM; WeChat Pay's are by the id that it names them by."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        url: str,
        mch_id: str,
        key_pem: str,
        serial: str,
        api_v3_key: str,
        public_keys: Mapping[str, str],
    ) -> None:
        self._http, self._url, self.mch_id = http, url.rstrip("/"), mch_id
        self._key, self._serial = merchant_key(key_pem), serial
        self._cipher = AESGCM(api_v3_key.encode())
        self._public_keys = {id: platform_key(pem) for id, pem in public_keys.items()}

    async def call(self, method: Literal["GET", "POST"], target: str, body: Fields | None = None) -> Fields:
        """The answer to a call; `target` is the path with its query. Raises WeChatPayRefusal, NotSent or OutcomeUnknown."""
        content = b"" if body is None else orjson.dumps(body)
        response = await send(self._http, _NAME, self._request(method, target, content))
        if response.status_code == 429:
            raise NotSent(_NAME, "FREQUENCY_LIMITED", 429)
        try:
            self.require_genuine(response.headers, response.content)
        except NotGenuine as doubt:
            if response.is_success:
                raise OutcomeUnknown(_NAME, f"{doubt.reason} answer", response.status_code) from None
            raise no_answer(_NAME, response) from None
        fields = _fields(response)
        if response.is_success:
            return fields
        raise WeChatPayRefusal(str(fields.get("code", "")), response.status_code)

    def _request(self, method: str, target: str, content: bytes) -> httpx.Request:
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "Linli",
            # While the platform changes its keys it answers with the one that the merchant names.
            "Wechatpay-Serial": next(iter(self._public_keys)),
        }
        request = self._http.build_request(method, self._url + target, content=content, headers=headers)
        request.headers["Authorization"] = self._authorization(method, request.url.raw_path, content)
        return request

    def _authorization(self, method: str, target: bytes, content: bytes) -> str:
        stamp, nonce = _stamp(), secrets.token_hex(16)
        sign = self._sign(b"\n".join([method.encode(), target, stamp.encode(), nonce.encode(), content, b""]))
        parts = {
            "mchid": self.mch_id, "nonce_str": nonce, "signature": sign, "timestamp": stamp, "serial_no": self._serial,
        }  # fmt: skip
        return SCHEMA + " " + ",".join(f'{name}="{value}"' for name, value in parts.items())

    def client_parameters(self, app_id: str, prepay_id: str) -> dict[str, str]:
        """What wx.requestPayment is given (调起支付), signed now."""
        stamp, nonce, package = _stamp(), secrets.token_hex(16), f"prepay_id={prepay_id}"
        sign = self._sign(f"{app_id}\n{stamp}\n{nonce}\n{package}\n".encode())
        return {
            "timeStamp": stamp,
            "nonceStr": nonce,
            "package": package,
            "signType": "RSA",
            "paySign": sign,
        }

    def _sign(self, text: bytes) -> str:
        return base64.b64encode(self._key.sign(text, PKCS1v15(), hashes.SHA256())).decode()

    def require_genuine(self, headers: Mapping[str, str], body: bytes) -> None:
        """Raises NotGenuine unless WeChat Pay signed these bytes, with a key that is known, within five minutes.
        Headers are by lower-case name."""
        given = [headers.get(name, "") for name in _SIGNED]
        if not all(given):
            raise NotGenuine("unsigned")
        serial, stamp, nonce, signature = given
        if (key := self._public_keys.get(serial)) is None:
            raise NotGenuine("unknown key")
        if not _is_fresh(stamp):
            raise NotGenuine("stale")
        if not _is_by(key, signature, f"{stamp}\n{nonce}\n".encode() + body + b"\n"):
            raise NotGenuine("signature")

    def opened(self, resource: Mapping[str, str]) -> Fields:
        """What a notification's resource holds (AEAD_AES_256_GCM, by the APIv3 key). Raises NotGenuine, or KeyError or
        ValueError for what is malformed."""
        sealed = base64.b64decode(resource["ciphertext"], validate=True)
        nonce, about = resource["nonce"].encode(), resource.get("associated_data", "").encode()
        try:
            fields = orjson.loads(self._cipher.decrypt(nonce, sealed, about))
        except InvalidTag:
            raise NotGenuine("sealed") from None
        if not isinstance(fields, dict):
            raise ValueError("a resource is an object")
        return fields


def merchant_key(pem: str) -> RSAPrivateKey:
    """The merchant's own key (商户 API 私钥); ValueError unless it is RSA of 2048 bits or more."""
    # Whoever read the settings has checked it; once more would cost every start 40 ms.
    key = serialization.load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, RSAPrivateKey) or key.key_size < 2048:
        raise ValueError("the merchant's key must be an RSA private key of 2048 bits or more")
    return key


def platform_key(pem: str) -> RSAPublicKey:
    """A key of WeChat Pay's, from a public key or a certificate; ValueError unless it is RSA of 2048 bits or more."""
    if "BEGIN CERTIFICATE" in pem:
        key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    else:
        key = serialization.load_pem_public_key(pem.encode())  # type: ignore[assignment]  # narrowed below
    if not isinstance(key, RSAPublicKey) or key.key_size < 2048:
        raise ValueError("WeChat Pay's key must be an RSA public key of 2048 bits or more")
    return key


def _stamp() -> str:
    return str(int(clock.now().timestamp()))


def _is_fresh(stamp: str) -> bool:
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= 12):
        return False
    return abs(clock.now().timestamp() - int(stamp)) <= FRESH_S


def _is_by(key: RSAPublicKey, signature: str, content: bytes) -> bool:
    try:
        key.verify(base64.b64decode(signature, validate=True), content, PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def _fields(response: httpx.Response) -> Fields:
    """The object that is answered; nothing (204) is an empty one."""
    if not response.content and response.is_success:
        return {}
    try:
        fields = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        fields = None
    if not isinstance(fields, dict):
        raise OutcomeUnknown(_NAME, "malformed answer", response.status_code)
    return fields
