"""People of a compound's register, in the API: for staff, and one's own records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry

from domains.kernel.documents import Kind
from domains.residents.queries import occupancies
from domains.residents.queries import people as queries
from domains.residents.service import people as service
from schema.context import Context, Info, Loader
from schema.errors import Payload, refusals_as_data
from schema.household import Occupancy
from schema.permissions import staff_only
from schema.photos import PeoplePhotosLoader, Photo, shown
from schema.relay import After, Connection, First, Key, Node, connection, decode, encode, page_request

SORT = "residents:name"


@strawberry.enum(description="Kind of identity document (证件类型).")
class DocumentKind(Enum):
    RESIDENT_ID = strawberry.enum_value("resident_id", description="居民身份证")
    PASSPORT = strawberry.enum_value("passport", description="护照")
    HK_MACAO_PERMIT = strawberry.enum_value("hk_macao_permit", description="港澳居民来往内地通行证")
    TAIWAN_PERMIT = strawberry.enum_value("taiwan_permit", description="台湾居民来往大陆通行证")
    HMT_RESIDENCE_PERMIT = strawberry.enum_value("hmt_residence_permit", description="港澳台居民居住证")
    FOREIGNER_RESIDENCE_CARD = strawberry.enum_value(
        "foreigner_residence_card", description="外国人永久居留身份证"
    )
    HOUSEHOLD_REGISTER = strawberry.enum_value("household_register", description="户口簿")
    OTHER = strawberry.enum_value("other", description="其他")


@strawberry.enum(description="Kind of population (人口类别).")
class PopulationKind(Enum):
    PERMANENT = strawberry.enum_value("permanent", description="户籍人口")
    FLOATING = strawberry.enum_value("floating", description="流动人口")
    ATTENTION = strawberry.enum_value("attention", description="重点关注人口")


@strawberry.enum(description="Sex as a document states it (性别).")
class Sex(Enum):
    MALE = strawberry.enum_value("male", description="男")
    FEMALE = strawberry.enum_value("female", description="女")


class PresentHousesLoader(Loader[UUID, list[occupancies.Occupancy]]):
    """Where people of the register are now, by person."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[occupancies.Occupancy]]:
        """One statement for all people."""
        return await occupancies.of_people(self.context.actor, keys)


@strawberry.type(description="A person of a compound's register (住户), masked; for staff.")
class Person(Node):
    id: strawberry.Private[UUID]
    name: str = strawberry.field(description="Name (姓名).")
    phone: str | None = strawberry.field(description="Masked number: 138****0001.")
    document_kind: DocumentKind | None = strawberry.field(description="Kind of document.")
    document_number: str | None = strawberry.field(description="Masked number: 3301********1234.")
    population_kind: PopulationKind | None = strawberry.field(description="Kind of population.")
    tags: list[str] = strawberry.field(description="Tags (标签).")
    has_account: bool = strawberry.field(description="Whether somebody signs in as this person.")
    recorded_at: datetime = strawberry.field(description="When the record was made.")

    @strawberry.field(description="The houses the person belongs to now.")
    async def occupancies(self, info: Info) -> list[Occupancy]:
        rows = await info.context.loader(PresentHousesLoader).load(self.id)
        return cast("list[Occupancy]", rows or [])

    @strawberry.field(
        description="The person's photo (人员照片), for staff with residents.reveal, audited; null for others."
    )
    async def photo(self, info: Info) -> Photo | None:
        return shown(info.context, await info.context.loader(PeoplePhotosLoader).load(self.id))

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.Person)


def _record_id(root: queries.PersonDetails) -> strawberry.ID:
    return strawberry.ID(encode("Person", root.id))


