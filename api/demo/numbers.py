"""Identity numbers, phones and plates of the right form that nobody holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from random import Random

from api.demo.names import Sex
from domains.kernel.documents import check_digit

_FIRST_PHONE = 19900000000
# Below: the demo's named accounts and the second compound. Above, to 199 0009 9999: everybody else.
_DRAWN_FROM = 2_000
_DRAWN = 98_000
# Prime to the count, so that the walk meets every number once and neighbours' numbers lie far apart.
_STRIDE = 61_837

_PLATE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def identity_number(region_code: str, born_on: date, order: int) -> str:
    """公民身份号码 (GB 11643-1999); `order` 0–999 is odd for men, even for women.

    Orders from 900 on are never drawn: they belong to the demo's named accounts.
    """
    digits = f"{region_code}{born_on:%Y%m%d}{order:03d}"
    return digits + check_digit(digits)


def phone(ordinal: int) -> str:
    """The mobile number at `ordinal` (0–99999) of the block 199 0000 0000–199 0009 9999."""
    if not 0 <= ordinal < 100_000:
        raise ValueError(f"no demo phone {ordinal}")
    return str(_FIRST_PHONE + ordinal)


class Numbers:
    """Gives out identity numbers, phones and plates, none of them twice."""

    def __init__(self, rng: Random, phones_from: int | None = None) -> None:
        """With `phones_from`, phones count up from that ordinal and do not wander over the block."""
        self._rng = rng
        self._phones_from = phones_from
        self._phones_given = 0
        self._given: set[str] = set()

    def identity(self, region_code: str, born_on: date, sex: Sex) -> str:
        odd = int(sex == "男")
        return self._unused(lambda: identity_number(region_code, born_on, self._rng.randrange(450) * 2 + odd))

    def phone(self) -> str:
        """The next phone. Raises ValueError when the block is used up."""
        step = self._phones_given
        self._phones_given += 1
        if self._phones_from is not None:
            return phone(self._phones_from + step)
        if step >= _DRAWN:
            raise ValueError("the demo's block of phones is used up")
        return phone(_DRAWN_FROM + step * _STRIDE % _DRAWN)

    def blue_plate(self) -> str:
        """蓝牌 (small cars) and 黄牌 (lorries): five characters after 浙A, at most two of them letters."""
        return self._unused(lambda: "浙A" + self._letters_and_digits(5, self._rng.randrange(3)))

    def green_plate(self, electric: bool) -> str:
        """绿牌 (GA 36-2018, small new-energy cars): D for electric or F for hybrid, then five characters."""
        kind = "D" if electric else "F"
        return self._unused(
            lambda: f"浙A{kind}{self._letters_and_digits(1, self._rng.randrange(2))}{self._digits(4)}"
        )

    def bicycle_plate(self) -> str:
        """电动自行车号牌 of Hangzhou."""
        return self._unused(lambda: f"杭州{self._rng.choice(_PLATE_LETTERS)}{self._digits(5)}")

    def _digits(self, count: int) -> str:
        return f"{self._rng.randrange(10**count):0{count}d}"

    def _letters_and_digits(self, count: int, letters: int) -> str:
        characters = list(self._digits(count))
        for place in self._rng.sample(range(count), letters):
            characters[place] = self._rng.choice(_PLATE_LETTERS)
        return "".join(characters)

    def _unused(self, draw: Callable[[], str]) -> str:
        while (number := draw()) in self._given:
            pass
        self._given.add(number)
        return number
