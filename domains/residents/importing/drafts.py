"""What a register asks for, ready for the tables (导入计划): one draft per thing, however often it is named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from domains.estate.places import Place
from domains.residents.register.reading import Register
from domains.residents.register.rows import Capacity, Contact, HouseRow, PersonRow

Key = tuple[str, str, str]


@dataclass(slots=True)
class PersonDraft:
    """A human of the register, put together from every row that names them."""

    n: int
    name: str
    phone: str | None = None
    document_kind: str | None = None
    document_number: str | None = None
    facts: dict[str, object] = field(default_factory=dict)
    """Columns of the person's own row: sex, born_on, …; absent where the register is silent."""
    homes: set[Key] = field(default_factory=set)


@dataclass(slots=True)
class OccupancyDraft:
    """A human in a house."""

    place: Place
    person: int
    capacity: Capacity
    sheet: str
    line: int
    relation: str = ""
    since_on: date | None = None
    listed: bool = False
    """Named in the house's own row, which names all its owners."""


_STRENGTH = {Capacity.OWNER: 0, Capacity.TENANT: 1, Capacity.FAMILY: 2}


class People:
    """Finds the human a row means: by document, else by name and phone, else by name in the same
    house. Two different documents are never one human."""

    def __init__(self) -> None:
        self.drafts: list[PersonDraft] = []
        self.occupancies: dict[tuple[Key, int], OccupancyDraft] = {}
        self._by_document: dict[str, PersonDraft] = {}
        self._by_phone: dict[tuple[str, str], PersonDraft] = {}
        self._by_home: dict[tuple[Key, str], PersonDraft] = {}

    def add(self, place: Place, contact: Contact) -> PersonDraft:
        """The draft of this contact in this house, made if it is new, completed if it is not."""
        draft = self._find(place.key, contact)
        if draft is None:
            draft = PersonDraft(len(self.drafts), contact.name)
            self.drafts.append(draft)
        draft.phone = draft.phone or contact.phone
        if draft.document_number is None and contact.document_number:
            draft.document_number = contact.document_number
            draft.document_kind = contact.document_kind.value if contact.document_kind else None
        draft.homes.add(place.key)
        self._remember(place.key, draft)
        return draft

    def _find(self, home: Key, contact: Contact) -> PersonDraft | None:
        number = contact.document_number
        if number and number in self._by_document:
            return self._by_document[number]
        candidates = (
            self._by_phone.get((contact.name, contact.phone)) if contact.phone else None,
            self._by_home.get((home, contact.name)),
        )
        return next((draft for draft in candidates if draft and _compatible(draft, number)), None)

    def _remember(self, home: Key, draft: PersonDraft) -> None:
        if draft.document_number:
            self._by_document.setdefault(draft.document_number, draft)
        if draft.phone:
            self._by_phone.setdefault((draft.name, draft.phone), draft)
        self._by_home.setdefault((home, draft.name), draft)

    def occupy(self, draft: PersonDraft, occupancy: OccupancyDraft) -> None:
        """Note the occupancy; of two capacities in one house the stronger counts."""
        key = (occupancy.place.key, draft.n)
        known = self.occupancies.get(key)
        if known is None:
            self.occupancies[key] = occupancy
            return
        known.relation = known.relation or occupancy.relation
        known.listed = known.listed or occupancy.listed
        known.since_on = known.since_on or occupancy.since_on
        if _STRENGTH[occupancy.capacity] < _STRENGTH[known.capacity]:
            known.capacity = occupancy.capacity


def _compatible(draft: PersonDraft, number: str | None) -> bool:
    return number is None or draft.document_number in (None, number)


def gather_people(register: Register) -> People:
    """Every human of the register once, with every house they have."""
    people = People()
    for house in register.houses:
        _gather_contacts(people, house, house.owners, Capacity.OWNER)
        _gather_contacts(people, house, house.tenants, Capacity.TENANT)
    for row in register.people:
        _gather_person(people, row)
    return people


def _gather_contacts(
    people: People, house: HouseRow, contacts: Iterable[Contact], capacity: Capacity
) -> None:
    for contact in contacts:
        draft = people.add(house.place, contact)
        listed = capacity is Capacity.OWNER
        people.occupy(
            draft, OccupancyDraft(house.place, draft.n, capacity, house.sheet, house.row, listed=listed)
        )


def _gather_person(people: People, row: PersonRow) -> None:
    contact = Contact(row.name, row.phone, row.other_phones, row.document_kind, row.document_number)
    draft = people.add(row.place, contact)
    said = {
        "sex": row.sex.value if row.sex else None,
        "born_on": row.born_on,
        "nationality": row.nationality,
        "ethnicity": row.ethnicity,
        "native_place": row.native_place,
        "registered_address": row.registered_address,
        "population_kind": row.population.value if row.population else None,
        "tags": list(row.tags) or None,
        "work_unit": row.work_unit,
    }
    draft.facts.update({name: value for name, value in said.items() if value is not None})
    occupancy = OccupancyDraft(
        row.place, draft.n, row.capacity, row.sheet, row.row, row.relation or "", row.moved_in_on
    )
    people.occupy(draft, occupancy)
