"""What a device says (设备消息), and the topics it is said on: `linli/v1/{device id}/{suffix}`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

LARGEST_PAYLOAD = 8 * 1024
ANY = "+"
_ROOT = "linli/v1"


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it arrived. `retained` is one the broker kept from earlier: the state as it was, not
    news of it. The payload is the device's word and unchecked, 8 KiB at most."""

    device_id: UUID
    suffix: str
    payload: bytes
    received_at: datetime
    retained: bool


def topic(device: UUID | str, suffix: str) -> str:
    """The topic of a device, or of any."""
    return f"{_ROOT}/{device}/{suffix}"


def device_and_suffix(name: str) -> tuple[UUID, str] | None:
    """Whose topic this is, and its last part; None for a topic that is not ours. A device has one name:
    its id as RFC 9562 writes it, so that the broker's rules and we mean the same device."""
    root, _, rest = name.rpartition(f"{_ROOT}/")
    written, _, suffix = rest.partition("/")
    try:
        device = UUID(written)
    except ValueError:
        return None
    return (device, suffix) if not root and str(device) == written else None
