"""Commands on runs in the API (出账), and bills that are made at once."""

from __future__ import annotations

from datetime import date
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.billing.queries import runs as queries
from domains.billing.service import at_once, runs
from schema.billing_runs import BillingRun, decoded_items
from schema.bills import Bill
from schema.context import Info
from schema.errors import Payload, refusals_as_data
from schema.permissions import residents_only, staff_only
from schema.relay import decode
from schema.scalars import Long


@strawberry.input(description="A run to begin.")
class StartBillingRunInput:
    compound: strawberry.ID = strawberry.field(description="The compound.")
    month: date = strawberry.field(description="The billing month, its first day.")
    from_month: date | None = strawberry.field(
        default=None, description="First month whose missing lines are added, 23 months back at most."
    )
    fee_items: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Only these fee items; all unless told."
    )
    issued_on: date | None = strawberry.field(
        default=None, description="The day on the bills; today unless told."
    )
    idempotency_key: UUID | None = strawberry.field(
        default=None, description="Makes a repeated request the same one."
    )


@strawberry.input(description="A run to approve.")
class ApproveBillingRunInput:
    run: strawberry.ID = strawberry.field(description="Its id.")
    expected_fen: Long = strawberry.field(
        description="The total that was looked at: `expectedFen` of the run."
    )


@strawberry.input(description="A run to give up or to stop.")
class CancelBillingRunInput:
    run: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.input(description="Months to pay ahead (预缴).")
class PayAheadInput:
    house: strawberry.ID = strawberry.field(description="The house.")
    fee_item: strawberry.ID = strawberry.field(description="The fee item.")
    months: int = strawberry.field(description="How many months, a multiple of the item's cycle, 36 at most.")
    idempotency_key: UUID | None = strawberry.field(
        default=None, description="Makes a repeated request the same one."
    )


@strawberry.input(description="A charge to bill at once instead of with the next run.")
class BillOneOffInput:
    charge: strawberry.ID = strawberry.field(description="Its id.")
    idempotency_key: UUID | None = strawberry.field(
        default=None, description="Makes a repeated request the same one."
    )


@strawberry.type(description="Result of a command on a run.")
class BillingRunPayload(Payload):
    billing_run: BillingRun | None = strawberry.field(
        default=None, description="The run as it is now; null when refused."
    )


@strawberry.type(description="Result of billing at once.")
class BillsPayload(Payload):
    bills: list[Bill] | None = strawberry.field(
        default=None, description="The bills that were made; null when refused."
    )


async def _run(info: Info, id: UUID) -> BillingRunPayload:
    found = (await queries.by_id(info.context.actor, [id])).get(id)
    return BillingRunPayload(billing_run=cast("BillingRun | None", found))


async def _bills(info: Info, run_id: UUID) -> BillsPayload:
    return BillsPayload(bills=cast("list[Bill]", await queries.bills_made(info.context.actor, run_id)))


@strawberry.type
class BillingRunsMutation:
    """Mutations of runs."""

    @strawberry.mutation(
        description="Keep a run as a draft with its preview, for approval; for staff with billing.start.",
        extensions=[staff_only],
    )
    @refusals_as_data(BillingRunPayload)
    async def start_billing_run(
        self, info: Info, input: Annotated[StartBillingRunInput, strawberry.argument(description="Which.")]
    ) -> BillingRunPayload:
        id = await runs.start_billing_run(
            info.context.actor, compound_id=decode(input.compound, "Compound", "compound"), month=input.month,
            from_month=input.from_month, fee_item_ids=decoded_items(input.fee_items), issued_on=input.issued_on,
            idempotency_key=input.idempotency_key,
        )  # fmt: skip
        return await _run(info, id)

    @strawberry.mutation(
        description="Let a draft be posted as it was previewed; refused where it would come out differently now. For "
        "staff with billing.approve.",
        extensions=[staff_only],
    )
    @refusals_as_data(BillingRunPayload)
    async def approve_billing_run(
        self, info: Info, input: Annotated[ApproveBillingRunInput, strawberry.argument(description="Which.")]
    ) -> BillingRunPayload:
        id = decode(input.run, "BillingRun", "run")
        await runs.approve_billing_run(info.context.actor, run_id=id, expected_fen=input.expected_fen)
        return await _run(info, id)

    @strawberry.mutation(
        description="Give up a draft, or stop a run after the houses it is at; bills that were made stay. For staff with "
        "billing.approve, of a draft with billing.start too.",
        extensions=[staff_only],
    )
    @refusals_as_data(BillingRunPayload)
    async def cancel_billing_run(
        self, info: Info, input: Annotated[CancelBillingRunInput, strawberry.argument(description="Which.")]
    ) -> BillingRunPayload:
        id = decode(input.run, "BillingRun", "run")
        await runs.cancel_billing_run(info.context.actor, run_id=id)
        return await _run(info, id)

    @strawberry.mutation(
        description="Bill the coming months of a fee item at the discount for so many; for who pays them.",
        extensions=[residents_only],
    )
    @refusals_as_data(BillsPayload)
    async def pay_ahead(
        self, info: Info, input: Annotated[PayAheadInput, strawberry.argument(description="What.")]
    ) -> BillsPayload:
        run_id = await at_once.pay_ahead(
            info.context.actor, house_id=decode(input.house, "House", "house"),
            fee_item_id=decode(input.fee_item, "FeeItem", "fee_item"), months=input.months,
            idempotency_key=input.idempotency_key,
        )  # fmt: skip
        return await _bills(info, run_id)

    @strawberry.mutation(
        description="Bill a charge that comes once now; for staff with billing.approve.",
        extensions=[staff_only],
    )
    @refusals_as_data(BillsPayload)
    async def bill_one_off(
        self, info: Info, input: Annotated[BillOneOffInput, strawberry.argument(description="Which.")]
    ) -> BillsPayload:
        charge_id = decode(input.charge, "OneOffCharge", "charge")
        run_id = await at_once.bill_one_off(
            info.context.actor, charge_id=charge_id, idempotency_key=input.idempotency_key
        )
        return await _bills(info, run_id)
