"""Identifiers (标识): UUIDv7 of RFC 9562, which sort in the order in which they were made.

The layout is a 48-bit Unix time in milliseconds, then a 42-bit counter (12 bits of rand_a and
the first 30 of rand_b), then 32 random bits. The counter starts anew at random in every
millisecond and counts up within one, so that order holds however many are made at once.
"""

from __future__ import annotations

import secrets
import threading
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COUNTER_LIMIT = 1 << 42
# A start below the middle leaves room to count 2^41 within one millisecond.
_COUNTER_START_BITS = 41

_lock = threading.Lock()
_last_ms = 0
_counter = 0


def uuid7() -> UUID:
    """A new identifier, greater than every one made before in this process; safe from any thread.

    The machine's own time is in it, not the injected clock's: a rehearsal of last month must not
    make identifiers that sort before those which exist.
    """
    ms, counter = _next_position(time.time_ns() // 1_000_000)
    value = ms << 80 | 0x7 << 76 | (counter >> 30) << 64 | 0b10 << 62
    return UUID(int=value | (counter & 0x3FFFFFFF) << 32 | secrets.randbits(32))


def timestamp_of(identifier: UUID) -> datetime:
    """The instant in a UUIDv7, to the millisecond, in UTC. ValueError for any other version."""
    if identifier.version != 7:
        raise ValueError("only a UUIDv7 holds a time in milliseconds")
    return _EPOCH + timedelta(milliseconds=identifier.int >> 80)


def _next_position(now_ms: int) -> tuple[int, int]:
    """When the clock stands still or steps back, the last millisecond goes on being counted."""
    global _last_ms, _counter  # noqa: PLW0603  # one sequence per process is what monotonic means
    with _lock:
        _counter += 1
        if now_ms > _last_ms or _counter >= _COUNTER_LIMIT:
            _last_ms = max(now_ms, _last_ms + 1)
            _counter = secrets.randbits(_COUNTER_START_BITS)
        return _last_ms, _counter