@strawberry.type(
    description="A person's whole record in clear (完整档案); whoever reads another's is audited."
)
class PersonDetails:
    photo_key: strawberry.Private[str | None]
    id: strawberry.ID = strawberry.field(
        resolver=_record_id, description="Opaque id of the record, for `setPersonPhoto`."
    )
    compound_name: str = strawberry.field(description="The compound whose register it is.")
    name: str = strawberry.field(description="Name (姓名).")
    phone: str | None = strawberry.field(description="Number in full.")
    document_kind: DocumentKind | None = strawberry.field(description="Kind of document.")
    document_number: str | None = strawberry.field(description="Number in full.")
    sex: Sex | None = strawberry.field(description="Sex (性别).")
    born_on: date | None = strawberry.field(description="Birth date (出生日期).")
    nationality: str = strawberry.field(description="Nationality (国籍); empty if not recorded.")
    ethnicity: str = strawberry.field(description="Ethnicity (民族); empty if not recorded.")
    native_place: str = strawberry.field(description="Native place (籍贯); empty if not recorded.")
    registered_address: str = strawberry.field(
        description="Registered address (户籍地址); empty if not recorded."
    )
    population_kind: PopulationKind | None = strawberry.field(description="Kind of population.")
    work_unit: str = strawberry.field(description="Work unit (工作单位); empty if not recorded.")

    @strawberry.field(description="The person's photo (人员照片); null if there is none.")
    def photo(self, info: Info) -> Photo | None:
        return shown(info.context, self.photo_key)


@strawberry.type
class ResidentsViewer:
    """What the registers hold about the caller."""

    @strawberry.field(description="The caller's own record in each compound's register (我的档案).")
    async def profiles(self, info: Info) -> list[PersonDetails]:
        return cast("list[PersonDetails]", await queries.own_profiles(info.context.actor))


@strawberry.input(description="An identity document (证件).")
class DocumentInput:
    kind: DocumentKind = strawberry.field(default=DocumentKind.RESIDENT_ID, description="What it is.")
    number: str = strawberry.field(description="Its number.")


@strawberry.input(description="What a list of residents is narrowed to.")
class ResidentFilter:
    name: str | None = strawberry.field(default=None, description="A part of the name.")
    phone: str | None = strawberry.field(default=None, description="A whole phone number.")
    phone_tail: str | None = strawberry.field(default=None, description="The last four digits of a phone.")
    document_number: str | None = strawberry.field(default=None, description="A whole document number.")
    house: str | None = strawberry.field(default=None, description="A part of the number of their house.")
    building: strawberry.ID | None = strawberry.field(
        default=None, description="Only people of this building."
    )
    population_kind: PopulationKind | None = strawberry.field(default=None, description="Only this kind.")
    tag: str | None = strawberry.field(default=None, description="Only people with this tag.")

    def narrowed(self) -> queries.PersonFilter:
        """As the query takes it; an id of another type is refused."""
        return queries.PersonFilter(
            self.name, self.phone, self.phone_tail, self.document_number, self.house,
            decode(self.building, "Building", "building") if self.building else None,
            str(self.population_kind.value) if self.population_kind else None, self.tag,
        )  # fmt: skip


@strawberry.input(description="Whose record to read in clear, and why.")
class RevealResidentInput:
    resident: strawberry.ID = strawberry.field(description="The person's id.")
    reason: str = strawberry.field(description="Why; it stays in the audit.")


