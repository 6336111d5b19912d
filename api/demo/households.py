"""Who has which house (住户情况): lived in by its owner, let, empty or not yet sold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import cycle
from random import Random
from typing import Literal

from api.demo.buildings import Building, House
from api.demo.families import OWNERS, TENANTS, Families, Family, Member, Shape
from api.demo.numbers import Numbers
from api.demo.people import NAMED
from api.demo.places import SHOPS
from api.demo.population import REGISTER_DAY, Person, Population, years_before
from api.demo.residents import Resident, Residents
from api.demo.vehicles import Vehicle, Vehicles

Status = Literal["自住", "出租", "空置", "未售"]
_STATUSES: tuple[Status, ...] = ("自住", "出租", "空置", "未售")
_SHOP_CHANCES = (0, 80, 12, 8)
_LARGE_FLAT_M2 = 100
_LANDLORD_NEXT_DOOR = 0.12
_FIRST_OWN_HOUSE_AGE = 20


@dataclass(frozen=True, slots=True)
class Household:
    """A house with everything that the register says of it; `owners` is empty while it is unsold."""

    house: House
    status: str
    handed_over_on: date | None
    residents: tuple[Resident, ...]
    vehicles: tuple[Vehicle, ...]
    note: str

    @property
    def owners(self) -> tuple[Person, ...]:
        return tuple(row.person for row in self.residents if row.relation == "业主")


def _chances(built_in: int) -> tuple[int, int, int, int]:
    """Parts in a hundred of each status: the newest blocks still have unsold flats."""
    if built_in >= 2020:
        return 64, 16, 12, 8
    return (74, 16, 8, 2) if built_in >= 2010 else (66, 26, 8, 0)


class Households:
    """Settles the houses of a compound, one after the other."""

    def __init__(self, rng: Random, numbers: Numbers) -> None:
        self._rng = rng
        self._families = Families(rng, Population(rng, numbers))
        self._residents = Residents(rng)
        self._vehicles = Vehicles(rng, numbers)
        self._neighbours: list[Resident] = []
        self._shop_names = cycle(rng.sample(SHOPS, len(SHOPS)))

    def settle(self, building: Building) -> Iterator[Household]:
        """The households of one building, house by house."""
        for house in building.houses:
            yield self._household(building, house)

    def _household(self, building: Building, house: House) -> Household:
        named = NAMED.get((building.site.code, house.key))
        status = named.status if named else self._status(building, house)
        handed_over = building.handed_over_from + timedelta(days=self._rng.randint(0, 75))
        if status == "未售":
            return Household(house, status, None, (), (), "")
        if status == "自住":
            family = named.family if named else self._draw(OWNERS, house)
            return self._lived_in(building, house, family, handed_over)
        if status == "空置":
            return Household(house, status, handed_over, self._landlord(()), (), "")
        return self._let(house, handed_over, named.family if named else self._tenants(house))

    def _status(self, building: Building, house: House) -> Status:
        chances = _SHOP_CHANCES if house.use == "商铺" else _chances(building.design.built_in)
        return self._rng.choices(_STATUSES, chances)[0]

    def _draw(self, shapes: dict[Shape, tuple[int, int]], house: House) -> Family:
        large = house.area >= _LARGE_FLAT_M2
        shape = self._rng.choices(list(shapes), [parts[large] for parts in shapes.values()])[0]
        return shape(self._families)

    def _tenants(self, house: House) -> Family:
        return self._families.shopkeepers() if house.use == "商铺" else self._draw(TENANTS, house)

    def _lived_in(self, building: Building, house: House, family: Family, handed_over: date) -> Household:
        address = f"{building.address}{house.unit}{house.room}室"
        residents = self._residents.of(family, address, self._moved_in(family[0].person, handed_over))
        owners = [row for row in residents if row.relation == "业主"]
        if (building.site.code, house.key) not in NAMED:
            self._neighbours.append(owners[0])
        vehicles = tuple(self._vehicles.of(tuple(member.person for member in family), owning=True))
        note = "夫妻共有" if len(owners) > 1 else ""
        return Household(house, "自住", handed_over, residents, vehicles, note)

    def _let(self, house: House, handed_over: date, family: Family) -> Household:
        moved_in = REGISTER_DAY - timedelta(days=self._rng.randint(10, 1100))
        shop = next(self._shop_names) if house.use == "商铺" else ""
        tenants = self._residents.of(family, "", moved_in, employer=shop)
        people = tuple(member.person for member in family)
        vehicles = tuple(self._vehicles.of(people, owning=False))
        return Household(
            house=house,
            status="出租",
            handed_over_on=handed_over,
            residents=self._landlord(people) + tenants,
            vehicles=vehicles,
            note=f"店名：{shop}" if shop else "",
        )

    def _landlord(self, tenants: tuple[Person, ...]) -> tuple[Resident, ...]:
        """The owner of a house that others live in, or nobody; now and then a neighbour."""
        if self._neighbours and self._rng.random() < _LANDLORD_NEXT_DOOR:
            neighbour = self._rng.choice(self._neighbours)
            if neighbour.person.name not in {tenant.name for tenant in tenants}:
                return (neighbour.as_landlord(),)
        return self._residents.of((Member("业主", self._families.landlord()),), "", None)

    def _moved_in(self, owner: Person, handed_over: date) -> date:
        """After the fitting-out (装修), or years later where the flat was bought second-hand."""
        second_hand = self._rng.random() < 0.3
        wait = self._rng.randint(700, 2400) if second_hand else self._rng.randint(60, 600)
        of_age = years_before(owner.born_on, -_FIRST_OWN_HOUSE_AGE)
        return min(max(handed_over + timedelta(days=wait), of_age), REGISTER_DAY - timedelta(days=14))
