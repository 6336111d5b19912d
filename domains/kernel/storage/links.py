"""Authorised, short-lived addresses of files (文件临时链接).

The token says which file until when and is signed with HMAC-SHA256; for whom is signed too but
not said, so an address that was passed on to another account opens nothing there.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from domains.kernel.storage.errors import link_expired, link_invalid
from domains.kernel.storage.headers import clean_name
from domains.kernel.storage.keys import check_key

_MAC_BYTES = 32
_LONGEST_TOKEN = 4096


@dataclass(frozen=True, slots=True)
class Grant:
    """What a valid address allows: reading `key` until `expires_at`."""

    key: str
    expires_at: datetime
    download_name: str | None
    audience: str


class Signer:
    """Makes and opens addresses with one secret of at least 32 bytes."""

    def __init__(self, key: bytes) -> None:
        if len(key) < _MAC_BYTES:
            raise ValueError("the key that signs file addresses needs at least 32 bytes")
        self._key = key

    def address(
        self, key: str, *, expires_at: datetime, download_name: str | None = None, audience: str
    ) -> str:
        """The path `/files/{token}` under which `audience` may read `key` until `expires_at`.

        Whole seconds count. Raises `FILE_KEY_INVALID`.
        """
        check_key(key)
        name = None if download_name is None else clean_name(download_name)
        payload = json.dumps([key, int(expires_at.timestamp()), name], separators=(",", ":")).encode()
        return f"/files/{_encode(payload + self._mac(payload, audience))}"

    def open(self, token: str, now: datetime, audience: str) -> Grant:
        """What the token allows. Raises `FILE_LINK_INVALID` or `FILE_LINK_EXPIRED`."""
        signed = _decode(token)
        payload, mac = signed[:-_MAC_BYTES], signed[-_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(payload, audience)):
            raise link_invalid()
        key, expires_s, name = json.loads(payload)
        expires_at = datetime.fromtimestamp(expires_s, UTC)
        if now >= expires_at:
            raise link_expired()
        return Grant(key, expires_at, name, audience)

    def _mac(self, payload: bytes, audience: str) -> bytes:
        # JSON writes no line break, so one line can never be taken for the other.
        return hmac.digest(self._key, b"\n".join((b"file", json.dumps(audience).encode(), payload)), "sha256")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(token: str) -> bytes:
    """The bytes of a token in its one spelling: Base64 would take several for the same bytes."""
    if len(token) > _LONGEST_TOKEN:
        raise link_invalid()
    try:
        data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError) as unreadable:
        raise link_invalid() from unreadable
    if _encode(data) != token:
        raise link_invalid()
    return data
