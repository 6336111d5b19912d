"""COSE_Sign1 (RFC 9052) with Ed25519 in the one form that counts.

Tag 18, protected {1: -8, 4: kid of 4 bytes}, unprotected {}, definite and shortest lengths. The
context is the external_aad: what was signed for one use counts for no other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .reasons import Reason, Refused

PASS, CODE, REVOCATIONS, DOOR = b"linli:pass", b"linli:code", b"linli:revocations", b"linli:door"
KID_BYTES, SIGNATURE_BYTES = 4, 64
MOST_BYTES = 1024
_EDDSA = b"\x27"
_TAIL_BYTES = 2 + SIGNATURE_BYTES
# The envelope is read by its bytes: nothing reaches a general decoder before its signature counted.
# Algorithms of other lengths are recognised, so that a swapped one is refused by its name.
_HEAD = re.compile(
    rb"\xd2\x84([\x49-\x4b])\xa2\x01([\x00-\x17\x20-\x37]|[\x18\x38].|[\x19\x39]..)\x04\x44(.{4})\xa0",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message taken apart and not yet believed."""

    kid: bytes
    algorithm: bytes
    payload: bytes
    signature: bytes

    def check(self, keys: Mapping[bytes, Ed25519PublicKey], *contexts: bytes) -> bytes:
        """The first context under which the signature is valid.

        Refused as UNKNOWN_KEY, WRONG_ALGORITHM or BAD_SIGNATURE, in this order.
        """
        key = keys.get(self.kid)
        if key is None:
            raise Refused(Reason.UNKNOWN_KEY)
        if self.algorithm != _EDDSA:
            raise Refused(Reason.WRONG_ALGORITHM)
        protected = _protected(self.algorithm, self.kid)
        for context in contexts:
            try:
                key.verify(self.signature, _signed_bytes(protected, self.payload, context))
            except InvalidSignature:
                continue
            return context
        raise Refused(Reason.BAD_SIGNATURE)


def parse(message: bytes, most_bytes: int = MOST_BYTES) -> Envelope:
    """Take a message apart; Refused as TOO_LONG or MALFORMED."""
    if len(message) > most_bytes:
        raise Refused(Reason.TOO_LONG)
    head = _HEAD.match(message)
    if head is None or len(message) < head.end() + 1 + _TAIL_BYTES:
        raise Refused(Reason.MALFORMED)
    payload = unwrapped(message[head.end() : -_TAIL_BYTES])
    envelope = Envelope(head[3], head[2], payload, message[-SIGNATURE_BYTES:])
    if _assembled(envelope) != message:
        raise Refused(Reason.MALFORMED)
    return envelope


def sign(payload: bytes, *, kid: bytes, key: Ed25519PrivateKey, context: bytes) -> bytes:
    """The signed message; ValueError where the key id has not 4 bytes."""
    if len(kid) != KID_BYTES:
        raise ValueError("a key id has 4 bytes")
    signature = key.sign(_signed_bytes(_protected(_EDDSA, kid), payload, context))
    return _assembled(Envelope(kid, _EDDSA, payload, signature))


def verify(
    message: bytes,
    keys: Mapping[bytes, Ed25519PublicKey],
    context: bytes,
    most_bytes: int = MOST_BYTES,
) -> bytes:
    """The payload of a message signed for this context by one of the keys; Refused otherwise."""
    envelope = parse(message, most_bytes)
    envelope.check(keys, context)
    return envelope.payload


def unwrapped(item: bytes) -> bytes:
    """The content of what should be a CBOR byte string; whoever calls compares it wrapped again."""
    return item[{0x58: 2, 0x59: 3, 0x5A: 5}.get(item[0], 1) :]


def _protected(algorithm: bytes, kid: bytes) -> bytes:
    return b"\xa2\x01" + algorithm + b"\x04\x44" + kid


def _signed_bytes(protected: bytes, payload: bytes, context: bytes) -> bytes:
    return cbor2.dumps(["Signature1", protected, context, payload])


def _assembled(envelope: Envelope) -> bytes:
    protected = cbor2.dumps(_protected(envelope.algorithm, envelope.kid))
    payload = cbor2.dumps(envelope.payload)
    return b"\xd2\x84" + protected + b"\xa0" + payload + b"\x58\x40" + envelope.signature
