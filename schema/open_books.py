"""A compound's accounts in the API: as they are for staff, as published for everybody there."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, cast

import strawberry

from domains.billing import books as accounts
from domains.billing.queries import books as queries
from domains.billing.queries import linked_books
from domains.billing.service import publishing
from schema.context import Info
from schema.errors import Payload, refusals_as_data
from schema.expenses import ExpenseCategory, Voucher
from schema.limits.cost import cost
from schema.permissions import residents_only, signed_in, staff_only
from schema.relay import decode, encode
from schema.scalars import Long


@strawberry.type(description="What was billed, corrections included, and what was collected; fen.")
class BooksFlow:
    billed_fen: Long = strawberry.field(description="Billed.")
    collected_fen: Long = strawberry.field(description="Collected.")


@strawberry.type(description="A fee item's part of a month (收费项目收入).")
class BooksIncome:
    fee_item: strawberry.ID = strawberry.field(
        resolver=lambda root: strawberry.ID(encode("FeeItem", root.fee_item_id)),
        description="Id of the fee item.",
    )
    name: str = strawberry.field(description="Name of the fee item.")
    billed_fen: Long = strawberry.field(description="Billed in the month, corrections included; fen.")
    collected_fen: Long = strawberry.field(
        description="Collected in the month, its part of what was paid on bills; fen."
    )


@strawberry.type(description="An expense as residents read it.")
class BooksExpense:
    voucher_key: strawberry.Private[str | None]
    spent_on: date = strawberry.field(description="The day of it.")
    category: ExpenseCategory = strawberry.field(description="What on.")
    amount_fen: Long = strawberry.field(
        description="How much, in fen; below zero where it takes back some of another."
    )
    note: str = strawberry.field(description="What it was.")

    @strawberry.field(description="Its voucher, under an address for the caller; null without one.")
    def voucher(self, info: Info) -> Voucher | None:
        return cast("Voucher | None", queries.voucher(info.context.actor, self.voucher_key))


@strawberry.type(description="What was spent on something in a month.")
class BooksSpending:
    category: ExpenseCategory = strawberry.field(description="What on.")
    amount_fen: Long = strawberry.field(description="How much, in fen.")


@strawberry.type(description="A month on the charts; fen.")
class BooksMonth:
    month: date = strawberry.field(description="Its first day.")
    billed_fen: Long = strawberry.field(description="All that was billed, late fees and deposits included.")
    collected_fen: Long = strawberry.field(description="All that was collected.")
    spent_fen: Long = strawberry.field(description="All that was spent.")


@strawberry.type(
    description="The accounts of a month (月度账目), in fen. What was open before, and what was billed and taken over, less "
    "what was waived and collected, is what is open after."
)
class Books:
    month: date = strawberry.field(description="Its first day.")
    open_before_fen: Long = strawberry.field(description="Owed when the month began.")
    incomes: list[BooksIncome] = strawberry.field(
        description="By fee item, by category and name; at most the compound's fee items."
    )
    deposits: BooksFlow = strawberry.field(description="Deposits (押金): collected, and nobody's income.")
    late_fees: BooksFlow = strawberry.field(description="Late fees (滞纳金).")
    waived_fen: Long = strawberry.field(description="Waived (减免).")
    carried_in_fen: Long = strawberry.field(description="Debts taken over without a bill (期初欠费).")
    open_after_fen: Long = strawberry.field(description="Owed when the month ended.")
    billed_fen: Long = strawberry.field(description="Everything billed.")
    collected_fen: Long = strawberry.field(description="Everything collected.")
    income_fen: Long = strawberry.field(description="Everything collected but deposits.")
    month_rate: int | None = strawberry.field(
        description="Collected of the month's own bills by its end (当期收缴率), hundredths of a percent; null without any."
    )
    whole_rate: int | None = strawberry.field(
        description="Collected of all that was to be collected, older debts included (综合收缴率), hundredths of a percent; "
        "null without any."
    )
    expenses: list[BooksExpense] = strawberry.field(
        description="Every expense, in order; at most those of the month."
    )
    spent_on: list[BooksSpending] = strawberry.field(description="By category, the most first; at most 11.")
    spent_fen: Long = strawberry.field(description="Everything spent.")
    balance_before_fen: Long = strawberry.field(
        description="What the month before left, as published; 0 without it."
    )
    balance_after_fen: Long = strawberry.field(
        description="With the income and without the expenses of this month (结余)."
    )
    months: list[BooksMonth] = strawberry.field(
        description="The months up to this one, at most 12.", metadata=cost(assumed=12)
    )


@strawberry.type(
    description="A link to one month's published accounts (公示页链接): whoever has it reads them."
)
class AccountsLink:
    path: str = strawberry.field(description="Path of the page, below the API's origin.")
    expires_at: datetime = strawberry.field(
        description="When the link ends, 30 minutes on; ask for the field again to get another."
    )


@strawberry.type(
    description="A month's accounts as they were published (账目公示): they do not change any more."
)
class PublishedAccounts:
    month: date = strawberry.field(description="The month, its first day.")
    revision: int = strawberry.field(description="1, or more where they were published anew.")
    note: str = strawberry.field(description="The publisher's words.")
    published_at: datetime = strawberry.field(description="When.")
    sha256: str = strawberry.field(description="SHA-256 of the content, in hex: equal for equal accounts.")
    books: Books = strawberry.field(description="The accounts.")

    @strawberry.field(
        description="A link under which they are read without signing in, for the compound's residents and staff; null "
        "for who came by such a link."
    )
    def link(self, info: Info) -> AccountsLink | None:
        found = linked_books.link_for(info.context.actor, cast("queries.Published", self))
        return cast("AccountsLink | None", found)


@strawberry.type(description="What a link to published accounts opens (公示页); it names nobody.")
class LinkedAccounts:
    compound_name: str = strawberry.field(description="Name of the compound.")
    expires_at: datetime = strawberry.field(description="When the link ends.")
    accounts: PublishedAccounts = strawberry.field(
        description="The accounts of the link's month, as they were published last."
    )


@strawberry.type(description="A month that can be read.")
class PublishedMonth:
    month: date = strawberry.field(description="The month, its first day.")
    revision: int = strawberry.field(description="1, or more where it was published anew.")
    published_at: datetime = strawberry.field(description="When.")


@strawberry.type(description="The published accounts of a compound of the caller's (账目公示).")
class OwnBooks:
    compound: strawberry.ID = strawberry.field(
        resolver=lambda root: strawberry.ID(encode("Compound", root.compound_id)),
        description="Id of the compound.",
    )
    months: list[PublishedMonth] = strawberry.field(
        description="The months that can be read, the last one first, at most one each."
    )
    accounts: PublishedAccounts | None = strawberry.field(
        description="The accounts of the month; null where none were published."
    )


@strawberry.type
class OpenBooksViewer:
    """The accounts of the caller's compounds."""

    @strawberry.field(
        description="The published accounts of a compound of the caller's: the months, and one of them. Null for who has "
        "no house.",
        extensions=[residents_only],
    )
    async def books(
        self,
        info: Info,
        compound: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="The compound; null for that of the first house."),
        ] = None,
        month: Annotated[
            date | None,
            strawberry.argument(description="The month, by any day of it; by default the last one."),
        ] = None,
    ) -> OwnBooks | None:
        compound_id = None if compound is None else decode(compound, "Compound", "compound")
        return cast("OwnBooks | None", await queries.own(info.context.actor, compound_id, month))


