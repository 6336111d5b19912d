"""Reads of payments that went wrong (支付异常), with what the caller may do about each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.command import concerns, sensitive_read
from payments import exception_sql as sql
from payments import permissions
from payments.exception_rules import Trouble, fitting, permission_for
from payments.part_payment import allows_part


@dataclass(frozen=True, slots=True)
class PaymentException:
    """Something about money that a person has to look at, fen. Who asked and who closed it are accounts."""

    id: UUID
    compound_id: UUID | None
    kind: str
    amount_fen: int
    note: str
    opened_at: datetime
    payment_id: UUID | None
    refund_id: UUID | None
    is_asked_back: bool
    asked_action: str | None
    asked_by: UUID | None
    asked_at: datetime | None
    asked_note: str
    action: str | None
    closed_at: datetime | None
    closed_by: UUID | None
    decision_note: str
    actions: tuple[str, ...]


_CHOSEN = "($1::text[] IS NULL OR kind = ANY($1))"


def _page(of: str, state: str) -> str:
    return f"""
SELECT {sql.COLUMNS} FROM (
    SELECT * FROM payment_exception WHERE {of} AND {state} AND {_CHOSEN} AND ($3::uuid IS NULL OR id < $3)
    ORDER BY id DESC LIMIT $4) e {sql.JOINS} ORDER BY e.id DESC
"""


# What names nothing of ours is of no compound.
_OF_COMPOUND, _OF_NONE = "compound_id = $2", "compound_id IS NULL AND $2::uuid IS NULL"
_OPEN, _CLOSED = "closed_at IS NULL", "closed_at IS NOT NULL"
PAGES = {
    (named, open_): _page(_OF_COMPOUND if named else _OF_NONE, _OPEN if open_ else _CLOSED)
    for named in (True, False)
    for open_ in (True, False)
}
"""By whether a compound is named, and whether what is open is looked for."""

NUMBERS = {
    (named, open_): "SELECT count(*) FROM payment_exception WHERE "
    f"{_OF_COMPOUND if named else _OF_NONE} AND {_OPEN if open_ else _CLOSED} AND {_CHOSEN}"
    for named, open_ in PAGES
}

BY_ID = f"""
SELECT {sql.COLUMNS} FROM payment_exception e {sql.JOINS}
WHERE e.id = ANY($1::uuid[]) AND (e.compound_id = ANY($2::uuid[]) OR $3 AND e.compound_id IS NULL)
"""


@sensitive_read("payment_exception.list", caller="staff")
async def for_staff(
    actor: Actor,
    compound_id: UUID | None,
    *,
    kinds: Sequence[str] | None,
    is_open: bool,
    after: tuple[object, ...] | None,
    limit: int,
) -> list[PaymentException]:
    """A page of a compound's exceptions, the newest first, for staff with payments.read over all of it; without a compound
    those that name nothing of ours, for whoever runs the installation."""
    concerns("PaymentException", None, compound_id)
    if compound_id is None:
        actor.require_operator()
    else:
        actor.require_whole(permissions.PAYMENTS_READ, compound_id)
    page = PAGES[compound_id is not None, is_open]
    rows = await database.fetch(page, kinds, compound_id, after[0] if after else None, limit)
    return await _shown(actor, rows)


async def number(compound_id: UUID | None, *, kinds: Sequence[str] | None, is_open: bool) -> int:
    """How many there are in all; whoever asks has read a page of them."""
    return int(await database.fetchval(NUMBERS[compound_id is not None, is_open], kinds, compound_id))


async def by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, PaymentException]:
    """Those that may be seen by payments.read over all of the compound."""
    whole = actor.reach(permissions.PAYMENTS_READ).compounds
    rows = await database.fetch(BY_ID, ids, whole, actor.operator)
    return {each.id: each for each in await _shown(actor, rows)}


async def _shown(actor: Actor, rows: Iterable[asyncpg.Record]) -> list[PaymentException]:
    allowed = {
        id: await allows_part()(id) for id in {row["compound_id"] for row in rows if row["pays_debts"]}
    }
    return [_row(actor, row, allows=allowed.get(row["compound_id"], False)) for row in rows]


def _row(actor: Actor, row: asyncpg.Record, *, allows: bool) -> PaymentException:
    return PaymentException(
        row["id"], row["compound_id"], row["kind"], row["amount_fen"], row["note"], row["opened_at"],
        row["order_id"], row["shown_refund_id"], row["is_asked_back"], row["asked_action"], row["asked_by"],
        row["asked_at"], row["asked_note"], row["action"], row["closed_at"], row["closed_by"], row["decision_note"],
        _actions(actor, row, allows=allows),
    )  # fmt: skip


def _actions(actor: Actor, row: asyncpg.Record, *, allows: bool) -> tuple[str, ...]:
    """What fits it and the caller may do. Who asked for something does not confirm it as well."""
    if row["closed_at"] is not None:
        return ()
    trouble = Trouble(
        row["kind"], row["refund_id"] is not None, row["pays_debts"], allows, row["is_asked_back"],
        row["asked_action"],
    )  # fmt: skip
    return tuple(each for each in fitting(trouble) if _may(actor, row, permission_for(trouble, each), each))


def _may(actor: Actor, row: asyncpg.Record, permission: str, action: str) -> bool:
    if row["compound_id"] is None:
        return actor.operator
    is_own = row["asked_action"] == action and row["asked_by"] == actor.account_id
    return not is_own and actor.may_whole(permission, row["compound_id"])
