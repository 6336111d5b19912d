"""The moving code against screenshots (动态码): a timestamp and its MAC, made by the phone offline."""

from __future__ import annotations

import hmac

MAC_BYTES = 8
SCREEN_SECONDS = 60


def key_of(screen_key: bytes, pass_id: bytes) -> bytes:
    """The key of one pass (32 bytes), which its page keeps on the phone."""
    return hmac.digest(screen_key, b"screen" + pass_id, "sha256")


def mac(key: bytes, timestamp: int) -> bytes:
    """The MAC (8 bytes) that a phone shows at `timestamp` (epoch seconds)."""
    return hmac.digest(key, timestamp.to_bytes(8, "big"), "sha256")[:MAC_BYTES]


def is_genuine(screen_key: bytes, pass_id: bytes, timestamp: int, shown: bytes) -> bool:
    """Whether the phone that holds the pass made this MAC; compared in constant time."""
    return hmac.compare_digest(mac(key_of(screen_key, pass_id), timestamp), shown)


def is_fresh(timestamp: int, now: int) -> bool:
    """Whether it was made within 60 seconds of `now`, on either side; epoch seconds."""
    return abs(timestamp - now) <= SCREEN_SECONDS
