from __future__ import annotations

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from domains.access.gate import cose
from domains.access.gate.reasons import Reason, Refused

from .making import KEY, KEYS, KID

PAYLOAD = b"what is signed"
MESSAGE = cose.sign(PAYLOAD, kid=KID, key=KEY, context=cose.PASS)
CONTEXTS = (cose.PASS, cose.CODE, cose.REVOCATIONS, cose.DOOR)


def refusal(message: bytes, context: bytes = cose.PASS, most_bytes: int = cose.MOST_BYTES) -> Reason:
    with pytest.raises(Refused) as caught:
        cose.verify(message, KEYS, context, most_bytes)
    return caught.value.reason


def test_a_reader_of_rfc_9052_that_knows_nothing_of_ours_agrees() -> None:
    message = cbor2.loads(MESSAGE)
    protected, unprotected, payload, signature = message.value
    assert (message.tag, cbor2.loads(protected), unprotected, payload) == (18, {1: -8, 4: KID}, {}, PAYLOAD)
    KEY.public_key().verify(signature, cbor2.dumps(["Signature1", protected, b"linli:pass", PAYLOAD]))


@given(st.binary(max_size=900), st.sampled_from(CONTEXTS))
def test_what_was_signed_comes_back(payload: bytes, context: bytes) -> None:
    assert cose.verify(cose.sign(payload, kid=KID, key=KEY, context=context), KEYS, context) == payload


@pytest.mark.parametrize("signed", CONTEXTS)
@pytest.mark.parametrize("asked", CONTEXTS)
def test_a_signature_counts_for_its_own_use_alone(signed: bytes, asked: bytes) -> None:
    message = cose.sign(PAYLOAD, kid=KID, key=KEY, context=signed)
    if signed == asked:
        assert cose.verify(message, KEYS, asked) == PAYLOAD
    else:
        assert refusal(message, asked) is Reason.BAD_SIGNATURE


def test_no_bit_may_change() -> None:
    for bit in range(len(MESSAGE) * 8):
        changed = bytearray(MESSAGE)
        changed[bit // 8] ^= 1 << bit % 8
        refusal(bytes(changed))


def test_nothing_may_be_missing() -> None:
    for length in range(len(MESSAGE)):
        assert refusal(MESSAGE[:length]) is Reason.MALFORMED


@given(st.binary(min_size=1, max_size=200))
def test_nothing_may_follow(more: bytes) -> None:
    assert refusal(MESSAGE + more) is Reason.MALFORMED


@given(st.binary(max_size=1200))
def test_rubbish_is_refused(message: bytes) -> None:
    assert refusal(message) in (Reason.MALFORMED, Reason.TOO_LONG)


@given(st.integers(-(2**16), 2**16 - 1).filter(lambda number: number != -8))
def test_every_other_algorithm_is_refused_by_its_name(algorithm: int) -> None:
    protected = cbor2.dumps({1: algorithm, 4: KID})
    signature = KEY.sign(cbor2.dumps(["Signature1", protected, cose.PASS, PAYLOAD]))
    message = cbor2.dumps(cbor2.CBORTag(18, [protected, {}, PAYLOAD, signature]))
    assert refusal(message) is Reason.WRONG_ALGORITHM


def test_the_key_id_is_looked_at_before_the_algorithm() -> None:
    protected = cbor2.dumps({1: -7, 4: b"none"})
    message = cbor2.dumps(cbor2.CBORTag(18, [protected, {}, PAYLOAD, bytes(64)]))
    assert refusal(message) is Reason.UNKNOWN_KEY


def test_another_key_under_the_same_id_is_refused() -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    assert refusal(cose.sign(PAYLOAD, kid=KID, key=other, context=cose.PASS)) is Reason.BAD_SIGNATURE


def test_a_payload_length_written_longer_than_needed_is_refused() -> None:
    short = bytes((0x40 + len(PAYLOAD),)) + PAYLOAD
    assert short in MESSAGE
    assert refusal(MESSAGE.replace(short, b"\x58" + bytes((len(PAYLOAD),)) + PAYLOAD)) is Reason.MALFORMED


def test_a_message_has_a_size() -> None:
    large = cose.sign(bytes(2000), kid=KID, key=KEY, context=cose.PASS)
    assert refusal(large) is Reason.TOO_LONG
    assert cose.verify(large, KEYS, cose.PASS, most_bytes=4096) == bytes(2000)


def test_a_key_id_has_four_bytes() -> None:
    with pytest.raises(ValueError, match="4 bytes"):
        cose.sign(PAYLOAD, kid=b"k", key=KEY, context=cose.PASS)
