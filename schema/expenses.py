"""What a compound spends, in the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.billing.queries import expenses as queries
from domains.billing.rules import EXPENSES
from domains.billing.service import expenses as service
from schema.context import Context, Info
from schema.errors import Payload, refusals_as_data
from schema.permissions import staff_only
from schema.photos import as_upload
from schema.relay import After, Connection, First, Key, Node, connection, decode, encode, page_request
from schema.scalars import Long, Upload


@strawberry.enum(
    description="What a compound spends on (支出类别). New values may appear: keep a default branch."
)
class ExpenseCategory(Enum):
    _ignore_ = "value zh"
    for value, zh in EXPENSES.items():
        locals()[value.upper()] = strawberry.enum_value(value, description=zh)


@strawberry.type(
    description="A voucher (凭证) under an address that opens for the caller alone, and not for long."
)
class Voucher:
    address: str = strawberry.field(
        description="Path below the API's origin, to fetch with the caller's own credentials."
    )
    content_type: str = strawberry.field(description="image/jpeg, image/png, image/webp or application/pdf.")
    expires_at: datetime = strawberry.field(
        description="When the address ends; ask for the field again to get another."
    )


def _corrected(root: queries.Expense) -> strawberry.ID | None:
    return strawberry.ID(encode("Expense", root.corrects_id)) if root.corrects_id else None


@strawberry.type(description="An expense (支出) as staff enter it.")
class Expense(Node):
    id: strawberry.Private[UUID]
    spent_on: date = strawberry.field(description="The day of it.")
    category: ExpenseCategory = strawberry.field(description="What on.")
    amount_fen: Long = strawberry.field(
        description="How much, in fen; below zero where it takes back some of another (冲减)."
    )
    note: str = strawberry.field(description="What it was, for residents to read.")
    corrects: strawberry.ID | None = strawberry.field(
        resolver=_corrected, description="Id of the published expense that it takes back some of."
    )
    entered_at: datetime = strawberry.field(description="When it was entered.")
    entered_by_name: str | None = strawberry.field(description="By whom.")
    is_published: bool = strawberry.field(
        description="Residents read it: it can be corrected and no longer removed."
    )
    voucher: Voucher | None = strawberry.field(description="Its voucher; null without one.")

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.Expense)


@strawberry.input(description="An expense to enter.")
class AddExpenseInput:
    compound: strawberry.ID = strawberry.field(description="The compound.")
    spent_on: date = strawberry.field(description="The day of it, today at the latest.")
    category: ExpenseCategory = strawberry.field(description="What on.")
    amount_fen: Long = strawberry.field(description="How much, in fen, above zero.")
    note: str = strawberry.field(description="What it was, up to 200 characters.")
    voucher: Upload | None = strawberry.field(
        default=None, description="Its voucher (凭证): a JPEG, PNG, WebP or PDF file of at most 5 MB."
    )


@strawberry.input(description="How much of a published expense to take back.")
class CorrectExpenseInput:
    expense: strawberry.ID = strawberry.field(description="The expense.")
    amount_fen: Long = strawberry.field(description="How much to take back, in fen, above zero.")
    note: str = strawberry.field(description="Why, for residents to read, up to 200 characters.")
    voucher: Upload | None = strawberry.field(
        default=None, description="A voucher: a JPEG, PNG, WebP or PDF file of at most 5 MB."
    )


@strawberry.input(description="The expense to remove.")
class RemoveExpenseInput:
    expense: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="Result of a command on an expense.")
class ExpensePayload(Payload):
    expense: Expense | None = strawberry.field(
        default=None, description="The expense as it is now; null when refused or removed."
    )


async def _payload(info: Info, id: UUID) -> ExpensePayload:
    found = await queries.by_id(info.context.actor, [id])
    return ExpensePayload(expense=cast("Expense | None", found.get(id)))


@strawberry.type
class ExpensesMutation:
    """Mutations of expenses."""

    @strawberry.mutation(
        description="Enter an expense (登记支出, multipart with a voucher); for staff with books.write in all of the "
        "compound.",
        extensions=[staff_only],
    )
    @refusals_as_data(ExpensePayload)
    async def add_expense(
        self, info: Info, input: Annotated[AddExpenseInput, strawberry.argument(description="What.")]
    ) -> ExpensePayload:
        id = await service.add_expense(
            info.context.actor, compound_id=decode(input.compound, "Compound", "compound"), spent_on=input.spent_on,
            category=str(input.category.value), amount_fen=input.amount_fen, note=input.note,
            voucher=as_upload(input.voucher),
        )  # fmt: skip
        return await _payload(info, id)

    @strawberry.mutation(
        description="Take back some or all of an expense whose month is published (冲减支出): it becomes an expense of "
        "today, below zero; for staff with books.write in all of the compound.",
        extensions=[staff_only],
    )
    @refusals_as_data(ExpensePayload)
    async def correct_expense(
        self,
        info: Info,
        input: Annotated[CorrectExpenseInput, strawberry.argument(description="Which, and how much.")],
    ) -> ExpensePayload:
        id = await service.correct_expense(
            info.context.actor, expense_id=decode(input.expense, "Expense", "expense"), amount_fen=input.amount_fen,
            note=input.note, voucher=as_upload(input.voucher),
        )  # fmt: skip
        return await _payload(info, id)

    @strawberry.mutation(
        description="Remove an expense that was entered by mistake, while its month is not published; for staff with "
        "books.write in all of the compound.",
        extensions=[staff_only],
    )
    @refusals_as_data(ExpensePayload)
    async def remove_expense(
        self, info: Info, input: Annotated[RemoveExpenseInput, strawberry.argument(description="Which.")]
    ) -> ExpensePayload:
        id = decode(input.expense, "Expense", "expense")
        await service.remove_expense(info.context.actor, expense_id=id)
        return ExpensePayload()


def _keys(row: queries.Expense) -> tuple[Key, ...]:
    return row.spent_on, row.id


def _as_expense(row: queries.Expense) -> Expense:
    return row  # type: ignore[return-value]  # rows stand for the type


@strawberry.type
class ExpensesQuery:
    """Root fields of expenses."""

    @strawberry.field(
        description="A compound's expenses, the last one first; for staff with books.write or books.publish in all of "
        "the compound.",
        extensions=[staff_only],
    )
    async def expenses(
        self,
        info: Info,
        *,
        compound: Annotated[strawberry.ID, strawberry.argument(description="The compound.")],
        month: Annotated[
            date | None, strawberry.argument(description="Only of this month, by any day of it.")
        ] = None,
        category: Annotated[ExpenseCategory | None, strawberry.argument(description="Only these.")] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Expense] | None:
        page = page_request(first, after, f"expenses:{month}:{category}", date, UUID)
        rows = await queries.expenses(
            info.context.actor, decode(compound, "Compound", "compound"), month=month,
            category=str(category.value) if category else None, after=page.after, limit=page.limit,
        )  # fmt: skip
        return connection(page, rows, _keys, _as_expense)


async def expense_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Expenses by id, those the caller may see."""
    return await queries.by_id(context.actor, ids)


NODES = {"Expense": expense_nodes}
