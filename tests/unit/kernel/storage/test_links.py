"""Addresses of files: what opens, for whom, until when, and what never does."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.kernel.errors import Forbidden, Invalid
from domains.kernel.storage import Grant, Signer

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
END = NOW + timedelta(minutes=5)
KEY = "repairs/pictures/2026/09/" + "0f" * 16 + ".jpg"
SIGNER = Signer(b"k" * 32)


def token(audience: str = "user:1", name: str | None = "厨房漏水.jpg") -> str:
    address = SIGNER.address(KEY, expires_at=END, download_name=name, audience=audience)
    assert address.startswith("/files/")
    return address.removeprefix("/files/")


def refusal(signer: Signer, token: str, now: datetime = NOW, audience: str = "user:1") -> str:
    with pytest.raises(Forbidden) as refused:
        signer.open(token, now, audience)
    return refused.value.code


def test_an_address_opens_what_was_granted() -> None:
    assert SIGNER.open(token(), NOW, "user:1") == Grant(KEY, END, "厨房漏水.jpg", "user:1")
    assert SIGNER.open(token(name=None), NOW, "user:1").download_name is None


def test_an_address_ends() -> None:
    assert SIGNER.open(token(), END - timedelta(seconds=1), "user:1").key == KEY
    assert refusal(SIGNER, token(), END) == "FILE_LINK_EXPIRED"


def test_an_address_is_for_its_audience_alone() -> None:
    assert refusal(SIGNER, token(), audience="user:2") == "FILE_LINK_INVALID"
    assert refusal(SIGNER, token(), END, audience="user:2") == "FILE_LINK_INVALID"
    assert "user" not in base64.urlsafe_b64decode(token() + "==").decode("utf-8", "replace")


def test_another_key_signs_nothing_for_us() -> None:
    assert refusal(Signer(b"x" * 32), token()) == "FILE_LINK_INVALID"


def test_every_changed_character_is_noticed() -> None:
    genuine = token()
    for at, letter in enumerate(genuine):
        for other in ("A" if letter != "A" else "B", chr(ord(letter) ^ 1), ""):
            changed = genuine[:at] + other + genuine[at + 1 :]
            assert refusal(SIGNER, changed) == "FILE_LINK_INVALID"


@pytest.mark.parametrize(
    "hostile",
    ["", "=", "a", "....", "%00", "\0", "图", "A" * 44, "A" * 100_000, "../../etc/passwd", "\ud800"],
)
def test_a_hostile_token_is_invalid(hostile: str) -> None:
    assert refusal(SIGNER, hostile) == "FILE_LINK_INVALID"


@pytest.mark.parametrize("suffix", ["=", "==", "\n", " ", "!", "A"])
def test_a_token_has_one_spelling(suffix: str) -> None:
    assert refusal(SIGNER, token() + suffix) == "FILE_LINK_INVALID"


def test_a_payload_without_a_signature_is_invalid() -> None:
    payload = json.dumps([KEY, int(END.timestamp()), None]).encode()
    for mac in (b"", b"\0" * 32):
        forged = base64.urlsafe_b64encode(payload + mac).rstrip(b"=").decode()
        assert refusal(SIGNER, forged) == "FILE_LINK_INVALID"


@given(st.text(max_size=50), st.text(max_size=50), st.text(max_size=200))
def test_any_name_and_audience_travel(audience: str, other: str, name: str) -> None:
    issued = token(audience, name)
    assert SIGNER.open(issued, NOW, audience).audience == audience
    if other != audience:
        assert refusal(SIGNER, issued, audience=other) == "FILE_LINK_INVALID"


@pytest.mark.parametrize("key", ["../x", "/etc/passwd", "", KEY + "\0"])
def test_no_address_is_made_for_what_is_no_key(key: str) -> None:
    with pytest.raises(Invalid, match="FILE_KEY_INVALID"):
        SIGNER.address(key, expires_at=END, audience="user:1")


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Signer(b"short")
