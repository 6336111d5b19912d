"""Base45 (RFC 9285), strictly: two bytes are three characters of the QR alphanumeric alphabet."""

from __future__ import annotations

_ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES = bytes(_ALPHABET.find(byte) % 256 for byte in range(256))
_NONE = 255


def encode(data: bytes) -> str:
    """The text of the bytes."""
    pairs = zip(data[0::2], data[1::2], strict=False)
    characters = bytearray()
    for high, low in pairs:
        rest, first = divmod(high * 256 + low, 45)
        third, second = divmod(rest, 45)
        characters += bytes((_ALPHABET[first], _ALPHABET[second], _ALPHABET[third]))
    if len(data) % 2:
        second, first = divmod(data[-1], 45)
        characters += bytes((_ALPHABET[first], _ALPHABET[second]))
    return characters.decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of the text; ValueError for a foreign character, length or a group out of range."""
    values = text.encode("ascii").translate(_VALUES)
    whole = len(values) - len(values) % 3
    if _NONE in values or len(values) - whole == 1:
        raise ValueError("not Base45")
    groups = zip(values[0:whole:3], values[1:whole:3], values[2:whole:3], strict=True)
    numbers = [first + 45 * second + 2025 * third for first, second, third in groups]
    if numbers and max(numbers) > 0xFFFF:
        raise ValueError("not Base45")
    data = b"".join([number.to_bytes(2, "big") for number in numbers])
    # bytes() of a number over 255 is a ValueError, which is what such a pair is
    return data if len(values) == whole else data + bytes((values[-2] + 45 * values[-1],))
