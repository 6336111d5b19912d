"""CBOR (RFC 8949) of what was signed: a map, definite lengths, no key twice."""

from __future__ import annotations

from typing import Any

import cbor2

from .reasons import Reason, Refused

_DEEPEST = 4


# Any: the values are whatever was signed; whoever reads them checks type and bounds one by one
def read_map(payload: bytes) -> dict[Any, Any]:
    """The map; Refused as MALFORMED. Trailing bytes and long forms are found by encoding it again."""
    try:
        value = cbor2.loads(payload, max_depth=_DEEPEST, allow_indefinite=False, allow_duplicate_keys=False)
    except Exception:  # the decoder builds dates, patterns and more, each with errors of its own
        raise Refused(Reason.MALFORMED) from None
    if type(value) is not dict:
        raise Refused(Reason.MALFORMED)
    return value


def is_number(value: object, least: int, most: int) -> bool:
    """Whether it is an integer of these bounds; True and 1.0 are none."""
    return type(value) is int and least <= value <= most


def is_bytes(value: object, length: int) -> bool:
    """Whether it is a byte string of this length."""
    return type(value) is bytes and len(value) == length
