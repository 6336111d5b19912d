"""Readings of meters in the API (抄表与审核)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.billing.queries import readings as queries
from domains.billing.rules import READING_PROBLEMS
from domains.billing.service import reading_reviews, readings
from schema.context import Context, Info
from schema.errors import ErrorCode, Payload, refusals_as_data
from schema.meters import MeterKind
from schema.permissions import residents_only, signed_in, staff_only
from schema.photos import Photo, as_upload, shown
from schema.relay import After, Connection, First, Key, Node, connection, decode, encode, page_request
from schema.scalars import Upload

METER_SORT, WAITING_SORT = "meter_readings:read", "meter_readings:received"


@strawberry.enum(description="How far a reading is (读数状态).")
class MeterReadingState(Enum):
    ACCEPTED = strawberry.enum_value("accepted", description="已确认")
    HELD = strawberry.enum_value("held", description="待审核")
    REJECTED = strawberry.enum_value("rejected", description="已驳回")


@strawberry.enum(description="Who read a meter (读数来源). New values may appear: keep a default branch.")
class MeterReadingSource(Enum):
    COLLECTOR = strawberry.enum_value("collector", description="采集器")
    STAFF = strawberry.enum_value("staff", description="抄表员")
    RESIDENT = strawberry.enum_value("resident", description="住户")
    INSTALL = strawberry.enum_value("install", description="装表")
    REMOVAL = strawberry.enum_value("removal", description="拆表")


@strawberry.enum(
    description="Why a reading waits for review (读数异常). New values may appear: keep a default branch."
)
class MeterReadingProblem(Enum):
    _ignore_ = "name label"
    for name, label in READING_PROBLEMS.items():
        locals()[name] = strawberry.enum_value(name, description=label)


@strawberry.enum(description="What becomes of a reading that is brought.")
class MeterReadingResult(Enum):
    ACCEPTED = strawberry.enum_value("accepted", description="Kept and counted.")
    HELD = strawberry.enum_value("held", description="Kept, and waits for review.")
    DUPLICATE = strawberry.enum_value("duplicate", description="Known already: this meter at this instant.")
    REFUSED = strawberry.enum_value("refused", description="Not kept; `code` says why.")


def _meter(root: queries.MeterReading) -> strawberry.ID:
    return strawberry.ID(encode("Meter", root.meter_id))


@strawberry.type(description="What a meter showed (读数).")
class MeterReading(Node):
    id: strawberry.Private[UUID]
    photo_key: strawberry.Private[str | None]
    meter: strawberry.ID = strawberry.field(resolver=_meter, description="Id of the meter.")
    kind: MeterKind = strawberry.field(description="What the meter measures.")
    number: str = strawberry.field(description="The meter's number (表号).")
    house_number: str | None = strawberry.field(description="The house; null for a shared meter.")
    building_name: str | None = strawberry.field(
        description="The building; null for the compound's own meter."
    )
    read_at: datetime = strawberry.field(description="When it was read.")
    read_on: date = strawberry.field(description="On which day that was.")
    value: Decimal = strawberry.field(description="As the register shows it.")
    units: Decimal | None = strawberry.field(
        description="Used since the accepted reading before it, multiplier counted; of one that waits: if it is "
        "accepted as it is, which takes a register that shows less to have begun again."
    )
    previous_value: Decimal | None = strawberry.field(description="The accepted reading before it.")
    previous_read_at: datetime | None = strawberry.field(description="When that was.")
    source: MeterReadingSource = strawberry.field(description="Who read it.")
    read_by: str | None = strawberry.field(description="Their name; null for a collector.")
    state: MeterReadingState = strawberry.field(description="How far it is.")
    problem: MeterReadingProblem | None = strawberry.field(description="Why it waits, or had to.")
    note: str = strawberry.field(description="What was noted with it; of a rejected one the reason.")
    reviewed_at: datetime | None = strawberry.field(description="When it was reviewed; null if it was not.")
    received_at: datetime = strawberry.field(description="When it came.")

    @strawberry.field(description="The photo that came with it; null if none did.")
    def photo(self, info: Info) -> Photo | None:
        return shown(info.context, self.photo_key)

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.MeterReading)


@strawberry.input(description="A resident's reading of a meter of the own house.")
class SubmitMeterReadingInput:
    idempotency_key: UUID = strawberry.field(
        description="Made by the client for this reading: the same key keeps it once."
    )
    meter: strawberry.ID = strawberry.field(description="The meter, from `viewer.meters`.")
    value: Decimal = strawberry.field(description="As the register shows it now.")
    photo: Upload | None = strawberry.field(
        default=None, description="A JPEG, PNG or WebP picture of the register, at most 5 MB."
    )


@strawberry.input(description="A reading that staff have taken.")
class BroughtReading:
    meter: strawberry.ID = strawberry.field(description="The meter.")
    value: Decimal = strawberry.field(description="As the register showed it.")
    read_at: datetime | None = strawberry.field(default=None, description="When; now unless given.")
    note: str = strawberry.field(default="", description="Anything to note, up to 100 characters.")

    def brought(self) -> readings.Brought:
        """As the command takes it."""
        return readings.Brought(decode(self.meter, "Meter", "readings"), self.value, self.read_at, self.note)


@strawberry.input(description="Readings of a compound's meters.")
class RecordReadingsInput:
    idempotency_key: UUID = strawberry.field(
        description="Made by the client for this list: the same key keeps it once."
    )
    compound: strawberry.ID = strawberry.field(description="The compound.")
    readings: list[BroughtReading] = strawberry.field(description="At most 500.")


@strawberry.input(description="A reviewer's word on a reading that waits.")
class ReviewReadingInput:
    reading: strawberry.ID = strawberry.field(description="The reading.")
    accept: bool = strawberry.field(description="True keeps it, false rejects it.")
    value: Decimal | None = strawberry.field(
        default=None, description="What the register really showed, where it was misread; only to accept."
    )
    reason: str = strawberry.field(
        default="", description="For whoever read it; needed to reject, up to 100 characters."
    )


@strawberry.type(description="What became of one of the readings.")
class MeterReadingAnswer:
    result: MeterReadingResult = strawberry.field(description="What became of it.")
    reading: strawberry.ID | None = strawberry.field(description="Id of the reading, if it is kept.")
    problem: MeterReadingProblem | None = strawberry.field(description="Why it waits.")
    code: ErrorCode | None = strawberry.field(description="Why it was refused.")
    message: str | None = strawberry.field(description="The same in words, in Chinese.")


@strawberry.type(description="Result of a command on a reading.")
class MeterReadingPayload(Payload):
    reading: MeterReading | None = strawberry.field(
        default=None, description="The reading as it is now; null when refused."
    )


@strawberry.type(description="Result of recording readings.")
class RecordReadingsPayload(Payload):
    answers: list[MeterReadingAnswer] | None = strawberry.field(
        default=None,
        description="One for each reading, in their order, at most 500; null when the list was refused.",
    )


def _answer(answer: readings.Answer) -> MeterReadingAnswer:
    return MeterReadingAnswer(
        result=MeterReadingResult(answer.result),
        reading=strawberry.ID(encode("MeterReading", answer.reading_id)) if answer.reading_id else None,
        problem=MeterReadingProblem(answer.problem) if answer.problem else None,
        code=ErrorCode[answer.code] if answer.code else None,
        message=answer.message or None,
    )


async def _payload(info: Info, id: UUID) -> MeterReadingPayload:
    found = await queries.by_id(info.context.actor, [id])
    return MeterReadingPayload(reading=cast("MeterReading | None", found.get(id)))


@strawberry.type
class MeterReadingsMutation:
    """Mutations of readings."""

    @strawberry.mutation(
        description="A resident's reading of a meter of the own house (multipart where there is a photo); an unusual "
        "one waits for review.",
        extensions=[residents_only],
    )
    @refusals_as_data(MeterReadingPayload)
    async def submit_meter_reading(
        self,
        info: Info,
        input: Annotated[SubmitMeterReadingInput, strawberry.argument(description="The reading.")],
    ) -> MeterReadingPayload:
        id = await readings.submit_meter_reading(
            info.context.actor, meter_id=decode(input.meter, "Meter", "meter"), value=input.value,
            idempotency_key=input.idempotency_key, photo=as_upload(input.photo),
        )  # fmt: skip
        return await _payload(info, id)

    @strawberry.mutation(
        description="Keep readings that staff have taken, each answered by itself; for staff with meters.write.",
        extensions=[staff_only],
    )
    @refusals_as_data(RecordReadingsPayload)
    async def record_readings(
        self,
        info: Info,
        input: Annotated[RecordReadingsInput, strawberry.argument(description="Which.")],
    ) -> RecordReadingsPayload:
        answers = await readings.record_readings(
            info.context.actor, compound_id=decode(input.compound, "Compound", "compound"),
            readings=[each.brought() for each in input.readings], idempotency_key=input.idempotency_key,
        )  # fmt: skip
        return RecordReadingsPayload(answers=[_answer(each) for each in answers])

    @strawberry.mutation(
        description="Accept a reading that waits, corrected if need be, or reject it; for staff with meters.write.",
        extensions=[staff_only],
    )
    @refusals_as_data(MeterReadingPayload)
    async def review_reading(
        self,
        info: Info,
        input: Annotated[ReviewReadingInput, strawberry.argument(description="The decision.")],
    ) -> MeterReadingPayload:
        id = decode(input.reading, "MeterReading", "reading")
        await reading_reviews.review_reading(
            info.context.actor, reading_id=id, accept=input.accept, value=input.value, reason=input.reason
        )
        return await _payload(info, id)


def _read(row: queries.MeterReading) -> tuple[Key, ...]:
    return row.read_at, row.id


def _received(row: queries.MeterReading) -> tuple[Key, ...]:
    return row.received_at, row.id


def _as_reading(row: queries.MeterReading) -> MeterReading:
    return row  # type: ignore[return-value]  # rows stand for the type


@strawberry.type
class MeterReadingsQuery:
    """Root fields of readings."""

    @strawberry.field(
        description="A meter's readings, the last one first: for staff with meters.read, audited, and for the people "
        "of the house since they moved in.",
        extensions=[signed_in],
    )
    async def meter_readings(
        self,
        info: Info,
        *,
        meter: Annotated[strawberry.ID, strawberry.argument(description="The meter.")],
        first: First = 20,
        after: After = None,
    ) -> Connection[MeterReading] | None:
        page = page_request(first, after, METER_SORT, datetime, UUID)
        meter_id = decode(meter, "Meter", "meter")
        rows = await queries.of_meter(info.context.actor, meter_id, after=page.after, limit=page.limit)
        return connection(page, rows, _read, _as_reading)

    @strawberry.field(
        description="Readings that wait for review in a compound, the longest waiting first; for staff with "
        "meters.write, audited.",
        extensions=[staff_only],
    )
    async def readings_to_review(
        self,
        info: Info,
        *,
        compound: Annotated[strawberry.ID, strawberry.argument(description="The compound.")],
        building: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only this building.")
        ] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[MeterReading] | None:
        compound_id = decode(compound, "Compound", "compound")
        page = page_request(first, after, WAITING_SORT, datetime, UUID)
        actor, within = info.context.actor, decode(building, "Building", "building") if building else None
        rows = await queries.to_review(actor, compound_id, within, after=page.after, limit=page.limit)

        async def count() -> int:
            return await queries.count_to_review(actor, compound_id, within)

        return connection(page, rows, _received, _as_reading, count)


async def reading_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Readings by id, those the caller may see."""
    return await queries.by_id(context.actor, ids)


NODES = {"MeterReading": reading_nodes}
