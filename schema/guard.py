"""What a guard sees and does at a gate, in the API."""

from __future__ import annotations

from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.access.queries import guard as queries
from domains.access.queries import passes, records
from domains.access.service import admitting, looking
from domains.access.service.answers import Answer
from domains.access.service.issuing import Guest
from domains.devices import permissions as devices
from domains.devices.queries import alarms
from domains.kernel.documents import Kind
from schema.access_records import AccessRecord
from schema.alarms import Alarm
from schema.context import Info
from schema.errors import Payload, refusals_as_data
from schema.limits.cost import cost
from schema.permissions import staff_only
from schema.relay import decode
from schema.residents import DocumentKind
from schema.visitor_passes import VisitorPass, VisitPurpose

MOST_ALARMS = 20


@strawberry.type(description="A compound's visitors today, counted.")
class GuardCounts:
    waiting: int = strawberry.field(description="Requests that wait for a decision.")
    expected: int = strawberry.field(description="Passes that count today and whose holder is not inside.")
    inside: int = strawberry.field(description="Visitors who are inside and came within the last 24 hours.")
    admitted: int = strawberry.field(description="How often a visitor was let in today.")
    refused: int = strawberry.field(description="How often a visitor was not let in today.")


@strawberry.type(description="What a guard has on the screen (保安工作台), of the houses the caller may see.")
class GuardDesk:
    compound_id: strawberry.Private[UUID]
    counts: GuardCounts = strawberry.field(description="Today's visitors, counted.")
    expected: list[VisitorPass] = strawberry.field(
        description="Who is expected today, requests that wait first, at most 200.", metadata=cost(assumed=50)
    )
    inside: list[VisitorPass] = strawberry.field(
        description="Who is inside and came within the last 24 hours, the last one first, at most 200.",
        metadata=cost(assumed=50),
    )

    @strawberry.field(
        description="Alarms that are not cleared, the last one first, at most 20; empty without alarms.read.",
        metadata=cost(assumed=MOST_ALARMS),
    )
    async def alarms(self, info: Info) -> list[Alarm]:
        actor = info.context.actor
        if not actor.may(devices.ALARMS_READ, self.compound_id):
            return []
        narrowed = alarms.AlarmFilter(["open", "acknowledged"])
        rows = await alarms.alarms(actor, self.compound_id, narrowed, after=None, limit=MOST_ALARMS)
        return cast("list[Alarm]", rows)


@strawberry.type(description="What a guard's phone has read: whose it is, and whether it counts (扫码结果).")
class ScannedPass:
    counts: bool = strawberry.field(
        resolver=lambda root: Answer(root.reason).admits,
        description="Whether it counts here and now. Nothing was used: `admitVisitor` does that.",
    )
    reason: str = strawberry.field(description="OK, or the code of why it does not count.")
    message: str = strawberry.field(description="The same in words, in the language of Accept-Language.")
    visitor: VisitorPass | None = strawberry.field(description="The visitor's pass; null where it is none.")
    resident: str | None = strawberry.field(
        description="Name of the resident whose own code it is; null for others, and of a house that the caller is "
        "not responsible for."
    )
    house_number: str | None = strawberry.field(
        description="The house that the resident's code was made for; null where the name is."
    )


@strawberry.input(description="A visitor to let in.")
class AdmitVisitorInput:
    visitor_pass: strawberry.ID = strawberry.field(description="The pass.")
    door: strawberry.ID = strawberry.field(description="The door at which the guard stands.")
    document_checked: bool = strawberry.field(description="The guard has seen the visitor's document.")
    plate: str = strawberry.field(default="", description="Plate of the car; empty for who walks in.")
    companions: int | None = strawberry.field(default=None, description="How many come along, 0 to 50.")
    idempotency_key: UUID = strawberry.field(description="Made once per admission, so that it counts once.")