@strawberry.input(description="What to correct in a record. What is left out stays; null empties.")
class UpdateResidentInput:
    resident: strawberry.ID = strawberry.field(description="The person's id.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="Name; cannot be emptied.")
    phone: str | None = strawberry.field(default=strawberry.UNSET, description="Mobile number.")
    document: DocumentInput | None = strawberry.field(default=strawberry.UNSET, description="Document.")
    sex: Sex | None = strawberry.field(default=strawberry.UNSET, description="Sex.")
    born_on: date | None = strawberry.field(default=strawberry.UNSET, description="Birth date.")
    nationality: str | None = strawberry.field(default=strawberry.UNSET, description="Nationality.")
    ethnicity: str | None = strawberry.field(default=strawberry.UNSET, description="Ethnicity.")
    native_place: str | None = strawberry.field(default=strawberry.UNSET, description="Native place.")
    registered_address: str | None = strawberry.field(
        default=strawberry.UNSET, description="Registered address."
    )
    work_unit: str | None = strawberry.field(default=strawberry.UNSET, description="Work unit.")
    population_kind: PopulationKind | None = strawberry.field(
        default=strawberry.UNSET, description="Kind of population."
    )
    tags: list[str] | None = strawberry.field(default=strawberry.UNSET, description="All tags, at most 20.")

    def changes(self) -> service.PersonChanges:
        """As the command takes them."""
        given = {name: value for name, value in vars(self).items() if value is not strawberry.UNSET}
        del given["resident"]
        return cast("service.PersonChanges", {name: _plain(name, value) for name, value in given.items()})


_NULLABLE = frozenset({"phone", "document", "sex", "born_on", "population_kind"})


def _plain(name: str, value: Any) -> object:  # Any: the type is the field's
    if value is None:
        return None if name in _NULLABLE else ([] if name == "tags" else "")
    if isinstance(value, DocumentInput):
        return Kind(str(value.kind.value)), value.number
    return value.value if isinstance(value, Enum) else value


@strawberry.input(description="Whose account to loosen, and why.")
class UnlinkAccountInput:
    resident: strawberry.ID = strawberry.field(description="The person's id.")
    reason: str = strawberry.field(description="Why; it stays in the audit.")


@strawberry.type(description="Result of reading a record in clear.")
class RevealResidentPayload(Payload):
    details: PersonDetails | None = strawberry.field(
        default=None, description="The record; null when refused."
    )


@strawberry.type(description="Result of a command on a resident's record.")
class ResidentPayload(Payload):
    resident: Person | None = strawberry.field(
        default=None, description="The person as the caller may see one; null when refused."
    )


async def _payload(info: Info, id: UUID) -> ResidentPayload:
    found = await queries.by_id(info.context.actor, [id])
    return ResidentPayload(resident=cast("Person | None", found.get(id)))


@strawberry.type
class ResidentsMutation:
    """Mutations of the register of people."""

    @strawberry.mutation(
        description="Read a resident's record in clear, for a reason that stays in the audit.",
        extensions=[staff_only],
    )
    @refusals_as_data(RevealResidentPayload)
    async def reveal_resident(
        self, info: Info, input: Annotated[RevealResidentInput, strawberry.argument(description="Whose.")]
    ) -> RevealResidentPayload:
        id = decode(input.resident, "Person", "resident")
        details = await queries.reveal(info.context.actor, person_id=id, reason=input.reason)
        return RevealResidentPayload(details=cast("PersonDetails", details))

    @strawberry.mutation(description="Correct a resident's record (修改住户档案).", extensions=[staff_only])
    @refusals_as_data(ResidentPayload)
    async def update_resident(
        self, info: Info, input: Annotated[UpdateResidentInput, strawberry.argument(description="What.")]
    ) -> ResidentPayload:
        id = decode(input.resident, "Person", "resident")
        await service.update_resident(info.context.actor, person_id=id, changes=input.changes())
        return await _payload(info, id)

    @strawberry.mutation(
        description="Loosen the account that signs in for a person (解除账号绑定).", extensions=[staff_only]
    )
    @refusals_as_data(ResidentPayload)
    async def unlink_account(
        self, info: Info, input: Annotated[UnlinkAccountInput, strawberry.argument(description="Whose.")]
    ) -> ResidentPayload:
        id = decode(input.resident, "Person", "resident")
        await service.unlink_account(info.context.actor, person_id=id, reason=input.reason)
        return await _payload(info, id)


def _keys(row: queries.Person) -> tuple[Key, ...]:
    return row.name, row.id


def _as_person(row: queries.Person) -> Person:
    return row  # type: ignore[return-value]  # rows stand for the type


@strawberry.type
class ResidentsQuery:
    """Root fields of people."""

    @strawberry.field(
        description="A compound's residents by name, masked; for staff, every read audited.",
        extensions=[staff_only],
    )
    async def residents(
        self,
        info: Info,
        compound: Annotated[strawberry.ID, strawberry.argument(description="The compound.")],
        filter: Annotated[
            ResidentFilter | None, strawberry.argument(description="What to narrow to.")
        ] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Person] | None:
        compound_id, page = decode(compound, "Compound", "compound"), page_request(first, after, SORT)
        actor, narrowed = info.context.actor, (filter or ResidentFilter()).narrowed()
        rows = await queries.residents(actor, compound_id, narrowed, after=page.after, limit=page.limit)

        async def count() -> int:
            return await queries.count_residents(actor, compound_id, narrowed)

        return connection(page, rows, _keys, _as_person, count)


async def person_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """People by id, those staff may see."""
    return await queries.by_id(context.actor, ids)


NODES = {"Person": person_nodes}
