"""A house's own money in the API (预存款、押金)."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.billing.queries import accounts as queries
from domains.billing.service import opening_balances
from payments.rules import KINDS
from schema.context import Info
from schema.errors import Payload, refusals_as_data
from schema.fee_items import FeeCategory
from schema.permissions import residents_only, staff_only
from schema.relay import After, Connection, First, Key, connection, decode, encode, page_request
from schema.scalars import Long

SORT = "account_movements:on"


@strawberry.enum(description="Which money of a house (款项类别).")
class HouseMoney(Enum):
    PREPAYMENT = strawberry.enum_value("prepayment", description="预存款")
    DEPOSIT = strawberry.enum_value("deposit", description="押金")


@strawberry.type(description="Money that a house has paid ahead (预存款), and what for.")
class Prepayment:
    purpose: FeeCategory | None = strawberry.field(
        resolver=lambda root: root.purpose or None, description="Only bills of this; null pays anything."
    )
    balance_fen: Long = strawberry.field(description="What is there, fen.")


def _what(root: queries.Movement, info: Info) -> str:
    zh, en = KINDS[root.kind]
    return en if info.context.language == "en" else zh


@strawberry.type(description="What raised or lowered a house's money (款项变动).")
class AccountMovement:
    moved_on: date = strawberry.field(description="The day it counts for.")
    posted_at: datetime = strawberry.field(description="When it was posted.")
    account: HouseMoney = strawberry.field(description="Which money.")
    purpose: FeeCategory | None = strawberry.field(
        resolver=lambda root: root.purpose or None,
        description="What the money is kept for; null for anything.",
    )
    amount_fen: Long = strawberry.field(description="Fen that it rose; below zero where it fell.")
    memo: str = strawberry.field(description="What was noted with it.")

    what: str = strawberry.field(resolver=_what, description="What it was, in words: 预存抵扣.")


def _moved(row: queries.Movement) -> tuple[Key, ...]:
    return row.moved_on, row.id


def _as_movement(row: queries.Movement) -> AccountMovement:
    return row  # type: ignore[return-value]  # rows stand for the type


async def _movements(
    root: queries.HouseAccount, first: First = 20, after: After = None
) -> Connection[AccountMovement]:
    page = page_request(first, after, SORT, date, UUID)
    rows = await queries.movements(root, after=page.after, limit=page.limit)
    return connection(page, rows, _moved, _as_movement)


@strawberry.type(description="The money of a house (房屋账户). Amounts are fen.")
class HouseAccount:
    house: strawberry.ID = strawberry.field(
        resolver=lambda root: strawberry.ID(encode("House", root.house_id)), description="The house."
    )
    house_number: str = strawberry.field(description="The house: 3号楼1单元101.")
    prepaid_fen: Long = strawberry.field(description="All that was paid ahead and is there.")
    prepayments: list[Prepayment] = strawberry.field(description="The same by purpose.")
    deposit_fen: Long = strawberry.field(description="Deposits (押金) that are kept.")

    movements: Connection[AccountMovement] = strawberry.field(
        resolver=_movements, description="What moved the money, the last movement first."
    )


AHouse = Annotated[strawberry.ID, strawberry.argument(description="The house.")]


@strawberry.type
class HouseAccountsViewer:
    """The money of the caller's houses."""

    @strawberry.field(
        description="The money of a house of the caller's, for owners and their family: what is there, and what moved "
        "it since they came.",
        extensions=[residents_only],
    )
    async def account(
        self,
        info: Info,
        house: Annotated[
            strawberry.ID | None,
            strawberry.argument(
                description="The house; null for the first one. Null comes back without any."
            ),
        ] = None,
    ) -> HouseAccount | None:
        actor = info.context.actor
        found = (
            await queries.own_first(actor)
            if house is None
            else await queries.own(actor, decode(house, "House", "house"))
        )
        return cast("HouseAccount | None", found)


@strawberry.type
class HouseAccountsQuery:
    """Root fields of houses' money."""

    @strawberry.field(
        description="The money of a house. For staff with bills.read, audited.", extensions=[staff_only]
    )
    async def house_account(self, info: Info, house: AHouse) -> HouseAccount | None:
        found = await queries.for_staff(info.context.actor, decode(house, "House", "house"))
        return cast("HouseAccount", found)


@strawberry.input(description="What a house had paid ahead when it came from the system before this one.")
class SetOpeningBalanceInput:
    idempotency_key: UUID = strawberry.field(
        description="Made by the client for this entry: the same key enters it once."
    )
    house: strawberry.ID = strawberry.field(description="The house.")
    purpose: FeeCategory | None = strawberry.field(default=None, description="Null pays anything.")
    amount_fen: Long = strawberry.field(description="Fen, above zero.")
    note: str = strawberry.field(default="", description="Where it comes from, up to 200 characters.")


@strawberry.type(description="Result of entering an opening balance.")
class OpeningBalancePayload(Payload):
    account: HouseAccount | None = strawberry.field(
        default=None, description="The house's money; null when refused, or when the caller may not read it."
    )


@strawberry.type
class HouseAccountsMutation:
    """Mutations of houses' money."""

    @strawberry.mutation(
        description="Enter what a house had paid ahead before this system, once for each purpose; for staff with "
        "balances.write.",
        extensions=[staff_only],
    )
    @refusals_as_data(OpeningBalancePayload)
    async def set_opening_balance(
        self,
        info: Info,
        input: Annotated[SetOpeningBalanceInput, strawberry.argument(description="How much, and for what.")],
    ) -> OpeningBalancePayload:
        house_id = decode(input.house, "House", "house")
        await opening_balances.set_opening_balance(
            info.context.actor, house_id=house_id, purpose=str(input.purpose.value) if input.purpose else "",
            amount_fen=input.amount_fen, note=input.note, idempotency_key=input.idempotency_key,
        )  # fmt: skip
        found = await queries.readable(info.context.actor, house_id)
        return OpeningBalancePayload(account=cast("HouseAccount | None", found))