@strawberry.input(description="A visitor to send away.")
class RefuseVisitorInput:
    visitor_pass: strawberry.ID = strawberry.field(description="The pass.")
    door: strawberry.ID = strawberry.field(description="The door at which the guard stands.")
    reason: str = strawberry.field(description="Why, for the host to read; up to 200 characters.")
    idempotency_key: UUID = strawberry.field(description="Made once per refusal, so that it is told once.")


@strawberry.input(description="A visitor who goes out.")
class LeaveVisitorInput:
    visitor_pass: strawberry.ID = strawberry.field(description="The pass.")
    door: strawberry.ID = strawberry.field(description="The door at which the guard stands.")


@strawberry.input(
    description="Somebody who comes without a pass. The house is given by `house` or by `place`."
)
class RegisterWalkInInput:
    compound: strawberry.ID = strawberry.field(description="The compound.")
    door: strawberry.ID = strawberry.field(description="The door at which the guard stands.")
    house: strawberry.ID | None = strawberry.field(default=None, description="The house that is visited.")
    place: str = strawberry.field(
        default="", description="The house as people say it: 3-1-101, 3号楼1单元101."
    )
    guest_name: str = strawberry.field(description="Name of the visitor.")
    phone: str | None = strawberry.field(default=None, description="Mobile number of the visitor.")
    document_kind: DocumentKind | None = strawberry.field(
        default=None, description="Which document the guard has seen; its number is not kept."
    )
    plate: str = strawberry.field(default="", description="Plate of the car; empty for who walks in.")
    companions: int = strawberry.field(default=0, description="How many come along, 0 to 50.")
    purpose: VisitPurpose = strawberry.field(default=VisitPurpose.VISIT, description="What for.")
    idempotency_key: UUID = strawberry.field(description="Made once per visitor, so that it counts once.")


@strawberry.type(description="Result of what a guard decided.")
class AdmissionPayload(Payload):
    visitor: VisitorPass | None = strawberry.field(
        default=None, description="The pass as it is now; null when refused, or without visitors.read."
    )
    record: AccessRecord | None = strawberry.field(
        default=None, description="What is on record; null when refused, or without access_records.read."
    )


async def _payload(info: Info, made: admitting.Admission) -> AdmissionPayload:
    actor = info.context.actor
    visitors = await passes.by_id(actor, [made.pass_id])
    written = await records.by_id(actor, [made.record_id])
    return AdmissionPayload(
        visitor=cast("VisitorPass | None", visitors.get(made.pass_id)),
        record=cast("AccessRecord | None", written.get(made.record_id)),
    )


@strawberry.type
class GuardMutation:
    """Mutations of a guard, for staff."""

    @strawberry.mutation(
        description="Let a visitor in (放行), which takes one use of the pass; for staff with visitors.admit.",
        extensions=[staff_only],
    )
    @refusals_as_data(AdmissionPayload)
    async def admit_visitor(
        self,
        info: Info,
        input: Annotated[AdmitVisitorInput, strawberry.argument(description="Whom, and where.")],
    ) -> AdmissionPayload:
        made = await admitting.admit_visitor(
            info.context.actor, pass_id=decode(input.visitor_pass, "VisitorPass", "visitor_pass"),
            door_id=decode(input.door, "Door", "door"), document_checked=input.document_checked, plate=input.plate,
            companions=input.companions, idempotency_key=input.idempotency_key,
        )  # fmt: skip
        return await _payload(info, made)

    @strawberry.mutation(
        description="Send a visitor away (拒绝放行): the pass counts as before, and the host is told; for staff with "
        "visitors.admit.",
        extensions=[staff_only],
    )
    @refusals_as_data(AdmissionPayload)
    async def refuse_visitor(
        self,
        info: Info,
        input: Annotated[RefuseVisitorInput, strawberry.argument(description="Whom, and why.")],
    ) -> AdmissionPayload:
        made = await admitting.refuse_visitor(
            info.context.actor, pass_id=decode(input.visitor_pass, "VisitorPass", "visitor_pass"),
            door_id=decode(input.door, "Door", "door"), reason=input.reason, idempotency_key=input.idempotency_key,
        )  # fmt: skip
        return await _payload(info, made)

    @strawberry.mutation(
        description="Write down that a visitor went out (离开); for staff with visitors.admit.",
        extensions=[staff_only],
    )
    @refusals_as_data(AdmissionPayload)
    async def leave_visitor(
        self,
        info: Info,
        input: Annotated[LeaveVisitorInput, strawberry.argument(description="Who, and where.")],
    ) -> AdmissionPayload:
        made = await admitting.leave_visitor(
            info.context.actor, pass_id=decode(input.visitor_pass, "VisitorPass", "visitor_pass"),
            door_id=decode(input.door, "Door", "door"),
        )  # fmt: skip
        return await _payload(info, made)

    @strawberry.mutation(
        description="Let somebody in who has no pass (访客登记): one is made and used at once, and the house is told; "
        "for staff with visitors.admit.",
        extensions=[staff_only],
    )
    @refusals_as_data(AdmissionPayload)
    async def register_walk_in(
        self,
        info: Info,
        input: Annotated[RegisterWalkInInput, strawberry.argument(description="Who, to whom.")],
    ) -> AdmissionPayload:
        made = await admitting.register_walk_in(
            info.context.actor, compound_id=decode(input.compound, "Compound", "compound"),
            door_id=decode(input.door, "Door", "door"), guest=_guest(input), place=input.place,
            house_id=decode(input.house, "House", "house") if input.house else None,
            document_kind=Kind(str(input.document_kind.value)) if input.document_kind else None,
            idempotency_key=input.idempotency_key,
        )  # fmt: skip
        return await _payload(info, made)


