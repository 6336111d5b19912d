"""Family shapes (家庭结构): who lives behind one door, and what they are to each other.

Parents are between twenty and forty years older than each of their children; a couple is at most
four years apart. The first member is the one who signed: the owner or the tenant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Literal

from api.demo.places import FARAWAY, LOCAL, NEARBY, Origin
from api.demo.population import REGISTER_DAY, Person, Population, years_before

Relation = Literal["业主", "配偶", "子女", "父母", "租户"]

_YEAR = timedelta(days=365.25)
_YOUNGEST_PARENT = 22 * _YEAR
_OLDEST_PARENT = 39 * _YEAR
_NEWBORN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Member:
    """A person and what they are to the house (与房屋关系)."""

    relation: Relation
    person: Person


Family = tuple[Member, ...]
Shape = Callable[["Families"], Family]


class Families:
    """Draws households of each shape from one population."""

    def __init__(self, rng: Random, people: Population) -> None:
        self._rng = rng
        self._people = people

    def single_owner(self) -> Family:
        """单身业主"""
        return (Member("业主", self._alone(25, 45, NEARBY)),)

    def elder_alone(self) -> Family:
        """独居老人"""
        return (Member("业主", self._alone(66, 91, NEARBY)),)

    def young_couple(self) -> Family:
        """两口之家"""
        return self._owned(self._couple(25, 36, NEARBY))

    def empty_nest(self) -> Family:
        """空巢: the children have left."""
        return self._owned(self._couple(58, 80, NEARBY))

    def couple_with_children(self) -> Family:
        """核心家庭: one child, sometimes two, rarely three."""
        couple = self._couple(28, 46, NEARBY)
        return self._owned(couple) + self._children(couple, self._rng.choices((1, 2, 3), (58, 38, 4))[0])

    def couple_with_grown_child(self) -> Family:
        """The child has grown up and has not left."""
        couple = self._couple(48, 62, NEARBY)
        return (*self._owned(couple), Member("子女", self._child(couple, 20, 32)))

    def three_generations(self) -> Family:
        """三代同堂: the owner's parents live here too."""
        couple = self._couple(30, 46, NEARBY)
        family = self._owned(couple)
        children = self._children(couple, self._rng.choices((1, 2), (60, 40))[0])
        return family + children + self._elders(family[0].person)

    def single_parent(self) -> Family:
        """单亲家庭"""
        parent = self._alone(30, 46, NEARBY)
        return (Member("业主", parent), Member("子女", self._child((parent,), 3, 17)))

    def sharing_tenants(self) -> Family:
        """合租: young people who met through an advertisement."""
        count = self._rng.choices((2, 3, 4), (40, 45, 15))[0]
        return tuple(Member("租户", self._alone(20, 31, FARAWAY)) for _ in range(count))

    def tenant_alone(self) -> Family:
        """独租"""
        return (Member("租户", self._alone(22, 40, FARAWAY)),)

    def tenant_family(self) -> Family:
        """租房的小家庭: everybody in it is here under the lease."""
        couple = self._couple(28, 40, FARAWAY)
        children = self._children(couple, self._rng.choices((0, 1, 2), (40, 45, 15))[0])
        return tuple(Member("租户", person) for person in (*couple, *(child.person for child in children)))

    def shopkeepers(self) -> Family:
        """商户: one who rents the shop, or a couple."""
        if self._rng.random() < 0.5:
            return (Member("租户", self._alone(28, 55, FARAWAY)),)
        return tuple(Member("租户", person) for person in self._couple(28, 55, FARAWAY))

    def landlord(self) -> Person:
        """An owner who lives outside the compound."""
        return self._alone(32, 72, NEARBY)

    def _alone(self, youngest: int, oldest: int, among: tuple[Origin, ...]) -> Person:
        people = self._people
        return people.person(people.sex(), people.born(youngest, oldest), people.origin(among))

    def _couple(self, youngest: int, oldest: int, among: tuple[Origin, ...]) -> tuple[Person, Person]:
        """Husband and wife; the wife is between two years older and four years younger."""
        origin = self._people.origin(among)
        born_on = self._people.born(youngest, oldest)
        hers = self._people.day_between(born_on - 2 * _YEAR, born_on + 4 * _YEAR)
        her_origin = origin if self._rng.random() < 0.6 else self._people.origin(among)
        return self._people.person("男", born_on, origin), self._people.person("女", hers, her_origin)

    def _owned(self, couple: tuple[Person, Person]) -> Family:
        owner, spouse = couple if self._rng.random() < 0.62 else couple[::-1]
        both_own = self._rng.random() < 0.18
        return Member("业主", owner), Member("业主" if both_own else "配偶", spouse)

    def _child(self, parents: tuple[Person, ...], youngest: int, oldest: int) -> Person:
        births = [parent.born_on for parent in parents]
        first = max(
            max(births) + _YOUNGEST_PARENT, years_before(REGISTER_DAY, oldest + 1) + timedelta(days=1)
        )
        last = min(
            min(births) + _OLDEST_PARENT, years_before(REGISTER_DAY, youngest), REGISTER_DAY - _NEWBORN
        )
        return self._born_to(parents, self._people.day_between(first, last))

    def _children(self, couple: tuple[Person, Person], count: int) -> Family:
        """Up to `count` minors, oldest first, none of them born too late for the parents' age."""
        children = [self._child(couple, 0, 17)] if count else []
        latest = min(*(parent.born_on + _OLDEST_PARENT for parent in couple), REGISTER_DAY - _NEWBORN)
        while 0 < len(children) < count:
            born_on = self._people.day_between(
                children[-1].born_on + 1.5 * _YEAR, children[-1].born_on + 6 * _YEAR
            )
            if born_on > latest:
                break
            children.append(self._born_to(couple, born_on))
        return tuple(Member("子女", child) for child in children)

    def _born_to(self, parents: tuple[Person, ...], born_on: date) -> Person:
        # The children of Hangzhou's owners and tenants are mostly born where the family lives now.
        origin = LOCAL if self._rng.random() < 0.8 else parents[0].origin
        named_after = parents[0] if self._rng.random() < 0.94 else parents[-1]
        return self._people.person(self._people.sex(), born_on, origin, parent=named_after)

    def _elders(self, owner: Person) -> Family:
        mother = self._elder(owner, "女")
        choice = self._rng.random()
        if choice < 0.5:
            return (mother,)
        father = self._elder(owner, "男")
        return (father,) if choice < 0.62 else (father, mother)

    def _elder(self, owner: Person, sex: Literal["男", "女"]) -> Member:
        born_on = self._people.day_between(owner.born_on - 34 * _YEAR, owner.born_on - 25 * _YEAR)
        return Member("父母", self._people.elder_of(owner, sex, born_on))


OWNERS: dict[Shape, tuple[int, int]] = {
    Families.couple_with_children: (26, 32),
    Families.three_generations: (3, 15),
    Families.couple_with_grown_child: (9, 12),
    Families.young_couple: (18, 13),
    Families.empty_nest: (16, 16),
    Families.elder_alone: (12, 4),
    Families.single_owner: (12, 5),
    Families.single_parent: (4, 3),
}
"""Households that own: parts in a hundred in a compact flat, and in one of a hundred ㎡ or more."""

TENANTS: dict[Shape, tuple[int, int]] = {
    Families.sharing_tenants: (30, 55),
    Families.tenant_family: (40, 40),
    Families.tenant_alone: (30, 5),
}
"""Households that rent, likewise."""
