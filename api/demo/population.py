"""People one by one (人口): who they are before it is said where they live."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from api.demo.names import Names, Sex
from api.demo.numbers import Numbers
from api.demo.places import ETHNICITIES, Origin

REGISTER_DAY = date(2026, 10, 1)
"""The day the register was closed: nothing in it is later."""

_FIRST_PHONE_AGE = 16
_LAST_PHONE_AGE = 85


def years_before(day: date, years: int) -> date:
    """The same day of the year `years` earlier; 29 February becomes the 28th."""
    leaps_out = day.month == 2 and day.day == 29
    return day.replace(year=day.year - years, day=28 if leaps_out else day.day)


def age(born_on: date, day: date = REGISTER_DAY) -> int:
    """Full years (周岁) on `day`."""
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an identity number, and with a phone unless too young or very old."""

    name: str
    sex: Sex
    born_on: date
    ethnicity: str
    origin: Origin
    phone: str | None
    identity: str

    @property
    def age(self) -> int:
        return age(self.born_on)

    @property
    def surname(self) -> str:
        return self.name[: 2 if self.name[:2] in {"诸葛", "欧阳"} else 1]


class Population:
    """Draws people; the same generator of chance draws the same people."""

    def __init__(self, rng: Random, numbers: Numbers) -> None:
        self._rng = rng
        self._names = Names(rng)
        self._numbers = numbers

    def person(self, sex: Sex, born_on: date, origin: Origin, parent: Person | None = None) -> Person:
        """Somebody new; a child has its parent's surname and ethnicity."""
        return Person(
            name=self._names.full_name(
                parent.surname if parent else self._names.surname(), sex, born_on.year
            ),
            sex=sex,
            born_on=born_on,
            ethnicity=parent.ethnicity if parent else self._ethnicity(),
            origin=origin,
            phone=self._phone(age(born_on)),
            identity=self._numbers.identity(origin.region_code, born_on, sex),
        )

    def elder_of(self, child: Person, sex: Sex, born_on: date) -> Person:
        """A parent of `child`: the father gave the surname, the mother has her own."""
        return self.person(sex, born_on, child.origin, parent=child if sex == "男" else None)

    def origin(self, among: tuple[Origin, ...]) -> Origin:
        return self._rng.choices(among, [origin.weight for origin in among])[0]

    def sex(self) -> Sex:
        return "男" if self._rng.random() < 0.51 else "女"

    def born(self, youngest: int, oldest: int) -> date:
        """A birthday of somebody who is between `youngest` and `oldest` full years old."""
        first = years_before(REGISTER_DAY, oldest + 1) + timedelta(days=1)
        return self.day_between(first, years_before(REGISTER_DAY, youngest))

    def day_between(self, first: date, last: date) -> date:
        """A day from `first` to `last`, both possible; `last` itself when the range is empty."""
        return last - timedelta(days=self._rng.randint(0, max(0, (last - first).days)))

    def _ethnicity(self) -> str:
        return self._rng.choices(list(ETHNICITIES), list(ETHNICITIES.values()))[0]

    def _phone(self, years: int) -> str | None:
        if years < _FIRST_PHONE_AGE:
            return None
        if years >= _LAST_PHONE_AGE and self._rng.random() < 0.5:
            return None
        return self._numbers.phone()
