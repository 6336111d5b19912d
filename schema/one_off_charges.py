"""Charges that come once, in the API (一次性收费); for staff."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domains.billing.queries import pooled_costs as queries
from domains.billing.service import one_offs as service
from schema.context import Info
from schema.errors import Payload, refusals_as_data
from schema.permissions import staff_only
from schema.relay import After, Connection, First, Key, connection, decode, encode, page_request
from schema.scalars import Long

SORT = "one_off_charges:charged"


def _bill(root: queries.OneOffCharge) -> strawberry.ID | None:
    return strawberry.ID(encode("Bill", root.bill_id)) if root.bill_id else None


@strawberry.type(description="A charge that comes once (一次性收费); the next run of its month bills it.")
class OneOffCharge:
    charge: strawberry.ID = strawberry.field(
        resolver=lambda root: strawberry.ID(encode("OneOffCharge", root.id)), description="Its id, to cancel it."
    )  # fmt: skip
    fee_item: strawberry.ID = strawberry.field(
        resolver=lambda root: strawberry.ID(encode("FeeItem", root.fee_item_id)), description="Its fee item."
    )
    fee_item_name: str = strawberry.field(description="Name of the fee item.")
    house: strawberry.ID = strawberry.field(
        resolver=lambda root: strawberry.ID(encode("House", root.house_id)), description="The house."
    )
    house_number: str = strawberry.field(description="The house: 3号楼1单元101.")
    charged_on: date = strawberry.field(description="The day that it is for.")
    amount_fen: Long = strawberry.field(description="How much, in fen.")
    note: str = strawberry.field(description="For the resident to read.")
    is_billed: bool = strawberry.field(description="Whether a bill has it.")
    bill: strawberry.ID | None = strawberry.field(
        resolver=_bill, description="The bill that has it; null while none does."
    )
    cancelled_at: datetime | None = strawberry.field(description="When it was cancelled.")
    recorded_at: datetime = strawberry.field(description="When it was added.")


@strawberry.input(description="The same charge for each of these houses.")
class AddOneOffChargesInput:
    fee_item: strawberry.ID = strawberry.field(description="A fee item that is charged once.")
    houses: list[strawberry.ID] = strawberry.field(description="The houses, 1 to 500.")
    charged_on: date = strawberry.field(
        description="The day it is for; its month bills it, and a house has one of an item and day."
    )
    amount_fen: Long = strawberry.field(description="How much for each house, in fen.")
    note: str = strawberry.field(default="", description="For residents to read, up to 200 characters.")


@strawberry.input(description="A charge to take back.")
class CancelOneOffChargeInput:
    charge: strawberry.ID = strawberry.field(description="Its id; no bill may have it.")


@strawberry.type(description="Result of a command on charges that come once.")
class OneOffChargesPayload(Payload):
    charges: list[OneOffCharge] | None = strawberry.field(
        default=None, description="The charges as they are now, by house; null when refused."
    )


def _as_charge(row: queries.OneOffCharge) -> OneOffCharge:
    return row  # type: ignore[return-value]  # rows stand for the type


def _keys(row: queries.OneOffCharge) -> tuple[Key, ...]:
    return row.charged_on, row.id


async def _payload(ids: list[UUID]) -> OneOffChargesPayload:
    return OneOffChargesPayload(charges=[_as_charge(row) for row in await queries.charges_made(ids)])


@strawberry.type
class OneOffChargesQuery:
    """Root fields of charges that come once."""

    @strawberry.field(
        description="A compound's charges that come once, or a house's, the last one first; for staff with fees.read.",
        extensions=[staff_only],
    )
    async def one_off_charges(
        self,
        info: Info,
        *,
        compound: Annotated[strawberry.ID, strawberry.argument(description="The compound.")],
        house: Annotated[strawberry.ID | None, strawberry.argument(description="Only this house.")] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[OneOffCharge] | None:
        page = page_request(first, after, SORT, date, UUID)
        rows = await queries.one_off_charges(
            info.context.actor, decode(compound, "Compound", "compound"),
            decode(house, "House", "house") if house else None, after=page.after, limit=page.limit,
        )  # fmt: skip
        return connection(page, rows, _keys, _as_charge)


@strawberry.type
class OneOffChargesMutation:
    """Mutations of charges that come once."""

    @strawberry.mutation(
        description="Charge houses once, all of them or none; for staff with fees.write over them.",
        extensions=[staff_only],
    )
    @refusals_as_data(OneOffChargesPayload)
    async def add_one_off_charges(
        self, info: Info, input: Annotated[AddOneOffChargesInput, strawberry.argument(description="Which.")]
    ) -> OneOffChargesPayload:
        ids = await service.add_one_off_charges(
            info.context.actor, fee_item_id=decode(input.fee_item, "FeeItem", "feeItem"),
            house_ids=[decode(id, "House", "houses") for id in input.houses], charged_on=input.charged_on,
            amount_fen=input.amount_fen, note=input.note,
        )  # fmt: skip
        return await _payload(ids)

    @strawberry.mutation(
        description="Take a charge back while no bill has it; for staff with fees.write.",
        extensions=[staff_only],
    )
    @refusals_as_data(OneOffChargesPayload)
    async def cancel_one_off_charge(
        self, info: Info, input: Annotated[CancelOneOffChargeInput, strawberry.argument(description="Which.")]
    ) -> OneOffChargesPayload:
        id = decode(input.charge, "OneOffCharge", "charge")
        return await _payload([await service.cancel_one_off_charge(info.context.actor, charge_id=id)])
