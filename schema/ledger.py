"""The books in the API (总账): balances and journals; for staff with ledger.read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, cast
from uuid import UUID

import strawberry

from payments.queries import ledger as queries
from payments.rules import ACCOUNTS, KINDS
from schema.context import Info, Loader
from schema.payments import PaymentChannel
from schema.permissions import staff_only
from schema.relay import After, Connection, First, Key, connection, decode, encode, page_request
from schema.scalars import Long

SORT = "journals:on"


def _account(root: queries.LedgerBalance | queries.Entry, info: Info) -> str:
    _, zh, en = ACCOUNTS[root.code]
    return en if info.context.language == "en" else zh


def _channel(root: queries.LedgerBalance | queries.Entry) -> PaymentChannel | None:
    return PaymentChannel(root.purpose) if root.code == "clearing" else None


@strawberry.type(description="What stands on an account (科目余额), fen.")
class LedgerBalance:
    code: str = strawberry.field(
        description="Code of the account: receivable, prepayment, clearing, income …"
    )
    account: str = strawberry.field(resolver=_account, description="Its name: 应收账款.")
    channel: PaymentChannel | None = strawberry.field(
        resolver=_channel, description="Of clearing: the channel."
    )
    debit_fen: Long = strawberry.field(description="Sum of debits (借方).")
    credit_fen: Long = strawberry.field(description="Sum of credits (贷方).")
    balance_fen: Long = strawberry.field(
        description="Debits less credits; over all accounts they sum to zero."
    )


@strawberry.type(description="One line of a journal (分录): one side of a code of accounts, over all houses.")
class JournalEntry:
    code: str = strawberry.field(description="Code of the account.")
    account: str = strawberry.field(resolver=_account, description="Its name.")
    channel: PaymentChannel | None = strawberry.field(
        resolver=_channel, description="Of clearing: the channel."
    )
    amount_fen: Long = strawberry.field(description="Fen: debit above zero, credit below (借正贷负).")


class EntriesLoader(Loader[UUID, list[queries.Entry]]):
    """Lines of journals, by journal."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[queries.Entry]]:
        """One statement for all journals."""
        return await queries.entries(keys)


def _kind(root: queries.Journal, info: Info) -> str:
    zh, en = KINDS[root.kind]
    return en if info.context.language == "en" else zh


@strawberry.type(description="One balanced posting (记账凭证); it is never changed, and undone by another.")
class Journal:
    journal: strawberry.ID = strawberry.field(
        resolver=lambda root: strawberry.ID(encode("Journal", root.id)), description="Its id."
    )
    kind: str = strawberry.field(resolver=_kind, description="What it is: 出账, 微信支付, 退款.")
    posted_on: date = strawberry.field(description="The business date it counts for (记账日期).")
    posted_at: datetime = strawberry.field(description="When it was posted.")
    memo: str = strawberry.field(description="摘要.")
    reverses: strawberry.ID | None = strawberry.field(
        resolver=lambda root: (
            strawberry.ID(encode("Journal", root.reverses_id)) if root.reverses_id else None
        ),
        description="The journal that it undoes.",
    )

    @strawberry.field(description="Its lines, debits first; they sum to zero.")
    async def entries(self, info: Info) -> list[JournalEntry]:
        id = cast("queries.Journal", self).id
        return cast("list[JournalEntry]", await info.context.loader(EntriesLoader).load(id) or [])


def _as_journal(row: queries.Journal) -> Journal:
    return row  # type: ignore[return-value]  # rows stand for the type


def _keys(row: queries.Journal) -> tuple[Key, ...]:
    return row.posted_on, row.id


Compound = Annotated[strawberry.ID, strawberry.argument(description="The compound.")]


@strawberry.type
class LedgerQuery:
    """Root fields of the books."""

    @strawberry.field(
        description="The trial balance (试算平衡) of a compound at the end of a day. For staff with ledger.read over all "
        "of it, audited.",
        extensions=[staff_only],
    )
    async def ledger_balances(
        self,
        info: Info,
        *,
        compound: Compound,
        on: Annotated[date | None, strawberry.argument(description="The day; today unless told.")] = None,
    ) -> list[LedgerBalance] | None:
        rows = await queries.balances(info.context.actor, decode(compound, "Compound", "compound"), on=on)
        return cast("list[LedgerBalance]", rows)

    @strawberry.field(
        description="A journal by its id; null if it does not exist or is not the caller's to read. For staff with "
        "ledger.read over all of the compound, audited.",
        extensions=[staff_only],
    )
    async def journal(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
    ) -> Journal | None:
        row = await queries.journal(info.context.actor, decode(id, "Journal", "id"))
        return None if row is None else _as_journal(row)

    @strawberry.field(
        description="Journals of some days, both included, the newest first. For staff with ledger.read over all of the "
        "compound, audited.",
        extensions=[staff_only],
    )
    async def journals(
        self,
        info: Info,
        *,
        compound: Compound,
        from_on: Annotated[date, strawberry.argument(description="The first day.")],
        until_on: Annotated[date, strawberry.argument(description="The last day.")],
        first: First = 20,
        after: After = None,
    ) -> Connection[Journal] | None:
        page = page_request(first, after, SORT, date, UUID)
        rows = await queries.journals(
            info.context.actor, decode(compound, "Compound", "compound"), from_on=from_on, until_on=until_on, kinds=None,
            after=page.after, limit=page.limit,
        )  # fmt: skip
        return connection(page, rows, _keys, _as_journal)
