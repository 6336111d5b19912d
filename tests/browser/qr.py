"""Reads a drawn QR code (ISO/IEC 18004) without errors in it: what a camera would make of the picture.

The function patterns and block tables are those of the library that draws codes on the server, so that what a
browser has drawn is read by another program than the one that drew it.
"""

from __future__ import annotations

import re

import qrcode
from qrcode import base, constants, util

LEVELS = (
    constants.ERROR_CORRECT_L,
    constants.ERROR_CORRECT_M,
    constants.ERROR_CORRECT_Q,
    constants.ERROR_CORRECT_H,
)
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
QUIET = 2
SQUARES = re.compile(r"(?:M\d+ \d+h1v1h-1z)+")
Matrix = list[list[bool]]


def matrix_of(path: str, side: int) -> Matrix:
    """The modules of a path of squares, without the quiet zone around them."""
    dark = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", path)}
    inside = range(QUIET, side - QUIET)
    return [[(x, y) in dark for x in inside] for y in inside]


def decode(matrix: Matrix) -> str:
    """The text; ValueError where it is no code, or holds something else than letters and bytes."""
    size = len(matrix)
    version = (size - 17) // 4
    for level in LEVELS:
        for mask in range(8):
            frame = _frame(version, level, mask)
            if all(frame[y][x] in (None, matrix[y][x]) for y in range(size) for x in range(size)):
                return _text(_data(matrix, frame, mask), version, level)
    raise ValueError("no function patterns")


def _frame(version: int, level: int, mask: int) -> list[list[bool | None]]:
    """What every code of this kind has; None where the data are."""
    made = qrcode.QRCode(version=version, error_correction=level)
    size = made.modules_count = version * 4 + 17
    made.modules = [[None] * size for _ in range(size)]
    for row, column in ((0, 0), (size - 7, 0), (0, size - 7)):
        made.setup_position_probe_pattern(row, column)
    made.setup_position_adjust_pattern()
    made.setup_timing_pattern()
    made.setup_type_info(False, mask)
    if version >= 7:
        made.setup_type_number(False)
    return made.modules


def _data(matrix: Matrix, frame: list[list[bool | None]], mask: int) -> list[bool]:
    """The bits along the zigzag, unmasked."""
    size, flips, bits = len(matrix), util.mask_func(mask), []
    columns = [column if column > 6 else column - 1 for column in range(size - 1, 0, -2)]
    for turn, right in enumerate(columns):
        rows = range(size) if turn % 2 else range(size - 1, -1, -1)
        for row in rows:
            for column in (right, right - 1):
                if frame[row][column] is None:
                    bits.append(matrix[row][column] ^ bool(flips(row, column)))
    return bits


def _text(bits: list[bool], version: int, level: int) -> str:
    words = [_number(bits[at : at + 8]) for at in range(0, len(bits) - 7, 8)]
    sizes, stream = [block.data_count for block in base.rs_blocks(version, level)], iter(words)
    blocks: list[list[int]] = [[] for _ in sizes]
    for turn in range(max(sizes)):
        for block, size in zip(blocks, sizes, strict=True):
            if turn < size:
                block.append(next(stream))
    joined = [bool(word >> bit & 1) for block in blocks for word in block for bit in range(7, -1, -1)]
    return _segment(Bits(joined), version)


class Bits:
    """Read from their beginning."""

    def __init__(self, bits: list[bool]) -> None:
        self._bits, self._at = bits, 0

    def next(self, count: int) -> int:
        """The next so many, as a number."""
        self._at += count
        return _number(self._bits[self._at - count : self._at])


def _segment(bits: Bits, version: int) -> str:
    mode = bits.next(4)
    if mode == 0b0100:
        length = bits.next(8 if version < 10 else 16)
        return bytes(bits.next(8) for _ in range(length)).decode()
    if mode != 0b0010:
        raise ValueError("neither letters nor bytes")
    length, text = bits.next(9 if version < 10 else 11), ""
    for _ in range(length // 2):
        first, second = divmod(bits.next(11), 45)
        text += ALPHABET[first] + ALPHABET[second]
    return text + (ALPHABET[bits.next(6)] if length % 2 else "")


def _number(bits: list[bool]) -> int:
    return sum(bit << place for place, bit in enumerate(reversed(bits)))
