"""Links to published accounts (公示页链接): for a compound and a month, opened without signing in, and not for long."""

from __future__ import annotations

import base64
import hmac
import re
import struct
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from uuid import UUID

from domains.kernel import clock
from domains.kernel.errors import NotFound
from domains.kernel.slots import Slot

signing_key: Slot[bytes] = Slot("key of links to published accounts")

LIFETIME = timedelta(minutes=30)
"""Long enough to read a month; who wants it again asks the API again."""
_PAYLOAD = struct.Struct(">16sIQ")
_MAC_BYTES = 32
# 28 bytes and a MAC of 32: Base64 writes 60 bytes without padding, so that each token has one spelling.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{80}")


class OfMonth(Protocol):
    """Accounts of a compound's month."""

    @property
    def compound_id(self) -> UUID:
        """The compound."""
        ...

    @property
    def month(self) -> date:
        """The first day of the month."""
        ...


@dataclass(frozen=True, slots=True)
class AccountsLink:
    """Where a month's accounts are read without signing in, until `expires_at`; a path below the site's address."""

    path: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class LinkedMonth:
    """What a link opens."""

    compound_id: UUID
    month: date
    expires_at: datetime


def link_to(accounts: OfMonth) -> AccountsLink:
    """A link that opens these accounts and no others."""
    # A link knows whole seconds only.
    expires_at = (clock.now() + LIFETIME).replace(microsecond=0)
    payload = _PAYLOAD.pack(
        accounts.compound_id.bytes, accounts.month.toordinal(), int(expires_at.timestamp())
    )
    token = base64.urlsafe_b64encode(payload + _mac(payload)).decode()
    return AccountsLink(f"/books/{token}", expires_at)


def opened(token: str) -> LinkedMonth:
    """What a token opens now. Raises ACCOUNTS_LINK_INVALID for what was never given out, ACCOUNTS_LINK_EXPIRED."""
    signed = base64.urlsafe_b64decode(token) if _TOKEN.fullmatch(token) else b""
    payload, mac = signed[:-_MAC_BYTES], signed[-_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(payload)):
        raise NotFound("ACCOUNTS_LINK_INVALID", "链接无效,请在小程序里重新打开账目公示", "token")
    compound, month, expires_s = _PAYLOAD.unpack(payload)
    expires_at = datetime.fromtimestamp(expires_s, UTC)
    if clock.now() >= expires_at:
        raise NotFound("ACCOUNTS_LINK_EXPIRED", "链接已过期,请在小程序里重新打开账目公示", "token")
    return LinkedMonth(UUID(bytes=compound), date.fromordinal(month), expires_at)


def _mac(payload: bytes) -> bytes:
    return hmac.digest(signing_key(), payload, "sha256")
