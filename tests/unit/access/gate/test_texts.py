from __future__ import annotations

import hashlib
import hmac

import pytest
import qrcode
from hypothesis import given
from hypothesis import strategies as st

from domains.access.gate import screens, texts
from domains.access.gate.reasons import Refused

from .making import GUEST, NOW, SCREEN_KEY, claims_of, message_of

MESSAGE = message_of(claims_of(gates=(1, 3)))
PASS_KEY = screens.key_of(SCREEN_KEY, GUEST)


def version_of(text: str) -> int:
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data(text)
    code.make()
    return int(code.version)


def test_a_pass_fits_the_qr_codes_it_should() -> None:
    assert len(texts.still(MESSAGE)) <= 210
    assert version_of(texts.still(MESSAGE)) == 8
    assert version_of(texts.moving(MESSAGE, PASS_KEY, NOW)) == 9


def test_the_largest_pass_is_within_the_length() -> None:
    message = message_of(claims_of(uses=999, gates=tuple(range(65520, 65536)), bound_gate=65535))
    text = texts.moving(message, PASS_KEY, NOW)
    assert len(text) <= texts.MOST_CHARACTERS
    assert texts.read(text).message == message


@given(st.binary(min_size=1, max_size=200), st.integers(2**16, 2**32 - 1))
def test_texts_come_back(message: bytes, timestamp: int) -> None:
    assert texts.read(texts.still(message)) == texts.Shown(message)
    screen = texts.Screen(timestamp, screens.mac(PASS_KEY, timestamp))
    assert texts.read(texts.moving(message, PASS_KEY, timestamp)) == texts.Shown(message, screen)


@pytest.mark.parametrize("timestamp", [0, 23, 65535, 2**32])
def test_a_timestamp_has_four_bytes(timestamp: int) -> None:
    with pytest.raises(Refused, match="MALFORMED"):
        texts.read(texts.moving(MESSAGE, PASS_KEY, timestamp))


@given(
    st.text()
    | st.text("0123456789ABCDEF $%*+-./:").map("RC1:".__add__)
    | st.text("0123456789ABCDEF").map("RC2:".__add__)
)
def test_any_text_is_taken_apart_or_refused(text: str) -> None:
    try:
        shown = texts.read(text)
    except Refused:
        return
    assert text.startswith("RC2:" if shown.screen else "RC1:")


def test_the_mac_is_the_documented_one() -> None:
    key = hmac.new(SCREEN_KEY, b"screen" + GUEST, hashlib.sha256).digest()
    assert screens.key_of(SCREEN_KEY, GUEST) == key
    expected = hmac.new(key, NOW.to_bytes(8, "big"), hashlib.sha256).digest()[:8]
    assert screens.mac(key, NOW) == expected
    assert screens.is_genuine(SCREEN_KEY, GUEST, NOW, expected)
    assert not screens.is_genuine(SCREEN_KEY, bytes(16), NOW, expected)
    assert not screens.is_genuine(SCREEN_KEY, GUEST, NOW + 1, expected)


@pytest.mark.parametrize(("off", "fresh"), [(0, True), (60, True), (-60, True), (61, False), (-61, False)])
def test_a_moving_code_is_fresh_for_a_minute(off: int, fresh: bool) -> None:
    assert screens.is_fresh(NOW + off, NOW) is fresh
