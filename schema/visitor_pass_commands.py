"""Commands on visitors' passes in the API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.access.queries import passes as queries
from domains.access.service import passes, requests
from domains.access.service.issuing import Guest
from schema.context import Info
from schema.errors import Payload, refusals_as_data
from schema.permissions import residents_only, signed_in
from schema.relay import decode
from schema.visitor_passes import VisitorPass, VisitPurpose, page_path


@strawberry.input(description="A guest, and when they come.")
class CreateVisitorPassInput:
    idempotency_key: UUID = strawberry.field(
        description="Made by the client for this pass: the same key makes it once."
    )
    house: strawberry.ID = strawberry.field(description="The house of the caller that is visited.")
    name: str = strawberry.field(description="Name of the guest.")
    phone: str | None = strawberry.field(
        default=None, description="Mobile number, by whose last four digits a guard finds the pass."
    )
    phone_of: strawberry.ID | None = strawberry.field(
        default=None,
        description="An earlier pass of the caller whose phone is the guest's, from `frequentGuests`.",
    )
    starts_at: datetime | None = strawberry.field(default=None, description="By default now.")
    ends_at: datetime | None = strawberry.field(
        default=None, description="By default two hours later; at most what `accessRules` allows."
    )
    uses: int = strawberry.field(
        default=1, description="How many times it opens; at most what `accessRules` allows."
    )
    doors: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="Only these of `visitorDoors`, at most 16; by default all of them, also later ones.",
    )
    offline_door: strawberry.ID | None = strawberry.field(
        default=None,
        description="The one door that counts uses while it has no network. Without it, a gate that is cut off "
        "cannot know of uses at other gates.",
    )
    plate: str = strawberry.field(default="", description="Number plate, if they come by car.")
    companions: int = strawberry.field(default=0, description="How many come along, up to 50.")
    purpose: VisitPurpose = strawberry.field(default=VisitPurpose.VISIT, description="What for.")
    message: str = strawberry.field(
        default="", description="Words that the guest reads on the page, up to 200 characters."
    )

    def guest(self) -> Guest:
        """As the command takes it."""
        return _guest(self)


@strawberry.input(description="What a visitor asks for who has scanned the compound's code.")
class RequestVisitorPassInput:
    compound_code: str = strawberry.field(description="The compound's code, scanned or typed.")
    building: str = strawberry.field(default="", description="For example 3号楼 or 3.")
    unit: str = strawberry.field(default="", description="For example 1单元 or 1; empty if there is none.")
    room: str = strawberry.field(description="For example 101, or the whole number: 3-1-101.")
    name: str = strawberry.field(description="The visitor's name.")
    phone: str = strawberry.field(description="The visitor's mobile number.")
    starts_at: datetime | None = strawberry.field(default=None, description="Today; by default now.")
    ends_at: datetime | None = strawberry.field(
        default=None, description="By default two hours later, at most twelve."
    )
    plate: str = strawberry.field(default="", description="Number plate, if they come by car.")
    companions: int = strawberry.field(default=0, description="How many come along, up to 50.")
    purpose: VisitPurpose = strawberry.field(default=VisitPurpose.VISIT, description="What for.")


def _guest(input: CreateVisitorPassInput | RequestVisitorPassInput) -> Guest:
    return Guest(
        name=input.name, phone=input.phone, plate=input.plate, companions=input.companions,
        purpose=str(input.purpose.value), message=getattr(input, "message", ""),
    )  # fmt: skip


@strawberry.input(description="A decision on what a visitor asks for.")
class DecideVisitorPassInput:
    visitor_pass: strawberry.ID = strawberry.field(description="Its id.")
    approve: bool = strawberry.field(description="Whether to let the visitor in.")
    reason: str = strawberry.field(
        default="",
        description="Why not, up to 200 characters, for the visitor to read; needed from a guard.",
    )


@strawberry.input(description="The pass to take back.")
class RevokeVisitorPassInput:
    visitor_pass: strawberry.ID = strawberry.field(description="Its id.")
    reason: str = strawberry.field(
        default="", description="Why, up to 200 characters; not shown to the visitor."
    )


@strawberry.type(description="Result of a command on a visitor's pass.")
class VisitorPassPayload(Payload):
    visitor_pass: VisitorPass | None = strawberry.field(
        default=None, description="The pass as it is now; null when refused."
    )


@strawberry.type(description="Result of asking to be let in.")
class RequestVisitorPassPayload(Payload):
    link: str | None = strawberry.field(
        default=None,
        description="Path of the visitor's page, on which the decision shows; null when refused.",
    )


async def _payload(info: Info, id: UUID) -> VisitorPassPayload:
    found = await queries.by_id(info.context.actor, [id])
    return VisitorPassPayload(visitor_pass=cast("VisitorPass | None", found.get(id)))


@strawberry.type
class VisitorPassesMutation:
    """Mutations of visitors' passes."""

    @strawberry.mutation(
        description="Invite a guest to a house of one's own (邀请访客): whoever lives there may. The pass counts at "
        "once; its `link` is shared by the caller. `isCarRefused` tells where the car finds no place.",
        extensions=[residents_only],
    )
    @refusals_as_data(VisitorPassPayload)
    async def create_visitor_pass(
        self, info: Info, input: Annotated[CreateVisitorPassInput, strawberry.argument(description="Who.")]
    ) -> VisitorPassPayload:
        door = decode(input.offline_door, "Door", "offline_door") if input.offline_door else None
        phone_of = decode(input.phone_of, "VisitorPass", "phone_of") if input.phone_of else None
        id = await passes.create_visitor_pass(
            info.context.actor, house_id=decode(input.house, "House", "house"), guest=input.guest(),
            starts_at=input.starts_at, ends_at=input.ends_at, uses=input.uses, phone_of_id=phone_of,
            door_ids=[decode(each, "Door", "doors") for each in input.doors or ()], offline_door_id=door,
            idempotency_key=input.idempotency_key,
        )  # fmt: skip
        return await _payload(info, id)

    @strawberry.mutation(
        description="Ask to be let in today (访客申请), without signing in. Whoever lives there, or the guard, decides; "
        "a request that nobody answers ends after two hours."
    )
    @refusals_as_data(RequestVisitorPassPayload)
    async def request_visitor_pass(
        self,
        info: Info,
        input: Annotated[RequestVisitorPassInput, strawberry.argument(description="Who, and where to.")],
    ) -> RequestVisitorPassPayload:
        secret = await requests.request_visitor_pass(
            info.context.actor, compound_code=input.compound_code, building=input.building, unit=input.unit,
            room=input.room, guest=_guest(input), starts_at=input.starts_at, ends_at=input.ends_at,
        )  # fmt: skip
        return RequestVisitorPassPayload(link=page_path(secret))

    @strawberry.mutation(
        description="Let a visitor in who asks, or not (审批来访): who lives there, or a guard with visitors.admit, as "
        "the compound's rules say. Of two decisions the first one counts.",
        extensions=[signed_in],
    )
    @refusals_as_data(VisitorPassPayload)
    async def decide_visitor_pass(
        self,
        info: Info,
        input: Annotated[DecideVisitorPassInput, strawberry.argument(description="The decision.")],
    ) -> VisitorPassPayload:
        id = decode(input.visitor_pass, "VisitorPass", "visitor_pass")
        await requests.decide_visitor_pass(
            info.context.actor, visitor_pass_id=id, approve=input.approve, reason=input.reason
        )
        return await _payload(info, id)

    @strawberry.mutation(
        description="Take a pass back (吊销通行证): its host, an owner of the house, or staff with visitors.admit.",
        extensions=[signed_in],
    )
    @refusals_as_data(VisitorPassPayload)
    async def revoke_visitor_pass(
        self, info: Info, input: Annotated[RevokeVisitorPassInput, strawberry.argument(description="Which.")]
    ) -> VisitorPassPayload:
        id = decode(input.visitor_pass, "VisitorPass", "visitor_pass")
        await passes.revoke_visitor_pass(info.context.actor, visitor_pass_id=id, reason=input.reason)
        return await _payload(info, id)
