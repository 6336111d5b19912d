"""Cars and e-bikes (车辆): who drives what, under a plate of the right colour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal

from api.demo.numbers import Numbers
from api.demo.population import Person

Fuel = Literal["petrol", "electric", "hybrid", "lorry"]

_CARS: dict[tuple[str, str, Fuel], int] = {
    ("大众", "朗逸", "petrol"): 10,
    ("丰田", "卡罗拉", "petrol"): 8,
    ("本田", "思域", "petrol"): 7,
    ("日产", "轩逸", "petrol"): 7,
    ("吉利", "帝豪", "petrol"): 7,
    ("别克", "君威", "petrol"): 4,
    ("奥迪", "A4L", "petrol"): 4,
    ("宝马", "3系", "petrol"): 4,
    ("奔驰", "C级", "petrol"): 3,
    ("哈弗", "H6", "petrol"): 5,
    ("比亚迪", "海豚", "electric"): 7,
    ("比亚迪", "元PLUS", "electric"): 6,
    ("特斯拉", "Model Y", "electric"): 7,
    ("零跑", "C11", "electric"): 6,
    ("极氪", "001", "electric"): 4,
    ("五菱", "宏光MINIEV", "electric"): 4,
    ("比亚迪", "秦PLUS DM-i", "hybrid"): 6,
    ("理想", "L7", "hybrid"): 4,
    ("江铃", "顺达轻卡", "lorry"): 1,
    ("东风", "多利卡", "lorry"): 1,
}
_CAR_COLOURS = {"白色": 38, "黑色": 20, "灰色": 16, "银色": 12, "蓝色": 7, "红色": 5, "绿色": 2}
_BICYCLES = {
    "雅迪 冠能": 30,
    "爱玛 元宇宙": 25,
    "台铃 云豹": 15,
    "新日 XC1": 10,
    "小牛 G400": 12,
    "九号 E80C": 8,
}
_BICYCLE_COLOURS = ("黑色", "白色", "灰色", "红色", "蓝色", "粉色")

_DRIVING_AGES = range(20, 71)
_RIDING_AGES = range(16, 76)


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A row of 车辆; the plate's colour says its kind, e-bikes (电动自行车) have white ones."""

    keeper: Person
    plate: str
    plate_colour: str
    kind: Literal["汽车", "电动自行车"]
    brand: str
    model: str
    colour: str


class Vehicles:
    """Draws the vehicles of a household."""

    def __init__(self, rng: Random, numbers: Numbers) -> None:
        self._rng = rng
        self._numbers = numbers

    def of(self, people: tuple[Person, ...], owning: bool) -> Iterator[Vehicle]:
        """Owners have a car in four of five households, tenants in one of four; e-bikes both."""
        drivers = [person for person in people if person.age in _DRIVING_AGES]
        weights = (22, 56, 22) if owning else (76, 23, 1)
        for driver in drivers[: self._rng.choices((0, 1, 2), weights)[0]]:
            yield self._car(driver)
        riders = [person for person in people if person.age in _RIDING_AGES]
        for rider in riders[::-1][: self._rng.choices((0, 1, 2), (50, 42, 8))[0]]:
            yield self._bicycle(rider)

    def _car(self, keeper: Person) -> Vehicle:
        brand, model, fuel = self._rng.choices(list(_CARS), list(_CARS.values()))[0]
        plate, plate_colour = self._plate(fuel)
        colour = self._rng.choices(list(_CAR_COLOURS), list(_CAR_COLOURS.values()))[0]
        return Vehicle(keeper, plate, plate_colour, "汽车", brand, model, colour)

    def _plate(self, fuel: Fuel) -> tuple[str, str]:
        if fuel in {"electric", "hybrid"}:
            return self._numbers.green_plate(electric=fuel == "electric"), "绿色"
        return self._numbers.blue_plate(), "黄色" if fuel == "lorry" else "蓝色"

    def _bicycle(self, keeper: Person) -> Vehicle:
        brand, model = self._rng.choices(list(_BICYCLES), list(_BICYCLES.values()))[0].split()
        colour = self._rng.choice(_BICYCLE_COLOURS)
        return Vehicle(keeper, self._numbers.bicycle_plate(), "白色", "电动自行车", brand, model, colour)
