from __future__ import annotations

import traceback

import pytest
from cryptography.hazmat.primitives.hashes import SM3, Hash
from hypothesis import given
from hypothesis import strategies as st

from domains.kernel import crypto
from domains.kernel.crypto import DecryptionFailed, Keyring, UnknownKeyVersion

OLD, NEW, INDEX = bytes(range(16)), bytes(range(16, 32)), bytes(range(32, 64))
RING = Keyring({1: OLD, 2: NEW}, 2, INDEX)
PHONE = "13800000001"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


def test_sm4_gcm_gives_the_vector_of_rfc_8998() -> None:
    key = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    nonce = bytes.fromhex("00001234567800000000ABCD")
    associated = bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
    plaintext = bytes.fromhex("".join(pair * 8 for pair in ("AA", "BB", "CC", "DD", "EE", "FF", "EE", "AA")))
    sealed = bytes.fromhex(
        "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735"
        "D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"
        "83DE3541E4C2B58177E065A9BF7B62EC"
    )
    assert crypto.sm4_gcm_seal(key, nonce, plaintext, associated) == sealed
    assert crypto.sm4_gcm_open(key, nonce, sealed, associated) == plaintext


@pytest.mark.parametrize(
    ("message", "digest"),
    [
        (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
    ],
)
def test_sm3_gives_the_vectors_of_gb_t_32905(message: bytes, digest: str) -> None:
    sm3 = Hash(SM3())
    sm3.update(message)
    assert sm3.finalize().hex() == digest


@pytest.mark.parametrize(
    ("key", "data", "mac"),
    [
        (
            bytes(range(1, 33)),
            b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq" * 2,
            "ca05e144ed05d1857840d1f318a4a8669e559fc8391f414485bfdf7bb408963a",
        ),
        (bytes(range(1, 38)), b"\xcd" * 50,
         "220bf579ded555393f0159f66c99877822a3ecf610d1552154b41d44b94db3ae"),
        (b"\x0b" * 32, b"Hi There", "c0ba18c68b90c88bc07de794bfc7d2c8d19ec31ed8773bc2b390c9604e0be11e"),
        (b"Jefe", b"what do ya want for nothing?",
         "2e87f1d16862e6d964b50a5200bf2b10b764faa9680a296a2405f24bec39f882"),
    ],
)  # fmt: skip
def test_hmac_sm3_gives_the_vectors_of_gm_t_0042(key: bytes, data: bytes, mac: str) -> None:
    assert crypto.hmac_sm3(key, data).hex() == mac


@given(texts)
def test_what_is_sealed_opens_again(text: str) -> None:
    blob = RING.encrypt(text, "person.phone")
    assert RING.decrypt(blob, "person.phone") == text
    assert len(blob) == 29 + len(text.encode())
    assert blob[0] == 2


def test_equal_texts_are_sealed_differently_and_hide_themselves() -> None:
    blobs = {RING.encrypt(PHONE, "person.phone") for _ in range(200)}
    assert len(blobs) == 200
    assert not any(PHONE.encode() in blob for blob in blobs)


def test_every_altered_bit_is_noticed() -> None:
    blob = RING.encrypt(PHONE, "person.phone")
    for bit in range(len(blob) * 8):
        altered = bytearray(blob)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DecryptionFailed):
            RING.decrypt(bytes(altered), "person.phone")


def test_a_value_moved_to_another_column_does_not_open() -> None:
    with pytest.raises(DecryptionFailed):
        RING.decrypt(RING.encrypt(PHONE, "person.phone"), "account.phone")


def test_the_version_is_authenticated_even_where_two_versions_share_a_key() -> None:
    twins = Keyring({1: OLD, 2: OLD}, 1, INDEX)
    blob = twins.encrypt(PHONE, "person.phone")
    with pytest.raises(DecryptionFailed):
        twins.decrypt(b"\x02" + blob[1:], "person.phone")


@given(st.binary(max_size=80))
def test_any_other_bytes_are_refused(blob: bytes) -> None:
    with pytest.raises(DecryptionFailed):
        RING.decrypt(blob, "person.phone")


def test_rotation_reads_the_old_and_writes_the_new() -> None:
    before = Keyring({1: OLD}, 1, INDEX)
    blob = before.encrypt(PHONE, "person.phone")
    assert before.is_current(blob)
    assert RING.decrypt(blob, "person.phone") == PHONE
    assert not RING.is_current(blob)
    assert not RING.is_current(b"")
    assert RING.is_current(RING.encrypt(PHONE, "person.phone"))
    assert RING.blind_index(PHONE, "person.phone") == before.blind_index(PHONE, "person.phone")
    with pytest.raises(UnknownKeyVersion):
        before.decrypt(RING.encrypt(PHONE, "person.phone"), "person.phone")


def test_a_blind_index_depends_on_value_purpose_and_key() -> None:
    index = RING.blind_index(PHONE, "person.phone")
    assert len(index) == 32
    assert index == RING.blind_index(PHONE, "person.phone")
    others = {
        RING.blind_index("13800000002", "person.phone"),
        RING.blind_index(PHONE, "person.phone_tail"),
        Keyring({1: OLD}, 1, bytes(32)).blind_index(PHONE, "person.phone"),
    }
    assert len(others) == 3
    assert index not in others
    assert RING.blind_index("b1", "a") != RING.blind_index("1", "ab")


def test_neither_the_keyring_nor_a_failure_shows_a_secret() -> None:
    shown = repr(RING) + str(RING)
    assert shown.startswith("Keyring(versions=[1, 2], current=2)")
    blob = bytearray(RING.encrypt(PHONE, "person.phone"))
    blob[-1] ^= 1
    with pytest.raises(DecryptionFailed) as refused:
        RING.decrypt(bytes(blob), "person.phone")
    shown += "".join(traceback.format_exception(refused.value)) + repr(refused.value.args)
    assert refused.value.__cause__ is None
    for secret in (PHONE, OLD.hex(), NEW.hex(), INDEX.hex(), repr(OLD), repr(NEW), repr(INDEX)):
        assert secret not in shown


@pytest.mark.parametrize(
    ("keys", "current", "index_key"),
    [
        ({}, 1, INDEX),
        ({1: OLD}, 2, INDEX),
        ({0: OLD}, 0, INDEX),
        ({256: OLD}, 256, INDEX),
        ({1: OLD + b"x"}, 1, INDEX),
        ({1: b""}, 1, INDEX),
        ({1: OLD}, 1, b""),
        ({1: OLD}, 1, OLD),
    ],
)
def test_a_keyring_with_impossible_keys_is_not_made(
    keys: dict[int, bytes], current: int, index_key: bytes
) -> None:
    with pytest.raises(ValueError) as refused:
        Keyring(keys, current, index_key)
    assert OLD.hex() not in str(refused.value)


@pytest.mark.parametrize("purpose", ["", "Person", "a b", "a\0b", "é", "a" * 64, "a\n"])
def test_a_purpose_has_the_shape_of_a_column(purpose: str) -> None:
    for use in (RING.encrypt, RING.blind_index):
        with pytest.raises(ValueError):
            use(PHONE, purpose)
