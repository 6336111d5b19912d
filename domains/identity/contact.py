"""The phone number (手机号) of an account: sealed, found by a blind index."""

from __future__ import annotations

from domains.kernel import phones, sealing

PURPOSE = "account.phone"
INDEX = "phone"


def seal(number: str) -> dict[str, bytes]:
    """The two columns of a normalised number."""
    return {"phone_sealed": sealing.seal(number, PURPOSE), "phone_index": index(number)}


def index(number: str) -> bytes:
    """What an account with this normalised number is found by."""
    return sealing.find(number, INDEX)


def unseal(blob: bytes | None) -> str | None:
    """The number; None stays None."""
    return sealing.unseal_optional(blob, PURPOSE)


def masked(blob: bytes | None) -> str | None:
    """The number as it is shown: 138****0001."""
    number = unseal(blob)
    return None if number is None else phones.mask(number)
