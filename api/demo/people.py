"""The accounts that the demo prints (示范账号): the same people in the same houses whatever seed and size."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from api.demo.buildings import HouseKey
from api.demo.families import Family, Member, Relation
from api.demo.names import Sex
from api.demo.numbers import identity_number, phone
from api.demo.places import COMPOUND, LOCAL, SECOND_COMPOUND, Origin
from api.demo.population import Person

_RESERVED_ORDER = 900


def _person(name: str, sex: Sex, born_on: date, ordinal: int | None, origin: Origin = LOCAL) -> Person:
    order = _RESERVED_ORDER + (sex == "男")
    return Person(
        name=name,
        sex=sex,
        born_on=born_on,
        ethnicity="汉族",
        origin=origin,
        phone=None if ordinal is None else phone(ordinal),
        identity=identity_number(origin.region_code, born_on, order),
    )


_OWNER = _person("沈嘉树", "男", date(1986, 4, 12), 1001)
_TENANT = _person("程一诺", "女", date(1999, 8, 3), 1002, Origin("安徽安庆", "340899", 0))
_GRANDMOTHER = _person("周桂芳", "女", date(1956, 2, 19), 1003)
_WIFE = _person("林知夏", "女", date(1988, 11, 26), 1004)
_DAUGHTER = _person("沈念安", "女", date(2017, 6, 8), None)
_OUTSIDER = _person("顾清和", "男", date(1979, 9, 30), 1005)


@dataclass(frozen=True, slots=True)
class NamedHousehold:
    """A house whose people are fixed; let houses have a drawn landlord."""

    status: str
    family: Family


NAMED: dict[tuple[str, HouseKey], NamedHousehold] = {
    (COMPOUND.code, ("3幢", "1单元", "1201")): NamedHousehold(
        "自住",
        (
            Member("业主", _OWNER),
            Member("配偶", _WIFE),
            Member("子女", _DAUGHTER),
            Member("父母", _GRANDMOTHER),
        ),
    ),
    (COMPOUND.code, ("5幢", "2单元", "802")): NamedHousehold("出租", (Member("租户", _TENANT),)),
    (SECOND_COMPOUND.code, ("1幢", "1单元", "301")): NamedHousehold("自住", (Member("业主", _OUTSIDER),)),
}
"""By compound and house."""


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """Somebody who can sign in to the demo, and the house that they belong to."""

    name: str
    phone: str
    identity: str
    compound: str
    building: str
    unit: str
    room: str
    relation: Relation


@dataclass(frozen=True, slots=True)
class DemoPeople:
    """Owner, tenant and the owner's mother in the demo compound; `outsider` owns in the other one."""

    owner: DemoAccount
    tenant: DemoAccount
    grandmother: DemoAccount
    outsider: DemoAccount


def _account(person: Person) -> DemoAccount:
    for (compound, (building, unit, room)), household in NAMED.items():
        for member in household.family:
            if member.person is person and person.phone:
                return DemoAccount(
                    person.name,
                    person.phone,
                    person.identity,
                    compound,
                    building,
                    unit,
                    room,
                    member.relation,
                )
    raise LookupError(person.name)


def demo_people() -> DemoPeople:
    """The four accounts, as they stand in `demo_register()` and `second_register()`."""
    return DemoPeople(_account(_OWNER), _account(_TENANT), _account(_GRANDMOTHER), _account(_OUTSIDER))
