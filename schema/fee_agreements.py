"""What holds for one house, in the API: agreements and who pays (个别约定、缴费责任); for staff."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.billing.queries import agreements as queries
from domains.billing.service import agreements as service
from domains.billing.service import liabilities
from schema.bills import BillPayer
from schema.context import Info
from schema.errors import Payload, refusals_as_data
from schema.permissions import staff_only
from schema.relay import decode, encode

AHouse = Annotated[strawberry.ID, strawberry.argument(description="The house.")]


def _item(root: queries.FeeAgreement | queries.Liability) -> strawberry.ID | None:
    return strawberry.ID(encode("FeeItem", root.fee_item_id)) if root.fee_item_id else None


def _person(root: queries.Liability) -> strawberry.ID | None:
    return strawberry.ID(encode("Person", root.person_id)) if root.person_id else None


@strawberry.type(description="What was agreed for a house and fee item (个别约定).")
class FeeAgreement:
    agreement: strawberry.ID = strawberry.field(
        resolver=lambda root: strawberry.ID(encode("FeeAgreement", root.id)), description="Its id, to end it."
    )
    fee_item: strawberry.ID | None = strawberry.field(resolver=_item, description="The fee item.")
    fee_item_name: str = strawberry.field(description="Name of the fee item.")
    from_on: date = strawberry.field(description="The first day.")
    until_on: date | None = strawberry.field(description="The first day it holds no more; null: it goes on.")
    percent: Decimal = strawberry.field(description="Of the price; 0 is exempt.")
    coefficient: Decimal = strawberry.field(description="The variable coefficient of formulas.")
    note: str = strawberry.field(description="Why.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")


@strawberry.type(description="Who pays for a house (缴费责任).")
class Liability:
    liability: strawberry.ID = strawberry.field(
        resolver=lambda root: strawberry.ID(encode("Liability", root.id)), description="Its id, to end it."
    )
    fee_item: strawberry.ID | None = strawberry.field(
        resolver=_item, description="For this fee item alone; null: for all that have none of their own."
    )
    fee_item_name: str | None = strawberry.field(description="Name of the fee item.")
    payer: BillPayer = strawberry.field(description="Who pays.")
    person: strawberry.ID | None = strawberry.field(resolver=_person, description="Who that is, if named.")
    person_name: str | None = strawberry.field(description="Name of the person.")
    from_on: date = strawberry.field(description="The first day.")
    until_on: date | None = strawberry.field(
        description="The first day that is not theirs; null: it goes on."
    )
    note: str = strawberry.field(description="Why.")
    follows_occupancy: bool = strawberry.field(description="It follows from who owns the house.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")


@strawberry.input(description="What is agreed for a house and fee item; it replaces what was, on these days.")
class SetFeeAgreementInput:
    house: strawberry.ID = strawberry.field(description="The house.")
    fee_item: strawberry.ID = strawberry.field(description="The fee item.")
    from_on: date = strawberry.field(description="The first day; what is billed stays as it is.")
    until_on: date | None = strawberry.field(default=None, description="The first day it holds no more.")
    percent: Decimal = strawberry.field(
        default=Decimal(100), description="Of the price, 0 to 1000; 0 is exempt."
    )
    coefficient: Decimal = strawberry.field(
        default=Decimal(1), description="The variable coefficient of formulas, 0 to 1000."
    )
    note: str = strawberry.field(default="", description="Why, up to 200 characters.")


@strawberry.input(description="Who pays for a house; it replaces what was said of these days and this item.")
class SetLiabilityInput:
    house: strawberry.ID = strawberry.field(description="The house.")
    payer: BillPayer = strawberry.field(description="Who pays.")
    from_on: date = strawberry.field(description="The first day; what is billed stays as it is.")
    until_on: date | None = strawberry.field(default=None, description="The first day that is not theirs.")
    fee_item: strawberry.ID | None = strawberry.field(
        default=None, description="For this fee item alone; null is for all that have none of their own."
    )
    person: strawberry.ID | None = strawberry.field(
        default=None, description="Who that is: an owner or tenant of the house, also a former one."
    )
    note: str = strawberry.field(default="", description="Why, up to 200 characters.")


@strawberry.input(description="The end of an agreement.")
class EndFeeAgreementInput:
    agreement: strawberry.ID = strawberry.field(description="Its id.")
    until_on: date = strawberry.field(
        description="The first day it holds no more; its own first day takes it back."
    )


@strawberry.input(description="The end of somebody's liability.")
class EndLiabilityInput:
    liability: strawberry.ID = strawberry.field(description="Its id.")
    until_on: date = strawberry.field(
        description="The first day that is not theirs; its own first day takes it back."
    )


@strawberry.type(description="Result of a command on agreements.")
class FeeAgreementsPayload(Payload):
    agreements: list[FeeAgreement] | None = strawberry.field(
        default=None, description="All that is agreed for the house now; null when refused."
    )


@strawberry.type(description="Result of a command on who pays.")
class LiabilitiesPayload(Payload):
    liabilities: list[Liability] | None = strawberry.field(
        default=None, description="Who pays for the house now; null when refused."
    )


async def _agreements(info: Info, house_id: UUID) -> FeeAgreementsPayload:
    rows = await queries.agreements(info.context.actor, house_id)
    return FeeAgreementsPayload(agreements=cast("list[FeeAgreement]", rows))


async def _liabilities(info: Info, house_id: UUID) -> LiabilitiesPayload:
    rows = await queries.liabilities(info.context.actor, house_id)
    return LiabilitiesPayload(liabilities=cast("list[Liability]", rows))


@strawberry.type
class FeeAgreementsQuery:
    """Root fields of what holds for one house."""

    @strawberry.field(
        description="What is agreed for a house, by fee item; for staff with fees.read or fees.write.",
        extensions=[staff_only],
    )
    async def fee_agreements(self, info: Info, house: AHouse) -> list[FeeAgreement] | None:
        return (await _agreements(info, decode(house, "House", "house"))).agreements

    @strawberry.field(
        description="Who pays for a house; for staff with fees.read or fees.write, audited.",
        extensions=[staff_only],
    )
    async def liabilities(self, info: Info, house: AHouse) -> list[Liability] | None:
        return (await _liabilities(info, decode(house, "House", "house"))).liabilities


@strawberry.type
class FeeAgreementsMutation:
    """Mutations of what holds for one house; for staff with fees.write over its building."""

    @strawberry.mutation(
        description="Agree on a share of the price for a house; for staff with fees.write.",
        extensions=[staff_only],
    )
    @refusals_as_data(FeeAgreementsPayload)
    async def set_fee_agreement(
        self, info: Info, input: Annotated[SetFeeAgreementInput, strawberry.argument(description="What.")]
    ) -> FeeAgreementsPayload:
        house_id = decode(input.house, "House", "house")
        await service.set_fee_agreement(
            info.context.actor, house_id=house_id, fee_item_id=decode(input.fee_item, "FeeItem", "feeItem"),
            from_on=input.from_on, until_on=input.until_on, percent=input.percent, coefficient=input.coefficient,
            note=input.note,
        )  # fmt: skip
        return await _agreements(info, house_id)

    @strawberry.mutation(
        description="Let an agreement end; for staff with fees.write.", extensions=[staff_only]
    )
    @refusals_as_data(FeeAgreementsPayload)
    async def end_fee_agreement(
        self, info: Info, input: Annotated[EndFeeAgreementInput, strawberry.argument(description="When.")]
    ) -> FeeAgreementsPayload:
        id = decode(input.agreement, "FeeAgreement", "agreement")
        house_id = await service.end_fee_agreement(
            info.context.actor, agreement_id=id, until_on=input.until_on
        )
        return await _agreements(info, house_id)

    @strawberry.mutation(
        description="Say who pays for a house; for staff with fees.write.", extensions=[staff_only]
    )
    @refusals_as_data(LiabilitiesPayload)
    async def set_liability(
        self, info: Info, input: Annotated[SetLiabilityInput, strawberry.argument(description="Who.")]
    ) -> LiabilitiesPayload:
        house_id = decode(input.house, "House", "house")
        await liabilities.set_liability(
            info.context.actor, house_id=house_id, payer=cast("liabilities.Payer", input.payer.value),
            from_on=input.from_on, until_on=input.until_on, note=input.note,
            fee_item_id=decode(input.fee_item, "FeeItem", "feeItem") if input.fee_item else None,
            person_id=decode(input.person, "Person", "person") if input.person else None,
        )  # fmt: skip
        return await _liabilities(info, house_id)

    @strawberry.mutation(
        description="Let somebody's liability end; for staff with fees.write.", extensions=[staff_only]
    )
    @refusals_as_data(LiabilitiesPayload)
    async def end_liability(
        self, info: Info, input: Annotated[EndLiabilityInput, strawberry.argument(description="When.")]
    ) -> LiabilitiesPayload:
        id = decode(input.liability, "Liability", "liability")
        house_id = await liabilities.end_liability(
            info.context.actor, liability_id=id, until_on=input.until_on
        )
        return await _liabilities(info, house_id)
