"""Registering oneself, and the review of it, in the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, cast
from uuid import UUID

import strawberry

from domains.kernel.actor import Capacity as HeldCapacity
from domains.kernel.documents import Kind
from domains.residents.queries import registrations as queries
from domains.residents.service import registration as service
from schema.context import Context, Info
from schema.errors import Payload, refusals_as_data
from schema.household import Capacity
from schema.houses import HouseLoader
from schema.permissions import residents_only, signed_in, staff_only
from schema.relay import After, Connection, First, Key, Node, connection, decode, page_request
from schema.residents import DocumentInput, DocumentKind

if TYPE_CHECKING:
    from schema.estate import House

SORT = "registrations:submitted"


@strawberry.enum(description="How far a registration is (登记状态).")
class RegistrationState(Enum):
    PENDING = strawberry.enum_value("pending", description="待审核")
    APPROVED = strawberry.enum_value("approved", description="已通过")
    REJECTED = strawberry.enum_value("rejected", description="已驳回")
    WITHDRAWN = strawberry.enum_value("withdrawn", description="已撤回")


@strawberry.enum(description="What a reviewer decides (审核结果).")
class ReviewDecision(Enum):
    APPROVE = strawberry.enum_value("approve", description="通过")
    REJECT = strawberry.enum_value("reject", description="驳回")


@strawberry.type(description="What the register says of the house and the applicant (核验信息).")
class ReviewFacts:
    owners: int = strawberry.field(description="How many owners the house has.")
    name_matches: bool = strawberry.field(description="Somebody of the house has this name.")
    phone_matches: bool = strawberry.field(description="Somebody of the house has this phone.")
    document_matches: bool = strawberry.field(description="Somebody of the house has this document.")
    linked_to_another_account: bool = strawberry.field(
        description="That person is signed in for by another account, so that approving will be refused."
    )


@strawberry.type(description="A resident's own registration to a house (自助登记).")
class Registration(Node):
    id: strawberry.Private[UUID]
    house_id: strawberry.Private[UUID | None]
    compound_name: str = strawberry.field(description="The compound.")
    place: str = strawberry.field(description="The house as it was typed.")
    name: str = strawberry.field(description="Name of the applicant.")
    capacity: Capacity = strawberry.field(description="As what.")
    phone: str = strawberry.field(description="Verified number, masked.")
    document_kind: DocumentKind | None = strawberry.field(description="Kind of document, if one was given.")
    document_number: str | None = strawberry.field(description="Masked number of the document.")
    note: str = strawberry.field(description="Note to the reviewer.")
    lease_until_on: date | None = strawberry.field(description="Last day of a tenant's lease.")
    state: RegistrationState = strawberry.field(description="How far it is.")
    submitted_at: datetime = strawberry.field(description="When it was submitted.")
    reviewed_at: datetime | None = strawberry.field(description="When it was reviewed.")
    reason: str | None = strawberry.field(description="What the reviewer wrote.")
    house_number: str | None = strawberry.field(
        description="The house as the register has it; for reviewers."
    )
    facts: ReviewFacts | None = strawberry.field(description="What the register says; for reviewers.")

    @strawberry.field(description="The house; for reviewers who may see houses.")
    async def house(self, info: Info) -> Annotated[House, strawberry.lazy("schema.estate")] | None:
        if self.house_id is None:
            return None
        return cast("House | None", await info.context.loader(HouseLoader).load(self.house_id))

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.Registration)


@strawberry.type(description="A building by name, with its units.")
class TypedBuilding:
    name: str = strawberry.field(description="As people write it: 3号楼.")
    units: list[str] = strawberry.field(description="Names of its units (单元); empty if it has none.")


@strawberry.type(description="A compound as who scanned its code may see it: nothing of houses or people.")
class ScannedCompound:
    name: str = strawberry.field(description="Name of the compound.")
    address: str = strawberry.field(description="Address.")
    service_phone: str = strawberry.field(description="The front desk's number (服务电话).")
    code: str = strawberry.field(description="The code, to register with.")
    buildings: list[TypedBuilding] = strawberry.field(description="Buildings and units, to choose from.")


@strawberry.input(description="A registration to a house, which is typed as people write it.")
class RegisterResidentInput:
    compound_code: str = strawberry.field(description="The compound's code, scanned or typed.")
    building: str = strawberry.field(default="", description="For example 3号楼 or 3.")
    unit: str = strawberry.field(default="", description="For example 1单元 or 1; empty if there is none.")
    room: str = strawberry.field(description="For example 101, or the whole number: 3-1-101.")
    name: str = strawberry.field(description="The applicant's name.")
    capacity: Capacity = strawberry.field(description="As what.")
    document: DocumentInput | None = strawberry.field(
        default=None, description="A document speeds up review."
    )
    lease_until_on: date | None = strawberry.field(
        default=None, description="Last day of the lease; for tenants, and needed from them."
    )
    note: str = strawberry.field(default="", description="Note to the reviewer, up to 200 characters.")


@strawberry.input(description="The registration to take back.")
class WithdrawRegistrationInput:
    registration: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.input(description="A reviewer's decision.")
class ReviewRegistrationInput:
    registration: strawberry.ID = strawberry.field(description="Its id.")
    decision: ReviewDecision = strawberry.field(description="Approve or reject.")
    reason: str = strawberry.field(
        default="", description="For the resident to read; needed to reject, up to 200 characters."
    )


@strawberry.type(description="Result of a command on a registration.")
class RegistrationPayload(Payload):
    registration: Registration | None = strawberry.field(
        default=None, description="The registration as it is now; null when refused."
    )


async def _payload(info: Info, id: UUID) -> RegistrationPayload:
    found = await queries.by_id(info.context.actor, [id])
    return RegistrationPayload(registration=cast("Registration | None", found.get(id)))


@strawberry.type
class RegistrationMutation:
    """Mutations of registrations."""

    @strawberry.mutation(
        description="Ask to be bound to a house; staff review it. Needs a verified phone.",
        extensions=[residents_only],
    )
    @refusals_as_data(RegistrationPayload)
    async def register_resident(
        self,
        info: Info,
        input: Annotated[RegisterResidentInput, strawberry.argument(description="Where, and as what.")],
    ) -> RegistrationPayload:
        document = input.document
        id = await service.register_resident(
            info.context.actor, compound_code=input.compound_code, building=input.building, unit=input.unit,
            room=input.room, name=input.name, capacity=cast("HeldCapacity", input.capacity.value),
            document_kind=Kind(str(document.kind.value)) if document else Kind.RESIDENT_ID,
            document_number=document.number if document else None, lease_until_on=input.lease_until_on,
            note=input.note,
        )  # fmt: skip
        return await _payload(info, id)

    @strawberry.mutation(description="Take one's own pending registration back.", extensions=[residents_only])
    @refusals_as_data(RegistrationPayload)
    async def withdraw_registration(
        self,
        info: Info,
        input: Annotated[WithdrawRegistrationInput, strawberry.argument(description="Which one.")],
    ) -> RegistrationPayload:
        id = decode(input.registration, "Registration", "registration")
        await service.withdraw_registration(info.context.actor, registration_id=id)
        return await _payload(info, id)

    @strawberry.mutation(
        description="Approve a registration, which binds the resident, or reject it; for staff with "
        "residents.review.",
        extensions=[staff_only],
    )
    @refusals_as_data(RegistrationPayload)
    async def review_registration(
        self,
        info: Info,
        input: Annotated[ReviewRegistrationInput, strawberry.argument(description="The decision.")],
    ) -> RegistrationPayload:
        id = decode(input.registration, "Registration", "registration")
        approve = input.decision is ReviewDecision.APPROVE
        await service.review_registration(
            info.context.actor, registration_id=id, approve=approve, reason=input.reason
        )
        return await _payload(info, id)


def _keys(row: queries.Registration) -> tuple[Key, ...]:
    return row.submitted_at, row.id


def _as_registration(row: queries.Registration) -> Registration:
    return row  # type: ignore[return-value]  # rows stand for the type


@strawberry.type
class RegistrationQuery:
    """Root fields of registrations."""

    @strawberry.field(
        description="The compound of a scanned code, with what is needed to register; null if there is none.",
        extensions=[signed_in],
    )
    async def compound_by_code(
        self, code: Annotated[str, strawberry.argument(description="The compound's code (登记码).")]
    ) -> ScannedCompound | None:
        return cast("ScannedCompound | None", await queries.compound_to_type(code))

    @strawberry.field(
        description="A compound's registrations, the longest waiting first; for staff with residents.review, audited.",
        extensions=[staff_only],
    )
    async def registrations(
        self,
        info: Info,
        *,
        compound: Annotated[strawberry.ID, strawberry.argument(description="The compound.")],
        state: Annotated[RegistrationState | None, strawberry.argument(description="Only these.")] = None,
        building: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only this building.")
        ] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Registration] | None:
        compound_id, page = (
            decode(compound, "Compound", "compound"),
            page_request(first, after, SORT, datetime, UUID),
        )
        actor, within = info.context.actor, decode(building, "Building", "building") if building else None
        wanted = str(state.value) if state else None
        rows = await queries.to_review(
            actor, compound_id, state=wanted, building_id=within, after=page.after, limit=page.limit
        )

        async def count() -> int:
            return await queries.count_to_review(actor, compound_id, wanted, within)

        return connection(page, rows, _keys, _as_registration, count)


async def registration_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Registrations by id: one's own, or those one may review."""
    return await queries.by_id(context.actor, ids)


NODES = {"Registration": registration_nodes}
