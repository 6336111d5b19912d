"""What was built (楼栋, 房屋): the same blocks whatever the seed, and every floor like the one below."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from api.demo.places import CompoundSite

Use = Literal["住宅", "商铺"]
HouseKey = tuple[str, str, str]

_CENT = Decimal("0.01")
_SHOP_AREAS = (Decimal("46.28"), Decimal("58.73"), Decimal("72.15"), Decimal("38.90"))
_SHOP_INNER = Decimal("0.85")
_FLOOR_M = Decimal("2.95")
_SHOP_FLOOR_M = Decimal("4.50")
_PARAPET_M = Decimal("1.40")


@dataclass(frozen=True, slots=True)
class Design:
    """How a block was drawn: `flats` are the built areas (㎡) side by side on one floor of one unit."""

    built_in: int
    storeys: int
    basements: int
    units: int
    flats: tuple[Decimal, ...]
    inner_share: Decimal
    shops: tuple[int, ...] = ()
    """Shops on the ground floor of each unit, in place of its flats."""


@dataclass(frozen=True, slots=True)
class House:
    """A flat or a shop; areas in ㎡, `inner_area` (套内面积) is the part inside its walls."""

    building: str
    unit: str
    floor: int
    room: str
    area: Decimal
    inner_area: Decimal
    use: Use

    @property
    def key(self) -> HouseKey:
        return self.building, self.unit, self.room


@dataclass(frozen=True, slots=True)
class Building:
    """One block (幢) on its site; `number` counts from 1."""

    site: CompoundSite
    number: int
    design: Design
    houses: tuple[House, ...]

    @property
    def name(self) -> str:
        return f"{self.number}幢"

    @property
    def code(self) -> str:
        return f"{self.site.code}-{self.number:03d}"

    @property
    def address(self) -> str:
        return self.site.address + self.name

    @property
    def use(self) -> str:
        return "商住" if self.design.shops else "住宅"

    @property
    def structure(self) -> str:
        return "钢筋混凝土剪力墙" if self.design.storeys > 6 else "砖混"

    @property
    def height_m(self) -> Decimal:
        ground = _SHOP_FLOOR_M if self.design.shops else _FLOOR_M
        return ground + (self.design.storeys - 1) * _FLOOR_M + _PARAPET_M

    @property
    def area(self) -> Decimal:
        return sum((house.area for house in self.houses), Decimal(0))

    @property
    def position(self) -> tuple[Decimal, Decimal]:
        """Longitude and latitude: rows of four blocks, some sixty metres apart."""
        row, column = divmod(self.number - 1, 4)
        return (
            self.site.longitude + column * Decimal("0.000640"),
            self.site.latitude + row * Decimal("0.000550"),
        )

    @property
    def handed_over_from(self) -> date:
        """The day on which the developer began to hand over the flats (集中交房)."""
        return date(self.design.built_in + 1, 3 + self.number % 3 * 3, 16)


def _areas(*areas: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(area) for area in areas)


_MIDRISE = _areas("128.46", "89.52", "118.37")
_TOWER = _areas("139.84", "89.63", "89.63", "124.91")

DESIGNS: tuple[Design, ...] = (
    Design(2016, 18, 1, 3, _areas("108.62", "89.47"), Decimal("0.805"), shops=(4, 3, 3)),
    Design(2016, 18, 1, 3, _areas("108.62", "89.47"), Decimal("0.805"), shops=(4, 3, 3)),
    Design(2016, 18, 1, 2, _MIDRISE, Decimal("0.802")),
    Design(2016, 18, 1, 2, _MIDRISE, Decimal("0.802")),
    Design(2018, 26, 2, 2, _areas("119.75", "96.18"), Decimal("0.785")),
    Design(2018, 26, 2, 2, _areas("119.75", "96.18"), Decimal("0.785")),
    Design(2018, 26, 2, 2, _areas("138.29", "88.94"), Decimal("0.788")),
    Design(2018, 11, 1, 3, _areas("142.56", "136.83"), Decimal("0.842")),
    Design(2018, 11, 1, 3, _areas("142.56", "136.83"), Decimal("0.842")),
    Design(2020, 33, 2, 1, _TOWER, Decimal("0.768")),
    Design(2020, 33, 2, 1, _TOWER, Decimal("0.768")),
    Design(2020, 13, 2, 2, _areas("168.40", "143.72"), Decimal("0.828")),
)

SECOND_DESIGNS: tuple[Design, ...] = (Design(2008, 6, 0, 2, _areas("86.35", "72.18"), Decimal("0.856")),)


def _shops(building: str, design: Design, unit: int) -> Iterator[House]:
    for place in range(1, design.shops[unit - 1] + 1):
        area = _SHOP_AREAS[place - 1]
        inner = (area * _SHOP_INNER).quantize(_CENT)
        yield House(building, f"{unit}单元", 1, f"1{place:02d}", area, inner, "商铺")


def _flats(building: str, design: Design, unit: int) -> Iterator[House]:
    for floor in range(2 if design.shops else 1, design.storeys + 1):
        for place, area in enumerate(design.flats, start=1):
            inner = (area * design.inner_share).quantize(_CENT)
            yield House(building, f"{unit}单元", floor, f"{floor}{place:02d}", area, inner, "住宅")


def _houses(building: str, design: Design) -> Iterator[House]:
    for unit in range(1, design.units + 1):
        if design.shops:
            yield from _shops(building, design, unit)
        yield from _flats(building, design, unit)


def buildings(site: CompoundSite, designs: tuple[Design, ...], scale: int = 1) -> Iterator[Building]:
    """The blocks of a compound in order; a larger `scale` repeats the designs behind the first ones."""
    for number, design in enumerate(designs * scale, start=1):
        yield Building(site, number, design, tuple(_houses(f"{number}幢", design)))