@strawberry.input(description="The accounts to publish.")
class PublishAccountsInput:
    compound: strawberry.ID = strawberry.field(description="The compound.")
    month: date = strawberry.field(description="The month, by any day of it; it must be over.")
    note: str = strawberry.field(default="", description="Words to the residents, up to 200 characters.")


@strawberry.type(description="Result of publishing accounts.")
class PublishAccountsPayload(Payload):
    accounts: PublishedAccounts | None = strawberry.field(
        default=None, description="As published; null when refused."
    )


Compound = Annotated[strawberry.ID, strawberry.argument(description="The compound.")]


@strawberry.type
class OpenBooksMutation:
    """Mutations of published accounts."""

    @strawberry.mutation(
        description="Publish a month's accounts to the residents (账目公示); for staff with books.publish in all of the "
        "compound. What was published stays; after a change it is published anew.",
        extensions=[staff_only],
    )
    @refusals_as_data(PublishAccountsPayload)
    async def publish_accounts(
        self, info: Info, input: Annotated[PublishAccountsInput, strawberry.argument(description="Which.")]
    ) -> PublishAccountsPayload:
        compound_id = decode(input.compound, "Compound", "compound")
        await publishing.publish_accounts(
            info.context.actor, compound_id=compound_id, month=input.month, note=input.note
        )
        shown = await queries.published(compound_id, accounts.month_of(input.month))
        return PublishAccountsPayload(accounts=cast("PublishedAccounts | None", shown))


@strawberry.type
class OpenBooksQuery:
    """Root fields of accounts."""

    @strawberry.field(
        description="A month's accounts as they are now; for staff with books.write or books.publish in all of the "
        "compound.",
        extensions=[staff_only],
    )
    async def books(
        self,
        info: Info,
        compound: Compound,
        month: Annotated[date, strawberry.argument(description="The month, by any day of it.")],
    ) -> Books | None:
        found = await queries.books(info.context.actor, decode(compound, "Compound", "compound"), month)
        return cast("Books", found)

    @strawberry.field(
        description="The accounts that were published of a month, or last; for the compound's residents and staff. An "
        "error ACCOUNTS_NOT_PUBLISHED for a month that was not.",
        extensions=[signed_in],
    )
    async def open_books(
        self,
        info: Info,
        compound: Compound,
        month: Annotated[
            date | None,
            strawberry.argument(description="The month, by any day of it; by default the last one."),
        ] = None,
    ) -> PublishedAccounts | None:
        found = await queries.open_books(info.context.actor, decode(compound, "Compound", "compound"), month)
        return cast("PublishedAccounts", found)

    @strawberry.field(
        description="The months whose accounts were published, the last one first, at most one each; for the "
        "compound's residents and staff.",
        extensions=[signed_in],
    )
    async def published_months(self, info: Info, compound: Compound) -> list[PublishedMonth] | None:
        found = await queries.published_months(info.context.actor, decode(compound, "Compound", "compound"))
        return cast("list[PublishedMonth]", found)

    @strawberry.field(
        description="The accounts behind a link; nobody signs in. An error ACCOUNTS_LINK_EXPIRED for one that ended, "
        "ACCOUNTS_LINK_INVALID for any other text."
    )
    async def linked_accounts(
        self,
        info: Info,
        token: Annotated[str, strawberry.argument(description="What comes after /books/ in the path.")],
    ) -> LinkedAccounts | None:
        return cast("LinkedAccounts", await linked_books.linked_accounts(info.context.actor, token))
