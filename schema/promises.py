"""Promises to pay in the API (缴费承诺)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, cast
from uuid import UUID

import strawberry

from domains.billing.queries import promises as queries
from domains.billing.service import promises as service
from schema.context import Context, Info
from schema.errors import Payload, refusals_as_data
from schema.houses import HouseLoader
from schema.permissions import staff_only
from schema.relay import After, Connection, First, Key, Node, connection, decode, page_request
from schema.scalars import Long

if TYPE_CHECKING:
    from schema.estate import House

SORT = "promises:day"


@strawberry.enum(description="What became of a promise (承诺状态), by its day and what was paid.")
class PromiseState(Enum):
    OPEN = strawberry.enum_value("open", description="待兑现: its day has not passed")
    KEPT = strawberry.enum_value("kept", description="已兑现")
    BROKEN = strawberry.enum_value("broken", description="未兑现")
    WITHDRAWN = strawberry.enum_value("withdrawn", description="已撤回")


@strawberry.type(
    description="Somebody promised to pay by a day (缴费承诺); until it has passed nobody is reminded."
)
class PaymentPromise(Node):
    id: strawberry.Private[UUID]
    house_id: strawberry.Private[UUID]
    house_number: str = strawberry.field(description="The house: 3号楼1单元101.")
    promised_on: date = strawberry.field(description="The last day to pay, included.")
    amount_fen: Long | None = strawberry.field(
        description="Fen that were promised; null is all that is owed."
    )
    note: str = strawberry.field(description="What staff noted.")
    recorded_by_name: str = strawberry.field(description="Who recorded it.")
    recorded_at: datetime = strawberry.field(description="When.")
    withdrawn_at: datetime | None = strawberry.field(description="When it was withdrawn.")
    paid_fen: Long = strawberry.field(description="What was paid from then on until the day promised, fen.")
    state: PromiseState = strawberry.field(description="What became of it.")

    @strawberry.field(description="The house, where the caller may see it.")
    async def house(self, info: Info) -> Annotated[House, strawberry.lazy("schema.estate")] | None:
        return cast("House | None", await info.context.loader(HouseLoader).load(self.house_id))

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.PaymentPromise)


@strawberry.input(description="A promise to record.")
class RecordPromiseInput:
    house: strawberry.ID = strawberry.field(description="The house.")
    promised_on: date = strawberry.field(
        description="The last day to pay, included: within 90 days from today."
    )
    amount_fen: Long | None = strawberry.field(
        default=None, description="Fen that are promised, above zero; left out: all that is owed."
    )
    note: str = strawberry.field(default="", description="Up to 200 characters, for staff.")


@strawberry.input(description="The promise to take back.")
class WithdrawPromiseInput:
    promise: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="Result of a command on a promise.")
class PromisePayload(Payload):
    promise: PaymentPromise | None = strawberry.field(
        default=None, description="The promise as it is now; null when refused, and for who lacks bills.read."
    )


async def _payload(info: Info, id: UUID) -> PromisePayload:
    found = await queries.by_id(info.context.actor, [id])
    return PromisePayload(promise=cast("PaymentPromise | None", found.get(id)))


@strawberry.type
class PromisesMutation:
    """Mutations of promises."""

    @strawberry.mutation(
        description="Record that somebody promised to pay (登记缴费承诺), one at a time for a house; for staff with "
        "dunning.write.",
        extensions=[staff_only],
    )
    @refusals_as_data(PromisePayload)
    async def record_promise(
        self, info: Info, input: Annotated[RecordPromiseInput, strawberry.argument(description="What.")]
    ) -> PromisePayload:
        id = await service.record_promise(
            info.context.actor, house_id=decode(input.house, "House", "house"), promised_on=input.promised_on,
            amount_fen=input.amount_fen, note=input.note,
        )  # fmt: skip
        return await _payload(info, id)

    @strawberry.mutation(
        description="Take a promise back whose day has not passed: reminders go on; for staff with dunning.write.",
        extensions=[staff_only],
    )
    @refusals_as_data(PromisePayload)
    async def withdraw_promise(
        self, info: Info, input: Annotated[WithdrawPromiseInput, strawberry.argument(description="Which.")]
    ) -> PromisePayload:
        id = decode(input.promise, "PaymentPromise", "promise")
        await service.withdraw_promise(info.context.actor, promise_id=id)
        return await _payload(info, id)


def _keys(row: queries.PaymentPromise) -> tuple[Key, ...]:
    return row.promised_on, row.id


def _as_promise(row: queries.PaymentPromise) -> PaymentPromise:
    return row  # type: ignore[return-value]  # rows stand for the type


@strawberry.type
class PromisesQuery:
    """Root fields of promises."""

    @strawberry.field(
        description="A compound's promises, the latest day first, without those withdrawn unless asked for; for staff "
        "with bills.read, audited.",
        extensions=[staff_only],
    )
    async def promises(
        self,
        info: Info,
        *,
        compound: Annotated[strawberry.ID, strawberry.argument(description="The compound.")],
        state: Annotated[PromiseState | None, strawberry.argument(description="Only these.")] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[PaymentPromise] | None:
        actor, compound_id = info.context.actor, decode(compound, "Compound", "compound")
        wanted = str(state.value) if state else None
        page = page_request(first, after, SORT, date, UUID)
        rows = await queries.for_staff(actor, compound_id, wanted, after=page.after, limit=page.limit)

        async def count() -> int:
            return await queries.count(actor, compound_id, wanted)

        return connection(page, rows, _keys, _as_promise, count)


async def promise_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Promises by id, those the caller may see."""
    return await queries.by_id(context.actor, ids)


NODES = {"PaymentPromise": promise_nodes}
