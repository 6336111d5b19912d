"""WeChat Pay's signatures and seals (签名与回调报文加密)."""

from __future__ import annotations

import base64
import re
import secrets
import time
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from miniprogram_stub.platform.credentials import MerchantKey
from miniprogram_stub.platform.rsa_signing import rsa2_verified, rsa_sign

SCHEMA: Final = "WECHATPAY2-SHA256-RSA2048"
_PAIR: Final = re.compile(r'([a-z_]+)="([^"]*)"')
_NAMES: Final = frozenset({"mchid", "nonce_str", "signature", "timestamp", "serial_no"})
FRESH_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Authorization:
    """The five parts of a request's Authorization."""

    mchid: str
    nonce_str: str
    signature: str
    timestamp: str
    serial_no: str

    @property
    def is_fresh(self) -> bool:
        """Not more than five minutes from now, either way."""
        if not re.fullmatch("[0-9]{1,12}", self.timestamp):
            return False
        return abs(time.time() - int(self.timestamp)) <= FRESH_SECONDS

    def covers(self, key: MerchantKey, method: str, target: str, body: bytes) -> bool:
        """Whether that key signed this request; the target is the path with its query."""
        text = f"{method}\n{target}\n{self.timestamp}\n{self.nonce_str}\n".encode() + body + b"\n"
        return self.serial_no.upper() == key.serial_no.upper() and rsa2_verified(
            key.key, text, self.signature
        )


def authorization(header: str) -> Authorization | None:
    """None for what is not of that schema, or lacks a part."""
    schema, _, rest = header.partition(" ")
    parts = dict(_PAIR.findall(rest))
    if schema != SCHEMA or parts.keys() != _NAMES or not all(parts.values()):
        return None
    return Authorization(**parts)


def signed_headers(
    key: RSAPrivateKey, key_id: str, body: bytes, *, fault: str = "", at: float | None = None
) -> dict[str, str]:
    """Of an answer or a callback; `bad_signature` is the one with which the real platform tests receivers."""
    stamp, nonce = str(int(time.time() if at is None else at)), secrets.token_hex(16)
    text = f"{stamp}\n{nonce}\n".encode() + body + b"\n"
    digest = hashes.SHA1() if fault == "sha1_signature" else hashes.SHA256()  # noqa: S303 - the fault
    signature = rsa_sign(key, text, digest)
    if fault == "bad_signature":
        signature = "WECHATPAY/SIGNTEST/" + signature[19:]
    return {
        "Wechatpay-Serial": key_id,
        "Wechatpay-Timestamp": stamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": signature,
        "Wechatpay-Signature-Type": SCHEMA,
        "Request-ID": secrets.token_hex(12).upper(),
    }


def sealed(apiv3_key: str, kind: str, plaintext: bytes) -> dict[str, str]:
    """The resource of a callback: AES-256-GCM, the nonce in characters, the kind as associated data."""
    nonce = secrets.token_hex(6)
    ciphertext = AESGCM(apiv3_key.encode()).encrypt(nonce.encode(), plaintext, kind.encode())
    return {
        "original_type": kind,
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(ciphertext).decode(),
        "associated_data": kind,
        "nonce": nonce,
    }
