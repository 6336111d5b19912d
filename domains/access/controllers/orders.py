"""An order to a controller as it travels (开门指令报文): COSE_Sign1 over a CBOR map, good for seconds.

The context of the signature is `linli:door`: what was signed as a pass or a list moves no door.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from domains.access.gate import cose
from domains.access.gate.cbor import is_bytes, is_number, read_map
from domains.access.gate.reasons import Reason, Refused
from domains.access.signing import Signer

LONGEST_MS = 10_000
_ACTIONS = {1: "open", 2: "hold_open", 3: "normal", 4: "closed"}
_NUMBERS = {action: number for number, action in _ACTIONS.items()}
_LATEST_MS = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Order:
    """One order; it is issued by our clock and expires ten seconds later at most."""

    id: UUID
    device_id: UUID
    action: str
    issued_at: datetime
    expires_at: datetime


def write(order: Order, signer: Signer) -> bytes:
    """The signed message."""
    payload = cbor2.dumps({
        1: order.id.bytes, 2: order.device_id.bytes, 3: _NUMBERS[order.action],
        4: _milliseconds(order.issued_at), 5: _milliseconds(order.expires_at),
    })  # fmt: skip
    return cose.sign(payload, kid=signer.kid, key=signer.key, context=cose.DOOR)


def read(message: bytes, keys: Mapping[bytes, Ed25519PublicKey]) -> Order:
    """What a controller makes of a message. Raises Refused where it is not signed for this use by one of the
    keys, or is no order."""
    fields = read_map(cose.verify(message, keys, cose.DOOR))
    if not _is_order(fields):
        raise Refused(Reason.MALFORMED)
    issued, expires = (datetime.fromtimestamp(fields[place] / 1000, UTC) for place in (4, 5))
    return Order(UUID(bytes=fields[1]), UUID(bytes=fields[2]), _ACTIONS[fields[3]], issued, expires)


def _is_order(fields: Mapping[Any, Any]) -> bool:  # Any: whatever was signed
    return (
        set(fields) == {1, 2, 3, 4, 5}
        and all(is_bytes(fields[place], 16) for place in (1, 2))
        and is_number(fields[3], 1, len(_ACTIONS))
        and is_number(fields[4], 0, _LATEST_MS)
        and is_number(fields[5], fields[4] + 1, fields[4] + LONGEST_MS)
    )


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
