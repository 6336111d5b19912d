"""The text inside a QR code (二维码内容): prefix and Base45.

`RC1:` a signed pass or code. `RC2:` the array [signed pass, timestamp, MAC] that a phone shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import cbor2

from . import base45, cose, screens
from .reasons import Reason, Refused

MOST_CHARACTERS = 512
_STILL, _MOVING = "RC1:", "RC2:"
_TAIL_BYTES = 5 + 1 + screens.MAC_BYTES


@dataclass(frozen=True, slots=True)
class Screen:
    """What the phone added: epoch seconds, and their MAC (8 bytes)."""

    timestamp: int
    mac: bytes


@dataclass(frozen=True, slots=True)
class Shown:
    """What was shown to the scanner: a signed message, and the phone's addition to it."""

    message: bytes
    screen: Screen | None = None


def still(message: bytes) -> str:
    """The text of a signed pass or code; at most about 210 characters, QR version 8 at level M."""
    return _STILL + base45.encode(message)


def moving(message: bytes, key: bytes, timestamp: int) -> str:
    """The text that a phone shows at `timestamp` (epoch seconds) with the pass's key (`screens.key_of`)."""
    return _MOVING + base45.encode(_joined(message, Screen(timestamp, screens.mac(key, timestamp))))


def read(text: str) -> Shown:
    """Take the text apart; Refused as NOT_A_PASS, TOO_LONG or MALFORMED."""
    if not text.startswith((_STILL, _MOVING)):
        raise Refused(Reason.NOT_A_PASS)
    if len(text) > MOST_CHARACTERS:
        raise Refused(Reason.TOO_LONG)
    try:
        data = base45.decode(text[len(_STILL) :])
    except ValueError:
        raise Refused(Reason.MALFORMED) from None
    return Shown(data) if text.startswith(_STILL) else _parted(data)


def _parted(data: bytes) -> Shown:
    if len(data) <= 1 + _TAIL_BYTES:
        raise Refused(Reason.MALFORMED)
    tail = data[-_TAIL_BYTES:]
    shown = Shown(
        cose.unwrapped(data[1:-_TAIL_BYTES]),
        Screen(int.from_bytes(tail[1:5], "big"), tail[-screens.MAC_BYTES :]),
    )
    if shown.screen is None or _joined(shown.message, shown.screen) != data:
        raise Refused(Reason.MALFORMED)
    return shown


def _joined(message: bytes, screen: Screen) -> bytes:
    return cbor2.dumps([message, screen.timestamp, screen.mac])