def _guest(input: RegisterWalkInInput) -> Guest:
    return Guest(
        name=input.guest_name, phone=input.phone, plate=input.plate, companions=input.companions,
        purpose=str(input.purpose.value),
    )  # fmt: skip


OfCompound = Annotated[strawberry.ID, strawberry.argument(description="The compound.")]


@strawberry.type
class GuardQuery:
    """Root fields of a guard, for staff."""

    @strawberry.field(
        description="Who is expected and who is inside; for staff with visitors.read, audited.",
        extensions=[staff_only],
    )
    async def guard_desk(self, info: Info, compound: OfCompound) -> GuardDesk | None:
        compound_id = decode(compound, "Compound", "compound")
        return cast("GuardDesk", await queries.guard_desk(info.context.actor, compound_id))

    @strawberry.field(
        description="Today's visitors, at most 50, by a part of the name or plate, or by the phone or its last four "
        "digits; for staff with visitors.read, audited.",
        extensions=[staff_only],
        metadata=cost(assumed=queries.MOST_FOUND),
    )
    async def guard_search(
        self,
        info: Info,
        compound: OfCompound,
        words: Annotated[str, strawberry.argument(description="Name, plate, phone or its last four digits.")],
    ) -> list[VisitorPass] | None:
        compound_id = decode(compound, "Compound", "compound")
        found = await queries.guard_search(info.context.actor, compound_id, words)
        return cast("list[VisitorPass]", found)

    @strawberry.field(
        description="Whose a code is that a guard's phone has read, and whether it counts, without using it; for "
        "staff with visitors.admit, audited.",
        extensions=[staff_only],
    )
    async def scan_pass(
        self,
        info: Info,
        compound: OfCompound,
        door: Annotated[
            strawberry.ID, strawberry.argument(description="The door at which the guard stands.")
        ],
        text: Annotated[str, strawberry.argument(description="A QR code's text, a link, or six digits.")],
    ) -> ScannedPass | None:
        look = await looking.look(
            info.context.actor, compound_id=decode(compound, "Compound", "compound"),
            door_id=decode(door, "Door", "door"), shown=text,
        )  # fmt: skip
        zh, en = Answer(look.reason).messages
        return ScannedPass(
            reason=look.reason, message=zh if info.context.language == "zh" else en,
            visitor=cast("VisitorPass | None", look.visitor), resident=look.resident, house_number=look.house_number,
        )  # fmt: skip
