"""What the register says of a person besides the identity (住户): registration, kind, tags, employer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from random import Random

from api.demo.families import Family, Member, Relation
from api.demo.places import EMPLOYERS, Origin
from api.demo.population import Person

_OLD_AGE = 60
_ALONE_AGE = 65
_HIGH_AGE = 80
_PENSION_AGE = {"男": 60, "女": 55}
_HOMETOWN_STREETS = ("桥南村", "东门社区", "柳塘村", "西街社区", "石埠村", "南园社区")
# Share of all people of that kind, by tag: 党员 of adults, 退役军人 of grown men, 志愿者 of adults.
_PARTY, _VETERAN, _VOLUNTEER = 0.08, 0.03, 0.03


@dataclass(frozen=True, slots=True)
class Resident:
    """A row of 住户; an owner who does not live in the compound has neither `moved_in` nor kind nor tags."""

    person: Person
    relation: Relation
    moved_in: date | None
    registered_at: str
    kind: str | None
    tags: tuple[str, ...]
    employer: str

    def as_landlord(self) -> Resident:
        """The same person in the row of another house that they own and let."""
        return replace(self, relation="业主", moved_in=None)


def _employer(rng: Random, person: Person) -> str:
    years = person.age
    if years < 6:
        return ""
    if years < 18:
        return "桂湾小学" if years < 12 else "沐湖中学"
    if years < 22:
        return "在校学生"
    return "退休" if years >= _PENSION_AGE[person.sex] else rng.choice(EMPLOYERS)


def _tags(rng: Random, person: Person, household: tuple[Person, ...]) -> Iterator[str]:
    if person.age < 6:
        yield "学龄前儿童"
    if person.age >= _ALONE_AGE and len(household) == 1:
        yield "独居老人"
    elif len(household) == 2 and all(member.age >= _OLD_AGE for member in household):
        yield "空巢老人"
    if person.age >= _HIGH_AGE:
        yield "高龄老人"
    if person.age >= 25 and rng.random() < _PARTY:
        yield "党员"
    if person.age >= 22 and person.sex == "男" and rng.random() < _VETERAN:
        yield "退役军人"
    if person.age >= 20 and rng.random() < _VOLUNTEER:
        yield "志愿者"


def _hometown(rng: Random, origin: Origin) -> str:
    province, city = origin.place[:2], origin.place[2:]
    return f"{province}省{city}市{rng.choice(_HOMETOWN_STREETS)}{rng.randint(1, 180)}号"


def _kind(person: Person, registered_here: bool, tags: tuple[str, ...]) -> str:
    # Neighbourhoods keep an eye on the very old who live alone (重点关注).
    if {"独居老人", "高龄老人"} <= set(tags):
        return "重点关注人口"
    return "户籍人口" if registered_here or person.origin.is_local else "流动人口"


@dataclass(frozen=True, slots=True)
class _Home:
    """What the members of a household have in common."""

    people: tuple[Person, ...]
    moved_in: date | None
    registered_at: str
    settled: bool
    employer: str


class Residents:
    """Completes the members of a household to rows of the register."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng

    def of(
        self, family: Family, address: str, moved_in: date | None, employer: str = ""
    ) -> tuple[Resident, ...]:
        """The rows of a family; tenants keep their registration at home, most owners bring it along."""
        first = family[0]
        settled = (
            first.relation == "业主"
            and moved_in is not None
            and (first.person.origin.is_local or self._rng.random() < 0.8)
        )
        home = _Home(
            people=tuple(member.person for member in family) if moved_in else (),
            moved_in=moved_in,
            registered_at=address if settled else _hometown(self._rng, first.person.origin),
            settled=settled,
            employer=employer,
        )
        return tuple(self._row(member, home) for member in family)

    def _row(self, member: Member, home: _Home) -> Resident:
        person = member.person
        tags = tuple(_tags(self._rng, person, home.people)) if home.people else ()
        return Resident(
            person=person,
            relation=member.relation,
            moved_in=home.moved_in and max(home.moved_in, person.born_on),
            registered_at=home.registered_at,
            kind=_kind(person, home.settled, tags) if home.people else None,
            tags=tags,
            employer=home.employer or _employer(self._rng, person),
        )
