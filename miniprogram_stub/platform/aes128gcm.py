"""Web Push message encryption as the browser undoes it (RFC 8188 aes128gcm, RFC 8291)."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

POINT: Final = (Encoding.X962, PublicFormat.UncompressedPoint)
_SALT: Final = 16
_POINT_BYTES: Final = 65
_HEADER: Final = _SALT + 4 + 1 + _POINT_BYTES
_TAG: Final = 16
_LAST_RECORD: Final = 2


class UndecipherableError(Exception):
    """A body that the subscription's keys do not open, or that is no single aes128gcm record."""


def decrypt(body: bytes, key: ec.EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """The plaintext of a push message, without its padding."""
    salt, record_size, sender, record = _parts(body)
    if not _TAG < len(record) <= record_size:
        raise UndecipherableError
    try:
        sender_key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        shared = key.exchange(ec.ECDH(), sender_key)
        info = b"WebPush: info\0" + key.public_key().public_bytes(*POINT) + sender
        content_key, nonce = _keys(salt, _derived(auth, shared, info, 32))
        padded = AESGCM(content_key).decrypt(nonce, record, None).rstrip(b"\0")
    except (ValueError, InvalidTag) as error:
        raise UndecipherableError from error
    if not padded or padded[-1] != _LAST_RECORD:
        raise UndecipherableError
    return padded[:-1]


def _parts(body: bytes) -> tuple[bytes, int, bytes, bytes]:
    """Salt, record size, the sender's point, and the one record."""
    if len(body) <= _HEADER or body[_SALT + 4] != _POINT_BYTES:
        raise UndecipherableError
    record_size = int.from_bytes(body[_SALT : _SALT + 4], "big")
    return body[:_SALT], record_size, body[_SALT + 5 : _HEADER], body[_HEADER:]


def _keys(salt: bytes, secret: bytes) -> tuple[bytes, bytes]:
    content_key = _derived(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
    return content_key, _derived(salt, secret, b"Content-Encoding: nonce\0", 12)


def _derived(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA-256 for at most one block of output."""
    extracted = hmac.digest(salt, secret, hashlib.sha256)
    return hmac.digest(extracted, info + b"\x01", hashlib.sha256)[:length]
